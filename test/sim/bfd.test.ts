/** BFD between the boxes: the death of a peer is noticed within the detection time, and nothing else is taken for it. */
import { afterEach, describe, expect, test } from "vitest";
import { TRUST_MS } from "../../src/bfd/session.js";
import { BOX_NAMES, type BoxName } from "../../src/pair/world.js";
import type { Simulation } from "./simulation.js";
import { answersOf, lastTakeover, rolesOf, running, silentSince, until } from "./story.js";
import { HSRP_LANS, INSIDE, OUTSIDE, PLAIN, SYNC_LINKS, type Variant } from "./variant.js";

const FOR_EVER_MS = 1e9;
const ANSWER_MS = 1600;
const BFD = { intervalMs: 5, multiplier: 3 };
/** Required of a pair with BFD every 5 ms. */
const TAKEOVER_MS = 20;
const NETWORKS = [...HSRP_LANS, ...SYNC_LINKS];
/** Hold times that would be waited for without BFD. */
const { holdMs } = PLAIN;

let current: Simulation | undefined;
afterEach(() => current?.release());
const pair = (variant: Partial<Variant> = {}): Simulation => {
  current = running({ bfd: BFD, ...variant });
  return current;
};
const bfdOf = ({ world }: Simulation, box: BoxName) => world.node(box)!.bfd;
const sessionsOf = (simulation: Simulation, box: BoxName) =>
  bfdOf(simulation, box).views(simulation.world.nowMs);
/** Lines at the end of both configurations. */
const both = (lines: string): Partial<Variant> => ({ extra: { A: lines, B: lines } });

test("there is a session on every network between the boxes, and all are up", () => {
  const simulation = pair();
  for (const box of BOX_NAMES) {
    const views = sessionsOf(simulation, box);
    expect(views.map((view) => view.interface).sort()).toEqual([...NETWORKS].sort());
    for (const view of views) expect(view).toMatchObject({ state: "up", liveness: "alive", detectionMs: 15 });
  }
});

describe("the active dies", () => {
  test.each<[string, Partial<Variant>]>([
    ["plain", {}],
    ["with deferred first replies", { isDeferring: true }],
    ["without keys", { isKeyed: false }],
    ["HSRP version 1, without preemption", { version: 1, isPreempting: false }],
    ["every 3 ms", { bfd: { intervalMs: 3, multiplier: 3 } }],
  ])(
    "the standby forwards after less than 20 ms, hot, and no conversation is lost (%s)",
    (_name, variant) => {
      const simulation = pair(variant);
      const { standby } = rolesOf(simulation);
      const before = answersOf(simulation);
      const atMs = simulation.world.nowMs;
      simulation.inject({ kind: "crash", box: "active", forMs: FOR_EVER_MS }).run(TAKEOVER_MS);
      expect(lastTakeover(simulation)).toMatchObject({ box: standby, takeover: "hot" });
      expect(lastTakeover(simulation).atMs - atMs).toBeLessThan(TAKEOVER_MS);
      for (const lan of HSRP_LANS)
        expect(simulation.watch.roles.seen[standby].groups.get(lan)).toBe("active");
      const { view } = simulation.world.node(standby)!.redundancy;
      expect(view).toMatchObject({ machine: "active", lastReason: "activeUnitFailed" });
      // Straight from STANDBY HOT.
      expect(view.history.slice(-2).map(({ own }) => own)).not.toContain("negotiation");
      simulation.run(ANSWER_MS);
      expect(silentSince(simulation, before)).toEqual([]);
    },
  );

  test("whenever it dies: the worst of many moments", () => {
    const tookMs: number[] = [];
    for (let i = 0; i < 12; i++) {
      const simulation = pair();
      simulation.run(1.7 * i);
      const atMs = simulation.world.nowMs;
      simulation.inject({ kind: "crash", box: "active", forMs: FOR_EVER_MS }).run(2 * TAKEOVER_MS);
      tookMs.push(lastTakeover(simulation).atMs - atMs);
      simulation.release();
    }
    expect(Math.max(...tookMs)).toBeLessThan(TAKEOVER_MS);
    expect(Math.min(...tookMs)).toBeGreaterThan(2 * BFD.intervalMs - 1);
  });

  test("again and again, each side in turn, no sooner than roles may change", () => {
    const simulation = pair({ isPreempting: false });
    for (let i = 0; i < 6; i++) {
      const { active } = rolesOf(simulation);
      const before = answersOf(simulation);
      const atMs = simulation.world.nowMs;
      simulation.inject({ kind: "crash", box: "active", forMs: 2 * holdMs }).run(TAKEOVER_MS);
      expect(rolesOf(simulation).standby).toBe(active);
      expect(lastTakeover(simulation).atMs - atMs).toBeLessThan(TAKEOVER_MS);
      simulation.run(ANSWER_MS).settle().run(TRUST_MS);
      expect(silentSince(simulation, before)).toEqual([]);
    }
  });
});

test("the standby dies: the active no longer waits for it, and gives the association up", () => {
  const simulation = pair({ isDeferring: true });
  const { active } = rolesOf(simulation);
  const changes = simulation.watch.roles.changes;
  const before = answersOf(simulation);
  const node = simulation.world.node(active)!;
  simulation.inject({ kind: "crash", box: "standby", forMs: FOR_EVER_MS }).run(TAKEOVER_MS);
  expect(node.redundancy.view).toMatchObject({ mode: "Simplex", bulk: { isServed: false } });
  const { givenUp } = { givenUp: node.deferCounters };
  simulation.run(ANSWER_MS);
  expect(node.deferCounters).toEqual(givenUp);
  expect(silentSince(simulation, before)).toEqual([]);
  expect(simulation.watch.roles.changes).toBe(changes);
});

describe("a path is cut, and the peer is alive on another one", () => {
  const CASES: readonly (readonly [string, readonly string[]])[] = [
    ["inside", [INSIDE]],
    ["outside", [OUTSIDE]],
    ["one link of the association", [SYNC_LINKS[0]]],
    ["the association", SYNC_LINKS],
    ["all but one LAN", [INSIDE, ...SYNC_LINKS]],
  ];
  test.each(CASES)("%s: no role changes before HSRP has waited out its hold time", (_name, networks) => {
    const simulation = pair();
    const changes = simulation.watch.roles.changes;
    const { active } = rolesOf(simulation);
    simulation.inject({ kind: "cut", networks, from: undefined, forMs: FOR_EVER_MS });
    simulation.run(holdMs / 2);
    for (const box of BOX_NAMES)
      for (const view of sessionsOf(simulation, box))
        expect(view.liveness).toBe(networks.includes(view.interface) ? "silent" : "alive");
    expect(simulation.watch.roles.changes).toBe(changes);
    expect(rolesOf(simulation).active).toBe(active);
    simulation.mend().settle().quiet().compare();
  });

  test("for longer than all other timers, where HSRP is heard elsewhere: the association alone", () => {
    const simulation = pair();
    const changes = simulation.watch.roles.changes;
    simulation.inject({ kind: "cut", networks: SYNC_LINKS, from: undefined, forMs: 5000 }).run(5000);
    expect(simulation.watch.roles.changes).toBe(changes);
  });
});

const SLOW_MS = 1000;

test("all paths are cut: both are active, as documented, and one is when they heal", () => {
  const simulation = pair();
  simulation.inject({ kind: "cut", networks: NETWORKS, from: undefined, forMs: holdMs }).run(TAKEOVER_MS);
  expect(simulation.world.actives().sort()).toEqual([...BOX_NAMES]);
  simulation.run(holdMs).mend().settle();
  expect(simulation.world.actives()).toHaveLength(1);
  // A session that is down sends once in a second (RFC 5880 section 6.8.3).
  simulation.run(3 * SLOW_MS);
  for (const box of BOX_NAMES)
    for (const view of sessionsOf(simulation, box)) expect(view).toMatchObject({ state: "up" });
  simulation.quiet().compare();
});

describe("a path that BFD does not watch", () => {
  test.each([
    ["a LAN: its hold time is waited for", `interface ${OUTSIDE}\n no bfd interval\n`, holdMs / 2],
    [
      "a link of the association: its silence is waited for",
      `interface ${SYNC_LINKS[0]}\n no bfd interval\n`,
      // The hold time of HSRP is shorter than that.
      holdMs / 2,
    ],
    ["HSRP with standby bfd switched off", "no standby bfd all-interfaces\n", holdMs / 2],
  ])("%s", (_name, lines, sparedMs) => {
    const simulation = pair(both(lines));
    const changes = simulation.watch.roles.changes;
    simulation.inject({ kind: "crash", box: "active", forMs: FOR_EVER_MS }).run(sparedMs);
    expect(simulation.watch.roles.changes).toBe(changes + 1);
    expect(simulation.world.actives()).toEqual([]);
    until(simulation, () => simulation.world.actives().length === 1, 2 * holdMs);
  });
});

describe("a box that stands still", () => {
  test.each([
    ["the standby", "standby", 10],
    ["the standby", "standby", 200],
    ["the standby", "standby", 2000],
  ] as const)("%s does not take the active for dead when it wakes (%s, %i ms)", (_name, box, forMs) => {
    const simulation = pair();
    const changes = simulation.watch.roles.changes;
    const before = answersOf(simulation);
    const { active } = rolesOf(simulation);
    simulation
      .inject({ kind: "hang", box, forMs })
      .run(forMs + ANSWER_MS)
      .settle();
    expect(simulation.watch.roles.changes).toBe(changes);
    expect(rolesOf(simulation).active).toBe(active);
    expect(silentSince(simulation, before)).toEqual([]);
    simulation.quiet().compare();
  });

  test("the active, too briefly for the peer: it asks, and goes on", () => {
    const simulation = pair();
    const { active } = rolesOf(simulation);
    const { takeovers } = simulation.watch.roles;
    const count = takeovers.length;
    simulation.inject({ kind: "hang", box: "active", forMs: 9.5 }).run(ANSWER_MS);
    expect(rolesOf(simulation).active).toBe(active);
    expect(takeovers.slice(count).every(({ takeover }) => takeover === undefined)).toBe(true);
  });

  test.each([30, 50, 80, 120, 200, 1000])(
    "the active, for %i ms: the standby takes over, and it starts clean",
    (forMs) => {
      const simulation = pair({ isPreempting: false });
      const { active, standby } = rolesOf(simulation);
      const before = answersOf(simulation);
      simulation.inject({ kind: "hang", box: "active", forMs }).run(TAKEOVER_MS);
      expect(lastTakeover(simulation)).toMatchObject({ box: standby, takeover: "hot" });
      // It forwards nothing when it wakes before it knows: `standby-silent` and `one-active` see to that.
      simulation.run(forMs + ANSWER_MS).settle();
      expect(rolesOf(simulation)).toEqual({ active: standby, standby: active });
      expect(silentSince(simulation, before)).toEqual([]);
      simulation.quiet().compare();
    },
  );
});

test("an orderly stop is no death: HSRP hands over, and nothing is lost", () => {
  const simulation = pair();
  const { standby } = rolesOf(simulation);
  const before = answersOf(simulation);
  simulation.inject({ kind: "stop", box: "active", forMs: FOR_EVER_MS }).run(ANSWER_MS);
  expect(rolesOf(simulation).active).toBe(standby);
  for (const view of sessionsOf(simulation, standby)) expect(view.liveness).toBe("unknown");
  expect(silentSince(simulation, before)).toEqual([]);
});

test("a planned switchover is as it was", () => {
  const simulation = pair();
  const { active, standby } = rolesOf(simulation);
  simulation
    .run(2 * holdMs)
    .inject({ kind: "switchover", isForced: false })
    .run(2 * holdMs)
    .settle();
  expect(rolesOf(simulation)).toEqual({ active: standby, standby: active });
  for (const box of BOX_NAMES) for (const view of sessionsOf(simulation, box)) expect(view.downs).toBe(0);
});
