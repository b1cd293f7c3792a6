/** What is aimed at, beside what was reached in this run. All are relations within a run, but those with a unit. */
import { digits } from "../report.js";
import { Values, type Result } from "./report.js";

interface Target {
  readonly what: string;
  readonly limit: number;
  readonly atLeast?: true;
  readonly unit?: string;
  /** undefined when what it needs was not measured. */
  readonly value: (values: Values) => number | undefined;
}

const US = "twinwall";

/** At least so many times what the other has. */
const faster = (name: string, other: string, limit: number): Target => ({
  what: `${name}: times ${other}`,
  limit,
  atLeast: true,
  value: (values) => values.times(name, US, other),
});

/** Not more than so many times the other's time, or loss. */
const notAbove = (name: string, other: string, limit = 1): Target => ({
  what: `${name}: times ${other}`,
  limit,
  value: (values) => values.times(name, US, other),
});

/** Not more than a figure of its own. */
const below = (name: string, limit: number, unit: string): Target => ({
  what: name,
  limit,
  unit,
  value: (values) => values.of(name, US),
});

const TARGETS: readonly Target[] = [
  faster("pps/1", "nftables", 1),
  faster("pps/1000000", "nftables", 1),
  faster("pps/1", "ovs", 1.5),
  faster("pps/10000", "ovs", 1.5),
  faster("pps/1000000", "ovs", 1.5),
  faster("pps/10000/list-1000", "nftables", 10),
  faster("sessions", "nftables", 1),
  faster("tcp/offloads-off", "ovs", 2),
  faster("tcp/offloads-off", "nftables", 0.6),
  faster("tcp/segments-64k", "nftables", 0.5),
  notAbove("latency/half-load/p50", "ovs"),
  notAbove("gap/hello-10", "keepalived"),
  notAbove("gap/hello-50", "keepalived"),
  notAbove("gap/hello-1000", "keepalived"),
  below("gap/bfd-5", 20, "ms"),
  ...["established-200", "below-10-ms", "below-100-ms", "below-1-s", "older"].map((age) =>
    below(`lost/${age}`, 0, "connections"),
  ),
  notAbove("lag/p50", "keepalived"),
  notAbove("lag/p99", "keepalived"),
  below("sync/bytes-per-new-session", 150, "bytes"),
  below("bulk/100000/bytes-per-session", 64, "bytes"),
  below("bulk/1000000/bytes-per-session", 64, "bytes"),
  {
    what: "bulk/1000000/arrived: share of all",
    limit: 1,
    atLeast: true,
    value: (values) => {
      const arrived = values.of("bulk/1000000/arrived", US);
      return arrived === undefined ? undefined : arrived / 1_000_000;
    },
  },
  notAbove("bulk/1000000/usable", "keepalived", 0.2),
];

/** The targets of which the rows say something, as a table. */
export function targetsOf(rows: readonly Result[]): string {
  const values = new Values(rows);
  const lines = TARGETS.flatMap(({ what, limit, atLeast, unit, value }) => {
    const reached = value(values);
    if (reached === undefined) return [];
    const met = atLeast ? reached >= limit : reached <= limit;
    const suffix = unit === undefined ? "" : ` ${unit}`;
    const bound = `${atLeast ? "at least" : "at most"} ${limit}${suffix}`;
    return [`| ${what} | ${bound} | ${digits(reached)}${suffix} | ${met ? "met" : "**missed**"} |`];
  });
  return ["| | target | reached | |", "|---|---|---|---|", ...lines].join("\n");
}
