/**
 * Pairs in a network where anything goes wrong at any time, from a seed: loss, repetition, delay, LANs that are parted,
 * links that fail, routers that crash, restart or are held up, a synchronisation link that comes and goes. Then all of
 * it stops, and what must hold is looked at, millisecond by millisecond.
 */
import { describe, expect, test } from "vitest";
import type { HsrpOptions } from "../../src/hsrp/index.js";
import { Random } from "../model/random.js";
import { INSIDE, OUTSIDE, oneLan, twoLans, type World } from "./world.js";

const HOLD_MS = 3000;
const HELLO_MS = 1000;
/** From peace to rest: an election, and a split that it may end in. */
const SOUND_MS = 4 * HOLD_MS;
const SEEDS = 25;

interface Kind {
  name: string;
  make: (options: Partial<HsrpOptions>) => World;
  interfaces: readonly string[];
  isSynchronised: boolean;
}

const BOTH = ["standby 1 authentication md5 key-string HAkey"];
const PREEMPTING = { A: ["standby 1 priority 105"], both: [...BOTH, "standby 1 preempt"] };
const ONE = [INSIDE];
const TWO = [INSIDE, OUTSIDE];
const PULLING = { A: ["standby 1 priority 105", "standby 2 priority 105"] };

const KINDS: readonly Kind[] = [
  {
    name: "one LAN",
    make: (options) => oneLan({ both: BOTH }, options),
    interfaces: ONE,
    isSynchronised: false,
  },
  {
    name: "one LAN, preemption",
    make: (options) => oneLan(PREEMPTING, options),
    interfaces: ONE,
    isSynchronised: false,
  },
  {
    name: "one LAN, told",
    make: (options) => oneLan(PREEMPTING, options),
    interfaces: ONE,
    isSynchronised: true,
  },
  { name: "two LANs", make: (options) => twoLans({}, options), interfaces: TWO, isSynchronised: false },
  {
    name: "two LANs, preemption",
    make: (options) => twoLans(PULLING, options),
    interfaces: TWO,
    isSynchronised: false,
  },
  { name: "two LANs, told", make: (options) => twoLans({}, options), interfaces: TWO, isSynchronised: true },
];

const NAMES = ["A", "B"] as const;

/** One thing that goes wrong, or right again. */
function disturb(world: World, random: Random, kind: Kind, isLinked: { now: boolean }): void {
  const name = random.pick(NAMES);
  const { isRunning } = world.router(name);
  const lan = random.int(kind.interfaces.length);
  switch (random.int(kind.isSynchronised ? 6 : 5)) {
    case 0:
      if (isRunning) world.crash(name);
      else world.boot(name);
      break;
    case 1:
      if (isRunning) world.link(name, random.pick(kind.interfaces), random.chance(0.6));
      break;
    case 2:
      world.part(lan, random.chance(0.5));
      break;
    case 3:
      world.freeze(name, random.chance(0.4));
      break;
    case 4:
      if (isRunning) world.input(name, { kind: "release" });
      break;
    case 5:
      isLinked.now = !isLinked.now;
      if (isLinked.now) world.synchronise(random.between(1, 400));
      else world.unsynchronise(random.int(3000));
      break;
  }
}

/** The longest times without a break, and the last time at which not every group had an owner, all groups the same. */
interface Observed {
  twoMs: number;
  apartMs: number;
  soundAtMs: number;
}

/** Runs on for a while and looks at who owns what, from change to change. */
function observe(world: World, forMs: number): Observed {
  const startMs = world.nowMs;
  const keys = world
    .router("A")
    .machine.views(startMs)
    .map(({ key }) => key);
  const owned = new Map(NAMES.map((name) => [name, new Set(world.router(name).machine.report().active)]));
  world.run(forMs);
  const changes = [...world.actions("own", startMs), ...world.actions("disown", startMs)]
    .map(({ atMs, router, action: { kind, key } }) => ({ atMs, router: router as "A" | "B", kind, key }))
    .sort((x, y) => x.atMs - y.atMs);
  const observed: Observed = { twoMs: 0, apartMs: 0, soundAtMs: 0 };
  let twoSinceMs = Number.NaN;
  let apartSinceMs = Number.NaN;
  let atMs = startMs;
  for (const change of [...changes, undefined]) {
    const owners = keys.map((key) => NAMES.filter((name) => owned.get(name)!.has(key)));
    const isApart = owners.every(({ length }) => length === 1) && new Set(owners.flat()).size === 2;
    const untilMs = change?.atMs ?? world.nowMs;
    twoSinceMs = owners.some(({ length }) => length === 2)
      ? Number.isNaN(twoSinceMs)
        ? atMs
        : twoSinceMs
      : Number.NaN;
    apartSinceMs = isApart ? (Number.isNaN(apartSinceMs) ? atMs : apartSinceMs) : Number.NaN;
    observed.twoMs = Math.max(observed.twoMs, untilMs - twoSinceMs || 0);
    observed.apartMs = Math.max(observed.apartMs, untilMs - apartSinceMs || 0);
    const isSound = owners.every(({ length }) => length === 1) && !isApart;
    if (!isSound) observed.soundAtMs = untilMs - startMs;
    if (change?.kind === "own") owned.get(change.router)!.add(change.key);
    if (change?.kind === "disown") owned.get(change.router)!.delete(change.key);
    atMs = untilMs;
  }
  return observed;
}

describe.each(KINDS)("$name", (kind) => {
  test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))("seed %i", (seed) => {
    const random = new Random(seed);
    const world = kind.make({ random: () => random.u32(), backoffDoublings: 0 });
    const isLinked = { now: kind.isSynchronised };
    if (isLinked.now) world.synchronise(5);
    for (const name of NAMES) world.boot(name).run(random.int(5000));
    world.network = () => {
      if (random.chance(0.2)) return [];
      const delay = () => (random.chance(0.1) ? random.int(2500) : random.int(30));
      return random.chance(0.1) ? [delay(), delay()] : [delay()];
    };
    for (let i = 0; i < 25; i++) {
      world.run(random.int(random.chance(0.3) ? 9000 : 1500));
      disturb(world, random, kind, isLinked);
    }

    // Peace.
    for (const name of NAMES) {
      world.freeze(name, false);
      if (!world.router(name).isRunning) world.boot(name);
      for (const on of kind.interfaces) world.link(name, on, true);
    }
    kind.interfaces.forEach((_, lan) => {
      world.part(lan, false);
    });
    world.network = () => [random.int(20)];
    if (kind.isSynchronised) world.synchronise(5);
    // What is late belongs to the time before.
    world.run(2500);

    const { twoMs, apartMs, soundAtMs } = observe(world, 15 * HOLD_MS);
    expect(twoMs).toBeLessThanOrEqual(HELLO_MS + 100);
    expect(apartMs).toBeLessThanOrEqual(HOLD_MS + HELLO_MS + 100);
    expect(soundAtMs).toBeLessThanOrEqual(SOUND_MS);
    const calmMs = world.nowMs;
    world.run(30 * HOLD_MS);
    expect(world.story(calmMs)).toBe("");
    for (const name of NAMES) {
      for (const on of kind.interfaces) {
        const counters = world.router(name).machine.counters(on)!;
        const refused = Object.values(counters.refused).reduce((sum, count) => sum + count);
        expect(counters.received).toBe(counters.accepted + counters.advertisements + refused);
      }
    }
  });
});

test("the same seed makes the same run", () => {
  const story = () => {
    const random = new Random(99);
    const world = twoLans({}, { random: () => random.u32() }).boot("A", "B");
    for (let i = 0; i < 20; i++) {
      world.run(random.int(4000));
      disturb(world, random, KINDS[3]!, { now: false });
    }
    return JSON.stringify(world.happenings, (_name, value) =>
      value instanceof Uint8Array ? [...value] : value,
    );
  };
  expect(story()).toBe(story());
});
