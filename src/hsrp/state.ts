/**
 * Everything the HSRP machine remembers: plain data that can be copied. A name that ends in `AtMs` is a time of the
 * caller's clock, Infinity where nothing is awaited; only `books` has no influence on what the machine does.
 */
import type { Family } from "../config/model.js";
import type { Mac } from "../frame.js";
import { type Address, inPrefix } from "../ip.js";
import type { HsrpAction, HsrpReport } from "./actions.js";
import { isLinkLocal, type Transport, transportOf } from "./addresses.js";
import type { Generation } from "./classify.js";
import {
  type Authentication,
  type HsrpGroup,
  type HsrpInterface,
  type HsrpOptions,
  keyOf,
  type Timers,
} from "./options.js";
import { type Refusal, REFUSAL_NAMES } from "./refusals.js";
import type { State } from "./table.js";
import type { Opcode } from "./wire.js";

export const NEVER_MS = Number.POSITIVE_INFINITY;

/** Another router of a group. */
export interface Neighbor {
  address: Address;
  priority: number;
  /** Burned-in, where version 2 tells it. */
  mac?: Mac;
}

export interface GroupState {
  state: State;
  /** The timers of RFC 2281 section 5.5. */
  activeAtMs: number;
  standbyAtMs: number;
  helloAtMs: number;
  /** The Active and the Standby router, where it is another one that is known. */
  active?: Neighbor;
  standby?: Neighbor;
  learnedAddress?: Address;
  learnedTimers?: Timers;
  authentication: Authentication;
  /** The Active timer ran out late and was given some more time, once. */
  isGraceGiven: boolean;
  /** Who was seen Active last. */
  owner?: Address | "local";
  /** One change of roles per hold time: no take-over that could wait happens before. */
  takeoverNotBeforeAtMs: number;
  /** The same for preemption, which waits twice as long after each change that does not wait out `calmAtMs`. */
  preemptNotBeforeAtMs: number;
  calmAtMs: number;
  doublings: number;
  /** `preempt delay`: ends of the delay and of the wait for sessions; Infinity: nothing to preempt. */
  preemptReadyAtMs: number;
  preemptSyncAtMs: number;
  hasPreempted: boolean;
  /** Handed over on purpose: does not preempt until it has been Active again. */
  isReleased: boolean;
  /** End of the delay of a group that was configured while the interface was up. */
  startAtMs: number;
  /** Keys under which the peer may still know a group that was renamed while it was Active. */
  formerKeys: readonly string[];
  announceAtMs: number;
  announceNotBeforeAtMs: number;
  announcementsLeft: number;
  coupNotBeforeAtMs: number;
  /** The last hello that was verified: equal bytes need no second digest, and say nothing new for a while. */
  verified?: { source: Address; payload: Uint8Array; repeatUntilAtMs: number; trustedUntilAtMs: number };
}

export interface LinkState {
  isUp: boolean;
  /** It has been up since the boot. */
  wasUp: boolean;
  /** End of `standby delay`. */
  startAtMs: number;
  /** When the packets let through so far would have come at the permitted rate. */
  rateAtMs: number;
}

export interface InterfaceCounters {
  received: number;
  accepted: number;
  /** Advertise packets and interface states: read, and of no effect. */
  advertisements: number;
  refused: Record<Refusal, number>;
  sent: Record<Opcode, number>;
}

export interface Books {
  interfaces: Record<string, InterfaceCounters>;
  groups: { stateChanges: number; changedAtMs: number }[];
  /** When a log line of a kind may be written again. */
  logAtMs: Record<string, number>;
}

export interface HsrpState {
  nowMs: number;
  isStopped: boolean;
  isSynchronised: boolean;
  isReleasing: boolean;
  isDoubting: boolean;
  peer: { report?: HsrpReport; generation: Generation };
  /** By interface, and by tracked object as far as it is known. */
  links: Record<string, LinkState>;
  groups: GroupState[];
  books: Books;
}

/** What is configured of a group, and follows from that. */
export interface GroupSpec {
  readonly index: number;
  readonly key: string;
  readonly on: HsrpInterface;
  readonly options: HsrpGroup;
  readonly transport: Transport;
  /** The source of its packets; undefined: the interface has no address of the family. */
  readonly address?: Address;
  /** The group can never run, because of this. */
  readonly problem?: "Disabled" | "protocol not cfgd" | "no virtual IP" | "no authentication key";
}

export interface Group {
  readonly spec: GroupSpec;
  readonly state: GroupState;
}

/** Groups that change roles together, the leader first; see together.ts. */
export type Tie = readonly Group[];

/** One call of `step`. */
export interface Context {
  readonly nowMs: number;
  readonly options: HsrpOptions;
  readonly state: HsrpState;
  /** By index of the group. */
  readonly ties: readonly Tie[];
  readonly actions: HsrpAction[];
}

/** Every group of every interface, in the order of the options. */
export function specsOf(options: HsrpOptions): GroupSpec[] {
  const all = options.interfaces.flatMap((on) => on.groups.map((group) => ({ on, group })));
  return all.map(({ on, group }, index): GroupSpec => {
    const address = sourceAddress(on, group.family);
    const problem = problemOf(on, group, address);
    return {
      index,
      key: keyOf(on.name, group),
      on,
      options: group,
      transport: transportOf(on.version, group.family),
      ...(address !== undefined && { address }),
      ...(problem !== undefined && { problem }),
    };
  });
}

/** When a group may leave Init, as far as that is a matter of time; Infinity: its interface is down. */
export function startAtMsOf({ links }: HsrpState, { spec, state }: Group): number {
  return Math.max(links[spec.on.name]!.startAtMs, state.startAtMs);
}

function sourceAddress(on: HsrpInterface, family: Family): Address | undefined {
  return family === 4 ? on.networks[0]?.address : on.linkLocal;
}

function problemOf(on: HsrpInterface, group: HsrpGroup, address: Address | undefined): GroupSpec["problem"] {
  const { virtualAddress, authentication } = group;
  if (virtualAddress === undefined) return "Disabled";
  if (address === undefined) return "protocol not cfgd";
  if (virtualAddress !== "learn" && !isPlaceable(on, virtualAddress)) return "no virtual IP";
  if (authentication.kind === "md5" && authentication.keys.length === 0) return "no authentication key";
  return undefined;
}

/** Whether an address can be a virtual one of the interface: in its primary network and nobody's own. */
export function isPlaceable(on: HsrpInterface, address: Address): boolean {
  if (typeof address === "bigint") return isLinkLocal(address) && address !== on.linkLocal;
  const primary = on.networks[0];
  const isOwn = on.networks.some((network) => network.address === address);
  return primary !== undefined && !isOwn && inPrefix(address, primary.address, primary.prefixLength);
}

export function initialState(options: HsrpOptions, specs: readonly GroupSpec[]): HsrpState {
  const links = options.interfaces.map(({ name }) => [name, linkDown()] as const);
  const books = options.interfaces.map(({ name }) => [name, noPackets()] as const);
  return {
    nowMs: 0,
    isStopped: false,
    isSynchronised: false,
    isReleasing: false,
    isDoubting: false,
    peer: { generation: "equal" },
    links: Object.fromEntries(links),
    groups: specs.map(({ options: { authentication } }) => inInit(authentication)),
    books: {
      interfaces: Object.fromEntries(books),
      groups: specs.map(() => ({ stateChanges: 0, changedAtMs: 0 })),
      logAtMs: {},
    },
  };
}

export function linkDown(): LinkState {
  return { isUp: false, wasUp: false, startAtMs: NEVER_MS, rateAtMs: 0 };
}

export function noPackets(): InterfaceCounters {
  const refused = Object.fromEntries(REFUSAL_NAMES.map((name) => [name, 0])) as Record<Refusal, number>;
  return { received: 0, accepted: 0, advertisements: 0, refused, sent: { hello: 0, coup: 0, resign: 0 } };
}

/** Every property stands here, so that all states have theirs in one order: see `fingerprintOf`. */
export function inInit(authentication: Authentication, startAtMs = 0): GroupState {
  return {
    state: "initial",
    activeAtMs: NEVER_MS,
    standbyAtMs: NEVER_MS,
    helloAtMs: NEVER_MS,
    active: undefined,
    standby: undefined,
    learnedAddress: undefined,
    learnedTimers: undefined,
    authentication,
    isGraceGiven: false,
    owner: undefined,
    takeoverNotBeforeAtMs: 0,
    preemptNotBeforeAtMs: 0,
    calmAtMs: 0,
    doublings: 0,
    preemptReadyAtMs: NEVER_MS,
    preemptSyncAtMs: NEVER_MS,
    hasPreempted: false,
    isReleased: false,
    startAtMs,
    formerKeys: [],
    announceAtMs: NEVER_MS,
    announceNotBeforeAtMs: 0,
    announcementsLeft: 0,
    coupNotBeforeAtMs: 0,
    verified: undefined,
  };
}

/** A copy that shares nothing that changes. */
export function copyState(state: HsrpState): HsrpState {
  return copy(state) as HsrpState;
}

function copy(value: unknown): unknown {
  // Bytes are never written to once they are in the state.
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(copy);
  const made: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) made[name] = copy(each);
  return made;
}

/**
 * A text that two states share exactly when they behave alike from now on: times are written relative to now, those
 * that have passed as 0, and `books` is left out.
 */
export function fingerprintOf({ books: _books, nowMs, ...rest }: HsrpState): string {
  return JSON.stringify(rest, (name, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (value instanceof Uint8Array) return [...value].join(" ");
    if (typeof value !== "number" || !name.endsWith("AtMs")) return value;
    return value === NEVER_MS ? "never" : Math.max(0, value - nowMs);
  });
}
