/** Reads merged segments that no ring frame can hold from the socket that has queued them, right into place: readv(2). */
import type { Block, Libc } from "./libc.js";
import { VNET_SIZE } from "./packet-socket.js";

const VECTOR_SIZE = 16;
const VECTOR_LENGTH = 8;
const VECTORS = 2;

export class SegmentReader {
  readonly #libc: Libc;
  /** Address of the memory that is read into. */
  readonly #base: number;
  readonly #vectors: Block;
  /** What virtio says of the frame, which stands in the ring as well. */
  readonly #vnet: Block;

  constructor(libc: Libc, memory: Uint8Array) {
    this.#libc = libc;
    this.#base = libc.addressOf(memory);
    this.#vectors = libc.newBlock(VECTORS * VECTOR_SIZE);
    this.#vnet = libc.newBlock(VNET_SIZE);
    this.#vectors.view.setBigUint64(0, BigInt(this.#vnet.at), true);
    this.#vectors.view.setUint32(VECTOR_LENGTH, VNET_SIZE, true);
  }

  /** Reads the next one, which has `length` bytes, to an offset of the memory. False: it could not be read whole. */
  read(fd: number, offset: number, length: number): boolean {
    this.#vectors.view.setBigUint64(VECTOR_SIZE, BigInt(this.#base + offset), true);
    this.#vectors.view.setUint32(VECTOR_SIZE + VECTOR_LENGTH, length, true);
    return this.#libc.readv(fd, this.#vectors.at, VECTORS) === VNET_SIZE + length;
  }
}
