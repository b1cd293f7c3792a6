/** What the machine is told once and for all, and its timers. */
import type { Config } from "../config/model.js";
import type { Mac } from "./envelope.js";
import { groupTimersOf } from "./identity.js";

/**
 * What who gives up the active role does with itself: start again with an empty table (`soft`), end the process
 * (`exit`), or keep its sessions and stand by (`none`). Cisco's boxes reload.
 */
export const RELOAD_MODES = ["soft", "exit", "none"] as const;
export type ReloadMode = (typeof RELOAD_MODES)[number];

export interface RedundancyOptions {
  /** Random 32-bit numbers that nobody can guess, for boot ids, nonces and tokens. */
  readonly random: () => number;
  /** `soft` unless given. */
  readonly reloadMode?: ReloadMode;
  /** Entries of each history; HISTORY_DEFAULT unless given, HISTORY_MAX at most. */
  readonly historyMax?: number;
  /** HMAC-SHA256; that of `@noble/hashes` unless given. */
  readonly mac?: Mac;
  /** In place of those that follow from the configuration. */
  readonly timers?: Partial<Timers>;
}

/** `RFHistoryTable` of the MIB. */
export const HISTORY_DEFAULT = 10;
export const HISTORY_MAX = 50;

/** Times in ms. */
export interface Timers {
  /** Between two keep-alives. */
  readonly keepAliveMs: number;
  /** So many keep-alives in a row that did not come: the peer is lost. */
  readonly keepAliveThreshold: number;
  /** A peer that has not been heard, or has not heard us, for so long: not synchronised. No change of roles. */
  readonly silentMs: number;
  /** Longest wait for a step of the progression, or for anything to come of the copy of the sessions. */
  readonly notificationMs: number;
  /** Longest copy of all sessions. */
  readonly bulkMs: number;
  /** Longest wait for a peer to say that it is still active. */
  readonly probeMs: number;
  /** Longest handover. */
  readonly drainMs: number;
  /** Longest wait for another active, once the role is given up. */
  readonly yieldMs: number;
  /** Longest doubt after the process stood still. */
  readonly suspectMs: number;
  /** A gap of so long between two steps: the peer may have taken over. */
  readonly stallMs: number;
  /** Least time between two changes of roles that could wait. */
  readonly settleMs: number;
}

/** Greatest keep-alive interval and threshold, as chassis have them. */
export const KEEP_ALIVE_MS_MAX = 4000;
export const KEEP_ALIVE_THRESHOLD_MAX = 7;

/** Shorter pauses than this are no news. */
export const STALL_MS_MIN = 10;
/** Where nothing is configured, no timer runs. */
const NO_GROUP = { helloMs: 1, holdMs: 1 };

/** Keep-alive interval and silence together stay below the 3 s after which both sides must have noticed. */
const FIXED = {
  keepAliveMs: 1000,
  keepAliveThreshold: 7,
  silentMs: 1900,
  notificationMs: 30_000,
  bulkMs: 300_000,
  probeMs: 1000,
  drainMs: 5000,
} as const;

/** The timers in force: those of the options, else those that follow from the HSRP group of the configuration. */
export function timersOf(config: Config | undefined, given: Partial<Timers> = {}): Timers {
  const { helloMs, holdMs } = config === undefined ? NO_GROUP : groupTimersOf(config);
  const timers: Timers = {
    ...FIXED,
    yieldMs: holdMs,
    suspectMs: helloMs,
    // The last hello of a box that stands still may be a hello time old.
    stallMs: Math.max(holdMs - helloMs, STALL_MS_MIN),
    settleMs: holdMs,
    ...given,
  };
  const isShort = Object.values(timers).some((ms) => ms < 1);
  if (
    isShort ||
    timers.keepAliveMs > KEEP_ALIVE_MS_MAX ||
    timers.keepAliveThreshold > KEEP_ALIVE_THRESHOLD_MAX
  ) {
    throw new RangeError(`timers out of range: ${JSON.stringify(timers)}`);
  }
  return timers;
}
