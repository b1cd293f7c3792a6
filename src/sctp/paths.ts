/**
 * Whether each path works: errors in a row, failure and return, heartbeats (RFC 9260 sections 5.4, 8.1 to 8.3).
 */
import { type Association, dataPath, type Path } from "./association.js";
import { type Context, count, sendPacket } from "./context.js";
import { NEVER_MS } from "./instant.js";
import { record } from "./record.js";
import { backOff, sampleRtt } from "./rto.js";
import { spanOf } from "./tlv.js";

const HEARTBEAT_INFO = record({ path: "u8", nonce: "u32", sentAtMs: "f64" });

const U32 = 2 ** 32;

/** Something sent on `path` has arrived: it works, and so does the association. */
export function clearErrors(context: Context, association: Association, path: Path): void {
  association.errors = 0;
  path.errors = 0;
  if (path.state === "inactive") activate(context, association, path);
}

/** The peer has answered on this path (section 5.4), or answers again. */
export function activate(context: Context, association: Association, path: Path): void {
  if (path.state === "active") return;
  path.state = "active";
  path.errors = 0;
  association.dormantPath = path.index;
  context.actions.push({ kind: "path", index: path.index, isActive: true });
}

/**
 * Counts an error of `path`, and of the association where it concerns all of it. False: one too many for the
 * association, which the caller has to end.
 */
export function survivesError(
  context: Context,
  association: Association,
  path: Path,
  isOfAssociation: boolean,
): boolean {
  const { pathRetransmit, assocRetransmit } = context.settings;
  path.errors++;
  if (path.errors > pathRetransmit && path.state !== "inactive") {
    const wasActive = path.state === "active";
    path.state = "inactive";
    if (wasActive) {
      count(context, "path_failures");
      context.actions.push({ kind: "path", index: path.index, isActive: false });
    }
  }
  if (isOfAssociation) association.errors++;
  return association.errors <= assocRetransmit;
}

/** The time to the next heartbeat: the interval, and the RTO give or take a half (section 8.3). */
function heartbeatPeriodMs({ settings }: Context, path: Path): number {
  const jitter = 0.5 + settings.random() / U32;
  const interval = path.state === "unconfirmed" ? 0 : settings.heartbeatMs;
  return interval + path.rtoMs * jitter;
}

/** Starts the heartbeats of a new association; a path that is not confirmed is asked at once (section 5.4). */
export function startHeartbeats(context: Context, association: Association): void {
  for (const path of association.paths) {
    if (path.state === "absent") continue;
    path.heartbeatAtMs =
      path.state === "unconfirmed" ? context.nowMs : context.nowMs + heartbeatPeriodMs(context, path);
  }
}

/** A heartbeat is due, unless the path is in use: then what is sent there tells whether it works. */
export function expireHeartbeat(context: Context, association: Association, path: Path): void {
  const { nowMs, settings } = context;
  const periodMs = heartbeatPeriodMs(context, path);
  const isAwaited = path.t3AtMs !== NEVER_MS || association.teardownAtMs !== NEVER_MS;
  const wasUsed = nowMs - path.usedAtMs < settings.heartbeatMs;
  const isInUse = path.state === "active" && !path.isDoubted && (isAwaited || wasUsed);
  path.isDoubted = false;
  path.heartbeatAtMs = (isInUse && !isAwaited ? path.usedAtMs : nowMs) + periodMs;
  if (isInUse) return;
  const nonce = settings.random();
  const bytes = new Uint8Array(HEARTBEAT_INFO.size);
  HEARTBEAT_INFO.write(spanOf(bytes).view, 0, { path: path.index, nonce, sentAtMs: nowMs });
  path.heartbeatNonce = nonce;
  path.heartbeatSentAtMs = nowMs;
  path.answerAtMs = nowMs + path.rtoMs;
  count(context, "heartbeats_sent");
  sendPacket(context, path.index, association.peerTag, [
    { kind: "heartbeat", flags: 0, parameters: [{ kind: "heartbeatInfo", bytes }] },
  ]);
}

/**
 * A heartbeat has not been answered in time. Only on the path that user data takes it is an error of the association:
 * a broken path beside a working one must not end it (section 8.1). False: one too many.
 */
export function expireAnswer(context: Context, association: Association, path: Path): boolean {
  path.answerAtMs = NEVER_MS;
  backOff(path, context.settings);
  count(context, "heartbeats_unanswered");
  return survivesError(context, association, path, path === dataPath(association));
}

/** Takes the answer to a heartbeat, which must be the last one of its path; false: it is not. */
export function takeHeartbeatAck(context: Context, association: Association, info: Uint8Array): boolean {
  if (info.length !== HEARTBEAT_INFO.size) return false;
  const { path: index, nonce } = HEARTBEAT_INFO.read(spanOf(info).view, 0, {});
  const path = association.paths[index];
  if (path === undefined || path.heartbeatNonce !== nonce) return false;
  path.heartbeatNonce = undefined;
  path.answerAtMs = NEVER_MS;
  sampleRtt(path, context.nowMs - path.heartbeatSentAtMs, context.settings);
  path.errors = 0;
  association.errors = 0;
  activate(context, association, path);
  return true;
}
