/** How far a replay has come: one line at the bottom of a terminal, drawn anew a few times a second. */
import type { Io, Source } from "../io/io.js";
import { bytesText, counted, shareText } from "../report/text.js";

/** Time between two drawings. */
const INTERVAL_MS = 100;
const BAR_WIDTH = 30;
/** Carriage return, and the rest of the line erased. */
const ERASE = "\r\u001b[K";

export class Progress {
  readonly #io: Io;
  readonly #source: Source;
  readonly #shown: boolean;
  #read = 0;
  #startMs: number;
  #drawnMs: number;
  #isDrawn = false;

  /** `shown`: false draws nothing, as on anything but a terminal. */
  constructor(io: Io, source: Source, shown: boolean) {
    this.#io = io;
    this.#source = source;
    this.#shown = shown && io.stderr.isTerminal;
    this.#startMs = io.monotonicMs();
    this.#drawnMs = this.#startMs;
  }

  /** The replay begins now: reading the first bytes and making the firewall do not count. */
  begin(): void {
    this.#startMs = this.#io.monotonicMs();
    this.#drawnMs = this.#startMs;
  }

  /** Seconds since the beginning. */
  get seconds(): number {
    return (this.#io.monotonicMs() - this.#startMs) / 1000;
  }

  /** The bytes of the source, counted as they are taken, in pieces of at most so many. */
  async *chunks(pieceMax = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of this.#source.chunks) {
      for (let at = 0; at < chunk.length; at += pieceMax) {
        const piece = chunk.subarray(at, at + pieceMax);
        this.#read += piece.length;
        yield piece;
      }
    }
  }

  /** Draws the line when it is time to. `packets`: replayed so far; of how many, when that is known. */
  update(packets: number, ofPackets?: number): void {
    if (!this.#shown || this.#io.monotonicMs() - this.#drawnMs < INTERVAL_MS) return;
    this.#drawnMs = this.#io.monotonicMs();
    this.#isDrawn = true;
    const { size } = this.#source;
    const line = [
      ...(ofPackets !== undefined
        ? barOf(packets, ofPackets)
        : size !== undefined
          ? barOf(this.#read, size)
          : [bytesText(this.#read)]),
      counted(packets, "packet"),
      `${counted(Math.round(packets / this.seconds), "packet")}/s`,
    ];
    this.#io.stderr.write(ERASE + line.join("  ").slice(0, this.#io.stderr.columns - 1));
  }

  /** Removes the line. */
  end(): void {
    if (this.#isDrawn) this.#io.stderr.write(ERASE);
  }
}

function barOf(part: number, whole: number): string[] {
  const done = Math.round((BAR_WIDTH * Math.min(part, whole)) / Math.max(whole, 1));
  return [`${"█".repeat(done)}${"░".repeat(BAR_WIDTH - done)}`, shareText(part, whole).padStart(7)];
}
