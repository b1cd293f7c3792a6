/** What differs between two configurations, line by line, each change under the headers of its block. */
import { text } from "./show/layout.js";

/** Edits after which no shortest list is looked for any more. */
const EDITS_MAX = 2000;

export interface Change {
  readonly kind: "added" | "removed";
  readonly line: string;
  /** Headers of the blocks that it stands in. */
  readonly within: readonly string[];
}

/** The lines without separators, which say nothing. */
const linesOf = (config: string): string[] =>
  config.split("\n").filter((line) => !/^\s*(!.*|end)?$/.test(line));

/** The changes that make `after` of `before`, in the order of the text. */
export function changesBetween(before: string, after: string): Change[] {
  const a = linesOf(before);
  const b = linesOf(after);
  const contextA = contexts(a);
  const contextB = contexts(b);
  // Equal lines in different blocks are different lines.
  const keysA = a.map((line, i) => [...contextA[i]!, line].join("\n"));
  const keysB = b.map((line, i) => [...contextB[i]!, line].join("\n"));
  return edits(keysA, keysB).map(({ kind, at }) =>
    kind === "removed"
      ? { kind, line: a[at]!, within: contextA[at]! }
      : { kind, line: b[at]!, within: contextB[at]! },
  );
}

function contexts(lines: readonly string[]): string[][] {
  const open: string[] = [];
  return lines.map((line) => {
    const depth = line.length - line.trimStart().length;
    open.length = Math.min(open.length, depth);
    const within = [...open];
    open.push(line);
    return within;
  });
}

interface Edit {
  readonly kind: Change["kind"];
  readonly at: number;
}

/** The shortest list of edits (Myers 1986); where that is long, whole runs of lines out and in. */
function edits(a: readonly string[], b: readonly string[]): Edit[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let tail = 0;
  while (tail < a.length - start && tail < b.length - start && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const n = a.length - start - tail;
  const m = b.length - start - tail;
  // reach[k + offset]: how far down the first list diagonal k has come; trace[d]: before the edits numbered d.
  const offset = Math.min(n + m, EDITS_MAX) + 1;
  const reach = new Int32Array(2 * offset + 1).fill(-1);
  reach[1 + offset] = 0;
  const trace: Int32Array[] = [];
  for (let d = 0; d < offset; d++) {
    trace.push(reach.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = isDown(k, d, reach[k - 1 + offset]!, reach[k + 1 + offset]!);
      let x = down ? reach[k + 1 + offset]! : reach[k - 1 + offset]! + 1;
      while (x < n && x - k < m && a[start + x] === b[start + x - k]) x++;
      reach[k + offset] = x;
      if (x >= n && x - k >= m) return backtrack(trace, n, m, start);
    }
  }
  const run = (kind: Edit["kind"], count: number) =>
    Array.from({ length: count }, (_, i) => ({ kind, at: start + i }));
  return [...run("removed", n), ...run("added", m)];
}

/** Whether diagonal `k` is reached from the one above, by a line of the second list. */
function isDown(k: number, d: number, left: number, right: number): boolean {
  return k === -d || (k !== d && left < right);
}

function backtrack(trace: readonly Int32Array[], n: number, m: number, start: number): Edit[] {
  const found: Edit[] = [];
  let [x, y] = [n, m];
  for (let d = trace.length - 1; d > 0; d--) {
    const reach = trace[d]!;
    const at = (k: number) => reach[k + d + 1]!;
    const k = x - y;
    const down = isDown(k, d, at(k - 1), at(k + 1));
    const from = down ? k + 1 : k - 1;
    const fromX = at(from);
    if (down) found.push({ kind: "added", at: start + fromX - from });
    else found.push({ kind: "removed", at: start + fromX });
    [x, y] = [fromX, fromX - from];
  }
  return found.reverse();
}

export function diffText(changes: readonly Change[]): string {
  const lines: string[] = [];
  let within: readonly string[] = [];
  for (const { kind, line, within: blocks } of changes) {
    const common = blocks.findIndex((header, i) => header !== within[i]);
    for (const header of common < 0 ? [] : blocks.slice(common)) lines.push(` ${header}`);
    // A line that changed may be the header of those that follow.
    within = [...blocks, line];
    lines.push(`${kind === "added" ? "+" : "-"}${line}`);
  }
  return text(lines);
}
