/** The packets of one capture: as many as it has room for, and then the first ones, or, circular, the last ones. */
import { PcapngWriter } from "../capture/index.js";
import { type Deque, dequeLength, itemAt, newDeque, pushBack, takeFront } from "../deque.js";
import type { TappedFrame } from "../live/capture-tap.js";
import { type VerdictNames, verdictComment } from "../report/verdict.js";

export interface BufferOptions {
  readonly bufferBytes: number;
  /** Bytes of each packet that are kept. */
  readonly packetBytes: number;
  /** Packets after which it stops. */
  readonly packets?: number;
  readonly isCircular: boolean;
}

/** What a packet costs besides its bytes. */
const PACKET_OVERHEAD_BYTES = 128;
/** Whatever a capture asks for: it is kept in the memory of a firewall. */
export const CAPTURE_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes of the file that are made at a time. */
const PIECE_BYTES = 256 * 1024;

const ETHERNET = 1;
const SECOND_MS = 1000;
const NANOSECONDS = 1_000_000;

export class CaptureBuffer {
  readonly #options: BufferOptions;
  readonly #bytesMax: number;
  #frames: Deque<TappedFrame> = newDeque();
  #bytes = 0;
  #taken = 0;
  #lost = 0;

  constructor(options: BufferOptions) {
    this.#options = options;
    this.#bytesMax = Math.min(options.bufferBytes, CAPTURE_BYTES_MAX);
  }

  get packetsHeld(): number {
    return dequeLength(this.#frames);
  }

  get bytesHeld(): number {
    return this.#bytes;
  }

  /** Packets that were wanted and are not there: there was no room, or they came too fast. */
  get packetsLost(): number {
    return this.#lost;
  }

  /** It has got what it was to get. */
  get isComplete(): boolean {
    return this.#taken === this.#options.packets;
  }

  /** So many that were wanted never came. */
  lose(packets: number): void {
    this.#lost += packets;
  }

  add(frame: TappedFrame): void {
    if (this.isComplete) return;
    const { packetBytes, isCircular } = this.#options;
    const data = frame.data.length > packetBytes ? frame.data.slice(0, packetBytes) : frame.data;
    const size = sizeOf(data);
    const isTooMuch = (): boolean => this.#bytes + size > this.#bytesMax;
    if (isCircular) {
      while (isTooMuch() && this.packetsHeld > 0) {
        this.#bytes -= sizeOf(takeFront(this.#frames)!.data);
        this.#lost++;
      }
    }
    if (isTooMuch()) {
      this.#lost++;
      return;
    }
    pushBack(this.#frames, { ...frame, data });
    this.#bytes += size;
    this.#taken++;
  }

  clear(): void {
    this.#frames = newDeque();
    this.#bytes = 0;
    this.#taken = 0;
    this.#lost = 0;
  }

  /**
   * The packets as a pcapng file, piece by piece; what is added meanwhile is left out. An interface of the file is one of the
   * firewall; a packet that was seen twice, arriving and leaving, is there twice.
   */
  *pcapng(names: VerdictNames): Generator<Uint8Array, void, undefined> {
    const frames = Array.from({ length: this.packetsHeld }, (_, i) => itemAt(this.#frames, i)!);
    const writer = new PcapngWriter("twinwall");
    const indices = new Map<number, number>();
    const used = [...new Set(frames.map(interfaceOf))].sort((a, b) => a - b);
    for (const number of used) {
      const name = names.interfaces[number] || "unknown";
      indices.set(
        number,
        writer.addInterface({ name, linkType: ETHERNET, snapLength: this.#options.packetBytes }),
      );
    }
    let n = 0;
    for (const frame of frames) {
      const seconds = Math.floor(frame.wallMs / SECOND_MS);
      const nanos = Math.floor((frame.wallMs - seconds * SECOND_MS) * NANOSECONDS);
      const row = { ...frame, n: ++n, seconds, nanos };
      writer.write({
        interfaceIndex: indices.get(interfaceOf(frame))!,
        timeSeconds: seconds,
        timeNanos: nanos,
        data: frame.data,
        wireLength: Math.max(frame.wireLength, frame.data.length),
        comments: [
          frame.isOwn
            ? `out: sent by this box; out ${names.interfaces[frame.egress]}`
            : `${frame.direction}: ${verdictComment(row, names)}`,
        ],
      });
      if (writer.pending >= PIECE_BYTES) yield writer.drain();
    }
    yield writer.drain();
  }
}

const sizeOf = (data: Uint8Array): number => data.length + PACKET_OVERHEAD_BYTES;

/** Where the frame was seen. */
const interfaceOf = ({ direction, ingress, egress }: TappedFrame): number =>
  direction === "in" ? ingress : egress;
