/**
 * One instance of the core: its memory, laid out as memory.ts plans it, and its exports. The only file that knows that
 * the core is Wasm; everybody else sees bytes at addresses and calls that answer numbers.
 *
 * The memory is made once, as large as the capacity asks, and never grows: views of it stay valid for ever.
 */
import { instantiate, instantiateSync } from "@assemblyscript/loader";
import * as L from "../assembly/layout.js";
import { type MemoryPlan, PAGE_SIZE, REGIONS } from "./memory.js";

export {
  CAPACITY_BOUNDS,
  CAPACITY_DEFAULT,
  type Capacity,
  completeCapacity,
  type MemoryPlan,
  planMemory,
  type Region,
  type RegionName,
} from "./memory.js";

/** What the core exports. u32 results arrive signed. */
interface CoreExports extends Record<string, unknown> {
  layoutVersion(): number;
  attach(): number;
  activate(bank: number): number;
  process(count: number, nowMs: number): number;
  expire(nowMs: number, budget: number): number;
  flush(nowMs: number): number;
  remove(slot: number): number;
  setRole(role: number): void;
  setPeer(present: number): void;
  startBulk(low: number, high: number): void;
  scan(budget: number): void;
  tellHalfOpen(): void;
  writeRecords(budget: number): number;
  takeRecords(size: number): number;
  distrust(): void;
  attachLive(): void;
  putNeighbor(): number;
  dropNeighbor(): number;
  findNextHop(number: number, v6: number): number;
}

const EXPORTS: readonly (keyof CoreExports & string)[] = [
  "layoutVersion",
  "attach",
  "activate",
  "process",
  "expire",
  "flush",
  "remove",
  "setRole",
  "setPeer",
  "startBulk",
  "scan",
  "tellHalfOpen",
  "writeRecords",
  "takeRecords",
  "distrust",
  "attachLive",
  "putNeighbor",
  "dropNeighbor",
  "findNextHop",
];

/** WebAssembly.Module where the compiler knows it: TypeScript has it in its DOM library, which not every user has. */
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : never;

/** The compiled core, or its bytes. */
export type CoreSource = CompiledModule | Uint8Array | ArrayBuffer;

/** What an instance is made of. */
export interface CoreSetup {
  readonly plan: MemoryPlan;
  /** SEED_BYTES of hash keys that nobody else knows. */
  readonly seed: Uint8Array;
}

export const SEED_BYTES = L.SEEDS * 8;

/** What is wrong with the Wasm that was given, or with the memory that the machine gives. */
export class CoreError extends Error {
  override readonly name = "CoreError";
}

export class Core {
  readonly plan: MemoryPlan;
  /** The whole memory, in four widths. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly longs: BigUint64Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly #exports: CoreExports;

  private constructor(setup: CoreSetup, memory: WebAssembly.Memory, exports: CoreExports) {
    this.plan = setup.plan;
    this.#exports = exports;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.longs = new BigUint64Array(memory.buffer);
    this.view = new DataView(memory.buffer);
    // A core of another layout may export other functions, too: its layout says more.
    const version = typeof exports.layoutVersion === "function" ? exports.layoutVersion() >>> 0 : undefined;
    if (version !== undefined && version !== L.LAYOUT_VERSION) {
      throw new CoreError(`the core has memory layout ${version}, this package needs ${L.LAYOUT_VERSION}`);
    }
    const missing = EXPORTS.filter((name) => typeof exports[name] !== "function");
    if (missing.length > 0)
      throw new CoreError(`this is not the core: it does not export ${missing.join(", ")}`);
    this.bytes.set(setup.seed, L.STATE_AT + L.S_SEEDS);
    this.#describe();
    this.attach();
  }

  /** Instantiates the core over a memory of its own. Throws CoreError. */
  static async create(source: CoreSource, setup: CoreSetup): Promise<Core> {
    const memory = newMemory(setup.plan);
    try {
      return new Core(setup, memory, (await instantiate<CoreExports>(source, { env: { memory } })).exports);
    } catch (error) {
      throw asCoreError(error);
    }
  }

  /** The same at once, for callers that cannot wait; browsers refuse it for large modules on their main thread. */
  static createSync(source: CoreSource, setup: CoreSetup): Core {
    const memory = newMemory(setup.plan);
    try {
      return new Core(setup, memory, instantiateSync<CoreExports>(source, { env: { memory } }).exports);
    } catch (error) {
      throw asCoreError(error);
    }
  }

  /** A field of the state region, u32. */
  state(field: number): number {
    return this.words[(L.STATE_AT + field) >>> 2]!;
  }

  setState(field: number, value: number): void {
    this.words[(L.STATE_AT + field) >>> 2] = value;
  }

  /** A field of the state region, u64. */
  state64(field: number): bigint {
    return this.longs[(L.STATE_AT + field) >>> 3]!;
  }

  setState64(field: number, value: bigint): void {
    this.longs[(L.STATE_AT + field) >>> 3] = value;
  }

  /** Puts the image in a bank into force. 0: done; else the core's code of what is wrong with the image. */
  activate(bank: number): number {
    return this.#exports.activate(bank) >>> 0;
  }

  /** Decides descriptors 0..count-1; the number of outputs. */
  process(count: number, nowMs: number): number {
    return this.#exports.process(count, nowMs) >>> 0;
  }

  /** Runs the timers over `budget` groups; the number of outputs. */
  expire(nowMs: number, budget: number): number {
    return this.#exports.expire(nowMs, budget) >>> 0;
  }

  /** Gives up every held fragment; the number of outputs. */
  flush(nowMs: number): number {
    return this.#exports.flush(nowMs) >>> 0;
  }

  /** Deletes the session in a slot; whether there was one. */
  remove(slot: number): boolean {
    return this.#exports.remove(slot) !== 0;
  }

  /** Takes the role ROLE_*. */
  setRole(role: number): void {
    this.#exports.setRole(role);
  }

  /** A peer that takes records is there, or gone. */
  setPeer(isPresent: boolean): void {
    this.#exports.setPeer(isPresent ? 1 : 0);
  }

  /** Starts a bulk sync of the buckets whose bits are set. */
  startBulk(buckets: bigint): void {
    this.#exports.startBulk(Number(BigInt.asUintN(32, buckets)), Number(buckets >> 32n));
  }

  /** Looks through `groups` groups for sessions whose counters have moved. */
  scan(groups: number): void {
    this.#exports.scan(groups);
  }

  /** Keeps what the peer has not been told of half-open sessions, to be told. */
  tellHalfOpen(): void {
    this.#exports.tellHalfOpen();
  }

  /** Writes records, at most `budget` bytes; what was written, until the next call. */
  writeRecords(budget: number): Uint8Array {
    const length = this.#exports.writeRecords(budget) >>> 0;
    const { at } = this.plan.regions.syncOut;
    return this.bytes.subarray(at, at + length);
  }

  /** Takes the records of a peer, at most SYNC_IN_SIZE bytes; how many were applied. */
  takeRecords(records: Uint8Array): number {
    this.bytes.set(records, this.plan.regions.syncIn.at);
    return this.#exports.takeRecords(records.length) >>> 0;
  }

  /** Takes the TCP windows of all sessions for old. */
  distrust(): void {
    this.#exports.distrust();
  }

  /** Makes the core follow the live region, when that was written. */
  attachLive(): void {
    this.#exports.attachLive();
  }

  /** Puts the neighbour of S_NEIGHBOR into the table, or changes its MAC address; false: full. */
  putNeighbor(): boolean {
    return this.#exports.putNeighbor() !== 0;
  }

  /** Takes the neighbour of S_NEIGHBOR out of the table; whether it was there. */
  dropNeighbor(): boolean {
    return this.#exports.dropNeighbor() !== 0;
  }

  /** Puts the next hop toward the address in S_NEIGHBOR, out of an interface, into S_NEXT_HOP. */
  findNextHop(number: number, isV6: boolean): void {
    this.#exports.findNextHop(number, isV6 ? 1 : 0);
  }

  /** Requests that the last `takeRecords` left for the peer. */
  replies(): Uint8Array {
    const { at } = this.plan.regions.syncReply;
    return this.bytes.subarray(at, at + this.state(L.S_REPLIES));
  }

  /** A copy of everything that outlives a call: sessions, fragments, policies, counters, the clock, the hash keys. */
  copyState(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(L.STATE_AT, this.plan.regions.descriptors.at);
  }

  /** Bytes of such a copy. */
  get stateSize(): number {
    return this.plan.regions.descriptors.at - L.STATE_AT;
  }

  /** Takes over a copy made by an instance of the same capacity. */
  restoreState(copy: Uint8Array): void {
    this.bytes.set(copy, L.STATE_AT);
    this.#describe();
    this.attach();
  }

  /** Takes over everything that outlives a call from another instance of the same capacity. */
  copyFrom(original: Core): void {
    const { descriptors, live, bytes } = this.plan.regions;
    this.bytes.set(original.bytes.subarray(live.at, bytes.at), live.at);
    this.restoreState(original.bytes.subarray(L.STATE_AT, descriptors.at));
  }

  /** Makes the core follow the state region, when that was written from outside. */
  attach(): void {
    const problem = this.#exports.attach() >>> 0;
    if (problem !== 0) throw new CoreError(`the core refuses its memory (${problem})`);
  }

  /** Tells the core its capacity and where everything lies. */
  #describe(): void {
    const { capacity, groups, bankSize, regions, size } = this.plan;
    this.setState(L.S_MAGIC, L.STATE_MAGIC);
    this.setState(L.S_LAYOUT, L.LAYOUT_VERSION);
    this.setState(L.S_SESSIONS_MAX, capacity.sessions);
    this.setState(L.S_GROUPS, groups);
    this.setState(L.S_BATCH_MAX, capacity.batch);
    this.setState(L.S_HELD_MAX, capacity.fragments);
    this.setState(L.S_EVENTS_MAX, capacity.events);
    this.setState(L.S_RULES_MAX, capacity.rules);
    this.setState(L.S_BANK_SIZE, bankSize);
    for (const { name, field } of REGIONS) this.setState(field, regions[name].at);
    this.setState(L.S_BYTES_SIZE, regions.bytes.size);
    this.setState(L.S_MEMORY_SIZE, Math.min(size, 0xffffffff));
  }
}

function newMemory(plan: MemoryPlan): WebAssembly.Memory {
  const pages = plan.size / PAGE_SIZE;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    const megabytes = Math.ceil(plan.size / 2 ** 20);
    throw new CoreError(`the capacity needs ${megabytes} MiB of memory, which this machine does not give`);
  }
}

function asCoreError(error: unknown): CoreError {
  if (error instanceof CoreError) return error;
  return new CoreError(
    `the core cannot be instantiated: ${error instanceof Error ? error.message : String(error)}`,
  );
}
