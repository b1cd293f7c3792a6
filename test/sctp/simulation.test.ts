/**
 * Two endpoints in virtual time, from a seed: whatever the links do, each message arrives once, whole and in the order
 * of its stream (the world throws otherwise), and when they are quiet both ends agree.
 */
import { describe, expect, test } from "vitest";
import { type Faults, other, PERFECT, randomOf, SIDES, World } from "./world.js";

const FAULTS: readonly (Partial<Faults> & { name: string })[] = [
  { name: "perfect links" },
  { name: "loss", loss: 0.2 },
  { name: "duplicates", duplicate: 0.3 },
  { name: "packets that overtake each other", jitterMs: 50 },
  { name: "corruption", corrupt: 0.1 },
  { name: "all of it", loss: 0.1, duplicate: 0.1, corrupt: 0.05, jitterMs: 30 },
  { name: "long links", delayMs: 120, loss: 0.02 },
];
const SEEDS = 12;

/** Mostly small, now and then of many fragments. */
function size(world: World): number {
  return world.random() % 8 === 0 ? world.random() % 65_536 : world.random() % 300;
}

/** All that was accepted has arrived, and nothing is left anywhere. */
function isQuiet(world: World): boolean {
  return SIDES.every((side) => {
    const { queuedBytes, heldBytes } = world.endpoints[side].view();
    return queuedBytes === 0 && heldBytes === 0;
  });
}

/** What the last association of each side has accepted is what the other has received. */
function expectEqual(world: World): void {
  const [a, b] = SIDES.map((side) => world.endpoints[side].view());
  expect([a!.state, b!.state]).toEqual(["ESTABLISHED", "ESTABLISHED"]);
  expect([a!.localTag, a!.peerTag]).toEqual([b!.peerTag, b!.localTag]);
  expect([a!.outstandingChunks, b!.outstandingChunks, a!.errors, b!.errors]).toEqual([0, 0, 0, 0]);
  for (const side of SIDES) {
    const { instance, generation, sent } = world.traffic[side];
    const received = world.expected[other(side)];
    if (sent.length === 0) continue;
    expect(received).toMatchObject({ instance, generation });
    for (let stream = 0; stream < 3; stream++) expect(received.next[stream]).toBe(sent[stream]);
  }
}

describe.each(FAULTS)("$name", ({ name: _, ...faults }) => {
  test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))("seed %i", (seed) => {
    // As many errors in a row as chance may bring are not what is tested here.
    const patient = { pathRetransmit: 10, assocRetransmit: 10, rtoMaxMs: 1000 };
    const world = new World({ seed, paths: 1 + (seed % 2), faults, a: patient, b: patient }).connect();
    for (let i = 0; i < 120; i++) {
      for (const side of SIDES) {
        const isUnordered = world.random() % 4 === 0;
        world.send(side, world.random() % 3, size(world), { isUnordered, isMore: world.random() % 2 === 0 });
      }
      world.runFor(world.random() % 20);
    }
    expect(world.runFor(300_000, () => isQuiet(world))).toBe(true);
    for (const link of world.faults) for (const side of SIDES) Object.assign(link[side], PERFECT);
    world.runFor(5000);
    expectEqual(world);
    for (const side of SIDES) {
      expect(world.expected[side].received).toBe(world.traffic[other(side)].accepted);
      expect(world.actions(side, "down")).toEqual([]);
      expect(world.actions(side, "restarted")).toEqual([]);
    }
  });
});

describe("numbers that wrap", () => {
  test("TSNs, with losses around the wrap", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const base = randomOf(seed);
      // Every number drawn lies just below the wrap, the first TSNs among them.
      const random = () => (0xffff_ff80 + (base() % 0x80)) >>> 0;
      const patient = { random, pathRetransmit: 10, assocRetransmit: 10 };
      const world = new World({ seed, faults: { loss: 0.1, jitterMs: 5 }, a: patient, b: patient }).connect();
      for (let i = 0; i < 300; i++) {
        for (const side of SIDES) world.send(side, i % 3, 2500);
        world.runFor(5);
      }
      expect(world.runFor(100_000, () => isQuiet(world))).toBe(true);
      for (const side of SIDES) expect(world.expected[side].received).toBe(300);
    }
  });

  test("stream sequence numbers", () => {
    const world = new World({ seed: 1 }).connect();
    const messages = 66_000;
    for (let i = 0; i < messages; ) {
      while (i < messages && world.send("a", 1, 16, { isMore: i % 60 !== 59 && i < messages - 1 })) i++;
      world.runFor(20);
    }
    expect(world.runFor(10_000, () => isQuiet(world))).toBe(true);
    expect(world.expected.b.next[1]).toBe(messages);
  });
});

describe("crashes, cuts and ends at any moment", () => {
  /** One thing that happens to the pair, by chance. */
  function upset(world: World): void {
    const side = SIDES[world.random() % 2]!;
    switch (world.random() % 200) {
      case 0:
      case 7:
        world.restart(side);
        if (world.random() % 2 === 0) world.runFor(world.random() % 3000);
        world.step(side, { kind: "connect" });
        break;
      case 1:
        world.cut(true, [world.random() % world.isCut.length], world.random() % 2 === 0 ? SIDES : [side]);
        break;
      case 2:
      case 3:
        world.cut(false);
        break;
      case 4:
        world.step(side, { kind: "shutdown" });
        world.runFor(world.random() % 3000);
        world.step(side, { kind: "connect" });
        break;
      case 5:
        world.step(side, { kind: "abort" });
        world.runFor(world.random() % 300);
        world.step(side, { kind: "connect" });
        break;
      case 6:
        world.runFor(world.random() % 20_000);
        break;
    }
  }

  const seen = { restarted: 0, down: 0, path: 0 };

  test.each(Array.from({ length: 80 }, (_, i) => i + 1))("seed %i", (seed) => {
    const faults = { loss: (seed % 5) * 0.05, duplicate: 0.05, corrupt: 0.02, jitterMs: (seed % 3) * 20 };
    const world = new World({ seed, paths: 1 + (seed % 2), faults });
    for (const side of SIDES) world.step(side, { kind: "connect" });
    for (let i = 0; i < 400; i++) {
      for (const side of SIDES) {
        world.send(side, world.random() % 3, size(world), { isMore: world.random() % 2 === 0 });
      }
      upset(world);
      world.runFor(world.random() % 20);
    }
    world.cut(false);
    for (const link of world.faults)
      for (const side of SIDES) Object.assign(link[side], { loss: 0, corrupt: 0 });

    expect(world.runFor(20_000, () => world.isUp() && isQuiet(world))).toBe(true);
    world.runFor(10_000);
    expectEqual(world);
    for (const side of SIDES) {
      expect(world.endpoints[side].view().paths.every(({ state }) => state === "active")).toBe(true);
      for (const kind of ["restarted", "down", "path"] as const)
        seen[kind] += world.actions(side, kind).length;
    }
  });

  test("have all happened", () => {
    for (const [kind, times] of Object.entries(seen)) expect([kind, times > 40]).toEqual([kind, true]);
  });
});

describe("news are in order", () => {
  test("up, then restarted as often as it happens, then down; messages only in between", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const world = new World({ seed, faults: { loss: 0.1, jitterMs: 10 } });
      for (const side of SIDES) world.step(side, { kind: "connect" });
      for (let i = 0; i < 60; i++) {
        for (const side of SIDES) world.send(side, 0, 500);
        if (world.random() % 10 === 0) {
          const side = SIDES[world.random() % 2]!;
          const kinds = ["abort", "shutdown"] as const;
          world.step(side, { kind: kinds[world.random() % 2]! });
          world.runFor(500);
          world.step(side, { kind: "connect" });
        }
        world.runFor(100);
      }
      for (const side of SIDES) {
        let isUp = false;
        for (const { action } of world.seen[side]) {
          switch (action.kind) {
            case "up":
              expect(isUp).toBe(false);
              isUp = true;
              break;
            case "down":
              expect(action.wasUp).toBe(isUp);
              isUp = false;
              break;
            case "restarted":
            case "message":
            case "writable":
            case "path":
              expect(isUp).toBe(true);
          }
        }
      }
    }
  });
});
