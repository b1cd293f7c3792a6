/**
 * The writing end of a ring of messages of which some must arrive: those wait here while the ring is full, in their order.
 * What may be lost (a frame) finds no room as long as anything waits, so that nothing overtakes.
 */
import type { RingMemory } from "../ring.js";
import { RingWriter } from "../ring.js";

export class Outbox<M> {
  readonly #ring: RingWriter;
  readonly #write: (ring: RingWriter, message: M) => boolean;
  #waiting: M[] = [];
  /** Messages that could have been lost and were. */
  refused = 0;

  constructor(ring: RingMemory, write: (ring: RingWriter, message: M) => boolean) {
    this.#ring = new RingWriter(ring);
    this.#write = write;
  }

  /** Something waits for room. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Has a message arrive, now or later. It may wait: its bytes have to stay as they are. */
  post(message: M): void {
    if (this.isWaiting || !this.#write(this.#ring, message)) this.#waiting.push(message);
  }

  /** Writes a message that may be lost. */
  offer(message: M): void {
    if (this.isWaiting || !this.#write(this.#ring, message)) this.refused++;
  }

  /** Writes what waits, as far as there is room now. True: something was written. */
  flush(): boolean {
    let written = 0;
    while (written < this.#waiting.length && this.#write(this.#ring, this.#waiting[written]!)) written++;
    if (written > 0) this.#waiting = this.#waiting.slice(written);
    return written > 0;
  }
}
