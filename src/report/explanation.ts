/** What `explain` says: the phases of the decision, one a line, then the verdict and its reason. */
import type { Explanation, Phase } from "../explain.js";
import { VERDICT_MARKS } from "./summary.js";
import { printable } from "../printable.js";
import { NO_PAINT, type Paint, WIDTH, wrapped } from "./text.js";

/** A phase that found nothing, so that the next one decides. */
const NEUTRAL_RESULTS: ReadonlySet<string> = new Set(["none", "not listed", "no"]);
const NEUTRAL_MARK = "·";
/** A fragment whose verdict comes later. */
const HELD_MARK = "…";
const INDENT = "  ";
const GAP = "  ";

/** The explanation within 100 columns, with a line end after the last line. `packet`: as the user named it. */
export function explanationText(packet: string, explanation: Explanation, paint: Paint = NO_PAINT): string {
  const { phases, verdict, reason, meaning } = explanation;
  const { mark, color } =
    verdict === "held" ? { mark: HELD_MARK, color: "yellow" as const } : VERDICT_MARKS[verdict];
  const nameWidth = Math.max(0, ...phases.map(({ phase }) => phase.length));
  const lines = phases.flatMap((phase, i) => {
    const isLast = i === phases.length - 1;
    const own = isLast ? paint[color](mark) : markOf(phase, paint);
    return phaseLines(phase, own, nameWidth, paint);
  });
  const found = [
    ["in", explanation.ingress],
    ["out", explanation.egress],
    ["rule", explanation.rule],
    ["session", explanation.session],
  ].flatMap(([what, value]) => (value === null ? [] : [`${what} ${printable(value!)}`]));
  return `${[
    paint.bold(printable(packet)),
    "",
    ...lines,
    "",
    `${paint[color](`${mark} ${verdict}`)}  ${paint.bold(reason)}: ${meaning}`,
    ...(found.length === 0 ? [] : [`${INDENT}${found.join("; ")}`]),
  ].join("\n")}\n`;
}

function markOf({ result }: Phase, paint: Paint): string {
  if (NEUTRAL_RESULTS.has(result)) return paint.dim(NEUTRAL_MARK);
  const { mark, color } = VERDICT_MARKS.pass;
  return paint[color](mark);
}

function phaseLines({ phase, detail }: Phase, mark: string, nameWidth: number, paint: Paint): string[] {
  const hanging = INDENT.length + 2 + nameWidth + GAP.length;
  const [first, ...more] = wrapped(printable(detail), WIDTH - hanging);
  return [
    `${INDENT}${mark} ${paint.dim(phase.padEnd(nameWidth))}${GAP}${first}`,
    ...more.map((line) => `${" ".repeat(hanging)}${line}`),
  ];
}
