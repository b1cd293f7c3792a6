/** The reader of capture files: pcap and pcapng, plain or compressed with gzip. */
import { BATCH_PACKETS_DEFAULT, type PacketBatch } from "./batch.js";
import type { CaptureInterface } from "./decoder.js";
import { GzipReader } from "./gzip.js";
import { type CaptureError, type CaptureFormat, CaptureParser } from "./parser.js";

const GZIP_MAGIC: readonly number[] = [0x1f, 0x8b];

export interface CaptureReaderOptions {
  /** Packets in one batch at most; BATCH_PACKETS_DEFAULT when absent. */
  readonly packetsMax?: number;
}

/**
 * Reads one capture file of any size in constant memory. `push` bytes, in pieces of any size, and take
 * batches with `next` until it returns undefined; repeat; call `end` after the last bytes and take what
 * `next` still has. Then `error` is undefined if the file was intact. A damaged file delivers every packet
 * before the damage and then sets `error`; nothing in a file makes the reader throw. (Pushing before `next`
 * has returned undefined is a bug, and does.)
 */
export class CaptureReader {
  readonly #parser: CaptureParser;
  #gzip: GzipReader | undefined;
  /** The first bytes, until there are enough to recognise gzip; undefined afterwards. */
  #head: number[] | undefined = [];
  #packets = 0;

  constructor(options: CaptureReaderOptions = {}) {
    this.#parser = new CaptureParser(options.packetsMax ?? BATCH_PACKETS_DEFAULT);
  }

  /** Packets delivered so far. */
  get packets(): number {
    return this.#packets;
  }

  /** The interfaces met so far: at least those of every packet delivered. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#parser.interfaces;
  }

  /** Undefined until the first bytes have been read. */
  get format(): CaptureFormat | undefined {
    return this.#parser.format;
  }

  /** Why the file could not be read to its end. */
  get error(): CaptureError | undefined {
    return this.#parser.error;
  }

  /**
   * Gives the next bytes of the file, at most PIECE_MAX. They are not copied: they must stay as they are
   * until `next` says undefined.
   */
  push(bytes: Uint8Array): void {
    const head = this.#head;
    if (head === undefined) {
      this.#forward(bytes);
      return;
    }
    const missing = Math.min(GZIP_MAGIC.length - head.length, bytes.length);
    head.push(...bytes.subarray(0, missing));
    if (head.length < GZIP_MAGIC.length) return;
    const early = head.length > missing ? Uint8Array.of(...head, ...bytes.subarray(missing)) : bytes;
    this.#recognise();
    this.#forward(early);
  }

  /** No more bytes will come. */
  end(): void {
    const head = this.#head;
    if (head !== undefined) {
      this.#recognise();
      this.#forward(Uint8Array.from(head));
    }
    if (this.#gzip === undefined) this.#parser.end();
    else this.#gzip.end();
  }

  /**
   * The next packets, valid until the next call, which also invalidates their bytes; undefined: none before
   * more bytes are pushed, or none at all.
   */
  next(): PacketBatch | undefined {
    for (;;) {
      const batch = this.#parser.next();
      if (batch !== undefined) {
        this.#packets += batch.count;
        return batch;
      }
      const gzip = this.#gzip;
      if (gzip === undefined || this.#parser.error !== undefined) return undefined;
      const bytes = gzip.next();
      if (bytes !== undefined) this.#parser.push(bytes);
      else if (gzip.error !== undefined) this.#parser.fail(gzip.error);
      else if (gzip.finished && !this.#parser.ended) this.#parser.end();
      else return undefined;
    }
  }

  #recognise(): void {
    if (GZIP_MAGIC.every((byte, i) => this.#head![i] === byte)) this.#gzip = new GzipReader();
    this.#head = undefined;
  }

  #forward(bytes: Uint8Array): void {
    if (this.#gzip === undefined) this.#parser.push(bytes);
    else this.#gzip.push(bytes);
  }
}

/**
 * The batches of a whole file, for `for await`; each is valid until the next one. `reader.error` tells
 * afterwards whether the file was intact. What the source itself throws (a disk error) passes through.
 */
export async function* readBatches(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  reader: CaptureReader,
): AsyncGenerator<PacketBatch, void> {
  for await (const bytes of source) {
    reader.push(bytes);
    for (let batch = reader.next(); batch !== undefined; batch = reader.next()) yield batch;
    if (reader.error !== undefined) return;
  }
  reader.end();
  for (let batch = reader.next(); batch !== undefined; batch = reader.next()) yield batch;
}
