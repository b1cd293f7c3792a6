/**
 * A session on a terminal that sends lines: what it types goes in, what it is to see comes out, prompts and pauses
 * included. The terminal echoes what is typed; nothing here does.
 */
import type { ConsoleSession, Output } from "./session.js";

/** What is shown at a pause, and what takes it away again. */
export const MORE = " --More-- ";
export const MORE_ERASED = `\r${" ".repeat(MORE.length)}\r`;

/** How much further at a pause: lines, or not at all. A space is another page, the return key another line. */
export function linesAfterPause(key: string, length: number): number {
  if (key === " ") return length;
  return key === "" || key === "\r" || key === "\n" ? 1 : 0;
}

/** Where output goes. Resolves when more may be written; false: nobody takes it any more. */
export type Write = (text: string) => Promise<boolean>;

export class LineTerminal {
  readonly #session: ConsoleSession;
  readonly #write: Write;
  /** A command's output, at a pause. */
  #paused: Output | undefined;

  constructor(session: ConsoleSession, write: Write) {
    this.#session = session;
    this.#write = write;
  }

  get isOver(): boolean {
    return this.#session.isOver;
  }

  /** Prints the first prompt. */
  async start(): Promise<void> {
    await this.#write(await this.#session.prompt());
  }

  /** Takes one line, without its end. */
  async line(text: string): Promise<void> {
    const paused = this.#paused;
    if (paused === undefined) {
      await this.#print(this.#session.run(text), this.#session.terminal.length);
      return;
    }
    this.#paused = undefined;
    const count = linesAfterPause(text, this.#session.terminal.length);
    if (count > 0) await this.#print(paused, count);
    else {
      await paused.return(true);
      await this.#prompt();
    }
  }

  /** A log line, where the session wants them. */
  async log(line: string): Promise<void> {
    if (this.#session.terminal.isMonitoring) await this.#write(line);
  }

  /** @param count lines before a pause; 0: none. */
  async #print(output: Output, count: number): Promise<void> {
    for (let printed = 0; ; printed++) {
      const { value, done } = await output.next();
      if (done) break;
      if (count > 0 && printed === count) {
        this.#paused = prepend(value, output);
        await this.#write(MORE);
        return;
      }
      if (!(await this.#write(value))) {
        await output.return(true);
        return;
      }
    }
    await this.#prompt();
  }

  async #prompt(): Promise<void> {
    if (!this.#session.isOver) await this.#write(await this.#session.prompt());
  }
}

async function* prepend(first: string, rest: Output): Output {
  try {
    yield first;
    return yield* rest;
  } finally {
    await rest.return(true);
  }
}
