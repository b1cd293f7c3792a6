/**
 * All that an endpoint waits for, as one list of rows: where its instant stands, and what happens then.
 */
import { expireT3 } from "./acknowledge.js";
import { type Association, dataPath, type Path } from "./association.js";
import type { Context, DownReason, EndpointState } from "./context.js";
import { NEVER_MS } from "./instant.js";
import { expireAnswer, expireHeartbeat, survivesError } from "./paths.js";
import { backOff } from "./rto.js";
import { retrySetup } from "./setup.js";
import { expireTailProbe } from "./tail-probe.js";
import { happen } from "./transition.js";

interface EndpointTimer {
  atMs(state: EndpointState): number;
  expire(context: Context): void;
}

interface AssociationTimer {
  atMs(association: Association): number;
  expire(context: Context, association: Association): void;
}

interface PathTimer {
  atMs(path: Path): number;
  expire(context: Context, association: Association, path: Path): void;
}

function exhaust(context: Context, reason: DownReason): void {
  happen(context, "exhausted", { reason });
}

const ENDPOINT_TIMERS: readonly EndpointTimer[] = [
  {
    // Messages that were queued with more to follow, which did not.
    atMs: (state) => (state.isCorked ? state.nowAtMs : NEVER_MS),
    expire({ state }) {
      state.isCorked = false;
    },
  },
  {
    atMs: (state) => state.connectAtMs,
    expire(context) {
      context.state.connectAtMs = NEVER_MS;
      happen(context, "connect");
    },
  },
];

const ASSOCIATION_TIMERS: readonly AssociationTimer[] = [
  {
    // The delay of a SACK.
    atMs: ({ inbound }) => inbound.sackAtMs,
    expire(_context, { inbound }) {
      inbound.sackAtMs = NEVER_MS;
      inbound.isSackDue = true;
    },
  },
  {
    // T1-init, T1-cookie.
    atMs: (association) => association.setupAtMs,
    expire(context, association) {
      association.setupAtMs = NEVER_MS;
      if (retrySetup(context, association)) happen(context, "setupExpired");
      else exhaust(context, "connect_failed");
    },
  },
  {
    // T2-shutdown.
    atMs: (association) => association.teardownAtMs,
    expire(context, association) {
      association.teardownAtMs = NEVER_MS;
      const path = dataPath(association);
      backOff(path, context.settings);
      if (survivesError(context, association, path, true)) happen(context, "teardownExpired");
      else exhaust(context, "unreachable");
    },
  },
  {
    // T5-shutdown-guard.
    atMs: (association) => association.guardAtMs,
    expire(context, association) {
      association.guardAtMs = NEVER_MS;
      exhaust(context, "shutdown_timeout");
    },
  },
];

const PATH_TIMERS: readonly PathTimer[] = [
  {
    atMs: (path) => path.t3AtMs,
    expire(context, association, path) {
      if (expireT3(context, association, path)) context.flush = { packetsMax: 1, isForced: true };
      else exhaust(context, "unreachable");
    },
  },
  { atMs: (path) => path.tailProbeAtMs, expire: expireTailProbe },
  {
    atMs: (path) => path.answerAtMs,
    expire(context, association, path) {
      if (!expireAnswer(context, association, path)) exhaust(context, "unreachable");
    },
  },
  { atMs: (path) => path.heartbeatAtMs, expire: expireHeartbeat },
];

/** The earliest instant that is awaited; Infinity: none. */
export function earliestMs(state: EndpointState): number {
  let earliest = NEVER_MS;
  for (const timer of ENDPOINT_TIMERS) earliest = Math.min(earliest, timer.atMs(state));
  const { association } = state;
  if (association === undefined) return earliest;
  for (const timer of ASSOCIATION_TIMERS) earliest = Math.min(earliest, timer.atMs(association));
  for (const path of association.paths) {
    for (const timer of PATH_TIMERS) earliest = Math.min(earliest, timer.atMs(path));
  }
  return earliest;
}

/** Lets one timer expire whose instant this is. */
function expireOne(context: Context, atMs: number): void {
  const { state } = context;
  const { association } = state;
  const ofEndpoint = ENDPOINT_TIMERS.find((timer) => timer.atMs(state) === atMs);
  if (ofEndpoint !== undefined || association === undefined) {
    ofEndpoint?.expire(context);
    return;
  }
  const ofAssociation = ASSOCIATION_TIMERS.find((timer) => timer.atMs(association) === atMs);
  if (ofAssociation !== undefined) {
    ofAssociation.expire(context, association);
    return;
  }
  for (const path of association.paths) {
    const ofPath = PATH_TIMERS.find((timer) => timer.atMs(path) === atMs);
    if (ofPath === undefined) continue;
    ofPath.expire(context, association, path);
    return;
  }
}

/**
 * Lets all timers expire that are due, in their order. Each starts anew from now: after a pause of the process a timer
 * expires once, however long ago it was due, so that the peer has the time to answer.
 */
export function expireTimers(context: Context): void {
  for (;;) {
    const earliest = earliestMs(context.state);
    if (earliest > context.nowMs) return;
    expireOne(context, earliest);
  }
}
