/** A group as `show standby` shows it: data only, the text is the console's. Times are lengths, not dates. */
import type { Family } from "../config/model.js";
import type { Mac } from "../frame.js";
import type { Address } from "../ip.js";
import { isTrackedUp, priorityOf, timersOf, virtualAddressOf } from "./in-force.js";
import { STATE_NAMES } from "./log.js";
import type { HsrpGroup, Preempt, Timers } from "./options.js";
import { type Context, type Group, type Neighbor, NEVER_MS, startAtMsOf } from "./state.js";
import type { State } from "./table.js";
import { preemptAtMs } from "./together.js";
import type { Version } from "./wire.js";

/** Another router, this one, or nobody that is known. */
export type RouterView =
  | { readonly kind: "local" }
  | { readonly kind: "unknown" }
  | {
      readonly kind: "neighbor";
      readonly address: Address;
      readonly priority: number;
      /** Version 2. */
      readonly mac?: Mac;
      readonly expiresInMs: number;
    };

export interface HsrpGroupView {
  readonly interface: string;
  readonly group: number;
  readonly family: Family;
  readonly version: Version;
  readonly key: string;
  /** `standby name`; undefined: the default name. */
  readonly name?: string;
  readonly state: State;
  /** `Active`, `Disabled`, `Init (interface down)`. */
  readonly stateText: string;
  readonly stateChanges: number;
  /** Since the last change, or since the machine was made. */
  readonly changedAgoMs: number;
  readonly virtualAddress?: Address;
  readonly isVirtualAddressLearned: boolean;
  readonly secondaryAddresses: readonly Address[];
  /** Of this router, were it Active. */
  readonly localVirtualMac: Mac;
  readonly localVirtualMacOrigin: HsrpGroup["virtualMacOrigin"];
  /** This router uses it now. */
  readonly isVirtualMacInUse: boolean;
  readonly timers: Timers;
  /** Undefined: none are configured. */
  readonly configuredTimers?: Timers;
  readonly nextHelloInMs?: number;
  readonly authentication:
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "md5"; readonly chain?: string };
  readonly preempt?: Preempt;
  /** Until it may preempt; undefined: nothing to preempt, no end is known, or another group leads. */
  readonly preemptsInMs?: number;
  readonly active: RouterView;
  readonly standby: RouterView;
  readonly priority: number;
  readonly configuredPriority: number;
  readonly tracks: readonly {
    readonly object: string;
    readonly isUp: boolean;
    readonly decrement: number;
    readonly isShutdown: boolean;
  }[];
  /** Which other groups change roles with this one, by key; the first leads. */
  readonly tie: readonly string[];
}

export function viewOf(context: Context, group: Group): HsrpGroupView {
  const { nowMs } = context;
  const { spec, state } = group;
  const { on, options } = spec;
  const book = context.state.books.groups[spec.index]!;
  const virtualAddress = virtualAddressOf(group);
  const { authentication } = state;
  const tie = context.ties[spec.index]!;
  const preemptsInMs = (tie[0] === group ? preemptAtMs(context, tie, group) : NEVER_MS) - nowMs;
  return {
    interface: on.name,
    group: options.group,
    family: options.family,
    version: on.version,
    key: spec.key,
    ...(options.name !== undefined && { name: options.name }),
    state: state.state,
    stateText: stateText(context, group),
    stateChanges: book.stateChanges,
    changedAgoMs: nowMs - book.changedAtMs,
    ...(virtualAddress !== undefined && { virtualAddress }),
    isVirtualAddressLearned: options.virtualAddress === "learn",
    secondaryAddresses: options.secondaryAddresses,
    localVirtualMac: options.virtualMac,
    localVirtualMacOrigin: options.virtualMacOrigin,
    isVirtualMacInUse: state.state === "active",
    timers: timersOf(group),
    ...(options.timers !== undefined && { configuredTimers: options.timers }),
    ...(Number.isFinite(state.helloAtMs) && { nextHelloInMs: Math.max(0, state.helloAtMs - nowMs) }),
    authentication:
      authentication.kind === "text"
        ? authentication
        : { kind: "md5", ...(authentication.chain !== undefined && { chain: authentication.chain }) },
    ...(options.preempt !== undefined && { preempt: options.preempt }),
    ...(Number.isFinite(preemptsInMs) && { preemptsInMs: Math.max(0, preemptsInMs) }),
    active: routerView(state.state === "active", state.active, state.activeAtMs - nowMs),
    standby: routerView(state.state === "standby", state.standby, state.standbyAtMs - nowMs),
    priority: priorityOf(context, group),
    configuredPriority: options.priority,
    tracks: options.tracks.map((track) => ({ ...track, isUp: isTrackedUp(context, track.object) })),
    tie: tie.map((each) => each.spec.key),
  };
}

/** The state, and in Init why. */
function stateText(context: Context, group: Group): string {
  const { spec, state } = group;
  if (state.state !== "initial") return STATE_NAMES[state.state];
  if (spec.problem === "Disabled") return STATE_NAMES.disabled;
  return `${STATE_NAMES.initial} (${reasonOfInit(context, group)})`;
}

function reasonOfInit({ state, nowMs }: Context, group: Group): string {
  const { on, problem } = group.spec;
  const { isUp } = state.links[on.name]!;
  if (state.isStopped) return "stopped";
  if (!isUp) return "interface down";
  if (problem !== undefined) return problem;
  return startAtMsOf(state, group) > nowMs ? "delayed" : "tracked object down";
}

function routerView(isLocal: boolean, neighbor: Neighbor | undefined, expiresInMs: number): RouterView {
  if (isLocal) return { kind: "local" };
  if (neighbor === undefined) return { kind: "unknown" };
  return { kind: "neighbor", ...neighbor, expiresInMs: Math.max(0, expiresInMs) };
}
