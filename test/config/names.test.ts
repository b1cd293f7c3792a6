/** The name tables, walked completely in both directions, and against the numbers of the field's own lists. */
import { describe, expect, test } from "vitest";
import { parse, show } from "../../src/config/index.js";
import * as names from "../../src/config/names.js";
import { commandsOf } from "./pair.js";

const NUMBER_TABLES = {
  PROTOCOLS: [names.PROTOCOLS, 15],
  PROTOCOLS6: [names.PROTOCOLS6, 7],
  TCP_PORTS: [names.TCP_PORTS, 38],
  UDP_PORTS: [names.UDP_PORTS, 28],
  TCP_UDP_PORTS: [names.TCP_UDP_PORTS, 9],
  IGMP_TYPES: [names.IGMP_TYPES, 8],
  PRECEDENCES: [names.PRECEDENCES, 8],
  TOS_NAMES: [names.TOS_NAMES, 5],
  DSCP_NAMES: [names.DSCP_NAMES, 21],
  IP_OPTIONS: [names.IP_OPTIONS, 25],
  MOBILITY_TYPES: [names.MOBILITY_TYPES, 8],
  DESTINATION_OPTIONS: [names.DESTINATION_OPTIONS, 1],
  LOG_LEVELS: [names.LOG_LEVELS, 8],
  LOG_FACILITIES: [names.LOG_FACILITIES, 24],
} as const;

describe.each(Object.entries(NUMBER_TABLES))("%s", (_title, [table, size]) => {
  test(`has ${size} names, each a number that is printed with one of its names`, () => {
    expect(table.names).toHaveLength(size);
    for (const name of table.names) {
      const value = table.value(name)!;
      expect(Number.isInteger(value)).toBe(true);
      expect(table.value(name.toUpperCase())).toBe(value);
      const printed = table.name(value);
      if (printed !== undefined) expect(table.value(printed)).toBe(value);
    }
  });

  test("takes a unique abbreviation, and no other", () => {
    for (const name of table.names) {
      for (let length = 1; length < name.length; length++) {
        const short = name.slice(0, length);
        const meant = table.names.filter((other) => other.startsWith(short));
        const exact = table.names.includes(short);
        const expected = exact ? table.value(short) : meant.length === 1 ? table.value(name) : undefined;
        expect([short, table.value(short)]).toEqual([short, expected]);
      }
    }
    for (const wrong of ["", "zzz", " ", "-1"]) expect(table.value(wrong)).toBeUndefined();
  });
});

describe.each([
  ["ICMP_NAMES", names.ICMP_NAMES, 44],
  ["ICMP6_NAMES", names.ICMP6_NAMES, 29],
] as const)("%s", (_title, table, size) => {
  test(`has ${size} names, each a type or a type and code`, () => {
    expect(table.names).toHaveLength(size);
    for (const name of table.names) {
      const match = table.value(name)!;
      expect(match.type).toBeGreaterThanOrEqual(0);
      expect(match.type).toBeLessThanOrEqual(255);
      const printed = table.name(match)!;
      expect(table.value(printed)).toEqual(match);
    }
    expect(table.value("no-such-name")).toBeUndefined();
    expect(table.name({ type: 250 })).toBeUndefined();
  });
});

test("numbers that two transports name differently", () => {
  const both = [512, 513, 514, 520].map((port) => [names.TCP_PORTS.name(port), names.UDP_PORTS.name(port)]);
  expect(both).toEqual([
    ["exec", "biff"],
    ["login", "who"],
    ["cmd", "syslog"],
    [undefined, "rip"],
  ]);
});

test("names that are read and not printed", () => {
  for (const [name, port] of [
    ["ssh", 22],
    ["https", 443],
    ["http", 80],
  ] as const) {
    expect(names.TCP_PORTS.value(name)).toBe(port);
    expect(names.TCP_PORTS.name(port)).not.toBe(name);
  }
});

test("DSCP by its formula (RFC 2597): afXY is 8X + 2Y", () => {
  expect(
    ["af11", "af23", "af43", "cs5", "ef", "default"].map((name) => names.DSCP_NAMES.value(name)),
  ).toEqual([10, 22, 38, 40, 46, 0]);
});

describe("every name is read and written in an access list", () => {
  const inList = (family: 4 | 6, entries: readonly string[]) => {
    const head = family === 4 ? "ip access-list extended L" : "ipv6 access-list L";
    const { config, diagnostics } = parse([head, ...entries].join("\n"));
    expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
    return commandsOf(show(config)).slice(1, -1);
  };
  test.each([
    ["tcp", names.TCP_PORTS],
    ["udp", names.UDP_PORTS],
  ] as const)("%s ports", (protocol, table) => {
    const entries = table.names.map((name) => `permit ${protocol} any any eq ${name}`);
    const printed = new Set(table.names.map((name) => table.name(table.value(name)!) ?? table.value(name)));
    expect(inList(4, entries)).toEqual([...printed].map((name) => `permit ${protocol} any any eq ${name}`));
  });
  test.each([
    ["protocols", 4, names.PROTOCOLS.names, (name: string) => `permit ${name} any any`],
    ["ICMP", 4, names.ICMP_NAMES.names, (name: string) => `permit icmp any any ${name}`],
    ["IGMP", 4, names.IGMP_TYPES.names, (name: string) => `permit igmp any any ${name}`],
    ["precedence", 4, names.PRECEDENCES.names, (name: string) => `permit ip any any precedence ${name}`],
    ["tos", 4, names.TOS_NAMES.names, (name: string) => `permit ip any any tos ${name}`],
    ["dscp", 4, names.DSCP_NAMES.names, (name: string) => `permit ip any any dscp ${name}`],
    ["option", 4, names.IP_OPTIONS.names, (name: string) => `permit ip any any option ${name}`],
    ["flags", 4, Object.keys(names.TCP_FLAGS), (name: string) => `permit tcp any any ${name}`],
    ["IPv6 protocols", 6, names.PROTOCOLS6.names, (name: string) => `permit ${name} any any`],
    [
      "mobility",
      6,
      names.MOBILITY_TYPES.names,
      (name: string) => `permit ipv6 any any mobility-type ${name}`,
    ],
  ] as const)("%s", (_title, family, all, entry) => {
    const entries = all.map(entry);
    expect(inList(family, entries)).toEqual(entries);
  });
  test("ICMPv6", () => {
    const entries = names.ICMP6_NAMES.names.map((name) => `permit icmp any any ${name}`);
    // Two names of one type are one entry, printed with the first name.
    expect(inList(6, entries)).toEqual(entries.filter((entry) => !entry.endsWith(" unreachable")));
  });
});
