/**
 * `logging rate-limit`: how many lines a second there may be. What packets of others cause has a limit of its own, so that a flood
 * never silences what the firewall says of itself. What is suppressed is counted by its kind, and told of in a summary.
 */
import type { LogOrigin, LogRecord } from "./record.js";

/** Lines a second when the configuration does not say. */
export const LOG_RATE_DEFAULT = 1000;
/** Lines up to this severity, critical, are never suppressed. */
const SEVERITY_EXEMPT = 2;
/** From the first line that is suppressed to the summary. */
export const RATE_SUMMARY_MS = 10_000;
/** Kinds that a summary counts one by one, and of these the most frequent that it names. */
const KINDS_MAX = 64;
const KINDS_NAMED = 3;
const SECOND_MS = 1000;

/** What is left of the lines of a second, refilled as time goes on. */
interface Bucket {
  lines: number;
  atMs: number;
}

export class RateLimit {
  #perSecond: number;
  readonly #buckets = new Map<LogOrigin, Bucket>();
  readonly #suppressed = new Map<string, number>();
  #suppressedSum = 0;
  #summaryAtMs = Number.POSITIVE_INFINITY;
  #total = 0;

  constructor(perSecond = LOG_RATE_DEFAULT) {
    this.#perSecond = perSecond;
  }

  set perSecond(lines: number) {
    this.#perSecond = lines;
  }

  /** Lines suppressed since the start. */
  get suppressed(): number {
    return this.#total;
  }

  /** When a summary is due. */
  get deadlineMs(): number {
    return this.#summaryAtMs;
  }

  /** Whether the line may go out; else it is counted. */
  admits(record: LogRecord, nowMs: number): boolean {
    if (record.severity <= SEVERITY_EXEMPT) return true;
    const bucket = this.#bucket(record.origin, nowMs);
    if (bucket.lines >= 1) {
      bucket.lines--;
      return true;
    }
    this.#suppress(`${record.facility}-${record.mnemonic}`, nowMs);
    return false;
  }

  /** The text of the summary that is due. */
  summary(nowMs: number): string | undefined {
    if (nowMs < this.#summaryAtMs) return undefined;
    const seconds = Math.round((nowMs - this.#summaryAtMs + RATE_SUMMARY_MS) / SECOND_MS);
    const kinds = [...this.#suppressed].sort(([, one], [, other]) => other - one);
    const named = kinds.slice(0, KINDS_NAMED).map(([kind, count]) => `${kind} ${count}`);
    const text =
      `%SYS-4-LOGRATELIMIT: ${this.#suppressedSum} lines suppressed in ${seconds} s, ` +
      `the limit is ${this.#perSecond} lines/s; most: ${named.join(", ")}`;
    this.#suppressed.clear();
    this.#suppressedSum = 0;
    this.#summaryAtMs = Number.POSITIVE_INFINITY;
    return text;
  }

  #bucket(origin: LogOrigin, nowMs: number): Bucket {
    const bucket = this.#buckets.get(origin);
    if (bucket === undefined) {
      const full = { lines: this.#perSecond, atMs: nowMs };
      this.#buckets.set(origin, full);
      return full;
    }
    const passedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.lines = Math.min(this.#perSecond, bucket.lines + (passedMs * this.#perSecond) / SECOND_MS);
    bucket.atMs = nowMs;
    return bucket;
  }

  #suppress(kind: string, nowMs: number): void {
    if (this.#suppressedSum++ === 0) this.#summaryAtMs = nowMs + RATE_SUMMARY_MS;
    this.#total++;
    const counted = this.#suppressed.get(kind);
    if (counted !== undefined || this.#suppressed.size < KINDS_MAX)
      this.#suppressed.set(kind, (counted ?? 0) + 1);
  }
}
