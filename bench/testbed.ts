/**
 * Everybody who does the work, each with a table of its own and all with the same frames: the product, plain
 * JavaScript, the native reference, and the baseline of one load a packet. Sessions come into the tables as in life, by
 * their handshakes.
 */
import * as L from "../assembly/layout.js";
import type { Core, CoreSource } from "../src/core.js";
import { reasonOf } from "../src/reasons.js";
import type { Built } from "./build.js";
import { type Engine, makeFirewall, type Tallies } from "./engine.js";
import { type Extras, makeExtras } from "./extras.js";
import { JavascriptFirewall } from "./javascript/firewall.js";
import { type Contender, inProcess, type RaceOptions } from "./measure.js";
import { Native } from "./native.js";
import { BATCH, BATCH_MAX } from "./policy.js";
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
  /** How much is measured over a table of that size. */
  effort(sessions: number): RaceOptions;
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
  /** Instead of deciding about the frames: what those who can do it do, by their names. */
  readonly work?: ReadonlyMap<string, (count: number) => void>;
  /** The same for the native reference: its command for frames. */
  readonly nativeWork?: (first: number, count: number) => string;
}

export class Testbed {
  readonly core: Core;
  readonly extras: Extras;
  readonly javascript: JavascriptFirewall;
  /** Those in this process that keep sessions; the product is the first. */
  readonly lanes: readonly Lane[];
  readonly native: Native | undefined;
  /** The clock of the native reference. */
  nativeMs = START_MS;

  constructor({ built, core, against }: Workshop, protocol: Protocol, sessions: number) {
    const firewall = makeFirewall(core, sessions);
    const ring = new Ring(firewall.core, protocol);
    const lane = (engine: Engine, its: Ring): Lane => ({ engine, ring: its, nowMs: START_MS });
    this.javascript = new JavascriptFirewall(firewall.core, isV6(protocol));
    const lanes = [lane(firewall, ring), lane(this.javascript, ring)];
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

  /** All rings. */
  get rings(): ReadonlySet<Ring> {
    return new Set(this.lanes.map(({ ring }) => ring));
  }

  /** Writes the constant part of the frames, for everybody. */
  prepare(phase: Phase): void {
    for (const ring of this.rings) ring.prepare(phase);
    this.native?.setSlots(this.ring);
  }

  /** Brings the flows from `first` on through their handshakes, into every table. */
  async open(first: number, count: number): Promise<void> {
    for (const phase of OPENING[isTcp(this.ring.protocol) ? "tcp" : "udp"])
      await this.sendAll(phase, first, count);
  }

  /** Sends one frame of each flow from `first` on through everybody. */
  async sendAll(phase: Phase, first: number, count: number): Promise<void> {
    this.prepare(phase);
    for (const lane of this.lanes) this.sendEach(lane, first, count);
    await this.sendEachNative(first, count);
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
      await this.native.run(`process 0 ${frames} ${BATCH} ${this.nativeMs}`);
    }
  }

  /** Everybody on the same stream; ns a frame. */
  contenders(stream: Stream): Contender[] {
    const { ring } = this;
    const touch: Engine = { ...IDLE, name: "touch", process: (count) => void this.extras.touch(count) };
    const all = [...this.lanes, { engine: touch, ring, nowMs: START_MS }].map((lane) => {
      const process = stream.work?.get(lane.engine.name);
      return streamOf(
        process ? { ...lane, engine: { ...IDLE, name: lane.engine.name, process } } : lane,
        stream,
      );
    });
    if (this.native) all.push(this.#nativeStream(this.native, stream));
    return all;
  }

  #nativeStream(native: Native, { flowOf, batch, settleMs, nativeWork }: Stream): Contender {
    const command = nativeWork ?? ((first, count) => `process ${first} ${count} ${batch} ${this.nativeMs}`);
    let place = 0;
    return {
      name: "native",
      sample: async (count) => {
        const times: number[] = [];
        while (times.length < count) {
          if (settleMs !== undefined && place > 0) {
            this.nativeMs += settleMs;
            await native.run(`expire ${this.nativeMs} ${this.core.plan.groups}`);
          }
          this.ring.fill(flowOf, place);
          place += RING_FRAMES;
          native.setFrames();
          await native.run(command(0, SEGMENT));
          times.push((await native.run(command(SEGMENT, SEGMENT))) / SEGMENT);
        }
        return times;
      },
    };
  }

  /**
   * Sends the frames of the rings as they are, which must be alike, through everybody; throws at the first one about which they disagree.
   */
  async compare(): Promise<void> {
    this.native?.setSlots(this.ring);
    this.native?.setFrames();
    for (let first = 0; first < RING_FRAMES; first += BATCH_MAX) {
      const [expected, ...others] = this.lanes.map(({ engine, ring, nowMs }) => {
        drive(engine, ring, first, BATCH_MAX, BATCH_MAX, nowMs);
        return { name: engine.name, results: ring.descriptors(BATCH_MAX) };
      });
      if (this.native) {
        await this.native.run(`process ${first} ${BATCH_MAX} ${BATCH_MAX} ${this.nativeMs}`);
        others.push({ name: "native", results: this.native.descriptors(BATCH_MAX) });
      }
      for (const { name, results } of others) {
        for (let i = 0; i < BATCH_MAX; i++) {
          const differs = COMPARED.find(
            (field) => results[i * L.DESC_SIZE + field] !== expected!.results[i * L.DESC_SIZE + field],
          );
          if (differs !== undefined)
            throw new Error(disagreement(name, first + i, i, results, expected!.results));
        }
      }
    }
  }

  /** Throws unless everybody who keeps sessions has come to the same results. */
  async verify(): Promise<Tallies> {
    const [expected, ...others] = this.lanes.map(({ engine }) => ({
      name: engine.name,
      tallies: engine.tallies(),
    }));
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

/** An engine that only processes. */
const IDLE: Omit<Engine, "name" | "process"> = {
  expire: () => {},
  tallies: () => ({ sessions: 0, created: 0, evicted: 0, expired: 0, reasons: new Map() }),
};

/** Bytes of a descriptor that everybody writes alike. */
const COMPARED = [L.D_INGRESS, L.D_VERDICT, L.D_REASON, L.D_EGRESS, L.D_SIDE, L.D_PROTOCOL];

function disagreement(
  name: string,
  slot: number,
  i: number,
  found: Uint8Array,
  expected: Uint8Array,
): string {
  const at = (bytes: Uint8Array): string =>
    `verdict ${bytes[i * L.DESC_SIZE + L.D_VERDICT]}, reason ${reasonOf(bytes[i * L.DESC_SIZE + L.D_REASON]!).name}`;
  return `frame ${slot}: ${name} says ${at(found)}; the product says ${at(expected)}`;
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
