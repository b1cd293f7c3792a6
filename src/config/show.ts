/**
 * Configuration to text, in the order of IOS: the rows of the table in their order, each writing what it reads, and
 * the kept lines in the place of their row. `parse` reads the text back to the same configuration.
 */
import type { Mode, Row } from "./command.js";
import { GRAMMAR, SECTIONS } from "./commands/index.js";
import { polarityOf, splitWords } from "./grammar.js";
import { blockPath } from "./kept.js";
import type { Config, KeptLine } from "./model.js";

/** The running configuration as text, with a line end after each line. */
export function show(config: Config): string {
  const writer = new Writer(config, true);
  writer.global();
  return `${writer.lines.join("\n")}\n`;
}

/** The kept lines in the order in which `show` writes them; those of a block that is gone are left out. */
export function keptInOrder(config: Config): KeptLine[] {
  const writer = new Writer(config, false);
  writer.global();
  return writer.kept;
}

/** Neighbouring rows that are written together: one row, or all that share their `each`. */
type Run = readonly [Row, ...Row[]];

function runsOf(rows: readonly Row[]): Run[] {
  const runs: [Row, ...Row[]][] = [];
  for (const row of rows) {
    const last = runs[runs.length - 1];
    if (row.each !== undefined && last?.[0].each === row.each) last.push(row);
    else runs.push([row]);
  }
  return runs;
}

/** The rows of each mode in their order, section by section. */
const RUNS_BY_MODE = new Map<Mode, Run[][]>();
for (const section of SECTIONS) {
  for (const mode of new Set(section.map((row) => row.mode))) {
    const sections = RUNS_BY_MODE.get(mode) ?? [];
    sections.push(runsOf(section.filter((row) => row.mode === mode)));
    RUNS_BY_MODE.set(mode, sections);
  }
}

class Writer {
  readonly lines: string[] = [];
  readonly kept: KeptLine[] = [];
  private readonly config: Config;
  /** Without it only `kept` is wanted. */
  private readonly full: boolean;
  /** Kept lines that are not written yet, by block. */
  private readonly waiting = new Map<string | undefined, KeptLine[]>();

  constructor(config: Config, full: boolean) {
    this.config = config;
    this.full = full;
    for (const line of config.kept) {
      const lines = this.waiting.get(line.block);
      if (lines) lines.push(line);
      else this.waiting.set(line.block, [line]);
    }
  }

  global(): void {
    this.separate();
    this.mode("global", this.config, undefined, 0);
    this.lines.push("end");
  }

  private separate(): void {
    if (this.lines[this.lines.length - 1] !== "!") this.lines.push("!");
  }

  private mode(mode: Mode, scope: unknown, path: string | undefined, depth: number): void {
    const { byRow, others } = this.keptOf(mode, path);
    // Lines that no row knows come first: after an inner block, a command of that block might read them.
    for (const line of others) this.keptLine(line, "opaque", path, depth);
    if (depth === 0) this.separate();
    for (const runs of RUNS_BY_MODE.get(mode) ?? []) {
      for (const run of runs) {
        const [first] = run;
        if (first.each) this.items(run, first.each(scope), depth);
        else this.row(first, scope, byRow.get(first), path, depth);
      }
      if (depth === 0) this.separate();
    }
  }

  private items(run: Run, items: Iterable<unknown>, depth: number): void {
    if (!this.full) return;
    for (const item of items) {
      for (const row of run) this.write(row.show?.(item, this.config), depth);
    }
  }

  private row(
    row: Row,
    scope: unknown,
    kept: readonly KeptLine[] | undefined,
    path: string | undefined,
    depth: number,
  ): void {
    for (const line of kept ?? []) this.keptLine(line, row.enters, path, depth);
    if (this.full) this.write(row.show?.(scope, this.config), depth);
    if (!row.blocks) return;
    for (const child of row.blocks(scope, this.config)) {
      const header = row.header!(child);
      this.write([header], depth);
      this.mode(row.enters!, child, blockPath(path, header), depth + 1);
      if (depth === 0) this.separate();
    }
  }

  private keptLine(line: KeptLine, enters: Mode | undefined, path: string | undefined, depth: number): void {
    this.kept.push(line);
    const [first, ...more] = line.text.split("\n");
    this.write([first!], depth);
    this.lines.push(...more);
    if (!enters) return;
    const before = this.lines.length;
    this.mode(enters, this.config, blockPath(path, line.text), depth + 1);
    if (depth === 0 && this.lines.length > before) this.separate();
  }

  private write(lines: readonly string[] | undefined, depth: number): void {
    for (const line of lines ?? []) this.lines.push(" ".repeat(depth) + line);
  }

  /** The kept lines of a block, each with the row that knows it. */
  private keptOf(mode: Mode, path: string | undefined): { byRow: Map<Row, KeptLine[]>; others: KeptLine[] } {
    const byRow = new Map<Row, KeptLine[]>();
    const others: KeptLine[] = [];
    for (const line of this.waiting.get(path) ?? []) {
      const row = rowOf(mode, line.text);
      if (row === undefined) others.push(line);
      else if (byRow.has(row)) byRow.get(row)!.push(line);
      else byRow.set(row, [line]);
    }
    this.waiting.delete(path);
    return { byRow, others };
  }
}

/** The row that keeps this line in this mode. */
function rowOf(mode: Mode, text: string): Row | undefined {
  const words = splitWords(text);
  const { polarity, from } = polarityOf(words[0]?.text);
  const outcome = GRAMMAR.match(mode, polarity, text, words, from);
  if (!("match" in outcome)) return undefined;
  const { row } = outcome.match;
  return row.note !== undefined || row.refuse !== undefined ? row : undefined;
}
