/**
 * How much of what is for the box itself reaches its machines: a token bucket for each kind of traffic on each interface.
 * A flood on one LAN delays neither the hellos of another nor packets that pass; what is refused is counted by kind.
 */
import { IP_PROTOCOL_ICMP6, IP_PROTOCOL_SCTP, IP_PROTOCOL_UDP } from "../config/names.js";
import { ETHERTYPE_ARP } from "../frame.js";

/** Frames a second and how many at once, by kind. `session`: of the association between the boxes, bulk syncs included. */
export const RATES = {
  arp: { perSecond: 1000, burst: 500 },
  discovery: { perSecond: 1000, burst: 500 },
  hsrp: { perSecond: 500, burst: 200 },
  bfd: { perSecond: 4000, burst: 500 },
  session: { perSecond: 200_000, burst: 20_000 },
  /** Ping, traceroute and whatever else is sent to the box. */
  other: { perSecond: 500, burst: 200 },
  /** Frames whose next hop nobody knows. */
  resolve: { perSecond: 5000, burst: 2000 },
  /** Frames that an ICMP error may be due for. */
  report: { perSecond: 200, burst: 100 },
} as const;

export type PolicedKind = keyof typeof RATES;
export const POLICED_KINDS = Object.keys(RATES) as readonly PolicedKind[];

const SECOND_MS = 1000;

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

export class Policer {
  /** Frames refused since the start, by kind. */
  readonly refused: Readonly<Record<PolicedKind, number>>;
  readonly #refused: Record<PolicedKind, number>;
  /** By interface number and kind. */
  readonly #buckets: Record<PolicedKind, Bucket>[];

  /** `interfaces`: numbers below this one. */
  constructor(interfaces: number) {
    this.#refused = byKind(() => 0);
    this.refused = this.#refused;
    this.#buckets = Array.from({ length: interfaces }, () =>
      byKind((kind) => ({ tokens: RATES[kind].burst, filledAtMs: 0 })),
    );
  }

  /** Whether a frame that came in by an interface may go on. False is counted. */
  admits(kind: PolicedKind, number: number, nowMs: number): boolean {
    const bucket = this.#buckets[number]?.[kind];
    if (bucket !== undefined) {
      const { perSecond, burst } = RATES[kind];
      const earned = (Math.max(0, nowMs - bucket.filledAtMs) * perSecond) / SECOND_MS;
      bucket.tokens = Math.min(burst, bucket.tokens + earned);
      bucket.filledAtMs = nowMs;
      if (bucket.tokens >= 1) {
        bucket.tokens--;
        return true;
      }
    }
    this.#refused[kind]++;
    return false;
  }
}

function byKind<T>(make: (kind: PolicedKind) => T): Record<PolicedKind, T> {
  return Object.fromEntries(POLICED_KINDS.map((kind) => [kind, make(kind)])) as Record<PolicedKind, T>;
}

/** By UDP destination port: HSRP for both families, BFD (RFC 5881), SCTP (RFC 6951). */
const UDP_KINDS: ReadonlyMap<number, PolicedKind> = new Map([
  [1985, "hsrp"],
  [2029, "hsrp"],
  [3784, "bfd"],
  [9899, "session"],
]);
/** Neighbour discovery (RFC 4861). */
const DISCOVERY_TYPES = { first: 133, last: 137 } as const;
const UDP_DESTINATION = 2;
const IPV6_HEADER = 40;

/**
 * The kind of a frame for the box itself. `networkOffset`: where its network header begins; `protocol`: as the core
 * found it.
 */
export function kindOf(frame: Uint8Array, networkOffset: number, protocol: number): PolicedKind {
  const type = word(frame, networkOffset - 2);
  if (type === ETHERTYPE_ARP) return "arp";
  const version = (frame[networkOffset] ?? 0) >> 4;
  const transport = networkOffset + (version === 6 ? IPV6_HEADER : ((frame[networkOffset] ?? 0) & 15) * 4);
  if (protocol === IP_PROTOCOL_SCTP) return "session";
  if (protocol === IP_PROTOCOL_UDP) return UDP_KINDS.get(word(frame, transport + UDP_DESTINATION)) ?? "other";
  if (protocol !== IP_PROTOCOL_ICMP6) return "other";
  const icmp = frame[transport] ?? 0;
  return icmp >= DISCOVERY_TYPES.first && icmp <= DISCOVERY_TYPES.last ? "discovery" : "other";
}

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
