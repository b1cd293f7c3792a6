/**
 * The same files read by Wireshark's programs and by us: what we write, what they convert, what is cut short.
 */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { type Packet, PcapngWriter, PcapWriter } from "../../src/capture/index.js";
import * as build from "./build.js";
import { type ReadPacket, readCapture, seeded } from "./read.js";
import { lacking, run, scratchFolder } from "./tools.js";

/** One line for each packet, as tshark prints it and as we read it. */
const FIELDS = [
  "frame.time_epoch",
  "frame.len",
  "frame.cap_len",
  "frame.interface_id",
  "frame.interface_name",
  "frame.comment",
];

function tshark(path: string): string[] {
  const { stdout } = run(
    "tshark",
    "-n",
    "-r",
    path,
    "-T",
    "fields",
    ...FIELDS.flatMap((field) => ["-e", field]),
  );
  return stdout.split("\n").slice(0, -1);
}

function lines(capture: ReturnType<typeof readCapture>, pcapng: boolean): string[] {
  return capture.packets.map((packet) => {
    const { name, number } = capture.interfaces[packet.interfaceIndex]!;
    return [
      packet.timed ? `${packet.timeSeconds}.${String(packet.timeNanos).padStart(9, "0")}` : "",
      packet.wireLength,
      packet.hex.length / 2,
      pcapng ? number : "",
      pcapng ? (name ?? "") : "",
      packet.comments.join(","),
    ].join("\t");
  });
}

/** Frames of a made-up protocol, so that no dissector has anything to add. */
function frame(length: number, seed: number): Uint8Array {
  const bytes = build.payload(length, seed);
  bytes.set([0x88, 0xb5], 12);
  return bytes;
}

function packets(count: number, interfaces: number): Packet[] {
  const random = seeded(count);
  return Array.from({ length: count }, (_, i) => {
    const data = frame(14 + random(200), i);
    return {
      interfaceIndex: random(interfaces),
      timeSeconds: 1_600_000_000 + random(200_000_000),
      timeNanos: random(1_000_000_000),
      data,
      wireLength: data.length + random(3) * 100,
      comments: random(2) === 0 ? [] : [`drop: reason-${i}, Sitzung ${random(1000)} – 規則`],
    };
  });
}

function writtenPcapng(all: readonly Packet[]): Uint8Array {
  const writer = new PcapngWriter("a test");
  writer.addInterface({ name: "GigabitEthernet0/0", linkType: 1, snapLength: 0 });
  writer.addInterface({ name: "inside", description: "the other side", linkType: 1, snapLength: 65_535 });
  writer.addInterface({ name: "eth2", linkType: 1, snapLength: 0 });
  for (const packet of all) writer.write(packet);
  return writer.drain();
}

function writtenPcap(all: readonly Packet[], resolution: "microseconds" | "nanoseconds"): Uint8Array {
  const writer = new PcapWriter({ linkType: 1, resolution });
  for (const packet of all) writer.write(packet);
  return writer.drain();
}

/** Packet blocks of all kinds, in sections of both byte orders, with many units of time. */
function foreignPcapng(): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const order of build.ORDERS) {
    parts.push(build.sectionHeader(order));
    const units: [number, bigint][] = [
      [3, 10n ** 3n],
      [6, 10n ** 6n],
      [9, 10n ** 9n],
      [0x80 | 10, 2n ** 10n],
      [0x80 | 20, 2n ** 20n],
    ];
    for (const [octet] of units) {
      const name = build.option(order, 2, build.text(`unit${octet}`));
      parts.push(
        build.interfaceBlock(
          order,
          1,
          50,
          name,
          build.option(order, 9, build.u8(octet)),
          build.END_OF_OPTIONS,
        ),
      );
    }
    units.forEach(([, perSecond], i) => {
      const time = 1_650_000_000n * perSecond + perSecond / 2n + 1n;
      const comment = build.concat(build.option(order, 1, build.text(`c${i}`)), build.END_OF_OPTIONS);
      parts.push(build.enhancedPacket(order, i, time, frame(40 + i, i), { wire: 999, options: comment }));
      parts.push(build.obsoletePacket(order, i, time, frame(30 + i, i)));
    });
    parts.push(build.simplePacket(order, 700, frame(50, 9)), build.simplePacket(order, 33, frame(33, 9)));
  }
  return build.concat(...parts);
}

describe.skipIf(lacking("tshark", "capinfos", "editcap"))("Wireshark", () => {
  const folder = scratchFolder();
  afterAll(() => folder.remove());

  test("reads the pcapng that we write, in all its fields", () => {
    const all = packets(200, 3);
    const bytes = writtenPcapng(all);
    const path = folder.write("written.pcapng", bytes);
    const capture = readCapture(bytes);
    expect(capture.packets).toHaveLength(all.length);
    expect(tshark(path)).toEqual(lines(capture, true));
    const { stdout, status } = run("capinfos", path);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Capture application: +a test\n/);
    expect(stdout).toMatch(/Number of interfaces in file: 3\n/);
    expect(stdout).toMatch(/Description = the other side\n/);
  });

  test.each(["microseconds", "nanoseconds"] as const)("reads the pcap in %s that we write", (resolution) => {
    const bytes = writtenPcap(packets(200, 1), resolution);
    const path = folder.write(`${resolution}.pcap`, bytes);
    expect(tshark(path).map((line) => line.split("\t").slice(0, 3))).toEqual(
      lines(readCapture(bytes), false).map((line) => line.split("\t").slice(0, 3)),
    );
    expect(run("capinfos", path).status).toBe(0);
  });

  test("and we see the same in a pcapng of every block, unit and byte order", () => {
    const bytes = foreignPcapng();
    const capture = readCapture(bytes);
    expect(capture.error).toBeUndefined();
    expect(tshark(folder.write("foreign.pcapng", bytes))).toEqual(lines(capture, true));
  });

  const plain = (packet: ReadPacket) => ({ ...packet, comments: [], interfaceIndex: 0 });

  test.each([
    ["pcap", 1000],
    ["nsecpcap", 1],
    ["modpcap", 1000],
    ["pcapng", 1],
  ])("converts to %s, and we read the same packets", (format, nanosLost) => {
    const original = writtenPcap(packets(150, 1), "nanoseconds");
    const path = folder.write(`before-${format}.pcap`, original);
    const after = folder.path(`after-${format}`);
    expect(run("editcap", "-F", format, path, after).status).toBe(0);
    const capture = readCapture(readFileSync(after), 1000);
    expect(capture.error).toBeUndefined();
    expect(capture.packets.map(plain)).toEqual(
      readCapture(original).packets.map((packet) =>
        plain({ ...packet, timeNanos: packet.timeNanos - (packet.timeNanos % nanosLost) }),
      ),
    );
  });

  const files: [string, Uint8Array][] = [
    ["pcap", writtenPcap(packets(20, 1), "microseconds")],
    ["pcapng", writtenPcapng(packets(20, 3))],
    ["foreign pcapng", foreignPcapng()],
  ];

  test.each(files)("stops after the same packet of a cut %s", (name, bytes) => {
    const random = seeded(bytes.length);
    for (let round = 0; round < 12; round++) {
      const cut = bytes.subarray(0, 24 + random(bytes.length - 24));
      const capture = readCapture(cut);
      const { stdout, status } = run("capinfos", "-c", "-M", folder.write(`cut ${name}`, cut));
      const counted = /Number of packets: +(\d+)/.exec(stdout)?.[1];
      expect([cut.length, capture.packets.length, capture.error !== undefined]).toEqual([
        cut.length,
        Number(counted ?? 0),
        status !== 0,
      ]);
    }
  });

  test.each(files)("reads the same from a compressed %s", (name, bytes) => {
    const compressed = gzipSync(bytes);
    const { stdout } = run("capinfos", "-c", "-M", folder.write(`${name}.gz`, compressed));
    expect(stdout).toContain(`Number of packets:   ${readCapture(compressed, 100).packets.length}\n`);
  });
});
