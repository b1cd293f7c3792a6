/**
 * gzip (RFC 1952) as a stream of bounded memory. The npm package fflate decompresses; this file feeds it in
 * small pieces, keeps what comes out until it is taken, and checks what fflate passes over: the checksum and
 * the length of each member, and that the data is not cut short.
 *
 * The platform's DecompressionStream cannot serve here: Node's throws away what it has decompressed when the
 * data turns out to be cut short or damaged, and Chromium's refuses a file of several members.
 *
 * What fflate does not give: a stored block comes out when all of it has arrived, so data cut inside one
 * loses the part that is there (at most STORED_MAX bytes); and where it meets damage, it keeps for itself
 * what the same piece held before (at most PIECE compressed bytes).
 */
import { type FlateError, FlateErrorCode, Gunzip } from "fflate";

/** The longest stored block of DEFLATE (RFC 1951 section 3.2.4). */
const STORED_MAX = 65_535;

/** DEFLATE makes at most so many bytes of one: 258 bytes of a match with two bits. */
const EXPANSION_MAX = 1032;

/**
 * Compressed bytes that are decompressed at once. Longer pieces are faster (16,384: by a fourth, measured),
 * but a small file that expands to a huge one then takes more memory.
 */
const PIECE = 8192;

/** Decompressed bytes that wait to be taken, at most. While it works, fflate holds up to three times as many. */
export const WAITING_MAX = PIECE * EXPANSION_MAX + STORED_MAX;

/**
 * Bytes without compressed data among them, at most. A member's header is kept until it is whole: its extra
 * field has 65,535 bytes at most, but its name and its comment have no bound.
 */
export const HEADER_MAX = 131_072;

/** CRC-32 and length, 32 bits each. */
const TRAILER = 8;

/** The header of a member without optional fields: magic, DEFLATE, no flags, no time, unknown system. */
const PLAIN_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

const EARLY = "the gzip data ends too early";

const NO_BYTES = new Uint8Array(0);

/**
 * `push` compressed bytes and take decompressed ones with `next` until it returns undefined; repeat; call
 * `end` after the last bytes and take what `next` still has. Afterwards `error` says whether the data was
 * intact. Several members, one after the other, are one stream (RFC 1952 section 2.2).
 */
export class GzipReader {
  error: string | undefined;
  /** The last member has been decompressed, or the error has been met. */
  finished = false;
  readonly #gunzip = new Gunzip();
  /** Pushed bytes that fflate has not been given yet. */
  #pushed: Uint8Array = NO_BYTES;
  #ended = false;
  /** Bytes that fflate has been given. */
  #fed = 0;
  /**
   * The last of them: since the beginning of the last piece with compressed data. A trailer is always among
   * them, because that piece had to arrive before the compressed data could end.
   */
  #recent: Uint8Array = NO_BYTES;
  /** The piece that fflate works on has compressed data: it answers every such piece, if only with nothing. */
  #hasData = false;
  /** All bytes have been fed, and what fflate says now concerns only where they end. */
  #closing = false;
  /** Where the last whole member ends, counted in fed bytes. */
  #memberEnd = 0;
  /** Of what the member has given so far. */
  #crc = 0;
  #memberLength = 0;
  /** What has been decompressed and not been taken. */
  readonly #waiting: Uint8Array[] = [];

  constructor() {
    this.#gunzip.ondata = (bytes) => this.#keep(bytes);
    this.#gunzip.onmember = (offset) => this.#checkMember(offset);
  }

  /** Gives the next compressed bytes, which must stay as they are until `next` says undefined. */
  push(bytes: Uint8Array): void {
    if (this.#ended) throw new Error("push after end");
    if (this.#pushed.length > 0 && !this.finished)
      throw new Error("push before next() has returned undefined");
    this.#pushed = bytes;
  }

  /** No more bytes will come. */
  end(): void {
    this.#ended = true;
  }

  /** The next decompressed bytes; undefined: none before more come, or none at all. */
  next(): Uint8Array | undefined {
    while (this.#waiting.length === 0 && !this.finished) {
      if (this.#pushed.length > 0) {
        const piece = this.#pushed.subarray(0, PIECE);
        this.#pushed = this.#pushed.subarray(piece.length);
        this.#feed(piece);
      } else if (this.#ended) {
        this.#close();
      } else {
        break;
      }
    }
    return this.#waiting.shift();
  }

  #feed(piece: Uint8Array): void {
    const before = this.#recent.length;
    const recent = new Uint8Array(before + piece.length);
    recent.set(this.#recent);
    recent.set(piece, before);
    this.#recent = recent;
    this.#fed += piece.length;
    this.#hasData = false;
    // A copy of the piece, because fflate keeps it while a header is not whole.
    const copy = recent.subarray(before);
    try {
      this.#gunzip.push(copy);
    } catch (error) {
      this.#fail(this.#closing ? EARLY : inWords(error as FlateError));
    }
    if (this.#hasData) this.#recent = copy;
    else if (recent.length > HEADER_MAX) this.#fail("the gzip data has a header that is too long");
  }

  /**
   * Fflate does not say whether the last member is whole. But it says where a member begins, so it is given
   * the header of one more: that begins where the data ends, or the data ends too early.
   */
  #close(): void {
    const end = this.#fed;
    this.#closing = true;
    this.#feed(PLAIN_HEADER);
    if (this.#memberEnd !== end) this.#fail(EARLY);
    this.finished = true;
  }

  #keep(bytes: Uint8Array): void {
    this.#hasData = true;
    if (bytes.length === 0 || this.finished || this.#closing) return;
    this.#crc = crc32(this.#crc, bytes);
    this.#memberLength += bytes.length;
    this.#waiting.push(bytes);
  }

  /** A member begins at `offset` among the fed bytes, after one that has been decompressed. */
  #checkMember(offset: number): void {
    const at = this.#recent.length - (this.#fed - offset) - TRAILER;
    const trailer = new DataView(this.#recent.buffer, this.#recent.byteOffset + at, TRAILER);
    if (trailer.getUint32(0, true) !== this.#crc) this.#fail("the gzip checksum is wrong");
    else if (trailer.getUint32(4, true) !== this.#memberLength >>> 0) this.#fail("the gzip length is wrong");
    this.#memberEnd = offset;
    this.#crc = 0;
    this.#memberLength = 0;
  }

  /** The first error counts: what follows may be its consequence. */
  #fail(message: string): void {
    this.error ??= message;
    this.finished = true;
  }
}

function inWords(error: FlateError): string {
  return error.code === FlateErrorCode.InvalidHeader
    ? "the gzip data has something else where a member should begin"
    : `the gzip data is damaged: ${error.message}`;
}

/** What a byte does to the CRC-32 of gzip (RFC 1952 section 8). */
const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
  return crc;
});

/** The CRC of what came before (0 at the start) goes in, that with `bytes` comes out, unsigned. */
function crc32(before: number, bytes: Uint8Array): number {
  let crc = ~before;
  // With an index: twice as fast as for...of, measured.
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
