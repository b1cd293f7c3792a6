/** What became of the sessions when the active box failed at each packet in turn. */
import { printable } from "../printable.js";
import { type Cell, counted, grouped, NO_PAINT, type Paint, table } from "./text.js";

/** A session that would be lost. */
export interface LossAt {
  /** The failure comes before this packet; from 1. */
  readonly packet: number;
  readonly session: string;
  /** Both ends had agreed to it. */
  readonly isEstablished: boolean;
  readonly reason: string;
}

export interface FailEverywhereReport {
  /** As the command line names the failure. */
  readonly what: string;
  /** How often it was tried: once before each packet. */
  readonly failures: number;
  /** Ascending. */
  readonly takeoversMs: readonly number[];
  /** Failures after which no box took over. */
  readonly withoutTakeover: number;
  /** Summed over all failures. */
  readonly sessionsAtStake: number;
  readonly sessionsSurvived: number;
  readonly losses: readonly LossAt[];
  /** Losses beyond those that are listed. */
  readonly lossesUntold: number;
}

/** Whether an established session would be lost anywhere. */
export function losesEstablished({ losses, lossesUntold, withoutTakeover }: FailEverywhereReport): boolean {
  return lossesUntold > 0 || withoutTakeover > 0 || losses.some(({ isEstablished }) => isEstablished);
}

/** The object of `--json`. */
export function failEverywhereObject(report: FailEverywhereReport): Record<string, unknown> {
  const { what, failures, takeoversMs, withoutTakeover, sessionsAtStake, sessionsSurvived } = report;
  const { losses, lossesUntold } = report;
  return {
    what,
    failures,
    takeoverMilliseconds: rangeOf(takeoversMs),
    withoutTakeover,
    sessionsAtStake,
    sessionsSurvived,
    packetsLosingEstablished: packetsOf(losses.filter(({ isEstablished }) => isEstablished)),
    packetsLosingHalfOpen: packetsOf(losses.filter(({ isEstablished }) => !isEstablished)),
    losses: losses.map(({ packet, session, isEstablished, reason }) => ({
      packet,
      session,
      established: isEstablished,
      reason,
    })),
    lossesUntold,
  };
}

/** Lines of the table of lost sessions. */
const LISTED_MAX = 20;

/** The same as text, within 100 columns. */
export function failEverywhereText(report: FailEverywhereReport, paint: Paint = NO_PAINT): string {
  const { what, failures, takeoversMs, withoutTakeover, sessionsAtStake, sessionsSurvived, losses } = report;
  const { min, median, max } = rangeOf(takeoversMs);
  const title = `${printable(what)} before each of ${counted(failures, "packet")}`;
  const lines = [
    `  ${paint.bold(title)}`,
    `  the other box took over ${grouped(takeoversMs.length)} times, after ${min.toFixed(1)} ms to ${max.toFixed(1)} ms, median ${median.toFixed(1)} ms`,
    ...(withoutTakeover === 0
      ? []
      : [`  ${paint.red(`no box took over ${counted(withoutTakeover, "time")}`)}`]),
    `  ${counted(sessionsAtStake, "session")} at stake, summed over all failures: ` +
      `${paint.green(`${grouped(sessionsSurvived)} survived`)}, ${grouped(sessionsAtStake - sessionsSurvived)} lost`,
    "",
    ...lossLines(
      "established sessions",
      losses.filter(({ isEstablished }) => isEstablished),
      paint,
    ),
    ...lossLines(
      "half-open sessions",
      losses.filter(({ isEstablished }) => !isEstablished),
      paint,
    ),
  ];
  if (report.lossesUntold > 0)
    lines.push(`  and ${counted(report.lossesUntold, "loss", "losses")} that are not listed`);
  return `${lines.join("\n")}\n`;
}

function lossLines(what: string, losses: readonly LossAt[], paint: Paint): string[] {
  if (losses.length === 0) return [`  ${paint.green("✔")} ${what}: none would be lost at any packet`];
  const lines = [`  ${paint.red("✘")} ${what}: lost at ${counted(packetsOf(losses).length, "packet")}`];
  for (const [reason, group] of groupsOf(losses, (loss) => loss.reason)) {
    const sessions = [...groupsOf(group, (loss) => loss.session)];
    const rows = sessions
      .slice(0, LISTED_MAX)
      .map(([session, each]): Cell[] => [printable(session), rangesText(packetsOf(each))]);
    const more = sessions.length - rows.length;
    lines.push(
      `    ${paint.dim(printable(reason))}`,
      ...table([{ align: "left" }, { align: "left" }], rows, { indent: 6, paint }),
      ...(more > 0 ? [`      ${paint.dim(`and ${counted(more, "other")}; --json has them`)}`] : []),
    );
  }
  return lines;
}

function groupsOf(losses: readonly LossAt[], keyOf: (loss: LossAt) => string): Map<string, LossAt[]> {
  const groups = new Map<string, LossAt[]>();
  for (const loss of losses) {
    const group = groups.get(keyOf(loss));
    if (group === undefined) groups.set(keyOf(loss), [loss]);
    else group.push(loss);
  }
  return groups;
}

/** Ranges that are written out. */
const RANGES_MAX = 3;

/** Ascending numbers as `#3-5 #9`. */
export function rangesText(packets: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const packet of packets) {
    const range = ranges.at(-1);
    if (range?.last === packet - 1) range.last = packet;
    else ranges.push({ first: packet, last: packet });
  }
  const shown = ranges
    .slice(0, RANGES_MAX)
    .map(({ first, last }) => (first === last ? `#${first}` : `#${first}-${last}`));
  return [...shown, ...(ranges.length > RANGES_MAX ? ["..."] : [])].join(" ");
}

const packetsOf = (losses: readonly LossAt[]): number[] => [...new Set(losses.map(({ packet }) => packet))];

/** Of ascending numbers. */
function rangeOf(sorted: readonly number[]): { min: number; median: number; max: number } {
  return {
    min: sorted[0] ?? 0,
    median: sorted[Math.floor(sorted.length / 2)] ?? 0,
    max: sorted.at(-1) ?? 0,
  };
}
