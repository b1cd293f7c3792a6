/**
 * Access lists read as they are written: line by line, the first entry that matches decides, then the implicit
 * deny. Slow and obvious on purpose: this is the meaning of a list, and the compiled form is compared with it.
 *
 * Fragments follow Cisco's tech note 8014 (and RFC 1858): a fragment with an offset above 0 shows layer 3 only, so
 * an entry with layer 4 conditions permits it on layer 3 alone, and never denies it.
 */
import type {
  AccessList,
  Ace,
  AddressMatch,
  CalendarTime,
  Config,
  DaySet,
  GroupMember,
  NumberMatch,
  PortMatch,
  TimeRange,
} from "../config/model.js";
import { type Address, inPrefix } from "../ip.js";

/** IP protocol numbers that this file and the checks name. */
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, ah: 51, icmp6: 58, sctp: 132 } as const;

const TCP_RST = 4;
const TCP_ACK = 16;
const ND_SOLICITATION = 135;
const ND_ADVERTISEMENT = 136;

/**
 * What a list can see of one packet. A field that the packet does not have is undefined, and a condition on it does
 * not hold. A first fragment too short for its layer 4 header never gets here: it is dropped before (RFC 1858).
 */
export interface AclPacket {
  /** Both addresses are of one family; it chooses between the IPv4 and the IPv6 lists. */
  source: Address;
  destination: Address;
  /** IP protocol number; IPv6: of the header that ends the chain of extension headers. */
  protocol: number;
  /** Fragment offset above 0: nothing of layer 4 is visible, whatever else is given here. */
  nonInitialFragment?: boolean;
  /** TCP, UDP and SCTP. */
  sourcePort?: number;
  destinationPort?: number;
  /** The TCP flag byte: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32. */
  tcpFlags?: number;
  icmpType?: number;
  icmpCode?: number;
  igmpType?: number;
  /** The TOS or traffic class byte; undefined: 0. */
  trafficClass?: number;
  /** TTL or hop limit. */
  ttl?: number;
  /** IPv4: the type byte of each option, End and No-Operation included when they are there. */
  options?: readonly number[];
  /** IPv6 only, from here on. Undefined flow label: 0. */
  flowLabel?: number;
  /** Type byte of the routing header, when there is one. */
  routingType?: number;
  /** Type byte of the mobility header, when there is one. */
  mobilityType?: number;
  /** Option types of the destination options header, when there is one. */
  destinationOptions?: readonly number[];
  hopByHop?: boolean;
  authenticationHeader?: boolean;
  /** The chain of headers ends before an upper layer is reached. */
  undeterminedTransport?: boolean;
}

/** Whether the time range of that name is active; how a list without a clock is told the time. */
export type TimeRangeTest = (name: string) => boolean;

export type Evaluation =
  /** `entry` undefined: the implicit end of the list decided. */
  | { undefinedList: false; action: "permit" | "deny"; entry: Ace | undefined }
  /** No such list, or one without an entry. IOS permits everything then; what to do is the caller's decision. */
  | { undefinedList: true; action: undefined; entry: undefined };

/**
 * The verdict of the list called `list` on one packet, in the list space of the packet's family.
 * @param isActive says which time ranges are active (see `timeRangesAt`); an entry of another one is skipped.
 * Source: Cisco `access-list`, `ip access-list`, `ipv6 access-list`.
 */
export function evaluate(
  config: Config,
  list: string,
  packet: AclPacket,
  isActive: TimeRangeTest = () => false,
): Evaluation {
  const lists = typeof packet.source === "number" ? config.accessLists : config.accessLists6;
  const found = lists.get(list);
  if (found === undefined || !hasEntries(found)) {
    return { undefinedList: true, action: undefined, entry: undefined };
  }
  for (const entry of found.entries) {
    if (entry.kind === "ace" && aceMatches(config, entry, packet, isActive)) {
      return { undefinedList: false, action: entry.action, entry };
    }
  }
  const action = found.family === 6 && isNeighbourDiscovery(packet) ? "permit" : "deny";
  return { undefinedList: false, action, entry: undefined };
}

/** Whether a list has at least one entry; remarks do not count, and without one IOS takes the list for absent. */
export function hasEntries(list: AccessList): boolean {
  return list.entries.some((entry) => entry.kind === "ace");
}

/**
 * Whether one entry decides about the packet. For a fragment with an offset above 0 that depends on the entry's
 * action as well: with layer 4 conditions a permit decides on layer 3 alone, and a deny never decides.
 */
export function aceMatches(config: Config, ace: Ace, packet: AclPacket, isActive: TimeRangeTest): boolean {
  if (ace.timeRange !== undefined && !isActive(ace.timeRange)) return false;
  if (!layer3Matches(config, ace, packet)) return false;
  const services = expandServices(config, ace).filter((service) => protocolMatches(service, packet));
  if (packet.nonInitialFragment) {
    return services.some((service) => ace.action === "permit" || !hasLayer4Conditions(ace, service));
  }
  return !ace.fragments && services.some((service) => layer4Matches(ace, service, packet));
}

/** One protocol with its layer 4 conditions: what an entry says itself, or one member of its service group. */
export interface Service {
  /** Undefined: any. */
  protocol?: number;
  sourcePort?: PortMatch;
  destinationPort?: PortMatch;
  icmp?: { type: number; code?: number };
}

/** The services of an entry, its service group spelled out. A group that is not defined, or not one of services,
 * has no members: the entry then matches nothing. */
export function expandServices(config: Config, ace: Ace): Service[] {
  const { protocol, sourcePort, destinationPort, icmp } = ace;
  if (ace.serviceGroup === undefined) return [{ protocol, sourcePort, destinationPort, icmp }];
  const services: Service[] = [];
  for (const member of membersOf(config, ace.serviceGroup)) {
    if (member.kind !== "service") continue;
    for (const each of member.protocols ?? [undefined]) {
      services.push({
        protocol: each,
        sourcePort: member.sourcePort ?? sourcePort,
        destinationPort: member.destinationPort ?? destinationPort,
        icmp: member.icmp ?? icmp,
      });
    }
  }
  return services;
}

/** Addresses without groups: what an entry says, or one member of its group. */
export type FlatAddressMatch =
  | Exclude<AddressMatch, { kind: "group" }>
  | { kind: "range"; low: Address; high: Address };

/** The addresses of one end of an entry, its object group spelled out; an undefined group has none. */
export function expandAddresses(config: Config, match: AddressMatch): FlatAddressMatch[] {
  if (match.kind !== "group") return [match];
  const flat: FlatAddressMatch[] = [];
  for (const member of membersOf(config, match.name)) {
    if (member.kind === "address") flat.push(member.match);
    if (member.kind === "range") flat.push({ kind: "range", low: member.low, high: member.high });
  }
  return flat;
}

/** The members of a group and of the groups in it. Each group is visited once, so a ring of groups ends. */
function membersOf(config: Config, name: string, seen = new Set<string>()): PlainMember[] {
  if (seen.has(name)) return [];
  seen.add(name);
  const members = config.objectGroups.get(name)?.members ?? [];
  return members.flatMap((member) =>
    member.kind === "group" ? membersOf(config, member.name, seen) : [member],
  );
}

type PlainMember = Exclude<GroupMember, { kind: "group" }>;

/** Whether anything beyond addresses, protocol and IP header fields is asked: ports, flags, ICMP or IGMP types. */
export function hasLayer4Conditions(ace: Ace, service: Service): boolean {
  return (
    service.sourcePort !== undefined ||
    service.destinationPort !== undefined ||
    service.icmp !== undefined ||
    ace.established ||
    ace.flags !== undefined ||
    ace.igmpType !== undefined
  );
}

function protocolMatches(service: Service, packet: AclPacket): boolean {
  if (service.protocol === undefined || service.protocol === packet.protocol) return true;
  return service.protocol === PROTOCOL.ah && packet.authenticationHeader === true;
}

function layer4Matches(ace: Ace, service: Service, packet: AclPacket): boolean {
  if (!portMatches(service.sourcePort, packet.sourcePort)) return false;
  if (!portMatches(service.destinationPort, packet.destinationPort)) return false;
  if (service.icmp !== undefined) {
    if (service.icmp.type !== packet.icmpType) return false;
    if (service.icmp.code !== undefined && service.icmp.code !== packet.icmpCode) return false;
  }
  if (ace.igmpType !== undefined && ace.igmpType !== packet.igmpType) return false;
  return (!ace.established && ace.flags === undefined) || flagsMatch(ace, packet.tcpFlags);
}

/** `established`, `match-all`, `match-any` and bare flags over one TCP flag byte. */
export function flagsMatch(ace: Ace, tcpFlags: number | undefined): boolean {
  if (tcpFlags === undefined) return false;
  if (ace.established && (tcpFlags & (TCP_ACK | TCP_RST)) === 0) return false;
  if (ace.flags === undefined) return true;
  const { mode, set, clear } = ace.flags;
  return mode === "all"
    ? (tcpFlags & set) === set && (tcpFlags & clear) === 0
    : (tcpFlags & set) !== 0 || (~tcpFlags & clear) !== 0;
}

function portMatches(match: PortMatch | undefined, port: number | undefined): boolean {
  return match === undefined || (port !== undefined && numberMatches(match, port));
}

/** `eq` and `neq` take several values: any of them, none of them. `range` includes both ends. */
export function numberMatches(match: NumberMatch, value: number): boolean {
  switch (match.op) {
    case "eq":
      return match.values.includes(value);
    case "neq":
      return !match.values.includes(value);
    case "gt":
      return value > match.value;
    case "lt":
      return value < match.value;
    case "range":
      return value >= match.low && value <= match.high;
  }
}

/** Everything that each fragment of a datagram shows as well as the whole: the IP header and its extensions. */
function layer3Matches(config: Config, ace: Ace, packet: AclPacket): boolean {
  if (!expandAddresses(config, ace.source).some((match) => addressMatches(match, packet.source)))
    return false;
  const destinations = expandAddresses(config, ace.destination);
  if (!destinations.some((match) => addressMatches(match, packet.destination))) return false;
  if (!trafficClassMatches(ace, packet.trafficClass ?? 0)) return false;
  if (ace.ttl !== undefined && (packet.ttl === undefined || !numberMatches(ace.ttl, packet.ttl)))
    return false;
  if (ace.option !== undefined) {
    const options = packet.options ?? [];
    if (ace.option === "any" ? options.length === 0 : !options.includes(ace.option)) return false;
  }
  if (ace.flowLabel !== undefined && ace.flowLabel !== (packet.flowLabel ?? 0)) return false;
  if (ace.routing !== undefined && !headerMatches(ace.routing.type, packet.routingType)) return false;
  if (ace.mobility !== undefined && !headerMatches(ace.mobility.type, packet.mobilityType)) return false;
  if (ace.destinationOption !== undefined) {
    if (packet.destinationOptions === undefined) return false;
    const { type } = ace.destinationOption;
    if (type !== undefined && !packet.destinationOptions.includes(type)) return false;
  }
  if (ace.hopByHop && !packet.hopByHop) return false;
  if (ace.authenticationHeader && !packet.authenticationHeader) return false;
  return !ace.undeterminedTransport || packet.undeterminedTransport === true;
}

/** `precedence`, `tos`, `dscp` and `ecn` over the one byte they share. */
export function trafficClassMatches(ace: Ace, trafficClass: number): boolean {
  return (
    (ace.precedence === undefined || ace.precedence === trafficClass >> 5) &&
    (ace.tos === undefined || ace.tos === ((trafficClass >> 1) & 15)) &&
    (ace.dscp === undefined || ace.dscp === trafficClass >> 2) &&
    (ace.ecn === undefined || ace.ecn === (trafficClass & 3))
  );
}

function headerMatches(wanted: number | undefined, type: number | undefined): boolean {
  return type !== undefined && (wanted === undefined || wanted === type);
}

/** Whether an address is one of those that the match names; an address of the other family never is. */
export function addressMatches(match: FlatAddressMatch, address: Address): boolean {
  switch (match.kind) {
    case "any":
      return true;
    case "wildcard":
      return typeof address === "number" && ((address ^ match.address) & ~match.wildcard) === 0;
    case "prefix":
      return inPrefix(address, match.address, match.prefixLength);
    case "range":
      return typeof address === typeof match.low && address >= match.low && address <= match.high;
  }
}

/** The two permits that every IPv6 list has before its implicit deny. Not for fragments: neighbour discovery is
 * never fragmented (RFC 6980), and a fragment does not show that it is neighbour discovery. */
function isNeighbourDiscovery(packet: AclPacket): boolean {
  if (packet.protocol !== PROTOCOL.icmp6 || packet.nonInitialFragment) return false;
  return packet.icmpType === ND_SOLICITATION || packet.icmpType === ND_ADVERTISEMENT;
}

/**
 * Which time ranges of a configuration are active at one moment of the firewall's local time. A name that is not
 * defined is never active.
 */
export function timeRangesAt(config: Config, at: CalendarTime): TimeRangeTest {
  return (name) => {
    const range = config.timeRanges.get(name);
    return range !== undefined && isTimeRangeActive(range, at);
  };
}

const MINUTES_PER_DAY = 24 * 60;
const DAYS_PER_WEEK = 7;

/**
 * Active: the absolute part holds, and there is no periodic part or one of them holds. The end of `absolute` is the
 * moment at which the range stops; the end of `periodic` is its last minute, since `0:00 to 23:59` is Cisco's way
 * to write a whole day. A periodic end before its start, without days, lies on the next day.
 * Source: Cisco `time-range`, `absolute`, `periodic`. Months count from 1.
 */
export function isTimeRangeActive(range: TimeRange, at: CalendarTime): boolean {
  const minute = minuteOf(at);
  const { start, end } = range.absolute ?? {};
  if (start !== undefined && minute < minuteOf(start)) return false;
  if (end !== undefined && minute >= minuteOf(end)) return false;
  if (range.periodic.length === 0) return true;
  // 1970-01-01, day 0, was a Thursday; Monday is day 0 of our week.
  const day = (Math.floor(minute / MINUTES_PER_DAY) + 3) % DAYS_PER_WEEK;
  const minuteOfWeek = day * MINUTES_PER_DAY + at.hour * 60 + at.minute;
  return range.periodic.some((period) =>
    daysOf(period.days).some((startDay) => {
      const from = startDay * MINUTES_PER_DAY + period.startMinute;
      const since = modulo(minuteOfWeek - from, DAYS_PER_WEEK * MINUTES_PER_DAY);
      if (period.endDays === undefined) {
        return since <= modulo(period.endMinute - period.startMinute, MINUTES_PER_DAY);
      }
      const lengths = daysOf(period.endDays).map((endDay) =>
        modulo(endDay * MINUTES_PER_DAY + period.endMinute - from, DAYS_PER_WEEK * MINUTES_PER_DAY),
      );
      return since <= Math.min(...lengths);
    }),
  );
}

/** Minutes since 1970-01-01 00:00 of the same local calendar. */
function minuteOf(time: CalendarTime): number {
  return Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute) / 60_000;
}

function daysOf(days: DaySet): number[] {
  return [0, 1, 2, 3, 4, 5, 6].filter((day) => (days.mask >> day) & 1);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
