/**
 * The association with the peer: opening it so that only who knows the key, and speaks now, gets in; sealing what goes
 * out; judging what comes in; noticing that nothing does.
 */
import { boxAddresses } from "./canonical.js";
import { generationOf } from "./classify.js";
import { REFUSALS, type Refusal } from "./counters.js";
import {
  DATA_STREAMS,
  type Header,
  isAuthentic,
  openingKey,
  readFrame,
  sealFrame,
  sessionKey,
  type Stream,
  streamNumber,
  STREAMS,
} from "./envelope.js";
import { count, log } from "./log.js";
import { emitMessage, type Message, type MessageKind, parseMessage } from "./message.js";
import {
  type Channel,
  type Context,
  NEVER_MS,
  newChannel,
  newPeer,
  type Peer,
  random64,
  UNHEARD_MAX,
} from "./state.js";

/** Openings that are believed at a time before one of them is proven. */
export const CHANNELS_MAX = 4;
/** The receiver's nonce in a frame of a sender that does not know it. */
const UNKNOWN_NONCE = 0n;

/** A new association is there: both sides begin with a nonce of their own. */
export function openLink(context: Context): void {
  const { state, nowMs, random, actions, mac } = context;
  const { identity, timers, bootId, alarms } = state;
  if (identity === undefined || !state.isAssociationUp) return;
  const { config, keyString } = identity;
  const nonce = random64(random);
  state.link = { status: "opening", nonce, channels: [] };
  alarms.opening = nowMs + timers.notificationMs;
  count(context, "associations");
  if (keyString === undefined)
    log(context, "NO_KEY", "messages of the pair are not authenticated: no key-string", "");
  const envelope = {
    kind: "open",
    stream: "control",
    isKeyed: keyString !== undefined,
    generation: generationOf(state),
    bootId,
    senderNonce: nonce,
    receiverNonce: UNKNOWN_NONCE,
    sequence: 1,
  } as const;
  const contents = emitMessage({ kind: "open", addresses: boxAddresses(config) });
  count(context, "framesSent");
  actions.push({
    kind: "send",
    stream: streamNumber("control"),
    bytes: sealFrame(mac, openingKey(keyString), envelope, contents),
  });
}

/** Forgets the association, and what was known of the peer. */
export function closeLink(context: Context): void {
  const { state } = context;
  if (state.link.status === "open") count(context, "peerLosses");
  state.link = { status: "closed", nonce: 0n, channels: [] };
  state.peer = undefined;
  state.findings = [];
  state.isConflictTold = false;
  state.probe = { status: "none", token: 0 };
  for (const alarm of ["opening", "keepAlive", "probe"] as const) state.alarms[alarm] = NEVER_MS;
}

/** Gives the association up and asks for another. */
export function restartAssociation(context: Context): void {
  closeLink(context);
  context.state.isAssociationUp = false;
  context.actions.push({ kind: "association", command: "restart" });
}

/** Sends a message to the peer; without one, nothing happens. */
export function tell(context: Context, message: Message): void {
  const { link } = context.state;
  if (link.status === "open") tellChannel(context, link.channels[0]!, message);
}

export function tellChannel(context: Context, channel: Channel, message: Message): void {
  const { state, nowMs } = context;
  seal(context, channel, message.kind, "control", emitMessage(message));
  const { peer } = state;
  if (peer !== undefined && channel === state.link.channels[0]) {
    const sent = { sequence: channel.sent.control, sentAtMs: nowMs };
    if (peer.unheard.length < UNHEARD_MAX) peer.unheard = [...peer.unheard, sent];
  }
}

/** Sends session records to the peer. */
export function tellRecords(context: Context, stream: Stream, payload: Uint8Array): void {
  count(context, "dataSent");
  seal(context, context.state.link.channels[0]!, "data", stream, payload);
}

function seal(
  context: Context,
  channel: Channel,
  kind: MessageKind | "data",
  stream: Stream,
  contents: Uint8Array,
): void {
  const { state, actions, mac } = context;
  channel.sent[stream] += 1;
  count(context, "framesSent");
  const envelope = {
    kind,
    stream,
    isKeyed: state.identity!.keyString !== undefined,
    generation: generationOf(state),
    bootId: state.bootId,
    senderNonce: state.link.nonce,
    receiverNonce: channel.nonce,
    sequence: channel.sent[stream],
  };
  const bytes = sealFrame(mac, channel.sendKey, envelope, contents);
  actions.push({ kind: "send", stream: streamNumber(stream), bytes });
}

/** What came in and is proven to be the peer's, and said now. */
export type Received =
  | { readonly kind: "message"; readonly header: Header; readonly message: Message }
  | {
      readonly kind: "data";
      readonly header: Header;
      readonly payload: Uint8Array;
      readonly missing: number;
    };

/** The contents of a frame; undefined: it was refused, or only opened the association. */
export function receive(context: Context, stream: number, bytes: Uint8Array): Received | undefined {
  const received = judge(context, stream, bytes);
  if (typeof received !== "string") return received;
  refuse(context, received);
  return undefined;
}

/** What comes late when roles change, and says nothing of the peer. */
const LATE: ReadonlySet<Refusal> = new Set<Refusal>(["closed", "unexpected", "generation"]);

/** Counts a refusal and writes it into the log. */
export function refuse(context: Context, refusal: Refusal): void {
  context.state.books.counters.refused[refusal] += 1;
  if (!LATE.has(refusal))
    log(context, "REFUSED", `a message of the peer was refused: ${REFUSALS[refusal]}`, refusal);
}

function judge(context: Context, stream: number, bytes: Uint8Array): Received | undefined | Refusal {
  const { state, mac } = context;
  const { link, identity } = state;
  if (link.status === "closed" || identity === undefined) return "closed";
  const frame = readFrame(bytes);
  if (typeof frame === "string") return frame;
  const { header, contents } = frame;
  const isData = (DATA_STREAMS as readonly Stream[]).includes(header.stream);
  if (STREAMS[stream] !== header.stream || isData !== (header.kind === "data")) return "stream";
  const isKeyed = identity.keyString !== undefined;
  if (header.isKeyed !== isKeyed) return isKeyed ? "unkeyed" : "keyed";
  if (header.senderNonce === link.nonce) return "reflected";
  if (header.kind === "open") return judgeOpening(context, header, bytes, contents);
  const channel = link.channels.find(({ nonce }) => nonce === header.senderNonce);
  if (channel === undefined || header.receiverNonce !== link.nonce) return "association";
  if (header.bootId !== channel.bootId) return "boot";
  if (header.sequence <= channel.received[header.stream]) return "replay";
  if (!isAuthentic(mac, channel.receiveKey, bytes)) return "tag";
  const peer = confirm(context, channel);
  const missing = header.sequence - channel.received[header.stream] - 1;
  channel.received[header.stream] = header.sequence;
  peer.heardAtMs = context.nowMs;
  peer.isSilent = false;
  count(context, "framesReceived");
  count(context, "framesMissing", missing);
  if (header.kind === "data") return { kind: "data", header, payload: contents, missing };
  const message = parseMessage(header.kind, contents);
  return message === undefined ? "content" : { kind: "message", header, message };
}

/** Somebody who knows the shared key, or repeats one who does, begins. */
function judgeOpening(
  context: Context,
  header: Header,
  bytes: Uint8Array,
  contents: Uint8Array,
): Refusal | undefined {
  const { state, mac } = context;
  const { link } = state;
  const { keyString } = state.identity!;
  const { senderNonce: nonce, bootId } = header;
  if (header.receiverNonce !== UNKNOWN_NONCE || nonce === UNKNOWN_NONCE) return "association";
  if (link.status === "open") return "reopened";
  if (link.channels.some((channel) => channel.nonce === nonce)) return "replay";
  if (!isAuthentic(mac, openingKey(keyString), bytes)) return "tag";
  const message = parseMessage("open", contents);
  if (message?.kind !== "open") return "content";
  const channel = newChannel({
    nonce,
    bootId,
    addresses: message.addresses,
    sendKey: sessionKey(keyString, link.nonce, nonce),
    receiveKey: sessionKey(keyString, nonce, link.nonce),
  });
  channel.sent.control = 1;
  channel.received.control = header.sequence;
  link.channels.push(channel);
  if (link.channels.length > CHANNELS_MAX) link.channels.shift();
  return undefined;
}

/** The peer has shown that it knows the key and our nonce: it is the one, and it is there now. */
function confirm(context: Context, channel: Channel): Peer {
  const { state, nowMs } = context;
  if (state.peer !== undefined) return state.peer;
  state.link.status = "open";
  state.link.channels = [channel];
  state.peer = newPeer(nowMs);
  state.bulkAttempts = 0;
  state.alarms.opening = NEVER_MS;
  state.alarms.keepAlive = nowMs;
  return state.peer;
}

/** Sends a keep-alive: how far both directions have come. */
export function keepAlive(context: Context): void {
  const { state, nowMs } = context;
  const { sent, received } = state.link.channels[0]!;
  const progress = (stream: Stream) => ({ sent: sent[stream], received: received[stream] });
  count(context, "keepAlivesSent");
  tell(context, {
    kind: "keepAlive",
    control: progress("control"),
    dynamic: progress("dynamic"),
    bulk: progress("bulk"),
  });
  state.alarms.keepAlive = nowMs + state.timers.keepAliveMs;
}

/** Takes the peer's counts: has it heard us? */
export function hearKeepAlive(context: Context, message: Extract<Message, { kind: "keepAlive" }>): void {
  const { peer } = context.state;
  if (peer === undefined) return;
  count(context, "keepAlivesReceived");
  const { control, dynamic, bulk } = message;
  peer.sent = { control: control.sent, dynamic: dynamic.sent, bulk: bulk.sent };
  peer.received = { control: control.received, dynamic: dynamic.received, bulk: bulk.received };
  const before = peer.unheard.length;
  peer.unheard = peer.unheard.filter(({ sequence }) => sequence > control.received);
  if (peer.unheard.length < before) peer.isDeaf = false;
}
