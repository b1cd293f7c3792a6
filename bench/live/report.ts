/** Results of the live benches: samples of contenders, their medians, as a table and as JSON. */
import { median } from "../measure.js";
import { digits } from "../report.js";

export type Unit =
  | "packets/s"
  | "sessions/s"
  | "connections/s"
  | "Gbit/s"
  | "us"
  | "ms"
  | "connections"
  | "bytes"
  | "s"
  | "sessions"
  | "packets";

/** What is asked of every contender. */
export interface Question {
  readonly name: string;
  readonly unit: Unit;
  readonly isLessBetter?: boolean;
  /** Of many samples the worst counts, not the one in the middle: what may not happen at all. */
  readonly isWorstShown?: boolean;
}

export interface Result extends Question {
  readonly contender: string;
  /** The median of the samples, or the worst of them. */
  readonly value: number;
  readonly samples: readonly number[];
  /** What kept it from more: `firewall`, `generator`; and what else is worth knowing. */
  readonly notes: readonly string[];
}

/** Collects samples while the contenders take turns. */
export class Results {
  readonly #questions = new Map<string, Question>();
  readonly #samples = new Map<
    string,
    { contender: string; question: string; values: number[]; notes: Set<string> }
  >();

  add(question: Question, contender: string, value: number, ...notes: readonly (string | undefined)[]): void {
    this.#questions.set(question.name, question);
    const key = `${question.name} ${contender}`;
    let entry = this.#samples.get(key);
    if (entry === undefined) {
      entry = { contender, question: question.name, values: [], notes: new Set() };
      this.#samples.set(key, entry);
    }
    entry.values.push(value);
    console.error(`  ${question.name}, ${contender}: ${shown(value)} ${question.unit}`);
    for (const note of notes) if (note !== undefined) entry.notes.add(note);
  }

  rows(): Result[] {
    return [...this.#samples.values()].map(({ contender, question, values, notes }) => ({
      ...this.#questions.get(question)!,
      contender,
      value: this.#questions.get(question)!.isWorstShown ? Math.max(...values) : median(values),
      samples: values,
      notes: [...notes],
    }));
  }
}

/** Access to the values of a run. */
export class Values {
  readonly #rows: ReadonlyMap<string, Result>;

  constructor(rows: readonly Result[]) {
    this.#rows = new Map(rows.map((row) => [`${row.name} ${row.contender}`, row]));
  }

  of(name: string, contender: string): number | undefined {
    return this.#rows.get(`${name} ${contender}`)?.value;
  }

  /** How many times what another contender has, or the same one elsewhere. */
  times(name: string, contender: string, other: string, otherName = name): number | undefined {
    const a = this.of(name, contender);
    const b = this.of(otherName, other);
    return a === undefined || b === undefined || b === 0 ? undefined : a / b;
  }
}

/** Thousands are shown as such: figures differ by orders of magnitude. */
function shown(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(0)} k` : digits(value);
}

/** One row a question, one column a contender. */
export function tableOf(rows: readonly Result[], contenders: readonly string[]): string {
  const questions = [...new Map(rows.map(({ name, unit }) => [name, unit]))];
  const values = new Values(rows);
  const present = contenders.filter((contender) => rows.some((row) => row.contender === contender));
  const lines = questions.map(([name, unit]) => {
    const cells = present.map((contender) => {
      const value = values.of(name, contender);
      return value === undefined ? "-" : shown(value);
    });
    return `| ${[name, unit, ...cells].join(" | ")} |`;
  });
  const head = `| ${["", "unit", ...present].join(" | ")} |`;
  return [head, `|${"---|".repeat(present.length + 2)}`, ...lines].join("\n");
}

/** A line for each result that had a limit or a note. */
export function notesOf(rows: readonly Result[]): string[] {
  return rows
    .filter(({ notes }) => notes.length > 0)
    .map(({ name, contender, notes }) => `${name}, ${contender}: ${notes.join("; ")}`);
}
