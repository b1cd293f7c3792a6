/** IPv4 packets that are larger than the MTU of their way are cut up (RFC 791 section 3.2). */
import {
  concat,
  FRAGMENT_UNIT,
  IPV4,
  IPV4_FRAGMENT_OFFSET,
  IPV4_MORE_FRAGMENTS,
  ipv4HeaderLength,
  parseIp,
  withIpv4Checksum,
} from "../frame.js";

/** Options of one byte. */
const OPTION_END = 0;
const OPTION_NOP = 1;
/** Set in the type of an option that every fragment is to have. */
const OPTION_COPIED = 0x80;
const OPTION_LENGTH_MIN = 2;
const WORD = 4;
const IPV4_VERSION = 4;

/**
 * The frames of the fragments of a frame, each with its Ethernet header. The caller has seen that the packet may be cut.
 * @param networkOffset where the IPv4 header starts.
 * @param mtu of the IP packets that may leave, at least 68.
 * @returns none when the frame is no whole IPv4 packet, or no data fits the MTU.
 */
export function fragment(frame: Uint8Array, networkOffset: number, mtu: number): Uint8Array[] {
  const packet = parseIp(frame.subarray(networkOffset));
  if (packet === undefined || typeof packet.source === "bigint") return [];
  const header = packet.bytes.subarray(0, ipv4HeaderLength(packet.bytes));
  const link = frame.subarray(0, networkOffset);
  const field = IPV4.parse(header)!.fragment;
  const later = concat(header.subarray(0, IPV4.size), copiedOptions(header.subarray(IPV4.size)));
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < packet.payload.length; ) {
    const own = at === 0 ? header : later;
    const room = mtu - own.length;
    const rest = packet.payload.length - at;
    const length = rest <= room ? rest : room - (room % FRAGMENT_UNIT);
    if (length <= 0) return [];
    const isLast = at + length === packet.payload.length;
    const bytes = own.slice();
    const offset = (field & IPV4_FRAGMENT_OFFSET) + at / FRAGMENT_UNIT;
    // What is cut may itself be a fragment: flags and offset go on from its own.
    const flags = isLast ? field & IPV4_MORE_FRAGMENTS : IPV4_MORE_FRAGMENTS;
    const view = new DataView(bytes.buffer);
    view.setUint8(IPV4.offsetOf("versionLength"), (IPV4_VERSION << 4) | (bytes.length / WORD));
    view.setUint16(IPV4.offsetOf("totalLength"), bytes.length + length);
    view.setUint16(IPV4.offsetOf("fragment"), flags | offset);
    withIpv4Checksum(bytes);
    fragments.push(concat(link, bytes, packet.payload.subarray(at, at + length)));
    at += length;
  }
  return fragments;
}

/** The options that stand in every fragment, padded to whole words. */
function copiedOptions(options: Uint8Array): Uint8Array {
  const kept: number[] = [];
  for (let at = 0; at < options.length && options[at] !== OPTION_END; ) {
    const type = options[at]!;
    const length = type === OPTION_NOP ? 1 : (options[at + 1] ?? 0);
    // Options that do not fit were refused on the way in.
    if (type !== OPTION_NOP && (length < OPTION_LENGTH_MIN || at + length > options.length)) break;
    if ((type & OPTION_COPIED) !== 0) kept.push(...options.subarray(at, at + length));
    at += length;
  }
  while (kept.length % WORD !== 0) kept.push(OPTION_END);
  return Uint8Array.from(kept);
}
