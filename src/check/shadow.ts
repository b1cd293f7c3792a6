/**
 * V29: entries that never decide, because one earlier entry takes all their packets, and wildcards that were meant as
 * network masks.
 *
 * An entry can only be covered by one that matches every packet of it, so also by one that matches one sample packet
 * of it. Earlier entries are therefore kept in a tuple space: those with the same care bits and the same kinds of
 * condition share a table that is keyed by the values themselves, and the sample is looked up once in each table.
 * Lists of thousands of hosts or ports take a few lookups an entry; what is left is bounded by WORK_MAX.
 */
import type { AccessList, Ace, Config } from "../config/model.js";
import { type Address, formatIpv4, prefixLengthOfMask } from "../ip.js";
import { type AddressSet, coverage, type Interval, isEmpty, piecesOf, type Shape, shapeOf } from "./cover.js";
import type { Draft } from "./finding.js";

/** Table lookups and pieces compared over all lists of a configuration, together; about a second. */
export const WORK_MAX = 5_000_000;

/** V29. */
export function entriesDecide(config: Config): Draft[] {
  const budget = { left: WORK_MAX };
  return [...config.accessLists.values(), ...config.accessLists6.values()].flatMap((list) => [
    ...maskLikeWildcards(list),
    ...shadowedEntries(config, list, budget),
  ]);
}

/** The entries of a list that an earlier one covers. Work is taken from the budget; when it is used up the rest of
 * the list is left out, and an info says from where. */
export function shadowedEntries(config: Config, list: AccessList, budget: { left: number }): Draft[] {
  const drafts: Draft[] = [];
  // On fragments ports count for nothing, so entries with `fragments` are looked up without them.
  const byPorts = new TupleSpace(true);
  const byAddresses = new TupleSpace(false);
  for (const entry of list.entries) {
    if (entry.kind !== "ace") continue;
    const shape = shapeOf(config, entry, list.family);
    if (isEmpty(shape)) continue;
    const cover = (entry.fragments ? byAddresses : byPorts).firstCover(shape, budget);
    if (budget.left <= 0) {
      drafts.push({
        severity: "info",
        at: entry.at,
        message: `list ${list.name}: entries from line ${entry.at.line} on were not compared with earlier ones: the limit of ${WORK_MAX} steps was reached`,
        mend: "use object groups or wider entries, so that the list gets shorter",
      });
      break;
    }
    if (cover !== undefined) drafts.push(shadowed(list, cover.shape.ace, entry, cover.extent));
    // What this entry covers is covered by its own cover as well.
    if (cover?.extent === "all") continue;
    byPorts.add(shape);
    byAddresses.add(shape);
  }
  return drafts;
}

type Extent = "all" | "datagrams";

function shadowed(list: AccessList, earlier: Ace, later: Ace, extent: Extent): Draft {
  const said = `list ${list.name}: the ${later.action} in line ${later.at.line}`;
  const cause = `the ${earlier.action} in line ${earlier.at.line}`;
  const except = extent === "all" ? "" : " (but for non-initial fragments)";
  const message =
    earlier.action === later.action
      ? `${said} adds nothing to ${cause}, which matches all of it${except}`
      : `${said} is never reached${except}: ${cause} matches all of it`;
  const mend =
    earlier.action === later.action
      ? "remove the later entry"
      : "put the later entry before the earlier one, or remove it";
  return { at: later.at, other: earlier.at, message, mend };
}

/** What is compared to find a table: undefined fields are not part of its key. */
interface Tuple {
  sourceMask: bigint;
  destinationMask: bigint;
  byProtocol: boolean;
  bySourcePort: boolean;
  byDestinationPort: boolean;
  table: Map<string, { shape: Shape; order: number }[]>;
}

class TupleSpace {
  private readonly tuples = new Map<string, Tuple>();
  private readonly usesPorts: boolean;
  private count = 0;

  constructor(usesPorts: boolean) {
    this.usesPorts = usesPorts;
  }

  add(shape: Shape): void {
    const [service, ...others] = shape.services;
    const single = others.length === 0 ? service : undefined;
    const form: Omit<Tuple, "table"> = {
      sourceMask: careBits(shape.source),
      destinationMask: careBits(shape.destination),
      byProtocol: single?.protocol !== undefined,
      bySourcePort: this.usesPorts && single !== undefined && isSingle(single.sourcePorts),
      byDestinationPort: this.usesPorts && single !== undefined && isSingle(single.destinationPorts),
    };
    const id = Object.values(form).join();
    let tuple = this.tuples.get(id);
    if (tuple === undefined) {
      tuple = { ...form, table: new Map() };
      this.tuples.set(id, tuple);
    }
    const key = keyOf(tuple, shape);
    const bucket = tuple.table.get(key);
    const element = { shape, order: this.count++ };
    if (bucket === undefined) tuple.table.set(key, [element]);
    else bucket.push(element);
  }

  /** The earliest shape that covers this one; one that covers it but for fragments only if none covers all. */
  firstCover(shape: Shape, budget: { left: number }): { shape: Shape; extent: Extent } | undefined {
    const found: { [E in Extent]?: { shape: Shape; order: number } } = {};
    for (const tuple of this.tuples.values()) {
      budget.left--;
      for (const element of tuple.table.get(keyOf(tuple, shape)) ?? []) {
        budget.left -= piecesOf(element.shape) + piecesOf(shape);
        if (budget.left <= 0) return undefined;
        const extent = coverage(element.shape, shape);
        if (extent !== "none" && (found[extent]?.order ?? Infinity) > element.order) found[extent] = element;
      }
    }
    for (const extent of ["all", "datagrams"] as const) {
      const best = found[extent];
      if (best !== undefined) return { shape: best.shape, extent };
    }
    return undefined;
  }
}

/** The key that a shape's sample packet has in a table; for a shape of that table, the key of all its packets. */
function keyOf(tuple: Tuple, shape: Shape): string {
  const service = shape.services[0]!;
  return [
    BigInt(sampleOf(shape.source)) & tuple.sourceMask,
    BigInt(sampleOf(shape.destination)) & tuple.destinationMask,
    tuple.byProtocol ? service.protocol : "",
    tuple.bySourcePort ? service.sourcePorts[0]?.low : "",
    tuple.byDestinationPort ? service.destinationPorts[0]?.low : "",
  ].join();
}

function sampleOf(set: AddressSet): Address {
  return set.intervals[0]?.low ?? set.scattered[0]!.address;
}

const ALL_BITS = (1n << 128n) - 1n;

/** The bits in which all addresses of a set agree with its sample, if it is one prefix or wildcard; else none. */
function careBits({ intervals, scattered }: AddressSet): bigint {
  if (intervals.length + scattered.length !== 1) return 0n;
  const [wildcard] = scattered;
  if (wildcard !== undefined) return ALL_BITS ^ BigInt(wildcard.wildcard);
  const low = BigInt(intervals[0]!.low);
  const differing = low ^ BigInt(intervals[0]!.high);
  return differing === 0n ? ALL_BITS : ALL_BITS ^ ((1n << BigInt(differing.toString(2).length)) - 1n);
}

function isSingle(intervals: Interval<number>[]): boolean {
  return intervals.length === 1 && intervals[0]!.low === intervals[0]!.high;
}

/** `255.255.255.0` where a wildcard stands matches hosts by their last byte and any network: hardly what was meant. */
function maskLikeWildcards(list: AccessList): Draft[] {
  return list.entries.flatMap((entry): Draft[] => {
    if (entry.kind !== "ace") return [];
    return [
      { end: "source", match: entry.source },
      { end: "destination", match: entry.destination },
    ].flatMap(({ end, match }): Draft[] => {
      if (match.kind !== "wildcard") return [];
      const length = prefixLengthOfMask(match.wildcard);
      if (length === undefined || length === 0 || length === 32) return [];
      const [wildcard, inverse] = [formatIpv4(match.wildcard), formatIpv4(~match.wildcard >>> 0)];
      return [
        {
          at: entry.at,
          message: `list ${list.name}: the ${end} wildcard ${wildcard} looks like a network mask; as a wildcard it ignores the first ${length} bits`,
          mend: `A.B.C.D ${inverse}, if the /${length} network is meant`,
        },
      ];
    });
  });
}
