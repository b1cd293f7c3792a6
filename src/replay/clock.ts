/**
 * The virtual clock of a replay: the capture's own time, in milliseconds since its first packet. It never falls,
 * whatever the capture says.
 */

/**
 * The clock goes no further than this, about 139 years. No timeout is as long, and the core walks a leap in steps, so a
 * capture with an absurd time costs some milliseconds and not hours.
 */
export const SPAN_MAX_MS = 2 ** 42;
/** The last time that a Date can be (ECMA-262, Time Values). */
const DATE_MAX_MS = 8.64e15;

const NANOS_PER_MS = 1_000_000;

export class VirtualClock {
  /** Milliseconds since 1970 of the first packet with a time; undefined before it. */
  #startMs: number | undefined;
  #nowMs = 0;

  /** `original`: a clock of which this one is to be a copy. */
  constructor(original?: VirtualClock) {
    if (original === undefined) return;
    this.#startMs = original.#startMs;
    this.#nowMs = original.#nowMs;
  }

  /** Milliseconds since the first packet. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Moves to the time of a packet, seconds and nanoseconds since 1970, unless that lies behind. */
  advance(seconds: number, nanos: number): number {
    const ms = seconds * 1000 + Math.floor(nanos / NANOS_PER_MS);
    this.#startMs ??= ms;
    const elapsed = ms - this.#startMs;
    if (elapsed > this.#nowMs) this.#nowMs = Math.min(elapsed, SPAN_MAX_MS);
    return this.#nowMs;
  }
}

/** The calendar time of a packet, in whole milliseconds and within what a Date can be. */
export function startDate(seconds: number, nanos: number): Date {
  const ms = seconds * 1000 + Math.floor(nanos / NANOS_PER_MS);
  return new Date(Math.max(-DATE_MAX_MS, Math.min(ms, DATE_MAX_MS)));
}
