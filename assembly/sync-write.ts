/**
 * Writes what the peer has to hear: changes first, in their order, then, while a bulk sync runs, sessions that it has not
 * heard of. One ordered stream: a deletion never overtakes its session, and a VERIFY or END speaks about exactly the
 * records before it.
 */
import {
  BULK_BEGIN,
  BULK_DONE,
  BULK_NONE,
  BULK_WALK,
  C_RECORDS_ADD,
  C_RECORDS_DELETE,
  C_RECORDS_UPDATE,
  CF_BIRTH,
  CF_FIN0,
  CF_SYNC,
  COLD_ADD_NUMBER,
  COLD_ADDRESS0,
  COLD_BYTES_HIGH0,
  COLD_CREATED_MS,
  COLD_FLAGS,
  COLD_ICMP_KIND,
  COLD_ID,
  COLD_IDLE_TIMER,
  COLD_INSPECT,
  COLD_MARK,
  COLD_NEWER,
  COLD_OFFERED,
  COLD_PENDING,
  COLD_RULE,
  COLD_SERVICE,
  COLD_SYNC_SUM,
  COLD_VERSION,
  HF_ACKED0,
  HF_INITIATOR1,
  HF_RST_DOUBT,
  HF_SACK0,
  HOT_ADDRESS0,
  HOT_ADDRESS1,
  HOT_BYTES0,
  HOT_FLAGS,
  HOT_INTERFACE0,
  HOT_KIND,
  HOT_LAST_MS,
  HOT_PORT0,
  HOT_PORT1,
  HOT_SCALES,
  HOT_STATE,
  KIND_GONE,
  KIND_TCP4,
  KIND_V6,
  PENDING_ADD,
  PENDING_DELETE,
  PENDING_NONE,
  S_BULK,
  S_BULK_BUCKETS,
  S_BULK_GROUP,
  S_DIGESTS,
  S_DIVERGED,
  S_GENERATION_MARK,
  S_KNOWN,
  S_NOW_MS,
  S_PEER,
  S_QUEUE_OLDEST,
  S_RECORDS_SENT,
  S_SCAN_GROUP,
  S_SYNC_OUT_AT,
  S_VERIFY,
  SB_AGE_MS,
  SB_FIRST_INITIATOR,
  SB_FIRST_RESPONDER,
  SB_FLAGS,
  SB_ICMP_KIND,
  SB_IDLE_TIMEOUT_MS,
  SB_INSPECT,
  SB_RULE,
  SB_SERVICE,
  SB_SIZE,
  SB_TCP_SIZE,
  SL_BYTES_INITIATOR,
  SL_BYTES_RESPONDER,
  SL_IDLE_MS,
  SL_SIZE,
  SR_ACTION,
  SR_ADDRESSES,
  SR_FLAGS,
  SR_HEADER_SIZE,
  SR_ID,
  SR_INTERFACE_INITIATOR,
  SR_INTERFACE_RESPONDER,
  SR_KIND,
  SR_LENGTH,
  SR_PORT_INITIATOR,
  SR_PORT_RESPONDER,
  SR_STATE,
  SR_VERSION,
  SRF_ACKED_INITIATOR,
  SRF_FIN_INITIATOR,
  SRF_FIN_RESPONDER,
  SRF_RST_DOUBT,
  SRF_SACK_INITIATOR,
  STATE_AT,
  SV_DIGESTS,
  SV_SIZE,
  SW_OFFERED,
  SW_SCALES,
  SW_SIZE,
  SW_WINDOW_INITIATOR,
  SW_WINDOW_RESPONDER,
  SYNC_ADD,
  SYNC_BEGIN,
  SYNC_BUCKETS,
  SYNC_DELETE,
  SYNC_END,
  SYNC_MARKS,
  SYNC_OUT_SIZE,
  SYNC_RECORD_MAX,
  SYNC_UPDATE,
  SYNC_VERIFY,
  W_MAXWIN,
} from "./layout";
import { clear } from "./bytes";
import { freeGone, isHalfOpen, oldestHalfOpen, usedInGroup } from "./flow";
import { bucketOf, isKnown, liveSum, nextVersion, noteChange, setKnown, setUnknown, unqueue } from "./sync";
import { cold, count, groups, hot, NO_SLOT, now, policyDefers, timeoutsAt, setWord, word } from "./state";
import { first, windowOf, WINDOW_MAX } from "./window";

const ALL_BUCKETS: u64 = 0xffffffffffffffff;

/** A peer is there (1) or gone (0). What an earlier one was told is forgotten: a peer begins with a bulk sync. */
export function setPeer(present: u32): void {
  for (let at = word(S_QUEUE_OLDEST); at != 0; at = word(S_QUEUE_OLDEST)) take(at - 1);
  forgetAll();
  setWord(S_PEER, present);
  setWord(S_BULK, BULK_NONE);
  setWord(S_VERIFY, 0);
  setWord(S_DIVERGED, 0);
  store<u64>(STATE_AT, 0, S_RECORDS_SENT);
}

/** Starts a bulk sync of the buckets whose bits are set, `low` those of 0 to 31: nothing in them counts as known any more. */
export function startBulk(low: u32, high: u32): void {
  const buckets = (<u64>low) | ((<u64>high) << 32);
  forget(buckets);
  store<u64>(STATE_AT, buckets, S_BULK_BUCKETS);
  setWord(S_BULK_GROUP, 0);
  setWord(S_BULK, BULK_BEGIN);
  setWord(S_DIVERGED, 0);
}

/** No session is known any more: a new mark does it, and every SYNC_MARKS times a walk. */
function forgetAll(): void {
  const mark = word(S_GENERATION_MARK) + 1;
  setWord(S_GENERATION_MARK, mark % SYNC_MARKS);
  setWord(S_KNOWN, 0);
  clear(STATE_AT + S_DIGESTS, SYNC_BUCKETS * 8);
  if (mark < <u32>SYNC_MARKS) return;
  for (let slot: u32 = 0; slot < groups << 4; slot++) store<u8>(cold(slot), 0, COLD_MARK);
}

/** No session of these buckets is known any more. */
export function forget(buckets: u64): void {
  if (buckets == ALL_BUCKETS) return forgetAll();
  for (let group: u32 = 0; group < groups; group++) {
    for (let used = usedInGroup(group); used != 0; used &= used - 1) {
      const rest = cold((group << 4) + ctz<u32>(used));
      if ((buckets >> (<u64>bucketOf(load<u64>(rest, COLD_ID)))) & 1) setUnknown(rest);
    }
  }
}

/** Looks through `budget` groups for sessions whose counters and windows have moved since the peer was last told. */
export function scan(budget: u32): void {
  if (word(S_PEER) == 0) return;
  let group = word(S_SCAN_GROUP);
  for (let visited: u32 = 0; visited < min(budget, groups); visited++) {
    for (let used = usedInGroup(group); used != 0; used &= used - 1) {
      const slot = (group << 4) + ctz<u32>(used);
      const rest = cold(slot);
      if (load<u8>(rest, COLD_PENDING) != PENDING_NONE || !isKnown(rest)) continue;
      if (liveSum(hot(slot)) != load<u32>(rest, COLD_SYNC_SUM)) noteChange(slot);
    }
    group = group + 1 == groups ? 0 : group + 1;
  }
  setWord(S_SCAN_GROUP, group);
}

/**
 * Writes records, at most `budget` bytes of them; SV_SIZE is the least with which every record finds room. Returns the
 * bytes written to the region `sync out`.
 */
export function writeRecords(budget: u32): u32 {
  if (word(S_PEER) == 0) return 0;
  const start: usize = word(S_SYNC_OUT_AT);
  const end = start + min<u32>(budget, SYNC_OUT_SIZE);
  let at = start;
  if (word(S_BULK) == BULK_BEGIN && at + SR_HEADER_SIZE <= end) {
    at = writeBegin(at);
    setWord(S_BULK, BULK_WALK);
  }
  while (word(S_BULK) != BULK_BEGIN && at + SYNC_RECORD_MAX <= end) {
    const oldest = word(S_QUEUE_OLDEST);
    if (oldest == 0) break;
    at = writeChange(at, oldest - 1);
  }
  if (word(S_BULK) == BULK_WALK) at = writeBulk(at, end);
  if (word(S_VERIFY) != 0 && word(S_BULK) != BULK_BEGIN && at + SV_SIZE <= end) {
    setWord(S_VERIFY, 0);
    at = writeDigests(at, SYNC_VERIFY);
  }
  return <u32>(at - start);
}


@inline
function sent(): u64 {
  const number = load<u64>(STATE_AT, S_RECORDS_SENT) + 1;
  store<u64>(STATE_AT, number, S_RECORDS_SENT);
  return number;
}

function writeBegin(at: usize): usize {
  writeHeader(at, SYNC_BEGIN, SR_HEADER_SIZE);
  store<u64>(at, load<u64>(STATE_AT, S_BULK_BUCKETS), SR_VERSION);
  return at + SR_HEADER_SIZE;
}

function writeDigests(at: usize, action: u32): usize {
  writeHeader(at, action, SV_SIZE);
  store<u64>(at, word(S_KNOWN), SR_VERSION);
  memory.copy(at + SV_DIGESTS, STATE_AT + S_DIGESTS, SYNC_BUCKETS * 8);
  return at + SV_SIZE;
}

function writeHeader(at: usize, action: u32, size: u32): void {
  store<u64>(at, action);
  store<u64>(at, 0, SR_ID);
  store<u64>(at, 0, SR_VERSION);
  store<u16>(at, size, SR_LENGTH);
  sent();
}

/** Before a handover: tells the peer of half-open sessions, too. */
export function tellHalfOpen(): void {
  for (let slot = oldestHalfOpen(); slot != NO_SLOT; slot = load<u32>(cold(slot), COLD_NEWER) - 1)
    if (!isKnown(cold(slot))) noteChange(slot);
}

/** Walks on through the table, as far as there is room; behind the last group comes END. */
function writeBulk(from: usize, end: usize): usize {
  let at = from;
  const buckets = load<u64>(STATE_AT, S_BULK_BUCKETS);
  for (let group = word(S_BULK_GROUP); group < groups; group++) {
    setWord(S_BULK_GROUP, group);
    for (let used = usedInGroup(group); used != 0; used &= used - 1) {
      const slot = (group << 4) + ctz<u32>(used);
      const rest = cold(slot);
      if (isKnown(rest) || (load<u8>(rest, COLD_FLAGS) & CF_SYNC) == 0) continue;
      if (((buckets >> (<u64>bucketOf(load<u64>(rest, COLD_ID)))) & 1) == 0) continue;
      if (isHalfOpen(load<u8>(hot(slot), HOT_STATE)) && !policyDefers()) continue;
      // The group is gone through again: what it has told by then is known.
      if (at + SYNC_RECORD_MAX > end) return at;
      unqueue(slot, rest);
      at = writeSession(at, slot, rest, SYNC_ADD);
    }
  }
  setWord(S_BULK_GROUP, groups);
  if (at + SV_SIZE > end) return at;
  setWord(S_BULK, BULK_DONE);
  return writeDigests(at, SYNC_END);
}

/** Writes the change of the session that waits longest. */
function writeChange(at: usize, slot: u32): usize {
  const rest = cold(slot);
  const pending: u32 = load<u8>(rest, COLD_PENDING);
  if (pending == PENDING_DELETE) return writeDelete(at, slot, rest);
  unqueue(slot, rest);
  // Of a half-open session everything may have changed: its SYN may have been another one.
  const whole = pending == PENDING_ADD || !isKnown(rest) || isHalfOpen(load<u8>(hot(slot), HOT_STATE));
  return writeSession(at, slot, rest, whole ? SYNC_ADD : SYNC_UPDATE);
}

function writeDelete(at: usize, slot: u32, rest: usize): usize {
  let next = at;
  // Not known: a bulk sync has begun since, and its end will tell.
  if (isKnown(rest)) {
    next = writeEnds(at, slot, rest, SYNC_DELETE, nextVersion(rest));
    count(C_RECORDS_DELETE);
    sent();
  }
  take(slot);
  return next;
}

/** Takes a session out of the queue, and gives its slot back when it is deleted. */
function take(slot: u32): void {
  const rest = cold(slot);
  const gone = load<u8>(rest, COLD_PENDING) == PENDING_DELETE;
  unqueue(slot, rest);
  if (!gone) return;
  setUnknown(rest);
  freeGone(slot);
}

/** Header, ports and addresses: what DELETE and REQUEST have, and the others begin with. */
export function writeEnds(at: usize, slot: u32, rest: usize, action: u32, version: u64): usize {
  const record = hot(slot);
  const kind: u32 = load<u8>(record, HOT_KIND) & ~KIND_GONE;
  const flags: u32 = load<u8>(record, HOT_FLAGS);
  const side: usize = flags & HF_INITIATOR1;
  const other = side ^ 1;
  store<u8>(at, action, SR_ACTION);
  store<u8>(at, kind, SR_KIND);
  store<u8>(at, load<u8>(record, HOT_STATE), SR_STATE);
  store<u8>(at, flagsOf(flags, load<u8>(rest, COLD_FLAGS), <u32>side), SR_FLAGS);
  store<u8>(at, load<u8>(record + side, HOT_INTERFACE0), SR_INTERFACE_INITIATOR);
  store<u8>(at, load<u8>(record + other, HOT_INTERFACE0), SR_INTERFACE_RESPONDER);
  store<u64>(at, load<u64>(rest, COLD_ID), SR_ID);
  store<u64>(at, version, SR_VERSION);
  store<u16>(at, load<u16>(record + (side << 3), HOT_PORT0), SR_PORT_INITIATOR);
  store<u16>(at, load<u16>(record + (other << 3), HOT_PORT0), SR_PORT_RESPONDER);
  let next = at + SR_ADDRESSES;
  if (kind & KIND_V6) {
    v128.store(next, v128.load(rest + (side << 4), COLD_ADDRESS0));
    v128.store(next, v128.load(rest + (other << 4), COLD_ADDRESS0), 16);
    next += 32;
  } else {
    store<u32>(next, load<u32>(record + (side << 3), HOT_ADDRESS0));
    store<u32>(next, load<u32>(record + (other << 3), HOT_ADDRESS0), 4);
    next += 8;
  }
  store<u16>(at, <u32>(next - at), SR_LENGTH);
  return next;
}

/** HF_* and CF_FIN by side to SRF_* by who began. */
function flagsOf(flags: u32, rest: u32, side: u32): u32 {
  return (
    (flags & HF_RST_DOUBT ? SRF_RST_DOUBT : 0) |
    (rest & (CF_FIN0 << side) ? SRF_FIN_INITIATOR : 0) |
    (rest & (CF_FIN0 << (side ^ 1)) ? SRF_FIN_RESPONDER : 0) |
    (flags & (HF_SACK0 << side) ? SRF_SACK_INITIATOR : 0) |
    (flags & (HF_SACK0 << (side ^ 1)) ? SRF_SACK_INITIATOR << 1 : 0) |
    (flags & (HF_ACKED0 << side) ? SRF_ACKED_INITIATOR : 0) |
    (flags & (HF_ACKED0 << (side ^ 1)) ? SRF_ACKED_INITIATOR << 1 : 0)
  );
}

/** ADD or UPDATE. */
function writeSession(at: usize, slot: u32, rest: usize, action: u32): usize {
  const record = hot(slot);
  const side: u32 = load<u8>(record, HOT_FLAGS) & HF_INITIATOR1;
  const version = nextVersion(rest);
  const isTcp = ((<u32>load<u8>(record, HOT_KIND)) & ~KIND_V6) == KIND_TCP4;
  let next = writeEnds(at, slot, rest, action, version);
  store<u32>(next, now - load<u32>(record, HOT_LAST_MS), SL_IDLE_MS);
  store<u64>(next, bytesOf(record, rest, side), SL_BYTES_INITIATOR);
  store<u64>(next, bytesOf(record, rest, side ^ 1), SL_BYTES_RESPONDER);
  next += SL_SIZE;
  if (isTcp) next = writeWindows(next, record, rest, side);
  const number = sent();
  if (action == SYNC_ADD) {
    next = writeBirth(next, rest, side, isTcp);
    store<u32>(rest, <u32>number, COLD_ADD_NUMBER);
  }
  store<u16>(at, <u32>(next - at), SR_LENGTH);
  count(action == SYNC_ADD ? C_RECORDS_ADD : C_RECORDS_UPDATE);
  store<u32>(rest, liveSum(record), COLD_SYNC_SUM);
  setKnown(rest, version);
  return next;
}


@inline
function bytesOf(record: usize, rest: usize, side: u32): u64 {
  const at: usize = side << 2;
  return (<u64>load<u32>(record + at, HOT_BYTES0)) | ((<u64>load<u32>(rest + at, COLD_BYTES_HIGH0)) << 32);
}

function writeWindows(at: usize, record: usize, rest: usize, side: u32): usize {
  const scales: u32 = load<u8>(record, HOT_SCALES);
  const offered: u32 = load<u8>(rest, COLD_OFFERED);
  store<u32>(at, 0);
  store<u8>(at, side ? (scales >> 4) | (scales << 4) : scales, SW_SCALES);
  store<u8>(at, side ? (offered >> 1) | ((offered & 1) << 1) : offered, SW_OFFERED);
  writeWindow(at + SW_WINDOW_INITIATOR, windowOf(record, side));
  writeWindow(at + SW_WINDOW_RESPONDER, windowOf(record, side ^ 1));
  return at + SW_SIZE;
}

/** What SACK blocks have added to the largest window is left out: the peer takes none that could not be advertised. */
function writeWindow(at: usize, block: usize): void {
  v128.store(at, v128.load(block));
  store<u32>(at, min<u32>(load<u32>(block, W_MAXWIN), WINDOW_MAX), W_MAXWIN);
}

function writeBirth(at: usize, rest: usize, side: u32, isTcp: bool): usize {
  const age = load<u64>(STATE_AT, S_NOW_MS) - load<u64>(rest, COLD_CREATED_MS);
  const timer: usize = load<u8>(rest, COLD_IDLE_TIMER);
  store<u32>(at, <u32>min<u64>(age, u32.MAX_VALUE), SB_AGE_MS);
  store<u32>(at, load<u32>(timeoutsAt + (timer << 2)), SB_IDLE_TIMEOUT_MS);
  store<u32>(at, load<u32>(rest, COLD_RULE), SB_RULE);
  store<u16>(at, load<u16>(rest, COLD_SERVICE), SB_SERVICE);
  store<u8>(at, load<u8>(rest, COLD_INSPECT), SB_INSPECT);
  store<u8>(at, load<u8>(rest, COLD_ICMP_KIND), SB_ICMP_KIND);
  store<u32>(at, load<u8>(rest, COLD_FLAGS) & CF_BIRTH, SB_FLAGS);
  if (!isTcp) return at + SB_SIZE;
  store<u32>(at, load<u32>(first(rest, side)), SB_FIRST_INITIATOR);
  store<u32>(at, load<u32>(first(rest, side ^ 1)), SB_FIRST_RESPONDER);
  return at + SB_TCP_SIZE;
}
