/** Each reason has a counter, and each counter is reached: by the scenario that stands beside its name. */
import { describe, expect, test } from "vitest";
import { COUNTER_NAMES, type CounterName } from "../../src/router/index.js";
import { ethernet, extension, fragmentsOf4, icmp, ip, raw, tcp, udp } from "../support/frames.js";
import { NEIGHBOR_EVENTS } from "./events.js";
import {
  type ArpFields,
  arp,
  at,
  discovery,
  type DiscoveryFields,
  forwarded,
  HOST_MAC,
  INSIDE,
  MAC_INSIDE,
  macOf,
  OTHER_MAC,
  OUTSIDE,
  Rig,
  TEXT,
  UNCONFIGURED,
  VIRTUAL6,
  VIRTUAL_MAC6,
} from "./rig.js";

const HOST = "10.0.0.9";
const HOST6 = "fe80::9";
const LINK_LOCAL = "fe80::ff:fe00:1";

const ask = (changes: Partial<ArpFields> = {}) =>
  arp({ operation: 1, sender: HOST, target: "10.0.0.1", ...changes });
const reply = (changes: Partial<ArpFields> = {}) =>
  arp({ operation: 2, sender: HOST, target: "10.0.0.1", ...changes });
const solicit = (changes: Partial<DiscoveryFields> = {}) =>
  discovery({ type: 135, source: HOST6, destination: LINK_LOCAL, target: LINK_LOCAL, option: 1, ...changes });
const advertise = (changes: Partial<DiscoveryFields> = {}) =>
  discovery({
    type: 136,
    source: HOST6,
    destination: LINK_LOCAL,
    target: HOST6,
    flags: 0x60,
    option: 2,
    ...changes,
  });

const own = (segment: Parameters<typeof ip>[1], destination = "10.0.0.1", source = HOST) =>
  ethernet(ip({ source, destination }, segment), { destination: macOf(MAC_INSIDE) });
const closed = udp({ sourcePort: 4000, destinationPort: 33434 });
const report = (cause: "ttl" | "no-route" | "prohibited", frame = forwarded(HOST, "198.51.100.7")) =>
  ({ kind: "report", interface: INSIDE, networkOffset: 14, frame, cause }) as const;
const datagram = (destination: string, length = 10, source = "10.0.0.1") =>
  ({
    kind: "datagram",
    ...{ interface: INSIDE, source: at(source), destination: at(destination) },
    ...{ ttl: 64, sourcePort: 9899, port: 9899, payload: new Uint8Array(length) },
  }) as const;
const times = (count: number, act: (i: number) => void) => {
  for (let i = 0; i < count; i++) act(i);
};

const SCENARIOS: Record<CounterName, (rig: Rig) => unknown> = {
  arp_requests_received: (rig) => rig.frame(ask()),
  arp_replies_received: (rig) => rig.frame(reply()),
  arp_requests_sent: (rig) => rig.resolve(HOST),
  arp_replies_sent: (rig) => rig.frame(ask()),
  arp_malformed: (rig) => rig.frame(ask().subarray(0, 41)),
  arp_rate: (rig) => times(600, () => rig.frame(ask())),
  arp_bad_mac: (rig) => rig.frame(ask({ senderMac: "0100.5e00.0001" })),
  arp_own_mac: (rig) => rig.frame(ask({ senderMac: MAC_INSIDE })),
  arp_foreign_sender: (rig) => rig.frame(ask({ sender: "10.0.1.9" })),
  arp_not_for_us: (rig) => rig.frame(ask({ target: "10.0.0.77" })),
  duplicate_address: (rig) => rig.frame(ask({ sender: "10.0.0.1", target: "10.0.0.9" })),
  virtual_address_claimed: (rig) => rig.frame(ask({ sender: "10.0.0.3", target: "10.0.0.9" })),
  nd_received: (rig) => rig.frame(solicit()),
  nd_solicitations_sent: (rig) => rig.resolve(HOST6),
  nd_advertisements_sent: (rig) => rig.frame(solicit()),
  nd_malformed: (rig) => rig.frame(solicit({ hopLimit: 254 })),
  nd_fragmented: (rig) => rig.frame(solicit({ extensions: [extension.fragment(1, 0, false)] })),
  nd_rate: (rig) => times(600, () => rig.frame(solicit())),
  nd_bad_mac: (rig) => rig.frame(solicit({ senderMac: "3333.0000.0001" })),
  nd_own_mac: (rig) => rig.frame(solicit({ senderMac: MAC_INSIDE })),
  nd_foreign_sender: (rig) => rig.frame(solicit({ source: "2001:db8:9::9" })),
  nd_not_for_us: (rig) => rig.frame(solicit({ target: "fe80::77" })),
  router_solicitations_received: (rig) =>
    rig.frame(discovery({ type: 133, source: HOST6, destination: "ff02::2", option: 1 })),
  router_advertisements_received: (rig) =>
    rig.frame(discovery({ type: 134, source: HOST6, destination: "ff02::1", tail: new Array(8).fill(0) })),
  router_advertisements_sent: (rig) => rig.own(),
  redirects_ignored: (rig) => rig.frame(own(icmp({ type: 5, code: 1 }))),
  neighbors_learned: (rig) => rig.frame(ask()),
  neighbors_moved: (rig) => rig.frame(ask()).frame(ask({ senderMac: OTHER_MAC })),
  neighbor_locked: (rig) =>
    rig
      .resolve(HOST)
      .frame(reply())
      .frame(reply({ senderMac: OTHER_MAC })),
  neighbors_failed: (rig) => rig.resolve(HOST).run(3000),
  neighbors_evicted: (rig) => times(200, (i) => rig.resolve(`10.0.0.${i + 10}`)),
  neighbors_refused: () => undefined,
  neighbor_rate: (rig) => {
    rig.frame(NEIGHBOR_EVENTS.hello("10.0.0.2"));
    const asker = { sender: "10.0.0.2", senderMac: "0200.0000.0022" };
    times(300, (i) => rig.frame(ask({ ...asker, target: `10.0.${i >> 7}.${(i & 127) + 10}` })));
  },
  requests_throttled: (rig) => times(600, (i) => rig.resolve(`10.0.${i >> 7}.${(i & 127) + 10}`)),
  queued: (rig) => rig.resolve(HOST),
  queue_full: (rig) => times(257, () => rig.resolve(HOST)),
  queue_full_total: (rig) => times(4097, (i) => rig.resolve(`10.0.0.${(i % 17) + 10}`)),
  queue_discarded: (rig) => rig.resolve(HOST).input({ kind: "clear", what: "arp", interface: INSIDE }),
  not_on_link: (rig) => rig.resolve("172.16.0.1"),
  interface_down: (rig) => rig.resolve(HOST, forwarded(), UNCONFIGURED),
  unreachable_host: (rig) => rig.resolve(HOST).run(3000),
  sent: (rig) => rig.input(datagram(HOST)),
  no_route: (rig) => rig.input(datagram("172.16.0.1")),
  too_big: (rig) => rig.input(datagram("2001:db8:1::9", 1400, "2001:db8:1::1")),
  fragmented: (rig) => rig.input(datagram("192.0.2.9", 1400)),
  ip_malformed: (rig) => rig.frame(own(closed).subarray(0, 33)),
  ip_fragment: (rig) => {
    const packet = ip(
      { source: HOST, destination: "10.0.0.1" },
      icmp({ type: 8, payload: new Uint8Array(64) }),
    );
    for (const each of fragmentsOf4(packet, 1, [32])) rig.frame(ethernet(each));
  },
  not_own: (rig) => rig.frame(own(closed, "10.0.0.3")),
  echo_answered: (rig) => rig.frame(own(icmp({ type: 8 }))),
  echo_rate: (rig) => times(201, () => rig.frame(own(icmp({ type: 8 })))),
  icmp_malformed: (rig) => rig.frame(own(raw(1, new Uint8Array(3)))),
  icmp_ignored: (rig) => rig.frame(own(icmp({ type: 13 }))),
  udp_malformed: (rig) => rig.frame(own(udp({ sourcePort: 1, destinationPort: 1985, length: 9 }))),
  udp_delivered: (rig) => rig.frame(NEIGHBOR_EVENTS.hello("10.0.0.2")),
  udp_closed: (rig) => rig.frame(own(closed)),
  udp_ignored: (rig) => rig.frame(own(closed, "10.0.0.255")),
  sctp_delivered: (rig) => rig.frame(own(raw(132, new Uint8Array(16)))),
  tcp_ignored: (rig) => rig.frame(own(tcp({ sourcePort: 1, destinationPort: 22 }))),
  protocol_ignored: (rig) => rig.frame(own(raw(89, new Uint8Array(16)))),
  ethertype_ignored: (rig) => rig.frame(ethernet(new Uint8Array(46), { type: 0x88cc })),
  errors_sent: (rig) => rig.input(report("ttl")),
  error_not_due: (rig) => rig.input(report("ttl", own(icmp({ type: 3 }), "198.51.100.7"))),
  error_disabled: () => undefined,
  error_rate: (rig) => times(7, () => rig.input(report("ttl"))),
  error_rate_total: (rig) => {
    const tooBig = { ...report("ttl"), cause: "too-big", mtu: 1400 } as const;
    for (const on of [INSIDE, OUTSIDE]) times(64, () => rig.input({ ...tooBig, interface: on }));
  },
};

/** Ten thousands of hosts inside. */
const WIDE = TEXT.replace("10.0.0.1 255.255.255.0", "10.0.0.1 255.255.0.0");

/** Where another router than the usual one is needed. */
const RIGS: Partial<Record<CounterName, () => Rig>> = {
  neighbors_evicted: () => Rig.ready({ neighborsMax: 20 }),
  neighbor_rate: () => Rig.ready({ text: WIDE }),
  requests_throttled: () => Rig.ready({ text: WIDE }),
  neighbors_refused: () => {
    // The next hops take all the room that there is, and none of them is given up.
    const routes = [250, 251].map((host) => `ip route 198.18.${host}.0 255.255.255.0 10.0.0.${host}`);
    return Rig.ready({ text: `${TEXT}\n${routes.join("\n")}\n`, neighborsMax: 4 }).resolve(HOST);
  },
  error_disabled: () => {
    const text = TEXT.replace("ip address 10.0.0.1", "no ip unreachables\n ip address 10.0.0.1");
    return Rig.ready({ text }).input(report("no-route"));
  },
};

test("unreachables are switched off by version of IP", () => {
  const unreachable = (line: string, about: ReturnType<typeof report>): number => {
    const text = TEXT.replace("ip address 10.0.0.1", `${line}\n ip address 10.0.0.1`);
    return Rig.ready({ text }).input(about).counted("error_disabled");
  };
  const six = report("no-route", forwarded("2001:db8::9", "2001:db8:77::7"));
  for (const [line, about, disabled] of [
    ["no ip unreachables", report("no-route"), 1],
    ["no ip unreachables", six, 0],
    ["no ipv6 unreachables", report("no-route"), 0],
    ["no ipv6 unreachables", six, 1],
  ] as const)
    expect([line, unreachable(line, about)]).toEqual([line, disabled]);
});

describe("each counter", () => {
  for (const name of COUNTER_NAMES) {
    test(name, () => {
      const rig = RIGS[name]?.() ?? Rig.ready();
      const before = RIGS[name] === undefined ? rig.counted(name) : 0;
      SCENARIOS[name](rig);
      expect(rig.counted(name)).toBeGreaterThan(before);
    });
  }
});

test("the table of the core is told of every neighbour that is forgotten when the link goes", () => {
  const rig = Rig.ready().frame(ask()).frame(solicit());
  rig.take();
  rig.input({ kind: "link", interface: INSIDE, isUp: false });
  expect(rig.taken("neighbor")).toEqual([
    { kind: "neighbor", interface: INSIDE, address: at(HOST), mac: undefined },
    { kind: "neighbor", interface: INSIDE, address: at(HOST6), mac: undefined },
  ]);
});

test("addresses of this router and of its groups are nobody's neighbours, by whatever is said", () => {
  const rig = Rig.ready().own();
  for (const sender of ["10.0.0.1", "10.0.0.3", "10.0.0.255", "10.0.0.0", "0.0.0.0"]) {
    for (const target of ["10.0.0.1", "10.0.0.3", sender]) {
      rig.frame(ask({ sender, target })).frame(reply({ sender, target }));
    }
  }
  for (const target of [LINK_LOCAL, VIRTUAL6, "2001:db8::1"]) {
    rig.frame(advertise({ target })).frame(solicit({ source: target, target }));
  }
  const learned = rig.router.neighbors(4, rig.nowMs).concat(rig.router.neighbors(6, rig.nowMs));
  expect(learned.filter(({ state, interface: on }) => state !== "own" && on === INSIDE)).toEqual([]);
  expect(rig.taken("arp").map(({ address, mac }) => [address, mac])).toContainEqual([
    at("10.0.0.3"),
    HOST_MAC,
  ]);
});

test("the other router of a group claims the virtual address by the MAC address of the group: nothing to say", () => {
  const rig = Rig.ready();
  rig.frame(reply({ sender: "10.0.0.3", senderMac: "0000.0c07.ac01", target: "10.0.0.3" }));
  rig.frame(advertise({ target: VIRTUAL6, senderMac: VIRTUAL_MAC6 }));
  expect(rig.take()).toEqual([]);
});
