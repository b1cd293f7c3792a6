import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { formatMac, type Mac } from "../../src/frame.js";
import { Dataplane } from "../../src/index.js";
import { parseAddress } from "../../src/ip.js";
import {
  concat,
  ethernet,
  ETHERTYPE,
  FLAG,
  ipv4,
  ipv6,
  icmp,
  type Ipv4Fields,
  tcp,
  udp,
} from "../support/frames.js";
import { configOf, coreModule, DEVICES, FORWARD_NAMES, host, liveRouter, own, SEED } from "./network.js";

const [INSIDE, OUTSIDE, TRUNK, VLAN20] = DEVICES as [
  (typeof DEVICES)[0],
  (typeof DEVICES)[0],
  (typeof DEVICES)[0],
  (typeof DEVICES)[0],
];
const HOP_MAC: Mac = "0200.aaaa.0002";
const VIRTUAL: Mac = "0000.0c07.ac01";
const BROADCAST = [255, 255, 255, 255, 255, 255];

const bytesOf = (mac: Mac): number[] => [...Buffer.from(mac.replaceAll(".", ""), "hex")];

const ENDS = { source: host(INSIDE.number, false, 50), destination: host(OUTSIDE.number, false, 2) };
const datagram = (bytes: number, fields: Partial<Ipv4Fields> = {}): Uint8Array =>
  ipv4({ ...ENDS, ...fields }, udp({ sourcePort: 5, destinationPort: 6, payload: new Uint8Array(bytes) }));

/** A router whose neighbour 2 on the outside is known. */
function router(more = "", capacity = {}): Dataplane {
  const dataplane = liveRouter(configOf([], more), { capacity });
  expect(dataplane.forwarding.setNeighbor(OUTSIDE.number, ENDS.destination, HOP_MAC)).toBe(true);
  return dataplane;
}

/** What becomes of one frame, as `VERDICT REASON: FORWARD`. */
function one(dataplane: Dataplane, number: number, frame: Uint8Array, segment?: number): string {
  const { batch } = dataplane;
  batch.clear();
  expect(batch.add(frame, number, 0, { segment })).toBe(true);
  expect(dataplane.process(1)).toBe(1);
  return `${batch.verdict(0)} ${batch.reason(0)}: ${FORWARD_NAMES.get(batch.forward(0))}`;
}

const inside = (packet: Uint8Array, destination: ArrayLike<number> = INSIDE.mac): Uint8Array =>
  ethernet(packet, { destination });

describe("until it is enabled", () => {
  test("frames stay as they came, and nothing is said of a way", () => {
    const dataplane = Dataplane.createSync(coreModule, { config: configOf([]) });
    expect(dataplane.forwarding.isEnabled).toBe(false);
    dataplane.forwarding.setNeighbor(OUTSIDE.number, ENDS.destination, HOP_MAC);
    const frame = inside(datagram(1), OUTSIDE.mac);
    expect(one(dataplane, INSIDE.number, frame)).toBe("pass permitted: none");
    expect(dataplane.batch.frame(0)).toEqual(frame);
    expect(one(dataplane, INSIDE.number, inside(datagram(1, { ttl: 1 })))).toBe("drop ttl_expired: none");
  });

  test("and a copy is what it was copied from", () => {
    const dataplane = router();
    const fresh = liveRouter(configOf([]));
    fresh.copyFrom(dataplane);
    expect([...fresh.forwarding.neighbors()]).toEqual([...dataplane.forwarding.neighbors()]);
    expect(one(fresh, INSIDE.number, inside(datagram(1)))).toBe("pass permitted: send");
    const idle = Dataplane.createSync(coreModule, {
      config: configOf([]),
      capacity: { ...dataplane.capacity },
    });
    fresh.copyFrom(idle);
    expect(fresh.forwarding.isEnabled).toBe(false);
  });
});

describe("whose frames are taken", () => {
  test("those for the device, for its virtual addresses while it accepts them, and for groups where they belong", () => {
    const dataplane = router();
    const { forwarding } = dataplane;
    const to = (mac: ArrayLike<number>): string => one(dataplane, INSIDE.number, inside(datagram(1), mac));
    expect(to(INSIDE.mac)).toBe("pass permitted: send");
    expect(to(OUTSIDE.mac)).toBe("drop not_for_us: none");
    expect(to([0, 0, 0, 0, 0, 0])).toBe("drop not_for_us: none");
    expect(to(BROADCAST)).toBe("drop link_broadcast: none");
    expect(to(bytesOf(VIRTUAL))).toBe("drop not_for_us: none");
    expect(forwarding.acceptMac(INSIDE.number, VIRTUAL)).toBe(true);
    expect(to(bytesOf(VIRTUAL))).toBe("pass permitted: send");
    expect(to(INSIDE.mac)).toBe("pass permitted: send");
    forwarding.setSourceMac(INSIDE.number, VIRTUAL);
    expect(to(bytesOf(VIRTUAL))).toBe("pass permitted: send");
    expect(to(INSIDE.mac)).toBe("pass permitted: send");
    forwarding.setSourceMac(INSIDE.number, formatMac(INSIDE.mac));
    forwarding.refuseMac(INSIDE.number, VIRTUAL);
    expect(to(bytesOf(VIRTUAL))).toBe("drop not_for_us: none");
  });

  test("a device accepts for all its subinterfaces, as long as one of them asks", () => {
    const dataplane = router();
    const { forwarding } = dataplane;
    const packet = datagram(1, { source: host(VLAN20.number, false, 9) });
    const tagged = (): string =>
      one(dataplane, TRUNK.number, ethernet(packet, { destination: bytesOf(VIRTUAL), tags: [20] }));
    expect(tagged()).toBe("drop not_for_us: none");
    forwarding.acceptMac(VLAN20.number, VIRTUAL);
    forwarding.acceptMac(5, VIRTUAL);
    forwarding.refuseMac(VLAN20.number, VIRTUAL);
    expect(tagged()).toBe("pass permitted: send");
    forwarding.refuseMac(5, VIRTUAL);
    expect(tagged()).toBe("drop not_for_us: none");
  });

  test("a virtual address too many is refused and leaves the others", () => {
    const { forwarding } = router();
    const virtual = (i: number): Mac => `0000.0c07.ac0${i}`;
    for (let i = 0; i < L.LIVE_MACS_MAX; i++)
      expect(forwarding.acceptMac(TRUNK.number, virtual(i))).toBe(true);
    expect(forwarding.acceptMac(VLAN20.number, virtual(9))).toBe(false);
    expect(forwarding.acceptMac(VLAN20.number, virtual(0))).toBe(true);
    forwarding.refuseMac(TRUNK.number, virtual(1));
    expect(forwarding.acceptMac(VLAN20.number, virtual(9))).toBe(true);
  });

  test("a tag that belongs to no subinterface is dropped where there are none, too", () => {
    const dataplane = router();
    const tagged = (vlan: number): Uint8Array =>
      ethernet(datagram(1), { destination: INSIDE.mac, tags: [vlan] });
    expect(one(dataplane, INSIDE.number, tagged(7))).toBe("drop vlan: none");
    expect(one(dataplane, INSIDE.number, tagged(0))).toBe("pass permitted: send");
  });

  test("frames without a tag are those of the native VLAN's subinterface, and leave so", () => {
    const dataplane = Dataplane.createSync(coreModule, {
      config: `
interface GigabitEthernet0/0
 ip address 10.1.0.1 255.255.0.0
interface GigabitEthernet0/1
interface GigabitEthernet0/1.20
 encapsulation dot1Q 20
 ip address 10.3.0.1 255.255.0.0
interface GigabitEthernet0/1.99
 encapsulation dot1Q 99 native
 ip address 10.2.0.1 255.255.0.0
`,
      seed: SEED,
    });
    const [native, port] = [4, 2];
    const macs = ["0200.0000.1001", "0200.0000.1002", "0200.0000.1002", "0200.0000.1002"];
    dataplane.forwarding.enable({
      interfaces: macs.map((mac, i) => ({ number: i + 1, port: i === 0 ? 0 : 1, mac })),
    });
    dataplane.forwarding.setNeighbor(native, ENDS.destination, HOP_MAC);
    const { batch } = dataplane;
    const back = (tags: number[]): string => {
      const packet = datagram(1, { source: ENDS.destination, destination: ENDS.source });
      const frame = ethernet(packet, { destination: bytesOf(macs[1]!), tags });
      return `${one(dataplane, port, frame)} in ${batch.ingress(0)}`;
    };
    expect(one(dataplane, 1, ethernet(datagram(1), { destination: bytesOf(macs[0]!) }))).toBe(
      "pass permitted: send",
    );
    expect([batch.egress(0), batch.port(0)]).toEqual([native, 1]);
    expect([...batch.frame(0).subarray(12, 14)]).toEqual([0x08, 0x00]);
    dataplane.forwarding.setNeighbor(1, ENDS.source, HOP_MAC);
    expect(back([])).toBe(`pass permitted: send in ${native}`);
    expect(back([0])).toBe(`pass permitted: send in ${native}`);
    expect(back([99])).toBe(`pass permitted: send in ${native}`);
    expect(back([20])).toBe("pass permitted: send in 3");
    expect(back([7])).toMatch(/^drop vlan/);
    expect(back([99, 20])).toMatch(/^drop vlan/);
    expect(back([0, 20])).toBe("pass permitted: send in 3");
  });

  test("an interface without a device is down, and no way out", () => {
    const dataplane = router();
    const { forwarding } = dataplane;
    const all = DEVICES.map(({ number, port, mac }) => ({ number, port, mac: formatMac(mac) }));
    forwarding.acceptMac(INSIDE.number, VIRTUAL);
    forwarding.enable({ interfaces: all.filter(({ number }) => number !== OUTSIDE.number) });
    expect(one(dataplane, INSIDE.number, inside(datagram(1)))).toBe("drop no_route: report");
    expect(one(dataplane, OUTSIDE.number, ethernet(datagram(1)))).toBe("drop interface_down: none");
    // What kept its device kept its addresses; what came back has none.
    expect(one(dataplane, INSIDE.number, inside(datagram(1), bytesOf(VIRTUAL)))).toBe(
      "drop no_route: report",
    );
    expect([...forwarding.neighbors()]).toEqual([]);
    forwarding.enable({ interfaces: all });
    expect(one(dataplane, INSIDE.number, inside(datagram(1)))).toBe("pass permitted: resolve");
  });

  test("numbers that are no interfaces, and a tag without its device, are mistakes", () => {
    const { forwarding } = router();
    const device = { port: 0, mac: VIRTUAL };
    expect(() => forwarding.enable({ interfaces: [{ ...device, number: 6 }] })).toThrow(RangeError);
    expect(() => forwarding.enable({ interfaces: [{ ...device, number: 0 }] })).toThrow(RangeError);
    expect(() => forwarding.enable({ interfaces: [{ ...device, number: VLAN20.number }] })).toThrow(
      RangeError,
    );
  });
});

describe("what is made of a packet", () => {
  test("for the firewall itself, and ARP: as it came", () => {
    const dataplane = router();
    const ping = inside(ipv4({ ...ENDS, destination: own(OUTSIDE.number, false) }, icmp({ type: 8 })));
    expect(one(dataplane, INSIDE.number, ping)).toBe("local local: local");
    expect(dataplane.batch.frame(0)).toEqual(ping);
    const arp = ethernet(new Uint8Array(28), { destination: BROADCAST, type: ETHERTYPE.arp });
    expect(one(dataplane, INSIDE.number, arp)).toBe("local arp: local");
  });

  test("what a list denies may be told to the sender; what inspection drops may not", () => {
    const dataplane = router(`
ip inspect name FW tcp
ip access-list extended NOTHING
 deny udp any any
interface GigabitEthernet0/0
 ip access-group NOTHING in
interface GigabitEthernet0/1
 ip inspect FW in
 ip access-group NOTHING out`);
    expect(one(dataplane, INSIDE.number, inside(datagram(1)))).toBe("drop acl_in_deny: report");
    const syn = tcp({ sourcePort: 1, destinationPort: 2 });
    expect(one(dataplane, INSIDE.number, inside(ipv4(ENDS, syn)))).toBe("drop acl_in_implicit: report");
    const back = (packet: Uint8Array): string =>
      one(dataplane, OUTSIDE.number, ethernet(packet, { destination: OUTSIDE.mac }));
    const ends = { source: ENDS.destination, destination: ENDS.source };
    expect(back(ipv4(ends, tcp({ sourcePort: 1, destinationPort: 2, flags: FLAG.ack })))).toBe(
      "drop tcp_no_session: none",
    );
    const from20 = ethernet(datagram(1, { source: host(VLAN20.number, false, 9) }), {
      destination: TRUNK.mac,
      tags: [20],
    });
    expect(one(dataplane, TRUNK.number, from20)).toBe("drop acl_out_deny: report");
    const tcp20 = ipv4(
      { ...ENDS, source: host(VLAN20.number, false, 9) },
      tcp({ sourcePort: 1, destinationPort: 2 }),
    );
    expect(one(dataplane, TRUNK.number, ethernet(tcp20, { destination: TRUNK.mac, tags: [20] }))).toBe(
      "drop acl_out_implicit: report",
    );
  });

  test("a packet without a session that would be too large creates none", () => {
    const dataplane = router("ip inspect name FW udp\ninterface GigabitEthernet0/1\n ip inspect FW out");
    const large = (dontFragment: boolean): string =>
      one(dataplane, INSIDE.number, inside(datagram(1300, { dontFragment })));
    expect(large(true)).toBe("drop mtu_exceeded: too big");
    expect([...dataplane.sessions()]).toEqual([]);
    expect(large(false)).toBe("pass new_session: fragment");
    const before = [...dataplane.sessions()];
    expect(large(true)).toBe("drop mtu_exceeded: too big");
    expect([...dataplane.sessions()]).toEqual(before);
    expect(dataplane.counters().reasons.mtu_exceeded?.packets).toBe(2);
  });

  test("a merged frame is judged by its segments", () => {
    const dataplane = router();
    const merged = inside(
      ipv4(
        { ...ENDS, dontFragment: true },
        tcp({ sourcePort: 1, destinationPort: 2, payload: new Uint8Array(30_000) }),
      ),
    );
    expect(one(dataplane, INSIDE.number, merged, OUTSIDE.mtu - 40)).toBe("pass permitted: send");
    expect(dataplane.batch.segment(0)).toBe(OUTSIDE.mtu - 40);
    expect(one(dataplane, INSIDE.number, merged, OUTSIDE.mtu - 39)).toBe("drop mtu_exceeded: too big");
    expect(one(dataplane, INSIDE.number, merged)).toBe("drop mtu_exceeded: too big");
    const six = ethernet(
      ipv6(
        { source: host(1, true, 9), destination: host(2, true, 9) },
        udp({ sourcePort: 1, destinationPort: 2, payload: new Uint8Array(9000) }),
      ),
      { destination: INSIDE.mac },
    );
    expect(one(dataplane, INSIDE.number, six, OUTSIDE.mtu - 48)).toBe("pass permitted: resolve");
    expect(one(dataplane, INSIDE.number, six, OUTSIDE.mtu - 47)).toBe("drop mtu_exceeded: too big");
  });

  test("a frame that was cut short cannot leave", () => {
    const dataplane = router();
    const { batch } = dataplane;
    const frame = inside(datagram(100));
    batch.clear();
    batch.add(frame.subarray(0, 80), INSIDE.number, 0, { wireLength: frame.length });
    dataplane.process(1);
    expect([batch.verdict(0), batch.forward(0)]).toEqual(["pass", L.FW_NONE]);
  });

  test("a first reply that waits for the peer is not sent before", () => {
    const dataplane = router(`
ip inspect redundancy defer
ip inspect name FW udp
interface GigabitEthernet0/1
 ip inspect FW out redundancy stateful HA`);
    dataplane.sync.setPeer(true);
    dataplane.forwarding.setNeighbor(INSIDE.number, ENDS.source, HOP_MAC);
    expect(one(dataplane, INSIDE.number, inside(datagram(1)))).toBe("pass new_session: send");
    const reply = ipv4(
      { source: ENDS.destination, destination: ENDS.source },
      udp({ sourcePort: 6, destinationPort: 5 }),
    );
    expect(one(dataplane, OUTSIDE.number, ethernet(reply, { destination: OUTSIDE.mac }))).toBe(
      "pass established: defer",
    );
    expect(dataplane.batch.isDeferred(0)).toBe(true);
  });

  test("no byte of the frame before it reaches the next one", () => {
    const dataplane = router();
    const { batch } = dataplane;
    batch.clear();
    // The second frame gets a tag and so begins four bytes earlier; the first ends on a cache line.
    const first = inside(datagram(22));
    expect(first.length % 64).toBe(0);
    const second = inside(datagram(1, { destination: host(VLAN20.number, false, 3) }));
    batch.add(first, INSIDE.number);
    batch.add(second, INSIDE.number);
    dataplane.process(1);
    expect(batch.frame(0).subarray(42)).toEqual(first.subarray(42));
    expect([...batch.frame(1).subarray(0, 18)]).toEqual([
      ...[0, 0, 0, 0, 0, 0],
      ...VLAN20.mac,
      ...[0x81, 0, 0, 20, 8, 0],
    ]);
  });

  test("is told by `explain`, and leaves no trace", () => {
    const dataplane = router();
    const forwarded = (packet: Uint8Array): string[] =>
      dataplane
        .explain(inside(packet), { in: "Gi0/0" })
        .phases.filter(({ phase }) => phase === "forward" || phase === "mtu")
        .map(({ result }) => result);
    expect(forwarded(datagram(1))).toEqual(["send"]);
    expect(forwarded(datagram(1, { destination: host(1, false, 9) }))).toEqual(["resolve"]);
    expect(forwarded(datagram(1300))).toEqual(["cut"]);
    expect(forwarded(datagram(1300, { dontFragment: true }))).toEqual(["mtu_exceeded"]);
    expect(forwarded(datagram(1, { ttl: 1 }))).toEqual([]);
    expect(dataplane.forwarding.takeUsedNeighbors()).toEqual([]);
  });
});

describe("a checksum that the sender has left to its device", () => {
  const v6Ends = { source: host(INSIDE.number, true, 50), destination: host(OUTSIDE.number, true, 2) };
  const packets = new Map<string, { packet: Uint8Array; checksumAt: number; transportAt: number }>();
  for (const bytes of [0, 1, 2, 15, 16, 17, 700]) {
    const payload = Uint8Array.from({ length: bytes }, (_, i) => (i * 37) & 255);
    const datagram = udp({ sourcePort: 5, destinationPort: 6, payload });
    const segment = tcp({ sourcePort: 5, destinationPort: 6, flags: FLAG.syn, payload });
    for (const [protocol, each, at] of [
      ["udp", datagram, 6],
      ["tcp", segment, 16],
    ] as const) {
      packets.set(`${protocol} 4, ${bytes} bytes`, {
        packet: ipv4(ENDS, each),
        transportAt: 20,
        checksumAt: 20 + at,
      });
      packets.set(`${protocol} 6, ${bytes} bytes`, {
        packet: ipv6(v6Ends, each),
        transportAt: 40,
        checksumAt: 40 + at,
      });
    }
  }

  /** The sum of the pseudo header, as the kernel leaves it in the field (RFC 9293 3.1, RFC 8200 8.1). */
  function pseudoSum(packet: Uint8Array, transportAt: number): number {
    const isV6 = packet[0]! >> 4 === 6;
    const addresses = isV6 ? packet.subarray(8, 40) : packet.subarray(12, 20);
    let sum = packet[isV6 ? 6 : 9]! + (packet.length - transportAt);
    for (let i = 0; i < addresses.length; i += 2) sum += (addresses[i]! << 8) | addresses[i + 1]!;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
  }

  function decide(dataplane: Dataplane, packet: Uint8Array, mayBePartial: boolean): string {
    const { batch } = dataplane;
    batch.clear();
    batch.add(inside(packet), INSIDE.number, 0, { mayBePartial });
    dataplane.process(1);
    return batch.reason(0);
  }

  test.each([...packets])("%s: is completed, and only where the port says that it may be so", (_, each) => {
    const { packet, transportAt, checksumAt } = each;
    const right = packet.slice(checksumAt, checksumAt + 2);
    const partial = packet.slice();
    new DataView(partial.buffer).setUint16(checksumAt, pseudoSum(packet, transportAt));
    const wrong = partial.slice();
    wrong[checksumAt]! ^= 0x10;
    const reason = packet[packet[0]! >> 4 === 6 ? 6 : 9] === 6 ? "tcp_checksum" : "udp_checksum";
    const dataplane = router();
    const { batch } = dataplane;
    const sum = (): Uint8Array => {
      const end = batch.frame(0).length - packet.length + checksumAt;
      return batch.frame(0).slice(end, end + 2);
    };
    expect(decide(dataplane, wrong, true)).toBe(reason);
    expect(decide(dataplane, partial, false)).toBe(reason);
    expect(decide(dataplane, partial, true)).not.toBe(reason);
    expect(batch.verdict(0)).toBe("pass");
    expect(sum()).toEqual(right);
    expect(decide(dataplane, packet, true)).not.toBe(reason);
    expect(sum()).toEqual(right);
  });

  test("a sum of zero leaves as the other zero in UDP", () => {
    // The payload is the sum of all the rest, so that the whole sums up to 0xffff.
    const payload = new Uint8Array(2);
    const packet = ipv4(ENDS, udp({ sourcePort: 5, destinationPort: 6, payload }));
    const view = new DataView(packet.buffer);
    view.setUint16(28, view.getUint16(26));
    view.setUint16(26, pseudoSum(packet, 20));
    const dataplane = router();
    expect(decide(dataplane, packet, true)).not.toBe("udp_checksum");
    expect(dataplane.batch.frame(0).slice(14 + 26, 14 + 28)).toEqual(Uint8Array.of(255, 255));
  });
});

describe("a policy after it", () => {
  test("keeps devices, addresses, neighbours and MTUs", () => {
    const dataplane = router();
    dataplane.forwarding.acceptMac(INSIDE.number, VIRTUAL);
    dataplane.forwarding.setSourceMac(OUTSIDE.number, VIRTUAL);
    dataplane.replacePolicy(configOf([], "hostname other"));
    expect(one(dataplane, INSIDE.number, inside(datagram(1), bytesOf(VIRTUAL)))).toBe("pass permitted: send");
    expect([...dataplane.batch.frame(0).subarray(0, 12)]).toEqual([...bytesOf(HOP_MAC), ...bytesOf(VIRTUAL)]);
    expect(dataplane.forwarding.mtu(OUTSIDE.number)).toBe(OUTSIDE.mtu);
  });

  test("a snapshot brings its MTUs and leaves the machine as it is", () => {
    const dataplane = router();
    const other = liveRouter(configOf([]), { mtus: new Map() });
    const bytes = other.snapshot();
    dataplane.restore(bytes);
    expect(dataplane.forwarding.mtu(OUTSIDE.number)).toBe(0);
    expect(one(dataplane, INSIDE.number, inside(datagram(1300, { dontFragment: true })))).toBe(
      "pass permitted: send",
    );
    dataplane.restore(router().snapshot());
    expect(dataplane.forwarding.mtu(OUTSIDE.number)).toBe(OUTSIDE.mtu);
  });

  test("MTUs that are none are refused, each by its name", () => {
    for (const [name, mtu] of [
      ["GigabitEthernet0/0", 67],
      ["GigabitEthernet0/0", 65_536],
      ["GigabitEthernet0/0", 1.5],
      ["GigabitEthernet9/9", 1500],
    ] as const) {
      expect(() => liveRouter(configOf([]), { mtus: new Map([[name, mtu]]) })).toThrow(name);
    }
  });
});

describe("routes by an interface and no more", () => {
  test("lead to the destination itself; those by a gateway behind others to the last one", () => {
    const dataplane = router(`
ip route 172.16.0.0 255.255.0.0 GigabitEthernet0/1
ip route 172.17.0.0 255.255.0.0 GigabitEthernet0/1 10.2.0.9
ip route 172.18.0.0 255.255.0.0 172.17.3.4
ip route 172.19.0.0 255.255.0.0 172.16.3.4
ipv6 route 2001:db8:99::/48 GigabitEthernet0/1 fe80::9`);
    const hop = (destination: string): unknown =>
      dataplane.forwarding.nextHop(OUTSIDE.number, parseAddress(destination)!);
    expect(hop("172.16.5.5")).toBe(parseAddress("172.16.5.5"));
    expect(hop("172.17.5.5")).toBe(parseAddress("10.2.0.9"));
    expect(hop("172.18.5.5")).toBe(parseAddress("10.2.0.9"));
    expect(hop("172.19.5.5")).toBe(parseAddress("172.16.3.4"));
    expect(hop("2001:db8:99::5")).toBe(parseAddress("fe80::9"));
    // No route leads there by this interface: the destination itself is asked for.
    expect(dataplane.forwarding.nextHop(INSIDE.number, parseAddress("172.17.5.5")!)).toBe(
      parseAddress("172.17.5.5"),
    );
  });
});

describe("neighbours", () => {
  test("are known by interface and address, of both families, and change and go", () => {
    const { forwarding } = router();
    forwarding.setNeighbor(1, 0x0a010005, "0200.0000.0001");
    forwarding.setNeighbor(2, 0x0a010005, "0200.0000.0002");
    forwarding.setNeighbor(1, parseAddress("2001:db8::5")!, "0200.0000.0003");
    forwarding.setNeighbor(1, 0x0a010005, "0200.0000.0004");
    const known = (): string[] =>
      [...forwarding.neighbors()]
        .map(({ interface: number, address, mac }) => `${number} ${address} ${mac}`)
        .sort();
    expect(known()).toEqual(
      [
        "1 167837701 0200.0000.0004",
        "2 167837701 0200.0000.0002",
        `1 ${parseAddress("2001:db8::5")} 0200.0000.0003`,
        `2 ${ENDS.destination} ${HOP_MAC}`,
      ].sort(),
    );
    expect(forwarding.deleteNeighbor(1, 0x0a010005)).toBe(true);
    expect(forwarding.deleteNeighbor(1, 0x0a010005)).toBe(false);
    expect(forwarding.deleteNeighbor(2, 0x0a010005)).toBe(true);
    expect(known()).toHaveLength(2);
  });

  test("those that something was sent to are told once", () => {
    const dataplane = router();
    const { forwarding } = dataplane;
    forwarding.setNeighbor(OUTSIDE.number, host(OUTSIDE.number, false, 3), HOP_MAC);
    one(dataplane, INSIDE.number, inside(datagram(1)));
    expect(forwarding.takeUsedNeighbors()).toEqual([
      { interface: OUTSIDE.number, address: ENDS.destination, mac: HOP_MAC },
    ]);
    expect(forwarding.takeUsedNeighbors()).toEqual([]);
  });

  test("a whole subnet finds room, also where its hashes follow each other", () => {
    // Three steps of this key are all but 2^64: every third address is hashed next to the one three before.
    const seed = SEED.slice();
    new DataView(seed.buffer).setBigUint64(0, 0x5555_5556_0000_0000n, true);
    const { forwarding } = liveRouter(configOf([]), { seed });
    for (let i = 0; i < 4094; i++) expect(forwarding.setNeighbor(1, 0x0a010002 + i, HOP_MAC)).toBe(true);
  });

  test("more than there is room for are refused and counted; every other one is found, and each goes alone", () => {
    const { forwarding } = liveRouter(configOf([]));
    const address = (i: number): number | bigint => (i % 3 === 0 ? 0x20010db8n + BigInt(i) : i);
    const mac = (i: number): Mac => formatMac([2, 0, 0, i >> 16, (i >> 8) & 255, i & 255]);
    const put = new Set<number>();
    for (let i = 0; i < L.NEIGHBORS_MAX + 100; i++)
      if (forwarding.setNeighbor(1, address(i), mac(i))) put.add(i);
    expect(put.size).toBeLessThanOrEqual(L.NEIGHBORS_MAX);
    expect(put.size).toBeGreaterThan(L.NEIGHBORS_MAX * 0.99);
    expect(forwarding.neighborsRefused).toBe(L.NEIGHBORS_MAX + 100 - put.size);
    const gone = [...put].filter((i) => i % 2 === 1);
    for (const i of gone) {
      expect(forwarding.deleteNeighbor(1, address(i))).toBe(true);
      put.delete(i);
    }
    const left = new Map([...forwarding.neighbors()].map((each) => [each.address, each.mac]));
    expect(left.size).toBe(put.size);
    for (const i of put) {
      expect(left.get(address(i))).toBe(mac(i));
      expect(forwarding.deleteNeighbor(1, address(i)), String(i)).toBe(true);
    }
    expect([...forwarding.neighbors()]).toEqual([]);
    expect(forwarding.setNeighbor(1, 1, mac(1))).toBe(true);
  });
});

test("a batch keeps room before its frames", () => {
  const { batch } = router();
  batch.clear();
  batch.add(concat(new Uint8Array(60)), 1);
  batch.add(concat(new Uint8Array(60)), 1);
  expect(batch.frame(1).byteOffset - batch.frame(0).byteOffset).toBeGreaterThanOrEqual(60 + L.FRAME_HEADROOM);
});
