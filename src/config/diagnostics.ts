/**
 * Problems with a text, as a person reads them: place, what is wrong, the line with a caret, what could have stood
 * there and the nearest word that does.
 */
import { printable } from "../printable.js";
import type { Diagnostic } from "./model.js";

/** Most columns of a line that are printed; of a longer one, those around the caret. */
const SHOWN_COLUMNS = 160;
/** Most alternatives that are printed. */
const EXPECTED_SHOWN = 12;
/** Longest word that a near miss is sought for. */
const NEAR_WORD_MAX = 40;

/**
 * The number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string
 * alignment distance).
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, before[j - 2]! + 1);
      }
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}

/** The candidate nearest to `word`, when it is near enough to be meant: one edit for each three letters. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length < 2 || word.length > NEAR_WORD_MAX) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.ceil(word.length / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * `file:line:column: error: message`, the line, a caret under the word, what was expected, and the near miss. Without
 * a line end after the last line.
 */
export function formatDiagnostic(d: Diagnostic): string {
  const from = Math.max(0, Math.min(d.column - 1 - SHOWN_COLUMNS / 2, d.text.length - SHOWN_COLUMNS));
  const text = printable(d.text.slice(from, from + SHOWN_COLUMNS));
  const column = Math.min(d.column - from, text.length + 1);
  const length = Math.max(1, Math.min(d.length, SHOWN_COLUMNS - column + 1));
  const lines = [
    `${printable(d.file)}:${d.line}:${d.column}: ${d.severity}: ${printable(d.message)}`,
    `  ${text}`,
    `  ${" ".repeat(column - 1)}^${"~".repeat(length - 1)}`,
  ];
  if (d.expected.length > 0) {
    const shown = d.expected.slice(0, EXPECTED_SHOWN).join(", ");
    const more = d.expected.length - EXPECTED_SHOWN;
    lines.push(`  expected: ${shown}${more > 0 ? `, and ${more} more` : ""}`);
  }
  if (d.didYouMean !== undefined) lines.push(`  did you mean "${printable(d.didYouMean)}"?`);
  return lines.join("\n");
}
