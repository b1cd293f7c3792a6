/**
 * Events of the firewall on their way to the log: gathered over several turns, handed on in one go, and no more of them than
 * a log can take. What is left out is counted.
 */
import type { FirewallEvent } from "../events.js";

/** Events a second, and at once. */
export const EVENTS_PER_SECOND = 2000;
/** They are handed on at the latest after so long. */
export const EVENTS_DELAY_MS = 20;
const SECOND_MS = 1000;

/** Events of one moment. */
export interface EventBatch {
  /** Clock of the box. */
  readonly nowMs: number;
  readonly events: readonly FirewallEvent[];
}

export class EventOutlet {
  readonly #deliver: (batches: readonly EventBatch[]) => void;
  #batches: EventBatch[] = [];
  #tokens = EVENTS_PER_SECOND;
  #filledAtMs = 0;
  #dueMs = Number.POSITIVE_INFINITY;
  /** Events that were left out. */
  lost = 0;

  constructor(deliver: (batches: readonly EventBatch[]) => void) {
    this.#deliver = deliver;
  }

  /** When what was gathered is to be handed on. */
  get deadlineMs(): number {
    return this.#dueMs;
  }

  /** Takes the events of one call of the core. */
  take(events: Iterable<FirewallEvent>, nowMs: number): void {
    const earned = ((nowMs - this.#filledAtMs) * EVENTS_PER_SECOND) / SECOND_MS;
    this.#tokens = Math.min(EVENTS_PER_SECOND, this.#tokens + Math.max(0, earned));
    this.#filledAtMs = nowMs;
    const taken: FirewallEvent[] = [];
    for (const event of events) {
      if (this.#tokens >= 1) {
        this.#tokens--;
        taken.push(event);
      } else this.lost++;
    }
    if (taken.length === 0) return;
    this.#batches.push({ nowMs, events: taken });
    this.#dueMs = Math.min(this.#dueMs, nowMs + EVENTS_DELAY_MS);
  }

  /** Hands on what is due. */
  tick(nowMs: number): void {
    if (nowMs >= this.#dueMs) this.flush();
  }

  /** Hands on everything: before rules have other numbers. */
  flush(): void {
    if (this.#batches.length === 0) return;
    const batches = this.#batches;
    this.#batches = [];
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#deliver(batches);
  }
}
