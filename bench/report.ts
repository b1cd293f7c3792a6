/** Rows of results: from races to figures, and from figures to text, JSON and the table of the README. */
import { type Contender, type Figure, type RaceOptions, race, ratio } from "./measure.js";

/** The baselines, in the order in which they are shown. */
export const BASELINES = ["touch", "native", "javascript"] as const;
export type Baseline = (typeof BASELINES)[number];

export interface Row {
  readonly name: string;
  readonly nsPerOperation: number;
  readonly p99: number;
  readonly samples: number;
  /** How many times as long as the baseline it takes; null where there is none. */
  readonly ratio: Readonly<Record<Baseline, number | null>>;
  /** The same against another build of the core. */
  readonly against?: number;
  /** How many times as long tshark takes. */
  readonly tshark?: number;
  /** Another way of doing it, in the same race, and how many times as long as that this takes. */
  readonly beside?: { readonly name: string; readonly times: number };
  /** Bytes of what was compiled, and how long that took. */
  readonly compiled?: { readonly bytes: number; readonly ms: number };
  /** What else is worth knowing. */
  readonly note?: string;
}

/** A benchmark file: the names of its rows, and how to come by those that are wanted. */
export interface Question {
  readonly names: readonly string[];
  measure(wanted: (name: string) => boolean): AsyncGenerator<Row, void, undefined>;
}

/** The contender that is the product. */
export const PRODUCT = "twinwall";

/** Lets the contenders race; the row is about `product`. */
export async function measureRow(
  name: string,
  contenders: readonly Contender[],
  options: RaceOptions,
  product = PRODUCT,
): Promise<Row> {
  return rowOf(name, await race(contenders, options), product);
}

/** `beside`: a contender that the row is to be compared with besides the baselines. */
export function rowOf(
  name: string,
  figures: ReadonlyMap<string, Figure>,
  product = PRODUCT,
  beside?: string,
): Row {
  const own = figures.get(product)!;
  const to = (other: string): number | null => {
    const figure = figures.get(other);
    return figure === undefined ? null : ratio(own, figure);
  };
  return {
    name,
    nsPerOperation: own.median,
    p99: own.p99,
    samples: own.samples,
    ratio: { touch: to("touch"), native: to("native"), javascript: to("javascript") },
    against: to("against") ?? undefined,
    ...(beside !== undefined && { beside: { name: beside, times: to(beside)! } }),
  };
}

/** What stands in the file of `--json`. */
export function jsonOf(rows: readonly Row[]): string {
  const round = (value: number): number => Number(value.toPrecision(5));
  const plain = rows.map(({ name, nsPerOperation, p99, samples, ratio: ratios, beside }) => ({
    name,
    nsPerOperation: round(nsPerOperation),
    p99: round(p99),
    samples,
    ratio: Object.fromEntries(
      BASELINES.map((each) => [each, ratios[each] === null ? null : round(ratios[each])]),
    ),
    ...(beside && { beside: { name: beside.name, times: round(beside.times) } }),
  }));
  return `[\n${plain.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}\n]\n`;
}

const COLUMNS = ["name", "ns", "p99", "million/s", "n", ...BASELINES.map((each) => `x ${each}`)];
const WIDTHS = [26, 12, 12, 11, 5, 9, 9, 13];

export const HEADER = COLUMNS.map((column, i) => pad(column, i)).join("");

export function lineOf(row: Row): string {
  const cells = [
    row.name,
    digits(row.nsPerOperation),
    digits(row.p99),
    digits(1000 / row.nsPerOperation),
    String(row.samples),
    ...BASELINES.map((each) => (row.ratio[each] === null ? "-" : row.ratio[each].toFixed(2))),
  ];
  const extra = [
    row.against === undefined ? [] : [`${row.against.toFixed(3)} x against`],
    row.beside === undefined ? [] : [`${row.beside.times.toFixed(3)} x ${row.beside.name}`],
    row.note ?? [],
  ].flat();
  return cells.map((cell, i) => pad(cell, i)).join("") + (extra.length > 0 ? `  ${extra.join("; ")}` : "");
}

function pad(text: string, column: number): string {
  return column === 0 ? text.padEnd(WIDTHS[0]!) : text.padStart(WIDTHS[column]!);
}

/** Three significant digits or so. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
