/** A process in a namespace of a lab: its lines, its log, its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { monotonicMs } from "./system.js";

export interface ProgramOptions {
  /** Processor that it is bound to. */
  readonly cpu?: number;
  /** File that gets what it prints. */
  readonly log?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

/** Lines of a program that are kept for messages. */
const LINES_MAX = 100_000;

export class Program {
  /** What it printed, standard output and errors mixed, without line ends. */
  readonly lines: string[] = [];
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #log: WriteStream | undefined;
  readonly #what: string;
  readonly #ended: Promise<void>;
  #listeners: (() => void)[] = [];
  #hasEnded = false;

  constructor(
    namespace: string,
    command: string,
    parameters: readonly string[],
    options: ProgramOptions = {},
  ) {
    // Both become the command itself: no process of theirs stands between, and its number is that of the command.
    const before = options.cpu === undefined ? [] : ["taskset", "-c", String(options.cpu)];
    const [first, ...rest] = ["ip", "netns", "exec", namespace, ...before, command, ...parameters];
    this.#what = command;
    this.#log = options.log === undefined ? undefined : createWriteStream(options.log, { flags: "a" });
    this.#process = spawn(first!, rest, {
      stdio: ["pipe", "pipe", "pipe"],
      cwd: options.directory,
      env: { ...process.env, ...options.environment },
    });
    this.pid = this.#process.pid ?? 0;
    const closed = new Promise<void>((resolve) => {
      this.#process.on("close", () => resolve());
      this.#process.on("error", (error) => {
        this.#take(error.message);
        resolve();
      });
    });
    this.#ended = closed.then(() => {
      this.#hasEnded = true;
      this.#log?.end();
      this.#tell();
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      createInterface({ input: stream }).on("line", (line) => this.#take(line));
    // A command to a program that has just ended is lost; its end is what the caller sees.
    this.#process.stdin!.on("error", () => {});
  }

  #take(line: string): void {
    this.#log?.write(line + "\n");
    this.lines.push(line);
    if (this.lines.length > LINES_MAX) this.lines.shift();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The number with which it ended, or the signal; undefined while it runs. */
  get ending(): number | NodeJS.Signals | undefined {
    return this.#process.exitCode ?? this.#process.signalCode ?? undefined;
  }

  /** Waits for a line that it prints, or has printed, from line number `from` on. Throws when it ends before, or is too late. */
  async line(wanted: (line: string) => boolean, from = 0, timeoutMs = 10_000): Promise<string> {
    const endMs = monotonicMs() + timeoutMs;
    for (;;) {
      const found = this.lines.slice(from).find(wanted);
      if (found !== undefined) return found;
      const leftMs = endMs - monotonicMs();
      if (this.#hasEnded || leftMs <= 0) {
        const why = this.#hasEnded ? `ended with ${this.ending}` : `said nothing of it in ${timeoutMs} ms`;
        throw new Error(`${this.#what} ${why}; its last lines:\n${this.lines.slice(-20).join("\n")}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#listeners.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Writes a line to its standard input. */
  say(line: string): void {
    this.#process.stdin!.write(line + "\n");
  }

  /** Sends a signal, to this process alone: SIGSTOP and SIGCONT hang it and let it go on. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#hasEnded) this.#process.kill(signal);
  }

  /** Waits for its end. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** kill -9, which also ends a hung one, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#ended;
  }

  /** Asks it to end, and kills it when it has not after that time. */
  async stop(signal: NodeJS.Signals = "SIGTERM", patienceMs = 3000): Promise<void> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), patienceMs);
    await this.#ended;
    clearTimeout(timer);
  }
}
