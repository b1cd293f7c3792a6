/**
 * The line by line evaluator: every operator and option, and the end of a list.
 */
import { describe, expect, test } from "vitest";
import { type AclPacket, evaluate, numberMatches } from "../../src/acl/evaluate.js";
import type { AccessEntry, Ace, NumberMatch } from "../../src/config/model.js";
import { at, ip, type Entry, permit, deny, configWith, TCP, UDP, ECHO, TCP6, takes } from "./entries.js";

describe("order and end of a list", () => {
  test("the first entry that matches decides", () => {
    const entries = [deny({ protocol: 17 }), permit({ destination: "192.0.2.9" }), deny()];
    const config = configWith(entries);
    expect(evaluate(config, "L", TCP)).toEqual({ undefinedList: false, action: "permit", entry: entries[1] });
    expect(evaluate(config, "L", UDP)).toEqual({ undefinedList: false, action: "deny", entry: entries[0] });
    expect(evaluate(config, "L", ECHO)).toMatchObject({ action: "permit", entry: entries[1] });
  });

  test("the end denies, without an entry", () => {
    const implicit = { undefinedList: false, action: "deny", entry: undefined };
    expect(evaluate(configWith([permit({ protocol: 17 })]), "L", TCP)).toEqual(implicit);
  });

  test("a list that is absent, empty or of remarks only is undefined, not a permit", () => {
    const undefinedList = { undefinedList: true, action: undefined, entry: undefined };
    const remark: AccessEntry = { kind: "remark", at, sequence: 10, text: "nothing yet" };
    expect(evaluate(configWith([permit()]), "OTHER", TCP)).toEqual(undefinedList);
    expect(evaluate(configWith([]), "L", TCP)).toEqual(undefinedList);
    expect(evaluate(configWith([remark]), "L", TCP)).toEqual(undefinedList);
    expect(evaluate(configWith([remark, permit()]), "L", TCP).action).toBe("permit");
  });

  test("IPv4 and IPv6 lists are looked up in spaces of their own", () => {
    expect(evaluate(configWith([permit()], 4), "L", TCP6).undefinedList).toBe(true);
    expect(evaluate(configWith([permit()], 6), "L", TCP).undefinedList).toBe(true);
    expect(evaluate(configWith([permit()], 6), "L", TCP6).action).toBe("permit");
  });

  test("a standard list looks at the source only", () => {
    const config = configWith([permit({ source: "10.0.0.0 0.0.0.255" })], 4, "standard");
    expect(evaluate(config, "L", TCP).action).toBe("permit");
    expect(evaluate(config, "L", { ...UDP, destination: ip("8.8.8.8") }).action).toBe("permit");
    expect(evaluate(config, "L", { ...TCP, source: ip("10.0.1.5") }).action).toBe("deny");
  });
});

describe("addresses", () => {
  const cases: [entry: string, address: string, matches: boolean][] = [
    ["any", "10.0.0.5", true],
    ["10.0.0.5", "10.0.0.5", true],
    ["10.0.0.5", "10.0.0.4", false],
    ["10.0.0.0 0.0.0.255", "10.0.0.255", true],
    ["10.0.0.0 0.0.0.255", "10.0.1.0", false],
    ["0.0.0.0 255.255.255.255", "255.255.255.255", true],
    ["10.0.10.0 0.255.0.255", "10.77.10.9", true],
    ["10.0.10.0 0.255.0.255", "10.77.11.9", false],
    ["0.0.0.1 255.255.255.254", "203.0.113.7", true],
    ["0.0.0.1 255.255.255.254", "203.0.113.8", false],
    ["128.0.0.0 127.255.255.255", "255.0.0.1", true],
    ["128.0.0.0 127.255.255.255", "127.255.255.255", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::", false],
    ["::/0", "fe80::1", true],
    ["2001:db8::1/128", "2001:db8::1", true],
    ["2001:db8::1/128", "2001:db8::2", false],
  ];
  test.each(cases)("%s against %s: %s", (entry, text, matches) => {
    const packet = text.includes(":") ? TCP6 : TCP;
    expect(takes({ source: entry }, { ...packet, source: ip(text) })).toBe(matches);
    expect(takes({ destination: entry }, { ...packet, destination: ip(text) })).toBe(matches);
  });

  test("all conditions hold together", () => {
    const entry: Entry = { source: "10.0.0.5", destination: "192.0.2.9", protocol: 6 };
    expect(takes(entry, TCP)).toBe(true);
    expect(takes({ ...entry, source: "10.0.0.6" }, TCP)).toBe(false);
    expect(takes({ ...entry, destination: "192.0.2.8" }, TCP)).toBe(false);
    expect(takes({ ...entry, protocol: 17 }, TCP)).toBe(false);
  });
});

describe("protocols and ports", () => {
  test("a protocol by number; `ip` takes all", () => {
    for (const protocol of [0, 1, 2, 6, 17, 47, 50, 51, 58, 89, 132, 255]) {
      const packet: AclPacket = { source: TCP.source, destination: TCP.destination, protocol };
      expect(takes({}, packet)).toBe(true);
      expect(takes({ protocol }, packet)).toBe(true);
      expect(takes({ protocol: protocol ^ 1 }, packet)).toBe(false);
    }
  });

  test("`ahp` also takes IPv6 packets with an authentication header before another one", () => {
    expect(takes({ protocol: 51 }, TCP6)).toBe(false);
    expect(takes({ protocol: 51 }, { ...TCP6, authenticationHeader: true })).toBe(true);
  });

  const operators: [match: NumberMatch, inside: number[], outside: number[]][] = [
    [{ op: "eq", values: [80] }, [80], [79, 81, 0, 65_535]],
    [{ op: "eq", values: [80, 443, 0] }, [80, 443, 0], [1, 442]],
    [{ op: "neq", values: [80] }, [0, 79, 81, 65_535], [80]],
    [{ op: "neq", values: [22, 23] }, [21, 24], [22, 23]],
    [{ op: "gt", value: 1023 }, [1024, 65_535], [1023, 0]],
    [{ op: "gt", value: 65_535 }, [], [0, 65_535]],
    [{ op: "lt", value: 1024 }, [0, 1023], [1024, 65_535]],
    [{ op: "lt", value: 0 }, [], [0, 1]],
    [{ op: "range", low: 20, high: 21 }, [20, 21], [19, 22]],
    [{ op: "range", low: 0, high: 65_535 }, [0, 65_535], []],
    [{ op: "range", low: 21, high: 20 }, [], [20, 21]],
  ];
  test.each(operators)("%o", (match, inside, outside) => {
    for (const [values, matches] of [
      [inside, true],
      [outside, false],
    ] as const) {
      for (const value of values) {
        expect(numberMatches(match, value)).toBe(matches);
        expect(takes({ protocol: 6, sourcePort: match }, { ...TCP, sourcePort: value })).toBe(matches);
        expect(takes({ protocol: 6, destinationPort: match }, { ...TCP, destinationPort: value })).toBe(
          matches,
        );
        const sctp = { ...TCP, protocol: 132, tcpFlags: undefined, destinationPort: value };
        expect(takes({ protocol: 132, destinationPort: match }, sctp)).toBe(matches);
      }
    }
  });

  test("a condition on a port does not hold for a packet without ports, negated or not", () => {
    const destinationPort: NumberMatch = { op: "neq", values: [80] };
    expect(takes({ destinationPort }, ECHO)).toBe(false);
  });
});

describe("TCP flags", () => {
  const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16] as const;

  test("established: ACK or RST, over all flag bytes", () => {
    for (let tcpFlags = 0; tcpFlags < 256; tcpFlags++) {
      const expected = (tcpFlags & ACK) !== 0 || (tcpFlags & RST) !== 0;
      expect(takes({ protocol: 6, established: true }, { ...TCP, tcpFlags })).toBe(expected);
    }
    expect(takes({ established: true }, UDP)).toBe(false);
  });

  const modes: [flags: NonNullable<Ace["flags"]>, matching: number[], others: number[]][] = [
    [{ mode: "all", set: ACK, clear: FIN }, [ACK, ACK | PSH], [0, FIN, ACK | FIN]],
    [{ mode: "all", set: SYN | ACK, clear: 0 }, [SYN | ACK, SYN | ACK | PSH], [SYN, ACK]],
    [{ mode: "all", set: 0, clear: RST }, [0, SYN, 0x3b], [RST, 0xff]],
    [{ mode: "any", set: SYN | FIN, clear: 0 }, [SYN, FIN, SYN | FIN, SYN | ACK], [0, ACK]],
    [{ mode: "any", set: ACK, clear: FIN }, [ACK, 0, ACK | FIN], [FIN, FIN | SYN]],
    [{ mode: "any", set: PSH, clear: 0 }, [PSH], [ACK]],
  ];
  test.each(modes)("%o", (flags, matching, others) => {
    for (const tcpFlags of matching) expect(takes({ protocol: 6, flags }, { ...TCP, tcpFlags })).toBe(true);
    for (const tcpFlags of others) expect(takes({ protocol: 6, flags }, { ...TCP, tcpFlags })).toBe(false);
  });

  test("`established` and a flag are two conditions", () => {
    const entry: Entry = { protocol: 6, established: true, flags: { mode: "any", set: PSH, clear: 0 } };
    expect(takes(entry, { ...TCP, tcpFlags: ACK | PSH })).toBe(true);
    expect(takes(entry, { ...TCP, tcpFlags: PSH })).toBe(false);
    expect(takes(entry, { ...TCP, tcpFlags: ACK })).toBe(false);
  });
});

describe("ICMP, IGMP and fields of the IP header", () => {
  const cases: [name: string, entry: Entry, matching: Partial<AclPacket>, other: Partial<AclPacket>][] = [
    ["icmp type", { icmp: { type: 3 } }, { icmpType: 3, icmpCode: 9 }, { icmpType: 4, icmpCode: 9 }],
    ["icmp code", { icmp: { type: 3, code: 4 } }, { icmpType: 3, icmpCode: 4 }, { icmpType: 3, icmpCode: 1 }],
    [
      "icmp type and code 0",
      { icmp: { type: 5, code: 0 } },
      { icmpType: 5, icmpCode: 0 },
      { icmpType: 5, icmpCode: 1 },
    ],
    ["igmp type", { igmpType: 0x16 }, { igmpType: 0x16 }, { igmpType: 0x17 }],
    ["precedence", { precedence: 6 }, { trafficClass: 0xc0 }, { trafficClass: 0xbf }],
    ["precedence 0", { precedence: 0 }, { trafficClass: undefined }, { trafficClass: 0x20 }],
    ["tos", { tos: 8 }, { trafficClass: 0x10 }, { trafficClass: 0x08 }],
    ["tos, whatever the precedence", { tos: 15 }, { trafficClass: 0xfe }, { trafficClass: 0xe0 }],
    ["dscp", { dscp: 46 }, { trafficClass: 0xb8 | 3 }, { trafficClass: 0xb4 }],
    ["ecn", { ecn: 3 }, { trafficClass: 0xb8 | 3 }, { trafficClass: 0xb8 | 2 }],
    ["ttl eq", { ttl: { op: "eq", values: [1, 255] } }, { ttl: 255 }, { ttl: 254 }],
    ["ttl lt", { ttl: { op: "lt", value: 5 } }, { ttl: 4 }, { ttl: 5 }],
    ["ttl range", { ttl: { op: "range", low: 10, high: 20 } }, { ttl: 10 }, { ttl: 21 }],
    ["ttl of a packet that has none", { ttl: { op: "neq", values: [1] } }, { ttl: 2 }, { ttl: undefined }],
    ["option", { option: 131 }, { options: [1, 131] }, { options: [7] }],
    ["any option", { option: "any" }, { options: [7] }, { options: [] }],
    ["any option, none known", { option: "any" }, { options: [0] }, { options: undefined }],
  ];
  test.each(cases)("%s", (_name, entry, matching, other) => {
    expect(takes(entry, { ...TCP, ...matching })).toBe(true);
    expect(takes(entry, { ...TCP, ...other })).toBe(false);
  });

  const cases6: [name: string, entry: Entry, matching: Partial<AclPacket>, other: Partial<AclPacket>][] = [
    ["flow label", { flowLabel: 77 }, { flowLabel: 77 }, { flowLabel: 76 }],
    ["flow label 0", { flowLabel: 0 }, { flowLabel: undefined }, { flowLabel: 1 }],
    ["routing", { routing: {} }, { routingType: 0 }, {}],
    ["routing type", { routing: { type: 2 } }, { routingType: 2 }, { routingType: 0 }],
    ["mobility", { mobility: {} }, { mobilityType: 5 }, {}],
    ["mobility type", { mobility: { type: 5 } }, { mobilityType: 5 }, { mobilityType: 6 }],
    ["destination options", { destinationOption: {} }, { destinationOptions: [] }, {}],
    [
      "destination option",
      { destinationOption: { type: 201 } },
      { destinationOptions: [1, 201] },
      { destinationOptions: [1] },
    ],
    ["hop by hop", { hopByHop: true }, { hopByHop: true }, { hopByHop: false }],
    ["authentication", { authenticationHeader: true }, { authenticationHeader: true }, {}],
    ["undetermined transport", { undeterminedTransport: true }, { undeterminedTransport: true }, {}],
  ];
  test.each(cases6)("IPv6 %s", (_name, entry, matching, other) => {
    expect(takes(entry, { ...TCP6, ...matching })).toBe(true);
    expect(takes(entry, { ...TCP6, ...other })).toBe(false);
  });
});
