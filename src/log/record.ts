/**
 * A log record: what every destination gets, each in its own format. The text is that of IOS, `%HSRP-5-STATECHANGE: …`;
 * facility, severity and mnemonic are read from it, so they stand nowhere else. Whatever a name in it may hold, the text
 * is one line without control characters: a record never breaks a line of a log.
 */
import { printable } from "../printable.js";
import type { LogTime } from "./timestamps.js";

/** What may be said of a record besides its text, in the order in which it is written. The names are part of the interface. */
export const LOG_FIELDS = [
  "event",
  "session",
  "cause",
  "service",
  /** "LIST SEQUENCE" of the access list entry, and the entry as the configuration has it. */
  "rule",
  "ruleText",
  "interface",
  "protocol",
  "source",
  "sourcePort",
  "destination",
  "destinationPort",
  "icmpType",
  "icmpCode",
  "reason",
  "packets",
  "initiatorBytes",
  "responderBytes",
  "tcpFlags",
  "sequence",
  "acknowledgement",
  "ipId",
  "mac",
] as const;
export type LogField = (typeof LOG_FIELDS)[number];
export type LogFields = Readonly<Partial<Record<LogField, string | number>>>;

/** Whose word it is: packets of others cause it, as many as they like, or the firewall itself. */
export type LogOrigin = "traffic" | "firewall";

export interface LogRecord extends LogTime {
  /** 0 emergencies to 7 debugging. */
  readonly severity: number;
  /** `HSRP`, `RF_INTERDEV`; no syslog facility. */
  readonly facility: string;
  readonly mnemonic: string;
  /** The whole line without its time. */
  readonly text: string;
  readonly origin: LogOrigin;
  readonly fields: LogFields;
}

/** Most characters of the text and of a field; more is cut off. */
export const LOG_TEXT_MAX = 1024;
export const LOG_FIELD_MAX = 256;

/** Facility, with a subfacility perhaps; severity; mnemonic. */
const HEADER = /^%([A-Z0-9_]{1,32}(?:-[A-Z0-9_]{1,16})?)-([0-7])-([A-Z0-9_]{1,32}): /;
/** In front of a text that has no header. */
const HEADER_DEFAULT = "%SYS-6-MESSAGE: ";

export interface RecordOptions {
  readonly origin?: LogOrigin;
  readonly fields?: LogFields;
}

/** The record of a text, which should begin with `%FACILITY-SEVERITY-MNEMONIC: `. */
export function logRecord(text: string, time: LogTime, options: RecordOptions = {}): LogRecord {
  const headed = HEADER.test(text) ? text : HEADER_DEFAULT + text;
  const [, facility, severity, mnemonic] = HEADER.exec(headed)!;
  return {
    wallMs: time.wallMs,
    uptimeMs: time.uptimeMs,
    severity: Number(severity),
    facility: facility!,
    mnemonic: mnemonic!,
    text: cut(headed, LOG_TEXT_MAX),
    origin: options.origin ?? "firewall",
    fields: cleanFields(options.fields ?? {}),
  };
}

function cleanFields(fields: LogFields): LogFields {
  const clean: Partial<Record<LogField, string | number>> = {};
  for (const name of LOG_FIELDS) {
    const value = fields[name];
    if (value === undefined) continue;
    clean[name] = typeof value === "string" ? cut(value, LOG_FIELD_MAX) : value;
  }
  return clean;
}

/** One line of characters that have a meaning in UTF-8; at most so many, with a mark where some are missing. */
function cut(text: string, max: number): string {
  const whole = text.length <= max ? text : `${text.slice(0, max - 1)}…`;
  return printable(whole.replace(LONE_SURROGATE, "\ufffd"));
}

const LONE_SURROGATE = /\p{Surrogate}/gu;
