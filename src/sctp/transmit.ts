/**
 * Sends what is due: answers, a SACK, tail loss probes, what was lost, then what waits, as far as the congestion window,
 * the peer's window and the burst allow (RFC 9260 sections 6.1, 7.2.4, 7.2.5). The last chunk asks for a SACK at once
 * (RFC 7053): none comes behind it for which the peer would send one.
 */
import { alternatePath, type Association, dataPath, type Path } from "./association.js";
import { DATA_HEADER, DATA_IMMEDIATE } from "./chunk.js";
import { ageWindow } from "./congestion.js";
import { type Context, count, Outbox } from "./context.js";
import { dequeLength, itemAt, takeFront } from "../deque.js";
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
import { tailProbeAtMs } from "./tail-probe.js";
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
    for (const path of association.paths) sendTailProbe(context, association, path, outbox);
    const sender: Sender = { context, association, outbox, packetsMax, packets: 0, lastPacket: 0 };
    if (sendLost(sender, isForced)) sendWaiting(sender);
    if (sender.packets > 0) outbox.flagLast(DATA_IMMEDIATE);
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

function putChunk(
  context: Context,
  association: Association,
  path: number,
  chunk: OutboundChunk,
  outbox: Outbox,
): void {
  const { inbound } = association;
  // A SACK that waits for its delay travels with the data that goes its way.
  if (inbound.packetsUnacked > 0 && inbound.sackPath === path) putSack(context, association, outbox);
  outbox.put(path, chunk);
  count(context, "data_sent");
}

/** Sends a tail loss probe for `path` if one is due: one packet of its own, of the oldest chunks in flight there. */
function sendTailProbe(context: Context, association: Association, path: Path, outbox: Outbox): void {
  if (!path.isTailProbeDue) return;
  path.isTailProbeDue = false;
  const { outstanding } = association.outbound;
  const { index } = alternatePath(association, path);
  let chunks = 0;
  for (let i = 0; i < dequeLength(outstanding); i++) {
    const chunk = itemAt(outstanding, i)!;
    if (chunk.fate !== "inFlight" || chunk.path !== path.index) continue;
    if (chunks > 0 && !outbox.hasRoom(index, padded(DATA_HEADER + chunk.bytes.length))) break;
    putChunk(context, association, index, chunk, outbox);
    count(context, "data_retransmitted_probe");
    chunks++;
    chunk.transmissions++;
    chunk.missingReports = 0;
    chunk.probedAtMs = context.nowMs;
    chunk.isProbedElsewhere = index !== path.index;
    if (path.timedTsn === chunk.tsn) path.timedTsn = undefined;
  }
  if (chunks === 0) return;
  outbox.flagLast(DATA_IMMEDIATE);
  outbox.close();
  path.tailProbes++;
  path.tailProbeAtMs = tailProbeAtMs(context, association, path);
}

function putData(sender: Sender, path: Path, chunk: OutboundChunk): void {
  const { context, association, outbox } = sender;
  putChunk(context, association, path.index, chunk, outbox);
  if (outbox.packets !== sender.lastPacket) sender.packets++;
  sender.lastPacket = outbox.packets;
  path.flightBytes += chunk.bytes.length;
  chunk.sentAtMs = context.nowMs;
  if (path.t3AtMs === NEVER_MS) path.t3AtMs = context.nowMs + path.rtoMs;
  if (path.tailProbeAtMs === NEVER_MS) path.tailProbeAtMs = tailProbeAtMs(context, association, path);
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
    chunk.probedAtMs = undefined;
    chunk.isProbedElsewhere = false;
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
