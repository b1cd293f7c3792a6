import { describe, expect, test } from "vitest";
import { EventQueue } from "../../src/pair/events.js";
import { FAILURES, formatPlanned, parsePlanned } from "../../src/pair/plan.js";

describe("--fail and --recover", () => {
  test.each(Object.keys(FAILURES))("%s at a time and before a packet", (what) => {
    for (const text of [`${what}@0`, `${what}@12.5`, `${what}@#1`, `${what}@#2694`]) {
      const planned = parsePlanned("fail", text);
      expect(planned).toMatchObject({ kind: "fail", what });
      expect("problem" in planned ? "" : formatPlanned(planned)).toBe(text);
    }
  });

  test.each([
    ["nothing@3", /must be one of active, standby/],
    ["active", /does not say when/],
    ["active@", /does not say when/],
    ["active@#0", /does not say when/],
    ["active@-1", /does not say when/],
    ["active@1e3", /does not say when/],
    ["@3", /must be one of/],
    ["toString@3", /must be one of/],
  ])("%s is refused", (text, why) => {
    expect(parsePlanned("fail", text)).toMatchObject({ problem: expect.stringMatching(why) });
  });
});

test("events run in the order of their times, and of two at a time the first that was added", () => {
  const queue = new EventQueue<string>();
  const times = [5, 1, 3, 1, 4, 3, 0, 5, 2, 1];
  for (const [i, atMs] of times.entries()) queue.add(atMs, `${atMs}.${i}`);
  const copy = new EventQueue(queue);
  const wanted = times.map((atMs, i) => ({ atMs, i })).sort((a, b) => a.atMs - b.atMs || a.i - b.i);
  const takeAll = (from: EventQueue<string>): (string | undefined)[] => times.map(() => from.take());
  expect(takeAll(queue)).toEqual(wanted.map(({ atMs, i }) => `${atMs}.${i}`));
  expect(queue.take()).toBeUndefined();
  expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY);
  copy.add(3, "3.last");
  expect(takeAll(copy).indexOf("3.last")).toBe(wanted.findLastIndex(({ atMs }) => atMs === 3) + 1);
});
