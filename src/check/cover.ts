/**
 * Whether one access list entry matches everything that another one matches. An entry becomes a shape: sets of
 * addresses, services and header values. Set by set the answer is exact, but for one case: a set that only several
 * pieces together cover, where the pieces are non-contiguous wildcards or members of a service group, counts as not
 * covered.
 */
import {
  expandAddresses,
  expandServices,
  type FlatAddressMatch,
  flagsMatch,
  hasLayer4Conditions,
  numberMatches,
  type Service,
  trafficClassMatches,
} from "../acl/evaluate.js";
import type { Ace, AddressMatch, Config, Family, NumberMatch } from "../config/model.js";
import { type Address, ipv4Mask, ipv6Mask, prefixLengthOfMask } from "../ip.js";
import { networkOf } from "./topology.js";

/** Both ends included. */
export interface Interval<T> {
  low: T;
  high: T;
}

export interface AddressSet {
  /** Ascending, apart from each other. */
  intervals: Interval<Address>[];
  /** Wildcards whose care bits are not a prefix. */
  scattered: { address: number; wildcard: number }[];
}

export interface ServiceSet {
  /** Undefined: any. */
  protocol: number | undefined;
  sourcePorts: Interval<number>[];
  destinationPorts: Interval<number>[];
  icmp: Service["icmp"];
  hasLayer4Conditions: boolean;
}

export interface Shape {
  ace: Ace;
  source: AddressSet;
  destination: AddressSet;
  services: ServiceSet[];
  /** Bit n: the TCP flag byte n (its six flags) matches. Undefined: no condition. */
  flags: bigint | undefined;
  /** Bit n: the traffic class byte n matches. */
  trafficClass: bigint | undefined;
  ttl: Interval<number>[];
}

const PORT_LAST = 65_535;
const BYTE_LAST = 255;
const TCP_FLAGS_LAST = 63;

export function shapeOf(config: Config, ace: Ace, family: Family): Shape {
  return {
    ace,
    source: addressSet(config, ace.source, family),
    destination: addressSet(config, ace.destination, family),
    services: expandServices(config, ace).map((service) => ({
      protocol: service.protocol,
      sourcePorts: intervalsOf(service.sourcePort, PORT_LAST),
      destinationPorts: intervalsOf(service.destinationPort, PORT_LAST),
      icmp: service.icmp,
      hasLayer4Conditions: hasLayer4Conditions(ace, service),
    })),
    flags:
      ace.established || ace.flags !== undefined
        ? bits(TCP_FLAGS_LAST, (flags) => flagsMatch(ace, flags))
        : undefined,
    trafficClass: [ace.precedence, ace.tos, ace.dscp, ace.ecn].some((field) => field !== undefined)
      ? bits(BYTE_LAST, (byte) => trafficClassMatches(ace, byte))
      : undefined,
    ttl: intervalsOf(ace.ttl, BYTE_LAST),
  };
}

/** How many pieces a comparison with this shape walks over: what it costs. */
export function piecesOf(shape: Shape): number {
  const { source, destination, services } = shape;
  return (
    source.intervals.length +
    source.scattered.length +
    destination.intervals.length +
    destination.scattered.length +
    services.length
  );
}

/** Whether no packet at all can match: an undefined group, `lt 0`, a range that runs backwards. */
export function isEmpty(shape: Shape): boolean {
  const noAddress = (set: AddressSet) => set.intervals.length === 0 && set.scattered.length === 0;
  return (
    noAddress(shape.source) ||
    noAddress(shape.destination) ||
    shape.ttl.length === 0 ||
    shape.flags === 0n ||
    shape.trafficClass === 0n ||
    !shape.services.some((service) => service.sourcePorts.length > 0 && service.destinationPorts.length > 0)
  );
}

/**
 * How much of `later` is covered when `earlier` stands before it: `all`; `datagrams`: all but fragments with an
 * offset above 0, on which a deny with layer 4 conditions does not act; or nothing.
 */
export function coverage(earlier: Shape, later: Shape): "all" | "datagrams" | "none" {
  if (!headersCover(earlier, later)) return "none";
  if (!addressesCover(earlier.source, later.source)) return "none";
  if (!addressesCover(earlier.destination, later.destination)) return "none";
  // A condition on fragments is one on the rest of the datagram as well: it never sees the other kind of packet.
  const datagrams = later.ace.fragments || (!earlier.ace.fragments && layer4Covers(earlier, later));
  if (!datagrams) return "none";
  return fragmentsCover(earlier, later) ? "all" : later.ace.fragments ? "none" : "datagrams";
}

function layer4Covers(earlier: Shape, later: Shape): boolean {
  if (!bitsCover(earlier.flags, later.flags)) return false;
  const { igmpType } = earlier.ace;
  if (igmpType !== undefined && igmpType !== later.ace.igmpType) return false;
  return later.services.every((service) => earlier.services.some((other) => serviceCovers(other, service)));
}

function serviceCovers(earlier: ServiceSet, later: ServiceSet): boolean {
  if (earlier.protocol !== undefined && earlier.protocol !== later.protocol) return false;
  if (earlier.icmp !== undefined) {
    if (earlier.icmp.type !== later.icmp?.type) return false;
    if (earlier.icmp.code !== undefined && earlier.icmp.code !== later.icmp.code) return false;
  }
  return (
    intervalsCover(earlier.sourcePorts, later.sourcePorts) &&
    intervalsCover(earlier.destinationPorts, later.destinationPorts)
  );
}

/** On fragments the protocol is all that is left of the services, and a deny with layer 4 conditions is not there. */
function fragmentsCover(earlier: Shape, later: Shape): boolean {
  const acting = (shape: Shape) =>
    shape.services.filter((service) => shape.ace.action === "permit" || !service.hasLayer4Conditions);
  const covering = acting(earlier);
  return acting(later).every(({ protocol }) =>
    covering.some((other) => other.protocol === undefined || other.protocol === protocol),
  );
}

/** The conditions on the IP header and its extensions, the time range among them. */
function headersCover(earlier: Shape, later: Shape): boolean {
  const [e, l] = [earlier.ace, later.ace];
  const implies = <T>(given: T | undefined, asked: T | undefined) => asked === undefined || asked === given;
  const typed = (given: { type?: number } | undefined, asked: { type?: number } | undefined) =>
    asked === undefined || (given !== undefined && implies(given.type, asked.type));
  const flag = (given: boolean | undefined, asked: boolean | undefined) => !asked || given === true;
  return (
    implies(l.timeRange, e.timeRange) &&
    bitsCover(earlier.trafficClass, later.trafficClass) &&
    intervalsCover(earlier.ttl, later.ttl) &&
    (e.option === "any" ? l.option !== undefined : implies(l.option, e.option)) &&
    implies(l.flowLabel, e.flowLabel) &&
    typed(l.routing, e.routing) &&
    typed(l.mobility, e.mobility) &&
    typed(l.destinationOption, e.destinationOption) &&
    flag(l.hopByHop, e.hopByHop) &&
    flag(l.authenticationHeader, e.authenticationHeader) &&
    flag(l.undeterminedTransport, e.undeterminedTransport)
  );
}

/** Undefined has no condition. */
function bitsCover(earlier: bigint | undefined, later: bigint | undefined): boolean {
  return earlier === undefined || (later !== undefined && (later & ~earlier) === 0n);
}

function bits(last: number, matches: (value: number) => boolean): bigint {
  let set = 0n;
  for (let value = 0; value <= last; value++) if (matches(value)) set |= 1n << BigInt(value);
  return set;
}

/** The values from 0 to `last` that a match admits, as intervals. Undefined: all of them. */
function intervalsOf(match: NumberMatch | undefined, last: number): Interval<number>[] {
  if (match === undefined) return [{ low: 0, high: last }];
  // Between two of these edges every value has the same answer.
  const edges = "values" in match ? match.values : "value" in match ? [match.value] : [match.low, match.high];
  const starts = new Set([0, ...edges.flatMap((edge) => [edge, edge + 1])]);
  const sorted = [...starts].filter((start) => start >= 0 && start <= last).sort((x, y) => x - y);
  const intervals = sorted.flatMap((low, index) =>
    numberMatches(match, low) ? [{ low, high: (sorted[index + 1] ?? last + 1) - 1 }] : [],
  );
  return merge(intervals);
}

const ADDRESS_LAST: Record<Family, Address> = { 4: 0xffffffff, 6: (1n << 128n) - 1n };

function addressSet(config: Config, match: AddressMatch, family: Family): AddressSet {
  const intervals: Interval<Address>[] = [];
  const scattered: AddressSet["scattered"] = [];
  for (const flat of expandAddresses(config, match)) {
    const interval = intervalOf(flat, family);
    if (interval === undefined) {
      if (flat.kind === "wildcard") scattered.push({ address: flat.address, wildcard: flat.wildcard });
    } else if (interval.low <= interval.high && typeof interval.low === typeof ADDRESS_LAST[family]) {
      intervals.push(interval);
    }
  }
  return { intervals: merge(intervals), scattered };
}

/** Undefined: a wildcard whose care bits are no prefix. */
function intervalOf(match: FlatAddressMatch, family: Family): Interval<Address> | undefined {
  switch (match.kind) {
    case "any":
      return { low: family === 4 ? 0 : 0n, high: ADDRESS_LAST[family] };
    case "range":
      return { low: match.low, high: match.high };
    case "wildcard": {
      if (prefixLengthOfMask(~match.wildcard >>> 0) === undefined) return undefined;
      return { low: match.address, high: (match.address | match.wildcard) >>> 0 };
    }
    case "prefix": {
      const low = networkOf(match.address, match.prefixLength);
      if (typeof low === "number") return { low, high: (low | ~ipv4Mask(match.prefixLength)) >>> 0 };
      return { low, high: low + (ADDRESS_LAST[6] as bigint) - ipv6Mask(match.prefixLength) };
    }
  }
}

function addressesCover(earlier: AddressSet, later: AddressSet): boolean {
  const inScattered = (address: number, wildcard: number) =>
    earlier.scattered.some(
      (other) => (wildcard & ~other.wildcard) === 0 && ((address ^ other.address) & ~other.wildcard) === 0,
    );
  return (
    later.scattered.every(
      ({ address, wildcard }) =>
        inScattered(address, wildcard) ||
        intervalsCover(earlier.intervals, [{ low: address, high: (address | wildcard) >>> 0 }]),
    ) &&
    later.intervals.every((interval) => {
      if (intervalsCover(earlier.intervals, [interval])) return true;
      const { low, high } = interval;
      if (earlier.scattered.length === 0 || typeof low !== "number" || typeof high !== "number") return false;
      // The wildcard of the smallest prefix around the interval: covered if even that is.
      const span = low === high ? 0 : 0xffffffff >>> Math.clz32(low ^ high);
      return inScattered(low & ~span, span);
    })
  );
}

/** Both ascending and merged: each later interval must lie in one earlier interval. */
function intervalsCover<T extends Address>(earlier: Interval<T>[], later: Interval<T>[]): boolean {
  let at = 0;
  return later.every(({ low, high }) => {
    while (at < earlier.length && earlier[at]!.high < low) at++;
    return at < earlier.length && earlier[at]!.low <= low && earlier[at]!.high >= high;
  });
}

/** Ascending, with what touches or overlaps made one. */
function merge<T extends Address>(intervals: Interval<T>[]): Interval<T>[] {
  const merged: Interval<T>[] = [];
  for (const { low, high } of [...intervals].sort((x, y) => (x.low < y.low ? -1 : x.low > y.low ? 1 : 0))) {
    const last = merged.at(-1);
    if (last === undefined || low > next(last.high)) merged.push({ low, high });
    else if (high > last.high) last.high = high;
  }
  return merged;
}

function next(address: Address): Address {
  return typeof address === "number" ? address + 1 : address + 1n;
}
