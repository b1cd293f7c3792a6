/** What the synchronisation link tells, and old packets that somebody sends again. */
import { describe, expect, test } from "vitest";
import type { PacketInput } from "../../src/hsrp/index.js";
import { INSIDE, OUTSIDE, oneLan, twoLans, type World } from "./world.js";

const ON = "GigabitEthernet0/0";
const LINK_MS = 2;

function settled(
  lines: Parameters<typeof oneLan>[0] = {},
  isSynchronised = true,
): { world: World; startMs: number } {
  const world = oneLan(lines).boot("A").run(20_000).boot("B").run(40_500);
  if (isSynchronised) world.synchronise(LINK_MS).run(100);
  expect(world.states()).toBe("A:active B:standby");
  return { world, startMs: world.nowMs };
}

/** The last packet of an operation and state byte that a router sent, as the other one would get it again. */
function recorded(world: World, from: string, opcode: number, state: number): PacketInput {
  const found = world
    .actions("send")
    .filter(
      ({ router, action }) => router === from && action.payload[1] === opcode && action.payload[2] === state,
    );
  const { interface: on, source, destination, ttl, payload } = found.at(-1)!.action;
  return { kind: "packet", interface: on, source, destination, ttl, payload };
}

const HELLO = 0;
const COUP = 1;
const RESIGN = 2;
const [SPEAK, STANDBY, ACTIVE] = [4, 8, 16];

describe("old packets sent again do not depose a living Active router (threat H02)", () => {
  /** B was Active once, by preemption, and has given up; A is Active. Both keys are in use. */
  function withHistory(): { world: World; old: Record<string, PacketInput> } {
    const both = ["standby 1 authentication md5 key-string HAkey"];
    const world = oneLan({ both, A: ["standby 1 track 5"], B: ["standby 1 preempt"] })
      .boot("A")
      .run(20_000)
      .boot("B");
    world.run(20_000).link("A", "5", false).run(20_000);
    expect(world.states()).toBe("A:standby B:active");
    world.link("A", "5", true).input("B", { kind: "release" }).run(20_500);
    expect(world.states()).toBe("A:active B:standby");
    const old = {
      hello: recorded(world, "B", HELLO, ACTIVE!),
      coup: recorded(world, "B", COUP, STANDBY!),
      resign: recorded(world, "A", RESIGN, ACTIVE!),
      speak: recorded(world, "B", HELLO, SPEAK!),
    };
    return { world, old };
  }

  test("they are authentic", () => {
    const { world, old } = withHistory();
    for (const input of [old.hello!, old.coup!, old.speak!]) world.input("A", input);
    expect(world.router("A").machine.counters(ON)!.refused).toMatchObject({
      authentication_digest: 0,
      authentication_key: 0,
    });
  });

  test("with the synchronisation link they are refused: the peer says that it is not so", () => {
    const { world, old } = withHistory();
    world.synchronise(LINK_MS).run(100);
    const startMs = world.nowMs;
    for (let i = 0; i < 200; i++) {
      world.input("A", old.hello!).run(50).input("A", old.coup!).run(50);
      world.input("A", old.speak!).input("B", old.resign!).run(50);
    }
    expect(world.states()).toBe("A:active B:standby");
    expect(world.story(startMs)).toBe("");
    expect(world.router("A").machine.counters(ON)!.refused.contradiction).toBe(400);
    expect(world.router("B").machine.counters(ON)!.refused.contradiction).toBe(200);
  });

  test("without it, a role changes at most once in a hold time, and someone is Active soon after", () => {
    const { world, old } = withHistory();
    const startMs = world.nowMs;
    for (let i = 0; i < 200; i++) world.input("A", old.coup!).run(137).input("B", old.resign!).run(164);
    const taken = world.actions("own", startMs).map(({ atMs }) => atMs);
    const gaps = taken.slice(1).map((atMs, i) => atMs - taken[i]!);
    expect(taken.length).toBeGreaterThan(0);
    expect(Math.min(...gaps, Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(3000);
    world.run(10_000);
    expect(world.states()).toMatch(/^(A:active B:standby|A:standby B:active)$/);
  });

  test("packets of a peer that is dead cannot speak for it", () => {
    const { world, old } = withHistory();
    world.synchronise(LINK_MS).run(100).crash("B");
    const startMs = world.nowMs;
    for (let i = 0; i < 100; i++) world.run(300).input("A", old.hello!);
    expect(world.story(startMs)).toBe("");
  });
});

describe("the synchronisation link", () => {
  test("reports the groups in which a router is Active", () => {
    const world = twoLans().boot("A").run(20_000);
    expect(world.router("A").machine.report()).toEqual({ active: ["IN", "OUT"] });
    world.link("A", INSIDE, false).run(1);
    expect(world.router("A").machine.report()).toEqual({ active: ["OUT"] });
  });

  test("cut or restored it changes no role (threat D05)", () => {
    const { world, startMs } = settled();
    world.unsynchronise(3000).run(60_000).synchronise(LINK_MS).run(60_000);
    expect(world.story(startMs)).toBe("");
  });

  test("tells of a role that was given up when the resignation was lost", () => {
    const { world, startMs } = settled();
    world.network = (action) => (action.payload[1] === RESIGN ? [] : [1]);
    world.input("A", { kind: "stop" }).run(10);
    expect(world.changes("B", startMs)).toEqual([[startMs + LINK_MS, "active"]]);
  });

  test("which is no reason to take over within a hold time of the last change of roles", () => {
    const { world } = settled({ B: ["standby 1 priority 110", "standby 1 preempt delay minimum 60"] });
    world.run(60_000);
    expect(world.states()).toBe("A:standby B:active");
    const takenMs = world.changes("B").at(-1)![0];
    world.until(() => world.state("A") === "standby", 10_000);
    world.input("B", { kind: "stop" }).run(10_000);
    expect(world.changes("A").at(-1)![0] - takenMs).toBeGreaterThanOrEqual(3000);
    expect(world.state("A")).toBe("active");
  });

  test("confirms a preemption: the coup is refused, the report believed", () => {
    const { world } = settled({ B: ["standby 1 priority 110", "standby 1 preempt delay minimum 60"] });
    world.run(60_000);
    const takenMs = world.changes("B").at(-1)![0];
    const lost = world.changes("A", takenMs)[0]!;
    expect(lost).toEqual([takenMs + LINK_MS, "speak"]);
    expect(world.story(takenMs)).toContain("A 1 active>speak j/Coup rcvd from higher pri router");
    // The coup and the hello behind it.
    expect(world.router("A").machine.counters(ON)!.refused.contradiction).toBe(2);
    expect(world.run(20_000).states()).toBe("A:standby B:active");
  });

  test("decides between two Active routers: the newer owner stays, whatever the priorities (threat D08)", () => {
    // A has the higher priority and the older sessions; each serves what reaches it while all is cut.
    const lines = { A: ["standby 1 priority 200"] };
    const { world } = settled(lines);
    world.part(0).unsynchronise(0).run(20_000);
    expect(world.states()).toBe("A:active B:active");
    const healedMs = world.nowMs;
    world.part(0, false).synchronise(LINK_MS).run(10_000);
    expect(world.states()).toBe("A:standby B:active");
    expect(world.changes("B", healedMs)).toEqual([]);
    expect(world.changes("A", healedMs)[0]![0] - healedMs).toBeLessThanOrEqual(LINK_MS);
  });

  test("without it the priority decides", () => {
    const { world } = settled({ A: ["standby 1 priority 200"] }, false);
    world.part(0).run(20_000).part(0, false).run(10_000);
    expect(world.states()).toBe("A:active B:standby");
  });

  test("tells a router that slept that it was replaced, before its next packet (threat D04)", () => {
    const { world } = settled();
    // Held up for less than its own hold time, yet the other one heard nothing for as long.
    world.network = (_action, from) => (from === "A" ? [] : [1]);
    world.run(4000);
    expect(world.state("B")).toBe("active");
    const taken = world.changes("B").at(-1)![0];
    expect(world.changes("A", taken)[0]).toEqual([taken + LINK_MS, "speak"]);
  });

  test("a peer that is behind cannot take the role back by its priority alone", () => {
    const { world } = settled({ A: ["standby 1 priority 200"] });
    world.freeze("A").run(10_000);
    expect(world.state("B")).toBe("active");
    world.input("B", { kind: "peer", report: { active: [`${ON}:1`] }, generation: "behind" });
    const before = world.nowMs;
    world.input("B", recorded(world, "A", HELLO, ACTIVE!));
    expect(world.changes("B", before)).toEqual([]);
    expect(world.sent("B", "coup", before)).toHaveLength(1);
  });
});

test("a half-failed pair on both links moves together, each told by the other", () => {
  const world = twoLans().boot("A").run(20_000).boot("B").run(40_500).synchronise(LINK_MS).run(100);
  const startMs = world.nowMs;
  world.link("A", INSIDE, false).run(10);
  expect(world.states()).toMatch(/^A:initial,\w+ B:active,active$/);
  expect(world.actions("own", startMs).every(({ atMs }) => atMs - startMs <= LINK_MS)).toBe(true);
  world.link("A", INSIDE, true).run(30_000).link("B", OUTSIDE, false).run(10);
  expect(world.states()).toMatch(/^A:active,active B:\w+,initial$/);
});
