/** The packet that `explain` is asked about: `tcp 10.0.0.5:40000 198.51.100.7:www syn` and its like, as a value. */
import { nearest } from "../config/diagnostics.js";
import {
  ICMP6_NAMES,
  ICMP_NAMES,
  type IcmpMatch,
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_SCTP,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
  type NameTable,
  PROTOCOLS,
  PROTOCOLS6,
  SCTP_PORTS,
  TCP_FLAGS,
  TCP_PORTS,
  UDP_PORTS,
} from "../config/names.js";
import type { Result } from "../io/io.js";
import { isProblem } from "../io/io.js";
import { type Address, formatAddress, parseAddress } from "../ip.js";

/** A packet by what the firewall looks at. */
export interface PacketWanted {
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  /** TCP, UDP and SCTP only. */
  readonly ports?: { readonly source: number; readonly destination: number };
  /** TCP only: the flag byte. */
  readonly tcpFlags?: number;
  /** ICMP and ICMPv6 only. */
  readonly icmp?: { readonly type: number; readonly code: number };
}

/** What takes the place of a source port that is not given: the first one that hosts pick for themselves (RFC 6335). */
export const SOURCE_PORT_DEFAULT = 49_152;
const PORT_MAX = 65_535;

/** Names of the ports of the protocols that have some. */
const PORT_NAMES: ReadonlyMap<number, NameTable> = new Map([
  [IP_PROTOCOL_TCP, TCP_PORTS],
  [IP_PROTOCOL_UDP, UDP_PORTS],
  [IP_PROTOCOL_SCTP, SCTP_PORTS],
]);

/** Next header values that are no protocols in IPv6 (RFC 8200 section 4): no packet can be made of these alone. */
const EXTENSION_HEADERS: ReadonlySet<number> = new Set([0, 43, 44, 51, 60, 135, 139, 140]);

/** The words behind the verb: protocol, source, destination, flags. */
export function parsePacket(words: readonly string[]): Result<PacketWanted> {
  const [protocolWord, sourceWord, destinationWord, ...more] = words;
  if (protocolWord === undefined || sourceWord === undefined || destinationWord === undefined) {
    return { problem: "a packet is PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [FLAGS]" };
  }
  const source = parseEnd(sourceWord);
  if (isProblem(source)) return source;
  const destination = parseEnd(destinationWord);
  if (isProblem(destination)) return destination;
  const ends = { source: source.value.address, destination: destination.value.address };
  if (typeof ends.source !== typeof ends.destination) {
    return { problem: "source and destination are of different address families" };
  }
  const protocol = parseProtocol(protocolWord, typeof ends.source === "bigint");
  if (isProblem(protocol)) return protocol;
  const number = protocol.value;
  const ports = parsePorts(protocolWord, number, source.value.port, destination.value.port);
  if (isProblem(ports)) return ports;
  const common = { protocol: number, ...ends, ...(ports.value && { ports: ports.value }) };
  if (number === IP_PROTOCOL_TCP) {
    const flags = parseFlags(more);
    return isProblem(flags) ? flags : { value: { ...common, tcpFlags: flags.value } };
  }
  if (number === IP_PROTOCOL_ICMP || number === IP_PROTOCOL_ICMP6) {
    const icmp = parseIcmp(more, number);
    return isProblem(icmp) ? icmp : { value: { ...common, icmp: icmp.value } };
  }
  if (more.length > 0) return { problem: `${protocolWord} takes no flags, but "${more.join(" ")}" is given` };
  return { value: common };
}

/** "did you mean": empty when nothing is near. */
function hint(word: string, names: Iterable<string>): string {
  const near = nearest(word, names);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

function parseProtocol(word: string, v6: boolean): Result<number> {
  const table = v6 ? PROTOCOLS6 : PROTOCOLS;
  const number = /^\d{1,3}$/.test(word) ? Number(word) : table.value(word === "icmpv6" ? "icmp" : word);
  if (number === undefined || number > 255) {
    return { problem: `"${word}" is no protocol${hint(word, table.names)}` };
  }
  if (v6 && EXTENSION_HEADERS.has(number)) {
    return { problem: `protocol ${number} is an extension header in IPv6, not a packet of its own` };
  }
  if (number === (v6 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMP6)) {
    return { problem: `protocol ${number} is the ICMP of the other address family` };
  }
  return { value: number };
}

interface End {
  readonly address: Address;
  readonly port: string | undefined;
}

/** `A.B.C.D`, `A.B.C.D:PORT`, `X::X`, `[X::X]`, `[X::X]:PORT`. */
function parseEnd(word: string): Result<End> {
  const bracketed = /^\[([^\]]*)\](?::(.+))?$/.exec(word);
  const dotted = /^([^:]*)(?::([^:]+))?$/.exec(word);
  const [, text, port] = bracketed ?? dotted ?? [word, word, undefined];
  const address = parseAddress(text!);
  if (address === undefined || (bracketed && typeof address === "number")) {
    return { problem: `"${word}" is no address: A.B.C.D[:PORT] or X::X or [X::X][:PORT]` };
  }
  return { value: { address, port } };
}

function parsePorts(
  protocol: string,
  number: number,
  source: string | undefined,
  destination: string | undefined,
): Result<PacketWanted["ports"]> {
  const names = PORT_NAMES.get(number);
  if (names === undefined) {
    const port = source ?? destination;
    return port === undefined
      ? { value: undefined }
      : { problem: `${protocol} has no ports, but "${port}" is given` };
  }
  if (destination === undefined) return { problem: `${protocol} needs a destination port` };
  const from = source === undefined ? { value: SOURCE_PORT_DEFAULT } : parsePort(source, protocol, names);
  if (isProblem(from)) return from;
  const to = parsePort(destination, protocol, names);
  if (isProblem(to)) return to;
  return { value: { source: from.value, destination: to.value } };
}

function parsePort(word: string, protocol: string, names: NameTable): Result<number> {
  const port = /^\d{1,5}$/.test(word) ? Number(word) : names.value(word);
  if (port !== undefined && port <= PORT_MAX) return { value: port };
  return { problem: `"${word}" is no ${protocol} port${hint(word, names.names)}` };
}

/** Any of the flags, as words or joined by `,` or `+`; none: a SYN. */
function parseFlags(words: readonly string[]): Result<number> {
  let flags = 0;
  for (const word of words.flatMap((each) => each.toLowerCase().split(/[,+]/))) {
    const bit = TCP_FLAGS[word];
    if (bit === undefined)
      return { problem: `"${word}" is no TCP flag${hint(word, Object.keys(TCP_FLAGS))}` };
    flags |= bit;
  }
  return { value: flags === 0 ? TCP_FLAGS.syn! : flags };
}

/** A name, or TYPE [CODE]; nothing: an echo request. */
function parseIcmp(words: readonly string[], protocol: number): Result<{ type: number; code: number }> {
  const names = protocol === IP_PROTOCOL_ICMP ? ICMP_NAMES : ICMP6_NAMES;
  const [first = protocol === IP_PROTOCOL_ICMP ? "echo" : "echo-request", second, more] = words;
  const byte = (word: string) => (/^\d{1,3}$/.test(word) && Number(word) <= 255 ? Number(word) : undefined);
  const type = byte(first);
  const match: IcmpMatch | undefined = type === undefined ? names.value(first) : { type };
  if (match === undefined) return { problem: `"${first}" is no ICMP type${hint(first, names.names)}` };
  const code = second === undefined ? (match.code ?? 0) : byte(second);
  if (code === undefined || more !== undefined || (second !== undefined && match.code !== undefined)) {
    return { problem: `an ICMP packet is a name, or TYPE [CODE], but "${words.join(" ")}" is given` };
  }
  return { value: { type: match.type, code } };
}

/** `tcp 10.0.0.5:40000 -> 198.51.100.7:80 syn`, `icmp 10.0.0.5 -> 198.51.100.7 echo`. */
export function describePacket({
  protocol,
  source,
  destination,
  ports,
  tcpFlags,
  icmp,
}: PacketWanted): string {
  const end = (address: Address, port: number | undefined): string => {
    const text = formatAddress(address);
    if (port === undefined) return text;
    return typeof address === "bigint" ? `[${text}]:${port}` : `${text}:${port}`;
  };
  const v6 = typeof source === "bigint";
  const name = (v6 ? PROTOCOLS6 : PROTOCOLS).name(protocol) ?? `protocol ${protocol}`;
  const words = [name, end(source, ports?.source), "->", end(destination, ports?.destination)];
  if (tcpFlags !== undefined) {
    words.push(...Object.keys(TCP_FLAGS).filter((flag) => (tcpFlags & TCP_FLAGS[flag]!) !== 0));
  }
  if (icmp !== undefined) {
    const names = v6 ? ICMP6_NAMES : ICMP_NAMES;
    const known = names.name(icmp) ?? (icmp.code === 0 ? names.name({ type: icmp.type }) : undefined);
    words.push(known ?? `type ${icmp.type} code ${icmp.code}`);
  }
  return words.join(" ");
}
