/** The frames that leave: byte for byte, and what Wireshark makes of each. */
import { describe, expect, test } from "vitest";
import type { RouterInput } from "../../src/router/index.js";
import { lacking } from "../capture/tools.js";
import { hexOf } from "../hsrp/golden.js";
import { ethernet, icmp, icmp6, ip, ipv4, udp } from "../support/frames.js";
import {
  arp,
  at,
  discovery,
  forwarded,
  HOST_MAC,
  INSIDE,
  LINK_LOCAL,
  MAC_INSIDE,
  macOf,
  OUTSIDE,
  Rig,
  VIRTUAL6,
} from "./rig.js";
import { tshark } from "./wireshark.js";

const HOST = "10.0.0.9";
const HOST6 = "2001:db8::9";

/** A router that knows the host, by both families. */
function acquainted(): Rig {
  const rig = Rig.ready().own().run(20_000);
  rig.frame(arp({ operation: 1, sender: HOST, target: "10.0.0.1" }));
  for (const source of [HOST6, "fe80::9"]) {
    rig.frame(discovery({ type: 135, source, destination: LINK_LOCAL, target: LINK_LOCAL, option: 1 }));
  }
  rig.take();
  return rig;
}

const toUs = (packet: Uint8Array) =>
  ethernet(packet, { source: macOf(HOST_MAC), destination: macOf(MAC_INSIDE) });
const probe = udp({ sourcePort: 40000, destinationPort: 33434, payload: new Uint8Array(32) });

test("ARP: a request, and answers for an own and for a virtual address", () => {
  const rig = Rig.ready().own();
  rig.take();
  rig.resolve(HOST);
  expect(rig.sent()).toEqual([
    "ffffffffffff02000000000108060001080006040001020000000001" + "0a000001" + "000000000000" + "0a000009",
  ]);
  rig.frame(arp({ operation: 1, sender: "10.0.0.8", target: "10.0.0.1" }));
  rig.frame(arp({ operation: 1, sender: "10.0.0.8", target: "10.0.0.3" }));
  expect(rig.sent()).toEqual([
    "0200000000aa02000000000108060001080006040002020000000001" + "0a000001" + "0200000000aa" + "0a000008",
    "0200000000aa00000c07ac010806000108000604000200000c07ac01" + "0a000003" + "0200000000aa" + "0a000008",
  ]);
  rig.disown().take();
  rig.frame(arp({ operation: 1, sender: "10.0.0.8", target: "10.0.0.3" }));
  expect(rig.sent()).toEqual([]);
});

test("ARP: own addresses are announced twice when the interface comes up", () => {
  const rig = new Rig().input({ kind: "link", interface: INSIDE, isUp: true }).run(60_000);
  const announced = rig.sent().filter((hex) => hex.slice(24, 28) === "0806");
  const announcement =
    "ffffffffffff02000000000108060001080006040001020000000001" + "0a000001" + "000000000000" + "0a000001";
  expect(announced).toEqual([announcement, announcement]);
});

test("an address that somebody else has is not used (RFC 4862)", () => {
  const rig = new Rig({ random: () => 2 ** 31 }).input({ kind: "link", interface: INSIDE, isUp: true });
  rig.run(600).take();
  rig.frame(
    discovery({
      type: 136,
      source: "2001:db8::1",
      destination: "ff02::1",
      target: "2001:db8::1",
      flags: 0x20,
      option: 2,
    }),
  );
  expect(rig.taken("log")).toEqual([
    {
      kind: "log",
      severity: 4,
      text: `%IPV6_ND-4-DUPLICATE: Duplicate address 2001:db8::1 on ${INSIDE}, sourced by ${HOST_MAC}`,
    },
  ]);
  rig.run(10_000).take();
  rig.frame(
    discovery({
      type: 135,
      source: "fe80::9",
      destination: "ff02::1:ff00:1",
      target: "2001:db8::1",
      option: 1,
    }),
  );
  expect(rig.sent()).toEqual([]);
  const states = rig.router.interfaces()[0]!.addresses.map(({ state }) => state);
  expect(states).toEqual(["valid", "duplicate", "valid"]);
});

test("ping: own and owned addresses answer, by the size that came", () => {
  const rig = acquainted();
  const data = Uint8Array.from({ length: 1472 }, (_, i) => i & 255);
  const echo = icmp({ type: 8, identifier: 5, sequence: 6, payload: data });
  for (const destination of ["10.0.0.1", "10.0.0.3", "192.0.2.1"]) {
    rig.frame(toUs(ip({ source: HOST, destination }, echo)));
    const [hex] = rig.sent();
    const mac = destination === "10.0.0.3" ? "00000c07ac01" : "020000000001";
    expect(hex!.slice(0, 24)).toBe(`0200000000aa${mac}`);
    const answer = icmp({ type: 0, identifier: 5, sequence: 6, payload: data });
    const packet = ipv4(
      { source: destination, destination: HOST, id: Number.parseInt(hex!.slice(36, 40), 16) },
      answer,
    );
    expect(hex!.slice(28)).toBe(hexOf(packet));
  }
});

test("ping: link-local addresses answer on their own link, the virtual one while this router has it", () => {
  const rig = acquainted();
  const asked = (destination: string): string[] => {
    rig.frame(toUs(ip({ source: "fe80::9", destination }, icmp6({ type: 128, payload: new Uint8Array(8) }))));
    return rig.sent().map((hex) => hex.slice(0, 24));
  };
  expect(asked(LINK_LOCAL)).toEqual(["0200000000aa020000000001"]);
  expect(asked(VIRTUAL6)).toEqual(["0200000000aa000573a00006"]);
  expect(asked("fe80::ff:fe00:2")).toEqual([]);
  rig.disown().run(1000).take();
  expect(asked(VIRTUAL6)).toEqual([]);
  expect(asked(LINK_LOCAL)).toEqual(["0200000000aa020000000001"]);
});

describe("ICMP errors", () => {
  const about = forwarded(HOST, "198.51.100.7", 1400);
  const report = (cause: "ttl" | "too-big" | "no-route" | "prohibited", frame = about): RouterInput => {
    return { kind: "report", interface: INSIDE, networkOffset: 14, frame, cause, mtu: 1400 };
  };

  test("quote as much as fits 576 bytes, and come from the own address", () => {
    const rig = acquainted().input(report("ttl"));
    const [hex] = rig.sent();
    expect(hex!.length / 2).toBe(14 + 576);
    expect(hex!.slice(28 + 24, 28 + 40)).toBe("0a000001" + "0a000009");
    expect(hex!.slice(68, 72)).toBe("0b00");
    expect(hex!.slice(84)).toBe(hexOf(about.subarray(14, 14 + 548)));
  });

  test("name the MTU", () => {
    const rig = acquainted().input(report("too-big"));
    const [hex] = rig.sent();
    expect([hex!.slice(68, 72), hex!.slice(76, 84)]).toEqual(["0304", "00000578"]);
  });

  test("answer three probes of traceroute for each hop, and are rare after that", () => {
    const rig = acquainted();
    for (let i = 0; i < 3; i++) rig.input(report("ttl"));
    for (let i = 0; i < 3; i++) rig.frame(toUs(ip({ source: HOST, destination: "10.0.0.1" }, probe)));
    expect(rig.sent()).toHaveLength(6);
    for (let i = 0; i < 400; i++) rig.run(10).input(report("ttl"));
    const perSecond = rig.sent().filter((hex) => hex.slice(68, 70) === "0b").length / 4;
    expect(perSecond).toBeGreaterThanOrEqual(2);
    expect(perSecond).toBeLessThan(3);
  });

  test.each([
    ["a later fragment", toUs(ipv4({ source: HOST, destination: "198.51.100.7", offset: 8 }, probe))],
    ["a packet from nobody", toUs(ip({ source: "0.0.0.0", destination: "198.51.100.7" }, probe))],
    ["a packet from a group", toUs(ip({ source: "224.0.0.5", destination: "198.51.100.7" }, probe))],
    [
      "a packet from a broadcast address",
      toUs(ip({ source: "10.0.0.255", destination: "198.51.100.7" }, probe)),
    ],
    ["a packet to a group", toUs(ip({ source: HOST, destination: "239.1.1.1" }, probe))],
    ["a packet to a broadcast address", toUs(ip({ source: HOST, destination: "192.0.2.255" }, probe))],
    ["an ICMP error", toUs(ip({ source: HOST, destination: "198.51.100.7" }, icmp({ type: 11 })))],
    ["an ICMPv6 error", toUs(ip({ source: HOST6, destination: "2001:db8:1::7" }, icmp6({ type: 1 })))],
    ["an ICMPv6 redirect", toUs(ip({ source: HOST6, destination: "2001:db8:1::7" }, icmp6({ type: 137 })))],
    [
      "a packet in a frame to everybody",
      ethernet(ip({ source: HOST, destination: "198.51.100.7" }, probe), {
        destination: [255, 255, 255, 255, 255, 255],
      }),
    ],
  ])("are not sent about %s", (_name, frame) => {
    const rig = acquainted().input(report("ttl", frame)).input(report("no-route", frame));
    expect(rig.taken("transmit")).toEqual([]);
    expect(rig.counted("error_not_due")).toBe(2);
  });
});

test("datagrams of the control machines: HSRP to its group, SCTP over UDP and IP by their route", () => {
  const rig = acquainted();
  const datagram = { kind: "datagram", interface: INSIDE, source: at("10.0.0.1"), ttl: 64 } as const;
  rig.input({
    ...datagram,
    destination: at(HOST),
    sourcePort: 9899,
    port: 9899,
    payload: new Uint8Array(12),
  });
  rig.input({ ...datagram, destination: at(HOST), protocol: 132, payload: new Uint8Array(12) });
  rig.input({
    ...datagram,
    destination: at("224.0.0.102"),
    ttl: 1,
    sourcePort: 1985,
    port: 1985,
    payload: new Uint8Array(4),
  });
  const heads = rig.sent().map((hex) => [hex.slice(0, 12), hex.slice(30, 32), hex.slice(44, 48)]);
  expect(heads).toEqual([
    ["0200000000aa", "c0", "4011"],
    ["0200000000aa", "c0", "4084"],
    ["01005e000066", "c0", "0111"],
  ]);
});

describe.skipIf(lacking("tshark"))("Wireshark", () => {
  test("finds nothing wrong with any frame that leaves", () => {
    const rig = new Rig({ random: () => 2 ** 31 });
    for (const name of [INSIDE, OUTSIDE]) rig.input({ kind: "link", interface: name, isUp: true });
    rig.run(20_000).own().run(20_000);
    rig.frame(discovery({ type: 133, source: "fe80::9", destination: "ff02::2", option: 1 })).run(10_000);
    rig.frame(arp({ operation: 1, sender: HOST, target: "10.0.0.1" }));
    rig.frame(arp({ operation: 1, sender: HOST, target: "10.0.0.3" }));
    for (const [source, target] of [
      [HOST6, LINK_LOCAL],
      ["fe80::9", VIRTUAL6],
      [HOST6, "2001:db8::1"],
    ] as const) {
      rig.frame(discovery({ type: 135, source, destination: target, target, option: 1 }));
    }
    for (const [source, destination] of [
      [HOST, "10.0.0.3"],
      [HOST6, "2001:db8::1"],
      ["fe80::9", VIRTUAL6],
    ] as const) {
      const echo = source === HOST ? icmp({ type: 8, payload: new Uint8Array(99) }) : icmp6({ type: 128 });
      rig.frame(toUs(ip({ source, destination }, echo)));
      rig.frame(toUs(ip({ source, destination }, probe)));
    }
    const segment = udp({ sourcePort: 4000, destinationPort: 5000, payload: new Uint8Array(1400) });
    for (const [source, destination] of [
      [HOST, "198.51.100.7"],
      [HOST6, "2001:db8:1::7"],
    ] as const) {
      const frame = toUs(ip({ source, destination }, segment));
      for (const cause of ["ttl", "no-route", "prohibited", "too-big"] as const) {
        rig.input({ kind: "report", interface: INSIDE, networkOffset: 14, frame, cause, mtu: 1400 });
      }
    }
    rig.resolve("fe80::77").resolve("10.0.0.77", forwarded(HOST, "10.0.0.77")).run(10_000);
    rig.input({ kind: "stop" });
    const frames = rig.taken("transmit").map(({ frame }) => frame);
    const rows = tshark(frames, [
      ...["_ws.expert.message", "ip.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status"],
      ...["arp.opcode", "icmp.type", "icmpv6.type"],
    ]);
    expect(rows).toHaveLength(frames.length);
    const messages = rows.map(([message]) => message).filter((message) => !EXPECTED_NOTES.has(message!));
    expect(messages).toEqual([]);
    // 0 bad, 1 good; errors quote a packet whose checksums count as well.
    expect(rows.filter((row) => row.slice(1, 4).some((status) => /0/.test(status)))).toEqual([]);
    const kinds = (column: number) => [...new Set(rows.map((row) => row[column]!.split(",")[0]!))].sort();
    expect(kinds(4)).toEqual(["", "1", "2"]);
    expect(kinds(5)).toEqual(["", "0", "11", "3"]);
    expect(kinds(6)).toEqual(["", "1", "129", "134", "135", "136", "2", "3"].sort());
  });
});

/** What Wireshark says of an answer whose question is not in the capture, and of a conversation that begins in a quote. */
const EXPECTED_NOTES: ReadonlySet<string> = new Set(["", "No response seen to ICMP request"]);
