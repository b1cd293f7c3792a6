/**
 * What does it cost to hand packets from one thread to another?
 *
 *   handoff/FRAMES  batches of so many frames through the packet ring of a box into the core of another thread, beside
 *                   one end's copying alone: both ends copy at the same time
 *   box/FRAMES      the whole way: from the host to the thread of the active box, which decides them, and the verdicts
 *                   back; beside deciding them in this thread
 */
import * as L from "../assembly/layout.js";
import type { Core } from "../src/core.js";
import { startThreads, type Threads } from "../src/io/pair/threads.js";
import { BatchWriter, type BatchShape, newPacketRing } from "../src/pair/batch-slot.js";
import { BOX_NAMES, type BoxName } from "../src/pair/boxes.js";
import type { RingMemory } from "../src/ring.js";
import { configsOf } from "../test/threads/configs.js";
import { type Block, blockOf } from "./block.js";
import { engineOf, makeDataplane } from "./boxes.js";
import { type Contender, race } from "./measure.js";
import { digits, PRODUCT, type Question, type Row, rowOf } from "./report.js";
import { OPENING, Ring, RING_SLOT, randomFlow } from "./ring.js";
import { drive, SEGMENT, type Workshop } from "./testbed.js";
import { BenchWorker, spinUntil } from "./worker.js";

const HANDOFF_SIZES = [1, 32, 256];
const BOX_SIZES = [32];
const SESSIONS = 1024;
const SLOTS = 64;
const COPYING = "copying";
const ALONE = "one thread";
const SETTLE_MS = 60_000;
const WORKER = new URL("./handoff-worker.ts", import.meta.url);

/** What the reading thread is started with. */
export interface HandoffData {
  readonly core: Workshop["core"];
  readonly packets: RingMemory;
  readonly shape: BatchShape;
}

/** ns that a row takes more than what it is beside. */
export function beyondOf({ nsPerOperation, beside }: Row): number | undefined {
  return beside && nsPerOperation - nsPerOperation / beside.times;
}

export const handoff = (workshop: Workshop): Question => {
  const cases = [
    ...HANDOFF_SIZES.map((size) => ({ name: `handoff/${size}`, size, measure: measureHandoff })),
    ...BOX_SIZES.map((size) => ({ name: `box/${size}`, size, measure: measureBox })),
  ];
  return {
    names: cases.map(({ name }) => name),
    async *measure(wanted) {
      for (const { name, size, measure } of cases)
        if (wanted(name)) yield await measure(workshop, name, size);
    },
  };
};

/** The first frames of a ring in batches. */
function blocksOf(core: Core, ring: Ring, frames: number, size: number): Block[] {
  return Array.from({ length: frames / size }, (_, i) => blockOf(core, ring, i * size, size));
}

/** Work that is timed as a whole. */
function timed(name: string, operations: number, run: () => void): Contender {
  return {
    name,
    sample: async (count) =>
      Array.from({ length: count }, () => {
        const start = process.hrtime.bigint();
        run();
        return Number(process.hrtime.bigint() - start) / operations;
      }),
  };
}

/** Has a box decide all batches; all of their frames must pass. */
function decideThere(threads: Threads, box: BoxName, blocks: readonly Block[], frames: number): void {
  let passed = 0;
  let answered = 0;
  let next = 0;
  while (answered < blocks.length) {
    const block = blocks[next];
    if (block !== undefined && threads.offer(box, (batch) => void batch.load(block.descriptors, block.bytes)))
      next++;
    answered += threads.verdicts(box, (verdicts) => {
      for (let i = 0; i < verdicts.outputs; i++) {
        if (verdicts.verdictCode(i) === L.VERDICT_PASS) passed++;
      }
    });
  }
  if (passed !== frames) throw new Error(`of ${frames} frames ${passed} passed`);
}

async function measureHandoff(workshop: Workshop, name: string, size: number): Promise<Row> {
  const { core } = makeDataplane(workshop.core, "A", SESSIONS, { isAlone: true });
  const ring = new Ring(core, "tcp");
  ring.prepare("data");
  ring.fill(randomFlow(SESSIONS), 0);
  const blocks = blocksOf(core, ring, SEGMENT, size);
  const shape = { frames: size, bytes: size * RING_SLOT };
  const packets = newPacketRing(SLOTS, shape);
  const batches = new BatchWriter(packets, shape);
  const alone = new BatchWriter(newPacketRing(SLOTS, shape), shape);
  const reader = new BenchWorker<number, number>(WORKER, {
    core: workshop.core,
    packets,
    shape,
  } satisfies HandoffData);
  try {
    const handedOver: Contender = {
      name: PRODUCT,
      sample: async (count) => {
        const times: number[] = [];
        const open = (): boolean => batches.open();
        while (times.length < count) {
          const taken = reader.ask(blocks.length);
          // The reader is awake when it has taken a first batch.
          batches.open();
          batches.load(blocks[0]!.descriptors, blocks[0]!.bytes);
          batches.publish();
          spinUntil(() => batches.waiting === 0);
          const start = process.hrtime.bigint();
          for (let i = 1; i < blocks.length; i++) {
            spinUntil(open);
            batches.load(blocks[i]!.descriptors, blocks[i]!.bytes);
            batches.publish();
          }
          spinUntil(() => batches.waiting === 0);
          times.push(Number(process.hrtime.bigint() - start) / (SEGMENT - size));
          if ((await taken) !== SEGMENT) throw new Error("frames were lost on the way");
        }
        return times;
      },
    };
    const copied = timed(COPYING, SEGMENT, () => {
      for (const { descriptors, bytes } of blocks) {
        alone.open();
        alone.load(descriptors, bytes);
      }
    });
    const figures = await race([handedOver, copied], workshop.effort(SESSIONS));
    const row = rowOf(name, figures, PRODUCT, COPYING);
    return { ...row, note: `${digits(beyondOf(row)!)} ns beyond it` };
  } finally {
    await reader.close();
  }
}

async function measureBox(workshop: Workshop, name: string, size: number): Promise<Row> {
  const threads = await startThreads({
    configs: configsOf({ timers: "1 3", update: "seconds 10" }),
    module: workshop.core,
    dataplane: { capacity: { sessions: SESSIONS, batch: size, fragments: 16 } },
  });
  try {
    if (!(await threads.settled(SETTLE_MS))) throw new Error("the pair does not come up");
    const box = BOX_NAMES.find((each) => threads.state(each) === "active")!;
    const { core } = makeDataplane(workshop.core, "A", SESSIONS, { isAlone: true });
    const alone = engineOf(ALONE, (count, nowMs) => void core.process(count, nowMs));
    const ring = new Ring(core, "tcp");
    for (const phase of OPENING.tcp) {
      ring.prepare(phase);
      ring.fill((place) => place, 0, 0, SESSIONS);
      drive(alone, ring, 0, SESSIONS, size, 0);
      decideThere(threads, box, blocksOf(core, ring, SESSIONS, size), SESSIONS);
    }
    ring.prepare("data");
    ring.fill(randomFlow(SESSIONS), 0);
    const blocks = blocksOf(core, ring, SEGMENT, size);
    const there = timed(PRODUCT, SEGMENT, () => decideThere(threads, box, blocks, SEGMENT));
    const here = timed(ALONE, SEGMENT, () => drive(alone, ring, 0, SEGMENT, size, 0));
    return rowOf(name, await race([there, here], workshop.effort(SESSIONS)), PRODUCT, ALONE);
  } finally {
    await threads.close();
  }
}
