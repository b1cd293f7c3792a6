/**
 * A frame that the kernel has merged of several (GSO, GRO), cut into those again: what the host keeps, or sends by itself, no
 * device cuts for it. TCP segments follow each other in their sequence numbers (RFC 9293 section 3.1); of UDP each is a
 * datagram of its own.
 */
import { IP_PROTOCOL_TCP, IP_PROTOCOL_UDP } from "../config/names.js";
import { checksummed, concat, IPV4, IPV6, type IpPacket, parseIp, UDP, withIpv4Checksum } from "../frame.js";
import { record } from "../record.js";

const TCP = record({
  source: "u16",
  destination: "u16",
  sequence: "u32",
  acknowledgment: "u32",
  offset: "u8",
  flags: "u8",
  window: "u16",
  checksum: "u16",
  urgent: "u16",
});

const OFFSET_SHIFT = 4;
const WORD = 4;
/** What only the last segment says, and what only the first one does (RFC 3168 section 6.1.2). */
const FIN_PSH = 0x01 | 0x08;
const CWR = 0x80;

/** How the segments of a protocol differ from each other. `at`: of their payload in the merged one. */
interface Protocol {
  readonly checksumAt: number;
  headerLength(transport: Uint8Array): number;
  adapt(header: DataView, at: number, length: number, isLast: boolean): void;
}

const PROTOCOLS: ReadonlyMap<number, Protocol> = new Map<number, Protocol>([
  [
    IP_PROTOCOL_TCP,
    {
      checksumAt: TCP.offsetOf("checksum"),
      headerLength: (transport) => ((transport[TCP.offsetOf("offset")] ?? 0) >>> OFFSET_SHIFT) * WORD,
      adapt(header, at, _, isLast) {
        const sequence = TCP.offsetOf("sequence");
        const flags = TCP.offsetOf("flags");
        header.setUint32(sequence, header.getUint32(sequence) + at);
        header.setUint8(flags, header.getUint8(flags) & ~((isLast ? 0 : FIN_PSH) | (at > 0 ? CWR : 0)));
      },
    },
  ],
  [
    IP_PROTOCOL_UDP,
    {
      checksumAt: UDP.offsetOf("checksum"),
      headerLength: () => UDP.size,
      adapt: (header, _, length) => header.setUint16(UDP.offsetOf("length"), UDP.size + length),
    },
  ],
]);

/**
 * The frames of a merged frame.
 * @param networkOffset where the IP header starts.
 * @param payloadMax bytes of payload that each has but the last; 0: it is no merged frame, and stays as it is.
 * @returns none when it is no whole packet of a protocol that is merged.
 */
export function segments(frame: Uint8Array, networkOffset: number, payloadMax: number): Uint8Array[] {
  if (payloadMax === 0) return [frame];
  const packet = parseIp(frame.subarray(networkOffset));
  const protocol = packet && PROTOCOLS.get(packet.protocol);
  if (packet === undefined || protocol === undefined) return [];
  const length = protocol.headerLength(packet.payload);
  const payload = packet.payload.subarray(length);
  const link = frame.subarray(0, networkOffset);
  const cut: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += payloadMax) {
    const part = payload.subarray(at, at + payloadMax);
    const transport = concat(packet.payload.subarray(0, length), part);
    const header = new DataView(transport.buffer);
    protocol.adapt(header, at, part.length, at + part.length === payload.length);
    header.setUint16(protocol.checksumAt, 0);
    cut.push(
      concat(
        link,
        ipHeader(packet, cut.length, transport.length),
        checksummed(packet, transport, protocol.checksumAt),
      ),
    );
  }
  return cut;
}

/** The IP header of the packet, and what follows it before the transport, for segment `index`. */
function ipHeader(packet: IpPacket, index: number, transportLength: number): Uint8Array {
  const bytes = packet.bytes.slice(0, packet.bytes.length - packet.payload.length);
  const view = new DataView(bytes.buffer);
  if (typeof packet.source === "bigint") {
    view.setUint16(IPV6.offsetOf("payloadLength"), bytes.length - IPV6.size + transportLength);
    return bytes;
  }
  const identification = IPV4.offsetOf("identification");
  view.setUint16(IPV4.offsetOf("totalLength"), bytes.length + transportLength);
  view.setUint16(identification, view.getUint16(identification) + index);
  withIpv4Checksum(bytes);
  return bytes;
}
