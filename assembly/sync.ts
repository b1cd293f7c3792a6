/**
 * Session sync: which sessions the peer still has to hear of. A session waits in at most one place of one queue, so a
 * hundred changes cost one record and the queue never outgrows the table. What the records hold: layout.ts (SR_*);
 * how they are written and taken: sync-write.ts, sync-take.ts.
 *
 *   deleted sessions keep their slot, with the tag TAG_GONE, until their DELETE is written
 *   "known": the peer has been told of the session since the last full bulk sync began (COLD_MARK)
 *   digests: exclusive or, by bucket, over a hash of id and version of all sessions that are known; both sides keep
 *            them with every record, so two tables are compared by 64 numbers
 */
import {
  C_DELETES_LOST,
  CF_SYNC,
  COLD_ADD_NUMBER,
  COLD_FLAGS,
  COLD_ID,
  COLD_MARK,
  COLD_PENDING,
  COLD_QUEUE_NEWER,
  COLD_QUEUE_OLDER,
  COLD_VERSION,
  GENERATION_SHIFT,
  GONE_SHARE,
  HOT_LAST_MS,
  HOT_SIZE,
  HOT_WINDOW0,
  PENDING_ADD,
  PENDING_DELETE,
  PENDING_NONE,
  PENDING_UPDATE,
  S_DIGESTS,
  S_DIVERGED,
  S_GENERATION_MARK,
  S_GONE,
  S_KNOWN,
  S_LAST_SESSION_ID,
  S_PEER,
  S_QUEUED,
  S_QUEUE_NEWEST,
  S_QUEUE_OLDEST,
  S_RECORDS_ACKED,
  STATE_AT,
  SYNC_BUCKETS,
} from "./layout";
import { cold, count, sessionsMax, setWord, word } from "./state";

/** Shorter names, for the table only. */
const A = <u8>PENDING_ADD;
const U = <u8>PENDING_UPDATE;
const D = <u8>PENDING_DELETE;

// prettier-ignore
const COALESCE: StaticArray<u8> = [        // [what was pending][what happens now]
  //              Add Update Delete
  /* nothing  */  A,  U,     D,
  /* Add      */  A,  A,     D,            // known nevertheless: the peer has asked for it
  /* Update   */  A,  U,     D,
]; // a deleted session does not change, and one that is not known just goes
const EVENTS: u32 = 3;

/** Whether the peer has been told of the session of this cold record. */
@inline
export function isKnown(rest: usize): bool {
  return <u32>load<u8>(rest, COLD_MARK) == word(S_GENERATION_MARK) + 1;
}

/** A session opened or changed its state: ADD for a peer that does not know it, else UPDATE. */
export function noteChange(slot: u32): void {
  const rest = cold(slot);
  if (word(S_PEER) == 0 || (load<u8>(rest, COLD_FLAGS) & CF_SYNC) == 0) return;
  note(slot, rest, isKnown(rest) ? PENDING_UPDATE : PENDING_ADD);
}

/** The peer asks for a session that it does not know; by now it may, so it still counts as known. */
export function noteRequest(slot: u32): void {
  const rest = cold(slot);
  if (word(S_PEER) == 0 || (load<u8>(rest, COLD_FLAGS) & CF_SYNC) == 0) return;
  note(slot, rest, PENDING_ADD);
}

/**
 * A session goes. True: its slot must be kept, because the peer has to be told. When too many wait already, the peer
 * is not told, and the tables have to be compared later.
 */
export function noteGone(slot: u32): bool {
  const rest = cold(slot);
  if (isKnown(rest) && word(S_PEER) != 0) {
    if (word(S_GONE) < sessionsMax / GONE_SHARE) {
      note(slot, rest, PENDING_DELETE);
      setWord(S_GONE, word(S_GONE) + 1);
      return true;
    }
    setWord(S_DIVERGED, 1);
    count(C_DELETES_LOST);
  }
  unqueue(slot, rest);
  setUnknown(rest);
  return false;
}

function note(slot: u32, rest: usize, event: u32): void {
  const pending: u32 = load<u8>(rest, COLD_PENDING);
  const next = <u32>unchecked(COALESCE[pending * EVENTS + event - PENDING_ADD]);
  if (pending == PENDING_NONE) enqueue(slot, rest);
  store<u8>(rest, next, COLD_PENDING);
}

function enqueue(slot: u32, rest: usize): void {
  const newest = word(S_QUEUE_NEWEST);
  store<u32>(rest, newest, COLD_QUEUE_OLDER);
  store<u32>(rest, 0, COLD_QUEUE_NEWER);
  if (newest != 0) store<u32>(cold(newest - 1), slot + 1, COLD_QUEUE_NEWER);
  else setWord(S_QUEUE_OLDEST, slot + 1);
  setWord(S_QUEUE_NEWEST, slot + 1);
  setWord(S_QUEUED, word(S_QUEUED) + 1);
}

/** Takes a session out of the queue, if it waits there. */
export function unqueue(slot: u32, rest: usize): void {
  if (load<u8>(rest, COLD_PENDING) == PENDING_NONE) return;
  const older = load<u32>(rest, COLD_QUEUE_OLDER);
  const newer = load<u32>(rest, COLD_QUEUE_NEWER);
  if (older != 0) store<u32>(cold(older - 1), newer, COLD_QUEUE_NEWER);
  else setWord(S_QUEUE_OLDEST, newer);
  if (newer != 0) store<u32>(cold(newer - 1), older, COLD_QUEUE_OLDER);
  else setWord(S_QUEUE_NEWEST, older);
  setWord(S_QUEUED, word(S_QUEUED) - 1);
  store<u8>(rest, PENDING_NONE, COLD_PENDING);
}

const GENERATION_MASK: u64 = ((<u64>1) << GENERATION_SHIFT) - 1;

/** Bucket of a session. */
@inline
export function bucketOf(id: u64): u32 {
  return (<u32>id) & (SYNC_BUCKETS - 1);
}

/** Adds a session to the digest of its bucket, or takes it out: the same. */
@inline
function toggleDigest(id: u64, version: u64): void {
  const at = <usize>STATE_AT + S_DIGESTS + ((<usize>bucketOf(id)) << 3);
  store<u64>(at, load<u64>(at) ^ mix(id, version));
}

/** Finalizer of MurmurHash3 over both: every bit of them moves every bit of the result. */
function mix(id: u64, version: u64): u64 {
  let h = id * 0x9e3779b97f4a7c15 + version;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

/** Whether the peer has not yet said that it has the last ADD of this session. */
export function isUnacknowledged(rest: usize): bool {
  if (word(S_PEER) == 0 || (load<u8>(rest, COLD_FLAGS) & CF_SYNC) == 0) return false;
  if (!isKnown(rest)) return true;
  return <i32>(load<u32>(rest, COLD_ADD_NUMBER) - word(S_RECORDS_ACKED)) > 0;
}

/** Makes the peer know the session in a version, instead of the one that it knew. */
export function setKnown(rest: usize, version: u64): void {
  setUnknown(rest);
  toggleDigest(load<u64>(rest, COLD_ID), version);
  setWord(S_KNOWN, word(S_KNOWN) + 1);
  store<u64>(rest, version, COLD_VERSION);
  store<u8>(rest, word(S_GENERATION_MARK) + 1, COLD_MARK);
}

/** Makes the peer not know the session. */
export function setUnknown(rest: usize): void {
  if (!isKnown(rest)) return;
  toggleDigest(load<u64>(rest, COLD_ID), load<u64>(rest, COLD_VERSION));
  setWord(S_KNOWN, word(S_KNOWN) - 1);
  store<u8>(rest, 0, COLD_MARK);
}

/**
 * Version of the next record of a session. Versions of a generation are above all of those before: whoever was told by
 * an earlier active, and more than the present one was, still takes these for newer.
 */
export function nextVersion(rest: usize): u64 {
  const generation = load<u64>(STATE_AT, S_LAST_SESSION_ID) & ~GENERATION_MASK;
  return max<u64>(load<u64>(rest, COLD_VERSION), generation) + 1;
}

/** Fingerprint of what changes with every packet of a session: its clock, windows and counters. */
export function liveSum(record: usize): u32 {
  let h: u64 = load<u32>(record, HOT_LAST_MS);
  for (let at: usize = HOT_WINDOW0; at < <usize>HOT_SIZE; at += 8) h = mix(h, load<u64>(record + at));
  return <u32>h;
}
