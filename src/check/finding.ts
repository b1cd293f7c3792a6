/**
 * What a validation rule is and what it finds. A rule only says what is wrong and where; the runner (index.ts) adds
 * the rule's id, its severity and the file.
 */
import type { Config, Position } from "../config/model.js";

export type Severity = "error" | "warning" | "info";

/** One thing found in one configuration or pair. Lines and columns count from 1. */
export interface Finding {
  id: string;
  severity: Severity;
  file: string;
  line: number;
  column: number;
  /** What is wrong, with the names and values concerned. */
  message: string;
  /** How to mend it, a command line where one does it. */
  mend: string;
  /** The second place concerned: of the other configuration in pair rules. */
  otherAt?: { file: string; line: number };
}

/** A finding of a rule, without what the rule's row says already. */
export interface Draft {
  at: Position;
  message: string;
  mend: string;
  /** Undefined: the severity of the rule's row. */
  severity?: Severity;
  /** A second place in the same file. */
  other?: Position;
}

/** A finding of a pair rule: `at` lies in the configuration called `side`, `other` in the other one. */
export interface PairDraft extends Draft {
  side: Side;
}

export type Side = "a" | "b";

/** What a rule may know beyond the configuration. */
export interface Context {
  /** Sessions that the table of the firewall holds. */
  tableCapacity: number;
  /** The configuration of the other box, when both are checked together. */
  peer?: Config;
}

export interface Rule {
  id: string;
  /** The gravest severity that the rule gives. */
  severity: Severity;
  /** What a configuration must satisfy, in one sentence. */
  demands: string;
  /** Set: a warning of this rule is an error when the caller asks for strictness. */
  strict?: true;
  check(config: Config, context: Context): Draft[];
}

export interface PairRule {
  id: string;
  severity: Severity;
  demands: string;
  check(a: Config, b: Config): PairDraft[];
}

/** Where a finding stands that is about something the text does not have. */
export const TOP: Position = { line: 1, column: 1 };
