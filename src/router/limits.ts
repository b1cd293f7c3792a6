/** Bounds, times and rates of the router, with where they come from. */

import { BFD_ECHO_PORT, BFD_MULTIHOP_PORT, BFD_PORT } from "../bfd/index.js";
import { HSRP_PORTS } from "../hsrp/index.js";
import { UDP_ENCAPSULATION_PORT } from "../sctp/index.js";

/** Neighbours in all: what the core's table has room for. */
export { NEIGHBORS_MAX } from "../../assembly/layout.js";
/** An interface has at least so much of it, and half of it at most: a scan of one LAN leaves room for the others. */
export const NEIGHBOR_SHARES_MIN = 2;

/** Frames that wait for one neighbour: at a take-over 200 connections of one host send at once. */
export const QUEUE_MAX = 256;
/** Frames that wait for any neighbour, and their bytes (merged segments have up to 64 KiB). */
export const QUEUE_TOTAL_MAX = 4096;
export const QUEUE_BYTES_MAX = 8 * 1024 * 1024;

/** After each request so long for an answer; as many requests as there are times (RFC 1122 section 2.3.2.1: 1/s). */
export const RETRY_DELAYS_MS: readonly number[] = [250, 750, 1000, 1000];
/** A request that its rate does not let out is tried again after this time, and does not count. */
export const THROTTLE_MS = 100;
/** A neighbour that did not answer is not asked for again for so long. */
export const FAILED_MS = 3000;
/** The same for the next hop of a static route, which is always asked for again. */
export const NEXT_HOP_PAUSE_MS = 10_000;
/** What a neighbour says unasked is believed, and verified after this time (RFC 4861: DELAY_FIRST_PROBE_TIME). */
export const STALE_MS = 5000;
/** A neighbour that has just been confirmed does not move within this time: of two stations the first answer counts. */
export const LOCK_MS = 1000;
/** `arp timeout` of IOS, and how long before its end the neighbour is asked. */
export const ARP_TIMEOUT_SECONDS = 14_400;
export const REFRESH_BEFORE_MS = 60_000;
/** Next hops of static routes are asked this often, so that a failed one is noticed. */
export const NEXT_HOP_REFRESH_MS = 30_000;
/** Times of refreshing are spread over this share before their end. */
export const REFRESH_SPREAD = 0.1;
/** Next hops of static routes that are kept alive, by interface; others are resolved when they are used. */
export const NEXT_HOPS_MAX = 64;

/** Routers with HSRP that are known on an interface: what they ask for is learned in advance. */
export const SPEAKERS_MAX = 8;

/** A token bucket: a token comes every `everyMs`, and at most `burst` are kept. */
export interface Rate {
  readonly everyMs: number;
  readonly burst: number;
}

/** By interface. */
export const RATES = {
  /** Requests and answers of ARP and neighbour discovery that are read. */
  requestsIn: { everyMs: 1, burst: 512 },
  answersIn: { everyMs: 1, burst: 512 },
  /** Requests that are sent. */
  requestsOut: { everyMs: 2, burst: 512 },
  /** Neighbours that are resolved because another router of the group asks for them. */
  warm: { everyMs: 20, burst: 256 },
  echo: { everyMs: 1, burst: 200 },
  /** IOS: `ip icmp rate-limit unreachable 500`; the burst answers the three probes of traceroute, and once more. */
  unreachable: { everyMs: 500, burst: 6 },
  timeExceeded: { everyMs: 500, burst: 6 },
  /** Apart from the others, as in IOS, and faster: many connections may have to learn the MTU of a path at once. */
  tooBig: { everyMs: 10, burst: 64 },
} as const satisfies Record<string, Rate>;
export type RateName = keyof typeof RATES;

/** ICMP errors of all interfaces together. */
export const ERRORS_TOTAL: Rate = { everyMs: 5, burst: 100 };

/** Own IPv4 addresses are announced so often when an interface comes up (RFC 5227 section 1.1). */
export const ANNOUNCE_COUNT = 2;
export const ANNOUNCE_INTERVAL_MS = 2000;
/** An own address is defended, and its duplicate logged, no more often (RFC 5227: DEFEND_INTERVAL). */
export const DEFEND_INTERVAL_MS = 10_000;

/** Duplicate address detection (RFC 4862 section 5.4): random time before it, and how long an answer may take. */
export const DAD_DELAY_MS = 1000;
export const DAD_WAIT_MS = 1000;

/** Router advertisements (RFC 4861 sections 6.2.1 and 10; the interval is that of IOS). */
export const RA_INTERVAL_MAX_MS = 200_000;
export const RA_INTERVAL_MIN_MS = 66_000;
export const RA_INITIAL_COUNT = 3;
export const RA_INITIAL_INTERVAL_MS = 16_000;
export const RA_REPLY_DELAY_MS = 500;
export const RA_SPACING_MS = 3000;
export const RA_LIFETIME_SECONDS = 1800;
export const RA_FINAL_LIFETIME_SECONDS = 0;
export const PREFIX_VALID_SECONDS = 2_592_000;
export const PREFIX_PREFERRED_SECONDS = 604_800;

/** TTL of what is sent in answer, and what hosts are told to use (RFC 1700). */
export const TTL = 64;
/** Internetwork control (CS6): ICMP errors (RFC 1812 section 4.3.2.5), HSRP, SCTP and BFD. */
export const CONTROL_TRAFFIC_CLASS = 0xc0;
/** Longest ICMP errors (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4 c). */
export const ERROR_MAX_IPV4 = 576;
export const ERROR_MAX_IPV6 = 1280;
/** Smallest MTUs that are told. */
export const MTU_MIN_IPV4 = 68;
export const MTU_MIN_IPV6 = 1280;
export const MTU_DEFAULT = 1500;

/** UDP ports whose datagrams the control machines take whatever the configuration says: HSRP (RFC 2281), SCTP (RFC 6951), BFD (RFC 5881, 5883). */
export const CONTROL_PORTS: ReadonlySet<number> = new Set([
  ...HSRP_PORTS,
  UDP_ENCAPSULATION_PORT,
  BFD_PORT,
  BFD_ECHO_PORT,
  BFD_MULTIHOP_PORT,
]);
