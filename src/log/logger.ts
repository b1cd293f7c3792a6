/**
 * Hands each record to the destinations whose level it has: the rate limit first, which is one for all of them. A
 * destination takes what it is given at once; those that can fail have a queue (delivery.ts).
 */
import { RateLimit } from "./rate-limit.js";
import { type LogRecord, logRecord } from "./record.js";
import type { LogTime } from "./timestamps.js";

export interface LogSink {
  /** Severity up to which it takes records; -1: none. */
  readonly level: number;
  write(record: LogRecord): void;
}

export interface LoggerView {
  /** Records by severity, those that were suppressed included. */
  readonly records: readonly number[];
  readonly suppressed: number;
}

const SEVERITIES = 8;

export class Logger {
  readonly #limit: RateLimit;
  readonly #records: number[] = Array.from({ length: SEVERITIES }, () => 0);
  #sinks: readonly LogSink[] = [];

  constructor(perSecond?: number) {
    this.#limit = new RateLimit(perSecond);
  }

  /** What happens from now on. */
  configure(sinks: readonly LogSink[], perSecond: number): void {
    this.#sinks = sinks;
    this.#limit.perSecond = perSecond;
  }

  /** When the next `tick` is due, by `uptimeMs`. */
  get deadlineMs(): number {
    return this.#limit.deadlineMs;
  }

  log(record: LogRecord): void {
    this.#records[record.severity]!++;
    if (this.#limit.admits(record, record.uptimeMs)) this.#deliver(record);
  }

  /** Writes the summary that is due. */
  tick(time: LogTime): void {
    const summary = this.#limit.summary(time.uptimeMs);
    if (summary !== undefined) this.#deliver(logRecord(summary, time));
  }

  view(): LoggerView {
    return { records: [...this.#records], suppressed: this.#limit.suppressed };
  }

  #deliver(record: LogRecord): void {
    for (const sink of this.#sinks) if (record.severity <= sink.level) sink.write(record);
  }
}
