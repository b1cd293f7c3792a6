/**
 * One instance of the core: from a capacity to the addresses of its regions, its memory and its exports. The only
 * file that knows that the core is Wasm; everybody else sees bytes at addresses and calls that answer numbers.
 *
 * The memory is made once, as large as the capacity asks, and never grows: views of it stay valid for ever.
 */
import { instantiate, instantiateSync } from "@assemblyscript/loader";
import * as L from "../assembly/layout.js";

/** How much one instance can hold; chosen when it is made, fixed from then on. */
export interface Capacity {
  /** Sessions that exist at a time. */
  sessions: number;
  /** Entries of all access lists in use together. */
  rules: number;
  /** Frames of one call. */
  batch: number;
  /** Frames that may wait for the rest of their datagram. */
  fragments: number;
  /** Events that one call can report. */
  events: number;
  /** Frames of BUFFER_SIZE bytes that packet input and output may lend to a batch. */
  buffers: number;
}

export const CAPACITY_DEFAULT: Readonly<Capacity> = {
  sessions: 65536,
  rules: 4096,
  batch: 256,
  fragments: 256,
  events: 1024,
  buffers: 0,
};

/** Least and most of each. */
export const CAPACITY_BOUNDS: {
  readonly [K in keyof Capacity]: { readonly min: number; readonly max: number };
} = {
  sessions: { min: L.SESSIONS_MIN, max: L.SESSIONS_LIMIT },
  rules: { min: 1, max: 65536 },
  batch: { min: 1, max: L.BATCH_LIMIT },
  fragments: { min: 16, max: 65536 },
  events: { min: 16, max: 65536 },
  buffers: { min: 0, max: 65536 },
};

/** Regions start at multiples of a cache line, but for one that the kernel shares: that starts at one of its pages. */
const ALIGNMENT = 64;
const KERNEL_PAGE_SIZE = 4096;
const PAGE_SIZE = 65536;
const MEMORY_PAGES_MAX = 65536;
/** The bytes of a frame may be read a few words past its end. */
const READ_SLACK = 64;
/** Mean frame that a batch has room for. */
const FRAME_ROOM = 2048;
/** Room for each access list entry: what its compiled form takes in lists of all kinds, with a margin. */
const RULE_ROOM = 256;
/** Room for everything in a policy that does not depend on the number of rules. */
const POLICY_ROOM = Math.max(
  L.POLICY_IMAGE_MIN,
  L.POLICY_HEADER_SIZE +
    L.INTERFACES_MAX * L.INTERFACE_SIZE +
    L.ROUTES_MAX * (L.ROUTE4_SIZE + L.ROUTE6_SIZE) +
    L.SPANS_MAX * (L.SPAN4_SIZE + L.SPAN6_SIZE + 2 * L.SPAN_ROUTE_SIZE) +
    L.POLICY_IMAGE_MIN,
);

const align = (size: number, to = ALIGNMENT): number => Math.ceil(size / to) * to;

/** Groups of slots that `sessions` need, so that the table is never too full to search. */
const groupsOf = (capacity: Capacity): number => Math.ceil(capacity.sessions / L.GROUP_FILL);
const bankSizeOf = (capacity: Capacity): number => align(POLICY_ROOM + capacity.rules * RULE_ROOM);
/** What a batch may fill, without the place of the one frame that is only explained. */
const batchBytesOf = (capacity: Capacity): number =>
  align(Math.max(capacity.batch * FRAME_ROOM, 2 * L.FRAME_MAX));

/** The sized regions in the order of their addresses: where the core finds the address, and the bytes they take. */
const REGIONS = [
  { name: "timeouts", field: L.S_TIMEOUTS_AT, size: () => L.TIMERS_MAX * 4 },
  { name: "tags", field: L.S_TAGS_AT, size: (c: Capacity) => groupsOf(c) * L.GROUP_SLOTS * 2 },
  { name: "overflow", field: L.S_OVERFLOW_AT, size: (c: Capacity) => groupsOf(c) * 2 },
  { name: "hot", field: L.S_HOT_AT, size: (c: Capacity) => groupsOf(c) * L.GROUP_SLOTS * L.HOT_SIZE },
  { name: "cold", field: L.S_COLD_AT, size: (c: Capacity) => groupsOf(c) * L.GROUP_SLOTS * L.COLD_SIZE },
  { name: "fragments", field: L.S_FRAGMENTS_AT, size: (c: Capacity) => c.fragments * L.FRAGMENT_SIZE },
  { name: "held", field: L.S_HELD_AT, size: (c: Capacity) => c.fragments * L.HELD_SIZE },
  { name: "events", field: L.S_EVENTS_AT, size: (c: Capacity) => c.events * L.EVENT_SIZE },
  { name: "banks", field: L.S_BANKS_AT, size: (c: Capacity) => 2 * bankSizeOf(c) },
  { name: "hits", field: L.S_HITS_AT, size: (c: Capacity) => 2 * c.rules * 8 },
  // A call answers for its batch and for every frame that was held before it or is held during it.
  {
    name: "descriptors",
    field: L.S_DESCRIPTORS_AT,
    size: (c: Capacity) => (c.batch + 2 * c.fragments) * L.DESC_SIZE,
  },
  { name: "meta", field: L.S_META_AT, size: () => L.PASS_MAX * L.META_SIZE },
  { name: "syncOut", field: L.S_SYNC_OUT_AT, size: () => L.SYNC_OUT_SIZE },
  { name: "syncIn", field: L.S_SYNC_IN_AT, size: () => L.SYNC_IN_SIZE },
  { name: "syncReply", field: L.S_SYNC_REPLY_AT, size: () => L.SYNC_REPLY_SIZE },
  { name: "live", field: L.S_LIVE_AT, size: () => L.LIVE_SIZE },
  { name: "neighbors", field: L.S_NEIGHBORS_AT, size: () => L.NEIGHBOR_PLACES * L.NEIGHBOR_SIZE },
  {
    name: "bytes",
    field: L.S_BYTES_AT,
    size: (c: Capacity) => batchBytesOf(c) + L.FRAME_HEADROOM + L.FRAME_MAX + READ_SLACK,
  },
  {
    name: "buffers",
    field: L.S_BUFFERS_AT,
    size: (c: Capacity) => c.buffers * L.BUFFER_SIZE,
    alignment: KERNEL_PAGE_SIZE,
  },
] as const;

export type RegionName = (typeof REGIONS)[number]["name"];

export interface Region {
  /** Address of the first byte. */
  readonly at: number;
  /** Bytes. */
  readonly size: number;
}

/** Where everything lies in the memory of one capacity. */
export interface MemoryPlan {
  readonly capacity: Readonly<Capacity>;
  readonly groups: number;
  /** Bytes of one of the two policy banks. */
  readonly bankSize: number;
  /** Bytes of frames that a batch may fill, from the start of the region `bytes`. */
  readonly batchBytes: number;
  readonly regions: { readonly [K in RegionName]: Region };
  /** Bytes in all, a whole number of pages. */
  readonly size: number;
}

/** The capacity with its defaults, or what is wrong with it. */
export function completeCapacity(wanted: Partial<Capacity> = {}): Capacity | { problem: string } {
  const capacity = { ...CAPACITY_DEFAULT };
  for (const [name, { min, max }] of Object.entries(CAPACITY_BOUNDS) as [
    keyof Capacity,
    { min: number; max: number },
  ][]) {
    const value = wanted[name] ?? capacity[name];
    if (!Number.isInteger(value) || value < min || value > max) {
      return { problem: `capacity.${name} is ${value}; it must be a whole number from ${min} to ${max}` };
    }
    capacity[name] = value;
  }
  return capacity;
}

/** Lays out the memory of a capacity within its bounds, or says that it exceeds what a 32-bit memory can be. */
export function planMemory(capacity: Capacity): MemoryPlan | { problem: string } {
  const regions = {} as Record<RegionName, Region>;
  let at = align(L.STATE_AT + L.STATE_SIZE);
  for (const region of REGIONS) {
    const size = region.size(capacity);
    // What is empty takes no room either.
    if ("alignment" in region && size > 0) at = align(at, region.alignment);
    regions[region.name] = { at, size };
    at = align(at + size);
  }
  const pages = Math.ceil(at / PAGE_SIZE);
  if (pages > MEMORY_PAGES_MAX) {
    const gigabytes = (at / 2 ** 30).toFixed(2);
    return { problem: `the capacity needs ${gigabytes} GiB of memory; the core can address 4 GiB` };
  }
  return {
    capacity,
    groups: groupsOf(capacity),
    bankSize: bankSizeOf(capacity),
    batchBytes: batchBytesOf(capacity),
    regions,
    size: pages * PAGE_SIZE,
  };
}

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
