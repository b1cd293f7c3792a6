/**
 * The model's section 5.1: what one TCP segment does to a session. The table is netfilter's; the windows are those of
 * van Rooij, "Real Stateful TCP Packet Filtering in IP Filter". Nothing is changed in place: a segment that is dropped
 * leaves no trace.
 */
import { ACK, FIN, RST, SYN, type TcpSegment } from "./packet.js";

export const TCP_STATES = [
  "SYN_SENT",
  "SYN_RECV",
  "ESTABLISHED",
  "FIN_WAIT",
  "CLOSE_WAIT",
  "LAST_ACK",
  "TIME_WAIT",
  "SYN_SENT2",
] as const;
export type TcpState = (typeof TCP_STATES)[number];
export type TcpClass = "SYN" | "SYN+ACK" | "FIN" | "ACK" | "RST";
export type TcpDirection = "original" | "reply";

const HANDSHAKE: ReadonlySet<TcpState> = new Set(["SYN_SENT", "SYN_RECV", "SYN_SENT2"]);

/** A state to go to, or: invalid, ignored (passed without a change of state), closed, opened anew. */
export type Cell = TcpState | "invalid" | "ignore" | "close" | "reopen";

const ABBREVIATIONS: Record<string, Cell> = {
  SS: "SYN_SENT",
  SR: "SYN_RECV",
  ES: "ESTABLISHED",
  FW: "FIN_WAIT",
  CW: "CLOSE_WAIT",
  LA: "LAST_ACK",
  TW: "TIME_WAIT",
  S2: "SYN_SENT2",
  iv: "invalid",
  ig: "ignore",
  CL: "close",
  re: "reopen",
};

const row = (text: string): Cell[] =>
  text
    .trim()
    .split(/\s+/)
    .map((word) => ABBREVIATIONS[word]!);

/** Columns in the order of TCP_STATES. */
export const TCP_TABLE: Record<TcpDirection, Record<TcpClass, Cell[]>> = {
  original: {
    //             SS SR ES FW CW LA TW S2
    SYN: /*     */ row("SS ig ig ig ig re re S2"),
    "SYN+ACK": row("    iv ig ig ig ig ig ig SR"),
    FIN: /*     */ row("iv FW FW LA LA LA TW iv"),
    ACK: /*     */ row("iv ES ES CW CW TW TW iv"),
    RST: /*     */ row("CL CL CL CL CL CL CL CL"),
  },
  reply: {
    SYN: /*     */ row("S2 iv iv iv iv iv iv S2"),
    "SYN+ACK": row("    SR ig ig ig ig ig ig SR"),
    FIN: /*     */ row("iv FW FW LA LA LA TW iv"),
    ACK: /*     */ row("ig SR ES CW CW TW TW ig"),
    RST: /*     */ row("CL CL CL CL CL CL CL CL"),
  },
};

/** What is known of the bytes that one side sends. Sequence numbers are 32-bit values, compared by signed difference. */
export interface Side {
  /** Its SYN's sequence number. */
  isn: number;
  /** Highest sequence number sent + 1. */
  end: number;
  /** Right edge that the other side has allowed. */
  maxend: number;
  /** Largest window that this side has advertised, scaled; 0 unknown. */
  maxwin: number;
  /** Highest acknowledgement sent. */
  maxack: number | undefined;
  /** Of the window scale option of its SYN; undefined: not offered. */
  scale: number | undefined;
  /** Its SYN permits the other side to send SACK blocks. */
  sack: boolean;
}

export interface TcpTrack {
  state: TcpState;
  initiator: Side;
  responder: Side;
  /** Both sides have sent a SYN before a SYN+ACK. */
  simultaneous: boolean;
  /** What a SYN of the initiator that was passed in an open session would make of its side. */
  pending: Side | undefined;
}

export type TcpAnswer =
  | { drop: string }
  /** The SYN of a new connection in place of a closed one. */
  | { reopen: true }
  /** `next` undefined: the session ends with this segment. `doubt`: a RST that may be false. */
  | { next: TcpTrack | undefined; doubt: boolean; synIgnored: boolean };

const UNKNOWN: Side = {
  isn: 0,
  end: 0,
  maxend: 0,
  maxwin: 0,
  maxack: undefined,
  scale: undefined,
  sack: false,
};
/** Old acknowledgements are accepted this far back, however small the window [van Rooij]. */
const ACK_WINDOW_MIN = 66000;

const difference = (a: number, b: number): number => (a - b) | 0;
const u32 = (value: number): number => value >>> 0;
const later = (a: number, b: number): number => (difference(a, b) > 0 ? a : b);

export function classify(flags: number): TcpClass {
  if (flags & RST) return "RST";
  if (flags & SYN) return flags & ACK ? "SYN+ACK" : "SYN";
  return flags & FIN ? "FIN" : "ACK";
}

/** The sequence number behind the segment; SYN and FIN count as one. */
export function endOf(segment: TcpSegment): number {
  const { seq, length, flags } = segment;
  return u32(seq + length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0));
}

/** The session that a SYN opens. */
export function openTrack(syn: TcpSegment): TcpTrack {
  return {
    state: "SYN_SENT",
    initiator: sideOfSyn(syn),
    responder: UNKNOWN,
    simultaneous: false,
    pending: undefined,
  };
}

function sideOfSyn(syn: TcpSegment): Side {
  const end = endOf(syn);
  const maxwin = Math.max(syn.window, 1);
  const { seq: isn, windowScale: scale, sackPermitted: sack } = syn;
  return { isn, end, maxend: end, maxwin, maxack: undefined, scale, sack };
}

/** Judges one segment of a session. */
export function judge(track: TcpTrack, direction: TcpDirection, segment: TcpSegment): TcpAnswer {
  const kind = classify(segment.flags);
  const cell = TCP_TABLE[direction][kind][TCP_STATES.indexOf(track.state)]!;
  if (cell === "invalid") return { drop: HANDSHAKE.has(track.state) ? "tcp_handshake" : "tcp_state" };
  if (cell === "reopen") return { reopen: true };
  switch (kind) {
    case "RST":
      return judgeReset(track, direction, segment);
    case "SYN":
      return judgeSyn(track, direction, segment, cell);
    case "SYN+ACK":
      return judgeSynAck(track, direction, segment);
  }
  if (cell === "ignore") {
    // A host with an old connection of these ports answers the SYN with an acknowledgement [5961].
    return segment.length === 0 ? accepted(track) : { drop: "tcp_handshake" };
  }
  return judgeData(track, direction, segment, cell as TcpState);
}

const closed: TcpAnswer = { next: undefined, doubt: false, synIgnored: false };

const accepted = (next: TcpTrack, synIgnored = false): TcpAnswer => ({ next, doubt: false, synIgnored });

/** Whether an acknowledgement is for the SYN of `side`, with or without the data in it. */
function acknowledgesSyn(ack: number, side: Side): boolean {
  return difference(ack, u32(side.isn + 1)) >= 0 && difference(ack, side.end) <= 0;
}

/** Sender and receiver of a segment. */
function ends(track: TcpTrack, direction: TcpDirection): { sender: Side; receiver: Side } {
  return direction === "original"
    ? { sender: track.initiator, receiver: track.responder }
    : { sender: track.responder, receiver: track.initiator };
}

function withEnds(track: TcpTrack, direction: TcpDirection, sender: Side, receiver: Side): TcpTrack {
  return direction === "original"
    ? { ...track, initiator: sender, responder: receiver }
    : { ...track, initiator: receiver, responder: sender };
}

function judgeReset(track: TcpTrack, direction: TcpDirection, segment: TcpSegment): TcpAnswer {
  const { sender, receiver } = ends(track, direction);
  const { seq, ack, flags } = segment;
  const hasAck = (flags & ACK) !== 0;
  if (track.state === "SYN_SENT") {
    if (direction === "reply")
      return hasAck && acknowledgesSyn(ack, receiver) ? closed : { drop: "tcp_handshake" };
    const inSyn = difference(seq, sender.isn) >= 0 && difference(seq, sender.end) <= 0;
    return inSyn ? closed : { drop: "tcp_rst_window" };
  }
  if (direction === "reply" && hasAck && ack === track.pending?.end) return closed;
  if (hasAck && ack !== 0 && difference(ack, receiver.end) > 0) return { drop: "tcp_ack_high" };
  if (seq === receiver.maxack || seq === sender.end || seq === u32(sender.end - 1)) return closed;
  const lower = receiver.maxack ?? sender.end;
  if (difference(seq, lower) < 0 || difference(seq, sender.maxend) > 0) return { drop: "tcp_rst_window" };
  return { next: track, doubt: true, synIgnored: false };
}

function judgeSyn(track: TcpTrack, direction: TcpDirection, segment: TcpSegment, cell: Cell): TcpAnswer {
  const { sender, receiver } = ends(track, direction);
  const first = sideOfSyn(segment);
  if (cell === "ignore") {
    if (track.state === "SYN_RECV" && segment.seq === sender.isn) return accepted(track);
    return accepted({ ...track, pending: first }, true);
  }
  if (track.state === "SYN_SENT" && direction === "reply") {
    return accepted({ ...track, state: "SYN_SENT2", simultaneous: true, responder: first });
  }
  if (track.state === "SYN_SENT2" && segment.seq !== sender.isn) return { drop: "tcp_handshake" };
  return accepted(withEnds(track, direction, first, receiver));
}

function judgeSynAck(track: TcpTrack, direction: TcpDirection, segment: TcpSegment): TcpAnswer {
  const { sender, receiver } = ends(track, direction);
  if (track.state === "SYN_SENT" || track.state === "SYN_SENT2") {
    if (!acknowledgesSyn(segment.ack, receiver)) return { drop: "tcp_handshake" };
    return accepted(answered(track, direction, segment));
  }
  const { pending } = track;
  if (direction === "reply" && pending !== undefined && segment.ack === pending.end) {
    // The client has been restarted: the session begins again with the SYN that was passed then.
    const again = { ...track, initiator: pending, simultaneous: false, pending: undefined };
    return accepted(answered(again, direction, segment));
  }
  const failed = firstFailure(sender, receiver, segment, segment.ack);
  if (failed !== undefined) return { drop: failed };
  if (isAfterClose(track, sender, segment)) return { drop: "tcp_after_close" };
  return accepted(track);
}

/** A SYN+ACK that is waited for: the windows of its side begin here. */
function answered(track: TcpTrack, direction: TcpDirection, segment: TcpSegment): TcpTrack {
  const { receiver } = ends(track, direction);
  const updated = update(sideOfSyn(segment), receiver, segment, segment.ack);
  return { ...withEnds(track, direction, updated.sender, updated.receiver), state: "SYN_RECV" };
}

/** FIN or ACK in a state that has both windows. */
function judgeData(track: TcpTrack, direction: TcpDirection, segment: TcpSegment, cell: TcpState): TcpAnswer {
  const { sender, receiver } = ends(track, direction);
  if (track.state === "SYN_RECV") {
    const behindSyn = difference(segment.seq, u32(sender.isn + 1)) >= 0;
    if (!behindSyn || !acknowledgesSyn(segment.ack, receiver)) return { drop: "tcp_handshake" };
  }
  const sack = receiver.sack ? segment.sackEdges.reduce(later, segment.ack) : segment.ack;
  const failed = firstFailure(sender, receiver, segment, sack);
  if (
    failed !== undefined &&
    !(failed === "tcp_seq_high" && isMoreThanOffered(sender, receiver, segment, sack))
  ) {
    return { drop: failed };
  }
  if (isAfterClose(track, sender, segment)) return { drop: "tcp_after_close" };

  const fin = (segment.flags & FIN) !== 0;
  let state = cell;
  // A FIN that reaches no further than what its side has sent before is a repeat.
  if (fin && !isNew(sender, segment)) state = track.state;
  if (!fin && direction === "reply" && track.state === "SYN_RECV" && track.simultaneous)
    state = "ESTABLISHED";
  const updated = update(sender, receiver, segment, sack);
  // More than was offered advances what was sent, but does not widen what may be sent.
  if (failed !== undefined) updated.receiver.maxwin = receiver.maxwin;
  return accepted({ ...withEnds(track, direction, updated.sender, updated.receiver), state });
}

/** Whether the segment reaches beyond everything that its side has sent. */
const isNew = (sender: Side, segment: TcpSegment): boolean => difference(endOf(segment), sender.end) > 0;

function isAfterClose({ state }: TcpTrack, sender: Side, segment: TcpSegment): boolean {
  return (state === "LAST_ACK" || state === "TIME_WAIT") && isNew(sender, segment);
}

/** Rules I to IV. `sack`: the highest byte that is acknowledged, selectively or not. */
function firstFailure(sender: Side, receiver: Side, segment: TcpSegment, sack: number): string | undefined {
  if (difference(segment.seq, sender.maxend) > 0) return "tcp_seq_high";
  const known = receiver.maxwin !== 0;
  if (known && difference(endOf(segment), u32(sender.end - receiver.maxwin)) < 0) return "tcp_seq_old";
  if (difference(sack, receiver.end) > 0) return "tcp_ack_high";
  const oldest = u32(receiver.end - Math.max(sender.maxwin, ACK_WINDOW_MIN));
  return difference(sack, oldest) < 0 ? "tcp_ack_old" : undefined;
}

/** Data that fails rule I alone, and by no more than a window of the receiver. */
function isMoreThanOffered(sender: Side, receiver: Side, segment: TcpSegment, sack: number): boolean {
  const excess = difference(endOf(segment), sender.maxend);
  if (receiver.maxwin === 0 || excess <= 0 || excess > receiver.maxwin) return false;
  return firstFailure({ ...sender, maxend: segment.seq }, receiver, segment, sack) === undefined;
}

type Ends = { sender: Side; receiver: Side };

/** Both windows after an accepted segment, which has an acknowledgement. */
function update(sender: Side, receiver: Side, segment: TcpSegment, sack: number): Ends {
  const end = endOf(segment);
  const scaled = (segment.flags & SYN) === 0 && sender.scale !== undefined && receiver.scale !== undefined;
  const window = scaled ? segment.window * 2 ** sender.scale! : segment.window;
  const advertised = u32(window + u32(sack - segment.ack));

  const nextSender = {
    ...sender,
    maxwin: Math.max(sender.maxwin, advertised),
    end: later(end, sender.end),
    maxack: sender.maxack === undefined ? segment.ack : later(segment.ack, sender.maxack),
  };
  const nextReceiver = { ...receiver };
  const excess = difference(end, sender.maxend);
  if (receiver.maxwin !== 0 && excess > 0) nextReceiver.maxwin = u32(receiver.maxwin + excess);
  const edge = u32(sack + window);
  if (difference(edge, receiver.maxend) >= 0) nextReceiver.maxend = window === 0 ? u32(edge + 1) : edge;
  return { sender: nextSender, receiver: nextReceiver };
}
