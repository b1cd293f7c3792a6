/**
 * The bytes of a packet that `explain` is asked about: an IP header with nothing unusual in it, the shortest transport
 * header that is complete, and correct checksums. RFC 791, 8200, 9293, 768, 792, 4443.
 */
import { TCP_FLAGS } from "../config/names.js";
import { type Address, bigintToBytes } from "../ip.js";
import {
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_SCTP,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
} from "../config/names.js";
import type { PacketWanted } from "./packet.js";

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;

/** An IP packet without a link header, and what it is. */
export interface RawFrame {
  readonly ethertype: number;
  readonly bytes: Uint8Array;
}

/** TTL or hop limit unless told otherwise: what most hosts send with. */
export const TTL_DEFAULT = 64;

const WINDOW = 65_535;
/** Any number will do: the packet stands alone. */
const SEQUENCE = 1000;
const IDENTIFIER = 1;
const ICMP_HEADER = 8;
/** Of a packet that an ICMP error quotes. */
const QUOTED_TRANSPORT = 8;
/** Payload of a protocol that is only a number to the firewall. */
const OTHER_PAYLOAD = 8;
const SCTP_HEADER = 12;

/** ICMP types that quote the packet they are about (RFC 792, RFC 4443). */
const ICMP_ERRORS: Readonly<Record<number, ReadonlySet<number>>> = {
  [IP_PROTOCOL_ICMP]: new Set([3, 4, 5, 11, 12]),
  [IP_PROTOCOL_ICMP6]: new Set([1, 2, 3, 4]),
};

/** Builds the packet. `ttl`: TTL or hop limit. */
export function buildFrame(wanted: PacketWanted, ttl: number = TTL_DEFAULT): RawFrame {
  const { source, destination, protocol } = wanted;
  return {
    ethertype: typeof source === "bigint" ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4,
    bytes: ipPacket(source, destination, protocol, ttl, transportOf(wanted)),
  };
}

function transportOf(wanted: PacketWanted): Uint8Array {
  switch (wanted.protocol) {
    case IP_PROTOCOL_TCP:
      return tcp(wanted);
    case IP_PROTOCOL_UDP:
      return udp(wanted);
    case IP_PROTOCOL_ICMP:
    case IP_PROTOCOL_ICMP6:
      return icmp(wanted);
    case IP_PROTOCOL_SCTP:
      return words(SCTP_HEADER, [wanted.ports!.source, wanted.ports!.destination]);
    default:
      return new Uint8Array(OTHER_PAYLOAD);
  }
}

function tcp(wanted: PacketWanted): Uint8Array {
  const { source, destination } = wanted.ports!;
  const flags = wanted.tcpFlags!;
  const acknowledged = (flags & TCP_FLAGS.ack!) === 0 ? 0 : SEQUENCE;
  const offset = 5 << 12;
  const urgent = (flags & TCP_FLAGS.urg!) === 0 ? 0 : 1;
  const header = words(20, [
    source,
    destination,
    0,
    SEQUENCE,
    0,
    acknowledged,
    offset | flags,
    WINDOW,
    0,
    urgent,
  ]);
  return checksummed(wanted, header, 16);
}

function udp(wanted: PacketWanted): Uint8Array {
  const { source, destination } = wanted.ports!;
  const header = words(8, [source, destination, 8, 0]);
  return checksummed(wanted, header, 6);
}

function icmp(wanted: PacketWanted): Uint8Array {
  const { type, code } = wanted.icmp!;
  const isError = ICMP_ERRORS[wanted.protocol]!.has(type);
  const quote = isError ? quoted(wanted) : new Uint8Array(0);
  const message = new Uint8Array(ICMP_HEADER + quote.length);
  message.set([type, code]);
  if (!isError) message.set(words(4, [IDENTIFIER, SEQUENCE]), 4);
  message.set(quote, ICMP_HEADER);
  return checksummed(wanted, message, 2);
}

/** What an error from `source` to `destination` could be about: a datagram the other way. */
function quoted({ source, destination }: PacketWanted): Uint8Array {
  const header = words(QUOTED_TRANSPORT, [49_152, 49_152, QUOTED_TRANSPORT, 0]);
  return ipPacket(destination, source, IP_PROTOCOL_UDP, 1, header);
}

function ipPacket(
  source: Address,
  destination: Address,
  protocol: number,
  ttl: number,
  payload: Uint8Array,
): Uint8Array {
  const addresses = [...addressBytes(source), ...addressBytes(destination)];
  const v6 = typeof source === "bigint";
  const header = v6
    ? [0x60, 0, 0, 0, payload.length >> 8, payload.length & 255, protocol, ttl, ...addresses]
    : [0x45, 0, 0, 20 + payload.length, 0, 0, 0, 0, ttl, protocol, 0, 0, ...addresses];
  const packet = new Uint8Array(header.length + payload.length);
  packet.set(header);
  packet.set(payload, header.length);
  if (!v6) setWord(packet, 10, checksum(packet.subarray(0, header.length)));
  return packet;
}

/** Fills the checksum at `at`: over the pseudo-header and the bytes; ICMP of IPv4 has no pseudo-header. */
function checksummed(
  { source, destination, protocol }: PacketWanted,
  bytes: Uint8Array,
  at: number,
): Uint8Array {
  const pseudo =
    protocol === IP_PROTOCOL_ICMP
      ? []
      : [
          ...addressBytes(source),
          ...addressBytes(destination),
          0,
          protocol,
          bytes.length >> 8,
          bytes.length & 255,
        ];
  const sum = checksum(Uint8Array.of(...pseudo, ...bytes));
  // A computed 0 would mean "none" in UDP (RFC 768); elsewhere both are the same number.
  setWord(bytes, at, sum === 0 ? 0xffff : sum);
  return bytes;
}

/** RFC 1071, over an even number of bytes. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function addressBytes(address: Address): number[] {
  if (typeof address === "bigint") return bigintToBytes(address);
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
}

/** 16-bit words in network order, then zeros up to `length` bytes. */
function words(length: number, values: readonly number[]): Uint8Array {
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
