import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { Core } from "../../src/core.js";
import { bytesToBigint, formatIpv4, formatIpv6 } from "../../src/ip.js";
import { readCoreFile } from "../../src/io/wasm.js";
import { compile, messages, planOf, policyOf, ROOM, SEED } from "./support.js";

const FULL = `
hostname full
ip source-route
ip options ignore
ip inspect tcp block-non-session
ip inspect log drop-pkt
ip inspect name IN4 http
ip inspect name IN4 tcp audit-trail on timeout 600
ip inspect name OUT4 udp
ip inspect name OUT4 fragment maximum 60 timeout 2
ipv6 inspect name IN6 icmp
ipv6 inspect name OUT6 tcp
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
 ipv6 address 2001:db8:1::1/64
 ip access-group A4 in
 ip access-group B4 out
 ipv6 traffic-filter A6 in
 ipv6 traffic-filter B6 out
 ip inspect IN4 in
 ip inspect OUT4 out
 ipv6 inspect IN6 in
 ipv6 inspect OUT6 out
 ip verify unicast source reachable-via rx
 ipv6 verify unicast source reachable-via any allow-default
interface GigabitEthernet0/1
 shutdown
 ip address 10.1.0.1 255.255.255.0
interface GigabitEthernet0/2
interface GigabitEthernet0/2.300
 encapsulation dot1Q 300
 ip address 10.2.0.1 255.255.255.0
ip route 0.0.0.0 0.0.0.0 10.2.0.9
ip route 172.16.0.0 255.240.0.0 Null0
ipv6 route ::/0 2001:db8:1::9
ip access-list extended A4
 permit tcp any any eq www
ip access-list extended B4
 permit ip any any
ipv6 access-list A6
 permit ipv6 any any
ipv6 access-list B6
 permit tcp any any
`;
const MAC = new Map([["GigabitEthernet0/2", "02:00:00:00:00:99"]]);

/** Reads an image back, field by field, as assembly/layout.ts says that it lies. */
function read(image: Uint8Array) {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const u8 = (at: number): number => view.getUint8(at);
  const u16 = (at: number): number => view.getUint16(at, true);
  const u32 = (at: number): number => view.getUint32(at, true);
  const records = <T>(at: number, count: number, size: number, one: (at: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => one(u32(at) + i * size));
  /** Each span as its first address and the index of its route. */
  const spans = (field: number, count: number, size: number, start: (at: number) => string): string[] =>
    Array.from({ length: u32(count) }, (_, i) => {
      const route = u16(u32(field) + u32(count) * size + i * L.SPAN_ROUTE_SIZE);
      return `${start(u32(field) + i * size)} ${route === 0 ? "none" : route - 1}`;
    });
  return {
    header: {
      magic: u32(L.P_MAGIC),
      layout: u32(L.P_LAYOUT),
      size: u32(L.P_SIZE),
      flags: u32(L.P_FLAGS),
      fragments: [u32(L.P_FRAGMENT_MAX), u32(L.P_FRAGMENT_PER_SOURCE), u32(L.P_FRAGMENT_PER_DATAGRAM)],
    },
    interfaces: records(L.P_INTERFACES, u32(L.P_INTERFACE_COUNT), L.INTERFACE_SIZE, (at) => ({
      flags: u8(at + L.I_FLAGS),
      rpf: [u8(at + L.I_RPF4), u8(at + L.I_RPF6)],
      parent: u8(at + L.I_VLAN_PARENT),
      mac: [...image.subarray(at + L.I_MAC, at + L.I_MAC + 6)],
      vlan: u16(at + L.I_VLAN),
      acls: [L.I_ACL_IN4, L.I_ACL_OUT4, L.I_ACL_IN6, L.I_ACL_OUT6].map((field) => u16(at + field)),
      inspect: [L.I_INSPECT_IN4, L.I_INSPECT_OUT4, L.I_INSPECT_IN6, L.I_INSPECT_OUT6].map((field) =>
        u8(at + field),
      ),
    })),
    routes4: records(L.P_ROUTES4, u32(L.P_ROUTE4_COUNT), L.ROUTE4_SIZE, (at) => ({
      route: `${formatIpv4(u32(at + L.ROUTE4_NETWORK))} ${formatIpv4(u32(at + L.ROUTE4_MASK))}`,
      interface: u8(at + L.ROUTE4_INTERFACE),
      flags: u8(at + L.ROUTE4_FLAGS),
      ...(u32(at + L.ROUTE4_GATEWAY) && { gateway: formatIpv4(view.getUint32(at + L.ROUTE4_GATEWAY)) }),
      ...(u16(at + L.ROUTE4_WIDER) && { wider: u16(at + L.ROUTE4_WIDER) - 1 }),
    })),
    routes6: records(L.P_ROUTES6, u32(L.P_ROUTE6_COUNT), L.ROUTE6_SIZE, (at) => {
      const address = (field: number): string =>
        formatIpv6(bytesToBigint(image.subarray(at + field, at + field + 16)));
      return {
        route: `${address(L.ROUTE6_NETWORK)} ${address(L.ROUTE6_MASK)}`,
        interface: u8(at + L.ROUTE6_INTERFACE),
        flags: u8(at + L.ROUTE6_FLAGS),
        ...(address(L.ROUTE6_GATEWAY) !== "::" && { gateway: address(L.ROUTE6_GATEWAY) }),
        ...(u16(at + L.ROUTE6_WIDER) && { wider: u16(at + L.ROUTE6_WIDER) - 1 }),
      };
    }),
    spans4: spans(L.P_SPANS4, L.P_SPAN4_COUNT, L.SPAN4_SIZE, (at) => formatIpv4(u32(at))),
    spans6: spans(L.P_SPANS6, L.P_SPAN6_COUNT, L.SPAN6_SIZE, (at) =>
      formatIpv6((view.getBigUint64(at, true) << 64n) | view.getBigUint64(at + 8, true)),
    ),
    inspection: records(L.P_INSPECT, u32(L.P_INSPECT_COUNT), L.INSPECT_SIZE, (at) => [
      u32(at + L.IN_FIRST),
      u32(at + L.IN_COUNT),
    ]),
    entries: records(L.P_INSPECT_ENTRIES, u32(L.P_INSPECT_ENTRY_COUNT), L.ENTRY_SIZE, (at) => ({
      protocol: u8(at + L.E_PROTOCOL),
      flags: u8(at + L.E_FLAGS),
      ports: [u16(at + L.E_PORT_LOW), u16(at + L.E_PORT_HIGH)],
      service: u16(at + L.E_SERVICE),
      timer: u8(at + L.E_TIMER),
    })),
    acls: { at: u32(L.P_ACLS), bytes: image.subarray(u32(L.P_ACLS), u32(L.P_ACLS) + u32(L.P_ACLS_SIZE)) },
  };
}

describe("the image", () => {
  const policy = policyOf(FULL, { macs: MAC, checksums: false });
  const image = read(policy.image);
  const list = (key: string): number => policy.lists.indexOf(key);
  const rule = (key: string): number => policy.numbering.inspectionRules.indexOf(key);

  test("header", () => {
    expect(image.header).toEqual({
      magic: L.POLICY_MAGIC,
      layout: L.LAYOUT_VERSION,
      size: policy.image.length,
      flags:
        L.PF_SOURCE_ROUTE | L.PF_OPTIONS_IGNORE | L.PF_BLOCK_NON_SESSION | L.PF_LOG_DROPS | L.PF_NO_CHECKSUMS,
      fragments: [60, 30, 30],
    });
    expect(read(policyOf("interface GigabitEthernet0/0\n").image).header.flags).toBe(0);
  });

  test("interfaces", () => {
    const none = {
      flags: 0,
      rpf: [0, 0],
      parent: 0,
      mac: [0, 0, 0, 0, 0, 0],
      vlan: 0,
      acls: [0, 0, 0, 0],
      inspect: [0, 0, 0, 0],
    };
    const mac = [2, 0, 0, 0, 0, 0x99];
    expect(image.interfaces).toEqual([
      none,
      {
        ...none,
        flags: L.IF_UP | L.IF_IP4 | L.IF_IP6,
        rpf: [L.RPF_RX, L.RPF_ANY | L.RPF_ALLOW_DEFAULT],
        acls: [list("4:A4"), list("4:B4"), list("6:A6"), list("6:B6")],
        inspect: [rule("4:IN4"), rule("4:OUT4"), rule("6:IN6"), rule("6:OUT6")],
      },
      { ...none, flags: L.IF_IP4 },
      { ...none, flags: L.IF_UP | L.IF_CHECK_MAC | L.IF_VLAN_STRICT, mac },
      { ...none, flags: L.IF_UP | L.IF_CHECK_MAC | L.IF_IP4, mac, parent: 3, vlan: 300 },
    ]);
    for (const number of [...image.interfaces[1]!.acls, ...image.interfaces[1]!.inspect])
      expect(number).toBeGreaterThan(0);
  });

  test("routes of both families, longest prefix first", () => {
    const all = "255.255.255.255";
    expect(image.routes4).toEqual([
      { route: `10.0.0.1 ${all}`, interface: 1, flags: L.RT_LOCAL, wider: 6 },
      { route: `10.0.0.0 ${all}`, interface: 1, flags: L.RT_BROADCAST, wider: 6 },
      { route: `10.0.0.255 ${all}`, interface: 1, flags: L.RT_BROADCAST, wider: 6 },
      { route: `10.2.0.1 ${all}`, interface: 4, flags: L.RT_LOCAL, wider: 7 },
      { route: `10.2.0.0 ${all}`, interface: 4, flags: L.RT_BROADCAST, wider: 7 },
      { route: `10.2.0.255 ${all}`, interface: 4, flags: L.RT_BROADCAST, wider: 7 },
      { route: "10.0.0.0 255.255.255.0", interface: 1, flags: L.RT_CONNECTED, wider: 9 },
      { route: "10.2.0.0 255.255.255.0", interface: 4, flags: L.RT_CONNECTED, wider: 9 },
      { route: "172.16.0.0 255.240.0.0", interface: 0, flags: 0, wider: 9 },
      { route: "0.0.0.0 0.0.0.0", interface: 4, flags: L.RT_DEFAULT, gateway: "10.2.0.9" },
    ]);
    expect(image.routes6).toEqual([
      {
        route: "2001:db8:1::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        interface: 1,
        flags: L.RT_LOCAL,
        wider: 1,
      },
      { route: "2001:db8:1:: ffff:ffff:ffff:ffff::", interface: 1, flags: L.RT_CONNECTED, wider: 2 },
      { route: ":: ::", interface: 1, flags: L.RT_DEFAULT, gateway: "2001:db8:1::9" },
    ]);
  });

  test("spans of addresses that each have one best route", () => {
    expect(image.spans4).toEqual([
      ...["0.0.0.0 9", "10.0.0.0 1", "10.0.0.1 0", "10.0.0.2 6", "10.0.0.255 2", "10.0.1.0 9"],
      ...["10.2.0.0 4", "10.2.0.1 3", "10.2.0.2 7", "10.2.0.255 5", "10.2.1.0 9"],
      ...["172.16.0.0 8", "172.32.0.0 9"],
    ]);
    expect(image.spans6).toEqual([
      ...[":: 2", "2001:db8:1:: 1", "2001:db8:1::1 0", "2001:db8:1::2 1", "2001:db8:1:1:: 2"],
    ]);
    expect(read(policyOf("hostname none\n").image).spans4).toEqual(["0.0.0.0 none"]);
    const last =
      "interface Gi0/0\n ip address 10.0.0.1 255.255.255.0\nip route 240.0.0.0 240.0.0.0 10.0.0.2\n";
    expect(read(policyOf(last).image).spans4.at(-1)).toBe("240.0.0.0 4");
  });

  test("inspection rules are runs of entries", () => {
    const of = (key: string) => {
      const [first, count] = image.inspection[rule(key)]!;
      return image.entries.slice(first, first! + count!);
    };
    const service = (name: string): number => policy.numbering.services.indexOf(name);
    const timer = (seconds: number): number =>
      L.TIMER_FIRST_IDLE + policy.numbering.idleTimers.indexOf(seconds * 1000);
    expect(of("4:IN4")).toEqual([
      { protocol: 6, flags: 0, ports: [80, 80], service: service("http"), timer: timer(3600) },
      { protocol: 6, flags: L.CF_AUDIT, ports: [0, 65535], service: service("tcp"), timer: timer(600) },
    ]);
    expect(of("4:OUT4")).toEqual([
      { protocol: 17, flags: 0, ports: [53, 53], service: service("udp"), timer: timer(5) },
      { protocol: 17, flags: 0, ports: [0, 65535], service: service("udp"), timer: timer(30) },
    ]);
    expect(of("6:IN6")).toEqual([
      { protocol: 58, flags: 0, ports: [0, 65535], service: service("icmp"), timer: timer(10) },
    ]);
    expect(of("6:OUT6").map(({ protocol }) => protocol)).toEqual([6]);
    expect(image.inspection[0]).toEqual([0, 0]);
    expect(image.entries).toHaveLength(6);
  });

  test("the access lists lie on a multiple of 64 and are whole", () => {
    expect(image.acls.at % 64).toBe(0);
    const view = new DataView(image.acls.bytes.buffer, image.acls.bytes.byteOffset);
    expect(view.getUint32(L.AH_SIZE, true)).toBe(image.acls.bytes.length);
    expect(view.getUint32(L.AH_LIST_COUNT, true)).toBe(4);
    expect(view.getUint32(L.AH_RULE_COUNT, true)).toBe(policy.rules.length);
    expect(
      policy.rules.map(({ number, list: name, family, sequence, text }) => [
        number,
        name,
        family,
        sequence,
        text,
      ]),
    ).toEqual([
      [0, "A4", 4, 10, "permit tcp any any eq www"],
      [1, "B4", 4, 10, "permit ip any any"],
      [2, "A6", 6, 10, "permit ipv6 any any"],
      [3, "B6", 6, 10, "permit tcp any any"],
    ]);
  });

  test("the core takes it", async () => {
    const core = await Core.create(await readCoreFile(), { plan: planOf({ sessions: 1024 }), seed: SEED });
    core.bytes.set(policy.image, core.plan.regions.banks.at);
    expect(core.activate(0)).toBe(0);
    expect(core.state(L.S_ACTIVE_BANK)).toBe(1);
  });

  test("the core refuses it when one header field leads outside", async () => {
    const core = await Core.create(await readCoreFile(), { plan: planOf({ sessions: 1024 }), seed: SEED });
    const bank = core.plan.regions.banks.at;
    for (const field of [
      L.P_MAGIC,
      L.P_LAYOUT,
      L.P_SIZE,
      L.P_INTERFACES,
      L.P_INTERFACE_COUNT,
      L.P_ROUTES4,
      L.P_ROUTE4_COUNT,
      L.P_ROUTES6,
      L.P_ROUTE6_COUNT,
      L.P_SPANS4,
      L.P_SPAN4_COUNT,
      L.P_SPANS6,
      L.P_SPAN6_COUNT,
      L.P_INSPECT,
      L.P_INSPECT_COUNT,
      L.P_INSPECT_ENTRIES,
      L.P_INSPECT_ENTRY_COUNT,
      L.P_ACLS,
      L.P_ACLS_SIZE,
      L.P_FRAGMENT_MAX,
    ]) {
      core.bytes.set(policy.image, bank);
      core.view.setUint32(bank + field, 0x7fffffff, true);
      expect(core.activate(0), `field ${field}`).not.toBe(0);
    }
    expect(core.state(L.S_ACTIVE_BANK)).toBe(0);
  });

  test("the core refuses routes and spans that would lead a search astray", async () => {
    const core = await Core.create(await readCoreFile(), { plan: planOf({ sessions: 1024 }), seed: SEED });
    const bank = core.plan.regions.banks.at;
    const { view } = core;
    const at = (field: number): number => bank + view.getUint32(bank + field, true);
    const count = (field: number): number => view.getUint32(bank + field, true);
    const routeOf = (spans: number, number: number, size: number): number => at(spans) + count(number) * size;
    const changes: { readonly [what: string]: () => void } = {
      "no IPv4 span": () => view.setUint32(bank + L.P_SPAN4_COUNT, 0, true),
      "no IPv6 span": () => view.setUint32(bank + L.P_SPAN6_COUNT, 0, true),
      "a first IPv4 span that begins later": () => view.setUint32(at(L.P_SPANS4), 1, true),
      "a first IPv6 span that begins later, lower half": () => view.setUint8(at(L.P_SPANS6) + 8, 1),
      "a first IPv6 span that begins later, upper half": () => view.setUint8(at(L.P_SPANS6), 1),
      "two equal IPv4 spans": () =>
        view.setUint32(at(L.P_SPANS4) + 8, view.getUint32(at(L.P_SPANS4) + 4, true), true),
      "two equal IPv6 spans": () =>
        core.bytes.copyWithin(at(L.P_SPANS6) + 32, at(L.P_SPANS6) + 16, at(L.P_SPANS6) + 32),
      "an IPv4 span without its route": () =>
        view.setUint16(routeOf(L.P_SPANS4, L.P_SPAN4_COUNT, L.SPAN4_SIZE), count(L.P_ROUTE4_COUNT) + 1, true),
      "an IPv6 span without its route": () =>
        view.setUint16(routeOf(L.P_SPANS6, L.P_SPAN6_COUNT, L.SPAN6_SIZE), count(L.P_ROUTE6_COUNT) + 1, true),
      "an IPv4 route wider than itself": () => view.setUint16(at(L.P_ROUTES4) + L.ROUTE4_WIDER, 1, true),
      "an IPv6 route wider than itself": () => view.setUint16(at(L.P_ROUTES6) + L.ROUTE6_WIDER, 1, true),
      "a wider IPv4 route that is none": () =>
        view.setUint16(at(L.P_ROUTES4) + L.ROUTE4_WIDER, count(L.P_ROUTE4_COUNT) + 1, true),
      "a route to no interface": () => view.setUint8(at(L.P_ROUTES4) + L.ROUTE4_INTERFACE, 5),
    };
    for (const [what, change] of Object.entries(changes)) {
      core.bytes.set(policy.image, bank);
      change();
      expect(core.activate(0), what).not.toBe(0);
    }
    core.bytes.set(policy.image, bank);
    expect(core.activate(0)).toBe(0);
  });
});

describe("lists", () => {
  test("a bound list that is not defined, or has no entries, has a number and is reported", () => {
    const { policy, problems } = compile(`
interface GigabitEthernet0/0
 ip access-group NOWHERE in
 ip access-group EMPTY out
ip access-list extended EMPTY
 remark nothing yet
`);
    const [, record] = read(policy!.image).interfaces;
    expect(record!.acls[0]).toBeGreaterThan(0);
    expect(record!.acls[1]).toBeGreaterThan(0);
    expect(messages(problems, "warning")).toEqual([
      "access list NOWHERE is not defined: everything is denied here",
      "access list EMPTY has no entries: everything is denied here",
    ]);
  });

  const entries = (count: number): string =>
    `interface GigabitEthernet0/0\n ip access-group L in\nip access-list extended L\n${Array.from(
      { length: count },
      (_, i) => ` permit tcp host 10.0.${i >> 8}.${i & 255} any eq ${1000 + i}`,
    ).join("\n")}\n`;

  test("more entries than there is room for are an error", () => {
    expect(policyOf(entries(100), { room: { ...ROOM, rules: 100 } }).rules).toHaveLength(100);
    const { policy, problems } = compile(entries(101), { room: { ...ROOM, rules: 100 } });
    expect(policy).toBeUndefined();
    expect(messages(problems, "error")).toEqual([
      "the access lists in use have 101 entries, capacity.rules is 100",
    ]);
  });

  test("an image larger than a bank is an error that says what to raise", () => {
    const { policy, problems } = compile(entries(100), { room: { ...ROOM, bankSize: 4096 } });
    expect(policy).toBeUndefined();
    expect(messages(problems, "error")).toEqual([
      expect.stringMatching(/^the policy takes \d+ bytes.*raise capacity\.rules$/),
    ]);
  });

  test("what the lists get wrong is told with its place", () => {
    const { policy, problems } = compile(
      "interface GigabitEthernet0/0\n ip access-group L in\nip access-list extended L\n permit ip object-group G any\n",
    );
    expect(policy).toBeUndefined();
    expect(problems).toEqual([
      expect.objectContaining({
        line: 4,
        severity: "error",
        message: expect.stringContaining("access list L: object group G"),
      }),
    ]);
  });
});
