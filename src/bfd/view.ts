/** A session as `show bfd neighbors details` shows it: data only, the text is the console's. Times are lengths. */
import type { Address } from "../ip.js";
import type { Liveness, Parameters } from "./actions.js";
import { detectAtMs, detectionMs, type Intervals, NEVER_MS, type Session, sendIntervalMs } from "./state.js";
import type { Diagnostic, State } from "./table.js";
import type { ControlPacket } from "./wire.js";

export interface NeighborView {
  readonly interface: string;
  /** `OurAddr` and `NeighAddr`. */
  readonly local: Address;
  readonly remote: Address;
  /** `LD/RD`. */
  readonly localDiscriminator: number;
  readonly remoteDiscriminator: number;
  readonly handle: number;
  readonly sourcePort: number;
  readonly state: State;
  /** `RH/RS`. */
  readonly remoteState: State;
  readonly diagnostic: Diagnostic;
  readonly liveness: Liveness;
  /** How long it has to be up before its silence means something. */
  readonly trustMs: number;
  readonly parameters: Parameters;
  readonly announced: Intervals;
  /** What the neighbor named. */
  readonly remoteIntervals: Intervals;
  readonly remoteMultiplier: number;
  readonly isPolling: boolean;
  /** `Hello` and `Holddown`: between two packets of ours, and the detection time; undefined: none are sent. */
  readonly sendIntervalMs: number | undefined;
  readonly detectionMs: number;
  /** Until the detection time is over; undefined: the neighbor is not heard. */
  readonly expiresInMs: number | undefined;
  /** Since it came up or went down. */
  readonly changedAgoMs: number;
  readonly sent: number;
  readonly received: number;
  readonly ups: number;
  readonly downs: number;
  readonly lastPacket: ControlPacket | undefined;
}

export function viewOf(session: Session, nowMs: number): NeighborView {
  const { path, remote, books } = session;
  const intervalMs = sendIntervalMs(session);
  const expiresAtMs = detectAtMs(session);
  return {
    interface: path.interface,
    local: path.local,
    remote: path.remote,
    localDiscriminator: session.localDiscriminator,
    remoteDiscriminator: session.remoteDiscriminator,
    handle: session.handle,
    sourcePort: session.sourcePort,
    state: session.state,
    remoteState: remote.state,
    diagnostic: session.diagnostic,
    liveness: session.liveness,
    trustMs: session.trustMs,
    parameters: session.parameters,
    announced: session.announced,
    remoteIntervals: { desiredMinTxMs: remote.desiredMinTxMs, requiredMinRxMs: remote.requiredMinRxMs },
    remoteMultiplier: remote.multiplier,
    isPolling: session.isPolling,
    sendIntervalMs: intervalMs === NEVER_MS ? undefined : intervalMs,
    detectionMs: detectionMs(session),
    expiresInMs: expiresAtMs === NEVER_MS ? undefined : Math.max(0, expiresAtMs - nowMs),
    changedAgoMs: nowMs - books.changedAtMs,
    sent: books.sent,
    received: books.received,
    ups: books.ups,
    downs: books.downs,
    lastPacket: books.last,
  };
}
