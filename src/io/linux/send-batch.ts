/**
 * Frames of one memory that leave by one AF_PACKET socket with as few calls as can be: sendmmsg(2). The kernel copies them,
 * so their memory is free again after `flush`.
 */
import type { Block, Libc } from "./libc.js";
import * as P from "./packet-socket.js";

/** Messages of one call. */
export const SEND_MAX = 64;

/** struct mmsghdr: a msghdr (name, its length, vectors, how many, ...), then the bytes sent; 64 bytes. */
const MESSAGE_SIZE = 64;
const MESSAGE_VECTORS = 16;
const MESSAGE_VECTOR_COUNT = 24;
/** struct iovec: address u64, length u64. A message has two: what virtio says of the frame, and the frame. */
const VECTOR_SIZE = 16;
const VECTOR_LENGTH = 8;
const VECTORS = 2;
const VECTOR_WORDS = VECTOR_SIZE / 4;
const VNET_STRIDE = 16;
const MSG_DONTWAIT = 0x40;
const EAGAIN = 11;
const TWO_TO_32 = 2 ** 32;

/** What the kernel is to do to a frame; addresses in the memory, 0: nothing to complete. */
export interface Offload {
  readonly checksumStart: number;
  /** From there to the field. */
  readonly checksumOffset: number;
  /** Segments are to be cut; 0: none. */
  readonly gsoType: number;
  readonly gsoSize: number;
  /** First byte of the payload of the segments. */
  readonly payloadStart: number;
}

export class SendBatch {
  sent = 0;
  refused = 0;
  readonly #libc: Libc;
  readonly #fd: number;
  /** Address of the memory that the frames lie in. */
  readonly #base: number;
  readonly #messages: Block;
  /** These two are what the messages point to. */
  readonly #vectors: Uint32Array<ArrayBuffer>;
  readonly #vnet: DataView<ArrayBuffer>;
  #count = 0;

  constructor(libc: Libc, fd: number, memory: Uint8Array) {
    this.#libc = libc;
    this.#fd = fd;
    this.#base = libc.addressOf(memory);
    this.#messages = libc.newBlock(SEND_MAX * MESSAGE_SIZE);
    const vectors = libc.newBlock(SEND_MAX * VECTORS * VECTOR_SIZE);
    const vnet = libc.newBlock(SEND_MAX * VNET_STRIDE);
    for (let i = 0; i < SEND_MAX; i++) {
      const message = i * MESSAGE_SIZE;
      const vector = i * VECTORS * VECTOR_SIZE;
      this.#messages.view.setBigUint64(message + MESSAGE_VECTORS, BigInt(vectors.at + vector), true);
      this.#messages.view.setUint32(message + MESSAGE_VECTOR_COUNT, VECTORS, true);
      vectors.view.setBigUint64(vector, BigInt(vnet.at + i * VNET_STRIDE), true);
      vectors.view.setUint32(vector + VECTOR_LENGTH, P.VNET_SIZE, true);
    }
    this.#vectors = new Uint32Array(vectors.bytes.buffer);
    this.#vnet = vnet.view;
  }

  /** Adds the frame of `length` bytes at an offset of the memory. A full batch is sent first. */
  add(start: number, length: number, offload: Offload | undefined): void {
    if (this.#count === SEND_MAX) this.flush();
    const vector = (this.#count * VECTORS + 1) * VECTOR_WORDS;
    const address = this.#base + start;
    this.#vectors[vector] = address % TWO_TO_32;
    this.#vectors[vector + 1] = address / TWO_TO_32;
    this.#vectors[vector + VECTOR_LENGTH / 4] = length;
    const at = this.#count * VNET_STRIDE;
    const vnet = this.#vnet;
    if (offload === undefined) {
      vnet.setUint16(at, 0); // flags and type: the rest is not read then
    } else {
      vnet.setUint8(at + P.VNET_FLAGS, P.VNET_NEEDS_CSUM);
      vnet.setUint8(at + P.VNET_GSO_TYPE, offload.gsoType);
      vnet.setUint16(
        at + P.VNET_HEADER_LENGTH,
        offload.gsoType === 0 ? 0 : offload.payloadStart - start,
        true,
      );
      vnet.setUint16(at + P.VNET_GSO_SIZE, offload.gsoSize, true);
      vnet.setUint16(at + P.VNET_CSUM_START, offload.checksumStart - start, true);
      vnet.setUint16(at + P.VNET_CSUM_OFFSET, offload.checksumOffset, true);
    }
    this.#count++;
  }

  /** Sends what was added. Counted as refused: what the kernel has no room for, or does not take. */
  flush(): void {
    let first = 0;
    while (first < this.#count) {
      const left = this.#count - first;
      const at = this.#messages.at + first * MESSAGE_SIZE;
      const sent = this.#libc.sendmmsg(this.#fd, at, left, MSG_DONTWAIT);
      if (sent > 0) {
        this.sent += sent;
        first += sent;
        continue;
      }
      // No room is none for all; whatever else was wrong with a frame is its own affair.
      const refused = this.#libc.errno() === EAGAIN ? left : 1;
      this.refused += refused;
      first += refused;
    }
    this.#count = 0;
  }
}
