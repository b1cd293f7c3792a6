/**
 * Findings as text for people and as a value for programs.
 */
import pc from "picocolors";
import type { Finding, Severity } from "./finding.js";

/** How many findings there are of each severity. */
export interface Counts {
  errors: number;
  warnings: number;
  infos: number;
}

/** What `--json` prints. */
export interface Report extends Counts {
  findings: Finding[];
}

export function countFindings(findings: readonly Finding[]): Counts {
  const count = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
  return { errors: count("error"), warnings: count("warning"), infos: count("info") };
}

/** The findings in the order of the text, with their counts: ready for JSON. */
export function reportOf(findings: readonly Finding[]): Report {
  return { findings: sortFindings(findings), ...countFindings(findings) };
}

/** 1 with an error among the findings, else 0. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 {
  return findings.some((each) => each.severity === "error") ? 1 : 0;
}

/** By file, line, column, rule. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const text = (x: string, y: string) => (x < y ? -1 : x > y ? 1 : 0);
  return [...findings].sort(
    (x, y) => text(x.file, y.file) || x.line - y.line || x.column - y.column || text(x.id, y.id),
  );
}

/**
 * One paragraph a finding, then the counts. Each line ends in a line feed.
 *
 *     router-a.cfg:41:3: warning V07: GigabitEthernet0/0 group 1 tracks without preempt: ...
 *         mend: standby 1 preempt on GigabitEthernet0/0, on both boxes
 *         see: router-b.cfg:40
 *     1 warning
 */
export function formatFindings(findings: readonly Finding[], options: { color?: boolean } = {}): string {
  const colors = pc.createColors(options.color ?? false);
  const paint = { error: colors.red, warning: colors.yellow, info: colors.cyan };
  const paragraphs = sortFindings(findings).map((finding) => {
    const { id, severity, file, line, column, message, mend, otherAt } = finding;
    const lines = [
      `${colors.bold(`${file}:${line}:${column}`)}: ${paint[severity](`${severity} ${id}`)}: ${message}`,
      `    mend: ${mend}`,
    ];
    if (otherAt !== undefined) lines.push(`    see: ${otherAt.file}:${otherAt.line}`);
    return lines.map((each) => `${each}\n`).join("");
  });
  return `${paragraphs.join("")}${summary(countFindings(findings))}\n`;
}

function summary({ errors, warnings, infos }: Counts): string {
  const parts = [
    { count: errors, word: "error" },
    { count: warnings, word: "warning" },
    { count: infos, word: "info" },
  ]
    .filter(({ count }) => count > 0)
    .map(({ count, word }) => `${count} ${word}${count === 1 ? "" : "s"}`);
  return parts.length === 0 ? "no findings" : parts.join(", ");
}
