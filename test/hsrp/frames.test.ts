/** The frames on the wire, and what Wireshark and scapy make of them. */
import { describe, expect, test } from "vitest";
import { PcapngWriter } from "../../src/capture/index.js";
import { announcementFrame, frameOf, type SendAction, transportOf } from "../../src/hsrp/index.js";
import { sign } from "../../src/hsrp/md5.js";
import { emitPacket, type GroupMessage } from "../../src/hsrp/packet.js";
import { OPCODES, STATE_CODES } from "../../src/hsrp/wire.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { addressOf, bytesOf, GOLDEN, GOLDEN_ARP, GOLDEN_FRAME, hexOf } from "./golden.js";
import { oneLan, optionsFor, World } from "./world.js";

function send(payload: Uint8Array, changes: Partial<SendAction> = {}): SendAction {
  return {
    kind: "send",
    interface: "GigabitEthernet0/0",
    sourceMac: "0000.0c07.ac01",
    source: addressOf("10.0.0.1"),
    ...transportOf(1, 4),
    payload,
    ...changes,
  };
}

test("the frame of a hello", () => {
  expect(hexOf(frameOf(send(bytesOf(GOLDEN[0]!.hex))))).toBe(GOLDEN_FRAME);
});

test("the first hello of an Active router, as its machine sends it", () => {
  const world = oneLan({ both: ["standby 1 timers 1 5"] })
    .boot("A")
    .run(20_000);
  expect(hexOf(frameOf(world.actions("send").at(-1)!.action))).toBe(GOLDEN_FRAME);
});

test("gratuitous ARP", () => {
  const world = oneLan().boot("A").run(20_000);
  expect(hexOf(announcementFrame(world.actions("announce")[0]!.action))).toBe(GOLDEN_ARP);
});

test("an unsolicited neighbour advertisement", () => {
  const frame = announcementFrame({
    kind: "announce",
    interface: "GigabitEthernet0/0",
    family: 6,
    address: addressOf("fe80::5:73ff:fea0:a"),
    mac: "0005.73a0.000a",
  });
  const hex = hexOf(frame);
  expect(hex.slice(0, 28)).toBe("333300000001000573a0000a86dd");
  expect(hex.slice(28, 44)).toBe("6000000000203aff");
  // Type, code; router, override; the target and where it is.
  expect(hex.slice(108, 112)).toBe("8800");
  expect(hex.slice(116)).toBe("a0000000fe80000000000000000573fffea0000a0201000573a0000a");
});

/** Every operation and state of both versions and families, with text and with MD5, from a source of its own. */
function everyPacket(): { action: SendAction; message: GroupMessage }[] {
  const packets: { action: SendAction; message: GroupMessage }[] = [];
  const key = { id: 7, secret: "HAkey", acceptedUntilAtMs: Number.POSITIVE_INFINITY };
  for (const { version, family } of [
    { version: 1, family: 4 },
    { version: 2, family: 4 },
    { version: 2, family: 6 },
  ] as const) {
    for (const opcode of Object.keys(OPCODES) as (keyof typeof OPCODES)[]) {
      for (const state of Object.keys(STATE_CODES[version]) as GroupMessage["state"][]) {
        const message: GroupMessage = {
          kind: "group",
          version,
          family,
          opcode,
          state,
          group: version === 1 ? 200 : 4000,
          priority: 110,
          helloMs: 2000,
          holdMs: 7000,
          virtualAddress: addressOf(family === 4 ? "10.0.0.3" : "fe80::5:73ff:fea0:fa0"),
          ...(version === 2 && { identifier: "0200.0000.00fe" }),
        };
        const source = addressOf(family === 4 ? "10.0.0.1" : "fe80::1:2:3");
        const digestAddress = family === 4 ? 0x0a000001 : 0x00020003;
        for (const payload of [
          emitPacket({ message, credential: { kind: "text", text: "abc" } }),
          sign(message, key, digestAddress),
        ]) {
          packets.push({ action: send(payload, { source, ...transportOf(version, family) }), message });
        }
      }
    }
  }
  return packets;
}

function captureOf(frames: readonly Uint8Array[]): Uint8Array {
  const writer = new PcapngWriter();
  writer.addInterface({ linkType: 1, snapLength: 0 });
  frames.forEach((data, i) => {
    writer.write({ interfaceIndex: 0, timeSeconds: i, timeNanos: 0, data, wireLength: data.length });
  });
  return writer.drain();
}

function tshark(frames: readonly Uint8Array[], fields: readonly string[]): string[][] {
  const folder = scratchFolder();
  const checks = ["ip", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
  const path = folder.write("hsrp.pcapng", captureOf(frames));
  const options = ["-r", path, ...checks, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
  const { stdout } = run("tshark", ...options);
  folder.remove();
  return stdout
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.split("\t"));
}

/** What Wireshark thinks of all HSRP packets of IPv4: RFC 2281 section 4 asks for a TTL of 1. */
const TTL_NOTE = '"Time To Live" != 255 for a packet sent to the Local Network Control Block (see RFC 3171)';

describe.skipIf(lacking("tshark"))("Wireshark agrees", () => {
  const packets = everyPacket();
  const frames = packets.map(({ action }) => frameOf(action));

  test("on every field of every packet", () => {
    const names = ["opcode", "state", "group", "priority", "hellotime", "holdtime"];
    const rows = tshark(frames, [
      ...names.map((name) => `hsrp.${name}`),
      "hsrp.virt_ip",
      ...names.map((name) => `hsrp2.${name}`),
      "hsrp2.virt_ip",
      "hsrp2.virt_ip_v6",
      "hsrp2.identifier",
      "hsrp.auth_data",
      "hsrp2.auth_data",
      "hsrp2.md5_key_id",
    ]);
    expect(rows).toHaveLength(packets.length);
    packets.forEach(({ message, action }, i) => {
      const row = rows[i]!;
      const { version, opcode, state, group, priority } = message;
      const unit = version === 1 ? 1000 : 1;
      const isMd5 = i % 2 === 1;
      const common = [OPCODES[opcode], STATE_CODES[version][state as "active"], group, priority];
      const times = [message.helloMs / unit, message.holdMs / unit];
      const expected = [...common, ...times].map(String);
      const [first, second] = [row.slice(0, 6), row.slice(7, 13)];
      expect(version === 1 ? first : second, hexOf(action.payload)).toEqual(expected);
      if (version === 1) expect(row[6]).toBe("10.0.0.3");
      else {
        expect(row[message.family === 4 ? 13 : 14]).toBe(
          message.family === 4 ? "10.0.0.3" : "fe80::5:73ff:fea0:fa0",
        );
        expect(row[15]).toBe("02:00:00:00:00:fe");
      }
      expect(row[version === 1 ? 16 : 17]).toBe(isMd5 ? (version === 1 ? row[16] : "") : "abc");
      expect(row[18]).toBe(isMd5 ? "7" : "");
    });
  });

  test("that nothing is malformed, and every checksum is right", () => {
    const rows = tshark(frames, [
      "_ws.malformed",
      "_ws.expert.message",
      "udp.checksum.status",
      "ip.checksum.status",
      "frame.protocols",
    ]);
    for (const [malformed, expert, udp, ip, protocols] of rows) {
      expect(malformed).toBe("");
      expect(["", TTL_NOTE]).toContain(expert);
      expect(udp).toBe("1");
      expect(ip === "1" || ip === "").toBe(true);
      expect(protocols).toMatch(/:udp:hsrp$/);
    }
  });

  test("on the checksum of an odd number of bytes", () => {
    const frame = frameOf(send(bytesOf(`${GOLDEN[0]!.hex}c803010203`)));
    expect(tshark([frame], ["udp.checksum.status", "udp.length", "hsrp.state"])).toEqual([["1", "33", "16"]]);
  });

  test("on TTL, type of service, ports and addresses", () => {
    const rows = tshark(frames, [
      "ip.ttl",
      "ip.dsfield",
      "ip.dst",
      "ipv6.hlim",
      "ipv6.tclass",
      "ipv6.dst",
      "udp.srcport",
      "udp.dstport",
      "eth.dst",
    ]);
    packets.forEach(({ message: { version, family } }, i) => {
      const expected =
        family === 6
          ? ["", "", "", "255", "0x000000c0", "ff02::66", "2029", "2029", "33:33:00:00:00:66"]
          : version === 1
            ? ["1", "0xc0", "224.0.0.2", "", "", "", "1985", "1985", "01:00:5e:00:00:02"]
            : ["1", "0xc0", "224.0.0.102", "", "", "", "1985", "1985", "01:00:5e:00:00:66"];
      expect(rows[i]).toEqual(expected);
    });
  });

  test("on advertisements", () => {
    const advertise = GOLDEN.filter(({ message }) => message.kind === "interface").map(
      ({ message, credential }) =>
        frameOf(send(emitPacket({ message, credential }), transportOf(message.version, 4))),
    );
    expect(
      tshark(advertise, [
        "hsrp.adv.state",
        "hsrp.adv.activegrp",
        "hsrp.adv.passivegrp",
        "hsrp2.active_groups",
        "hsrp2.passive_groups",
        "_ws.malformed",
      ]),
    ).toEqual([
      ["2", "0", "1", "", "", ""],
      ["", "", "", "0", "1", ""],
    ]);
  });

  test("on announcements: gratuitous, and a neighbour advertisement with the flags of a router", () => {
    const ipv6 = [
      "interface Ethernet0",
      " ipv6 address 2001:db8::1/64",
      " standby version 2",
      " standby delay reload 0",
      " standby 10 ipv6 2001:db8::3",
    ];
    const six = new World({ A: optionsFor(ipv6.join("\n")) }, [[["A", "Ethernet0"]]]).boot("A").run(60_000);
    const four = oneLan().boot("A").run(20_000);
    const announced = [four, six].flatMap((world) =>
      world.actions("announce").map(({ action }) => announcementFrame(action)),
    );
    const rows = tshark(announced, [
      "arp.isgratuitous",
      "arp.src.proto_ipv4",
      "icmpv6.type",
      "icmpv6.nd.na.target_address",
      "icmpv6.nd.na.flag.r",
      "icmpv6.nd.na.flag.o",
      "icmpv6.opt.linkaddr",
      "icmpv6.checksum.status",
      "ipv6.hlim",
    ]);
    const arp = ["1", "10.0.0.3", "", "", "", "", "", "", ""];
    const advertisement = (target: string) => [
      "",
      "",
      "136",
      target,
      "1",
      "1",
      "00:05:73:a0:00:0a",
      "1",
      "255",
    ];
    const both = ["fe80::5:73ff:fea0:a", "2001:db8::3"].map(advertisement);
    expect(rows).toEqual([arp, arp, arp, ...both, ...both, ...both]);
  });
});

const SCAPY = `
import sys
from scapy.all import rdpcap
from scapy.layers.hsrp import HSRP, HSRPmd5
for frame in rdpcap(sys.argv[1]):
    h = frame[HSRP]
    md5 = frame[HSRPmd5] if HSRPmd5 in frame else None
    print(h.opcode, h.state, h.hellotime, h.holdtime, h.priority, h.group, h.auth.rstrip(b"\\0").decode(), h.virtualIP,
          md5.sourceip if md5 else "-", md5.keyid if md5 else "-", md5.authdigest.hex() if md5 else "-", sep="\\t")
`;

const PYTHON = "/usr/bin/python3";
const hasScapy = run(PYTHON, "-c", "import scapy.layers.hsrp").status === 0;
if (!hasScapy && process.env.CI === "true") throw new Error("not installed: scapy");
if (!hasScapy) console.warn("skipped: not installed: scapy");

describe.skipIf(!hasScapy)("scapy agrees", () => {
  test("on every field of version 1", () => {
    const packets = everyPacket().filter(({ message }) => message.version === 1);
    const folder = scratchFolder();
    const path = folder.write("hsrp.pcapng", captureOf(packets.map(({ action }) => frameOf(action))));
    const { stdout } = run(PYTHON, "-c", SCAPY, path);
    folder.remove();
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(rows).toHaveLength(packets.length);
    packets.forEach(({ message: { opcode, state }, action }, i) => {
      const isMd5 = i % 2 === 1;
      const digest = hexOf(action.payload.subarray(34));
      expect(rows[i]).toEqual([
        `${OPCODES[opcode]}`,
        `${STATE_CODES[1][state as "active"]}`,
        ...["2", "7", "110", "200"],
        isMd5 ? "" : "abc",
        "10.0.0.3",
        ...(isMd5 ? ["10.0.0.1", "7", digest] : ["-", "-", "-"]),
      ]);
    });
  });
});
