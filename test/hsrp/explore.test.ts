/**
 * Every state that two routers can get into, and how they come to rest from it.
 *
 * Time. Both routers have a clock that moves in units of one hello time, in turn, so that the two may be apart by any
 * part of a unit. The machine is the real one: it is told the time of its router's clock, and whatever happens between
 * two moves of that clock happens at one time, in any order. So the exploration is complete for routers whose clocks
 * are as coarse as that; runs at arbitrary times are chaos.test.ts's. Hellos have no jitter here. The hold time is
 * three units, of which a clock as coarse as this may see little more than two.
 *
 * Two phases. First the network is rough (or, for tied groups, routers and links fail a few times), and all states are
 * collected in which it can leave the routers. Then, from each of them, the network is whole: a packet arrives, in any
 * order with others, before its sender's clock has moved once more. Packets of the rough time that are late belong to
 * the rough time: whole begins when the last of them has arrived. The states of the n-th unit are all that a run can
 * be in at that time; when they repeat, what holds in all of them holds for ever.
 */
import { describe, expect, test } from "vitest";
import type { HsrpOptions } from "../../src/hsrp/index.js";
import { type Network, PairSpace } from "./pair-space.js";
import { StateSet } from "./state-set.js";
import { oneLan, twoLans, type World } from "./world.js";

const HOLD_UNITS = 3;
/** More than any run needs; one that needs as many never comes to rest. */
const UNITS_MAX = 40;

/** One announcement, and no longer waits after repeated changes: they would only make the space larger. */
const SIMPLER: Partial<HsrpOptions> = {
  announcements: { count: 1, intervalMs: 0, refreshMs: Number.POSITIVE_INFINITY },
  backoffDoublings: 0,
};

type Property = (space: PairSpace, nodes: number) => boolean;

/** How many routers are Active in a group, and how many could be. */
function count(space: PairSpace, nodes: number, group: number): { active: number; able: number } {
  const routers = space.routers.map((router, x) => ({ router, state: space.nodeOf(nodes, x) }));
  return {
    active: routers.filter(({ router, state }) => router.isActive(state, group)).length,
    able: routers.filter(({ router, state }) => router.isLinkUp(state, group)).length,
  };
}

const groupsOf = (space: PairSpace): number[] => [...Array(space.groups).keys()];

/** Some group has two Active routers. */
const twoActive: Property = (space, nodes) =>
  groupsOf(space).some((group) => count(space, nodes, group).active === 2);

/** Each group has one Active router, if there is one that can be. */
const oneActive: Property = (space, nodes) =>
  groupsOf(space).every((group) => {
    const { active, able } = count(space, nodes, group);
    return active === Math.min(able, 1);
  });

/** Every group is Active somewhere, and a router could own all, but none does. */
const isSplit: Property = (space, nodes) => {
  const isOwned = groupsOf(space).every((group) => count(space, nodes, group).active === 1);
  return isOwned && canOwnAll(space, nodes) && ![0, 1].some((x) => ownsAll(space, nodes, x));
};

/** Besides, all groups have one owner, if there is a router that can own all. */
const oneOwner: Property = (space, nodes) => {
  const isOwned = !canOwnAll(space, nodes) || [0, 1].some((x) => ownsAll(space, nodes, x));
  return isOwned && oneActive(space, nodes);
};

function canOwnAll(space: PairSpace, nodes: number): boolean {
  return space.routers.some((router, x) =>
    groupsOf(space).every((group) => router.isLinkUp(space.nodeOf(nodes, x), group)),
  );
}

function ownsAll(space: PairSpace, nodes: number, x: number): boolean {
  return groupsOf(space).every((group) => space.routers[x]!.isActive(space.nodeOf(nodes, x), group));
}

/** All states that can be reached from one, and those of the routers alone. */
function reach(space: PairSpace, start: number, network: Network) {
  const seen = new StateSet();
  const nodes = new Set<number>();
  let steps = 0;
  seen.add(start, 0, 0);
  for (let place = 0; place < seen.size; place++) {
    const now = seen.word(place, 0);
    nodes.add(space.withoutFaults(now));
    space.successors(now, seen.word(place, 1), seen.word(place, 2), network, (next, toFirst, toSecond) => {
      steps += 1;
      seen.add(next, toFirst, toSecond);
    });
  }
  return { states: seen.size, steps, nodes };
}

/** Units in which something was seen; 0: never. */
interface Seen {
  states: number;
  unsoundUntil: number;
  changeUntil: number;
}

/** Lets all runs from these states go on in a whole network, unit by unit, until the same states come again. */
function settle(space: PairSpace, from: Iterable<number>, network: Network, isSound: Property): Seen {
  const seen: Seen = { states: 0, unsoundUntil: 0, changeUntil: 0 };
  let now = startAt(from);
  for (let unit = 1; unit <= UNITS_MAX; unit++) {
    const next = new StateSet();
    const all = copyOf(now);
    for (let place = 0; place < all.size; place++) {
      const nodes = all.word(place, 0);
      if (!isSound(space, nodes)) seen.unsoundUntil = unit;
      space.successors(nodes, all.word(place, 1), all.word(place, 2), network, (to, toFirst, toSecond) => {
        (space.isRound(nodes, to) ? next : all).add(to, toFirst, toSecond);
        if (space.rolesOf(to) !== space.rolesOf(nodes)) seen.changeUntil = unit;
      });
    }
    seen.states += all.size;
    if (equals(now, next)) return seen;
    now = next;
  }
  throw new Error(`no rest within ${UNITS_MAX} units`);
}

/** How many units a run can touch in which a property lasts without a break, once the network is whole. */
function longest(space: PairSpace, from: Iterable<number>, network: Network, property: Property): number {
  let now = startAt([...from].filter((nodes) => property(space, nodes)));
  for (let unit = 0; unit <= UNITS_MAX; unit++) {
    if (now.size === 0) return unit;
    const next = new StateSet();
    for (let place = 0; place < now.size; place++) {
      const nodes = now.word(place, 0);
      space.successors(nodes, now.word(place, 1), now.word(place, 2), network, (to, toFirst, toSecond) => {
        if (property(space, to)) (space.isRound(nodes, to) ? next : now).add(to, toFirst, toSecond);
      });
    }
    now = next;
  }
  throw new Error(`lasts more than ${UNITS_MAX} units`);
}

function startAt(from: Iterable<number>): StateSet {
  const set = new StateSet();
  for (const nodes of from) set.add(nodes, 0, 0);
  return set;
}

function copyOf(set: StateSet): StateSet {
  const copy = new StateSet();
  for (let i = 0; i < set.size; i++) copy.add(set.word(i, 0), set.word(i, 1), set.word(i, 2));
  return copy;
}

function equals(one: StateSet, other: StateSet): boolean {
  const both = copyOf(one);
  for (let i = 0; i < other.size; i++) both.add(other.word(i, 0), other.word(i, 1), other.word(i, 2));
  return one.size === other.size && both.size === one.size;
}

interface Variant {
  name: string;
  world: () => World;
  network: Network;
  /** What the network is like afterwards. */
  whole: Network;
  /** Of a failing network. */
  faults: number;
  isSound: Property;
  /** In units, once the network is whole. */
  soundWithin: number;
  restWithin: number;
}

const VARIANTS: readonly Variant[] = [
  {
    name: "equal priorities",
    world: () => oneLan({}, SIMPLER),
    network: "rough",
    whole: "whole",
    faults: 0,
    isSound: oneActive,
    soundWithin: 2 * HOLD_UNITS + 1,
    restWithin: 4 * HOLD_UNITS,
  },
  {
    name: "another priority, with preemption",
    world: () => oneLan({ A: ["standby 1 priority 110"], both: ["standby 1 preempt"] }, SIMPLER),
    network: "rough",
    whole: "whole",
    faults: 0,
    isSound: oneActive,
    // Preemption makes two Active for as long as the coup is under way.
    soundWithin: 2 * HOLD_UNITS + 2,
    restWithin: 4 * HOLD_UNITS + 2,
  },
  {
    name: "two groups that are tied",
    world: () => twoLans({}, SIMPLER),
    network: "failing",
    whole: "failing",
    faults: 2,
    isSound: oneOwner,
    soundWithin: 2 * HOLD_UNITS + 1,
    restWithin: 4 * HOLD_UNITS,
  },
];

describe.each(VARIANTS)("$name", (variant) => {
  test("from every state the routers come to rest, one of them Active", () => {
    const world = variant.world();
    const space = new PairSpace(world.router("A").options, world.router("B").options);
    const start = variant.network === "rough" ? space.off : space.booted(variant.faults);
    const reached = reach(space, start, variant.network);
    const seen = settle(space, reached.nodes, variant.whole, variant.isSound);
    const twoFor = longest(space, reached.nodes, variant.whole, twoActive);
    const splitFor = longest(space, reached.nodes, variant.whole, isSplit);
    const each = space.routers.map(({ size }) => size).join(" and ");
    console.log(
      `${variant.name}: ${reached.states} states of the pair (${each} of its routers), ${reached.steps} steps; ` +
        `whole network: ${seen.states} states, sound after ${seen.unsoundUntil} hello times, ` +
        `at rest after ${seen.changeUntil}; two Active in ${twoFor} at most, groups apart in ${splitFor}`,
    );
    expect(reached.states).toBeGreaterThan(10_000);
    expect(Number.isFinite(reached.states)).toBe(true);
    expect(seen.unsoundUntil).toBeLessThanOrEqual(variant.soundWithin);
    expect(seen.changeUntil).toBeLessThanOrEqual(variant.restWithin);
    // A hold time that begins and ends in the middle of a unit touches one more.
    expect(twoFor).toBeLessThanOrEqual(HOLD_UNITS + 1);
    expect(splitFor).toBeLessThanOrEqual(HOLD_UNITS + 1);
  });
});

test("what never comes to rest is found: two routers that do not believe each other", () => {
  const world = oneLan({ B: ["standby 1 authentication text other"] }, SIMPLER);
  const space = new PairSpace(world.router("A").options, world.router("B").options);
  const { nodes } = reach(space, space.booted(0), "failing");
  const seen = settle(space, nodes, "whole", oneActive);
  expect(seen.unsoundUntil).toBeGreaterThan(2 * HOLD_UNITS + 1);
  expect(() => longest(space, nodes, "whole", twoActive)).toThrow("lasts");
});
