/**
 * What `clear` makes of counters: they themselves go on, since the metrics are made of them, and what is shown is what was
 * counted since. What shows how things stand now is shown as it is.
 */
import type { Counters, Tally } from "../counters.js";
import type { RuleInfo } from "../dataplane.js";
import type { HsrpGroupView } from "../hsrp/index.js";
import type { PortCounters } from "../live/packet-io.js";
import type { RedundancyView } from "../redundancy/index.js";
import type { Clearable, StandbyStatistics, SyncStatus } from "./backend.js";

/** What has been counted since. A counter that stands lower than before has started anew: a core that took over counts from 0. */
export const countedSince = (now: number, before: number | undefined): number =>
  before === undefined || now < before ? now : now - before;

/** The same of all counters of a record, and of records in it. */
function recordSince<T extends object>(now: T, before: T | undefined): T {
  const earlier = before as Record<string, unknown> | undefined;
  return Object.fromEntries(
    Object.entries(now).map(([name, value]: [string, unknown]) => {
      const was = earlier?.[name];
      if (typeof value === "number") return [name, countedSince(value, was as number | undefined)];
      const isRecord = typeof value === "object" && value !== null;
      return [name, isRecord ? recordSince(value, was as object | undefined) : value];
    }),
  ) as T;
}

function countersSince(now: Counters, before: Counters | undefined): Counters {
  if (before === undefined) return now;
  const since = recordSince(now, before);
  const verdicts = { ...since.verdicts, held: now.verdicts.held };
  const { current, halfOpen, maximum } = now.sessions;
  // Reasons of which nothing was counted are not shown.
  const counted = Object.entries(since.reasons).filter(([, { packets }]) => packets > 0);
  const reasons = { ...Object.fromEntries(counted), ...(now.reasons.held && { held: now.reasons.held }) };
  return {
    ...since,
    received: sumOf(Object.values(verdicts)),
    verdicts,
    reasons,
    sessions: { ...since.sessions, current, halfOpen, maximum },
  };
}

const sumOf = (tallies: readonly Tally[]): Tally => ({
  packets: tallies.reduce((sum, { packets }) => sum + packets, 0),
  bytes: tallies.reduce((sum, { bytes }) => sum + bytes, 0),
});

function syncSince(now: SyncStatus, before: SyncStatus | undefined): SyncStatus {
  if (before === undefined) return now;
  const { role, isPeerPresent, queued, unacknowledgedBytes, lag } = now.view;
  return {
    view: { ...recordSince(now.view, before.view), role, isPeerPresent, queued, unacknowledgedBytes, lag },
    counters: recordSince(now.counters, before.counters),
    deferred: recordSince(now.deferred, before.deferred),
  };
}

const ruleKey = ({ family, list, sequence, text }: RuleInfo): string =>
  `${family} ${list} ${sequence} ${text}`;

const groupKey = ({ key, family }: HsrpGroupView): string => `${family} ${key}`;

export class Cleared {
  readonly #atMs = new Map<Clearable, number>();
  readonly #ports = new Map<string, PortCounters>();
  readonly #hits = new Map<string, number>();
  readonly #changes = new Map<string, number>();
  readonly #standby = new Map<string, StandbyStatistics>();
  #counters: Counters | undefined;
  #sync: SyncStatus | undefined;
  #redundancy: RedundancyView["counters"] | undefined;

  /** When something was cleared last, on the clock of the uptime; undefined: never. */
  atMs(what: Clearable): number | undefined {
    return this.#atMs.get(what);
  }

  note(what: Clearable, uptimeMs: number): void {
    this.#atMs.set(what, uptimeMs);
  }

  clearCounters(now: Counters): void {
    this.#counters = now;
  }

  counters(now: Counters): Counters {
    return countersSince(now, this.#counters);
  }

  clearSync(now: SyncStatus): void {
    this.#sync = now;
  }

  sync(now: SyncStatus): SyncStatus {
    return syncSince(now, this.#sync);
  }

  /** Of one list, or all. */
  clearRules(now: readonly RuleInfo[], list: string | undefined): void {
    for (const rule of now)
      if (list === undefined || rule.list === list) this.#hits.set(ruleKey(rule), rule.hits);
  }

  rules(now: readonly RuleInfo[]): RuleInfo[] {
    return now.map((rule) => ({ ...rule, hits: countedSince(rule.hits, this.#hits.get(ruleKey(rule))) }));
  }

  clearPort(name: string, now: PortCounters): void {
    this.#ports.set(name, now);
  }

  port(name: string, now: PortCounters): PortCounters {
    return recordSince(now, this.#ports.get(name));
  }

  clearStandby(groups: readonly HsrpGroupView[], statistics: readonly StandbyStatistics[]): void {
    for (const group of groups) this.#changes.set(groupKey(group), group.stateChanges);
    for (const each of statistics) this.#standby.set(each.interface, each);
  }

  standby(now: readonly HsrpGroupView[]): HsrpGroupView[] {
    return now.map((group) => ({
      ...group,
      stateChanges: countedSince(group.stateChanges, this.#changes.get(groupKey(group))),
    }));
  }

  standbyStatistics(now: readonly StandbyStatistics[]): StandbyStatistics[] {
    return now.map((each) => recordSince(each, this.#standby.get(each.interface)));
  }

  clearRedundancyCounters(now: RedundancyView): void {
    this.#redundancy = now.counters;
  }

  /** `startMs`: of the box, on the clock that the view's `atMs` are of. */
  redundancy(now: RedundancyView, startMs: number): RedundancyView {
    const clearedMs = startMs + (this.atMs("redundancy-history") ?? Number.NEGATIVE_INFINITY);
    const isLater = ({ atMs }: { readonly atMs: number }): boolean => atMs > clearedMs;
    return {
      ...now,
      history: now.history.filter(isLater),
      switchoverHistory: now.switchoverHistory.filter(isLater),
      counters: recordSince(now.counters, this.#redundancy),
    };
  }
}
