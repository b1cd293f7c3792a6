/**
 * Which TSNs have arrived: everything up to the cumulative TSN, and above it a list of blocks in ascending order that
 * neither touch nor overlap. From it the gap blocks of a SACK are read off (RFC 9260 sections 3.3.4, 6.2).
 */
import type { GapBlock } from "./chunk.js";
import { tsnDistance, tsnPlus } from "./serial.js";

/**
 * How far above the cumulative TSN one may lie: gap blocks count in 16 bits, and within half of that the stream
 * sequence numbers of the messages are unambiguous too.
 */
export const TSN_WINDOW_MAX = 32_767;
/** A TSN that would open one more block is refused; its sender sends it again. */
export const BLOCKS_MAX = 1024;

export interface TsnMap {
  cumulativeTsn: number;
  /** First and last TSN of each block. */
  blocks: GapBlock[];
}

export function newTsnMap(initialTsn: number): TsnMap {
  return { cumulativeTsn: tsnPlus(initialTsn, -1), blocks: [] };
}

/** Index of the first block that ends at `steps` above the cumulative TSN or later. */
function blockFrom(map: TsnMap, steps: number): number {
  let low = 0;
  let high = map.blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (tsnDistance(map.cumulativeTsn, map.blocks[middle]!.last) < steps) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function hasTsn(map: TsnMap, tsn: number): boolean {
  const steps = tsnDistance(map.cumulativeTsn, tsn);
  if (steps <= 0) return true;
  const block = map.blocks[blockFrom(map, steps)];
  return block !== undefined && tsnDistance(map.cumulativeTsn, block.first) <= steps;
}

/** Whether a TSN that has not arrived may be taken: "new", or why not. */
export function judgeTsn(
  map: TsnMap,
  tsn: number,
): "new" | "data_duplicate" | "data_beyond_window" | "data_blocks_full" {
  const steps = tsnDistance(map.cumulativeTsn, tsn);
  if (steps > TSN_WINDOW_MAX) return "data_beyond_window";
  if (hasTsn(map, tsn)) return "data_duplicate";
  const touches = steps === 1 || hasTsn(map, tsnPlus(tsn, -1)) || hasTsn(map, tsnPlus(tsn, 1));
  return touches || map.blocks.length < BLOCKS_MAX ? "new" : "data_blocks_full";
}

/** Takes a TSN that `judgeTsn` has called new. */
export function addTsn(map: TsnMap, tsn: number): void {
  const { blocks } = map;
  const steps = tsnDistance(map.cumulativeTsn, tsn);
  if (steps === 1) {
    map.cumulativeTsn = tsn;
    if (blocks.length > 0 && blocks[0]!.first === tsnPlus(tsn, 1)) map.cumulativeTsn = blocks.shift()!.last;
    return;
  }
  const index = blockFrom(map, steps);
  const before = blocks[index - 1];
  const after = blocks[index];
  const joinsBefore = before !== undefined && before.last === tsnPlus(tsn, -1);
  const joinsAfter = after !== undefined && after.first === tsnPlus(tsn, 1);
  if (joinsBefore && joinsAfter) {
    before.last = after.last;
    blocks.splice(index, 1);
  } else if (joinsBefore) {
    before.last = tsn;
  } else if (joinsAfter) {
    after.first = tsn;
  } else {
    blocks.splice(index, 0, { first: tsn, last: tsn });
  }
}

/** The lowest `countMax` blocks as a SACK has them. */
export function gapBlocks(map: TsnMap, countMax: number): GapBlock[] {
  return map.blocks.slice(0, countMax).map(({ first, last }) => ({
    first: tsnDistance(map.cumulativeTsn, first),
    last: tsnDistance(map.cumulativeTsn, last),
  }));
}
