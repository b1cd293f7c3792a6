/**
 * Ethernet frames and IP packets: what this program makes itself, with nothing unusual in the headers, and what it takes
 * apart. ARP is in arp.ts, ICMP and neighbour discovery in icmp.ts. RFC 894, 2464, 791, 8200, 768, 1071.
 */
import { type Address, bigintToBytes } from "./ip.js";
import { type Mac, macBytes } from "./mac.js";
import { record } from "./record.js";

export { formatMac, MAC_BROADCAST, type Mac, macBytes } from "./mac.js";

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

export const ETHERNET = record({ destination: "mac", source: "mac", ethertype: "u16" });

export const IPV4 = record({
  /** Version in the upper half, header length in words in the lower. */
  versionLength: "u8",
  trafficClass: "u8",
  totalLength: "u16",
  identification: "u16",
  /** Flags in the upper three bits, offset in units of eight bytes in the others. */
  fragment: "u16",
  ttl: "u8",
  protocol: "u8",
  checksum: "u16",
  source: "u32",
  destination: "u32",
});
export const IPV4_DONT_FRAGMENT = 0x4000;
export const IPV4_MORE_FRAGMENTS = 0x2000;
export const IPV4_FRAGMENT_OFFSET = 0x1fff;
/** Fragments are cut at multiples of so many bytes. */
export const FRAGMENT_UNIT = 8;

export const IPV6 = record({
  /** Version, traffic class and flow label. */
  first: "u32",
  payloadLength: "u16",
  nextHeader: "u8",
  hopLimit: "u8",
  source: "u128",
  destination: "u128",
});

/** What an IP header needs to be told. Both addresses are of one family. */
export interface IpHeader {
  readonly source: Address;
  readonly destination: Address;
  /** IP protocol number; in IPv6 the next header. */
  readonly protocol: number;
  /** TTL or hop limit. */
  readonly ttl: number;
  /** Type of service or traffic class; 0 unless given. */
  readonly trafficClass?: number;
  /** IPv4: tells the fragments of datagrams apart; 0 unless given. */
  readonly identification?: number;
}

export interface Ports {
  readonly source: number;
  readonly destination: number;
}

/** 4 or 16 bytes in network order. */
export function addressBytes(address: Address): number[] {
  if (typeof address === "bigint") return bigintToBytes(address);
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
}

/** The Internet checksum (RFC 1071); a missing last byte counts as 0. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** 16-bit words in network order, then zeros up to `length` bytes. */
export function words(length: number, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length);
  values.forEach((value, i) => {
    setWord(bytes, 2 * i, value);
  });
  return bytes;
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 255;
}

/** One after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const IPV4_WITHOUT_OPTIONS = 0x45;
const IPV6_VERSION = 6;
const VERSION_SHIFT = 28;
const TRAFFIC_CLASS_SHIFT = 20;

/** An IP packet: the header without options or extension headers, and the payload as it is. */
export function ipPacket(header: IpHeader, payload: Uint8Array): Uint8Array {
  return concat(headerBytes(header, payload.length), payload);
}

function headerBytes(header: IpHeader, payloadLength: number): Uint8Array {
  const { source, destination, protocol, ttl, trafficClass = 0, identification = 0 } = header;
  if (typeof source === "bigint") {
    return IPV6.emit({
      first: ((IPV6_VERSION << VERSION_SHIFT) | (trafficClass << TRAFFIC_CLASS_SHIFT)) >>> 0,
      payloadLength,
      nextHeader: protocol,
      hopLimit: ttl,
      source,
      destination: destination as bigint,
    });
  }
  const bytes = IPV4.emit({
    versionLength: IPV4_WITHOUT_OPTIONS,
    trafficClass,
    totalLength: IPV4.size + payloadLength,
    identification,
    fragment: 0,
    ttl,
    protocol,
    checksum: 0,
    source,
    destination: destination as number,
  });
  return withIpv4Checksum(bytes);
}

/** Computes the checksum of an IPv4 header with its options, in place. */
export function withIpv4Checksum(header: Uint8Array): Uint8Array {
  const at = IPV4.offsetOf("checksum");
  setWord(header, at, 0);
  setWord(header, at, checksum(header));
  return header;
}

/** An IP packet taken apart. */
export interface IpPacket {
  readonly source: Address;
  readonly destination: Address;
  /** What the payload is; in IPv6 behind all extension headers that are known. */
  readonly protocol: number;
  readonly ttl: number;
  /** A part of a datagram, and which: its first, or any later one. */
  readonly fragment?: "first" | "later";
  readonly payload: Uint8Array;
  /** From the header to the end of the packet, without what pads the frame. */
  readonly bytes: Uint8Array;
}

/** The packet at the start of `bytes`, where padding may follow it; undefined: a length does not fit. */
export function parseIp(bytes: Uint8Array): IpPacket | undefined {
  const version = (bytes[0] ?? 0) >>> 4;
  if (version === 4) return parseIpv4Packet(bytes);
  return version === IPV6_VERSION ? parseIpv6Packet(bytes) : undefined;
}

function parseIpv4Packet(bytes: Uint8Array): IpPacket | undefined {
  const header = IPV4.parse(bytes);
  if (header === undefined) return undefined;
  const { source, destination, protocol, ttl, totalLength, fragment } = header;
  const length = ipv4HeaderLength(bytes);
  if (length < IPV4.size || totalLength < length || totalLength > bytes.length) return undefined;
  const isLater = (fragment & IPV4_FRAGMENT_OFFSET) !== 0;
  const isFirst = !isLater && (fragment & IPV4_MORE_FRAGMENTS) !== 0;
  return {
    source,
    destination,
    protocol,
    ttl,
    ...((isLater || isFirst) && { fragment: isLater ? "later" : "first" }),
    payload: bytes.subarray(length, totalLength),
    bytes: bytes.subarray(0, totalLength),
  };
}

/** In bytes, options included. */
export function ipv4HeaderLength(bytes: Uint8Array): number {
  return (bytes[0]! & 15) * 4;
}

const EXTENSION = record({ nextHeader: "u8", length: "u8" });
const FRAGMENT_HEADER = record({
  nextHeader: "u8",
  reserved: "u8",
  /** Offset in the upper 13 bits; the lowest bit: more follow. */
  offset: "u16",
  identification: "u32",
});
const FRAGMENT6_OFFSET = 0xfff8;
const NEXT_FRAGMENT = 44;
/** Hop-by-hop options, routing, destination options: the length counts units of eight bytes after the first. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);
const EXTENSION_UNIT = 8;
/** A chain is followed no farther. */
const EXTENSIONS_MAX = 8;

function parseIpv6Packet(bytes: Uint8Array): IpPacket | undefined {
  const header = IPV6.parse(bytes);
  if (header === undefined) return undefined;
  const end = IPV6.size + header.payloadLength;
  if (end > bytes.length) return undefined;
  const whole = bytes.subarray(0, end);
  let at = IPV6.size;
  let protocol = header.nextHeader;
  let fragment: IpPacket["fragment"];
  for (let i = 0; i < EXTENSIONS_MAX && fragment !== "later"; i++) {
    if (protocol === NEXT_FRAGMENT) {
      const part = FRAGMENT_HEADER.parse(whole, at);
      if (part === undefined) return undefined;
      fragment = (part.offset & FRAGMENT6_OFFSET) === 0 ? "first" : "later";
      protocol = part.nextHeader;
      at += FRAGMENT_HEADER.size;
    } else if (EXTENSIONS.has(protocol)) {
      const extension = EXTENSION.parse(whole, at);
      if (extension === undefined) return undefined;
      protocol = extension.nextHeader;
      at += (extension.length + 1) * EXTENSION_UNIT;
    } else break;
    if (at > end) return undefined;
  }
  const { source, destination, hopLimit } = header;
  return {
    source,
    destination,
    protocol,
    ttl: hopLimit,
    ...(fragment !== undefined && { fragment }),
    payload: whole.subarray(at),
    bytes: whole,
  };
}

/**
 * Fills in the checksum of a transport header with its payload, in place. `at`: where it stands, 0 so far.
 * `pseudoHeader`: whether the addresses are part of the sum; only ICMP of IPv4 has none.
 */
export function checksummed(
  header: IpHeader,
  bytes: Uint8Array,
  at: number,
  pseudoHeader = true,
): Uint8Array {
  const { source, destination, protocol } = header;
  const length = [bytes.length >> 8, bytes.length & 255];
  const pseudo = pseudoHeader
    ? [...addressBytes(source), ...addressBytes(destination), 0, protocol, ...length]
    : [];
  const sum = checksum(concat(Uint8Array.from(pseudo), bytes));
  // A computed 0 would mean "none" in UDP (RFC 768); elsewhere both are the same number.
  setWord(bytes, at, sum === 0 ? 0xffff : sum);
  return bytes;
}

export const UDP = record({ source: "u16", destination: "u16", length: "u16", checksum: "u16" });
export const UDP_HEADER = UDP.size;

/** A UDP datagram, to be put behind `header`. */
export function udpDatagram(header: IpHeader, ports: Ports, payload: Uint8Array): Uint8Array {
  const bytes = concat(UDP.emit({ ...ports, length: UDP.size + payload.length, checksum: 0 }), payload);
  return checksummed(header, bytes, UDP.offsetOf("checksum"));
}

/** The ports and the payload; undefined: a length does not fit. */
export function parseUdp(bytes: Uint8Array): (Ports & { readonly payload: Uint8Array }) | undefined {
  const header = UDP.parse(bytes);
  if (header === undefined || header.length < UDP.size || header.length > bytes.length) return undefined;
  const { source, destination, length } = header;
  return { source, destination, payload: bytes.subarray(UDP.size, length) };
}

/** An Ethernet frame without its check sequence; short payloads are not padded. */
export function ethernetFrame(
  destination: Mac,
  source: Mac,
  ethertype: number,
  payload: Uint8Array,
): Uint8Array {
  return concat(ETHERNET.emit({ destination, source, ethertype }), payload);
}

/** Writes the destination into a frame that is ready but for it. */
export function setDestination(frame: Uint8Array, destination: Mac): void {
  frame.set(macBytes(destination), ETHERNET.offsetOf("destination"));
}

/** The type of an IP packet in Ethernet. */
export function ethertypeOf(address: Address): number {
  return typeof address === "bigint" ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
}
