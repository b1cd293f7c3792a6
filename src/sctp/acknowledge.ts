/**
 * What a SACK and an expiry of T3-rtx do to the outstanding chunks (RFC 9260 sections 6.2.1, 6.3.2, 6.3.3, 7.2.4).
 *
 * Of the gap blocks only the difference to those of the last SACK is walked, so that a SACK costs as much as it has
 * blocks plus what is new in it, however much is outstanding.
 */
import { type Association, alternatePath, type Path } from "./association.js";
import type { GapBlock } from "./chunk.js";
import { type Acknowledgement, collapseWindow, enterRecovery, growWindow } from "./congestion.js";
import { type Context, count } from "./context.js";
import type { Refusal } from "./counters.js";
import { dequeLength, itemAt, takeFront } from "../deque.js";
import { NEVER_MS } from "./instant.js";
import {
  collectLost,
  type Outbound,
  type OutboundChunk,
  outstandingChunk,
  releaseQueued,
} from "./outbound.js";
import { clearErrors, survivesError } from "./paths.js";
import { backOff, sampleRtt } from "./rto.js";
import { isTsnAfter, tsnDistance, tsnPlus } from "./serial.js";
import { cancelTailProbe, doubtPath, tailProbeAtMs } from "./tail-probe.js";

/** Section 7.2.4: so many reports, and the chunk is sent again. */
const MISSING_REPORTS = 3;

export interface SackView {
  cumulativeTsn: number;
  /** Undefined: from a SHUTDOWN, which has neither; what is known stays. */
  advertisedWindow: number | undefined;
  gaps: readonly GapBlock[] | undefined;
}

/** Why this acknowledgement cannot be used, or undefined. */
export function sackFault(
  { outbound }: Association,
  sack: SackView,
): Extract<Refusal, "sack_old" | "sack_invalid"> | undefined {
  const outstanding = dequeLength(outbound.outstanding);
  const steps = tsnDistance(outbound.cumulativeTsn, sack.cumulativeTsn);
  if (steps < 0) return "sack_old";
  if (steps > outstanding) return "sack_invalid";
  // The TSN right behind the cumulative one has not arrived, else that would be higher.
  let last = 1;
  for (const gap of sack.gaps ?? []) {
    if (gap.first <= last || gap.last < gap.first || steps + gap.last > outstanding) return "sack_invalid";
    last = gap.last;
  }
  return undefined;
}

/** What one acknowledgement has done to one path. */
interface PathAck extends Acknowledgement {
  path: Path;
  hasFirstAcked: boolean;
  /** When the latest was sent of those newly acknowledged that were sent once: of others nobody knows which has arrived. */
  latestSentAtMs: number;
}

/** Takes an acknowledgement; true: chunks were found to be missing and have to be sent again at once. */
export function takeAcknowledgement(context: Context, association: Association, sack: SackView): boolean {
  const { outbound } = association;
  const fault = sackFault(association, sack);
  if (fault !== undefined) {
    count(context, fault);
    return false;
  }
  const acks: PathAck[] = association.paths.map((path) => ({
    path,
    ackedBytes: 0,
    flightBeforeBytes: path.flightBytes,
    hasCumulativeAdvanced: false,
    isAllAcked: false,
    hasFirstAcked: false,
    latestSentAtMs: Number.NEGATIVE_INFINITY,
  }));
  const hasAdvanced = outbound.cumulativeTsn !== sack.cumulativeTsn;
  let highestNewTsn = takeCumulative(context, association, sack.cumulativeTsn, acks);
  highestNewTsn = takeGaps(context, association, sack.gaps, acks) ?? highestNewTsn;

  for (const ack of acks) {
    ack.hasCumulativeAdvanced = hasAdvanced;
    ack.isAllAcked = dequeLength(outbound.outstanding) === 0;
    if (ack.ackedBytes > 0) growWindow(ack.path, ack, context.settings.mtu);
    const { recoveryExitTsn } = ack.path;
    if (recoveryExitTsn !== undefined && !isTsnAfter(recoveryExitTsn, outbound.cumulativeTsn)) {
      ack.path.recoveryExitTsn = undefined;
    }
  }
  const hasLosses = countMissing(context, association, highestNewTsn, hasAdvanced, acks);
  for (const { path, hasFirstAcked } of acks) {
    if (path.flightBytes === 0) path.t3AtMs = NEVER_MS;
    else if (hasFirstAcked || path.t3AtMs === NEVER_MS) path.t3AtMs = restartAtMs(context, association, path);
  }
  for (const { path, ackedBytes } of acks) {
    if (ackedBytes > 0) path.tailProbes = 0;
    if (path.flightBytes === 0) path.tailProbeAtMs = NEVER_MS;
    else if (ackedBytes > 0) path.tailProbeAtMs = tailProbeAtMs(context, association, path);
  }
  if (sack.advertisedWindow !== undefined) {
    outbound.peerWindowBytes = Math.max(0, sack.advertisedWindow - outbound.flightBytes);
    if (outbound.isProbing) outbound.isProbeAnswered = true;
    if (outbound.peerWindowBytes > 0) outbound.isProbing = false;
  }
  return hasLosses;
}

/**
 * When T3-rtx, which starts anew, expires (section 6.3.2, rule R3): an RTO after the oldest chunk was sent, not after now, as
 * RFC 7765 has it where too few are left to report one missing. Here they may be many: what was lost while every path was
 * cut is reported by nobody, and each acknowledgement of a part of it would put off the rest by another RTO.
 */
function restartAtMs({ nowMs }: Context, { outbound }: Association, path: Path): number {
  const { outstanding } = outbound;
  for (let i = 0; i < dequeLength(outstanding); i++) {
    const { fate, path: sentOn, sentAtMs } = itemAt(outstanding, i)!;
    if (fate !== "inFlight" || sentOn !== path.index) continue;
    return sentAtMs + path.rtoMs > nowMs ? sentAtMs + path.rtoMs : nowMs + path.rtoMs;
  }
  return nowMs + path.rtoMs;
}

/** Lets go of all up to `cumulativeTsn`. Gives the highest TSN that was not acknowledged before. */
function takeCumulative(
  context: Context,
  association: Association,
  cumulativeTsn: number,
  acks: PathAck[],
): number | undefined {
  const { outbound } = association;
  let highestNewTsn: number | undefined;
  while (outbound.cumulativeTsn !== cumulativeTsn) {
    const chunk = takeFront(outbound.outstanding)!;
    outbound.cumulativeTsn = chunk.tsn;
    if (chunk.fate !== "gapAcked") {
      if (chunk.fate === "inFlight") acks[chunk.path]!.hasFirstAcked = true;
      settle(context, association, chunk, acks);
      highestNewTsn = chunk.tsn;
    }
    releaseQueued(outbound, chunk);
  }
  return highestNewTsn;
}

/** Marks what the blocks cover and unmarks what they no longer cover. Gives the highest TSN newly covered. */
function takeGaps(
  context: Context,
  association: Association,
  reported: readonly GapBlock[] | undefined,
  acks: PathAck[],
): number | undefined {
  const { outbound } = association;
  const origin = outbound.cumulativeTsn;
  const before = outbound.gapAcked
    .map(({ first, last }) => ({
      first: Math.max(1, tsnDistance(origin, first)),
      last: tsnDistance(origin, last),
    }))
    .filter(({ last }) => last >= 1);
  const gaps = reported ?? before;
  outbound.gapAcked = gaps.map(({ first, last }) => ({
    first: tsnPlus(origin, first),
    last: tsnPlus(origin, last),
  }));
  let highestNewTsn: number | undefined;
  forEachDifference(gaps, before, (steps) => {
    const chunk = outstandingChunk(outbound, tsnPlus(origin, steps))!;
    settle(context, association, chunk, acks);
    chunk.fate = "gapAcked";
    highestNewTsn = chunk.tsn;
  });
  // The peer may throw away what it has not acknowledged cumulatively (section 6.2.1).
  forEachDifference(before, gaps, (steps) => {
    const chunk = outstandingChunk(outbound, tsnPlus(origin, steps))!;
    chunk.fate = "inFlight";
    association.paths[chunk.path]!.flightBytes += chunk.bytes.length;
    outbound.flightBytes += chunk.bytes.length;
  });
  return highestNewTsn;
}

/** Calls `visit` for each number that lies in a block of `these` and in none of `others`; both ascend. */
function forEachDifference(
  these: readonly GapBlock[],
  others: readonly GapBlock[],
  visit: (steps: number) => void,
): void {
  let index = 0;
  for (const block of these) {
    let at = block.first;
    while (at <= block.last) {
      while (index < others.length && others[index]!.last < at) index++;
      const other = others[index];
      if (other !== undefined && other.first <= at) {
        at = other.last + 1;
        continue;
      }
      const end = other === undefined ? block.last : Math.min(block.last, other.first - 1);
      for (; at <= end; at++) visit(at);
    }
  }
}

/** The chunk has arrived, for the first time that we know of. */
function settle(context: Context, association: Association, chunk: OutboundChunk, acks: PathAck[]): void {
  const { length } = chunk.bytes;
  const ack = acks[chunk.path]!;
  const { path } = ack;
  if (chunk.fate === "inFlight") {
    path.flightBytes -= length;
    association.outbound.flightBytes -= length;
  }
  ack.ackedBytes += length;
  if (path.timedTsn === chunk.tsn) {
    // Karn: which transmission has arrived is only known when there was one.
    if (chunk.transmissions === 1) sampleRtt(path, context.nowMs - path.timedSinceAtMs, context.settings);
    path.timedTsn = undefined;
  }
  if (chunk.transmissions === 1) ack.latestSentAtMs = Math.max(ack.latestSentAtMs, chunk.sentAtMs);
  if (chunk.fate === "inFlight" && chunk.probedAtMs !== undefined) {
    // A probe has repaired a loss (RFC 8985 section 7.4): one like any other for the window.
    enterRecovery(path, tsnPlus(association.outbound.nextTsn, -1), context.settings.mtu);
  }
  if (chunk.isProbedElsewhere) {
    association.errors = 0;
    doubtPath(context, path);
  } else {
    clearErrors(context, association, path);
  }
}

/**
 * Counts the reports of chunks that are missing below what is newly acknowledged (section 7.2.4, "highest TSN newly
 * acknowledged"); in recovery, below all that is acknowledged. Those with enough reports are lost.
 *
 * Of a chunk that was sent again only what was sent after it on the same path tells anything: that its retransmission is
 * lost too. Section 7.2.4 would have it wait for T3-rtx then; we go by the order of sending, as RFC 8985 does.
 */
function countMissing(
  context: Context,
  association: Association,
  highestNewTsn: number | undefined,
  hasAdvanced: boolean,
  acks: readonly PathAck[],
): boolean {
  const { outbound, paths } = association;
  const lastGap = outbound.gapAcked.at(-1);
  if (lastGap === undefined) return false;
  const isRecovering = hasAdvanced && paths.some(({ recoveryExitTsn }) => recoveryExitTsn !== undefined);
  const limit = isRecovering ? lastGap.last : highestNewTsn;
  if (limit === undefined) return false;
  let hasLosses = false;
  forEachMissing(outbound, limit, (chunk) => {
    if (chunk.fate !== "inFlight") return;
    const isAgain = chunk.transmissions > 1;
    if (isAgain && acks[chunk.path]!.latestSentAtMs <= sentHereAtMs(chunk)) return;
    if (++chunk.missingReports < MISSING_REPORTS) return;
    lose(association, chunk, chunk.path);
    enterRecovery(paths[chunk.path]!, tsnPlus(outbound.nextTsn, -1), context.settings.mtu);
    count(context, isAgain ? "data_retransmitted_again" : "data_retransmitted_fast");
    hasLosses = true;
  });
  if (hasLosses) collectLost(outbound);
  return hasLosses;
}

/** When the chunk was last sent on its path. */
function sentHereAtMs({ sentAtMs, probedAtMs, isProbedElsewhere }: OutboundChunk): number {
  return isProbedElsewhere ? sentAtMs : (probedAtMs ?? sentAtMs);
}

/** Calls `visit` for each outstanding chunk before `limit` that lies between gap blocks. */
function forEachMissing(outbound: Outbound, limit: number, visit: (chunk: OutboundChunk) => void): void {
  let tsn = tsnPlus(outbound.cumulativeTsn, 1);
  for (const { first, last } of outbound.gapAcked) {
    for (; tsn !== first; tsn = tsnPlus(tsn, 1)) {
      if (!isTsnAfter(limit, tsn)) return;
      visit(outstandingChunk(outbound, tsn)!);
    }
    tsn = tsnPlus(last, 1);
  }
}

/** The chunk is not in flight any more, and is to be sent again on `nextPath`. */
function lose(association: Association, chunk: OutboundChunk, nextPath: number): void {
  const path = association.paths[chunk.path]!;
  path.flightBytes -= chunk.bytes.length;
  association.outbound.flightBytes -= chunk.bytes.length;
  if (path.timedTsn === chunk.tsn) path.timedTsn = undefined;
  chunk.fate = "lost";
  chunk.nextPath = nextPath;
}

/**
 * T3-rtx of `path` has expired: all in flight there is lost and goes to another path if there is one. False: that was
 * one error too many for the association.
 */
export function expireT3(context: Context, association: Association, path: Path): boolean {
  const { outbound } = association;
  path.t3AtMs = NEVER_MS;
  cancelTailProbe(path);
  backOff(path, context.settings);
  collapseWindow(path, context.settings.mtu);
  // A peer that answers, but takes nothing, is not lost (section 6.1, rule A).
  const isWindowClosed = outbound.isProbing && outbound.isProbeAnswered;
  outbound.isProbeAnswered = false;
  if (!isWindowClosed && !survivesError(context, association, path, true)) return false;
  const { index } = alternatePath(association, path);
  association.dormantPath = index;
  for (let i = 0; ; i++) {
    const chunk = itemAt(outbound.outstanding, i);
    if (chunk === undefined) break;
    if (chunk.fate === "lost" && chunk.path === path.index) chunk.nextPath = index;
    if (chunk.fate !== "inFlight" || chunk.path !== path.index) continue;
    lose(association, chunk, index);
    count(context, "data_retransmitted_timeout");
  }
  collectLost(outbound);
  return true;
}
