/**
 * The matcher: a line against all rows of a mode at once. It reads word by word and keeps every way that still fits,
 * so it knows at each position what could have come next. A word that is a keyword in full is that keyword; otherwise
 * it may be the beginning of exactly one keyword, or an argument.
 */
import type { Row } from "./command.js";
import {
  type CompoundSlot,
  compileSyntax,
  type Edge,
  isRefusal,
  type State,
  type TypeTable,
} from "./syntax.js";

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

/** What the matcher needs of a row. */
export interface SyntaxRow {
  readonly mode: string;
  readonly syntax: string;
  readonly help: string;
}

/** What a table of rows has in common: the configuration is one table, the commands of the console are another. */
export interface Dialect<R extends SyntaxRow> {
  readonly types: TypeTable;
  /** The mode whose commands a mode has: its own, or those of another. */
  ownerOf(mode: R["mode"]): R["mode"];
  /** Whether the row reads lines without, and lines with `no` or `default`. */
  canSet(row: R): boolean;
  canUnset(row: R): boolean;
  /** Whether `no` needs all arguments. */
  unsetsWhole(row: R): boolean;
}

export interface Match<R extends SyntaxRow = Row> {
  row: R;
  args: Record<string, unknown>;
  /** For each argument, the index of its first word. */
  wordOf: Map<string, number>;
  /** The command with every keyword in full. */
  text: string;
  /** No keyword was abbreviated. */
  exact: boolean;
}

export interface Mismatch<R extends SyntaxRow = Row> {
  /** Index of the word that does not fit; the number of words when the line ends too early. */
  at: number;
  reason: "unknown" | "ambiguous" | "incomplete" | "refused";
  /** For `refused`: why the value cannot be. */
  message?: string;
  /** What could have stood there. */
  expected(): Expectation[];
  /** The rows that fitted up to there. */
  rows(): R[];
}

export type Outcome<R extends SyntaxRow = Row> = { match: Match<R> } | { mismatch: Mismatch<R> };

/** One way of reading the words so far. */
interface Thread<R extends SyntaxRow> {
  state: State;
  row: R;
  /** Its `no` needs all arguments. */
  unsetsWhole: boolean;
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
interface Entry<R extends SyntaxRow> {
  keywords: Map<string, Thread<R>[]>;
  all: Thread<R>[];
}

/** All rows of a table, compiled. */
export class Grammar<R extends SyntaxRow> {
  private readonly rows: readonly R[];
  private readonly dialect: Dialect<R>;
  private readonly modes = new Map<R["mode"], { set: Entry<R>; no: Entry<R> }>();

  constructor(rows: readonly R[], dialect: Dialect<R>) {
    this.rows = rows;
    this.dialect = dialect;
  }

  /** What lines of a mode can begin with. A mode is compiled when it is first asked for. */
  private entry(mode: R["mode"], polarity: Polarity): Entry<R> {
    const { dialect } = this;
    const owner = dialect.ownerOf(mode);
    let entries = this.modes.get(owner);
    if (entries === undefined) {
      entries = { set: { keywords: new Map(), all: [] }, no: { keywords: new Map(), all: [] } };
      for (const row of this.rows) {
        if (row.mode !== owner) continue;
        const state = compileSyntax(row.syntax, dialect.types);
        const thread = { state, row, unsetsWhole: dialect.unsetsWhole(row), used: 0, read: undefined };
        if (dialect.canSet(row)) enter(entries.set, thread);
        if (dialect.canUnset(row)) enter(entries.no, thread);
      }
      this.modes.set(owner, entries);
    }
    return polarity === "set" ? entries.set : entries.no;
  }

  private start(mode: R["mode"], polarity: Polarity, first: string | undefined): Thread<R>[] {
    const entry = this.entry(mode, polarity);
    return (first !== undefined && entry.keywords.get(first.toLowerCase())) || entry.all;
  }

  /** Reads a line (without `no` or `default`) in a mode. `words` must be those of `line`, from `from` on. */
  match(mode: R["mode"], polarity: Polarity, line: string, words: readonly Word[], from = 0): Outcome<R> {
    let threads = this.start(mode, polarity, words[from]?.text);
    let swallowed: Thread<R> | undefined;
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
  firstKeywords(mode: R["mode"], polarity: Polarity): string[] {
    return [...this.entry(mode, polarity).keywords.keys()];
  }

  /**
   * What could come after these words in this mode, for `?` and completion; the last expectation is `<cr>` when the
   * command may end. Words that do not fit give an empty list.
   */
  expectations(mode: R["mode"], texts: readonly string[]): Expectation[] {
    const { polarity, from } = polarityOf(texts[0]);
    let threads = this.start(mode, polarity, texts[from]);
    for (let at = from; at < texts.length; at++) {
      threads = step(threads, { text: texts[at]!, start: 0 }, at, texts[at]!).threads;
    }
    return expect(threads, polarity);
  }
}

function enter<R extends SyntaxRow>(entry: Entry<R>, thread: Thread<R>): void {
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

function accepts({ unsetsWhole, state }: Thread<SyntaxRow>, polarity: Polarity): boolean {
  return polarity === "set" || unsetsWhole ? state.accept : state.acceptShort;
}

const isFree = (edge: Edge, thread: Thread<SyntaxRow>) => (edge.bit & thread.used) === 0;

/** The keyword that a word stands for: itself, or the only one that it begins; `ambiguous` when it begins several. */
function keywordOf(
  threads: readonly Thread<SyntaxRow>[],
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
function step<R extends SyntaxRow>(
  threads: readonly Thread<R>[],
  word: Word,
  at: number,
  line: string,
): { threads: Thread<R>[]; rest: Thread<R>[]; ambiguous: boolean } {
  const { keyword, exact, ambiguous } = keywordOf(threads, word.text.toLowerCase());
  const next: Thread<R>[] = [];
  const rest: Thread<R>[] = [];
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

function advance<R extends SyntaxRow>(
  thread: Thread<R>,
  edge: Edge,
  value: unknown,
  word: number,
): Thread<R> {
  return {
    state: edge.to,
    row: thread.row,
    unsetsWhole: thread.unsetsWhole,
    used: thread.used | edge.bit,
    read: { edge, value, word, previous: thread.read },
  };
}

/** Gathers the arguments of the way that was taken, compounds last to first so that each is complete when made. */
function finish<R extends SyntaxRow>(thread: Thread<R>, words: readonly Word[]): Outcome<R> {
  const steps: Step[] = [];
  for (let read = thread.read; read !== undefined; read = read.previous) steps.push(read);
  steps.reverse();
  const args: Record<string, unknown> = {};
  const wordOf = new Map<string, number>();
  const compounds = new Map<CompoundSlot, { args: Record<string, unknown>; word: number }>();
  const mismatch = (at: number, message: string): Outcome<R> => ({
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
function mismatchOf<R extends SyntaxRow>(
  at: number,
  reason: Mismatch["reason"],
  threads: readonly Thread<R>[],
  polarity: Polarity,
): { mismatch: Mismatch<R> } {
  return {
    mismatch: {
      at,
      reason,
      expected: () => expect(threads, polarity),
      rows: () => [...new Set(threads.map((thread) => thread.row))],
    },
  };
}

const helps = (rows: readonly SyntaxRow[]) => [...new Set(rows.map((row) => row.help))];

function expect(threads: readonly Thread<SyntaxRow>[], polarity: Polarity): Expectation[] {
  const expected = new Map<string, Expectation & { rows: SyntaxRow[] }>();
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
