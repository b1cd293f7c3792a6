/**
 * The model's words: a frame as it arrives, the packet as it is understood, the outcome as it is reported.
 *
 * The model is the firewall of docs/decisions.md once more, slow and obvious: objects, maps and plain code, one file a
 * section, written from that page and not from the core. test/model/compare.test.ts holds the two against each other.
 */
import type { VerdictName } from "../../src/reasons.js";
import type { Address } from "../../src/ip.js";
import type { Chain } from "./ip.js";

export type Family = 4 | 6;

/** One frame, as a capture or a network card hands it over. */
export interface Frame {
  bytes: Uint8Array;
  /** Bytes that were on the wire, at least `bytes.length` in a sound descriptor. */
  wireLength: number;
  /** Full interface name; undefined: found by the source address. */
  ingress: string | undefined;
  /** Given: the bytes are the payload of that Ethernet type, without a link header. */
  ethertype?: number;
  /** The NIC computes or has verified the transport checksum (`transport`), and that of the IPv4 header too (`all`). */
  offload?: "transport" | "all";
  cookie: number;
}

/** What became of one frame. Names that do not apply are undefined. */
export interface Outcome {
  cookie: number;
  verdict: VerdictName;
  reason: string;
  ingress: string | undefined;
  egress: string | undefined;
  /** `ACL SEQ` of the entry that decided. */
  rule: string | undefined;
  /** Ends of the session, undefined without one. */
  sessionKey: string | undefined;
  /** Sessions count from 1 in the order of their creation. */
  sessionId: number | undefined;
}

/** A packet that failed a check: the name of its reason. */
export interface Refusal {
  refused: string;
}

export const refuse = (reason: string): Refusal => ({ refused: reason });

export function isRefusal(result: object): result is Refusal {
  return "refused" in result;
}

/** An IP packet behind its headers. */
export interface IpPacket {
  family: Family;
  source: Address;
  destination: Address;
  /** Source and destination as on the wire, for checksums. */
  addresses: Uint8Array;
  /** Of the transport header. */
  protocol: number;
  ttl: number;
  /** Type of service or traffic class. */
  tos: number;
  flowLabel: number;
  /** Types of the IPv4 options in order, END and NOP among them. */
  options: number[];
  extensions: Extensions;
  /** Transport header and payload, as far as captured. */
  payload: Uint8Array;
  /** Bytes of `payload` that were on the wire. */
  payloadLength: number;
  /** Bytes of the longest IP packet in it that no router may cut: "don't fragment", or IPv6; 0 none. */
  uncuttable: number;
  /** Bytes of header that `fragment_oversize` leaves room for. */
  headerLength: number;
  fragment?: FragmentHeader;
  /** A datagram of fragments: bytes of `payload` that were in the first one; the transport header must be there. */
  inFirstFragment?: number;
  /** The reason for which the firewall takes the packet, whatever its lists say. */
  local?: "neighbor_discovery" | "local_multicast";
}

/** What access lists can ask of the IPv6 extension headers. */
export interface Extensions {
  hopByHop: boolean;
  authenticationHeader: boolean;
  /** Types of the options of the destination options headers, when there is one. */
  destinationOptions?: number[];
  /** Type of the mobility header. */
  mobilityType?: number;
  /** Type of the routing header. */
  routingType?: number;
}

export interface FragmentHeader {
  id: number;
  /** In bytes. */
  offset: number;
  more: boolean;
  /** Bytes of this fragment as far as captured, and how many they were on the wire. */
  data: Uint8Array;
  length: number;
  /** Protocol that the fragment header (IPv6) or the IP header (IPv4) names. */
  protocol: number;
  /** IPv6: the chain of headers up to here; it goes on when the datagram is whole. */
  chain?: Chain;
}

export interface TcpSegment {
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  flags: number;
  /** As on the wire, not scaled. */
  window: number;
  /** Payload bytes on the wire. */
  length: number;
  /** Of the window scale option, at most 14; undefined without the option. */
  windowScale: number | undefined;
  /** The option of a SYN that permits the other side to send SACK blocks. */
  sackPermitted: boolean;
  /** Right edges of the SACK blocks. */
  sackEdges: number[];
}

export type Transport =
  | { kind: "tcp"; segment: TcpSegment }
  | { kind: "udp"; sourcePort: number; destinationPort: number; length: number }
  | {
      kind: "icmp";
      class: "query" | "error" | "other";
      type: number;
      code: number;
      identifier: number;
      quote: Uint8Array;
    }
  /** What access lists can ask: SCTP's ports, IGMP's type. */
  | { kind: "other"; known: { sourcePort?: number; destinationPort?: number; igmpType?: number } };

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMP6 = 58;
export const PROTOCOL_SCTP = 132;

export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** The Internet checksum's sum of 16-bit words, folded [1071]; 0xffff where the checksum inside is right. */
export function onesSum(bytes: Uint8Array, from: number, to: number, start = 0): number {
  let sum = start;
  let at = from;
  for (; at + 1 < to; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < to) sum += bytes[at]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}
