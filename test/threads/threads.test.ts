/**
 * A pair in two real threads, which are terminated at whatever they do. Nothing is timed here: the hold time is long
 * enough for a busy machine, and the deadlines are generous.
 */
import { afterEach, describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { ConfigError } from "../../src/prepare.js";
import {
  startThreads,
  type ThreadEvent,
  type Threads,
  type ThreadsOptions,
} from "../../src/io/pair/threads.js";
import { BOX_NAMES, type BoxName, peerOf } from "../../src/pair/boxes.js";
import { seededRandom } from "../../src/random.js";
import { coreModule } from "../model/lab.js";
import { configsOf, INSIDE } from "./configs.js";
import { type Decided, decidedOf, OPENING, put, type Step, trafficOf } from "./traffic.js";

const DEADLINE_MS = 30_000;
const TIMERS = "msec 50 msec 400";
const FLOWS = 100;
const BATCH = 16;

let threads: Threads | undefined;

afterEach(async () => {
  await threads?.close();
  threads = undefined;
});

async function start(options: Partial<ThreadsOptions> = {}): Promise<Threads> {
  threads = await startThreads({
    configs: configsOf({ timers: TIMERS }),
    module: coreModule,
    dataplane: { capacity: { sessions: 1024, batch: BATCH, fragments: 16 } },
    ...options,
  });
  return threads;
}

async function settled(pair: Threads): Promise<{ active: BoxName; standby: BoxName }> {
  if (!(await pair.settled(DEADLINE_MS))) throw new Error("the pair does not come up");
  const active = BOX_NAMES.find((box) => pair.state(box) === "active")!;
  return { active, standby: peerOf(active) };
}

async function until(pair: Threads, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error("this takes too long");
    await pair.arrival(10);
  }
}

/** Sends one step of each flow to a box and waits for the answers. */
async function send(pair: Threads, box: BoxName, step: Step, flows = FLOWS): Promise<Decided[]> {
  const decided: Decided[] = [];
  let next = 0;
  const collect = (): void => void pair.verdicts(box, (verdicts) => decided.push(...decidedOf(verdicts)));
  await until(pair, () => {
    pair.offer(box, (batch) => {
      while (next < flows && put(batch, trafficOf(next, step))) next++;
    });
    collect();
    return decided.length === flows;
  });
  return decided;
}

const passed = (decided: readonly Decided[]): number => decided.filter(({ hasPassed }) => hasPassed).length;

describe("a pair in threads", () => {
  test("the active dies in the middle of traffic, and the standby carries on with the same sessions", async () => {
    const events: ThreadEvent[] = [];
    const pair = await start({ isWatched: true, onEvent: (event) => events.push(event) });
    const { active, standby } = await settled(pair);
    expect(pair.owner(INSIDE)).toBe(active);
    for (const step of OPENING) expect(passed(await send(pair, active, step))).toBe(FLOWS);
    const ids = new Map(
      (await send(pair, active, "request")).map(({ cookie, session }) => [cookie, session]),
    );
    await until(pair, () => pair.unanswered(active) === 0);
    const before = (await pair.account(active))!.sessions.map(({ id }) => id).sort();
    expect(before).toHaveLength(FLOWS);

    const random = seededRandom(1);
    let offered = 0;
    let answered = 0;
    const pour = (): void => {
      while (
        pair.offer(active, (batch) => {
          while (put(batch, trafficOf(random() % FLOWS, "request"))) offered++;
        })
      ) {}
      pair.verdicts(active, (verdicts) => {
        for (const { hasPassed, session, cookie } of decidedOf(verdicts)) {
          answered++;
          if (!hasPassed || session !== ids.get(cookie))
            throw new Error(`flow ${cookie} has lost its session`);
        }
      });
    };
    for (let i = 0; i < 50; i++) {
      pour();
      await pair.arrival(1);
    }
    const killed = pair.kill(active);
    expect(pair.status(active)).toBe("dead");
    expect(pair.offer(active, (batch) => put(batch, trafficOf(0, "request")))).toBe(false);
    await killed;
    pour();
    expect(answered + pair.framesLost(active)).toBe(offered);
    expect(pair.unanswered(active)).toBe(0);

    await until(pair, () => pair.owner(INSIDE) === standby && pair.state(standby) === "active");
    for (const step of ["request", "reply"] as const) {
      const decided = await send(pair, standby, step);
      expect(passed(decided)).toBe(FLOWS);
      for (const { cookie, session } of decided) expect(session).toBe(ids.get(cookie));
    }
    const after = (await pair.account(standby))!;
    expect(after.sessions.map(({ id }) => id).sort()).toEqual(before);
    const taken = events.find(
      (event) =>
        event.kind === "action" && event.box === standby && event.sessions !== undefined && event.atMs > 0,
    );
    expect(taken).toMatchObject({ action: { kind: "role", role: "active" } });
    expect(await pair.account(active)).toBeUndefined();
  });

  test("a box that hangs lets its ring run full, which is counted, and answers when it wakes", async () => {
    const pair = await start();
    const { standby } = await settled(pair);
    const isStill = pair.hang(standby);
    expect(pair.status(standby)).toBe("hung");
    await isStill;
    let batches = 0;
    while (pair.offer(standby, (batch) => put(batch, trafficOf(batches, "syn")))) batches++;
    expect(pair.offer(standby, (batch) => put(batch, trafficOf(0, "syn")))).toBe(false);
    expect(pair.refused(standby).packets).toBe(2);
    expect(pair.unanswered(standby)).toBe(batches);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(pair.verdicts(standby, () => {})).toBe(0);
    pair.wake(standby);
    const decided: Decided[] = [];
    await until(pair, () => {
      pair.verdicts(standby, (verdicts) => decided.push(...decidedOf(verdicts)));
      return decided.length === batches;
    });
    expect(decided.map(({ cookie }) => cookie)).toEqual(Array.from({ length: batches }, (_, i) => i));
    expect(decided.every(({ reason }) => reason === L.R_STANDBY)).toBe(true);
  });

  test("terminated at any moment, a box leaves nothing torn and comes back", {
    timeout: 120_000,
  }, async () => {
    const pair = await start();
    const random = seededRandom(2);
    let offered = 0;
    let answered = 0;
    await settled(pair);
    for (let round = 0; round < 12; round++) {
      const box = BOX_NAMES[random() % 2]!;
      const atMs = performance.now() + (random() % 25);
      const check = (): void => {
        for (const name of BOX_NAMES) {
          pair.verdicts(name, (verdicts) => {
            for (const { cookie, reason } of decidedOf(verdicts)) {
              answered++;
              if (cookie >= FLOWS || reason === L.R_NONE)
                throw new Error(`a torn verdict: ${cookie} ${reason}`);
            }
          });
        }
      };
      while (performance.now() < atMs) {
        for (const name of BOX_NAMES)
          pair.offer(name, (batch) => {
            while (put(batch, trafficOf(random() % FLOWS, OPENING[random() % OPENING.length]!))) offered++;
          });
        check();
        if (random() % 4 === 0) await pair.arrival(1);
      }
      // Now and then it dies while it starts, or hangs.
      const how = random() % 4;
      if (how === 0) void pair.hang(box);
      await pair.kill(box);
      check();
      expect(pair.status(box)).toBe("dead");
      expect(pair.unanswered(box)).toBe(0);
      const open = BOX_NAMES.reduce((sum, each) => sum + pair.unanswered(each) + pair.framesLost(each), 0);
      expect(answered + open).toBe(offered);
      const booted = pair.boot(box);
      if (how === 1) {
        await Promise.all([expect(booted).rejects.toThrow("before it ran"), pair.kill(box)]);
        await pair.boot(box);
      } else {
        await booted;
      }
      expect(pair.status(box)).toBe("running");
    }
    await settled(pair);
    expect(answered).toBeGreaterThan(FLOWS);
  });

  test("a box is told of its links, and an operator's command reaches it", async () => {
    const pair = await start({ configs: configsOf({ timers: TIMERS, tracks: true }) });
    const { active, standby } = await settled(pair);
    pair.setLink(active, INSIDE, false);
    expect(pair.isUp(active, INSIDE)).toBe(false);
    await until(pair, () => pair.state(standby) === "active");
    pair.setLink(active, INSIDE, true);
    const again = await settled(pair);
    pair.step(again.active, { kind: "operator", command: "switchover", isForced: true });
    await until(pair, () => pair.state(again.standby) === "active");
  });
});

describe("what cannot start", () => {
  test("a configuration that is none", async () => {
    const { A } = configsOf();
    await expect(start({ configs: { A, B: "interface\n nonsense" } })).rejects.toBeInstanceOf(ConfigError);
  });

  test("a core that is none", async () => {
    const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    await expect(start({ module: empty })).rejects.toThrow("this is not the core");
  });
});
