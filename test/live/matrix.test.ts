/**
 * What may fail in a pair, one thing at a time, while long-lived connections go through it that verify every byte: none of
 * them is lost, one box is active in the end, and the other is hot again.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireLab } from "./lab.js";
import { ECHO_PORT, OUTSIDE, otherSide, Pair, SIDES, type Side, SplitBrainWatch } from "./pair.js";
import { sleep, until } from "./system.js";
import { churn, hold, type HoldSummary, probe, type Traffic } from "./traffic.js";

const isPossible = requireLab("sysctl", "cc");

/** Long-lived connections, the rate at which they speak and at which others come and go. */
const CONNECTIONS = 200;
const MESSAGES_PER_SECOND = 10;
const NEW_PER_SECOND = 50;
const PROBE_US = 5000;
/** TCP tries again after twice the gap at most, on a machine that has other things to do. */
const DRAIN_MS = 15_000;
/** Far above what the timers allow (hold time 1 s): for a machine that is busy. */
const GAP_MAX_MS = 8000;
const ROW_TIMEOUT_MS = 120_000;
/** How long a fault lasts that nobody takes over from, and how long two boxes stay separated or one hangs. */
const FAULT_MS = 2500;
/** Into the opening of connections, for faults that hit connections of every age. */
const OPENING_MS = 300;

interface Row {
  readonly name: string;
  /** Brings the fault about; the pair is whole. */
  readonly fail: (pair: Pair, active: Side) => void | Promise<void>;
  /** Takes it back; programs that ended are started anew after it. */
  readonly mend?: (pair: Pair, active: Side) => void | Promise<void>;
  /** Who is to be active in the end; undefined: either. */
  readonly then: "same" | "other" | "either";
}

const standbyOf = (pair: Pair, active: Side) => pair.firewall(otherSide(active));

const ROWS: readonly Row[] = [
  { name: "kill -9 of the active", fail: (pair, active) => pair.firewall(active).kill(), then: "other" },
  {
    name: "the inside link of the active",
    fail: (pair, active) => pair.lab.link(active, "eth0").cut("lan"),
    mend: (pair, active) => pair.lab.link(active, "eth0").mend(),
    then: "other",
  },
  {
    name: "the outside link of the active",
    fail: (pair, active) => pair.lab.link(active, "eth1").cut("lan"),
    mend: (pair, active) => pair.lab.link(active, "eth1").mend(),
    then: "other",
  },
  {
    name: "the power of the active",
    fail: (pair, active) => pair.lab.powerOff(active),
    mend: (pair, active) => pair.lab.powerOn(active),
    then: "other",
  },
  {
    name: "a hang of the active",
    fail: (pair, active) => pair.firewall(active).program.signal("SIGSTOP"),
    mend: (pair, active) => pair.firewall(active).program.signal("SIGCONT"),
    then: "other",
  },
  {
    name: "the sync link",
    fail: (pair, active) => pair.lab.link(active, "eth2").cut("lan"),
    mend: (pair, active) => pair.lab.link(active, "eth2").mend(),
    then: "same",
  },
  { name: "kill -9 of the standby", fail: (pair, active) => standbyOf(pair, active).kill(), then: "same" },
  {
    name: "failback: the killed box returns, and the other is killed",
    fail: async (pair, active) => {
      await pair.firewall(active).kill();
      await untilActive(pair, otherSide(active));
      await pair.start();
      await pair.firewall(otherSide(active)).kill();
      await untilActive(pair, active);
    },
    then: "same",
  },
  {
    name: "both restarted, one after the other",
    fail: async (pair, active) => {
      await standbyOf(pair, active).stop();
      await pair.start();
      await pair.firewall(active).stop();
    },
    then: "other",
  },
  {
    name: "a partition between the boxes",
    fail: (pair) => pair.lab.separate("a", "b"),
    mend: (pair) => pair.lab.join(),
    then: "either",
  },
  {
    name: "the standby is cut off from everything",
    fail: (pair, active) => {
      for (const link of pair.lab.links(otherSide(active))) link.cut("silent");
    },
    mend: (pair, active) => {
      for (const link of pair.lab.links(otherSide(active))) link.mend();
    },
    then: "either",
  },
];

async function untilActive(pair: Pair, side: Side): Promise<void> {
  await until(
    `${side} is active`,
    async () => (await pair.redundancy(side)).role === "active" && (await isForwarding(pair, side)),
    GAP_MAX_MS,
  ).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${await pair.describe()}`);
  });
}

async function isForwarding(pair: Pair, side: Side): Promise<boolean> {
  return (await pair.standby(side)).every(({ stateText }) => stateText === "Active");
}

/** What `show ip inspect ha statistics` gives, as far as it is looked at here. */
interface SyncFigures {
  readonly view: {
    readonly queued: number;
    readonly unacknowledgedBytes: number;
  };
  readonly counters: { readonly deferred: number };
}

const syncOf = (pair: Pair, side: Side) =>
  pair.firewall(side).show<SyncFigures>("show ip inspect ha statistics");

/** The standby has acknowledged all that the active knows. */
async function untilCopied(pair: Pair, active: Side): Promise<void> {
  await until("the standby knows all connections", async () => {
    const { view } = await syncOf(pair, active);
    return view.queued === 0 && view.unacknowledgedBytes === 0;
  });
}

interface Figures {
  readonly row: string;
  readonly gapMs: number;
  readonly connectionGapMs: number;
  readonly newRefused: number;
  readonly newAnswered: number;
  readonly splitBrainMs: number;
}

const figures: Figures[] = [];

/** One row: traffic, the fault, its end, and what has become of the traffic. */
async function suffer(pair: Pair, row: Row, isEveryAge: boolean): Promise<void> {
  const active = await pair.untilWhole();
  const options = { count: CONNECTIONS, "open-rate": 500, rate: MESSAGES_PER_SECOND, "drain-ms": DRAIN_MS };
  const stream = await probe(pair.inside, OUTSIDE.host, ECHO_PORT, { "interval-us": PROBE_US });
  const opening = hold(pair.inside, OUTSIDE.host, ECHO_PORT, options);
  let held: Traffic<HoldSummary> | undefined;
  if (isEveryAge) await sleep(OPENING_MS);
  else {
    held = await opening;
    await untilCopied(pair, active);
  }
  const short = await churn(pair.inside, OUTSIDE.host, ECHO_PORT, { rate: NEW_PER_SECOND });
  const watch = new SplitBrainWatch(pair);
  await row.fail(pair, active);
  if (row.then === "other") await untilActive(pair, otherSide(active));
  else await sleep(FAULT_MS);
  await row.mend?.(pair, active);
  await pair.start();
  const last = await pair.untilWhole();
  const splitBrainMs = await watch.stop();
  held ??= await opening;
  const { summary, connections } = await held.stop();
  const { summary: shorts } = await short.stop();
  const { summary: stream_ } = await stream.stop();
  figures.push({
    row: isEveryAge ? `${row.name}, defer` : row.name,
    gapMs: Math.round(stream_.gapMs),
    connectionGapMs: Math.round(Math.max(...connections.map(({ gapMs }) => gapMs))),
    newRefused: shorts.refused + shorts.reset + shorts.timeouts + shorts.failed + shorts.closed,
    newAnswered: shorts.ok,
    splitBrainMs: Math.round(splitBrainMs),
  });
  expect(summary).toMatchObject({ open: CONNECTIONS, stalled: 0, wrong: 0 });
  expect(shorts.wrong).toBe(0);
  expect(shorts.ok).toBeGreaterThan(0);
  expect(stream_.gapMs).toBeLessThan(GAP_MAX_MS);
  if (row.then !== "either") expect(last).toBe(row.then === "same" ? active : otherSide(active));
}

let pair: Pair;

describe.skipIf(!isPossible).sequential("what may fail in a pair", () => {
  beforeAll(async () => {
    pair = await Pair.build();
  });
  afterAll(() => {
    pair?.close();
    console.table(figures.splice(0));
  });

  for (const row of ROWS) test(row.name, () => suffer(pair, row, false), ROW_TIMEOUT_MS);

  test("a planned switchover loses no packet", { timeout: ROW_TIMEOUT_MS }, async () => {
    const active = await pair.untilWhole();
    const held = await hold(pair.inside, OUTSIDE.host, ECHO_PORT, {
      count: CONNECTIONS,
      "open-rate": 500,
      rate: MESSAGES_PER_SECOND,
      "drain-ms": DRAIN_MS,
    });
    const stream = await probe(pair.inside, OUTSIDE.host, ECHO_PORT, { "interval-us": PROBE_US });
    await untilCopied(pair, active);
    const said = await pair.firewall(active).type("redundancy force-switchover");
    await untilActive(pair, otherSide(active));
    expect(await pair.untilWhole(), said).toBe(otherSide(active));
    const { summary: streamed } = await stream.stop();
    expect(streamed).toMatchObject({ lost: 0, duplicates: 0 });
    expect(streamed.sent).toBeGreaterThan(0);
    expect((await held.stop()).summary).toMatchObject({ open: CONNECTIONS, stalled: 0, wrong: 0 });
  });

  test("both restarted at once: the pair comes up again and lets nothing in", {
    timeout: ROW_TIMEOUT_MS,
  }, async () => {
    await Promise.all(SIDES.map((side) => pair.firewall(side).kill()));
    await pair.start();
    const short = await churn(pair.inside, OUTSIDE.host, ECHO_PORT, { rate: NEW_PER_SECOND, seconds: 1 });
    expect((await short.finished(DRAIN_MS)).summary).toMatchObject({ refused: 0, reset: 0, wrong: 0 });
  });
});

/** Faults of the active that hit connections while they are opened. */
const EVERY_AGE = ROWS.filter(({ then }) => then === "other").filter(({ name }) => !/restarted/.test(name));

describe.skipIf(!isPossible).sequential("with defer, connections of every age survive", () => {
  beforeAll(async () => {
    pair = await Pair.build({ defer: true });
  });
  afterAll(() => {
    pair?.close();
    console.table(figures.splice(0));
  });

  for (const row of EVERY_AGE) test(row.name, () => suffer(pair, row, true), ROW_TIMEOUT_MS);
});
