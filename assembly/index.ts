/**
 * The surface of the core. The host writes capacity, addresses and seeds into the state region, copies a policy image
 * into a bank, and then calls `process` with descriptors; everything else it reads from memory (layout.ts).
 */
import {
  C_CLEARED,
  C_CLOCK_BACK,
  DESC_SIZE,
  LAYOUT_VERSION,
  M_HASH,
  M_SLOT,
  M_V6,
  M_WIRE,
  META_SIZE,
  PASS_MAX,
  R_NOT_READY,
  S_ACTIVE_BANK,
  S_EVENTS_WRITTEN,
  S_OUTPUTS,
  STATE_AT,
  VERDICT_DROP,
  D_INGRESS,
  D_RULE,
  D_SESSION_ID,
  D_WIRE,
  M_INGRESS,
  ROLE_ACTIVE,
  ROLE_STANDBY,
  S_PROMOTED_MS,
  S_ROLE,
  S_NOW_MS,
} from "./layout";
import { decide, decideHandingOver, decideStandby } from "./decide";
import { advanceTo, candidate, isUsed, release, sweep, touchGroup } from "./flow";
import { expireDatagrams, initHeld, reclaimHeld } from "./held";
import { parse } from "./parse";
import { setPeer } from "./sync-write";
import { forwardPass, forwardReleased } from "./forward";
import { checkImage } from "./image";
import { attachLive, isHandingOver, isLive } from "./live";
import { attachPolicy, attachState, bankAt, batchMax, count, descriptorsAt, metaAt, policyAt } from "./state";
import { verdict } from "./verdict";

/** Groups that `process` sweeps for each full pass of PASS_MAX packets, beside what the host asks for. */
const SWEEP_PER_PASS: u32 = 1;

/** Loads of the touch pass end here, so that they cannot be optimised away. */
let sink: u32 = 0;

export function layoutVersion(): u32 {
  return LAYOUT_VERSION;
}

/** Takes capacity and addresses from the state region, fresh or restored. 0: done; else why not (state.ts). */
export function attach(): u32 {
  const wrong = attachState();
  if (wrong != 0) return wrong;
  attachLive();
  initHeld();
  return 0;
}

/** Puts the policy image of a bank in force, between two batches. 0: done; else what is wrong with it (image.ts). */
export function activate(bank: u32): u32 {
  const wrong = bank > 1 ? 1 : checkImage(bankAt(bank));
  if (wrong != 0) return wrong;
  store<u32>(STATE_AT, bank + 1, S_ACTIVE_BANK);
  attachPolicy();
  attachLive();
  return 0;
}

/** Starts a call: the clock, the events, the frames that the last call lent out, the fragments that are due. */
function begin(nowMs: f64, outputs: u32): void {
  store<u32>(STATE_AT, 0, S_EVENTS_WRITTEN);
  store<u32>(STATE_AT, outputs, S_OUTPUTS);
  reclaimHeld();
  if (!advanceTo(nowMs > 0 ? <u64>nowMs : 0)) count(C_CLOCK_BACK);
  expireDatagrams(false);
}

/** Decides the descriptors 0 to `packets` - 1 at `nowMs`. Returns how many descriptors hold a verdict now. */
export function process(packets: u32, nowMs: f64): u32 {
  if (packets > batchMax) packets = batchMax;
  begin(nowMs, packets);
  if (policyAt == 0) {
    refuseAll(packets);
    return packets;
  }
  for (let first: u32 = 0; first < packets; first += PASS_MAX)
    pass(first, min<u32>(PASS_MAX, packets - first));
  const outputs = load<u32>(STATE_AT, S_OUTPUTS);
  if (isLive) forwardReleased(descriptorAt(packets), descriptorAt(outputs));
  return outputs;
}


@inline
function descriptorAt(index: u32): usize {
  return descriptorsAt + <usize>index * DESC_SIZE;
}

/**
 * One pass: parse all, then touch the lines that they will need in loops that do nothing else, then decide. The cache
 * misses of a pass overlap that way (bench/).
 */
function pass(first: u32, packets: u32): void {
  const descriptors = descriptorAt(first);
  const end = metaAt + <usize>packets * META_SIZE;
  for (let meta = metaAt, at = descriptors; meta < end; meta += META_SIZE, at += DESC_SIZE) parse(at, meta);
  let touched: u32 = 0;
  for (let meta = metaAt; meta < end; meta += META_SIZE) touched += touchGroup(load<u32>(meta, M_HASH));
  sink = touched;
  for (let meta = metaAt; meta < end; meta += META_SIZE)
    store<u32>(meta, candidate(load<u32>(meta, M_HASH), load<u8>(meta, M_V6)), M_SLOT);
  if (isHandingOver) {
    for (let meta = metaAt, at = descriptors; meta < end; meta += META_SIZE, at += DESC_SIZE)
      decideHandingOver(at, meta);
  } else if (load<u32>(STATE_AT, S_ROLE) == ROLE_STANDBY) {
    for (let meta = metaAt, at = descriptors; meta < end; meta += META_SIZE, at += DESC_SIZE)
      decideStandby(at, meta);
  } else {
    for (let meta = metaAt, at = descriptors; meta < end; meta += META_SIZE, at += DESC_SIZE)
      decide(at, meta);
  }
  if (isLive) forwardPass(descriptors, descriptorAt(first + packets), metaAt);
  sweep(SWEEP_PER_PASS);
}

/** No policy: nothing passes. */
function refuseAll(packets: u32): void {
  const meta = metaAt;
  for (let i: u32 = 0; i < packets; i++) {
    const descriptor = descriptorAt(i);
    memory.fill(meta, 0, META_SIZE);
    store<u8>(meta, load<u8>(descriptor, D_INGRESS), M_INGRESS);
    store<u32>(meta, load<u32>(descriptor, D_WIRE), M_WIRE);
    store<u64>(descriptor, 0, D_RULE);
    store<u64>(descriptor, 0, D_SESSION_ID);
    verdict(descriptor, meta, VERDICT_DROP, R_NOT_READY, 0);
  }
}

/** Advances the clock without packets and sweeps `budget` groups. Returns the number of released fragments. */
export function expire(nowMs: f64, budget: u32): u32 {
  begin(nowMs, 0);
  sweep(budget);
  return load<u32>(STATE_AT, S_OUTPUTS);
}

/** Gives up every held fragment (the end of a capture). Returns their number. */
export function flush(nowMs: f64): u32 {
  begin(nowMs, 0);
  expireDatagrams(true);
  return load<u32>(STATE_AT, S_OUTPUTS);
}

/** Deletes the session of a slot (`clear ip inspect session`). 1: there was one. */
export function remove(slot: u32): u32 {
  if (!isUsed(slot)) return 0;
  release(slot, C_CLEARED);
  return 1;
}

/**
 * Takes a role. A standby that becomes active goes on with the sessions that it has been told of: they already stand in
 * the table. Whoever was told of what ends with a role.
 */
export function setRole(role: u32): void {
  if (role == load<u32>(STATE_AT, S_ROLE)) return;
  setPeer(0);
  store<u32>(STATE_AT, role, S_ROLE);
  if (role == ROLE_ACTIVE) store<u64>(STATE_AT, max<u64>(load<u64>(STATE_AT, S_NOW_MS), 1), S_PROMOTED_MS);
}

export { attachLive } from "./live";
export { findNextHop } from "./forward";
export { dropNeighbor, putNeighbor } from "./neighbor";
export { scan, setPeer, startBulk, tellHalfOpen, writeRecords } from "./sync-write";
export { distrust, takeRecords } from "./sync-take";
