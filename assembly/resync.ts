/**
 * TCP after a take-over. The windows that the peer told are old: by seconds, and at 1 Gb/s by more than the sequence space
 * can say. So each direction of a session taken over starts anew from its own segments, with the scales that were told:
 *
 *   stale     has sent nothing since; its next segment with ACK and without SYN and RST starts it
 *   started   every segment passes, and what it says counts: what was believed may have been forged or out of order
 *   proved    a segment of the other side has fitted (rules I to IV), which acknowledges what this side sent. When both
 *             are, the rules hold, but for what was sent before and not seen here: up to the limit that the other side
 *             had set it can be acknowledged
 *   known     its own acknowledgement without data tells where it stands, or it has come to the limit
 *
 * When both directions are known, the session is an ordinary one. There is no clock: a session that was idle since before
 * the take-over can be taken up until its idle timeout. An RST of a side that is not proved counts only where its number
 * is exactly what was told, or what the other side waits for; a FIN passes, and closes only when the other side
 * acknowledges it.
 */
import {
  C_RESYNC_RESETS,
  C_RESYNCED,
  CF_FIN0,
  COLD_FLAGS,
  COLD_LIMIT0,
  COLD_RESYNC,
  HF_ACKED0,
  HF_RESYNC,
  HOT_FLAGS,
  HOT_SCALES,
  HOT_STATE,
  M_ACK,
  M_END,
  M_PAYLOAD,
  M_SIDE,
  M_WIN,
  R_TCP_ACK_HIGH,
  R_TCP_SEQ_HIGH,
  RS_FIN0,
  RS_KNOWN0,
  RS_PROVED0,
  RS_STALE0,
  ST_CLOSE_WAIT,
  ST_TIME_WAIT,
  SYNC_WINDOW_MAX,
  W_END,
  W_MAXACK,
  W_MAXEND,
  W_MAXWIN,
} from "./layout";
import { cold, count, policyIsStrict } from "./state";
import { become } from "./transition";
import {
  after,
  before,
  BEYOND,
  judgeWindow,
  raiseFlag,
  sackOf,
  scaleOf,
  takeSegment,
  TCP_PASS,
  windowOf,
} from "./window";

const BOTH_PROVED: u32 = 3 * RS_PROVED0;
const BOTH_KNOWN: u32 = 3 * RS_KNOWN0;


@inline
function limitOf(rest: usize, side: u32): usize {
  return rest + ((<usize>side) << 2) + COLD_LIMIT0;
}


@inline
function isStale(resync: u32, side: u32): bool {
  return (resync & (RS_STALE0 << side)) != 0;
}

/** A segment with ACK and without SYN and RST. Returns a reason, or TCP_PASS. */
export function resumeData(slot: u32, record: usize, meta: usize, fin: bool): u32 {
  const rest = cold(slot);
  const side: u32 = load<u8>(meta, M_SIDE);
  const other = side ^ 1;
  const sender = windowOf(record, side);
  const receiver = windowOf(record, other);
  const end = load<u32>(meta, M_END);
  const endBefore = load<u32>(sender, W_END);
  const otherBefore = load<u32>(receiver, W_END);
  let resync: u32 = load<u8>(rest, COLD_RESYNC);
  const answersFin = (resync & (RS_FIN0 << other)) != 0 && load<u32>(meta, M_ACK) == otherBefore;
  if ((resync & BOTH_PROVED) == BOTH_PROVED) {
    const wrong = resumeProved(record, rest, meta, side, resync);
    if (wrong != TCP_PASS) return wrong;
    const tells = load<u32>(meta, M_PAYLOAD) == 0 && !fin && !before(end, endBefore);
    if (tells || !before(load<u32>(sender, W_END), load<u32>(limitOf(rest, side))))
      resync |= RS_KNOWN0 << side;
  } else {
    const sack = sackOf(record, meta, other);
    const fits = !isStale(resync, side) && judgeWindow(record, meta, side, sack) == TCP_PASS;
    if (!fits && policyIsStrict()) {
      if (!isNear(end, endBefore)) return R_TCP_SEQ_HIGH;
      if (!isNear(sack, otherBefore)) return R_TCP_ACK_HIGH;
    }
    startFrom(record, rest, meta, side, sack, fits, isStale(resync, other));
    if (!fits) count(C_RESYNCED);
    if (!fits) resync &= ~((RS_STALE0 << side) | BOTH_PROVED);
    else if (!isStale(resync, other)) resync |= RS_PROVED0 << other;
  }
  if (load<u32>(sender, W_END) != endBefore) {
    // Whoever goes on after a FIN did not send it; one that was told is a repeat.
    const told = (load<u8>(rest, COLD_FLAGS) & (CF_FIN0 << side)) != 0;
    resync = fin && !told ? resync | (RS_FIN0 << side) : resync & ~(RS_FIN0 << side);
  }
  if (answersFin || load<u32>(receiver, W_END) != otherBefore) resync &= ~(RS_FIN0 << other);
  if (answersFin) closeSide(slot, record, rest, other);
  store<u8>(rest, resync, COLD_RESYNC);
  if (resync == (BOTH_PROVED | BOTH_KNOWN) || load<u8>(record, HOT_STATE) == ST_TIME_WAIT) {
    store<u8>(record, load<u8>(record, HOT_FLAGS) & ~HF_RESYNC, HOT_FLAGS);
  }
  return TCP_PASS;
}

/** Both sides are proved: the rules, with an acknowledgement of what was sent before and not seen here. */
function resumeProved(record: usize, rest: usize, meta: usize, side: u32, resync: u32): u32 {
  const other = side ^ 1;
  const sack = sackOf(record, meta, other);
  const judged = judgeWindow(record, meta, side, sack);
  const isKnown = (resync & (RS_KNOWN0 << other)) != 0;
  const unseen = judged == R_TCP_ACK_HIGH && !isKnown && !after(sack, load<u32>(limitOf(rest, other)));
  if (judged != TCP_PASS && judged != BEYOND && !unseen) return judged;
  if (unseen) store<u32>(windowOf(record, other), sack, W_END);
  takeSegment(record, meta, side, sack, judged == BEYOND ? BEYOND : TCP_PASS);
  return TCP_PASS;
}

/** `resync strict`: how far a side may have moved since the peer told of it. */
@inline
function isNear(number: u32, told: u32): bool {
  return number - told + SYNC_WINDOW_MAX <= 2 * SYNC_WINDOW_MAX;
}

/**
 * Starts a side in mid-stream from the segment in hand, which also says what the other side may send; of a stale other
 * side it says all that is known. What the side itself may send, only the other one can say.
 */
function startFrom(
  record: usize,
  rest: usize,
  meta: usize,
  side: u32,
  sack: u32,
  fits: bool,
  otherStale: bool,
): void {
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const scale = scaleOf(load<u8>(record, HOT_SCALES), side);
  const window = max<u32>(load<u32>(meta, M_WIN) << scale, 1);
  const end = load<u32>(meta, M_END);
  if (!fits || after(end, load<u32>(sender, W_END))) store<u32>(sender, end, W_END);
  store<u32>(sender, load<u32>(meta, M_ACK), W_MAXACK);
  store<u32>(sender, max<u32>(load<u32>(sender, W_MAXWIN), window), W_MAXWIN);
  raiseFlag(record, HF_ACKED0 << side);
  if (otherStale || after(sack, load<u32>(receiver, W_END))) store<u32>(receiver, sack, W_END);
  store<u32>(receiver, sack + window, W_MAXEND);
  store<u32>(limitOf(rest, side ^ 1), sack + window);
}

/** The FIN of a side has been acknowledged. */
function closeSide(slot: u32, record: usize, rest: usize, side: u32): void {
  const flags = load<u8>(rest, COLD_FLAGS) | (CF_FIN0 << side);
  store<u8>(rest, flags, COLD_FLAGS);
  const both = (flags & (3 * CF_FIN0)) == 3 * CF_FIN0;
  become(slot, record, load<u8>(record, HOT_STATE), both ? ST_TIME_WAIT : ST_CLOSE_WAIT);
}

/** Whether nothing vouches for the numbers of a side of a session taken over. */
export function isUnproved(slot: u32, side: u32): bool {
  return (load<u8>(cold(slot), COLD_RESYNC) & (RS_PROVED0 << side)) == 0;
}

/** Whether an RST of such a side has the number that was told, or that the other side waits for. */
export function resumesExactly(slot: u32, record: usize, side: u32, seq: u32): bool {
  const other = side ^ 1;
  if (isStale(load<u8>(cold(slot), COLD_RESYNC), side) && seq == load<u32>(windowOf(record, side), W_END))
    return true;
  const known = (load<u8>(record, HOT_FLAGS) & (HF_ACKED0 << other)) != 0;
  if (known && seq == load<u32>(windowOf(record, other), W_MAXACK)) return true;
  count(C_RESYNC_RESETS);
  return false;
}
