/**
 * Timing: Benchmark.js takes the samples, a few at a time, and the contenders take turns, so that what the machine does
 * beside them hits all alike. Reported are medians over all samples, and ratios within a round.
 */
import Benchmark from "benchmark";

/** One way of doing the work of a benchmark. */
export interface Contender {
  readonly name: string;
  /** Takes that many samples: ns an operation. */
  sample(count: number): Promise<number[]>;
}

export interface Figure {
  readonly name: string;
  /** ns an operation: the median and the 99th percentile of all samples. */
  readonly median: number;
  readonly p99: number;
  readonly samples: number;
  /** Medians of the rounds. */
  readonly rounds: readonly number[];
}

export interface RaceOptions {
  readonly rounds: number;
  /** Samples of a contender in a round. */
  readonly samples: number;
}

/** Least and usual number of rounds. */
export const ROUNDS_MIN = 9;

/**
 * Work in this process. `run` does `operations` of it; Benchmark.js calls it twice for a sample, of which it times the
 * second. `before` is called before each sample and not timed.
 */
export function inProcess(name: string, operations: number, run: () => void, before: () => void): Contender {
  return {
    name,
    async sample(count) {
      let taken = 0;
      before();
      const bench = new Benchmark(name, run, {
        // One call is one sample: it is long enough to be timed.
        initCount: 1,
        minTime: 1e-9,
        minSamples: count,
        maxTime: -1,
        onCycle: () => {
          if (++taken < count) before();
        },
      });
      bench.run();
      if (bench.error) throw bench.error;
      return bench.stats.sample.slice(0, count).map((seconds) => (seconds * 1e9) / operations);
    },
  };
}

/** Lets the contenders take turns; every round begins with another one. */
export async function race(
  contenders: readonly Contender[],
  options: RaceOptions,
): Promise<Map<string, Figure>> {
  const samples = contenders.map((): number[] => []);
  const rounds = contenders.map((): number[] => []);
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (round + turn) % contenders.length;
      const taken = await contenders[index]!.sample(options.samples);
      samples[index]!.push(...taken);
      rounds[index]!.push(median(taken));
    }
  }
  return new Map(
    contenders.map(({ name }, i) => [
      name,
      {
        name,
        median: median(samples[i]!),
        p99: quantile(samples[i]!, 0.99),
        samples: samples[i]!.length,
        rounds: rounds[i]!,
      },
    ]),
  );
}

/** How many times the time of `baseline` it takes: the median over the rounds. */
export function ratio(figure: Figure, baseline: Figure): number {
  return median(figure.rounds.map((value, round) => value / baseline.rounds[round]!));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that is not below the share `q` of all values, halfway between two for an even median. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}
