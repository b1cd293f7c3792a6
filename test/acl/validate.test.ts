/**
 * A damaged section is refused, or gives some answer: it never makes a lookup read beyond its end or run on. The
 * section ends where the memory ends (core.ts), so that reading on would trap.
 */
import { beforeAll, describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { compileAccessLists } from "../../src/acl/compile.js";
import type { AclPacket } from "../../src/acl/evaluate.js";
import { Random } from "../model/random.js";
import { classBenchEntries, classBenchPacket } from "./classbench.js";
import { type AclCore, aclCore } from "./core.js";
import { configWith } from "./entries.js";
import { randomList, randomPacket } from "./generate.js";

let core: AclCore;
beforeAll(async () => {
  core = await aclCore();
});

/** An IPv4 list of several trees, and an IPv6 list; with packets for both. */
function sample(): { section: Uint8Array; packets: AclPacket[] } {
  const random = new Random(42);
  const entries = classBenchEntries(random, 1500);
  const six = randomList(random, 6, 60);
  const config = { ...six.config, accessLists: configWith(entries).accessLists };
  const result = compileAccessLists(config, [
    { family: 4, name: "L" },
    { family: 6, name: "L" },
  ]);
  if (!result.ok) throw new Error("not compiled");
  const packets = Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0 ? classBenchPacket(random, entries) : randomPacket(random, six),
  );
  return { section: result.lists.section, packets };
}

const { section, packets } = sample();
const view = new DataView(section.buffer);
const u32 = (at: number): number => view.getUint32(at, true);
const lists = u32(L.AH_LISTS);
const second = lists + L.ACL_LIST_SIZE;
const conditions = u32(L.AH_CONDITIONS);
const nodes = u32(lists + L.AL_NODES);
const blocks = u32(lists + L.AL_BLOCKS);
const records = u32(lists + L.AL_RECORDS);
const nodeCount = u32(lists + L.AL_NODE_COUNT);
const blockCount = u32(lists + L.AL_BLOCK_COUNT);
const ruleCount = u32(L.AH_RULE_COUNT);
const lastNode = nodes + (nodeCount - 1) * L.ACL_NODE_SIZE;
const BEYOND = 0x7fffffff;

function isSound(damage: (bytes: DataView) => void): boolean {
  const copy = section.slice();
  damage(new DataView(copy.buffer));
  core.load(copy);
  return core.validate();
}

test("the sample has what the damages are about", () => {
  expect(u32(lists + L.AL_TREE_COUNT)).toBe(L.ACL_TREES_MAX);
  expect(nodeCount).toBeGreaterThan(10);
  expect(u32(second + L.AL_NODE_COUNT)).toBeGreaterThan(0);
  expect(u32(L.AH_CONDITION_COUNT)).toBeGreaterThan(10);
  expect(isSound(() => undefined)).toBe(true);
});

const run = (first: number, count: number): number =>
  ((first << L.REF_FIRST_SHIFT) | (count << 1) | L.REF_RUN) >>> 0;

describe("one field out of place", () => {
  const cases: [name: string, at: number, value: number][] = [
    ["size, smaller", L.AH_SIZE, section.length - 1],
    ["size, larger", L.AH_SIZE, section.length + 1],
    ["lists, elsewhere", L.AH_LISTS, section.length - L.ACL_LIST_SIZE],
    ["lists, beyond", L.AH_LISTS, BEYOND],
    ["lists, too many", L.AH_LIST_COUNT, 0x04000000],
    ["rules, beyond", L.AH_RULES, section.length - ruleCount],
    ["rules, too many", L.AH_RULE_COUNT, section.length],
    ["rules, as many as can be", L.AH_RULE_COUNT, 0xffffffff],
    ["rules, too few for the records", L.AH_RULE_COUNT, ruleCount - 1],
    ["conditions, beyond", L.AH_CONDITIONS, section.length],
    ["conditions, too many", L.AH_CONDITION_COUNT, 0x04000000],
    ["conditions, too few for the records", L.AH_CONDITION_COUNT, 1],
    ["family", lists + L.AL_FAMILY, 5],
    ["records, beyond", lists + L.AL_RECORDS, section.length],
    ["records, too many", lists + L.AL_RECORD_COUNT, 0x08000000],
    ["IPv6 records, too few for the blocks", second + L.AL_RECORD_COUNT, 1],
    ["trees, too many", lists + L.AL_TREE_COUNT, L.ACL_TREES_MAX + 1],
    ["nodes, beyond", lists + L.AL_NODES, BEYOND],
    ["nodes, too many", lists + L.AL_NODE_COUNT, 0x04000000],
    ["nodes, too few for the references", lists + L.AL_NODE_COUNT, nodeCount - 1],
    ["blocks, beyond", lists + L.AL_BLOCKS, section.length],
    ["blocks, too many", lists + L.AL_BLOCK_COUNT, 0x01000000],
    ["blocks, too few for the references", lists + L.AL_BLOCK_COUNT, blockCount - 1],
    ["root, no node", lists + L.AL_TREES + L.AT_ROOT, nodeCount * L.ACL_NODE_SIZE],
    ["root, between nodes", lists + L.AL_TREES + L.AT_ROOT, L.ACL_NODE_SIZE / 2],
    ["root, a run beyond", lists + L.AL_TREES + L.AT_ROOT, run(blockCount - 1, 2)],
    ["root, a run of too many", lists + L.AL_TREES + L.AT_ROOT, run(0, L.RUN_BLOCKS_MAX)],
    ["word of a node", nodes + L.AN_WORD, L.K_PROTOCOL + 1],
    ["child, its own node", nodes + L.AN_CHILDREN, 0],
    ["child, a node before", lastNode + L.AN_CHILDREN, (nodeCount - 2) * L.ACL_NODE_SIZE],
    ["child, no node", lastNode + L.AN_CHILDREN + 28, nodeCount * L.ACL_NODE_SIZE],
    ["child, a run beyond", lastNode + L.AN_CHILDREN, run(blockCount, 1)],
    ["rule of a lane", blocks + L.AB_IDS, (ruleCount + 1) * 2],
    ["record of a lane", blocks + L.AB_IDS, u32(lists + L.AL_RECORD_COUNT) * 2 + L.ID_VERIFY],
    ["rule of a record", records + L.AR_RULE, ruleCount + 1],
    ["condition of a record", records + L.AR_CONDITION, u32(L.AH_CONDITION_COUNT)],
    ["time range of a condition", conditions + L.AC_APPLIES, (L.TIME_RANGES_MAX + 1) << 8],
  ];
  test.each(cases)("%s", (_name, at, value) => {
    expect(isSound((bytes) => bytes.setUint32(at, value, true))).toBe(false);
  });
});

test("cut short anywhere", () => {
  for (let length = 0; length < section.length; length += length < 256 ? 1 : 997) {
    core.load(section.subarray(0, length));
    expect(core.validate()).toBe(false);
  }
});

/** Finds every packet in every list, by both ways; each rule found is one that there is. */
function lookUpAll(): void {
  for (const packet of packets) {
    core.setPacket(packet);
    for (const list of [1, 2]) {
      expect(core.find(list)).toBeLessThanOrEqual(core.ruleCount());
      expect(core.scan(list)).toBeLessThanOrEqual(core.ruleCount());
    }
  }
}

/** Where the bytes lie on which the shape of the section depends. */
function structuralBytes(): number[] {
  const ranges: [from: number, to: number][] = [
    [0, L.ACL_HEADER_SIZE],
    [lists, lists + 2 * L.ACL_LIST_SIZE],
    [nodes, nodes + 64 * L.ACL_NODE_SIZE],
    [u32(second + L.AL_NODES), u32(second + L.AL_NODES) + u32(second + L.AL_NODE_COUNT) * L.ACL_NODE_SIZE],
    [blocks, blocks + 4 * L.ACL_BLOCK4_SIZE],
    [conditions, conditions + u32(L.AH_CONDITION_COUNT) * L.ACL_CONDITION_SIZE],
  ];
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
}

test("any bytes overwritten: refused, or every lookup ends inside", () => {
  const random = new Random(7);
  const structural = structuralBytes();
  let sound = 0;
  const rounds = 3000;
  for (let round = 0; round < rounds; round++) {
    const isAccepted = isSound((bytes) => {
      for (let changes = random.between(1, 4); changes > 0; changes--) {
        const at = random.chance(0.7) ? random.pick(structural) : random.int(section.length);
        bytes.setUint8(at, random.pick([0, 1, 0xff, random.int(256)]));
      }
    });
    if (!isAccepted) continue;
    sound++;
    if (sound % 10 === 0) lookUpAll();
  }
  // Both outcomes have to be common for this to show anything.
  expect(sound).toBeGreaterThan(rounds / 10);
  expect(sound).toBeLessThan((rounds * 9) / 10);
});
