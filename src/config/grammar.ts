/**
 * The matcher: a line against all rows of a mode at once. It reads word by word and keeps every way that still fits,
 * so it knows at each position what could have come next. A word that is a keyword in full is that keyword; otherwise
 * it may be the beginning of exactly one keyword, or an argument.
 */
import { TYPES } from "./arguments.js";
import { MODES, type Mode, type Row } from "./command.js";
import { type CompoundSlot, compileSyntax, type Edge, isRefusal, type State } from "./syntax.js";

/** Longest line of a configuration, without its indent. */
export const LINE_MAX = 254;

/** A word of a line and the column (from 0) where it starts. */
export interface Word {
  text: string;
  start: number;
}

export function splitWords(line: string): Word[] {
  const words: Word[] = [];
  for (const match of line.matchAll(/\S+/g)) words.push({ text: match[0], start: match.index });
  return words;
}

/** Something that could stand at a position: a keyword, an argument, or the end of the command (`<cr>`). */
export interface Expectation {
  text: string;
  kind: "keyword" | "argument" | "end";
  /** The words that an argument knows by name. */
  names?: readonly string[];
  /** Helps of the rows that go on this way, without repetition. */
  help: string[];
}

/** The end of a command, as help shows it. */
export const END_OF_COMMAND = "<cr>";

export interface Match {
  row: Row;
  args: Record<string, unknown>;
  /** For each argument, the index of its first word. */
  wordOf: Map<string, number>;
  /** The command with every keyword in full. */
  text: string;
  /** No keyword was abbreviated. */
  exact: boolean;
}

export interface Mismatch {
  /** Index of the word that does not fit; the number of words when the line ends too early. */
  at: number;
  reason: "unknown" | "ambiguous" | "incomplete" | "refused";
  /** For `refused`: why the value cannot be. */
  message?: string;
  /** What could have stood there. */
  expected(): Expectation[];
  /** The rows that fitted up to there. */
  rows(): Row[];
}

export type Outcome = { match: Match } | { mismatch: Mismatch };

/** One way of reading the words so far. */
interface Thread {
  state: State;
  row: Row;
  /** Choices of a `{ }` that are used up. */
  used: number;
  read: Step | undefined;
}
interface Step {
  edge: Edge;
  value: unknown;
  /** Index of the word. */
  word: number;
  previous: Step | undefined;
}

/** How a line begins: as a command, with `no`, or with `default`. */
export type Polarity = "set" | "no" | "default";

/** The first word of a line of this mode, by keyword, so that a long table costs nothing. */
interface Entry {
  keywords: Map<string, Thread[]>;
  all: Thread[];
}

const canSet = (row: Row) => row.set !== undefined || row.note !== undefined || row.refuse !== undefined;
const canUnset = (row: Row) =>
  row.unset !== undefined || row.remove !== undefined || row.note !== undefined || row.refuse !== undefined;

/** All rows of the table, compiled. */
export class Grammar {
  private readonly rows: readonly Row[];
  private readonly modes = new Map<Mode, { set: Entry; no: Entry }>();

  constructor(rows: readonly Row[]) {
    this.rows = rows;
  }

  /** What lines of a mode can begin with. A mode is compiled when it is first asked for. */
  private entry(mode: Mode, polarity: Polarity): Entry {
    const owner = MODES[mode].commandsOf ?? mode;
    let entries = this.modes.get(owner);
    if (entries === undefined) {
      entries = { set: { keywords: new Map(), all: [] }, no: { keywords: new Map(), all: [] } };
      for (const row of this.rows) {
        if (row.mode !== owner) continue;
        const thread = { state: compileSyntax(row.syntax, TYPES), row, used: 0, read: undefined };
        if (canSet(row)) enter(entries.set, thread);
        if (canUnset(row)) enter(entries.no, thread);
      }
      this.modes.set(owner, entries);
    }
    return polarity === "set" ? entries.set : entries.no;
  }

  private start(mode: Mode, polarity: Polarity, first: string | undefined): Thread[] {
    const entry = this.entry(mode, polarity);
    return (first !== undefined && entry.keywords.get(first.toLowerCase())) || entry.all;
  }

  /** Reads a line (without `no` or `default`) in a mode. `words` must be those of `line`, from `from` on. */
  match(mode: Mode, polarity: Polarity, line: string, words: readonly Word[], from = 0): Outcome {
    let threads = this.start(mode, polarity, words[from]?.text);
    let swallowed: Thread | undefined;
    for (let at = from; at < words.length; at++) {
      const next = step(threads, words[at]!, at, line);
      swallowed ??= next.rest[0];
      if (next.threads.length === 0) {
        if (swallowed) return finish(swallowed, words);
        const reason = next.ambiguous ? "ambiguous" : "unknown";
        return mismatchOf(at, reason, threads, polarity);
      }
      threads = next.threads;
    }
    const accepted = threads.find((thread) => accepts(thread, polarity)) ?? swallowed;
    if (accepted) return finish(accepted, words);
    return mismatchOf(words.length, "incomplete", threads, polarity);
  }

  /** The keywords that a line of this mode can begin with. */
  firstKeywords(mode: Mode, polarity: Polarity): string[] {
    return [...this.entry(mode, polarity).keywords.keys()];
  }

  /**
   * What could come after these words in this mode, for `?` and completion; the last expectation is `<cr>` when the
   * command may end. Words that do not fit give an empty list.
   */
  expectations(mode: Mode, texts: readonly string[]): Expectation[] {
    const { polarity, from } = polarityOf(texts[0]);
    let threads = this.start(mode, polarity, texts[from]);
    for (let at = from; at < texts.length; at++) {
      threads = step(threads, { text: texts[at]!, start: 0 }, at, texts[at]!).threads;
    }
    return expect(threads, polarity);
  }
}

function enter(entry: Entry, thread: Thread): void {
  entry.all.push(thread);
  for (const keyword of thread.state.keywords.keys()) {
    const threads = entry.keywords.get(keyword);
    if (threads) threads.push(thread);
    else entry.keywords.set(keyword, [thread]);
  }
}

/** Whether a line starts with `no` or `default`, and the index of the first word after it. */
export function polarityOf(first: string | undefined): { polarity: Polarity; from: number } {
  const word = first?.toLowerCase();
  return word === "no" || word === "default" ? { polarity: word, from: 1 } : { polarity: "set", from: 0 };
}

function accepts({ row, state }: Thread, polarity: Polarity): boolean {
  const whole = polarity === "set" || row.remove !== undefined || row.refuse !== undefined;
  return whole ? state.accept : state.acceptShort;
}

const isFree = (edge: Edge, thread: Thread) => (edge.bit & thread.used) === 0;

/** The keyword that a word stands for: itself, or the only one that it begins; `ambiguous` when it begins several. */
function keywordOf(
  threads: Thread[],
  text: string,
): { keyword?: string; exact: boolean; ambiguous: boolean } {
  for (const thread of threads) {
    if (thread.state.keywords.get(text)?.some((edge) => isFree(edge, thread))) {
      return { keyword: text, exact: true, ambiguous: false };
    }
  }
  // Numbers are never short for longer ones (`speed 10`).
  if (!/^[a-z]/.test(text)) return { exact: false, ambiguous: false };
  let found: string | undefined;
  for (const thread of threads) {
    for (const [keyword, edges] of thread.state.keywords) {
      if (!keyword.startsWith(text) || keyword === found || !edges.some((edge) => isFree(edge, thread)))
        continue;
      if (found !== undefined) return { exact: false, ambiguous: true };
      found = keyword;
    }
  }
  return { ...(found !== undefined && { keyword: found }), exact: false, ambiguous: false };
}

/**
 * One word further. `rest` holds the ways that take the line from here to its end; they win only when no other way
 * reaches it.
 */
function step(
  threads: Thread[],
  word: Word,
  at: number,
  line: string,
): { threads: Thread[]; rest: Thread[]; ambiguous: boolean } {
  const { keyword, exact, ambiguous } = keywordOf(threads, word.text.toLowerCase());
  const next: Thread[] = [];
  const rest: Thread[] = [];
  if (keyword !== undefined) {
    for (const thread of threads) {
      for (const edge of thread.state.keywords.get(keyword) ?? NONE) {
        if (isFree(edge, thread)) next.push(advance(thread, edge, edge.value, at));
      }
    }
  }
  if (!exact) {
    for (const thread of threads) {
      for (const edge of thread.state.arguments) {
        if (!isFree(edge, thread)) continue;
        const type = edge.type!;
        const value = type.parse(type.rest ? line.slice(word.start).trimEnd() : word.text);
        if (value !== undefined) (type.rest ? rest : next).push(advance(thread, edge, value, at));
      }
    }
  }
  return { threads: next, rest, ambiguous };
}

const NONE: readonly Edge[] = [];

function advance(thread: Thread, edge: Edge, value: unknown, word: number): Thread {
  return {
    state: edge.to,
    row: thread.row,
    used: thread.used | edge.bit,
    read: { edge, value, word, previous: thread.read },
  };
}

/** Gathers the arguments of the way that was taken, compounds last to first so that each is complete when made. */
function finish(thread: Thread, words: readonly Word[]): Outcome {
  const steps: Step[] = [];
  for (let read = thread.read; read !== undefined; read = read.previous) steps.push(read);
  steps.reverse();
  const args: Record<string, unknown> = {};
  const wordOf = new Map<string, number>();
  const compounds = new Map<CompoundSlot, { args: Record<string, unknown>; word: number }>();
  const mismatch = (at: number, message: string): Outcome => ({
    mismatch: { at, reason: "refused", message, expected: () => [], rows: () => [thread.row] },
  });
  for (const { edge, value, word } of steps) {
    const slot = edge.slot;
    if (slot === undefined) continue;
    let into = args;
    if (slot.compound !== undefined) {
      let compound = compounds.get(slot.compound);
      if (compound === undefined) {
        compound = { args: {}, word };
        compounds.set(slot.compound, compound);
      }
      into = compound.args;
    } else if (!wordOf.has(slot.name)) wordOf.set(slot.name, word);
    if (slot.many) into[slot.name] = [...((into[slot.name] as unknown[] | undefined) ?? []), value];
    else if (slot.name in into) return mismatch(word, `${words[word]!.text} says the same thing again`);
    else into[slot.name] = value;
  }
  for (const [{ slot, make }, { args: parts, word }] of compounds) {
    const value = make(parts);
    if (isRefusal(value)) return mismatch(word, value.refusal);
    args[slot.name] = value;
    wordOf.set(slot.name, word);
  }
  const exact = steps.every(
    ({ edge, word }) => edge.keyword === undefined || edge.keyword.length === words[word]!.text.length,
  );
  return { match: { row: thread.row, args, wordOf, text: fullText(steps, words), exact } };
}

function fullText(steps: readonly Step[], words: readonly Word[]): string {
  return steps
    .map(({ edge, value, word }) => edge.keyword ?? (edge.type!.rest ? (value as string) : words[word]!.text))
    .join(" ");
}

/** A mismatch after these threads. What they expected is worked out only when it is asked for. */
function mismatchOf(
  at: number,
  reason: Mismatch["reason"],
  threads: readonly Thread[],
  polarity: Polarity,
): { mismatch: Mismatch } {
  return {
    mismatch: {
      at,
      reason,
      expected: () => expect(threads, polarity),
      rows: () => [...new Set(threads.map((thread) => thread.row))],
    },
  };
}

const helps = (rows: readonly Row[]) => [...new Set(rows.map((row) => row.help))];

function expect(threads: readonly Thread[], polarity: Polarity): Expectation[] {
  const expected = new Map<string, Expectation & { rows: Row[] }>();
  for (const thread of threads) {
    for (const edge of [...thread.state.keywords.values(), thread.state.arguments].flat()) {
      if (!isFree(edge, thread)) continue;
      const text = edge.keyword ?? edge.type!.shown;
      const known = expected.get(text);
      if (known) known.rows.push(thread.row);
      else {
        expected.set(text, {
          text,
          kind: edge.keyword === undefined ? "argument" : "keyword",
          ...(edge.type?.names && { names: edge.type.names }),
          help: [],
          rows: [thread.row],
        });
      }
    }
  }
  const list: Expectation[] = [...expected.values()].map(({ rows, ...rest }) => ({
    ...rest,
    help: helps(rows),
  }));
  list.sort((a, b) => (a.kind === b.kind ? (a.text < b.text ? -1 : 1) : a.kind === "keyword" ? -1 : 1));
  const ending = threads.filter((thread) => accepts(thread, polarity));
  if (ending.length > 0) {
    list.push({ text: END_OF_COMMAND, kind: "end", help: helps(ending.map((thread) => thread.row)) });
  }
  return list;
}
