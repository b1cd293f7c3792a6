/** Boxes that die, freeze, trap and come back: what must happen, and in which time. */
import { afterEach, describe, expect, test } from "vitest";
import type { FlowPlan } from "./flows.js";
import { noLosses } from "./losses.js";
import type { Simulation } from "./simulation.js";
import { answersOf, lastTakeover, rolesOf, running, scenario, silentSince, TRAFFIC, until } from "./story.js";
import { Simulation as Pair } from "./simulation.js";
import { PLAIN, SYNC_LINKS, type Variant } from "./variant.js";

/** Longer than any test lets a pair live. */
const FOR_EVER_MS = 1e9;
/** A conversation has an answer in this time, repeats included. */
const ANSWER_MS = 1600;
const { holdMs, helloMs } = PLAIN;
/** From the last hello of the active to the successor's first packet: the hold time and a tick. */
const TAKEOVER_MS = holdMs + helloMs;

let current: Simulation | undefined;
afterEach(() => current?.release());
const pair = (variant?: Partial<Variant>): Simulation => {
  current = running(variant);
  return current;
};

describe("D01: the active dies", () => {
  test.each<[string, Partial<Variant>]>([
    ["plain", {}],
    ["with deferred first replies", { isDeferring: true }],
    ["with strict resynchronisation", { isStrict: true }],
    ["HSRP version 1, text authentication", { version: 1, authentication: "text" }],
    ["without preemption, without keys", { isPreempting: false, isKeyed: false }],
  ])("the standby forwards within the hold time, and every conversation lives on (%s)", (_name, variant) => {
    const simulation = pair(variant);
    const { standby } = rolesOf(simulation);
    const before = answersOf(simulation);
    expect(before.size).toBeGreaterThanOrEqual(13);
    const atMs = simulation.world.nowMs;
    simulation.inject({ kind: "crash", box: "active", forMs: FOR_EVER_MS }).run(TAKEOVER_MS);
    expect(lastTakeover(simulation)).toMatchObject({ box: standby, takeover: "hot" });
    expect(lastTakeover(simulation).atMs - atMs).toBeLessThanOrEqual(TAKEOVER_MS);
    simulation.run(ANSWER_MS);
    expect(silentSince(simulation, before)).toEqual([]);
    expect(simulation.watch.sessions.losses).toEqual(noLosses());
  });

  test("twenty times in a row, each side in turn", () => {
    const simulation = pair({ isPreempting: false });
    for (let i = 0; i < 20; i++) {
      const { active } = rolesOf(simulation);
      const before = answersOf(simulation);
      simulation.inject({ kind: "crash", box: "active", forMs: 2 * holdMs }).run(TAKEOVER_MS);
      expect(rolesOf(simulation).standby).toBe(active);
      simulation.run(ANSWER_MS).settle();
      expect(silentSince(simulation, before)).toEqual([]);
    }
    expect(simulation.watch.sessions.losses).toEqual(noLosses());
  });
});

describe("D02: the active dies while the standby joins", () => {
  const SESSIONS = 900;
  const QUERIES: readonly FlowPlan[] = Array.from({ length: SESSIONS }, (_, i) => ({
    kind: "udp",
    atMs: i / 2,
    turns: 1,
    requestBytes: 1,
    replyBytes: 1,
    thinkMs: 10,
    ending: "both",
  }));

  test("the standby takes over with what it has, and says what that is", () => {
    /** Sessions that the successor had, by what it said of them. */
    const counts = new Map<string, Set<number>>();
    for (let afterMs = 4; afterMs <= 150; afterMs += 5) {
      const simulation = new Pair(scenario());
      simulation.world.boot("A");
      simulation.networks.setNoise(SYNC_LINKS, { loss: 0, duplicate: 0, corrupt: 0, delayMs: [5, 5] });
      until(simulation, () => simulation.watch.roles.active === "A", 10 * holdMs);
      simulation.start(QUERIES).run(SESSIONS);
      simulation.world.boot("B");
      simulation.run(afterMs).inject({ kind: "crash", box: "A", forMs: FOR_EVER_MS });
      until(simulation, () => simulation.watch.roles.active === "B", 10 * holdMs);
      const { takeover } = lastTakeover(simulation);
      const { current: sessions } = simulation.world.node("B")!.dataplane.counters().sessions;
      if (takeover === "cold") expect(sessions).toBe(0);
      if (takeover === "hot") expect(sessions).toBe(SESSIONS);
      counts.set(takeover!, (counts.get(takeover!) ?? new Set()).add(sessions));
      simulation.release();
    }
    expect([...counts.keys()].sort()).toEqual(["cold", "hot", "partial"]);
    expect(counts.get("partial")!.size).toBeGreaterThan(1);
  });
});

describe("D03: the standby dies, freezes or is slow", () => {
  test.each(["crash", "hang"] as const)(
    "%s: the active drops nothing, and copies everything anew",
    (kind) => {
      const simulation = pair();
      const { active } = rolesOf(simulation);
      const before = answersOf(simulation);
      const { bulks } = simulation.world.node(active)!.sync.view;
      const changes = simulation.watch.roles.changes;
      const dropped = simulation.gate.counts.refused;
      simulation.inject({ kind, box: "standby", forMs: 10_000 }).run(12_000).settle().run(ANSWER_MS);
      expect(simulation.watch.roles.changes).toBe(changes);
      expect(simulation.gate.counts.refused).toBe(dropped);
      expect(silentSince(simulation, before)).toEqual([]);
      expect(simulation.world.node(active)!.sync.view.bulks).toBeGreaterThan(bulks);
      simulation.quiet().compare();
    },
  );

  test("slow: a link with long delays holds up nothing", () => {
    const simulation = pair();
    const dropped = simulation.gate.counts.refused;
    const noise = { loss: 0.1, duplicate: 0, corrupt: 0, delayMs: [50, 200] } as const;
    simulation.inject({ kind: "noise", networks: SYNC_LINKS, noise, forMs: 5000 });
    const before = answersOf(simulation);
    simulation.run(5000);
    expect(simulation.gate.counts.refused).toBe(dropped);
    expect(silentSince(simulation, before)).toEqual([]);
    simulation.settle().quiet().compare();
  });
});

describe("D04: the active freezes and wakes up", () => {
  test.each([
    ["before the hold time is over", holdMs / 2, true],
    ["when the successor is there", holdMs + 3 * helloMs, false],
    ["long after", 10 * holdMs, false],
  ])("%s", (_when, forMs, keepsRole) => {
    const simulation = pair({ isPreempting: false });
    const { active } = rolesOf(simulation);
    const before = answersOf(simulation);
    simulation.inject({ kind: "hang", box: "active", forMs }).run(forMs);
    // Frames that waited in the box were the first that it saw: `standby-silent` says that none of them passed.
    simulation.run(ANSWER_MS).settle();
    expect(rolesOf(simulation).active === active).toBe(keepsRole);
    expect(silentSince(simulation, before)).toEqual([]);
    simulation.quiet().compare();
  });
});

describe("D09: boxes that start again", () => {
  test("the standby in the middle of the copy, again and again", () => {
    const simulation = pair();
    const { active, standby } = rolesOf(simulation);
    const noise = { loss: 0, duplicate: 0, corrupt: 0, delayMs: [5, 5] } as const;
    simulation.networks.setNoise(SYNC_LINKS, noise);
    for (let afterMs = 1; afterMs < 120; afterMs += 7) {
      simulation.world.kill(standby);
      simulation.world.boot(standby);
      simulation.run(afterMs);
    }
    simulation.mend().settle();
    expect(rolesOf(simulation).active).toBe(active);
    simulation.quiet().compare();
  });

  test("both at once: nothing passes before there is an active, and then all begins anew", () => {
    const simulation = pair();
    for (const name of ["A", "B"] as const) simulation.world.kill(name);
    for (const name of ["A", "B"] as const) simulation.world.boot(name);
    const delivered = simulation.gate.counts.delivered;
    until(simulation, () => simulation.watch.roles.active !== undefined, 3 * holdMs);
    expect(simulation.gate.counts.delivered).toBe(delivered);
    expect(lastTakeover(simulation)).toMatchObject({ takeover: "cold" });
    simulation.settle().run(ANSWER_MS).quiet().compare();
  });
});

describe("D10: the core traps", () => {
  test("the box gives the role up at once and comes back with the sessions of its peer", () => {
    const simulation = pair();
    const { active, standby } = rolesOf(simulation);
    const node = simulation.world.node(active)!;
    const trapped = node.dataplane;
    const before = answersOf(simulation);
    trapped.process = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    const leftMs = until(simulation, () => simulation.watch.roles.seen[active].role !== "active", 1000);
    expect(leftMs).toBeLessThan(1000);
    expect(node.dataplane).not.toBe(trapped);
    expect(node.dataplane.counters().sessions.created).toBe(0);
    simulation.run(ANSWER_MS).settle();
    expect(rolesOf(simulation).active).toBe(standby);
    expect(silentSince(simulation, before)).toEqual([]);
    simulation.quiet().compare();
  });

  test("a box that has nothing to go on with ends its process", () => {
    const simulation = pair({ reloadMode: "exit" });
    const { active, standby } = rolesOf(simulation);
    simulation.inject({ kind: "trap", box: "active" }).run(ANSWER_MS).settle();
    expect(rolesOf(simulation).active).toBe(standby);
    expect(simulation.world.status(active)).toBe("running");
  });

  test("traffic begins again after a trap of a box that is alone", () => {
    const simulation = pair();
    simulation.inject({ kind: "crash", box: "standby", forMs: FOR_EVER_MS });
    simulation.inject({ kind: "trap", box: "active" });
    until(simulation, () => simulation.watch.roles.active !== undefined, 4 * holdMs);
    const before = new Map(simulation.flows.map(({ name, answers }) => [name, answers]));
    simulation.start(TRAFFIC).run(ANSWER_MS);
    const fresh = simulation.flows.slice(TRAFFIC.length).filter(({ answers }) => answers > 0);
    expect(before.size).toBe(TRAFFIC.length);
    expect(fresh.length).toBeGreaterThanOrEqual(13);
  });
});
