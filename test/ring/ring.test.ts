/** The ring between threads: bounded, in order, and nothing torn, with a real thread at the other end. */
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { newRing, RingReader, RingWriter } from "../../src/ring.js";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("a ring", () => {
  test("gives back what was written, in order, with its kind", () => {
    const memory = newRing(4, 16);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    expect(reader.peek()).toBeUndefined();
    for (let round = 0; round < 10; round++) {
      expect(writer.write(bytesOf(`a${round}`), 1)).toBe(true);
      expect(writer.write(bytesOf(`bb${round}`), 2)).toBe(true);
      expect(reader.length).toBe(2);
      const first = reader.peek()!;
      expect([text(first.bytes), first.kind]).toEqual([`a${round}`, 1]);
      reader.release();
      const second = reader.peek()!;
      expect([text(second.bytes), second.kind]).toEqual([`bb${round}`, 2]);
      reader.release();
      expect(reader.peek()).toBeUndefined();
    }
  });

  test("full is an answer, counted, and what is in it stays", () => {
    const memory = newRing(2, 8);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    expect([writer.write(bytesOf("1")), writer.write(bytesOf("2"))]).toEqual([true, true]);
    expect(writer.write(bytesOf("3"))).toBe(false);
    expect(writer.claim()).toBeUndefined();
    expect(writer.refused).toBe(2);
    expect(text(reader.peek()!.bytes)).toBe("1");
    reader.release();
    expect(writer.write(bytesOf("4"))).toBe(true);
    expect(text(reader.peek()!.bytes)).toBe("2");
    reader.release();
    expect(text(reader.peek()!.bytes)).toBe("4");
  });

  test("takes nothing that is longer than a slot", () => {
    const writer = new RingWriter(newRing(2, 8));
    expect(writer.write(new Uint8Array(9))).toBe(false);
    expect(writer.length).toBe(0);
    expect(writer.write(new Uint8Array(8))).toBe(true);
  });

  test("goes on where the counters stand, also past 2^31", () => {
    const memory = newRing(4, 8);
    new Int32Array(memory.buffer).fill(0x7fffffff, 0, 1);
    new Int32Array(memory.buffer).fill(0x7fffffff, 16, 17);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    for (let i = 0; i < 12; i++) {
      expect(writer.write(Uint8Array.of(i))).toBe(true);
      expect(reader.peek()!.bytes[0]).toBe(i);
      reader.release();
    }
  });

  test("a number of slots that is no power of two is a bug", () => {
    expect(() => newRing(3, 8)).toThrow(RangeError);
  });
});

/** Echoes each slot into the other ring, changed, until it reads an empty one. Plain JavaScript: a thread of its own. */
const ECHO = `
const { workerData } = require("node:worker_threads");
import(workerData.module).then(({ RingReader, RingWriter }) => {
  const reader = new RingReader(workerData.there), writer = new RingWriter(workerData.back);
  for (;;) {
    const slot = reader.peek();
    if (slot === undefined) { reader.wait(1000); continue; }
    const end = slot.bytes.length === 0;
    for (;;) {
      const to = writer.claim();
      if (to === undefined) continue;
      to.set(slot.bytes);
      for (let i = 0; i < slot.bytes.length; i++) to[i] ^= 0xff;
      writer.publish(slot.bytes.length, slot.kind);
      break;
    }
    reader.release();
    if (end) break;
  }
});
`;

test("nothing is lost, torn or reordered between two threads", async () => {
  const there = newRing(8, 1500);
  const back = newRing(8, 1500);
  const module = new URL("../../dist/src/ring.js", import.meta.url).href;
  const worker = new Worker(ECHO, { eval: true, workerData: { module, there, back } });
  const [writer, reader] = [new RingWriter(there), new RingReader(back)];
  const COUNT = 20_000;
  let sent = 0;
  let received = 0;
  const sizeOf = (i: number): number => 1 + ((i * 7919) % 1500);
  try {
    const deadline = Date.now() + 60_000;
    while (received < COUNT && Date.now() < deadline) {
      while (sent < COUNT) {
        const slot = writer.claim();
        if (slot === undefined) break;
        slot.fill(sent & 0xff, 0, sizeOf(sent));
        writer.publish(sizeOf(sent), sent);
        sent++;
      }
      for (let slot = reader.peek(); slot !== undefined; slot = reader.peek()) {
        if (slot.kind !== received || slot.bytes.length !== sizeOf(received)) {
          throw new Error(`slot ${received}: kind ${slot.kind}, ${slot.bytes.length} bytes`);
        }
        const wanted = (received & 0xff) ^ 0xff;
        if (!slot.bytes.every((byte) => byte === wanted)) throw new Error(`slot ${received} is torn`);
        received++;
        reader.release();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(received).toBe(COUNT);
    writer.write(new Uint8Array(0));
  } finally {
    await worker.terminate();
  }
});
