/**
 * Redundancy of one box: who is active, whether the peer fits, how it becomes hot, and the authenticated messages in
 * which both agree on that. HSRP decides the role; this carries it out, with the sessions. Time, messages and what the
 * other parts of the box know go in, actions come out; see actions.ts.
 */
import type { RedundancyAction, RedundancyInput } from "./actions.js";
import { announce, compareHellos, noteSync, tellHsrp } from "./announce.js";
import { classify, isLinked, isMaintained } from "./classify.js";
import { CONTENTS_MAX, nobleMac } from "./envelope.js";
import { closeLink, openLink, receive, restartAssociation, tellRecords } from "./link.js";
import { count, log, noteStates } from "./log.js";
import { command, considerFaults, endSwitchover } from "./operator.js";
import { HISTORY_DEFAULT, HISTORY_MAX, type RedundancyOptions, timersOf } from "./options.js";
import type { Identity } from "./identity.js";
import { hear } from "./peer.js";
import { AFTERWARDS, arm, type Change, PERFORM } from "./perform.js";
import {
  type Alarm,
  type Context,
  copyState,
  fingerprintOf,
  initialState,
  NEVER_MS,
  type RedundancyState,
} from "./state.js";
import { type Role, type State, STATES } from "./states.js";
import { type Event, EVENTS, next } from "./table.js";
import { expire, forgive, lateMsMax, nextDeadline, stallMs } from "./timers.js";
import { type RedundancyView, viewOf } from "./view.js";

/** Changes of state that one input can bring about; more are a mistake of the table. */
const CHANGES_MAX = 32;

/** Alarms that end with the state that they were set for. */
const OF_STATE: readonly Alarm[] = ["progress", "bulk", "drain", "yield", "suspect"];

export class Redundancy {
  readonly #options: RedundancyOptions;
  #state: RedundancyState;
  #deadlineMs: number;

  /** Timers above their bounds are a bug of the caller: throws. */
  constructor(options: RedundancyOptions) {
    this.#options = options;
    this.#state = initialState(options.random, options.timers ?? {});
    this.#deadlineMs = nextDeadline(this.#state).atMs;
  }

  /** When the next `tick` is due; Infinity: nothing is awaited. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /**
   * Handles one input. `nowMs`: a monotonic clock in milliseconds that never goes back. A late call is normal: deadlines
   * that have passed are handled first, in their order. The actions are to be carried out in theirs; messages come
   * before everything that may lead to another input, so that their numbers rise on the wire.
   */
  step(input: RedundancyInput, nowMs: number): RedundancyAction[] {
    const context = this.#contextAt(nowMs);
    this.#passTime(context);
    this.#take(context, input);
    settle(context);
    considerFaults(context);
    announce(context);
    tellHsrp(context);
    noteSync(context);
    noteStates(context);
    context.state.wasInMaintenance = isMaintained(context.state);
    this.#deadlineMs = nextDeadline(this.#state).atMs;
    return inOrder(context.actions);
  }

  /** Whether the peer was heard over the association within its limit. */
  get isPeerHeard(): boolean {
    const { peer } = this.#state;
    return isLinked(this.#state) && peer !== undefined && !peer.isSilent;
  }

  /** What the dataplane is to do. */
  get role(): Role {
    return STATES[this.#state.state].role;
  }

  /** The role was given up or is in doubt, and it is not known who has it. */
  get isUndecided(): boolean {
    return this.#state.state === "yield" || this.#state.state === "suspect";
  }

  /** After a pause of so long the peer may have taken over; changes with what watches this box. */
  get stallMs(): number {
    return this.#state.identity === undefined ? NEVER_MS : stallMs(this.#state);
  }

  /** What `show redundancy` and its kin show. */
  get view(): RedundancyView {
    return viewOf(this.#state, this.#options);
  }

  /** An independent machine in the same state; both draw from the same random numbers. */
  clone(): Redundancy {
    const made = new Redundancy(this.#options);
    made.#state = copyState(this.#state);
    made.#deadlineMs = this.#deadlineMs;
    return made;
  }

  /** Equal for two machines with equal options and configurations exactly when they behave alike from now on. */
  fingerprint(): string {
    return fingerprintOf(this.#state);
  }

  #contextAt(nowMs: number): Context {
    const {
      random,
      reloadMode = "soft",
      historyMax = HISTORY_DEFAULT,
      mac = nobleMac,
      timers = {},
    } = this.#options;
    return {
      nowMs,
      random,
      reloadMode,
      historyMax: Math.min(historyMax, HISTORY_MAX),
      mac,
      given: timers,
      state: this.#state,
      actions: [],
    };
  }

  /** Handles the deadlines that have passed, in their order, each as if it were now. */
  #passTime(context: Context): void {
    const { state, nowMs } = context;
    const lateMs = nowMs - nextDeadline(state).atMs;
    state.nowAtMs = nowMs;
    if (lateMs >= lateMsMax(state)) stall(context, lateMs);
    for (;;) {
      const { name, atMs } = nextDeadline(state);
      if (atMs > nowMs) return;
      happen(context, expire(context, name));
      settle(context);
    }
  }

  #take(context: Context, input: RedundancyInput): void {
    const { state, nowMs } = context;
    switch (input.kind) {
      case "tick":
        return;
      case "configure":
        configure(context, input.identity);
        return;
      case "ready":
        state.isReady = true;
        return;
      case "hsrp":
        state.priority = input.priority;
        state.report = input.report;
        state.isActiveHeard = input.isActiveHeard;
        state.hasHeardActive ||= input.isActiveHeard;
        if (input.role !== "active") {
          state.alarms.release = NEVER_MS;
          state.isDenied = false;
          if (state.state !== "suspect") state.probe = { status: "none", token: 0 };
        }
        state.group = input.role;
        return;
      case "association":
        associate(context, input.status);
        return;
      case "peer":
        if (state.peer === undefined) return;
        state.peer.isSilent = true;
        if (input.status === "unheard") return;
        log(context, "PEER", "the peer is lost: it is heard on no path", "paths");
        restartAssociation(context);
        return;
      case "watched":
        state.pauseMaxMs = input.pauseMaxMs;
        return;
      case "message": {
        const received = receive(context, input.stream, input.bytes);
        if (received === undefined) return;
        if (state.state === "hot") state.inSyncAtMs = nowMs;
        happen(context, hear(context, received));
        return;
      }
      case "data":
        if (input.payload.length > CONTENTS_MAX)
          throw new RangeError(`${input.payload.length} bytes of records`);
        if (isLinked(state)) tellRecords(context, input.stream, input.payload);
        else count(context, "dataUnsent");
        return;
      case "bulk":
        hearBulk(context, input.bulk, input.status);
        return;
      case "drained":
        happen(context, "drained");
        return;
      case "operator":
        happen(context, command(context, input));
        return;
      case "stalled":
        stall(context, input.pauseMs);
        return;
      case "trap":
        count(context, "coreFailures");
        log(context, "CORE", "the core has failed: no packet is forwarded any more");
        happen(context, "trapped");
        return;
      case "interfaces":
        state.isDegraded = input.isDegraded;
        return;
    }
  }
}

/** The process, or the part of it that forwards, stood still for so long that the peer may have taken over. */
function stall(context: Context, pauseMs: number): void {
  count(context, "stalls");
  context.state.wasWatched = context.state.pauseMaxMs !== NEVER_MS;
  log(context, "STALLED", `the process stood still for ${Math.round(pauseMs)} ms`, "");
  forgive(context, pauseMs);
  happen(context, "stalled");
}

function configure(context: Context, identity: RedundancyState["identity"]): void {
  const { state } = context;
  const before = state.identity;
  if (identity === undefined) {
    // The last words are still those of this identity.
    if (before !== undefined) happen(context, "removed");
    state.identity = undefined;
    return;
  }
  if (before !== undefined) logScheme(context, before, identity);
  state.identity = identity;
  state.timers = timersOf(identity.config, context.given);
  state.bulkAttempts = 0;
  if (before !== undefined && before.keyString !== identity.keyString) {
    if (state.isAssociationUp) restartAssociation(context);
    return;
  }
  for (const channel of state.link.channels) channel.hello = undefined;
  announce(context);
  compareHellos(context);
}

/** IOS demands a reload for these; here the boxes are compared anew, and go on once both have the same. */
function logScheme(context: Context, before: Identity, after: Identity): void {
  const schemeOf = ({ group, association }: Identity) =>
    `scheme standby ${group}, association ${association}`;
  const [old, now] = [schemeOf(before), schemeOf(after)];
  if (old !== now)
    log(context, "SCHEME", `${old} is now ${now}, without a reload: the boxes are compared anew`);
}

function associate(context: Context, status: "up" | "restarted" | "down"): void {
  const { state } = context;
  closeLink(context);
  state.isAssociationUp = status !== "down";
  if (status === "restarted") log(context, "PEER", "the peer has started anew");
  settle(context);
  if (state.isAssociationUp) openLink(context);
}

function hearBulk(context: Context, bulk: number, status: "progress" | "complete" | "failed"): void {
  const { state, nowMs } = context;
  const isOurs = bulk === state.bulk.number && state.bulk.generation !== 0;
  if (!isOurs && bulk !== state.serving) return;
  switch (status) {
    case "progress":
      if (state.state === "coldBulk") arm(context, "progress", state.timers.notificationMs);
      return;
    case "complete":
      if (state.state !== "coldBulk") return;
      state.holdings = "complete";
      state.inSyncAtMs = nowMs;
      state.bulkAttempts = 0;
      state.alarms.retry = NEVER_MS;
      count(context, "bulkCompleted");
      happen(context, "bulkComplete");
      return;
    case "failed":
      happen(context, "bulkFailed");
      return;
  }
}

/** Carries out what follows from the situation, until nothing does. */
function settle(context: Context): void {
  const { state } = context;
  for (let changes = 0; changes < CHANGES_MAX; changes++) {
    const event = classify(state);
    if (event === undefined || !happen(context, event)) return;
    if (event === "rejoined") state.wasInMaintenance = isMaintained(state);
  }
  throw new Error(`redundancy does not settle in ${state.state}: ${classify(state)}`);
}

/** Carries out what the table says of an event. False: the state ignores it. */
function happen(context: Context, event: Event | undefined): boolean {
  const { state } = context;
  const step = event && next(state.state, event);
  if (event === undefined || step === undefined) return false;
  const from = state.state;
  if (step.state !== from) for (const alarm of OF_STATE) state.alarms[alarm] = NEVER_MS;
  const change: Change = { event };
  for (const action of step.actions) if (!AFTERWARDS.has(action)) PERFORM[action](context, change);
  enter(context, from, step.state, change);
  for (const action of step.actions) if (AFTERWARDS.has(action)) PERFORM[action](context, change);
  return true;
}

function enter(context: Context, from: State, to: State, { event, news }: Change): void {
  const { state, actions } = context;
  if (from === to) return;
  state.state = to;
  const { role } = STATES[to];
  if (role !== STATES[from].role) actions.push({ kind: "role", role, generation: state.claim, ...news });
  if (ACTING.has(from) && !ACTING.has(to) && to !== "suspect") count(context, "rolesLost");
  // What the peer answered was for that doubt.
  if (from === "suspect") state.probe = { status: "none", token: 0 };
  if (to !== "drain" && to !== "yield") {
    const isDone = event === "superseded" || event === "yieldTaken";
    endSwitchover(context, isDone ? "done" : "failed", EVENTS[event]);
  }
  noteStates(context);
}

const ACTING: ReadonlySet<State> = new Set<State>(["active", "drain", "suspect"]);

/** What is to be done first: to stop forwarding, then to speak. */
const FIRST: readonly RedundancyAction["kind"][] = ["role", "send"];

function inOrder(actions: readonly RedundancyAction[]): RedundancyAction[] {
  const rank = ({ kind }: RedundancyAction) => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length);
  return [...actions].sort((x, y) => rank(x) - rank(y));
}
