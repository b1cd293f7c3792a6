/** What is aimed at, beside what was reached, as the table of the README. */
import { beyondOf } from "./handoff.js";
import { HOLD_MS } from "./pair.js";
import { digits, type Row } from "./report.js";

/** A target over the rows of a run. */
interface Target {
  readonly what: string;
  /** The bound that the value must keep. */
  readonly limit: number;
  readonly atLeast?: true;
  readonly unit?: string;
  /** The value; undefined when the rows that it needs were not measured. */
  readonly value: (rows: Rows) => number | undefined;
}

class Rows {
  readonly #rows: ReadonlyMap<string, Row>;

  constructor(rows: readonly Row[]) {
    this.#rows = new Map(rows.map((row) => [row.name, row]));
  }

  get(name: string): Row | undefined {
    return this.#rows.get(name);
  }

  ns(name: string): number | undefined {
    return this.get(name)?.nsPerOperation;
  }

  /** Million operations a second. */
  millions(name: string): number | undefined {
    const ns = this.ns(name);
    return ns === undefined ? undefined : 1000 / ns;
  }

  p99Ms(name: string): number | undefined {
    const row = this.get(name);
    return row && row.p99 / 1e6;
  }

  /** How many times as long one row takes as another one. */
  times(name: string, other: string): number | undefined {
    const a = this.ns(name);
    const b = this.ns(other);
    return a === undefined || b === undefined ? undefined : a / b;
  }
}

const SIZES = [
  { sessions: 1024, label: "1 Ki", native: 1.6, javascript: 1.5 },
  { sessions: 65536, label: "64 Ki", native: 1.7, javascript: 4 },
  { sessions: 1048576, label: "1 Mi", native: 1.8, javascript: 5 },
];

const inverse = (value: number | null | undefined): number | undefined =>
  value === null || value === undefined ? undefined : 1 / value;

const TARGETS: readonly Target[] = [
  ...SIZES.map(
    ({ sessions, label, native }): Target => ({
      what: `established TCP, ${label} sessions: times the native reference`,
      limit: native,
      value: (rows) => rows.get(`established/tcp/${sessions}`)?.ratio.native ?? undefined,
    }),
  ),
  ...SIZES.map(
    ({ sessions, label, javascript }): Target => ({
      what: `established TCP, ${label} sessions: times faster than plain JavaScript`,
      limit: javascript,
      atLeast: true,
      value: (rows) => inverse(rows.get(`established/tcp/${sessions}`)?.ratio.javascript),
    }),
  ),
  ...[...SIZES, { sessions: 4194304, label: "4 Mi" }].map(
    ({ sessions, label }): Target => ({
      what: `established UDP, ${label} sessions: times TCP`,
      limit: 1,
      value: (rows) => rows.times(`established/udp/${sessions}`, `established/tcp/${sessions}`),
    }),
  ),
  ...SIZES.slice(1).map(
    ({ sessions, label }): Target => ({
      what: `established TCP over IPv6, ${label} sessions: times IPv4`,
      limit: 1.3,
      value: (rows) => rows.times(`established/tcp6/${sessions}`, `established/tcp/${sessions}`),
    }),
  ),
  {
    what: "new session at 1 Mi, created and its record written: times an established packet",
    limit: 3,
    // What the record adds is known from a race of its own.
    value: (rows) => {
      const created = rows.times("create/tcp/1048576", "established/tcp/1048576");
      const told = rows.get("sync/create/262144")?.beside?.times;
      return created === undefined || told === undefined ? undefined : created * told;
    },
  },
  {
    what: "access list of 10,000 lines: times one of 10",
    limit: 8,
    value: (rows) => rows.times("acl/10000", "acl/10"),
  },
  {
    what: "access list of 1,000 lines: times one of 10",
    limit: 4,
    value: (rows) => rows.times("acl/1000", "acl/10"),
  },
  {
    what: "access list of 10,000 lines: times faster than line by line",
    limit: 20,
    atLeast: true,
    value: (rows) => rows.times("acl-linear/10000", "acl/10000"),
  },
  {
    what: "access list of 10,000 lines: size",
    limit: 1,
    unit: "MiB",
    value: (rows) => {
      const bytes = rows.get("acl/10000")?.compiled?.bytes;
      return bytes === undefined ? undefined : bytes / 2 ** 20;
    },
  },
  {
    what: "access list of 10,000 lines: time to compile",
    limit: 0.5,
    unit: "s",
    value: (rows) => {
      const ms = rows.get("acl/10000")?.compiled?.ms;
      return ms === undefined ? undefined : ms / 1000;
    },
  },
  {
    what: "replay, file to report: times faster than tshark",
    limit: 20,
    atLeast: true,
    value: (rows) => rows.get("replay/1048576")?.tshark,
  },
  {
    what: "replay, file to report: million packets a second",
    limit: 1,
    atLeast: true,
    value: (rows) => rows.millions("replay/1048576"),
  },
  ...["sync/established/65536", "sync/established/1048576", "sync/node/65536"].map(
    (name): Target => ({
      what: `${name}: established packets, times those of a firewall without a standby`,
      limit: 1.05,
      value: (rows) => rows.get(name)?.beside?.times,
    }),
  ),
  {
    what: "new session, created and its record written: times creating it alone",
    limit: 2,
    value: (rows) => rows.get("sync/create/262144")?.beside?.times,
  },
  {
    what: "record of a new session, taken: times creating one",
    limit: 2,
    value: (rows) => rows.get("sync/apply/262144")?.beside?.times,
  },
  {
    what: "bulk sync of 1,000,000 sessions between two threads: million records a second",
    limit: 2,
    atLeast: true,
    value: (rows) => rows.millions("sync/bulk/threads"),
  },
  {
    what: "packets from thread to thread in batches of 32: million a second",
    limit: 5,
    atLeast: true,
    value: (rows) => rows.millions("handoff/32"),
  },
  {
    what: "packets from thread to thread in batches of 32: beyond copying them",
    limit: 4,
    unit: "ns",
    value: (rows) => {
      const row = rows.get("handoff/32");
      return row && beyondOf(row);
    },
  },
  {
    what: "take-over in virtual time, p99: beyond the hold time",
    limit: 1,
    unit: "ms",
    value: (rows) => {
      const ms = rows.p99Ms("takeover/virtual");
      return ms === undefined ? undefined : ms - HOLD_MS;
    },
  },
  {
    what: "take-over in threads, `timers msec 15 msec 50`, p99",
    limit: 60,
    unit: "ms",
    value: (rows) => rows.p99Ms("takeover/threads"),
  },
];

/** The targets of which the rows say something, as a table. */
export function markdownOf(measured: readonly Row[]): string {
  const rows = new Rows(measured);
  const lines = TARGETS.flatMap(({ what, limit, atLeast, unit, value }) => {
    const reached = value(rows);
    if (reached === undefined) return [];
    const met = atLeast ? reached >= limit : reached <= limit;
    const suffix = unit === undefined ? "" : ` ${unit}`;
    const bound = `${atLeast ? "at least" : "at most"} ${limit}${suffix}`;
    return [`| ${what} | ${bound} | ${digits(reached)}${suffix} | ${met ? "met" : "**missed**"} |`];
  });
  return ["| | target | reached | |", "|---|---|---|---|", ...lines].join("\n");
}
