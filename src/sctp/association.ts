/**
 * The association as plain data: tags, both halves of the user data, the paths, and what runs while it is set up and
 * torn down. Instants end in AtMs (Infinity: not awaited), durations in Ms.
 */
import { type CongestionState, newCongestion } from "./congestion.js";
import { type Inbound, newInbound } from "./inbound.js";
import { NEVER_MS } from "./instant.js";
import { newOutbound, type Outbound } from "./outbound.js";
import { newRto, type RtoState } from "./rto.js";
import type { Settings } from "./settings.js";

/**
 * absent: the peer has not said that this address is its own. unconfirmed: it has, but has not answered from there
 * (RFC 9260 section 5.4). inactive: too many errors in a row.
 */
export const PATH_STATES = ["absent", "unconfirmed", "active", "inactive"] as const;
export type PathState = (typeof PATH_STATES)[number];

export interface Path extends RtoState, CongestionState {
  index: number;
  state: PathState;
  /** Of user data sent here. */
  flightBytes: number;
  /** In a row: expiries and heartbeats without an answer. */
  errors: number;
  /** T3-rtx. */
  t3AtMs: number;
  /** When the next tail loss probe is due, how many there were since something was acknowledged; it is to be sent. */
  tailProbeAtMs: number;
  tailProbes: number;
  isTailProbeDue: boolean;
  /** A heartbeat is due though the path is in use: another one has brought what was sent here. */
  isDoubted: boolean;
  /** The TSN whose acknowledgement will give the next round-trip time, and when it was sent. */
  timedTsn: number | undefined;
  timedSinceAtMs: number;
  /** When something was last sent here that can tell the round-trip time. */
  usedAtMs: number;
  /** When the next heartbeat is due. */
  heartbeatAtMs: number;
  /** The last heartbeat: its nonce while it is not answered, when it was sent, until when the answer is expected. */
  heartbeatNonce: number | undefined;
  heartbeatSentAtMs: number;
  answerAtMs: number;
}

export interface Association {
  localTag: number;
  /** 0 while it is not known. */
  peerTag: number;
  /** Stand for this association in cookies without telling its tags (section 5.2.2). */
  localTieTag: number;
  peerTieTag: number;
  localInitialTsn: number;
  /** "up" was told. */
  isUp: boolean;
  /** Of all paths together, in a row. */
  errors: number;
  paths: Path[];
  /** The path for user data while none is active. */
  dormantPath: number;
  inbound: Inbound;
  outbound: Outbound;
  /** T1: when INIT or COOKIE ECHO is sent again, how often it was, and when it was sent first. */
  setupAtMs: number;
  setupRetransmissions: number;
  setupSinceAtMs: number;
  /** The path of the setup. */
  setupPath: number;
  /** The peer's cookie, to be sent back. */
  peerCookie: Uint8Array | undefined;
  /** By how much the next INIT asks for a longer life of the cookie. */
  preservativeMs: number;
  /** T2, and T5 which guards the whole teardown (section 9.2). */
  teardownAtMs: number;
  guardAtMs: number;
  /** Our application has asked for the end. */
  isEndedHere: boolean;
}

/** What both sides have agreed on; before that, our own half of it and zeros. */
export interface Agreement {
  localTag: number;
  peerTag: number;
  localInitialTsn: number;
  peerInitialTsn: number;
  peerWindow: number;
  /** What the peer wants to send on, and can receive on. */
  peerOutboundStreams: number;
  peerInboundStreams: number;
  /** Bit i: the peer has the address of path i. */
  pathMask: number;
}

export function newPath(index: number, state: PathState, settings: Settings, thresholdBytes: number): Path {
  return {
    index,
    state,
    ...newRto(settings.rtoInitialMs, settings),
    ...newCongestion(settings.mtu, thresholdBytes),
    flightBytes: 0,
    errors: 0,
    t3AtMs: NEVER_MS,
    tailProbeAtMs: NEVER_MS,
    tailProbes: 0,
    isTailProbeDue: false,
    isDoubted: false,
    timedTsn: undefined,
    timedSinceAtMs: NEVER_MS,
    usedAtMs: Number.NEGATIVE_INFINITY,
    heartbeatAtMs: NEVER_MS,
    heartbeatNonce: undefined,
    heartbeatSentAtMs: NEVER_MS,
    answerAtMs: NEVER_MS,
  };
}

export function newAssociation(agreement: Readonly<Agreement>, settings: Settings): Association {
  return {
    localTag: agreement.localTag,
    peerTag: agreement.peerTag,
    localTieTag: settings.random(),
    peerTieTag: settings.random(),
    localInitialTsn: agreement.localInitialTsn,
    isUp: false,
    errors: 0,
    paths: settings.pairs.map((_, index) =>
      newPath(index, pathStateOf(agreement, index), settings, agreement.peerWindow),
    ),
    dormantPath: 0,
    inbound: newInbound(agreement.peerInitialTsn, inboundStreams(agreement, settings), settings),
    outbound: newOutbound(
      agreement.localInitialTsn,
      outboundStreams(agreement, settings),
      agreement.peerWindow,
    ),
    setupAtMs: NEVER_MS,
    setupRetransmissions: 0,
    setupSinceAtMs: NEVER_MS,
    setupPath: 0,
    peerCookie: undefined,
    preservativeMs: 0,
    teardownAtMs: NEVER_MS,
    guardAtMs: NEVER_MS,
    isEndedHere: false,
  };
}

/** Takes what the peer has answered to our INIT. */
export function agree(association: Association, agreement: Readonly<Agreement>, settings: Settings): void {
  association.peerTag = agreement.peerTag;
  association.inbound = newInbound(agreement.peerInitialTsn, inboundStreams(agreement, settings), settings);
  const streams = outboundStreams(agreement, settings);
  association.outbound = newOutbound(agreement.localInitialTsn, streams, agreement.peerWindow);
  for (const path of association.paths) {
    path.state = pathStateOf(agreement, path.index);
    path.ssthreshBytes = agreement.peerWindow;
  }
}

function pathStateOf({ pathMask }: Readonly<Agreement>, index: number): PathState {
  return (pathMask & (1 << index)) !== 0 ? "unconfirmed" : "absent";
}

function inboundStreams({ peerOutboundStreams }: Readonly<Agreement>, { streams }: Settings): number {
  return Math.min(peerOutboundStreams, streams);
}

function outboundStreams({ peerInboundStreams }: Readonly<Agreement>, { streams }: Settings): number {
  return Math.min(peerInboundStreams, streams);
}

/** Where user data goes: the first active path; while there is none, one after the other (section 6.4). */
export function dataPath(association: Association): Path {
  return (
    association.paths.find(({ state }) => state === "active") ?? association.paths[association.dormantPath]!
  );
}

/** Where to send again what `path` has lost: another active path; else itself; while none is active, the other. */
export function alternatePath(association: Association, path: Path): Path {
  const others = association.paths.filter(({ index, state }) => index !== path.index && state !== "absent");
  const active = others.find(({ state }) => state === "active");
  if (active !== undefined) return active;
  return path.state === "active" ? path : (others[0] ?? path);
}
