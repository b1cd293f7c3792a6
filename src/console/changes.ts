/**
 * Changes of the configuration by the console: each is checked and put in force whole, one after the other, and one that
 * is not confirmed in time is taken back, whoever made it and whether its session is still there.
 */
import { type Config, parse, show } from "../config/index.js";
import { formatDiagnostic } from "../config/diagnostics.js";
import type { Change as Effect } from "../node/plan-change.js";
import type { Applied, ConsoleBackend, Done, LogLine } from "./backend.js";
import { type Change, changesBetween } from "./diff.js";

/** Time to confirm a `configure replace` that names none. */
export const CONFIRM_MINUTES_DEFAULT = 5;
const MINUTE_MS = 60_000;

export type Replaced =
  | {
      readonly changes: readonly Change[];
      readonly effects: readonly Effect[];
      readonly confirmWithinMs?: number;
    }
  | { readonly problem: string };

/** What a configuration would change, and what that would do to the box. */
export type Compared =
  | { readonly changes: readonly Change[]; readonly effects: readonly Effect[] }
  | { readonly problem: string };

/** An edit that is in force, and what it did to the box; or why nothing has changed. */
export type Edited<T> =
  | { readonly result: T; readonly effects: readonly Effect[] }
  | { readonly problem: string };

type Refused = Extract<Applied, { readonly isApplied: false }>;

/** What is in force until somebody confirms it. */
interface Trial {
  /** The configuration before. */
  readonly before: string;
  readonly deadlineMs: number;
}

export class Changes {
  readonly #backend: ConsoleBackend;
  /** Called when `deadlineMs` has changed. */
  readonly #onDeadline: () => void;
  #trial: Trial | undefined;
  /** What is being done: changes wait for each other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(backend: ConsoleBackend, onDeadline: () => void = () => undefined) {
    this.#backend = backend;
    this.#onDeadline = onDeadline;
  }

  /** When `tick` is due, on the clock of the uptime. */
  get deadlineMs(): number {
    return this.#trial?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  /** Milliseconds that are left to confirm the last replacement; undefined: there is nothing to confirm. */
  get confirmWithinMs(): number | undefined {
    return this.#trial && Math.max(0, this.#trial.deadlineMs - this.#backend.clock().uptimeMs);
  }

  /** Makes a change of the configuration in force. `change` may be called later, with what is in force then. */
  edit<T>(change: (config: Config) => { readonly text?: string; readonly result: T }): Promise<Edited<T>> {
    return this.#inTurn(async () => {
      const { text, result } = change(await this.#backend.config());
      if (text === undefined) return { result, effects: [] };
      const applied = await this.#backend.applyConfig(text);
      return applied.isApplied ? { result, effects: applied.changes } : { problem: problemOf(applied) };
    });
  }

  /** What `replace` would do; nothing changes. */
  compare(text: string, file: string): Promise<Compared> {
    return this.#inTurn(async () => {
      const before = show(await this.#backend.config());
      const wanted = await this.read(text, file);
      if ("problem" in wanted) return wanted;
      const planned = await this.#backend.planConfig(wanted.text);
      return planned.isUsable
        ? { changes: changesBetween(before, wanted.text), effects: planned.changes }
        : { problem: problemOf({ ...planned, refusals: [] }) };
    });
  }

  /** Puts a whole configuration in force. `confirmMinutes`: it is taken back unless it is confirmed in that time. */
  replace(text: string, file: string, confirmMinutes: number | undefined): Promise<Replaced> {
    return this.#inTurn(async () => {
      if (this.#trial !== undefined) {
        return {
          problem: "a replacement waits to be confirmed; configure confirm or configure revert first",
        };
      }
      const before = show(await this.#backend.config());
      const wanted = await this.read(text, file);
      if ("problem" in wanted) return wanted;
      const changes = changesBetween(before, wanted.text);
      if (changes.length === 0) return { changes, effects: [] };
      const applied = await this.#backend.applyConfig(wanted.text);
      if (!applied.isApplied) return { problem: problemOf(applied) };
      const effects = applied.changes;
      if (confirmMinutes === undefined) return { changes, effects };
      const confirmWithinMs = confirmMinutes * MINUTE_MS;
      this.#setTrial({ before, deadlineMs: this.#backend.clock().uptimeMs + confirmWithinMs });
      return { changes, effects, confirmWithinMs };
    });
  }

  /** A configuration in its normal form, or the errors in it. */
  async read(text: string, file: string): Promise<{ readonly text: string } | { readonly problem: string }> {
    const { config, diagnostics } = parse(text, { file });
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    return errors.length > 0
      ? { problem: problemOf({ diagnostics: errors, refusals: [] }) }
      : { text: show(config) };
  }

  confirm(): Done {
    if (this.#trial === undefined) return { problem: "nothing waits to be confirmed" };
    this.#setTrial(undefined);
    return { text: "The configuration stays.\n" };
  }

  /** Takes the last replacement back now. */
  async revert(): Promise<Done> {
    return (await this.#takeBack(() => true)) ?? { problem: "nothing waits to be confirmed" };
  }

  /** Takes back what nobody has confirmed in time, and says so; undefined: nothing was due. */
  async tick(): Promise<Omit<LogLine, "dateMs"> | undefined> {
    const done = await this.#takeBack(({ deadlineMs }) => this.#backend.clock().uptimeMs >= deadlineMs);
    if (done === undefined) return undefined;
    const { problem } = done;
    const text =
      problem === undefined ? "not confirmed in time: taken back" : `cannot be taken back: ${problem}`;
    const severity = problem === undefined ? 5 : 3;
    return { severity, text: `%SYS-${severity}-CONFIG_ROLLBACK: configuration replacement ${text}` };
  }

  /** Undefined: there is nothing to take back, or it is not to be. */
  #takeBack(isWanted: (trial: Trial) => boolean): Promise<Done | undefined> {
    return this.#inTurn(async () => {
      const trial = this.#trial;
      if (trial === undefined || !isWanted(trial)) return undefined;
      this.#setTrial(undefined);
      const applied = await this.#backend.applyConfig(trial.before);
      if (!applied.isApplied) return { problem: problemOf(applied) };
      return { text: "The configuration is as it was before the replacement.\n" };
    });
  }

  #setTrial(trial: Trial | undefined): void {
    this.#trial = trial;
    this.#onDeadline();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** Problems that are named at most. */
const PROBLEMS_SHOWN = 10;

/** Why a configuration is not in force, as a person reads it: what is wrong with it, or what cannot be done live. */
export function problemOf({ diagnostics, refusals }: Omit<Refused, "isApplied">): string {
  const errors = diagnostics
    .filter(({ severity }) => severity === "error")
    .map((each) => (each.line > 0 ? formatDiagnostic(each) : each.message));
  const problems = [...errors, ...refusals.map(({ text }) => text)];
  const shown = problems.slice(0, PROBLEMS_SHOWN);
  const more = problems.length - shown.length;
  return [
    "the configuration is refused, and nothing has changed",
    ...shown,
    ...(more > 0 ? [`and ${more} more`] : []),
  ].join("\n");
}

/** One line for each thing that a configuration does to the box. */
export const effectLines = (effects: readonly Effect[]): string[] =>
  effects.map(({ effect, text }) => (effect === "refused" ? `refused: ${text}` : text));
