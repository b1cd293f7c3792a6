/**
 * The synchronous core of the reader, for uncompressed bytes: pieces of any size go in, batches of packets
 * come out. Packets are decoded where they lie; only what a piece cuts in two is put together in a buffer of
 * its own.
 */
import { PacketBatch } from "./batch.js";
import type { CaptureInterface, Decoder, Stop, Window } from "./decoder.js";
import { PCAP_FILE_HEADER, PIECE_MAX, SECTION_HEADER } from "./format.js";
import { pcapDecoder, pcapKind } from "./pcap.js";
import { PcapngDecoder } from "./pcapng.js";

export type CaptureFormat = "pcap" | "pcapng";

/** Why a capture could not be read to its end. Every packet before it has been delivered. */
export interface CaptureError {
  readonly message: string;
  /** Bytes of the (uncompressed) file in front of the record or block that could not be read. */
  readonly offset: number;
  /** What could not be read: pcap records and pcapng blocks count from 1, the file header is 0. */
  readonly unit: "file header" | "record" | "block";
  readonly number: number;
}

/** "byte 1234, block 17: the file ends inside it" */
export function formatCaptureError(error: CaptureError): string {
  const place = error.unit === "file header" ? error.unit : `${error.unit} ${error.number}`;
  return `byte ${error.offset}, ${place}: ${error.message}`;
}

const MAGIC_LENGTH = 4;
const NO_BYTES = new Uint8Array(0);
/** First size of the buffer for a unit in two pieces: most packets fit. */
const CUT_SIZE = 4096;

/**
 * `push` bytes and take batches with `next` until it returns undefined; repeat; call `end` after the last
 * bytes and take what `next` still has. `error` is set when the capture turns out to be broken, and then
 * nothing more comes.
 */
export class CaptureParser {
  readonly interfaces: CaptureInterface[] = [];
  error: CaptureError | undefined;
  #decoder: Decoder | undefined;
  readonly #batch: PacketBatch;
  /** `end` has been called. */
  ended = false;
  /** Bytes in front of the window, and the window: the pushed piece, as far as it has not been read. */
  #before = 0;
  readonly #window: Window = windowOver(NO_BYTES);
  /** The beginning of a unit that goes on in the next piece; in use while its end is not 0. */
  readonly #cut: Window = windowOver(NO_BYTES);
  /** How long that unit is at least. */
  #cutNeeds = 0;

  /** `packetsMax`: packets in one batch at most. */
  constructor(packetsMax: number) {
    this.#batch = new PacketBatch(packetsMax);
  }

  /** Known as soon as the first bytes are. */
  get format(): CaptureFormat | undefined {
    return this.#decoder && (this.#decoder.unit === "block" ? "pcapng" : "pcap");
  }

  /**
   * Gives the next bytes of the file, at most PIECE_MAX. They are not copied: they must stay as they are
   * until `next` says undefined.
   */
  push(bytes: Uint8Array): void {
    if (bytes.length > PIECE_MAX)
      throw new RangeError(`a piece of ${bytes.length} bytes is over ${PIECE_MAX}`);
    if (this.ended) throw new Error("push after end");
    if (this.#window.at < this.#window.end && this.error === undefined) {
      throw new Error("push before next() has returned undefined");
    }
    this.#before += this.#window.end;
    setWindow(this.#window, bytes);
  }

  /** No more bytes will come. */
  end(): void {
    this.ended = true;
  }

  /** The next packets, valid until the next call; undefined: none before more bytes come, or none at all. */
  next(): PacketBatch | undefined {
    const window = this.#window;
    const cut = this.#cut;
    while (this.error === undefined) {
      if (cut.end > 0) {
        if (!this.#fillCut()) break;
        const stop = this.#decode(cut);
        // The buffer holds exactly one unit: it has been read, or it is longer than was known so far.
        if (cut.at > 0) setWindow(cut, cut.bytes, 0);
        else if (typeof stop === "number") this.#cutNeeds = stop;
      } else if (window.at < window.end) {
        const stop = this.#decode(window);
        if (typeof stop === "number") this.#keepCut(stop);
      } else {
        break;
      }
      if (this.#batch.count > 0) return this.#batch;
    }
    if (this.ended) this.#checkEnd();
    return undefined;
  }

  /** For a reason outside the capture format, the bytes pushed so far are all there will be. */
  fail(message: string): void {
    const decoder = this.#decoder;
    this.error ??= {
      message,
      offset: this.#before + this.#window.at - this.#cut.end,
      unit: decoder === undefined ? "file header" : decoder.unit,
      number: decoder === undefined ? 0 : decoder.units + 1,
    };
  }

  #decode(window: Window): Stop {
    if (this.#decoder === undefined) {
      const stop = this.#start(window);
      if (stop !== undefined) return this.#noteBroken(stop);
    }
    const decoder = this.#decoder!;
    this.#batch.reset(window.bytes, decoder.littleEndian);
    return this.#noteBroken(decoder.decode(window, this.#batch));
  }

  /** Chooses the decoder by the first bytes of the file, and reads the file header of a pcap. */
  #start(window: Window): Stop | undefined {
    const { view, bytes, at } = window;
    const available = window.end - at;
    if (available < MAGIC_LENGTH) return MAGIC_LENGTH;
    if (view.getUint32(at) === SECTION_HEADER) {
      this.#decoder = new PcapngDecoder(this.interfaces);
      return undefined;
    }
    const found = pcapKind(view, at);
    if (found === undefined) {
      const hex = Array.from(bytes.subarray(at, at + MAGIC_LENGTH), (byte) =>
        byte.toString(16).padStart(2, "0"),
      );
      return { broken: `neither pcap nor pcapng: the file begins with ${hex.join(" ")}` };
    }
    if (available < PCAP_FILE_HEADER) return PCAP_FILE_HEADER;
    const decoder = pcapDecoder(view, at, found.kind, found.littleEndian, this.interfaces);
    if ("broken" in decoder) return decoder;
    this.#decoder = decoder;
    window.at += PCAP_FILE_HEADER;
    return undefined;
  }

  #noteBroken(stop: Stop): Stop {
    if (typeof stop === "object") this.fail(stop.broken);
    return stop;
  }

  /** Puts aside the rest of the window, which is the beginning of a unit of at least `needs` bytes. */
  #keepCut(needs: number): void {
    this.#cutNeeds = needs;
    this.#moveToCut(this.#window.end - this.#window.at);
  }

  /** Completes the unit that was put aside, as far as the window can. */
  #fillCut(): boolean {
    const missing = this.#cutNeeds - this.#cut.end;
    this.#moveToCut(Math.min(missing, this.#window.end - this.#window.at));
    return this.#cut.end === this.#cutNeeds;
  }

  /** The buffer grows with the bytes that arrive, not with the length that they announce. */
  #moveToCut(count: number): void {
    const window = this.#window;
    const cut = this.#cut;
    const end = cut.end + count;
    if (end > cut.bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * cut.bytes.length, CUT_SIZE));
      grown.set(cut.bytes.subarray(0, cut.end));
      setWindow(cut, grown, cut.end);
    }
    cut.bytes.set(window.bytes.subarray(window.at, window.at + count), cut.end);
    cut.end = end;
    window.at += count;
  }

  #checkEnd(): void {
    if (this.#before + this.#window.end === 0) this.fail("the file is empty");
    else if (this.#cut.end > 0) this.fail("the file ends inside it");
  }
}

function windowOver(bytes: Uint8Array): Window {
  return { bytes, view: viewOf(bytes), at: 0, end: bytes.length };
}

function setWindow(window: Window, bytes: Uint8Array, end = bytes.length): void {
  if (window.bytes !== bytes) window.view = viewOf(bytes);
  window.bytes = bytes;
  window.at = 0;
  window.end = end;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
