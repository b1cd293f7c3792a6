/**
 * Validation of one configuration or of a pair: every rule of the table in rules.ts, run and put in order. Pure: what
 * it is given is all that it knows.
 */
import type { Config } from "../config/model.js";
import type { Context, Draft, Finding, Severity } from "./finding.js";
import { sortFindings } from "./format.js";
import { PAIR_RULES, RULES } from "./rules.js";

export type { Context, Draft, Finding, PairRule, Rule, Severity } from "./finding.js";
export { type Counts, countFindings, exitCodeOf, formatFindings, type Report, reportOf } from "./format.js";
export { zoneRefusals } from "./housekeeping.js";
export { PAIR_RULES, RULES } from "./rules.js";

/** Sessions that the table holds when nothing else is said. */
export const TABLE_CAPACITY_DEFAULT = 65_536;

export interface CheckOptions {
  /** Sessions that the table of the firewall holds; TABLE_CAPACITY_DEFAULT when left out. */
  tableCapacity?: number;
  /** Makes errors of the warnings that break what the failover guide demands (`strict` in the rules' rows). */
  strict?: boolean;
}

/** The findings of the rules V01 to V34, by line. */
export function checkConfig(config: Config, options: CheckOptions = {}): Finding[] {
  return sortFindings(runRules(config, undefined, options));
}

/**
 * The findings for two boxes that are to be a pair: those of each box, with what the other one tells about it, and
 * those of the rules P01 to P11; by file and line.
 */
export function checkPair(a: Config, b: Config, options: CheckOptions = {}): Finding[] {
  const pair = PAIR_RULES.flatMap((rule) =>
    rule.check(a, b).map((draft) => {
      const [here, there] = draft.side === "a" ? [a, b] : [b, a];
      return complete(draft, rule.id, draft.severity ?? rule.severity, here, there);
    }),
  );
  return sortFindings([...runRules(a, b, options), ...runRules(b, a, options), ...pair]);
}

function runRules(config: Config, peer: Config | undefined, options: CheckOptions): Finding[] {
  const context: Context = { tableCapacity: options.tableCapacity ?? TABLE_CAPACITY_DEFAULT, peer };
  return RULES.flatMap((rule) =>
    rule.check(config, context).map((draft) => {
      const severity = draft.severity ?? rule.severity;
      const raised = options.strict && rule.strict && severity === "warning" ? "error" : severity;
      return complete(draft, rule.id, raised, config, config);
    }),
  );
}

function complete(draft: Draft, id: string, severity: Severity, here: Config, there: Config): Finding {
  const { at, other, message, mend } = draft;
  return {
    id,
    severity,
    file: here.file,
    line: at.line,
    column: at.column,
    message,
    mend,
    ...(other !== undefined && { otherAt: { file: there.file, line: other.line } }),
  };
}
