/** What the writers write, read back; and that they give it away piece by piece. */
import { describe, expect, test } from "vitest";
import {
  CAPTURED_MAX,
  CaptureReader,
  type CaptureWriter,
  type Packet,
  PcapngWriter,
  PcapWriter,
  readBatches,
} from "../../src/capture/index.js";
import { concat, payload } from "./build.js";
import { expectedPacket, readCapture, seeded } from "./read.js";
import { SAMPLES } from "./samples.js";

function packet(i: number, more: Partial<Packet> = {}): Packet {
  return {
    interfaceIndex: 0,
    timeSeconds: i,
    timeNanos: 7 * i,
    data: payload(i, i),
    wireLength: 2 * i,
    ...more,
  };
}

function written(writer: CaptureWriter, packets: readonly Packet[]): Uint8Array {
  for (const one of packets) writer.write(one);
  return writer.drain();
}

describe("pcapng", () => {
  test("interfaces, times to the nanosecond, lengths, comments", () => {
    const writer = new PcapngWriter("a test");
    expect(
      writer.addInterface({ name: "eth0", description: "zur Straße", linkType: 1, snapLength: 96 }),
    ).toBe(0);
    expect(writer.addInterface({ linkType: 276, snapLength: 0 })).toBe(1);
    const head = writer.drain();
    const packets = [
      packet(0),
      packet(1, {
        timeSeconds: 1_700_000_000,
        timeNanos: 999_999_999,
        comments: ["drop: no-session, Sitzung – 7"],
      }),
      packet(2, { interfaceIndex: 1, timeSeconds: 18_446_744_073, timeNanos: 709_551_615 }),
      packet(3, { comments: ["", "a", "bb", "ccc", "dddd"] }),
    ];
    const capture = readCapture(concat(head, written(writer, packets)));
    expect(capture.error).toBeUndefined();
    expect(capture.packets).toEqual(
      packets.map((one) =>
        expectedPacket(one.data, one.timeSeconds, one.timeNanos, {
          interfaceIndex: one.interfaceIndex,
          wireLength: one.wireLength,
          comments: [...(one.comments ?? [])],
        }),
      ),
    );
    expect(capture.interfaces).toMatchObject([
      { name: "eth0", description: "zur Straße", linkType: 1, snapLength: 96 },
      { name: undefined, description: undefined, linkType: 276, snapLength: 0 },
    ]);
  });

  test("times that do not fit become the nearest that do", () => {
    const writer = new PcapngWriter();
    writer.addInterface({ linkType: 1, snapLength: 0 });
    const times = [packet(1, { timeSeconds: -5 }), packet(1, { timeSeconds: 2 ** 60 })];
    expect(readCapture(written(writer, times)).packets).toMatchObject([
      { timeSeconds: 0, timeNanos: 0 },
      { timeSeconds: 18_446_744_073, timeNanos: 709_551_615 },
    ]);
  });

  test("a comment longer than an option holds is cut after a whole character", () => {
    const writer = new PcapngWriter();
    writer.addInterface({ linkType: 1, snapLength: 0 });
    const capture = readCapture(written(writer, [packet(1, { comments: ["ä".repeat(40_000), "next"] })]));
    expect(capture.error).toBeUndefined();
    expect(capture.packets[0]!.comments).toEqual(["ä".repeat(32_767), "next"]);
  });

  test("a packet of an interface that was not added is a bug", () => {
    expect(() => new PcapngWriter().write(packet(1))).toThrow("interface 0 has not been added");
  });
});

describe.each(["microseconds", "nanoseconds"] as const)("pcap in %s", (resolution) => {
  const digits = resolution === "microseconds" ? 1000 : 1;

  test("times and lengths", () => {
    const packets = [packet(0), packet(1, { timeSeconds: 0xffff_ffff, timeNanos: 123_456_789 }), packet(60)];
    const capture = readCapture(
      written(new PcapWriter({ linkType: 101, snapLength: 2000, resolution }), packets),
    );
    expect(capture.error).toBeUndefined();
    expect(capture.interfaces).toMatchObject([{ linkType: 101, snapLength: 2000 }]);
    expect(capture.packets).toEqual(
      packets.map((one) =>
        expectedPacket(one.data, one.timeSeconds, one.timeNanos - (one.timeNanos % digits), {
          wireLength: one.wireLength,
        }),
      ),
    );
  });

  test("times that do not fit become the nearest that do", () => {
    const times = [packet(1, { timeSeconds: -5 }), packet(1, { timeSeconds: 2 ** 32 })];
    expect(readCapture(written(new PcapWriter({ linkType: 1, resolution }), times)).packets).toMatchObject([
      { timeSeconds: 0, timeNanos: 0 },
      { timeSeconds: 0xffff_ffff, timeNanos: 1_000_000_000 - digits },
    ]);
  });
});

const WRITERS: [string, () => CaptureWriter][] = [
  ["pcap", () => new PcapWriter({ linkType: 1 })],
  [
    "pcapng",
    () => {
      const writer = new PcapngWriter();
      writer.addInterface({ linkType: 1, snapLength: 0 });
      return writer;
    },
  ],
];

describe.each(WRITERS)("%s", (_, create) => {
  test("drained at any time gives the same file, and drained bytes stay as they are", () => {
    const packets = Array.from({ length: 300 }, (_, i) => packet(i));
    const whole = written(create(), packets);
    const random = seeded(3);
    const writer = create();
    const parts: Uint8Array[] = [];
    for (const one of packets) {
      writer.write(one);
      if (random(5) > 0) continue;
      const pending = writer.pending;
      const part = writer.drain();
      expect(part).toHaveLength(pending);
      expect(writer.pending).toBe(0);
      parts.push(part);
    }
    expect(Buffer.concat([...parts, writer.drain()]).equals(whole)).toBe(true);
    expect(writer.drain()).toHaveLength(0);
  });

  test("a packet over the bound is a bug, one at the bound is not", () => {
    const data = new Uint8Array(CAPTURED_MAX + 1);
    expect(() => create().write(packet(1, { data }))).toThrow(RangeError);
    const bytes = written(create(), [packet(1, { data: data.subarray(1) })]);
    expect(readCapture(bytes).packets).toHaveLength(1);
  });
});

test.each(SAMPLES)("$name, read and written as pcapng, is the same capture", async ({ bytes }) => {
  const reader = new CaptureReader();
  const writer = new PcapngWriter();
  const parts: Uint8Array[] = [];
  const pieces = [bytes.subarray(0, 100), bytes.subarray(100)];
  for await (const batch of readBatches(pieces, reader)) {
    for (let i = writer.interfaces; i < reader.interfaces.length; i++)
      writer.addInterface(reader.interfaces[i]!);
    for (let i = 0; i < batch.count; i++) writer.write(batch.packet(i));
    parts.push(writer.drain());
  }
  const original = readCapture(bytes);
  const copy = readCapture(concat(...parts));
  expect(copy.error).toBeUndefined();
  // The writer has no blocks without a time.
  expect(copy.packets).toEqual(original.packets.map((one) => ({ ...one, timed: true })));
  const plain = ({ name, linkType, snapLength }: (typeof copy.interfaces)[number]) => ({
    name,
    linkType,
    snapLength,
  });
  expect(copy.interfaces.map(plain)).toEqual(original.interfaces.map(plain));
});

describe("readBatches", () => {
  const { bytes } = SAMPLES[0]!;

  test("stops at damage without asking for more", async () => {
    let asked = 0;
    async function* source() {
      for (const piece of [bytes, new Uint8Array(16).fill(0xff), bytes]) {
        asked++;
        yield piece;
      }
    }
    const reader = new CaptureReader();
    let packets = 0;
    for await (const batch of readBatches(source(), reader)) packets += batch.count;
    expect(packets).toBe(readCapture(bytes).packets.length);
    expect(asked).toBe(2);
    expect(reader.error).toMatchObject({ offset: bytes.length, unit: "record", number: packets + 1 });
  });

  test("passes on what the source throws", async () => {
    async function* source() {
      yield bytes;
      throw new Error("EIO");
    }
    const all = async () => {
      for await (const _ of readBatches(source(), new CaptureReader()));
    };
    await expect(all()).rejects.toThrow("EIO");
  });
});
