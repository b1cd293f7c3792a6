/**
 * Another configuration while the machine runs. A group is the one of before while its interface, its number, its
 * version and the address that its packets come from stay; then it keeps its role and all that it knows, and does what
 * follows from the settings that differ (SETTINGS). Every other group of before resigns, and a new one waits for
 * `standby delay minimum` before it starts.
 */
import { apply } from "./group.js";
import { priorityOf, virtualAddressOf } from "./in-force.js";
import type { Authentication, HsrpOptions } from "./options.js";
import {
  type Context,
  type Group,
  type GroupSpec,
  type HsrpState,
  inInit,
  linkDown,
  NEVER_MS,
  noPackets,
  specsOf,
} from "./state.js";
import { announceAgain, claimOf, own } from "./transmit.js";

/** Former keys that a renamed group still answers to. */
const FORMER_KEYS_MAX = 4;

interface SettingFacts {
  /** What is configured. */
  value(spec: GroupSpec): unknown;
  /** What follows in a group that goes on. What every step works out anew (priorities, ties) follows by itself. */
  follow?(context: Context, group: Group, before: GroupSpec): void;
}

const SETTINGS_TABLE = {
  name: { value: ({ key }) => key, follow: reclaim },
  "virtual address": {
    value: ({ options: { virtualAddress, secondaryAddresses } }) => [virtualAddress, secondaryAddresses],
    follow: reclaim,
  },
  "virtual MAC address": { value: ({ options }) => options.virtualMac, follow: reclaim },
  priority: { value: ({ options }) => options.priority },
  preemption: { value: ({ options }) => options.preempt, follow: waitAgain },
  timers: { value: ({ options }) => options.timers, follow: keepTime },
  authentication: { value: ({ options }) => options.authentication, follow: authenticate },
  tracking: { value: ({ options }) => options.tracks },
} as const satisfies Record<string, SettingFacts>;

/** What of a group can be set otherwise while it runs. */
export type Setting = keyof typeof SETTINGS_TABLE;
const SETTINGS: Readonly<Record<Setting, SettingFacts>> = SETTINGS_TABLE;
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly Setting[];

/**
 * What becomes of a group. `goesOn`: with what `settings` names set otherwise, be it nothing; `rests`: it could not run
 * before, and cannot now.
 */
export interface GroupChange {
  readonly kind: "starts" | "stops" | "restarts" | "goesOn" | "rests";
  /** One of both is there. */
  readonly before?: GroupSpec;
  readonly after?: GroupSpec;
  readonly settings: readonly Setting[];
}

/** What becomes of every group, those of `after` first and in their order. */
export function compareGroups(before: readonly GroupSpec[], after: readonly GroupSpec[]): GroupChange[] {
  const known = new Map(before.map((spec) => [placeOf(spec), spec]));
  const changes = after.map((spec) => changeOf(known.get(placeOf(spec)), spec));
  const places = new Set(after.map(placeOf));
  const gone = before.filter((spec) => !places.has(placeOf(spec)));
  return [...changes, ...gone.map((spec) => changeOf(spec, undefined))];
}

/** What going over from one configuration to another does to each group. */
export function planGroups(before: HsrpOptions, after: HsrpOptions): GroupChange[] {
  return compareGroups(specsOf(before), specsOf(after));
}

/** What an operator means by "the group". */
function placeOf({ on, options }: GroupSpec): string {
  return `${on.name} ${options.group} ${options.family}`;
}

function changeOf(before: GroupSpec | undefined, after: GroupSpec | undefined): GroupChange {
  const sides = { ...(before && { before }), ...(after && { after }) };
  const settings =
    before === undefined || after === undefined
      ? []
      : SETTING_NAMES.filter((name) => !isSame(SETTINGS[name].value(before), SETTINGS[name].value(after)));
  const [ran, runs] = [canRun(before), canRun(after)];
  if (ran && runs) return { kind: isSameRouter(before!, after!) ? "goesOn" : "restarts", ...sides, settings };
  return { kind: runs ? "starts" : ran ? "stops" : "rests", ...sides, settings };
}

const canRun = (spec: GroupSpec | undefined): boolean => spec !== undefined && spec.problem === undefined;

/** Others still know the router by what it says in this group. */
function isSameRouter(before: GroupSpec, after: GroupSpec): boolean {
  return before.on.version === after.on.version && before.address === after.address;
}

function isSame(one: unknown, other: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}n` : each));
  return text(one) === text(other);
}

/** The priorities in force, by group. */
export function prioritiesOf(context: Context, groups: readonly Group[]): ReadonlyMap<string, number> {
  return new Map(groups.map((group) => [placeOf(group.spec), priorityOf(context, group)]));
}

/**
 * Under the configuration of before: the groups that do not go on resign. Gives the priorities of the others, which
 * are told to `retell`.
 */
export function leave(
  context: Context,
  groups: readonly Group[],
  changes: readonly GroupChange[],
): ReadonlyMap<string, number> {
  for (const { kind, before } of changes) {
    if (kind !== "stops" && kind !== "restarts") continue;
    const group = groups[before!.index]!;
    if (group.state.state !== "initial") apply(context, group, "b");
  }
  return prioritiesOf(context, groups);
}

/** Lays the state out for other groups and interfaces. */
export function rearrange(
  state: HsrpState,
  options: HsrpOptions,
  changes: readonly GroupChange[],
  nowMs: number,
): void {
  const { books, groups, links } = state;
  const present = changes.filter(({ after }) => after !== undefined);
  const isKept = ({ kind, before }: GroupChange) =>
    before !== undefined && (kind === "goesOn" || kind === "rests");
  state.groups = present.map((change) => {
    const { authentication } = change.after!.options;
    if (isKept(change)) return groups[change.before!.index]!;
    return inInit(authentication, nowMs + change.after!.on.delayMinimumMs);
  });
  const named = options.interfaces.map(({ name }) => name);
  const tracked = present.flatMap(({ after }) => after!.options.tracks.map(({ object }) => object));
  // What is known of other objects is not kept: it is given again when somebody tracks them.
  state.links = Object.fromEntries(
    [...new Set([...named, ...tracked.filter((object) => links[object] !== undefined)])].map((name) => {
      // A link that comes up for the first time after a boot has another delay than one that was added since.
      const link = links[name] ?? { ...linkDown(), wasUp: true };
      if (link.isUp && link.startAtMs === NEVER_MS && named.includes(name)) link.startAtMs = nowMs;
      return [name, link];
    }),
  );
  books.interfaces = Object.fromEntries(named.map((name) => [name, books.interfaces[name] ?? noPackets()]));
  books.groups = present.map(({ before }) =>
    before === undefined ? { stateChanges: 0, changedAtMs: nowMs } : books.groups[before.index]!,
  );
}

/** Does in a group what follows from the settings that differ. */
export function goOn(context: Context, group: Group, changes: readonly GroupChange[]): void {
  const { kind, before, settings } = changes[group.spec.index]!;
  if (before === undefined) return;
  if (kind === "goesOn") {
    // The name, the addresses and the MAC address are one claim: it is changed once.
    const follows = new Set(settings.map((name) => SETTINGS[name].follow));
    for (const follow of follows) follow?.(context, group, before);
  } else if (kind === "rests" && settings.includes("authentication")) {
    group.state.authentication = group.spec.options.authentication;
  }
}

/** Another priority is told at once: a lower one so that the Standby router can take over. */
export function retell(
  context: Context,
  groups: readonly Group[],
  before: ReadonlyMap<string, number>,
): void {
  for (const group of groups)
    if (priorityOf(context, group) !== before.get(placeOf(group.spec))) helloNow(context, group);
}

function helloNow({ nowMs }: Context, { state }: Group): void {
  if (state.helloAtMs !== NEVER_MS) state.helloAtMs = nowMs;
}

/**
 * The Active router answers for other addresses, with another MAC address or under another key, and says so at once. An
 * address that is to be learned from now on is known already.
 */
function reclaim(context: Context, group: Group, before: GroupSpec): void {
  const { spec, state } = group;
  const former: Group = { spec: before, state: { ...state } };
  const address = virtualAddressOf(former);
  state.learnedAddress = spec.options.virtualAddress === "learn" ? address : undefined;
  if (virtualAddressOf(group) !== address) helloNow(context, group);
  // Whoever waits for an Active router to tell the address waits no longer.
  if (state.state === "learn" && virtualAddressOf(group) !== undefined) apply(context, group, "b");
  if (state.state !== "active") return;
  // The peer may know the group by its former name for a while.
  const keys = [...state.formerKeys, before.key].filter((key) => key !== spec.key);
  state.formerKeys = keys.slice(-FORMER_KEYS_MAX);
  own(context, former, "disown");
  own(context, group, "own");
  const claimed = (of: Group) => ({ ...claimOf(of), key: undefined });
  if (!isSame(claimed(former), claimed(group))) announceAgain(context, group);
}

/** The delay of preemption begins anew. */
function waitAgain(_context: Context, { state }: Group): void {
  state.preemptReadyAtMs = NEVER_MS;
  state.preemptSyncAtMs = NEVER_MS;
}

/** Who was told another hold time is told the new one before the old one is over. */
function keepTime(context: Context, group: Group): void {
  group.state.learnedTimers = undefined;
  helloNow(context, group);
}

function authenticate(context: Context, group: Group): void {
  const { authentication, oldKeyTimeoutMs = 0 } = group.spec.options;
  changeAuthentication(context, group, authentication, oldKeyTimeoutMs);
  helloNow(context, group);
}

/** Other keys or another text from now on; the old keys are accepted for so long, unless they end sooner. */
export function changeAuthentication(
  { nowMs }: Context,
  { state }: Group,
  authentication: Authentication,
  oldKeyTimeoutMs: number,
): void {
  const old = state.authentication.kind === "md5" ? state.authentication.keys : [];
  const untilAtMs = nowMs + oldKeyTimeoutMs;
  const kept = old
    .map((each) => ({ ...each, acceptedUntilAtMs: Math.min(each.acceptedUntilAtMs, untilAtMs) }))
    .filter(({ acceptedUntilAtMs }) => acceptedUntilAtMs > nowMs);
  state.verified = undefined;
  state.authentication =
    authentication.kind === "md5"
      ? { ...authentication, keys: [...authentication.keys, ...kept] }
      : authentication;
}
