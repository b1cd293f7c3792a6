/**
 * The line by line evaluator: fragments, the implicit end of IPv6 lists, object groups.
 */
import { describe, expect, test } from "vitest";
import { type AclPacket, evaluate } from "../../src/acl/evaluate.js";
import type { Ace, Config, GroupMember, NumberMatch, ObjectGroup } from "../../src/config/model.js";
import {
  at,
  ip,
  address,
  type Entry,
  permit,
  deny,
  configWith,
  TCP,
  ECHO,
  TCP6,
  takes,
  UDP,
} from "./entries.js";

describe("fragments (Cisco tech note 8014)", () => {
  const FRAGMENT: AclPacket = {
    source: TCP.source,
    destination: TCP.destination,
    protocol: 6,
    nonInitialFragment: true,
  };
  const port: NumberMatch = { op: "eq", values: [80] };
  const end = deny();

  /** The verdict of `entry`, then `deny ip any any`. */
  const verdict = (entry: Ace, packet: AclPacket) => evaluate(configWith([entry, end]), "L", packet);

  const rows: [name: string, conditions: Entry, permits: boolean, denies: boolean][] = [
    // conditions; does a permit with them take the fragment; does a deny
    ["layer 3 only", { protocol: 6 }, true, true],
    ["any protocol", {}, true, true],
    ["another protocol", { protocol: 17 }, false, false],
    ["another address", { source: "10.0.0.6" }, false, false],
    ["a port that the datagram has", { protocol: 6, destinationPort: port }, true, false],
    ["a port that it does not have", { protocol: 6, sourcePort: port }, true, false],
    ["established", { protocol: 6, established: true }, true, false],
    ["flags", { protocol: 6, flags: { mode: "any", set: 2, clear: 0 } }, true, false],
    [
      "a port, another address",
      { protocol: 6, destinationPort: port, destination: "192.0.2.1" },
      false,
      false,
    ],
    ["a port of another protocol", { protocol: 17, destinationPort: port }, false, false],
    ["fragments", { protocol: 6, fragments: true }, true, true],
    ["fragments of another protocol", { protocol: 17, fragments: true }, false, false],
    ["an IP header field", { ttl: { op: "gt", value: 0 } }, false, false],
  ];
  test.each(rows)("non-initial fragment and %s", (_name, conditions, permits, denies) => {
    expect(verdict(permit(conditions), FRAGMENT).action).toBe(permits ? "permit" : "deny");
    const denial = deny(conditions);
    expect(verdict(denial, FRAGMENT).entry).toBe(denies ? denial : end);
  });

  test("layer 4 fields of a non-initial fragment are not looked at", () => {
    const denial = deny({ protocol: 6, destinationPort: port });
    expect(verdict(denial, { ...FRAGMENT, destinationPort: 80 }).entry).toBe(end);
    expect(verdict(denial, { ...TCP, destinationPort: 80 }).entry).toBe(denial);
  });

  test("`fragments` does not take initial fragments and whole datagrams", () => {
    expect(verdict(permit({ fragments: true }), TCP).entry).toBe(end);
    const denial = deny({ fragments: true });
    expect(verdict(denial, TCP).entry).toBe(end);
  });

  test("ICMP and IGMP types are layer 4", () => {
    const icmp: AclPacket = { ...FRAGMENT, protocol: 1 };
    expect(verdict(permit({ protocol: 1, icmp: { type: 8 } }), icmp).action).toBe("permit");
    expect(verdict(deny({ protocol: 1, icmp: { type: 8 } }), icmp).entry).toBe(end);
    const igmp: AclPacket = { ...FRAGMENT, protocol: 2 };
    expect(verdict(permit({ protocol: 2, igmpType: 22 }), igmp).action).toBe("permit");
    expect(verdict(deny({ protocol: 2, igmpType: 22 }), igmp).entry).toBe(end);
  });
});

describe("the implicit end of an IPv6 list", () => {
  const nd = (icmpType: number): AclPacket => ({
    source: ip("fe80::1"),
    destination: ip("ff02::1:ff00:2"),
    protocol: 58,
    icmpType,
    icmpCode: 0,
  });

  test("lets neighbour solicitation and advertisement in, and nothing else", () => {
    const config = configWith([permit({ protocol: 6 })], 6);
    for (let type = 0; type < 256; type++) {
      const action = type === 135 || type === 136 ? "permit" : "deny";
      expect(evaluate(config, "L", nd(type))).toEqual({ undefinedList: false, action, entry: undefined });
    }
    expect(evaluate(config, "L", { ...nd(135), protocol: 17 }).action).toBe("deny");
  });

  test("not for fragments (RFC 6980)", () => {
    const config = configWith([permit({ protocol: 6 })], 6);
    expect(evaluate(config, "L", { ...nd(135), nonInitialFragment: true }).action).toBe("deny");
  });

  test("a written-out deny stands before it", () => {
    const end = deny();
    expect(evaluate(configWith([end], 6), "L", nd(135)).entry).toBe(end);
  });

  test("an IPv4 list has no such end", () => {
    const packet: AclPacket = { ...ECHO, protocol: 58, icmpType: 135 };
    expect(evaluate(configWith([permit({ protocol: 6 })], 4), "L", packet).action).toBe("deny");
  });
});

describe("object groups", () => {
  const group = (name: string, kind: ObjectGroup["kind"], ...members: unknown[]): [string, ObjectGroup] => [
    name,
    { at, name, kind, members: members.map((member) => ({ at, ...(member as object) }) as GroupMember) },
  ];
  const config: Config = {
    ...configWith([]),
    objectGroups: new Map([
      group(
        "CLIENTS",
        "network",
        { kind: "address", match: address("10.0.0.0 0.0.0.255") },
        { kind: "range", low: ip("172.16.0.10"), high: ip("172.16.0.20") },
        { kind: "group", name: "MORE" },
      ),
      group(
        "MORE",
        "network",
        { kind: "address", match: address("192.168.1.1") },
        { kind: "group", name: "CLIENTS" },
      ),
      group("EMPTY", "network"),
      group("NET6", "v6-network", { kind: "address", match: address("2001:db8::/32") }),
      group(
        "WEB",
        "service",
        { kind: "service", protocols: [6], destinationPort: { op: "eq", values: [80, 443] } },
        { kind: "service", protocols: [6, 17], sourcePort: { op: "eq", values: [53] } },
        { kind: "service", protocols: [1], icmp: { type: 8 } },
        { kind: "group", name: "TUNNELS" },
      ),
      group("TUNNELS", "service", { kind: "service", protocols: [47] }, { kind: "group", name: "WEB" }),
      group("ANYTHING", "service", { kind: "service" }),
    ]),
  };

  test.each([
    ["10.0.0.200", true],
    ["10.0.1.1", false],
    ["172.16.0.10", true],
    ["172.16.0.20", true],
    ["172.16.0.9", false],
    ["172.16.0.21", false],
    ["192.168.1.1", true],
    ["192.168.1.2", false],
  ])("network group with a nested one, and a ring: %s is %s", (source, matches) => {
    expect(takes({ source: "@CLIENTS" }, { ...TCP, source: ip(source) }, config)).toBe(matches);
    expect(takes({ destination: "@CLIENTS" }, { ...TCP, destination: ip(source) }, config)).toBe(matches);
  });

  test("an IPv6 group", () => {
    expect(takes({ source: "@NET6" }, TCP6, config)).toBe(true);
    expect(takes({ source: "@NET6" }, { ...TCP6, source: ip("2001:db9::1") }, config)).toBe(false);
  });

  test("a group that is empty, not defined or of services matches no address", () => {
    for (const source of ["@EMPTY", "@ABSENT", "@WEB"]) expect(takes({ source }, TCP, config)).toBe(false);
  });

  const services: [name: string, packet: AclPacket, matches: boolean][] = [
    ["tcp 80", { ...TCP, destinationPort: 80 }, true],
    ["tcp 443", { ...TCP, destinationPort: 443 }, true],
    ["tcp 22", { ...TCP, destinationPort: 22 }, false],
    ["udp 80", { ...UDP, destinationPort: 80 }, false],
    ["tcp from 53", { ...TCP, destinationPort: 22, sourcePort: 53 }, true],
    ["udp from 53", { ...UDP, sourcePort: 53 }, true],
    ["echo", ECHO, true],
    ["echo reply", { ...ECHO, icmpType: 0 }, false],
    ["gre", { source: TCP.source, destination: TCP.destination, protocol: 47 }, true],
    ["esp", { source: TCP.source, destination: TCP.destination, protocol: 50 }, false],
  ];
  test.each(services)("service group: %s", (_name, packet, matches) => {
    expect(takes({ serviceGroup: "WEB" }, packet, config)).toBe(matches);
    expect(takes({ serviceGroup: "ANYTHING" }, packet, config)).toBe(true);
    expect(takes({ serviceGroup: "ABSENT" }, packet, config)).toBe(false);
    expect(takes({ serviceGroup: "CLIENTS" }, packet, config)).toBe(false);
  });

  test("fragments: each service counts for itself", () => {
    const fragment = (protocol: number): AclPacket => ({
      source: TCP.source,
      destination: TCP.destination,
      protocol,
      nonInitialFragment: true,
    });
    const denial = deny({ serviceGroup: "WEB" });
    const whole: Config = { ...config, accessLists: configWith([denial, permit()]).accessLists };
    // tcp has conditions on ports, so the deny is passed over; gre has none.
    expect(evaluate(whole, "L", fragment(6)).action).toBe("permit");
    expect(evaluate(whole, "L", fragment(47)).entry).toBe(denial);
    expect(takes({ serviceGroup: "WEB" }, fragment(17), config)).toBe(true);
    expect(takes({ serviceGroup: "WEB" }, fragment(50), config)).toBe(false);
  });
});
