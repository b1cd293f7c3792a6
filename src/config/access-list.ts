/** How an entry takes its place in an access list. After Cisco's "IP Access List Entry Sequence Numbering". */
import { formatEntry } from "./ace.js";
import { type Context, type Failure, fail } from "./command.js";
import { LINE_MAX } from "./grammar.js";
import type { AccessEntry, AccessList } from "./model.js";

/** Highest sequence number of an entry. */
export const SEQUENCE_MAX = 2_147_483_647;
/** Number of the first entry of a list, and distance between entries, when no number is given. */
export const SEQUENCE_START = 10;
export const SEQUENCE_STEP = 10;
/** Longest text that the writer may put before an entry: `sequence 2147483647 ` or `access-list 2699 `. */
const ENTRY_PREFIX_MAX = 20;

/** What a list holds, to find a repeated entry or number at once. Rebuilt when the list was changed elsewhere. */
interface ListIndex {
  length: number;
  texts: Map<string, number>;
  sequences: Set<number>;
}
const indexes = new WeakMap<AccessList, ListIndex>();

function indexOf(list: AccessList): ListIndex {
  const known = indexes.get(list);
  if (known !== undefined && known.length === list.entries.length) return known;
  const index: ListIndex = { length: list.entries.length, texts: new Map(), sequences: new Set() };
  for (const entry of list.entries) {
    index.sequences.add(entry.sequence);
    if (entry.kind === "ace") index.texts.set(formatEntry(entry, list), entry.sequence);
  }
  indexes.set(list, index);
  return index;
}

/**
 * Puts an entry into a list at `sequence`, or at the end when there is none. An entry that is there already is left
 * out with a warning, as IOS does; a number that is taken is a failure.
 */
export function insertEntry(
  list: AccessList,
  entry: AccessEntry,
  sequence: number | undefined,
  context: Context,
): Failure | undefined {
  const index = indexOf(list);
  const text = formatEntry(entry, list);
  if (text.length > LINE_MAX - ENTRY_PREFIX_MAX) return fail("the entry is too long when written in full");
  const entries = list.entries;
  const last = entries.length === 0 ? 0 : entries[entries.length - 1]!.sequence;
  const at = sequence ?? (entries.length === 0 ? SEQUENCE_START : last + SEQUENCE_STEP);
  if (at > SEQUENCE_MAX) return fail(`there is no sequence number left after ${last}; resequence the list`);
  if (index.sequences.has(at)) return fail(`Duplicate sequence number: ${at} is in use`, "sequence");
  if (entry.kind === "ace") {
    const same = index.texts.get(text);
    if (same !== undefined) {
      context.warn(`the list has this entry already, at ${same}; this one is left out`);
      return undefined;
    }
    index.texts.set(text, at);
  }
  entry.sequence = at;
  index.sequences.add(at);
  index.length++;
  const position = at > last ? entries.length : positionOf(entries, at);
  if (position === 0) entries.unshift(entry);
  else entries.splice(position, 0, entry);
  return undefined;
}

/** The index of the first entry whose number is not below `sequence`. */
function positionOf(entries: readonly AccessEntry[], sequence: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.sequence < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Removes the entry with this number (`no SEQ`). */
export function removeSequence(list: AccessList, sequence: number, context: Context): undefined {
  const index = indexOf(list);
  const at = positionOf(list.entries, sequence);
  const entry = list.entries[at];
  if (entry?.sequence !== sequence) {
    context.warn(`the list has no entry ${sequence}`);
    return;
  }
  list.entries.splice(at, 1);
  index.length--;
  index.sequences.delete(sequence);
  if (entry.kind === "ace") index.texts.delete(formatEntry(entry, list));
}

/** Removes the entry that reads the same (`no permit ...`); of equal remarks, the first. */
export function removeEntry(list: AccessList, entry: AccessEntry, context: Context): undefined {
  const sequence =
    entry.kind === "ace"
      ? indexOf(list).texts.get(formatEntry(entry, list))
      : list.entries.find((other) => other.kind === "remark" && other.text === entry.text)?.sequence;
  if (sequence === undefined) context.warn("the list has no such entry");
  else removeSequence(list, sequence, context);
}

/** Numbers the entries anew (`ip access-list resequence`). */
export function resequence(list: AccessList, start: number, step: number): Failure | undefined {
  if (start + step * Math.max(0, list.entries.length - 1) > SEQUENCE_MAX) {
    return fail(`the last entry would be beyond ${SEQUENCE_MAX}`, "step");
  }
  list.entries.forEach((entry, n) => {
    entry.sequence = start + n * step;
  });
  indexes.delete(list);
  return undefined;
}

/** Whether each entry has the number it would get if none were given, so that the text needs none. */
export function hasDefaultSequence(list: AccessList): boolean {
  return list.entries.every((entry, n) => entry.sequence === SEQUENCE_START + n * SEQUENCE_STEP);
}
