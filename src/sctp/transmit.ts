/**
 * Sends what is due: answers, a SACK, what was lost, then what waits, as far as the congestion window, the peer's
 * window and the burst allow (RFC 9260 sections 6.1, 7.2.4, 7.2.5).
 */
import { type Association, dataPath, type Path } from "./association.js";
import { DATA_HEADER, DATA_IMMEDIATE } from "./chunk.js";
import { ageWindow } from "./congestion.js";
import { type Context, count, Outbox } from "./context.js";
import { dequeLength, takeFront } from "../deque.js";
import { takeSack } from "./inbound.js";
import { NEVER_MS } from "./instant.js";
import {
  firstLost,
  hasWaiting,
  isDrained,
  nextChunkBytes,
  OUTSTANDING_CHUNKS_MAX,
  type OutboundChunk,
  takeChunk,
} from "./outbound.js";
import { tsnPlus } from "./serial.js";
import { TRANSMITTING_STATES } from "./states.js";
import { padded } from "./tlv.js";

/** Sends all that may be sent now. */
export function flush(context: Context, association: Association): void {
  const outbox = new Outbox(context, association.peerTag);
  const { inbound } = association;
  const { packetsMax, isForced } = context.flush;
  // Before the peer's tag is known nothing can be said to it.
  if (context.arrival !== undefined && association.peerTag !== 0) {
    for (const chunk of context.replies) outbox.put(context.arrival.path, chunk);
    context.replies = [];
  }
  if (inbound.isSackDue) putSack(context, association, outbox);
  if (TRANSMITTING_STATES.includes(context.state.code)) {
    context.state.isCorked = false;
    const sender: Sender = { context, association, outbox, packetsMax, packets: 0, lastPacket: 0 };
    if (sendLost(sender, isForced)) sendWaiting(sender);
  }
  outbox.close();
}

interface Sender {
  context: Context;
  association: Association;
  outbox: Outbox;
  /** Packets with user data: how many there may be, how many there are, and which was the last. */
  packetsMax: number;
  packets: number;
  lastPacket: number;
}

function putSack(context: Context, association: Association, outbox: Outbox): void {
  const { inbound } = association;
  outbox.put(inbound.sackPath, takeSack(inbound, context.settings, context.settings.mtu));
  count(context, "sacks_sent");
}

/** Packets with user data that there would be with one more chunk of so many bytes. */
function packetsWith({ outbox, packets, lastPacket }: Sender, path: Path, bytes: number): number {
  const isShared = outbox.hasRoom(path.index, padded(DATA_HEADER + bytes)) && outbox.packets === lastPacket;
  return isShared ? packets : packets + 1;
}

function putData(sender: Sender, path: Path, chunk: OutboundChunk): void {
  const { context, association, outbox } = sender;
  const { inbound } = association;
  // A SACK that waits for its delay travels with the data that goes its way.
  if (inbound.packetsUnacked > 0 && inbound.sackPath === path.index) putSack(context, association, outbox);
  outbox.put(path.index, chunk);
  if (outbox.packets !== sender.lastPacket) sender.packets++;
  sender.lastPacket = outbox.packets;
  path.flightBytes += chunk.bytes.length;
  chunk.sentAtMs = context.nowMs;
  if (path.t3AtMs === NEVER_MS) path.t3AtMs = context.nowMs + path.rtoMs;
  count(context, "data_sent");
}

/** Sends lost chunks; whether none is left. */
function sendLost(sender: Sender, isForced: boolean): boolean {
  const { association, packetsMax } = sender;
  const { outbound } = association;
  const forcedPackets = isForced ? 1 : 0;
  for (let chunk = firstLost(outbound); chunk !== undefined; chunk = firstLost(outbound)) {
    const path = association.paths[chunk.nextPath]!;
    const { length } = chunk.bytes;
    const packets = packetsWith(sender, path, length);
    if (packets > packetsMax) return false;
    if (path.flightBytes >= path.cwndBytes && packets > forcedPackets) return false;
    takeFront(outbound.lost);
    chunk.fate = "inFlight";
    chunk.path = path.index;
    chunk.transmissions++;
    chunk.missingReports = 0;
    outbound.flightBytes += length;
    // Section 7.2.4: the timer starts anew when the first outstanding chunk is sent again.
    if (chunk.tsn === tsnPlus(outbound.cumulativeTsn, 1)) path.t3AtMs = NEVER_MS;
    putData(sender, path, chunk);
  }
  return true;
}

function sendWaiting(sender: Sender): void {
  const { context, association } = sender;
  const { outbound } = association;
  const { mtu } = context.settings;
  while (hasWaiting(outbound)) {
    const path = dataPath(association);
    const bytes = nextChunkBytes(outbound, mtu);
    if (path.flightBytes >= path.cwndBytes) return;
    if (dequeLength(outbound.outstanding) >= OUTSTANDING_CHUNKS_MAX) return;
    // With nothing in flight one chunk goes even into a closed window, or nobody would learn that it has opened.
    const isProbe = bytes > outbound.peerWindowBytes;
    if (isProbe && dequeLength(outbound.outstanding) > 0) return;
    if (packetsWith(sender, path, bytes) > sender.packetsMax) return;
    ageIdleWindow(context, path);
    const chunk = takeChunk(outbound, path.index, mtu);
    outbound.peerWindowBytes = Math.max(0, outbound.peerWindowBytes - bytes);
    outbound.isProbing = isProbe;
    if (isProbe || (context.state.code !== "ES" && !hasWaiting(outbound))) chunk.flags |= DATA_IMMEDIATE;
    if (path.timedTsn === undefined) {
      path.timedTsn = chunk.tsn;
      path.timedSinceAtMs = context.nowMs;
    }
    path.usedAtMs = context.nowMs;
    putData(sender, path, chunk);
  }
}

/** Section 7.2.1: the window of a path that sends nothing shrinks with each RTO. */
function ageIdleWindow(context: Context, path: Path): void {
  if (path.flightBytes > 0) return;
  const idleRtos = Math.floor((context.nowMs - path.usedAtMs) / path.rtoMs);
  if (idleRtos > 0) ageWindow(path, idleRtos, context.settings.mtu);
}

/** Whether a shutdown that waits for user data to be acknowledged can go on. */
export function isTeardownReady(context: Context, association: Association): boolean {
  const { code } = context.state;
  return (code === "SP" || code === "SR") && isDrained(association.outbound);
}
