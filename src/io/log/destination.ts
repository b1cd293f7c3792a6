/** A destination of log lines: the machine that decides (delivery.ts), what it decides about, and the time. */
import { Delivery, type DeliveryInput, type DeliveryOptions, type DeliveryView } from "../../log/index.js";
import type { Transport, TransportEvents } from "./transport.js";

/** How long an orderly end waits for lines that are on their way. */
const CLOSE_WAIT_MS = 2000;

export interface DestinationOptions extends DeliveryOptions {
  readonly transport: Transport;
  readonly monotonicMs: () => number;
  /** Takes what there is to say about the destination, for the log. */
  readonly note: (text: string) => void;
}

export class Destination {
  readonly #options: DestinationOptions;
  readonly #delivery: Delivery;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  /** Of the transport: what an earlier one still says is not listened to. */
  #opening = 0;
  #onEmpty: (() => void) | undefined;
  #isClosed = false;

  constructor(options: DestinationOptions) {
    this.#options = options;
    this.#delivery = new Delivery(options);
    this.#step({ kind: "start" });
  }

  view(): DeliveryView {
    return this.#delivery.view();
  }

  write(bytes: Uint8Array): void {
    this.#step({ kind: "line", bytes });
  }

  /** Opens it anew, when what has been sent has been taken. */
  reopen(): void {
    this.#step({ kind: "reopen" });
  }

  /** Resolves when everything has been taken, or will not be in time. */
  async close(): Promise<void> {
    if (this.#delivery.view().queuedLines > 0) {
      await new Promise<void>((resolve) => {
        const patience = setTimeout(resolve, CLOSE_WAIT_MS);
        this.#onEmpty = () => {
          clearTimeout(patience);
          resolve();
        };
      });
    }
    this.#isClosed = true;
    this.#opening++;
    clearTimeout(this.#timer);
    this.#options.transport.close();
  }

  #step(input: DeliveryInput): void {
    if (this.#isClosed) return;
    const { transport, monotonicMs, note } = this.#options;
    for (const action of this.#delivery.step(input, monotonicMs())) {
      if (action.kind === "open") transport.open(this.#events(++this.#opening));
      else if (action.kind === "send") transport.send(action.lines);
      else if (action.kind === "note") note(action.text);
      else {
        this.#opening++;
        transport.close();
      }
    }
    this.#setTimer();
    if (this.#delivery.view().queuedLines === 0) this.#onEmpty?.();
  }

  #events(opening: number): TransportEvents {
    const take = (input: DeliveryInput): void => {
      if (opening === this.#opening) this.#step(input);
    };
    return {
      opened: () => take({ kind: "opened" }),
      closed: (problem) => take({ kind: "closed", problem }),
      sent: (lines) => take({ kind: "sent", lines }),
      note: this.#options.note,
    };
  }

  #setTimer(): void {
    const atMs = this.#delivery.deadlineMs;
    if (atMs === this.#timerAtMs) return;
    this.#timerAtMs = atMs;
    clearTimeout(this.#timer);
    if (!Number.isFinite(atMs)) return;
    const waitMs = Math.ceil(Math.max(0, atMs - this.#options.monotonicMs()));
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#step({ kind: "tick" });
    }, waitMs);
    // A log that waits keeps no process alive.
    this.#timer.unref();
  }
}
