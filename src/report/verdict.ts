/** One packet's verdict, and how a person reads it beside the packet. lines.ts writes it as JSON. */
import { reasonOf, type VerdictName } from "../reasons.js";
import { formatSessionId } from "../session-view.js";

/** What became of one packet of a capture. Numbers are those of the firewall; `VerdictNames` gives them names. */
export interface VerdictRow {
  /** Position in the capture, from 1. */
  n: number;
  /** Time of the packet: whole seconds since 1970, and nanoseconds of that second. */
  seconds: number;
  nanos: number;
  /** Interface numbers; 0: none. */
  ingress: number;
  egress: number;
  /** R_*: tells the verdict too. */
  reason: number;
  /** Session id; 0n: none. */
  session: bigint;
  /** 1 + the number of the access list entry that decided; 0: none. */
  rule: number;
}

/** Names of the numbers in a row. */
export interface VerdictNames {
  /** By interface number. */
  readonly interfaces: readonly string[];
  /** "LIST SEQUENCE" of each entry, by its number. */
  readonly rules: readonly string[];
}

/** The verdict of a row; a row is written down only when its packet is no longer held. */
export function verdictOf(row: VerdictRow): VerdictName {
  return reasonOf(row.reason).verdict;
}

/** Seconds and nanoseconds since 1970 as "SECONDS.NANOS" with nine digits. Nanoseconds count upwards from the second. */
export function timeText(seconds: number, nanos: number): string {
  if (seconds < 0 && nanos > 0) return `-${timeText(-seconds - 1, 1_000_000_000 - nanos)}`;
  return `${seconds}.${String(nanos).padStart(9, "0")}`;
}

/**
 * What a person reads beside the packet in Wireshark, in words that a display filter finds again
 * (`frame.comment contains "drop"`): verdict and reason, then interfaces, session and rule where there are any.
 */
export function verdictComment(row: VerdictRow, names: VerdictNames): string {
  const { name, verdict, meaning } = reasonOf(row.reason);
  const parts = [`${verdict} ${name}: ${meaning}`];
  if (row.ingress > 0) parts.push(`in ${names.interfaces[row.ingress]}`);
  if (row.egress > 0) parts.push(`out ${names.interfaces[row.egress]}`);
  if (row.session > 0n) parts.push(`session ${formatSessionId(row.session)}`);
  if (row.rule > 0) parts.push(`rule ${names.rules[row.rule - 1]}`);
  return parts.join("; ");
}
