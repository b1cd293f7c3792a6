/** Links that break, networks that part, tables that fill, clocks that drift, configurations that differ. */
import { afterEach, describe, expect, test } from "vitest";
import { BOX_NAMES, type BoxName } from "../../src/pair/world.js";
import { SESSIONS_MAX } from "./boxes.js";
import type { FlowPlan } from "./flows.js";
import type { Simulation } from "./simulation.js";
import { Simulation as Pair } from "./simulation.js";
import { answersOf, rolesOf, running, scenario, silentSince, TRAFFIC, until } from "./story.js";
import { HSRP_LANS, INSIDE, OUTSIDE, PLAIN, SYNC_LINKS, type Variant } from "./variant.js";

const FOR_EVER_MS = 1e9;
const ANSWER_MS = 1600;
const { holdMs, helloMs } = PLAIN;
const ALL_NETWORKS = [...HSRP_LANS, ...SYNC_LINKS];

let current: Simulation | undefined;
afterEach(() => current?.release());
const pair = (variant?: Partial<Variant>): Simulation => {
  current = running(variant);
  return current;
};

const outOfSync = ({ world }: Simulation): (string | undefined)[] =>
  BOX_NAMES.map((name) => world.node(name)!.redundancy.view.outOfSyncReason);

/** The boxes whose HSRP group is Active, by network. */
const owners = ({ watch }: Simulation): string[] =>
  HSRP_LANS.map((lan) =>
    BOX_NAMES.filter((name) => watch.roles.seen[name].groups.get(lan) === "active").join(),
  );

describe("D05: the synchronisation link is cut", () => {
  test.each<[string, "active" | "standby" | undefined]>([
    ["both ways", undefined],
    ["from the active", "active"],
    ["from the standby", "standby"],
  ])("%s: no role changes, both sides know within 3 s, and a copy mends it", (_name, from) => {
    const simulation = pair();
    const { active } = rolesOf(simulation);
    const changes = simulation.watch.roles.changes;
    const before = answersOf(simulation);
    simulation.inject({ kind: "cut", networks: SYNC_LINKS, from, forMs: 6000 });
    until(simulation, () => outOfSync(simulation).every((reason) => reason !== undefined), 3000);
    simulation.run(6000);
    expect(silentSince(simulation, before)).toEqual([]);
    simulation.settle();
    expect(outOfSync(simulation)).toEqual([undefined, undefined]);
    expect(simulation.watch.roles.changes).toBe(changes);
    expect(rolesOf(simulation).active).toBe(active);
    simulation.quiet().compare();
  });

  test("one of its two links: nothing is lost and nothing changes", () => {
    const simulation = pair();
    const changes = simulation.watch.roles.changes;
    simulation.inject({ kind: "cut", networks: [SYNC_LINKS[0]], from: undefined, forMs: 5000 }).run(5000);
    expect(simulation.watch.roles.changes).toBe(changes);
    expect(outOfSync(simulation)).toEqual([undefined, undefined]);
  });
});

describe("D06: links of the active are cut", () => {
  test.each<[string, readonly string[]]>([
    ["inside", [INSIDE]],
    ["outside", [OUTSIDE]],
    ["both", HSRP_LANS],
  ])("%s: both groups move, never split for longer than a hold time", (_name, networks) => {
    const simulation = pair();
    const { standby } = rolesOf(simulation);
    const before = answersOf(simulation);
    simulation.inject({ kind: "link", box: "active", networks, forMs: FOR_EVER_MS, times: 1 });
    let splitMs = 0;
    const movedMs = until(
      simulation,
      () => {
        const [inside, outside] = owners(simulation);
        if (inside !== outside) splitMs++;
        return inside === standby && outside === standby;
      },
      2 * holdMs,
    );
    expect(movedMs).toBeLessThanOrEqual(holdMs + helloMs);
    expect(splitMs).toBeLessThanOrEqual(holdMs);
    simulation.run(ANSWER_MS);
    expect(rolesOf(simulation).active).toBe(standby);
    expect(silentSince(simulation, before)).toEqual([]);
  });
});

describe("D07: links flap", () => {
  test("of the active: at most one change of roles per hold time", () => {
    const simulation = pair();
    const takeovers = simulation.watch.roles.takeovers.length;
    const [forMs, times] = [120, 20];
    simulation.inject({ kind: "link", box: "active", networks: [OUTSIDE], forMs, times });
    simulation.run(2 * forMs * times);
    const made = simulation.watch.roles.takeovers.length - takeovers;
    expect(made).toBeLessThanOrEqual((2 * forMs * times) / holdMs);
    simulation.mend().settle().verify().quiet().compare();
  });

  test("of the standby: the active loses nothing", () => {
    const simulation = pair();
    const { standby } = rolesOf(simulation);
    const changes = simulation.watch.roles.changes;
    const before = answersOf(simulation);
    const dropped = simulation.gate.counts.refused;
    simulation
      .inject({ kind: "link", box: standby, networks: ALL_NETWORKS, forMs: 150, times: 10 })
      .run(3500);
    expect(simulation.watch.roles.changes).toBe(changes);
    expect(simulation.gate.counts.refused).toBe(dropped);
    expect(silentSince(simulation, before)).toEqual([]);
    simulation.mend().settle().quiet().compare();
  });
});

describe("D08: all paths between the boxes are cut", () => {
  test.each([2 * holdMs, 1500, 4000])(
    "for %d ms: two actives, and after healing one within a hold time",
    (forMs) => {
      const simulation = pair();
      simulation.inject({ kind: "cut", networks: ALL_NETWORKS, from: undefined, forMs }).run(forMs);
      expect(simulation.world.actives()).toEqual(["A", "B"]);
      // `one-active` and `one-owner` watch the rest.
      until(simulation, () => simulation.world.actives().length === 1, holdMs + helloMs);
      simulation.settle().verify().quiet().compare();
    },
  );
});

describe("D11: the session table is full", () => {
  test("conversations go on, here and after a take-over; new ones are refused", () => {
    const simulation = pair();
    const { active, standby } = rolesOf(simulation);
    const before = answersOf(simulation);
    const flood: FlowPlan[] = Array.from({ length: SESSIONS_MAX + 200 }, (_, i) => ({
      kind: "udp",
      atMs: i / 4,
      turns: 1,
      requestBytes: 1,
      replyBytes: 1,
      thinkMs: 8,
      ending: "both",
    }));
    simulation.start(flood).run(1500);
    const { counters } = { counters: simulation.world.node(active)!.dataplane.counters() };
    expect(counters.sessions.current).toBe(SESSIONS_MAX);
    expect(counters.reasons.table_full?.packets).toBeGreaterThan(0);
    expect(silentSince(simulation, before)).toEqual([]);
    const during = answersOf(simulation);
    simulation.inject({ kind: "crash", box: active, forMs: FOR_EVER_MS }).run(holdMs + helloMs + ANSWER_MS);
    expect(rolesOf(simulation).active).toBe(standby);
    const talks = [...before.keys()];
    expect(silentSince(simulation, new Map([...during].filter(([name]) => talks.includes(name))))).toEqual(
      [],
    );
  });
});

describe("D12: clocks", () => {
  test.each([0.9, 0.99, 1.01, 1.1])("that run %d times as fast change nothing", (rate) => {
    const simulation = pair({ clockRates: { A: 1, B: rate } });
    const changes = simulation.watch.roles.changes;
    const before = answersOf(simulation);
    simulation.run(10_000);
    expect(simulation.watch.roles.changes).toBe(changes);
    expect(silentSince(simulation, before)).toEqual([]);
    const during = answersOf(simulation);
    simulation
      .inject({ kind: "crash", box: "active", forMs: 3000 })
      .run(3000 + ANSWER_MS)
      .settle();
    expect(silentSince(simulation, during)).toEqual([]);
    simulation.quiet().compare();
  });
});

describe("D13: the configurations differ", () => {
  const LINES = "ip access-list extended OUTSIDE-IN\n permit udp any host 10.1.1.81 eq 514\n";

  test.each<[string, BoxName]>([
    ["one", "A"],
    ["the other", "B"],
  ])("in %s box: forwarding goes on, nothing is copied, and both say why", (_name, box) => {
    const simulation = new Pair(scenario({ extra: { A: "", B: "", [box]: LINES } })).boot();
    current = simulation;
    until(simulation, () => simulation.watch.roles.active !== undefined, 4 * holdMs);
    simulation.start(TRAFFIC).run(3000);
    const before = answersOf(simulation);
    expect(before.size).toBeGreaterThanOrEqual(13);
    simulation.run(ANSWER_MS);
    expect(silentSince(simulation, before)).toEqual([]);
    const { standby } = rolesOf(simulation);
    expect(simulation.world.node(standby)!.dataplane.counters().sessions.current).toBe(0);
    for (const reason of outOfSync(simulation)) expect(reason).toMatch(/access lists/);
  });
});
