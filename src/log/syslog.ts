/** A record as a syslog message of RFC 5424, and how messages are told apart in a stream (RFC 5425, 6587). */
import { isoTime } from "./format.js";
import { LOG_FIELDS, type LogRecord } from "./record.js";

/** Who sends. */
export interface SyslogSender {
  /** Syslog facility, 0 to 23. */
  readonly facility: number;
  readonly hostname: string;
  /** `logging source-interface`: its address. */
  readonly address?: string | undefined;
  /** Of the software. */
  readonly version: string;
  readonly processId: number;
}

/** RFC 5426 section 3.2: every receiver should take that much in a datagram. */
export const SYSLOG_DATAGRAM_MAX = 2048;
/** RFC 5425 section 4.3.1: every receiver should take that much in a stream. */
export const SYSLOG_STREAM_MAX = 8192;

const APP_NAME = "twinwall";
/** The enterprise number that RFC 5612 keeps for examples: this project has none of its own. */
const SD_ID = "twinwall@32473";
const HOSTNAME_MAX = 255;
const MSGID_MAX = 32;
/** Field "sequenceId" of the structured data "meta" goes from 1 to this (RFC 5424 section 7.3.1). */
export const SEQUENCE_MAX = 2 ** 31 - 1;
const NIL = "-";
/** Room for the text that structured data have to leave. */
const TEXT_LEAST = 480;
/** "sysUpTime" counts these. */
const HUNDREDTH_MS = 10;
const LINE_FEED = 10;
/** Of the second and later bytes of a character in UTF-8. */
const CONTINUATION_MASK = 0xc0;
const CONTINUATION = 0x80;

const encoder = new TextEncoder();
/** In front of a text that is UTF-8 and says so (RFC 5424 section 6.4); ASCII reads the same either way and goes without. */
const BOM = "\ufeff";
const NOT_ASCII = /[^\x00-\x7f]/;

/**
 * @param sequence of the messages to this receiver, from 1 to SEQUENCE_MAX and over again: it shows what was lost.
 * @param bytesMax the text is cut to that, between two characters; structured data that do not fit are left out.
 */
export function syslogMessage(
  record: LogRecord,
  sender: SyslogSender,
  sequence: number,
  bytesMax: number,
): Uint8Array {
  const priority = sender.facility * 8 + record.severity;
  const head = [
    `<${priority}>1`,
    isoTime(record.wallMs) ?? NIL,
    word(sender.hostname, HOSTNAME_MAX),
    APP_NAME,
    String(sender.processId),
    word(`${record.facility}-${record.mnemonic}`, MSGID_MAX),
    "",
  ].join(" ");
  const full = encoder.encode(`${head}${structuredData(record, sender, sequence)} `);
  const front = full.length + TEXT_LEAST <= bytesMax ? full : encoder.encode(`${head}${NIL} `);
  const text = encoder.encode(NOT_ASCII.test(record.text) ? BOM + record.text : record.text);
  const length = wholeCharacters(text, Math.max(0, bytesMax - front.length));
  const bytes = new Uint8Array(front.length + length);
  bytes.set(front);
  bytes.set(text.subarray(0, length), front.length);
  return bytes;
}

/** In a stream of RFC 5425 section 4.3 and RFC 6587 section 3.4.1: the length goes in front. */
export function octetCounted(message: Uint8Array): Uint8Array {
  const length = encoder.encode(`${message.length} `);
  const framed = new Uint8Array(length.length + message.length);
  framed.set(length);
  framed.set(message, length.length);
  return framed;
}

/** In a stream of RFC 6587 section 3.4.2: a line feed, which no message has in it, goes behind. */
export function lineFramed(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(message.length + 1);
  framed.set(message);
  framed[message.length] = LINE_FEED;
  return framed;
}

function structuredData(record: LogRecord, sender: SyslogSender, sequence: number): string {
  const origin: [string, string | number][] = [
    ["software", APP_NAME],
    ["swVersion", sender.version],
  ];
  if (sender.address !== undefined) origin.unshift(["ip", sender.address]);
  const upTime = Math.floor(record.uptimeMs / HUNDREDTH_MS);
  const fields = LOG_FIELDS.flatMap((name): [string, string | number][] => {
    const value = record.fields[name];
    return value === undefined ? [] : [[name, value]];
  });
  return (
    element("meta", [["sequenceId", sequence], ...(upTime >= 0 ? [["sysUpTime", upTime] as const] : [])]) +
    element("origin", origin) +
    (fields.length === 0 ? "" : element(SD_ID, fields))
  );
}

/** Quotation marks, backslashes and closing brackets are escaped (RFC 5424 section 6.3.3). */
function element(id: string, values: readonly (readonly [string, string | number])[]): string {
  const texts = values.map(([name, value]) => ` ${name}="${String(value).replace(/["\\\]]/g, "\\$&")}"`);
  return `[${id}${texts.join("")}]`;
}

/** Printable ASCII without spaces, as the header has it. */
function word(text: string, max: number): string {
  return text.replace(/[^\x21-\x7e]/g, "_").slice(0, max) || NIL;
}

/** The longest beginning of UTF-8 text that is no longer than `max` and ends between two characters. */
function wholeCharacters(text: Uint8Array, max: number): number {
  if (text.length <= max) return text.length;
  let length = max;
  while (length > 0 && (text[length]! & CONTINUATION_MASK) === CONTINUATION) length--;
  return length;
}
