/**
 * Text to configuration. The mode of a line is decided by its keywords, never by its indent alone: a line is looked for
 * in the current block, then in the blocks around it. The indent only tells what belongs to a block whose commands are
 * not known. Nothing throws, whatever the text.
 */
import { type Context, isFailure, MODES, type Mode, type Row } from "./command.js";
import { GRAMMAR } from "./commands/index.js";
import {
  LINE_MAX,
  type Match,
  type Mismatch,
  type Polarity,
  polarityOf,
  splitWords,
  type Word,
} from "./grammar.js";
import { blockPath, KeptLines } from "./kept.js";
import { describeMismatch, type Problem } from "./mismatch.js";
import type { Config, Diagnostic, KeptLine } from "./model.js";
import { keptInOrder } from "./show.js";

/** Errors after which the rest of a text is not read. */
export const ERRORS_MAX = 100;
/** Most warnings and notes that are reported. */
export const WARNINGS_MAX = 1000;

export interface ParseOptions {
  /** Name of the file, for messages. */
  file?: string;
  /** Keep unknown commands with a note instead of reporting an error. */
  lenient?: boolean;
}

export interface ParseResult {
  config: Config;
  /** In the order of the lines. Without one of severity "error" the whole text is in `config`. */
  diagnostics: Diagnostic[];
}

/** A configuration in which nothing is said. */
export function emptyConfig(file = ""): Config {
  return {
    file,
    timestamps: {},
    interfaces: new Map(),
    routes: [],
    accessLists: new Map(),
    accessLists6: new Map(),
    objectGroups: new Map(),
    timeRanges: new Map(),
    inspect: {},
    inspectRules: new Map(),
    inspectRules6: new Map(),
    portMap: [],
    logging: { hosts: [], levels: new Map() },
    accessListLog: {},
    lines: [],
    keyChains: new Map(),
    kept: [],
  };
}

/**
 * Reads a running configuration. Every line is applied whole or not at all. Console prompts and the preamble of
 * `show running-config` are passed over.
 */
export function parse(text: string, options: ParseOptions = {}): ParseResult {
  const parser = new Parser(options);
  parser.read(text);
  return parser.finish();
}

/** A block that is open: the mode its lines are read in, and what they act on. */
interface Block {
  mode: Mode;
  scope: unknown;
  /** Headers of the blocks around and of this one; undefined at the top. */
  path: string | undefined;
  /** The line that began it, its keywords in full; empty at the top. */
  header: string;
  /** Spaces before the header. */
  indent: number;
  /** What becomes of deeper lines that are not known: nothing (the block was refused) or kept. */
  unknown?: "drop" | "keep";
  /** A line of the block was deeper than its header, so its indents can be trusted. */
  deeper: boolean;
  /** A `!` stood after the header. */
  separated: boolean;
}

const PREAMBLE =
  /^(building configuration\.\.\.|current configuration ?: \d+ bytes|using \d+ (out )?of \d+ bytes)/i;
const PROMPT = /^([A-Za-z0-9][\w.-]{0,62})(\([\w-]+\))?[#>]/;
/** Everything below a space but the tab, and the C1 controls. */
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/;
const BYTE_ORDER_MARK = "\ufeff";
/** Most characters of a line that a diagnostic repeats. */
const DIAGNOSTIC_TEXT_MAX = 1000;

const NOT_UNDERSTOOD = "not understood, and without effect";
const ignored = (note: string) => `no effect here: ${note}`;

/** The line that is being read. */
interface Line {
  number: number;
  text: string;
  words: readonly Word[];
  /** Spaces before the first word. */
  indent: number;
  polarity: Polarity;
  /** Index of the first word after `no` or `default`. */
  from: number;
}

/** Reads a text line by line. `edit` (edit.ts) goes on with a configuration that there is. */
export class Parser {
  private readonly config: Config;
  private readonly lenient: boolean;
  private readonly diagnostics: Diagnostic[] = [];
  private errors = 0;
  private warnings = 0;
  private readonly stack: Block[];
  private readonly kept: KeptLines;
  /** A command was read; prompts before it are those of the console. */
  private started: boolean;
  /** `end` was read. */
  private ended = false;
  /** Nothing more is to be read. */
  private done = false;
  /** A text that goes on until its delimiter, and the line that began it. */
  private delimited:
    | { kept: KeptLine; header: string; delimiter: string; line: Line; start: number }
    | undefined;

  /** `base`: what is read is added to this one. */
  constructor(options: ParseOptions, base?: Config) {
    this.config = base ?? emptyConfig(options.file ?? "");
    this.lenient = options.lenient ?? false;
    this.started = base !== undefined;
    this.kept = new KeptLines(base?.kept);
    this.stack = [blockOf("global", this.config, -1)];
  }

  /** The blocks that are open, outermost first. */
  get blocks(): readonly Readonly<Block>[] {
    return this.stack;
  }

  /** Why the words of the last line that did not fit did not. */
  mismatch: Mismatch["reason"] | undefined;

  /** A text goes on until its delimiter comes. */
  get isTextOpen(): boolean {
    return this.delimited !== undefined;
  }

  read(text: string): void {
    const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    const lineEnd = /\r\n|\n|\r|$/g;
    for (let from = 0, number = 1; !this.done; number++) {
      lineEnd.lastIndex = from;
      const end = lineEnd.exec(body)!;
      this.readLine(number, body.slice(from, end.index));
      from = end.index + end[0].length;
      this.done ||= end[0] === "" || from === body.length;
      if (this.errors >= ERRORS_MAX && !this.done) {
        const message = `${ERRORS_MAX} errors: the rest of the text was not read`;
        this.report("error", number, "", { start: 0, length: 1, message });
        this.done = true;
      }
    }
  }

  finish(): ParseResult {
    if (this.delimited) {
      const { line, start, delimiter, header } = this.delimited;
      this.kept.forget(undefined, header);
      const message = `the text has no end: nothing repeats ${delimiter}`;
      this.report("error", line.number, line.text, { start, length: line.text.length - start, message });
    }
    this.config.kept = this.kept.list();
    if (this.config.kept.length > 0) this.config.kept = keptInOrder(this.config);
    return { config: this.config, diagnostics: this.diagnostics };
  }

  private get top(): Block {
    return this.stack[this.stack.length - 1]!;
  }

  /** What is decided before the words: characters, length, comments, prompts. */
  private readLine(number: number, text: string): void {
    const control = CONTROL.exec(text);
    if (control) {
      const code = control[0].charCodeAt(0).toString(16).padStart(2, "0");
      const message = `control character 0x${code}`;
      this.unreadable(number, text, { start: control.index, length: 1, message });
      return;
    }
    if (this.delimited) {
      this.delimited.kept.text += `\n${text}`;
      if (text.includes(this.delimited.delimiter)) this.delimited = undefined;
      return;
    }
    const prompt = PROMPT.exec(text);
    // At an exec prompt stand commands that are not part of the configuration.
    const exec = prompt && prompt[2] === undefined;
    if (exec && (!this.started || this.ended || prompt[1] === this.config.hostname)) return;
    const start = prompt && !exec ? prompt[0].length : 0;
    const command = text.slice(start).trim();
    if (command === "" || PREAMBLE.test(command)) return;
    if (command.startsWith("!")) {
      if (command === "!") for (const block of this.stack) block.separated = true;
      return;
    }
    const indent = text.indexOf(command, start);
    if (command.length > LINE_MAX) {
      const message = `the line is longer than ${LINE_MAX} characters`;
      this.unreadable(number, text, { start: indent + LINE_MAX, length: 1, message });
      return;
    }
    const words = splitWords(command).map((word) => ({ text: word.text, start: word.start + indent }));
    const line = { number, text, words, indent: indent - start, ...polarityOf(words[0]!.text) };
    if (this.ended) {
      this.report("warning", number, text, { ...extentOf(line), message: "text after `end` is not read" });
      this.done = true;
    } else this.readWords(line);
  }

  /** A line whose words are not looked at. It may have been a header, so it ends the block before it as one does. */
  private unreadable(number: number, text: string, problem: Problem): void {
    this.report("error", number, text, problem);
    const indent = text.length - text.trimStart().length;
    this.stack.length = this.ownerOf(indent) + 1;
    if (this.top.mode === "global") this.enterOpaque(indent, text, "drop");
  }

  private readWords(line: Line): void {
    this.started = true;
    const only = line.words.length === 1 ? line.words[0]!.text.toLowerCase() : "";
    if (only === "end") this.ended = true;
    else if (only === "exit" || only === "quit") {
      if (this.stack.length > 1) this.stack.pop();
    } else this.command(line);
  }

  /**
   * Finds the block that knows the line; the blocks inside it end. A line whose words are all in full goes to the
   * innermost block that has them in full: `ip route` is not short for an interface's `ip route-cache`.
   */
  private command(line: Line): void {
    let short: { match: Match; depth: number } | undefined;
    const mismatches: Mismatch[] = [];
    for (let depth = this.stack.length - 1; depth >= 0; depth--) {
      const block = this.stack[depth]!;
      const outcome = GRAMMAR.match(block.mode, line.polarity, line.text, line.words, line.from);
      if ("match" in outcome) {
        const found = { match: outcome.match, depth };
        if (found.match.exact) {
          this.applyIn(found.depth, found.match, line);
          return;
        }
        short ??= found;
      } else mismatches[depth] = outcome.mismatch;
      if (short === undefined && block.unknown !== undefined && line.indent > block.indent) {
        this.stack.length = depth + 1;
        if (block.unknown === "keep")
          this.kept.add(keptLine(line, block, "note", ignored("part of this block")));
        return;
      }
    }
    if (short) this.applyIn(short.depth, short.match, line);
    else this.unknown(mismatches, line);
  }

  /**
   * A line that no row reads: an error, or kept when the caller is lenient and the command is not known at all. It
   * belongs to the block whose rows read most of it; among equals, to the one that its indent says.
   */
  private unknown(mismatches: readonly Mismatch[], line: Line): void {
    const furthest = Math.max(...mismatches.map((mismatch) => mismatch.at));
    const owner = this.ownerOf(line.indent);
    const known = furthest > line.from;
    if (!known || mismatches[owner]!.at === furthest) this.stack.length = owner + 1;
    else this.stack.length = mismatches.findLastIndex((mismatch) => mismatch.at === furthest) + 1;
    const mismatch = mismatches[this.stack.length - 1]!;
    this.mismatch = mismatch.reason;
    const block = this.top;
    const keep = this.lenient && !PROMPT.test(written(line)) && isUnknownCommand(mismatch, line.from);
    if (keep) this.kept.add(keptLine(line, block, "unknown", NOT_UNDERSTOOD));
    if (!keep || this.warnings < WARNINGS_MAX) {
      const firstWords = () => this.firstWords(line.polarity);
      const problem = describeMismatch(mismatch, line.text, line.words, line.from, firstWords);
      this.report(keep ? "note" : "error", line.number, line.text, problem);
    }
    // What follows a header that was not understood must not fall into the block before it.
    const header = known ? mismatch.rows().some((row) => row.enters !== undefined) : block.mode === "global";
    if (header) this.enterOpaque(line.indent, written(line), keep ? "keep" : "drop");
  }

  /** The depth of the block that an unknown line belongs to, by its indent and by the separators. */
  private ownerOf(indent: number): number {
    let depth = this.stack.length - 1;
    while (depth > 0) {
      const block = this.stack[depth]!;
      if (indent > block.indent || (!block.deeper && !block.separated && block.unknown === undefined)) break;
      depth--;
    }
    return depth;
  }

  private enterOpaque(indent: number, header: string, unknown: "drop" | "keep"): void {
    const path = blockPath(this.top.path, header);
    this.stack.push({ ...blockOf("opaque", this.config, indent, header, path), unknown });
  }

  private applyIn(depth: number, match: Match, line: Line): void {
    this.stack.length = depth + 1;
    const { row } = match;
    if (row.enters && MODES[this.top.mode].commandsOf) this.stack.pop();
    const block = this.top;
    if (line.indent > block.indent) block.deeper = true;
    if (row.refuse !== undefined) this.refuse(row, row.refuse, match, line);
    else if (match.text.length > LINE_MAX) {
      const message = `the line is longer than ${LINE_MAX} characters when written in full`;
      this.report("error", line.number, line.text, { ...extentOf(line), message });
    } else if (row.note !== undefined) this.note(row, row.note, match, line);
    else this.act(row, match, line);
  }

  private refuse(row: Row, reason: string, match: Match, line: Line): void {
    const block = this.top;
    if (line.polarity === "set") {
      this.report("error", line.number, line.text, { ...extentOf(line), message: `refused: ${reason}` });
      if (row.enters) this.enterOpaque(line.indent, match.text, "drop");
    } else if (line.polarity === "no") {
      this.kept.replace({
        ...keptLine(line, block, "note", ignored("there is nothing to remove")),
        text: `no ${match.text}`,
      });
    }
  }

  private note(row: Row, reason: string, match: Match, line: Line): void {
    const block = this.top;
    actionOf(row, line.polarity)?.(block.scope, match.args, this.context(line, []));
    if (line.polarity === "default") {
      this.kept.forget(block.path, match.text);
      return;
    }
    const text = line.polarity === "no" ? `no ${match.text}` : match.text;
    const kept = this.kept.replace({ ...keptLine(line, block, "note", ignored(reason)), text });
    if (line.polarity === "no") return;
    if (row.delimited) this.beginDelimited(kept, match, line);
    if (row.enters) {
      const path = blockPath(block.path, text);
      this.stack.push({ ...blockOf(row.enters, block.scope, line.indent, text, path), unknown: "keep" });
    }
  }

  private act(row: Row, match: Match, line: Line): void {
    const block = this.top;
    const warnings: string[] = [];
    // The grammar reads a line only for rows that have an action for it.
    const result = actionOf(row, line.polarity)!(block.scope, match.args, this.context(line, warnings));
    if (isFailure(result)) {
      const at = result.argument === undefined ? undefined : match.wordOf.get(result.argument);
      const word = at === undefined ? undefined : line.words[at];
      const extent = word ? { start: word.start, length: word.text.length } : extentOf(line);
      this.report("error", line.number, line.text, { ...extent, message: result.failure });
      if (row.enters) this.enterOpaque(line.indent, match.text, "drop");
      return;
    }
    for (const message of warnings)
      this.report("warning", line.number, line.text, { ...extentOf(line), message });
    if (row.enters && line.polarity === "set") {
      const path = row.header ? blockPath(block.path, row.header(result)) : block.path;
      this.stack.push(blockOf(row.enters, result, line.indent, match.text, path));
    }
  }

  private context(line: Line, warnings: string[]): Context {
    return { config: this.config, at: positionOf(line), warn: (message) => warnings.push(message) };
  }

  /** A text such as a banner's: `^C` or one character, the text, and the same again, perhaps lines later. */
  private beginDelimited(kept: KeptLine, match: Match, line: Line): void {
    const text = Object.values(match.args).at(-1) as string;
    const delimiter = text.slice(0, text.startsWith("^") ? 2 : 1);
    if (text.includes(delimiter, delimiter.length)) return;
    this.delimited = { kept, header: kept.text, delimiter, line, start: line.text.lastIndexOf(text) };
  }

  /** The words that a line could begin with here. */
  private firstWords(polarity: Polarity): string[] {
    const modes = new Set(this.stack.map((block) => block.mode));
    return [...modes].flatMap((mode) => GRAMMAR.firstKeywords(mode, polarity));
  }

  private report(severity: Diagnostic["severity"], line: number, text: string, problem: Problem): void {
    if (severity === "error") this.errors++;
    else if (++this.warnings > WARNINGS_MAX) return;
    const { start, length, message, expected, didYouMean } = problem;
    this.diagnostics.push({
      file: this.config.file,
      line,
      column: start + 1,
      length: Math.max(1, length),
      severity,
      message,
      expected: [...(expected ?? [])],
      ...(didYouMean !== undefined && { didYouMean }),
      text: text.slice(0, DIAGNOSTIC_TEXT_MAX),
    });
  }
}

/** Whether the words are no command at all, rather than a known one with a wrong argument. */
function isUnknownCommand({ at, reason, rows, expected }: Mismatch, from: number): boolean {
  if (reason !== "unknown") return false;
  return (
    at === from || (rows().length !== 1 && expected().every((expectation) => expectation.kind === "keyword"))
  );
}

function blockOf(mode: Mode, scope: unknown, indent: number, header = "", path?: string): Block {
  return { mode, scope, path, header, indent, deeper: false, separated: false };
}

const positionOf = (line: Line) => ({ line: line.number, column: line.words[0]!.start + 1 });

/** The line without its indent. */
const written = (line: Line) => line.text.slice(line.words[0]!.start).trimEnd();

function extentOf(line: Line): { start: number; length: number } {
  const first = line.words[0]!;
  const last = line.words[line.words.length - 1]!;
  return { start: first.start, length: last.start + last.text.length - first.start };
}

function keptLine(line: Line, { path }: Block, why: KeptLine["why"], note: string): KeptLine {
  return { at: positionOf(line), ...(path !== undefined && { block: path }), text: written(line), why, note };
}

/** What a row does for a line that begins with nothing, `no` or `default`. */
function actionOf(row: Row, polarity: Polarity): Row["set"] {
  if (polarity === "set") return row.set;
  if (polarity === "default" && row.reset) return row.reset;
  return row.unset ?? row.remove;
}
