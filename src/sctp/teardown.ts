/**
 * Ending an association (RFC 9260 section 9): SHUTDOWN when all user data is acknowledged, or ABORT at once.
 */
import { type Association, dataPath } from "./association.js";
import type { Cause } from "./cause.js";
import { type ChunkOf, TAG_REFLECTED } from "./chunk.js";
import { answer, type Context, count, type DownReason, sendPacket } from "./context.js";
import { NEVER_MS } from "./instant.js";

/** T5-shutdown-guard in units of RTO.Max (section 9.2). */
const GUARD_RTOS = 5;

/** The association is gone; a new attempt is due when the mode wants one. */
export function end(context: Context, association: Association, reason: DownReason): void {
  const { state, settings, nowMs } = context;
  state.association = undefined;
  state.isSenderWaiting = false;
  state.isCorked = false;
  context.replies = [];
  // The next association is with whoever listens where the configuration says (RFC 6951 section 5.1).
  state.udpPorts = settings.pairs.map(() => settings.remoteUdpPort);
  // Cookies of what has ended are void: nobody sets it up again by repeating an old packet.
  if (association.isUp) state.epoch = (state.epoch + 1) >>> 0;
  context.actions.push({ kind: "down", reason, wasUp: association.isUp });
  if (state.mode !== "connect" || settings.reconnect === "off") return;
  const { minMs, maxMs } = settings.reconnect;
  state.reconnectMs = state.reconnectMs === 0 ? minMs : Math.min(state.reconnectMs * 2, maxMs);
  state.connectAtMs = nowMs + state.reconnectMs;
}

export function sendAbort(context: Context, association: Association, causes: Cause[]): void {
  count(context, "aborts_sent");
  const path = context.arrival?.path ?? dataPath(association).index;
  sendPacket(context, path, association.peerTag, [{ kind: "abort", flags: 0, causes }]);
}

function armTeardown(context: Context, association: Association): void {
  association.teardownAtMs = context.nowMs + dataPath(association).rtoMs;
  if (association.guardAtMs === NEVER_MS) {
    association.guardAtMs = context.nowMs + GUARD_RTOS * context.settings.rtoMaxMs;
  }
}

export function shutdownChunk(association: Association): ChunkOf<"shutdown"> {
  return { kind: "shutdown", flags: 0, cumulativeTsn: association.inbound.map.cumulativeTsn };
}

/** SHUTDOWN, until it is answered. */
export function sendShutdown(context: Context, association: Association): void {
  sendPacket(context, dataPath(association).index, association.peerTag, [shutdownChunk(association)]);
  armTeardown(context, association);
}

/** SHUTDOWN ACK, until it is answered. */
export function sendShutdownAck(context: Context, association: Association): void {
  sendPacket(context, dataPath(association).index, association.peerTag, [{ kind: "shutdownAck", flags: 0 }]);
  armTeardown(context, association);
}

/** SHUTDOWN COMPLETE, the last packet of an association. */
export function sendShutdownComplete(context: Context, association: Association): void {
  const path = context.arrival?.path ?? dataPath(association).index;
  sendPacket(context, path, association.peerTag, [{ kind: "shutdownComplete", flags: 0 }]);
}

/** SHUTDOWN COMPLETE to whoever ends an association that is not here (section 8.4, rule 5). */
export function reflectShutdownComplete(context: Context): void {
  answer(context, context.arrival!.verificationTag, () => [
    { kind: "shutdownComplete", flags: TAG_REFLECTED },
  ]);
}

/**
 * A peer that has started anew asks for an association while the old one is ending (section 5.2.4, action A): that one
 * ends first. The SHUTDOWN ACK has the old tag, so that what reflects it reaches the old association.
 */
export function refuseLate(context: Context, association: Association, newPeerTag: number): void {
  sendShutdownAck(context, association);
  answer(context, newPeerTag, () => [
    { kind: "error", flags: 0, causes: [{ kind: "cookieWhileShuttingDown" }] },
  ]);
}
