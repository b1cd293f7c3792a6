/**
 * Decision trees over boxes (HyperSplit: Qi, Xu, Yang, Xue, Li, "Packet Classification Algorithms: From Theory to
 * Practice", INFOCOM 2009), with nodes of up to eight children instead of two, and leaves of blocks of eight boxes.
 *
 * A node cuts its part of the space along one word; a box that lies on both sides of a cut goes to both. What may be
 * copied is counted and shared out down the tree, so that size and time are bounded whatever the rules are; where the
 * share does not allow a cut, the leaf is a longer run of blocks, in the worst case all of the list.
 *
 * Boxes that are wide in an address are those that are copied most. Long lists are therefore divided into up to four
 * trees, by whether the source and the destination are wide; for short ones a single tree is tried too.
 */
import { BLOCK_LANES } from "../../assembly/layout.js";
import { blocksOf, type Leaves, leaf, nodeOf, packLeaves, resolve } from "./leaf.js";
import { bestSplit, type Columns, type Part, type Scratch } from "./split.js";

export interface Tree {
  /** Reference to the root, as in assembly/layout.ts. */
  root: number;
  /** The lowest box in it. */
  first: number;
}

export interface Node {
  word: number;
  /** The lowest value of each child but the first, ascending. */
  starts: number[];
  /** References. */
  children: number[];
}

export interface Forest {
  /** By their lowest box. */
  trees: Tree[];
  /** Children stand behind their parents. */
  nodes: Node[];
  /** Boxes in ascending order, at most BLOCK_LANES each. */
  blocks: number[][];
}

/** A list of so many boxes is compared block by block: two blocks take no longer than a node and one (measured). */
export const LINEAR_MAX = 16;
/** Longer lists are divided without trying a single tree. */
export const SINGLE_MAX = 1024;
/** How often a box may stand in the leaves of its tree, on average: in a single tree, in one of several. */
export const SINGLE_COPIES_MAX = 4;
export const COPIES_MAX = 2;
/** Nodes on a path, at most. */
export const DEPTH_MAX = 24;
/** An address this wide, from the lowest to the highest value of its upper word, is wide: shorter than /16. */
const WIDE = 0x10000;
/** Boxes whose lookups are simulated to compare two forests. */
const SAMPLES = 256;

/** Trees over the boxes named by `members`, in ascending order. */
export function buildForest(columns: Columns, members: number[]): Forest {
  if (members.length === 0) return { trees: [], nodes: [], blocks: [] };
  if (members.length <= LINEAR_MAX) return plantAll(columns, [members], 1);
  const divided = plantAll(columns, divide(columns, members), COPIES_MAX);
  if (members.length > SINGLE_MAX) return divided;
  const single = plantAll(columns, [members], SINGLE_COPIES_MAX);
  return effort(columns, members, single) <= effort(columns, members, divided) ? single : divided;
}

/** Up to four groups, by which addresses are wide; the one with the lowest box first. */
function divide(columns: Columns, members: number[]): number[][] {
  const isWide = (word: number, box: number): boolean =>
    columns.high[word]![box]! - columns.low[word]![box]! >= WIDE;
  const groups: number[][] = [[], [], [], []];
  for (const box of members) {
    const group = (isWide(columns.source, box) ? 1 : 0) + (isWide(columns.destination, box) ? 2 : 0);
    groups[group]!.push(box);
  }
  return groups.filter((group) => group.length > 0).sort((a, b) => a[0]! - b[0]!);
}

/** A tree over each group. */
function plantAll(columns: Columns, groups: number[][], copiesMax: number): Forest {
  const nodes: Node[] = [];
  const leaves: Leaves = { runs: [], numbers: new Map() };
  const roots = groups.map((group) => plant(columns, group, group.length * copiesMax, nodes, leaves));
  const { blocks, references } = packLeaves(leaves);
  for (const node of nodes) node.children = node.children.map((child) => resolve(child, references));
  const trees = roots.map((root, tree) => ({ root: resolve(root, references), first: groups[tree]![0]! }));
  return { trees, nodes, blocks };
}

/** Grows a tree with `places` places for boxes in its leaves; nodes and leaves are appended. Returns the root. */
function plant(columns: Columns, members: number[], places: number, nodes: Node[], leaves: Leaves): number {
  const scratch: Scratch = { starts: new Uint32Array(members.length), ends: new Uint32Array(members.length) };
  const mayCut = members.length > LINEAR_MAX;
  const everything: Part = { low: columns.max.map(() => 0), high: columns.max };
  return grow(members, everything, places, mayCut ? DEPTH_MAX : 0);

  function grow(candidates: number[], part: Part, share: number, depthLeft: number): number {
    const boxes = untilFinal(columns, candidates, part);
    const isLeaf = boxes.length <= BLOCK_LANES || depthLeft === 0;
    const split = isLeaf ? undefined : bestSplit(columns, boxes, part, share, scratch);
    if (split === undefined) return leaf(leaves, boxes);
    const { word, starts, copies } = split;
    const node: Node = { word, starts, children: [] };
    const number = nodes.push(node) - 1;
    for (let child = 0; child <= starts.length; child++) {
      const from = starts[child - 1] ?? part.low[word]!;
      const to = child === starts.length ? part.high[word]! : starts[child]! - 1;
      const inside = within(columns, boxes, word, from, to);
      const smaller = { low: part.low.with(word, from), high: part.high.with(word, to) };
      node.children.push(grow(inside, smaller, (share * inside.length) / copies, depthLeft - 1));
    }
    return number;
  }
}

/** The boxes up to the first that fills the part and is final. */
function untilFinal({ low, high, final }: Columns, boxes: number[], part: Part): number[] {
  for (let place = 0; place < boxes.length; place++) {
    const box = boxes[place]!;
    if (final[box] === 0) continue;
    let word = 0;
    while (
      word < low.length &&
      low[word]![box]! <= part.low[word]! &&
      high[word]![box]! >= part.high[word]!
    ) {
      word++;
    }
    if (word === low.length) return boxes.slice(0, place + 1);
  }
  return boxes;
}

/** The boxes that reach into from..to along a word. */
function within(columns: Columns, boxes: number[], word: number, from: number, to: number): number[] {
  const low = columns.low[word]!;
  const high = columns.high[word]!;
  const inside: number[] = [];
  for (const box of boxes) if (low[box]! <= to && high[box]! >= from) inside.push(box);
  return inside;
}

/** Nodes, blocks and trees that are visited to look up the lowest corners of some boxes: about the time it takes. */
function effort(columns: Columns, members: number[], { trees, nodes, blocks }: Forest): number {
  let visits = 0;
  const step = Math.ceil(members.length / SAMPLES);
  for (let sample = 0; sample < members.length; sample += step) {
    const corner = columns.low.map((low) => low[members[sample]!]!);
    const matches = (box: number): boolean =>
      corner.every((value, word) => value >= columns.low[word]![box]! && value <= columns.high[word]![box]!);
    let found = Number.POSITIVE_INFINITY;
    for (const { root, first } of trees) {
      if (first >= found) break;
      visits++;
      let reference = root;
      for (let node = nodeOf(nodes, root); node !== undefined; node = nodeOf(nodes, reference)) {
        visits++;
        const value = corner[node.word]!;
        reference = node.children[node.starts.filter((start) => start <= value).length]!;
      }
      for (const block of blocksOf(blocks, reference)) {
        visits++;
        const match = block.find(matches);
        if (match === undefined) continue;
        found = Math.min(found, match);
        break;
      }
    }
  }
  return visits;
}
