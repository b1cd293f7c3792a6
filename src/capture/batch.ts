/**
 * Packets on their way from a capture to whoever asked: a reused table of descriptors over bytes that are not
 * copied.
 */
import { OPTION_COMMENT } from "./format.js";
import { decodeText, walkOptions } from "./options.js";

/** Packets in one batch when the reader is not told otherwise. */
export const BATCH_PACKETS_DEFAULT = 256;

/** One packet as a value, for whoever keeps it, changes it or writes it. */
export interface Packet {
  /** Index into the interfaces of the capture, counted over all its sections. */
  readonly interfaceIndex: number;
  /** Whole seconds since 1970-01-01T00:00:00Z, and nanoseconds within that second (0 to 999,999,999). */
  readonly timeSeconds: number;
  readonly timeNanos: number;
  /** The captured bytes. */
  readonly data: Uint8Array;
  /** Bytes that the packet had on the wire. */
  readonly wireLength: number;
  readonly comments?: readonly string[];
}

/** The columns that everybody reads. */
const COLUMNS = [
  "offset",
  "capturedLength",
  "wireLength",
  "timeSeconds",
  "timeNanos",
  "timed",
  "interfaceIndex",
] as const;

/**
 * Up to `capacity` packets, one column for each field; only rows below `count` mean something. Packet `i` is
 * the `capturedLength[i]` bytes of `bytes` at `offset[i]`. The packets lie in ascending order between
 * `offset[0]` and `end`, so one copy of that range takes them all.
 *
 * The reader owns all of it: it is valid until the reader's next `next()` and must not be written to.
 */
export class PacketBatch {
  readonly capacity: number;
  count = 0;
  bytes: Uint8Array = new Uint8Array(0);
  readonly offset: Uint32Array;
  readonly capturedLength: Uint32Array;
  readonly wireLength: Uint32Array;
  readonly timeSeconds: Float64Array;
  readonly timeNanos: Uint32Array;
  /** 1, or 0 for a packet that was recorded without a time (pcapng simple packet); its time reads 0. */
  readonly timed: Uint8Array;
  readonly interfaceIndex: Uint32Array;
  /** The pcapng options of the packet within `bytes`; length 0 when there are none. */
  readonly #optionsOffset: Uint32Array;
  readonly #optionsLength: Uint32Array;
  #littleEndian = true;

  /** `capacity`: packets at most, at least 1. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.offset = new Uint32Array(capacity);
    this.capturedLength = new Uint32Array(capacity);
    this.wireLength = new Uint32Array(capacity);
    this.timeSeconds = new Float64Array(capacity);
    this.timeNanos = new Uint32Array(capacity);
    this.timed = new Uint8Array(capacity);
    this.interfaceIndex = new Uint32Array(capacity);
    this.#optionsOffset = new Uint32Array(capacity);
    this.#optionsLength = new Uint32Array(capacity);
  }

  /** A copy that is valid for ever; packets without their comments. */
  keep(): PacketBatch {
    const kept = new PacketBatch(Math.max(this.count, 1));
    const from = this.offset[0] ?? 0;
    kept.bytes = this.bytes.slice(from, this.end);
    kept.count = this.count;
    for (const name of COLUMNS) kept[name].set(this[name].subarray(0, this.count));
    for (let i = 0; i < this.count; i++) kept.offset[i]! -= from;
    return kept;
  }

  /** Where the last packet ends in `bytes`. */
  get end(): number {
    return this.count === 0 ? 0 : this.offset[this.count - 1]! + this.capturedLength[this.count - 1]!;
  }

  /** Packet `i` as a value; its data is still a view into `bytes`. */
  packet(i: number): Packet {
    const offset = this.offset[i]!;
    return {
      interfaceIndex: this.interfaceIndex[i]!,
      timeSeconds: this.timeSeconds[i]!,
      timeNanos: this.timeNanos[i]!,
      data: this.bytes.subarray(offset, offset + this.capturedLength[i]!),
      wireLength: this.wireLength[i]!,
      comments: this.comments(i),
    };
  }

  /** The comments of packet `i`; none in a pcap file. */
  comments(i: number): string[] {
    const comments: string[] = [];
    const from = this.#optionsOffset[i]!;
    const to = from + this.#optionsLength[i]!;
    if (from === to) return comments;
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    walkOptions(view, from, to, this.#littleEndian, (code, at, length) => {
      if (code === OPTION_COMMENT) comments.push(decodeText(this.bytes, at, length));
    });
    return comments;
  }

  /** For the reader: starts again over `bytes`, whose numbers are in this byte order. */
  reset(bytes: Uint8Array, littleEndian: boolean): void {
    this.count = 0;
    this.bytes = bytes;
    this.#littleEndian = littleEndian;
  }

  /**
   * For the reader: appends a packet, as yet without time and options; there must be room. Returns its row.
   */
  add(offset: number, capturedLength: number, wireLength: number, interfaceIndex: number): number {
    const i = this.count++;
    this.offset[i] = offset;
    this.capturedLength[i] = capturedLength;
    this.wireLength[i] = wireLength;
    this.interfaceIndex[i] = interfaceIndex;
    this.timeSeconds[i] = 0;
    this.timeNanos[i] = 0;
    this.timed[i] = 0;
    this.#optionsLength[i] = 0;
    return i;
  }

  /** For the reader: packet `i` has the options between `from` and `to`, which have been checked. */
  setOptions(i: number, from: number, to: number): void {
    this.#optionsOffset[i] = from;
    this.#optionsLength[i] = to - from;
  }
}
