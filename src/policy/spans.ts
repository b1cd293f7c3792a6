/**
 * Routes as the core searches them: the addresses of a family cut into spans of which each has one best route
 * (assembly/layout.ts, P_SPANS4). Two numbers of the search stay small whatever the prefixes: twice as many spans as routes,
 * and as many steps as their number has bits.
 */
import { addressBits, type Route } from "./routes.js";

export interface Span {
  /** The first address. */
  readonly start: bigint;
  /** Index of the route + 1; 0 none. */
  readonly route: number;
}

export interface SearchTree {
  /** Ascending, without a gap, the first from address 0. */
  readonly spans: readonly Span[];
  /** For each route the index + 1 of the next shorter one that holds its network; 0 none. */
  readonly wider: readonly number[];
}

/** @param routes those of one family, longest prefix first, no prefix twice. */
export function cutIntoSpans(routes: readonly Route[]): SearchTree {
  const ranges = routes.map(({ network, prefixLength }, index) => {
    const first = BigInt(network);
    return { route: index + 1, first, end: first + (1n << BigInt(addressBits(network) - prefixLength)) };
  });
  // A network comes before those that lie in it: among equal starts the longest prefix is last.
  ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : b.route - a.route));
  const wider = routes.map(() => 0);
  const spans: Span[] = [];
  const begin = (start: bigint, route: number): void => {
    if (spans.at(-1)?.start === start) spans.pop();
    if (spans.at(-1)?.route !== route) spans.push({ start, route });
  };
  begin(0n, 0);
  const open: typeof ranges = [];
  const closeBefore = (address: bigint): void => {
    for (let last = open.at(-1); last !== undefined && last.end <= address; last = open.at(-1)) {
      open.pop();
      begin(last.end, open.at(-1)?.route ?? 0);
    }
  };
  for (const range of ranges) {
    closeBefore(range.first);
    wider[range.route - 1] = open.at(-1)?.route ?? 0;
    begin(range.first, range.route);
    open.push(range);
  }
  const [route] = routes;
  if (route !== undefined) {
    const limit = 1n << BigInt(addressBits(route.network));
    closeBefore(limit);
    // What ends with the last address begins nothing.
    if (spans.at(-1)!.start === limit) spans.pop();
  }
  return { spans, wider };
}
