/**
 * The keyboard of the interactive console: what is typed goes to the line editor, but for the keys that mean something at
 * once. While a command prints, only Ctrl-C does; at a pause, every key.
 */
import { PassThrough } from "node:stream";
import type { ReadStream } from "node:tty";

export const CTRL_C = "\u0003";
export const CTRL_Z = "\u001a";

/** Keys, or pasted texts, that are kept for the line editor while a command prints. */
const TYPED_AHEAD_MAX = 256;

export interface KeyHandlers {
  /** A `?` on its own, not within a pasted text. */
  onHelp(): void;
  /** Ctrl-Z. */
  onEnd(): void;
  /** Ctrl-C while a command prints. */
  onInterrupt(): void;
}

export class Keyboard extends PassThrough {
  readonly isTTY = true;
  readonly #source: ReadStream;
  readonly #handlers: KeyHandlers;
  #mode: "edit" | "output" = "edit";
  /** What was typed while a command printed, key by key. */
  #typedAhead: string[] = [];
  #onKey: ((key: string) => void) | undefined;

  constructor(source: ReadStream, handlers: KeyHandlers) {
    super();
    this.#source = source;
    this.#handlers = handlers;
    source.on("data", this.#onData);
    source.on("end", () => this.end());
  }

  /** Lets go of the terminal, so that the process can end. */
  close(): void {
    this.#source.off("data", this.#onData);
    this.#source.pause();
  }

  readonly #onData = (chunk: Buffer): void => this.#take(chunk.toString("utf8"));

  /** The line editor asks for it. */
  setRawMode(isRaw: boolean): this {
    this.#source.setRawMode(isRaw);
    return this;
  }

  /** A command prints from now on, or no longer. */
  setOutput(isOutput: boolean): void {
    this.#mode = isOutput ? "output" : "edit";
    if (isOutput) return;
    for (const typed of this.#typedAhead.splice(0)) this.#take(typed);
  }

  /** The next key that is pressed. */
  key(): Promise<string> {
    return new Promise((resolve) => {
      this.#onKey = resolve;
    });
  }

  #take(typed: string): void {
    const onKey = this.#onKey;
    if (onKey !== undefined) {
      this.#onKey = undefined;
      onKey(typed);
    } else if (this.#mode === "output") {
      if (typed.includes(CTRL_C)) {
        this.#typedAhead = [];
        this.#handlers.onInterrupt();
      } else if (this.#typedAhead.length < TYPED_AHEAD_MAX) this.#typedAhead.push(typed);
    } else if (typed === "?") this.#handlers.onHelp();
    else if (typed === CTRL_Z) this.#handlers.onEnd();
    else this.write(typed);
  }
}
