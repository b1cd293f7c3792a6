/**
 * Access lists of the model -> the section that the core looks packets up in. The meaning of a list stands in
 * evaluate.ts; what is written here gives the same answer without reading every line.
 */
import {
  ACL_CONDITIONS_MAX,
  ACL_LISTS_MAX,
  ACL_RECORDS_MAX,
  APPLIES_WHOLE,
  RULE_LOG,
  RULE_PERMIT,
  TIME_RANGES_MAX,
} from "../../assembly/layout.js";
import type { Ace, Config, Family, ObjectGroup, Position } from "../config/model.js";
import { BOX_WORDS, type Box } from "./box.js";
import { type ConditionTable, conditionTable, internCondition } from "./condition.js";
import { type AclRecord, recordsOf } from "./record.js";
import { type SectionList, writeSection } from "./section.js";
import type { Columns } from "./split.js";
import { buildForest } from "./tree.js";

/** Names a list: IPv4 and IPv6 lists have name spaces of their own. */
export interface ListName {
  family: Family;
  name: string;
}

/** One entry of a compiled list: what the core means by a rule number. */
export interface RuleInfo {
  /** From 0, over all lists. */
  number: number;
  list: string;
  family: Family;
  sequence: number;
  action: Ace["action"];
  log?: Ace["log"];
  timeRange?: string;
}

export interface CompiledLists {
  /** For the core; it wants to lie on a multiple of 64 bytes. */
  section: Uint8Array;
  /** By rule number. */
  rules: RuleInfo[];
  /** Names of the time ranges, in the order of their bits in S_TIME_RANGES. */
  timeRanges: string[];
  /** Numbers of the lists, from 1, by `listKey`. */
  listNumbers: Map<string, number>;
}

/** Why lists cannot be compiled: something that the configuration says wrong, or a bound of assembly/layout.ts. */
export interface CompileProblem {
  at: Position;
  list: string;
  message: string;
}

export type CompileResult = { ok: true; lists: CompiledLists } | { ok: false; problems: CompileProblem[] };

export function listKey(family: Family, name: string): string {
  return `${family}:${name}`;
}

/**
 * Compiles the given lists into one section. A list that is not defined, or has no entries, matches nothing: what is
 * bound to it denies everything. Problems: object groups that are not defined, of the wrong kind or inside themselves;
 * more time ranges, records, conditions or lists than the layout holds.
 * Source: Cisco `access-list`, `ip access-list`, `ipv6 access-list`, `object-group`.
 */
export function compileAccessLists(config: Config, lists: readonly ListName[]): CompileResult {
  const job: Job = {
    config,
    conditions: conditionTable(),
    rules: [],
    timeRanges: [],
    listNumbers: new Map(),
    problems: [],
  };
  const written: SectionList[] = [];
  for (const { family, name } of lists) {
    const key = listKey(family, name);
    if (job.listNumbers.has(key)) continue;
    written.push(compileList(job, family, name));
    job.listNumbers.set(key, written.length);
  }
  checkBounds(job, written.length);
  if (job.problems.length > 0) return { ok: false, problems: job.problems };
  const { rules, timeRanges, listNumbers, conditions } = job;
  const section = writeSection({
    lists: written,
    rules: rules.map(ruleFlags),
    conditions: conditions.stored,
  });
  return { ok: true, lists: { section, rules, timeRanges, listNumbers } };
}

/** What one compilation gathers over all lists. */
interface Job {
  config: Config;
  conditions: ConditionTable;
  rules: RuleInfo[];
  timeRanges: string[];
  listNumbers: Map<string, number>;
  problems: CompileProblem[];
}

function compileList(job: Job, family: Family, name: string): SectionList {
  const { config } = job;
  const list = (family === 4 ? config.accessLists : config.accessLists6).get(name);
  const records: AclRecord[] = [];
  for (const entry of list?.entries ?? []) {
    if (entry.kind !== "ace") continue;
    const { sequence, action, log, timeRange } = entry;
    const number = job.rules.length;
    job.rules.push({ number, list: name, family, sequence, action, log, timeRange });
    const complain = (message: string): void => {
      job.problems.push({ at: entry.at, list: name, message });
    };
    const wrong = groupProblems(config, family, entry);
    wrong.forEach(complain);
    if (wrong.length > 0) continue;
    const room = ACL_RECORDS_MAX - records.length;
    const made = recordsOf(config, family, entry, number, room);
    if (typeof made === "number") {
      complain(`the object groups and ports of this entry make ${made} records, there is room for ${room}`);
    } else {
      for (const record of made) records.push(record);
    }
  }
  return arrange(job, family, records);
}

/** Numbers the conditions of the records and builds the trees over those that can match a whole packet. */
function arrange(job: Job, family: Family, records: AclRecord[]): SectionList {
  const conditions = new Uint16Array(records.length);
  const final = new Uint8Array(records.length);
  const members: number[] = [];
  const numberOf = (timeRange: string): number => timeRangeNumber(job, timeRange);
  records.forEach(({ box, condition }, index) => {
    const number = internCondition(job.conditions, condition, numberOf);
    conditions[index] = number;
    final[index] = job.conditions.empty[number] && isCompared(box, family) ? 1 : 0;
    if (condition.transport.applies & APPLIES_WHOLE) members.push(index);
  });
  const forest = buildForest(columnsOf(records, family, final), members);
  return { family, records, conditions, final, forest };
}

/** Whether the words that blocks and trees look at are all that the box limits. */
function isCompared(box: Box, family: Family): boolean {
  return BOX_WORDS[family].every(
    ({ compared, any }, word) => compared || (box[word]![0] === any[0] && box[word]![1] === any[1]),
  );
}

function columnsOf(records: AclRecord[], family: Family, final: Uint8Array): Columns {
  const words = BOX_WORDS[family].flatMap((word, index) => (word.compared ? [{ ...word, index }] : []));
  const column = (index: number, bound: 0 | 1): Uint32Array => {
    const values = new Uint32Array(records.length);
    for (let i = 0; i < values.length; i++) values[i] = records[i]!.box[index]![bound];
    return values;
  };
  return {
    low: words.map(({ index }) => column(index, 0)),
    high: words.map(({ index }) => column(index, 1)),
    max: words.map(({ any }) => any[1]),
    source: words.findIndex(({ kind }) => kind === "source"),
    destination: words.findIndex(({ kind }) => kind === "destination"),
    final,
  };
}

function timeRangeNumber(job: Job, name: string): number {
  const index = job.timeRanges.indexOf(name);
  return index >= 0 ? index + 1 : job.timeRanges.push(name);
}

function ruleFlags({ action, log }: RuleInfo): number {
  return (action === "permit" ? RULE_PERMIT : 0) | (log === undefined ? 0 : RULE_LOG);
}

const NOWHERE: Position = { line: 0, column: 0 };

function checkBounds(job: Job, lists: number): void {
  const bounds = [
    { what: "access lists in use", count: lists, max: ACL_LISTS_MAX },
    { what: "time ranges in access lists", count: job.timeRanges.length, max: TIME_RANGES_MAX },
    { what: "different conditions", count: job.conditions.stored.length, max: ACL_CONDITIONS_MAX },
  ];
  for (const { what, count, max } of bounds) {
    if (count > max)
      job.problems.push({ at: NOWHERE, list: "", message: `${count} ${what}, at most ${max} are possible` });
  }
}

// ------------------------------------------------------------------------------------------------- object groups

const NETWORK_KIND = { 4: ["network"], 6: ["v6-network"] } as const;
const SERVICE_KINDS = ["service", "v6-service"] as const;
/** Groups inside each other, at most. */
export const GROUP_DEPTH_MAX = 64;

/** What is wrong with the object groups that an entry names. */
function groupProblems(config: Config, family: Family, ace: Ace): string[] {
  const problems: string[] = [];
  for (const match of [ace.source, ace.destination]) {
    if (match.kind === "group") checkGroup(config, match.name, NETWORK_KIND[family], [], new Set(), problems);
  }
  if (ace.serviceGroup !== undefined)
    checkGroup(config, ace.serviceGroup, SERVICE_KINDS, [], new Set(), problems);
  return problems;
}

/** Looks at a group and those in it. `path` leads to it, `sound` are those that need no second look. */
function checkGroup(
  config: Config,
  name: string,
  kinds: readonly ObjectGroup["kind"][],
  path: readonly string[],
  sound: Set<string>,
  problems: string[],
): void {
  if (sound.has(name)) return;
  const inside = [...path, name];
  const group = config.objectGroups.get(name);
  if (path.includes(name)) {
    problems.push(`object group ${name} contains itself: ${inside.join(" -> ")}`);
  } else if (inside.length > GROUP_DEPTH_MAX) {
    problems.push(`object group ${name} is nested more than ${GROUP_DEPTH_MAX} deep`);
  } else if (group === undefined) {
    problems.push(`object group ${name} is not defined`);
  } else if (!kinds.includes(group.kind)) {
    problems.push(`object group ${name} is of the kind ${group.kind}, not ${kinds.join(" or ")}`);
  } else {
    for (const member of group.members) {
      if (member.kind === "group") checkGroup(config, member.name, kinds, inside, sound, problems);
    }
    sound.add(name);
  }
}
