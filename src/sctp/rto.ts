/**
 * The retransmission timeout of a path (RFC 9260 section 6.3): smoothed round-trip time and its variation, kept
 * between the configured bounds, doubled at each expiry.
 */

/** RTO.Alpha and RTO.Beta (section 16). */
const ALPHA = 1 / 8;
const BETA = 1 / 4;
export const VARIATIONS = 4;
/** The variation is never less than the granularity of the clock (rule G1). */
const GRANULARITY_MS = 1;

export interface RtoBounds {
  rtoMinMs: number;
  rtoMaxMs: number;
}

export interface RtoState {
  /** Undefined before the first sample. */
  srttMs: number | undefined;
  rttvarMs: number;
  rtoMs: number;
}

function clamp(rtoMs: number, { rtoMinMs, rtoMaxMs }: RtoBounds): number {
  return Math.min(Math.max(rtoMs, rtoMinMs), rtoMaxMs);
}

export function newRto(initialMs: number, bounds: RtoBounds): RtoState {
  return { srttMs: undefined, rttvarMs: 0, rtoMs: clamp(initialMs, bounds) };
}

/** Takes a round-trip time of something that was sent once (Karn's rule is the caller's). */
export function sampleRtt(rto: RtoState, rttMs: number, bounds: RtoBounds): void {
  if (rto.srttMs === undefined) {
    rto.srttMs = rttMs;
    rto.rttvarMs = rttMs / 2;
  } else {
    rto.rttvarMs = (1 - BETA) * rto.rttvarMs + BETA * Math.abs(rto.srttMs - rttMs);
    rto.srttMs = (1 - ALPHA) * rto.srttMs + ALPHA * rttMs;
  }
  rto.rttvarMs = Math.max(rto.rttvarMs, GRANULARITY_MS);
  rto.rtoMs = clamp(rto.srttMs + VARIATIONS * rto.rttvarMs, bounds);
}

/** After an expiry (rule E2). */
export function backOff(rto: RtoState, bounds: RtoBounds): void {
  rto.rtoMs = clamp(rto.rtoMs * 2, bounds);
}
