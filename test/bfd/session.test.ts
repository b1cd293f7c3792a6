/** Two machines in virtual time: they come up, agree on intervals, lose each other in time, and never too soon. */
import { describe, expect, test } from "vitest";
import { Bfd, type Parameters, SESSIONS_MAX } from "../../src/bfd/index.js";
import { TRUST_MAX_MS, TRUST_MS } from "../../src/bfd/session.js";
import { BFD_TTL, SOURCE_PORT_MIN } from "../../src/bfd/wire.js";
import { Random } from "../model/random.js";
import { ADDRESSES, FAST, INTERFACE, other, pathOf, SIDES, type Side, World } from "./world.js";

/** From the last packet that was heard to the end of the detection time, and what the steps of a test add. */
const detectedWithinMs = ({ desiredMinTxMs, multiplier }: Parameters): number =>
  multiplier * desiredMinTxMs + 1;

describe("coming up", () => {
  test("takes no longer than two slow intervals, and is slow until then", () => {
    const world = new World().bootBoth();
    const tookMs = world.until(() => world.areUp, 3000);
    expect(tookMs).toBeLessThan(2000);
    const before = world.sent.filter(({ packet }) => packet.state !== "up");
    expect(before.length).toBeLessThan(8);
    for (const { packet } of before) expect(packet.desiredMinTxMicroseconds).toBe(1_000_000);
    expect(world.changes.map(({ change }) => change.to).filter((to) => to === "up")).toHaveLength(2);
  });

  test("a box alone sends once a second, and a little sooner", () => {
    const world = new World().boot("a").kill("b").runFor(20_000);
    const times = world.sent.map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThan(20);
    expect(times.length).toBeLessThan(28);
    for (const { packet } of world.sent)
      expect(packet).toMatchObject({ state: "down", yourDiscriminator: 0 });
    expect(world.machines.a.liveness(pathOf("a"))).toBe("unknown");
  });

  test("every packet has TTL 255, and the session's own source port", () => {
    const world = new World().bootBoth().settle();
    const ports = SIDES.map((side) => new Set(world.sentBy(side, 0).map(({ send }) => send.sourcePort)));
    for (const set of ports) {
      expect(set.size).toBe(1);
      expect([...set][0]).toBeGreaterThanOrEqual(SOURCE_PORT_MIN);
    }
    for (const { send } of world.sent) expect(send.ttl).toBe(BFD_TTL);
  });

  test("says so in the log, once", () => {
    const world = new World().bootBoth().settle();
    expect(world.logs).toHaveLength(2);
    expect(world.logs[0]).toMatch(
      /^%BFDFSM-6-BFD_SESS_UP: BFD-SYSLOG: BFD session ld:\d+ handle:1 is going UP \(neighbor 10\.0\.0\.[12] on /,
    );
  });
});

describe("intervals", () => {
  const CASES: readonly (readonly [string, Parameters, Parameters])[] = [
    ["equal", FAST, FAST],
    ["one sends more than the other takes", FAST, { desiredMinTxMs: 5, requiredMinRxMs: 40, multiplier: 3 }],
    [
      "each direction has its own",
      { desiredMinTxMs: 3, requiredMinRxMs: 20, multiplier: 3 },
      { desiredMinTxMs: 10, requiredMinRxMs: 7, multiplier: 10 },
    ],
    ["the fastest", { desiredMinTxMs: 3, requiredMinRxMs: 3, multiplier: 3 }, FAST],
    [
      "the slowest",
      { desiredMinTxMs: 999, requiredMinRxMs: 999, multiplier: 50 },
      { desiredMinTxMs: 999, requiredMinRxMs: 3, multiplier: 3 },
    ],
  ];
  test.each(CASES)("%s: the slower of what one sends and the other takes", (_name, a, b) => {
    const world = new World({ parameters: { a, b } }).bootBoth().settle();
    const fromMs = world.nowMs;
    world.runFor(Math.max(1000, 200 * Math.max(a.desiredMinTxMs, b.desiredMinTxMs)));
    const parameters: Record<Side, Parameters> = { a, b };
    for (const side of SIDES) {
      const [own, theirs] = [parameters[side], parameters[other(side)]];
      const intervalMs = Math.max(own.desiredMinTxMs, theirs.requiredMinRxMs);
      const times = world.sentBy(side, fromMs).map(({ atMs }) => atMs);
      const gaps = times.slice(1).map((atMs, i) => atMs - times[i]!);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(intervalMs + 1e-6);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.75 * intervalMs - 1e-6);
      // Jitter is spread over its range.
      const meanMs = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
      expect(meanMs / intervalMs).toBeGreaterThan(0.85);
      expect(meanMs / intervalMs).toBeLessThan(0.9);
      expect(world.view(side)).toMatchObject({ sendIntervalMs: intervalMs, isPolling: false });
      expect(world.view(other(side)).detectionMs).toBe(own.multiplier * intervalMs);
    }
  });

  test("a poll sequence says that a session is fast from now on, and ends with the answer", () => {
    const world = new World().bootBoth().settle();
    for (const side of SIDES) {
      const polls = world.sentBy(side, 0).filter(({ packet }) => packet.isPoll);
      const finals = world.sentBy(other(side), 0).filter(({ packet }) => packet.isFinal);
      expect(polls.length).toBeGreaterThan(0);
      expect(polls.length).toBe(finals.length);
      for (const { packet } of polls) {
        expect(packet).toMatchObject({ state: "up", isFinal: false, desiredMinTxMicroseconds: 5000 });
      }
    }
  });

  test("nothing is sent less often before the neighbor has agreed", () => {
    const world = new World().bootBoth().settle();
    world.deaf.add("b");
    const fromMs = world.nowMs;
    world.configure("a", { ...FAST, desiredMinTxMs: 500 }).runFor(12);
    const unheard = world.sentBy("a", fromMs);
    expect(unheard.length).toBeGreaterThanOrEqual(3);
    for (const { packet } of unheard)
      expect(packet).toMatchObject({ isPoll: true, desiredMinTxMicroseconds: 500_000 });
    world.deaf.clear();
    world.runFor(20);
    expect(world.view("a")).toMatchObject({ isPolling: false, sendIntervalMs: 500 });
    world.runFor(5000);
    expect(world.areUp).toBe(true);
    expect(world.view("a").downs).toBe(0);
    expect(world.view("b").detectionMs).toBe(1500);
  });

  test("nothing is expected more often before the neighbor has agreed", () => {
    const slow: Parameters = { desiredMinTxMs: 5, requiredMinRxMs: 300, multiplier: 3 };
    const world = new World({ parameters: { a: slow, b: FAST } }).bootBoth().settle();
    expect(world.view("a").detectionMs).toBe(900);
    world.deaf.add("a");
    world.configure("a", FAST).runFor(100);
    expect(world.view("a")).toMatchObject({ isPolling: true, detectionMs: 900, state: "up" });
    world.deaf.clear();
    world.runFor(1000);
    expect(world.view("a")).toMatchObject({ isPolling: false, detectionMs: 15, state: "up", downs: 0 });
  });

  test("intervals that change while a poll runs are asked for once more", () => {
    const world = new World().bootBoth().settle();
    world.configure("a", { ...FAST, desiredMinTxMs: 20 });
    world.configure("a", { ...FAST, desiredMinTxMs: 40 });
    world.runFor(500);
    expect(world.view("a")).toMatchObject({ isPolling: false, sendIntervalMs: 40, downs: 0 });
    expect(world.view("b").remoteIntervals.desiredMinTxMs).toBe(40);
  });
});

describe("detection", () => {
  test.each([FAST, { desiredMinTxMs: 3, requiredMinRxMs: 3, multiplier: 3 }, { ...FAST, multiplier: 10 }])(
    "%o: a neighbor that dies is silent after its detection time, and not before",
    (parameters) => {
      const world = new World({ parameters: { a: parameters, b: parameters } }).bootBoth().settle();
      const lastAtMs = world.sentBy("b", 0).at(-1)!.atMs;
      world.kill("b");
      const tookMs = world.until(() => world.machines.a.liveness(pathOf("a")) === "silent", 1000);
      const silentMs = world.nowMs - lastAtMs;
      expect(silentMs).toBeGreaterThanOrEqual(parameters.multiplier * parameters.desiredMinTxMs);
      expect(tookMs).toBeLessThanOrEqual(detectedWithinMs(parameters));
      expect(world.view("a")).toMatchObject({
        state: "down",
        diagnostic: "detectionTimeExpired",
        remoteDiscriminator: 0,
        downs: 1,
      });
      expect(world.logs.at(-1)).toMatch(/BFD_SESS_DOWN: .*is going Down Reason: DETECT TIMER EXPIRED/);
    },
  );

  test("a session that does not stay up for long says nothing of the neighbor, and each time has to stay for longer", () => {
    const world = new World().bootBoth();
    const rise = (): void => {
      world.deaf.clear();
      world.until(() => world.areUp, 20_000);
    };
    const fall = (): string => {
      world.deaf.add("a");
      world.runFor(100);
      expect(world.view("a").state).toBe("down");
      return world.machines.a.liveness(pathOf("a"));
    };
    const downAfter = (ms: number): string => {
      rise();
      world.runFor(ms);
      return fall();
    };
    expect(downAfter(TRUST_MS - 100)).toBe("unknown");
    expect(world.view("a").trustMs).toBe(2 * TRUST_MS);
    expect(downAfter(2 * TRUST_MS - 100)).toBe("unknown");
    expect(downAfter(4 * TRUST_MS + 100)).toBe("silent");
    expect(world.view("a").trustMs).toBe(TRUST_MS);
    // Often within a short time is once.
    for (let i = 0; i < 3; i++) expect(downAfter(0)).toBe("unknown");
    expect(world.view("a").trustMs).toBe(2 * TRUST_MS);
    for (let ms = 2 * TRUST_MS; ms < TRUST_MAX_MS; ms = world.view("a").trustMs)
      expect(downAfter(ms - 100)).toBe("unknown");
    expect(world.view("a").trustMs).toBe(TRUST_MAX_MS);
  });

  test("who hears nothing says so to who hears him, and that one is alive", () => {
    const world = new World().bootBoth().settle();
    world.deaf.add("a");
    world.runFor(100);
    expect(world.machines.a.liveness(pathOf("a"))).toBe("silent");
    expect(world.machines.b.liveness(pathOf("b"))).toBe("alive");
    expect(world.view("b")).toMatchObject({ state: "down", diagnostic: "neighborSignaledDown" });
    world.deaf.clear();
    world.settle();
    for (const side of SIDES) expect(world.machines[side].liveness(pathOf(side))).toBe("alive");
  });

  test("a box that starts again comes up again, with other numbers than before", () => {
    const world = new World().bootBoth().settle();
    const before = world.view("a").localDiscriminator;
    world.kill("b").runFor(500).boot("b");
    expect(world.until(() => world.areUp, 3000)).toBeLessThan(2500);
    expect(world.view("a").localDiscriminator).not.toBe(before);
  });

  test("an orderly end is no death", () => {
    const world = new World().bootBoth().settle();
    world.step("b", { kind: "stop" });
    world.runFor(10_000);
    expect(world.machines.a.liveness(pathOf("a"))).toBe("unknown");
    expect(world.view("a")).toMatchObject({
      state: "down",
      remoteState: "adminDown",
      diagnostic: "neighborSignaledDown",
    });
    expect(
      world
        .sentBy("b", 0)
        .slice(-3)
        .map(({ packet }) => packet.state),
    ).toEqual(Array.from({ length: 3 }, () => "adminDown"));
    expect(world.machines.b.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    world.boot("b").settle();
  });

  test("the end of a session is told, and a new one begins", () => {
    const world = new World().bootBoth().settle();
    world.step("b", { kind: "remove", path: pathOf("b") });
    world.runFor(100);
    expect(world.machines.b.views(0)).toEqual([]);
    expect(world.machines.a.liveness(pathOf("a"))).toBe("unknown");
    world.configure("b", FAST).settle();
  });

  test("an interface that goes down is silent at once, and the neighbor learns of it by its detection time", () => {
    const world = new World().bootBoth().settle();
    world.step("a", { kind: "link", interface: INTERFACE, isUp: false });
    expect(world.machines.a.liveness(pathOf("a"))).toBe("silent");
    expect(world.view("a")).toMatchObject({ state: "down", diagnostic: "pathDown" });
    const count = world.sentBy("a", 0).length;
    world.runFor(3000);
    expect(world.sentBy("a", 0)).toHaveLength(count);
    expect(world.machines.b.liveness(pathOf("b"))).toBe("silent");
    world.step("a", { kind: "link", interface: INTERFACE, isUp: true });
    world.settle();
  });

  test("a neighbor that wants no packets gets none, but answers", () => {
    const world = new World({ parameters: { b: { ...FAST, requiredMinRxMs: 0 } } }).bootBoth();
    world.runFor(5000);
    const since = world.nowMs;
    world.runFor(1000);
    const changes = new Set(world.changes.map(({ atMs }) => atMs));
    const periodic = world
      .sentBy("a", since)
      .filter(({ atMs, packet }) => !packet.isFinal && !changes.has(atMs));
    expect(periodic).toEqual([]);
    expect(world.view("a").sendIntervalMs).toBeUndefined();
  });
});

describe("a process that stood still", () => {
  test.each([10, 20, 100, 1000])("for %i ms does not take its neighbor for dead when it wakes", (forMs) => {
    for (let seed = 1; seed <= 8; seed++) {
      const world = new World({ seed }).bootBoth().settle();
      world.runFor(seed);
      // Its neighbor goes on, and hears nothing of it.
      world.hung.add("a");
      world.runFor(forMs).wake("a").runFor(2500);
      const silent = world.changes.filter(
        ({ of, change, atMs }) => of === "a" && atMs > 1 && change.diagnostic === "detectionTimeExpired",
      );
      expect(silent).toEqual([]);
      expect(world.areUp).toBe(true);
    }
  });

  test("finds out that the neighbor died meanwhile, a few intervals later", () => {
    const world = new World().bootBoth().settle();
    world.hung.add("a");
    world.kill("b").runFor(200).wake("a");
    expect(world.machines.a.liveness(pathOf("a"))).toBe("alive");
    expect(world.machines.a.counters.events.stalls).toBe(1);
    const tookMs = world.until(() => world.machines.a.liveness(pathOf("a")) === "silent", 1000);
    expect(tookMs).toBeLessThanOrEqual(15.5);
  });
});

describe("on a bad link", () => {
  const seeds = Array.from({ length: 24 }, (_, i) => i + 1);

  test.each(seeds)("seed %i: loss, delay and jitter, then a good one: both are up, and stay so", (seed) => {
    const random = new Random(seed);
    const parameters = (): Parameters => ({
      desiredMinTxMs: random.between(3, 50),
      requiredMinRxMs: random.between(3, 50),
      multiplier: random.between(3, 10),
    });
    const world = new World({ seed, parameters: { a: parameters(), b: parameters() } });
    world.loss = random.pick([0.1, 0.3, 0.6]);
    world.delayMs = random.pick([
      [0.1, 1],
      [1, 20],
      [0, 100],
    ]);
    world.bootBoth().runFor(8000);
    for (const side of SIDES) {
      const { sent, state } = world.view(side);
      expect(sent).toBeLessThan(5 * 8000);
      expect(["down", "init", "up"]).toContain(state);
    }
    world.loss = 0;
    world.delayMs = [0.1, 0.3];
    world.until(() => world.areUp, 12_000);
    world.settle();
    const downs = SIDES.map((side) => world.view(side).downs);
    world.runFor(5000);
    expect(SIDES.map((side) => world.view(side).downs)).toEqual(downs);
  });

  test("one lost packet of three, evenly, brings no session down", () => {
    const world = new World().bootBoth().settle();
    for (let i = 0; i < 200; i++) {
      world.deaf.add("a");
      world.runFor(5);
      world.deaf.clear();
      world.runFor(10);
    }
    expect(world.view("a").downs).toBe(0);
  });
});

describe("the machine", () => {
  test("a copy goes its own way, and the same one as the original", () => {
    const world = new World().bootBoth().settle();
    const copy = world.machines.a.clone();
    const before = JSON.stringify(copy.views(world.nowMs));
    expect(copy.deadlineMs).toBe(world.machines.a.deadlineMs);
    world.kill("b").runFor(1000);
    expect(JSON.stringify(copy.views(world.nowMs - 1000))).toBe(before);
    expect(copy.liveness(pathOf("a"))).toBe("alive");
  });

  test("has so many sessions at most, with discriminators and ports of their own", () => {
    const random = new Random(5);
    const bfd = new Bfd({ random: () => random.u32() });
    for (let i = 0; i <= SESSIONS_MAX; i++) {
      const path = { interface: INTERFACE, local: ADDRESSES.a, remote: 0x0a000100 + i };
      bfd.step({ kind: "session", path, parameters: FAST }, 0);
    }
    const views = bfd.views(0);
    expect(views).toHaveLength(SESSIONS_MAX);
    expect(bfd.counters.events.sessionsFull).toBe(1);
    for (const key of ["localDiscriminator", "sourcePort", "handle"] as const)
      expect(new Set(views.map((view) => view[key])).size).toBe(SESSIONS_MAX);
  });

  test("a pause is dangerous for as long as the neighbor waits, less an interval", () => {
    const world = new World().bootBoth();
    expect(world.machines.a.pauseMaxMs).toBe(Number.POSITIVE_INFINITY);
    world.settle();
    expect(world.machines.a.pauseMaxMs).toBe(10);
  });
});
