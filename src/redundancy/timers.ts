/** Deadlines: which come next, and what happens when one has passed. */
import { isPeerActive } from "./classify.js";
import { keepAlive, restartAssociation } from "./link.js";
import { log } from "./log.js";
import { endSwitchover, faultDeadlineMs } from "./operator.js";
import { STALL_MS_MIN } from "./options.js";
import { ALARMS, type Alarm, type Context, NEVER_MS, type RedundancyState } from "./state.js";
import type { Event } from "./table.js";

/** Part of the stall time within which an active box looks at the clock. */
const WATCH_PART = 1 / 2;

/**
 * A deadline that is handled so much later than it was due says that the process stood still. Of an active box, which
 * has one at least every WATCH_PART, every pause of a stall time is noticed.
 */
export function lateMsMax(state: RedundancyState): number {
  return stallMs(state) * (1 - WATCH_PART);
}

/** A pause after which the peer may have taken over: by the hold time, or by BFD where that watches every path. */
export function stallMs({ timers, pauseMaxMs }: RedundancyState): number {
  return Math.min(timers.stallMs, Math.max(pauseMaxMs, STALL_MS_MIN));
}

/** Deadlines that follow from the state. */
const WATCHES = {
  silent: ({ peer, timers }) =>
    peer === undefined || peer.isSilent ? NEVER_MS : peer.heardAtMs + timers.silentMs,
  lost: ({ peer, timers }) =>
    peer === undefined ? NEVER_MS : peer.heardAtMs + timers.keepAliveMs * timers.keepAliveThreshold,
  deaf: ({ peer, timers }) => {
    const [oldest] = peer?.isDeaf ? [] : (peer?.unheard ?? []);
    return oldest === undefined ? NEVER_MS : oldest.sentAtMs + timers.silentMs;
  },
  stall: (state) =>
    state.state === "active" || state.state === "drain"
      ? state.nowAtMs + stallMs(state) * WATCH_PART
      : NEVER_MS,
  fault: faultDeadlineMs,
} as const satisfies Record<string, (state: RedundancyState) => number>;

type Watch = keyof typeof WATCHES;
type Deadline = Alarm | Watch;
const WATCH_NAMES = Object.keys(WATCHES) as readonly Watch[];

export interface Due {
  readonly name: Deadline;
  readonly atMs: number;
}

/** The next deadline and when it is. Of several at one time, the first of the list. */
export function nextDeadline(state: RedundancyState): Due {
  let next: Due = { name: ALARMS[0], atMs: NEVER_MS };
  for (const name of ALARMS) {
    if (state.alarms[name] < next.atMs) next = { name, atMs: state.alarms[name] };
  }
  for (const name of WATCH_NAMES) {
    const atMs = WATCHES[name](state);
    if (atMs < next.atMs) next = { name, atMs };
  }
  return next;
}

/** What a deadline that has passed brings about: an event, or another state that is classified. */
export function expire(context: Context, name: Deadline): Event | undefined {
  const { state } = context;
  if (name in state.alarms) state.alarms[name as Alarm] = NEVER_MS;
  switch (name) {
    case "opening":
      log(context, "PEER", "the association is up, but the peer does not open it: it starts anew", "opening");
      restartAssociation(context);
      return undefined;
    case "keepAlive":
      keepAlive(context);
      return undefined;
    case "progress":
    case "bulk":
      return "stuck";
    case "probe":
      state.probe = { ...state.probe, status: "expired" };
      return undefined;
    case "drain":
      if (state.state === "drain") return "drainBroken";
      endSwitchover(context, "failed", "the peer did not answer in time");
      return undefined;
    case "yield":
      return expireYield(state);
    case "suspect":
      return "cleared";
    case "release":
      state.isDenied = false;
      return undefined;
    case "retry":
      state.bulkAttempts = 0;
      return undefined;
    case "silent":
      state.peer!.isSilent = true;
      return undefined;
    case "lost":
      log(context, "PEER", "the peer is lost: nothing was heard of it", "lost");
      restartAssociation(context);
      return undefined;
    case "deaf":
      state.peer!.isDeaf = true;
      return undefined;
    case "stall":
    case "fault":
      return undefined;
  }
}

/** Nobody has said over the association that it is active; HSRP may know of somebody. */
function expireYield(state: RedundancyState): Event | undefined {
  if (state.isActiveHeard || isPeerActive(state)) return "yieldTaken";
  return state.group === "active" ? "vacant" : "yieldVacant";
}

/** The process stood still for so long: what was to be heard meanwhile may be waiting to be read. */
export function forgive({ state }: Context, gapMs: number): void {
  const { peer, alarms } = state;
  for (const alarm of ["progress", "bulk", "probe"] as const) alarms[alarm] += gapMs;
  if (peer === undefined) return;
  peer.heardAtMs += gapMs;
  peer.unheard = peer.unheard.map(({ sequence, sentAtMs }) => ({ sequence, sentAtMs: sentAtMs + gapMs }));
}
