/**
 * The types of arguments that syntax strings name: how a word, or a group of words, becomes a value of the model.
 */
import {
  type Address,
  formatIpv4,
  ipv4Mask,
  ipv6Mask,
  parseAddress,
  parseCidr,
  parseIpv4,
  parseIpv6,
  prefixLengthOfMask,
} from "../ip.js";
import type { AddressMatch, CalendarTime, NumberMatch } from "./model.js";
import {
  DAYS,
  DESTINATION_OPTIONS,
  DSCP_NAMES,
  ICMP6_NAMES,
  ICMP_NAMES,
  type IcmpMatch,
  type IcmpNames,
  IGMP_TYPES,
  INSPECT_PROTOCOLS,
  INTERFACE_TYPES,
  IP_OPTIONS,
  LOG_FACILITIES,
  LOG_LEVELS,
  MOBILITY_TYPES,
  MONTHS,
  type NameTable,
  PRECEDENCES,
  PROTOCOLS,
  PROTOCOLS6,
  SCTP_PORTS,
  TCP_FLAGS,
  TCP_PORTS,
  TCP_UDP_PORTS,
  TOS_NAMES,
  UDP_PORTS,
} from "./names.js";
import type { ArgumentsOf, ArgumentType, CompoundType, Refusal } from "./syntax.js";

/** Longest name (access list, rule, group, cookie). */
export const NAME_MAX = 64;
/** Longest `hostname` (RFC 1123 label). */
export const HOSTNAME_MAX = 63;
/** Longest `description`, as on IOS. */
export const DESCRIPTION_MAX = 240;
/** Longest `remark`, as on IOS. */
export const REMARK_MAX = 100;
/** Longest description of an `ip port-map` line, as on IOS. */
export const PORT_MAP_TEXT_MAX = 40;
/** Longest HSRP text authentication: the field of the v1 packet (RFC 2281 section 5.1). */
export const STANDBY_TEXT_MAX = 8;
/** Longest HSRP MD5 key, as on IOS. */
export const KEY_STRING_MAX = 64;

function pattern(shown: string, regexp: RegExp): ArgumentType<string> {
  return { shown, parse: (word) => (regexp.test(word) ? word : undefined) };
}

/** A word up to a length, of a form. */
function word(max: number, form = /^/, shown = "WORD"): ArgumentType<string> {
  return { shown, parse: (text) => (text.length <= max && form.test(text) ? text : undefined) };
}

/** The rest of the line, up to a length. */
function rest(max: number): ArgumentType<string> {
  const shown = `LINE (1-${max} characters)`;
  return { shown, rest: true, parse: (text) => (text.length <= max ? text : undefined) };
}

/** A number within 0..max or a name of the table. */
function named(table: NameTable, max: number): ArgumentType<number> {
  return {
    shown: `<0-${max}>`,
    names: table.names,
    parse: (word) => {
      if (!/^\d/.test(word)) return table.value(word);
      return /^\d{1,5}$/.test(word) && Number(word) <= max ? Number(word) : undefined;
    },
  };
}

function icmpName(table: IcmpNames): ArgumentType<IcmpMatch> {
  return { shown: "ICMP-NAME", names: table.names, parse: (word) => table.value(word) };
}

/** `A.B.C.D` where one bits must be on the left. */
const mask: ArgumentType<number> = {
  shown: "A.B.C.D (mask)",
  parse: (word) => {
    const value = parseIpv4(word);
    return value === undefined ? undefined : prefixLengthOfMask(value);
  },
};

/** `ADDRESS/n` of one family, host bits kept. */
function prefix<T extends Address>(shown: string, isOfFamily: (address: Address) => address is T) {
  return {
    shown,
    parse: (word: string): { address: T; prefixLength: number } | undefined => {
      const cidr = word.includes("/") ? parseCidr(word) : undefined;
      if (cidr === undefined || !isOfFamily(cidr.network)) return undefined;
      return { address: cidr.network, prefixLength: cidr.prefixLength };
    },
  };
}

const INTERFACE_NUMBER = /^\d{1,5}(\/\d{1,5}){0,3}(\.\d{1,10})?(:\d{1,3})?$/;

/** The name that a word stands for, in any case and abbreviated to a unique prefix. */
function uniqueName(names: readonly string[], word: string): string | undefined {
  const wanted = word.toLowerCase();
  const exact = names.find((name) => name.toLowerCase() === wanted);
  if (exact !== undefined) return exact;
  const matches = names.filter((name) => name.toLowerCase().startsWith(wanted));
  return matches.length === 1 ? matches[0] : undefined;
}

/** `Gi0/0` or `GigabitEthernet0/0` to the full name; undefined when it is not an interface name. */
export function interfaceName(word: string): string | undefined {
  const match = /^([A-Za-z-]+)(\d.*)$/.exec(word);
  const type = match && uniqueName(INTERFACE_TYPES, match[1]!);
  return type && INTERFACE_NUMBER.test(match[2]!) ? type + match[2]! : undefined;
}

/** Types of one word. */
const WORD_TYPES = {
  /** Any word. */
  word: word(NAME_MAX),
  /** Any words, to the end of the line. */
  line: { shown: "LINE", rest: true, parse: (text) => text },
  description: rest(DESCRIPTION_MAX),
  remark: rest(REMARK_MAX),
  "port-map-text": rest(PORT_MAP_TEXT_MAX),
  hostname: word(HOSTNAME_MAX, /^[A-Za-z]([\w.-]*[A-Za-z0-9])?$/),
  "list-name": word(NAME_MAX, /^\D/),
  "standby-text": word(STANDBY_TEXT_MAX),
  "key-string": word(KEY_STRING_MAX),
  "user-protocol": word(NAME_MAX, /^user-./, "user-WORD"),
  mac: pattern("H.H.H", /^[0-9A-Fa-f]{1,4}(\.[0-9A-Fa-f]{1,4}){2}$/),
  ipv4: { shown: "A.B.C.D", parse: parseIpv4 },
  ipv6: { shown: "X:X:X:X::X", parse: parseIpv6 },
  address: { shown: "A.B.C.D|X:X:X:X::X", parse: parseAddress },
  mask,
  prefix4: prefix("A.B.C.D/<0-32>", (address) => typeof address === "number"),
  prefix6: prefix("X:X:X:X::X/<0-128>", (address) => typeof address === "bigint"),
  "interface-name": { shown: "INTERFACE", names: INTERFACE_TYPES, parse: interfaceName },
  "interface-type": {
    shown: "INTERFACE",
    names: INTERFACE_TYPES,
    parse: (word) => uniqueName(INTERFACE_TYPES, word),
  },
  "interface-number": pattern("SLOT/PORT", INTERFACE_NUMBER),
  protocol: named(PROTOCOLS, 255),
  protocol6: named(PROTOCOLS6, 255),
  "tcp-port": named(TCP_PORTS, 65535),
  "udp-port": named(UDP_PORTS, 65535),
  "sctp-port": named(SCTP_PORTS, 65535),
  "tcp-udp-port": named(TCP_UDP_PORTS, 65535),
  "icmp-name": icmpName(ICMP_NAMES),
  "icmp6-name": icmpName(ICMP6_NAMES),
  "igmp-type": named(IGMP_TYPES, 255),
  precedence: named(PRECEDENCES, 7),
  tos: named(TOS_NAMES, 15),
  dscp: named(DSCP_NAMES, 63),
  "ip-option": named(IP_OPTIONS, 255),
  "mobility-type": named(MOBILITY_TYPES, 255),
  "destination-option": named(DESTINATION_OPTIONS, 255),
  /** `+ack` or `-fin`. */
  "signed-flag": {
    shown: "+FLAG|-FLAG",
    names: Object.keys(TCP_FLAGS).flatMap((flag) => [`+${flag}`, `-${flag}`]),
    parse: (word) => {
      const flag = word.slice(1).toLowerCase();
      if (!Object.hasOwn(TCP_FLAGS, flag) || !"+-".includes(word[0]!)) return undefined;
      return { bit: TCP_FLAGS[flag]!, set: word[0] === "+" };
    },
  },
  "log-level": named(LOG_LEVELS, 7),
  "log-facility": {
    shown: "FACILITY",
    names: LOG_FACILITIES.names,
    parse: (word) => {
      const value = LOG_FACILITIES.value(word);
      return value === undefined ? undefined : LOG_FACILITIES.name(value);
    },
  },
  "inspect-protocol": {
    shown: "PROTOCOL",
    names: INSPECT_PROTOCOLS,
    parse: (word) => uniqueName(INSPECT_PROTOCOLS, word),
  },
  day: {
    shown: "DAY",
    names: Object.keys(DAYS),
    parse: (word) => {
      const name = uniqueName(Object.keys(DAYS), word);
      return name === undefined ? undefined : DAYS[name];
    },
  },
  /** A month as 1..12. */
  month: {
    shown: "MONTH",
    names: MONTHS,
    parse: (word) => {
      const name = uniqueName(MONTHS, word);
      return name === undefined ? undefined : MONTHS.indexOf(name) + 1;
    },
  },
  /** `hh:mm`, as minutes of the day. */
  clock: {
    shown: "hh:mm",
    parse: (word) => {
      const match = /^(\d{1,2}):(\d{2})$/.exec(word);
      if (!match || Number(match[1]) > 23 || Number(match[2]) > 59) return undefined;
      return Number(match[1]) * 60 + Number(match[2]);
    },
  },
} satisfies Record<string, ArgumentType<unknown>>;

type WordTypes = typeof WORD_TYPES;

function compound<const S extends string, V>(
  syntax: S,
  make: (args: ArgumentsOf<S, WordTypes>) => V | Refusal,
): CompoundType<V> {
  return { syntax, make: make as CompoundType<V>["make"] };
}

/** An IPv4 address with a wildcard, in its normal form: `any` for all ones, zero bits under the wildcard. */
export function wildcardMatch(address: number, wildcard: number): AddressMatch {
  if (wildcard === 0xffffffff) return { kind: "any" };
  return { kind: "wildcard", address: (address & ~wildcard) >>> 0, wildcard };
}

/** An IPv6 prefix in its normal form: `any` for length 0, zero host bits. */
export function prefixMatch(address: bigint, prefixLength: number): AddressMatch {
  if (prefixLength === 0) return { kind: "any" };
  return { kind: "prefix", address: address & ipv6Mask(prefixLength), prefixLength };
}

/** An IPv4 network given with a net mask (object groups), in the form of the access lists. */
export function networkMatch(address: number, prefixLength: number): AddressMatch {
  return wildcardMatch(address, ~ipv4Mask(prefixLength) >>> 0);
}

interface NumberMatchArguments {
  op?: "eq" | "neq" | "gt" | "lt";
  values?: number[];
  value?: number;
  low?: number;
  high?: number;
}

function numberMatch(a: NumberMatchArguments): NumberMatch | Refusal {
  if (a.low !== undefined && a.high !== undefined) {
    if (a.low > a.high) return { refusal: `the range ${a.low} to ${a.high} is empty` };
    return { op: "range", low: a.low, high: a.high };
  }
  if (a.op === "gt" || a.op === "lt") return { op: a.op, value: a.value! };
  return { op: a.op!, values: [...new Set(a.values!)] };
}

/** `eq` and `neq` take up to ten values, since 12.3(7)T. */
const numbers = <const T extends string>(type: T) =>
  `(<op=eq|neq> <values:${type}*10> | <op=gt|lt> <value:${type}> | range <low:${type}> <high:${type}>)` as const;

/** Ports of a service group: one port, with or without `eq`, or a range. */
const groupPorts = <const T extends string>(type: T) =>
  `([eq] <port:${type}> | <op=gt|lt> <value:${type}> | range <low:${type}> <high:${type}>)` as const;

function groupPortMatch({ port, ...a }: NumberMatchArguments & { port?: number }): NumberMatch | Refusal {
  return port === undefined ? numberMatch(a) : { op: "eq", values: [port] };
}

/** Days of a month that a year has (Gregorian calendar). */
function daysOf(month: number, year: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Types of several words. */
const COMPOUND_TYPES = {
  /** `Gi0/0`, `GigabitEthernet 0/0`. */
  interface: compound(
    "(<name:interface-name> | <type:interface-type> <number:interface-number>)",
    (a) => a.name ?? a.type! + a.number!,
  ),
  "tcp-ports": compound(numbers("tcp-port"), numberMatch),
  "udp-ports": compound(numbers("udp-port"), numberMatch),
  "sctp-ports": compound(numbers("sctp-port"), numberMatch),
  "tcp-group-ports": compound(groupPorts("tcp-port"), groupPortMatch),
  "udp-group-ports": compound(groupPorts("udp-port"), groupPortMatch),
  "tcp-udp-group-ports": compound(groupPorts("tcp-udp-port"), groupPortMatch),
  /** `08:00 1 January 2030` */
  calendar: compound(
    "<clock:clock> <day:1-31> <month:month> <year:1993-2099>",
    (a): CalendarTime | Refusal => {
      if (a.day > daysOf(a.month, a.year)) return { refusal: "there is no such day" };
      const { day, month, year, clock } = a;
      return { year, month, day, hour: Math.floor(clock / 60), minute: clock % 60 };
    },
  ),
  ttl: compound(numbers("0-255"), numberMatch),
  icmp: compound(
    "(<named:icmp-name> | <type:0-255> [<code:0-255>])",
    (a): IcmpMatch => a.named ?? (a.code === undefined ? { type: a.type! } : { type: a.type!, code: a.code }),
  ),
  icmp6: compound(
    "(<named:icmp6-name> | <type:0-255> [<code:0-255>])",
    (a): IcmpMatch => a.named ?? (a.code === undefined ? { type: a.type! } : { type: a.type!, code: a.code }),
  ),
  address4: compound(
    "(<any> | host <host:ipv4> | object-group <group:word> | <address:ipv4> <wildcard:ipv4>)",
    (a): AddressMatch => {
      if (a.any) return { kind: "any" };
      if (a.group !== undefined) return { kind: "group", name: a.group };
      return a.host === undefined
        ? wildcardMatch(a.address!, a.wildcard!)
        : { kind: "wildcard", address: a.host, wildcard: 0 };
    },
  ),
  /** A standard list takes a bare address for a host. */
  "standard-address": compound(
    "(<any> | host <host:ipv4> | <address:ipv4> [<wildcard:ipv4>])",
    (a): AddressMatch =>
      a.any
        ? { kind: "any" }
        : wildcardMatch((a.host ?? a.address)!, a.host === undefined ? (a.wildcard ?? 0) : 0),
  ),
  address6: compound(
    "(<any> | host <host:ipv6> | object-group <group:word> | <prefix:prefix6>)",
    (a): AddressMatch => {
      if (a.any) return { kind: "any" };
      if (a.group !== undefined) return { kind: "group", name: a.group };
      return a.host === undefined
        ? prefixMatch(a.prefix!.address, a.prefix!.prefixLength)
        : prefixMatch(a.host, 128);
    },
  ),
} satisfies Record<string, CompoundType<unknown>>;

export const TYPES = { ...WORD_TYPES, ...COMPOUND_TYPES };

/** The arguments of a command with this syntax. */
export type Arguments<Syntax extends string> = ArgumentsOf<Syntax, typeof TYPES>;

/** `hhhh.hhhh.hhhh` in lower case with all digits. */
export function normalMac(text: string): string {
  return text
    .toLowerCase()
    .split(".")
    .map((part) => part.padStart(4, "0"))
    .join(".");
}

/** A mask of a prefix length as text. */
export function formatMask(prefixLength: number): string {
  return formatIpv4(ipv4Mask(prefixLength));
}
