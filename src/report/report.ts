/**
 * What a replay says at its end: the numbers, and the same as one JSON object. The names of the JSON are part of the
 * interface; text.ts and summary.ts show the same report to people.
 */
import type { VerdictName } from "../reasons.js";

/** The verdicts that a packet can end with. */
export type FinalVerdict = Exclude<VerdictName, "held">;
export const FINAL_VERDICTS: readonly FinalVerdict[] = ["pass", "drop", "local"];

/** Packets, and the bytes that they had on the wire. */
export interface Tally {
  readonly packets: number;
  readonly bytes: number;
}

export interface ReasonTally extends Tally {
  readonly name: string;
  readonly verdict: FinalVerdict;
  readonly meaning: string;
}

/** Sessions by the protocol they were made for. */
export const SESSION_PROTOCOLS = ["tcp", "udp", "icmp", "other"] as const;
export type SessionProtocol = (typeof SESSION_PROTOCOLS)[number];

export interface SessionReport {
  /** Made during the replay. */
  readonly created: Readonly<Record<SessionProtocol, number>>;
  /** Of these: ended by FIN or RST, by a timeout, evicted to make room. */
  readonly closed: number;
  readonly expired: number;
  readonly evicted: number;
  /** Most at a time, and how many fit. */
  readonly most: number;
  readonly capacity: number;
  /** Still there at the end, by protocol and state. */
  readonly open: readonly {
    readonly protocol: SessionProtocol;
    readonly state: string;
    readonly count: number;
  }[];
}

export interface RuleReport {
  readonly sequence: number;
  /** As `show access-lists` prints it, without the number of matches. */
  readonly text: string;
  readonly hits: number;
}

export interface ListReport {
  readonly name: string;
  readonly family: 4 | 6;
  readonly rules: readonly RuleReport[];
}

export interface Report {
  readonly capture: string;
  readonly config: string;
  readonly hostname: string | undefined;
  /** Those that were met, in the order of decisions. */
  readonly reasons: readonly ReasonTally[];
  /** Packets that an ingress file says were not sent to the firewall. They count nowhere else. */
  readonly notSent: Tally;
  readonly sessions: SessionReport;
  readonly acls: readonly ListReport[];
  /** From the first packet of the capture to the last. */
  readonly captureSeconds: number;
  /** What the replay took; undefined where nothing that differs from run to run is wanted. */
  readonly seconds: number | undefined;
  /** Log events that the firewall had no room for. */
  readonly eventsLost: number;
  /** Why the capture could not be read to its end. */
  readonly error: string | undefined;
}

/** Packets and bytes of the whole capture, those not sent included. */
export function totalOf(report: Report): Tally {
  return sum([...report.reasons, report.notSent]);
}

/** Packets and bytes of one verdict. */
export function tallyOf(report: Report, verdict: FinalVerdict): Tally {
  return sum(report.reasons.filter((reason) => reason.verdict === verdict));
}

function sum(tallies: readonly Tally[]): Tally {
  return {
    packets: tallies.reduce((packets, tally) => packets + tally.packets, 0),
    bytes: tallies.reduce((bytes, tally) => bytes + tally.bytes, 0),
  };
}

/** Whole packets per second of replay; 0 when it took no measurable time. */
export function packetsPerSecond(report: Report): number {
  return report.seconds ? Math.round(totalOf(report).packets / report.seconds) : 0;
}

/**
 * The report as the object that `--json` prints. `packets` is the sum of `verdicts` and `notSent`; `seconds` is what
 * the replay took, `captureSeconds` what it covers.
 */
export function reportObject(report: Report): Record<string, unknown> {
  const { packets, bytes } = totalOf(report);
  const { created, open, ...sessions } = report.sessions;
  const byVerdict = (field: keyof Tally) =>
    Object.fromEntries(FINAL_VERDICTS.map((verdict) => [verdict, tallyOf(report, verdict)[field]]));
  return {
    capture: report.capture,
    config: report.config,
    packets,
    bytes,
    verdicts: byVerdict("packets"),
    verdictBytes: byVerdict("bytes"),
    notSent: report.notSent.packets,
    reasons: Object.fromEntries(report.reasons.map((reason) => [reason.name, reason.packets])),
    sessions: {
      created: SESSION_PROTOCOLS.reduce((all, protocol) => all + created[protocol], 0),
      ...created,
      ...sessions,
      open,
    },
    acls: report.acls,
    captureSeconds: report.captureSeconds,
    ...(report.seconds === undefined
      ? {}
      : { seconds: report.seconds, packetsPerSecond: packetsPerSecond(report) }),
    eventsLost: report.eventsLost,
    ...(report.error === undefined ? {} : { error: report.error }),
  };
}
