/**
 * A pair of boxes, each in a thread of its own, and the host that brings them packets: see src/pair/hosted-box.ts for
 * what goes where. The host is also the switch of the networks.
 */
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import type { Config } from "../../config/model.js";
import { type CoreSource, SEED_BYTES } from "../../core.js";
import { type DataplaneOptions, prepare } from "../../prepare.js";
import type { NodeInput } from "../../node.js";
import {
  type BatchShape,
  type BatchWriter,
  newPacketRing,
  newVerdictRing,
  type Release,
  shapeOf,
  type Verdicts,
} from "../../pair/batch-slot.js";
import { BOX_NAMES, type BoxName } from "../../pair/boxes.js";
import { Control, newControl } from "../../pair/control.js";
import { newDatagramRing } from "../../pair/datagram-slot.js";
import type { Account } from "../../pair/hosted-box.js";
import { macsOf } from "../../pair/networks.js";
import type { RfState } from "../../redundancy/index.js";
import { readCoreFile } from "../wasm.js";
import { BoxThread, type RefusedCounters, type ThreadEvent, type ThreadStatus } from "./box-thread.js";
import { newClock, SharedClock } from "./clock.js";
import type { BoxData } from "./worker.js";

export type { RefusedCounters, ThreadEvent, ThreadStatus };

/** Batches that may wait for a box, and for the host. */
const BATCHES_MAX = 16;
/** Datagrams that may wait for a box; as in a socket, what is more is lost. */
const DATAGRAMS_MAX = 1024;
const SOFTWARE = "twinwall";
/** The host and both boxes. */
const THREADS = 1 + BOX_NAMES.length;

export interface ThreadsOptions {
  /** Running configurations as text, or parsed. */
  readonly configs: Readonly<Record<BoxName, string | Config>>;
  /** What both dataplanes are made with besides. */
  readonly dataplane?: Omit<DataplaneOptions, "config" | "module" | "nowMs" | "wallClock">;
  /** The compiled core or its bytes; without it, that of this package. */
  readonly module?: CoreSource;
  /** Name and version, which the boxes compare. */
  readonly software?: string;
  /** How many times as fast as the world the clock of the boxes goes; 1 unless given. */
  readonly clockRate?: number;
  /** A box that becomes active reports its sessions at that moment. */
  readonly isWatched?: boolean;
  readonly onEvent?: (event: ThreadEvent) => void;
}

/** Starts both boxes; resolves when they run. Rejects with ConfigError, CoreError, or what a thread died of. */
export async function startThreads(options: ThreadsOptions): Promise<Threads> {
  // In a take-over code runs for the first time. V8 compiles it in threads of its own, for which these would have to wait
  // where there are no cores to spare.
  if (availableParallelism() <= THREADS) setFlagsFromString("--no-concurrent-recompilation");
  const source = options.module ?? (await readCoreFile());
  // Compiled once for both threads, and for every life of theirs.
  const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(bufferOf(source));
  const threads = new Threads(options, module);
  try {
    await Promise.all(BOX_NAMES.map((box) => threads.boot(box)));
  } catch (error) {
    await threads.close();
    throw error;
  }
  return threads;
}

const bufferOf = (source: CoreSource): Uint8Array | ArrayBuffer => source as Uint8Array | ArrayBuffer;

/** A box, and what its configuration says. */
interface Hosted {
  readonly config: Config;
  readonly interfaces: readonly string[];
  readonly dataplane: BoxData["dataplane"];
  readonly thread: BoxThread;
}

export class Threads {
  readonly #control: Control;
  readonly #clock: SharedClock;
  readonly #shape: BatchShape;
  readonly #boxes: Readonly<Record<BoxName, Hosted>>;
  /** Who waits for news. */
  readonly #waiting = new Set<() => void>();

  /** For `startThreads`. */
  constructor(options: ThreadsOptions, module: CoreSource) {
    const { configs, software = SOFTWARE, isWatched = false, onEvent } = options;
    // Whatever is wrong with a configuration shows here, before there is a thread.
    const setups = BOX_NAMES.map((box) =>
      prepare({ ...options.dataplane, config: configs[box] }, () => new Uint8Array(SEED_BYTES)),
    );
    const { plan } = setups[0]!;
    const policies = setups.map(({ policy }) => policy);
    const control = newControl([...new Set(policies.flatMap(({ config }) => [...config.interfaces.keys()]))]);
    const clock = newClock(options.clockRate);
    this.#control = new Control(control);
    this.#clock = new SharedClock(clock);
    this.#shape = shapeOf(plan);
    const wires = BOX_NAMES.map(() => newDatagramRing(DATAGRAMS_MAX));
    const boxes = BOX_NAMES.map((name, i): Hosted => {
      const { config, numbering } = policies[i]!;
      const dataplane = { ...options.dataplane, config, module };
      const rings = {
        packets: newPacketRing(BATCHES_MAX, this.#shape),
        verdicts: newVerdictRing(BATCHES_MAX, this.#shape, plan.capacity.fragments),
        toPeer: wires[i]!,
        fromPeer: wires[1 - i]!,
      };
      const thread = new BoxThread({
        data: { name, dataplane, macs: macsOf(name, config), software, isWatched, control, clock, rings },
        shape: this.#shape,
        control: this.#control,
        nowMs: () => this.nowMs,
        onEvent: (event) => onEvent?.(event),
        onNews: () => this.#tellNews(),
      });
      return { config, interfaces: numbering.interfaces, dataplane, thread };
    });
    this.#boxes = { A: boxes[0]!, B: boxes[1]! };
  }

  // --- the clock of the boxes

  /** Its time, ms. */
  get nowMs(): number {
    return this.#clock.nowMs();
  }

  /** From now on it goes so many times as fast as the world's. */
  setClockRate(rate: number): void {
    this.#clock.setRate(rate);
    // Who sleeps has worked out for how long by the old rate.
    for (const name of BOX_NAMES) this.#control.noteChange(name);
  }

  /** How long `ms` on it take in the world. */
  realMs(ms: number): number {
    return this.#clock.realMs(ms);
  }

  // --- what the pair is made of

  /** What fits into a batch. */
  get shape(): BatchShape {
    return this.#shape;
  }

  /** Names of the interfaces of both boxes; those of one name are on one network. */
  get networks(): readonly string[] {
    return this.#control.networks;
  }

  /** The configuration of a box. */
  config(box: BoxName): Config {
    return this.#boxes[box].config;
  }

  /** What the dataplane of a box is made with. */
  dataplaneOptions(box: BoxName): BoxData["dataplane"] {
    return this.#boxes[box].dataplane;
  }

  /** Names of the interfaces of a box by their numbers; number 0 is no interface. */
  interfaces(box: BoxName): readonly string[] {
    return this.#boxes[box].interfaces;
  }

  // --- the boxes

  status(box: BoxName): ThreadStatus {
    return this.#boxes[box].thread.status;
  }

  /** The redundancy state that a box last reported; undefined: none in this life. */
  state(box: BoxName): RfState | undefined {
    return this.#boxes[box].thread.state;
  }

  refused(box: BoxName): RefusedCounters {
    return this.#boxes[box].thread.refused;
  }

  /** When a box sent its last HSRP packet, on the clock of the boxes; also of a dead one, for half an hour. */
  lastHelloMs(box: BoxName): number {
    return this.#control.lastHelloMs(box, this.nowMs);
  }

  /** Frames that a box was given and has not answered for. */
  unanswered(box: BoxName): number {
    return this.#boxes[box].thread.unanswered;
  }

  /** Frames that died with their box. Complete when the verdicts have been read. */
  framesLost(box: BoxName): number {
    return this.#boxes[box].thread.framesLost;
  }

  /** Starts a box that is dead, with an empty memory; resolves when it runs. Rejects with what the thread died of. */
  boot(box: BoxName): Promise<void> {
    return this.#boxes[box].thread.boot();
  }

  /** Ends the thread of a box where it stands; resolves when it has ended. */
  kill(box: BoxName): Promise<void> {
    return this.#boxes[box].thread.kill();
  }

  /** Has a box stop and read nothing any more; resolves when it stands still. */
  hang(box: BoxName): Promise<void> {
    return this.#boxes[box].thread.hang();
  }

  /** Lets a box that hangs go on: its timers are late, and what waited arrives. */
  wake(box: BoxName): void {
    this.#boxes[box].thread.wake();
  }

  /** What a box has, and has counted in this life; undefined: it is dead, or died before it could answer. */
  account(box: BoxName): Promise<Account | undefined> {
    return this.#boxes[box].thread.account();
  }

  /** Gives a box an input that is not a packet, like an operator's command. */
  step(box: BoxName, input: NodeInput): void {
    this.#boxes[box].thread.step(input);
  }

  /** Ends both threads. */
  async close(): Promise<void> {
    await Promise.all(BOX_NAMES.map((box) => this.#boxes[box].thread.close()));
  }

  // --- the networks

  /** The box that a frame for the virtual MAC address reaches on this network; undefined: nobody knows it yet. */
  owner(network: string): BoxName | undefined {
    return this.#control.owner(this.#control.numberOf(network));
  }

  isUp(box: BoxName, network: string): boolean {
    return !this.#control.isDown(this.#control.numberOf(network), box);
  }

  /** The link between a box and a network. */
  setLink(box: BoxName, network: string, isUp: boolean): void {
    this.#control.setDown(this.#control.numberOf(network), box, !isUp);
  }

  /** Whether anything goes from box to box over a network. */
  setCut(network: string, isCut: boolean): void {
    this.#control.setCut(this.#control.numberOf(network), isCut);
  }

  // --- batches, and waiting for what comes of them

  /**
   * Hands a box a batch: `fill` adds its frames. False: the box does not run, its ring is full (which is counted), or
   * nothing was added.
   */
  offer(box: BoxName, fill: (batch: BatchWriter) => void): boolean {
    return this.#boxes[box].thread.offer(fill);
  }

  /**
   * Hands over what a box has decided since the last call, and the first replies that may leave. How many batches those
   * were.
   */
  verdicts(box: BoxName, take: (verdicts: Verdicts) => void, release?: (release: Release) => void): number {
    return this.#boxes[box].thread.verdicts(take, release);
  }

  /** Resolves when there are verdicts or something has happened, at the latest after so long. */
  async arrival(timeoutMs: number): Promise<void> {
    this.#control.setHostAsleep(true);
    if (BOX_NAMES.some((box) => this.#boxes[box].thread.hasVerdicts()))
      await new Promise((resolve) => setImmediate(resolve));
    else await this.#news(timeoutMs);
    this.#control.setHostAsleep(false);
  }

  /** Waits until one box is active and the other has all sessions. False: that took longer, or a box is dead. */
  async settled(timeoutMs: number): Promise<boolean> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const states = BOX_NAMES.map((box) => this.state(box));
      if (states.includes("active") && states.includes("standbyHot")) return true;
      const restMs = deadlineMs - performance.now();
      if (restMs <= 0 || BOX_NAMES.some((box) => this.status(box) === "dead")) return false;
      await this.#news(restMs);
    }
  }

  /** Resolves when a box has reported something, at the latest after so long. */
  async #news(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }

  #tellNews(): void {
    for (const done of this.#waiting) done();
  }
}
