/** Metrics: what the rest of the project uses of this folder. */
export { type Metric, METRICS_CONTENT_TYPE, renderMetrics, type Sample, SAMPLES_MAX } from "./render.js";
export type { MetricsSnapshot, ThreadView } from "./snapshot.js";
export { METRICS } from "./table.js";
