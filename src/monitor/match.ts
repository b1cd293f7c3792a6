/** Which packets a capture wants: the words of `monitor capture NAME match`, applied to a frame. */
import {
  type AclPacket,
  addressMatches,
  evaluate,
  expandAddresses,
  numberMatches,
  PROTOCOL,
} from "../acl/evaluate.js";
import type { Config } from "../config/model.js";
import type { CaptureMatch } from "../console/backend.js";
import { IPV4, IPV6, type IpPacket, parseIp } from "../frame.js";
import { familyOf } from "../ip.js";

const ADDRESSES = 12;
const ETHERTYPE_SIZE = 2;
const TAG_SIZE = 4;
const TAGS_MAX = 3;
const TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);
const PORTS_SIZE = 4;
const TCP_FLAGS = 13;
const IGMP = 2;
const WITH_PORTS: ReadonlySet<number> = new Set([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp]);

export type FrameTest = (frame: Uint8Array, wireLength: number) => boolean;

/**
 * Makes the test of a capture. In a list, an entry with a time range counts whatever the time; conditions on IP options and
 * on extension headers do not hold.
 */
export function frameTest(match: CaptureMatch, config: Config): FrameTest {
  switch (match.kind) {
    case "any":
      return () => true;
    case "list":
      return (frame, wireLength) => {
        const packet = packetOf(frame, wireLength);
        return packet !== undefined && evaluate(config, match.list, packet, () => true).action === "permit";
      };
    case "flow":
      return flowTest(match, config);
  }
}

function flowTest(match: Extract<CaptureMatch, { kind: "flow" }>, config: Config): FrameTest {
  const { family, protocol, sourcePort, destinationPort } = match;
  const sources = expandAddresses(config, match.source);
  const destinations = expandAddresses(config, match.destination);
  return (frame, wireLength) => {
    const packet = packetOf(frame, wireLength);
    return (
      packet !== undefined &&
      familyOf(packet.source) === family &&
      (protocol === undefined || packet.protocol === protocol) &&
      sources.some((each) => addressMatches(each, packet.source)) &&
      destinations.some((each) => addressMatches(each, packet.destination)) &&
      portMatches(sourcePort, packet.sourcePort) &&
      portMatches(destinationPort, packet.destinationPort)
    );
  };
}

type Ports = Extract<CaptureMatch, { kind: "flow" }>["sourcePort"];

const portMatches = (wanted: Ports, port: number | undefined): boolean =>
  wanted === undefined || (port !== undefined && numberMatches(wanted, port));

/** What there is to see of the IP packet in an Ethernet frame; undefined: there is none, or its lengths do not fit. */
export function packetOf(frame: Uint8Array, wireLength: number): AclPacket | undefined {
  const at = networkOffset(frame);
  if (at === undefined) return undefined;
  // What was not kept reads as zeros; the lengths are those of the wire.
  const whole = frame.length < wireLength ? new Uint8Array(wireLength) : frame;
  if (whole !== frame) whole.set(frame);
  const bytes = whole.subarray(at);
  const packet = parseIp(bytes);
  if (packet === undefined) return undefined;
  const { source, destination, protocol, ttl, fragment } = packet;
  return {
    source,
    destination,
    protocol,
    ttl,
    trafficClass: trafficClassOf(bytes),
    ...(fragment === "later" ? { nonInitialFragment: true } : transportOf(packet)),
  };
}

function networkOffset(frame: Uint8Array): number | undefined {
  let at = ADDRESSES;
  for (let tags = 0; tags <= TAGS_MAX; tags++) {
    if (at + ETHERTYPE_SIZE > frame.length) return undefined;
    if (!TAGS.has((frame[at]! << 8) | frame[at + 1]!)) return at + ETHERTYPE_SIZE;
    at += TAG_SIZE;
  }
  return undefined;
}

function trafficClassOf(bytes: Uint8Array): number {
  if (bytes[0]! >>> 4 === 4) return IPV4.parse(bytes)!.trafficClass;
  return (IPV6.parse(bytes)!.first >>> 20) & 255;
}

function transportOf({ protocol, payload }: IpPacket): Partial<AclPacket> {
  const word = (at: number): number => (payload[at]! << 8) | payload[at + 1]!;
  if (WITH_PORTS.has(protocol) && payload.length >= PORTS_SIZE) {
    const tcpFlags = protocol === PROTOCOL.tcp ? payload[TCP_FLAGS] : undefined;
    return { sourcePort: word(0), destinationPort: word(2), ...(tcpFlags !== undefined && { tcpFlags }) };
  }
  const [first, second] = payload;
  if ((protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmp6) && second !== undefined)
    return { icmpType: first!, icmpCode: second };
  return protocol === IGMP && first !== undefined ? { igmpType: first } : {};
}
