/**
 * What an endpoint is told when it is made, with the defaults of what it is not told. The defaults of a seed
 * configuration are its caller's: here stand those of RFC 9260 section 16 and our own.
 */
import type { Address } from "../ip.js";
import { OVER_IP, UDP_ENCAPSULATION_PORT } from "./encapsulation.js";
import { PACKET_BYTES_MAX } from "./packet.js";

/** Addresses of one side. */
export const PATHS_MAX = 2;
export const STREAMS_MAX = 1024;
/** Smallest packet size that holds every control chunk that is not cut to size. */
export const MTU_MIN = 256;
/** The smallest window that a peer may announce (RFC 9260 section 3.3.2). */
export const WINDOW_MIN = 1500;
/** Max.Init.Retransmits. */
const INIT_RETRANSMIT = 8;
/** Max.Burst: packets with user data that are sent at one occasion. */
const BURST_MAX = 4;
const SACK_DELAY_MS = 200;
/** A SACK must leave well before the peer's timer expires, the way back included. */
const SACK_DELAY_OF_RTO_MIN = 1 / 3;
const MTU = 1200;
const HEARTBEAT_MS = 1000;
const RECEIVE_QUEUE_BYTES = 1_048_576;
const SEND_QUEUE_BYTES = 1_048_576;
const MESSAGE_BYTES_MAX = 262_144;
const RECONNECT = { minMs: 200, maxMs: 2000 };

export interface EndpointOptions {
  /** SCTP ports. */
  localPort: number;
  remotePort: number;
  /** One or two each, of one family; the first of one side goes with the first of the other: see `pairs`. */
  localAddresses: readonly Address[];
  remoteAddresses: readonly Address[];
  /** Bounds of the retransmission timeout, `retransmit-timeout`. */
  rtoMinMs: number;
  rtoMaxMs: number;
  /** Default: `rtoMaxMs`. */
  rtoInitialMs?: number;
  /** A path is inactive when its errors in a row exceed this, `path-retransmit`. */
  pathRetransmit: number;
  /** The association is lost when its errors in a row exceed this, `assoc-retransmit`. */
  assocRetransmit: number;
  /** How often an INIT or COOKIE ECHO is sent again before the attempt is given up. Default 8. */
  initRetransmit?: number;
  /** Time between heartbeats of an idle path, to which its RTO is added. Default 1000. */
  heartbeatMs?: number;
  /** Default: 200, but at most a third of `rtoMinMs`. */
  sackDelayMs?: number;
  /** Largest SCTP packet in bytes, without IP and UDP headers. Default 1200. */
  mtu?: number;
  /** Default 4. */
  burstMax?: number;
  /** In each direction; the association has what both sides agree on. */
  streams: number;
  /** Bytes that wait and that are not acknowledged yet. Default 1 MiB. */
  sendQueueBytes?: number;
  /** The window: bytes that are received and not delivered (or not consumed, see below). Default 1 MiB. */
  receiveQueueBytes?: number;
  /** The largest message in either direction. Default 256 KiB; at most half of either queue. */
  messageBytesMax?: number;
  /**
   * false (default): a delivered message is consumed. true: the window counts delivered messages until the input
   * `consumed` says that they are.
   */
  isConsumptionCounted?: boolean;
  /** Waiting times between attempts after the association was lost, doubled from first to last; "off": none. */
  reconnect?: { minMs: number; maxMs: number } | "off";
  /** Where the peer is first expected to listen, RFC 6951; OVER_IP: packets travel over IP. Default 9899. */
  remoteUdpPort?: number;
  /** Uniformly distributed, 0..2^32-1, and not to be guessed. */
  random: () => number;
  /** Signs cookies; any length, from a good source. */
  secret: Uint8Array;
}

/** One of our addresses with one of the peer's: a path. */
export interface AddressPair {
  readonly local: Address;
  readonly remote: Address;
}

export type Settings = Readonly<Required<EndpointOptions>> & {
  /** The first addresses of both sides, the second ones; an only address goes with both of the other side. */
  readonly pairs: readonly AddressPair[];
};

/** The options with their defaults. Options that contradict each other are a bug of the caller: throws. */
export function settingsOf(options: EndpointOptions): Settings {
  const { localAddresses, remoteAddresses } = options;
  const { sendQueueBytes = SEND_QUEUE_BYTES, receiveQueueBytes = RECEIVE_QUEUE_BYTES } = options;
  const defaults = {
    rtoInitialMs: options.rtoMaxMs,
    initRetransmit: INIT_RETRANSMIT,
    heartbeatMs: HEARTBEAT_MS,
    sackDelayMs: Math.min(SACK_DELAY_MS, options.rtoMinMs * SACK_DELAY_OF_RTO_MIN),
    mtu: MTU,
    burstMax: BURST_MAX,
    sendQueueBytes,
    receiveQueueBytes,
    messageBytesMax: Math.min(MESSAGE_BYTES_MAX, sendQueueBytes / 2, receiveQueueBytes / 2),
    isConsumptionCounted: false,
    reconnect: RECONNECT,
    remoteUdpPort: UDP_ENCAPSULATION_PORT,
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const length = Math.max(localAddresses.length, remoteAddresses.length);
  const pairs = Array.from({ length }, (_, i) => ({
    local: localAddresses[i] ?? localAddresses[0]!,
    remote: remoteAddresses[i] ?? remoteAddresses[0]!,
  }));
  const settings: Settings = { ...defaults, ...(given as unknown as EndpointOptions), pairs } as Settings;
  const wrong = contradiction(settings);
  if (wrong !== undefined) throw new RangeError(`SCTP endpoint: ${wrong}`);
  return settings;
}

/** The path that a datagram between these addresses came by; one that crosses goes by the peer's address. -1: none. */
export function pathOf({ pairs }: Settings, local: Address, remote: Address): number {
  const exact = pairs.findIndex((pair) => pair.local === local && pair.remote === remote);
  return exact >= 0 ? exact : pairs.findIndex((pair) => pair.remote === remote);
}

function contradiction(s: Settings): string | undefined {
  const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535;
  const families = new Set([...s.localAddresses, ...s.remoteAddresses].map((address) => typeof address));
  const isCount = (count: number) => count >= 1 && count <= PATHS_MAX;
  const checks: readonly [string, boolean][] = [
    ["ports", isPort(s.localPort) && isPort(s.remotePort)],
    ["UDP port", isPort(s.remoteUdpPort) || s.remoteUdpPort === OVER_IP],
    ["number of addresses", isCount(s.localAddresses.length) && isCount(s.remoteAddresses.length)],
    ["addresses of two families", families.size === 1],
    [
      "an address twice",
      [s.localAddresses, s.remoteAddresses].every((all) => new Set(all).size === all.length),
    ],
    ["RTO bounds", s.rtoMinMs >= 1 && s.rtoMinMs <= s.rtoMaxMs && s.rtoInitialMs >= 1],
    ["retransmissions", s.pathRetransmit >= 0 && s.assocRetransmit >= 0 && s.initRetransmit >= 0],
    ["heartbeat", s.heartbeatMs >= 1],
    ["SACK delay", s.sackDelayMs >= 0 && s.sackDelayMs < s.rtoMinMs],
    ["mtu", Number.isInteger(s.mtu) && s.mtu >= MTU_MIN && s.mtu <= PACKET_BYTES_MAX],
    ["burst", s.burstMax >= 1],
    ["streams", Number.isInteger(s.streams) && s.streams >= 1 && s.streams <= STREAMS_MAX],
    ["receive queue", s.receiveQueueBytes >= WINDOW_MIN && s.receiveQueueBytes < 2 ** 32],
    [
      "message size",
      s.messageBytesMax >= 1 && s.messageBytesMax * 2 <= Math.min(s.sendQueueBytes, s.receiveQueueBytes),
    ],
    [
      "reconnection",
      s.reconnect === "off" || (s.reconnect.minMs >= 1 && s.reconnect.minMs <= s.reconnect.maxMs),
    ],
  ];
  return checks.find(([, isFine]) => !isFine)?.[0];
}
