/**
 * What a command of the console is: one row of the table. Its syntax string is grammar, help and completion, as in the
 * table of the configuration. A command that shows something has two steps, from the box to data and from data to text,
 * so that every one of them can be had as JSON.
 */
import type { SyntaxRow } from "../config/grammar.js";
import type { ConsoleBackend } from "./backend.js";
import type { Changes } from "./changes.js";
import type { ConsoleArguments } from "./types.js";

/** What a terminal has of its own, which commands may change. */
export interface Terminal {
  /** Lines after which a pause is made; 0: none. */
  length: number;
  /** Log lines are printed as they come. */
  isMonitoring: boolean;
  readonly history: readonly string[];
}

/** What commands that are about the session itself want of it. */
export type Wish = "configure" | "exit" | "disable" | "enable";

/** What a command has to work with. */
export interface Workplace {
  readonly backend: ConsoleBackend;
  readonly changes: Changes;
  readonly terminal: Terminal;
}

/** Pieces of text, whole lines or not. */
export type Pieces = string | AsyncIterable<string>;

export interface Answer {
  /** For programs; made only when it is asked for. An async iterable is a list. */
  data?(): unknown;
  text?(): Pieces;
  /** Why nothing was done, in words; shown as `% PROBLEM`. */
  readonly problem?: string;
  readonly wish?: Wish;
}

export interface ExecRow extends SyntaxRow {
  readonly mode: "exec";
  /** The command is there without `enable`. */
  readonly isForAll?: boolean;
  /** A line that the row reads. */
  readonly example: string;
  run(args: unknown, place: Workplace): Promise<Answer>;
  undo?(args: unknown, place: Workplace): Promise<Answer>;
}

interface Common<S extends string> {
  readonly syntax: S;
  readonly help: string;
  readonly example: string;
  readonly isForAll?: boolean;
}

/** A view that is one, and no problem. */
type Shown<V> = Exclude<V, { readonly problem: string }>;

interface ShowRow<S extends string, V> extends Common<S> {
  /** What there is to show, as data, or a problem. */
  view(args: ConsoleArguments<S>, place: Workplace): Promise<V>;
  text(view: Shown<V>, args: ConsoleArguments<S>, place: Workplace): Pieces;
  /** Where JSON shows something else than the view. */
  data?(view: Shown<V>, args: ConsoleArguments<S>): unknown;
}

const isProblem = (value: unknown): value is { readonly problem: string } =>
  typeof value === "object" && value !== null && "problem" in value && typeof value.problem === "string";

/** A command that shows something. */
export function show<const S extends string, V>(given: ShowRow<S, V>): ExecRow {
  const { view: viewOf, text, data, ...common } = given;
  return {
    mode: "exec",
    ...common,
    async run(args, place) {
      const given = args as ConsoleArguments<S>;
      const found = await viewOf(given, place);
      if (isProblem(found)) return { problem: found.problem };
      const view = found as Shown<V>;
      return {
        data: () => (data === undefined ? view : data(view, given)),
        text: () => text(view, given, place),
      };
    },
  };
}

/** What a command that does something says: nothing, a text, or why it did not. */
export type Said =
  | undefined
  | string
  | { readonly problem: string }
  | { readonly text?: string; readonly wish?: Wish; readonly data?: unknown };

interface ActRow<S extends string> extends Common<S> {
  run(args: ConsoleArguments<S>, place: Workplace): Promise<Said> | Said;
  /** The same with `no` in front, where there is that. */
  undo?(args: ConsoleArguments<S>, place: Workplace): Promise<Said> | Said;
}

/** A command that does something. */
export function act<const S extends string>(given: ActRow<S>): ExecRow {
  const { run, undo, ...common } = given;
  return {
    mode: "exec",
    ...common,
    run: async (args, place) => answerOf(await run(args as ConsoleArguments<S>, place)),
    ...(undo && {
      undo: async (args: unknown, place: Workplace) =>
        answerOf(await undo(args as ConsoleArguments<S>, place)),
    }),
  };
}

function answerOf(said: Said): Answer {
  if (said === undefined) return {};
  if (typeof said === "string") return { text: () => said, data: () => ({ text: said }) };
  if (isProblem(said)) return { problem: said.problem };
  const { text, wish, data } = said;
  return {
    ...(text !== undefined && { text: () => text }),
    data: () => data ?? (text === undefined ? {} : { text }),
    ...(wish !== undefined && { wish }),
  };
}
