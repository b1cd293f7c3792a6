/**
 * Verdicts as JSON Lines. Every packet of a capture becomes a line, so the bytes are put together by hand: what repeats
 * from line to line is kept as bytes, numbers are written digit by digit, and no line becomes a string.
 *
 *   {"n":1,"t":"SECONDS.NANOS","in":"NAME","out":"NAME","verdict":"pass","reason":"NAME","session":"ID","rule":"ACL SEQ"}
 *
 * where interface, session and rule are null when there is none.
 */
import { reasonOf } from "../reasons.js";
import { formatSessionId } from "../session-view.js";
import { timeText, type VerdictNames, type VerdictRow } from "./verdict.js";

/** First size of the buffer between two calls of `drain`. */
const BUFFER_SIZE = 131_072;
/** The longest that the parts of a line can be that are neither a kept part nor a rule. */
const NUMBERS_MAX = 256;
const NANO_DIGITS = 9;
/** Up to this length a loop over bytes copies faster than Uint8Array.set (for 105 bytes: 144 against 62 ns, measured). */
const LOOP_MAX = 24;
const ZERO = 0x30;

const encoder = new TextEncoder();
const N = encoder.encode('{"n":');
const T = encoder.encode(',"t":"');
const NULL_SESSION = encoder.encode("null");
const QUOTE = encoder.encode('"');

export class VerdictLines {
  /** `null` or the name, with the end of the line; by rule. */
  readonly #ends: readonly Uint8Array[];
  readonly #interfaces: readonly string[];
  /** From the end of the time to `"session":`, by ingress, egress and reason. */
  readonly #middles = new Map<number, Uint8Array>();
  /** The second that the last line was of, and its text with the point. */
  #second = Number.NaN;
  #secondText: Uint8Array = N;
  #bytes = new Uint8Array(BUFFER_SIZE);
  #length = 0;

  constructor(names: VerdictNames) {
    this.#interfaces = names.interfaces.map((name, i) => (i === 0 ? "null" : JSON.stringify(name)));
    const rules = ["null", ...names.rules.map((rule) => JSON.stringify(rule))];
    this.#ends = rules.map((rule) => encoder.encode(`,"rule":${rule}}\n`));
  }

  /** Bytes that `drain` would return. */
  get pending(): number {
    return this.#length;
  }

  /** The lines since the last call; they belong to the caller from now on. */
  drain(): Uint8Array {
    const drained = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(BUFFER_SIZE);
    this.#length = 0;
    return drained;
  }

  add(row: Readonly<VerdictRow>): void {
    const middle = this.#middle(row);
    const end = this.#ends[row.rule];
    if (end === undefined) throw new RangeError(`rule ${row.rule} has no name`);
    this.#reserve(NUMBERS_MAX + middle.length + end.length);
    this.#append(N);
    this.#appendText(String(row.n));
    this.#append(T);
    this.#appendTime(row.seconds, row.nanos);
    this.#append(middle);
    if (row.session === 0n) {
      this.#append(NULL_SESSION);
    } else {
      this.#append(QUOTE);
      this.#appendText(formatSessionId(row.session));
      this.#append(QUOTE);
    }
    this.#append(end);
  }

  #middle(row: Readonly<VerdictRow>): Uint8Array {
    const key = (row.reason << 16) | (row.ingress << 8) | row.egress;
    let middle = this.#middles.get(key);
    if (middle === undefined) {
      const { name, verdict } = reasonOf(row.reason);
      const [ingress, egress] = [this.#interfaces[row.ingress], this.#interfaces[row.egress]];
      if (ingress === undefined || egress === undefined) throw new RangeError("an interface has no name");
      const text = `","in":${ingress},"out":${egress},"verdict":"${verdict}","reason":"${name}","session":`;
      middle = encoder.encode(text);
      this.#middles.set(key, middle);
    }
    return middle;
  }

  #appendTime(seconds: number, nanos: number): void {
    // Before 1970 the second that is written depends on the nanoseconds.
    if (seconds < 0) {
      this.#appendText(timeText(seconds, nanos));
      return;
    }
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#secondText = encoder.encode(`${seconds}.`);
    }
    this.#append(this.#secondText);
    const bytes = this.#bytes;
    const start = this.#length;
    let rest = nanos;
    for (let at = start + NANO_DIGITS - 1; at >= start; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - 10 * tenth;
      rest = tenth;
    }
    this.#length = start + NANO_DIGITS;
  }

  #append(part: Uint8Array): void {
    const bytes = this.#bytes;
    let at = this.#length;
    if (part.length > LOOP_MAX) {
      bytes.set(part, at);
      this.#length = at + part.length;
      return;
    }
    for (let i = 0; i < part.length; i++) bytes[at++] = part[i]!;
    this.#length = at;
  }

  /** ASCII. */
  #appendText(text: string): void {
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
