/** The entries of access lists as people see them, and what of their counters goes on under another policy. */
import type { PolicyRule } from "./policy.js";

/** An entry of an access list in use. */
export interface RuleInfo {
  /** From 1, as in `batch.rule()`. */
  number: number;
  list: string;
  family: 4 | 6;
  sequence: number;
  action: "permit" | "deny";
  /** As the running configuration has it, without its sequence number. */
  text: string;
  log?: "log" | "log-input";
  /** Packets that it decided. */
  hits: number;
}

export function ruleInfo(
  { number, list, family, sequence, action, text, log }: PolicyRule,
  hits: bigint,
): RuleInfo {
  return { number: number + 1, list, family, sequence, action, text, log, hits: Number(hits) };
}

/** What entries are called, by rule number; large but for the names of the lists, of which there are few. */
export interface RuleNames {
  /** Each once. */
  readonly lists: readonly string[];
  /** Place of the list of each entry in `lists`. */
  readonly listOf: Uint32Array;
  readonly sequences: Uint32Array;
}

export function ruleNamesOf(rules: readonly Pick<PolicyRule, "list" | "sequence">[]): RuleNames {
  const places = new Map<string, number>();
  for (const { list } of rules) if (!places.has(list)) places.set(list, places.size);
  return {
    lists: [...places.keys()],
    listOf: Uint32Array.from(rules, ({ list }) => places.get(list)!),
    sequences: Uint32Array.from(rules, ({ sequence }) => sequence),
  };
}

/**
 * Whose hit counter each entry goes on with: by rule number, 1 + the number of the same entry in the policy before; 0: it
 * begins with none.
 */
export function hitOrigins(
  rules: readonly PolicyRule[],
  before: readonly PolicyRule[],
): Uint32Array<ArrayBuffer> {
  const known = new Map(before.map((rule) => [identityOf(rule), rule.number]));
  const origins = new Uint32Array(rules.length);
  for (const rule of rules) {
    const number = known.get(identityOf(rule));
    if (number !== undefined) origins[rule.number] = number + 1;
  }
  return origins;
}

/** What makes an entry of two configurations the same. */
const identityOf = ({ family, list, sequence, text }: PolicyRule): string =>
  `${family}:${list} ${sequence} ${text}`;
