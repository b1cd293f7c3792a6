/** All sessions from one thread to another: the records by a ring alone, and through a whole pair. */
import * as L from "../assembly/layout.js";
import { startThreads, type Threads } from "../src/io/pair/threads.js";
import { BOX_NAMES, peerOf } from "../src/pair/boxes.js";
import { newRing, type RingMemory } from "../src/ring.js";
import { configsOf } from "../test/threads/configs.js";
import { makeDataplane } from "./boxes.js";
import { blockOf } from "./block.js";
import type { Row } from "./report.js";
import { OPENING, Ring, RING_FRAMES } from "./ring.js";
import { bulkRow } from "./samples.js";
import type { Workshop } from "./testbed.js";
import { BenchWorker } from "./worker.js";

/** What each of the two threads is started with. */
export interface BulkData {
  readonly core: Workshop["core"];
  readonly isActive: boolean;
  readonly sessions: number;
  readonly ring: RingMemory;
}

/** Getting ready; one bulk sync. */
export type BulkRequest = "prepare" | "run";

/** When it was over, or begun, on the clock of all threads; what was taken, or told. */
export interface BulkAnswer {
  readonly atMs: number;
  readonly records: number;
}

const ROUNDS = 9;
/** Blocks of records that may be under way. */
const SLOTS = 8;
const WORKER = new URL("./bulk-worker.ts", import.meta.url);

export async function bulkThreads({ core }: Workshop, name: string, sessions: number): Promise<Row> {
  const ring = newRing(SLOTS, L.SYNC_OUT_SIZE);
  const [active, standby] = [true, false].map(
    (isActive) =>
      new BenchWorker<BulkRequest, BulkAnswer>(WORKER, { core, isActive, sessions, ring } satisfies BulkData),
  );
  try {
    const samples: number[] = [];
    await Promise.all([active!.ask("prepare"), standby!.ask("prepare")]);
    for (let round = 0; round < ROUNDS; round++) {
      const [begun, ended] = await Promise.all([active!.ask("run"), standby!.ask("run")]);
      if (ended.records < sessions) throw new Error(`of ${sessions} sessions ${ended.records} were taken`);
      samples.push(((ended.atMs - begun.atMs) * 1e6) / sessions);
      await standby!.ask("prepare");
    }
    return bulkRow(name, samples, "two threads");
  } finally {
    await Promise.all([active!.close(), standby!.close()]);
  }
}

/** Sessions of the whole pair: its association carries far fewer records. */
const PAIR_SIZE = 131072;
const PAIR_ROUNDS = 3;
const PAIR_BATCH = 256;
const SETTLE_MS = 60_000;

export async function bulkPair({ core }: Workshop, name: string): Promise<Row> {
  const stateMs = new Map<string, number>();
  const threads = await startThreads({
    configs: configsOf({ timers: "1 3", update: "seconds 10" }),
    module: core,
    dataplane: { capacity: { sessions: PAIR_SIZE, batch: PAIR_BATCH, fragments: 16 } },
    onEvent: (event) => {
      if (event.kind === "action" && event.action.kind === "state" && "own" in event.action)
        stateMs.set(event.action.own, event.atMs);
    },
  });
  try {
    if (!(await threads.settled(SETTLE_MS))) throw new Error("the pair does not come up");
    const active = BOX_NAMES.find((box) => threads.state(box) === "active")!;
    const standby = peerOf(active);
    await threads.kill(standby);
    await openThrough(core, threads, active);
    const samples: number[] = [];
    for (let round = 0; round < PAIR_ROUNDS; round++) {
      await threads.kill(standby);
      await threads.boot(standby);
      if (!(await threads.settled(SETTLE_MS))) throw new Error("the standby does not get its sessions");
      const account = await threads.account(standby);
      if (account!.sessions.length !== PAIR_SIZE) throw new Error(`${account!.sessions.length} sessions`);
      samples.push(((stateMs.get("standbyHot")! - stateMs.get("standbyColdBulk")!) * 1e6) / PAIR_SIZE);
    }
    return bulkRow(name, samples, "two threads, with envelope and SCTP");
  } finally {
    await threads.close();
  }
}

/** Opens UDP sessions through a box of the pair. */
async function openThrough(core: Workshop["core"], threads: Threads, box: "A" | "B"): Promise<void> {
  const firewall = makeDataplane(core, box, L.SESSIONS_MIN, { isAlone: true });
  const ring = new Ring(firewall.core, "udp");
  for (const phase of OPENING.udp) {
    ring.prepare(phase);
    for (let first = 0; first < PAIR_SIZE; first += RING_FRAMES) {
      ring.fill((place) => place, first, 0, RING_FRAMES);
      for (let done = 0; done < RING_FRAMES; ) {
        const { descriptors, bytes } = blockOf(firewall.core, ring, done, PAIR_BATCH);
        if (threads.offer(box, (batch) => batch.load(descriptors, bytes))) done += PAIR_BATCH;
        else await threads.arrival(1);
        threads.verdicts(box, () => {});
      }
    }
  }
  while (threads.unanswered(box) > 0) {
    await threads.arrival(1);
    threads.verdicts(box, () => {});
  }
}
