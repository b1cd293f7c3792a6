/**
 * Transport checksums that a sender on this machine has left to its device (CHECKSUM_PARTIAL): the field holds the sum of
 * the pseudo header (RFC 1071, 9293 3.1, 8200 8.1). AF_PACKET says so of each frame, and where; on the way through AF_XDP
 * that is lost, so that the core has to tell such a field by its value (DF_MAYBE_PARTIAL).
 *
 * All sums are of 16-bit words in the order of the machine's memory (little-endian), whose checksum is the same, swapped.
 */

/** Drivers whose frames come straight from a sender that leaves checksums undone: nothing on their way can damage one. */
export const PARTIAL_DRIVERS: readonly string[] = ["veth", "virtio_net", "tun"];

const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
/** Where the checksum stands in a UDP header. */
const UDP_CHECKSUM = 6;

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
