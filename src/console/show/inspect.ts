/** `show ip inspect statistics | config | interfaces | name | ha statistics`. */
import { DEFAULTS, type Config, type InspectRule } from "../../config/model.js";
import { formatInspectProtocol } from "../../config/commands/inspect.js";
import type { Counters, Tally } from "../../counters.js";
import { REASONS } from "../../reasons.js";
import type { RedundancyView } from "../../redundancy/index.js";
import type { ConsoleBackend, SyncStatus } from "../backend.js";
import { ago, plural, row, text } from "./layout.js";

export interface StatisticsView {
  readonly counters: Counters;
  readonly inspectedInterfaces: number;
  readonly sessionsMax: number;
  /** Since the counters were cleared; undefined: never. */
  readonly clearedAgoMs: number | undefined;
}

export async function statisticsView(backend: ConsoleBackend): Promise<StatisticsView> {
  const [counters, config] = await Promise.all([backend.counters(), backend.config()]);
  const inspected = [...config.interfaces.values()].filter(({ inspect }) => inspect.length > 0);
  return {
    counters,
    inspectedInterfaces: inspected.length,
    sessionsMax: backend.facts.sessionsMax,
    clearedAgoMs: backend.clearedAgoMs("inspect-statistics"),
  };
}

const tallyText = ({ packets, bytes }: Tally): string =>
  `${plural(packets, "packet")}, ${plural(bytes, "byte")}`;

const REASON_COLUMNS = [24, 12] as const;

export function statisticsText(view: StatisticsView): string {
  const { counters, inspectedInterfaces, sessionsMax, clearedAgoMs } = view;
  const { received, verdicts, reasons, sessions } = counters;
  const { current, halfOpen } = sessions;
  return text([
    "Packet inspection statistics",
    `  received: ${tallyText(received)}`,
    `  passed: ${tallyText(verdicts.pass)}`,
    `  dropped: ${tallyText(verdicts.drop)}`,
    `  for this box: ${tallyText(verdicts.local)}`,
    `  fragments held: ${tallyText(verdicts.held)}`,
    `Interfaces configured for inspection ${inspectedInterfaces}`,
    `Session creations since subsystem startup or last reset ${sessions.created}`,
    `  by protocol (tcp/udp/icmp/other) [${sessions.tcp}:${sessions.udp}:${sessions.icmp}:${sessions.other}]`,
    `Current session counts (estab/half-open) [${current - halfOpen}:${halfOpen}] of ${sessionsMax}`,
    `Maxever session count ${sessions.maximum}`,
    `Last statistic reset ${ago(clearedAgoMs)}`,
    "Session ends " +
      `(expired/closed/evicted/cleared/reopened) [${sessions.expired}:${sessions.closed}:${sessions.evicted}:` +
      `${sessions.cleared}:${sessions.reopened}]`,
    `Datagrams reassembled ${counters.datagrams}, events lost ${counters.eventsLost}`,
    "Packets by reason",
    ...REASONS.filter(({ name }) => reasons[name] !== undefined).map(
      ({ name, verdict, meaning }) =>
        `  ${row(REASON_COLUMNS, [name, String(reasons[name]!.packets), `${verdict}: ${meaning}`])}`,
    ),
  ]);
}

const onOff = (isOn: boolean | undefined): string => (isOn ? "on" : "off");
const enabled = (isOn: boolean | undefined): string => (isOn ? "enabled" : "disabled");

export function inspectConfigText(config: Config): string {
  const { inspect } = config;
  const low = (inspect.oneMinuteLow ?? { value: DEFAULTS.oneMinuteLow }).value;
  const high = (inspect.oneMinuteHigh ?? { value: DEFAULTS.oneMinuteHigh }).value;
  const incompleteLow = (inspect.maxIncompleteLow ?? { value: DEFAULTS.maxIncompleteLow }).value;
  const incompleteHigh = (inspect.maxIncompleteHigh ?? { value: DEFAULTS.maxIncompleteHigh }).value;
  const host = inspect.tcpMaxIncompleteHost ?? { value: DEFAULTS.tcpMaxIncompleteHost, blockMinutes: 0 };
  const or = <K extends keyof typeof inspect & keyof typeof DEFAULTS>(key: K) =>
    inspect[key] ?? DEFAULTS[key];
  return text([
    `Session audit trail is ${enabled(inspect.auditTrail)}`,
    `Session alert is ${enabled(!inspect.alertOff)}`,
    `one-minute (sampling period) thresholds are [${low}:${high}] connections`,
    `max-incomplete sessions thresholds are [${incompleteLow}:${incompleteHigh}]`,
    `max-incomplete tcp connections per host is ${host.value}. Block-time ${host.blockMinutes ?? 0} minute.`,
    `tcp synwait-time is ${or("tcpSynwaitSeconds")} sec -- tcp finwait-time is ${or("tcpFinwaitSeconds")} sec`,
    `tcp idle-time is ${or("tcpIdleSeconds")} sec -- udp idle-time is ${or("udpIdleSeconds")} sec`,
    `tcp reassembly queue length ${or("reassemblyQueueLength")}; ` +
      `timeout ${or("reassemblyTimeoutSeconds")} sec; ` +
      `memory-limit ${or("reassemblyMemoryKilobytes")} kilo bytes`,
    `dns-timeout is ${or("dnsSeconds")} sec`,
    "Inspection Rule Configuration",
    ...rulesOf(config).flatMap((rule) => ruleLines(rule, config)),
  ]);
}

export function rulesOf(config: Config): InspectRule[] {
  return [...config.inspectRules.values(), ...config.inspectRules6.values()];
}

/** `show ip inspect name`: the rule with what is in force where its lines say nothing. */
export function ruleLines(rule: InspectRule, { inspect }: Config): string[] {
  return [
    ` Inspection name ${rule.name}${rule.family === 6 ? " (IPv6)" : ""}`,
    ...rule.protocols.map((protocol) => {
      const { alert, auditTrail, timeoutSeconds } = protocol;
      const rest = formatInspectProtocol({
        ...protocol,
        alert: undefined,
        auditTrail: undefined,
        timeoutSeconds: undefined,
      });
      const timeout = timeoutSeconds === undefined ? "" : ` timeout ${timeoutSeconds}`;
      const isAlert = alert ?? !inspect.alertOff;
      return `    ${rest} alert is ${onOff(isAlert)} audit-trail is ${onOff(auditTrail ?? inspect.auditTrail)}${timeout}`;
    }),
  ];
}

export interface InspectInterface {
  readonly interface: string;
  readonly inboundRules: readonly string[];
  readonly outboundRules: readonly string[];
  readonly inboundLists: readonly string[];
  readonly outboundLists: readonly string[];
  readonly redundancyGroups: readonly string[];
}

export function inspectInterfaces(config: Config): InspectInterface[] {
  return [...config.interfaces.values()]
    .filter(({ inspect, accessGroups }) => inspect.length > 0 || accessGroups.length > 0)
    .map(({ name, inspect, accessGroups }) => {
      const rules = (wanted: string) =>
        inspect.filter(({ direction }) => direction === wanted).map(({ rule }) => rule);
      const lists = (wanted: string) =>
        accessGroups.filter(({ direction }) => direction === wanted).map(({ list }) => list);
      return {
        interface: name,
        inboundRules: rules("in"),
        outboundRules: rules("out"),
        inboundLists: lists("in"),
        outboundLists: lists("out"),
        redundancyGroups: [...new Set(inspect.flatMap(({ stateful }) => stateful ?? []))],
      };
    });
}

export function inspectInterfacesText(views: readonly InspectInterface[]): string {
  const named = (names: readonly string[]) => names.join(", ") || "not set";
  return text([
    "Interface Configuration",
    ...views.flatMap((view) => [
      ` Interface ${view.interface}`,
      `  Inbound inspection rule is ${named(view.inboundRules)}`,
      `  Outgoing inspection rule is ${named(view.outboundRules)}`,
      `  Inbound access list is ${named(view.inboundLists)}`,
      `  Outgoing access list is ${named(view.outboundLists)}`,
      ...view.redundancyGroups.map((group) => `  Sessions are copied by redundancy group ${group}`),
    ]),
  ]);
}

const HA = [20, 12, 12, 12] as const;

export function haStatisticsText(
  { view, counters, deferred }: SyncStatus,
  { outOfSyncReason }: RedundancyView,
): string {
  const kinds = ["add", "update", "delete"] as const;
  const refused = Object.entries(counters.refused).filter(([, count]) => count > 0);
  const { lag } = view;
  return text([
    `Session sync: ${outOfSyncReason === undefined ? "in sync" : `not in sync (${outOfSyncReason})`}`,
    row(HA, ["  Records", "sent", "taken"]),
    ...kinds.map((kind) => row(HA, [`  ${kind}`, String(counters.sent[kind]), String(counters.taken[kind])])),
    `  Records sent ${view.sentRecords}, acknowledged ${view.acknowledgedRecords}, waiting ${view.queued}`,
    `  Bytes sent ${view.bytesSent}, not acknowledged ${view.unacknowledgedBytes}`,
    `  Lag p50 ${lag.p50.toFixed(2)} ms, p99 ${lag.p99.toFixed(2)} ms, max ${lag.max.toFixed(2)} ms (${plural(lag.samples, "sample")})`,
    `  Bulk syncs ${view.bulks}, repairs ${view.repairs}`,
    `  Sessions deleted by the peer ${counters.gone}, not confirmed by a bulk sync ${counters.flushed}`,
    `  After a take-over: resynchronised ${counters.resynced}, resets ignored ${counters.resyncResets}`,
    ...deferredLines(counters.deferred, deferred),
    `  Lost for want of room: deletions ${counters.deletesLost}, requests ${counters.requestsLost}`,
    ...(refused.length === 0
      ? ["  Records refused 0"]
      : refused.map(([reason, count]) => `  Records refused (${reason}) ${count}`)),
  ]);
}

/** What became of first replies: the core holds them, and they leave when the peer knows their session, or has had its time. */
function deferredLines(decided: number, counted: SyncStatus["deferred"]): string[] {
  const { waited, acknowledged, gaveUp, discarded, refused } = counted;
  const waiting = waited - acknowledged - gaveUp - discarded;
  return [
    `  First replies deferred ${decided}: waited ${waited}, left at once for want of room ${refused}`,
    `    acknowledged ${acknowledged}, gave up waiting ${gaveUp}, discarded with the role ${discarded}, waiting now ${waiting}`,
  ];
}
