/** User data, its acknowledgement and its windows, each rule on its own (RFC 9260 sections 6, 7). */
import { describe, expect, test } from "vitest";
import { DATA_BEGIN, DATA_END, DATA_IMMEDIATE } from "../../src/sctp/chunk.js";
import type { EndpointOptions } from "../../src/sctp/index.js";
import { chunkBytesMax } from "../../src/sctp/outbound.js";
import { calm, chunksOf, dropData, packetsWith, type Sack, withoutImmediate } from "./helpers.js";
import { kindsOf, parse, SEED_DEFAULTS } from "./world.js";

describe("fragmentation", () => {
  const MTU = 1200;
  const most = chunkBytesMax(MTU);

  test.each([most - 1, most, most + 1, 2 * most, 2 * most + 1, 65_536])("a message of %i bytes", (size) => {
    const world = calm();
    world.send("a", 2, size);
    world.runFor(1000);
    const chunks = chunksOf(world, "a", "data");
    expect(chunks).toHaveLength(Math.ceil(size / most));
    chunks.forEach(({ flags, ssn, stream }, index) => {
      const begin = index === 0 ? DATA_BEGIN : 0;
      const end = index === chunks.length - 1 ? DATA_END : 0;
      expect({ flags: flags & ~DATA_IMMEDIATE, ssn, stream }).toEqual({
        flags: begin | end,
        ssn: 0,
        stream: 2,
      });
    });
    expect(Math.max(...world.sent.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(MTU);
    expect(world.expected.b.received).toBe(1);
  });
});

describe("bundling", () => {
  test("small messages that are sent together share packets", () => {
    const world = calm();
    for (let i = 0; i < 100; i++) world.send("a", i % 3, 20, { isMore: i < 99 });
    world.runFor(1000);
    expect(world.expected.b.received).toBe(100);
    const chunks = chunksOf(world, "a", "data");
    expect(chunks).toHaveLength(100);
    // Each takes 36 bytes, so 33 fit one packet.
    expect(packetsWith(world, "a", "data")).toHaveLength(4);
  });

  test("what is held back for more goes with the next tick", () => {
    const world = calm();
    world.send("a", 0, 20, { isMore: true });
    expect(world.sent).toHaveLength(0);
    expect(world.endpoints.a.deadlineMs).toBe(world.nowMs);
    world.step("a", { kind: "tick" });
    expect(kindsOf(world.sent.map(({ bytes }) => parse(bytes)))).toEqual(["data"]);
  });

  test("a delayed SACK travels with user data", () => {
    const world = calm();
    withoutImmediate(world);
    world.send("a", 0, 20);
    world.runFor(5);
    world.send("b", 0, 20);
    expect(kindsOf(world.sent.filter(({ from }) => from === "b").map(({ bytes }) => parse(bytes)))).toEqual([
      "sack+data",
    ]);
  });
});

test("streams take turns: a long queue in one does not hold up another", () => {
  const world = calm();
  for (let i = 0; i < 20; i++) world.send("a", 2, 20_000);
  world.send("a", 1, 100);
  const isThere = () => world.expected.b.next[1] === 1;
  expect(world.runFor(1000, isThere)).toBe(true);
  expect(world.expected.b.next[2] ?? 0).toBeLessThanOrEqual(2);
});

test("an unordered message does not wait for one that is lost", () => {
  const world = calm();
  dropData(world, [0]);
  world.send("a", 0, 100);
  world.send("a", 0, 100, { isUnordered: true });
  world.runFor(10);
  expect(world.actions("b", "message").map(({ isUnordered }) => isUnordered)).toEqual([true]);
});

describe("acknowledgement", () => {
  test("for every second packet at once, for a single one within the delay", () => {
    const world = calm();
    withoutImmediate(world);
    const sackDelayMs = SEED_DEFAULTS.rtoMinMs / 3;
    for (let i = 0; i < 5; i++) {
      world.send("a", 0, 100);
      world.runFor(0.1);
    }
    const startMs = world.nowMs;
    world.runFor(2);
    expect(chunksOf(world, "b", "sack")).toHaveLength(2);
    // A tail loss probe would have it at once.
    world.cut(true, [0], ["a"]);
    world.runFor(200);
    expect(chunksOf(world, "b", "sack")).toHaveLength(3);
    const delayMs = packetsWith(world, "b", "sack").at(-1)!.atMs - startMs;
    expect(delayMs).toBeGreaterThan(sackDelayMs - 1);
    expect(delayMs).toBeLessThan(sackDelayMs + 1);
    expect(sackDelayMs).toBeLessThan(SEED_DEFAULTS.rtoMinMs);
  });

  test("at once when it is asked for, when something is missing and when something comes twice", () => {
    const world = calm();
    dropData(world, [0]);
    world.send("a", 0, 100);
    world.send("a", 0, 100);
    world.runFor(2);
    const [sack] = chunksOf(world, "b", "sack");
    expect(sack).toMatchObject({ gaps: [{ first: 2, last: 2 }], duplicates: [] });
    const [lost, second] = chunksOf(world, "a", "data");
    world.provoke("b", [second!]);
    expect(chunksOf(world, "b", "sack").at(-1)).toMatchObject({ duplicates: [second!.tsn] });
    const before = chunksOf(world, "b", "sack").length;
    world.provoke("b", [lost!]);
    const next = { ...lost!, tsn: second!.tsn + 1, stream: 1, flags: lost!.flags | DATA_IMMEDIATE };
    world.provoke("b", [next]);
    expect(chunksOf(world, "b", "sack").length).toBe(before + 2);
  });

  test("with more gap blocks than fit, the lowest", () => {
    const mtu = 256;
    const world = calm({ b: { mtu } });
    dropData(
      world,
      Array.from({ length: 200 }, (_, i) => i * 2),
    );
    for (let i = 0; i < 300; i++) world.send("a", 0, 20);
    const all = chunksOf(world, "a", "data");
    expect(all.length).toBeGreaterThan(150);
    for (let i = 1; i < all.length; i += 2) world.provoke("b", [all[i]!]);
    for (const { bytes } of world.sent.filter(({ from }) => from === "b")) {
      expect(bytes.length).toBeLessThanOrEqual(mtu);
    }
    const { gaps } = chunksOf(world, "b", "sack").at(-1)!;
    expect(gaps).toEqual(
      Array.from({ length: (mtu - 28) / 4 }, (_, i) => ({ first: 2 + 2 * i, last: 2 + 2 * i })),
    );
  });
});

describe("retransmission", () => {
  test.each([1, 3, 4, 9])("by the timer, of %d, an RTO after they were sent", (lost) => {
    const world = calm();
    world.send("a", 0, 100);
    world.runFor(20);
    // All of them, and their probes.
    world.cut(true, [0], ["a"]);
    const sentMs = world.nowMs;
    for (let i = 0; i < lost; i++) world.send("a", 0, 100);
    world.runFor(SEED_DEFAULTS.rtoMinMs - 1);
    world.cut(false);
    expect(world.endpoints.a.view().counters.data_retransmitted_timeout).toBe(0);
    world.runFor(500);
    const again = packetsWith(world, "a", "data").find(({ atMs }) => atMs > sentMs + 299)!;
    expect(again.atMs).toBeCloseTo(sentMs + SEED_DEFAULTS.rtoMinMs, 5);
    expect(world.endpoints.a.view().counters.data_retransmitted_timeout).toBe(lost);
    expect(world.expected.b.received).toBe(1 + lost);
  });

  test("fast, after three reports, long before the timer", () => {
    const world = calm();
    dropData(world, [0]);
    for (let i = 0; i < 4; i++) world.send("a", 0, 1000);
    world.runFor(10);
    const { counters, paths } = world.endpoints.a.view();
    expect(counters.data_retransmitted_fast).toBe(1);
    expect(counters.data_retransmitted_timeout).toBe(0);
    expect(world.expected.b.received).toBe(4);
    expect(paths[0]!.ssthreshBytes).toBe(4800);
  });

  test("not before the third report", () => {
    const world = calm();
    dropData(world, [0]);
    for (let i = 0; i < 3; i++) world.send("a", 0, 1000);
    world.runFor(1000);
    const { counters } = world.endpoints.a.view();
    expect(counters.data_retransmitted_fast).toBe(0);
    expect(counters.data_retransmitted_probe).toBe(1);
    expect(world.expected.b.received).toBe(3);
  });

  test("by the timer, in one packet, and slower each time", () => {
    const world = calm();
    world.cut(true);
    const startMs = world.nowMs;
    world.send("a", 0, 1000);
    world.runFor(2000);
    const moments = packetsWith(world, "a", "data").map(({ atMs }) => atMs - startMs);
    expect(moments).toEqual(expect.arrayContaining([0, 300, 900, 1500]));
    expect(world.endpoints.a.view().counters.data_retransmitted_timeout).toBe(3);
    expect(world.endpoints.a.view().paths[0]!.cwndBytes).toBe(1200);
  });

  test("of a chunk tells no round-trip time (Karn)", () => {
    const world = calm();
    for (let i = 0; i < 20; i++) {
      world.send("a", 0, 100);
      world.send("a", 0, 100);
      world.runFor(10);
    }
    const { srttMs } = world.endpoints.a.view().paths[0]!;
    dropData(world, [0]);
    world.send("a", 0, 100);
    world.runFor(1000);
    expect(world.endpoints.a.view().counters.data_retransmitted_probe).toBe(1);
    expect(world.endpoints.a.view().paths[0]!.srttMs).toBe(srttMs);
  });

  test("a block that the peer takes back is sent again (section 6.2.1)", () => {
    const world = calm();
    world.intercept = (from, _path, bytes) => (from === "b" ? undefined : bytes);
    for (let i = 0; i < 3; i++) world.send("a", 0, 100);
    world.runFor(5);
    const [first] = chunksOf(world, "a", "data");
    const sack = (gaps: Sack["gaps"]): Sack => ({
      kind: "sack",
      flags: 0,
      cumulativeTsn: first!.tsn,
      advertisedWindow: 65_536,
      gaps,
      duplicates: [],
    });
    const flight = () => world.endpoints.a.view().paths[0]!.flightBytes;
    world.provoke("a", [sack([{ first: 2, last: 2 }])]);
    expect(flight()).toBe(100);
    world.provoke("a", [sack([])]);
    expect(flight()).toBe(200);
    world.intercept = (_from, _path, bytes) => bytes;
    world.runFor(2000);
    expect(world.endpoints.a.view().queuedBytes).toBe(0);
  });
});

test.each([
  [0x3f, [], 0],
  [0x7f, ["error"], 0],
  [0xbf, ["heartbeatAck"], 1],
  [0xff, ["error+heartbeatAck"], 1],
] as const)("an unknown chunk of type %i: what is behind it, and what is said", (type, answers, behind) => {
  const world = calm();
  const unknown = { kind: "unknown" as const, type, flags: 0, bytes: Uint8Array.of(type, 0, 0, 4) };
  const heartbeat = { kind: "heartbeat" as const, flags: 0, parameters: [] };
  const packets = world.provoke("b", [unknown, heartbeat]);
  expect(kindsOf(packets)).toEqual(answers);
  const chunks = packets.flatMap((packet) => packet.chunks);
  expect(chunks.filter(({ kind }) => kind === "heartbeatAck")).toHaveLength(behind);
  const causes = chunks.flatMap((chunk) => (chunk.kind === "error" ? chunk.causes : []));
  expect(causes).toEqual(
    answers.some((each) => each.includes("error"))
      ? [{ kind: "unrecognizedChunk", bytes: unknown.bytes }]
      : [],
  );
});

describe("windows", () => {
  const counting: Partial<EndpointOptions> = { receiveQueueBytes: 10_000, isConsumptionCounted: true };

  test("a receiver that does not consume closes the window; the sender's queue fills and says so", () => {
    const world = calm({ a: { sendQueueBytes: 20_000 }, b: counting });
    let accepted = 0;
    while (world.send("a", 0, 1000)) accepted++;
    world.runFor(20_000);
    // The window of 10,000 bytes, and one message more that was taken as the next.
    expect(world.expected.b.received).toBe(10);
    while (world.send("a", 0, 1000)) accepted++;
    world.runFor(60_000);
    const view = world.endpoints.a.view();
    expect(view.queuedBytes).toBeLessThanOrEqual(20_000);
    expect(world.endpoints.b.view()).toMatchObject({ heldBytes: 0, windowBytes: 0 });
    // The peer answers the probes: it is slow, and not lost.
    expect(view.state).toBe("ESTABLISHED");
    expect(world.actions("a", "down")).toEqual([]);
    expect(view.counters.send_full).toBe(2);

    // It goes on as soon as there is room, and nothing is lost.
    let consumed = 0;
    const consume = () => {
      const { received } = world.expected.b;
      if (received > consumed) world.step("b", { kind: "consumed", bytes: (received - consumed) * 1000 });
      consumed = received;
    };
    for (let i = 0; i < 200; i++) {
      consume();
      world.runFor(50);
    }
    expect(world.expected.b.received).toBe(accepted);
    expect(world.actions("a", "writable")).toHaveLength(2);
    expect(world.endpoints.a.writableBytes).toBe(10_000);
  });

  test("an opened window is told at once, but not for a few bytes", () => {
    const world = calm({ b: counting });
    for (let i = 0; i < 20; i++) world.send("a", 0, 1000);
    world.runFor(1000);
    const before = chunksOf(world, "b", "sack").length;
    world.step("b", { kind: "consumed", bytes: 1000 });
    expect(chunksOf(world, "b", "sack")).toHaveLength(before);
    world.step("b", { kind: "consumed", bytes: 2000 });
    expect(chunksOf(world, "b", "sack")).toHaveLength(before + 1);
    expect(chunksOf(world, "b", "sack").at(-1)!.advertisedWindow).toBe(3000);
  });

  test("bytes that wait for a missing one are bounded, and the missing one gets through", () => {
    const world = calm({ b: { receiveQueueBytes: 20_000 } });
    dropData(world, [0, 1, 2, 3, 4, 5]);
    for (let i = 0; i < 100; i++) world.send("a", i % 3, 3000);
    let held = 0;
    for (let i = 0; i < 20_000 && world.expected.b.received < 100; i++) {
      world.runFor(1);
      held = Math.max(held, world.endpoints.b.view().heldBytes);
    }
    expect(world.expected.b.received).toBe(100);
    expect(held).toBeGreaterThan(1000);
    expect(held).toBeLessThanOrEqual(20_000 + 10_000);
  });

  test("at most Max.Burst packets at one occasion", () => {
    const world = calm({ a: { burstMax: 2 } });
    world.send("a", 0, 60_000);
    expect(packetsWith(world, "a", "data")).toHaveLength(2);
    const perStep = new Map<number, number>();
    world.runFor(1000);
    for (const { atMs } of packetsWith(world, "a", "data")) perStep.set(atMs, (perStep.get(atMs) ?? 0) + 1);
    expect(world.expected.b.received).toBe(1);
  });
});
