/** A failure before each packet in turn, tried on copies of the pair: the copies do what the pair itself would do. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Dataplane } from "../../src/dataplane.js";
import { Node } from "../../src/node.js";
import { FailEverywhere } from "../../src/pair/fail-everywhere.js";
import type { Failure } from "../../src/pair/plan.js";
import {
  type FailEverywhereReport,
  failEverywhereObject,
  failEverywhereText,
  losesEstablished,
  rangesText,
} from "../../src/report/fail-everywhere.js";
import { type BoxesOptions, boxesOf, officeCapture, replayOffice } from "./setups.js";

const PACKETS = 160;

function tryAll(what: Failure, options: BoxesOptions = {}, packets = PACKETS): FailEverywhereReport {
  const everywhere = new FailEverywhere({
    boxes: () => boxesOf(options),
    capture: officeCapture(packets),
    what,
  });
  let tried = 0;
  const run = everywhere.run();
  let step = run.next();
  for (; !step.done; step = run.next()) tried = step.value;
  expect(step.value).toBeUndefined();
  expect(tried).toBe(packets);
  return everywhere.report();
}

const shutDown = (text: string): string => text.replaceAll(/description (in|out)side/g, "shutdown");
const withoutDefer = (text: string): string => text.replace("ip inspect redundancy defer\n", "");

describe.each(["active", "hang", "inside", "outside"] as const)("%s", (what) => {
  let report: FailEverywhereReport;
  beforeAll(() => {
    report = tryAll(what);
  });

  test("no session is lost at any packet, with `defer` the half-open ones included", () => {
    expect(report.failures).toBe(PACKETS);
    expect(report.takeoversMs).toHaveLength(PACKETS);
    expect(report.withoutTakeover).toBe(0);
    expect(report.sessionsAtStake).toBeGreaterThan(PACKETS);
    expect(report.sessionsSurvived).toBe(report.sessionsAtStake);
    expect(report.losses).toEqual([]);
    expect(losesEstablished(report)).toBe(false);
  });

  test("a copy does to the microsecond what a replay with that failure does", () => {
    const takeovers = new Set(report.takeoversMs);
    for (const packet of [1, 57, PACKETS]) {
      const replay = replayOffice({ fail: [`${what}@#${packet}`], packetsMax: PACKETS, isSingly: true });
      const [failure] = replay.failover().failures;
      expect(failure!.sessionsLost).toEqual([]);
      expect(takeovers).toContain(failure!.takeoverMilliseconds);
    }
  });
});

describe("what is lost", () => {
  test("without `defer`: the half-open sessions, at the packets at which a replay loses them", () => {
    const report = tryAll("active", { edit: withoutDefer });
    expect(report.losses.length).toBeGreaterThan(20);
    expect(report.losses.every(({ isEstablished }) => !isEstablished)).toBe(true);
    expect(report.sessionsSurvived).toBe(report.sessionsAtStake - report.losses.length);
    expect(losesEstablished(report)).toBe(false);
    for (const packet of [2, 3, 12, 14, 120]) {
      const replay = replayOffice({
        fail: [`active@#${packet}`],
        packetsMax: PACKETS,
        edit: withoutDefer,
      });
      const expected = replay.failover().failures[0]!.sessionsLost.map(({ session }) => session);
      const found = report.losses.filter((loss) => loss.packet === packet);
      expect(found.map(({ session }) => session)).toEqual(expected);
    }
  });

  test("where the standby is told of nothing: every session", () => {
    const report = tryAll("active", { edit: (text) => text.replaceAll(/ redundancy stateful \S+/g, "") }, 40);
    expect(report.sessionsAtStake).toBeGreaterThan(40);
    expect(report.losses).toHaveLength(report.sessionsAtStake);
    expect(report.sessionsSurvived).toBe(0);
    expect(losesEstablished(report)).toBe(true);
  });

  test("a session that the standby has, but whose packets it then drops", () => {
    /** In its copies both interfaces are shut down. */
    class Misled extends Node {
      override clone(dataplane: Dataplane): Node {
        const copy = super.clone(dataplane);
        dataplane.replacePolicy(boxesOf({ edit: shutDown }).setups.A.config);
        return copy;
      }
    }
    const report = tryAll("outside", { Box: Misled }, 120);
    const dropped = report.losses.filter(({ reason }) =>
      reason.endsWith("dropped every packet of it: interface_down"),
    );
    expect(dropped.length).toBeGreaterThan(0);
    expect(dropped.some(({ isEstablished }) => isEstablished)).toBe(true);
    expect(report.sessionsSurvived).toBe(report.sessionsAtStake - report.losses.length);
    expect(losesEstablished(report)).toBe(true);
  });

  test("a pair that does not come up says why", () => {
    let made = 0;
    const everywhere = new FailEverywhere({
      // Every other configuration has no route.
      boxes: () =>
        boxesOf({ edit: (text) => (made++ % 2 === 0 ? text : text.replace(/^ip route .*$/m, "")) }),
      capture: officeCapture(10),
      what: "active",
    });
    expect(everywhere.run().next()).toEqual({
      done: true,
      value: expect.stringContaining("the pair does not come up"),
    });
  });
});

describe("the report", () => {
  const report: FailEverywhereReport = {
    what: "active",
    failures: 9,
    takeoversMs: [1, 2, 30],
    withoutTakeover: 0,
    sessionsAtStake: 40,
    sessionsSurvived: 36,
    losses: [
      { packet: 3, session: "tcp a => b", isEstablished: true, reason: "why" },
      { packet: 4, session: "tcp a => b", isEstablished: true, reason: "why" },
      { packet: 4, session: "udp c => d", isEstablished: false, reason: "because" },
      { packet: 7, session: "tcp a => b", isEstablished: true, reason: "why" },
    ],
    lossesUntold: 0,
  };

  test("names the packets, as text and as an object", () => {
    const text = failEverywhereText(report);
    expect(text).toContain("established sessions: lost at 3 packets");
    expect(text).toMatch(/tcp a => b +#3-4 #7/);
    expect(text).toContain("half-open sessions: lost at 1 packet");
    expect(failEverywhereObject(report)).toMatchObject({
      takeoverMilliseconds: { min: 1, median: 2, max: 30 },
      packetsLosingEstablished: [3, 4, 7],
      packetsLosingHalfOpen: [4],
    });
  });

  test.each([
    [[], ""],
    [[5], "#5"],
    [[1, 2, 3], "#1-3"],
    [[1, 3, 5, 7], "#1 #3 #5 ..."],
  ])("%j as ranges", (packets, text) => {
    expect(rangesText(packets)).toBe(text);
  });
});
