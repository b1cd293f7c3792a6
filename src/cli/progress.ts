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

  /** The bytes of the source, counted as they are taken. */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of this.#source.chunks) {
      this.#read += chunk.length;
      yield chunk;
    }
  }

  /** Draws the line when it is time to. `packets`: replayed so far. */
  update(packets: number): void {
    if (!this.#shown || this.#io.monotonicMs() - this.#drawnMs < INTERVAL_MS) return;
    this.#drawnMs = this.#io.monotonicMs();
    this.#isDrawn = true;
    const line = [
      ...this.#bar(),
      counted(packets, "packet"),
      `${counted(Math.round(packets / this.seconds), "packet")}/s`,
    ];
    this.#io.stderr.write(ERASE + line.join("  ").slice(0, this.#io.stderr.columns - 1));
  }

  /** Removes the line. */
  end(): void {
    if (this.#isDrawn) this.#io.stderr.write(ERASE);
  }

  #bar(): string[] {
    const { size } = this.#source;
    if (size === undefined) return [bytesText(this.#read)];
    const done = Math.round((BAR_WIDTH * Math.min(this.#read, size)) / size);
    return [`${"█".repeat(done)}${"░".repeat(BAR_WIDTH - done)}`, shareText(this.#read, size).padStart(7)];
  }
}
