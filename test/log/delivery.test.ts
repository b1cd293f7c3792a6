import { describe, expect, test } from "vitest";
import {
  BACKOFF_FIRST_MS,
  BACKOFF_MAX_MS,
  Delivery,
  type DeliveryAction,
  type DeliveryInput,
  OPEN_TIMEOUT_MS,
  STALL_MS,
} from "../../src/log/delivery.js";

/** A delivery in virtual time. */
class Rig {
  readonly delivery: Delivery;
  nowMs = 0;
  actions: DeliveryAction[] = [];

  constructor(queueBytesMax?: number) {
    this.delivery = new Delivery({ name: "host A", ...(queueBytesMax !== undefined && { queueBytesMax }) });
    this.do({ kind: "start" });
  }

  do(...inputs: DeliveryInput[]): this {
    for (const input of inputs) this.actions.push(...this.delivery.step(input, this.nowMs));
    return this;
  }

  /** Runs until that time. */
  until(ms: number): this {
    while (this.delivery.deadlineMs <= ms) {
      this.nowMs = this.delivery.deadlineMs;
      this.do({ kind: "tick" });
    }
    this.nowMs = ms;
    return this;
  }

  line(text: string): this {
    return this.do({ kind: "line", bytes: new TextEncoder().encode(text) });
  }

  /** The actions since the last call, in short. */
  said(): string[] {
    const said = this.actions.map((action) => {
      if (action.kind === "send") return `send ${action.lines.map((line) => new TextDecoder().decode(line))}`;
      return action.kind === "note" ? action.text.split(":")[0]! : action.kind;
    });
    this.actions = [];
    return said;
  }
}

describe("delivery", () => {
  test("lines wait for the opening, and go one batch at a time", () => {
    const rig = new Rig().line("a").line("b");
    expect(rig.said()).toEqual(["open"]);
    expect(rig.do({ kind: "opened" }).said()).toEqual(["send a,b"]);
    expect(rig.line("c").line("d").said()).toEqual([]);
    expect(rig.do({ kind: "sent", lines: 1 }).said()).toEqual([]);
    expect(rig.do({ kind: "sent", lines: 1 }).said()).toEqual(["send c,d"]);
    rig.do({ kind: "sent", lines: 2 });
    expect(rig.delivery.view()).toMatchObject({ sentLines: 4, queuedLines: 0, queuedBytes: 0, lostLines: 0 });
    expect(rig.delivery.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("what was not confirmed is sent again, in its order", () => {
    const rig = new Rig().do({ kind: "opened" }).line("a").line("b").line("c");
    rig.do({ kind: "sent", lines: 1 }, { kind: "closed", problem: "reset" });
    expect(rig.said()).toEqual(["open", "send a", "send b,c", "%SYS-3-LOGGINGHOST_FAIL"]);
    rig.line("d").until(BACKOFF_FIRST_MS).do({ kind: "opened" });
    expect(rig.said()).toEqual(["open", "%SYS-6-LOGGINGHOST_STARTSTOP", "send b,c,d"]);
  });

  test("attempts become rarer, an outage is told once, and success forgets it", () => {
    const rig = new Rig();
    const opens: number[] = [];
    while (rig.nowMs < 300_000) {
      rig.do({ kind: "closed", problem: "refused" }).until(rig.delivery.deadlineMs);
      opens.push(rig.nowMs);
    }
    expect(opens.slice(0, 8)).toEqual([1, 3, 7, 15, 31, 63, 123, 183].map((s) => s * 1000));
    expect(rig.said().filter((each) => each.startsWith("%"))).toEqual(["%SYS-3-LOGGINGHOST_FAIL"]);
    rig.do({ kind: "opened" }).line("a").do({ kind: "sent", lines: 1 }, { kind: "closed", problem: "reset" });
    expect(rig.delivery.deadlineMs - rig.nowMs).toBe(BACKOFF_FIRST_MS);
    expect(BACKOFF_MAX_MS).toBe(60_000);
  });

  test("nothing answers: it is given up and tried again", () => {
    const rig = new Rig().until(OPEN_TIMEOUT_MS);
    expect(rig.said()).toEqual(["open", "close", "%SYS-3-LOGGINGHOST_FAIL"]);
    expect(rig.delivery.view().problem).toBe("no answer");
  });

  test("a destination that takes nothing is opened anew", () => {
    const rig = new Rig().do({ kind: "opened" }).line("a");
    rig.until(STALL_MS - 1);
    expect(rig.said()).toEqual(["open", "send a"]);
    rig.until(STALL_MS);
    expect(rig.said()).toEqual(["close", "%SYS-3-LOGGINGHOST_FAIL"]);
    rig.until(STALL_MS + BACKOFF_FIRST_MS).do({ kind: "opened" });
    expect(rig.said()).toEqual(["open", "%SYS-6-LOGGINGHOST_STARTSTOP", "send a"]);
  });

  test("the queue has a bound; loss is announced before it happens, counted, and told of afterwards", () => {
    const rig = new Rig(1000).do({ kind: "closed", problem: "no space" });
    const line = "x".repeat(36);
    for (let i = 0; i < 7; i++) rig.line(line);
    expect(rig.said()).toEqual(["open", "%SYS-3-LOGGINGHOST_FAIL"]);
    expect(rig.line(line).said()).toEqual(["%SYS-4-LOGQUEUE"]);
    for (let i = 0; i < 100; i++) rig.line(line);
    expect(rig.said()).toEqual([]);
    expect(rig.delivery.view()).toMatchObject({ queuedLines: 10, queuedBytes: 1000, lostLines: 98 });
    rig.until(BACKOFF_FIRST_MS).do({ kind: "opened" });
    const sent = rig.actions.find((action) => action.kind === "send")!;
    expect(sent.lines).toHaveLength(10);
    rig.said();
    rig.do({ kind: "sent", lines: 10 });
    expect(rig.actions).toEqual([{ kind: "note", text: "%SYS-4-LOGLOST: 98 lines to host A were lost" }]);
    expect(rig.line("y").said()).toEqual(["%SYS-4-LOGLOST", "send y"]);
    expect(rig.delivery.view()).toMatchObject({ sentLines: 10, lostLines: 98 });
  });

  test("reopening waits for what is on its way, and is no outage", () => {
    const rig = new Rig().do({ kind: "opened" }).line("a").do({ kind: "reopen" }).line("b");
    expect(rig.said()).toEqual(["open", "send a"]);
    expect(rig.do({ kind: "sent", lines: 1 }).said()).toEqual(["close", "open"]);
    expect(rig.do({ kind: "opened" }).said()).toEqual(["send b"]);
    rig.do({ kind: "closed", problem: "x" }, { kind: "reopen" });
    expect(rig.said()).toEqual(["%SYS-3-LOGGINGHOST_FAIL"]);
  });

  test("a large queue goes in batches, and a line larger than one alone", () => {
    const rig = new Rig().do({ kind: "opened" }).line("a");
    for (let i = 0; i < 40; i++) rig.line("x".repeat(10_000));
    rig.line("y".repeat(200_000));
    const sizes: number[] = [];
    while (rig.delivery.view().queuedLines > 0) {
      const send = rig.actions.findLast((action) => action.kind === "send")!;
      sizes.push(send.lines.reduce((sum, { length }) => sum + length, 0));
      rig.do({ kind: "sent", lines: send.lines.length });
    }
    expect(sizes).toEqual([1, 130_000, 130_000, 130_000, 10_000, 200_000]);
  });
});
