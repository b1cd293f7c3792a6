import { describe, expect, test } from "vitest";
import { SPAN_MAX_MS, startDate, VirtualClock } from "../../src/replay/clock.js";

describe("the virtual clock", () => {
  test("counts milliseconds since the first packet", () => {
    const clock = new VirtualClock();
    expect(clock.nowMs).toBe(0);
    expect(clock.advance(1_700_000_000, 999_999)).toBe(0);
    expect(clock.advance(1_700_000_000, 1_000_000)).toBe(1);
    expect(clock.advance(1_700_000_001, 0)).toBe(1000);
    expect(clock.nowMs).toBe(1000);
  });

  test("never falls", () => {
    const clock = new VirtualClock();
    const times = [100, 101, 50, 100, 101.5, 0, 102];
    const seen = times.map((time) => clock.advance(Math.floor(time), (time % 1) * 1e9));
    expect(seen).toEqual([0, 1000, 1000, 1000, 1500, 1500, 2000]);
  });

  test.each([[2 ** 34], [2 ** 53], [1.8e19], [Number.MAX_VALUE]])(
    "goes no further than its span (%d s)",
    (seconds) => {
      const clock = new VirtualClock();
      clock.advance(0, 0);
      expect(clock.advance(seconds, 999_999_999)).toBe(SPAN_MAX_MS);
      expect(clock.advance(seconds, 999_999_999)).toBe(SPAN_MAX_MS);
    },
  );

  test("begins before 1970 as anywhere", () => {
    const clock = new VirtualClock();
    clock.advance(-10, 500_000_000);
    expect(clock.advance(-9, 0)).toBe(500);
  });
});

describe("calendar time", () => {
  test.each([
    [0, 0, "1970-01-01T00:00:00.000Z"],
    [1_700_000_000, 123_456_789, "2023-11-14T22:13:20.123Z"],
    [-1, 0, "1969-12-31T23:59:59.000Z"],
    [1e30, 0, "+275760-09-13T00:00:00.000Z"],
    [-1e30, 0, "-271821-04-20T00:00:00.000Z"],
  ])("%d s %d ns", (seconds, nanos, text) => expect(startDate(seconds, nanos).toISOString()).toBe(text));
});
