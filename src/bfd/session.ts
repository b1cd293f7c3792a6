/** One session: carries out what the table decides, sends its packets and runs its timers. */
import { formatAddress } from "../ip.js";
import type { Parameters, Path } from "./actions.js";
import { KEY_ID, sign, UNSIGNED } from "./sha1.js";
import {
  type Context,
  count,
  detectAtMs,
  detectionMs,
  intervalsOf,
  NEVER_MS,
  receiveIntervalMs,
  type Remote,
  sendIntervalMs,
  type Session,
} from "./state.js";
import { type Diagnostic, type Event, HEARD, next, type State } from "./table.js";
import { BFD_PORT, BFD_TTL, type ControlPacket, emitPacket, SOURCE_PORT_MIN } from "./wire.js";

const U32 = 2 ** 32;
const PORTS = 2 ** 16 - SOURCE_PORT_MIN;

/** Each packet comes earlier by up to this share of the interval (RFC 5880 section 6.8.7). */
export const JITTER = 0.25;

/** Packets that say goodbye: the process may end at once, and one may be lost. */
const FAREWELLS = 3;

/** After a pause of the whole process a neighbor gets at least so many of its intervals to be heard. */
const GRACE_INTERVALS = 2;

/** Lines about one session come no more often; counters tell of the rest. */
const LOG_INTERVAL_MS = 1000;

/**
 * Dampening: a session that goes down soon after it came up says more of this machine, or of the path, than of the neighbor.
 * So long it has to be up before its silence means something; twice as long when it was not, but no sooner again than after
 * that time: what goes up and down for a while has to stay up for about as long.
 */
export const TRUST_MS = 2000;
export const TRUST_MAX_MS = 120_000;

const MICROSECONDS = 1000;

/** What is taken for granted of a neighbor that has not been heard (section 6.8.1). */
const UNHEARD: Remote = {
  state: "down",
  diagnostic: undefined,
  desiredMinTxMs: 0,
  requiredMinRxMs: 1 / MICROSECONDS,
  multiplier: 1,
};

export function newSession(context: Context, path: Path, parameters: Parameters): Session {
  const { state, nowMs, random } = context;
  state.handles += 1;
  const intervals = intervalsOf({ state: "down", parameters });
  return {
    handle: state.handles,
    path,
    parameters,
    sourcePort: newPort(context),
    state: "down",
    diagnostic: "none",
    localDiscriminator: newDiscriminator(context),
    remoteDiscriminator: 0,
    remote: UNHEARD,
    announced: intervals,
    inForce: intervals,
    isPolling: false,
    pollsAgain: false,
    sendAtMs: nowMs,
    heardAtMs: undefined,
    liveness: "unknown",
    wasUp: false,
    trustMs: TRUST_MS,
    wasTrusted: false,
    trustRaisedAtMs: Number.NEGATIVE_INFINITY,
    sentSequence: random() >>> 0,
    receivedSequence: undefined,
    forgetAtMs: NEVER_MS,
    books: { sent: 0, received: 0, ups: 0, downs: 0, changedAtMs: nowMs, last: undefined, logAtMs: 0 },
  };
}

/** Not 0 and of no other session. */
function newDiscriminator({ random, state }: Context): number {
  for (;;) {
    const made = random() >>> 0;
    if (made !== 0 && state.sessions.every(({ localDiscriminator }) => localDiscriminator !== made))
      return made;
  }
}

function newPort({ random, state }: Context): number {
  for (;;) {
    const made = SOURCE_PORT_MIN + ((random() >>> 0) % PORTS);
    if (state.sessions.every(({ sourcePort }) => sourcePort !== made)) return made;
  }
}

const isLinkUp = ({ state }: Context, { path }: Session): boolean => state.linksUp[path.interface] === true;

/** Sends a packet now and sets the time for the next one. `isFinal`: the answer to a poll, beside the others. */
export function send(context: Context, session: Session, isFinal = false): void {
  if (!isFinal) session.sendAtMs = context.nowMs + jittered(context, sendIntervalMs(session));
  if (!isLinkUp(context, session)) return;
  const { path, announced } = session;
  const packet: ControlPacket = {
    state: session.state,
    diagnostic: session.diagnostic,
    isPoll: session.isPolling && !isFinal,
    isFinal,
    multiplier: session.parameters.multiplier,
    myDiscriminator: session.localDiscriminator,
    yourDiscriminator: session.remoteDiscriminator,
    desiredMinTxMicroseconds: announced.desiredMinTxMs * MICROSECONDS,
    requiredMinRxMicroseconds: announced.requiredMinRxMs * MICROSECONDS,
  };
  session.books.sent += 1;
  count(context, "sent");
  context.actions.push({
    kind: "send",
    interface: path.interface,
    source: path.local,
    destination: path.remote,
    ttl: BFD_TTL,
    sourcePort: session.sourcePort,
    port: BFD_PORT,
    payload: payloadOf(context, session, packet),
  });
}

function payloadOf({ key }: Context, session: Session, packet: ControlPacket): Uint8Array {
  if (key === undefined) return emitPacket(packet);
  session.sentSequence = (session.sentSequence + 1) >>> 0;
  const authentication = { keyId: KEY_ID, sequence: session.sentSequence, digest: UNSIGNED };
  const payload = emitPacket({ ...packet, authentication });
  sign(payload, key);
  return payload;
}

function jittered({ random }: Context, intervalMs: number): number {
  return intervalMs === NEVER_MS ? NEVER_MS : intervalMs * (1 - (JITTER * (random() >>> 0)) / U32);
}

/** Takes a packet of the neighbor that was believed (section 6.8.6). */
export function hear(context: Context, session: Session, packet: ControlPacket): void {
  const { nowMs } = context;
  const { desiredMinTxMicroseconds, requiredMinRxMicroseconds, state, diagnostic, multiplier } = packet;
  session.books.received += 1;
  session.books.last = packet;
  session.remoteDiscriminator = packet.myDiscriminator;
  session.remote = {
    state,
    diagnostic,
    multiplier,
    desiredMinTxMs: desiredMinTxMicroseconds / MICROSECONDS,
    requiredMinRxMs: requiredMinRxMicroseconds / MICROSECONDS,
  };
  session.heardAtMs = nowMs;
  session.liveness = "alive";
  session.forgetAtMs = NEVER_MS;
  if (packet.isFinal && session.isPolling) endPoll(session);
  const isChanged = happen(context, session, HEARD[state]);
  if (state === "adminDown") takeLeave(session);
  if (packet.isPoll) send(context, session, true);
  // A neighbor that wants packets more often gets them so; what was changed is told at once (section 6.8.7).
  if (isChanged && !packet.isPoll) send(context, session);
  else hurry(context, session);
}

/** A neighbor that is down on purpose: its silence will mean nothing, and it will begin with other numbers. */
function takeLeave(session: Session): void {
  session.liveness = "unknown";
  session.wasUp = false;
  session.receivedSequence = undefined;
}

/** The next packet comes no later than an interval from now. */
function hurry(context: Context, session: Session): void {
  const latestAtMs = context.nowMs + sendIntervalMs(session);
  if (session.sendAtMs > latestAtMs)
    session.sendAtMs = context.nowMs + jittered(context, sendIntervalMs(session));
}

/** Carries out what the table says of an event. False: the state does not change. */
export function happen(context: Context, session: Session, event: Event): boolean {
  const step = next(session.state, event);
  if (step === undefined) return false;
  const from = session.state;
  session.state = step.state;
  session.diagnostic = step.diagnostic ?? session.diagnostic;
  if (event === "expired" || event === "linkDown") session.remoteDiscriminator = 0;
  if (from === "up") leaveUp(context, session);
  if (step.state === "up") enterUp(context, session);
  if (step.state !== "up") changeIntervals(session);
  const { path, diagnostic } = session;
  context.actions.push({ kind: "state", path, from, to: step.state, diagnostic });
  return true;
}

function enterUp(context: Context, session: Session): void {
  session.wasUp = true;
  session.books.ups += 1;
  session.books.changedAtMs = context.nowMs;
  count(context, "sessionsUp");
  changeIntervals(session);
  log(context, session, "UP", `is going UP${neighborText(session)}`);
}

function leaveUp(context: Context, session: Session): void {
  session.wasTrusted = context.nowMs - session.books.changedAtMs >= session.trustMs;
  if (session.wasTrusted) session.trustMs = TRUST_MS;
  else if (context.nowMs - session.trustRaisedAtMs >= session.trustMs) {
    session.trustRaisedAtMs = context.nowMs;
    session.trustMs = Math.min(2 * session.trustMs, TRUST_MAX_MS);
  }
  session.books.downs += 1;
  session.books.changedAtMs = context.nowMs;
  session.isPolling = false;
  session.pollsAgain = false;
  count(context, "sessionsDown");
  log(
    context,
    session,
    "DOWN",
    `is going Down Reason: ${REASONS[session.diagnostic]}${neighborText(session)}`,
  );
  // A life of the session has a discriminator of its own: packets of an earlier one are for nobody.
  session.localDiscriminator = newDiscriminator(context);
}

/** Other parameters are told at once; the same again is nothing new. */
export function changeParameters(context: Context, session: Session, parameters: Parameters): void {
  const before = session.parameters;
  session.parameters = parameters;
  const names = Object.keys(parameters) as (keyof Parameters)[];
  if (names.every((name) => parameters[name] === before[name])) return;
  changeIntervals(session);
  send(context, session);
}

/**
 * The intervals follow the parameters and the state. In a session that is up the neighbor is asked to confirm them, and
 * until it has, nothing is sent less often and nothing is expected more often than before (section 6.8.3).
 */
function changeIntervals(session: Session): void {
  const wanted = intervalsOf(session);
  const { announced, inForce } = session;
  const isSame =
    wanted.desiredMinTxMs === announced.desiredMinTxMs &&
    wanted.requiredMinRxMs === announced.requiredMinRxMs;
  if (isSame) return;
  session.announced = wanted;
  if (session.state !== "up") {
    session.inForce = wanted;
    return;
  }
  session.inForce = {
    desiredMinTxMs: Math.min(wanted.desiredMinTxMs, inForce.desiredMinTxMs),
    requiredMinRxMs: Math.max(wanted.requiredMinRxMs, inForce.requiredMinRxMs),
  };
  if (session.isPolling) session.pollsAgain = true;
  session.isPolling = true;
}

/** The neighbor has confirmed the intervals that it was told; if others were told since, it is asked again. */
function endPoll(session: Session): void {
  session.isPolling = session.pollsAgain;
  session.pollsAgain = false;
  if (!session.isPolling) session.inForce = session.announced;
}

/** When the next timer of the session runs out. */
export function deadlineOf(session: Session): number {
  const isSending = session.state !== "adminDown";
  return Math.min(isSending ? session.sendAtMs : NEVER_MS, detectAtMs(session), session.forgetAtMs);
}

/** Handles the timers that have run out. */
export function expire(context: Context, session: Session): void {
  const { nowMs } = context;
  if (session.forgetAtMs <= nowMs) {
    session.forgetAtMs = NEVER_MS;
    session.receivedSequence = undefined;
  }
  if (detectAtMs(session) <= nowMs) {
    if (silence(context, session, "expired")) send(context, session);
  }
  if (session.state !== "adminDown" && session.sendAtMs <= nowMs) send(context, session);
}

/** The neighbor is not heard any more. True: the state has changed. */
export function silence(context: Context, session: Session, event: "expired" | "linkDown"): boolean {
  session.heardAtMs = undefined;
  // Twice the detection time after the last packet (section 6.8.1, bfd.AuthSeqKnown).
  session.forgetAtMs = context.nowMs + detectionMs(session);
  const isChanged = happen(context, session, event);
  session.liveness = session.wasUp && session.wasTrusted ? "silent" : "unknown";
  return isChanged;
}

/** The process stood still for so long: what was to be heard meanwhile may be waiting to be read. */
export function forgive({ nowMs }: Context, session: Session, gapMs: number): void {
  if (session.heardAtMs === undefined) return;
  const graceAtMs = nowMs + GRACE_INTERVALS * receiveIntervalMs(session);
  session.heardAtMs = Math.max(detectAtMs(session) + gapMs, graceAtMs) - detectionMs(session);
}

/** Takes a session down on purpose and says so. */
export function disable(context: Context, session: Session): void {
  if (!happen(context, session, "disabled")) return;
  session.liveness = "unknown";
  session.wasUp = false;
  session.heardAtMs = undefined;
  for (let i = 0; i < FAREWELLS; i++) send(context, session);
}

/** As IOS writes it. */
const REASONS: Readonly<Record<Diagnostic, string>> = {
  none: "NONE",
  detectionTimeExpired: "DETECT TIMER EXPIRED",
  echoFailed: "ECHO FAILURE",
  neighborSignaledDown: "RX DOWN",
  forwardingPlaneReset: "FORWARDING PLANE RESET",
  pathDown: "PATH DOWN",
  concatenatedPathDown: "CONCATENATED PATH DOWN",
  administrativelyDown: "ADMIN DOWN",
  reverseConcatenatedPathDown: "REVERSE CONCATENATED PATH DOWN",
};

function neighborText({ path }: Session): string {
  return ` (neighbor ${formatAddress(path.remote)} on ${path.interface})`;
}

function log({ nowMs, actions }: Context, session: Session, what: "UP" | "DOWN", text: string): void {
  const { books, localDiscriminator, handle } = session;
  if (nowMs < books.logAtMs) return;
  // A session that comes up and goes down at once says so once.
  if (what === "DOWN") books.logAtMs = nowMs + LOG_INTERVAL_MS;
  const head = `%BFDFSM-6-BFD_SESS_${what}: BFD-SYSLOG: BFD session`;
  actions.push({
    kind: "log",
    severity: 6,
    text: `${head} ld:${localDiscriminator} handle:${handle} ${text}`,
  });
}

/** States as IOS shows them. */
export const STATE_NAMES: Readonly<Record<State, string>> = {
  adminDown: "AdminDown",
  down: "Down",
  init: "Init",
  up: "Up",
};
