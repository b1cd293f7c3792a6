/** Which time ranges hold: the part of a policy that changes with the wall clock, without a packet. */
import { isTimeRangeActive } from "../acl/evaluate.js";
import type { CalendarTime, TimeRange } from "../config/model.js";

/** The calendar of the firewall, which keeps UTC, at ms since 1970. */
export function calendarTime(wallMs: number): CalendarTime {
  const date = new Date(wallMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
  };
}

/** Bit i: the time range `ranges[i]` is active at that moment. One that is not defined never is. */
export function timeRangeBits(ranges: readonly (TimeRange | undefined)[], wallMs: number): bigint {
  const at = calendarTime(wallMs);
  let bits = 0n;
  ranges.forEach((range, i) => {
    if (range !== undefined && isTimeRangeActive(range, at)) bits |= 1n << BigInt(i);
  });
  return bits;
}
