/**
 * The frames of one call of the core, and what it decided about them. Everything lies in the core's memory: adding a
 * frame copies its bytes there once, and the accessors read the descriptors without making an object.
 *
 * Descriptors are written and read as little-endian words, as Wasm has them.
 */
import * as L from "../assembly/layout.js";
import type { Core } from "./core.js";
import { reasonOf, type VerdictName } from "./reasons.js";

/** What is known of a frame besides its bytes. */
export interface FrameOptions {
  /** Bytes that it had on the wire, when the capture has fewer. */
  wireLength?: number;
  /** The bytes are the payload of this ethertype (0x0800, 0x86dd), without a link header. */
  ethertype?: number;
  /** The transport checksum need not be verified (computed by the NIC). */
  checksumOk?: boolean;
  /** Nor the IPv4 header checksum. */
  headerChecksumOk?: boolean;
  /** The sender may have left the transport checksum to its device: it is completed then. */
  mayBePartial?: boolean;
  /** The frame was merged of segments with so many bytes of payload each. */
  segment?: number;
}

/** Up to this length a loop over words copies faster than Uint8Array.set over a subarray (a frame of 64 bytes is added
 * in 39 against 56 ns, measured; at 128 they are equal). */
const WORD_COPY_MAX = 96;
/** Frames start on a cache line. */
const FRAME_ALIGNMENT = 64;
/** D_SEGMENT in its word. */
const SEGMENT_SHIFT = (L.D_SEGMENT & 3) * 8;
const WORDS = L.DESC_SIZE >>> 2;
const LONGS = L.DESC_SIZE >>> 3;

const VERDICTS: readonly (VerdictName | "none")[] = ["none", "pass", "drop", "local", "held"];

export class Batch {
  /** Frames that fit at most. */
  readonly capacity: number;
  /** Frames added. */
  length = 0;
  readonly #core: Core;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #longs: BigUint64Array<ArrayBuffer>;
  readonly #firstByte: number;
  readonly #lastByte: number;
  /** Bytes left free before each frame: a live instance builds another link header there. */
  #headroom = 0;
  /** Where the next frame goes. */
  #free: number;
  /** Address of descriptor 0, in the unit of each view. */
  readonly #at: number;
  readonly #at32: number;
  readonly #at64: number;
  /** The bytes that the last frame came from, and a view of them. */
  #source: Uint8Array | undefined;
  #sourceView: DataView = new DataView(new ArrayBuffer(0));

  constructor(core: Core) {
    const { capacity, regions, batchBytes } = core.plan;
    this.capacity = capacity.batch;
    this.#core = core;
    this.#bytes = core.bytes;
    this.#words = core.words;
    this.#longs = core.longs;
    this.#firstByte = regions.bytes.at;
    this.#lastByte = regions.bytes.at + batchBytes;
    this.#free = this.#firstByte;
    this.#at = regions.descriptors.at;
    this.#at32 = this.#at / 4;
    this.#at64 = this.#at / 8;
  }

  /** Forgets the frames and the verdicts. */
  clear(): void {
    this.length = 0;
    this.#free = this.#firstByte + this.#headroom;
  }

  /** Leaves room before the frames that are added from the next `clear` on. */
  reserveHeadroom(bytes: number): void {
    this.#headroom = bytes;
  }

  /**
   * Adds a frame that arrives on the interface of that number; 0: the interface toward its source address.
   * @param cookie the caller's own 32 bits, found again beside the verdict.
   * @returns false: full, nothing was added.
   */
  add(frame: Uint8Array, ingress: number, cookie = 0, options?: FrameOptions): boolean {
    let flags = L.DF_IDS;
    if (options?.checksumOk) flags |= L.DF_CHECKSUM_OK;
    if (options?.headerChecksumOk) flags |= L.DF_CHECKSUM_OK | L.DF_HEADER_CHECKSUM_OK;
    if (options?.mayBePartial) flags |= L.DF_MAYBE_PARTIAL;
    const { length } = frame;
    const wire = options?.wireLength ?? length;
    const added = this.addFrom(frame, 0, length, wire, ingress, options?.ethertype ?? 0, flags, cookie);
    if (added && options?.segment !== undefined) this.setSegment(this.length - 1, options.segment);
    return added;
  }

  /**
   * The same without objects: `captured` of `wire` bytes at `offset` of `bytes`. `flags`: DF_*; without DF_IDS
   * `session()` answers 0n.
   */
  addFrom(
    bytes: Uint8Array,
    offset: number,
    captured: number,
    wire: number,
    ingress: number,
    ethertype: number,
    flags: number,
    cookie: number,
  ): boolean {
    // More than an IP packet and its link header cannot be looked at; the rest of a larger capture is left out.
    const kept = Math.min(captured, L.FRAME_MAX);
    const at = this.#free;
    if (this.length === this.capacity || at + kept > this.#lastByte) return false;
    if (kept <= WORD_COPY_MAX && offset + ((kept + 3) & ~3) <= bytes.length) {
      this.#copyWords(bytes, offset, kept, at);
    } else {
      this.#bytes.set(bytes.subarray(offset, offset + kept), at);
    }
    this.#free = at + ((kept + FRAME_ALIGNMENT - 1) & -FRAME_ALIGNMENT) + this.#headroom;
    this.#describe(at, kept, wire, ingress, ethertype, flags, cookie);
    return true;
  }

  /**
   * Copies bytes of several frames in one go, to be named by `addLoaded`. Not for a live instance, which needs room
   * before each of them.
   * @returns the address of the first byte; -1: no room, nothing was copied.
   */
  load(bytes: Uint8Array): number {
    const at = this.#free;
    if (at + bytes.length > this.#lastByte) return -1;
    this.#bytes.set(bytes, at);
    this.#free = at + ((bytes.length + FRAME_ALIGNMENT - 1) & -FRAME_ALIGNMENT);
    return at;
  }

  /** Adds a frame whose bytes `load` has copied: `captured` of `wire` bytes at `address`. Else as `addFrom`. */
  addLoaded(
    address: number,
    captured: number,
    wire: number,
    ingress: number,
    ethertype: number,
    flags: number,
    cookie: number,
  ): boolean {
    if (this.length === this.capacity) return false;
    this.#describe(address, captured, wire, ingress, ethertype, flags, cookie);
    return true;
  }

  /** Frame `i` was merged of segments with so many bytes of payload each. */
  setSegment(i: number, bytes: number): void {
    this.#words[this.#at32 + i * WORDS + (L.D_SEGMENT >>> 2)] = bytes << SEGMENT_SHIFT;
  }

  verdict(i: number): VerdictName {
    const name = VERDICTS[this.verdictCode(i)];
    if (name === undefined || name === "none") throw new RangeError(`output ${i} has no verdict`);
    return name;
  }

  /** VERDICT_*. */
  verdictCode(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_VERDICT]!;
  }

  /** The stable name of the reason. */
  reason(i: number): string {
    return reasonOf(this.reasonCode(i)).name;
  }

  /** R_*. */
  reasonCode(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_REASON]!;
  }

  /** Number of the interface that the frame arrived on, after VLAN tags and the source address were looked at. */
  ingress(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_INGRESS]!;
  }

  /** Number of the interface that it leaves by, or would were it not too big; 0 none. */
  egress(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_EGRESS]!;
  }

  /** 1 + the number of the access list entry that decided; 0 none. */
  rule(i: number): number {
    return this.#words[this.#at32 + i * WORDS + (L.D_RULE >>> 2)]!;
  }

  /** Id of the session that the packet belongs to; 0n none. */
  session(i: number): bigint {
    return this.#longs[this.#at64 + i * LONGS + (L.D_SESSION_ID >>> 3)]!;
  }

  /** True when the packet comes from the initiator of its session. */
  fromInitiator(i: number): boolean {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_SIDE] === 0;
  }

  /** The packet passes when the peer of the pair knows its session (`ip inspect redundancy defer`). */
  isDeferred(i: number): boolean {
    return (this.#bytes[this.#at + i * L.DESC_SIZE + L.D_FLAGS]! & L.DF_DEFERRED) !== 0;
  }

  cookie(i: number): number {
    return this.#words[this.#at32 + i * WORDS + (L.D_COOKIE >>> 2)]!;
  }

  /** IP protocol number; 0 when the packet could not be read that far. */
  protocol(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_PROTOCOL]!;
  }

  /** Bytes from the start of the frame to its IP header. */
  networkOffset(i: number): number {
    return this.#core.view.getUint16(this.#at + i * L.DESC_SIZE + L.D_NETWORK, true);
  }

  /** FW_*: what a live instance has made of the frame. */
  forward(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_FORWARD]!;
  }

  /** The device that the frame leaves by, when a live instance lets it pass. */
  port(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_PORT]!;
  }

  /** Bytes of payload of each of the segments that the frame was merged of; 0: it was not. */
  segment(i: number): number {
    return this.#words[this.#at32 + i * WORDS + (L.D_SEGMENT >>> 2)]! >>> SEGMENT_SHIFT;
  }

  /** Bytes that the frame had on the wire; when it is ready to be sent, bytes that it will have. */
  wireLength(i: number): number {
    return this.#words[this.#at32 + i * WORDS + (L.D_WIRE >>> 2)]!;
  }

  /** The captured bytes, where they lie: valid until the next call of the core or change of the batch. */
  frame(i: number): Uint8Array {
    const at = this.#words[this.#at32 + i * WORDS + (L.D_OFFSET >>> 2)]!;
    return this.#bytes.subarray(at, at + this.#words[this.#at32 + i * WORDS + (L.D_CAPTURED >>> 2)]!);
  }

  /** Copies whole words; up to three bytes behind the frame come along, where nobody looks. */
  #copyWords(bytes: Uint8Array, offset: number, length: number, to: number): void {
    if (bytes !== this.#source) {
      this.#source = bytes;
      this.#sourceView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#sourceView;
    const words = this.#words;
    const end = offset + length;
    for (let from = offset, word = to >>> 2; from < end; from += 4)
      words[word++] = view.getUint32(from, true);
  }

  #describe(
    at: number,
    captured: number,
    wire: number,
    ingress: number,
    ethertype: number,
    flags: number,
    cookie: number,
  ): void {
    const word = this.#at32 + this.length++ * WORDS;
    const words = this.#words;
    // A number that is no interface must stay one when it is cut to a byte.
    const known = ingress >= 0 && ingress < L.INTERFACES_MAX ? ingress : L.INTERFACES_MAX;
    words[word + (L.D_OFFSET >>> 2)] = at;
    words[word + (L.D_CAPTURED >>> 2)] = captured;
    words[word + (L.D_WIRE >>> 2)] = wire;
    words[word + (L.D_INGRESS >>> 2)] = known | (flags << 8) | (ethertype << 16);
    words[word + (L.D_COOKIE >>> 2)] = cookie;
    words[word + (L.D_SEGMENT >>> 2)] = 0; // and D_PORT
  }
}
