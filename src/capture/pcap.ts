/** pcap: a file header, then records of 16 bytes (24 in the modified format) and a packet each. */
import type { PacketBatch } from "./batch.js";
import type { CaptureInterface, Decoder, Stop, Window } from "./decoder.js";
import {
  CAPTURED_MAX,
  PCAP_KINDS,
  PCAP_LINK_TYPE_MASK,
  PCAP_VERSION_MAJOR,
  PCAP_VERSION_MINOR,
  type PcapKind,
} from "./format.js";
import { linkType } from "./link.js";
import { NANOS_PER_SECOND } from "./time.js";

/** Which kind of pcap the first four bytes announce, and in which byte order. */
export function pcapKind(view: DataView, at: number): { kind: PcapKind; littleEndian: boolean } | undefined {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(at, littleEndian);
    const kind = PCAP_KINDS.find((candidate) => candidate.magic === magic);
    if (kind !== undefined) return { kind, littleEndian };
  }
  return undefined;
}

/**
 * Reads the file header, all of which must be there. Its only interface becomes known through `interfaces`.
 */
export function pcapDecoder(
  view: DataView,
  at: number,
  kind: PcapKind,
  littleEndian: boolean,
  interfaces: CaptureInterface[],
): PcapDecoder | { broken: string } {
  const major = view.getUint16(at + 4, littleEndian);
  const minor = view.getUint16(at + 6, littleEndian);
  if (major !== PCAP_VERSION_MAJOR || minor !== PCAP_VERSION_MINOR) {
    return { broken: `pcap version ${major}.${minor} is not ${PCAP_VERSION_MAJOR}.${PCAP_VERSION_MINOR}` };
  }
  const number = view.getUint32(at + 20, littleEndian) & PCAP_LINK_TYPE_MASK;
  const snapLength = view.getUint32(at + 16, littleEndian);
  interfaces.push({
    index: 0,
    section: 0,
    number: 0,
    linkType: number,
    link: linkType(number),
    snapLength,
  });
  return new PcapDecoder(kind, littleEndian);
}

class PcapDecoder implements Decoder {
  readonly unit = "record";
  units = 0;
  readonly littleEndian: boolean;
  readonly #recordHeader: number;
  readonly #fractionsPerSecond: number;

  constructor(kind: PcapKind, littleEndian: boolean) {
    this.littleEndian = littleEndian;
    this.#recordHeader = kind.recordHeader;
    this.#fractionsPerSecond = 10 ** kind.fractionDigits;
  }

  decode(window: Window, batch: PacketBatch): Stop {
    const { view, end } = window;
    const littleEndian = this.littleEndian;
    const recordHeader = this.#recordHeader;
    const fractionsPerSecond = this.#fractionsPerSecond;
    const nanosPerFraction = NANOS_PER_SECOND / fractionsPerSecond;
    const { timeSeconds, timeNanos, timed, capacity } = batch;
    let at = window.at;
    let stop: Stop = "batch";
    while (batch.count < capacity) {
      if (end - at < recordHeader) {
        stop = recordHeader;
        break;
      }
      const captured = view.getUint32(at + 8, littleEndian);
      if (captured > CAPTURED_MAX) {
        stop = { broken: `captured length ${captured} is over ${CAPTURED_MAX}` };
        break;
      }
      const size = recordHeader + captured;
      if (end - at < size) {
        stop = size;
        break;
      }
      const i = batch.add(at + recordHeader, captured, view.getUint32(at + 12, littleEndian), 0);
      let seconds = view.getUint32(at, littleEndian);
      let fraction = view.getUint32(at + 4, littleEndian);
      // Some writers let the fraction run over; it then counts into the seconds.
      if (fraction >= fractionsPerSecond) {
        seconds += Math.floor(fraction / fractionsPerSecond);
        fraction %= fractionsPerSecond;
      }
      timeSeconds[i] = seconds;
      timeNanos[i] = fraction * nanosPerFraction;
      timed[i] = 1;
      at += size;
      this.units++;
    }
    window.at = at;
    return stop;
  }
}
