/** Rows of samples that were taken by hand: what runs in other threads, or only once. */
import { type Figure, median, quantile } from "./measure.js";
import { PRODUCT, type Row, rowOf } from "./report.js";

/** ns an operation, one each. */
export function figureOf(name: string, samples: readonly number[]): Figure {
  return {
    name,
    median: median(samples),
    p99: quantile(samples, 0.99),
    samples: samples.length,
    rounds: samples,
  };
}

export function rowOfSamples(name: string, samples: readonly number[]): Row {
  return rowOf(name, new Map([[PRODUCT, figureOf(PRODUCT, samples)]]));
}

/** ns a record. */
export function bulkRow(name: string, samples: readonly number[], how: string): Row {
  const row = rowOfSamples(name, samples);
  return { ...row, note: `${(1000 / row.nsPerOperation).toFixed(2)} million records/s, ${how}` };
}
