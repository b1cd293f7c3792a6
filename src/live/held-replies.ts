/** Frames that wait until the peer knows their session (src/node/defer.ts says for how long, and how many). */
export interface HeldFrame {
  /** The port that it is to leave by, and the number of its interface. */
  readonly port: number;
  readonly egress: number;
  /** Its own bytes. */
  readonly frame: Uint8Array;
}

export class HeldReplies {
  readonly #frames = new Map<number, HeldFrame>();
  #next = 0;

  /** The token that the next frame will have. */
  get nextToken(): number {
    return this.#next;
  }

  /** Keeps a frame under `nextToken`. */
  keep(frame: HeldFrame): void {
    this.#frames.set(this.#next, frame);
    this.#next = (this.#next + 1) >>> 0;
  }

  /** The frame of a token, which is forgotten. */
  take(token: number): HeldFrame | undefined {
    const held = this.#frames.get(token);
    this.#frames.delete(token);
    return held;
  }
}
