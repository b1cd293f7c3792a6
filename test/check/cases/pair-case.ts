/** What a case about a pair is: changes to one or both boxes of the sound pair, and what one rule says then. */
import type { Severity } from "../../../src/check/index.js";
import type { Config } from "../../../src/config/model.js";
import { type Edit, MISTAKEN_A, MISTAKEN_B } from "../configurations.js";

export interface PairCase {
  rule: string;
  name: string;
  /** The boxes that are changed; the sound pair when left out. */
  base?: [a: string, b: string];
  a?: Edit[];
  b?: Edit[];
  /** Changes to both texts. */
  both?: Edit[];
  change?: (a: Config, b: Config) => void;
  severity?: Severity;
  /** Undefined: the rule must stay silent. */
  message?: RegExp;
  /** What the line of the finding contains, and which box it is in. */
  at?: [file: "a.cfg" | "b.cfg", text: string];
}

export function pairCasesOf(rule: string, cases: Omit<PairCase, "rule">[]): PairCase[] {
  return cases.map((each) => ({ rule, ...each }));
}

export const MISTAKEN: [string, string] = [MISTAKEN_A, MISTAKEN_B];
