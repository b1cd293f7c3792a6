/**
 * An AF_XDP socket and its four rings: linux/if_xdp.h, Documentation/networking/af_xdp.rst.
 *
 *     free buffers -> fill -> (kernel writes a frame) -> rx          tx -> (kernel sends) -> completion -> free buffers
 *
 * Both indices of a ring only grow, modulo 2^32; the side that owns one publishes it after the entries. Atomics on the
 * mapped memory order the two on every processor.
 */
import { check, type Libc, OsFailure, type Undo } from "./libc.js";

const AF_XDP = 44;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SOL_XDP = 283;
const XDP_MMAP_OFFSETS = 1;
const XDP_RX_RING = 2;
const XDP_TX_RING = 3;
const XDP_UMEM_REG = 4;
const XDP_UMEM_FILL_RING = 5;
const XDP_UMEM_COMPLETION_RING = 6;
const XDP_STATISTICS = 7;
const XDP_MAX_TX_SKB_BUDGET = 9;

/** Places of the rings in the file, for mmap. */
const PGOFF = { rx: 0, tx: 0x80000000, fill: 0x100000000, completion: 0x180000000 } as const;
/** struct xdp_mmap_offsets: of rx, tx, fill, completion each the offsets of these, u64. */
const OFFSETS_SIZE = 128;
const RING_OFFSETS = { rx: 0, tx: 32, fill: 64, completion: 96 } as const;
const OFFSET_CONSUMER = 8;
const OFFSET_ENTRIES = 16;
/** struct xdp_desc: address u64, length u32, options u32; an entry of the other two rings is an address. */
const FRAME_WORDS = 4;
const ADDRESS_WORDS = 2;
/** struct xdp_umem_reg: address u64, length u64, chunk size u32, headroom u32, flags u32, tx metadata u32. */
const UMEM_REG_SIZE = 32;
/** struct sockaddr_xdp: family u16, flags u16, device u32, queue u32, socket of the shared UMEM u32. */
const SOCKADDR_SIZE = 16;
const XDP_SHARED_UMEM = 1 << 0;
const XDP_COPY = 1 << 1;
const XDP_USE_NEED_WAKEUP = 1 << 3;
/** struct xdp_statistics: six u64. */
const STATISTICS_SIZE = 48;
const STATISTICS_RX_DROPPED = 0;
const STATISTICS_TX_INVALID = 16;
const STATISTICS_RX_RING_FULL = 24;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_POPULATE = 0x8000;
const MSG_DONTWAIT = 0x40;

/** Room that the kernel keeps before each frame that arrives, in its buffer: enough for another tag. */
export const XDP_PACKET_HEADROOM = 256;
/** Bytes of frames on their way to a device that do not count as too many yet. */
const SEND_BUFFER_BYTES = 16 * 2 ** 20;

/** One ring, from the side of this program. Its index is a plain number here and is published by the methods. */
export class Ring {
  readonly size: number;
  readonly mask: number;
  /** u32 words of the entries. */
  readonly entries: Uint32Array<ArrayBuffer>;
  /** The next entry of ours; publish it. */
  own: number;
  readonly #producer: Int32Array<ArrayBuffer>;
  readonly #consumer: Int32Array<ArrayBuffer>;

  constructor(
    memory: ArrayBuffer,
    at: { producer: number; consumer: number; entries: number },
    size: number,
    words: number,
  ) {
    this.size = size;
    this.mask = size - 1;
    this.entries = new Uint32Array(memory, at.entries, size * words);
    this.#producer = new Int32Array(memory, at.producer, 1);
    this.#consumer = new Int32Array(memory, at.consumer, 1);
    this.own = 0;
  }

  /** Entries that the kernel has published for us, from `own` on: of rx and completion. */
  available(): number {
    return (Atomics.load(this.#producer, 0) - this.own) | 0;
  }

  /** Gives what was read back to the kernel. */
  release(): void {
    Atomics.store(this.#consumer, 0, this.own);
  }

  /** Entries that we may write, from `own` on: of tx and fill. */
  room(): number {
    return this.size - ((this.own - Atomics.load(this.#consumer, 0)) | 0);
  }

  /** Gives what was written to the kernel. */
  publish(): void {
    Atomics.store(this.#producer, 0, this.own);
  }

  /** What we published and the kernel has not taken. */
  untaken(): number {
    return (Atomics.load(this.#producer, 0) - Atomics.load(this.#consumer, 0)) | 0;
  }
}

/** The memory that frames lie in, and how it is cut up. */
export interface Umem {
  /** Address in the process. */
  readonly at: number;
  readonly size: number;
  readonly chunkSize: number;
  /** Socket that it is registered with; undefined: the one that is opened now. */
  readonly owner: number | undefined;
}

/** What the kernel could not do, since the socket was opened. */
export interface XskLosses {
  /** No buffer in the fill ring, or a frame larger than a buffer. */
  readonly noBuffer: number;
  readonly ringFull: number;
  readonly invalid: number;
}

export class XskSocket {
  readonly fd: number;
  readonly rx: Ring;
  readonly tx: Ring;
  readonly fill: Ring;
  readonly completion: Ring;
  readonly #libc: Libc;

  /** Opens, maps and binds; `undo` learns how to take it back. Throws OsFailure. `ringSize`: a power of two. */
  constructor(
    libc: Libc,
    undo: Undo,
    umem: Umem,
    device: { index: number; queue: number },
    ringSize: number,
  ) {
    this.#libc = libc;
    this.fd = check(libc, libc.socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), "AF_XDP socket");
    undo.add(() => libc.close(this.fd));
    if (umem.owner === undefined) this.#register(umem);
    for (const ring of [XDP_RX_RING, XDP_TX_RING, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING])
      this.#setOption(ring, ringSize, "AF_XDP ring");
    const offsets = libc.newBlock(OFFSETS_SIZE);
    this.#get(XDP_MMAP_OFFSETS, offsets.at, OFFSETS_SIZE);
    const map = (name: keyof typeof PGOFF, words: number): Ring => {
      const offset = (field: number): number =>
        Number(offsets.view.getBigUint64(RING_OFFSETS[name] + field, true));
      const at = { producer: offset(0), consumer: offset(OFFSET_CONSUMER), entries: offset(OFFSET_ENTRIES) };
      const size = at.entries + ringSize * words * Uint32Array.BYTES_PER_ELEMENT;
      const flags = MAP_SHARED | MAP_POPULATE;
      const address = check(
        libc,
        libc.mmap(0, size, PROT_READ_WRITE, flags, this.fd, PGOFF[name]),
        "AF_XDP mmap",
      );
      undo.add(() => libc.munmap(address, size));
      return new Ring(libc.mapped(address, size), at, ringSize, words);
    };
    this.rx = map("rx", FRAME_WORDS);
    this.tx = map("tx", FRAME_WORDS);
    this.fill = map("fill", ADDRESS_WORDS);
    this.completion = map("completion", ADDRESS_WORDS);
    this.#bind(umem, device);
    // Older kernels send 32 frames a call and have no such option; kick() asks again then.
    this.#trySetOption(SOL_XDP, XDP_MAX_TX_SKB_BUDGET, ringSize);
    this.#trySetOption(SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES);
  }

  /** Has the kernel send what the tx ring holds, until it takes no more. */
  kick(): void {
    let before = this.tx.untaken();
    while (before !== 0) {
      this.#libc.sendto(this.fd, 0, 0, MSG_DONTWAIT, 0, 0);
      const after = this.tx.untaken();
      if (after >= before) return;
      before = after;
    }
  }

  losses(): XskLosses {
    const statistics = this.#libc.newBlock(STATISTICS_SIZE);
    this.#get(XDP_STATISTICS, statistics.at, STATISTICS_SIZE);
    const count = (field: number): number => Number(statistics.view.getBigUint64(field, true));
    return {
      noBuffer: count(STATISTICS_RX_DROPPED),
      ringFull: count(STATISTICS_RX_RING_FULL),
      invalid: count(STATISTICS_TX_INVALID),
    };
  }

  #register(umem: Umem): void {
    const registration = this.#libc.newBlock(UMEM_REG_SIZE);
    registration.view.setBigUint64(0, BigInt(umem.at), true);
    registration.view.setBigUint64(8, BigInt(umem.size), true);
    registration.view.setUint32(16, umem.chunkSize, true);
    check(
      this.#libc,
      this.#libc.setsockopt(this.fd, SOL_XDP, XDP_UMEM_REG, registration.at, UMEM_REG_SIZE),
      "AF_XDP memory",
    );
  }

  #bind(umem: Umem, { index, queue }: { index: number; queue: number }): void {
    const address = this.#libc.newBlock(SOCKADDR_SIZE);
    // A socket that shares takes over how its owner was bound.
    const flags = umem.owner === undefined ? XDP_USE_NEED_WAKEUP : XDP_SHARED_UMEM;
    const bind = (more: number): boolean => {
      address.view.setUint16(0, AF_XDP, true);
      address.view.setUint16(2, flags | more, true);
      address.view.setUint32(4, index, true);
      address.view.setUint32(8, queue, true);
      address.view.setUint32(12, umem.owner ?? 0, true);
      return this.#libc.bind(this.fd, address.at, SOCKADDR_SIZE) >= 0;
    };
    if (bind(0)) return;
    const failure = OsFailure.ofErrno(`AF_XDP bind to queue ${queue}`, this.#libc.errno());
    if (umem.owner !== undefined || !bind(XDP_COPY)) throw failure;
  }

  #trySetOption(level: number, option: number, value: number): boolean {
    const block = this.#libc.newBlock(Uint32Array.BYTES_PER_ELEMENT);
    block.view.setUint32(0, value, true);
    return this.#libc.setsockopt(this.fd, level, option, block.at, block.bytes.length) >= 0;
  }

  #setOption(option: number, value: number, what: string): void {
    check(this.#libc, this.#trySetOption(SOL_XDP, option, value) ? 0 : -1, what);
  }

  #get(option: number, at: number, size: number): void {
    const length = this.#libc.newBlock(Uint32Array.BYTES_PER_ELEMENT);
    length.view.setUint32(0, size, true);
    check(this.#libc, this.#libc.getsockopt(this.fd, SOL_XDP, option, at, length.at), "AF_XDP getsockopt");
  }
}
