/**
 * What must hold of a core's memory at any moment, worked out here from nothing but the sessions in it: tags, chains,
 * lists, counts, digests.
 */
import { expect } from "vitest";
import * as L from "../../assembly/layout.js";
import type { Box } from "./pair.js";

const MASK64 = (1n << 64n) - 1n;
const HALF_OPEN = new Set([L.ST_SYN_SENT, L.ST_SYN_RECV, L.ST_SYN_SENT2, L.ST_OPENING]);

/** The share of a session in the digest of its bucket: the finalizer of MurmurHash3 over id and version. */
export function digestOf(id: bigint, version: bigint): bigint {
  let h = (id * 0x9e3779b97f4a7c15n + version) & MASK64;
  h = ((h ^ (h >> 33n)) * 0xff51afd7ed558ccdn) & MASK64;
  h = ((h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK64;
  return h ^ (h >> 33n);
}

/** Pair-multiply-shift over a key of two u64 (assembly/hash.ts). */
function hashOf({ core }: Box, key0: bigint, key1: bigint): bigint {
  const seed = (i: number) => core.state64(L.S_SEEDS + 8 * i);
  const pair = (word: bigint, a: bigint, b: bigint) => (a + (word >> 32n)) * (b + (word & 0xffffffffn));
  return ((pair(key0, seed(0), seed(1)) + pair(key1, seed(2), seed(3))) & MASK64) >> 32n;
}

/** A doubly linked list of slots, from its start; both directions must agree. */
export function listOf(
  { core }: Box,
  oldest: number,
  newest: number,
  older: number,
  newer: number,
): number[] {
  const { at } = core.plan.regions.cold;
  const link = (slot: number, field: number) => core.view.getUint32(at + slot * L.COLD_SIZE + field, true);
  const slots: number[] = [];
  let before = 0;
  for (let next = core.state(oldest); next !== 0; next = link(next - 1, newer)) {
    expect(link(next - 1, older), "the link back").toBe(before);
    before = next;
    slots.push(next - 1);
    if (slots.length > core.plan.groups * L.GROUP_SLOTS) throw new Error("a list runs in a circle");
  }
  expect(core.state(newest), "the newest of a list").toBe(before);
  return slots;
}

/** Sessions whose change waits, oldest first. */
export const queueOf = (box: Box): number[] =>
  listOf(box, L.S_QUEUE_OLDEST, L.S_QUEUE_NEWEST, L.COLD_QUEUE_OLDER, L.COLD_QUEUE_NEWER);

/** Fails when the memory of a box contradicts itself. */
export function audit(box: Box): void {
  const { core } = box;
  const { tags, overflow, hot } = core.plan.regions;
  const { groups } = core.plan;
  const slots = box.slots();
  const live = slots.filter(({ isGone }) => !isGone);
  expect(core.state(L.S_SESSIONS), "sessions").toBe(live.length);
  expect(core.state(L.S_GONE), "deleted sessions").toBe(slots.length - live.length);

  const passed = new Uint16Array(groups);
  const halfOpen: number[] = [];
  for (const { slot, isGone } of slots) {
    const record = hot.at + slot * L.HOT_SIZE;
    const kind = core.bytes[record + L.HOT_KIND]!;
    expect((kind & L.KIND_GONE) !== 0, "the mark of a deleted session").toBe(isGone);
    if (isGone) continue;
    const key0 = core.view.getBigUint64(record, true) & 0x00ffffffffffffffn;
    const key1 = core.view.getBigUint64(record + 8, true) & 0x0000ffffffffffffn;
    const hash = hashOf(box, key0, key1);
    expect(BigInt(core.view.getUint16(tags.at + 2 * slot, true)), "tag").toBe((hash & 0x7fffn) | 0x8000n);
    let group = Number((hash * BigInt(groups)) >> 32n);
    for (; group !== slot >> 4; group = (group + 1) % groups) passed[group]!++;
    if (HALF_OPEN.has(core.bytes[record + L.HOT_STATE]!)) halfOpen.push(slot);
  }
  const counts = new Uint16Array(core.bytes.buffer, overflow.at, groups);
  expect(Buffer.compare(Buffer.from(counts.slice().buffer), Buffer.from(passed.buffer)), "overflow").toBe(0);

  const list = listOf(box, L.S_HALF_OPEN_OLDEST, L.S_HALF_OPEN_NEWEST, L.COLD_OLDER, L.COLD_NEWER);
  expect(list.toSorted(), "half-open sessions").toEqual(halfOpen.toSorted());
  expect(core.state(L.S_HALF_OPEN), "half-open sessions counted").toBe(halfOpen.length);

  const waiting = slots.filter(({ pending }) => pending !== L.PENDING_NONE).map(({ slot }) => slot);
  expect(queueOf(box).toSorted(), "the queue").toEqual(waiting.toSorted());
  expect(core.state(L.S_QUEUED), "the queue counted").toBe(waiting.length);

  const digests = new Array<bigint>(L.SYNC_BUCKETS).fill(0n);
  const known = slots.filter(({ isKnown }) => isKnown);
  for (const { id, version } of known) {
    const bucket = Number(id % BigInt(L.SYNC_BUCKETS));
    digests[bucket] = digests[bucket]! ^ digestOf(id, version);
  }
  expect(box.digests(), "digests").toEqual(digests);
  expect(core.state(L.S_KNOWN), "known sessions").toBe(known.length);
}
