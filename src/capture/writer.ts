/**
 * Writers of capture files. `write` collects, `drain` hands over what has been collected: whoever drains
 * after each batch writes a file of any size in constant memory.
 */
import type { Packet } from "./batch.js";
import {
  BYTE_ORDER_MAGIC,
  CAPTURED_MAX,
  ENHANCED_PACKET,
  INTERFACE_DESCRIPTION,
  INTERFACE_DESCRIPTION_TEXT,
  INTERFACE_NAME,
  INTERFACE_TIME_RESOLUTION,
  OPTION_COMMENT,
  OPTION_END,
  OPTION_LENGTH_MAX,
  PCAP_MICROSECONDS,
  PCAP_NANOSECONDS,
  PCAP_VERSION_MAJOR,
  PCAP_VERSION_MINOR,
  PCAPNG_VERSION_MAJOR,
  PCAPNG_VERSION_MINORS,
  padded,
  SECTION_APPLICATION,
  SECTION_HEADER,
} from "./format.js";
import { NANOS_PER_SECOND, nanos64 } from "./time.js";

export interface CaptureWriter {
  /** Appends a packet. Its data is copied, and must not be longer than CAPTURED_MAX. */
  write(packet: Packet): void;
  /** Bytes that `drain` would return. */
  readonly pending: number;
  /** The bytes of the file since the last call; they belong to the caller from now on. */
  drain(): Uint8Array;
}

/** First size of the buffer between two calls of `drain`. */
const OUTPUT_SIZE = 65_536;
const UTF8_BYTES_PER_UNIT_MAX = 3;
const TIME_RESOLUTION_NANOSECONDS = 9;
/** Each half of the section length that means "not known". */
const UNKNOWN_SECTION_LENGTH = 0xffff_ffff;
const TOTAL_LENGTH_OFFSET = 4;
const TOTAL_LENGTH_SIZE = 4;

const encoder = new TextEncoder();

/** Bytes in little-endian order, appended. */
class Output {
  length = 0;
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);

  drain(): Uint8Array {
    const drained = this.#bytes.subarray(0, this.length);
    this.#bytes = new Uint8Array(0);
    this.#view = new DataView(this.#bytes.buffer);
    this.length = 0;
    return drained;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#view.setUint8(this.length, value);
    this.length += 1;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  u16At(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  u32At(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Zeros up to the next multiple of four from `start` on. */
  pad(start: number): void {
    for (let missing = padded(this.length - start) - (this.length - start); missing > 0; missing--)
      this.u8(0);
  }

  /** UTF-8, as many whole characters as `lengthMax` bytes hold. Returns the number of bytes. */
  text(text: string, lengthMax: number): number {
    const room = Math.min(text.length * UTF8_BYTES_PER_UNIT_MAX, lengthMax);
    this.#reserve(room);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.length, this.length + room));
    this.length += written;
    return written;
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length, OUTPUT_SIZE));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** What `PcapngWriter.addInterface` needs to know; an interface of a capture that was read will do. */
export interface WrittenInterface {
  readonly name?: string;
  readonly description?: string;
  readonly linkType: number;
  /** 0: no limit. */
  readonly snapLength: number;
}

/**
 * pcapng, one section, little-endian, times in nanoseconds (from 1970 to 2554; others become the nearest of
 * these).
 */
export class PcapngWriter implements CaptureWriter {
  readonly #output = new Output();
  #interfaces = 0;

  /** `application` names the program that writes, in the section header. */
  constructor(application?: string) {
    const output = this.#output;
    const start = this.#begin(SECTION_HEADER);
    output.u32(BYTE_ORDER_MAGIC);
    output.u16(PCAPNG_VERSION_MAJOR);
    output.u16(PCAPNG_VERSION_MINORS[0]!);
    output.u32(UNKNOWN_SECTION_LENGTH);
    output.u32(UNKNOWN_SECTION_LENGTH);
    const options = output.length;
    this.#textOption(SECTION_APPLICATION, application);
    this.#finish(start, options);
  }

  /** Interfaces added so far. */
  get interfaces(): number {
    return this.#interfaces;
  }

  get pending(): number {
    return this.#output.length;
  }

  drain(): Uint8Array {
    return this.#output.drain();
  }

  /** Adds the next interface, which must come before its first packet. Returns its index. */
  addInterface(added: WrittenInterface): number {
    const output = this.#output;
    const start = this.#begin(INTERFACE_DESCRIPTION);
    output.u16(added.linkType);
    output.u16(0);
    output.u32(added.snapLength);
    const options = output.length;
    this.#textOption(INTERFACE_NAME, added.name);
    this.#textOption(INTERFACE_DESCRIPTION_TEXT, added.description);
    output.u16(INTERFACE_TIME_RESOLUTION);
    output.u16(1);
    output.u32(TIME_RESOLUTION_NANOSECONDS);
    this.#finish(start, options);
    return this.#interfaces++;
  }

  write(packet: Packet): void {
    if (packet.interfaceIndex >= this.#interfaces) {
      throw new RangeError(`interface ${packet.interfaceIndex} has not been added`);
    }
    checkLength(packet);
    const output = this.#output;
    const { high, low } = nanos64(packet.timeSeconds, packet.timeNanos);
    const start = this.#begin(ENHANCED_PACKET);
    output.u32(packet.interfaceIndex);
    output.u32(high);
    output.u32(low);
    output.u32(packet.data.length);
    output.u32(packet.wireLength);
    output.bytes(packet.data);
    output.pad(start);
    const options = output.length;
    for (const comment of packet.comments ?? []) this.#textOption(OPTION_COMMENT, comment);
    this.#finish(start, options);
  }

  /** Type, and room for the total length. */
  #begin(type: number): number {
    const start = this.#output.length;
    this.#output.u32(type);
    this.#output.u32(0);
    return start;
  }

  #textOption(code: number, text: string | undefined): void {
    if (text === undefined) return;
    const output = this.#output;
    const start = output.length;
    output.u16(code);
    output.u16(0);
    output.u16At(start + 2, output.text(text, OPTION_LENGTH_MAX));
    output.pad(start);
  }

  /** Ends the block that begins at `start`, and its options, which begin at `options`. */
  #finish(start: number, options: number): void {
    const output = this.#output;
    if (output.length > options) output.u32(OPTION_END);
    const total = output.length - start + TOTAL_LENGTH_SIZE;
    output.u32(total);
    output.u32At(start + TOTAL_LENGTH_OFFSET, total);
  }
}

export interface PcapWriterOptions {
  readonly linkType: number;
  /** CAPTURED_MAX when absent. */
  readonly snapLength?: number;
  /** Of the times in the file; "nanoseconds" when absent. With "microseconds" the rest is cut off. */
  readonly resolution?: "microseconds" | "nanoseconds";
}

const PCAP_SECONDS_MAX = 0xffff_ffff;

/**
 * pcap, little-endian: one interface, no comments, times from 1970 to 2106 (others become the nearest of
 * these).
 */
export class PcapWriter implements CaptureWriter {
  readonly #output = new Output();
  readonly #nanosPerFraction: number;

  constructor(options: PcapWriterOptions) {
    const kind = options.resolution === "microseconds" ? PCAP_MICROSECONDS : PCAP_NANOSECONDS;
    this.#nanosPerFraction = NANOS_PER_SECOND / 10 ** kind.fractionDigits;
    const output = this.#output;
    output.u32(kind.magic);
    output.u16(PCAP_VERSION_MAJOR);
    output.u16(PCAP_VERSION_MINOR);
    // Two fields that have never been used.
    output.u32(0);
    output.u32(0);
    output.u32(options.snapLength ?? CAPTURED_MAX);
    output.u32(options.linkType);
  }

  get pending(): number {
    return this.#output.length;
  }

  drain(): Uint8Array {
    return this.#output.drain();
  }

  write(packet: Packet): void {
    checkLength(packet);
    const output = this.#output;
    let { timeSeconds: seconds, timeNanos: nanos } = packet;
    if (seconds < 0) [seconds, nanos] = [0, 0];
    if (seconds > PCAP_SECONDS_MAX) [seconds, nanos] = [PCAP_SECONDS_MAX, NANOS_PER_SECOND - 1];
    output.u32(seconds);
    output.u32(Math.floor(nanos / this.#nanosPerFraction));
    output.u32(packet.data.length);
    output.u32(packet.wireLength);
    output.bytes(packet.data);
  }
}

function checkLength(packet: Packet): void {
  if (packet.data.length > CAPTURED_MAX) {
    throw new RangeError(`a packet of ${packet.data.length} bytes is over ${CAPTURED_MAX}`);
  }
}
