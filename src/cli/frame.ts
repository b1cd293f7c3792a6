/**
 * The bytes of a packet that `explain` is asked about: an IP header with nothing unusual in it, the shortest transport
 * header that is complete, and correct checksums. RFC 791, 8200, 9293, 768, 792, 4443.
 */
import {
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_SCTP,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
  TCP_FLAGS,
} from "../config/names.js";
import {
  checksummed,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  type IpHeader,
  ipPacket,
  UDP_HEADER,
  udpDatagram,
  words,
} from "../frame.js";
import type { PacketWanted } from "./packet.js";

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
  const header: IpHeader = { source, destination, protocol, ttl };
  return {
    ethertype: typeof source === "bigint" ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4,
    bytes: ipPacket(header, transportOf(wanted, header)),
  };
}

function transportOf(wanted: PacketWanted, header: IpHeader): Uint8Array {
  switch (wanted.protocol) {
    case IP_PROTOCOL_TCP:
      return tcp(wanted, header);
    case IP_PROTOCOL_UDP:
      return udpDatagram(header, wanted.ports!, new Uint8Array(0));
    case IP_PROTOCOL_ICMP:
    case IP_PROTOCOL_ICMP6:
      return icmp(wanted, header);
    case IP_PROTOCOL_SCTP:
      return words(SCTP_HEADER, [wanted.ports!.source, wanted.ports!.destination]);
    default:
      return new Uint8Array(OTHER_PAYLOAD);
  }
}

function tcp(wanted: PacketWanted, header: IpHeader): Uint8Array {
  const { source, destination } = wanted.ports!;
  const flags = wanted.tcpFlags!;
  const acknowledged = (flags & TCP_FLAGS.ack!) === 0 ? 0 : SEQUENCE;
  const offset = 5 << 12;
  const urgent = (flags & TCP_FLAGS.urg!) === 0 ? 0 : 1;
  const bytes = words(20, [
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
  return checksummed(header, bytes, 16);
}

function icmp(wanted: PacketWanted, header: IpHeader): Uint8Array {
  const { type, code } = wanted.icmp!;
  const isError = ICMP_ERRORS[wanted.protocol]!.has(type);
  const quote = isError ? quoted(wanted) : new Uint8Array(0);
  const message = new Uint8Array(ICMP_HEADER + quote.length);
  message.set([type, code]);
  if (!isError) message.set(words(4, [IDENTIFIER, SEQUENCE]), 4);
  message.set(quote, ICMP_HEADER);
  return checksummed(header, message, 2, wanted.protocol === IP_PROTOCOL_ICMP6);
}

/** What an error from `source` to `destination` could be about: a datagram the other way. */
function quoted({ source, destination }: PacketWanted): Uint8Array {
  const transport = words(UDP_HEADER, [49_152, 49_152, UDP_HEADER, 0]);
  return ipPacket({ source: destination, destination: source, protocol: IP_PROTOCOL_UDP, ttl: 1 }, transport);
}
