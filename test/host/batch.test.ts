import { beforeEach, describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { Batch } from "../../src/batch.js";
import { Core } from "../../src/core.js";
import { readCoreFile } from "../../src/io/wasm.js";
import { planOf, SEED } from "./support.js";

const module = new WebAssembly.Module(await readCoreFile());
const CAPACITY = { sessions: 1024, batch: 8, fragments: 16, events: 16 };

let core: Core;
let batch: Batch;
beforeEach(() => {
  core = Core.createSync(module, { plan: planOf(CAPACITY), seed: SEED });
  batch = new Batch(core);
});

/** Bytes that tell where they were. */
const pattern = (length: number, first = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i * 7) & 255);

const descriptor = (i: number) => {
  const at = core.plan.regions.descriptors.at + i * L.DESC_SIZE;
  const u32 = (field: number): number => core.view.getUint32(at + field, true);
  return {
    offset: u32(L.D_OFFSET),
    captured: u32(L.D_CAPTURED),
    wire: u32(L.D_WIRE),
    ingress: core.view.getUint8(at + L.D_INGRESS),
    flags: core.view.getUint8(at + L.D_FLAGS),
    ethertype: core.view.getUint16(at + L.D_ETHERTYPE, true),
    cookie: u32(L.D_COOKIE),
  };
};

describe("adding", () => {
  test("every length up to 300, from every alignment, arrives as it was", () => {
    const source = pattern(2000);
    for (let length = 0; length <= 300; length++) {
      const offset = 100 + (length % 9);
      batch.clear();
      expect(batch.addFrom(source, offset, length, length, 1, 0, 0, 0)).toBe(true);
      expect(batch.frame(0)).toEqual(source.subarray(offset, offset + length));
    }
  });

  test("a frame at the very end of its buffer, of every short length", () => {
    for (let length = 0; length <= 140; length++) {
      const buffer = new Uint8Array(new ArrayBuffer(length + 5), 5, length);
      buffer.set(pattern(length, length));
      batch.clear();
      expect(batch.add(buffer, 1)).toBe(true);
      expect(batch.frame(0)).toEqual(buffer);
    }
  });

  test("frames of two buffers in turn", () => {
    const [a, b] = [pattern(64, 1), pattern(64, 99)];
    for (const frame of [a, b, a, b]) batch.add(frame, 1);
    expect([0, 1, 2, 3].map((i) => batch.frame(i))).toEqual([a, b, a, b]);
  });

  test("all fields of the descriptor", () => {
    const frame = pattern(60);
    batch.add(frame, 3, 0xfffffffe);
    batch.add(frame, 0, 7, { wireLength: 1500, ethertype: 0x86dd, checksumOk: true });
    batch.add(frame, 1, 8, { headerChecksumOk: true });
    batch.addFrom(frame, 10, 40, 44, 63, 0x0800, L.DF_TRACE, 9);
    const at = core.plan.regions.bytes.at;
    expect([0, 1, 2, 3].map(descriptor)).toEqual([
      { offset: at, captured: 60, wire: 60, ingress: 3, flags: L.DF_IDS, ethertype: 0, cookie: 0xfffffffe },
      {
        offset: at + 64,
        captured: 60,
        wire: 1500,
        ingress: 0,
        flags: L.DF_IDS | L.DF_CHECKSUM_OK,
        ethertype: 0x86dd,
        cookie: 7,
      },
      {
        offset: at + 128,
        captured: 60,
        wire: 60,
        ingress: 1,
        flags: L.DF_IDS | L.DF_CHECKSUM_OK | L.DF_HEADER_CHECKSUM_OK,
        ethertype: 0,
        cookie: 8,
      },
      {
        offset: at + 192,
        captured: 40,
        wire: 44,
        ingress: 63,
        flags: L.DF_TRACE,
        ethertype: 0x0800,
        cookie: 9,
      },
    ]);
    expect([0, 1, 2, 3].map((i) => batch.cookie(i))).toEqual([0xfffffffe, 7, 8, 9]);
    expect([0, 1, 2, 3].map((i) => batch.wireLength(i))).toEqual([60, 1500, 60, 44]);
  });

  test("an interface number that is none stays none in its byte", () => {
    for (const number of [64, 255, 256, 257, 65536, -1, Number.NaN]) {
      batch.clear();
      batch.add(pattern(60), number);
      expect(descriptor(0).ingress).toBe(L.INTERFACES_MAX);
    }
  });

  test("full by number", () => {
    for (let i = 0; i < CAPACITY.batch; i++) expect(batch.add(pattern(60), 1)).toBe(true);
    expect(batch.add(pattern(60), 1)).toBe(false);
    expect(batch.addLoaded(core.plan.regions.bytes.at, 60, 60, 1, 0, 0, 0)).toBe(false);
    expect(batch.length).toBe(CAPACITY.batch);
    batch.clear();
    expect(batch.length).toBe(0);
    expect(batch.add(pattern(60), 1)).toBe(true);
  });

  test("full by bytes: what is refused leaves no trace", () => {
    const large = pattern(L.FRAME_MAX);
    let added = 0;
    while (batch.add(large, 1)) added++;
    expect(added).toBeGreaterThan(0);
    expect(added).toBeLessThan(CAPACITY.batch);
    expect(batch.length).toBe(added);
    expect(batch.frame(added - 1)).toEqual(large);
  });

  test("of a frame beyond any IP packet the rest is left out, and its length on the wire kept", () => {
    const huge = pattern(200_000);
    expect(batch.add(huge, 1)).toBe(true);
    expect(descriptor(0)).toMatchObject({ captured: L.FRAME_MAX, wire: 200_000 });
    expect(batch.frame(0)).toEqual(huge.subarray(0, L.FRAME_MAX));
  });
});

describe("loading several at once", () => {
  test("frames lie where they are said to lie", () => {
    const bytes = pattern(500);
    const at = batch.load(bytes);
    expect(at).toBeGreaterThan(0);
    batch.addLoaded(at, 100, 100, 1, 0, 0, 5);
    batch.addLoaded(at + 100, 400, 1000, 2, 0x0800, L.DF_IDS, 6);
    expect(batch.frame(0)).toEqual(bytes.subarray(0, 100));
    expect(batch.frame(1)).toEqual(bytes.subarray(100));
    expect(descriptor(1)).toMatchObject({
      wire: 1000,
      ingress: 2,
      ethertype: 0x0800,
      flags: L.DF_IDS,
      cookie: 6,
    });
    expect(batch.add(pattern(60, 9), 1)).toBe(true);
    expect(batch.frame(1)).toEqual(bytes.subarray(100));
  });

  test("no room: -1, and nothing is copied", () => {
    const room = core.plan.batchBytes;
    expect(batch.load(new Uint8Array(room + 1))).toBe(-1);
    expect(batch.load(new Uint8Array(room))).toBe(core.plan.regions.bytes.at);
    expect(batch.load(new Uint8Array(1))).toBe(-1);
    batch.clear();
    expect(batch.load(new Uint8Array(1))).toBe(core.plan.regions.bytes.at);
  });
});

describe("reading", () => {
  test("each field of an output, at every place", () => {
    const outputs = CAPACITY.batch + CAPACITY.fragments;
    for (let i = 0; i < outputs; i++) {
      const at = core.plan.regions.descriptors.at + i * L.DESC_SIZE;
      core.view.setUint8(at + L.D_VERDICT, L.VERDICT_PASS + (i % 4));
      core.view.setUint8(at + L.D_REASON, i % 2 ? L.R_ESTABLISHED : L.R_ACL_IN_DENY);
      core.view.setUint8(at + L.D_INGRESS, i);
      core.view.setUint8(at + L.D_EGRESS, i + 1);
      core.view.setUint8(at + L.D_SIDE, i % 2);
      core.view.setUint32(at + L.D_RULE, 0xfffffff0 + i, true);
      core.view.setBigUint64(at + L.D_SESSION_ID, (1n << 40n) + BigInt(i), true);
      core.view.setUint16(at + L.D_NETWORK, 14 + 4 * i, true);
      core.view.setUint8(at + L.D_PROTOCOL, i * 3);
    }
    for (let i = 0; i < outputs; i++) {
      expect(batch.verdict(i)).toBe(["pass", "drop", "local", "held"][i % 4]);
      expect(batch.verdictCode(i)).toBe(L.VERDICT_PASS + (i % 4));
      expect(batch.reason(i)).toBe(i % 2 ? "established" : "acl_in_deny");
      expect(batch.reasonCode(i)).toBe(i % 2 ? L.R_ESTABLISHED : L.R_ACL_IN_DENY);
      expect(batch.ingress(i)).toBe(i);
      expect(batch.egress(i)).toBe(i + 1);
      expect(batch.fromInitiator(i)).toBe(i % 2 === 0);
      expect(batch.rule(i)).toBe((0xfffffff0 + i) % 2 ** 32);
      expect(batch.session(i)).toBe((1n << 40n) + BigInt(i));
      expect(batch.networkOffset(i)).toBe(14 + 4 * i);
      expect(batch.protocol(i)).toBe(i * 3);
    }
  });

  test("a frame that was not decided has no verdict", () => {
    batch.add(pattern(60), 1);
    expect(() => batch.verdict(0)).toThrow("output 0 has no verdict");
  });
});
