/**
 * Two boxes with HSRP and redundancy against every fault, from seeds. `SEEDS=FROM-TO` runs others than those below; the
 * name of a test that fails has its seed.
 */
import { describe, expect, test } from "vitest";
import { otherSide, type Side, SIDES } from "./pair.js";
import { HOLD_MS, type Lan, World } from "./world.js";

const INSIDE: Lan = "GigabitEthernet0/0";
const OUTSIDE: Lan = "GigabitEthernet0/1";
const KEY = "a-shared-key";
/** Both boxes start, HSRP elects one, the other becomes hot. */
const SETTLE_MS = 12_000;
/** After a heal: one active within two hold times; hot when the association is back and a copy has come. */
const ONE_ACTIVE_MS = 2 * HOLD_MS + 2000;
const QUIET_MS = 30_000;

function settled(
  seed: number,
  options: ConstructorParameters<typeof World>[1] = {},
): { world: World; active: Side; standby: Side } {
  const world = new World(seed, { key: KEY, ...options }).startBoth().traffic(50).run(SETTLE_MS);
  const [active] = world.actives();
  if (active === undefined || world.actives().length > 1) throw new Error("no single active");
  expect(world.view(otherSide(active.side)).machine).toBe("hot");
  return { world, active: active.side, standby: otherSide(active.side) };
}

/** Nobody opens connections any more; what is under way arrives. */
function expectQuiet(world: World): void {
  world.stopTraffic().run(200);
  expect(world.isQuiet()).toBe(true);
}

test("a bulk sync is shown while it is under way, and not when the standby is hot", () => {
  const world = new World(1, { key: KEY }).startBoth();
  const seen = new Set<string>();
  for (let ms = 0; ms < SETTLE_MS; ms++) {
    world.run(1);
    for (const side of SIDES) {
      const { machine, bulk, own, peer } = world.view(side);
      if (bulk.isTaken) seen.add(`takes as ${machine}`);
      if (bulk.isServed) seen.add(`serves as ${own.name} to ${peer.name}`);
    }
  }
  expect([...seen].filter((each) => each.startsWith("takes"))).toEqual(["takes as coldBulk"]);
  expect(seen).toContain("serves as ACTIVE to STANDBY COLD-BULK");
  expect([...seen].filter((each) => each.endsWith("HOT"))).toEqual([]);
  expect(SIDES.map((side) => world.view(side).machine).sort()).toEqual(["active", "hot"]);
  expect(SIDES.map((side) => world.view(side).bulk)).toMatchObject([
    { number: 1, isTaken: false, isServed: false },
    { number: 1, isTaken: false, isServed: false },
  ]);
});

describe("the active", () => {
  test("crashes: the standby has every session, within the hold time", () => {
    const { world, active, standby } = settled(1);
    const before = new Set(world.boxes[active].sessions);
    const atMs = world.nowMs;
    world.crash(active).run(HOLD_MS + 250);
    const [takeover] = world.boxes[standby].takeovers;
    expect(takeover).toMatchObject({ takeover: "hot", generation: 2 });
    expect(takeover!.atMs - atMs).toBeLessThanOrEqual(HOLD_MS + 250);
    // The last one or two may not have left.
    const lost = [...before].filter((session) => !world.boxes[standby].sessions.has(session));
    expect(lost.length).toBeLessThanOrEqual(1);
    world.start(active).run(QUIET_MS);
    expect(world.actives().map(({ side }) => side)).toEqual([standby]);
    expectQuiet(world);
  });

  test("freezes for longer than the hold time: it stops before it forwards again", () => {
    for (const forMs of [3500, 5000, 20_000]) {
      const { world, active, standby } = settled(2);
      world.freeze(active, forMs).run(forMs + 1);
      expect(world.boxes[active].role).not.toBe("active");
      world.run(QUIET_MS);
      expect(world.actives().map(({ side }) => side)).toEqual([standby]);
      expect(world.longestTwoActiveMs).toBeLessThan(50);
      expectQuiet(world);
    }
  });

  test("freezes for less: roles stay as they are", () => {
    const { world, active } = settled(3);
    world.freeze(active, 1500).run(QUIET_MS);
    expect(world.actives().map(({ side }) => side)).toEqual([active]);
    expectQuiet(world);
  });

  test.each([[INSIDE], [OUTSIDE]])("loses its port %s: both groups move", (lan) => {
    const { world, active, standby } = settled(4);
    world.setPort(active, lan, false).run(ONE_ACTIVE_MS);
    expect(world.actives().map(({ side }) => side)).toEqual([standby]);
    expect(world.boxes[standby].hsrp.report().active).toEqual(["INSIDE", "OUTSIDE"]);
    expect(world.boxes[standby].takeovers.at(-1)?.takeover).toBe("hot");
    world.setPort(active, lan, true).run(QUIET_MS);
    expect(world.actives().map(({ side }) => side)).toEqual([standby]);
    expectQuiet(world);
  });

  test("fails in its core: the standby takes over at once", () => {
    const { world, active, standby } = settled(5);
    world.run(HOLD_MS);
    world.trap(active).run(1000);
    expect(world.actives().map(({ side }) => side)).toEqual([standby]);
    expect(world.boxes[standby].takeovers.at(-1)?.takeover).toBe("hot");
    world.run(QUIET_MS);
    expectQuiet(world);
  });
});

describe("the standby", () => {
  test("crashes or freezes: the active goes on, and a whole copy follows", () => {
    for (const fault of ["crash", "freeze"] as const) {
      const { world, active, standby } = settled(6);
      if (fault === "crash") world.crash(standby).run(8000).start(standby);
      else world.freeze(standby, 8000);
      world.run(QUIET_MS);
      expect(world.boxes[active].takeovers).toHaveLength(1);
      expect(world.view(standby).counters.events.bulkCompleted).toBeGreaterThanOrEqual(1);
      expectQuiet(world);
    }
  });

  test("starts while the active dies: it has what had arrived, and says so", () => {
    const kinds = new Set<string>();
    for (let seed = 100; seed < 130; seed++) {
      const { world, active, standby } = settled(seed);
      world.crash(standby).run(5000).start(standby);
      world
        .run(80 + world.below(60))
        .crash(active)
        .run(20_000);
      const [takeover] = world.boxes[standby].takeovers;
      kinds.add(takeover!.takeover);
      if (takeover!.takeover === "cold") expect(takeover!.sessions).toBe(0);
    }
    expect([...kinds].sort()).toEqual(["cold", "hot", "partial"]);
  });
});

describe("links", () => {
  test.each([
    ["both ways", ["a", "b"]],
    ["one way", ["a"]],
    ["the other way", ["b"]],
  ] as const)(
    "the synchronisation link is cut %s: no change of roles; a copy when it is whole",
    (_name, cut) => {
      const { world, active } = settled(7);
      for (const side of cut) world.cutLink.add(side);
      world.run(3000);
      for (const side of SIDES) expect(world.view(side).outOfSyncReason).toBeDefined();
      world.run(30_000);
      expect(world.actives().map(({ side }) => side)).toEqual([active]);
      world.cutLink.clear();
      world.run(QUIET_MS);
      expect(world.actives().map(({ side }) => side)).toEqual([active]);
      expectQuiet(world);
    },
  );

  test("the LANs are cut, the link is whole: one active, and no endless changes", () => {
    const { world, standby } = settled(8);
    world.cutLans.add(INSIDE).add(OUTSIDE);
    world.run(120_000);
    // The standby cannot know that the active still serves somebody; it takes over once.
    expect(world.actives().map(({ side }) => side)).toEqual([standby]);
    const changes = SIDES.flatMap((side) => world.boxes[side].takeovers).length;
    expect(changes).toBe(2);
    world.heal().run(QUIET_MS);
    expectQuiet(world);
  });

  test("every path is cut, and healed: one active within two hold times", () => {
    for (const seed of [9, 10, 11, 12]) {
      const { world } = settled(seed);
      for (const side of SIDES) world.cutLink.add(side);
      world.cutLans.add(INSIDE).add(OUTSIDE);
      world.run(20_000);
      expect(world.actives()).toHaveLength(2);
      world.heal().run(ONE_ACTIVE_MS);
      expect(world.actives()).toHaveLength(1);
      world.run(QUIET_MS);
      expectQuiet(world);
    }
  });

  test("an inside link that flaps changes roles at most once per hold time", () => {
    const { world, active } = settled(13);
    for (let i = 0; i < 40; i++) world.setPort(active, INSIDE, i % 2 === 1).run(700);
    const changes = SIDES.flatMap((side) => world.boxes[side].takeovers.map(({ atMs }) => atMs)).sort(
      (x, y) => x - y,
    );
    for (let i = 1; i < changes.length; i++) expect(changes[i]! - changes[i - 1]!).toBeGreaterThan(HOLD_MS);
    world.heal().run(QUIET_MS);
    expectQuiet(world);
  });
});

test("switchovers to and fro lose no session", () => {
  for (const reloadMode of ["soft", "none"] as const) {
    const { world } = settled(14, { reloadMode });
    for (let i = 0; i < 6; i++) {
      const [active] = world.actives();
      const before = new Set(active!.sessions);
      world.operate(active!.side, { kind: "operator", command: "switchover", isForced: false }).run(500);
      const [now] = world.actives();
      expect(now!.side).toBe(otherSide(active!.side));
      for (const session of before) expect(now!.sessions.has(session)).toBe(true);
      world.run(15_000);
    }
    expect(world.switchovers).toBe(6);
    for (const side of SIDES)
      expect(world.boxes[side].replies.filter((reply) => !reply.includes("done"))).toEqual([]);
    expectQuiet(world);
  }
});

test("the same seed gives the same trace", () => {
  const trace = () => {
    const { world, active } = settled(15);
    world.freeze(active, 4000).run(3000).setPort("a", INSIDE, false).run(20_000);
    return SIDES.map(
      (side) => `${world.boxes[side].log.join("\n")} ${world.boxes[side].redundancy.fingerprint()}`,
    );
  };
  expect(trace()).toEqual(trace());
});

/** Six faults at any moment, then everything is made whole. What must always hold is checked after every event. */
function story(seed: number): { world: World; told: string[] } {
  const reloadMode = (["soft", "soft", "none"] as const)[seed % 3]!;
  const world = new World(seed, { key: KEY, reloadMode });
  const told: string[] = [];
  world.start("a").run(world.below(4000));
  world.start("b").traffic(100).run(SETTLE_MS);
  for (let i = 0; i < 6; i++) {
    const side = SIDES[world.below(2)]!;
    const lan = [INSIDE, OUTSIDE][world.below(2)]!;
    const faults: Record<string, () => void> = {
      crash: () => world.crash(side),
      start: () => !world.boxes[side].isAlive && world.start(side),
      freeze: () => world.freeze(side, 500 + world.below(9000)),
      "cut link": () => world.cutLink.add(side),
      "mend link": () => world.cutLink.clear(),
      "port down": () => world.setPort(side, lan, false),
      "port up": () => world.setPort(side, lan, true),
      "cut LAN": () => world.cutLans.add(lan),
      "mend LAN": () => world.cutLans.delete(lan),
      trap: () => world.boxes[side].isAlive && !world.boxes[side].isFrozen && world.trap(side),
      switchover: () => {
        const [active] = world.actives();
        const isForced = world.below(3) === 0;
        if (active) world.operate(active.side, { kind: "operator", command: "switchover", isForced });
      },
    };
    const names = Object.keys(faults);
    const name = names[world.below(names.length)]!;
    told.push(`${world.nowMs} ${name} ${side} ${lan}`);
    faults[name]!();
    world.run(world.below(6000));
  }
  told.push(`${world.nowMs} heal`);
  world.heal();
  return { world, told };
}

const [from, to] = (process.env.SEEDS ?? "1-30").split("-").map(Number) as [number, number];
describe("any faults", () => {
  const seeds = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  test.each(seeds)("seed %i", (seed) => {
    const { world, told } = story(seed);
    // A box that stands still when everything is whole has up to ten seconds to go.
    world.run(10_000 + ONE_ACTIVE_MS);
    const about = told.join("; ");
    expect([about, world.actives().length]).toEqual([about, 1]);
    world.run(QUIET_MS).stopTraffic().run(200);
    expect([about, world.isQuiet()]).toEqual([about, true]);
  });
});
