/**
 * One clock for all threads: the machine's monotonic clock, which may be made to run faster than it does. Its state lies
 * in shared memory; the host sets it, and everybody reads it.
 *
 *   version i32, odd while the rest is written | - | real time f64 | time of the clock then f64 | rate f64
 */

const VERSION = 0;
const REAL = 1;
const BASE = 2;
const RATE = 3;
const BYTES = 4 * Float64Array.BYTES_PER_ELEMENT;

const ORIGIN_TRIES = 32;
const ORIGIN_MS = originMs();

/**
 * `performance.now` counts from the start of its thread, the other clock from one moment for all. A thread that loses
 * the processor between the two looks comes to less; the most of several tries is right.
 */
function originMs(): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ORIGIN_TRIES; i++)
    most = Math.max(most, Number(process.hrtime.bigint()) / 1e6 - performance.now());
  return most;
}

/** Milliseconds of a clock that never falls and is the same in all threads. */
export function monotonicMs(): number {
  return ORIGIN_MS + performance.now();
}

/** The memory of a clock that stands at 0 and goes at the given rate. */
export function newClock(rate = 1): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(BYTES);
  new Float64Array(buffer).set([monotonicMs(), 0, rate], REAL);
  return buffer;
}

export class SharedClock {
  readonly #version: Int32Array;
  readonly #values: Float64Array;
  #seen = -1;
  #realMs = 0;
  #baseMs = 0;
  #rate = 1;
  #lastMs = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#version = new Int32Array(buffer, 0, 1);
    this.#values = new Float64Array(buffer);
  }

  /** Milliseconds; for one thread they never fall. */
  nowMs(): number {
    while (Atomics.load(this.#version, VERSION) !== this.#seen) this.#read();
    this.#lastMs = Math.max(this.#lastMs, this.#baseMs + (monotonicMs() - this.#realMs) * this.#rate);
    return this.#lastMs;
  }

  /** How long `ms` of this clock take in the world. */
  realMs(ms: number): number {
    return ms / this.#rate;
  }

  /** Of the host: from now on the clock goes so many times as fast as the world's. */
  setRate(rate: number): void {
    const nowMs = this.nowMs();
    const version = this.#seen;
    Atomics.store(this.#version, VERSION, version + 1);
    this.#values.set([monotonicMs(), nowMs, rate], REAL);
    Atomics.store(this.#version, VERSION, version + 2);
  }

  #read(): void {
    const version = Atomics.load(this.#version, VERSION);
    if (version % 2 !== 0) return;
    this.#realMs = this.#values[REAL]!;
    this.#baseMs = this.#values[BASE]!;
    this.#rate = this.#values[RATE]!;
    if (Atomics.load(this.#version, VERSION) === version) this.#seen = version;
  }
}
