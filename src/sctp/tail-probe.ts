/**
 * Tail loss probes, as RFC 8985 section 7 has them for TCP: what is last in flight has nothing behind it whose
 * acknowledgement would report its loss. When nothing on a path was acknowledged for a few round trips, one packet of
 * the oldest chunks in flight is sent again, long before T3-rtx, and about which it says nothing: no error, no timer, no
 * flight, no round-trip time (Karn).
 *
 * Probes travel by another path where one works. That a chunk arrives then says nothing of its own path, which would never
 * be found broken, or be timed when it has become slow; so that path is asked by a heartbeat, though it is in use.
 */
import type { Association, Path } from "./association.js";
import type { Context } from "./context.js";
import { NEVER_MS } from "./instant.js";
import { VARIATIONS } from "./rto.js";

/** No probe before this time, however short the round trips are: a busy peer may take as long. */
export const TAIL_PROBE_MIN_MS = 5;
const ROUND_TRIPS = 2;

/**
 * When the next probe of `path` is due if nothing is acknowledged from now on: doubled with each probe in a row, at most an
 * RTO. The last chunk of a burst asks for a SACK at once (RFC 7053); what a peer delays that does not heed it is in the
 * variation of the samples. Without a sample there is no probe.
 */
export function tailProbeAtMs({ nowMs }: Context, { outbound }: Association, path: Path): number {
  // A chunk in a closed window is not lost when it is not taken.
  if (path.srttMs === undefined || outbound.isProbing) return NEVER_MS;
  const firstMs = Math.max(ROUND_TRIPS * path.srttMs + VARIATIONS * path.rttvarMs, TAIL_PROBE_MIN_MS);
  return nowMs + Math.min(firstMs * 2 ** path.tailProbes, path.rtoMs);
}

export function expireTailProbe(_context: Context, _association: Association, path: Path): void {
  path.tailProbeAtMs = NEVER_MS;
  path.isTailProbeDue = true;
}

/** T3-rtx goes before. */
export function cancelTailProbe(path: Path): void {
  path.tailProbeAtMs = NEVER_MS;
  path.isTailProbeDue = false;
}

/** A chunk of `path` has arrived, which went by another path too: a heartbeat is due, unless one is not answered yet. */
export function doubtPath({ nowMs }: Context, path: Path): void {
  if (path.answerAtMs !== NEVER_MS) return;
  path.isDoubted = true;
  path.heartbeatAtMs = nowMs;
}
