/**
 * Debug lines on their way from a thread to the log: those that are wanted, gathered over several turns, and no more of them
 * than a person and a log can take. What is left out is counted and told.
 */
import { type DebugLine, type DebugTopic, type DebugView, isWanted, NO_DEBUG } from "./topics.js";

/** Lines a second of one thread, and at once. */
export const DEBUG_LINES_PER_SECOND = 100;
/** Lines are handed on at the latest after so long; what was left out is told so often. */
export const DEBUG_DELAY_MS = 20;
export const DEBUG_DROPS_MS = 1000;
const SECOND_MS = 1000;

/** What is handed on. */
export interface DebugBatch {
  readonly lines: readonly { readonly text: string; readonly atMs: number }[];
  /** Lines that were left out since the last batch that told of some. */
  readonly dropped: number;
}

export class DebugOutlet {
  readonly #deliver: (batch: DebugBatch) => void;
  #view = NO_DEBUG;
  #topics: ReadonlySet<DebugTopic> = new Set();
  #lines: { readonly text: string; readonly atMs: number }[] = [];
  #dropped = 0;
  #tokens = DEBUG_LINES_PER_SECOND;
  #filledAtMs = 0;
  #linesDueMs = Number.POSITIVE_INFINITY;
  #dropsDueMs = Number.POSITIVE_INFINITY;
  #dropsToldAtMs = Number.NEGATIVE_INFINITY;

  constructor(deliver: (batch: DebugBatch) => void) {
    this.#deliver = deliver;
  }

  configure(view: DebugView): void {
    this.#view = view;
    this.#topics = new Set(view.topics);
  }

  /** Something is debugged. */
  get isOn(): boolean {
    return this.#topics.size > 0;
  }

  isDebugged(topic: DebugTopic): boolean {
    return this.#topics.has(topic);
  }

  /** When there is something to hand on. */
  get deadlineMs(): number {
    return Math.min(this.#linesDueMs, this.#dropsDueMs);
  }

  /** Tells a line if one of its topics is debugged, a condition holds, and there is room for it. */
  offer({ topics, subject, text }: DebugLine, nowMs: number): void {
    if (!topics.some((topic) => this.#topics.has(topic)) || !isWanted(subject, this.#view.conditions)) return;
    if (!this.#hasRoom(nowMs)) return;
    this.#lines.push({ text: text(), atMs: nowMs });
    this.#linesDueMs = Math.min(this.#linesDueMs, nowMs + DEBUG_DELAY_MS);
  }

  /** Room for one line more is taken. False: there is none, which is counted. */
  #hasRoom(nowMs: number): boolean {
    const earned = (Math.max(0, nowMs - this.#filledAtMs) * DEBUG_LINES_PER_SECOND) / SECOND_MS;
    this.#tokens = Math.min(DEBUG_LINES_PER_SECOND, this.#tokens + earned);
    this.#filledAtMs = nowMs;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return true;
    }
    this.#dropped++;
    this.#dropsDueMs = Math.min(this.#dropsDueMs, Math.max(nowMs, this.#dropsToldAtMs + DEBUG_DROPS_MS));
    return false;
  }

  /** Hands on what is due. */
  tick(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    const areDropsDue = nowMs >= this.#dropsDueMs;
    const batch = { lines: this.#lines, dropped: areDropsDue ? this.#dropped : 0 };
    this.#lines = [];
    this.#linesDueMs = Number.POSITIVE_INFINITY;
    if (areDropsDue) {
      this.#dropped = 0;
      this.#dropsDueMs = Number.POSITIVE_INFINITY;
      this.#dropsToldAtMs = nowMs;
    }
    this.#deliver(batch);
  }
}
