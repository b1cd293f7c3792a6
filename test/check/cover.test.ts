/**
 * Whether one entry covers another: compared with the evaluator over random entries and packets, and case by case.
 */
import { describe, expect, test } from "vitest";
import { aceMatches } from "../../src/acl/evaluate.js";
import { coverage, isEmpty, shapeOf } from "../../src/check/cover.js";
import type { Ace, AddressMatch, Family, NumberMatch } from "../../src/config/model.js";
import { parseCidr, parseIpv4 } from "../../src/ip.js";
import { ace, configWithGroups, random, randomAce, randomPacket } from "./entries.js";

describe("coverage", () => {
  test("what is covered, no packet escapes; what is not, some packet does (random, seeded)", () => {
    const config = configWithGroups();
    const pick = random(29);
    const counts = { all: 0, datagrams: 0, none: 0 };
    let unproven = 0;
    for (let round = 0; round < 20_000; round++) {
      const [earlier, later] = [randomAce(pick), randomAce(pick)];
      const shapes = [shapeOf(config, earlier, 4), shapeOf(config, later, 4)] as const;
      if (isEmpty(shapes[0]) || isEmpty(shapes[1])) continue;
      const extent = coverage(...shapes);
      counts[extent]++;
      let escaped = false;
      for (let i = 0; i < 60; i++) {
        const packet = randomPacket(pick);
        for (const isActive of [() => true, () => false]) {
          if (!aceMatches(config, later, packet, isActive)) continue;
          if (aceMatches(config, earlier, packet, isActive)) continue;
          if (extent === "all" || (extent === "datagrams" && !packet.nonInitialFragment)) {
            expect.fail(`round ${round}: ${JSON.stringify({ earlier, later, packet })}`);
          }
          escaped = true;
        }
      }
      if (extent === "none" && !escaped) unproven++;
    }
    expect(counts.all).toBeGreaterThan(200);
    expect(counts.datagrams).toBeGreaterThan(8);
    // 60 packets are few for narrow entries: most of "none" is proven, and the covered ones are far fewer than all.
    expect(unproven).toBeLessThan(counts.none * 0.75);
  });

  const cover = (
    earlier: Partial<Ace>,
    later: Partial<Ace>,
    family: Family = 4,
    config = configWithGroups(),
  ) => coverage(shapeOf(config, ace(earlier), family), shapeOf(config, ace(later), family));
  const net = (address: string, wildcard = "0.0.0.0"): AddressMatch => ({
    kind: "wildcard",
    address: parseIpv4(address)!,
    wildcard: parseIpv4(wildcard)!,
  });
  const net6 = (text: string): AddressMatch => {
    const { network, prefixLength } = parseCidr(text)!;
    return { kind: "prefix", address: network, prefixLength };
  };
  const eq = (...values: number[]): NumberMatch => ({ op: "eq", values });
  const range = (low: number, high: number): NumberMatch => ({ op: "range", low, high });

  const rows: [
    name: string,
    earlier: Partial<Ace>,
    later: Partial<Ace>,
    extent: ReturnType<typeof coverage>,
  ][] = [
    ["identical", { protocol: 6, destinationPort: eq(80) }, { protocol: 6, destinationPort: eq(80) }, "all"],
    [
      "a wider network",
      { source: net("10.0.0.0", "0.255.255.255") },
      { source: net("10.1.0.0", "0.0.255.255") },
      "all",
    ],
    [
      "a narrower network",
      { source: net("10.1.0.0", "0.0.255.255") },
      { source: net("10.0.0.0", "0.255.255.255") },
      "none",
    ],
    ["any and a host", {}, { source: net("10.0.0.1"), destination: net("10.0.0.2") }, "all"],
    [
      "a scattered wildcard and a host",
      { source: net("10.0.10.0", "0.255.0.255") },
      { source: net("10.9.10.7") },
      "all",
    ],
    [
      "a scattered wildcard and a network in it",
      { source: net("10.0.10.0", "0.255.0.255") },
      { source: net("10.9.10.0", "0.0.0.255") },
      "all",
    ],
    [
      "a scattered wildcard and a network across it",
      { source: net("10.0.10.0", "0.255.0.255") },
      { source: net("10.9.10.0", "0.0.1.255") },
      "none",
    ],
    [
      "two scattered wildcards",
      { source: net("0.0.0.1", "255.255.255.254") },
      { source: net("10.0.0.1", "0.0.0.254") },
      "all",
    ],
    [
      "the other way round",
      { source: net("10.0.0.1", "0.0.0.254") },
      { source: net("0.0.0.1", "255.255.255.254") },
      "none",
    ],
    ["ip and tcp", {}, { protocol: 6, destinationPort: eq(80) }, "all"],
    ["tcp and ip", { protocol: 6 }, {}, "none"],
    [
      "a wider range",
      { protocol: 6, sourcePort: range(1, 100) },
      { protocol: 6, sourcePort: range(10, 100) },
      "all",
    ],
    [
      "ranges that meet",
      { protocol: 6, sourcePort: range(1, 100) },
      { protocol: 6, sourcePort: range(10, 101) },
      "none",
    ],
    [
      "neq and gt",
      { protocol: 6, sourcePort: { op: "neq", values: [80] } },
      { protocol: 6, sourcePort: { op: "gt", value: 80 } },
      "all",
    ],
    [
      "neq and lt",
      { protocol: 6, sourcePort: { op: "neq", values: [80] } },
      { protocol: 6, sourcePort: { op: "lt", value: 82 } },
      "none",
    ],
    [
      "established and ack",
      { protocol: 6, established: true },
      { protocol: 6, flags: { mode: "any", set: 16, clear: 0 } },
      "all",
    ],
    [
      "established and ack or psh",
      { protocol: 6, established: true },
      { protocol: 6, flags: { mode: "any", set: 24, clear: 0 } },
      "none",
    ],
    [
      "ack and established",
      { protocol: 6, flags: { mode: "any", set: 20, clear: 0 } },
      { protocol: 6, established: true },
      "all",
    ],
    [
      "icmp type and its code",
      { protocol: 1, icmp: { type: 3 } },
      { protocol: 1, icmp: { type: 3, code: 4 } },
      "all",
    ],
    [
      "icmp code and its type",
      { protocol: 1, icmp: { type: 3, code: 4 } },
      { protocol: 1, icmp: { type: 3 } },
      "none",
    ],
    ["precedence and dscp in it", { precedence: 5 }, { dscp: 46 }, "all"],
    ["dscp and precedence", { dscp: 46 }, { precedence: 5 }, "none"],
    ["another time range", { timeRange: "T" }, { timeRange: "U" }, "none"],
    ["always and a time range", {}, { timeRange: "U" }, "all"],
    ["a time range and always", { timeRange: "T" }, {}, "none"],
    ["any option and one", { option: "any" }, { option: 7 }, "all"],
    ["one option and any", { option: 7 }, { option: "any" }, "none"],
    ["log makes no difference", { log: "log" }, {}, "all"],
    [
      "deny with a port, then permit: fragments remain",
      { action: "deny", protocol: 6, destinationPort: eq(80) },
      { protocol: 6, destinationPort: eq(80) },
      "datagrams",
    ],
    [
      "permit with a port, then deny",
      { protocol: 6, destinationPort: eq(80) },
      { action: "deny", protocol: 6, destinationPort: eq(80) },
      "all",
    ],
    ["permit ip, then deny fragments", {}, { action: "deny", fragments: true }, "all"],
    ["deny fragments, then permit ip", { action: "deny", fragments: true }, {}, "none"],
    [
      "permit tcp eq, then deny tcp fragments",
      { protocol: 6, sourcePort: eq(1) },
      { action: "deny", protocol: 6, fragments: true },
      "all",
    ],
    [
      "deny tcp eq, then permit tcp fragments",
      { action: "deny", protocol: 6, sourcePort: eq(1) },
      { protocol: 6, fragments: true },
      "none",
    ],
    [
      "a service group and one of its services",
      { serviceGroup: "S" },
      { protocol: 17, destinationPort: eq(2) },
      "all",
    ],
    [
      "a service group and another service",
      { serviceGroup: "S" },
      { protocol: 17, destinationPort: eq(3) },
      "none",
    ],
    ["a service and the group", { protocol: 6 }, { serviceGroup: "S" }, "none"],
    [
      "a network group and what two of its members cover",
      { source: { kind: "group", name: "N" } },
      { source: net("0.0.0.2", "0.0.0.1") },
      "all",
    ],
    [
      "a network group and a host outside it",
      { source: { kind: "group", name: "N" } },
      { source: net("0.0.0.7") },
      "none",
    ],
  ];
  test.each(rows)("%s", (_name, earlier, later, extent) => {
    expect(cover(earlier, later)).toBe(extent);
  });

  test("two members of a group together", () => {
    const config = configWithGroups();
    const range: AddressMatch = { kind: "group", name: "R" };
    config.objectGroups.set("R", {
      at: { line: 1, column: 1 },
      name: "R",
      kind: "network",
      members: [{ at: { line: 1, column: 1 }, kind: "range", low: 2, high: 5 }],
    });
    expect(cover({ source: { kind: "group", name: "N" } }, { source: range }, 4, config)).toBe("all");
  });

  const rows6: typeof rows = [
    ["prefix", { source: net6("2001:db8::/32") }, { source: net6("2001:db8:1::/48") }, "all"],
    ["longer prefix", { source: net6("2001:db8:1::/48") }, { source: net6("2001:db8::/32") }, "none"],
    ["any", {}, { source: net6("::/0") }, "all"],
    ["::/0 is any", { source: net6("::/0") }, {}, "all"],
    ["routing", { routing: {} }, { routing: { type: 0 } }, "all"],
    ["routing type", { routing: { type: 0 } }, { routing: {} }, "none"],
    ["hop by hop", { hopByHop: true }, {}, "none"],
    [
      "no condition",
      {},
      { hopByHop: true, mobility: { type: 5 }, flowLabel: 3, undeterminedTransport: true },
      "all",
    ],
    ["flow label", { flowLabel: 3 }, { flowLabel: 4 }, "none"],
    ["destination option", { destinationOption: {} }, { destinationOption: { type: 201 } }, "all"],
  ];
  test.each(rows6)("IPv6: %s", (_name, earlier, later, extent) => {
    expect(cover(earlier, later, 6)).toBe(extent);
  });
});
