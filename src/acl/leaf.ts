/**
 * The leaves of decision trees, packed into blocks of eight boxes.
 *
 * A block compares all of its boxes entirely, so a leaf may look at a block with more boxes than it needs: what matches
 * there does match the packet. Small leaves that share boxes, as neighbours do, therefore share blocks.
 */
import {
  ACL_BLOCKS_MAX,
  ACL_NODE_SIZE,
  BLOCK_LANES,
  REF_FIRST_SHIFT,
  REF_RUN,
  RUN_BLOCKS_MAX,
} from "../../assembly/layout.js";

/** Each distinct leaf once: its boxes in ascending order. */
export interface Leaves {
  runs: number[][];
  numbers: Map<string, number>;
}

/** Open blocks that a small leaf may join: those of its neighbours. */
const WINDOW = 64;

/** What a parent holds of a leaf until the leaves are packed: below 0, unlike the number of a node. */
export function leaf(leaves: Leaves, boxes: number[]): number {
  const name = boxes.join();
  let number = leaves.numbers.get(name);
  if (number === undefined) {
    number = leaves.runs.push(boxes) - 1;
    leaves.numbers.set(name, number);
  }
  return ~number;
}

/** The blocks, and by leaf the reference to its run of them. */
export function packLeaves({ runs }: Leaves): { blocks: number[][]; references: number[] } {
  const blocks: number[][] = [];
  const open: number[] = [];
  const references = runs.map((run) => {
    if (run.length === 0) return reference(0, 0);
    if (run.length > BLOCK_LANES) {
      const first = blocks.length;
      for (let at = 0; at < run.length; at += BLOCK_LANES) blocks.push(run.slice(at, at + BLOCK_LANES));
      return reference(first, blocks.length - first);
    }
    let chosen = bestHost(run, open, blocks);
    if (chosen === undefined) {
      chosen = blocks.push([]) - 1;
      open.push(chosen);
      if (open.length > WINDOW) open.shift();
    }
    const block = blocks[chosen]!;
    for (const box of run) if (!block.includes(box)) block.push(box);
    return reference(chosen, 1);
  });
  // Blocks are more than half full on average: a list within ACL_RECORDS_MAX, copied COPIES_MAX times, has fewer.
  if (blocks.length > ACL_BLOCKS_MAX) throw new Error(`${blocks.length} blocks`);
  for (const block of blocks) block.sort((a, b) => a - b);
  return { blocks, references };
}

/** The open block with room for a leaf that needs the fewest boxes more. */
function bestHost(run: number[], open: number[], blocks: number[][]): number | undefined {
  let best: number | undefined;
  let least = BLOCK_LANES + 1;
  for (const number of open) {
    const block = blocks[number]!;
    let added = 0;
    for (const box of run) if (!block.includes(box)) added++;
    if (added < least && block.length + added <= BLOCK_LANES) {
      least = added;
      best = number;
    }
  }
  return best;
}

// ------------------------------------------------------------------------------------------------- references

/** The reference to a run of blocks. */
function reference(first: number, count: number): number {
  return ((first << REF_FIRST_SHIFT) | (count << 1) | REF_RUN) >>> 0;
}

/** The reference to a child: a node by its number, or a leaf as `leaf` named it. */
export function resolve(child: number, references: number[]): number {
  return child < 0 ? references[~child]! : child * ACL_NODE_SIZE;
}

/** The node that a reference leads to, unless it leads to blocks. */
export function nodeOf<T>(nodes: T[], reference: number): T | undefined {
  return reference & REF_RUN ? undefined : nodes[reference / ACL_NODE_SIZE];
}

/** The blocks that a reference leads to. */
export function blocksOf<T>(blocks: T[], reference: number): T[] {
  const first = reference >>> REF_FIRST_SHIFT;
  return blocks.slice(first, first + ((reference >>> 1) & RUN_BLOCKS_MAX));
}
