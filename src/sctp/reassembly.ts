/**
 * From DATA chunks to messages (RFC 9260 sections 6.5, 6.6, 6.9). The fragments of a message have consecutive TSNs, so
 * what has arrived of one is a run of TSNs; runs grow at both ends and join, and a run with both a beginning and an end
 * is a message. Ordered messages wait until those before them in their stream are there.
 *
 *     TSN   11 12 13 14 15 16 17        11-13: a message (B..E), gone; 14-15 and 17: runs, 16 is missing
 *           B     E  B     .  E
 *
 * Bytes are held by reference to the datagram they came in, unless that would pin much more than it holds.
 */
import { type ChunkOf, DATA_BEGIN, DATA_END, DATA_UNORDERED } from "./chunk.js";
import { nextSsn, ssnDistance, tsnPlus } from "./serial.js";

export type DataChunk = ChunkOf<"data">;

export interface InboundMessage {
  stream: number;
  payloadProtocolId: number;
  isUnordered: boolean;
  bytes: Uint8Array;
}

interface Run {
  firstTsn: number;
  lastTsn: number;
  bytes: number;
  hasBegin: boolean;
  hasEnd: boolean;
}

interface InboundStream {
  /** The next to be delivered. */
  ssn: number;
  /** Complete messages by their number in the stream. */
  waiting: Map<number, InboundMessage>;
}

export interface Reassembly {
  streams: InboundStream[];
  fragments: Map<number, DataChunk>;
  /** Runs by their first TSN. */
  runs: Map<number, Run>;
  /** Last TSN of each run -> its first. */
  runEnds: Map<number, number>;
  /** User data that is held here: fragments and waiting messages. */
  heldBytes: number;
}

/** Why a chunk does not fit what came before: its sender breaks the protocol. */
export type DataViolation = "data_fragment" | "data_message_long" | "data_ssn";

export function newReassembly(streams: number): Reassembly {
  return {
    streams: Array.from({ length: streams }, () => ({ ssn: 0, waiting: new Map() })),
    fragments: new Map(),
    runs: new Map(),
    runEnds: new Map(),
    heldBytes: 0,
  };
}

/** Whether neighbouring fragments can be of one message. */
function isSameMessage(one: DataChunk, other: DataChunk): boolean {
  return (
    one.stream === other.stream &&
    one.ssn === other.ssn &&
    one.payloadProtocolId === other.payloadProtocolId &&
    (one.flags & DATA_UNORDERED) === (other.flags & DATA_UNORDERED)
  );
}

/** Whether `right` goes on with the message of its neighbour `left`; undefined: they contradict each other. */
function continues(left: DataChunk, right: DataChunk): boolean | undefined {
  const isBoundary = (left.flags & DATA_END) !== 0;
  if (isBoundary !== ((right.flags & DATA_BEGIN) !== 0)) return undefined;
  if (isBoundary) return false;
  return isSameMessage(left, right) ? true : undefined;
}

/** Bytes that may be kept without keeping a much larger buffer alive. */
function unpinned(bytes: Uint8Array): Uint8Array {
  return bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}

/**
 * Takes a chunk of a TSN that has not come before and whose stream exists; `hasTsn` tells which others have. Messages
 * that can be delivered now are appended to `ready`, in order.
 */
export function takeData(
  reassembly: Reassembly,
  chunk: DataChunk,
  hasTsn: (tsn: number) => boolean,
  messageBytesMax: number,
  ready: InboundMessage[],
): DataViolation | undefined {
  const hasBegin = (chunk.flags & DATA_BEGIN) !== 0;
  const hasEnd = (chunk.flags & DATA_END) !== 0;
  const leftTsn = tsnPlus(chunk.tsn, -1);
  const rightTsn = tsnPlus(chunk.tsn, 1);
  const left = reassembly.fragments.get(leftTsn);
  const right = reassembly.fragments.get(rightTsn);
  // A neighbour that has come and is no fragment any more was the end, or the beginning, of its message.
  const joinsLeft =
    left !== undefined ? continues(left, chunk) : hasTsn(leftTsn) && !hasBegin ? undefined : false;
  const joinsRight =
    right !== undefined ? continues(chunk, right) : hasTsn(rightTsn) && !hasEnd ? undefined : false;
  if (joinsLeft === undefined || joinsRight === undefined) return "data_fragment";
  if (hasBegin && hasEnd) return deliver(reassembly, chunk, chunk.bytes, ready);

  const run: Run = { firstTsn: chunk.tsn, lastTsn: chunk.tsn, bytes: chunk.bytes.length, hasBegin, hasEnd };
  const leftRun = joinsLeft ? runOf(reassembly, reassembly.runEnds.get(leftTsn)) : undefined;
  const rightRun = joinsRight ? runOf(reassembly, rightTsn) : undefined;
  if (leftRun !== undefined) {
    run.firstTsn = leftRun.firstTsn;
    run.hasBegin = leftRun.hasBegin;
    run.bytes += leftRun.bytes;
  }
  if (rightRun !== undefined) {
    run.lastTsn = rightRun.lastTsn;
    run.hasEnd = rightRun.hasEnd;
    run.bytes += rightRun.bytes;
  }
  if (run.bytes > messageBytesMax) return "data_message_long";
  for (const old of [leftRun, rightRun]) {
    if (old === undefined) continue;
    reassembly.runs.delete(old.firstTsn);
    reassembly.runEnds.delete(old.lastTsn);
  }
  if (run.hasBegin && run.hasEnd)
    return deliver(reassembly, chunk, joinFragments(reassembly, run, chunk), ready);
  chunk.bytes = unpinned(chunk.bytes);
  reassembly.fragments.set(chunk.tsn, chunk);
  reassembly.heldBytes += chunk.bytes.length;
  reassembly.runs.set(run.firstTsn, run);
  reassembly.runEnds.set(run.lastTsn, run.firstTsn);
  return undefined;
}

function runOf(reassembly: Reassembly, firstTsn: number | undefined): Run {
  const run = firstTsn === undefined ? undefined : reassembly.runs.get(firstTsn);
  if (run === undefined) throw new Error("a fragment without a run");
  return run;
}

/** The bytes of a complete run, whose fragments are forgotten; `last` has just come and is not held. */
function joinFragments(reassembly: Reassembly, run: Run, last: DataChunk): Uint8Array {
  const bytes = new Uint8Array(run.bytes);
  let at = 0;
  for (let tsn = run.firstTsn; ; tsn = tsnPlus(tsn, 1)) {
    const fragment = tsn === last.tsn ? last : reassembly.fragments.get(tsn)!;
    bytes.set(fragment.bytes, at);
    at += fragment.bytes.length;
    reassembly.fragments.delete(tsn);
    if (tsn === run.lastTsn) break;
  }
  reassembly.heldBytes -= run.bytes - last.bytes.length;
  return bytes;
}

function deliver(
  reassembly: Reassembly,
  chunk: DataChunk,
  bytes: Uint8Array,
  ready: InboundMessage[],
): DataViolation | undefined {
  const stream = reassembly.streams[chunk.stream]!;
  const { payloadProtocolId, ssn } = chunk;
  const isUnordered = (chunk.flags & DATA_UNORDERED) !== 0;
  const message: InboundMessage = { stream: chunk.stream, payloadProtocolId, isUnordered, bytes };
  if (isUnordered) {
    ready.push(message);
    return undefined;
  }
  if (ssnDistance(stream.ssn, ssn) < 0 || stream.waiting.has(ssn)) return "data_ssn";
  if (ssn !== stream.ssn) {
    message.bytes = unpinned(bytes);
    stream.waiting.set(ssn, message);
    reassembly.heldBytes += bytes.length;
    return undefined;
  }
  ready.push(message);
  stream.ssn = nextSsn(ssn);
  for (let next = stream.waiting.get(stream.ssn); next !== undefined; next = stream.waiting.get(stream.ssn)) {
    stream.waiting.delete(stream.ssn);
    reassembly.heldBytes -= next.bytes.length;
    ready.push(next);
    stream.ssn = nextSsn(stream.ssn);
  }
  return undefined;
}
