/**
 * What do a new session and its end cost, and what does a flood of SYNs against a full table?
 *
 *   create    SYNs of new flows into a table with N open sessions and room for as many as come
 *   expire    a visit to every group of a table of N half-open sessions, all of which are due; per session
 *   flood     SYNs of new flows into a table full of half-open sessions: each evicts the oldest
 */
import type { Contender } from "./measure.js";
import { inProcess } from "./measure.js";
import { BATCH, HALF_OPEN_MS } from "./policy.js";
import { measureRow, type Question, type Row } from "./report.js";
import { RING_FRAMES } from "./ring.js";
import { type Lane, Testbed, type Workshop } from "./testbed.js";

const SIZES = [65536, 1048576];
const KINDS = ["create", "expire", "flood"] as const;
type Kind = (typeof KINDS)[number];

export const sessions = (workshop: Workshop): Question => {
  const cases = KINDS.flatMap((kind) => SIZES.map((size) => ({ kind, size, name: `${kind}/tcp/${size}` })));
  return {
    names: cases.map(({ name }) => name),
    async *measure(wanted) {
      for (const { name, kind, size } of cases)
        if (wanted(name)) yield await MEASURES[kind](workshop, name, size);
    },
  };
};

const MEASURES: Readonly<Record<Kind, (workshop: Workshop, name: string, size: number) => Promise<Row>>> = {
  create: measureCreation,
  expire: measureExpiry,
  flood: measureFlood,
};

async function measureCreation(workshop: Workshop, name: string, size: number): Promise<Row> {
  const bed = new Testbed(workshop, "tcp", size + RING_FRAMES);
  try {
    await bed.open(0, size);
    bed.prepare("open");
    const stream = { flowOf: (place: number) => size + place, batch: BATCH, settleMs: HALF_OPEN_MS };
    const row = await measureRow(name, bed.contenders(stream), workshop.effort(size));
    await bed.verify();
    return row;
  } finally {
    bed.close();
  }
}

async function measureFlood(workshop: Workshop, name: string, size: number): Promise<Row> {
  const bed = new Testbed(workshop, "tcp", size);
  try {
    await bed.sendAll("open", 0, size);
    const stream = { flowOf: (place: number) => size + place, batch: BATCH };
    const row = await measureRow(name, bed.contenders(stream), workshop.effort(size));
    const { sessions: left, evicted } = await bed.verify();
    if (left !== size || evicted === 0)
      throw new Error(`the table was not full: ${left} sessions, ${evicted} evicted`);
    return row;
  } finally {
    bed.close();
  }
}

async function measureExpiry(workshop: Workshop, name: string, size: number): Promise<Row> {
  const bed = new Testbed(workshop, "tcp", size);
  try {
    bed.prepare("open");
    const contenders = bed.lanes.map((lane) => expiryOf(bed, lane, size));
    const native = nativeExpiry(bed, size);
    const all = native === undefined ? contenders : [...contenders, native];
    const row = await measureRow(name, all, workshop.effort(size));
    const { sessions: left, created, expired } = await bed.verify();
    if (left !== 0 || created !== expired) throw new Error(`${left} of ${created} sessions are left`);
    return row;
  } finally {
    bed.close();
  }
}

/** Half of the table at a time, so that the try before the sample leaves it something to do. */
function expiryOf(bed: Testbed, lane: Lane, size: number): Contender {
  const half = Math.ceil(bed.core.plan.groups / 2);
  const run = (): void => lane.engine.expire(lane.nowMs, half);
  return inProcess(lane.engine.name, size / 2, run, () => {
    bed.sendEach(lane, 0, size);
    lane.nowMs += HALF_OPEN_MS;
  });
}

function nativeExpiry(bed: Testbed, size: number): Contender | undefined {
  const { native } = bed;
  if (native === undefined) return undefined;
  const half = Math.ceil(bed.core.plan.groups / 2);
  return {
    name: "native",
    async sample(count) {
      const times: number[] = [];
      while (times.length < count) {
        await bed.sendEachNative(0, size);
        bed.nativeMs += HALF_OPEN_MS;
        await native.run(`expire ${bed.nativeMs} ${half}`);
        times.push((await native.run(`expire ${bed.nativeMs} ${half}`)) / (size / 2));
      }
      return times;
    },
  };
}
