/**
 * How soon a loss is repaired while something is left to say so: tail loss probes, lost retransmissions (after RFC 8985),
 * SACKs at once (RFC 7053).
 */
import { describe, expect, test } from "vitest";
import { DATA_IMMEDIATE } from "../../src/sctp/chunk.js";
import { TAIL_PROBE_MIN_MS } from "../../src/sctp/tail-probe.js";
import { calm, chunksOf, dropData, packetsWith } from "./helpers.js";
import { type Faults, parse, SEED_DEFAULTS, World } from "./world.js";

const RTT_MS = 0.3;
const NEAR: Partial<Faults> = { delayMs: RTT_MS / 2 };

/** A world whose round-trip time is known on all paths, with nothing under way. */
function near(options: Parameters<typeof calm>[0] = {}): World {
  const world = calm({ faults: NEAR, ...options });
  for (let i = 0; i < 20; i++) {
    world.send("a", 0, 100);
    world.runFor(10);
  }
  world.sent.length = 0;
  return world;
}

const counters = (world: World) => world.endpoints.a.view().counters;
const path = (world: World, index = 0) => world.endpoints.a.view().paths[index]!;

describe("records of the application under loss", () => {
  const RECORD_BYTES = 120;
  const INTERVAL_MS = 2;
  const RECORDS = 10_000;
  const DEFER_MAX_MS = 50;

  /** How long each record waited until the sender knew that all up to it had arrived, in ms, in ascending order. */
  function waitsMs(seed: number, faults: Partial<Faults>, records = RECORDS): number[] {
    const patient = { assocRetransmit: 10, pathRetransmit: 10 };
    const world = new World({ seed, faults: { ...NEAR }, a: patient, b: patient }).connect();
    for (const side of ["a", "b"] as const) Object.assign(world.faults[0]![side], faults);
    const sentAtMs: number[] = [];
    const waits: number[] = [];
    const { a } = world.endpoints;
    const look = () => {
      // Each record is one chunk: those outstanding and waiting are the last ones.
      const view = a.view();
      const acknowledged = sentAtMs.length - view.outstandingChunks - view.waitingMessages;
      while (waits.length < acknowledged) waits.push(world.nowMs - sentAtMs[waits.length]!);
      return false;
    };
    for (let i = 0; i < records; i++) {
      sentAtMs.push(world.nowMs);
      world.send("a", 0, RECORD_BYTES);
      world.runFor(INTERVAL_MS, look);
    }
    expect(world.runFor(60_000, () => look() || waits.length === records)).toBe(true);
    expect(world.expected.b.received).toBe(records);
    expect(world.actions("a", "down")).toEqual([]);
    return waits.sort((one, other) => one - other);
  }

  const share = (waits: readonly number[], ms: number) =>
    waits.filter((wait) => wait <= ms).length / waits.length;

  test.each([1, 2, 3])("5 %%: 99.9 %% of 500 a second are acknowledged within 50 ms (seed %i)", (seed) => {
    const waits = waitsMs(seed, { loss: 0.05 });
    expect(share(waits, DEFER_MAX_MS)).toBeGreaterThanOrEqual(0.999);
  });

  test("20 %: 95 % within 50 ms", () => {
    const waits = waitsMs(4, { loss: 0.2 });
    expect(share(waits, DEFER_MAX_MS)).toBeGreaterThanOrEqual(0.95);
  });
});

describe("a tail loss probe", () => {
  test("sends the lost tail again long before T3-rtx, and asks for a SACK at once", () => {
    const world = near();
    const { srttMs, rtoMs, cwndBytes } = path(world);
    dropData(world, [0]);
    world.send("a", 0, 100);
    const startMs = world.nowMs;
    world.runFor(200);
    const data = packetsWith(world, "a", "data");
    expect(data).toHaveLength(2);
    expect(data[1]!.atMs - startMs).toBeCloseTo(TAIL_PROBE_MIN_MS, 6);
    for (const { flags } of chunksOf(world, "a", "data")) expect(flags & DATA_IMMEDIATE).toBe(DATA_IMMEDIATE);
    expect(counters(world)).toMatchObject({ data_retransmitted_probe: 1, data_retransmitted_timeout: 0 });
    // No error, no sample (Karn), no longer timeout; the window is halved at most, to its floor.
    expect(path(world)).toMatchObject({ errors: 0, srttMs, rtoMs });
    expect(path(world).cwndBytes).toBeGreaterThanOrEqual(cwndBytes / 2);
    expect(world.endpoints.a.view().outstandingChunks).toBe(0);
  });

  test("comes again after twice the time, each time, and leaves T3-rtx where it was", () => {
    const world = near();
    world.cut(true);
    const startMs = world.nowMs;
    world.send("a", 0, 100);
    world.runFor(SEED_DEFAULTS.rtoMinMs);
    const waits = packetsWith(world, "a", "data").map(({ atMs }) => Math.round(atMs - startMs));
    expect(waits).toEqual([0, 5, 15, 35, 75, 155, 300]);
    expect(counters(world)).toMatchObject({ data_retransmitted_probe: 5, data_retransmitted_timeout: 1 });
    expect(world.endpoints.a.view().errors).toBe(1);
  });

  test("does not come without a round-trip time", () => {
    const world = new World({ seed: 1, faults: NEAR });
    world.isRecording = true;
    const isLost = (kind: string) => kind === "heartbeat" || kind === "data";
    world.intercept = (from, _path, bytes) =>
      from === "a" && parse(bytes).chunks.some(({ kind }) => isLost(kind)) ? undefined : bytes;
    // The side that is called has timed nothing yet.
    world.step("a", { kind: "listen" });
    world.step("b", { kind: "connect" });
    expect(world.runFor(50, () => world.isUp())).toBe(true);
    expect(path(world).srttMs).toBeUndefined();
    world.send("a", 0, 100);
    world.runFor(250);
    expect(counters(world).data_retransmitted_probe).toBe(0);
  });

  test("of a burst fills one packet with the oldest", () => {
    const world = near();
    dropData(world, [0, 1, 2]);
    for (let i = 0; i < 3; i++) world.send("a", 0, 100);
    world.runFor(50);
    expect(packetsWith(world, "a", "data")).toHaveLength(4);
    expect(counters(world)).toMatchObject({ data_retransmitted_probe: 3, data_retransmitted_timeout: 0 });
    expect(world.endpoints.a.view().outstandingChunks).toBe(0);
  });

  test("goes by the other path; the own one is asked by a heartbeat, and found broken as soon as by T3-rtx", () => {
    const world = near({ paths: 2 });
    world.cut(true, [0]);
    const startMs = world.nowMs;
    const isBroken = () => path(world).state === "inactive";
    for (let i = 0; i < 5000 && !isBroken(); i++) {
      world.send("a", 0, 100);
      world.runFor(2, isBroken);
    }
    const tookMs = world.nowMs - startMs;
    expect(tookMs).toBeGreaterThan(2700);
    expect(tookMs).toBeLessThan(2800);
    expect(counters(world)).toMatchObject({
      data_retransmitted_timeout: 0,
      path_failures: 1,
      heartbeats_unanswered: 5,
    });
    expect(world.actions("a", "down")).toEqual([]);
    expect(packetsWith(world, "b", "sack").every((packet) => packet.path === 1)).toBe(true);
  });
});

describe("a retransmission that is lost", () => {
  test("is sent again when what was sent after it is acknowledged", () => {
    const world = near();
    // The first, and its fast retransmission behind four others.
    dropData(world, [0, 4]);
    for (let i = 0; i < 12; i++) {
      world.send("a", 0, 100);
      world.runFor(2);
    }
    world.runFor(10);
    expect(counters(world)).toMatchObject({
      data_retransmitted_fast: 1,
      data_retransmitted_again: 1,
      data_retransmitted_probe: 0,
      data_retransmitted_timeout: 0,
    });
    expect(world.expected.b.received).toBe(12 + 20);
  });

  test("and not for reports of what was sent before it", () => {
    const world = calm({ faults: { delayMs: 40 } });
    for (let i = 0; i < 20; i++) {
      world.send("a", 0, 100);
      world.runFor(100);
    }
    dropData(world, [0]);
    for (let i = 0; i < 12; i++) {
      world.send("a", 0, 100);
      world.runFor(2);
    }
    world.runFor(500);
    expect(counters(world)).toMatchObject({ data_retransmitted_fast: 1, data_retransmitted_again: 0 });
    expect(world.expected.b.received).toBe(12 + 20);
  });
});

test("after an expiry the window grows again with an application that sends little", () => {
  const world = near();
  world.cut(true);
  world.send("a", 0, 100);
  world.runFor(SEED_DEFAULTS.rtoMinMs);
  expect(path(world).cwndBytes).toBe(1200);
  world.cut(false);
  for (let i = 0; i < 3; i++) {
    world.runFor(1000);
    world.send("a", 0, 100);
  }
  expect(path(world).cwndBytes).toBeGreaterThanOrEqual(4404);
});
