/**
 * Lines typed one at a time into a configuration that is in force (`configure terminal`). The configuration that is
 * given is never changed: a line makes another one, or none.
 */
import type { Mode } from "./command.js";
import type { Config, Diagnostic } from "./model.js";
import { Parser } from "./parse.js";

export interface Edit {
  /** The configuration with the lines; to be used only when no diagnostic is an error and no text is open. */
  readonly config: Config;
  /** Of the new lines, which count from 1, and errors of the lines that lead to them, at line 0. */
  readonly diagnostics: readonly Diagnostic[];
  /** The mode that the next line is read in, and the lines that lead there from the top. */
  readonly mode: Mode;
  readonly path: readonly string[];
  /** The last line began a text (a banner) that goes on until its delimiter comes. */
  readonly isTextOpen: boolean;
  /** Why the words do not fit, where that is what is wrong. */
  readonly mismatch: Parser["mismatch"];
}

/** Reads `lines` in the mode that the lines of `path` lead to. All but the first belong to a text that it began. */
export function edit(config: Config, path: readonly string[], lines: readonly string[]): Edit {
  const parser = new Parser({ file: config.file }, structuredClone(config));
  // Deeper by one for each block, so that what is not known falls into the innermost.
  const [first = "", ...more] = lines;
  const indented = [...path, first].map((line, depth) => " ".repeat(depth) + line);
  parser.read([...indented, ...more].join("\n"));
  const { isTextOpen, mismatch } = parser;
  const blocks = parser.blocks.map(({ mode, header }) => ({ mode, header }));
  const { config: edited, diagnostics } = parser.finish();
  return {
    config: edited,
    diagnostics: diagnostics
      .filter(({ line, severity }) => line > path.length || severity === "error")
      .map((each) => ({
        ...each,
        line: Math.max(0, each.line - path.length),
        column: Math.max(1, each.column - path.length),
        text: each.text.slice(path.length),
      })),
    mode: blocks.at(-1)!.mode,
    path: blocks.slice(1).map(({ header }) => header),
    isTextOpen,
    mismatch,
  };
}
