/** `twinwall console` at a terminal: line editor, history, completion and `?` by the firewall's own table, pauses. */
import { createInterface, type Interface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import { linesAfterPause, MORE, MORE_ERASED } from "../../console/terminal.js";
import type { Completion } from "../../console/session.js";
import { type ConsoleClient, connectConsole } from "./client.js";
import { HISTORY_LINES_MAX, readHistory, writeHistory } from "./history.js";
import { CTRL_C, Keyboard } from "./keys.js";
import type { Result } from "../io.js";

/** Lines of a terminal that does not say. */
const ROWS_DEFAULT = 24;

export interface InteractiveOptions {
  readonly path: string;
  readonly historyPath: string;
  readonly input: ReadStream;
  readonly output: WriteStream;
}

/** Runs until the session ends; the result is why, where that was not the user's wish. */
export async function runInteractive(options: InteractiveOptions): Promise<Result<undefined>> {
  const terminal: { current?: InteractiveConsole } = {};
  const connected = await connectConsole(options.path, {
    onLog: (text) => terminal.current?.log(text),
    onEnd: (reason) => terminal.current?.ended(reason),
  });
  if ("problem" in connected) return connected;
  terminal.current = new InteractiveConsole(connected.value, options);
  return terminal.current.run();
}

class InteractiveConsole {
  readonly #client: ConsoleClient;
  readonly #options: InteractiveOptions;
  readonly #keyboard: Keyboard;
  readonly #editor: Interface;
  #isPrinting = false;
  #isOver = false;
  #problem: string | undefined;
  #finish: () => void = () => undefined;
  /** Lines that are to be printed, and how many more before a pause. */
  #shown: string[] = [];
  #room = 0;
  #isDiscarding = false;
  #printing: Promise<void> = Promise.resolve();

  constructor(client: ConsoleClient, options: InteractiveOptions) {
    this.#client = client;
    this.#options = options;
    this.#keyboard = new Keyboard(options.input, {
      onHelp: () => void this.#help(),
      onEnd: () => void this.#end(),
      onInterrupt: () => this.#interrupt(),
    });
    this.#editor = createInterface({
      input: this.#keyboard,
      output: options.output,
      terminal: true,
      history: readHistory(options.historyPath),
      historySize: HISTORY_LINES_MAX,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) =>
        void this.#complete(line, done),
    });
  }

  async run(): Promise<Result<undefined>> {
    const editor = this.#editor;
    editor.on("history", (lines) => writeHistory(this.#options.historyPath, lines));
    editor.on("line", (line) => void this.#line(line));
    editor.on("SIGINT", () => {
      this.#options.output.write("^C\n");
      editor.write(null, { ctrl: true, name: "u" });
      editor.prompt();
    });
    const over = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    // Ctrl-Z is a command here; it never stops the process.
    editor.on("SIGTSTP", () => undefined);
    editor.on("close", () => {
      this.#isOver = true;
      this.#client.close();
      this.#finish();
    });
    await this.#line("");
    await over;
    this.#keyboard.close();
    return this.#problem === undefined ? { value: undefined } : { problem: this.#problem };
  }

  log(text: string): void {
    if (this.#isPrinting) {
      this.#options.output.write(text);
      return;
    }
    // Over the line that is being typed, which is drawn again below it.
    this.#options.output.write(`\r\u001b[J${text}`);
    this.#editor.prompt(true);
  }

  ended(reason: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#problem = reason ?? "the firewall has ended the connection";
    this.#editor.close();
    this.#finish();
  }

  async #line(line: string): Promise<void> {
    this.#setPrinting(true);
    const id = this.#client.nextId;
    this.#room = this.#pageLines();
    this.#isDiscarding = false;
    const reply = await this.#client.ask({ line }, (text) => this.#print(text, id));
    await this.#printing;
    this.#setPrinting(false);
    if (this.#isOver) return;
    if (reply.isOver) {
      this.#editor.close();
      return;
    }
    this.#editor.setPrompt(reply.prompt ?? "");
    this.#editor.prompt();
  }

  #setPrinting(isPrinting: boolean): void {
    this.#isPrinting = isPrinting;
    this.#keyboard.setOutput(isPrinting);
  }

  #pageLines(): number {
    return Math.max(1, (this.#options.output.rows || ROWS_DEFAULT) - 1);
  }

  /** Prints a piece of output, with a pause whenever the screen is full. */
  #print(text: string, id: number): void {
    this.#shown.push(...text.split(/(?<=\n)/));
    this.#printing = this.#printing.then(() => this.#printShown(id));
  }

  async #printShown(id: number): Promise<void> {
    const { output } = this.#options;
    for (let line = this.#shown.shift(); line !== undefined; line = this.#shown.shift()) {
      if (this.#isDiscarding) continue;
      if (this.#room === 0 && !(await this.#pause(id))) continue;
      output.write(line);
      this.#room--;
    }
  }

  /** Waits for a key; false: the rest is not wanted. */
  async #pause(id: number): Promise<boolean> {
    const { output } = this.#options;
    this.#client.pause();
    output.write(MORE);
    const key = await this.#keyboard.key();
    output.write(MORE_ERASED);
    this.#client.resume();
    this.#room = key === CTRL_C ? 0 : linesAfterPause(key, this.#pageLines());
    if (this.#room > 0) return true;
    this.#isDiscarding = true;
    this.#client.cancel(id);
    return false;
  }

  #interrupt(): void {
    this.#isDiscarding = true;
    this.#client.cancel(this.#client.nextId - 1);
    this.#options.output.write("^C\n");
  }

  /** Prints what could stand at the cursor, and the line again. */
  async #help(): Promise<void> {
    const { output } = this.#options;
    const beginning = this.#editor.line.slice(0, this.#editor.cursor);
    const reply = await this.#client.ask({ help: beginning });
    output.write(`?\n${String(reply.data ?? "")}`);
    this.#editor.prompt(true);
  }

  async #complete(line: string, done: (error: null, result: [string[], string]) => void): Promise<void> {
    const { data } = await this.#client.ask({ complete: line });
    const { start, words } = (data ?? { start: line.length, words: [] }) as Completion;
    // The only way on is followed by a space, as the next word begins there.
    done(null, [words.length === 1 ? [`${words[0]} `] : [...words], line.slice(start)]);
  }

  /** Ctrl-Z leaves the configuration. */
  async #end(): Promise<void> {
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#editor.write(null, { ctrl: true, name: "u" });
    if (!this.#editor.getPrompt().includes("(config")) return;
    this.#options.output.write("^Z\n");
    await this.#line("end");
  }
}
