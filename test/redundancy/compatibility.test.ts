/** What must be equal between the boxes: each part of a configuration changed alone, and each fact of a box. */
import { describe, expect, test } from "vitest";
import type { Config, InspectGlobals, Interface } from "../../src/config/model.js";
import { boxAddresses } from "../../src/redundancy/canonical.js";
import {
  compare,
  type Finding,
  type Hello,
  HELLO,
  helloOf,
  isCompatible,
  type Item,
} from "../../src/redundancy/compatibility.js";
import { CONTENTS_MAX } from "../../src/redundancy/envelope.js";
import { emit } from "../../src/redundancy/fields.js";
import { groupTimersOf, type Identity, identityOf } from "../../src/redundancy/identity.js";
import { SECTION_NAMES, SECTIONS, type Section } from "../../src/redundancy/sections.js";
import { configOf, identity, pairText, type PairOptions, type Side, SURROUNDINGS } from "./pair.js";

/** A configuration with something in every section. */
const MORE = `ip inspect max-incomplete high 1000
ip inspect tcp idle-time 600
ip inspect audit-trail
ip port-map http port tcp 8080 description web
object-group network WEB
 description web servers
 host 10.1.1.80
 host 10.1.1.81
time-range WORK
 periodic weekdays 8:00 to 18:00
logging host 10.1.1.90
ipv6 inspect name FW6 tcp
`;
const options: PairOptions = { more: MORE };

function helloFor(side: Side, change: (config: Config) => void = () => {}, peer: Side = side): Hello {
  const config = configOf(pairText(side, options));
  change(config);
  const own = identityOf(config, SURROUNDINGS)!;
  return helloOf(own, boxAddresses(configOf(pairText(peer, options))));
}
const here = helloFor("a", undefined, "b");
const there = (change?: (config: Config) => void) => helloFor("b", change, "a");
const items = (findings: readonly Finding[]) => findings.map(({ item }) => item);

test("the boxes of a pair differ in nothing", () => {
  expect(compare(here, there())).toEqual([]);
  expect(compare(there(), here)).toEqual([]);
});

const at = { line: 1, column: 1 };
const first = <T>(values: Iterable<T>): T => [...values][0]!;
const on = (config: Config) => config.interfaces.get("GigabitEthernet0/1")!;

/** What each part of a configuration changes; a part that is not listed does not compile. */
const PARTS: Record<keyof Config, readonly [Section[], ((config: Config) => void)?]> = {
  file: [[], (config) => (config.file = "other.cfg")],
  version: [[], (config) => (config.version = "15.1")],
  hostname: [[], (config) => (config.hostname = "Another")],
  timestamps: [[], (config) => (config.timestamps = {})],
  interfaces: [
    ["interfaces"],
    (config) => on(config).addresses.push({ at, address: 0x0a090909, prefixLength: 24, secondary: true }),
  ],
  routes: [["routes"], (config) => (first(config.routes).nextHop = 1)],
  accessLists: [["accessLists"], (config) => first(config.accessLists.values()).entries.pop()],
  accessLists6: [
    [],
    (config) =>
      config.accessLists6.set("UNUSED", { at, family: 6, name: "UNUSED", kind: "extended", entries: [] }),
  ],
  objectGroups: [["objectGroups"], (config) => first(config.objectGroups.values()).members.pop()],
  timeRanges: [["timeRanges"], (config) => first(config.timeRanges.values()).periodic.pop()],
  inspect: [["globals"], (config) => (config.inspect.tcpIdleSeconds = 601)],
  inspectRules: [
    ["inspection"],
    (config) => (config.inspectRules.get("FW")!.protocols[1]!.timeoutSeconds = 21),
  ],
  inspectRules6: [
    ["inspection"],
    (config) => (config.inspectRules6.get("FW6")!.protocols[0]!.timeoutSeconds = 21),
  ],
  portMap: [["portMap"], (config) => (config.portMap[0]!.ports[0]!.high = 8081)],
  logging: [["logging"], (config) => config.logging.hosts.pop()],
  sourceRoute: [["globals"], (config) => (config.sourceRoute = true)],
  standbyBfd: [[], (config) => (config.standbyBfd = false)],
  ipOptions: [["globals"], (config) => (config.ipOptions = "ignore")],
  accessListLog: [["logging"], (config) => (config.accessListLog = { intervalMs: 5 })],
  redundancy: [[]],
  ipc: [["association"], (config) => (config.ipc!.associations.get(1)!.pathRetransmit = { at, value: 9 })],
  httpServer: [[], (config) => (config.httpServer = { at, enabled: true })],
  lines: [
    [],
    (config) =>
      config.lines.push({ at, name: "vty 0 4", execTimeoutSeconds: 0, login: false, password: false }),
  ],
  keyChains: [[], (config) => config.keyChains.set("K", { at, name: "K", keys: new Map() })],
  kept: [[], (config) => config.kept.push({ at, text: "ip cef", why: "note", note: "" })],
};

/** The same for what an interface has. */
const INTERFACE: Record<keyof Interface, readonly [Section[], ((on: Interface) => void)?]> = {
  at: [[], (each) => (each.at = { line: 99, column: 9 })],
  name: [["interfaces", "groups", "descriptions"], (each) => (each.name = "GigabitEthernet0/9")],
  description: [["descriptions"], (each) => (each.description = "elsewhere")],
  shutdown: [["descriptions"], (each) => (each.shutdown = true)],
  addresses: [["interfaces", "accessLists"], (each) => (each.addresses[0]!.prefixLength = 25)],
  noAddress: [[], (each) => (each.noAddress = true)],
  addresses6: [
    ["interfaces"],
    (each) =>
      each.addresses6.push({ at, address: 1n << 100n, prefixLength: 64, linkLocal: false, eui64: false }),
  ],
  ipv6Enable: [["interfaces"], (each) => (each.ipv6Enable = true)],
  accessGroups: [["interfaces", "accessLists"], (each) => each.accessGroups.pop()],
  inspect: [["interfaces"], (each) => (each.inspect[0]!.stateful = undefined)],
  verifySource: [
    ["interfaces"],
    (each) => each.verifySource.push({ at, family: 4, via: "rx", allowDefault: false }),
  ],
  virtualReassembly: [["interfaces"], (each) => (each.virtualReassembly = { at, dropFragments: true })],
  virtualReassembly6: [["interfaces"], (each) => (each.virtualReassembly6 = { at, dropFragments: true })],
  encapsulation: [["interfaces"], (each) => (each.encapsulation = { at, vlan: 7, native: false })],
  noUnreachables: [["interfaces"], (each) => (each.noUnreachables = true)],
  noUnreachables6: [["interfaces"], (each) => (each.noUnreachables6 = true)],
  bfd: [[], (each) => (each.bfd = { at, intervalMs: 5, minRxMs: 5, multiplier: 3 })],
  standby: [["groups"], (each) => (first(each.standby.groups.values()).priority = { at, value: 7 })],
  duplex: [[], (each) => (each.duplex = "half")],
  speed: [[], (each) => (each.speed = "10")],
  mediaType: [[], (each) => (each.mediaType = "sfp")],
};

/** And for the settings of inspection as a whole: another value than the default, or than the one that is set. */
const GLOBALS: Record<keyof InspectGlobals, readonly [Section[], InspectGlobals]> = {
  maxIncompleteHigh: [["globals"], { maxIncompleteHigh: { at, value: 7 } }],
  maxIncompleteLow: [["globals"], { maxIncompleteLow: { at, value: 7 } }],
  oneMinuteHigh: [["globals"], { oneMinuteHigh: { at, value: 7 } }],
  oneMinuteLow: [["globals"], { oneMinuteLow: { at, value: 7 } }],
  tcpMaxIncompleteHost: [["globals"], { tcpMaxIncompleteHost: { at, value: 50, blockMinutes: 7 } }],
  tcpSynwaitSeconds: [["globals"], { tcpSynwaitSeconds: 7 }],
  tcpFinwaitSeconds: [["globals"], { tcpFinwaitSeconds: 7 }],
  tcpIdleSeconds: [["globals"], { tcpIdleSeconds: 7 }],
  udpIdleSeconds: [["globals"], { udpIdleSeconds: 7 }],
  dnsSeconds: [["globals"], { dnsSeconds: 7 }],
  hashtableSize: [[], { hashtableSize: 7 }],
  auditTrail: [["logging"], { auditTrail: false }],
  alertOff: [["logging"], { alertOff: true }],
  logDropPackets: [["logging"], { logDropPackets: true }],
  reassemblyQueueLength: [["globals"], { reassemblyQueueLength: 7 }],
  reassemblyTimeoutSeconds: [["globals"], { reassemblyTimeoutSeconds: 7 }],
  reassemblyMemoryKilobytes: [["globals"], { reassemblyMemoryKilobytes: 7 }],
  reassemblyAlarm: [["logging"], { reassemblyAlarm: true }],
  windowScaleLoose: [["globals"], { windowScaleLoose: true }],
  blockNonSession: [["globals"], { blockNonSession: true }],
  updateSeconds: [["copying"], { updateSeconds: { at, value: 20 } }],
  updateMsec: [["copying"], { updateMsec: { at, value: 20 } }],
  defer: [["copying"], { defer: true }],
  resyncStrict: [["copying"], { resyncStrict: true }],
  tcpSynCookie: [["globals"], { tcpSynCookie: true }],
};

const findingsOf = (change: (config: Config) => void) =>
  items(compare(here, there(change))).filter((item) => item !== "updateMs");

describe("changed alone", () => {
  test.each(Object.entries(PARTS))("%s", (_name, [sections, change]) => {
    expect(findingsOf(change ?? (() => {}))).toEqual(sections);
  });
  test.each(Object.entries(INTERFACE))("%s of an interface", (_name, [sections, change]) => {
    expect(findingsOf((config) => change?.(on(config)))).toEqual(sections);
  });
  test.each(Object.entries(GLOBALS))("ip inspect: %s", (_name, [sections, change]) => {
    expect(findingsOf((config) => Object.assign(config.inspect, change))).toEqual(sections);
  });

  test("every section was among them", () => {
    const reached = [PARTS, INTERFACE, GLOBALS].flatMap((table) =>
      Object.values(table).flatMap(([names]) => names),
    );
    expect(new Set(reached)).toEqual(new Set(SECTION_NAMES));
  });

  test("a default that is written out is no difference", () => {
    const spelled = (config: Config) => {
      config.inspect.oneMinuteHigh = { at, value: 500 };
      config.inspect.udpIdleSeconds = 30;
      config.inspect.updateSeconds = { at, value: 10 };
      config.inspect.defer = false;
      config.sourceRoute = false;
    };
    expect(compare(here, there(spelled))).toEqual([]);
  });

  test("the order counts of interfaces and of entries, and of nothing else", () => {
    const reversed = <K, V>(map: Map<K, V>) => new Map([...map].reverse());
    const ordered = (change: (config: Config) => void) => findingsOf(change);
    expect(ordered((config) => (config.interfaces = reversed(config.interfaces)))).toContain("interfaces");
    expect(ordered((config) => first(config.accessLists.values()).entries.reverse())).toEqual([
      "accessLists",
    ]);
    const indifferent = (config: Config) => {
      config.inspectRules.get("FW")!.protocols.reverse();
      first(config.objectGroups.values()).members.reverse();
      config.routes.reverse();
      config.portMap.reverse();
      config.accessLists = reversed(config.accessLists);
    };
    expect(ordered(indifferent)).toEqual([]);
  });

  test("sequence numbers and remarks of an access list do not decide anything", () => {
    const list = (config: Config) => first(config.accessLists.values());
    const renumber = (config: Config) => {
      for (const entry of list(config).entries) entry.sequence += 5;
    };
    expect(findingsOf(renumber)).toEqual([]);
    expect(
      findingsOf((config) => list(config).entries.unshift({ at, kind: "remark", sequence: 1, text: "note" })),
    ).toEqual(["descriptions"]);
    expect(
      findingsOf((config) => {
        for (const entry of list(config).entries) if (entry.kind === "ace") entry.log = "log";
      }),
    ).toEqual(["logging"]);
  });

  test("an interface that takes no part may be on one box only", () => {
    const idle = {
      ...on(configOf(pairText("a"))),
      name: "Vlan1",
      addresses: [],
      accessGroups: [],
      inspect: [],
    };
    expect(findingsOf((config) => config.interfaces.set("Vlan1", idle))).toEqual([]);
  });
});

describe("lists that name the boxes", () => {
  const withEntry = (side: Side, entry: string) => {
    const text = pairText(side, options).replace("permit tcp any host 10.1.1.80 eq www", entry);
    return identityOf(configOf(text), SURROUNDINGS)!;
  };
  const compared = (entryA: string, entryB: string) => {
    const [a, b] = [withEntry("a", entryA), withEntry("b", entryB)];
    return items(compare(helloOf(a, boxAddresses(b.config)), helloOf(b, boxAddresses(a.config))));
  };

  test("may be one for both, or mirror each other", () => {
    expect(
      compared("permit ip host 10.1.1.2 host 10.1.1.3", "permit ip host 10.1.1.2 host 10.1.1.3"),
    ).toEqual([]);
    expect(
      compared("permit ip host 10.1.1.2 host 10.1.1.3", "permit ip host 10.1.1.3 host 10.1.1.2"),
    ).toEqual([]);
    expect(compared("permit ip host 203.0.113.2 any", "permit ip host 203.0.113.3 any")).toEqual([]);
  });

  test("but not name another host, a box on another LAN, or more than a host", () => {
    expect(compared("permit ip host 10.1.1.2 any", "permit ip host 10.1.1.4 any")).toEqual(["accessLists"]);
    expect(compared("permit ip host 10.1.1.8 any", "permit ip host 10.1.1.9 any")).toEqual(["accessLists"]);
    expect(compared("permit ip host 10.1.1.2 any", "permit ip host 203.0.113.3 any")).toEqual([
      "accessLists",
    ]);
    expect(compared("permit ip 10.1.1.2 0.0.0.1 any", "permit ip 10.1.1.4 0.0.0.1 any")).toEqual([
      "accessLists",
    ]);
  });
});

describe("facts of a box", () => {
  const facts: Record<Item, readonly [Partial<Hello>, string, boolean, boolean]> = {
    software: [{ software: "0.2" }, "software version: twinwall 0.1.0 here, 0.2 at the peer", false, false],
    layout: [{ layout: 2 }, "layout of session records: 1 here, 2 at the peer", false, false],
    group: [{ group: "OUTSIDE" }, "group in scheme standby: INSIDE here, OUTSIDE at the peer", false, false],
    association: [{ association: 2 }, "association: 1 here, 2 at the peer", false, false],
    node: [{ nodeId: here.nodeId }, `identity: both boxes have ${here.nodeId.toString(16)}`, false, false],
    address: [{ address: here.address }, "address: both boxes have 10.1.1.2", false, false],
    capacity: [{ capacity: 2000 }, "room for sessions: 1000 here, 2000 at the peer", false, true],
    features: [{ features: 3 }, "optional features: 0x0 here, 0x3 at the peer", true, true],
    updateMs: [{ updateMs: 20_000 }, "update interval: 10000 ms here, 20000 ms at the peer", true, true],
  };

  test.each(Object.entries(facts))("%s", (item, [change, text, asStandby, asActive]) => {
    const findings = compare(here, { ...there(), ...change });
    expect(findings.map((each) => [each.item, each.text])).toEqual([[item, text]]);
    expect(isCompatible(findings, true)).toBe(asStandby);
    expect(isCompatible(findings, false)).toBe(asActive);
  });

  test("the standby may have more room than the active, not less", () => {
    const smaller = { ...there(), capacity: 500 };
    expect(isCompatible(compare(here, smaller), true)).toBe(true);
    expect(isCompatible(compare(smaller, here), true)).toBe(false);
    expect(isCompatible(compare(smaller, here), false)).toBe(true);
  });
});

describe("what a difference says", () => {
  test.each(SECTION_NAMES)("%s means what its row says", (section) => {
    const other: Hello = { ...there(), sections: { ...here.sections, [section]: new Uint8Array(16) } };
    const findings = compare(here, other);
    expect(items(findings)).toEqual([section]);
    const [finding] = findings;
    expect(finding!.consequence).toBe(SECTIONS[section].consequence);
    for (const isStandby of [true, false]) {
      expect(isCompatible(findings, isStandby)).toBe(SECTIONS[section].consequence === "warned");
    }
    expect(finding!.text).toContain(`${finding!.own} here, 00000000 at the peer`);
    expect(finding!.text).toContain(`compare ${SECTIONS[section].hint} on both boxes`);
  });

  test("the parts that differ are named, whichever side has them", () => {
    const change = (config: Config) => {
      config.inspectRules.get("FW")!.protocols.pop();
      config.inspectRules.set("NEW", { at, family: 4, name: "NEW", protocols: [] });
      config.inspectRules6.delete("FW6");
    };
    const [finding] = compare(here, there(change));
    expect([...finding!.parts].sort()).toEqual(["FW", "IPv6 FW6", "NEW"]);
    expect(finding!.text).toMatch(
      /^inspection rules \(FW, IPv6 FW6, NEW\): [0-9a-f]{8} here, [0-9a-f]{8} at the peer; /,
    );
  });

  test("a hello of a large configuration stays within a message; what has no room has no names", () => {
    const many = (config: Config) => {
      for (let i = 0; i < 1000; i++) {
        const name = `WEB-${i}`.padEnd(60, "x");
        config.objectGroups.set(name, { at, name, kind: "network", members: [] });
      }
    };
    const large = there(many);
    expect(emit(HELLO, large).length).toBeLessThan(CONTENTS_MAX);
    const [finding] = compare(here, large);
    expect([finding!.item, finding!.parts]).toEqual(["objectGroups", []]);
    expect(finding!.text).toMatch(/^object groups: /);
  });

  test("many names are not all listed", () => {
    const many = (config: Config) => {
      for (let i = 0; i < 20; i++)
        config.objectGroups.set(`G${i}`, { at, name: `G${i}`, kind: "network", members: [] });
    };
    const [finding] = compare(here, there(many));
    expect(finding!.parts).toHaveLength(20);
    expect(finding!.text).toContain(" and 12 more): ");
  });
});

describe("the identity of a box", () => {
  const without = (line: string) => identityOf(configOf(pairText("a").replace(line, "")), SURROUNDINGS);

  test("is what its configuration says", () => {
    const own: Identity = identity("a", { key: "a-shared-key" });
    const { config: _config, nodeId, ...facts } = own;
    expect(facts).toEqual({
      ...SURROUNDINGS,
      features: 0,
      nodeName: "RouterA",
      group: "INSIDE",
      association: 1,
      updateMs: 10_000,
      address: 0x0a010102,
      keyString: "a-shared-key",
    });
    expect(nodeId).not.toBe(identity("b").nodeId);
    const quick = identityOf(
      configOf(pairText("a", { more: "ip inspect redundancy update msec 50" })),
      SURROUNDINGS,
    );
    expect(quick!.updateMs).toBe(50);
  });

  test.each([
    "redundancy inter-device\n scheme standby INSIDE",
    "scheme standby INSIDE",
    "protocol sctp",
    "local-port 5000",
    "remote-port 5000",
    "local-ip 10.255.1.2",
    "remote-ip 10.255.1.3",
    "standby 1 name INSIDE",
  ])("is none without: %s", (line) => {
    const text = pairText("a").replace(
      line === "protocol sctp" ? /protocol sctp[\s\S]*?(?=ip inspect)/ : line,
      "",
    );
    expect(identityOf(configOf(text), SURROUNDINGS)).toBeUndefined();
  });

  test("is none while the association is shut down", () => {
    expect(without("nothing")).toBeDefined();
    const text = pairText("a").replace("no shutdown", "shutdown");
    expect(identityOf(configOf(text), SURROUNDINGS)).toBeUndefined();
  });

  test("the timers are those of the group that is followed", () => {
    expect(groupTimersOf(configOf(pairText("a", { timers: "msec 50 msec 200" })))).toEqual({
      helloMs: 50,
      holdMs: 200,
    });
    expect(groupTimersOf(configOf(pairText("a").replaceAll(/standby . timers 1 3/g, "")))).toEqual({
      helloMs: 3000,
      holdMs: 10_000,
    });
  });

  test("the key is in no hello", () => {
    const keyed = emit(HELLO, helloOf(identity("a", { key: "a-shared-key" }), []));
    expect(Buffer.from(keyed).toString("latin1")).not.toContain("a-shared-key");
    expect(keyed).toEqual(emit(HELLO, helloOf(identity("a", { key: "another-key" }), [])));
  });
});

describe("key-string of an association", () => {
  test("is read and shown back; 0 before it is its form", () => {
    const keyOf = (line: string) =>
      configOf(pairText("a").replace("protocol sctp", `${line}\n  protocol sctp`)).ipc!.associations.get(1)!
        .keyString?.value;
    expect(keyOf("key-string Pair-Key-1")).toBe("Pair-Key-1");
    expect(keyOf("key-string 0 Pair-Key-1")).toBe("Pair-Key-1");
    expect(() => keyOf("key-string 7 070C285F4D06")).toThrow("a key of type 7 cannot be read");
    expect(() => keyOf("key-string short")).toThrow("fewer than 8 characters");
    expect(keyOf("key-string Pair-Key-1\n  no key-string")).toBeUndefined();
    expect(keyOf("key-string Pair-Key-1\n  no protocol sctp")).toBe("Pair-Key-1");
  });
});
