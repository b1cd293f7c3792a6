/** Every reason of src/reasons.ts, reached in the core and in the model by the smallest scenario that has it. */
import { describe, expect, test } from "vitest";
import { macBytes } from "../../src/mac.js";
import { FRAME_MAX, HELD_FRAME_MAX } from "../../assembly/layout.js";
import { Batch } from "../../src/batch.js";
import { Dataplane } from "../../src/index.js";
import { Core, completeCapacity, planMemory, SEED_BYTES } from "../../src/core.js";
import { REASONS } from "../../src/reasons.js";
import {
  concat,
  ethernet,
  ETHERTYPE,
  extension,
  FLAG,
  fragmentsOf4,
  icmp,
  icmp6,
  type Ipv4Fields,
  type Ipv6Fields,
  ipv4,
  ipv6,
  raw,
  type Segment,
  tcp,
  udp,
} from "../support/frames.js";
import {
  CLIENT,
  CLIENT_ISN,
  coreModule,
  INSIDE,
  Lab,
  type LabOptions,
  OFFICE,
  OUTSIDE,
  type Result,
  SERVER,
  SERVER_ISN,
  SUBJECTS,
  type SubjectName,
  Talk,
} from "./lab.js";

const CLIENT6 = "2001:db8:1::10";
const SERVER6 = "2001:db8:9::80";
const OWN = "10.1.0.1";

/** Both versions of IP, nothing inspected, no list. */
const ROUTER = `
interface ${INSIDE}
 ip address 10.1.0.1 255.255.255.0
 ipv6 address 2001:db8:1::1/64
!
interface ${OUTSIDE}
 ip address 198.51.100.1 255.255.255.0
 ipv6 address 2001:db8:2::1/64
!
ip route 203.0.113.0 255.255.255.0 198.51.100.254
ipv6 route 2001:db8:9::/48 2001:db8:2::fe
`;

const PORTS = { sourcePort: 40_000, destinationPort: 80 };
const datagram = (bytes = 4): Segment => udp({ ...PORTS, payload: new Uint8Array(bytes) });
const v4 = (segment: Segment, fields: Partial<Ipv4Fields> = {}): Uint8Array =>
  ipv4({ source: CLIENT, destination: SERVER, ...fields }, segment);
const v6 = (segment: Segment, fields: Partial<Ipv6Fields> = {}): Uint8Array =>
  ipv6({ source: CLIENT6, destination: SERVER6, ...fields }, segment);

function broken(packet: Uint8Array, at: number): Uint8Array {
  packet[at]! ^= 0x55;
  return packet;
}

/** A list on the outgoing side of the router. */
const withOutbound = (entries: string): string =>
  ROUTER.replace("198.51.100.1 255.255.255.0", "198.51.100.1 255.255.255.0\n ip access-group 120 out") +
  `access-list 120 ${entries}\n`;

const withInbound = (entries: string): string =>
  ROUTER.replace("10.1.0.1 255.255.255.0", "10.1.0.1 255.255.255.0\n ip access-group 110 in") +
  `access-list 110 ${entries}\n`;

/** A core that no policy was loaded into. */
function emptyCore(): { core: Core; batch: Batch } {
  const capacity = completeCapacity({ sessions: 1024 });
  if ("problem" in capacity) throw new Error(capacity.problem);
  const plan = planMemory(capacity);
  if ("problem" in plan) throw new Error(plan.problem);
  const core = Core.createSync(coreModule, { plan, seed: new Uint8Array(SEED_BYTES) });
  return { core, batch: new Batch(core) };
}

/** The first and the last part of a UDP datagram with 40 bytes of payload. */
function twoFragments(): [Uint8Array, Uint8Array] {
  const whole = v4(udp({ ...PORTS, payload: new Uint8Array(40) }));
  const [first, last] = fragmentsOf4(whole, 7, [24]);
  return [first!, last!];
}

/** The quoted beginning of a packet. */
const quote = (packet: Uint8Array): Uint8Array => packet.subarray(0, 28);

const BOX_MAC = "0200.0000.0077";
/** Reasons of states that the model is never in. */
const CORE_ONLY: ReadonlySet<string> = new Set(["handover", "not_ready", "standby"]);

type Outcome = Pick<Result, "verdict" | "reason">;

/** By the name of the reason. */
function scenariosOf(name: SubjectName): Record<string, () => Outcome> {
  const talk = () => new Talk(name);
  const afterHandshake = () => talk().open();
  const lab = (options: LabOptions) => new Lab(name, options);
  /** One packet that enters a router from the inside. */
  const routed = (packet: Uint8Array) => lab({ config: ROUTER }).packet(packet, INSIDE);
  /** One packet that enters the office's firewall from the inside. */
  const inOffice = (packet: Uint8Array) => lab({ config: OFFICE }).packet(packet, INSIDE);
  return {
    established: () => afterHandshake().c("A", { seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1 }),
    new_session: () => talk().c("S", { seq: 1 }),
    related: () => {
      const firewall = lab({ config: OFFICE });
      const packet = v4(datagram());
      firewall.packet(packet, INSIDE);
      const error = icmp({ type: 3, code: 3, payload: quote(packet) });
      return firewall.packet(ipv4({ source: "192.0.2.99", destination: CLIENT }, error), OUTSIDE);
    },
    permitted: () => routed(v4(datagram())),
    local: () => routed(v4(datagram(), { destination: OWN })),
    arp: () =>
      lab({ config: ROUTER }).arrive(ethernet(new Uint8Array(28), { type: ETHERTYPE.arp }), { on: INSIDE }),
    neighbor_discovery: () =>
      routed(
        v6(icmp6({ type: 135, payload: new Uint8Array(16) }), {
          destination: "ff02::1:ff00:1",
          hopLimit: 255,
        }),
      ),
    local_multicast: () =>
      routed(v4(udp({ sourcePort: 1985, destinationPort: 1985 }), { destination: "224.0.0.2" })),
    held: () => routed(twoFragments()[0]),

    standby: () => {
      const firewall = Dataplane.createSync(coreModule, { config: ROUTER, capacity: { sessions: 1024 } });
      firewall.sync.setRole("standby");
      firewall.batch.add(ethernet(v4(datagram())), firewall.interfaceNumber(INSIDE)!);
      firewall.process(0);
      return { verdict: firewall.batch.verdict(0), reason: firewall.batch.reason(0) };
    },
    handover: () => {
      const firewall = Dataplane.createSync(coreModule, { config: ROUTER, capacity: { sessions: 1024 } });
      const number = firewall.interfaceNumber(INSIDE)!;
      firewall.forwarding.enable({ interfaces: [{ number, port: 0, mac: BOX_MAC }] });
      firewall.forwarding.setHandover(true);
      firewall.batch.add(ethernet(v4(datagram()), { destination: macBytes(BOX_MAC) }), number);
      firewall.process(0);
      return { verdict: firewall.batch.verdict(0), reason: firewall.batch.reason(0) };
    },
    not_ready: () => {
      const { core, batch } = emptyCore();
      batch.add(ethernet(v4(datagram())), 1);
      core.process(1, 1000);
      return { verdict: batch.verdict(0), reason: batch.reason(0) };
    },
    bad_descriptor: () => {
      const frame = ethernet(v4(datagram()));
      return lab({ config: ROUTER }).arrive(frame, { on: INSIDE, wireLength: frame.length - 1 });
    },
    interface_down: () => lab({ config: ROUTER }).packet(v4(datagram()), "GigabitEthernet9/9"),
    frame_truncated: () => lab({ config: ROUTER }).arrive(new Uint8Array(13), { on: INSIDE }),
    ethertype: () =>
      lab({ config: ROUTER }).arrive(ethernet(new Uint8Array(40), { type: 0x8864 }), { on: INSIDE }),
    vlan: () =>
      lab({ config: ROUTER }).arrive(ethernet(v4(datagram()), { tags: [1, 2, 3, 4] }), { on: INSIDE }),
    not_for_us: () => {
      const firewall = lab({ config: ROUTER, macs: new Map([[INSIDE, "02:00:00:00:00:01"]]) });
      return firewall.arrive(ethernet(v4(datagram()), { destination: [2, 0, 0, 0, 0, 2] }), { on: INSIDE });
    },
    link_broadcast: () => {
      const firewall = lab({ config: ROUTER, macs: new Map([[INSIDE, "02:00:00:00:00:01"]]) });
      const destination = [255, 255, 255, 255, 255, 255];
      return firewall.arrive(ethernet(v4(datagram()), { destination }), { on: INSIDE });
    },

    ip_header: () => routed(v4(datagram(), { headerWords: 4 })),
    ip_length: () => routed(v4(datagram(), { totalLength: 100 })),
    ip_checksum: () => routed(broken(v4(datagram()), 10)),
    ip_option_malformed: () => routed(v4(datagram(), { options: [148, 1, 0, 0] })),
    ip_source_route: () => routed(v4(datagram(), { options: [131, 7, 4, 10, 0, 0, 1] })),
    ip_record_route: () => routed(v4(datagram(), { options: [7, 7, 4, 0, 0, 0, 0] })),
    ip_option: () => routed(v4(datagram(), { options: [148, 4, 0, 0] })),
    ipv6_extension: () =>
      routed(v6(datagram(), { extensions: [extension.destination(), extension.hopByHop()] })),
    ipv6_routing_header: () => routed(v6(datagram(), { extensions: [extension.routing(0, 0)] })),
    land: () => routed(v4(datagram(), { destination: CLIENT })),
    martian_source: () => routed(v4(datagram(), { source: "127.0.0.1" })),
    martian_destination: () => routed(v4(datagram(), { destination: "127.0.0.1" })),
    broadcast: () => routed(v4(datagram(), { destination: "255.255.255.255" })),
    multicast: () => routed(v4(datagram(), { destination: "239.1.2.3" })),
    link_scope: () => routed(v6(icmp6({ type: 137, payload: new Uint8Array(32) }), { hopLimit: 255 })),
    protocol_disabled: () => inOffice(v6(datagram())),
    own_source: () => routed(v4(datagram(), { source: OWN })),
    source_unroutable: () =>
      lab({ config: ROUTER }).packet(v4(datagram(), { source: "192.0.2.1" }), undefined),
    reverse_path: () => {
      const config = ROUTER.replace(
        `interface ${INSIDE}`,
        `interface ${INSIDE}\n ip verify unicast source reachable-via rx`,
      );
      return lab({ config }).packet(v4(datagram(), { source: "203.0.113.7" }), INSIDE);
    },
    ttl_expired: () => routed(v4(datagram(), { ttl: 1 })),
    mtu_exceeded: () => {
      const firewall = lab({ config: ROUTER, mtus: new Map([[OUTSIDE, 576]]) });
      return firewall.packet(v4(datagram(549), { dontFragment: true }), INSIDE);
    },
    no_route: () => routed(v4(datagram(), { destination: "192.0.2.1" })),

    fragment_malformed: () => routed(v4(raw(17, new Uint8Array(9)), { moreFragments: true })),
    fragment_refused: () => {
      const config = ROUTER.replace(
        `interface ${INSIDE}`,
        `interface ${INSIDE}\n ip virtual-reassembly drop-fragments`,
      );
      return lab({ config }).packet(twoFragments()[0], INSIDE);
    },
    fragment_oversize: () => routed(v4(raw(17, new Uint8Array(40)), { offset: 65_512 })),
    fragment_too_large: () => routed(v4(raw(17, new Uint8Array(HELD_FRAME_MAX)), { moreFragments: true })),
    fragment_tiny: () => routed(v4(raw(6, new Uint8Array(16)), { moreFragments: true })),
    fragment_overlap: () => {
      const firewall = lab({ config: ROUTER });
      firewall.packet(twoFragments()[0], INSIDE);
      return firewall.packet(v4(raw(17, new Uint8Array(16)), { id: 7, offset: 16 }), INSIDE);
    },
    fragment_table_full: () => {
      const firewall = lab({ config: ROUTER });
      let result: Result | undefined;
      for (let id = 0; id <= 256; id++) {
        result = firewall.packet(v4(raw(17, new Uint8Array(16)), { id, moreFragments: true }), INSIDE);
      }
      return result!;
    },
    fragment_timeout: () => {
      const firewall = lab({ config: ROUTER });
      firewall.packet(twoFragments()[1], INSIDE);
      return firewall.wait(3000)[0]!;
    },

    tcp_header: () => routed(v4(tcp({ ...PORTS, dataOffset: 4 }))),
    tcp_flags: () => routed(v4(tcp({ ...PORTS, flags: FLAG.syn | FLAG.fin }))),
    tcp_checksum: () => routed(broken(v4(tcp(PORTS)), 36)),
    udp_header: () => routed(v4(udp({ ...PORTS, length: 7 }))),
    udp_checksum: () => routed(broken(v4(datagram()), 26)),
    icmp_header: () => routed(v4(raw(1, new Uint8Array(7)))),
    icmp_checksum: () => routed(broken(v4(icmp({ type: 8 })), 22)),
    port_zero: () => routed(v4(udp({ sourcePort: 0, destinationPort: 80 }))),
    icmp_forbidden: () => routed(v4(icmp({ type: 5, payload: new Uint8Array(28) }))),

    tcp_no_session: () => talk().c("A", { seq: 1, ack: 1 }),
    tcp_handshake: () => {
      const opened = talk();
      opened.c("S", { seq: CLIENT_ISN });
      return opened.s("SA", { seq: SERVER_ISN, ack: CLIENT_ISN + 2 });
    },
    tcp_state: () => afterHandshake().s("S", { seq: SERVER_ISN }),
    tcp_seq_high: () =>
      afterHandshake().s("A", { seq: SERVER_ISN + 1_000_000, ack: CLIENT_ISN + 1, payload: 1 }),
    tcp_seq_old: () =>
      afterHandshake().s("A", { seq: SERVER_ISN - 100_000, ack: CLIENT_ISN + 1, payload: 1 }),
    tcp_ack_high: () => afterHandshake().c("A", { seq: CLIENT_ISN + 1, ack: SERVER_ISN + 2 }),
    tcp_ack_old: () => afterHandshake().c("A", { seq: CLIENT_ISN + 1, ack: SERVER_ISN - 70_000 }),
    tcp_rst_window: () => afterHandshake().s("R", { seq: SERVER_ISN + 1_000_000 }),
    tcp_after_close: () => {
      const talk = afterHandshake();
      talk.c("FA", { seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1 });
      talk.s("FA", { seq: SERVER_ISN + 1, ack: CLIENT_ISN + 2 });
      talk.c("A", { seq: CLIENT_ISN + 2, ack: SERVER_ISN + 2 });
      return talk.s("A", { seq: SERVER_ISN + 2, ack: CLIENT_ISN + 2, payload: 1 });
    },
    icmp_no_session: () => inOffice(v4(icmp({ type: 0, identifier: 5 }))),
    icmp_unrelated: () => {
      const error = icmp({ type: 3, code: 3, payload: quote(v4(datagram())) });
      return lab({ config: OFFICE }).packet(ipv4({ source: SERVER, destination: CLIENT }, error), OUTSIDE);
    },
    wrong_interface: () => {
      const talk = afterHandshake();
      const segment = tcp({ ...PORTS, seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1, flags: FLAG.ack });
      return talk.lab.packet(v4(segment), OUTSIDE);
    },
    table_full: () => {
      const firewall = lab({ config: OFFICE });
      let result: Result | undefined;
      for (let sourcePort = 1000; sourcePort <= 2024; sourcePort++) {
        result = firewall.packet(v4(udp({ sourcePort, destinationPort: 80 })), INSIDE);
        const answer = udp({ sourcePort: 80, destinationPort: sourcePort });
        if (result.verdict === "pass")
          firewall.packet(ipv4({ source: SERVER, destination: CLIENT }, answer), OUTSIDE);
      }
      return result!;
    },

    acl_in_deny: () => lab({ config: withInbound("deny udp any any") }).packet(v4(datagram()), INSIDE),
    acl_in_implicit: () => lab({ config: withInbound("permit tcp any any") }).packet(v4(datagram()), INSIDE),
    acl_out_deny: () => lab({ config: withOutbound("deny udp any any") }).packet(v4(datagram()), INSIDE),
    acl_out_implicit: () =>
      lab({ config: withOutbound("permit tcp any any") }).packet(v4(datagram()), INSIDE),
  };
}

describe("reasons", () => {
  test("each has a scenario", () => {
    expect(Object.keys(scenariosOf("core")).sort()).toEqual(REASONS.map(({ name }) => name).sort());
  });

  describe.each(SUBJECTS)("%s", (name) => {
    // The model is made with its policy, and stands alone.
    const reached = REASONS.filter((reason) => name === "core" || !CORE_ONLY.has(reason.name));
    const scenarios = scenariosOf(name);

    test.each(reached.map((reason) => [reason.name, reason.verdict] as const))(
      "%s: %s",
      (reason, verdict) => {
        expect(scenarios[reason]!()).toMatchObject({ reason, verdict });
      },
    );

    test("a frame that is longer than the core looks at is still decided", () => {
      const frame = concat(ethernet(v4(datagram())), new Uint8Array(FRAME_MAX));
      expect(new Lab(name, { config: ROUTER }).arrive(frame, { on: INSIDE })).toMatchObject({
        reason: "permitted",
      });
    });
  });
});
