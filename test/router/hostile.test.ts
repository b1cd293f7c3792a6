/** Frames that nobody should send: cut short at each length, with any byte changed, and random ones. Never a throw. */
import { expect, test } from "vitest";
import { randomBytes, seededRandom } from "../../src/random.js";
import type { RouterAction } from "../../src/router/index.js";
import { ethernet, extension, icmp, icmp6, ip, ipv6, raw, tcp, udp } from "../support/frames.js";
import { arp, discovery, forwarded, INSIDE, LINK_LOCAL, MAC_INSIDE, macOf, Rig } from "./rig.js";

const HOST = "10.0.0.9";
const toUs = (packet: Uint8Array) => ethernet(packet, { destination: macOf(MAC_INSIDE) });

const FRAMES: Record<string, Uint8Array> = {
  "an ARP request": arp({ operation: 1, sender: HOST, target: "10.0.0.1" }),
  "an ARP reply": arp({ operation: 2, sender: HOST, target: "10.0.0.1" }),
  "a solicitation": discovery({
    ...{ type: 135, source: "fe80::9", destination: LINK_LOCAL, target: LINK_LOCAL, option: 1 },
  }),
  "an advertisement": discovery({
    ...{ type: 136, source: "fe80::9", destination: LINK_LOCAL, target: "fe80::9", flags: 0x60, option: 2 },
  }),
  "a router solicitation": discovery({ type: 133, source: "fe80::9", destination: "ff02::2", option: 1 }),
  "an echo request": toUs(ip({ source: HOST, destination: "10.0.0.1" }, icmp({ type: 8 }))),
  "an ICMPv6 echo request": toUs(
    ip({ source: "2001:db8::9", destination: "2001:db8::1" }, icmp6({ type: 128 })),
  ),
  "a datagram for HSRP": toUs(
    ip(
      { source: HOST, destination: "224.0.0.102", ttl: 1 },
      udp({ sourcePort: 1985, destinationPort: 1985, payload: new Uint8Array(20) }),
    ),
  ),
  "a datagram for nobody": toUs(
    ip({ source: HOST, destination: "10.0.0.1" }, udp({ sourcePort: 9, destinationPort: 33434 })),
  ),
  SCTP: toUs(ip({ source: HOST, destination: "10.0.0.1" }, raw(132, new Uint8Array(16)))),
  TCP: toUs(ip({ source: HOST, destination: "10.0.0.1" }, tcp({ sourcePort: 1, destinationPort: 22 }))),
  "extension headers": toUs(
    ipv6(
      {
        ...{ source: "2001:db8::9", destination: "2001:db8::1" },
        extensions: [extension.hopByHop(), extension.destination(), extension.fragment(1, 0, true)],
      },
      icmp6({ type: 128 }),
    ),
  ),
};

/** Every way in by which a frame comes. */
function giveEveryWay(rig: Rig, frame: Uint8Array): RouterAction[] {
  rig.frame(frame.slice());
  for (const cause of ["ttl", "too-big", "no-route", "prohibited"] as const) {
    rig.input({
      kind: "report",
      interface: INSIDE,
      networkOffset: 14,
      frame: frame.slice(),
      cause,
      mtu: 1400,
    });
  }
  return rig.take();
}

for (const [name, frame] of Object.entries(FRAMES)) {
  test(`${name} is taken whole, and cut short at each length is not`, () => {
    const rig = Rig.ready();
    const whole =
      rig.counted("ip_malformed") + rig.counted("arp_malformed") + rig.counted("ethertype_ignored");
    rig.frame(frame);
    expect(
      rig.counted("ip_malformed") + rig.counted("arp_malformed") + rig.counted("ethertype_ignored"),
    ).toBe(whole);
    for (let length = 0; length < frame.length; length++) {
      rig.take();
      rig.frame(frame.slice(0, length));
      // The lengths in the headers say more than there is: nothing is answered, learned or handed on.
      expect(rig.take(), `${length} bytes`).toEqual([]);
      giveEveryWay(rig, frame.slice(0, length));
    }
  });

  test(`${name} with any byte changed is an answer or a counter`, () => {
    const rig = Rig.ready();
    for (let at = 12; at < frame.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = frame.slice();
        changed[at] = value;
        for (const action of giveEveryWay(rig, changed)) expect(typeof action.kind).toBe("string");
        rig.run(1);
      }
    }
    expect(rig.router.neighbors(4, rig.nowMs).length).toBeLessThan(4096);
  });
}

test("random bytes", () => {
  const random = seededRandom(4);
  const rig = Rig.ready();
  const types = [0x0806, 0x0800, 0x86dd];
  for (let i = 0; i < 3000; i++) {
    const body = randomBytes(random, random() % 120);
    const type = types[i % 3]!;
    if (type !== 0x0806 && body.length > 0) body[0] = type === 0x0800 ? 0x45 : 0x60;
    giveEveryWay(rig, ethernet(body, { type }));
    rig.frame(ethernet(body, { type }), INSIDE, random() % 140);
  }
  const sums = rig.router.counters();
  expect(sums.ip_malformed + sums.arp_malformed + sums.ethertype_ignored).toBeGreaterThan(3000);
});

test("a scan of a LAN fills only its share, and drives out nobody who has answered", () => {
  const rig = Rig.ready({ neighborsMax: 100 });
  for (const host of [201, 202, 203]) {
    const sender = `10.0.0.${host}`;
    rig.resolve(sender).frame(arp({ operation: 2, sender, target: "10.0.0.1" }));
  }
  for (let host = 10; host < 200; host++) rig.resolve(`10.0.0.${host}`, forwarded());
  const states = rig.router
    .neighbors(4, rig.nowMs)
    .filter((each) => each.interface === INSIDE && each.state !== "own")
    .map(({ state }) => state);
  expect(states).toHaveLength(50);
  expect(states.filter((state) => state === "reachable")).toHaveLength(3);
});
