/** The state of a router, and what a step works with. */
import type { Address } from "../ip.js";
import type { Mac } from "../mac.js";
import type { RouterAction } from "./actions.js";
import { type Bucket, newBucket, take } from "./bucket.js";
import { type CounterName, type Counters, newCounters } from "./counters.js";
import { ERRORS_TOTAL, RATES, type RateName } from "./limits.js";
import type { NeighborState } from "./neighbor-states.js";
import type { Plan, RouterInterface } from "./plan.js";

export const NEVER_MS = Number.POSITIVE_INFINITY;

/** A station on a link. */
export interface Neighbor {
  readonly on: Link;
  readonly address: Address;
  state: Exclude<NeighborState, "none">;
  /** Undefined: never told. */
  mac: Mac | undefined;
  /** Whether it has answered a request since it was made. */
  isConfirmed: boolean;
  /** When the MAC address was last learned or confirmed. */
  updatedAtMs: number;
  dueAtMs: number;
  /** Requests since it last answered. */
  tries: number;
  /** Frames that wait, the oldest first. */
  queue: Waiting[];
}

export interface Waiting {
  readonly frame: Uint8Array;
  /** It is not this router's own. */
  readonly isForwarded?: true;
  readonly networkOffset: number;
  /** Made here: nobody has asked where its next hop is. */
  readonly isOwn?: boolean;
}

/** An own address. */
export interface OwnAddress {
  /** `tentative`: it is being found out whether somebody else has it. */
  state: "tentative" | "valid" | "duplicate";
  /** The next announcement, or the next step of duplicate address detection. */
  dueAtMs: number;
  /** Announcements, or solicitations, that are still to be sent. */
  left: number;
  defendAtMs: number;
}

/** A default router that hosts are told of. */
export interface Advertiser {
  readonly source: bigint;
  readonly mac: Mac;
  dueAtMs: number;
  lastAtMs: number;
  /** Of the first advertisements, which come sooner after each other. */
  initialLeft: number;
}

/** An interface and what is remembered of it. */
export interface Link {
  readonly name: string;
  /** Undefined: no longer in the configuration. */
  plan: RouterInterface | undefined;
  isUp: boolean;
  readonly counters: Counters;
  readonly buckets: Record<RateName, Bucket>;
  /** Those that have answered, and those that have not: each with the one that waits longest first. */
  readonly confirmed: Map<Address, Neighbor>;
  readonly unconfirmed: Map<Address, Neighbor>;
  readonly own: Map<Address, OwnAddress>;
  readonly advertisers: Map<bigint, Advertiser>;
  /** Routers of a group, the one heard longest ago first. */
  readonly speakers: Set<Address>;
}

/** Virtual addresses that this router answers for. */
export interface Owned {
  readonly interface: string;
  readonly addresses: readonly Address[];
  readonly mac: Mac;
}

export interface Context {
  nowMs: number;
  actions: RouterAction[];
  plan: Plan;
  readonly random: () => number;
  readonly neighborsMax: number;
  readonly links: Map<string, Link>;
  /** By key of the group. */
  readonly owned: Map<string, Owned>;
  /** Of all queues. */
  readonly queued: { frames: number; bytes: number };
  readonly errors: Bucket;
  /** Frames that could not be delivered: errors are due for them. */
  undeliverable: Waiting[];
  /** Of the datagrams that this router makes. */
  identification: number;
  /** No later than the next time at which something is due. */
  deadlineMs: number;
}

export function newLink(name: string): Link {
  return {
    name,
    plan: undefined,
    isUp: false,
    counters: newCounters(),
    buckets: Object.fromEntries(
      Object.entries(RATES).map(([rate, limits]) => [rate, newBucket(limits)]),
    ) as Link["buckets"],
    confirmed: new Map(),
    unconfirmed: new Map(),
    own: new Map(),
    advertisers: new Map(),
    speakers: new Set(),
  };
}

export function newErrorBucket(): Bucket {
  return newBucket(ERRORS_TOTAL);
}

export function count(link: Link, name: CounterName): undefined {
  link.counters[name] += 1;
}

/** Whether something of a limited rate may happen now. */
export function mayNow({ nowMs }: Context, link: Link, rate: RateName): boolean {
  return take(link.buckets[rate], RATES[rate], nowMs);
}

/** Wants to be called again at that time, or sooner. */
export function wakeAt(context: Context, atMs: number): undefined {
  context.deadlineMs = Math.min(context.deadlineMs, atMs);
}

/** The MAC address by which this router answers for a virtual address on a link now. */
export function ownedMac({ owned }: Context, link: Link, address: Address): Mac | undefined {
  for (const { interface: name, addresses, mac } of owned.values()) {
    if (name === link.name && addresses.includes(address)) return mac;
  }
  return undefined;
}

/** The MAC address by which an address on a link is to be reached at this router: its own, or a virtual one. */
export function macFor(context: Context, link: Link, address: Address): Mac | undefined {
  const own = link.own.get(address);
  if (own !== undefined) return own.state === "valid" ? link.plan?.mac : undefined;
  return ownedMac(context, link, address);
}

/** Whether the address is one of this router, usable or not, or one that its groups share. */
export function isOursOrShared(context: Context, link: Link, address: Address): boolean {
  return (
    link.own.has(address) || link.plan!.virtual.has(address) || ownedMac(context, link, address) !== undefined
  );
}

/** Whether a MAC address is one of this router's own, or a virtual one that it has now. */
export function isOwnMac({ owned }: Context, link: Link, mac: Mac): boolean {
  if (mac === link.plan?.mac) return true;
  for (const each of owned.values()) if (each.interface === link.name && each.mac === mac) return true;
  return false;
}

/** A number from 0 to 1. */
export function fraction({ random }: Context): number {
  return random() / 2 ** 32;
}
