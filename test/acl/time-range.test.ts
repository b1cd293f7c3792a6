/**
 * Time ranges: when they are active, and what that does to an entry.
 */
import { describe, expect, test } from "vitest";
import { evaluate, isTimeRangeActive, timeRangesAt } from "../../src/acl/evaluate.js";
import type { CalendarTime, Config, TimeRange } from "../../src/config/model.js";
import { at, permit, deny, configWith, TCP } from "./entries.js";

describe("time ranges", () => {
  /** 2024-01-01 was a Monday. */
  const time = (text: string): CalendarTime => {
    const [year, month, day, hour, minute] = text.split(/[- :]/).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { year, month, day, hour, minute };
  };
  const range = (parts: Partial<TimeRange>): TimeRange => ({ at, name: "T", periodic: [], ...parts });
  const days = (mask: number) => ({ mask, word: "" });
  const [MONDAY, FRIDAY, SATURDAY, SUNDAY] = [1, 16, 32, 64] as const;
  const DAILY = 127;
  const WEEKDAYS = 31;
  const minutes = (text: string) => Number(text.split(":")[0]) * 60 + Number(text.split(":")[1]);
  const periodic = (mask: number, from: string, to: string, endMask?: number): TimeRange =>
    range({
      periodic: [
        {
          days: days(mask),
          startMinute: minutes(from),
          endMinute: minutes(to),
          ...(endMask !== undefined && { endDays: days(endMask) }),
        },
      ],
    });

  const cases: [name: string, range: TimeRange, inside: string[], outside: string[]][] = [
    ["no condition", range({}), ["2024-01-01 00:00"], []],
    [
      "absolute",
      range({ absolute: { start: time("2024-01-01 08:00"), end: time("2024-06-30 18:00") } }),
      ["2024-01-01 08:00", "2024-03-01 00:00", "2024-06-30 17:59"],
      ["2024-01-01 07:59", "2024-06-30 18:00", "2023-03-01 12:00", "2025-03-01 12:00"],
    ],
    [
      "absolute start",
      range({ absolute: { start: time("2024-01-01 08:00") } }),
      ["2030-01-01 00:00"],
      ["2024-01-01 07:59"],
    ],
    [
      "absolute end",
      range({ absolute: { end: time("2024-01-01 08:00") } }),
      ["1999-12-31 23:59"],
      ["2024-01-01 08:00"],
    ],
    [
      "weekdays 8:00 to 17:59",
      periodic(WEEKDAYS, "8:00", "17:59"),
      ["2024-01-01 08:00", "2024-01-05 17:59"],
      ["2024-01-01 07:59", "2024-01-01 18:00", "2024-01-06 12:00", "2024-01-07 12:00"],
    ],
    ["daily 0:00 to 23:59", periodic(DAILY, "0:00", "23:59"), ["2024-01-01 00:00", "2024-01-07 23:59"], []],
    [
      "monday 8:00 to friday 20:00",
      periodic(MONDAY, "8:00", "20:00", FRIDAY),
      ["2024-01-01 08:00", "2024-01-03 03:00", "2024-01-05 20:00"],
      ["2024-01-01 07:59", "2024-01-05 20:01", "2024-01-06 12:00"],
    ],
    [
      "friday 18:00 to monday 6:00, over the end of the week",
      periodic(FRIDAY, "18:00", "6:00", MONDAY),
      ["2024-01-05 18:00", "2024-01-06 12:00", "2024-01-07 23:59", "2024-01-01 06:00"],
      ["2024-01-05 17:59", "2024-01-01 06:01", "2024-01-03 12:00"],
    ],
    [
      "weekend, start and end on each of its days",
      periodic(SATURDAY | SUNDAY, "10:00", "12:00", SATURDAY | SUNDAY),
      ["2024-01-06 10:00", "2024-01-07 12:00"],
      ["2024-01-06 13:00", "2024-01-07 09:59", "2024-01-07 12:01"],
    ],
    [
      "daily 22:00 to 6:00, over midnight",
      periodic(DAILY, "22:00", "6:00"),
      ["2024-01-01 22:00", "2024-01-01 23:59", "2024-01-02 06:00"],
      ["2024-01-01 21:59", "2024-01-02 06:01"],
    ],
    [
      "absolute and periodic together",
      range({
        absolute: { start: time("2024-01-03 00:00") },
        periodic: periodic(WEEKDAYS, "8:00", "17:59").periodic,
      }),
      ["2024-01-03 08:00"],
      ["2024-01-02 08:00", "2024-01-03 07:59"],
    ],
    [
      "two periodic parts",
      range({
        periodic: [
          ...periodic(MONDAY, "8:00", "9:00").periodic,
          ...periodic(SUNDAY, "8:00", "9:00").periodic,
        ],
      }),
      ["2024-01-01 08:30", "2024-01-07 08:30"],
      ["2024-01-02 08:30"],
    ],
    ["on a leap day", periodic(DAILY, "0:00", "0:10"), ["2024-02-29 00:05"], ["2024-02-29 00:11"]],
  ];
  test.each(cases)("%s", (_name, one, inside, outside) => {
    for (const moment of inside)
      expect([moment, isTimeRangeActive(one, time(moment))]).toEqual([moment, true]);
    for (const moment of outside)
      expect([moment, isTimeRangeActive(one, time(moment))]).toEqual([moment, false]);
  });

  test("an entry of an inactive range is passed over; without a clock every range is inactive", () => {
    const timed = permit({ timeRange: "T" });
    const config: Config = {
      ...configWith([timed, deny()]),
      timeRanges: new Map([["T", periodic(WEEKDAYS, "8:00", "17:59")]]),
    };
    const during = timeRangesAt(config, time("2024-01-01 12:00"));
    const after = timeRangesAt(config, time("2024-01-06 12:00"));
    expect(evaluate(config, "L", TCP, during).entry).toBe(timed);
    expect(evaluate(config, "L", TCP, after).action).toBe("deny");
    expect(evaluate(config, "L", TCP).action).toBe("deny");
  });

  test("a range that is not defined is never active", () => {
    const config = configWith([permit({ timeRange: "ABSENT" })]);
    expect(evaluate(config, "L", TCP, timeRangesAt(config, time("2024-01-01 12:00"))).action).toBe("deny");
  });
});
