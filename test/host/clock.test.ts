import { describe, expect, test } from "vitest";
import { calendarTime, timeRangeBits } from "../../src/policy/clock.js";
import { configOf, policyOf } from "./support.js";

const RANGES = `
time-range work
 periodic weekdays 8:00 to 17:59
time-range summer
 absolute start 00:00 1 June 2024 end 00:00 1 September 2024
`;

describe("time ranges", () => {
  test("the calendar is UTC", () => {
    expect(calendarTime(Date.UTC(2024, 1, 29, 23, 59, 59, 999))).toEqual({
      year: 2024,
      month: 2,
      day: 29,
      hour: 23,
      minute: 59,
    });
    expect(calendarTime(0)).toEqual({ year: 1970, month: 1, day: 1, hour: 0, minute: 0 });
  });

  test("bit i is the range of that place; a name without a range is never active", () => {
    const config = configOf(RANGES);
    const ranges = ["nobody", "summer", "work"].map((name) => config.timeRanges.get(name));
    const monday = Date.UTC(2024, 6, 1);
    const at = (hour: number, minute: number): bigint =>
      timeRangeBits(ranges, monday + (hour * 60 + minute) * 60_000);
    expect(at(7, 59)).toBe(0b010n);
    expect(at(8, 0)).toBe(0b110n);
    expect(at(17, 59)).toBe(0b110n);
    expect(at(18, 0)).toBe(0b010n);
    expect(timeRangeBits(ranges, Date.UTC(2024, 8, 2, 9))).toBe(0b100n);
    expect(timeRangeBits(ranges, Date.UTC(2024, 8, 1, 9))).toBe(0n);
  });

  test("the policy names the ranges of the lists in use", () => {
    const policy = policyOf(`${RANGES}
interface GigabitEthernet0/0
 ip access-group A in
ip access-list extended A
 permit ip any any time-range work
 permit icmp any any time-range work
 deny ip any any time-range summer
ip access-list extended UNUSED
 permit ip any any time-range other
`);
    expect(policy.timeRanges.map((range) => range?.name)).toEqual(["work", "summer"]);
  });
});
