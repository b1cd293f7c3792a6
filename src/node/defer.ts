/**
 * First replies that wait until the standby knows their session (`ip inspect redundancy defer`). The wait is bounded in
 * time and in number; giving up is counted.
 */

/** Longest wait. */
export const DEFER_MAX_MS = 250;
/** Replies that may wait; further ones leave at once. */
export const DEFERRED_MAX = 4096;

/** What waited has been acknowledged, was given up, was discarded because the role was lost, or still waits. */
export interface DeferCounters {
  waited: number;
  acknowledged: number;
  gaveUp: number;
  discarded: number;
  /** There was no room to wait. */
  refused: number;
}

const NOTHING: DeferCounters = { waited: 0, acknowledged: 0, gaveUp: 0, discarded: 0, refused: 0 };

interface Deferred {
  readonly token: number;
  /** Records that the peer must have acknowledged. */
  readonly number: bigint;
  readonly untilMs: number;
}

/** A reply that may leave. */
export interface Released {
  readonly token: number;
  readonly isAcknowledged: boolean;
}

export class DeferQueue {
  readonly counters: DeferCounters;
  #waiting: Deferred[];

  /** `original`: a queue of which this one is to be a copy. */
  constructor(original?: DeferQueue) {
    this.counters = { ...(original?.counters ?? NOTHING) };
    this.#waiting = original === undefined ? [] : [...original.#waiting];
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** When the first one has waited long enough; Infinity: none waits. */
  get deadlineMs(): number {
    return this.#waiting[0]?.untilMs ?? Number.POSITIVE_INFINITY;
  }

  /** Has a reply wait for record `number`. False: it leaves now. */
  add(token: number, number: bigint, nowMs: number): boolean {
    if (this.#waiting.length >= DEFERRED_MAX) {
      this.counters.refused++;
      return false;
    }
    this.counters.waited++;
    this.#waiting.push({ token, number, untilMs: nowMs + DEFER_MAX_MS });
    return true;
  }

  /** Those that may leave, in their order: `acknowledged` records have been, or their time is over. */
  release(acknowledged: bigint, nowMs: number): Released[] {
    const released: Released[] = [];
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const isAcknowledged = acknowledged >= first.number;
      if (!isAcknowledged && first.untilMs > nowMs) break;
      this.#waiting.shift();
      if (isAcknowledged) this.counters.acknowledged++;
      else this.counters.gaveUp++;
      released.push({ token: first.token, isAcknowledged });
    }
    return released;
  }

  /** The peer that they wait for is gone: all of them may leave. */
  abandon(): Released[] {
    const released = this.#forget().map((token) => ({ token, isAcknowledged: false }));
    this.counters.gaveUp += released.length;
    return released;
  }

  /** None of them may leave any more; the tokens. */
  discard(): number[] {
    const tokens = this.#forget();
    this.counters.discarded += tokens.length;
    return tokens;
  }

  #forget(): number[] {
    const tokens = this.#waiting.map(({ token }) => token);
    this.#waiting = [];
    return tokens;
  }
}
