/**
 * Everything the machine remembers: plain data that can be copied. A name that ends in `AtMs` is a time of the caller's
 * clock; `books` has no influence on what the machine does.
 */
import type { BfdAction, Liveness, Parameters, Path } from "./actions.js";
import { REFUSAL_NAMES, type Refusal } from "./refusals.js";
import type { Diagnostic, State } from "./table.js";
import type { ControlPacket } from "./wire.js";

export const NEVER_MS = Number.POSITIVE_INFINITY;

/** A session that is not up sends no more often than so (RFC 5880 section 6.8.3). */
export const SLOW_MS = 1000;

/** The two intervals that each side names. */
export interface Intervals {
  readonly desiredMinTxMs: number;
  readonly requiredMinRxMs: number;
}

/** What the neighbor's last packet said. */
export interface Remote extends Intervals {
  readonly state: State;
  readonly diagnostic: Diagnostic | undefined;
  readonly multiplier: number;
}

export interface SessionBooks {
  sent: number;
  received: number;
  ups: number;
  downs: number;
  /** When the session last came up or went down. */
  changedAtMs: number;
  /** The last packet of the neighbor, for `show bfd neighbors details`. */
  last: ControlPacket | undefined;
  /** When a line about the session may be written again. */
  logAtMs: number;
}

export interface Session {
  /** Number on the command line, from 1. */
  handle: number;
  path: Path;
  parameters: Parameters;
  /** The same for all packets of the session (RFC 5881 section 4). */
  sourcePort: number;
  state: State;
  diagnostic: Diagnostic;
  localDiscriminator: number;
  /** 0: not known. */
  remoteDiscriminator: number;
  remote: Remote;
  /** What our packets say, and what is kept to until the neighbor has confirmed that (section 6.8.3). */
  announced: Intervals;
  inForce: Intervals;
  /** A poll sequence runs; the intervals have changed again since it began. */
  isPolling: boolean;
  pollsAgain: boolean;
  /** When the next packet is due. */
  sendAtMs: number;
  /** When the neighbor was last heard; undefined: not within the detection time. */
  heardAtMs: number | undefined;
  liveness: Liveness;
  /** The session has been up since the neighbor last said that it was down on purpose. */
  wasUp: boolean;
  /** The silence of a session means something when it has been up for so long; and it was, when it last went down. */
  trustMs: number;
  wasTrusted: boolean;
  /** When that time was last made longer. */
  trustRaisedAtMs: number;
  /** Of our last packet. */
  sentSequence: number;
  /** Of the neighbor's last packet; undefined: none is known (section 6.8.1, bfd.AuthSeqKnown). */
  receivedSequence: number | undefined;
  /** When that is forgotten; set while the neighbor is not heard. */
  forgetAtMs: number;
  books: SessionBooks;
}

export const COUNTED = [
  "sent",
  "received",
  "accepted",
  "sessionsUp",
  "sessionsDown",
  /** A session was to be made and there were SESSIONS_MAX already. */
  "sessionsFull",
  /** The process stood still: what was to be heard meanwhile may be waiting. */
  "stalls",
] as const;
export type Counted = (typeof COUNTED)[number];

export interface Counters {
  events: Record<Counted, number>;
  refused: Record<Refusal, number>;
}

export interface BfdState {
  /** Interfaces that are up. */
  linksUp: Record<string, true>;
  isStopped: boolean;
  sessions: Session[];
  handles: number;
  counters: Counters;
}

/** One call of `step`. */
export interface Context {
  readonly nowMs: number;
  readonly random: () => number;
  /** Undefined: packets are not authenticated. */
  readonly key: Uint8Array | undefined;
  readonly state: BfdState;
  readonly actions: BfdAction[];
}

const zeros = <T extends string>(names: readonly T[]): Record<T, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;

export function initialState(): BfdState {
  const counters = { events: zeros(COUNTED), refused: zeros(REFUSAL_NAMES) };
  return { linksUp: {}, isStopped: false, sessions: [], handles: 0, counters };
}

/** A copy that shares nothing that changes. */
export function copyState(state: BfdState): BfdState {
  const { linksUp, sessions, counters } = state;
  return {
    ...state,
    linksUp: { ...linksUp },
    sessions: sessions.map((session) => ({ ...session, books: { ...session.books } })),
    counters: { events: { ...counters.events }, refused: { ...counters.refused } },
  };
}

export function count({ state }: Context, event: Counted): void {
  state.counters.events[event] += 1;
}

/** The intervals that a session names: slow ones while it is not up. */
export function intervalsOf({ state, parameters }: Pick<Session, "state" | "parameters">): Intervals {
  const { desiredMinTxMs, requiredMinRxMs } = parameters;
  return {
    desiredMinTxMs: state === "up" ? desiredMinTxMs : Math.max(desiredMinTxMs, SLOW_MS),
    requiredMinRxMs,
  };
}

/** Between two packets of ours, without jitter; Infinity: the neighbor wants none (section 6.8.2). */
export function sendIntervalMs({ inForce, remote }: Session): number {
  return remote.requiredMinRxMs === 0 ? NEVER_MS : Math.max(inForce.desiredMinTxMs, remote.requiredMinRxMs);
}

/** Between two packets of the neighbor, without jitter. */
export function receiveIntervalMs({ inForce, remote }: Session): number {
  return Math.max(inForce.requiredMinRxMs, remote.desiredMinTxMs);
}

/** Within which the neighbor is heard (section 6.8.4). */
export function detectionMs(session: Session): number {
  return session.remote.multiplier * receiveIntervalMs(session);
}

/** Within which the neighbor has to hear this box; as far as what it said last is still so. */
export function peerDetectionMs(session: Session): number {
  return session.parameters.multiplier * sendIntervalMs(session);
}

export function detectAtMs(session: Session): number {
  return session.heardAtMs === undefined ? NEVER_MS : session.heardAtMs + detectionMs(session);
}

export const isSamePath = (one: Path, other: Path): boolean =>
  one.interface === other.interface && one.remote === other.remote && one.local === other.local;
