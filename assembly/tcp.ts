/**
 * TCP inspection: the state table, the window rules, and what a filter in the middle has to know beside them.
 *
 * States are those of a filter, not of an endpoint: a segment seen here may never arrive. The table is netfilter's
 * (nf_conntrack_proto_tcp), the window rules are van Rooij's ("Real Stateful TCP Packet Filtering in IP Filter"):
 *
 *   S sends to R        end = seq + payload + SYN + FIN        sack = highest SACK edge, or ack
 *   I    seq  <= S.maxend                       no data beyond the window that R offered
 *   II   end  >= S.end - R.maxwin               nothing older than what R may still ask for
 *   III  sack <= R.end                          no acknowledgement of what R never sent
 *   IV   sack >= R.end - max(S.maxwin, 66000)   no acknowledgement from long ago
 *
 * All comparisons are modulo 2^32. A refused segment changes nothing.
 */
import {
  C_CLOSED,
  C_SYN_IGNORED,
  CF_SIMULTANEOUS,
  COLD_FIRST0,
  COLD_FLAGS,
  COLD_IDLE_TIMER,
  COLD_OFFERED,
  COLD_PENDING_END,
  COLD_PENDING_OPTIONS,
  COLD_PENDING_SEQ,
  COLD_PENDING_WIN,
  HF_ACKED0,
  HF_INITIATOR1,
  HF_PENDING_SYN,
  HF_RST_DOUBT,
  HF_SACK0,
  HOT_FLAGS,
  HOT_SCALES,
  HOT_STATE,
  HOT_TIMER,
  HOT_WINDOW0,
  M_ACK,
  M_END,
  M_FLAGS,
  M_PAYLOAD,
  M_SEQ,
  M_SIDE,
  M_TCP_OPTIONS,
  M_TRANSPORT,
  M_WIN,
  R_TCP_ACK_HIGH,
  R_TCP_ACK_OLD,
  R_TCP_AFTER_CLOSE,
  R_TCP_HANDSHAKE,
  R_TCP_RST_WINDOW,
  R_TCP_SEQ_HIGH,
  R_TCP_SEQ_OLD,
  R_TCP_STATE,
  ST_CLOSE_WAIT,
  ST_ESTABLISHED,
  ST_FIN_WAIT,
  ST_LAST_ACK,
  ST_SYN_RECV,
  ST_SYN_SENT,
  ST_SYN_SENT2,
  ST_TIME_WAIT,
  TIMER_FINWAIT,
  TIMER_RST_DOUBT,
  TIMER_SYNWAIT,
  TR_STATE,
  TR_WINDOW,
  W_END,
  W_MAXACK,
  W_MAXEND,
  W_MAXWIN,
  WINDOW_SIZE,
} from "./layout";
import { cold, isHalfOpen, linkHalfOpen, release, unlinkHalfOpen } from "./flow";
import { count, timeoutsAt, trace } from "./state";
import { be32 } from "./bytes";
import { ACK, FIN, RST, SYN, TCP_HEADER, TCP_OFFSET } from "./transport";

/** Answers of `inspect` that are no reason. */
export const TCP_PASS: u32 = 0;
/** The session is over and gone; the segment itself passes. */
export const TCP_LAST: u32 = 0xfe;
/** A new connection over a closed one: policy decides about this SYN, and the old session makes room if it passes. */
export const TCP_REOPEN: u32 = 0xff;
const BEYOND: u32 = 0xfd;

// Next states of the table; __: the state stays and the cell has its own rule below; xx: invalid.
const __: u8 = 0xfe;
const xx: u8 = 0xff;
const SS = <u8>ST_SYN_SENT;
const SR = <u8>ST_SYN_RECV;
const ES = <u8>ST_ESTABLISHED;
const FW = <u8>ST_FIN_WAIT;
const CW = <u8>ST_CLOSE_WAIT;
const LA = <u8>ST_LAST_ACK;
const TW = <u8>ST_TIME_WAIT;
const S2 = <u8>ST_SYN_SENT2;
/** The session ends: a SYN that may open anew, or a RST. */
const NO: u8 = 0;

const COLUMNS: u32 = 10;
const CLASS_SYN: u32 = 0;
const CLASS_SYN_ACK: u32 = 1;
const CLASS_FIN: u32 = 2;
const CLASS_ACK: u32 = 3;
const CLASS_RST: u32 = 4;
const CLASSES: u32 = 5;

// prettier-ignore
const TRANSITIONS: StaticArray<u8> = [
  //              none SS  SR  ES  FW  CW  LA  TW  --  S2
  /* initiator */
  /* SYN       */  SS, __, __, __, __, __, NO, NO, xx, S2,
  /* SYN+ACK   */  xx, xx, __, __, __, __, __, __, xx, SR,
  /* FIN       */  xx, xx, FW, FW, LA, LA, LA, TW, xx, xx,
  /* ACK       */  xx, xx, ES, ES, CW, CW, TW, TW, xx, xx,
  /* RST       */  xx, NO, NO, NO, NO, NO, NO, NO, xx, NO,
  /* responder */
  /* SYN       */  xx, S2, xx, xx, xx, xx, xx, xx, xx, S2,
  /* SYN+ACK   */  xx, SR, __, __, __, __, __, __, xx, SR,
  /* FIN       */  xx, xx, FW, FW, LA, LA, LA, TW, xx, xx,
  /* ACK       */  xx, __, SR, ES, CW, CW, TW, TW, xx, __,
  /* RST       */  xx, NO, NO, NO, NO, NO, NO, NO, xx, NO,
];

/** Least distance of rule IV: what a sender may have in flight whatever it advertised. */
const ACK_WINDOW_MIN: u32 = 66000;
const SCALE_MAX: u32 = 14;

/** What the options of a SYN say, in a byte: scale 0..14, then two bits. */
const OPTION_SCALE_MASK: u32 = 15;
const OFFERS_SCALE: u32 = 16;
const PERMITS_SACK: u32 = 32;


@inline
function before(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}


@inline
function after(a: u32, b: u32): bool {
  return <i32>(a - b) > 0;
}


@inline
function windowOf(record: usize, side: u32): usize {
  return record + HOT_WINDOW0 + <usize>side * WINDOW_SIZE;
}


@inline
function scaleOf(record: usize, side: u32): u32 {
  return ((<u32>load<u8>(record, HOT_SCALES)) >> (side << 2)) & 15;
}


@inline
function first(record: usize, side: u32): usize {
  return record + <usize>(side << 2) + COLD_FIRST0;
}


@inline
function raiseFlag(record: usize, flag: u32): void {
  store<u8>(record, load<u8>(record, HOT_FLAGS) | flag, HOT_FLAGS);
}

/** Reads the options of a SYN: scale (RFC 7323 2.3: at most 14), SACK permitted (RFC 2018). */
function synOptions(meta: usize): u32 {
  if (load<u8>(meta, M_TCP_OPTIONS) == 0) return 0;
  const transport: usize = load<u32>(meta, M_TRANSPORT);
  const end = transport + (((<usize>load<u8>(transport, TCP_OFFSET)) >> 4) << 2);
  let found: u32 = 0;
  for (let at = transport + TCP_HEADER; at < end;) {
    const kind: u32 = load<u8>(at);
    if (kind == 0) break;
    if (kind == 1) {
      at++;
      continue;
    }
    if (at + 2 > end) break;
    const length: usize = load<u8>(at, 1);
    if (length < 2 || at + length > end) break;
    if (kind == 3 && length == 3)
      found = (found & ~OPTION_SCALE_MASK) | OFFERS_SCALE | min(<u32>load<u8>(at, 2), SCALE_MAX);
    if (kind == 4 && length == 2) found |= PERMITS_SACK;
    at += length;
  }
  return found;
}

/** Highest right edge of the SACK blocks, or `ack` when there are none (RFC 2018). */
function highestSack(meta: usize, ack: u32): u32 {
  const transport: usize = load<u32>(meta, M_TRANSPORT);
  const end = transport + (((<usize>load<u8>(transport, TCP_OFFSET)) >> 4) << 2);
  let highest = ack;
  for (let at = transport + TCP_HEADER; at < end;) {
    const kind: u32 = load<u8>(at);
    if (kind == 0) break;
    if (kind == 1) {
      at++;
      continue;
    }
    if (at + 2 > end) break;
    const length: usize = load<u8>(at, 1);
    if (length < 2 || at + length > end) break;
    if (kind == 5 && (length - 2) % 8 == 0) {
      for (let block: usize = 2; block + 8 <= length; block += 8) {
        const edge = be32(at + block + 4);
        if (after(edge, highest)) highest = edge;
      }
    }
    at += length;
  }
  return highest;
}


@inline
function sackOf(record: usize, meta: usize, receiver: u32): u32 {
  const ack = load<u32>(meta, M_ACK);
  if (load<u8>(meta, M_TCP_OPTIONS) == 0) return ack;
  return load<u8>(record, HOT_FLAGS) & (HF_SACK0 << receiver) ? highestSack(meta, ack) : ack;
}

/**
 * Rules I to IV. Returns a reason, TCP_PASS when the segment is inside, or BEYOND when it only reaches past the edge,
 * and by no more than a window: R opened it in an acknowledgement that was lost behind this filter.
 */
@inline
function judgeWindow(record: usize, meta: usize, side: u32, sack: u32): u32 {
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const end = load<u32>(meta, M_END);
  const receiverEnd = load<u32>(receiver, W_END);
  const receiverWindow = load<u32>(receiver, W_MAXWIN);
  const edge = load<u32>(sender, W_MAXEND);
  const beyond = after(load<u32>(meta, M_SEQ), edge);
  const old = before(end, load<u32>(sender, W_END) - receiverWindow);
  const ackHigh = after(sack, receiverEnd);
  const ackOld = before(sack, receiverEnd - max(load<u32>(sender, W_MAXWIN), ACK_WINDOW_MIN));
  if (beyond || old || ackHigh || ackOld) {
    if (beyond) return old || ackHigh || ackOld || end - edge > receiverWindow ? R_TCP_SEQ_HIGH : BEYOND;
    if (old) return R_TCP_SEQ_OLD;
    return ackHigh ? R_TCP_ACK_HIGH : R_TCP_ACK_OLD;
  }
  return TCP_PASS;
}

/** Takes an accepted segment into the window blocks; one that was BEYOND moves only what its sender has sent. */
@inline
function takeSegment(record: usize, meta: usize, side: u32, sack: u32, judged: u32): void {
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const end = load<u32>(meta, M_END);
  if (after(end, load<u32>(sender, W_END))) store<u32>(sender, end, W_END);
  if (judged == BEYOND) return;
  const ack = load<u32>(meta, M_ACK);
  const window = load<u32>(meta, M_WIN) << scaleOf(record, side);
  const edge = load<u32>(sender, W_MAXEND);
  if (window + (sack - ack) > load<u32>(sender, W_MAXWIN))
    store<u32>(sender, window + (sack - ack), W_MAXWIN);
  if (after(ack, load<u32>(sender, W_MAXACK))) store<u32>(sender, ack, W_MAXACK);
  if (after(end, edge)) store<u32>(receiver, load<u32>(receiver, W_MAXWIN) + (end - edge), W_MAXWIN);
  if (!before(sack + window, load<u32>(receiver, W_MAXEND))) {
    store<u32>(receiver, sack + window + <u32>(window == 0), W_MAXEND);
  }
}

/** An established segment with nothing but data and acknowledgement. Returns a reason or TCP_PASS. */
@inline
export function inspectEstablished(record: usize, meta: usize): u32 {
  const side: u32 = load<u8>(meta, M_SIDE);
  const sack = sackOf(record, meta, side ^ 1);
  const judged = judgeWindow(record, meta, side, sack);
  if (judged != TCP_PASS && judged != BEYOND) return judged;
  takeSegment(record, meta, side, sack, judged);
  return TCP_PASS;
}

/** Starts a side from its SYN (with or without ACK): its window is never scaled (RFC 7323 2.2). */
function startSide(
  record: usize,
  rest: usize,
  side: u32,
  end: u32,
  seq: u32,
  window: u32,
  options: u32,
): void {
  const block = windowOf(record, side);
  store<u32>(block, end, W_END);
  store<u32>(block, end, W_MAXEND);
  store<u32>(block, max<u32>(window, 1), W_MAXWIN);
  store<u32>(block, 0, W_MAXACK);
  store<u32>(first(rest, side), seq + 1);
  const shift = side << 2;
  const scales = (<u32>load<u8>(record, HOT_SCALES)) & ~((<u32>15) << shift);
  store<u8>(record, scales | ((options & OPTION_SCALE_MASK) << shift), HOT_SCALES);
  const offered = (<u32>load<u8>(rest, COLD_OFFERED)) & ~((<u32>1) << side);
  store<u8>(rest, offered | ((<u32>((options & OFFERS_SCALE) != 0)) << side), COLD_OFFERED);
  const flags = (<u32>load<u8>(record, HOT_FLAGS)) & ~(HF_SACK0 << side) & ~(HF_ACKED0 << side);
  store<u8>(record, flags | (options & PERMITS_SACK ? HF_SACK0 << side : 0), HOT_FLAGS);
}

/** Both sides have shown their options: scaling holds only if both offered it. */
function settleScales(record: usize, rest: usize): void {
  if (load<u8>(rest, COLD_OFFERED) != 3) store<u8>(record, 0, HOT_SCALES);
}

/** Notes an acknowledgement of a side in its block and widens the other side's edge, as checkWindow does. */
function noteAck(record: usize, meta: usize, side: u32): void {
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const ack = load<u32>(meta, M_ACK);
  const acked = HF_ACKED0 << side;
  if ((load<u8>(record, HOT_FLAGS) & acked) == 0 || after(ack, load<u32>(sender, W_MAXACK))) {
    store<u32>(sender, ack, W_MAXACK);
  }
  raiseFlag(record, acked);
  const edge = ack + load<u32>(meta, M_WIN);
  if (!before(edge, load<u32>(receiver, W_MAXEND))) {
    store<u32>(receiver, edge + <u32>(load<u32>(meta, M_WIN) == 0), W_MAXEND);
  }
}

/** Opens a session from its SYN; the record is fresh and knows its initiator. */
export function open(slot: u32, record: usize, meta: usize): void {
  const side: u32 = load<u8>(meta, M_SIDE);
  const rest = cold(slot);
  startSide(
    record,
    rest,
    side,
    load<u32>(meta, M_END),
    load<u32>(meta, M_SEQ),
    load<u32>(meta, M_WIN),
    synOptions(meta),
  );
  store<u8>(record, ST_SYN_SENT, HOT_STATE);
  store<u8>(record, TIMER_SYNWAIT, HOT_TIMER);
}


@inline
function classOf(flags: u32): u32 {
  if (flags & RST) return CLASS_RST;
  if (flags & SYN) return flags & ACK ? CLASS_SYN_ACK : CLASS_SYN;
  return flags & FIN ? CLASS_FIN : CLASS_ACK;
}

/**
 * A segment of a session that is not plainly established: looks up its cell and follows it. Returns a reason, or
 * TCP_PASS, TCP_LAST, TCP_REOPEN (in both of which the slot has been released).
 */
export function inspect(slot: u32, record: usize, meta: usize): u32 {
  const state: u32 = load<u8>(record, HOT_STATE);
  const flags: u32 = load<u8>(meta, M_FLAGS);
  const side: u32 = load<u8>(meta, M_SIDE);
  const responder = side ^ (load<u8>(record, HOT_FLAGS) & HF_INITIATOR1);
  const kind = classOf(flags);
  const next = <u32>unchecked(TRANSITIONS[(responder * CLASSES + kind) * COLUMNS + state]);
  const handshake = isHalfOpen(state);
  trace(TR_STATE, (state << 8) | next);
  if (next == xx) return handshake ? R_TCP_HANDSHAKE : R_TCP_STATE;
  let answer: u32;
  if (kind == CLASS_RST) answer = onReset(slot, record, meta, side, responder, state);
  else if (kind == CLASS_SYN) answer = onSyn(slot, record, meta, side, responder, state, next);
  else if (kind == CLASS_SYN_ACK) answer = onSynAck(slot, record, meta, side, responder, state, next);
  else answer = onData(slot, record, meta, side, responder, state, next, kind == CLASS_FIN);
  trace(TR_WINDOW, answer >= TCP_LAST ? 0 : answer);
  // Whoever goes on after a doubtful RST was not reset by it.
  if (answer == TCP_PASS && kind != CLASS_RST && load<u8>(record, HOT_FLAGS) & HF_RST_DOUBT) {
    store<u8>(record, load<u8>(record, HOT_FLAGS) & ~HF_RST_DOUBT, HOT_FLAGS);
    store<u8>(record, timerOf(slot, load<u8>(record, HOT_STATE)), HOT_TIMER);
  }
  return answer;
}

/** Moves to a state, with its timer and its place in the half-open list. */
function become(slot: u32, record: usize, from: u32, to: u32): void {
  store<u8>(record, to, HOT_STATE);
  if (isHalfOpen(from) && !isHalfOpen(to)) unlinkHalfOpen(slot);
  else if (!isHalfOpen(from) && isHalfOpen(to)) linkHalfOpen(slot);
  store<u8>(record, timerOf(slot, to), HOT_TIMER);
}

function timerOf(slot: u32, state: u32): u32 {
  if (isHalfOpen(state)) return TIMER_SYNWAIT;
  return state == ST_LAST_ACK || state == ST_TIME_WAIT
    ? TIMER_FINWAIT
    : <u32>load<u8>(cold(slot), COLD_IDLE_TIMER);
}

function onSyn(slot: u32, record: usize, meta: usize, side: u32, responder: u32, state: u32, next: u32): u32 {
  if (next == NO) return TCP_REOPEN;
  const rest = cold(slot);
  const seq = load<u32>(meta, M_SEQ);
  const repeats = seq + 1 == load<u32>(first(rest, side));
  if (next == S2) {
    // Simultaneous open (RFC 9293 3.5): the responder's first SYN starts its side.
    if (state == ST_SYN_SENT) store<u8>(rest, load<u8>(rest, COLD_FLAGS) | CF_SIMULTANEOUS, COLD_FLAGS);
    else if (!repeats) return R_TCP_HANDSHAKE;
    restartSide(record, rest, meta, side);
    become(slot, record, state, S2);
    return TCP_PASS;
  }
  if (state == ST_SYN_SENT) {
    restartSide(record, rest, meta, side);
    return TCP_PASS;
  }
  if (state == ST_SYN_RECV && repeats) return TCP_PASS;
  // Open: passed and remembered. Only an answer that acknowledges it makes it count (RFC 5961 4).
  store<u8>(rest, synOptions(meta), COLD_PENDING_OPTIONS);
  store<u32>(rest, seq, COLD_PENDING_SEQ);
  store<u32>(rest, load<u32>(meta, M_END), COLD_PENDING_END);
  store<u32>(rest, load<u32>(meta, M_WIN), COLD_PENDING_WIN);
  raiseFlag(record, HF_PENDING_SYN);
  count(C_SYN_IGNORED);
  return TCP_PASS;
}

function restartSide(record: usize, rest: usize, meta: usize, side: u32): void {
  startSide(
    record,
    rest,
    side,
    load<u32>(meta, M_END),
    load<u32>(meta, M_SEQ),
    load<u32>(meta, M_WIN),
    synOptions(meta),
  );
}

function onSynAck(
  slot: u32,
  record: usize,
  meta: usize,
  side: u32,
  responder: u32,
  state: u32,
  next: u32,
): u32 {
  const rest = cold(slot);
  const ack = load<u32>(meta, M_ACK);
  if (next == SR) {
    if (!acknowledgesStart(record, rest, side ^ 1, ack)) return R_TCP_HANDSHAKE;
    restartSide(record, rest, meta, side);
    settleScales(record, rest);
    noteAck(record, meta, side);
    become(slot, record, state, SR);
    return TCP_PASS;
  }
  if (responder && load<u8>(record, HOT_FLAGS) & HF_PENDING_SYN && ack == load<u32>(rest, COLD_PENDING_END)) {
    const initiator = side ^ 1;
    const options: u32 = load<u8>(rest, COLD_PENDING_OPTIONS);
    const pendingSeq = load<u32>(rest, COLD_PENDING_SEQ);
    store<u8>(record, load<u8>(record, HOT_FLAGS) & ~HF_PENDING_SYN, HOT_FLAGS);
    store<u8>(rest, load<u8>(rest, COLD_FLAGS) & ~CF_SIMULTANEOUS, COLD_FLAGS);
    startSide(record, rest, initiator, ack, pendingSeq, load<u32>(rest, COLD_PENDING_WIN), options);
    restartSide(record, rest, meta, side);
    settleScales(record, rest);
    noteAck(record, meta, side);
    become(slot, record, state, SR);
    return TCP_PASS;
  }
  // A repeat moves nothing.
  const judged = judgeWindow(record, meta, side, ack);
  return judged == BEYOND ? R_TCP_SEQ_HIGH : judged;
}

/** Whether `ack` acknowledges the SYN of `side`, and nothing that it has not sent (data in the SYN may be left out). */
function acknowledgesStart(record: usize, rest: usize, side: u32, ack: u32): bool {
  return !before(ack, load<u32>(first(rest, side))) && !after(ack, load<u32>(windowOf(record, side), W_END));
}

function onData(
  slot: u32,
  record: usize,
  meta: usize,
  side: u32,
  responder: u32,
  state: u32,
  next: u32,
  fin: bool,
): u32 {
  if (next == __) {
    // A host that still has an old connection answers a SYN with a bare ACK (RFC 5961 4); it moves nothing.
    return load<u32>(meta, M_PAYLOAD) == 0 ? TCP_PASS : R_TCP_HANDSHAKE;
  }
  const rest = cold(slot);
  if (state == ST_SYN_RECV) {
    if (before(load<u32>(meta, M_SEQ), load<u32>(first(rest, side)))) return R_TCP_HANDSHAKE;
    if (!acknowledgesStart(record, rest, side ^ 1, load<u32>(meta, M_ACK))) return R_TCP_HANDSHAKE;
  }
  const sack = sackOf(record, meta, side ^ 1);
  const judged = judgeWindow(record, meta, side, sack);
  if (judged != TCP_PASS && judged != BEYOND) return judged;
  const fresh = after(load<u32>(meta, M_END), load<u32>(windowOf(record, side), W_END));
  if (fresh && (state == ST_LAST_ACK || state == ST_TIME_WAIT)) return R_TCP_AFTER_CLOSE;
  takeSegment(record, meta, side, sack, judged);
  if ((load<u8>(record, HOT_FLAGS) & (HF_ACKED0 << side)) == 0) noteAck(record, meta, side);
  // A FIN that brings nothing new is a repeat: a half-closed session stays open when its FIN was lost behind us.
  if (fin && !fresh) return TCP_PASS;
  const simultaneous =
    responder != 0 && state == ST_SYN_RECV && (load<u8>(rest, COLD_FLAGS) & CF_SIMULTANEOUS) != 0;
  become(slot, record, state, simultaneous && !fin ? <u32>ES : next);
  return TCP_PASS;
}

function onReset(slot: u32, record: usize, meta: usize, side: u32, responder: u32, state: u32): u32 {
  const rest = cold(slot);
  const seq = load<u32>(meta, M_SEQ);
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const hasAck = (load<u8>(meta, M_FLAGS) & ACK) != 0;
  let exact: bool;
  if (responder && state == ST_SYN_SENT) {
    // The refusal of a SYN: it must acknowledge it (RFC 9293 3.10.7.3).
    if (!hasAck || !acknowledgesStart(record, rest, side ^ 1, load<u32>(meta, M_ACK))) return R_TCP_HANDSHAKE;
    exact = true;
  } else if (state == ST_SYN_SENT) {
    if (before(seq, load<u32>(first(rest, side)) - 1) || after(seq, load<u32>(sender, W_END)))
      return R_TCP_RST_WINDOW;
    exact = true;
  } else if (
    responder &&
    hasAck &&
    load<u8>(record, HOT_FLAGS) & HF_PENDING_SYN &&
    load<u32>(meta, M_ACK) == load<u32>(rest, COLD_PENDING_END)
  ) {
    // The other end has forgotten the connection and refuses the SYN that would replace it.
    exact = true;
  } else {
    const senderEnd = load<u32>(sender, W_END);
    const known = (load<u8>(record, HOT_FLAGS) & (HF_ACKED0 << (side ^ 1))) != 0;
    const expected = known ? load<u32>(receiver, W_MAXACK) : senderEnd;
    exact = seq == senderEnd || seq == senderEnd - 1 || seq == expected;
    if (!exact && (before(seq, expected) || after(seq, load<u32>(sender, W_MAXEND)))) return R_TCP_RST_WINDOW;
  }
  if (exact) {
    release(slot, C_CLOSED);
    return TCP_LAST;
  }
  // In the window but not exact: the end will answer with a challenge ACK and the real RST follows (RFC 5961 3).
  raiseFlag(record, HF_RST_DOUBT);
  const timer: usize = load<u8>(record, HOT_TIMER);
  if (load<u32>(timeoutsAt + (timer << 2)) > load<u32>(timeoutsAt + ((<usize>TIMER_RST_DOUBT) << 2))) {
    store<u8>(record, TIMER_RST_DOUBT, HOT_TIMER);
  }
  return TCP_PASS;
}
