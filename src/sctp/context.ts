/**
 * What one call of `Endpoint.step` works with: the state, the time, and the actions that it collects; and how packets
 * become actions.
 */
import type { Address } from "../ip.js";
import type { Association } from "./association.js";
import type { Chunk } from "./chunk.js";
import type { Counter, Counters, Refusal } from "./counters.js";
import type { PacketWriter } from "./packet.js";
import type { InboundMessage } from "./reassembly.js";
import type { Settings } from "./settings.js";
import type { StateCode } from "./states.js";

/** Why an association, or an attempt to get one, has ended. */
export const DOWN_REASONS = [
  "connect_failed", // no answer to INIT or COOKIE ECHO
  "unreachable", // too many errors in a row
  "shutdown", // asked for here
  "abort", // asked for here
  "peer_shutdown",
  "peer_abort",
  "protocol_violation", // by the peer
  "shutdown_timeout", // the peer did not finish the teardown
] as const;
export type DownReason = (typeof DOWN_REASONS)[number];

export type SctpAction =
  /** One packet, as payload of a UDP datagram to `udpPort`; OVER_IP: of an IP packet of protocol 132. */
  | { kind: "transmit"; from: Address; to: Address; udpPort: number; bytes: Uint8Array }
  /** A message has arrived. Its bytes may be part of a datagram that was handed in. */
  | ({ kind: "message" } & InboundMessage)
  /** The association is there: messages can be sent. */
  | { kind: "up" }
  /**
   * The peer has started anew: all that was queued is gone, all numbers start again, paths are told anew. Comes instead
   * of "down" and "up".
   */
  | { kind: "restarted" }
  /** `wasUp` false: an attempt has failed. What was queued is gone. */
  | { kind: "down"; reason: DownReason; wasUp: boolean }
  | { kind: "path"; index: number; isActive: boolean }
  /** Half of the send queue is free again after a message was refused as full. "up" and "restarted" mean it too. */
  | { kind: "writable" }
  /** A message that was to be sent was not taken. */
  | { kind: "refused"; reason: Refusal };

export interface EndpointState {
  /** disabled: INITs are refused. listen: they are answered. connect: and we try by ourselves. */
  mode: "disabled" | "listen" | "connect";
  code: StateCode;
  association: Association | undefined;
  /** Associations that have ended. */
  epoch: number;
  cookieKey: Uint8Array;
  /** The peer's UDP port on each path. */
  udpPorts: number[];
  /** When to try again, and how long the next wait will be. */
  connectAtMs: number;
  reconnectMs: number;
  /** Until when the answers to packets without an association are used up, at their rate; never in the past. */
  answersUsedAtMs: number;
  /** Messages were queued that nothing has been sent of yet: see the input `send`. */
  isCorked: boolean;
  /** A message was refused as full. */
  isSenderWaiting: boolean;
  /** Time of the last step. */
  nowAtMs: number;
  counters: Counters;
}

/** The packet that is being taken. */
export interface Arrival {
  /** Index of the path it came by. */
  path: number;
  udpPort: number | undefined;
  verificationTag: number;
}

export interface FlushOptions {
  /** Packets with user data. */
  packetsMax: number;
  /** The first packet of lost chunks goes whatever the congestion window says (sections 6.3.3 E3, 7.2.4). */
  isForced: boolean;
}

export interface Context {
  readonly settings: Settings;
  readonly state: EndpointState;
  readonly nowMs: number;
  readonly actions: SctpAction[];
  readonly writer: PacketWriter;
  arrival: Arrival | undefined;
  /** Chunks that answer the packet being taken; sent with what else is due, to where it came from. */
  replies: Chunk[];
  /** How what is due is to be sent at the end of the step. */
  flush: FlushOptions;
}

export function count(context: Context, counter: Counter, by = 1): void {
  context.state.counters[counter] += by;
}

function transmit(context: Context, path: number, udpPort: number, bytes: Uint8Array): void {
  const { local, remote } = context.settings.pairs[path]!;
  count(context, "packets_sent");
  count(context, "bytes_sent", bytes.length);
  context.actions.push({
    kind: "transmit",
    from: local,
    to: remote,
    udpPort,
    bytes,
  });
}

function beginPacket(context: Context, verificationTag: number): void {
  const { localPort, remotePort } = context.settings;
  context.writer.begin({ sourcePort: localPort, destinationPort: remotePort, verificationTag, checksum: 0 });
}

/** Sends one packet with these chunks, which are known to fit. */
export function sendPacket(
  context: Context,
  path: number,
  verificationTag: number,
  chunks: readonly Chunk[],
  udpPort: number = context.state.udpPorts[path]!,
): void {
  beginPacket(context, verificationTag);
  for (const chunk of chunks) context.writer.add(chunk);
  transmit(context, path, udpPort, context.writer.finish());
}

/** Answers that packets without an association may cause, at once and per second: an INIT costs a signature. */
export const ANSWERS_BURST_MAX = 200;
export const ANSWERS_PER_SECOND_MAX = 200;

/**
 * Answers the packet being taken, to where it came from, unless there were too many such answers lately. Only then is
 * the answer made.
 */
export function answer(context: Context, verificationTag: number, make: () => readonly Chunk[]): void {
  if (!mayAnswer(context)) return;
  const { path, udpPort } = context.arrival!;
  sendPacket(context, path, verificationTag, make(), udpPort ?? context.state.udpPorts[path]!);
}

/** Takes one answer from the allowance, or counts the refusal. */
function mayAnswer(context: Context): boolean {
  const { state, nowMs } = context;
  const costMs = 1000 / ANSWERS_PER_SECOND_MAX;
  if (state.answersUsedAtMs + costMs > nowMs + ANSWERS_BURST_MAX * costMs) {
    count(context, "answer_rate");
    return false;
  }
  state.answersUsedAtMs += costMs;
  return true;
}

/** Packs chunks into packets of one association: as many to a packet as fit, as long as they go the same way. */
export class Outbox {
  readonly #context: Context;
  readonly #verificationTag: number;
  #path: number | undefined;
  /** Packets begun so far. */
  packets = 0;

  constructor(context: Context, verificationTag: number) {
    this.#context = context;
    this.#verificationTag = verificationTag;
  }

  /** Whether so many bytes more, padded, go into the packet that is open for this path. */
  hasRoom(path: number, length: number): boolean {
    return this.#path === path && this.#context.writer.room >= length;
  }

  /** A chunk that does not fit an empty packet is left out: false. */
  put(path: number, chunk: Chunk): boolean {
    if (this.#path === path && this.#context.writer.add(chunk)) return true;
    this.close();
    beginPacket(this.#context, this.#verificationTag);
    if (!this.#context.writer.add(chunk)) return false;
    this.#path = path;
    this.packets++;
    return true;
  }

  /** Sets flags of the chunk that was put last into the packet that is open, if there is one. */
  flagLast(flags: number): void {
    if (this.#path !== undefined) this.#context.writer.flagLast(flags);
  }

  /** Sends the open packet, if there is one. */
  close(): void {
    if (this.#path === undefined) return;
    const { state, writer } = this.#context;
    transmit(this.#context, this.#path, state.udpPorts[this.#path]!, writer.finish());
    this.#path = undefined;
  }
}
