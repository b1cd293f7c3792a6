/**
 * The sending half of an association: messages wait in their streams, are cut into DATA chunks when they are sent, and
 * stay outstanding until they are acknowledged (RFC 9260 sections 6.1, 6.9). The streams take turns message by
 * message: a long queue in one does not hold up another.
 *
 *     streams[0]  m m        waiting        outstanding   c c c c c       in order of their TSNs
 *     streams[1]  m          -------->                    ^ cumulativeTsn + 1
 */
import { DATA_BEGIN, DATA_END, DATA_HEADER, DATA_UNORDERED } from "./chunk.js";
import { type Deque, dequeLength, itemAt, newDeque, pushBack, takeFront } from "../deque.js";
import { NEVER_MS } from "./instant.js";
import { COMMON_HEADER } from "./packet.js";
import type { DataChunk } from "./reassembly.js";
import { nextSsn, tsnDistance, tsnPlus } from "./serial.js";

/** Chunks between the cumulative TSN and the next: within what gap blocks can report and the peer will take. */
export const OUTSTANDING_CHUNKS_MAX = 16_384;
/** What a message counts in the queue on top of its bytes, so that the number of small ones is bounded too. */
export const MESSAGE_OVERHEAD = DATA_HEADER;

interface OutboundMessage {
  ssn: number;
  payloadProtocolId: number;
  isUnordered: boolean;
  bytes: Uint8Array;
}

interface OutboundStream {
  /** Of the next ordered message. */
  ssn: number;
  waiting: Deque<OutboundMessage>;
}

/** In flight; reported missing or timed out, to be sent again; covered by a gap block. */
export type ChunkFate = "inFlight" | "lost" | "gapAcked";

export interface OutboundChunk extends DataChunk {
  fate: ChunkFate;
  /** Index of the path on which it was last sent. */
  path: number;
  /** Index of the path on which it is to be sent again. */
  nextPath: number;
  transmissions: number;
  /** When it was last sent, probes aside. */
  sentAtMs: number;
  /** How often a SACK has shown it missing since it was sent (section 7.2.4). */
  missingReports: number;
  /** When a tail loss probe has repeated it since it was sent, and whether one has on another path. */
  probedAtMs: number | undefined;
  isProbedElsewhere: boolean;
}

export interface Outbound {
  streams: OutboundStream[];
  /** The stream whose turn it is. */
  turn: number;
  /** Bytes of the message at its front that are sent already. */
  sentOfMessage: number;
  waitingMessages: number;
  /** Waiting and outstanding, with the overhead of each message. */
  queuedBytes: number;
  outstanding: Deque<OutboundChunk>;
  /** Of those in flight. */
  flightBytes: number;
  /** TSNs of lost chunks in ascending order; one that was acknowledged meanwhile is skipped. */
  lost: Deque<number>;
  nextTsn: number;
  cumulativeTsn: number;
  /** Blocks of TSNs above the cumulative TSN that the last SACK has acknowledged. */
  gapAcked: { first: number; last: number }[];
  /** What the peer can take beyond what is in flight. */
  peerWindowBytes: number;
  /** A chunk was sent into a closed window, to learn when it opens. */
  isProbing: boolean;
  /** The peer has answered since: it is alive, and its window is closed. */
  isProbeAnswered: boolean;
}

export function newOutbound(initialTsn: number, streams: number, peerWindowBytes: number): Outbound {
  return {
    streams: Array.from({ length: streams }, () => ({ ssn: 0, waiting: newDeque<OutboundMessage>() })),
    turn: 0,
    sentOfMessage: 0,
    waitingMessages: 0,
    queuedBytes: 0,
    outstanding: newDeque(),
    flightBytes: 0,
    lost: newDeque(),
    nextTsn: initialTsn,
    cumulativeTsn: tsnPlus(initialTsn, -1),
    gapAcked: [],
    peerWindowBytes,
    isProbing: false,
    isProbeAnswered: false,
  };
}

export interface OutgoingMessage {
  stream: number;
  payloadProtocolId: number;
  bytes: Uint8Array;
  isUnordered?: boolean;
}

export interface QueueBounds {
  sendQueueBytes: number;
  messageBytesMax: number;
}

export type SendRefusal = "send_stream" | "send_empty" | "send_long" | "send_full";

/** Queues a message, whose bytes must not be changed from now on, or says why not. */
export function enqueue(
  outbound: Outbound,
  message: OutgoingMessage,
  bounds: QueueBounds,
): SendRefusal | undefined {
  const stream = outbound.streams[message.stream];
  const { bytes, payloadProtocolId, isUnordered = false } = message;
  if (stream === undefined) return "send_stream";
  if (bytes.length === 0) return "send_empty";
  if (bytes.length > bounds.messageBytesMax) return "send_long";
  const queuedBytes = outbound.queuedBytes + bytes.length + MESSAGE_OVERHEAD;
  if (queuedBytes > bounds.sendQueueBytes) return "send_full";
  outbound.queuedBytes = queuedBytes;
  outbound.waitingMessages++;
  pushBack(stream.waiting, { ssn: isUnordered ? 0 : stream.ssn, payloadProtocolId, isUnordered, bytes });
  if (!isUnordered) stream.ssn = nextSsn(stream.ssn);
  return undefined;
}

/** The largest message that `enqueue` would take now, in bytes. */
export function roomFor(outbound: Outbound, { sendQueueBytes, messageBytesMax }: QueueBounds): number {
  return Math.max(0, Math.min(messageBytesMax, sendQueueBytes - outbound.queuedBytes - MESSAGE_OVERHEAD));
}

export function hasWaiting(outbound: Outbound): boolean {
  return outbound.waitingMessages > 0;
}

/** Nothing waits and nothing is outstanding. */
export function isDrained(outbound: Outbound): boolean {
  return outbound.waitingMessages === 0 && dequeLength(outbound.outstanding) === 0;
}

/** User data of the largest chunk: a multiple of four, so that fragments need no padding. */
export function chunkBytesMax(mtu: number): number {
  return (mtu - COMMON_HEADER - DATA_HEADER) & ~3;
}

/** The message whose turn it is. There must be one. */
function currentMessage(outbound: Outbound): OutboundMessage {
  for (;;) {
    const message = itemAt(outbound.streams[outbound.turn]!.waiting, 0);
    if (message !== undefined) return message;
    outbound.turn = (outbound.turn + 1) % outbound.streams.length;
  }
}

/** User data of the chunk that `takeChunk` would give. A message must wait. */
export function nextChunkBytes(outbound: Outbound, mtu: number): number {
  return Math.min(currentMessage(outbound).bytes.length - outbound.sentOfMessage, chunkBytesMax(mtu));
}

/** Cuts the next chunk; it is outstanding and in flight on `path` from now on. A message must wait. */
export function takeChunk(outbound: Outbound, path: number, mtu: number): OutboundChunk {
  const message = currentMessage(outbound);
  const start = outbound.sentOfMessage;
  const end = Math.min(message.bytes.length, start + chunkBytesMax(mtu));
  const isLast = end === message.bytes.length;
  const chunk: OutboundChunk = {
    kind: "data",
    flags:
      (start === 0 ? DATA_BEGIN : 0) | (isLast ? DATA_END : 0) | (message.isUnordered ? DATA_UNORDERED : 0),
    tsn: outbound.nextTsn,
    stream: outbound.turn,
    ssn: message.ssn,
    payloadProtocolId: message.payloadProtocolId,
    bytes: message.bytes.subarray(start, end),
    fate: "inFlight",
    path,
    nextPath: path,
    transmissions: 1,
    sentAtMs: NEVER_MS,
    missingReports: 0,
    probedAtMs: undefined,
    isProbedElsewhere: false,
  };
  outbound.nextTsn = tsnPlus(outbound.nextTsn, 1);
  outbound.flightBytes += chunk.bytes.length;
  pushBack(outbound.outstanding, chunk);
  if (isLast) {
    takeFront(outbound.streams[outbound.turn]!.waiting);
    outbound.waitingMessages--;
    outbound.sentOfMessage = 0;
    outbound.turn = (outbound.turn + 1) % outbound.streams.length;
  } else {
    outbound.sentOfMessage = end;
  }
  return chunk;
}

/** The outstanding chunk with this TSN. */
export function outstandingChunk(outbound: Outbound, tsn: number): OutboundChunk | undefined {
  return itemAt(outbound.outstanding, tsnDistance(outbound.cumulativeTsn, tsn) - 1);
}

/** The lost chunk that has waited longest to be sent again. */
export function firstLost(outbound: Outbound): OutboundChunk | undefined {
  for (;;) {
    const tsn = itemAt(outbound.lost, 0);
    if (tsn === undefined) return undefined;
    const chunk = outstandingChunk(outbound, tsn);
    if (chunk?.fate === "lost") return chunk;
    takeFront(outbound.lost);
  }
}

/** Rebuilds the list of lost chunks after some were marked: the work is one walk over what is outstanding. */
export function collectLost(outbound: Outbound): void {
  const lost = newDeque<number>();
  for (let i = 0; ; i++) {
    const chunk = itemAt(outbound.outstanding, i);
    if (chunk === undefined) break;
    if (chunk.fate === "lost") pushBack(lost, chunk.tsn);
  }
  outbound.lost = lost;
}

/** What an acknowledged chunk gives back to the queue: its bytes, and with its last chunk the message's overhead. */
export function releaseQueued(outbound: Outbound, chunk: OutboundChunk): void {
  outbound.queuedBytes -= chunk.bytes.length + ((chunk.flags & DATA_END) !== 0 ? MESSAGE_OVERHEAD : 0);
}
