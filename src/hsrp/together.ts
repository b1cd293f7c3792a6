/**
 * Changes of roles that no packet or timer of the RFC brings about: preemption, and what moves all groups of a router
 * together. Groups are tied when each tracks the other's interface, directly or over further groups. One of them
 * leads: its role is the router's, the others follow.
 *
 * - The leader preempts only when every other group can come along; the others do not preempt by themselves.
 * - A half-failed router (the interface of a tied group is down) hands its other groups to a Standby router of higher
 *   priority, without waiting to be preempted.
 * - A router whose leader is Active takes the other groups from an Active router of lower priority, or when nobody is,
 *   and one whose leader is not hands over those in which it is Active. It counts as one of priority 0 there
 *   (`isAstray`).
 *
 * All of these wait until a hold time has passed since the last change of roles, preemption longer when roles keep
 * changing: links that flap do not make roles flap.
 */
import { priorityOf, trackedPriorityOf } from "./in-force.js";
import { type Context, type Group, type GroupSpec, NEVER_MS, type Tie } from "./state.js";

/** A change that is wanted, and the time from which it may happen. */
export interface Wanted {
  readonly event: "hPreempt" | "r";
  readonly atMs: number;
}

/**
 * The indices of each group's tie, by its own index, the leader first; a group that is tied to no other, or cannot
 * run, is alone. `leader`: the key of the group that leads its tie; else the first by its key does, which is the same
 * one on both routers.
 */
export function tiesOf(specs: readonly GroupSpec[], leader: string | undefined): number[][] {
  const rank = ({ key }: GroupSpec) => (key === leader ? "" : key);
  return specs.map((spec) => {
    const tie = [spec];
    // Those that are found are looked at in turn.
    for (const member of tie)
      tie.push(...specs.filter((other) => !tie.includes(other) && isTied(member, other)));
    return tie.sort((x, y) => (rank(x) < rank(y) ? -1 : 1)).map(({ index }) => index);
  });
}

function isTied(one: GroupSpec, other: GroupSpec): boolean {
  const canRun = one.problem === undefined && other.problem === undefined;
  return canRun && tracks(one, other) && tracks(other, one);
}

function tracks({ options }: GroupSpec, other: GroupSpec): boolean {
  return options.tracks.some(({ object }) => object === other.on.name);
}

/** Starts and ends the delays of preemption, as there is an Active router of lower priority or not. */
export function watchPreemption(context: Context, group: Group): void {
  const { spec, state } = group;
  const { preempt } = spec.options;
  if (preempt === undefined || state.isReleased || !isBetter(context, group)) {
    state.preemptReadyAtMs = NEVER_MS;
    state.preemptSyncAtMs = NEVER_MS;
  } else if (state.preemptReadyAtMs === NEVER_MS) {
    const { minimumMs, reloadMs, syncMs } = preempt;
    state.preemptReadyAtMs = context.nowMs + Math.max(minimumMs, state.hasPreempted ? 0 : reloadMs);
    state.preemptSyncAtMs = context.nowMs + syncMs;
  }
}

/** Whether another router is known to be Active and has a lower priority. */
function isBetter(context: Context, group: Group): boolean {
  const { active } = group.state;
  return active !== undefined && priorityOf(context, group) > active.priority;
}

/** The change that a group of a tie wants to make on its own account. */
export function wantedOf(context: Context, group: Group): Wanted | undefined {
  const tie = context.ties[group.spec.index]!;
  switch (group.state.state) {
    case "listen":
    case "speak":
    case "standby":
      return group === tie[0] ? preemption(context, tie, group) : following(context, tie[0]!, group);
    case "active":
      return handover(context, tie, group);
    default:
      return undefined;
  }
}

/** Whether a hello of a lower Active router makes the group take over now. */
export function mayPreempt(context: Context, group: Group): boolean {
  const wanted = wantedOf(context, group);
  return wanted?.event === "hPreempt" && wanted.atMs <= context.nowMs;
}

function preemption(context: Context, tie: Tie, group: Group): Wanted | undefined {
  const { state } = group;
  if (state.preemptReadyAtMs === NEVER_MS) return undefined;
  if (!tie.every((other) => other === group || canComeAlong(context, other))) return undefined;
  return { event: "hPreempt", atMs: preemptAtMs(context, tie, group) };
}

/** When the leader of a tie may preempt, as far as that is a matter of time. */
export function preemptAtMs(context: Context, tie: Tie, { state }: Group): number {
  const syncAtMs = context.state.isSynchronised ? 0 : state.preemptSyncAtMs;
  return Math.max(state.preemptReadyAtMs, syncAtMs, ...tie.map((each) => each.state.preemptNotBeforeAtMs));
}

/** Whether a group is Active already, or would win against the router that is. */
function canComeAlong(context: Context, group: Group): boolean {
  const { state, active } = group.state;
  return state === "active" || (active !== undefined && trackedPriorityOf(context, group) >= active.priority);
}

function following(context: Context, leader: Group, group: Group): Wanted | undefined {
  const isDue = isBetter(context, group) || isVacant(context, group);
  if (leader.state.state !== "active" || !isDue) return undefined;
  return { event: "hPreempt", atMs: group.state.takeoverNotBeforeAtMs };
}

/** No Active router is known, and the peer says that it is not: there is no hold time to wait for. */
function isVacant({ state: { peer } }: Context, { spec, state }: Group): boolean {
  return state.active === undefined && peer.report?.active.includes(spec.key) === false;
}

function handover(context: Context, tie: Tie, group: Group): Wanted | undefined {
  const { standby, takeoverNotBeforeAtMs } = group.state;
  if (standby === undefined) return undefined;
  const isHalfFailed = tie.some(({ spec }) => !context.state.links[spec.on.name]!.isUp);
  const leader = tie[0]!.state;
  const isDue = isHalfFailed
    ? standby.priority > priorityOf(context, group)
    : leader.state !== "active" && leader.active !== undefined;
  return isDue ? { event: "r", atMs: takeoverNotBeforeAtMs } : undefined;
}
