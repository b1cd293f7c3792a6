/**
 * How much of what is for the box itself reaches its machines: a token bucket for each kind of traffic on each interface.
 * A flood on one LAN delays neither the hellos of another nor packets that pass; what is refused is counted by kind.
 */
import { BFD_PORT } from "../bfd/index.js";
import { IP_PROTOCOL_ICMP6, IP_PROTOCOL_SCTP, IP_PROTOCOL_UDP } from "../config/names.js";
import { ETHERTYPE_ARP } from "../frame.js";
import { HSRP_PORTS } from "../hsrp/index.js";
import { type Bucket, newBucket, take } from "../router/bucket.js";
import { ERRORS_TOTAL, RATES as ROUTER, type Rate } from "../router/limits.js";
import { UDP_ENCAPSULATION_PORT } from "../sctp/index.js";

/** By kind: what the router takes of it, where that has a rate. `session`: of the association, bulk syncs included. */
export const RATES = {
  arp: ROUTER.requestsIn,
  discovery: ROUTER.requestsIn,
  hsrp: { everyMs: 2, burst: 200 },
  bfd: { everyMs: 0.25, burst: 500 },
  session: { everyMs: 0.005, burst: 20_000 },
  /** Ping, traceroute and whatever else is sent to the box. */
  other: ROUTER.echo,
  /** Frames whose next hop nobody knows. */
  resolve: { everyMs: 0.2, burst: 2000 },
  /** Frames that an ICMP error may be due for. */
  report: ERRORS_TOTAL,
} as const satisfies Record<string, Rate>;

export type PolicedKind = keyof typeof RATES;
export const POLICED_KINDS = Object.keys(RATES) as readonly PolicedKind[];

export class Policer {
  /** Frames refused since the start, by kind. */
  readonly refused: Readonly<Record<PolicedKind, number>>;
  /** UDP port of the association between the boxes. */
  sessionPort: number = UDP_ENCAPSULATION_PORT;
  readonly #refused: Record<PolicedKind, number>;
  /** By interface number and kind. */
  readonly #buckets: Record<PolicedKind, Bucket>[];

  /** `interfaces`: numbers below this one. */
  constructor(interfaces: number) {
    this.#refused = byKind(() => 0);
    this.refused = this.#refused;
    this.#buckets = Array.from({ length: interfaces }, () => byKind((kind) => newBucket(RATES[kind])));
  }

  /** Whether a frame that came in by an interface may go on. False is counted. */
  admits(kind: PolicedKind, number: number, nowMs: number): boolean {
    const bucket = this.#buckets[number]?.[kind];
    if (bucket !== undefined && take(bucket, RATES[kind], nowMs)) return true;
    this.#refused[kind]++;
    return false;
  }

  /**
   * The kind of a frame for the box itself. `networkOffset`: where its network header begins; `protocol`: as the core
   * found it.
   */
  kindOf(frame: Uint8Array, networkOffset: number, protocol: number): PolicedKind {
    if (word(frame, networkOffset - 2) === ETHERTYPE_ARP) return "arp";
    if (protocol === IP_PROTOCOL_SCTP) return "session";
    const version = (frame[networkOffset] ?? 0) >> 4;
    const transport = networkOffset + (version === 6 ? IPV6_HEADER : ((frame[networkOffset] ?? 0) & 15) * 4);
    if (protocol === IP_PROTOCOL_UDP) return this.#kindOfPort(word(frame, transport + UDP_DESTINATION));
    if (protocol !== IP_PROTOCOL_ICMP6) return "other";
    const icmp = frame[transport] ?? 0;
    return icmp >= DISCOVERY_TYPES.first && icmp <= DISCOVERY_TYPES.last ? "discovery" : "other";
  }

  #kindOfPort(port: number): PolicedKind {
    if (HSRP_PORTS.has(port)) return "hsrp";
    if (port === BFD_PORT) return "bfd";
    return port === this.sessionPort ? "session" : "other";
  }
}

function byKind<T>(make: (kind: PolicedKind) => T): Record<PolicedKind, T> {
  return Object.fromEntries(POLICED_KINDS.map((kind) => [kind, make(kind)])) as Record<PolicedKind, T>;
}

/** Neighbour discovery (RFC 4861). */
const DISCOVERY_TYPES = { first: 133, last: 137 } as const;
const UDP_DESTINATION = 2;
const IPV6_HEADER = 40;

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
