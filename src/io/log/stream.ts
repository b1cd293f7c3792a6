/** Log lines to a terminal, or to whatever standard output or standard error is. */
import type { Writable } from "node:stream";
import { meaningOf } from "../errors.js";
import type { Transport, TransportEvents } from "./transport.js";

export class StreamTransport implements Transport {
  readonly #stream: Writable;
  #events: TransportEvents | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error) => this.#events?.closed(meaningOf(error)));
  }

  open(events: TransportEvents): void {
    this.#events = events;
    // Later, so that nothing is opened while it is being asked for.
    queueMicrotask(() => events.opened());
  }

  send(lines: readonly Uint8Array[]): void {
    const events = this.#events;
    this.#stream.write(Buffer.concat(lines), (error) => {
      if (error) events?.closed(meaningOf(error));
      else events?.sent(lines.length);
    });
  }

  /** The stream is not ours to close. */
  close(): void {
    this.#events = undefined;
  }
}
