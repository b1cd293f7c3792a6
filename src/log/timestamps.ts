/** The time in front of a log line, as `service timestamps log` asks for it. */
import type { TimestampFormat } from "../config/model.js";
import { MONTHS } from "../config/names.js";

/** Without `service timestamps log`, IOS prints no time at all; a log without times would be of little use. */
const FORMAT_DEFAULT: TimestampFormat = { kind: "datetime", msec: true, localtime: false, year: false };

/** When something was logged. */
export interface LogTime {
  /** Of the wall clock: ms since 1970. */
  readonly wallMs: number;
  /** Since the start of the firewall, or of the replay. */
  readonly uptimeMs: number;
}

/** Makes a time into "Nov 22 08:16:01.123: ". Times are UTC. */
export function timestamps(format: TimestampFormat = FORMAT_DEFAULT): (time: LogTime) => string {
  if (format.kind === "uptime") return ({ uptimeMs }) => `${uptime(uptimeMs)}: `;
  return ({ wallMs }) => `${datetime(new Date(wallMs), format)}: `;
}

const two = (value: number) => String(value).padStart(2, "0");

export function datetime(time: Date, { msec, year }: TimestampFormat): string {
  // Beyond what a calendar can say; only a damaged capture gets there.
  if (Number.isNaN(time.getTime())) return "(no time)";
  const day = `${MONTHS[time.getUTCMonth()]!.slice(0, 3)} ${String(time.getUTCDate()).padStart(2)}`;
  const clock = [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()].map(two).join(":");
  const fraction = msec ? `.${String(time.getUTCMilliseconds()).padStart(3, "0")}` : "";
  return `${day}${year ? ` ${time.getUTCFullYear()}` : ""} ${clock}${fraction}`;
}

const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const YEAR = 365 * DAY;

/** As IOS prints an uptime: 00:00:05, 1d02h, 3w4d, 1y2w. */
export function uptime(uptimeMs: number): string {
  const s = Math.floor(uptimeMs / 1000);
  if (s < DAY) return [Math.floor(s / HOUR), Math.floor(s / 60) % 60, s % 60].map(two).join(":");
  if (s < WEEK) return `${Math.floor(s / DAY)}d${two(Math.floor(s / HOUR) % 24)}h`;
  if (s < YEAR) return `${Math.floor(s / WEEK)}w${Math.floor((s % WEEK) / DAY)}d`;
  return `${Math.floor(s / YEAR)}y${Math.floor((s % YEAR) / WEEK)}w`;
}
