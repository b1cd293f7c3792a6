/**
 * The compiled lists against the line by line evaluator, over random lists and packets at their bounds: the rule found
 * is the same, for each of both ways to find it. Then long lists, as people write them and made to blow the trees up:
 * both ways agree, and the size is bounded.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { ACL_BLOCK4_SIZE, ACL_RECORD4_SIZE, BLOCK_LANES } from "../../assembly/layout.js";
import { type AclPacket, evaluate } from "../../src/acl/evaluate.js";
import { COPIES_MAX } from "../../src/acl/tree.js";
import type { Ace, AddressMatch, Family } from "../../src/config/model.js";
import { Random } from "../model/random.js";
import { classBenchEntries, classBenchPacket } from "./classbench.js";
import { type AclCore, aclCore, describePacket, findRule, loadLists } from "./core.js";
import { configWith, permit } from "./entries.js";
import { type RandomLists, randomList, randomPacket } from "./generate.js";

let core: AclCore;
beforeAll(async () => {
  core = await aclCore();
});

/** Number + 1 of the entry that decides, 0 for the end of the list. */
function expected({ config, entries }: RandomLists, packet: AclPacket, active: ReadonlySet<string>): number {
  const { entry } = evaluate(config, "L", packet, (name) => active.has(name));
  return entry === undefined ? 0 : entries.indexOf(entry) + 1;
}

/** How often an entry decided. */
function compare(random: Random, lists: RandomLists, packets: number): number {
  const { timeRanges } = loadLists(core, lists.config, lists.family);
  let active = new Set<string>();
  let matched = 0;
  for (let i = 0; i < packets; i++) {
    if (i % 100 === 0) {
      const bits = random.int(2 ** timeRanges.length);
      core.setTimeRanges(BigInt(bits));
      active = new Set(timeRanges.filter((_, bit) => (bits >> bit) & 1));
    }
    const packet = randomPacket(random, lists);
    const rule = expected(lists, packet, active);
    const found = findRule(core, packet);
    if (found !== rule) expect.fail(`rule ${rule}, ${found} found: ${describePacket(packet)}`);
    if (rule !== 0) matched++;
  }
  return matched;
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

// ------------------------------------------------------------------------------------------------- long lists

/** Bytes of the section. */
const load = (entries: Ace[]): number => loadLists(core, configWith(entries), 4).section.length;

/** How many different rules were found. */
function compareWays(packets: number, make: () => AclPacket): number {
  const found = new Set<number>();
  for (let i = 0; i < packets; i++) found.add(findRule(core, make()));
  return found.size;
}

const MIB = 1024 * 1024;
test.each([
  { count: 17, bytes: 16 * 1024 },
  { count: 100, bytes: 32 * 1024 },
  { count: 1_000, bytes: 256 * 1024 },
  { count: 10_000, bytes: MIB },
])("$count entries as in ClassBench fit into $bytes bytes", ({ count, bytes }) => {
  const random = new Random(count);
  const entries = classBenchEntries(random, count);
  expect(load(entries)).toBeLessThanOrEqual(bytes);
  const packets = 30_000;
  expect(compareWays(packets, () => classBenchPacket(random, entries))).toBeGreaterThan(
    Math.min(count, 5000) / 2,
  );
});

const COUNT = 4000;
const host = (address: number): AddressMatch => ({ kind: "wildcard", address, wildcard: 0 });
const hostile: [name: string, make: (random: Random, place: number) => Partial<Ace>][] = [
  [
    "hosts to any, any to hosts",
    (_random, place) =>
      place % 2 === 0
        ? { source: host(0x0a000000 + place * 77) }
        : { destination: host(0x0b000000 + place * 31) },
  ],
  [
    "port ranges across each other",
    (random) => {
      const range = () => {
        const low = random.int(60_000);
        return { op: "range" as const, low, high: low + random.int(65535 - low) };
      };
      return { protocol: 6, sourcePort: range(), destinationPort: range() };
    },
  ],
  [
    "wide networks across each other",
    (random) => {
      const network = (): AddressMatch => {
        const wildcard = 2 ** random.between(16, 30) - 1;
        return { kind: "wildcard", address: (random.u32() & ~wildcard) >>> 0, wildcard };
      };
      return { source: network(), destination: network() };
    },
  ],
  [
    "wildcards with gaps",
    (random) => ({ source: { kind: "wildcard", address: random.u32() & 0xff00ff, wildcard: 0xff00ff00 } }),
  ],
  ["the same box for all", (_random, place) => ({ protocol: 17, ttl: { op: "eq", values: [place % 251] } })],
];

test.each(hostile)("%s", (_name, make) => {
  const random = new Random(1);
  const entries = Array.from({ length: COUNT }, (_, place) => ({ ...permit(), ...make(random, place) }));
  // Blocks are more than half full, on average.
  const perRecord = ACL_RECORD4_SIZE + (COPIES_MAX * 2 * ACL_BLOCK4_SIZE) / BLOCK_LANES;
  expect(load(entries)).toBeLessThan(COUNT * (perRecord + 64));
  const found = compareWays(2_000, () => {
    const near = random.pick(entries);
    const address = (match: AddressMatch): number =>
      match.kind === "wildcard" ? (match.address | (random.u32() & match.wildcard)) >>> 0 : random.u32();
    const port = (match: Ace["sourcePort"]): number =>
      match?.op === "range" ? random.pick([match.low, match.high, random.int(65536)]) : random.int(65536);
    return {
      source: address(near.source),
      destination: address(near.destination),
      protocol: near.protocol ?? random.pick([6, 17]),
      sourcePort: port(near.sourcePort),
      destinationPort: port(near.destinationPort),
      ttl: random.int(256),
    };
  });
  expect(found).toBeGreaterThan(20);
});
