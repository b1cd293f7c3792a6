/**
 * Takes a packet: whose it is (RFC 9260 sections 8.4, 8.5), then chunk by chunk.
 */
import type { Address } from "../ip.js";
import { sackFault } from "./acknowledge.js";
import type { Association } from "./association.js";
import { type Chunk, type ChunkOf, TAG_REFLECTED, unknownChunkRule } from "./chunk.js";
import { answer, type Context, count } from "./context.js";
import { openCookie } from "./cookie.js";
import type { Refusal } from "./counters.js";
import { answerablePort, followUdpPort, isEncapsulatedRight } from "./encapsulation.js";
import { countDataPacket } from "./inbound.js";
import { type Packet, parsePacket } from "./packet.js";
import { pathOf } from "./settings.js";
import {
  cookieMeaning,
  isInitGranted,
  judgeInitAck,
  refuseInit,
  refuseStaleCookie,
  retrySetup,
} from "./setup.js";
import { reflectShutdownComplete } from "./teardown.js";
import { happen } from "./transition.js";

export interface Datagram {
  from: Address;
  to: Address;
  /** The SCTP packet. It belongs to the endpoint from now on and must not be changed. */
  bytes: Uint8Array;
  /** UDP source port; without it, the packet came over IP. */
  udpPort?: number;
}

export function receiveDatagram(context: Context, datagram: Datagram): void {
  count(context, "packets_received");
  count(context, "bytes_received", datagram.bytes.length);
  const refusal = takeDatagram(context, datagram);
  if (refusal !== undefined) count(context, refusal);
}

/** Gives the reason when the packet as a whole is refused. */
function takeDatagram(context: Context, datagram: Datagram): Refusal | undefined {
  const { settings, state } = context;
  if (!isEncapsulatedRight(settings.remoteUdpPort, datagram.udpPort)) return "encapsulation";
  const packet = parsePacket(datagram.bytes);
  if (typeof packet === "string") return packet;
  const { sourcePort, destinationPort, verificationTag } = packet;
  if (sourcePort !== settings.remotePort || destinationPort !== settings.localPort) return "port";
  const path = pathOf(settings, datagram.to, datagram.from);
  if (path < 0) return "address_remote";
  if (!settings.localAddresses.includes(datagram.to)) return "address_local";
  context.arrival = { path, udpPort: answerablePort(datagram.udpPort), verificationTag };

  const first = packet.chunks[0]!;
  if (first.kind === "init") return receiveInit(context, packet, first);
  if (verificationTag === 0) return "verification_tag";
  if (first.kind === "cookieEcho") return receiveCookie(context, packet, first);
  if (state.association === undefined) {
    answerOutOfTheBlue(context, packet);
    return "out_of_the_blue";
  }
  if (first.kind === "shutdownAck" && (state.code === "CW" || state.code === "CE")) {
    // For an association of before, whatever its tag (section 8.5.1, rule E).
    happen(context, "shutdownAck");
    return undefined;
  }
  if (!isTagRight(state.association, packet)) return "verification_tag";
  followUdpPort(state.udpPorts, path, context.arrival.udpPort);
  receiveChunks(context, state.association, packet.chunks);
  return undefined;
}

/** Section 8.5.1: ABORT and SHUTDOWN COMPLETE may have either tag, and say which. */
function isTagRight({ localTag, peerTag }: Association, { verificationTag, chunks }: Packet): boolean {
  const first = chunks[0]!;
  const mayReflect = first.kind === "abort" || first.kind === "shutdownComplete";
  const isReflected = mayReflect && (first.flags & TAG_REFLECTED) !== 0;
  return verificationTag === (isReflected ? peerTag : localTag);
}

function receiveInit(
  context: Context,
  { verificationTag }: Packet,
  chunk: ChunkOf<"init">,
): Refusal | undefined {
  if (verificationTag !== 0) return "verification_tag";
  if (!isInitGranted(context, chunk)) return "init_invalid";
  if (context.state.mode === "disabled") {
    refuseInit(context, chunk, []);
    return "init_unwelcome";
  }
  happen(context, "init", { chunk });
  return undefined;
}

function receiveCookie(context: Context, packet: Packet, chunk: ChunkOf<"cookieEcho">): Refusal | undefined {
  const { state, nowMs } = context;
  const cookie = openCookie(state.cookieKey, chunk.bytes);
  if (cookie === undefined) return "cookie_forged";
  if (packet.verificationTag !== cookie.localTag) return "verification_tag";
  if (state.mode === "disabled") return "init_unwelcome";
  const { association } = state;
  const isVoid = association === undefined && cookie.epoch !== state.epoch;
  const meaning = cookieMeaning(association, cookie, nowMs);
  if (isVoid || meaning === "stale") {
    refuseStaleCookie(context, cookie);
    return isVoid ? "cookie_replayed" : "cookie_stale";
  }
  switch (meaning) {
    case "new":
      happen(context, "cookieNew", { cookie });
      break;
    case "restart":
      happen(context, "cookieRestart", { cookie });
      break;
    case "collision":
      count(context, "collisions");
      happen(context, "cookieCollision", { cookie });
      break;
    case "duplicate":
      count(context, "cookies_duplicate");
      happen(context, "cookieDuplicate", { cookie });
      break;
    case "late":
      count(context, "cookies_late");
      return undefined;
    case "mismatch":
      return "cookie_mismatch";
  }
  if (state.association?.localTag !== cookie.localTag) return undefined;
  followUdpPort(state.udpPorts, context.arrival!.path, context.arrival!.udpPort);
  receiveChunks(context, state.association, packet.chunks.slice(1));
  return undefined;
}

/** Section 8.4: what belongs to no association is answered so that its sender learns that there is none. */
function answerOutOfTheBlue(context: Context, { verificationTag, chunks }: Packet): void {
  if (chunks.some(({ kind }) => kind === "abort")) return;
  switch (chunks[0]!.kind) {
    case "shutdownAck":
      reflectShutdownComplete(context);
      return;
    case "shutdownComplete":
    case "cookieAck":
    case "error":
      return;
    default:
      answer(context, verificationTag, () => [{ kind: "abort", flags: TAG_REFLECTED, causes: [] }]);
  }
}

function receiveChunks(context: Context, association: Association, chunks: readonly Chunk[]): void {
  const { state, settings, nowMs } = context;
  let hasData = false;
  for (const chunk of chunks) {
    hasData ||= chunk.kind === "data";
    const isLast = !receiveChunk(context, association, chunk);
    // An ABORT, the last word of a shutdown or a violation has ended it.
    if (state.association !== association) return;
    if (isLast) break;
  }
  if (hasData) countDataPacket(association.inbound, context.arrival!.path, settings, nowMs);
}

/** False: what follows in the packet is not to be looked at. */
function receiveChunk(context: Context, association: Association, chunk: Chunk): boolean {
  let isExpected = true;
  switch (chunk.kind) {
    case "data":
    case "sack":
    case "heartbeat":
    case "heartbeatAck":
    case "shutdownAck":
    case "shutdownComplete":
    case "cookieAck":
      isExpected = happen(context, chunk.kind, { chunk });
      break;
    case "abort":
      count(context, "aborts_received");
      isExpected = happen(context, "peerAbort", { reason: "peer_abort" });
      break;
    case "shutdown": {
      const { cumulativeTsn } = chunk;
      const view = { cumulativeTsn, advertisedWindow: undefined, gaps: undefined };
      const fault: Refusal | undefined = sackFault(association, view);
      if (fault === "sack_invalid") count(context, fault);
      else isExpected = happen(context, "peerShutdown", { chunk });
      break;
    }
    case "initAck": {
      if (context.state.code !== "CW") {
        isExpected = false;
        break;
      }
      const offered = judgeInitAck(context, association, chunk);
      if (offered !== undefined) happen(context, "initAck", { offered });
      break;
    }
    case "error":
      receiveError(context, chunk);
      break;
    case "unknown":
      return receiveUnknown(context, chunk);
    case "init":
    case "cookieEcho":
      // Only at the front of a packet (sections 5.1, 6.10).
      isExpected = false;
  }
  if (!isExpected) count(context, "chunk_unexpected");
  return true;
}

/** Errors are counted; only one of them asks for something (section 5.2.6). */
function receiveError(context: Context, { causes }: ChunkOf<"error">): void {
  count(context, "errors_received");
  const stale = causes.find((cause) => cause.kind === "staleCookie");
  const { association, code } = context.state;
  if (stale === undefined || association === undefined || code !== "CE") return;
  // It counts as an attempt, or a peer that finds every cookie stale would keep both busy for ever.
  if (retrySetup(context, association)) happen(context, "staleCookie", stale);
  else happen(context, "exhausted", { reason: "connect_failed" });
}

function receiveUnknown(context: Context, chunk: ChunkOf<"unknown">): boolean {
  const { isSkipped, isReported } = unknownChunkRule(chunk.type);
  count(context, "chunk_unknown");
  if (isReported) {
    context.replies.push({
      kind: "error",
      flags: 0,
      causes: [{ kind: "unrecognizedChunk", bytes: chunk.bytes }],
    });
  }
  return isSkipped;
}
