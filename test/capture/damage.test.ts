/** Files that end early, pieces of every size, and random damage: all packets before it, then one error. */
import { describe, expect, test } from "vitest";
import { CAPTURED_MAX, CaptureReader } from "../../src/capture/index.js";
import * as build from "./build.js";
import { readCapture, seeded } from "./read.js";
import { SAMPLES } from "./samples.js";

describe.each(SAMPLES)("$name", ({ bytes, whole }) => {
  const all = readCapture(bytes);

  test("is intact", () => {
    expect(all.error).toBeUndefined();
    expect(all.packets).toHaveLength(whole.get(bytes.length)!);
  });

  test("cut at every length", () => {
    for (let length = 0; length <= bytes.length; length++) {
      const capture = readCapture(bytes.subarray(0, length));
      const lastWhole = Math.max(0, ...[...whole.keys()].filter((end) => end <= length));
      expect(capture.packets).toEqual(all.packets.slice(0, whole.get(lastWhole) ?? 0));
      if (lastWhole === length && length > 0) {
        expect(capture.error).toBeUndefined();
      } else {
        expect(capture.error).toMatchObject({
          message: length === 0 ? "the file is empty" : "the file ends inside it",
          offset: lastWhole,
        });
      }
    }
  });

  test("in pieces of every length, and in batches of every size", () => {
    for (let pieceLength = 1; pieceLength <= bytes.length; pieceLength++) {
      expect(readCapture(bytes, pieceLength)).toEqual(all);
    }
    for (let packetsMax = 1; packetsMax <= all.packets.length; packetsMax++) {
      expect(readCapture(bytes, bytes.length, packetsMax)).toEqual(all);
    }
  });

  test("followed by something else", () => {
    const capture = readCapture(build.concat(bytes, new Uint8Array(7).fill(0xff)));
    expect(capture.packets).toEqual(all.packets);
    expect(capture.error).toMatchObject({ offset: bytes.length });
  });

  test("with random damage, the same in pieces as at once", () => {
    const random = seeded(20_260_801);
    const hostile = [0, 1, 3, 4, 0x7f, 0x80, 0xfc, 0xff];
    let broken = 0;
    for (let round = 0; round < 3000; round++) {
      const damaged = Uint8Array.from(bytes);
      for (let changes = 1 + random(4); changes > 0; changes--) {
        damaged[random(damaged.length)] = random(2) === 0 ? random(256) : hostile[random(hostile.length)]!;
      }
      const file = random(4) === 0 ? damaged.subarray(0, random(damaged.length)) : damaged;
      const capture = readCapture(file);
      expect(readCapture(file, 1 + random(64), 1 + random(4))).toEqual(capture);
      for (const packet of capture.packets) {
        expect(packet.hex.length / 2).toBeLessThanOrEqual(CAPTURED_MAX);
        expect(packet.timeNanos).toBeLessThan(1_000_000_000);
        expect(Number.isInteger(packet.timeSeconds)).toBe(true);
        expect(packet.interfaceIndex).toBeLessThan(capture.interfaces.length);
      }
      if (capture.error === undefined) continue;
      broken++;
      expect(capture.error.offset).toBeLessThanOrEqual(file.length);
    }
    expect(broken).toBeGreaterThan(500);
  });
});

test("a length that lies does not make the reader allocate", () => {
  const lying = build.concat(
    build.sectionHeader("little"),
    build.u32(6, "little"),
    build.u32(16 * 1024 * 1024, "little"),
    build.payload(100),
  );
  const readers = Array.from({ length: 64 }, () => new CaptureReader({ packetsMax: 1 }));
  const before = process.memoryUsage().arrayBuffers;
  for (const reader of readers) {
    reader.push(lying);
    expect(reader.next()).toBeUndefined();
    reader.end();
    expect(reader.next()).toBeUndefined();
    expect(reader.error?.message).toBe("the file ends inside it");
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(readers.length * 65_536);
});

test("a gibibyte of packets goes through in constant memory", () => {
  const recordsPerRound = 700;
  const record = build.pcapRecord("little", 1, 2, build.payload(1500));
  const records = build.concat(...Array.from({ length: recordsPerRound }, () => record));
  const rounds = Math.ceil(2 ** 30 / records.length);
  const pieceLength = 65_521;
  const reader = new CaptureReader();
  reader.push(build.pcapHeader("little"));
  let packets = 0;
  const take = () => {
    for (let batch = reader.next(); batch !== undefined; batch = reader.next()) packets += batch.count;
  };
  take();
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < records.length; at += pieceLength) {
      reader.push(records.subarray(at, at + pieceLength));
      take();
    }
  }
  reader.end();
  take();
  expect(reader.error).toBeUndefined();
  expect(packets).toBe(rounds * recordsPerRound);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
});

test("using the reader against its contract is a bug", () => {
  const reader = new CaptureReader();
  reader.push(build.pcapHeader("little"));
  expect(() => reader.push(build.payload(1))).toThrow("push before next()");
  const ended = new CaptureReader();
  ended.end();
  expect(() => ended.push(build.payload(1))).toThrow("push after end");
});
