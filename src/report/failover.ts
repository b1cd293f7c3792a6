/** What a replay through a pair adds to the report: each failure, what it cost, and who was what when. */
import { printable } from "../printable.js";
import { type Cell, counted, grouped, NO_PAINT, type Paint, table, WIDTH } from "./text.js";

/** What a box is, as the picture shows it. */
export const PHASES = {
  active: { mark: "█", meaning: "active", color: "green" },
  hot: { mark: "▒", meaning: "standby, has all sessions", color: "cyan" },
  cold: { mark: "░", meaning: "standby, takes the sessions", color: "yellow" },
  waiting: { mark: "·", meaning: "neither", color: "dim" },
  frozen: { mark: "≈", meaning: "frozen", color: "red" },
  dead: { mark: " ", meaning: "dead", color: "red" },
} as const satisfies Record<string, { mark: string; meaning: string; color: keyof Paint }>;
export type PhaseName = keyof typeof PHASES;

/** From this moment on a box is in a phase. Seconds of the capture. */
export interface PhaseChange {
  readonly seconds: number;
  readonly phase: PhaseName;
}

export interface TimelineEntry {
  readonly seconds: number;
  /** Empty: no box. */
  readonly box: string;
  readonly text: string;
  /** Something was broken or mended on purpose. */
  readonly isPlanned: boolean;
}

export interface LostSession {
  readonly session: string;
  readonly reason: string;
}

/** One failure of the active box, and what became of it. */
export interface FailureReport {
  /** As the command line names it. */
  readonly what: string;
  /** Seconds into the capture. */
  readonly at: number;
  /** The last packet before it. */
  readonly packet: number;
  readonly active: string;
  /** From the failure to the other box being active; undefined: it never was. */
  readonly takeoverMilliseconds: number | undefined;
  /** Packets that reached no firewall until then. */
  readonly packetsLost: number;
  readonly sessionsAtFailure: number;
  readonly sessionsSurvived: number;
  readonly sessionsLost: readonly LostSession[];
}

export interface Distribution {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface FailoverReport {
  /** How many times as fast as the world's the clock of the boxes went; undefined: time was virtual. */
  readonly clockRate: number | undefined;
  readonly failures: readonly FailureReport[];
  readonly timeline: readonly TimelineEntry[];
  /** By box. */
  readonly lanes: Readonly<Record<string, readonly PhaseChange[]>>;
  /** The span of the picture, in seconds. */
  readonly seconds: number;
  /** Packets that reached no firewall, by why. */
  readonly lost: Readonly<Record<string, number>>;
  readonly sync: {
    readonly records: number;
    readonly bytes: number;
    readonly sessions: number;
    /** Milliseconds from sending a record to its acknowledgement. */
    readonly lagMilliseconds: Distribution;
  };
  /** First replies that waited for the standby, in milliseconds. */
  readonly deferredMilliseconds: Distribution;
}

/** Lost sessions that are listed; of more, only the number is told. */
const LISTED_MAX = 10;
const LABEL_WIDTH = 4;

/** The object behind `failover` of `--json`; its first fields are those of the first failure. */
export function failoverObject(report: FailoverReport): Record<string, unknown> {
  const [first] = report.failures;
  const { records, bytes, sessions, lagMilliseconds } = report.sync;
  const each = (total: number): number => (sessions === 0 ? 0 : total / sessions);
  return {
    ...first,
    time: report.clockRate === undefined ? "virtual" : "real",
    ...(report.clockRate === undefined ? {} : { clockRate: report.clockRate }),
    lagMilliseconds,
    sync: {
      records,
      bytes,
      sessions,
      recordsPerSession: each(records),
      bytesPerSession: each(bytes),
    },
    deferredMilliseconds: report.deferredMilliseconds,
    lost: report.lost,
    timeline: report.timeline,
    lanes: report.lanes,
    failures: report.failures,
  };
}

/** The same as text, within 100 columns. */
export function failoverText(report: FailoverReport, paint: Paint = NO_PAINT): string {
  const sections = [
    picture(report, paint),
    events(report, paint),
    failures(report, paint),
    cost(report, paint),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");
}

/** Phase of a box at a moment. */
export function phaseAt(lane: readonly PhaseChange[], seconds: number): PhaseName {
  let phase: PhaseName = "waiting";
  for (const change of lane) if (change.seconds <= seconds) phase = change.phase;
  return phase;
}

function picture({ lanes, seconds, timeline }: FailoverReport, paint: Paint): string[] {
  const width = WIDTH - LABEL_WIDTH - 4;
  const timeOf = (column: number): number => (seconds * (column + 1)) / width;
  const columnOf = (at: number): number =>
    Math.min(width - 1, Math.floor((at / Math.max(seconds, 1e-9)) * width));
  const used = new Set<PhaseName>();
  const rows = Object.entries(lanes).map(([box, lane]) => {
    let row = "";
    for (let column = 0; column < width; column++) {
      const phase = phaseAt(lane, timeOf(column));
      used.add(phase);
      row += paint[PHASES[phase].color](PHASES[phase].mark);
    }
    return `  ${box.padEnd(LABEL_WIDTH)}${row}`;
  });
  const ticks = [...new Set(timeline.filter(({ isPlanned }) => isPlanned).map(({ seconds: at }) => at))];
  const marks = Array.from({ length: width }, () => " ");
  for (const at of ticks) marks[columnOf(at)] = "▼";
  const end = `${seconds.toFixed(1)} s`;
  const axis = `0 s${" ".repeat(Math.max(1, width - 3 - end.length))}${end}`;
  const legend = (Object.keys(PHASES) as PhaseName[])
    .filter((phase) => used.has(phase) && PHASES[phase].mark !== " ")
    .map((phase) => `${PHASES[phase].mark} ${PHASES[phase].meaning}`)
    .join("   ");
  return [
    ...(ticks.length > 0 ? [`  ${" ".repeat(LABEL_WIDTH)}${paint.red(marks.join("").trimEnd())}`] : []),
    ...rows,
    `  ${" ".repeat(LABEL_WIDTH)}${paint.dim(axis)}`,
    `  ${" ".repeat(LABEL_WIDTH)}${paint.dim(legend)}`,
  ];
}

function events({ timeline }: FailoverReport, paint: Paint): string[] {
  const rows = timeline.map(({ seconds, box, text, isPlanned }): Cell[] => [
    `${seconds.toFixed(3)} s`,
    box,
    isPlanned ? { text: printable(text), paint: paint.red } : printable(text),
  ]);
  return table(
    [{ align: "right", title: "time" }, { align: "left", title: "box" }, { align: "left" }],
    rows,
    { paint },
  );
}

function failures({ failures: all }: FailoverReport, paint: Paint): string[] {
  return all.flatMap((failure) => {
    const { what, at, packet, active, takeoverMilliseconds, packetsLost } = failure;
    const { sessionsAtFailure, sessionsSurvived, sessionsLost } = failure;
    const when = `${printable(what)} at ${at.toFixed(3)} s, after packet ${grouped(packet)}: box ${active} was active`;
    const taken =
      takeoverMilliseconds === undefined
        ? paint.red("no box took over")
        : `the other box took over after ${takeoverMilliseconds.toFixed(1)} ms`;
    const lines = [
      `  ${paint.bold(when)}`,
      `  ${taken}; ${counted(packetsLost, "packet")} lost until then`,
      `  ${counted(sessionsAtFailure, "session")}: ${paint.green(`${grouped(sessionsSurvived)} survived`)}, ${grouped(sessionsLost.length)} lost`,
    ];
    const rows = sessionsLost
      .slice(0, LISTED_MAX)
      .map(({ session, reason }): Cell[] => [printable(session), printable(reason)]);
    lines.push(
      ...table([{ align: "left" }, { align: "left", paint: paint.dim }], rows, { indent: 4, paint }),
    );
    const more = sessionsLost.length - LISTED_MAX;
    if (more > 0) lines.push(`    ${paint.dim(`and ${counted(more, "other")}`)}`);
    return lines;
  });
}

/** In what time the boxes lived, where it was real. */
export function clockText({ clockRate }: FailoverReport): string | undefined {
  if (clockRate === undefined) return undefined;
  const pace = clockRate === 1 ? "as fast as it was recorded" : `${clockRate.toFixed(1)} times as fast`;
  return `real, each box in a thread of its own, ${pace}`;
}

function cost(report: FailoverReport, paint: Paint): string[] {
  const { sync, deferredMilliseconds } = report;
  const { records, bytes, sessions, lagMilliseconds: lag } = sync;
  const lines = [
    `  ${paint.dim("sync")}  ${counted(records, "record")}, ${grouped(bytes)} bytes for ${counted(sessions, "session")}` +
      (sessions === 0 ? "" : `: ${(bytes / sessions).toFixed(0)} bytes each`),
    `  ${paint.dim("lag ")}  p50 ${ms(lag.p50)}, p99 ${ms(lag.p99)}, at most ${ms(lag.max)}`,
  ];
  const { samples, p50, p99, max } = deferredMilliseconds;
  if (samples > 0) {
    lines.push(
      `  ${paint.dim("defer")} ${counted(samples, "first reply", "first replies")} waited: p50 ${ms(p50)}, p99 ${ms(p99)}, at most ${ms(max)}`,
    );
  }
  const clock = clockText(report);
  if (clock !== undefined) lines.push(`  ${paint.dim("time")}  ${clock}`);
  return lines;
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
