/**
 * Which event of the table a situation is: every comparison of the machine stands here. What happens at a moment (a
 * timer, a fault, a message) comes as an event by itself; here is what follows from how things are.
 */
import type { Address } from "../ip.js";
import { isCompatible } from "./compatibility.js";
import type { Verdict } from "./message.js";
import { NEVER_MS, type RedundancyState } from "./state.js";
import type { GroupRole, State } from "./states.js";
import type { Event } from "./table.js";

/** Copies of all sessions that are tried before the standby stays cold and says so. */
export const BULK_ATTEMPTS_MAX = 3;

/** Who has the better right to be active. */
export interface Claim {
  readonly generation: number;
  readonly priority: number;
  readonly address: Address;
  readonly bootId: bigint;
}

/** Above 0: the first claim is better. 0 only for one and the same box. */
export function compareClaims(one: Claim, other: Claim): number {
  if (one.generation !== other.generation) return one.generation - other.generation;
  if (one.priority !== other.priority) return one.priority - other.priority;
  const [x, y] = one.address === other.address ? [one.bootId, other.bootId] : [one.address, other.address];
  return x > y ? 1 : x < y ? -1 : 0;
}

/** States in which this box has a claim to be active: it is, or was and has not started clean since. */
const CLAIMANTS: ReadonlySet<State> = new Set<State>(["active", "suspect", "drain", "yield"]);
const SERVANTS: ReadonlySet<State> = new Set<State>(["active", "drain"]);
/** States in which this box follows an active. */
const FOLLOWERS: ReadonlySet<State> = new Set<State>(["cold", "coldConfig", "coldBulk", "hot"]);
const COPYING: ReadonlySet<State> = new Set<State>(["coldBulk", "hot"]);

export const isClaimant = ({ state }: RedundancyState): boolean => CLAIMANTS.has(state);
/** Whether session records may come: a copy, or what a standby answers to one. */
export const takesRecords = ({ state, serving }: RedundancyState): boolean =>
  COPYING.has(state) || (SERVANTS.has(state) && serving !== 0);

/** The generation that this box speaks for. */
export function generationOf(state: RedundancyState): number {
  return isClaimant(state) ? state.claim : state.known;
}

/** What this box thinks of the peer's hello. */
export function verdictOf(state: RedundancyState): Verdict {
  if (state.peer?.hello === undefined) return "unknown";
  return isCompatible(state.findings, !isClaimant(state)) ? "compatible" : "incompatible";
}

/** The state of the group, less what was given up and HSRP has not yet done. */
export function groupOf({ group, alarms }: RedundancyState): GroupRole {
  return group === "active" && alarms.release !== NEVER_MS ? "other" : group;
}

export const isLinked = ({ link }: RedundancyState): boolean => link.status === "open";

/** What the peer is: gone, not heard for a moment, not known yet, not active, active. */
function peerIs(state: RedundancyState): "gone" | "silent" | "unknown" | "idle" | "active" {
  const { peer } = state;
  if (!isLinked(state) || peer === undefined) return "gone";
  if (peer.isSilent) return "silent";
  if (peer.state === undefined) return "unknown";
  return peer.state.state === "active" ? "active" : "idle";
}

/** The peer says that it is active, be it silent for a moment or not. */
export function isPeerActive(state: RedundancyState): boolean {
  return isLinked(state) && state.peer?.state?.state === "active";
}

/** Either side has asked for maintenance mode. */
export function isMaintained({ isInMaintenance, peer }: RedundancyState): boolean {
  return isInMaintenance || (peer?.state?.isInMaintenance ?? false);
}

/** Whether the peer has all sessions of this box and can take over. */
export function isPeerHot({ peer, serving }: RedundancyState): boolean {
  return serving !== 0 && peer?.state?.state === "standbyHot" && peer.state.bulk === serving;
}

/** Whether both boxes hold the same sessions, but for what is on its way. */
export function isInSync(state: RedundancyState): boolean {
  const { peer } = state;
  if (!isLinked(state) || peer === undefined || peer.isSilent || peer.isDeaf) return false;
  return state.state === "hot" || (SERVANTS.has(state.state) && isPeerHot(state));
}

/** Neither side has found that the configurations do not fit. */
function isUnfit(state: RedundancyState): boolean {
  return verdictOf(state) === "incompatible" || state.peer?.state?.verdict === "incompatible";
}

/** Above 0: this box has the better claim. The peer's `state` and hello are there. */
function compareWithPeer(state: RedundancyState): number {
  const { peer, identity, claim, priority, bootId, link } = state;
  const theirs: Claim = {
    generation: peer!.generation,
    priority: peer!.state!.priority,
    address: peer!.hello?.address ?? 0,
    bootId: link.channels[0]!.bootId,
  };
  return compareClaims({ generation: claim, priority, address: identity!.address, bootId }, theirs);
}

/** The event that the situation is; undefined: nothing is to change. */
export function classify(state: RedundancyState): Event | undefined {
  if (state.state === "disabled") return state.identity === undefined ? undefined : "configured";
  if (state.identity === undefined) return "removed";
  if (state.state === "initialization") return state.isReady ? "ready" : undefined;
  if (isClaimant(state)) return classifyClaimant(state);
  return classifyFollower(state) ?? classifyGroup(state);
}

function classifyClaimant(state: RedundancyState): Event | undefined {
  const isActive = isPeerActive(state);
  const group = groupOf(state);
  if (state.state === "yield") {
    // An active that does not know of this generation yet will learn of it and raise its own, or give way.
    if (isActive && state.peer!.generation > state.claim) return "superseded";
    return group === "active" && !isActive ? "vacant" : undefined;
  }
  const comparison = isActive ? compareWithPeer(state) : 0;
  if (comparison < 0) return "superseded";
  if (group !== "active") return "groupLost";
  if (state.state === "suspect") return isCleared(state, isActive) ? "cleared" : undefined;
  // A peer that is not heard said so a while ago.
  if (comparison > 0 && !state.isConflictTold && !state.peer!.isSilent) return "prevailed";
  if (isBehind(state)) return "behind";
  if (state.serving === 0) return undefined;
  if (!isLinked(state) || state.peer!.state?.bulk !== state.serving) return "peerLost";
  if (isUnfit(state)) return "unfit";
  if (isMaintained(state)) return "split";
  return state.state === "drain" && !isPeerHot(state) ? "drainBroken" : undefined;
}

/** The peer has said, since the doubt arose, that it is not active. */
function isCleared({ probe }: RedundancyState, isActive: boolean): boolean {
  return probe.status === "answered" && !isActive;
}

/** A box that is not active, or no longer, speaks for sessions that are newer than ours, or as new. */
function isBehind(state: RedundancyState): boolean {
  const { known, claim, peer } = state;
  const wasActive = isLinked(state) && peer?.state?.state === "activeDrain";
  return known > claim || (wasActive && peer!.generation >= claim);
}

function classifyFollower(state: RedundancyState): Event | undefined {
  const { state: own, peer, isUnclean, bulk } = state;
  const isActive = isPeerActive(state);
  if (FOLLOWERS.has(own)) {
    if (!isLinked(state)) return "peerLost";
    if (isUnfit(state)) return "unfit";
    if (state.wasInMaintenance && !isMaintained(state)) return "rejoined";
    if (isMaintained(state) && own !== "cold") return "split";
    if (!isActive && own !== "hot") return "leaderless";
    if (isActive && COPYING.has(own) && peer!.generation !== bulk.generation) return "renewed";
  }
  if (!isActive || isUnfit(state) || isMaintained(state)) return undefined;
  if (own === "coldConfig") return peer!.state!.verdict === "compatible" ? "agreed" : undefined;
  if (own !== "negotiation" && own !== "cold") return undefined;
  if (isUnclean && own === "negotiation") return "superseded";
  return verdictOf(state) === "compatible" && state.bulkAttempts < BULK_ATTEMPTS_MAX ? "follow" : undefined;
}

/** What a box that is not active does while its group is Active. */
function classifyGroup(state: RedundancyState): Event | undefined {
  if (groupOf(state) !== "active") return undefined;
  const { peer, probe, hasGivenWay, holdings } = state;
  switch (peerIs(state)) {
    case "gone":
    case "silent":
      return "vacant";
    case "idle": {
      const { holdings: theirs, group, isDegraded } = peer!.state!;
      const hasMore = theirs === "complete" && holdings !== "complete";
      const isAble = group === "standby" && !isDegraded && !hasGivenWay;
      return state.state === "negotiation" && hasMore && isAble ? "outdone" : "vacant";
    }
    case "unknown":
      return UNCERTAIN[probe.status];
    case "active":
      return state.state === "hot" && state.hasHeardActive ? "challenged" : UNCERTAIN[probe.status];
  }
}

/** What follows while it is not clear whether the peer is active; an answer that it is not leads elsewhere. */
const UNCERTAIN = {
  none: "contested",
  waiting: undefined,
  answered: "denied",
  expired: "unanswered",
} as const satisfies Record<RedundancyState["probe"]["status"], Event | undefined>;
