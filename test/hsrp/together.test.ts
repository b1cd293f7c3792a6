/** Tracking, and groups that change roles together. */
import { describe, expect, test } from "vitest";
import { Random } from "../model/random.js";
import { INSIDE, OUTSIDE, oneLan, optionsFor, twoLans, World } from "./world.js";

const ON = "GigabitEthernet0/0";

describe("tracking", () => {
  const priorityOf = (world: World) => world.view("A").priority;

  test("takes the decrement of each object that is down, 10 unless configured, never below 0", () => {
    const lines = [
      "standby 1 priority 50",
      "standby 1 track Serial0/0",
      "standby 1 track 5 decrement 20",
      "standby 1 track 6 30",
    ];
    const world = oneLan({ A: lines }).boot("A").run(20_000);
    expect(priorityOf(world)).toBe(50);
    expect(world.view("A").tracks).toEqual([
      { object: "Serial0/0", isUp: true, decrement: 10, isShutdown: false },
      { object: "5", isUp: true, decrement: 20, isShutdown: false },
      { object: "6", isUp: true, decrement: 30, isShutdown: false },
    ]);
    expect(priorityOf(world.link("A", "Serial0/0", false))).toBe(40);
    expect(priorityOf(world.link("A", "5", false))).toBe(20);
    expect(priorityOf(world.link("A", "6", false))).toBe(0);
    expect(priorityOf(world.link("A", "5", true))).toBe(10);
    expect(priorityOf(world.link("A", "6", true).link("A", "Serial0/0", true))).toBe(50);
    expect(world.view("A").configuredPriority).toBe(50);
  });

  test("tells a new priority at once", () => {
    const world = oneLan({ A: ["standby 1 track 5"] })
      .boot("A")
      .run(20_400);
    const nowMs = world.nowMs;
    world.link("A", "5", false);
    expect(world.actions("send", nowMs).map(({ action }) => action.payload[5])).toEqual([90]);
    // The same again is nothing new; nor is an object that nobody tracks.
    world.link("A", "5", false).link("A", "Serial9/9", false);
    expect(world.actions("send", nowMs)).toHaveLength(1);
  });

  test("an interface of this router without an address counts as down", () => {
    const text = [
      "interface Serial0/0",
      " no ip address",
      `interface ${ON}`,
      " ip address 10.0.0.1 255.255.255.0",
      " standby 1 ip 10.0.0.3",
      " standby 1 track Serial0/0",
    ];
    const world = new World({ A: optionsFor(text.join("\n")) }, []).boot("A");
    expect(priorityOf(world)).toBe(90);
    expect(priorityOf(world.link("A", "Serial0/0", true))).toBe(90);
  });

  test("shutdown keeps the group in Init while the object is down", () => {
    const world = oneLan({ both: ["standby 1 track 5 shutdown"] })
      .boot("A")
      .run(20_000)
      .boot("B")
      .run(20_500);
    const nowMs = world.nowMs;
    world.link("A", "5", false).run(2);
    expect(world.states()).toBe("A:initial B:active");
    expect(world.view("A").stateText).toBe("Init (tracked object down)");
    expect(world.sent("A", "resign", nowMs)).toEqual([nowMs]);
    world.link("A", "5", true);
    expect(world.state("A")).toBe("listen");
  });

  test("of one direction, without a tie, works as in IOS: the other one preempts", () => {
    const world = oneLan({ A: ["standby 1 track 5"], both: ["standby 1 preempt"] });
    world.boot("A").run(20_000).boot("B").run(20_500);
    const nowMs = world.nowMs;
    world.link("A", "5", false).run(5);
    expect(
      world
        .story(nowMs)
        .split("\n")
        .map((line) => line.replace(/^\d+ /, "")),
    ).toEqual([
      "B 1 standby>active h/Hello rcvd from lower pri Active router, preempting (90/10.0.0.1)",
      "A 1 active>speak j/Coup rcvd from higher pri router (100/10.0.0.2)",
    ]);
    world.link("A", "5", true).run(60_000);
    expect(world.states()).toBe("A:standby B:active");
  });
});

/** A is Active inside and outside since long, B stands by. */
function pair(lines: Parameters<typeof twoLans>[0] = {}): { world: World; startMs: number } {
  const world = twoLans(lines).boot("A").run(20_000).boot("B").run(40_500);
  expect(world.states()).toBe("A:active,active B:standby,standby");
  return { world, startMs: world.nowMs };
}

/** When each group got its owner, counted from a time. */
function taken(world: World, name: string, sinceMs: number): Record<string, number> {
  const all = world.actions("own", sinceMs).filter(({ router }) => router === name);
  return Object.fromEntries(all.map(({ atMs, action }) => [action.key, atMs - sinceMs]));
}

describe("two groups that track each other's interface", () => {
  test("are tied; the first by its name leads, or the one of the failover scheme", () => {
    expect(pair().world.view("A", 1).tie).toEqual(["IN", "OUT"]);
    const { options } = twoLans().router("A");
    const led = new World({ A: { ...options, leader: "OUT" } }, []);
    expect(led.view("A").tie).toEqual(["OUT", "IN"]);
    const alone = twoLans({ inside: [], outside: ["no standby 2 track GigabitEthernet0/0"] });
    expect(alone.view("A").tie).toEqual(["IN"]);
  });

  test.each([
    ["inside", INSIDE, "OUT", "IN"],
    ["outside", OUTSIDE, "IN", "OUT"],
  ])(
    "the %s link of the Active router fails: both groups move (threat D06)",
    (_name, failed, soon, later) => {
      const { world, startMs } = pair();
      world.link("A", failed, false).run(5000);
      const at = taken(world, "B", startMs);
      // The sound side is handed over at once; on the dead one silence tells.
      expect(at[soon]).toBe(1);
      expect(at[later]!).toBeLessThanOrEqual(3001);
      expect(world.actions("disown", startMs).map(({ router, atMs }) => [router, atMs - startMs])).toEqual([
        ["A", 0],
        ["A", 0],
      ]);
      expect(world.run(60_000).states()).toBe(
        failed === INSIDE ? "A:initial,standby B:active,active" : "A:standby,initial B:active,active",
      );
    },
  );

  test.each(["inside", "outside"] as const)(
    "so they do without preemption, when the %s link fails",
    (side) => {
      const { world, startMs } = pair({ inside: [], outside: [] });
      world.link("A", side === "inside" ? INSIDE : OUTSIDE, false).run(5000);
      expect(Object.keys(taken(world, "B", startMs)).sort()).toEqual(["IN", "OUT"]);
    },
  );

  test("both links of the Active router fail", () => {
    const { world, startMs } = pair();
    world.link("A", INSIDE, false).link("A", OUTSIDE, false).run(5000);
    const at = taken(world, "B", startMs);
    expect(at.IN!).toBeLessThanOrEqual(3001);
    expect(at.OUT!).toBeLessThanOrEqual(3001);
  });

  test("told over the synchronisation link, both move within milliseconds", () => {
    const { world, startMs } = pair();
    world.synchronise(2).run(100);
    const cutMs = world.nowMs;
    expect(cutMs - startMs).toBe(100);
    world.link("A", OUTSIDE, false).run(5000);
    // The resignation contradicts what the link last told, so both wait for its word.
    expect(taken(world, "B", cutMs)).toEqual({ IN: 2, OUT: 2 });
  });

  test("one has just started again when the other takes over: it follows at once where the peer says that nobody is Active", () => {
    const { world } = pair();
    world.synchronise(2).run(100).link("B", OUTSIDE, false).run(10).link("B", OUTSIDE, true);
    expect(world.states()).toBe("A:active,active B:standby,listen");
    const stoppedMs = world.nowMs;
    world.input("A", { kind: "stop" }).run(5000);
    expect(taken(world, "B", stoppedMs)).toEqual({ IN: 2, OUT: 2 });
  });

  test("the same without a word of the peer: silence has to tell", () => {
    const { world } = pair();
    world.run(100).link("B", OUTSIDE, false).run(10).link("B", OUTSIDE, true);
    const stoppedMs = world.nowMs;
    world.input("A", { kind: "stop" }).run(10_000);
    expect(taken(world, "B", stoppedMs).IN).toBe(1);
    expect(taken(world, "B", stoppedMs).OUT).toBeGreaterThan(3000);
  });

  test("fails within a hold time of the last change of roles: what is handed over waits until it is over", () => {
    // A's hold times are longer, so that B stands by again before A's is over.
    const world = twoLans({ A: ["standby 1 timers 1 10", "standby 2 timers 1 10"] })
      .boot("B")
      .run(20_000);
    world.boot("A").run(60_500).input("B", { kind: "release" }).run(6000);
    expect(world.states()).toBe("A:active,active B:standby,standby");
    const takenMs = world.changes("A").at(-1)![0];
    world.link("A", OUTSIDE, false).run(10_000);
    expect(taken(world, "B", takenMs).IN).toBe(10_001);
  });

  test("are handed over together, and taken back together when the other router fails in one", () => {
    const { world } = pair();
    world.input("A", { kind: "release" }).run(20_000);
    expect(world.states()).toBe("A:standby,standby B:active,active");
    world.link("B", INSIDE, false).run(20_000);
    expect(world.states()).toBe("A:active,active B:initial,standby");
  });

  test("the link returns: nothing moves back, the router stands by on both sides", () => {
    const { world } = pair();
    world.link("A", OUTSIDE, false).run(20_000);
    const backMs = world.nowMs;
    world.link("A", OUTSIDE, true).run(60_000);
    expect(world.states()).toBe("A:standby,standby B:active,active");
    expect(world.changes("B", backMs)).toEqual([]);
  });

  test("links of both routers fail on the same side: the owner stays, there is nothing to gain", () => {
    const { world, startMs } = pair();
    world.link("B", OUTSIDE, false).run(5000).link("A", OUTSIDE, false).run(600_000);
    expect(world.states()).toBe("A:active,initial B:standby,initial");
    expect(world.changes("A", startMs)).toHaveLength(1);
    world.link("B", OUTSIDE, true).run(30_000);
    expect(world.states()).toBe("A:standby,initial B:active,active");
  });

  test("links fail crosswise: each keeps what it can reach, without an end of changes", () => {
    const { world } = pair();
    world.link("A", OUTSIDE, false).link("B", INSIDE, false).run(20_000);
    expect(world.states()).toBe("A:active,initial B:initial,active");
    const calmMs = world.nowMs;
    expect(world.run(600_000).story(calmMs)).toBe("");
  });

  test("a higher priority preempts on both sides, in one round trip", () => {
    const world = twoLans({ B: ["standby 1 priority 110", "standby 2 priority 110"] });
    world.boot("A").run(20_000).boot("B").run(3000);
    expect(world.states()).toBe("A:speak,speak B:active,active");
    const at = taken(world, "B", 20_000);
    expect(Math.abs(at.IN! - at.OUT!)).toBeLessThanOrEqual(1);
  });

  test("priorities that pull apart split nothing: the leader decides, and does not preempt", () => {
    const world = twoLans({ A: ["standby 1 priority 110"], B: ["standby 2 priority 110"] });
    world.boot("A", "B").run(60_000);
    expect(world.states()).toBe("A:active,active B:standby,standby");
    const calmMs = world.nowMs;
    expect(world.run(600_000).story(calmMs)).toBe("");
    // A would win inside, but not outside: it lets B have both.
    world.crash("A").run(20_000).boot("A").run(600_000);
    expect(world.states()).toBe("A:standby,standby B:active,active");
  });

  test("one router has the leader, the other the follower: the owner of the leader gets both", () => {
    // The outside LAN is parted from the start, then whole.
    const world = twoLans().part(1).boot("A", "B").run(20_000);
    expect(world.states()).toBe("A:standby,active B:active,active");
    const healedMs = world.nowMs;
    world.part(1, false).run(10_000);
    expect(world.states()).toBe("A:standby,standby B:active,active");
    // A follower without its leader tells priority 0.
    const told = world
      .actions("send", healedMs - 1000)
      .filter(({ router, action }) => router === "A" && action.interface === OUTSIDE);
    expect(told[0]!.action.payload[5]).toBe(0);
  });

  test("the inside LAN is parted and heals: the loser inside gives up outside too", () => {
    const { world } = pair();
    world.part(0).run(20_000);
    expect(world.states()).toBe("A:active,active B:active,standby");
    const healedMs = world.nowMs;
    world.part(0, false).run(3000);
    // B has the higher address inside.
    expect(world.states()).toMatch(/^A:\w+,\w+ B:active,active$/);
    expect(taken(world, "B", healedMs).OUT!).toBeLessThanOrEqual(1010);
  });
});

describe("links that flap (threat D07)", () => {
  const HOLD_MS = 3000;

  /** Changes of the Active router of each group, over both routers. */
  function takeovers(world: World, sinceMs: number, key: string): number[] {
    return world
      .actions("own", sinceMs)
      .filter(({ action }) => action.key === key)
      .map(({ atMs }) => atMs);
  }

  const PERIODS = [50, 700, 2500, 4000, 7500, 9000, 20_000];

  test.each(PERIODS)(
    "every %i ms, of a router that preempts: one change in a hold time, and ever fewer",
    (periodMs) => {
      const world = twoLans({ A: ["standby 1 priority 105", "standby 2 priority 105"] });
      world.boot("A").run(20_000).boot("B").run(20_500);
      const startMs = world.nowMs;
      for (let i = 0; world.nowMs - startMs < 600_000; i++)
        world.link("A", OUTSIDE, i % 2 === 1).run(periodMs);
      for (const key of ["IN", "OUT"]) {
        const times = takeovers(world, startMs, key);
        const gaps = times.slice(1).map((atMs, i) => atMs - times[i]!);
        expect(Math.min(...gaps, Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(HOLD_MS);
        // Each wait is twice the one before, up to 64 hold times: there and back at most once in each.
        expect(times.length).toBeLessThanOrEqual(20);
      }
      // When the link stays, so do the roles: preemption comes once more, after the longest wait at most.
      world.link("A", OUTSIDE, true).run(64 * HOLD_MS + 20_000);
      expect(world.states()).toBe("A:active,active B:standby,standby");
      const calmMs = world.nowMs;
      expect(world.run(600_000).story(calmMs)).toBe("");
    },
  );

  test("that are worth no hand-over, by a mistake in the decrements: one change in a hold time all the same", () => {
    // 110 less 10 is not below 100: A keeps the inside, and the outside whenever it can.
    const world = twoLans({ A: ["standby 1 priority 110", "standby 2 priority 110"] });
    world.boot("A").run(20_000).boot("B").run(20_500);
    const startMs = world.nowMs;
    for (let i = 0; world.nowMs - startMs < 600_000; i++) world.link("A", OUTSIDE, i % 2 === 1).run(700);
    expect(takeovers(world, startMs, "IN")).toEqual([]);
    const times = takeovers(world, startMs, "OUT");
    const gaps = times.slice(1).map((atMs, i) => atMs - times[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(HOLD_MS);
  });

  test("at random, of both routers: the same, and both groups have one owner afterwards", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const world = twoLans().boot("A", "B").run(30_000);
      for (let i = 0; i < 60; i++) {
        world
          .link(random.pick(["A", "B"]), random.pick([INSIDE, OUTSIDE]), random.chance(0.5))
          .run(random.int(6000));
      }
      for (const name of ["A", "B"]) for (const on of [INSIDE, OUTSIDE]) world.link(name, on, true);
      world.run(30_000);
      expect(["A:active,active B:standby,standby", "A:standby,standby B:active,active"]).toContain(
        world.states(),
      );
    }
  });
});
