/**
 * The memory of one instance: from how much it can hold to where everything lies. Pure arithmetic over
 * assembly/layout.ts.
 */
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
export const PAGE_SIZE = 65536;
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
export const REGIONS = [
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
