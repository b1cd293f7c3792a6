/**
 * The flow table: one entry for both directions, fixed memory, no pointers but slot numbers.
 *
 *   tags      groups x 16 u16: 0 free, else 0x8000 | 15 bits of the hash; a group is 32 bytes, two SIMD compares
 *   overflow  groups x u16: sessions that wanted this group or passed it by and stand in a later one
 *   hot       slots x 64: see layout.ts; kind 0 = free
 *   cold      slots x 128
 *
 * Invariants: a session stands in its home group or in a later one with overflow > 0 in all groups between, so a
 * search ends at the first group without overflow. All-zero memory is an empty table. Sessions that have not been
 * answered form the half-open list, oldest first.
 */
import {
  C_CLOSED,
  C_EVICTED,
  C_EXPIRED,
  C_FLUSHED,
  C_GONE,
  C_MAX_SESSIONS,
  CF_AUDIT,
  CLOCK_STEP_MAX_MS,
  COLD_ADDRESS0,
  COLD_BYTES_HIGH0,
  COLD_FLAGS,
  COLD_NEWER,
  COLD_OLDER,
  COLD_SIZE,
  COLD_TOUCH0,
  COLD_TOUCH1,
  EVENT_EVICTED,
  EVENT_SESSION_STOP,
  GROUP_SLOTS,
  HOT_BYTES0,
  HOT_KIND,
  HOT_LAST_MS,
  HOT_SIZE,
  HOT_STATE,
  HOT_TIMER,
  HOT_TOUCH,
  KIND_GONE,
  M_HASH,
  M_KEY0,
  M_KEY1,
  M_NETWORK,
  M_SIDE,
  M_V6,
  PROMOTED_IDLE_MIN_MS,
  ROLE_STANDBY,
  S_COUNTERS,
  S_GONE,
  S_HALF_OPEN,
  S_HALF_OPEN_NEWEST,
  S_HALF_OPEN_OLDEST,
  S_NOW_MS,
  S_PROMOTED_MS,
  S_ROLE,
  S_SESSIONS,
  S_SWEEP_GROUP,
  S_SWEEP_SINCE_MS,
  ST_ESTABLISHED,
  ST_LAST_ACK,
  ST_OPENING,
  ST_SYN_SENT2,
  ST_TIME_WAIT,
  STATE_AT,
  TAG_GONE,
  TIMEOUT_MAX_MS,
} from "./layout";
import {
  NO_SLOT,
  cold,
  count,
  groups,
  hot,
  now,
  overflowAt,
  sessionsMax,
  setNow,
  tagsAt,
  timeoutsAt,
} from "./state";
import { clear } from "./bytes";
import { groupOf, hashKey, tagOf } from "./hash";
import { IPV6_SOURCE } from "./ipv6";
import { sessionEvent } from "./event";
import { tells } from "./live";
import { isKnown, noteChange, noteGone } from "./sync";

/** A sequence space that has moved by 2^28 is told at once: bytes stand for it, as both only grow. */
const MOVED_SHIFT: u32 = 28;


@inline
function groupAt(group: u32): usize {
  return tagsAt + ((<usize>group) << 5);
}

/** Bit i: slot i of the group has this tag. */
@inline
function tagMatch(at: usize, tag: u16): u32 {
  const wanted = v128.splat<u16>(tag);
  const low = v128.eq<u16>(v128.load(at), wanted);
  const high = v128.eq<u16>(v128.load(at, 16), wanted);
  return v128.bitmask<i8>(v128.narrow<i16>(low, high));
}

/** Whether the record holds this key; the touch byte and the interfaces are not part of it. */
@inline
export function sameKey(record: usize, key0: u64, key1: u64): bool {
  return (((load<u64>(record) ^ key0) << 8) | ((load<u64>(record, 8) ^ key1) << 16)) == 0;
}

/** Loads the group of a hash into the cache. */
@inline
export function touchGroup(hash: u32): u32 {
  return load<u32>(groupAt(groupOf(hash, groups)));
}

/**
 * The slot that probably holds the key, or the one that a new session would take; its lines are on their way into the
 * cache: a store needs not wait for the line, which makes it the prefetch that Wasm lacks.
 */
@inline
export function candidate(hash: u32, v6: u32): u32 {
  const group = groupOf(hash, groups);
  const at = groupAt(group);
  const match = tagMatch(at, tagOf(hash));
  if (match != 0) {
    const slot = (group << 4) + ctz<u32>(match);
    store<u8>(hot(slot), 0, HOT_TOUCH);
    if (v6) store<u8>(cold(slot), 0, COLD_TOUCH0);
    return slot;
  }
  const slot = (group << 4) + (ctz<u32>(tagMatch(at, 0) | 0x10000) & 15);
  store<u8>(hot(slot), 0, HOT_TOUCH);
  store<u8>(cold(slot), 0, COLD_TOUCH0);
  store<u8>(cold(slot), 0, COLD_TOUCH1);
  return slot;
}

/** Whether the slot holds the session that the packet of `meta` belongs to: the key, for IPv6 the whole addresses. */
@inline
export function holds(slot: u32, meta: usize): bool {
  if (!sameKey(hot(slot), load<u64>(meta, M_KEY0), load<u64>(meta, M_KEY1))) return false;
  return load<u8>(meta, M_V6) == 0 || sameAddresses6(cold(slot), meta);
}

function sameAddresses6(record: usize, meta: usize): bool {
  const network = <usize>load<u32>(meta, M_NETWORK) + IPV6_SOURCE;
  const side: usize = load<u8>(meta, M_SIDE);
  const from = v128.xor(v128.load(record + (side << 4), COLD_ADDRESS0), v128.load(network));
  const to = v128.xor(v128.load(record + ((side ^ 1) << 4), COLD_ADDRESS0), v128.load(network, 16));
  return !v128.any_true(v128.or(from, to));
}

/** Slot of the session of the packet, or NO_SLOT. */
export function find(meta: usize): u32 {
  const hash = load<u32>(meta, M_HASH);
  const tag = tagOf(hash);
  let group = groupOf(hash, groups);
  for (let visited: u32 = 0; visited < groups; visited++) {
    for (let match = tagMatch(groupAt(group), tag); match != 0; match &= match - 1) {
      const slot = (group << 4) + ctz<u32>(match);
      if (holds(slot, meta)) return slot;
    }
    if (load<u16>(overflowAt + ((<usize>group) << 1)) == 0) return NO_SLOT;
    group = group + 1 == groups ? 0 : group + 1;
  }
  return NO_SLOT;
}

/** Takes a free slot for the key, which is not in the table. The caller has seen to the capacity, so there is one. */
export function claim(key0: u64, key1: u64, hash: u32): u32 {
  let group = groupOf(hash, groups);
  let free = tagMatch(groupAt(group), 0);
  while (free == 0) {
    const passed = overflowAt + ((<usize>group) << 1);
    store<u16>(passed, load<u16>(passed) + 1);
    group = group + 1 == groups ? 0 : group + 1;
    free = tagMatch(groupAt(group), 0);
  }
  const index = ctz<u32>(free);
  store<u16>(groupAt(group) + ((<usize>index) << 1), tagOf(hash));
  const slot = (group << 4) + index;
  const record = hot(slot);
  clear(record, HOT_SIZE);
  clear(cold(slot), COLD_SIZE);
  store<u64>(record, key0);
  store<u64>(record, key1, 8);
  const sessions = load<u32>(STATE_AT, S_SESSIONS) + 1;
  store<u32>(STATE_AT, sessions, S_SESSIONS);
  const most = <usize>STATE_AT + S_COUNTERS + C_MAX_SESSIONS * 8;
  if (<u64>sessions > load<u64>(most)) store<u64>(most, <u64>sessions);
  return slot;
}


@inline
export function isFull(): bool {
  return load<u32>(STATE_AT, S_SESSIONS) >= sessionsMax;
}

/** Gives the slot back; `why` is the counter of the cause. A peer that has to be told keeps the slot a little longer. */
export function release(slot: u32, why: i32): void {
  const record = hot(slot);
  const state: u32 = load<u8>(record, HOT_STATE);
  if (why == C_EXPIRED && (state == ST_LAST_ACK || state == ST_TIME_WAIT)) why = C_CLOSED;
  const told = ((load<u8>(cold(slot), COLD_FLAGS) | tells) & CF_AUDIT) != 0;
  if (told && why != C_GONE && why != C_FLUSHED) sessionEvent(EVENT_SESSION_STOP, slot, why);
  if (why == C_EVICTED) sessionEvent(EVENT_EVICTED, slot, why);
  if (isHalfOpen(state)) unlinkHalfOpen(slot);
  const key0 = load<u64>(record) & 0x00ffffffffffffff;
  const key1 = load<u64>(record, 8) & 0x0000ffffffffffff;
  const stands = slot >> 4;
  let group = groupOf(hashKey(key0, key1), groups);
  while (group != stands) {
    const passed = overflowAt + ((<usize>group) << 1);
    store<u16>(passed, load<u16>(passed) - 1);
    group = group + 1 == groups ? 0 : group + 1;
  }
  store<u32>(STATE_AT, load<u32>(STATE_AT, S_SESSIONS) - 1, S_SESSIONS);
  count(why);
  if (noteGone(slot)) {
    store<u8>(record, why, HOT_STATE);
    store<u8>(record, load<u8>(record, HOT_KIND) | KIND_GONE, HOT_KIND);
    setTag(slot, TAG_GONE);
  } else {
    vacate(slot, record);
  }
}

/** The slot of a deleted session of which the peer has been told is free. */
export function freeGone(slot: u32): void {
  store<u32>(STATE_AT, load<u32>(STATE_AT, S_GONE) - 1, S_GONE);
  vacate(slot, hot(slot));
}

function vacate(slot: u32, record: usize): void {
  setTag(slot, 0);
  store<u64>(record, 0);
  store<u64>(record, 0, 8);
}


@inline
function setTag(slot: u32, tag: u32): void {
  store<u16>(groupAt(slot >> 4) + ((<usize>(slot & (GROUP_SLOTS - 1))) << 1), tag);
}

/** Bit i: slot i of the group holds a session. */
@inline
export function usedInGroup(group: u32): u32 {
  const at = groupAt(group);
  return v128.bitmask<i8>(v128.narrow<i16>(v128.load(at), v128.load(at, 16)));
}

/** Whether the slot holds a session. */
export function isUsed(slot: u32): bool {
  return slot < groups * GROUP_SLOTS && ((usedInGroup(slot >> 4) >> (slot & (GROUP_SLOTS - 1))) & 1) != 0;
}

/** States in which the responder has not answered or the handshake is not over. */
@inline
export function isHalfOpen(state: u32): bool {
  return state < <u32>ST_ESTABLISHED || state == ST_SYN_SENT2 || state == ST_OPENING;
}

/** Appends to the half-open list, as its newest. */
export function linkHalfOpen(slot: u32): void {
  const newest = load<u32>(STATE_AT, S_HALF_OPEN_NEWEST);
  const record = cold(slot);
  store<u32>(record, newest, COLD_OLDER);
  store<u32>(record, 0, COLD_NEWER);
  if (newest != 0) store<u32>(cold(newest - 1), slot + 1, COLD_NEWER);
  else store<u32>(STATE_AT, slot + 1, S_HALF_OPEN_OLDEST);
  store<u32>(STATE_AT, slot + 1, S_HALF_OPEN_NEWEST);
  store<u32>(STATE_AT, load<u32>(STATE_AT, S_HALF_OPEN) + 1, S_HALF_OPEN);
}

export function unlinkHalfOpen(slot: u32): void {
  const record = cold(slot);
  const older = load<u32>(record, COLD_OLDER);
  const newer = load<u32>(record, COLD_NEWER);
  if (older != 0) store<u32>(cold(older - 1), newer, COLD_NEWER);
  else store<u32>(STATE_AT, newer, S_HALF_OPEN_OLDEST);
  if (newer != 0) store<u32>(cold(newer - 1), older, COLD_OLDER);
  else store<u32>(STATE_AT, older, S_HALF_OPEN_NEWEST);
  store<u32>(STATE_AT, load<u32>(STATE_AT, S_HALF_OPEN) - 1, S_HALF_OPEN);
}

/** Slot of the oldest half-open session, or NO_SLOT. */
@inline
export function oldestHalfOpen(): u32 {
  return load<u32>(STATE_AT, S_HALF_OPEN_OLDEST) - 1;
}

/** Whether the session's timeout has passed. Ages stay below 2^32 ms because the sweep comes by often enough. */
@inline
export function isExpired(record: usize): bool {
  const age = now - load<u32>(record, HOT_LAST_MS);
  return age >= load<u32>(timeoutsAt + ((<usize>load<u8>(record, HOT_TIMER)) << 2)) && !isSpared(age);
}

/** A take-over is recent, and the session has been silent since: as standby this box may have been told late of it. */
function isSpared(age: u32): bool {
  const promotedMs = load<u64>(STATE_AT, S_PROMOTED_MS);
  if (promotedMs == 0) return false;
  // A clock that jumps is ahead of S_NOW_MS while its steps are walked.
  const nowMs = load<u64>(STATE_AT, S_NOW_MS);
  const since = nowMs + <u64>(now - <u32>nowMs) - promotedMs;
  return since < <u64>PROMOTED_IDLE_MIN_MS && <u64>age >= since;
}

/** Adds to the payload bytes that a side sent: 32 bits in the hot record, the carry in the cold one. */
@inline
export function addBytes(record: usize, slot: u32, side: u32, bytes: u32): void {
  const at = record + ((<usize>side) << 2);
  const before = load<u32>(at, HOT_BYTES0);
  const after = before + bytes;
  store<u32>(at, after, HOT_BYTES0);
  if ((before ^ after) >> MOVED_SHIFT != 0) moveBytes(slot, side, after < before);
}

/** A side has sent so much that its windows must not wait for the next update; and the carry. */
function moveBytes(slot: u32, side: u32, carry: bool): void {
  const high = cold(slot) + ((<usize>side) << 2);
  if (carry) store<u32>(high, load<u32>(high, COLD_BYTES_HIGH0) + 1, COLD_BYTES_HIGH0);
  if (isKnown(cold(slot))) noteChange(slot);
}

/** Visits the next `budget` groups and releases what has expired. */
export function sweep(budget: u32): void {
  let group = load<u32>(STATE_AT, S_SWEEP_GROUP);
  if (group >= groups) group = 0;
  if (budget > groups) budget = groups;
  for (let visited: u32 = 0; visited < budget; visited++) {
    if (group == 0) store<u64>(STATE_AT, load<u64>(STATE_AT, S_NOW_MS), S_SWEEP_SINCE_MS);
    const at = groupAt(group);
    if (v128.any_true(v128.or(v128.load(at), v128.load(at, 16)))) sweepGroup(group);
    group = group + 1 == groups ? 0 : group + 1;
  }
  store<u32>(STATE_AT, group, S_SWEEP_GROUP);
}

function sweepGroup(group: u32): void {
  const standby = load<u32>(STATE_AT, S_ROLE) == ROLE_STANDBY;
  for (let used = usedInGroup(group); used != 0; used &= used - 1) {
    const slot = (group << 4) + ctz<u32>(used);
    if (!isExpired(hot(slot))) continue;
    if (standby) keepExpired(hot(slot));
    else release(slot, C_EXPIRED);
  }
}

/** On a standby the peer says when a session ends; its age must not grow beyond what 32 bits can tell. */
function keepExpired(record: usize): void {
  store<u32>(record, now - load<u32>(timeoutsAt + ((<usize>load<u8>(record, HOT_TIMER)) << 2)), HOT_LAST_MS);
}

/** After a jump beyond the largest timeout, whatever a standby keeps counts as just expired. */
function keepAll(atMs: u64): void {
  setNow(<u32>atMs);
  for (let group: u32 = 0; group < groups; group++) {
    for (let used = usedInGroup(group); used != 0; used &= used - 1)
      keepExpired(hot((group << 4) + ctz<u32>(used)));
  }
}

function sweepAll(atMs: u64): void {
  setNow(<u32>atMs);
  store<u32>(STATE_AT, 0, S_SWEEP_GROUP);
  sweep(groups);
  store<u64>(STATE_AT, atMs, S_SWEEP_SINCE_MS);
}

/**
 * Moves the clock to `nowMs`; an earlier time changes nothing. Entries keep 32 bits of the time of their last packet,
 * so every entry is visited at least once in CLOCK_STEP_MAX_MS: a clock that jumps is walked in steps of that size,
 * and beyond the largest timeout in one, because then nothing is left but what a standby keeps.
 */
export function advanceTo(nowMs: u64): bool {
  const before = load<u64>(STATE_AT, S_NOW_MS);
  if (nowMs < before) {
    setNow(<u32>before);
    return false;
  }
  if (load<u32>(STATE_AT, S_SESSIONS) == 0) {
    store<u64>(STATE_AT, nowMs, S_SWEEP_SINCE_MS);
  } else if (nowMs - before > <u64>TIMEOUT_MAX_MS) {
    // Every timeout has passed; at this distance each age is unambiguous once more.
    sweepAll(before + <u64>CLOCK_STEP_MAX_MS);
    sweepAll(before + <u64>TIMEOUT_MAX_MS);
    keepAll(nowMs);
  } else {
    for (let at = before; nowMs - at > <u64>CLOCK_STEP_MAX_MS;) {
      at += <u64>CLOCK_STEP_MAX_MS;
      sweepAll(at);
    }
    if (nowMs - load<u64>(STATE_AT, S_SWEEP_SINCE_MS) > <u64>CLOCK_STEP_MAX_MS) sweepAll(nowMs);
  }
  store<u64>(STATE_AT, nowMs, S_NOW_MS);
  setNow(<u32>nowMs);
  return true;
}
