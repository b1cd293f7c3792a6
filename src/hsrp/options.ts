/** What the HSRP machine is told about its router; from-config.ts makes it from a configuration. */
import type { MacOrigin } from "./interface-addresses.js";
import type { Family } from "../config/model.js";
import type { Mac } from "../frame.js";
import type { Address } from "../ip.js";
import type { Key } from "./md5.js";
import type { Version } from "./wire.js";

export interface HsrpOptions {
  /** Every interface of the router, those without a group too: they may be tracked. */
  readonly interfaces: readonly HsrpInterface[];
  /** The key of the group that the groups tied to it follow (`scheme standby NAME`); else the first by its key. */
  readonly leader?: string;
  /** Take any TTL, and timers of 0 in version 1 (sub-second timers of other makes). */
  readonly isLenient?: boolean;
  readonly announcements?: Announcements;
  /** How often the wait before a preemption doubles while roles keep changing; BACKOFF_DOUBLINGS unless given. */
  readonly backoffDoublings?: number;
  /** Random 32-bit numbers, for the jitter of hellos. */
  readonly random: () => number;
}

/** Gratuitous ARP or unsolicited neighbour advertisements of an Active router. */
export interface Announcements {
  readonly count: number;
  readonly intervalMs: number;
  /** Once more after each such time while Active; Infinity: never. */
  readonly refreshMs: number;
}

export interface HsrpInterface {
  readonly name: string;
  readonly version: Version;
  readonly burnedInMac: Mac;
  /** The primary first. */
  readonly networks: readonly Network[];
  /** IPv6 networks without the link-local one. */
  readonly networks6: readonly Network[];
  /** Undefined: no IPv6 on the interface. */
  readonly linkLocal?: bigint;
  /** `standby delay`: before groups start when the interface comes up, and when it does so first after a boot. */
  readonly delayMinimumMs: number;
  readonly delayReloadMs: number;
  /** Given: packets of all other routers are ignored. */
  readonly peers?: readonly Address[];
  readonly groups: readonly HsrpGroup[];
}

export interface Network {
  /** The router's address in it. */
  readonly address: Address;
  readonly prefixLength: number;
}

/** One group of one address family. */
export interface HsrpGroup {
  readonly group: number;
  readonly family: Family;
  readonly name?: string;
  /** Undefined: the group is not enabled. */
  readonly virtualAddress?: Address | "learn";
  /** Also owned when Active; not in hellos. */
  readonly secondaryAddresses: readonly Address[];
  /** The virtual MAC address and where it is from. */
  readonly virtualMac: Mac;
  readonly virtualMacOrigin: MacOrigin;
  readonly priority: number;
  readonly preempt?: Preempt;
  /** Undefined: learned from the Active router, else the default. */
  readonly timers?: Timers;
  readonly authentication: Authentication;
  /** `key-string ... timeout`: for how long former keys are accepted after this one was configured; 0 unless given. */
  readonly oldKeyTimeoutMs?: number;
  readonly tracks: readonly Track[];
}

export interface Timers {
  readonly helloMs: number;
  readonly holdMs: number;
}

export interface Preempt {
  /** Before each preemption. */
  readonly minimumMs: number;
  /** Before the first preemption after a boot. */
  readonly reloadMs: number;
  /** Longest wait for the sessions to be synchronised; 0: none, Infinity: for as long as it takes. */
  readonly syncMs: number;
}

/** An interface, or a tracked object's number, that lowers the priority while it is down. */
export interface Track {
  readonly object: string;
  readonly decrement: number;
  /** The group is not enabled while the object is down. */
  readonly isShutdown: boolean;
}

export type Authentication =
  | { readonly kind: "text"; readonly text: string }
  /** The first key signs; all are accepted. No key: the group does not start. */
  | { readonly kind: "md5"; readonly chain?: string; readonly keys: readonly Key[] };

/** What hellos carry unless `standby authentication` says otherwise (RFC 2281 section 5.1). */
export const DEFAULT_TEXT = "cisco";

/** At 0, 2 and 4 seconds, as IOS does. */
export const ANNOUNCEMENTS: Announcements = {
  count: 3,
  intervalMs: 2000,
  refreshMs: Number.POSITIVE_INFINITY,
};

export const BACKOFF_DOUBLINGS = 6;

/** Each hello comes earlier by up to this share of the hello time, so that routers do not march in step. */
export const HELLO_JITTER = 0.1;

/** Greatest times that can be configured, and so the greatest that are believed. */
export const HELLO_MS_MAX = 254_000;
export const HOLD_MS_MAX = 255_000;

export const PRIORITY_MAX = 255;

/** Learned timers are whole seconds or more: shorter ones are configured on both sides. */
export const LEARNED_MS_MIN = 1000;

/** The name by which both routers of a pair know a group. */
export function keyOf(interfaceName: string, { name, group, family }: HsrpGroup): string {
  const key = name ?? `${interfaceName}:${group}`;
  return family === 6 ? `${key}/IPv6` : key;
}
