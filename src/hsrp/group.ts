/**
 * One group: carries out what the table decides and runs its timers. Comparisons are in classify.ts, what concerns
 * several groups is in together.ts, what leaves the router in transmit.ts.
 */
import { type Address, formatAddress } from "../ip.js";
import { timersOf } from "./in-force.js";
import { logConflict, logStateChange } from "./log.js";
import { BACKOFF_DOUBLINGS, HELLO_JITTER, LEARNED_MS_MIN } from "./options.js";
import type { GroupMessage } from "./packet.js";
import { type Context, type Group, type GroupState, type Neighbor, NEVER_MS } from "./state.js";
import { type Action, type Event, EVENTS, next, type State } from "./table.js";
import { announce, announceAgain, own, send, stopAnnouncing } from "./transmit.js";

/** A packet of a group that was believed. */
export interface Heard {
  readonly message: GroupMessage;
  readonly source: Address;
}

const U32 = 2 ** 32;

/** After a pause of the whole process, a silent Active router gets so many hello times to be heard. */
const GRACE_HELLOS = 2;

/** Roles that do not change for so many times the wait before preemption are calm: the wait is short again. */
const CALM_WAITS = 16;

/** Actions that follow the change of state; the others go before it and tell of the old one. */
const AFTERWARDS: ReadonlySet<Action> = new Set<Action>(["F", "I"]);

/** States in which hellos are sent. */
const SPEAKING: ReadonlySet<State> = new Set<State>(["speak", "standby", "active"]);

/** Carries out an event. `heard`: the packet that is the event. */
export function apply(context: Context, group: Group, event: Event, heard?: Heard): void {
  const { state } = group;
  const from = state.state;
  const { actions, state: to } = next(from, event);
  for (const action of actions) if (!AFTERWARDS.has(action)) perform(context, group, action, heard);
  if (to !== from) change(context, group, to, event, heard);
  for (const action of actions) if (AFTERWARDS.has(action)) perform(context, group, action, heard);
  // The Active timer ran out in Speak, where nothing comes of it: there is no Active router to stand by for.
  if (from !== to && to === "standby" && state.activeAtMs === NEVER_MS) apply(context, group, "c");
}

function perform(context: Context, group: Group, action: Action, heard: Heard | undefined): void {
  const { state } = group;
  switch (action) {
    case "A":
      state.activeAtMs = context.nowMs + holdOf(group, heard, "active");
      state.isGraceGiven = false;
      break;
    case "B":
      state.standbyAtMs = context.nowMs + holdOf(group, heard, "standby");
      break;
    case "C":
      state.activeAtMs = NEVER_MS;
      break;
    case "D":
      state.standbyAtMs = NEVER_MS;
      break;
    case "E":
      learn(group, heard!.message);
      break;
    case "F":
      send(context, group, "hello");
      state.helloAtMs = context.nowMs + jittered(context, timersOf(group).helloMs);
      break;
    case "G":
      // A flood of hellos from a lesser Active router is answered at the pace of our own.
      if (context.nowMs < state.coupNotBeforeAtMs) break;
      state.coupNotBeforeAtMs = context.nowMs + timersOf(group).helloMs;
      send(context, group, "coup");
      break;
    case "H":
      send(context, group, "resign");
      break;
    case "I":
      announceAgain(context, group);
      break;
  }
}

/** The hold time of a hello that a router in the state `of` sent, else our own. */
function holdOf(group: Group, heard: Heard | undefined, of: "active" | "standby"): number {
  const { holdMs } = timersOf(group);
  if (heard?.message.opcode !== "hello" || heard.message.state !== of) return holdMs;
  // Version 1 cannot say less than a second; a lenient receiver takes 0 for that.
  const isCoarse = heard.message.version === 1 && (holdMs < LEARNED_MS_MIN || heard.message.holdMs === 0);
  return isCoarse ? holdMs : heard.message.holdMs;
}

/** RFC 2281 section 5.1: only what is not configured. Admission has checked the address. */
function learn({ spec, state }: Group, { virtualAddress, helloMs, holdMs }: GroupMessage): void {
  if (spec.options.virtualAddress === "learn") state.learnedAddress = virtualAddress;
  const isLearnable = helloMs >= LEARNED_MS_MIN && holdMs >= LEARNED_MS_MIN;
  if (spec.options.timers === undefined && isLearnable) state.learnedTimers = { helloMs, holdMs };
}

function jittered({ options }: Context, helloMs: number): number {
  return helloMs * (1 - (HELLO_JITTER * options.random()) / U32);
}

function change(context: Context, group: Group, to: State, event: Event, heard: Heard | undefined): void {
  const { spec, state } = group;
  const from = state.state;
  const book = context.state.books.groups[spec.index]!;
  state.state = to;
  book.stateChanges += 1;
  book.changedAtMs = context.nowMs;
  context.actions.push({
    kind: "state",
    interface: spec.on.name,
    group: spec.options.group,
    family: spec.options.family,
    key: spec.key,
    ...(spec.options.name !== undefined && { name: spec.options.name }),
    from,
    to,
    event,
    cause: causeOf(event, heard),
  });
  logStateChange(context, group, from, to);
  if (from === "active") {
    own(context, group, "disown");
    stopAnnouncing(group);
    state.formerKeys = [];
  }
  if (!SPEAKING.has(to)) state.helloAtMs = NEVER_MS;
  else if (!SPEAKING.has(from)) state.helloAtMs = context.nowMs;
  // The successor is not to hear a rival for the role of the Standby router while it takes over.
  else if (from === "active") state.helloAtMs = context.nowMs + timersOf(group).helloMs;
  if (event === "hPreempt") state.hasPreempted = true;
  if (to === "standby") state.standby = undefined;
  if (to === "active") becomeActive(context, group);
  if (to === "initial") forget(state);
}

/** `g/Hello rcvd from higher pri Active router (110/10.0.0.2)`, as IOS prints it. */
function causeOf(event: Event, heard: Heard | undefined): string {
  const { letter, text } = EVENTS[event];
  const from = heard === undefined ? "" : ` (${heard.message.priority}/${formatAddress(heard.source)})`;
  return `${letter}/${text}${from}`;
}

function becomeActive(context: Context, group: Group): void {
  const { state } = group;
  own(context, group, "own");
  noteOwner(context, group, "local");
  state.active = undefined;
  state.isReleased = false;
}

/** What a group in Init does not remember; when roles may change again it does. */
function forget(state: GroupState): void {
  state.active = undefined;
  state.standby = undefined;
  state.learnedAddress = undefined;
  state.learnedTimers = undefined;
  state.verified = undefined;
  state.isGraceGiven = false;
  state.isReleased = false;
}

/** Remembers who is Active, and puts off the next change of roles if that is somebody else than before. */
export function noteOwner(context: Context, group: Group, owner: Address | "local"): void {
  const { state } = group;
  const { nowMs, options } = context;
  if (state.owner !== undefined && state.owner !== owner) {
    const { holdMs } = timersOf(group);
    const doublingsMax = options.backoffDoublings ?? BACKOFF_DOUBLINGS;
    state.doublings = nowMs < state.calmAtMs ? Math.min(state.doublings + 1, doublingsMax) : 0;
    const wait = holdMs * 2 ** state.doublings;
    state.takeoverNotBeforeAtMs = nowMs + holdMs;
    state.preemptNotBeforeAtMs = nowMs + wait;
    state.calmAtMs = nowMs + CALM_WAITS * wait;
  }
  state.owner = owner;
}

/** When the next timer of the group runs out. */
export function deadlineOf({ state }: Group): number {
  return Math.min(state.activeAtMs, state.standbyAtMs, state.helloAtMs, state.announceAtMs);
}

/** Handles the timer that runs out first; of those that do at once, in the order of the letters c, d, e. */
export function expire(context: Context, group: Group): void {
  const { state } = group;
  const atMs = deadlineOf(group);
  if (atMs === state.activeAtMs) expireActive(context, group);
  else if (atMs === state.standbyAtMs) {
    state.standbyAtMs = NEVER_MS;
    state.standby = undefined;
    apply(context, group, "d");
  } else if (atMs === state.helloAtMs) expireHello(context, group);
  else announce(context, group);
}

/**
 * A timer that is late by more than a hello time says that this process was held up, not that the Active router is
 * silent: its hellos may be waiting to be read.
 */
function expireActive(context: Context, group: Group): void {
  const { state } = group;
  const { helloMs } = timersOf(group);
  if (context.nowMs - state.activeAtMs > helloMs && !state.isGraceGiven) {
    state.isGraceGiven = true;
    state.activeAtMs = context.nowMs + GRACE_HELLOS * helloMs;
    return;
  }
  state.activeAtMs = NEVER_MS;
  state.active = undefined;
  apply(context, group, "c");
}

/** An Active router that has not said hello for a hold time has been replaced, if there was a Standby router. */
function expireHello(context: Context, group: Group): void {
  const { state } = group;
  const { helloMs, holdMs } = timersOf(group);
  const isOverdue = context.nowMs - state.helloAtMs > holdMs - helloMs;
  const isReplaced = state.state === "active" && state.standby !== undefined && isOverdue;
  apply(context, group, isReplaced ? "r" : "e");
}

/** Notes an Active router before its hello is compared; a rival of our own is noted only when we give way. */
export function noteActive(context: Context, group: Group, { message, source }: Heard): void {
  if (message.opcode === "hello" && message.state === "active" && group.state.state !== "active") {
    group.state.active = neighborOf(source, message);
    noteOwner(context, group, source);
  }
}

/** Acts on a packet that was believed and classified. */
export function hear(context: Context, group: Group, event: Event | undefined, heard: Heard): void {
  const { state } = group;
  const { message, source } = heard;
  const wasActive = state.state === "active";
  if (event === "i") resigned(context, group, heard);
  else if (event !== undefined) apply(context, group, event, heard);
  if (wasActive && (event === "g" || event === "j")) {
    state.active = neighborOf(source, message);
    noteOwner(context, group, source);
  } else if (wasActive && event === "h") {
    logConflict(context, group, formatAddress(source));
    announceAgain(context, group);
  } else if (wasActive && beginsToSpeak(group, message)) announceAgain(context, group);
  if (message.opcode !== "hello") return;
  if (message.state === "standby") {
    if (state.state !== "standby") state.standby = neighborOf(source, message);
  } else if (state.standby?.address === source) state.standby = undefined;
}

/**
 * A router that speaks while nothing is being announced may have been Active until a moment ago, on the other side of a
 * partition that has healed: if it gave way before its next hello was due, its claim was never heard here, but by hosts.
 */
function beginsToSpeak({ state }: Group, { opcode, state: theirs }: GroupMessage): boolean {
  return opcode === "hello" && theirs === "speak" && state.announcementsLeft === 0;
}

/** The Active router gave up. Within a hold time of the last change of roles its place is taken when that is over. */
export function resigned(context: Context, group: Group, heard?: Heard): void {
  const { state } = group;
  state.active = undefined;
  if (state.state === "standby" && context.nowMs < state.takeoverNotBeforeAtMs) {
    state.activeAtMs = Math.min(state.activeAtMs, state.takeoverNotBeforeAtMs);
  } else apply(context, group, "i", heard);
}

/**
 * A router is dead: its timers are over. Who is Standby now has been for as long as roles have to be calm: a hold time
 * leads there from any other state.
 */
export function bury(context: Context, group: Group, address: Address): void {
  const { state } = group;
  if (state.active?.address === address) {
    state.active = undefined;
    state.activeAtMs = NEVER_MS;
    apply(context, group, "c");
  }
  if (state.standby?.address === address) {
    state.standbyAtMs = NEVER_MS;
    state.standby = undefined;
    apply(context, group, "d");
  }
}

function neighborOf(address: Address, { priority, identifier }: GroupMessage): Neighbor {
  return { address, priority, ...(identifier !== undefined && { mac: identifier }) };
}
