/** What stands behind the `|` of a command: which lines of its output are shown, or its data as JSON. */
import { compilePattern, type Pattern } from "./regex.js";

export const FILTERS = {
  begin: "from the first line that matches",
  count: "number of lines that match",
  exclude: "lines that do not match",
  include: "lines that match",
  section: "lines that match, with the indented lines below each",
} as const satisfies Record<string, string>;
export type FilterName = keyof typeof FILTERS;
export const FILTER_NAMES = Object.keys(FILTERS) as readonly FilterName[];

/** The filter that is none: the data of the command, for programs. */
export const JSON_FILTER = "json";

export type Filter =
  | { readonly name: typeof JSON_FILTER }
  | { readonly name: FilterName; readonly pattern: Pattern };

export interface Piped {
  readonly command: string;
  readonly filter?: Filter;
}

export interface PipeProblem {
  /** Column (from 0) of what does not fit. */
  readonly start: number;
  readonly problem: string;
}

/** Where the filter of a line begins, or -1: at a `|` between spaces. */
export function pipeAt(line: string): number {
  const match = /(?<=\s)\|(?=\s|$)/.exec(line);
  return match?.index ?? -1;
}

/** Splits a line at its filter, and reads that. */
export function splitPipe(line: string): Piped | PipeProblem {
  const pipe = pipeAt(line);
  if (pipe < 0) return { command: line };
  const [, space, word, gap, expression] = /^(\s*)(\S*)(\s*)(.*)$/.exec(line.slice(pipe + 1))!;
  const start = pipe + 1 + space!.length;
  const command = line.slice(0, pipe);
  const names = [...FILTER_NAMES, JSON_FILTER].filter(
    (name) => word !== "" && name.startsWith(word!.toLowerCase()),
  );
  if (names.length !== 1)
    return { start, problem: word === "" ? "the filter is missing" : `no filter "${word}"` };
  const [name] = names;
  const after = start + word!.length + gap!.length;
  if (name === JSON_FILTER) {
    return expression === ""
      ? { command, filter: { name } }
      : { start: after, problem: "nothing follows json" };
  }
  if (expression === "") return { start: after, problem: `${name} needs a regular expression` };
  const pattern = compilePattern(expression!.trimEnd());
  if ("problem" in pattern) return { start: after, problem: pattern.problem };
  return { command, filter: { name: name as FilterName, pattern } };
}

/** Pieces of text to whole lines, each with its end. */
export async function* linesOf(
  pieces: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<string, void> {
  let rest = "";
  for await (const piece of pieces) {
    rest += piece;
    let from = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", from)) {
      yield rest.slice(from, end + 1);
      from = end + 1;
    }
    rest = rest.slice(from);
  }
  if (rest !== "") yield `${rest}\n`;
}

/** The lines that a filter lets through. */
export async function* filterLines(
  lines: AsyncIterable<string>,
  { name, pattern }: Exclude<Filter, { name: typeof JSON_FILTER }>,
): AsyncGenerator<string, void> {
  let count = 0;
  let hasBegun = false;
  let sectionIndent: number | undefined;
  for await (const line of lines) {
    const body = line.slice(0, -1);
    const isMatch: boolean = (name !== "begin" || !hasBegun) && pattern.test(body);
    switch (name) {
      case "begin":
        hasBegun ||= isMatch;
        if (hasBegun) yield line;
        break;
      case "count":
        if (isMatch) count++;
        break;
      case "exclude":
        if (!isMatch) yield line;
        break;
      case "include":
        if (isMatch) yield line;
        break;
      case "section": {
        const indent = body.length - body.trimStart().length;
        if (sectionIndent !== undefined && indent <= sectionIndent) sectionIndent = undefined;
        if (isMatch && sectionIndent === undefined) sectionIndent = indent;
        if (sectionIndent !== undefined) yield line;
        break;
      }
    }
  }
  if (name === "count") yield `Number of lines which match regexp = ${count}\n`;
}
