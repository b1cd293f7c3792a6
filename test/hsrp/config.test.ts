import { describe, expect, test } from "vitest";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Hsrp, optionsOf } from "../../src/hsrp/index.js";
import { formatAddress } from "../../src/ip.js";
import { addressOf } from "./golden.js";
import { configOf, optionsFor } from "./world.js";

const ON = "GigabitEthernet0/0";
const group = (lines: readonly string[], i = 0) =>
  optionsFor([`interface ${ON}`, ...lines].join("\n")).interfaces[0]!.groups[i]!;

describe("defaults", () => {
  const { interfaces, leader } = optionsFor(
    [`interface ${ON}`, " ip address 10.0.0.1 255.255.255.0", " standby 1 ip 10.0.0.3"].join("\n"),
  );

  test("of the interface", () => {
    expect(leader).toBeUndefined();
    expect(interfaces).toMatchObject([
      {
        name: ON,
        version: 1,
        burnedInMac: "0200.0000.0001",
        networks: [{ address: 0x0a000001, prefixLength: 24 }],
        delayMinimumMs: 1000,
        delayReloadMs: 5000,
      },
    ]);
    expect(interfaces[0]!.linkLocal).toBeUndefined();
    expect(interfaces[0]!.peers).toBeUndefined();
  });

  test("of the group", () => {
    expect(interfaces[0]!.groups).toEqual([
      {
        group: 1,
        family: 4,
        virtualAddress: 0x0a000003,
        secondaryAddresses: [],
        virtualMac: "0000.0c07.ac01",
        virtualMacOrigin: "default",
        priority: 100,
        authentication: { kind: "text", text: "cisco" },
        tracks: [],
      },
    ]);
  });
});

test("everything that can be configured", () => {
  const text = [
    "redundancy inter-device",
    " scheme standby HA",
    "key chain KEYS",
    " key 9",
    "  key-string nine",
    " key 3",
    "  key-string three",
    " key 4",
    `interface ${ON}`,
    " ip address 10.0.0.1 255.255.255.0",
    " ip address 10.0.1.1 255.255.255.0 secondary",
    " standby version 2",
    " standby delay minimum 7 reload 70",
    " standby 300 ip 10.0.0.3",
    " standby 300 ip 10.0.1.3 secondary",
    " standby 300 timers msec 250 2",
    " standby 300 priority 120",
    " standby 300 preempt delay minimum 1 reload 2 sync 3",
    " standby 300 authentication md5 key-chain KEYS",
    " standby 300 name HA",
    " standby 300 track GigabitEthernet0/1",
    " standby 300 track 12 decrement 25",
    " standby 300 track 13 shutdown",
  ].join("\n");
  const options = optionsFor(text);
  expect(options.leader).toBe("HA");
  expect(options.interfaces[0]).toMatchObject({ version: 2, delayMinimumMs: 7000, delayReloadMs: 70_000 });
  const key = (id: number, secret: string) => ({ id, secret, acceptedUntilAtMs: Number.POSITIVE_INFINITY });
  expect(options.interfaces[0]!.groups).toEqual([
    {
      group: 300,
      family: 4,
      name: "HA",
      virtualAddress: 0x0a000003,
      secondaryAddresses: [0x0a000103],
      virtualMac: "0000.0c9f.f12c",
      virtualMacOrigin: "default",
      priority: 120,
      preempt: { minimumMs: 1000, reloadMs: 2000, syncMs: 3000 },
      timers: { helloMs: 250, holdMs: 2000 },
      authentication: { kind: "md5", chain: "KEYS", keys: [key(3, "three"), key(9, "nine")] },
      tracks: [
        { object: "GigabitEthernet0/1", decrement: 10, isShutdown: false },
        { object: "12", decrement: 25, isShutdown: false },
        { object: "13", decrement: 0, isShutdown: true },
      ],
    },
  ]);
});

test("preemption waits for the sessions in a failover pair, unless it says for how long", () => {
  const lines = [
    ` interface ${ON}`.trim(),
    " ip address 10.0.0.1 255.255.255.0",
    " standby 1 ip 10.0.0.3",
    " standby 1 preempt",
  ];
  const scheme = ["redundancy inter-device", " scheme standby HA"];
  const syncMs = (text: readonly string[]) =>
    optionsFor(text.join("\n")).interfaces[0]!.groups[0]!.preempt?.syncMs;
  expect(syncMs(lines)).toBe(0);
  expect(syncMs([...scheme, ...lines])).toBe(Number.POSITIVE_INFINITY);
  expect(syncMs([...scheme, ...lines, " standby 1 preempt delay sync 0"])).toBe(0);
});

describe("virtual MAC addresses", () => {
  test.each([
    [[], 1, "0000.0c07.ac01"],
    [[], 255, "0000.0c07.acff"],
    [["standby version 2"], 0, "0000.0c9f.f000"],
    [["standby version 2"], 50, "0000.0c9f.f032"],
    [["standby version 2"], 4095, "0000.0c9f.ffff"],
  ])("%j group %i: %s", (lines, number, mac) => {
    expect(group([...lines.map((line) => ` ${line}`), ` standby ${number} ip 10.0.0.3`]).virtualMac).toBe(
      mac,
    );
  });
});

describe("IPv6", () => {
  const lines = [" ipv6 address 2001:db8::1/64", " standby version 2"];
  const v6 = (...more: string[]) =>
    optionsFor([`interface ${ON}`, ...lines, ...more.map((line) => ` ${line}`)].join("\n")).interfaces[0]!;

  test("autoconfig: the address of the virtual MAC address", () => {
    const [made] = v6("standby 10 ipv6 autoconfig").groups;
    expect(made).toMatchObject({ family: 6, virtualMac: "0005.73a0.000a", secondaryAddresses: [] });
    expect(formatAddress(made!.virtualAddress as bigint)).toBe("fe80::5:73ff:fea0:a");
  });

  test("a link-local address is the virtual one, a global one stands beside it", () => {
    expect(v6("standby 10 ipv6 fe80::77").groups[0]!.virtualAddress).toBe(addressOf("fe80::77"));
    const [made] = v6("standby 10 ipv6 2001:db8::77").groups;
    expect(formatAddress(made!.virtualAddress as bigint)).toBe("fe80::5:73ff:fea0:a");
    expect(made!.secondaryAddresses).toEqual([addressOf("2001:db8::77")]);
  });

  test("the interface's own link-local address: configured, or made of its MAC address", () => {
    expect(formatAddress(v6().linkLocal!)).toBe("fe80::ff:fe00:1");
    expect(formatAddress(v6("ipv6 address fe80::5 link-local").linkLocal!)).toBe("fe80::5");
    const eui = v6("ipv6 address 2001:db8:1::/64 eui-64").networks6.at(-1)!;
    expect(formatAddress(eui.address)).toBe("2001:db8:1::ff:fe00:1");
  });

  test("one number stands for a group of each family", () => {
    const both = v6(
      "ip address 10.0.0.1 255.255.255.0",
      "standby 10 ip 10.0.0.3",
      "standby 10 ipv6 autoconfig",
      "standby 10 name N",
    );
    expect(both.groups.map(({ family, name }) => [family, name])).toEqual([
      [4, "N"],
      [6, "N"],
    ]);
    const machine = new Hsrp({ interfaces: [both], random: () => 0 });
    expect(machine.views(0).map(({ key }) => key)).toEqual(["N", "N/IPv6"]);
  });
});

describe("a group that cannot run says why", () => {
  const stateText = (lines: readonly string[]) => {
    const machine = new Hsrp(optionsFor([`interface ${ON}`, ...lines.map((line) => ` ${line}`)].join("\n")));
    const actions = machine.step({ kind: "link", interface: ON, isUp: true }, 0);
    machine.step({ kind: "tick" }, 60_000);
    return {
      text: machine.views(60_000)[0]!.stateText,
      logs: actions.flatMap((a) => (a.kind === "log" ? [a.text] : [])),
    };
  };
  const ADDRESS = "ip address 10.0.0.1 255.255.255.0";

  test.each([
    ["Disabled", [ADDRESS, "standby 1 priority 110"]],
    ["Init (protocol not cfgd)", ["standby 1 ip 10.0.0.3"]],
    ["Init (protocol not cfgd)", [ADDRESS, "standby version 2", "standby 1 ipv6 autoconfig"]],
    ["Init (no virtual IP)", [ADDRESS, "standby 1 ip 10.9.0.3"]],
    ["Init (no virtual IP)", [ADDRESS, "standby 1 ip 10.0.0.1"]],
    [
      "Init (no authentication key)",
      [ADDRESS, "standby 1 ip 10.0.0.3", "standby 1 authentication md5 key-chain NONE"],
    ],
    ["Listen", [ADDRESS, "standby 1 ip 10.0.0.3"]],
    ["Learn", [ADDRESS, "standby 1 ip"]],
  ])("%s: %j", (text, lines) => {
    expect(stateText(lines).text).toBe(text);
  });

  test("and one with an address in the wrong subnet says so in the log", () => {
    expect(stateText([ADDRESS, "standby 1 ip 10.9.0.3"]).logs).toEqual([
      `%HSRP-4-BADVIP: ${ON} Grp 1 address 10.9.0.3 is in the wrong subnet for this interface`,
    ]);
  });
});

test("peers are believed by interface", () => {
  const config = configOf(
    [`interface ${ON}`, " ip address 10.0.0.1 255.255.255.0", " standby 1 ip 10.0.0.3"].join("\n"),
  );
  const peers = new Map([[ON, [addressOf("10.0.0.2")]]]);
  const macs = new Map([[ON, "0200.0000.0001"]]);
  expect(optionsOf(config, { macs, peers, random: () => 0 }).interfaces[0]!.peers).toEqual([0x0a000002]);
  expect(() => optionsOf(config, { macs: new Map(), random: () => 0 })).toThrow("no MAC address");
});

test("a router without HSRP does nothing", () => {
  const machine = new Hsrp(optionsFor([`interface ${ON}`, " ip address 10.0.0.1 255.255.255.0"].join("\n")));
  expect(machine.step({ kind: "link", interface: ON, isUp: true }, 0)).toEqual([]);
  expect(machine.step({ kind: "tick" }, 1000)).toEqual([]);
  expect(machine.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  expect(machine.views(0)).toEqual([]);
  expect(machine.report()).toEqual({ active: [] });
});

test("the examples are a pair: tied groups, led by the one of the scheme", () => {
  const folder = fileURLToPath(new URL("../../examples/", import.meta.url));
  expect(existsSync(`${folder}router-a.cfg`)).toBe(true);
  const machine = new Hsrp(optionsFor(readFileSync(`${folder}router-a.cfg`, "utf8")));
  const views = machine.views(0);
  expect(views.map(({ tie }) => tie)).toEqual([
    ["INSIDE", "OUTSIDE"],
    ["INSIDE", "OUTSIDE"],
  ]);
  expect(views[0]!.preempt?.syncMs).toBe(Number.POSITIVE_INFINITY);
});
