/** How far the standby is behind: the time from sending a record to its acknowledgement. */

export interface LagView {
  samples: number;
  /** Milliseconds, over the last SAMPLES_MAX. */
  p50: number;
  p99: number;
  max: number;
}

const SAMPLES_MAX = 4096;

export class Lag {
  readonly #samples: Float64Array;
  #count = 0;

  /** `original`: one of which this is to be a copy. */
  constructor(original?: Lag) {
    this.#samples = original === undefined ? new Float64Array(SAMPLES_MAX) : original.#samples.slice();
    this.#count = original === undefined ? 0 : original.#count;
  }

  add(ms: number): void {
    this.#samples[this.#count++ % SAMPLES_MAX] = ms;
  }

  /** The last SAMPLES_MAX, in ms. */
  samples(): Float64Array {
    return this.#samples.slice(0, Math.min(this.#count, SAMPLES_MAX));
  }

  view(): LagView {
    const kept = this.samples().sort();
    const quantile = (q: number): number =>
      kept.length === 0 ? 0 : kept[Math.min(kept.length - 1, Math.floor(kept.length * q))]!;
    return { samples: this.#count, p50: quantile(0.5), p99: quantile(0.99), max: kept.at(-1) ?? 0 };
  }
}
