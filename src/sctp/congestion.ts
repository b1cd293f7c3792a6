/**
 * The congestion window of a path (RFC 9260 section 7.2): slow start, congestion avoidance, and what a loss does to
 * it. All in bytes of user data.
 */

export interface CongestionState {
  cwndBytes: number;
  ssthreshBytes: number;
  /** Acknowledged since the window last grew, in congestion avoidance. */
  partialBytesAcked: number;
  /** While losses found by gap reports are being repaired: the highest TSN that was outstanding at the first. */
  recoveryExitTsn: number | undefined;
}

/** Section 7.2.1. */
const INITIAL_PACKETS_MAX = 4;
const INITIAL_PACKETS_MIN = 2;
const INITIAL_BYTES = 4404;
/** The window never falls below this many packets but after an expiry. */
const FLOOR_PACKETS = 4;

function initialBytes(mtu: number): number {
  return Math.min(INITIAL_PACKETS_MAX * mtu, Math.max(INITIAL_PACKETS_MIN * mtu, INITIAL_BYTES));
}

/** `thresholdBytes`: where slow start ends at first; the peer's window is high enough (section 7.2.1). */
export function newCongestion(mtu: number, thresholdBytes: number): CongestionState {
  return {
    cwndBytes: initialBytes(mtu),
    ssthreshBytes: thresholdBytes,
    partialBytesAcked: 0,
    recoveryExitTsn: undefined,
  };
}

export interface Acknowledgement {
  /** Newly acknowledged on this path. */
  ackedBytes: number;
  /** In flight on this path before. */
  flightBeforeBytes: number;
  hasCumulativeAdvanced: boolean;
  isAllAcked: boolean;
}

export function growWindow(state: CongestionState, ack: Acknowledgement, mtu: number): void {
  const isWindowUsed = ack.flightBeforeBytes + mtu > state.cwndBytes;
  if (state.cwndBytes <= state.ssthreshBytes) {
    if (isWindowUsed && ack.hasCumulativeAdvanced && state.recoveryExitTsn === undefined) {
      state.cwndBytes += Math.min(ack.ackedBytes, mtu);
    }
  } else {
    state.partialBytesAcked += ack.ackedBytes;
    if (state.partialBytesAcked >= state.cwndBytes) {
      if (isWindowUsed) state.cwndBytes += mtu;
      state.partialBytesAcked = isWindowUsed ? state.partialBytesAcked - state.cwndBytes : state.cwndBytes;
    }
  }
  if (ack.isAllAcked) state.partialBytesAcked = 0;
}

function halve(state: CongestionState, mtu: number): void {
  state.ssthreshBytes = Math.max(state.cwndBytes / 2, FLOOR_PACKETS * mtu);
  state.partialBytesAcked = 0;
}

/** Gap reports show a loss (section 7.2.4); `highestTsn` is the last that was sent. */
export function enterRecovery(state: CongestionState, highestTsn: number, mtu: number): void {
  if (state.recoveryExitTsn !== undefined) return;
  halve(state, mtu);
  state.cwndBytes = state.ssthreshBytes;
  state.recoveryExitTsn = highestTsn;
}

/** The retransmission timer has expired (section 7.2.3). */
export function collapseWindow(state: CongestionState, mtu: number): void {
  halve(state, mtu);
  state.cwndBytes = mtu;
  state.recoveryExitTsn = undefined;
}

/** Nothing was sent for so many RTOs: what the window says is old (section 7.2.1). */
export function ageWindow(state: CongestionState, idleRtos: number, mtu: number): void {
  const floor = Math.max(FLOOR_PACKETS * mtu, INITIAL_BYTES);
  for (let i = 0; i < idleRtos && state.cwndBytes > floor; i++) {
    state.cwndBytes = Math.max(state.cwndBytes / 2, floor);
  }
  // And so is what an expiry has left of it: after a rest it starts anew.
  if (idleRtos > 0) state.cwndBytes = Math.max(state.cwndBytes, initialBytes(mtu));
}
