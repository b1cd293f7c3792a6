/**
 * How lines get to a destination that can fail: a file whose disk is full, a host that does not answer, a terminal that
 * has been stopped. One machine for all of them; what opens, sends and closes is in src/io/log/.
 *
 *   waiting --time--> opening --opened--> open        closed: back to waiting, each time for twice as long
 *
 * Lines wait in a queue with a bound, in their order; those that are with the destination stay in it until they are
 * confirmed, and are sent again when it is closed before. A line that finds the queue full is lost: that is counted, announced when
 * the queue is three quarters full, before it happens, and told of when lines are taken again.
 */
import { type Deque, dequeLength, itemAt, newDeque, pushBack, takeFront } from "../deque.js";

export interface DeliveryOptions {
  /** In log lines: `host 10.0.0.5 port 514`, `file /var/log/twinwall.log`. */
  readonly name: string;
  /** How long lines that were sent may stay unconfirmed before the destination is opened anew. */
  readonly stallMs?: number;
  readonly queueBytesMax?: number;
}

export type DeliveryInput =
  | { readonly kind: "start" }
  | { readonly kind: "line"; readonly bytes: Uint8Array }
  /** What was asked for by the last "open" works now. */
  | { readonly kind: "opened" }
  /** The destination could not be opened, or takes no more. */
  | { readonly kind: "closed"; readonly problem: string }
  /** It has taken the next lines, so many. */
  | { readonly kind: "sent"; readonly lines: number }
  /** Close it when everything that is with it is confirmed, and open it again. */
  | { readonly kind: "reopen" }
  | { readonly kind: "tick" };

export type DeliveryAction =
  | { readonly kind: "open" }
  | { readonly kind: "send"; readonly lines: readonly Uint8Array[] }
  /** Whatever is open or opening is to be forgotten; no "closed" follows. */
  | { readonly kind: "close" }
  /** For the log. */
  | { readonly kind: "note"; readonly text: string };

export interface DeliveryView {
  readonly name: string;
  readonly status: "waiting" | "opening" | "open";
  readonly sentLines: number;
  readonly lostLines: number;
  readonly queuedLines: number;
  readonly queuedBytes: number;
  /** Times that it could not be opened or was closed. */
  readonly failures: number;
  /** Why it is not open. */
  readonly problem: string | undefined;
}

export const QUEUE_BYTES_MAX = 1024 * 1024;
/** What a line in the queue costs besides its bytes. */
const LINE_OVERHEAD_BYTES = 64;
/** Bytes that are with the destination at a time, at least one line. */
const BATCH_BYTES_MAX = 128 * 1024;
export const BACKOFF_FIRST_MS = 1000;
export const BACKOFF_MAX_MS = 60_000;
export const OPEN_TIMEOUT_MS = 10_000;
export const STALL_MS = 30_000;
/** Shares of the queue from which on loss is announced, and below which it is over. */
const QUEUE_HIGH = 0.75;
const QUEUE_LOW = 0.5;
const NEVER_MS = Number.POSITIVE_INFINITY;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #bytesMax: number;
  #status: DeliveryView["status"] = "waiting";
  /** The first of them are with the destination. */
  #queue: Deque<Uint8Array> = newDeque();
  #queuedBytes = 0;
  #flightLines = 0;
  /** The next attempt, or the end of patience. */
  #deadlineMs = NEVER_MS;
  #backoffMs = BACKOFF_FIRST_MS;
  #isReopening = false;
  /** The outage has been told of; the queue has been said to fill. */
  #isDown = false;
  #isHigh = false;
  #problem: string | undefined;
  #lost = 0;
  #lostUntold = 0;
  #sent = 0;
  #failures = 0;
  #actions: DeliveryAction[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#bytesMax = options.queueBytesMax ?? QUEUE_BYTES_MAX;
  }

  /** When the next "tick" is due. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  view(): DeliveryView {
    return {
      name: this.#options.name,
      status: this.#status,
      sentLines: this.#sent,
      lostLines: this.#lost,
      queuedLines: dequeLength(this.#queue),
      queuedBytes: this.#queuedBytes,
      failures: this.#failures,
      problem: this.#problem,
    };
  }

  step(input: DeliveryInput, nowMs: number): DeliveryAction[] {
    this.#take(input, nowMs);
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  #take(input: DeliveryInput, nowMs: number): void {
    switch (input.kind) {
      case "start":
        this.#open(nowMs);
        return;
      case "line":
        this.#enqueue(input.bytes);
        this.#send(nowMs);
        return;
      case "opened":
        if (this.#status === "opening") this.#opened(nowMs);
        return;
      case "closed":
        this.#closed(input.problem, nowMs);
        return;
      case "sent":
        this.#confirm(input.lines, nowMs);
        return;
      case "reopen":
        this.#isReopening = this.#status === "open";
        this.#send(nowMs);
        return;
      case "tick":
        if (nowMs >= this.#deadlineMs) this.#overdue(nowMs);
        return;
    }
  }

  #open(nowMs: number): void {
    this.#status = "opening";
    this.#deadlineMs = nowMs + OPEN_TIMEOUT_MS;
    this.#actions.push({ kind: "open" });
  }

  #opened(nowMs: number): void {
    this.#status = "open";
    this.#problem = undefined;
    this.#deadlineMs = NEVER_MS;
    if (this.#isDown) this.#note(`%SYS-6-LOGGINGHOST_STARTSTOP: Logging to ${this.#options.name} started`);
    this.#isDown = false;
    this.#send(nowMs);
  }

  #closed(problem: string, nowMs: number): void {
    if (this.#status === "waiting") return;
    this.#status = "waiting";
    this.#flightLines = 0;
    this.#isReopening = false;
    this.#failures++;
    this.#problem = problem;
    this.#deadlineMs = nowMs + this.#backoffMs;
    this.#backoffMs = Math.min(2 * this.#backoffMs, BACKOFF_MAX_MS);
    if (!this.#isDown)
      this.#note(`%SYS-3-LOGGINGHOST_FAIL: Logging to ${this.#options.name} failed: ${problem}`);
    this.#isDown = true;
  }

  #overdue(nowMs: number): void {
    if (this.#status === "waiting") {
      this.#open(nowMs);
      return;
    }
    this.#actions.push({ kind: "close" });
    this.#closed(this.#status === "opening" ? "no answer" : "it takes no more", nowMs);
  }

  #enqueue(bytes: Uint8Array): void {
    const size = bytes.length + LINE_OVERHEAD_BYTES;
    if (this.#queuedBytes + size > this.#bytesMax) {
      this.#lost++;
      this.#lostUntold++;
      return;
    }
    pushBack(this.#queue, bytes);
    this.#queuedBytes += size;
    if (this.#isHigh || this.#queuedBytes < QUEUE_HIGH * this.#bytesMax) return;
    this.#isHigh = true;
    const lines = `${dequeLength(this.#queue)} lines wait`;
    const cause = this.#problem === undefined ? "" : ` (${this.#problem})`;
    this.#note(
      `%SYS-4-LOGQUEUE: Logging to ${this.#options.name} is behind${cause}: ${lines}, soon they will be lost`,
    );
  }

  /** Hands over what the destination may have, or, when it has nothing left to confirm, opens it anew. */
  #send(nowMs: number): void {
    if (this.#status !== "open") return;
    if (this.#isReopening) {
      if (this.#flightLines > 0) return;
      this.#isReopening = false;
      this.#actions.push({ kind: "close" });
      this.#open(nowMs);
      return;
    }
    // One batch at a time: what comes meanwhile goes out as one, too.
    if (this.#flightLines > 0) return;
    const lines: Uint8Array[] = [];
    let bytes = 0;
    for (;;) {
      const next = itemAt(this.#queue, lines.length);
      if (next === undefined || (bytes > 0 && bytes + next.length > BATCH_BYTES_MAX)) break;
      bytes += next.length;
      lines.push(next);
    }
    if (lines.length === 0) return;
    this.#flightLines = lines.length;
    this.#deadlineMs = nowMs + (this.#options.stallMs ?? STALL_MS);
    this.#actions.push({ kind: "send", lines });
  }

  #confirm(lines: number, nowMs: number): void {
    const confirmed = Math.min(lines, this.#flightLines);
    if (confirmed === 0) return;
    for (let i = 0; i < confirmed; i++) {
      this.#queuedBytes -= takeFront(this.#queue)!.length + LINE_OVERHEAD_BYTES;
    }
    this.#sent += confirmed;
    this.#flightLines -= confirmed;
    this.#backoffMs = BACKOFF_FIRST_MS;
    this.#deadlineMs = this.#flightLines === 0 ? NEVER_MS : nowMs + (this.#options.stallMs ?? STALL_MS);
    if (this.#queuedBytes <= QUEUE_LOW * this.#bytesMax) this.#tellLoss();
    this.#send(nowMs);
  }

  #tellLoss(): void {
    this.#isHigh = false;
    if (this.#lostUntold === 0) return;
    this.#note(`%SYS-4-LOGLOST: ${this.#lostUntold} lines to ${this.#options.name} were lost`);
    this.#lostUntold = 0;
  }

  #note(text: string): void {
    this.#actions.push({ kind: "note", text });
  }
}
