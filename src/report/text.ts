/**
 * Text for a terminal: numbers as people read them, aligned tables, and nothing in it that could drive the terminal.
 * The pieces of a report are made here; what they say is decided by the files beside this one.
 */

/** Columns that every report fits into. */
export const WIDTH = 100;

/** How parts of a text are set off. The identity when colours are not wanted. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const same = (text: string) => text;
export const NO_PAINT: Paint = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

/** 1234567 -> "1,234,567". Whole numbers. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 packet", "2 packets". */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${grouped(count)} ${count === 1 ? singular : plural}`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Decimal units and at most three digits: 999 -> "999 B", 8912345 -> "8.91 MB". */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : threeDigits(value)} ${BYTE_UNITS[unit]}`;
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** The share of a whole: "12.3 %", "<0.1 %"; "-" of nothing. */
export function shareText(part: number, whole: number): string {
  if (whole === 0) return "-";
  const percent = (100 * part) / whole;
  return part > 0 && percent < 0.05 ? "<0.1 %" : `${percent.toFixed(1)} %`;
}

/** A time span: "0.012 s", "35.2 s", "12:05", "3:04:05", "2 d 03:04:05". */
export function spanText(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(3) : seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600) % 24;
  const clock = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  const days = Math.floor(whole / 86_400);
  if (days > 0) return `${days} d ${two(hours)}:${clock}`;
  return hours > 0 ? `${hours}:${clock}` : clock.replace(/^0/, "");
}

/** The text in lines of at most `width` columns, broken at spaces; a longer word stands alone. At least one line. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

export interface Column {
  readonly align: "left" | "right";
  /** The heading; a table of which no column has one gets no heading line. */
  readonly title?: string;
  /** Set off all cells of the column. */
  readonly paint?: (text: string) => string;
}

export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

export interface TableOptions {
  /** Spaces in front of each line. */
  readonly indent?: number;
  readonly paint?: Paint;
  /** Columns that a line may take. */
  readonly width?: number;
}

const GAP = 2;
/** What stands for the cut-off end of a text. */
const ELLIPSIS = "…";
/** No column is made narrower than this to fit. */
const NARROWEST = 8;

/**
 * Lines of aligned columns, none with spaces at its end. When they do not fit, the widest left-aligned column gives
 * up as many characters as are needed.
 */
export function table(
  columns: readonly Column[],
  rows: readonly Cell[][],
  options: TableOptions = {},
): string[] {
  const { indent = 2, paint = NO_PAINT, width = WIDTH } = options;
  const titled = columns.some((column) => column.title !== undefined);
  const head: Cell[] = columns.map((column) => ({ text: column.title ?? "", paint: paint.dim }));
  const all = titled ? [head, ...rows] : rows;
  const widths = columns.map((_, c) => Math.max(0, ...all.map((row) => textOf(row[c]).length)));
  shrink(widths, columns, width - indent);
  return all.map((row) => {
    const cells = columns.map((column, c) => layOut(row[c], column, widths[c]!));
    return " ".repeat(indent) + cells.join(" ".repeat(GAP)).trimEnd();
  });
}

function shrink(widths: number[], columns: readonly Column[], room: number): void {
  const excess = () => widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1)) - room;
  for (let over = excess(); over > 0; over = excess()) {
    const widest = widths
      .map((width, c) => (columns[c]!.align === "left" ? width : 0))
      .reduce((best, width, c, all) => (width > all[best]! ? c : best), 0);
    if (columns[widest]!.align !== "left" || widths[widest]! <= NARROWEST) return;
    widths[widest] = Math.max(NARROWEST, widths[widest]! - over);
  }
}

const textOf = (cell: Cell | undefined): string => (typeof cell === "object" ? cell.text : (cell ?? ""));

function layOut(cell: Cell | undefined, column: Column, width: number): string {
  const whole = textOf(cell);
  const text = whole.length > width ? whole.slice(0, width - 1) + ELLIPSIS : whole;
  const paint = text === "" ? same : typeof cell === "object" ? cell.paint : (column.paint ?? same);
  const space = " ".repeat(width - text.length);
  // The spaces stay outside, so that nothing but text is set off.
  return column.align === "right" ? space + paint(text) : paint(text) + space;
}
