import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { type Address, formatAddress, inPrefix, parseAddress } from "../../src/ip.js";
import type { Policy } from "../../src/policy/policy.js";
import { compile, messages, policyOf } from "./support.js";

/** `PREFIX INTERFACE FLAGS ORIGIN`, in the order of the search. */
function lines({ routes, interfaces }: Policy): string[] {
  const flags = (bits: number): string =>
    [
      bits & L.RT_LOCAL ? "local" : "",
      bits & L.RT_BROADCAST ? "broadcast" : "",
      bits & L.RT_DEFAULT ? "default" : "",
      bits & L.RT_CONNECTED ? "connected" : "",
    ].join("");
  return routes.map(({ network, prefixLength, interface: out, flags: bits, origin }) =>
    `${formatAddress(network)}/${prefixLength} ${interfaces[out]!.name || "null"} ${flags(bits)} ${origin}`.replace(
      / {2}/,
      " - ",
    ),
  );
}

/** The name of the interface that the first matching route leads to; "" to discard; undefined without a route. */
function egress({ routes, interfaces }: Policy, address: string): string | undefined {
  const wanted = parseAddress(address) as Address;
  const route = routes.find(({ network, prefixLength }) => inPrefix(wanted, network, prefixLength));
  return route && interfaces[route.interface]!.name;
}

const TWO = `
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.252
`;

describe("connected", () => {
  test("own address, both ends of the subnet, the subnet", () => {
    expect(lines(policyOf(TWO))).toEqual([
      "10.0.0.1/32 GigabitEthernet0/0 local address",
      "10.0.0.0/32 GigabitEthernet0/0 broadcast subnet",
      "10.0.0.255/32 GigabitEthernet0/0 broadcast subnet",
      "203.0.113.1/32 GigabitEthernet0/1 local address",
      "203.0.113.0/32 GigabitEthernet0/1 broadcast subnet",
      "203.0.113.3/32 GigabitEthernet0/1 broadcast subnet",
      "203.0.113.0/30 GigabitEthernet0/1 connected connected",
      "10.0.0.0/24 GigabitEthernet0/0 connected connected",
    ]);
  });

  test.each([31, 32])("a /%i has no broadcast address", (length) => {
    const mask = length === 31 ? "255.255.255.254" : "255.255.255.255";
    const policy = policyOf(`interface GigabitEthernet0/0\n ip address 10.0.0.2 ${mask}\n`);
    expect(policy.routes.some(({ flags }) => flags & L.RT_BROADCAST)).toBe(false);
    expect(policy.routes[0]).toMatchObject({ prefixLength: 32, flags: L.RT_LOCAL });
  });

  test("secondary addresses and the addresses of HSRP groups are own", () => {
    const policy = policyOf(`
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
 ip address 10.1.0.1 255.255.255.0 secondary
 standby 1 ip 10.0.0.3
 standby 1 ip 10.0.0.4 secondary
`);
    const own = policy.routes
      .filter(({ flags }) => flags === L.RT_LOCAL)
      .map(({ network }) => formatAddress(network));
    expect(own.sort()).toEqual(["10.0.0.1", "10.0.0.3", "10.0.0.4", "10.1.0.1"]);
    expect(egress(policy, "10.1.0.77")).toBe("GigabitEthernet0/0");
  });

  test("IPv6: own addresses and prefix; a link-local one is own and leads nowhere", () => {
    const policy = policyOf(`
interface GigabitEthernet0/0
 ipv6 address 2001:db8:1::1/64
 ipv6 address fe80::1 link-local
`);
    expect(lines(policy)).toEqual([
      "fe80::1/128 GigabitEthernet0/0 local address",
      "2001:db8:1::1/128 GigabitEthernet0/0 local address",
      "2001:db8:1::/64 GigabitEthernet0/0 connected connected",
    ]);
  });

  test("an eui-64 address is own when the MAC address is known", () => {
    const text = "interface GigabitEthernet0/0\n ipv6 address 2001:db8:1::/64 eui-64\n";
    const known = policyOf(text, { macs: new Map([["Gi0/0", "00:11:22:33:44:55"]]) });
    expect(lines(known).slice(0, 2)).toEqual([
      "fe80::211:22ff:fe33:4455/128 GigabitEthernet0/0 local address",
      "2001:db8:1:0:211:22ff:fe33:4455/128 GigabitEthernet0/0 local address",
    ]);
    const { policy, problems } = compile(text);
    expect(lines(policy!)).toEqual(["2001:db8:1::/64 GigabitEthernet0/0 connected connected"]);
    expect(messages(problems, "note")).toEqual([expect.stringContaining("eui-64")]);
  });

  test("link-local addresses of IPv6 groups: configured, of the group's MAC address, of one that is configured, of the own", () => {
    const groups = `interface GigabitEthernet0/0
 ipv6 enable
 standby version 2
 standby 1 ipv6 FE80::77
 standby 2 ipv6 autoconfig
 standby 3 ipv6 2001:DB8:1::3
 standby 3 mac-address 0200.5e00.0003
`;
    const own = (text: string, macs?: ReadonlyMap<string, string>): string[] =>
      lines(policyOf(text, { macs })).map((line) => line.slice(0, line.indexOf(" ")));
    const virtual = [
      "2001:db8:1::3/128",
      "fe80::77/128",
      "fe80::5:73ff:fea0:2/128",
      "fe80::200:5eff:fe00:3/128",
    ];
    expect(own(groups)).toEqual(virtual);
    const macs = new Map([["Gi0/0", "00:11:22:33:44:55"]]);
    const derived = "fe80::211:22ff:fe33:4455/128";
    expect(own(groups, macs)).toEqual([...virtual, derived]);
    // The bits of a virtual address stay as they are, also when it is that of the device.
    const burnedIn = groups.replace(" standby 1 ", " standby use-bia\n standby 1 ");
    expect(own(burnedIn, macs)).toContain("fe80::11:22ff:fe33:4455/128");
    expect(own(burnedIn)).not.toContain("fe80::5:73ff:fea0:2/128");
  });

  test("an interface that is shut down has no routes, nor has what it carries", () => {
    const policy = policyOf(`
interface GigabitEthernet0/0
 shutdown
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/0.7
 encapsulation dot1Q 7
 ip address 10.7.0.1 255.255.255.0
`);
    expect(policy.routes).toEqual([]);
  });
});

describe("static", () => {
  const routed = (text: string) => compile(`${TWO}${text}`);

  test("through a next hop, an interface, or both", () => {
    const { policy } = routed(`
ip route 192.168.1.0 255.255.255.0 10.0.0.9
ip route 192.168.2.0 255.255.255.0 GigabitEthernet0/1
ip route 192.168.3.0 255.255.255.0 GigabitEthernet0/1 203.0.113.2
ip route 0.0.0.0 0.0.0.0 203.0.113.2
`);
    expect(egress(policy!, "192.168.1.1")).toBe("GigabitEthernet0/0");
    expect(egress(policy!, "192.168.2.1")).toBe("GigabitEthernet0/1");
    expect(egress(policy!, "192.168.3.1")).toBe("GigabitEthernet0/1");
    expect(egress(policy!, "8.8.8.8")).toBe("GigabitEthernet0/1");
    const last = policy!.routes.at(-1)!;
    expect(last).toMatchObject({ prefixLength: 0, flags: L.RT_DEFAULT, origin: "static" });
    expect(policy!.routes.filter(({ flags }) => flags & L.RT_DEFAULT)).toHaveLength(1);
  });

  test("longest prefix first, whatever the order of the lines", () => {
    const { policy } = routed(`
ip route 192.168.0.0 255.255.0.0 10.0.0.9
ip route 192.168.1.0 255.255.255.0 203.0.113.2
ip route 192.168.1.128 255.255.255.128 10.0.0.9
`);
    const lengths = policy!.routes.map(({ prefixLength }) => prefixLength);
    expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
    expect(egress(policy!, "192.168.1.1")).toBe("GigabitEthernet0/1");
    expect(egress(policy!, "192.168.1.200")).toBe("GigabitEthernet0/0");
    expect(egress(policy!, "192.168.9.9")).toBe("GigabitEthernet0/0");
  });

  test("the lowest distance wins; of equal ones the first, with a note", () => {
    const { policy, problems } = routed(`
ip route 192.168.0.0 255.255.0.0 203.0.113.2 200
ip route 192.168.0.0 255.255.0.0 10.0.0.9
ip route 192.168.0.0 255.255.0.0 GigabitEthernet0/1
`);
    expect(egress(policy!, "192.168.0.1")).toBe("GigabitEthernet0/0");
    expect(messages(problems, "note")).toEqual([
      "this route is not used: the first of several equal routes is",
    ]);
  });

  test("a floating route takes over from one that leads nowhere", () => {
    const { policy, problems } = routed(`
ip route 192.168.0.0 255.255.0.0 172.31.0.1
ip route 192.168.0.0 255.255.0.0 10.0.0.9 200
`);
    expect(egress(policy!, "192.168.0.1")).toBe("GigabitEthernet0/0");
    const [note] = problems;
    expect(note).toMatchObject({
      severity: "note",
      line: 7,
      message: expect.stringContaining("leads to 172.31.0.1"),
    });
  });

  test("a next hop behind another static route, in any order, but not behind the default route", () => {
    const { policy, problems } = routed(`
ip route 172.16.0.0 255.240.0.0 192.168.5.5
ip route 192.168.0.0 255.255.0.0 10.0.0.9
ip route 0.0.0.0 0.0.0.0 203.0.113.2
ip route 198.18.0.0 255.254.0.0 100.64.0.1
`);
    expect(egress(policy!, "172.16.1.1")).toBe("GigabitEthernet0/0");
    expect(egress(policy!, "198.18.0.1")).toBe("GigabitEthernet0/1");
    expect(messages(problems, "note")).toEqual([expect.stringContaining("leads to 100.64.0.1")]);
  });

  test("routes that only lead to each other lead nowhere", () => {
    const { policy, problems } = routed(`
ip route 172.16.0.0 255.255.0.0 172.17.0.1
ip route 172.17.0.0 255.255.0.0 172.16.0.1
ip route 172.18.0.0 255.255.0.0 172.18.0.1
`);
    for (const address of ["172.16.0.1", "172.17.0.1", "172.18.0.1"])
      expect(egress(policy!, address)).toBeUndefined();
    expect(messages(problems, "note")).toHaveLength(3);
  });

  test("an own or a broadcast address is no next hop", () => {
    const { policy } = routed(`
ip route 172.16.0.0 255.255.0.0 10.0.0.1
ip route 172.17.0.0 255.255.0.0 10.0.0.255
`);
    expect(egress(policy!, "172.16.0.1")).toBeUndefined();
    expect(egress(policy!, "172.17.0.1")).toBeUndefined();
  });

  test("Null0 discards", () => {
    const { policy } = routed(
      "ip route 172.16.0.0 255.240.0.0 Null0\nip route 0.0.0.0 0.0.0.0 203.0.113.2\n",
    );
    expect(egress(policy!, "172.16.0.1")).toBe("");
    expect(egress(policy!, "8.8.8.8")).toBe("GigabitEthernet0/1");
  });

  test("an interface that is down, unknown or without an address takes no route", () => {
    const { policy, problems } = routed(`
interface GigabitEthernet0/2
 ip address 10.2.0.1 255.255.255.0
 shutdown
interface GigabitEthernet0/3
ip route 172.16.0.0 255.255.0.0 GigabitEthernet0/2
ip route 172.17.0.0 255.255.0.0 GigabitEthernet0/3
ip route 172.18.0.0 255.255.0.0 GigabitEthernet0/9
`);
    expect(policy!.routes.filter(({ origin }) => origin === "static")).toEqual([]);
    expect(messages(problems, "note")).toEqual(
      ["GigabitEthernet0/2", "GigabitEthernet0/3", "GigabitEthernet0/9"].map(
        (name) => `this route is not used: ${name} is down or has no address`,
      ),
    );
  });

  test("IPv6, with a link-local next hop too", () => {
    const policy = policyOf(`
interface GigabitEthernet0/0
 ipv6 address 2001:db8:1::1/64
interface GigabitEthernet0/1
 ipv6 address 2001:db8:2::1/64
ipv6 route 2001:db8:99::/48 2001:db8:1::9
ipv6 route ::/0 GigabitEthernet0/1 fe80::2
`);
    expect(egress(policy, "2001:db8:99::1")).toBe("GigabitEthernet0/0");
    expect(egress(policy, "2620::1")).toBe("GigabitEthernet0/1");
    expect(policy.routes.at(-1)).toMatchObject({ prefixLength: 0, flags: L.RT_DEFAULT });
  });

  test("more routes than the table holds are an error", () => {
    const routes = Array.from(
      { length: L.ROUTES_MAX },
      (_, i) => `ip route 172.${16 + (i >> 8)}.${i & 255}.0 255.255.255.0 10.0.0.9`,
    );
    const { policy, problems } = routed(routes.join("\n"));
    expect(policy).toBeUndefined();
    expect(messages(problems, "error")).toEqual([
      `${L.ROUTES_MAX + 8} IPv4 routes; at most ${L.ROUTES_MAX} are supported`,
    ]);
  });
});

describe("by side", () => {
  const inspected = (binding: string) => `
ip inspect name FW tcp
ip inspect name OTHER tcp
${TWO}interface GigabitEthernet0/2
interface GigabitEthernet0/3
 shutdown
 ip address 10.3.0.1 255.255.255.0
${binding}
ip route 198.51.100.0 255.255.255.0 10.0.0.9
`;
  const outside = "interface GigabitEthernet0/1\n ip inspect FW out";
  const inside = "interface GigabitEthernet0/0\n ip inspect FW in";

  for (const [how, binding] of [
    ["rule out on the outside", outside],
    ["rule in on the inside", inside],
    ["both", `${outside}\n${inside.replace("FW", "OTHER")}`],
    ["rules out and in on the outside", `${outside}\n ip inspect OTHER in`],
  ] as const) {
    test(`${how}: given networks inside, all else outside, no route asked`, () => {
      const policy = policyOf(inspected(binding), {
        inside: ["192.168.0.0/16", "10.0.0.77", "2001:db8::/32"],
      });
      expect(egress(policy, "192.168.3.4")).toBe("GigabitEthernet0/0");
      expect(egress(policy, "10.0.0.77")).toBe("GigabitEthernet0/0");
      expect(egress(policy, "10.0.0.78")).toBe("GigabitEthernet0/1");
      expect(egress(policy, "198.51.100.1")).toBe("GigabitEthernet0/1");
      expect(egress(policy, "2001:db8::1")).toBe("GigabitEthernet0/0");
      expect(egress(policy, "2620::1")).toBe("GigabitEthernet0/1");
      // Own and broadcast addresses stay what they are.
      expect(lines(policy).slice(0, 3)).toEqual([
        "10.0.0.1/32 GigabitEthernet0/0 local address",
        "10.0.0.0/32 GigabitEthernet0/0 broadcast subnet",
        "10.0.0.255/32 GigabitEthernet0/0 broadcast subnet",
      ]);
      expect(policy.routes.some(({ flags }) => flags & (L.RT_CONNECTED | L.RT_DEFAULT))).toBe(false);
    });
  }

  test.each([
    ["", "no interface has an `ip inspect NAME in` or `out`"],
    [
      "interface GigabitEthernet0/0\n ip inspect FW out\ninterface GigabitEthernet0/1\n ip inspect FW out",
      "inspection is bound out on both GigabitEthernet0/0 and GigabitEthernet0/1",
    ],
    [
      "interface GigabitEthernet0/0\n ip inspect FW in\ninterface GigabitEthernet0/1\n ip inspect FW in",
      "inspection is bound in on both GigabitEthernet0/0 and GigabitEthernet0/1",
    ],
    [
      "interface GigabitEthernet0/2\n ip address 10.2.0.1 255.255.255.0\ninterface GigabitEthernet0/1\n ip inspect FW out",
      "it takes exactly two interfaces that are up and have an address; " +
        "found: GigabitEthernet0/0, GigabitEthernet0/1, GigabitEthernet0/2",
    ],
    [
      "interface GigabitEthernet0/0\n no ip address\ninterface GigabitEthernet0/1\n ip inspect FW out",
      "it takes exactly two interfaces that are up and have an address; found: GigabitEthernet0/1",
    ],
  ])("cannot be told: %s", (binding, why) => {
    const { policy, problems } = compile(inspected(binding), { inside: ["10.0.0.0/8"] });
    expect(policy).toBeUndefined();
    expect(messages(problems, "error")).toEqual([
      `cannot tell the inside interface from the outside one: ${why}`,
    ]);
  });

  test.each(["10.0.0.0/33", "10.0.0", "inside", "2001:db8::/129", "10.0.0.0/8/8", ""])(
    "%j is no network",
    (cidr) => {
      const { policy, problems } = compile(inspected(outside), { inside: [cidr] });
      expect(policy).toBeUndefined();
      expect(messages(problems, "error")).toEqual([`"${cidr}" is no network; expected A.B.C.D/n or X::/n`]);
    },
  );
});
