/**
 * Everybody who does the work, each with a table of its own and all with the same frames: the product, plain
 * JavaScript, the native reference, and the baseline of one load a packet. Sessions come into the tables as in life, by
 * their handshakes.
 */
import type { Core, CoreSource } from "../src/core.js";
import type { Built } from "./build.js";
import { type Engine, makeFirewall, type Tallies } from "./engine.js";
import { type Extras, makeExtras } from "./extras.js";
import { JavascriptFirewall } from "./javascript/firewall.js";
import { type Contender, inProcess } from "./measure.js";
import { Native } from "./native.js";
import { BATCH } from "./policy.js";
import { isTcp, isV6, OPENING, type Phase, type Protocol, Ring, RING_FRAMES } from "./ring.js";

/** Frames that are timed at a time: half of the ring. The other half goes before them, as Benchmark.js tries out. */
export const SEGMENT = RING_FRAMES / 2;
const START_MS = 1_000_000;

/** What the benchmarks run on. */
export interface Workshop {
  readonly built: Built;
  readonly core: CoreSource;
  /** Another build of the core, to be measured beside it. */
  readonly against: CoreSource | undefined;
}

/** One who does the work, where its frames lie, and its clock. */
export interface Lane {
  readonly engine: Engine;
  readonly ring: Ring;
  nowMs: number;
}

/** A stream of frames without end. */
export interface Stream {
  readonly flowOf: (place: number) => number;
  /** Frames of a call. */
  readonly batch: number;
  /** Not timed, between two rounds of the ring: the clock moves on by so much, and what is due then goes. */
  readonly settleMs?: number;
}

export class Testbed {
  readonly core: Core;
  readonly extras: Extras;
  /** Those in this process that keep sessions; the product is the first. */
  readonly lanes: readonly Lane[];
  readonly native: Native | undefined;
  #nativeMs = START_MS;

  constructor({ built, core, against }: Workshop, protocol: Protocol, sessions: number) {
    const firewall = makeFirewall(core, sessions);
    const ring = new Ring(firewall.core, protocol);
    const lane = (engine: Engine, its: Ring): Lane => ({ engine, ring: its, nowMs: START_MS });
    const lanes = [lane(firewall, ring), lane(new JavascriptFirewall(firewall.core, isV6(protocol)), ring)];
    if (against !== undefined) {
      const other = makeFirewall(against, sessions);
      lanes.push(lane({ ...other, name: "against" }, new Ring(other.core, protocol)));
    }
    this.core = firewall.core;
    this.extras = makeExtras(built.extras, firewall);
    this.lanes = lanes;
    this.native = built.native && new Native(built.directory, built.native.path, firewall.core);
  }

  /** The ring that everybody but another build of the core reads. */
  get ring(): Ring {
    return this.lanes[0]!.ring;
  }

  /** Writes the constant part of the frames, for everybody. */
  prepare(phase: Phase): void {
    for (const ring of new Set(this.lanes.map((each) => each.ring))) ring.prepare(phase);
    this.native?.setSlots(this.ring);
  }

  /** Brings the flows from `first` on through their handshakes, into every table. */
  async open(first: number, count: number): Promise<void> {
    for (const phase of OPENING[isTcp(this.ring.protocol) ? "tcp" : "udp"]) {
      this.prepare(phase);
      for (const lane of this.lanes) this.sendEach(lane, first, count);
      await this.sendEachNative(first, count);
    }
  }

  /** Sends one frame of each flow from `first` on through one of us. */
  sendEach({ engine, ring, nowMs }: Lane, first: number, count: number): void {
    for (let done = 0; done < count; done += RING_FRAMES) {
      const frames = Math.min(RING_FRAMES, count - done);
      ring.fill((place) => place, first + done, 0, frames);
      drive(engine, ring, 0, frames, BATCH, nowMs);
    }
  }

  async sendEachNative(first: number, count: number): Promise<void> {
    for (let done = 0; this.native && done < count; done += RING_FRAMES) {
      const frames = Math.min(RING_FRAMES, count - done);
      this.ring.fill((place) => place, first + done, 0, frames);
      this.native.setFrames();
      await this.native.run(`process 0 ${frames} ${BATCH} ${this.#nativeMs}`);
    }
  }

  /** Everybody on the same stream; ns a frame. */
  contenders(stream: Stream): Contender[] {
    const { ring } = this;
    const touch: Engine = {
      ...this.lanes[0]!.engine,
      name: "touch",
      process: (count) => void this.extras.touch(count),
      expire: () => {},
    };
    const all = [...this.lanes, { engine: touch, ring, nowMs: START_MS }].map((lane) => streamOf(lane, stream));
    if (this.native) all.push(this.#nativeStream(this.native, stream));
    return all;
  }

  #nativeStream(native: Native, { flowOf, batch, settleMs }: Stream): Contender {
    let place = 0;
    return {
      name: "native",
      sample: async (count) => {
        const times: number[] = [];
        while (times.length < count) {
          if (settleMs !== undefined && place > 0) {
            this.#nativeMs += settleMs;
            await native.run(`expire ${this.#nativeMs} ${this.core.plan.groups}`);
          }
          this.ring.fill(flowOf, place);
          place += RING_FRAMES;
          native.setFrames();
          await native.run(`process 0 ${SEGMENT} ${batch} ${this.#nativeMs}`);
          const ns = await native.run(`process ${SEGMENT} ${SEGMENT} ${batch} ${this.#nativeMs}`);
          times.push(ns / SEGMENT);
        }
        return times;
      },
    };
  }

  /** Throws unless everybody who keeps sessions has come to the same results. */
  async verify(): Promise<Tallies> {
    const [expected, ...others] = this.lanes.map(({ engine }) => ({ name: engine.name, tallies: engine.tallies() }));
    if (this.native) others.push({ name: "native", tallies: await this.native.tallies() });
    const wanted = describe(expected!.tallies);
    for (const { name, tallies } of others) {
      const found = describe(tallies);
      if (found !== wanted) throw new Error(`${name} differs from the product:\n  ${found}\n  ${wanted}`);
    }
    return expected!.tallies;
  }

  close(): void {
    this.native?.close();
  }
}

function describe({ reasons, ...table }: Tallies): string {
  return JSON.stringify({ ...table, reasons: [...reasons].sort(([a], [b]) => a - b) });
}

/** Sends the frames of the ring from `first` on through an engine. */
export function drive(
  engine: Engine,
  ring: Ring,
  first: number,
  count: number,
  batch: number,
  nowMs: number,
): void {
  for (let done = 0; done < count; done += batch) {
    const frames = Math.min(batch, count - done);
    ring.describe(first + done, frames);
    engine.process(frames, nowMs);
  }
}

function streamOf(lane: Lane, { flowOf, batch, settleMs }: Stream): Contender {
  const { engine, ring } = lane;
  let place = 0;
  let first = 0;
  const run = (): void => {
    drive(engine, ring, first, SEGMENT, batch, lane.nowMs);
    first += SEGMENT;
  };
  return inProcess(engine.name, SEGMENT, run, () => {
    if (settleMs !== undefined && place > 0) {
      lane.nowMs += settleMs;
      engine.expire(lane.nowMs, ring.groups);
    }
    ring.fill(flowOf, place);
    place += RING_FRAMES;
    first = 0;
  });
}
