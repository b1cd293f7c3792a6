/**
 * TCP inspection: the state table, and what a filter in the middle has to know beside it.
 *
 * States are those of a filter, not of an endpoint: a segment seen here may never arrive. The table is netfilter's
 * (nf_conntrack_proto_tcp) with the choices of docs/decisions.md, 5.1; the sequence numbers are window.ts's business.
 */
import {
  CF_FIN0,
  CF_SIMULTANEOUS,
  COLD_FLAGS,
  COLD_PENDING_END,
  COLD_PENDING_OPTIONS,
  COLD_PENDING_SEQ,
  COLD_PENDING_WIN,
  C_CLOSED,
  C_SYN_IGNORED,
  HF_ACKED0,
  HF_INITIATOR1,
  HF_PENDING_SYN,
  HF_RESYNC,
  HF_RST_DOUBT,
  HOT_FLAGS,
  HOT_STATE,
  HOT_TIMER,
  M_ACK,
  M_END,
  M_FLAGS,
  M_PAYLOAD,
  M_SEQ,
  M_SIDE,
  M_WIN,
  R_TCP_ACK_HIGH,
  R_TCP_AFTER_CLOSE,
  R_TCP_HANDSHAKE,
  R_TCP_RST_WINDOW,
  R_TCP_SEQ_HIGH,
  R_TCP_STATE,
  ST_CLOSE_WAIT,
  ST_ESTABLISHED,
  ST_FIN_WAIT,
  ST_LAST_ACK,
  ST_SYN_RECV,
  ST_SYN_SENT,
  ST_SYN_SENT2,
  ST_TIME_WAIT,
  TIMER_SYNWAIT,
  TR_STATE,
  TR_WINDOW,
  W_END,
  W_MAXACK,
  W_MAXEND,
} from "./layout";
import { isHalfOpen, release } from "./flow";
import { isUnproved, resumeData, resumesExactly } from "./resync";
import { cold, count, trace } from "./state";
import { become, doubtReset, noteState, timerOf } from "./transition";
import { ACK, FIN, RST, SYN } from "./transport";
import {
  BEYOND,
  TCP_LAST,
  TCP_PASS,
  TCP_REOPEN,
  acknowledgesStart,
  after,
  before,
  first,
  judgeWindow,
  noteAck,
  raiseFlag,
  sackOf,
  settleScales,
  startSide,
  synOptions,
  takeSegment,
  windowOf,
} from "./window";

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

/** Starts a side from the SYN in hand. */
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

/** Opens a session from its SYN; the record is fresh and knows its initiator. */
export function open(slot: u32, record: usize, meta: usize): void {
  restartSide(record, cold(slot), meta, load<u8>(meta, M_SIDE));
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
 * TCP_PASS, TCP_LAST (the slot has been released), TCP_REOPEN.
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
  const resumes = (load<u8>(record, HOT_FLAGS) & HF_RESYNC) != 0;
  let answer: u32;
  if (resumes && (kind == CLASS_ACK || kind == CLASS_FIN))
    answer = resumeData(slot, record, meta, kind == CLASS_FIN);
  else if (kind == CLASS_RST) answer = onReset(slot, record, meta, side, responder, state);
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
    noteState(slot, state);
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
    store<u8>(record, load<u8>(record, HOT_FLAGS) & ~(HF_PENDING_SYN | HF_RESYNC), HOT_FLAGS);
    store<u8>(rest, load<u8>(rest, COLD_FLAGS) & ~(CF_SIMULTANEOUS | (3 * CF_FIN0)), COLD_FLAGS);
    startSide(record, rest, initiator, ack, pendingSeq, load<u32>(rest, COLD_PENDING_WIN), options);
    restartSide(record, rest, meta, side);
    settleScales(record, rest);
    noteAck(record, meta, side);
    become(slot, record, state, SR);
    return TCP_PASS;
  }
  // A repeat moves nothing.
  const judged = judgeWindow(record, meta, side, ack);
  if (judged == BEYOND) return R_TCP_SEQ_HIGH;
  const closed = state == ST_LAST_ACK || state == ST_TIME_WAIT;
  const fresh = after(load<u32>(meta, M_END), load<u32>(windowOf(record, side), W_END));
  return judged == TCP_PASS && closed && fresh ? R_TCP_AFTER_CLOSE : judged;
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
  if (fin) {
    if (!fresh) return TCP_PASS;
    store<u8>(rest, load<u8>(rest, COLD_FLAGS) | (CF_FIN0 << side), COLD_FLAGS);
  }
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
  const ack = load<u32>(meta, M_ACK);
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
    ack == load<u32>(rest, COLD_PENDING_END)
  ) {
    // The other end has forgotten the connection and refuses the SYN that would replace it.
    exact = true;
  } else if (load<u8>(record, HOT_FLAGS) & HF_RESYNC && isUnproved(slot, side)) {
    if (!resumesExactly(slot, record, side, seq)) return R_TCP_RST_WINDOW;
    exact = true;
  } else {
    // Some stacks set ACK in an RST and acknowledge 0.
    if (hasAck && ack != 0 && after(ack, load<u32>(receiver, W_END))) return R_TCP_ACK_HIGH;
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
  doubtReset(record);
  return TCP_PASS;
}
