/**
 * pcapng: sections of blocks. A section begins with its header, which sets the byte order and forgets the
 * interfaces of the section before. Blocks that hold neither packets nor interfaces are passed over.
 */
import type { PacketBatch } from "./batch.js";
import type { CaptureInterface, Decoder, Stop, Window } from "./decoder.js";
import {
  BLOCK_HEADER,
  BLOCK_MAX,
  BLOCK_OVERHEAD,
  BYTE_ORDER_MAGIC,
  CAPTURED_MAX,
  ENHANCED_PACKET,
  ENHANCED_PACKET_FIXED,
  INTERFACE_DESCRIPTION,
  INTERFACE_DESCRIPTION_FIXED,
  INTERFACE_DESCRIPTION_TEXT,
  INTERFACE_NAME,
  INTERFACE_TIME_OFFSET,
  INTERFACE_TIME_RESOLUTION,
  INTERFACES_MAX,
  PACKET,
  PCAPNG_VERSION_MAJOR,
  PCAPNG_VERSION_MINORS,
  padded,
  SECTION_HEADER,
  SECTION_HEADER_FIXED,
  SIMPLE_PACKET,
  SIMPLE_PACKET_FIXED,
  TEXT_MAX,
  TIME_RESOLUTION_DEFAULT,
} from "./format.js";
import { linkType } from "./link.js";
import { decodeText, walkOptions } from "./options.js";
import { convertTicks, type TimeScale, timeScale } from "./time.js";

/** The total length repeated behind each block. */
const TRAILER = BLOCK_OVERHEAD - BLOCK_HEADER;
/**
 * Type, total length, byte-order magic: what must be there before the length of a section header can be read.
 */
const SECTION_PROBE = BLOCK_HEADER + 4;

const OPTIONS_BROKEN = "an option runs past the end of its block";

/** The smallest total length of each block whose fields are read. */
const BLOCK_MIN: ReadonlyMap<number, number> = new Map([
  [SECTION_HEADER, SECTION_HEADER_FIXED + TRAILER],
  [INTERFACE_DESCRIPTION, INTERFACE_DESCRIPTION_FIXED + TRAILER],
  [PACKET, ENHANCED_PACKET_FIXED + TRAILER],
  [SIMPLE_PACKET, SIMPLE_PACKET_FIXED + TRAILER],
  [ENHANCED_PACKET, ENHANCED_PACKET_FIXED + TRAILER],
]);

interface SectionInterface {
  readonly snapLength: number;
  readonly time: TimeScale;
}

export class PcapngDecoder implements Decoder {
  readonly unit = "block";
  units = 0;
  littleEndian = true;
  readonly #interfaces: CaptureInterface[];
  #section = -1;
  /** Interfaces of the sections before this one. */
  #earlier = 0;
  #sectionInterfaces: SectionInterface[] = [];

  /** Interfaces are appended to `interfaces` as they are met. */
  constructor(interfaces: CaptureInterface[]) {
    this.#interfaces = interfaces;
  }

  decode(window: Window, batch: PacketBatch): Stop {
    const { view, end } = window;
    while (batch.count < batch.capacity) {
      const at = window.at;
      if (end - at < BLOCK_HEADER) return BLOCK_HEADER;
      const type = view.getUint32(at, this.littleEndian);
      if (type === SECTION_HEADER) {
        // The batch has one byte order, that of the section which ends here.
        if (batch.count > 0) return "batch";
        if (end - at < SECTION_PROBE) return SECTION_PROBE;
        const littleEndian = view.getUint32(at + BLOCK_HEADER, true) === BYTE_ORDER_MAGIC;
        if (!littleEndian && view.getUint32(at + BLOCK_HEADER, false) !== BYTE_ORDER_MAGIC) {
          return { broken: "a section header without the byte-order magic" };
        }
        this.littleEndian = littleEndian;
        batch.reset(window.bytes, littleEndian);
      }
      const length = view.getUint32(at + 4, this.littleEndian);
      const least = BLOCK_MIN.get(type) ?? BLOCK_OVERHEAD;
      if (length < least) return { broken: `block length ${length} is under ${least}` };
      if (length > BLOCK_MAX) return { broken: `block length ${length} is over ${BLOCK_MAX}` };
      if ((length & 3) !== 0) return { broken: `block length ${length} is not a multiple of 4` };
      if (end - at < length) return length;
      const repeated = view.getUint32(at + length - TRAILER, this.littleEndian);
      if (repeated !== length) {
        return { broken: `block length ${length} in front, but ${repeated} behind` };
      }
      const broken = this.#block(type, window, length, batch);
      if (broken !== undefined) return { broken };
      window.at = at + length;
      this.units++;
    }
    return "batch";
  }

  /**
   * Reads the block at `window.at`, whose lengths have been checked. Returns what is wrong with its inside.
   */
  #block(type: number, window: Window, length: number, batch: PacketBatch): string | undefined {
    switch (type) {
      case ENHANCED_PACKET:
        return this.#packet(window, length, batch, window.view.getUint32(window.at + 8, this.littleEndian));
      case PACKET:
        return this.#packet(window, length, batch, window.view.getUint16(window.at + 8, this.littleEndian));
      case SIMPLE_PACKET:
        return this.#simplePacket(window, length, batch);
      case INTERFACE_DESCRIPTION:
        return this.#interface(window, length);
      case SECTION_HEADER:
        return this.#sectionHeader(window, length);
      default:
        return undefined;
    }
  }

  /**
   * The enhanced packet block and the obsolete packet block differ in the width of the interface number only.
   */
  #packet({ view, at }: Window, length: number, batch: PacketBatch, number: number): string | undefined {
    const littleEndian = this.littleEndian;
    const owner = this.#sectionInterfaces[number];
    if (owner === undefined) return `interface ${number} has not been described in this section`;
    const captured = view.getUint32(at + 20, littleEndian);
    if (captured > CAPTURED_MAX) return `captured length ${captured} is over ${CAPTURED_MAX}`;
    const data = at + ENHANCED_PACKET_FIXED;
    const dataEnd = data + padded(captured);
    const blockEnd = at + length - TRAILER;
    if (dataEnd > blockEnd) return `captured length ${captured} runs past the end of its block`;
    if (dataEnd < blockEnd && !walkOptions(view, dataEnd, blockEnd, littleEndian)) return OPTIONS_BROKEN;
    const i = batch.add(data, captured, view.getUint32(at + 24, littleEndian), this.#earlier + number);
    const high = view.getUint32(at + 12, littleEndian);
    const low = view.getUint32(at + 16, littleEndian);
    convertTicks(owner.time, high, low, batch.timeSeconds, batch.timeNanos, i);
    batch.timed[i] = 1;
    if (dataEnd < blockEnd) batch.setOptions(i, dataEnd, blockEnd);
    return undefined;
  }

  /**
   * No interface, no time and no captured length: the first interface, and as much as its snap length lets
   * through.
   */
  #simplePacket({ view, at }: Window, length: number, batch: PacketBatch): string | undefined {
    const owner = this.#sectionInterfaces[0];
    if (owner === undefined) return "a simple packet before the first interface";
    const wireLength = view.getUint32(at + BLOCK_HEADER, this.littleEndian);
    const captured = owner.snapLength === 0 ? wireLength : Math.min(wireLength, owner.snapLength);
    if (captured > CAPTURED_MAX) return `captured length ${captured} is over ${CAPTURED_MAX}`;
    const data = at + SIMPLE_PACKET_FIXED;
    if (data + captured > at + length - TRAILER) {
      return `captured length ${captured} runs past the end of its block`;
    }
    batch.add(data, captured, wireLength, this.#earlier);
    return undefined;
  }

  #sectionHeader({ view, at }: Window, length: number): string | undefined {
    const major = view.getUint16(at + 12, this.littleEndian);
    const minor = view.getUint16(at + 14, this.littleEndian);
    if (major !== PCAPNG_VERSION_MAJOR || !PCAPNG_VERSION_MINORS.includes(minor)) {
      return `pcapng version ${major}.${minor} is not ${PCAPNG_VERSION_MAJOR}.${PCAPNG_VERSION_MINORS[0]}`;
    }
    if (!walkOptions(view, at + SECTION_HEADER_FIXED, at + length - TRAILER, this.littleEndian)) {
      return OPTIONS_BROKEN;
    }
    this.#section++;
    this.#earlier = this.#interfaces.length;
    this.#sectionInterfaces = [];
    return undefined;
  }

  #interface({ bytes, view, at }: Window, length: number): string | undefined {
    if (this.#interfaces.length === INTERFACES_MAX) return `more than ${INTERFACES_MAX} interfaces`;
    const littleEndian = this.littleEndian;
    let name: string | undefined;
    let description: string | undefined;
    let resolution = TIME_RESOLUTION_DEFAULT;
    let offsetSeconds = 0;
    let broken: string | undefined;
    const intact = walkOptions(
      view,
      at + INTERFACE_DESCRIPTION_FIXED,
      at + length - TRAILER,
      littleEndian,
      (code, offset, size) => {
        switch (code) {
          case INTERFACE_NAME:
            name = decodeText(bytes, offset, Math.min(size, TEXT_MAX));
            break;
          case INTERFACE_DESCRIPTION_TEXT:
            description = decodeText(bytes, offset, Math.min(size, TEXT_MAX));
            break;
          case INTERFACE_TIME_RESOLUTION:
            if (size === 1) resolution = bytes[offset]!;
            else broken = `if_tsresol is ${size} bytes long instead of 1`;
            break;
          case INTERFACE_TIME_OFFSET:
            if (size === 8) offsetSeconds = Number(view.getBigInt64(offset, littleEndian));
            else broken = `if_tsoffset is ${size} bytes long instead of 8`;
            break;
        }
      },
    );
    if (!intact) return OPTIONS_BROKEN;
    if (broken !== undefined) return broken;
    const number = view.getUint16(at + 8, littleEndian);
    const snapLength = view.getUint32(at + 12, littleEndian);
    this.#interfaces.push({
      index: this.#interfaces.length,
      section: this.#section,
      number: this.#sectionInterfaces.length,
      name,
      description,
      linkType: number,
      link: linkType(number),
      snapLength,
    });
    this.#sectionInterfaces.push({ snapLength, time: timeScale(resolution, offsetSeconds) });
    return undefined;
  }
}
