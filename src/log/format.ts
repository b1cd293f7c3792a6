/** A record as one line of text, without the end of the line: in the form of IOS, and as JSON. */
import { LOG_FIELDS, type LogRecord } from "./record.js";
import type { LogTime } from "./timestamps.js";

export const LOG_FORMATS = ["ios", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** `timestamp`: see timestamps.ts. */
export function iosLine(record: LogRecord, timestamp: (time: LogTime) => string): string {
  return timestamp(record) + record.text;
}

/** Names are part of the interface; fields that are not known are left out. */
export function jsonLine(record: LogRecord): string {
  const { severity, facility, mnemonic, text, fields } = record;
  const line: Record<string, string | number | null> = {
    time: isoTime(record.wallMs) ?? null,
    uptimeSeconds: record.uptimeMs / 1000,
    severity,
    facility,
    mnemonic,
    text,
  };
  for (const name of LOG_FIELDS) if (fields[name] !== undefined) line[name] = fields[name];
  return JSON.stringify(line);
}

/** RFC 3339 in UTC with milliseconds, and a year of four digits; undefined: beyond that. */
export function isoTime(wallMs: number): string | undefined {
  const time = new Date(wallMs);
  const year = time.getUTCFullYear();
  return year >= 0 && year <= 9999 ? time.toISOString() : undefined;
}

/** How a line is written for a format. */
export function lineFormat(
  format: LogFormat,
  timestamp: (time: LogTime) => string,
): (record: LogRecord) => string {
  return format === "json" ? jsonLine : (record) => iosLine(record, timestamp);
}
