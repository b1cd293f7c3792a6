/** A session moves to another state: its timer, its place in the half-open list, and what the peer is told. */
import {
  COLD_IDLE_TIMER,
  HF_RST_DOUBT,
  HOT_STATE,
  HOT_TIMER,
  ST_LAST_ACK,
  ST_TIME_WAIT,
  TIMER_FINWAIT,
  TIMER_RST_DOUBT,
  TIMER_SYNWAIT,
} from "./layout";
import { isHalfOpen, linkHalfOpen, unlinkHalfOpen } from "./flow";
import { isKnown, noteChange } from "./sync";
import { cold, policyDefers, timeoutsAt } from "./state";
import { raiseFlag } from "./window";

/** Moves a TCP session from a state to another, or to the same. */
export function become(slot: u32, record: usize, from: u32, to: u32): void {
  store<u8>(record, to, HOT_STATE);
  if (isHalfOpen(from) && !isHalfOpen(to)) unlinkHalfOpen(slot);
  else if (!isHalfOpen(from) && isHalfOpen(to)) linkHalfOpen(slot);
  store<u8>(record, timerOf(slot, to), HOT_TIMER);
  if (from != to) noteState(slot, to);
}

/** A doubtful RST has been let through: the session has less time, until it speaks. */
export function doubtReset(record: usize): void {
  raiseFlag(record, HF_RST_DOUBT);
  const timer: usize = load<u8>(record, HOT_TIMER);
  if (load<u32>(timeoutsAt + (timer << 2)) > load<u32>(timeoutsAt + ((<usize>TIMER_RST_DOUBT) << 2))) {
    store<u8>(record, TIMER_RST_DOUBT, HOT_TIMER);
  }
}

/** Timer of a TCP state. */
export function timerOf(slot: u32, state: u32): u32 {
  if (isHalfOpen(state)) return TIMER_SYNWAIT;
  return state == ST_LAST_ACK || state == ST_TIME_WAIT
    ? TIMER_FINWAIT
    : <u32>load<u8>(cold(slot), COLD_IDLE_TIMER);
}

/** The peer hears of open sessions; of half-open ones only when first replies wait for it, or when it knows them. */
export function noteState(slot: u32, state: u32): void {
  if (!isHalfOpen(state) || policyDefers() || isKnown(cold(slot))) noteChange(slot);
}
