/** The report of a replay as text: what went through, why, the sessions and the access lists. */
import {
  FINAL_VERDICTS,
  type FinalVerdict,
  type ListReport,
  packetsPerSecond,
  type Report,
  type RuleReport,
  SESSION_PROTOCOLS,
  type SessionReport,
  tallyOf,
  totalOf,
} from "./report.js";
import { printable } from "../printable.js";
import {
  bytesText,
  type Cell,
  counted,
  grouped,
  NO_PAINT,
  type Paint,
  shareText,
  spanText,
  table,
} from "./text.js";

/** Entries listed as most used. */
export const TOP_RULES = 10;
/** Entries listed as never used; of more, only the number is told. */
export const UNUSED_RULES = 10;

/** The mark and the colour of each verdict, in every text of this program. */
export const VERDICT_MARKS: Readonly<
  Record<FinalVerdict, { mark: string; color: "green" | "red" | "cyan" }>
> = {
  pass: { mark: "✔", color: "green" },
  drop: { mark: "✘", color: "red" },
  local: { mark: "●", color: "cyan" },
};

/** The whole report, within 100 columns, with a line end after the last line. */
export function reportText(report: Report, paint: Paint = NO_PAINT): string {
  const sections = [
    header(report, paint),
    verdicts(report, paint),
    reasons(report, paint),
    sessions(report.sessions, paint),
    ...rules(report.acls, paint),
    remarks(report, paint),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");
}

function header(report: Report, paint: Paint): string[] {
  const { packets, bytes } = totalOf(report);
  const by = report.hostname === undefined ? "" : ` (${printable(report.hostname)})`;
  const speed = packetsPerSecond(report);
  const covered = packets > 0 ? ` over ${spanText(report.captureSeconds)}` : "";
  const pace = speed > 0 ? `, ${counted(speed, "packet")}/s` : "";
  const took = report.seconds === undefined ? "" : `; replayed in ${spanText(report.seconds)}${pace}`;
  return [
    `${paint.bold(printable(report.capture))} through ${paint.bold(printable(report.config))}${by}`,
    `${counted(packets, "packet")}, ${bytesText(bytes)}${covered}${took}`,
  ];
}

function verdicts(report: Report, paint: Paint): string[] {
  const total = totalOf(report);
  const row = (name: Cell, packets: number, bytes: number): Cell[] => [
    name,
    grouped(packets),
    shareText(packets, total.packets),
    bytesText(bytes),
    shareText(bytes, total.bytes),
  ];
  const rows = FINAL_VERDICTS.map((verdict) => {
    const { packets, bytes } = tallyOf(report, verdict);
    return row(verdictCell(verdict, paint), packets, bytes);
  });
  if (report.notSent.packets > 0) rows.push(row("- not sent", report.notSent.packets, report.notSent.bytes));
  const columns = [
    { align: "left", title: "verdict" },
    { align: "right", title: "packets" },
    { align: "right" },
    { align: "right", title: "bytes" },
    { align: "right" },
  ] as const;
  return table(columns, rows, { paint });
}

function verdictCell(verdict: FinalVerdict, paint: Paint): Cell {
  const { mark, color } = VERDICT_MARKS[verdict];
  return { text: `${mark} ${verdict}`, paint: paint[color] };
}

function reasons(report: Report, paint: Paint): string[] {
  if (report.reasons.length === 0) return [];
  const order = (verdict: FinalVerdict) => FINAL_VERDICTS.indexOf(verdict);
  const rows = [...report.reasons]
    .sort((a, b) => order(a.verdict) - order(b.verdict) || b.packets - a.packets)
    .map((reason): Cell[] => [
      verdictCell(reason.verdict, paint),
      reason.name,
      grouped(reason.packets),
      bytesText(reason.bytes),
      reason.meaning,
    ]);
  const columns = [
    { align: "left", title: "reasons" },
    { align: "left" },
    { align: "right", title: "packets" },
    { align: "right", title: "bytes" },
    { align: "left", paint: paint.dim },
  ] as const;
  return table(columns, rows, { paint });
}

function sessions(report: SessionReport, paint: Paint): string[] {
  const created = SESSION_PROTOCOLS.reduce((all, protocol) => all + report.created[protocol], 0);
  if (created === 0) return ["  no session was created"];
  const rows = SESSION_PROTOCOLS.filter((protocol) => report.created[protocol] > 0).map(
    (protocol): Cell[] => {
      const open = report.open.filter((group) => group.protocol === protocol && group.count > 0);
      const states = open.map((group) => `${grouped(group.count)} ${group.state}`).join(", ");
      return [protocol, grouped(report.created[protocol]), states === "" ? "none" : states];
    },
  );
  const columns = [
    { align: "left", title: "sessions" },
    { align: "right", title: "created" },
    { align: "left", title: "at the end" },
  ] as const;
  const ends = [
    `${grouped(report.closed)} closed`,
    `${grouped(report.expired)} timed out`,
    ...(report.evicted > 0 ? [`${grouped(report.evicted)} evicted`] : []),
    `at most ${grouped(report.most)} of ${grouped(report.capacity)} at a time`,
  ];
  return [...table(columns, rows, { paint }), `  ${paint.dim(ends.join(", "))}`];
}

interface ListedRule extends RuleReport {
  readonly list: ListReport;
}

function rules(lists: readonly ListReport[], paint: Paint): string[][] {
  const all = lists.flatMap((list) => list.rules.map((rule): ListedRule => ({ list, ...rule })));
  const used = all.filter((rule) => rule.hits > 0).sort((a, b) => b.hits - a.hits);
  const unused = all.filter((rule) => rule.hits === 0);
  const name = (rule: ListedRule) => printable(`${rule.list.name} ${rule.sequence}`);
  const sections: string[][] = [];
  if (used.length > 0) {
    const rows = used
      .slice(0, TOP_RULES)
      .map((rule): Cell[] => [name(rule), printable(rule.text), grouped(rule.hits)]);
    const columns = [
      { align: "left", title: used.length > TOP_RULES ? `top ${TOP_RULES} rules` : "rules" },
      { align: "left" },
      { align: "right", title: "hits" },
    ] as const;
    sections.push(table(columns, rows, { paint }));
  }
  if (unused.length > 0) {
    const rows = unused.slice(0, UNUSED_RULES).map((rule): Cell[] => [name(rule), printable(rule.text)]);
    const lines = table([{ align: "left", title: "never hit" }, { align: "left" }], rows, { paint });
    const more = unused.length - UNUSED_RULES;
    if (more > 0) lines.push(`  ${paint.dim(`and ${counted(more, "other")}`)}`);
    sections.push(lines);
  }
  return sections;
}

function remarks(report: Report, paint: Paint): string[] {
  const lines: string[] = [];
  if (report.eventsLost > 0) {
    const lost = counted(report.eventsLost, "log event");
    const verb = report.eventsLost === 1 ? "was" : "were";
    lines.push(`  ${paint.yellow(`${lost} ${verb} lost: more than the firewall keeps between two looks`)}`);
  }
  return lines;
}
