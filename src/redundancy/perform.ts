/** What each action of the table does. */
import type { RoleAction } from "./actions.js";
import { announce, tellHsrp } from "./announce.js";
import { BULK_ATTEMPTS_MAX, isLinked } from "./classify.js";
import { closeLink, openLink, restartAssociation, tell } from "./link.js";
import { count, keep, log, statesText } from "./log.js";
import type { ReloadMode } from "./options.js";
import { type Alarm, type Context, NEVER_MS, random64, randomToken, UNTOLD_PEER } from "./state.js";
import { type Action, type Event, EVENTS } from "./table.js";
import { reasonOf, takeoverOf } from "./takeover.js";

/** A take-over a second lasts 136 years; the last generation would be kept. */
export const GENERATION_MAX = 0xffffffff;

/** The change of state that an action is part of. */
export interface Change {
  readonly event: Event;
  /** What is told with the role `active`. */
  news?: Pick<RoleAction, "takeover" | "reason" | "outOfSyncMs">;
}

/** These come after the change of state and tell of the new one; the others come before it. */
export const AFTERWARDS: ReadonlySet<Action> = new Set<Action>(["clean", "erase", "relink", "close", "open"]);

export const PERFORM: { readonly [A in Action]: (context: Context, change: Change) => void } = {
  open: openLink,

  close(context) {
    announce(context);
    closeLink(context);
    Object.assign(context.state, { holdings: "none", isUnclean: false, claim: 0, isReady: false });
  },

  relink: restartAssociation,

  probe(context) {
    const { state, random } = context;
    state.probe = { status: "waiting", token: randomToken(random) };
    arm(context, "probe", state.timers.probeMs);
    count(context, "probes");
    tell(context, { kind: "probe", token: state.probe.token });
  },

  deny(context) {
    const { state } = context;
    state.isDenied = true;
    state.probe = { status: "none", token: 0 };
    arm(context, "release", state.timers.yieldMs);
    count(context, "denials");
    log(context, "DENIED", `the group is Active here, the peer stays active; ${statesText(state)}`, "");
    tellHsrp(context);
  },

  request(context) {
    const { state, actions } = context;
    const { peer, timers } = state;
    state.bulk = { number: state.bulk.number + 1, generation: peer!.generation };
    state.bulkAttempts += 1;
    state.holdings = "partial";
    arm(context, "progress", timers.notificationMs);
    arm(context, "bulk", timers.bulkMs);
    if (state.bulkAttempts >= BULK_ATTEMPTS_MAX) arm(context, "retry", timers.bulkMs);
    count(context, "bulkBegun");
    actions.push({ kind: "bulk-await", bulk: state.bulk.number, generation: state.bulk.generation });
    tell(context, { kind: "bulkRequest", bulk: state.bulk.number });
  },

  spoil(context) {
    tell(context, { kind: "bulkAgain", bulk: context.state.serving });
  },

  stopBulk(context, { event }) {
    const { state, actions } = context;
    const bulk = state.serving || (state.bulk.generation === 0 ? 0 : state.bulk.number);
    if (bulk === 0) return;
    if (event === "bulkFailed" || event === "stuck") noteFailure(context, bulk, EVENTS[event]);
    if (state.serving !== 0 && event === "peerLost") count(context, "standbyFailures");
    state.serving = 0;
    state.bulk = { ...state.bulk, generation: 0 };
    actions.push({ kind: "bulk-abort", bulk });
  },

  take(context, change) {
    const { state, nowMs, historyMax } = context;
    const takeover = takeoverOf(state);
    const reason = reasonOf(state);
    const isOwn = takeover === "resumed" || takeover === "cold";
    const outOfSyncMs = isOwn ? 0 : nowMs - state.inSyncAtMs;
    nextGeneration(context);
    change.news = { takeover, reason, outOfSyncMs };
    Object.assign(state, {
      holdings: "complete",
      isUnclean: false,
      handedOver: undefined,
      hasGivenWay: false,
    });
    settleRole(context);
    count(context, "takeovers");
    keep(
      state.books.switchovers,
      { atMs: nowMs, generation: state.claim, takeover, reason, outOfSyncMs },
      historyMax,
    );
    log(
      context,
      "TAKEOVER",
      `active with ${takeover} sessions, generation ${state.claim} (${EVENTS[change.event]})`,
    );
  },

  resume(context) {
    settleRole(context);
    count(context, "resumptions");
  },

  raise(context) {
    nextGeneration(context);
    tellRival(context);
  },

  lose(context) {
    context.state.isConflictTold = true;
    tell(context, { kind: "youLost", reason: context.state.books.switchovers.at(-1)?.reason ?? "notKnown" });
  },

  assert(context) {
    const { state } = context;
    state.isConflictTold = true;
    if (state.peer!.generation === state.claim) nextGeneration(context);
    tellRival(context);
    count(context, "conflicts");
    log(context, "CONFLICT", `both boxes were active; this one stays so, with generation ${state.claim}`);
    tell(context, { kind: "youLost", reason: "none" });
  },

  handOver(context) {
    const { token, reason } = context.state.switchover!;
    tell(context, { kind: "handOver", token, reason });
  },

  release,

  giveWay(context) {
    context.state.hasGivenWay = true;
    release(context);
  },

  armProgress: (context) => arm(context, "progress", context.state.timers.notificationMs),
  armDrain: (context) => arm(context, "drain", context.state.timers.drainMs),

  armYield(context) {
    context.state.isUnclean = true;
    arm(context, "yield", context.state.timers.yieldMs);
  },

  armSuspect: (context) => arm(context, "suspect", context.state.timers.suspectMs),

  clean: (context, { event }) => startClean(context, event, context.reloadMode),
  // Nothing of a core that has failed is to be used again.
  erase: (context, { event }) =>
    startClean(context, event, context.reloadMode === "none" ? "soft" : context.reloadMode),
};

function noteFailure(context: Context, bulk: number, why: string): void {
  const { bulkAttempts, timers } = context.state;
  const isLast = bulkAttempts >= BULK_ATTEMPTS_MAX;
  const then = isLast ? `; cold for ${timers.bulkMs / 1000} s` : "";
  count(context, "bulkFailed");
  log(context, "BULK", `copy ${bulk} of the sessions, attempt ${bulkAttempts}: ${why}${then}`);
}

export function arm(context: Context, alarm: Alarm, afterMs: number): void {
  context.state.alarms[alarm] = context.nowMs + afterMs;
}

/** A generation above all that this box knows of. */
function nextGeneration({ state }: Context): void {
  const newest = Math.max(state.known, state.claim, isLinked(state) ? state.peer!.generation : 0);
  state.known = Math.min(newest + 1, GENERATION_MAX);
  state.claim = state.known;
}

/** The role stays, but another box has forwarded meanwhile. */
export function tellRival({ state, actions }: Context): void {
  actions.push({ kind: "rival", generation: state.claim });
}

/** Active from now on: nothing of what led here is left, and voluntary changes wait for a while. */
function settleRole({ state, nowMs }: Context): void {
  state.probe = { status: "none", token: 0 };
  state.isDenied = false;
  state.isConflictTold = false;
  for (const alarm of ["probe", "release"] as const) state.alarms[alarm] = NEVER_MS;
  state.switchoverNotBeforeAtMs = nowMs + state.timers.settleMs;
}

function release(context: Context): void {
  arm(context, "release", context.state.timers.yieldMs);
  context.actions.push({ kind: "hsrp", input: { kind: "release" } });
}

/** The state is already that of the new start. */
function startClean(context: Context, event: Event, mode: ReloadMode): void {
  const { state, actions, random } = context;
  const isFlushed = mode !== "none";
  const reason = EVENTS[event];
  const what = isFlushed ? "% RF induced self-reload." : "no self-reload, the sessions are kept.";
  log(context, "RELOAD", `${what} ${statesText(state)} (${reason})`);
  state.isUnclean = false;
  state.claim = 0;
  if (!isFlushed) {
    actions.push({ kind: "start-clean", mode, isFlushed, bootId: state.bootId, reason });
    return;
  }
  announce(context);
  state.holdings = "none";
  state.isReady = false;
  state.hasGivenWay = false;
  state.bootId = random64(random);
  actions.push({ kind: "start-clean", mode, isFlushed, bootId: state.bootId, reason });
  // HSRP starts anew as well, and knows nothing.
  state.toldPeer = UNTOLD_PEER;
  state.toldSynchronised = false;
  state.isDenied = false;
  state.group = "other";
  state.isActiveHeard = false;
  state.hasHeardActive = false;
  state.alarms.release = NEVER_MS;
  restartAssociation(context);
}
