/**
 * Packets (RFC 9260 section 3): the common header and one or more chunks, each padded to four bytes. A packet is
 * taken whole or refused whole: a chunk whose length or contents lie spoils all of them.
 */
import { type Chunk, CHUNK_FLAGS_AT, chunkLength, emitChunk, parseChunk } from "./chunk.js";
import type { Refusal } from "./counters.js";
import { crc32cWithout } from "./crc32c.js";
import { record, type ValuesOf } from "./record.js";
import { ITEM_HEADER, ITEM_LENGTH_AT, padded, type Span, spanOf } from "./tlv.js";

const COMMON_HEADER_FIELDS = {
  sourcePort: "u16",
  destinationPort: "u16",
  verificationTag: "u32",
  checksum: "u32",
} as const;
const COMMON_HEADER_LAYOUT = record(COMMON_HEADER_FIELDS);

export const COMMON_HEADER = COMMON_HEADER_LAYOUT.size;
const CHECKSUM_AT = COMMON_HEADER - 4;

/** The largest payload of a UDP datagram over IPv4. */
export const PACKET_BYTES_MAX = 65_507;
/** A packet with more chunks is refused, and none is sent. */
export const CHUNKS_PER_PACKET_MAX = 512;

export type CommonHeader = ValuesOf<typeof COMMON_HEADER_FIELDS>;

export interface Packet extends CommonHeader {
  /** At least one. Their bytes are those of the datagram, not copies. */
  chunks: Chunk[];
}

/** Chunks that travel alone (section 6.10). */
const ALONE: readonly string[] = ["init", "initAck", "shutdownComplete"] satisfies Chunk["kind"][];

/** The packet in `bytes`, or the reason why it is none. */
export function parsePacket(bytes: Uint8Array): Packet | Refusal {
  if (bytes.length < COMMON_HEADER + ITEM_HEADER) return "packet_short";
  if (bytes.length > PACKET_BYTES_MAX) return "packet_long";
  const span = spanOf(bytes);
  // The sum is stored least significant byte first, unlike everything else (appendix A).
  if (span.view.getUint32(CHECKSUM_AT, true) !== crc32cWithout(bytes, bytes.length, CHECKSUM_AT))
    return "checksum";
  const chunks: Chunk[] = [];
  for (let at = COMMON_HEADER; at < bytes.length; ) {
    if (bytes.length - at < ITEM_HEADER) return "chunk_length";
    const length = span.view.getUint16(at + ITEM_LENGTH_AT);
    if (length < ITEM_HEADER || padded(length) > bytes.length - at) return "chunk_length";
    if (chunks.length === CHUNKS_PER_PACKET_MAX) return "chunk_count";
    const chunk = parseChunk(span, at, length);
    if (chunk === undefined) return "chunk_contents";
    chunks.push(chunk);
    at += padded(length);
  }
  if (chunks.length > 1 && chunks.some(({ kind }) => ALONE.includes(kind))) return "chunk_not_alone";
  return COMMON_HEADER_LAYOUT.read(span.view, 0, { chunks });
}

/** Collects chunks for one packet at a time in a buffer of its own. */
export class PacketWriter {
  readonly #span: Span;
  #length = 0;
  #lastAt = 0;
  #count = 0;

  /** `bytesMax`: the largest packet. */
  constructor(bytesMax: number) {
    this.#span = spanOf(new Uint8Array(bytesMax));
  }

  /** Chunks in the packet that was begun. */
  get count(): number {
    return this.#count;
  }

  /** `header.checksum` counts for nothing. */
  begin(header: Readonly<CommonHeader>): void {
    COMMON_HEADER_LAYOUT.write(this.#span.view, 0, header);
    this.#length = COMMON_HEADER;
    this.#count = 0;
  }

  /** Bytes that are left for one more chunk; 0 when there are as many chunks as a packet may have. */
  get room(): number {
    return this.#count === CHUNKS_PER_PACKET_MAX ? 0 : this.#span.bytes.length - this.#length;
  }

  /** Appends `chunk`; false: it does not fit, and nothing has changed. */
  add(chunk: Chunk): boolean {
    const length = chunkLength(chunk);
    const end = this.#length + padded(length);
    if (end > this.#span.bytes.length || this.#count === CHUNKS_PER_PACKET_MAX) return false;
    // The buffer has held other packets: zero what the padding of this chunk, and of anything in it, will cover.
    this.#span.bytes.fill(0, this.#length, end);
    emitChunk(this.#span, this.#length, chunk, length);
    this.#lastAt = this.#length;
    this.#length = end;
    this.#count++;
    return true;
  }

  /** Sets flags of the chunk that was added last. */
  flagLast(flags: number): void {
    this.#span.bytes[this.#lastAt + CHUNK_FLAGS_AT]! |= flags;
  }

  /** The packet with its checksum, as bytes of its own. */
  finish(): Uint8Array {
    const { bytes, view } = this.#span;
    view.setUint32(CHECKSUM_AT, crc32cWithout(bytes, this.#length, CHECKSUM_AT), true);
    return bytes.slice(0, this.#length);
  }
}

/** One packet with these chunks and the checksum that they need. They must fit. */
export function emitPacket(packet: Readonly<Omit<Packet, "checksum">>): Uint8Array {
  const writer = new PacketWriter(PACKET_BYTES_MAX);
  writer.begin({ ...packet, checksum: 0 });
  for (const chunk of packet.chunks) {
    if (!writer.add(chunk)) throw new RangeError("the chunks do not fit a packet");
  }
  return writer.finish();
}
