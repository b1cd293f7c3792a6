/** What the thread of a box does in its turns, in one thread and virtual time. */
import { DEFER_MAX_MS } from "../../src/node/defer.js";
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { formatSessionId } from "../../src/session-view.js";
import { INSIDE, LINK, OUTSIDE } from "./configs.js";
import { Lab } from "./lab.js";
import { OPENING, trafficOf } from "./traffic.js";

const flows = (count: number): number[] => Array.from({ length: count }, (_, flow) => flow);

/** Opens so many sessions through a box. */
function open(lab: Lab, count: number): void {
  for (const step of OPENING) {
    const decided = lab.send(
      lab.active,
      flows(count).map((flow) => trafficOf(flow, step)),
    );
    expect(decided.filter(({ hasPassed }) => hasPassed)).toHaveLength(count);
  }
}

describe("a pair behind its rings", () => {
  test("comes up, with the box of the higher priority active, which the networks know", () => {
    const lab = new Lab();
    lab.settle();
    expect([lab.active, lab.standby]).toEqual(["A", "B"]);
    const { control } = lab;
    expect([INSIDE, OUTSIDE, LINK].map((name) => control.owner(control.numberOf(name)))).toEqual([
      "A",
      "A",
      undefined,
    ]);
    expect(lab.boxes.A.reports[0]).toEqual({ kind: "ready" });
    const roles = lab.boxes.A.reports.filter(
      (report) => report.kind === "action" && report.action.kind === "role",
    );
    expect(roles).toMatchObject([{ action: { role: "active" }, sessions: [] }]);
  });

  test("answers every frame of a batch, in its order, with what its owner put beside it", () => {
    const lab = new Lab();
    lab.settle();
    const decided = lab.send("A", [trafficOf(7, "syn"), trafficOf(3, "synAck"), trafficOf(5, "syn")]);
    expect(decided.map(({ cookie }) => cookie)).toEqual([7, 3, 5]);
    expect(decided.map(({ hasPassed }) => hasPassed)).toEqual([true, false, true]);
    expect(decided[0]!.session).not.toBe(0n);
  });

  test("a standby forwards nothing", () => {
    const lab = new Lab();
    lab.settle();
    expect(lab.send("B", [trafficOf(1, "syn")])).toMatchObject([{ hasPassed: false, reason: L.R_STANDBY }]);
  });

  test("the sessions live on when the active box is gone", () => {
    const lab = new Lab();
    lab.settle();
    open(lab, 10);
    const before = lab.sessions("A");
    lab.runFor(5);
    const goneMs = lab.nowMs;
    const helloMs = lab.control.lastHelloMs("A", lab.nowMs);
    expect(goneMs - helloMs).toBeLessThanOrEqual(15);
    lab.kill("A");
    lab.runFor(60);
    expect(lab.active).toBe("B");
    expect(lab.sessions("B")).toEqual(before);
    const replies = lab.send(
      "B",
      flows(10).map((flow) => trafficOf(flow, "reply")),
    );
    expect(replies.every(({ hasPassed }) => hasPassed)).toBe(true);
    expect(replies.map(({ session }) => formatSessionId(session)).sort()).toEqual(before);
    const [taken] = lab.boxes.B.reports.filter(
      (report) =>
        report.kind === "action" && report.action.kind === "role" && report.action.role === "active",
    );
    const { sessions } = taken as unknown as { sessions: { id: string }[] };
    expect(sessions.map(({ id }) => id).sort()).toEqual(before);
  });

  test("a box that boots again reads nothing that was meant for its earlier life", () => {
    const lab = new Lab();
    lab.settle();
    lab.kill("A");
    expect(lab.offer("A", [trafficOf(1, "syn")])).toBe(true);
    lab.runFor(200);
    lab.boot("A");
    for (let i = 0; i < 200 && !lab.isSettled; i++) lab.runFor(10);
    expect([lab.active, lab.isSettled]).toEqual(["B", true]);
    expect(lab.decided("A")).toEqual([]);
    expect(lab.boxes.A.batches.waiting).toBe(0);
  });
});

describe("full rings", () => {
  test("a box that hangs lets its ring run full, which is counted, and decides what waited when it wakes", () => {
    const lab = new Lab({ slots: 4 });
    lab.settle();
    lab.control.setFrozen("A", true);
    const taken = flows(6).map((flow) => lab.offer("A", [trafficOf(flow, "syn")]));
    lab.runFor(5);
    expect(taken).toEqual([true, true, true, true, false, false]);
    expect(lab.boxes.A.batches.refused).toBe(2);
    expect(lab.decided("A")).toEqual([]);
    lab.control.setFrozen("A", false);
    lab.runFor(0);
    expect(lab.decided("A").map(({ cookie, hasPassed }) => [cookie, hasPassed])).toEqual(
      flows(4).map((flow) => [flow, true]),
    );
  });

  test("while the host does not read verdicts, the batches wait and the box goes on otherwise", () => {
    const lab = new Lab({ slots: 2 });
    lab.settle();
    const offer = (flow: number): boolean => {
      const isTaken = lab.offer("A", [trafficOf(flow, "syn")]);
      lab.runFor(1);
      return isTaken;
    };
    expect(flows(5).map(offer)).toEqual([true, true, true, true, false]);
    expect(lab.boxes.A.box!.hasWork()).toBe(false);
    expect(lab.sessions("A")).toHaveLength(2);
    lab.runFor(200);
    expect(lab.active).toBe("A");
    expect(lab.decided("A").map(({ cookie }) => cookie)).toEqual([0, 1]);
    expect(lab.boxes.A.box!.hasWork()).toBe(true);
    lab.runFor(0);
    expect(lab.decided("A").map(({ cookie }) => cookie)).toEqual([2, 3]);
  });

  test("datagrams that find no room are lost and counted", () => {
    const lab = new Lab({ datagrams: 8 });
    lab.settle();
    lab.control.setFrozen("B", true);
    lab.runFor(1000);
    expect(lab.boxes.A.node!.dataplane.sync.role).toBe("active");
    lab.control.setFrozen("B", false);
    lab.runFor(1000);
    expect(lab.isSettled).toBe(true);
    expect(lab.active).toBe("A");
  });
});

describe("links", () => {
  test("a box whose inside link breaks hands over, and the other one is where the networks send to", () => {
    const lab = new Lab({ tracks: true });
    lab.settle();
    const { control } = lab;
    control.setDown(control.numberOf(INSIDE), "A", true);
    lab.runFor(300);
    expect(lab.active).toBe("B");
    expect([INSIDE, OUTSIDE].map((name) => control.owner(control.numberOf(name)))).toEqual(["B", "B"]);
  });

  test("nothing goes over a network that is cut", () => {
    const lab = new Lab();
    lab.settle();
    const { control } = lab;
    control.setCut(control.numberOf(LINK), true);
    open(lab, 3);
    lab.runFor(300);
    expect(lab.active).toBe("A");
    expect(lab.sessions("B")).toEqual([]);
    control.setCut(control.numberOf(LINK), false);
    lab.runFor(3000);
    expect(lab.isSettled).toBe(true);
    expect(lab.sessions("B")).toEqual(lab.sessions("A"));
  });
});

describe("first replies that wait for the standby", () => {
  test("are marked, and leave when the standby knows their sessions", () => {
    const lab = new Lab({ defer: true });
    lab.settle();
    const { A } = lab.boxes;
    // The standby cannot know of a session whose reply is in the same batch.
    const decided = lab.send("A", [trafficOf(1, "syn"), trafficOf(1, "synAck"), trafficOf(2, "syn")]);
    expect(decided.map(({ hasPassed, isDeferred }) => [hasPassed, isDeferred])).toEqual([
      [true, false],
      [true, true],
      [true, false],
    ]);
    expect(A.releases).toEqual([{ cookie: 1, isAcknowledged: true, atMs: lab.nowMs }]);
    expect(A.node!.deferCounters).toEqual({
      waited: 1,
      acknowledged: 1,
      gaveUp: 0,
      discarded: 0,
      refused: 0,
    });
    expect(lab.send("A", [trafficOf(2, "synAck")])).toMatchObject([{ hasPassed: true, isDeferred: false }]);
  });

  test("leave without the standby when it takes too long", () => {
    const lab = new Lab({ defer: true });
    lab.settle();
    const { A } = lab.boxes;
    lab.control.setFrozen("B", true);
    const decided = lab.send("A", [trafficOf(1, "syn"), trafficOf(1, "synAck")]);
    expect(decided.map(({ isDeferred }) => isDeferred)).toEqual([false, true]);
    expect(A.releases).toEqual([]);
    lab.runFor(2 * DEFER_MAX_MS);
    lab.decided("A");
    expect(A.releases).toMatchObject([{ cookie: 1, isAcknowledged: false }]);
    expect(A.node!.deferCounters.gaveUp).toBe(1);
  });

  test("that need not wait are not marked", () => {
    const lab = new Lab({ defer: true });
    lab.settle();
    lab.kill("B");
    lab.runFor(5000);
    lab.send("A", [trafficOf(1, "syn")]);
    expect(lab.send("A", [trafficOf(1, "synAck")])).toMatchObject([{ hasPassed: true, isDeferred: false }]);
    expect(lab.boxes.A.releases).toEqual([]);
  });
});

describe("requests of the host", () => {
  test("what a box has and has counted", () => {
    const lab = new Lab();
    lab.settle();
    open(lab, 4);
    lab.boxes.A.requests.push({ kind: "account" });
    lab.control.noteChange("A");
    lab.runFor(0);
    const report = lab.boxes.A.reports.at(-1);
    expect(report).toMatchObject({ kind: "account", account: { life: { sessions: 4 } } });
    expect(structuredClone(report)).toEqual(report);
  });

  test("an operator's command", () => {
    const lab = new Lab();
    lab.settle();
    lab.runFor(500);
    const input = { kind: "operator", command: "switchover", isForced: false } as const;
    lab.boxes.A.requests.push({ kind: "input", input });
    lab.control.noteChange("A");
    lab.runFor(1000);
    expect(lab.active).toBe("B");
    const replies = lab.boxes.A.reports.filter(
      (report) => report.kind === "action" && report.action.kind === "reply",
    );
    expect(replies).toMatchObject([{ action: { command: "switchover", outcome: "done" } }]);
  });
});
