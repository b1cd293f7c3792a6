/** The report of a replay, gathered from the replay and the firewall. */
import type { Counters } from "../counters.js";
import type { Dataplane, RuleInfo } from "../dataplane.js";
import type {
  ListReport,
  ReasonTally,
  Report,
  SessionProtocol,
  SessionReport,
  Tally,
} from "../report/report.js";
import type { Session } from "../session-view.js";

/** What only the caller knows. */
export interface ReplayFacts {
  /** Names of the capture and the configuration, for the reader. */
  readonly capture: string;
  readonly config: string;
  /** What the replay took, if it is to be told. */
  readonly seconds: number | undefined;
  /** Sessions that the table holds. */
  readonly sessionsMax: number;
  /** Why the capture could not be read to its end. */
  readonly error: string | undefined;
}

/** What a replay knows of its packets. */
export interface Replayed {
  /** Virtual ms since the first packet. */
  readonly nowMs: number;
  reasons(): ReasonTally[];
  notSent(): Tally;
}

/** What a firewall has counted by itself. */
export interface Counted {
  readonly counters: Counters;
  readonly rules: readonly RuleInfo[];
}

export function countedOf(dataplane: Dataplane): Counted {
  return { counters: dataplane.counters(), rules: dataplane.rules() };
}

/** To be called when the replay is finished. */
export function gatherReport(replay: Replayed, dataplane: Dataplane, facts: ReplayFacts): Report {
  const open = [...dataplane.sessions()];
  return reportOf(replay, countedOf(dataplane), dataplane.config.hostname, open, facts);
}

/** The same of counts that may be of several firewalls; `open`: the sessions that are left. */
export function reportOf(
  replay: Replayed,
  { counters, rules }: Counted,
  hostname: string | undefined,
  open: Iterable<Session>,
  { capture, config, seconds, sessionsMax, error }: ReplayFacts,
): Report {
  return {
    capture,
    config,
    hostname,
    reasons: replay.reasons(),
    notSent: replay.notSent(),
    sessions: sessionReport(counters.sessions, openSessions(open), sessionsMax),
    acls: listReports(rules),
    captureSeconds: replay.nowMs / 1000,
    seconds,
    eventsLost: counters.eventsLost,
    error,
  };
}

function sessionReport(
  counted: Counters["sessions"],
  open: SessionReport["open"],
  capacity: number,
): SessionReport {
  const { tcp, udp, icmp, other, closed, expired, evicted, maximum } = counted;
  return { created: { tcp, udp, icmp, other }, closed, expired, evicted, most: maximum, capacity, open };
}

const PROTOCOLS: ReadonlyMap<number, SessionProtocol> = new Map([
  [1, "icmp"],
  [6, "tcp"],
  [17, "udp"],
  [58, "icmp"],
]);

/** How many sessions there are of each protocol and state, in the order in which they were met. */
function openSessions(sessions: Iterable<Session>): SessionReport["open"] {
  const groups = new Map<string, { protocol: SessionProtocol; state: string; count: number }>();
  for (const { protocol: number, state } of sessions) {
    const protocol = PROTOCOLS.get(number) ?? "other";
    const key = `${protocol} ${state}`;
    const group = groups.get(key) ?? { protocol, state, count: 0 };
    group.count++;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

/** The entries of each list, in the order of their numbers. */
function listReports(rules: readonly RuleInfo[]): ListReport[] {
  const lists = new Map<string, { name: string; family: 4 | 6; rules: ListReport["rules"][number][] }>();
  for (const { list: name, family, sequence, text, hits } of rules) {
    const key = `${family} ${name}`;
    const list = lists.get(key) ?? { name, family, rules: [] };
    list.rules.push({ sequence, text, hits });
    lists.set(key, list);
  }
  return [...lists.values()];
}
