/**
 * Where to cut a set of boxes: along which word, and at which values, so that the parts hold few boxes each and few
 * boxes lie in several parts.
 */
import { BLOCK_LANES, NODE_CHILDREN } from "../../assembly/layout.js";

/** The boxes of a list by compared word, all columns of the same length; a box is named by its place. */
export interface Columns {
  low: Uint32Array[];
  high: Uint32Array[];
  /** The highest value of each word. */
  max: number[];
  /** Which words are the most significant of the addresses. */
  source: number;
  destination: number;
  /** 1 where the box is all that is asked: nothing behind it can match inside it. */
  final: Uint8Array;
}

/** A part of the space: by word, the lowest and the highest value. */
export interface Part {
  low: number[];
  high: number[];
}

export interface Split {
  word: number;
  /** The lowest value of each child but the first, ascending. */
  starts: number[];
  /** Boxes in all children together. */
  copies: number;
  /** Boxes in the child of one box, on average, times the growth by copies: lower is better. */
  cost: number;
}

/** Room to sort the bounds of a node's boxes along one word. */
export interface Scratch {
  starts: Uint32Array;
  ends: Uint32Array;
}

/** A node has as many children as this many halvings make. */
const HALVINGS = Math.log2(NODE_CHILDREN);

/** The best split with at most `share` boxes in the children; undefined when none is better than a leaf. */
export function bestSplit(
  columns: Columns,
  boxes: number[],
  part: Part,
  share: number,
  scratch: Scratch,
): Split | undefined {
  let best: Split | undefined;
  for (let word = 0; word < columns.max.length; word++) {
    if (part.low[word] === part.high[word]) continue;
    const split = splitAlong(columns, boxes, part, word, share, scratch);
    if (split !== undefined && split.cost < (best?.cost ?? boxes.length)) best = split;
  }
  return best;
}

function splitAlong(
  columns: Columns,
  boxes: number[],
  part: Part,
  word: number,
  share: number,
  scratch: Scratch,
): Split | undefined {
  const low = part.low[word]!;
  const high = part.high[word]!;
  const bounds = boundsOf(columns, boxes, word, low, high, scratch);
  if (bounds.starts.at(-1) === low && bounds.ends[0] === high) return undefined;
  for (let halvings = HALVINGS; halvings > 0; halvings--) {
    const starts: number[] = [];
    halve(bounds, low, high, halvings, starts);
    if (starts.length === 0) return undefined;
    let copies = 0;
    let squares = 0;
    for (let child = 0; child <= starts.length; child++) {
      const inside = overlap(bounds, starts[child - 1] ?? low, (starts[child] ?? high + 1) - 1);
      copies += inside;
      squares += inside * inside;
    }
    if (copies <= share) return { word, starts, copies, cost: squares / boxes.length };
  }
  return undefined;
}

/** The bounds of boxes along one word inside a part, each kind in ascending order. */
interface Bounds {
  starts: Uint32Array;
  ends: Uint32Array;
}

function boundsOf(
  columns: Columns,
  boxes: number[],
  word: number,
  low: number,
  high: number,
  scratch: Scratch,
): Bounds {
  const lows = columns.low[word]!;
  const highs = columns.high[word]!;
  const starts = scratch.starts.subarray(0, boxes.length);
  const ends = scratch.ends.subarray(0, boxes.length);
  for (let place = 0; place < boxes.length; place++) {
    starts[place] = Math.max(lows[boxes[place]!]!, low);
    ends[place] = Math.min(highs[boxes[place]!]!, high);
  }
  starts.sort();
  ends.sort();
  return { starts, ends };
}

/** Cuts low..high into two parts that hold about as many boxes, and these again; adds where the right ones start. */
function halve(bounds: Bounds, low: number, high: number, halvings: number, starts: number[]): void {
  if (halvings === 0 || overlap(bounds, low, high) <= BLOCK_LANES) return;
  const start = fairest(bounds, low, high);
  if (start === undefined) return;
  halve(bounds, low, start - 1, halvings - 1, starts);
  starts.push(start);
  halve(bounds, start, high, halvings - 1, starts);
}

/**
 * The start of the right part that makes the larger of the two parts the smallest; undefined when one would still hold
 * everything. Going up, the left part only grows and the right one only shrinks, so the candidates are the bounds on
 * both sides of the place where they are equal.
 */
function fairest(bounds: Bounds, low: number, high: number): number | undefined {
  const { starts, ends } = bounds;
  let best: number | undefined;
  let least = overlap(bounds, low, high);
  const consider = (start: number): void => {
    if (start <= low || start > high) return;
    const larger = Math.max(overlap(bounds, low, start - 1), overlap(bounds, start, high));
    if (larger < least) {
      least = larger;
      best = start;
    }
  };
  const isLeftHeavy = (start: number): boolean =>
    overlap(bounds, low, start - 1) >= overlap(bounds, start, high);
  const start = firstWhere(starts.length, (place) => starts[place]! > low && isLeftHeavy(starts[place]!));
  consider(starts[start - 1] ?? low);
  consider(starts[start] ?? low);
  const end = firstWhere(ends.length, (place) => ends[place]! >= low && isLeftHeavy(ends[place]! + 1));
  consider((ends[end - 1] ?? high) + 1);
  consider((ends[end] ?? high) + 1);
  return best;
}

/** How many boxes reach into low..high. */
function overlap({ starts, ends }: Bounds, low: number, high: number): number {
  return countBelow(starts, high + 1) - countBelow(ends, low);
}

/** How many of the ascending values lie below the limit. */
function countBelow(values: Uint32Array, limit: number): number {
  return firstWhere(values.length, (place) => values[place]! >= limit);
}

/** The first place below `end` where something holds that then holds for all places behind, or `end`. */
function firstWhere(end: number, holds: (place: number) => boolean): number {
  let from = 0;
  let to = end;
  while (from < to) {
    const place = (from + to) >>> 1;
    if (holds(place)) to = place;
    else from = place + 1;
  }
  return from;
}
