/**
 * Everything the machine remembers: plain data that can be copied. A name that ends in `AtMs` is a time of the caller's
 * clock, Infinity where nothing is awaited; `books` has no influence on what the machine does.
 */
import type { HsrpReport } from "../hsrp/index.js";
import type { Address } from "../ip.js";
import type { RedundancyAction } from "./actions.js";
import type { Finding, Hello } from "./compatibility.js";
import { type Counters, newCounters } from "./counters.js";
import type { Mac, Stream } from "./envelope.js";
import type { Identity } from "./identity.js";
import type { PeerState } from "./message.js";
import { type ReloadMode, type Timers, timersOf } from "./options.js";
import type { GroupRole, Holdings, Reason, RfState, State, Takeover } from "./states.js";

export const NEVER_MS = Number.POSITIVE_INFINITY;

/** Numbers of frames, stream by stream. */
export type Numbers = Record<Stream, number>;

/**
 * One who has opened the association from the other side. Until one of them has sent a frame with the key of both
 * nonces there may be several: an old `open` that somebody sends again proves nothing.
 */
export interface Channel {
  readonly nonce: bigint;
  readonly bootId: bigint;
  readonly addresses: readonly Address[];
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  sent: Numbers;
  received: Numbers;
  /** What was sent last; undefined: it is to be sent. */
  hello: Hello | undefined;
  announced: string | undefined;
}

/** The association: closed, opening (nothing is proven), or open with `channels[0]`. */
export interface Link {
  status: "closed" | "opening" | "open";
  nonce: bigint;
  channels: Channel[];
}

/** What is known of a peer with which the association is open. */
export interface Peer {
  hello: Hello | undefined;
  state: PeerState | undefined;
  /** Of its last `state`. */
  generation: number;
  heardAtMs: number;
  isSilent: boolean;
  /** Our oldest control frames that the peer has not said to have received, UNHEARD_MAX at most. */
  unheard: readonly { readonly sequence: number; readonly sentAtMs: number }[];
  isDeaf: boolean;
  /** Frames as the peer's last keep-alive counts them. */
  sent: Numbers;
  received: Numbers;
}

/** A handover that this box, active, has begun. */
export interface Switchover {
  readonly token: number;
  readonly reason: Reason;
  /** An operator waits for the outcome. */
  readonly isOrdered: boolean;
}

/** Deadlines that are set and cleared; others follow from the state. */
export const ALARMS = [
  "opening",
  "keepAlive",
  "progress",
  "bulk",
  "probe",
  "drain",
  "yield",
  "suspect",
  "release",
  "retry",
] as const;
export type Alarm = (typeof ALARMS)[number];

export interface HistoryEntry {
  readonly atMs: number;
  readonly own: RfState;
  readonly peer: RfState;
  readonly changed: "own" | "peer";
}

/** A take-over by this box. */
export interface SwitchoverEntry {
  readonly atMs: number;
  readonly generation: number;
  readonly takeover: Takeover;
  readonly reason: Reason;
  readonly outOfSyncMs: number;
}

/** What has been, for those who ask. */
export interface Books {
  counters: Counters;
  history: HistoryEntry[];
  switchovers: SwitchoverEntry[];
  /** When a log line of a kind may be written again. */
  logAtMs: Record<string, number>;
  /** The states that were told last. */
  shown: { readonly own: RfState; readonly peer: RfState };
}

export interface RedundancyState {
  nowAtMs: number;
  state: State;
  identity: Identity | undefined;
  timers: Timers;
  bootId: bigint;
  isReady: boolean;
  /** What HSRP says. */
  group: GroupRole;
  priority: number;
  isActiveHeard: boolean;
  report: HsrpReport;
  /** Another Active was heard in the group since the sessions are those of this generation: the box is not deaf there. */
  hasHeardActive: boolean;
  isDegraded: boolean;
  isInMaintenance: boolean;
  /** Maintenance mode was in force, by this box or the peer, at the end of the last step. */
  wasInMaintenance: boolean;
  /** The newest generation that this box knows of, and the one under which it is or was active. */
  known: number;
  claim: number;
  holdings: Holdings;
  /** Was active, and has neither started clean nor been active again since. */
  isUnclean: boolean;
  /** When the last word came of the active whose sessions are held. */
  inSyncAtMs: number;
  isAssociationUp: boolean;
  /** A pause of so long, and the peer may have taken this box for dead by BFD; Infinity: BFD does not say so. */
  pauseMaxMs: number;
  /** That was so when the process last stood still. */
  wasWatched: boolean;
  /** The last hello of this box, and for whom. */
  hashed: { readonly identity: Identity; readonly addresses: string; readonly hello: Hello } | undefined;
  link: Link;
  peer: Peer | undefined;
  findings: readonly Finding[];
  /** The copy of all sessions that this box takes or has taken. Its number rises; generation 0: none. */
  bulk: { number: number; generation: number };
  /** Copies begun since the peer or its generation last changed. */
  bulkAttempts: number;
  /** Number of the copy that the peer takes or has taken of this box; 0: none. */
  serving: number;
  probe: { status: "none" | "waiting" | "answered" | "expired"; token: number };
  /** Token of the peer's last probe. */
  answered: number;
  switchover: Switchover | undefined;
  switchoverNotBeforeAtMs: number;
  /** Why the peer has asked this box to take over; undefined: it has not. */
  handedOver: Reason | undefined;
  /** This box has given way to a peer with more sessions, once. */
  hasGivenWay: boolean;
  /** The peer was told that this box stays active. */
  isConflictTold: boolean;
  /** HSRP is to give way to the peer, whoever is better. */
  isDenied: boolean;
  alarms: Record<Alarm, number>;
  /** What HSRP was told last. */
  toldPeer: string;
  toldSynchronised: boolean;
  toldDoubting: boolean;
  wasInSync: boolean;
  books: Books;
}

/** One call of `step`. */
export interface Context {
  readonly nowMs: number;
  readonly random: () => number;
  readonly reloadMode: ReloadMode;
  readonly historyMax: number;
  readonly mac: Mac;
  readonly given: Partial<Timers>;
  readonly state: RedundancyState;
  readonly actions: RedundancyAction[];
}

/** Frames behind these are not older. */
export const UNHEARD_MAX = 16;

const noNumbers = (): Numbers => ({ control: 0, dynamic: 0, bulk: 0 });

/** What HSRP takes for granted before it is told anything. */
export const UNTOLD_PEER = JSON.stringify({ kind: "peer", generation: "equal" });

export function initialState(random: () => number, given: Partial<Timers>): RedundancyState {
  return {
    nowAtMs: 0,
    state: "disabled",
    identity: undefined,
    timers: timersOf(undefined, given),
    bootId: random64(random),
    isReady: false,
    group: "other",
    priority: 0,
    isActiveHeard: false,
    report: { active: [] },
    hasHeardActive: false,
    isDegraded: false,
    isInMaintenance: false,
    wasInMaintenance: false,
    known: 0,
    claim: 0,
    holdings: "none",
    isUnclean: false,
    inSyncAtMs: 0,
    isAssociationUp: false,
    pauseMaxMs: NEVER_MS,
    wasWatched: false,
    hashed: undefined,
    link: { status: "closed", nonce: 0n, channels: [] },
    peer: undefined,
    findings: [],
    bulk: { number: 0, generation: 0 },
    bulkAttempts: 0,
    serving: 0,
    probe: { status: "none", token: 0 },
    answered: 0,
    switchover: undefined,
    switchoverNotBeforeAtMs: 0,
    handedOver: undefined,
    hasGivenWay: false,
    isConflictTold: false,
    isDenied: false,
    alarms: Object.fromEntries(ALARMS.map((alarm) => [alarm, NEVER_MS])) as Record<Alarm, number>,
    toldPeer: UNTOLD_PEER,
    toldSynchronised: false,
    toldDoubting: false,
    wasInSync: false,
    books: {
      counters: newCounters(),
      history: [],
      switchovers: [],
      logAtMs: {},
      shown: { own: "disabled", peer: "disabled" },
    },
  };
}

export function newPeer(nowMs: number): Peer {
  return {
    hello: undefined,
    state: undefined,
    generation: 0,
    heardAtMs: nowMs,
    isSilent: false,
    unheard: [],
    isDeaf: false,
    sent: noNumbers(),
    received: noNumbers(),
  };
}

export function newChannel(
  facts: Pick<Channel, "nonce" | "bootId" | "addresses" | "sendKey" | "receiveKey">,
): Channel {
  return { ...facts, sent: noNumbers(), received: noNumbers(), hello: undefined, announced: undefined };
}

const U32_BITS = 32n;

/** 64 random bits that are not all zero. */
export function random64(random: () => number): bigint {
  return (BigInt(random() >>> 0) << U32_BITS) | BigInt(random() >>> 0) || 1n;
}

/** 32 random bits that are not all zero. */
export function randomToken(random: () => number): number {
  return random() >>> 0 || 1;
}

/** A copy that shares nothing that changes; a configuration and the hellos are never written to. */
export function copyState(state: RedundancyState): RedundancyState {
  const { link, peer, bulk, probe, alarms, books } = state;
  return {
    ...state,
    link: {
      ...link,
      channels: link.channels.map((each) => ({
        ...each,
        sent: { ...each.sent },
        received: { ...each.received },
      })),
    },
    peer: peer && { ...peer },
    bulk: { ...bulk },
    probe: { ...probe },
    alarms: { ...alarms },
    books: {
      counters: { events: { ...books.counters.events }, refused: { ...books.counters.refused } },
      history: [...books.history],
      switchovers: [...books.switchovers],
      logAtMs: { ...books.logAtMs },
      shown: books.shown,
    },
  };
}

/**
 * A text that two states share exactly when they behave alike from now on: times are relative to now, those that have
 * passed as 0; `books` is left out, and the configuration, which is the same object or not.
 */
export function fingerprintOf({
  books: _books,
  hashed: _hashed,
  identity,
  alarms,
  nowAtMs,
  ...rest
}: RedundancyState): string {
  const { config: _config, ...facts } = identity ?? { config: undefined };
  const relative = (atMs: number) => (atMs === NEVER_MS ? "never" : Math.max(0, atMs - nowAtMs));
  const left = ALARMS.map((alarm) => relative(alarms[alarm]));
  return JSON.stringify({ ...rest, facts, left }, (name, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (value instanceof Uint8Array) return [...value].join(" ");
    // How long ago something was counts where it is not a deadline.
    if (typeof value === "number" && /^(heard|sent|inSync)AtMs$/.test(name)) return nowAtMs - value;
    if (typeof value === "number" && name.endsWith("AtMs")) return relative(value);
    return value;
  });
}
