/**
 * Boxes: an interval for each word of the ACL key. Every address match, port match and range of the configuration is
 * a union of boxes; only wildcards with gaps need a comparison of bits besides.
 */
import {
  K_DESTINATION,
  K_DESTINATION_PORT,
  K_PROTOCOL,
  K_SOURCE,
  K_SOURCE_PORT,
} from "../../assembly/layout.js";
import type { Family, NumberMatch } from "../config/model.js";
import { ipv4Mask, ipv6Mask } from "../ip.js";
import type { FlatAddressMatch } from "./evaluate.js";

/** Both ends included. */
export type Interval = readonly [low: number, high: number];

/** One interval for each of BOX_WORDS, in their order. */
export type Box = readonly Interval[];

/** `(x & mask) === value`. */
export interface Masked {
  mask: number;
  value: number;
}

/** The words of one address; with `masked`, it also has to match in these bits. */
export interface AddressBox {
  words: Box;
  masked?: Masked;
}

export const WORD_MAX = 0xffffffff;
export const PORT_MAX = 65535;
export const BYTE_MAX = 255;
export const ANY_WORD: Interval = [0, WORD_MAX];
export const ANY_PORT: Interval = [0, PORT_MAX];
export const ANY_BYTE: Interval = [0, BYTE_MAX];

export interface BoxWord {
  /** Where the word stands in the key. */
  key: number;
  /** Any value of it. */
  any: Interval;
  kind: "source" | "destination" | "port" | "protocol";
  /** Whether blocks and trees look at it; the others are compared on the record. */
  compared: boolean;
}

/** What the boxes of each family are made of. Words of an address come with the most significant first. */
export const BOX_WORDS: Record<Family, readonly BoxWord[]> = {
  4: boxWords(1, 1),
  6: boxWords(4, 2),
};

function boxWords(addressWords: number, comparedWords: number): BoxWord[] {
  const address = (kind: BoxWord["kind"], key: number): BoxWord[] =>
    Array.from({ length: addressWords }, (_, word) => ({
      key: key + 4 * word,
      any: ANY_WORD,
      kind,
      compared: word < comparedWords,
    }));
  return [
    ...address("source", K_SOURCE),
    ...address("destination", K_DESTINATION),
    { key: K_SOURCE_PORT, any: ANY_PORT, kind: "port", compared: true },
    { key: K_DESTINATION_PORT, any: ANY_PORT, kind: "port", compared: true },
    { key: K_PROTOCOL, any: ANY_BYTE, kind: "protocol", compared: true },
  ];
}

// ------------------------------------------------------------------------------------------------- numbers

/** The values that a match admits, as ascending intervals that neither overlap nor touch, within 0..max. */
export function intervalsOf(match: NumberMatch, max: number): Interval[] {
  switch (match.op) {
    case "eq":
      return merge(match.values.map((value) => [value, value]));
    case "neq":
      return complement(merge(match.values.map((value) => [value, value])), max);
    case "gt":
      return match.value < max ? [[match.value + 1, max]] : [];
    case "lt":
      return match.value > 0 ? [[0, match.value - 1]] : [];
    case "range":
      return match.low <= match.high ? [[match.low, match.high]] : [];
  }
}

/** The union of intervals, in ascending order. */
function merge(intervals: Interval[]): Interval[] {
  if (intervals.length < 2) return intervals;
  const merged: [number, number][] = [];
  for (const [low, high] of intervals.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged;
}

/** What merged intervals leave of 0..max. */
function complement(intervals: Interval[], max: number): Interval[] {
  const gaps: Interval[] = [];
  let next = 0;
  for (const [low, high] of intervals) {
    if (low > next) gaps.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= max) gaps.push([next, max]);
  return gaps;
}

// ------------------------------------------------------------------------------------------------- addresses

/** The addresses of one family that any of the matches admits. IPv4 neighbours are joined. */
export function addressBoxes(matches: FlatAddressMatch[], family: Family): AddressBox[] {
  return family === 4 ? ipv4Boxes(matches) : matches.flatMap(ipv6Boxes);
}

function ipv4Boxes(matches: FlatAddressMatch[]): AddressBox[] {
  const intervals: Interval[] = [];
  const masked: AddressBox[] = [];
  for (const match of matches) {
    const interval = ipv4Interval(match);
    if (match.kind === "wildcard" && (match.wildcard & (match.wildcard + 1)) !== 0) {
      const mask = ~match.wildcard >>> 0;
      masked.push({ words: [interval], masked: { mask, value: (match.address & mask) >>> 0 } });
    } else if (interval[0] <= interval[1]) {
      intervals.push(interval);
    }
  }
  return [...merge(intervals).map((interval) => ({ words: [interval] })), ...masked];
}

const NO_ADDRESS: Interval = [1, 0];

/** The lowest and the highest IPv4 address of a match. */
function ipv4Interval(match: FlatAddressMatch): Interval {
  switch (match.kind) {
    case "any":
      return ANY_WORD;
    case "wildcard":
      return [(match.address & ~match.wildcard) >>> 0, (match.address | match.wildcard) >>> 0];
    case "prefix": {
      if (typeof match.address !== "number") return NO_ADDRESS;
      const mask = ipv4Mask(match.prefixLength);
      return [(match.address & mask) >>> 0, (match.address | ~mask) >>> 0];
    }
    case "range":
      return typeof match.low === "number" && typeof match.high === "number"
        ? [match.low, match.high]
        : NO_ADDRESS;
  }
}

const IPV6_MAX = ipv6Mask(128);

function ipv6Boxes(match: FlatAddressMatch): AddressBox[] {
  switch (match.kind) {
    case "any":
      return rangeBoxes(0n, IPV6_MAX);
    case "wildcard":
      return [];
    case "prefix": {
      if (typeof match.address !== "bigint") return [];
      const mask = ipv6Mask(match.prefixLength);
      const network = match.address & mask;
      return rangeBoxes(network, network | (IPV6_MAX ^ mask));
    }
    case "range":
      if (typeof match.low !== "bigint" || typeof match.high !== "bigint" || match.low > match.high)
        return [];
      return rangeBoxes(match.low, match.high);
  }
}

function rangeBoxes(low: bigint, high: bigint): AddressBox[] {
  return splitRange(wordsOf(low), wordsOf(high)).map((words) => ({ words }));
}

/** The 32-bit words of an IPv6 address. */
function wordsOf(address: bigint): number[] {
  return [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & BigInt(WORD_MAX)));
}

/**
 * A range of numbers of several words as boxes, at most two for each word but the last: where the upper words equal
 * those of a bound, the lower ones go up or down to it; in between they are free. A prefix is one box.
 */
function splitRange(low: number[], high: number[]): Box[] {
  const [first, ...lowRest] = low as [number, ...number[]];
  const [last, ...highRest] = high as [number, ...number[]];
  if (first === last && lowRest.length > 0) {
    return splitRange(lowRest, highRest).map((rest) => [[first, first], ...rest]);
  }
  const boxes: Box[] = [];
  let from = first;
  let to = last;
  if (lowRest.some((word) => word !== 0)) {
    const top = lowRest.map(() => WORD_MAX);
    for (const rest of splitRange(lowRest, top)) boxes.push([[first, first], ...rest]);
    from++;
  }
  if (highRest.some((word) => word !== WORD_MAX)) {
    const bottom = highRest.map(() => 0);
    for (const rest of splitRange(bottom, highRest)) boxes.push([[last, last], ...rest]);
    to--;
  }
  if (from <= to) boxes.push([[from, to], ...lowRest.map(() => ANY_WORD)]);
  return boxes;
}
