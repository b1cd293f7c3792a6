/** What is in force in a group now, of what is configured, learned and tracked. */
import { DEFAULTS } from "../config/model.js";
import type { Address } from "../ip.js";
import type { Timers } from "./options.js";
import type { Context, Group } from "./state.js";

const DEFAULT_TIMERS: Timers = { helloMs: DEFAULTS.standbyHelloMs, holdMs: DEFAULTS.standbyHoldMs };

/** The times in force: configured, learned or default. */
export function timersOf({ spec, state }: Group): Timers {
  return spec.options.timers ?? state.learnedTimers ?? DEFAULT_TIMERS;
}

/** The primary virtual address, configured or learned. */
export function virtualAddressOf({ spec, state }: Group): Address | undefined {
  const { virtualAddress } = spec.options;
  return virtualAddress === "learn" ? state.learnedAddress : virtualAddress;
}

/** Whether a tracked object counts as up: an interface must have an address; an object nobody spoke of is up. */
export function isTrackedUp({ state, options }: Context, object: string): boolean {
  const on = options.interfaces.find(({ name }) => name === object);
  const hasAddress = on === undefined || on.networks.length > 0 || on.linkLocal !== undefined;
  return (state.links[object]?.isUp ?? true) && hasAddress;
}

/**
 * The priority that is told and compared: 0 for a group that would be Active without the group that it follows, so
 * that the router which has that one gets this one too.
 */
export function priorityOf(context: Context, group: Group): number {
  return isAstray(context, group) ? 0 : trackedPriorityOf(context, group);
}

/** Whether a group is Active, or on the way to it, while its leader has another Active router. */
function isAstray({ ties }: Context, { spec, state }: Group): boolean {
  const leader = ties[spec.index]![0]!.state;
  const isContending = state.state === "speak" || state.state === "active";
  return isContending && leader !== state && leader.state !== "active" && leader.active !== undefined;
}

/** The configured priority less what is tracked and down (CISCO-HSRP-EXT-MIB: never below 0). */
export function trackedPriorityOf(context: Context, { spec: { options } }: Group): number {
  const down = options.tracks.filter(({ object }) => !isTrackedUp(context, object));
  return Math.max(
    0,
    down.reduce((priority, { decrement }) => priority - decrement, options.priority),
  );
}
