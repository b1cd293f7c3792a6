/**
 * One session of the console: lines in, text or data out. It has no terminal and no socket: a session is a test. Output
 * comes as it is asked for, so that whoever prints it sets the pace.
 */
import {
  type Config,
  type Diagnostic,
  edit,
  type Edit,
  expectations as configExpectations,
  type Expectation,
  LINE_MAX,
  MODES,
  type Mode,
  show,
} from "../config/index.js";
import { type Match, type Mismatch, polarityOf, splitWords, type SyntaxRow } from "../config/grammar.js";
import type { Change as Effect } from "../node/plan-change.js";
import type { ConsoleBackend } from "./backend.js";
import { type Changes, effectLines } from "./changes.js";
import type { Answer, ExecRow, Pieces, Terminal, Wish } from "./command.js";
import { EXEC_GRAMMARS, type Privilege } from "./commands/index.js";
import { filterLines, JSON_FILTER, linesOf, pipeAt, splitPipe } from "./filter.js";
import {
  completionsOf,
  expectationsText,
  PATTERN_EXPECTATION,
  PIPE_EXPECTATIONS,
  SESSION_WORDS,
  startingWith,
} from "./help.js";
import { jsonPieces } from "./json.js";

export const HOSTNAME_DEFAULT = "Router";
/** Commands that a session remembers. */
const HISTORY_MAX = 100;
/** Lines of a text such as a banner's. */
const TEXT_LINES_MAX = 100;
/** Stands in front of the lines of such a text. */
const TEXT_PROMPT = "> ";
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/;

/** What a program gets: data, or what is wrong. */
export type DataAnswer = { readonly data: unknown } | { readonly problem: string };

export interface Completion {
  /** Column (from 0) of the word that is completed. */
  readonly start: number;
  readonly words: readonly string[];
}

/** Where lines are read: outside the configuration, or inside one of its blocks. */
type Place =
  | { readonly kind: "exec" }
  | { readonly kind: "config"; readonly mode: Mode; readonly path: readonly string[] };

const EXEC: Place = { kind: "exec" };
const CONFIG: Place = { kind: "config", mode: "global", path: [] };

/** Lines, and at the end whether all went well. */
export type Output = AsyncGenerator<string, boolean>;

/** A line that was understood, or what is wrong with it. */
type Read =
  | { readonly match: Match<ExecRow>; readonly isUndone: boolean }
  | { readonly problem: string; readonly start?: number };

export class ConsoleSession {
  readonly #backend: ConsoleBackend;
  readonly #changes: Changes;
  readonly #history: string[] = [];
  readonly terminal: Terminal;
  #privilege: Privilege = "privileged";
  #place: Place = EXEC;
  /** Lines of a text that has no end yet. */
  #textLines: string[] = [];
  /** What waits for the other box since `configure terminal`. */
  readonly #waiting = new Set<string>();
  #isOver = false;

  constructor(backend: ConsoleBackend, changes: Changes) {
    this.#backend = backend;
    this.#changes = changes;
    this.terminal = { length: 0, isMonitoring: false, history: this.#history };
  }

  /** The session has been left. */
  get isOver(): boolean {
    return this.#isOver;
  }

  async prompt(): Promise<string> {
    if (this.#textLines.length > 0) return TEXT_PROMPT;
    const name = (await this.#backend.config()).hostname ?? HOSTNAME_DEFAULT;
    if (this.#place.kind === "config") return `${name}(${MODES[this.#place.mode].prompt})#`;
    return `${name}${this.#privilege === "user" ? ">" : "#"}`;
  }

  /** Carries out a line. Each piece of the output is one line with its end; the result is whether all went well. */
  async *run(line: string): Output {
    const prompt = await this.prompt();
    if (this.#textLines.length > 0) {
      return yield* this.#configure(line, prompt);
    }
    const command = line.trimEnd();
    const unreadable = problemOfCharacters(command);
    if (unreadable !== undefined) {
      yield `% ${unreadable}\n`;
      return false;
    }
    if (command.trim() === "" || command.trimStart().startsWith("!")) return true;
    if (command.endsWith("?")) {
      yield* linesOf([await this.help(command.slice(0, -1))]);
      return true;
    }
    this.#remember(command.trim());
    if (this.#place.kind === "exec") return yield* this.#execute(command, prompt.length, 0);
    return yield* this.#configLine(command, prompt);
  }

  /** Carries out a command outside the configuration, for a program. */
  async data(line: string): Promise<DataAnswer> {
    const problem = problemOfCharacters(line);
    if (problem !== undefined) return { problem };
    const read = this.#read(line);
    if ("problem" in read) return read;
    const answer = await this.#answer(read);
    if (answer.problem !== undefined) return { problem: answer.problem };
    this.#grant(answer.wish);
    return { data: answer.data?.() ?? null };
  }

  /** What `?` prints behind this beginning of a line. */
  async help(beginning: string): Promise<string> {
    const { words, last, expected } = this.#expected(beginning);
    if (last === "") {
      if (expected.length > 0) return expectationsText(expected);
      return words.length > 0 ? "% Unrecognized command\n" : "";
    }
    const fitting = startingWith(expected, last);
    return fitting.length > 0 ? expectationsText(fitting) : "% Unrecognized command\n";
  }

  /** The words that the last one of this beginning of a line can become. */
  async complete(beginning: string): Promise<Completion> {
    const { last, expected } = this.#expected(beginning);
    const { interfaces } = await this.#backend.config();
    return {
      start: beginning.length - last.length,
      words: completionsOf(expected, last, [...interfaces.keys()]),
    };
  }

  #remember(command: string): void {
    if (this.#history.at(-1) === command) return;
    this.#history.push(command);
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
  }

  /** The whole words of a beginning of a line, the one that is being typed, and what could stand in its place. */
  #expected(beginning: string): { words: string[]; last: string; expected: readonly Expectation[] } {
    const words = splitWords(beginning).map(({ text }) => text);
    const last = /\s$/.test(beginning) || words.length === 0 ? "" : words.pop()!;
    const pipe = pipeAt(`${beginning} `);
    if (pipe >= 0) {
      const after = splitWords(beginning.slice(pipe + 1)).map(({ text }) => text);
      if (last !== "") after.pop();
      if (after.length === 0) return { words, last: last === "|" ? "" : last, expected: PIPE_EXPECTATIONS };
      return { words, last, expected: JSON_FILTER.startsWith(after[0]!) ? [] : [PATTERN_EXPECTATION] };
    }
    if (this.#place.kind === "exec") return { words, last, expected: this.#execExpected(words) };
    if (words[0]?.toLowerCase() === "do")
      return { words, last, expected: this.#execExpected(words.slice(1)) };
    const { mode } = this.#place;
    const own = configExpectations(mode, words);
    const expected = own.length > 0 || mode === "global" ? own : configExpectations("global", words);
    return { words, last, expected: words.length === 0 ? [...expected, ...SESSION_WORDS] : expected };
  }

  #execExpected(words: readonly string[]): readonly Expectation[] {
    return EXEC_GRAMMARS[this.#privilege].expectations("exec", words);
  }

  /** @param indent columns in front of the line on the screen. @param from where the command begins in the line. */
  async *#execute(line: string, indent: number, from: number): Output {
    const piped = splitPipe(line);
    if ("problem" in piped) return yield* complaint(piped.problem, indent + piped.start);
    const read = this.#read(piped.command.slice(from));
    if ("problem" in read) {
      return yield* complaint(
        read.problem,
        read.start === undefined ? undefined : indent + from + read.start,
      );
    }
    const answer = await this.#answer(read);
    if (answer.problem !== undefined) return yield* complaint(answer.problem, undefined);
    this.#grant(answer.wish);
    const { filter } = piped;
    if (filter?.name === JSON_FILTER) {
      yield* linesOf(jsonPieces(answer.data?.() ?? null, 2));
      return true;
    }
    const pieces: Pieces = answer.text?.() ?? "";
    const lines = linesOf(typeof pieces === "string" ? [pieces] : pieces);
    yield* filter === undefined ? lines : filterLines(lines, filter);
    return true;
  }

  /** Reads a command outside the configuration. */
  #read(command: string): Read {
    const words = splitWords(command);
    const { polarity, from } = polarityOf(words[0]?.text);
    if (polarity === "default") return { problem: INVALID, start: words[0]!.start };
    const outcome = EXEC_GRAMMARS[this.#privilege].match("exec", polarity, command, words, from);
    if ("match" in outcome) return { match: outcome.match, isUndone: polarity === "no" };
    return describe(outcome.mismatch, command, words[outcome.mismatch.at]?.start);
  }

  #answer({ match: { row, args }, isUndone }: Exclude<Read, { problem: string }>): Promise<Answer> {
    const place = { backend: this.#backend, changes: this.#changes, terminal: this.terminal };
    return isUndone ? row.undo!(args, place) : row.run(args, place);
  }

  #grant(wish: Wish | undefined): void {
    switch (wish) {
      case undefined:
        return;
      case "configure":
        if (this.#place.kind === "exec") this.#place = CONFIG;
        this.#waiting.clear();
        return;
      case "exit":
        this.#isOver = true;
        return;
      case "disable":
        this.#privilege = "user";
        this.#place = EXEC;
        return;
      case "enable":
        this.#privilege = "privileged";
    }
  }

  /** A line inside the configuration: for the session itself, with `do` for the mode outside, or a change. */
  async *#configLine(line: string, prompt: string): Output {
    const [first, second] = splitWords(line);
    const word = first!.text.toLowerCase();
    if (second === undefined && word === "end") this.#place = EXEC;
    else if (second === undefined && (word === "exit" || word === "quit")) this.#leave();
    else if (word === "do" && second !== undefined)
      return yield* this.#execute(line, prompt.length, second.start);
    else return yield* this.#configure(line, prompt);
    return true;
  }

  /** Back to the mode around this one. */
  #leave(): void {
    if (this.#place.kind !== "config") return;
    const { mode, path } = this.#place;
    this.#place =
      path.length === 0
        ? EXEC
        : { kind: "config", mode: MODES[mode].parent ?? "global", path: path.slice(0, -1) };
  }

  /** Applies a line to the configuration in force: the whole of it, or nothing. */
  async *#configure(line: string, prompt: string): Output {
    const { path } = this.#place as Extract<Place, { kind: "config" }>;
    const lines = [...this.#textLines, line];
    this.#textLines = [];
    if (lines.length > TEXT_LINES_MAX) {
      return yield* complaint(`the text is longer than ${TEXT_LINES_MAX} lines and is forgotten`, undefined);
    }
    const edited = await this.#changes.edit((config) => changeOf(config, path, lines));
    if ("problem" in edited) return yield* complaint(edited.problem, undefined);
    const { result, effects } = edited;
    if (result.isTextOpen) {
      this.#textLines = lines;
      return true;
    }
    for (const diagnostic of result.diagnostics) yield* remark(diagnostic, result, prompt.length, line);
    if (hasErrors(result)) return false;
    // What waits for the other box already is not said again.
    const isNews = ({ effect, text }: Effect) => effect !== "waits" || !this.#waiting.has(text);
    for (const line of effectLines(effects.filter(isNews))) yield `% ${line}\n`;
    for (const { effect, text } of effects) if (effect === "waits") this.#waiting.add(text);
    this.#place = { kind: "config", mode: result.mode, path: result.path };
    return true;
  }
}

const hasErrors = ({ diagnostics }: Edit): boolean =>
  diagnostics.some(({ severity }) => severity === "error");

/** What lines make of a configuration: another text only where they change something and nothing is wrong. */
function changeOf(config: Config, path: readonly string[], lines: readonly string[]) {
  const result = edit(config, path, lines);
  if (hasErrors(result) || result.isTextOpen) return { result };
  const text = show(result.config);
  return text === show(config) ? { result } : { result, text };
}

function problemOfCharacters(line: string): string | undefined {
  if (line.length > LINE_MAX) return `the line is longer than ${LINE_MAX} characters`;
  return CONTROL.test(line) ? "there is a control character in the line" : undefined;
}

const INVALID = "Invalid input detected at '^' marker.";
const INCOMPLETE = "Incomplete command.";

/** What is wrong with a command, in the words of IOS. */
function describe(
  { reason, message }: Mismatch<SyntaxRow>,
  command: string,
  start: number | undefined,
): Exclude<Read, { match: unknown }> {
  if (reason === "incomplete") return { problem: INCOMPLETE };
  if (reason === "ambiguous") return { problem: `Ambiguous command:  "${command.trim()}"` };
  return { problem: message ?? INVALID, ...(start !== undefined && { start }) };
}

/** `% PROBLEM`, under a marker where there is a place to mark. It did not go well: false. */
function* complaint(problem: string, column: number | undefined): Generator<string, false> {
  if (column !== undefined) yield `${" ".repeat(column)}^\n`;
  const [first, ...more] = problem.split("\n");
  yield `% ${first}\n`;
  for (const line of more) yield `${line}\n`;
  return false;
}

/** A diagnostic of one line, as the console prints it; notes about lines without effect too. */
function* remark(
  each: Diagnostic,
  { mismatch }: Edit,
  indent: number,
  line: string,
): Generator<string, void> {
  if (each.severity !== "error") {
    yield `% ${each.message}\n`;
    return;
  }
  if (mismatch === "incomplete") {
    yield* complaint(INCOMPLETE, undefined);
    return;
  }
  if (mismatch === "ambiguous") {
    yield* complaint(`Ambiguous command:  "${line.trim()}"`, undefined);
    return;
  }
  const isMarked = mismatch !== undefined && each.line === 1;
  yield* complaint(isMarked ? INVALID : each.message, isMarked ? indent + each.column - 1 : undefined);
  const near = each.didYouMean === undefined ? "" : `; did you mean "${each.didYouMean}"?`;
  if (isMarked) yield `% ${each.message}${near}\n`;
}
