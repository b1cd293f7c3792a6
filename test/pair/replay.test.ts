/** A real capture through a pair in virtual time, with every kind of failure in the middle of it. */
import { describe, expect, test } from "vitest";
import { LOSS_REASONS } from "../../src/pair/failover.js";
import { failoverObject, failoverText } from "../../src/report/failover.js";
import { failoverHtml } from "../../src/report/failover-html.js";
import { replayOffice, tables } from "./setups.js";

const PACKETS = 2694;
const HOLD_MS = 5000;
const HELLO_MS = 1000;
const FACTS = {
  capture: "office.pcapng",
  config: "a and b",
  seconds: undefined,
  sessionsMax: 4096,
  error: undefined,
};
const withoutDefer = (text: string): string => text.replace("ip inspect redundancy defer\n", "");

describe("a capture through a pair", () => {
  test("without a failure the standby has every session that the active has", () => {
    const replay = replayOffice({});
    const { A, B } = tables(replay);
    expect(A).toEqual(B);
    expect(replay.history.failures).toEqual([]);
    expect(replay.notSent().packets).toBe(0);
    const total = replay.reasons().reduce((sum, { packets }) => sum + packets, 0);
    expect(total).toBe(PACKETS);
    expect(replay.failover().sync.sessions).toBeGreaterThan(100);
  });

  test.each([
    ["active", "active@20"],
    ["active, before a packet", "active@#1000"],
    ["hang", "hang@20"],
    ["inside", "inside@20"],
    ["outside", "outside@20"],
  ])("%s: the other box takes over within the hold time, and no session is lost", (_, fail) => {
    const replay = replayOffice({ fail: [fail] });
    const [failure] = replay.history.failures;
    expect(failure!.takeoverMilliseconds).toBeGreaterThan(0);
    // A box whose link is down hands over what is left at once, or at the latest when its last hello is too old.
    expect(failure!.takeoverMilliseconds).toBeLessThanOrEqual(HOLD_MS + HELLO_MS);
    expect(failure!.sessionsAtFailure).toBeGreaterThan(0);
    expect(failure!.sessionsLost).toEqual([]);
    expect(failure!.sessionsSurvived).toBe(failure!.sessionsAtFailure);
    const { reasons, packetsLost } = { reasons: replay.reasons(), packetsLost: replay.notSent().packets };
    expect(reasons.reduce((sum, { packets }) => sum + packets, 0) + packetsLost).toBe(PACKETS);
    expect(replay.world.actives()).toHaveLength(1);
  });

  test("the sync link breaks: roles stay, and the sessions follow when it is mended", () => {
    const replay = replayOffice({ fail: ["sync@10"], recover: ["sync@30"] });
    expect(replay.history.failures).toEqual([]);
    expect(replay.notSent().packets).toBe(0);
    const { A, B } = tables(replay);
    expect(A).toEqual(B);
    expect(replay.world.actives()).toHaveLength(1);
  });

  test("the standby dies and returns: no packet is lost, and it has all sessions again", () => {
    const replay = replayOffice({ fail: ["standby@10"], recover: ["standby@25"] });
    expect(replay.notSent().packets).toBe(0);
    const { A, B } = tables(replay);
    expect(A).toEqual(B);
  });

  test("a dead active that returns does not take its role back, and is hot", () => {
    const replay = replayOffice({ fail: ["active@20"], recover: ["active@40"] });
    const [first] = replay.history.failures;
    const [now] = replay.world.actives();
    expect(now).not.toBe(first!.active);
    const lanes = replay.failover().lanes[first!.active]!;
    expect(lanes.at(-1)!.phase).toBe("hot");
    const { A, B } = tables(replay);
    expect(A).toEqual(B);
  });

  test("a better active that returns takes its role back, and no packet is lost by it", () => {
    const edit = (text: string): string =>
      text
        .replaceAll("standby delay reload 120", "standby delay reload 1")
        .replaceAll(/^ standby (\d) preempt$/gm, (line, group) =>
          text.includes("hostname RouterA") ? `${line}\n standby ${group} priority 110` : line,
        );
    const replay = replayOffice({ fail: ["active@10"], recover: ["active@18"], edit });
    const [failure] = replay.history.failures;
    expect(failure!.active).toBe("A");
    expect(failure!.sessionsLost).toEqual([]);
    const roles = replay.history.timeline.filter(({ text }) => text === "is active").map(({ box }) => box);
    expect(roles).toEqual(["A", "B", "A"]);
    expect(replay.world.actives()).toEqual(["A"]);
    const { A, B } = tables(replay);
    expect(A).toEqual(B);
    // All that is lost is lost before B takes over.
    const alone = replayOffice({ fail: ["active@10"], edit });
    const standby = ({ name }: { name: string }): boolean => name === "standby";
    expect(replay.notSent()).toEqual(alone.notSent());
    expect(replay.reasons().find(standby)).toEqual(alone.reasons().find(standby));
  });

  test("a frozen active that wakes up stops before its next packet", () => {
    const replay = replayOffice({ fail: ["hang@20"], recover: ["hang@40"] });
    expect(replay.world.actives()).toHaveLength(1);
    const [first] = replay.history.failures;
    expect(replay.world.actives()[0]).not.toBe(first!.active);
  });

  test("without `defer` half-open sessions are lost, and it says so", () => {
    const replay = replayOffice({ fail: ["active@20"], edit: withoutDefer });
    const [failure] = replay.history.failures;
    expect(failure!.sessionsLost.length).toBeGreaterThan(0);
    for (const { reason } of failure!.sessionsLost) expect(reason).toBe(LOSS_REASONS.half_open);
    expect(failure!.sessionsSurvived + failure!.sessionsLost.length).toBe(failure!.sessionsAtFailure);
  });

  test("both boxes die: nothing passes, every session is lost", () => {
    const replay = replayOffice({ fail: ["standby@19", "active@20"] });
    const [failure] = replay.history.failures;
    expect(failure!.takeoverMilliseconds).toBeUndefined();
    expect(failure!.sessionsSurvived).toBe(0);
    expect(new Set(failure!.sessionsLost.map(({ reason }) => reason))).toEqual(
      new Set([LOSS_REASONS.no_successor]),
    );
  });

  test("the same seed gives the same report, byte for byte; another seed another one", () => {
    const report = (seed: number): string =>
      JSON.stringify(failoverObject(replayOffice({ fail: ["active@20"], seed }).failover()));
    const first = report(7);
    expect(report(7)).toBe(first);
    expect(report(8)).not.toBe(first);
  });
});

describe("the report", () => {
  const replay = replayOffice({ fail: ["active@20"], recover: ["active@40"] });
  const failover = replay.failover();

  test("has the fields of the failure, of the lag and of the cost", () => {
    const object = failoverObject(failover);
    expect(object).toMatchObject({ what: "active", at: 20, sessionsLost: [] });
    for (const field of ["takeoverMilliseconds", "packetsLost", "sessionsAtFailure", "sessionsSurvived"])
      expect(object[field]).toBeTypeOf("number");
    expect(object.lagMilliseconds).toMatchObject({ samples: expect.any(Number), p50: expect.any(Number) });
    expect(object.sync).toMatchObject({
      recordsPerSession: expect.any(Number),
      bytesPerSession: expect.any(Number),
    });
    expect(object.timeline).toHaveLength(failover.timeline.length);
  });

  test("is a picture within 100 columns", () => {
    const lines = failoverText(failover).split("\n");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    const lanes = lines.filter((line) => /^ {2}[AB] /.test(line));
    expect(lanes).toHaveLength(2);
    expect(lanes.join("")).toContain("█");
    expect(lanes.join("")).toContain("▒");
  });

  test("is a page that needs no network, with everything in it escaped", () => {
    const report = replay.report({ ...FACTS, capture: "<script>alert(1)</script>" });
    const html = failoverHtml(report, failover);
    expect(html).not.toContain("<script");
    expect(html).not.toMatch(/\b(src|href)=/);
    expect(html).not.toMatch(/https?:/);
    expect(html).toContain("<svg");
    expect(html.match(/<rect /g)!.length).toBe(
      Object.values(failover.lanes).reduce((sum, lane) => sum + lane.length, 0),
    );
  });
});
