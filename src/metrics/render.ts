/**
 * Prometheus' text format, version 0.0.4, out of a table: a row is a metric, and tells what its samples are. Pure; the
 * server is in src/io/metrics/.
 */

/** `Content-Type` of what is rendered. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number | bigint;
}

export interface Metric<S> {
  /** With its unit last; of a counter with `_total` behind it. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** None: the metric has nothing to say now. */
  readonly samples: (snapshot: S) => Iterable<Sample>;
}

/** Samples of a metric at most; names that come from a configuration or from peers are bounded so. */
export const SAMPLES_MAX = 1024;
/** Characters of a label's value at most. */
const LABEL_MAX = 128;

const LABEL_ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };

/** The whole answer to a scrape. */
export function renderMetrics<S>(table: readonly Metric<S>[], snapshot: S): string {
  let text = "";
  for (const metric of table) {
    const lines = samplesOf(metric, snapshot);
    if (lines === "") continue;
    const help = metric.help.replace(/[\\\n]/g, (character) => LABEL_ESCAPES[character]!);
    text += `# HELP ${metric.name} ${help}\n# TYPE ${metric.name} ${metric.type}\n${lines}`;
  }
  return text;
}

function samplesOf<S>({ name, samples }: Metric<S>, snapshot: S): string {
  let lines = "";
  let count = 0;
  for (const { labels, value } of samples(snapshot)) {
    if (count++ === SAMPLES_MAX) break;
    lines += `${name}${labelText(labels ?? {})} ${valueText(value)}\n`;
  }
  return lines;
}

function labelText(labels: Labels): string {
  const texts = Object.entries(labels).map(([name, value]) => {
    const cut = value.slice(0, LABEL_MAX).replace(LONE_SURROGATE, "\ufffd");
    return `${name}="${cut.replace(/[\\"\n]/g, (character) => LABEL_ESCAPES[character]!)}"`;
  });
  return texts.length === 0 ? "" : `{${texts.join(",")}}`;
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

function valueText(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
