/** A screen that is drawn anew each so often: at a terminal until a key ends it, elsewhere once with its rates. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ReadStream, WriteStream } from "node:tty";
import { CTRL_C } from "./keys.js";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface ProcessTerminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

/** The terminal that this process reads from and writes to; undefined: it has none. */
export function terminalOfProcess(): ProcessTerminal | undefined {
  const { stdin, stdout } = process;
  return stdin.isTTY && stdout.isTTY ? { input: stdin, output: stdout } : undefined;
}

/** What is to be seen now, or why there is nothing more. */
export type Look = (size: Size) => Promise<string[] | { readonly problem: string }>;

const ALTERNATE_ON = "\u001b[?1049h\u001b[?25l";
const ALTERNATE_OFF = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
/** To the end of the line, and of the screen: what was there before. */
const ERASE_LINE = "\u001b[K";
const ERASE_BELOW = "\u001b[J";

const UNBOUNDED: Size = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY };

/** `to`: a terminal that is drawn on, or who prints the view. @returns why it ended, where that was not the user's wish. */
export function showScreens(
  look: Look,
  intervalMs: number,
  to: ProcessTerminal | ((text: string) => void),
): Promise<string | undefined> {
  return typeof to === "function" ? printOnce(look, intervalMs, to) : redraw(look, intervalMs, to);
}

/** Two looks, for rates need two; the second is printed. */
async function printOnce(
  look: Look,
  intervalMs: number,
  print: (text: string) => void,
): Promise<string | undefined> {
  const first = await look(UNBOUNDED);
  if ("problem" in first) return first.problem;
  await sleep(intervalMs);
  const lines = await look(UNBOUNDED);
  if ("problem" in lines) return lines.problem;
  print(lines.map((line) => `${line}\n`).join(""));
  return undefined;
}

async function redraw(
  look: Look,
  intervalMs: number,
  { input, output }: ProcessTerminal,
): Promise<string | undefined> {
  const ending = new AbortController();
  const onKey = (key: Buffer) => {
    if (["q", "Q", CTRL_C].includes(key.toString("latin1"))) ending.abort();
  };
  input.setRawMode(true);
  input.on("data", onKey);
  output.write(ALTERNATE_ON);
  try {
    while (!ending.signal.aborted) {
      const lines = await look({ columns: output.columns, rows: output.rows });
      if ("problem" in lines) return lines.problem;
      output.write(HOME + lines.map((line) => line + ERASE_LINE).join("\r\n") + ERASE_BELOW);
      await sleep(intervalMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
    return undefined;
  } finally {
    output.write(ALTERNATE_OFF);
    input.off("data", onKey);
    input.setRawMode(false);
    input.pause();
  }
}
