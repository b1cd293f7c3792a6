/** The model's section 4: transport headers. */
import {
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_SCTP,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
} from "../../src/config/names.js";
import {
  ACK,
  FIN,
  type IpPacket,
  onesSum,
  type Refusal,
  refuse,
  RST,
  SYN,
  type TcpSegment,
  type Transport,
  u16,
  u32,
  URG,
} from "./packet.js";

const PROTOCOL_IGMP = 2;

/** Header, ports, flags, checksum, in this order. `checksums`: verify them where every byte was captured. */
export function parseTransport(packet: IpPacket, checksums: boolean): Refusal | Transport {
  const { payload, payloadLength, family, protocol } = packet;
  const verify = checksums && payload.length === payloadLength;
  if (protocol === IP_PROTOCOL_TCP) return parseTcp(packet, verify);
  if (protocol === IP_PROTOCOL_UDP) return parseUdp(packet, verify);
  if (protocol === (family === 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMP6)) return parseIcmp(packet, verify);
  if (isTiny(packet, 0)) return refuse("fragment_tiny");
  if (protocol === IP_PROTOCOL_SCTP && payload.length >= 4) {
    return { kind: "other", known: { sourcePort: u16(payload, 0), destinationPort: u16(payload, 2) } };
  }
  if (protocol === PROTOCOL_IGMP && payload.length > 0)
    return { kind: "other", known: { igmpType: payload[0]! } };
  return { kind: "other", known: {} };
}

/** Whether a header of this length was not whole in the first fragment of its datagram [7112]. */
function isTiny(packet: IpPacket, headerLength: number): boolean {
  return packet.inFirstFragment !== undefined && headerLength > packet.inFirstFragment;
}

/** The sum over the pseudo header and `length` bytes is right. */
function sumIsRight(packet: IpPacket, length: number): boolean {
  const pseudo = onesSum(packet.addresses, 0, packet.addresses.length, packet.protocol + length);
  return onesSum(packet.payload, 0, length, pseudo) === 0xffff;
}

const TCP_HEADER = 20;
const FLAGS_THAT_COUNT = FIN | SYN | RST | ACK | URG;
const FLAGS_POSSIBLE = new Set([
  SYN,
  SYN | URG,
  SYN | ACK,
  RST,
  RST | ACK,
  FIN | ACK,
  FIN | ACK | URG,
  ACK,
  ACK | URG,
]);

function parseTcp(packet: IpPacket, verify: boolean): Refusal | Transport {
  const { payload: bytes, payloadLength } = packet;
  if (payloadLength < TCP_HEADER) return refuse("tcp_header");
  if (bytes.length < TCP_HEADER) return refuse("frame_truncated");
  if (isTiny(packet, TCP_HEADER)) return refuse("fragment_tiny");
  const headerLength = (bytes[12]! >> 4) * 4;
  if (headerLength < TCP_HEADER || headerLength > payloadLength) return refuse("tcp_header");
  if (bytes.length < headerLength) return refuse("frame_truncated");
  if (isTiny(packet, headerLength)) return refuse("fragment_tiny");
  const segment: TcpSegment = {
    sourcePort: u16(bytes, 0),
    destinationPort: u16(bytes, 2),
    seq: u32(bytes, 4),
    ack: u32(bytes, 8),
    flags: bytes[13]!,
    window: u16(bytes, 14),
    length: payloadLength - headerLength,
    windowScale: undefined,
    sackPermitted: false,
    sackEdges: [],
  };
  if (segment.sourcePort === 0 || segment.destinationPort === 0) return refuse("port_zero");
  if (!FLAGS_POSSIBLE.has(segment.flags & FLAGS_THAT_COUNT)) return refuse("tcp_flags");
  if (verify && !sumIsRight(packet, payloadLength)) return refuse("tcp_checksum");
  readTcpOptions(bytes.subarray(TCP_HEADER, headerLength), segment);
  return { kind: "tcp", segment };
}

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_WINDOW_SCALE = 3;
const OPTION_SACK_PERMITTED = 4;
const OPTION_SACK = 5;
const SCALE_MAX = 14;

/** Whatever is malformed ends the walk or is passed over; the segment is judged by the rest. */
function readTcpOptions(bytes: Uint8Array, segment: TcpSegment): void {
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at]!;
    if (kind === OPTION_END) return;
    if (kind === OPTION_NOP) {
      at++;
      continue;
    }
    const length = bytes[at + 1];
    if (length === undefined || length < 2 || at + length > bytes.length) return;
    if (kind === OPTION_WINDOW_SCALE && length === 3)
      segment.windowScale = Math.min(bytes[at + 2]!, SCALE_MAX);
    if (kind === OPTION_SACK_PERMITTED && length === 2) segment.sackPermitted = true;
    if (kind === OPTION_SACK && length >= 10 && (length - 2) % 8 === 0) {
      for (let edge = at + 6; edge < at + length; edge += 8) segment.sackEdges.push(u32(bytes, edge));
    }
    at += length;
  }
}

const UDP_HEADER = 8;

function parseUdp(packet: IpPacket, verify: boolean): Refusal | Transport {
  const { payload: bytes, payloadLength } = packet;
  if (payloadLength < UDP_HEADER) return refuse("udp_header");
  if (bytes.length < UDP_HEADER) return refuse("frame_truncated");
  if (isTiny(packet, UDP_HEADER)) return refuse("fragment_tiny");
  const length = u16(bytes, 4);
  if (length < UDP_HEADER || length > payloadLength) return refuse("udp_header");
  const sourcePort = u16(bytes, 0);
  const destinationPort = u16(bytes, 2);
  if (sourcePort === 0 || destinationPort === 0) return refuse("port_zero");
  if (verify) {
    const none = u16(bytes, 6) === 0;
    const right = none ? packet.family === 4 : sumIsRight(packet, length);
    if (!right) return refuse("udp_checksum");
  }
  return { kind: "udp", sourcePort, destinationPort, length: length - UDP_HEADER };
}

const ICMP_HEADER = 8;
const SOURCE_QUENCH = 4;
const REDIRECT = 5;
const QUERIES4 = new Set([0, 8, 13, 14]);
const QUERIES6 = new Set([128, 129]);
const ERRORS4 = new Set([3, 11, 12]);
const ERRORS6 = new Set([1, 2, 3, 4]);

/** The class of an ICMP type: what it can do with sessions. */
export function icmpClass(family: 4 | 6, type: number): "query" | "error" | "other" {
  if ((family === 4 ? QUERIES4 : QUERIES6).has(type)) return "query";
  return (family === 4 ? ERRORS4 : ERRORS6).has(type) ? "error" : "other";
}

function parseIcmp(packet: IpPacket, verify: boolean): Refusal | Transport {
  const { payload: bytes, payloadLength, family } = packet;
  if (payloadLength < ICMP_HEADER) return refuse("icmp_header");
  if (bytes.length < ICMP_HEADER) return refuse("frame_truncated");
  if (isTiny(packet, ICMP_HEADER)) return refuse("fragment_tiny");
  if (verify) {
    const right =
      family === 4 ? onesSum(bytes, 0, payloadLength) === 0xffff : sumIsRight(packet, payloadLength);
    if (!right) return refuse("icmp_checksum");
  }
  const type = bytes[0]!;
  if (family === 4 && (type === SOURCE_QUENCH || type === REDIRECT)) return refuse("icmp_forbidden");
  return {
    kind: "icmp",
    class: icmpClass(family, type),
    type,
    code: bytes[1]!,
    identifier: u16(bytes, 4),
    quote: bytes.subarray(ICMP_HEADER),
  };
}
