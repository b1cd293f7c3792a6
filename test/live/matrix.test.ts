/**
 * What may fail in a pair, one thing at a time, while long-lived connections go through it that verify every byte: none of
 * them is lost, one box is active in the end, and the other is hot again.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fault, FAULT_MS, FAULTS, GAP_MAX_MS, syncOf, untilActive, untilCopied } from "./faults.js";
import { requireLab } from "./lab.js";
import { ECHO_PORT, OUTSIDE, otherSide, Pair, SIDES, SplitBrainWatch } from "./pair.js";
import { sleep } from "./system.js";
import { churn, hold, type HoldSummary, probe, type Traffic } from "./traffic.js";

const isPossible = requireLab("sysctl", "cc");

/** Long-lived connections, the rate at which they speak and at which others come and go. */
const CONNECTIONS = 200;
const MESSAGES_PER_SECOND = 10;
const NEW_PER_SECOND = 50;
const PROBE_US = 5000;
/** TCP tries again after twice the gap at most, on a machine that has other things to do. */
const DRAIN_MS = 15_000;
const ROW_TIMEOUT_MS = 120_000;
/** Into the opening of connections, for faults that hit connections of every age. */
const OPENING_MS = 300;

interface Figures {
  readonly row: string;
  readonly gapMs: number;
  readonly connectionGapMs: number;
  readonly newRefused: number;
  readonly newAnswered: number;
  readonly splitBrainMs: number;
  /** First replies that waited for the standby, at the box that is active in the end. */
  readonly deferred: number;
}

const figures: Figures[] = [];

/** One row: traffic, the fault, its end, and what has become of the traffic. */
async function suffer(pair: Pair, row: Fault, isEveryAge: boolean): Promise<void> {
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
  if (row.winner === "other") await untilActive(pair, otherSide(active));
  else await sleep(FAULT_MS);
  await row.mend?.(pair, active);
  await pair.start();
  const last = await pair.untilWhole();
  const splitBrainMs = await watch.stop();
  const deferred = (await syncOf(pair, last)).counters.deferred;
  held ??= await opening;
  const { summary, connections } = await held.stop();
  const { summary: shorts } = await short.stop();
  const { summary: streamed } = await stream.stop();
  figures.push({
    row: isEveryAge ? `${row.name}, defer` : row.name,
    gapMs: Math.round(streamed.gapMs),
    connectionGapMs: Math.round(Math.max(...connections.map(({ gapMs }) => gapMs))),
    newRefused: shorts.refused + shorts.reset + shorts.timeouts + shorts.failed + shorts.closed,
    newAnswered: shorts.ok,
    splitBrainMs: Math.round(splitBrainMs),
    deferred,
  });
  expect(summary).toMatchObject({ open: CONNECTIONS, stalled: 0, wrong: 0 });
  expect(shorts.wrong).toBe(0);
  expect(shorts.ok).toBeGreaterThan(0);
  expect(streamed.gapMs).toBeLessThan(GAP_MAX_MS);
  if (row.winner === "same") expect(last).toBe(active);
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

  for (const row of FAULTS) test(row.name, () => suffer(pair, row, false), ROW_TIMEOUT_MS);

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
const EVERY_AGE = FAULTS.filter(({ winner }) => winner === "other");

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
