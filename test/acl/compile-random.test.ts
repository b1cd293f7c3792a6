/**
 * The compiled lists against the line by line evaluator, over random lists and packets at their bounds: the rule found
 * is the same, for each of both ways to find it.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { compileAccessLists, type CompiledLists } from "../../src/acl/compile.js";
import { type AclPacket, evaluate } from "../../src/acl/evaluate.js";
import type { Family } from "../../src/config/model.js";
import { Random } from "../model/random.js";
import { type AclCore, aclCore } from "./core.js";
import { type RandomLists, randomList, randomPacket } from "./generate.js";

let core: AclCore;
beforeAll(async () => {
  core = await aclCore();
});

function compiled({ config, family }: RandomLists): CompiledLists {
  const result = compileAccessLists(config, [{ family, name: "L" }]);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.lists;
}

/** Number + 1 of the entry that decides, 0 for the end of the list. */
function expected({ config, entries }: RandomLists, packet: AclPacket, active: ReadonlySet<string>): number {
  const { entry } = evaluate(config, "L", packet, (name) => active.has(name));
  return entry === undefined ? 0 : entries.indexOf(entry) + 1;
}

/** How often an entry decided. */
function compare(random: Random, lists: RandomLists, packets: number): number {
  const { section, timeRanges } = compiled(lists);
  core.load(section);
  expect(core.validate()).toBe(true);
  let matched = 0;
  for (let i = 0; i < packets; i++) {
    if (i % 100 === 0) core.setTimeRanges(BigInt(random.int(2 ** timeRanges.length)));
    const packet = randomPacket(random, lists);
    matched += check(lists, packet, timeRanges) === 0 ? 0 : 1;
  }
  return matched;
}

function check(lists: RandomLists, packet: AclPacket, timeRanges: string[]): number {
  const bits = core.timeRanges();
  const active = new Set(timeRanges.filter((_, bit) => (bits >> BigInt(bit)) & 1n));
  core.setPacket(packet);
  const rule = expected(lists, packet, active);
  const found = core.find(1);
  const scanned = core.scan(1);
  if (found !== rule || scanned !== rule) {
    expect.fail(`rule ${rule} expected, ${found} found, ${scanned} scanned: ${describePacket(packet)}`);
  }
  return rule;
}

function describePacket(packet: AclPacket): string {
  return JSON.stringify(packet, (_, value) => (typeof value === "bigint" ? value.toString(16) : value));
}

const SIZES = [
  { length: 1, lists: 300, packets: 60 },
  { length: 5, lists: 200, packets: 150 },
  { length: 30, lists: 120, packets: 300 },
  { length: 100, lists: 40, packets: 700 },
  { length: 600, lists: 6, packets: 1500 },
] as const;

describe.each([4, 6] as const)("IPv%i", (family: Family) => {
  test.each(SIZES)("$lists lists of $length entries", ({ length, lists, packets }) => {
    const random = new Random(family * 1000 + length);
    let matched = 0;
    for (let i = 0; i < lists; i++) matched += compare(random, randomList(random, family, length), packets);
    // The packets would prove little if they passed the entries by.
    expect(matched / (lists * packets)).toBeGreaterThan(length === 1 ? 0.1 : 0.25);
  });
});
