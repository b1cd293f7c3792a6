/**
 * Where the regions of this instance lie, its clock and its counters.
 *
 * The addresses below are copies of what the host wrote into the state region: derived, so that a restored snapshot
 * only needs `attach` again. Everything else is read and written in memory.
 */
import {
  COLD_SIZE,
  DF_CHECKSUM_OK,
  DF_HEADER_CHECKSUM_OK,
  HOT_SIZE,
  LAYOUT_VERSION,
  P_FLAGS,
  P_INTERFACE_COUNT,
  P_INTERFACES,
  PF_DEFER,
  PF_NO_CHECKSUMS,
  PF_RESYNC_STRICT,
  S_BANK_SIZE,
  S_BANKS_AT,
  S_BATCH_MAX,
  S_ACTIVE_BANK,
  S_COLD_AT,
  S_COUNTERS,
  S_DESCRIPTORS_AT,
  S_EVENTS_AT,
  S_EVENTS_MAX,
  S_FRAGMENTS_AT,
  S_GROUPS,
  S_HELD_AT,
  S_HELD_MAX,
  S_HITS_AT,
  S_HOT_AT,
  S_LAYOUT,
  S_MAGIC,
  S_META_AT,
  S_OUTPUTS,
  S_OVERFLOW_AT,
  S_REASON_COUNTERS,
  S_RULES_MAX,
  S_SEEDS,
  S_SESSIONS_MAX,
  S_TAGS_AT,
  S_TIMEOUTS_AT,
  S_TRACE,
  S_TRACE_LENGTH,
  STATE_AT,
  STATE_MAGIC,
  TRACE_MAX,
} from "./layout";

export let timeoutsAt: usize = 0;
export let tagsAt: usize = 0;
export let overflowAt: usize = 0;
export let hotAt: usize = 0;
export let coldAt: usize = 0;
export let fragmentsAt: usize = 0;
export let heldAt: usize = 0;
export let eventsAt: usize = 0;
export let descriptorsAt: usize = 0;
export let metaAt: usize = 0;
export let groups: u32 = 0;
export let sessionsMax: u32 = 0;
export let batchMax: u32 = 0;
export let heldMax: u32 = 0;
export let eventsMax: u32 = 0;
export let seed0: u64 = 0;
export let seed1: u64 = 0;
export let seed2: u64 = 0;
export let seed3: u64 = 0;

/** End of the memory, which never grows. */
export let memoryEnd: u64 = 0;

/** The policy image in force, 0 none; its interfaces; and its hit counters. */
export let policyAt: usize = 0;
export let interfacesAt: usize = 0;
export let interfaceCount: u32 = 0;
/** DF_*: the checksums that this policy takes as known to be good. */
export let checksumsKnown: u32 = 0;
export let hitsAt: usize = 0;

/** The running batch's clock: 64 and 32 bits of S_NOW_MS. */
export let now: u32 = 0;

export function setNow(value: u32): void {
  now = value;
}

/** Whether the packet in hand is traced (DF_TRACE). */
export let tracing: bool = false;

export function setTracing(on: bool): void {
  tracing = on;
  if (on) store<u32>(STATE_AT, 0, S_TRACE_LENGTH);
}

/** Takes the addresses that the host wrote. 0: done; 1: not this layout; 2: static data reaches into the state. */
export function attachState(): u32 {
  if (load<u32>(STATE_AT, S_MAGIC) != STATE_MAGIC || load<u32>(STATE_AT, S_LAYOUT) != LAYOUT_VERSION)
    return 1;
  if (__heap_base > <usize>STATE_AT) return 2;
  timeoutsAt = load<u32>(STATE_AT, S_TIMEOUTS_AT);
  tagsAt = load<u32>(STATE_AT, S_TAGS_AT);
  overflowAt = load<u32>(STATE_AT, S_OVERFLOW_AT);
  hotAt = load<u32>(STATE_AT, S_HOT_AT);
  coldAt = load<u32>(STATE_AT, S_COLD_AT);
  fragmentsAt = load<u32>(STATE_AT, S_FRAGMENTS_AT);
  heldAt = load<u32>(STATE_AT, S_HELD_AT);
  eventsAt = load<u32>(STATE_AT, S_EVENTS_AT);
  descriptorsAt = load<u32>(STATE_AT, S_DESCRIPTORS_AT);
  metaAt = load<u32>(STATE_AT, S_META_AT);
  groups = load<u32>(STATE_AT, S_GROUPS);
  sessionsMax = load<u32>(STATE_AT, S_SESSIONS_MAX);
  batchMax = load<u32>(STATE_AT, S_BATCH_MAX);
  heldMax = load<u32>(STATE_AT, S_HELD_MAX);
  eventsMax = load<u32>(STATE_AT, S_EVENTS_MAX);
  memoryEnd = (<u64>memory.size()) << 16;
  seed0 = load<u64>(STATE_AT, S_SEEDS);
  seed1 = load<u64>(STATE_AT, S_SEEDS + 8);
  seed2 = load<u64>(STATE_AT, S_SEEDS + 16);
  seed3 = load<u64>(STATE_AT, S_SEEDS + 24);
  attachPolicy();
  return 0;
}

/** Follows S_ACTIVE_BANK. */
export function attachPolicy(): void {
  const bank = load<u32>(STATE_AT, S_ACTIVE_BANK);
  policyAt = bank == 0 ? 0 : bankAt(bank - 1);
  interfacesAt = bank == 0 ? 0 : policyAt + load<u32>(policyAt, P_INTERFACES);
  interfaceCount = bank == 0 ? 0 : load<u32>(policyAt, P_INTERFACE_COUNT);
  const unverified = bank != 0 && (load<u32>(policyAt, P_FLAGS) & PF_NO_CHECKSUMS) != 0;
  checksumsKnown = unverified ? DF_CHECKSUM_OK | DF_HEADER_CHECKSUM_OK : 0;
  hitsAt =
    bank == 0
      ? 0
      : <usize>load<u32>(STATE_AT, S_HITS_AT) +
        <usize>(bank - 1) * <usize>load<u32>(STATE_AT, S_RULES_MAX) * 8;
}

export function bankAt(bank: u32): usize {
  return <usize>load<u32>(STATE_AT, S_BANKS_AT) + <usize>bank * <usize>load<u32>(STATE_AT, S_BANK_SIZE);
}

/** `ip inspect redundancy defer`: the peer hears of half-open sessions. */
export function policyDefers(): bool {
  return policyAt != 0 && (load<u32>(policyAt, P_FLAGS) & PF_DEFER) != 0;
}

/** `ip inspect redundancy resync strict`: what a take-over believes is bounded. */
export function policyIsStrict(): bool {
  return policyAt != 0 && (load<u32>(policyAt, P_FLAGS) & PF_RESYNC_STRICT) != 0;
}

/** A field of the state region. */
@inline
export function word(field: i32): u32 {
  return load<u32>(<usize>STATE_AT + <usize>field);
}


@inline
export function setWord(field: i32, value: u32): void {
  store<u32>(<usize>STATE_AT + <usize>field, value);
}

/** No slot: not found, or full. */
export const NO_SLOT: u32 = 0xffffffff;

/** Records of a slot (layout.ts). */
@inline
export function hot(slot: u32): usize {
  return hotAt + <usize>slot * HOT_SIZE;
}


@inline
export function cold(slot: u32): usize {
  return coldAt + <usize>slot * COLD_SIZE;
}


@inline
export function count(counter: i32): void {
  const at = <usize>STATE_AT + S_COUNTERS + ((<usize>counter) << 3);
  store<u64>(at, load<u64>(at) + 1);
}


@inline
export function countReason(reason: u32, bytes: u32): void {
  const at = <usize>STATE_AT + S_REASON_COUNTERS + ((<usize>reason) << 4);
  store<u64>(at, load<u64>(at) + 1);
  store<u64>(at, load<u64>(at, 8) + <u64>bytes, 8);
}

/** Takes the place of the next output; the host left room for every frame that can be held. */
export function nextOutput(): u32 {
  const index = load<u32>(STATE_AT, S_OUTPUTS);
  store<u32>(STATE_AT, index + 1, S_OUTPUTS);
  return index;
}

/** Notes a step of the decision for DF_TRACE. */
@inline
export function trace(step: u32, value: u32): void {
  if (tracing) traceStep(step, value);
}

function traceStep(step: u32, value: u32): void {
  const length = load<u32>(STATE_AT, S_TRACE_LENGTH);
  if (length == TRACE_MAX) return;
  const at = <usize>STATE_AT + S_TRACE + ((<usize>length) << 3);
  store<u32>(at, step);
  store<u32>(at, value, 4);
  store<u32>(STATE_AT, length + 1, S_TRACE_LENGTH);
}
