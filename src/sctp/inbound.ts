/**
 * The receiving half of an association: which TSNs are there, what is held of them, how much more may come, and when a
 * SACK is due (RFC 9260 section 6.2).
 *
 * Messages are delivered at once. With `receiveQueueBytes` bytes held here or, where the application counts what it has
 * consumed, delivered and not consumed, the window is closed. Only the next TSN is taken beyond it while the
 * application keeps up: all that is held may wait for it.
 */
import { type ChunkOf, DATA_IMMEDIATE, SACK_ENTRY, SACK_HEADER } from "./chunk.js";
import { NEVER_MS } from "./instant.js";
import { COMMON_HEADER } from "./packet.js";
import {
  type DataChunk,
  type DataViolation,
  type InboundMessage,
  newReassembly,
  type Reassembly,
  takeData,
} from "./reassembly.js";
import { tsnPlus } from "./serial.js";
import { addTsn, gapBlocks, hasTsn, judgeTsn, newTsnMap, type TsnMap } from "./tsn-map.js";

/** Duplicate TSNs that one SACK reports; more are forgotten. */
export const DUPLICATES_MAX = 32;
/** A SACK is sent for every second packet with user data (section 6.2). */
const PACKETS_PER_SACK = 2;

export interface InboundBounds {
  receiveQueueBytes: number;
  messageBytesMax: number;
  sackDelayMs: number;
  /** The application says what it has consumed. */
  isConsumptionCounted: boolean;
}

export interface Inbound {
  map: TsnMap;
  reassembly: Reassembly;
  /** Delivered and not consumed, where the application counts. */
  unconsumedBytes: number;
  duplicates: number[];
  packetsUnacked: number;
  /** Index of the path on which the last user data came. */
  sackPath: number;
  isSackDue: boolean;
  sackAtMs: number;
  /** The window of the last SACK. */
  advertisedBytes: number;
}

export function newInbound(initialTsn: number, streams: number, bounds: InboundBounds): Inbound {
  return {
    map: newTsnMap(initialTsn),
    reassembly: newReassembly(streams),
    unconsumedBytes: 0,
    duplicates: [],
    packetsUnacked: 0,
    sackPath: 0,
    isSackDue: false,
    sackAtMs: NEVER_MS,
    advertisedBytes: bounds.receiveQueueBytes,
  };
}

/** What the peer may still send, in bytes of user data. */
export function windowBytes(inbound: Inbound, bounds: InboundBounds): number {
  return Math.max(0, bounds.receiveQueueBytes - inbound.reassembly.heldBytes - inbound.unconsumedBytes);
}

/**
 * "taken", or why not. A "data_stream" chunk counts as received all the same (section 6.5); after a violation the
 * association has to be aborted.
 */
export type DataOutcome =
  | "taken"
  | "data_duplicate"
  | "data_beyond_window"
  | "data_blocks_full"
  | "data_window_full"
  | "data_stream"
  | DataViolation;

/** Takes a DATA chunk with user data in it; messages that can be delivered now are appended to `ready`. */
export function receiveData(
  inbound: Inbound,
  chunk: DataChunk,
  bounds: InboundBounds,
  ready: InboundMessage[],
): DataOutcome {
  const { map, reassembly } = inbound;
  // A hole, a repetition, a refusal: the peer should know at once (section 6.7).
  if ((chunk.flags & DATA_IMMEDIATE) !== 0 || map.blocks.length > 0) inbound.isSackDue = true;
  const judgement = judgeTsn(map, chunk.tsn);
  if (judgement !== "new") {
    inbound.isSackDue = true;
    if (judgement === "data_duplicate" && inbound.duplicates.length < DUPLICATES_MAX) {
      inbound.duplicates.push(chunk.tsn);
    }
    return judgement;
  }
  const isNext = chunk.tsn === tsnPlus(map.cumulativeTsn, 1);
  const isTakenAnyway = isNext && inbound.unconsumedBytes < bounds.receiveQueueBytes;
  if (chunk.bytes.length > windowBytes(inbound, bounds) && !isTakenAnyway) {
    inbound.isSackDue = true;
    return "data_window_full";
  }
  if (!isNext) inbound.isSackDue = true;
  if (chunk.stream >= reassembly.streams.length) {
    addTsn(map, chunk.tsn);
    return "data_stream";
  }
  const readyBefore = ready.length;
  const violation = takeData(reassembly, chunk, (tsn) => hasTsn(map, tsn), bounds.messageBytesMax, ready);
  if (violation !== undefined) return violation;
  addTsn(map, chunk.tsn);
  if (bounds.isConsumptionCounted) {
    for (let i = readyBefore; i < ready.length; i++) inbound.unconsumedBytes += ready[i]!.bytes.length;
  }
  return "taken";
}

/** A packet that held DATA has been taken: a SACK is due now or within the delay. */
export function countDataPacket(inbound: Inbound, path: number, bounds: InboundBounds, nowMs: number): void {
  inbound.sackPath = path;
  inbound.packetsUnacked++;
  if (inbound.packetsUnacked >= PACKETS_PER_SACK) inbound.isSackDue = true;
  else if (inbound.sackAtMs === NEVER_MS) inbound.sackAtMs = nowMs + bounds.sackDelayMs;
}

/**
 * The application has consumed `bytes` of what was delivered. When the window has opened far enough since it was last
 * told, a SACK is due (section 6.2: not for a few bytes, or the peer would send small packets).
 */
export function consume(inbound: Inbound, bytes: number, bounds: InboundBounds, mtu: number): void {
  inbound.unconsumedBytes -= bytes;
  const opened = windowBytes(inbound, bounds) - inbound.advertisedBytes;
  if (opened >= Math.max(mtu, bounds.receiveQueueBytes / 4)) inbound.isSackDue = true;
}

/** The SACK of this moment, in at most `mtu` bytes of packet; it is no longer due then. */
export function takeSack(inbound: Inbound, bounds: InboundBounds, mtu: number): ChunkOf<"sack"> {
  const entries = Math.floor((mtu - COMMON_HEADER - SACK_HEADER) / SACK_ENTRY);
  const duplicates = inbound.duplicates;
  inbound.duplicates = [];
  inbound.packetsUnacked = 0;
  inbound.isSackDue = false;
  inbound.sackAtMs = NEVER_MS;
  inbound.advertisedBytes = windowBytes(inbound, bounds);
  return {
    kind: "sack",
    flags: 0,
    cumulativeTsn: inbound.map.cumulativeTsn,
    advertisedWindow: inbound.advertisedBytes,
    gaps: gapBlocks(inbound.map, entries - duplicates.length),
    duplicates,
  };
}
