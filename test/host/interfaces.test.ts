import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { findInterface, interfaceFlags, parseMac, reversePathFlags } from "../../src/policy/interfaces.js";
import { compile, messages, policyOf } from "./support.js";

const names = (text: string, options = {}) => policyOf(text, options).interfaces.map(({ name }) => name);

describe("numbers", () => {
  test("in the order of the configuration, from 1", () => {
    expect(names("interface GigabitEthernet0/1\ninterface GigabitEthernet0/0\n")).toEqual([
      "",
      "GigabitEthernet0/1",
      "GigabitEthernet0/0",
    ]);
  });

  test("a later configuration keeps them, appends new ones and leaves gone ones down", () => {
    const first = policyOf("interface GigabitEthernet0/0\ninterface GigabitEthernet0/1\n");
    const second = policyOf("interface GigabitEthernet0/2\ninterface GigabitEthernet0/1\n", {
      numbering: first.numbering,
    });
    expect(second.interfaces.map(({ number, name, up }) => [number, name, up])).toEqual([
      [0, "", false],
      [1, "GigabitEthernet0/0", false],
      [2, "GigabitEthernet0/1", true],
      [3, "GigabitEthernet0/2", true],
    ]);
    expect(first.numbering.interfaces).toHaveLength(3);
  });

  test("with more interfaces than numbers, those without a part in routing get none", () => {
    const ports = Array.from({ length: 48 }, (_, i) => `interface FastEthernet1/${i}\n`).join("");
    const routed = Array.from(
      { length: 20 },
      (_, i) => `interface GigabitEthernet0/${i}\n ip address 10.0.${i}.1 255.255.255.0\n`,
    ).join("");
    const numbered = names(ports + routed);
    expect(numbered).toHaveLength(21);
    expect(numbered.slice(1).every((name) => name.startsWith("GigabitEthernet"))).toBe(true);
  });

  test("more routed interfaces than numbers are an error", () => {
    const routed = Array.from(
      { length: L.INTERFACES_MAX },
      (_, i) => `interface GigabitEthernet0/${i}\n ip address 10.0.${i}.1 255.255.255.0\n`,
    ).join("");
    const { policy, problems } = compile(routed);
    expect(policy).toBeUndefined();
    expect(messages(problems, "error")).toEqual(["more than 63 interfaces take part in routing"]);
  });

  test("are found by full and by abbreviated names", () => {
    const known = ["", "GigabitEthernet0/0", "GigabitEthernet0/1.20", "FastEthernet0/0"];
    for (const [wanted, number] of [
      ["GigabitEthernet0/0", 1],
      ["gigabitethernet 0/0", 1],
      ["Gi0/0", 1],
      ["gi0/1.20", 2],
      ["Fa0/0", 3],
    ] as const) {
      expect(findInterface(known, wanted), wanted).toBe(number);
    }
    for (const wanted of ["Gi0/9", "", "Gi", "0/0", "Loopback0"])
      expect(findInterface(known, wanted)).toBeUndefined();
  });
});

describe("records", () => {
  test("up, and down where the interface or what carries it is shut down", () => {
    const policy = policyOf(`
interface GigabitEthernet0/0
 shutdown
interface GigabitEthernet0/0.5
 encapsulation dot1Q 5
interface GigabitEthernet0/1
interface GigabitEthernet0/1.6
 encapsulation dot1Q 6
`);
    expect(policy.interfaces.map(({ up, parent, vlan }) => [up, parent, vlan])).toEqual([
      [false, 0, 0],
      [false, 0, 0],
      [false, 1, 5],
      [true, 0, 0],
      [true, 3, 6],
    ]);
    expect(policy.interfaces.map((each) => interfaceFlags(each, new Set()))).toEqual([
      0,
      L.IF_VLAN_STRICT,
      0,
      L.IF_UP | L.IF_VLAN_STRICT,
      L.IF_UP,
    ]);
  });

  test("an interface takes part in the versions of IP that its configuration speaks of", () => {
    const policy = policyOf(`
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/1
 ipv6 enable
 ip access-group A in
interface GigabitEthernet0/2
 ipv6 traffic-filter B in
interface GigabitEthernet0/3
ip access-list extended A
 permit ip any any
ipv6 access-list B
 permit ipv6 any any
`);
    const flags = (families: (4 | 6)[]): number[] =>
      policy.interfaces.map((each) => interfaceFlags(each, new Set(families)) & (L.IF_IP4 | L.IF_IP6));
    expect(flags([])).toEqual([0, L.IF_IP4, L.IF_IP4 | L.IF_IP6, L.IF_IP6, 0]);
    expect(flags([4, 6])).toEqual(Array(5).fill(L.IF_IP4 | L.IF_IP6));
  });

  test("an interface that takes no fragments", () => {
    const policy = policyOf("interface GigabitEthernet0/0\n ip virtual-reassembly drop-fragments\n");
    expect(interfaceFlags(policy.interfaces[1]!, new Set())).toBe(L.IF_UP | L.IF_DROP_FRAGMENTS4);
  });

  test("a subinterface without its interface is reported", () => {
    const { problems } = compile("interface GigabitEthernet0/0.5\n encapsulation dot1Q 5\n");
    expect(messages(problems, "warning")).toEqual([
      expect.stringContaining("has no interface GigabitEthernet0/0"),
    ]);
  });

  test("MAC addresses, which subinterfaces share", () => {
    const text = "interface GigabitEthernet0/0\ninterface GigabitEthernet0/0.5\n encapsulation dot1Q 5\n";
    const policy = policyOf(text, { macs: new Map([["gi0/0", "0011.2233.4455"]]) });
    expect(policy.interfaces[1]!.mac).toEqual([0, 0x11, 0x22, 0x33, 0x44, 0x55]);
    expect(policy.interfaces[2]!.mac).toEqual([0, 0x11, 0x22, 0x33, 0x44, 0x55]);
    expect(interfaceFlags(policy.interfaces[2]!, new Set()) & L.IF_CHECK_MAC).toBe(L.IF_CHECK_MAC);
    const { policy: none, problems } = compile(text, { macs: new Map([["Gi9/9", "00:11:22:33:44"]]) });
    expect(none).toBeUndefined();
    expect(messages(problems, "error")).toEqual([
      "a MAC address is given for Gi9/9, which is no interface here",
      '"00:11:22:33:44" is no MAC address (interface Gi9/9)',
    ]);
  });

  test("how a MAC address is written", () => {
    const mac = [0xaa, 0xbb, 0xcc, 0x0d, 0x0e, 0x0f];
    for (const text of ["aa:bb:cc:0d:0e:0f", "AA-BB-CC-0D-0E-0F", "aabb.cc0d.0e0f"])
      expect(parseMac(text)).toEqual(mac);
    for (const text of [
      "",
      "aa:bb:cc:0d:0e",
      "aa:bb-cc:0d:0e:0f",
      "aabbcc0d0e0f",
      "aabb.cc0d.0e0g",
      "a:b:c:d:e:f",
    ]) {
      expect(parseMac(text), text).toBeUndefined();
    }
  });

  test("unicast reverse path forwarding, each family for itself", () => {
    const policy = policyOf(`
interface GigabitEthernet0/0
 ip verify unicast source reachable-via rx
 ipv6 verify unicast source reachable-via any allow-default
interface GigabitEthernet0/1
 ip verify unicast source reachable-via rx allow-default
`);
    const flags = policy.interfaces.map(({ config }) => [
      reversePathFlags(config, 4),
      reversePathFlags(config, 6),
    ]);
    expect(flags).toEqual([
      [L.RPF_OFF, L.RPF_OFF],
      [L.RPF_RX, L.RPF_ANY | L.RPF_ALLOW_DEFAULT],
      [L.RPF_RX | L.RPF_ALLOW_DEFAULT, L.RPF_OFF],
    ]);
  });
});
