/** `time-range`: when entries of access lists hold. */
import { command, fail, type Row } from "../command.js";
import type { CalendarTime, DaySet } from "../model.js";
import { DAY_WORDS, DAYS, MONTHS } from "../names.js";

/** Most `periodic` lines of a time range. */
export const PERIODS_MAX = 256;

const pad = (n: number) => `${n}`.padStart(2, "0");
const clock = (minutes: number) => `${Math.floor(minutes / 60)}:${pad(minutes % 60)}`;
const calendar = (t: CalendarTime) =>
  `${pad(t.hour)}:${pad(t.minute)} ${pad(t.day)} ${MONTHS[t.month - 1]} ${t.year}`;
const minuteOf = (t: CalendarTime) => Date.UTC(t.year, t.month - 1, t.day, t.hour, t.minute);

/** Days by their bits, in the words of the configuration. */
function daySet(mask: number): DaySet {
  const word =
    Object.entries(DAY_WORDS).find(([, bits]) => bits === mask)?.[0] ??
    Object.entries(DAYS)
      .filter(([, bit]) => (mask & bit) !== 0)
      .map(([name]) => name)
      .join(" ");
  return { mask, word };
}

export const TIME_RANGES: readonly Row[] = [
  command({
    mode: "global",
    syntax: "time-range <name:word>",
    help: "times at which entries of access lists hold",
    example: "time-range WORK",
    enters: "time-range",
    set: (config, a, { at }) => {
      const known = config.timeRanges.get(a.name);
      if (known) return known;
      const made = { at, name: a.name, periodic: [] };
      config.timeRanges.set(a.name, made);
      return made;
    },
    remove: (config, a) => {
      config.timeRanges.delete(a.name);
    },
    blocks: (config) => config.timeRanges.values(),
    header: ({ name }) => `time-range ${name}`,
  }),
  command({
    mode: "time-range",
    syntax: "absolute (start <start:calendar> [end <end:calendar>] | end <end:calendar>)",
    help: "first and last minute",
    example: "absolute start 08:00 01 January 2030 end 18:00 31 December 2030",
    set: (range, { start, end }) => {
      if (start && end && minuteOf(end) < minuteOf(start)) return fail("the end is before the start", "end");
      range.absolute = { ...(start && { start }), ...(end && { end }) };
      return undefined;
    },
    unset: (range) => {
      range.absolute = undefined;
    },
    show: ({ absolute }) => {
      if (!absolute) return [];
      const words = ["absolute"];
      if (absolute.start) words.push(`start ${calendar(absolute.start)}`);
      if (absolute.end) words.push(`end ${calendar(absolute.end)}`);
      return [words.join(" ")];
    },
  }),
  command({
    mode: "time-range",
    syntax:
      "periodic (<set=daily|weekdays|weekend> | <days:day*7>) <start:clock> to [<endSet=daily|weekdays|weekend> | <endDays:day*7>] <end:clock>",
    help: "minutes of the week",
    example: "periodic weekdays 8:00 to 17:30",
    set: (range, a) => {
      const made = periodOf(a);
      if (!made.endDays && made.endMinute < made.startMinute)
        return fail("the end is before the start", "end");
      if (range.periodic.some((period) => showPeriod(period) === showPeriod(made))) return undefined;
      if (range.periodic.length >= PERIODS_MAX)
        return fail(`a time range has at most ${PERIODS_MAX} periods`);
      range.periodic.push(made);
      return undefined;
    },
    remove: (range, a) => {
      const text = showPeriod(periodOf(a));
      range.periodic = range.periodic.filter((period) => showPeriod(period) !== text);
    },
    show: (range) => range.periodic.map(showPeriod),
  }),
];

type Period = { days: DaySet; startMinute: number; endDays?: DaySet; endMinute: number };

interface PeriodArguments {
  set?: "daily" | "weekdays" | "weekend";
  days?: number[];
  start: number;
  endSet?: "daily" | "weekdays" | "weekend";
  endDays?: number[];
  end: number;
}

function periodOf(a: PeriodArguments): Period {
  const maskOf = (word: string | undefined, days: number[] | undefined) =>
    word === undefined ? days!.reduce((mask, bit) => mask | bit, 0) : DAY_WORDS[word]!;
  const bounded = a.endSet !== undefined || a.endDays !== undefined;
  return {
    days: daySet(maskOf(a.set, a.days)),
    startMinute: a.start,
    ...(bounded && { endDays: daySet(maskOf(a.endSet, a.endDays)) }),
    endMinute: a.end,
  };
}

function showPeriod({ days, startMinute, endDays, endMinute }: Period): string {
  const end = endDays ? `${endDays.word} ${clock(endMinute)}` : clock(endMinute);
  return `periodic ${days.word} ${clock(startMinute)} to ${end}`;
}
