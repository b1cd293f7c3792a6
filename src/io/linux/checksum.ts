/**
 * Transport checksums that a sender on this machine has left to its device (CHECKSUM_PARTIAL): the field holds the sum of
 * the pseudo header (RFC 1071, 9293 3.1, 8200 8.1), and what the kernel knows of it is lost on the way through AF_XDP.
 *
 * Such a field is told from a finished checksum by its value. A frame whose finished checksum happens to have that value
 * is not changed by completing it, because the same bytes are summed; a damaged one has a chance of 1 in 65,536 to be
 * taken for unfinished and so repaired, which is why only devices whose senders do that are looked at: nothing on the way
 * of their frames can damage one.
 *
 * All sums are of 16-bit words in the order of the machine's memory (little-endian), whose checksum is the same, swapped.
 */
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "../../frame.js";

/** Drivers whose frames come straight from a sender that leaves checksums undone. */
export const PARTIAL_DRIVERS: readonly string[] = ["veth", "virtio_net", "tun"];

const ETHERNET_SIZE = 14;
const TAG_SIZE = 4;
const TAGS_MAX = 2;
const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >>> 8);
const IPV4 = swap16(ETHERTYPE_IPV4);
const IPV6 = swap16(ETHERTYPE_IPV6);
const DOT1Q = swap16(0x8100);
const DOT1AD = swap16(0x88a8);
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
/** Where the checksum stands in the header. */
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;
const IPV4_HEADER = 20;
const IPV4_LENGTH = 2;
const IPV4_FRAGMENT = 6;
const IPV4_PROTOCOL = 9;
const IPV4_ADDRESSES = 12;
/** More fragments, and the offset, as they lie in memory. */
const IPV4_FRAGMENT_MASK = swap16(0x3fff);
const IPV6_HEADER = 40;
const IPV6_LENGTH = 4;
const IPV6_NEXT = 6;
const IPV6_ADDRESSES = 8;

const fold = (sum: number): number => {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
};

/** Completes the checksums of frames in one memory. */
export class Completion {
  readonly #bytes: Uint8Array;
  readonly #halves: Uint16Array;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 1);
  }

  /**
   * Completes the frame of `length` bytes at an even address if its checksum is the sum of its pseudo header.
   * @returns whether it did.
   */
  completeIfPartial(at: number, length: number): boolean {
    const halves = this.#halves;
    let ip = at + ETHERNET_SIZE;
    const end = at + length;
    let type = halves[(ip - 2) >>> 1]!;
    for (let tags = 0; tags < TAGS_MAX && (type === DOT1Q || type === DOT1AD); tags++) {
      ip += TAG_SIZE;
      type = halves[(ip - 2) >>> 1]!;
    }
    if (type === IPV4) return this.#ipv4(ip, end);
    return type === IPV6 && this.#ipv6(ip, end);
  }

  #ipv4(ip: number, end: number): boolean {
    if (ip + IPV4_HEADER > end) return false;
    const halves = this.#halves;
    const word = ip >>> 1;
    const headerLength = (this.#bytes[ip]! & 0x0f) << 2;
    const segmentLength = swap16(halves[word + (IPV4_LENGTH >>> 1)]!) - headerLength;
    if ((halves[word + (IPV4_FRAGMENT >>> 1)]! & IPV4_FRAGMENT_MASK) !== 0) return false;
    const addresses = word + (IPV4_ADDRESSES >>> 1);
    const sum = halves[addresses]! + halves[addresses + 1]! + halves[addresses + 2]! + halves[addresses + 3]!;
    return this.#transport(ip + headerLength, segmentLength, end, this.#bytes[ip + IPV4_PROTOCOL]!, sum);
  }

  #ipv6(ip: number, end: number): boolean {
    if (ip + IPV6_HEADER > end) return false;
    const halves = this.#halves;
    const addresses = (ip + IPV6_ADDRESSES) >>> 1;
    let sum = 0;
    for (let i = 0; i < 16; i++) sum += halves[addresses + i]!;
    const segmentLength = swap16(halves[(ip + IPV6_LENGTH) >>> 1]!);
    return this.#transport(ip + IPV6_HEADER, segmentLength, end, this.#bytes[ip + IPV6_NEXT]!, sum);
  }

  #transport(start: number, length: number, end: number, protocol: number, addresses: number): boolean {
    const field =
      protocol === PROTOCOL_TCP ? TCP_CHECKSUM : protocol === PROTOCOL_UDP ? UDP_CHECKSUM : undefined;
    if (field === undefined || length < field + 2 || start + length > end) return false;
    const at = (start + field) >>> 1;
    if (this.#halves[at] !== fold(addresses + swap16(protocol) + swap16(length))) return false;
    this.#complete(start, length, at, protocol);
    return true;
  }

  /** Sums everything from the transport header on, with the pseudo header's sum that stands in the field. */
  #complete(start: number, length: number, field: number, protocol: number): void {
    const halves = this.#halves;
    const last = (start + length) >>> 1;
    let sum = 0;
    for (let i = start >>> 1; i < last; i++) sum += halves[i]!;
    if ((length & 1) !== 0) sum += this.#bytes[start + length - 1]!;
    const checksum = ~fold(sum) & 0xffff;
    // In UDP 0 means that there is none; the other zero is sent (RFC 768).
    halves[field] = checksum === 0 && protocol === PROTOCOL_UDP ? 0xffff : checksum;
  }

  /** Completes a frame of which it is known where the sum starts and where it goes; both are addresses, even ones. */
  completeAt(start: number, field: number, end: number): void {
    const isUdp = field - start === UDP_CHECKSUM;
    this.#complete(start, end - start, field >>> 1, isUdp ? PROTOCOL_UDP : PROTOCOL_TCP);
  }
}
