/** A log that runs, and the programs that it is tested against. */
import { type ChildProcess, spawn } from "node:child_process";
import { PassThrough } from "node:stream";
import { Logging, type LoggingOptions } from "../../src/io/log/logging.js";
import type { LogTime } from "../../src/log/index.js";
import { configOf } from "./records.js";

export interface LiveLog {
  readonly logging: Logging;
  /** What the terminal has been shown. */
  terminal(): string;
}

export function startLogging(config: string, options: Partial<LoggingOptions> = {}): LiveLog {
  const terminal = new PassThrough();
  let shown = "";
  terminal.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const startMs = performance.now();
  const now = (): LogTime => ({ wallMs: Date.now(), uptimeMs: performance.now() - startMs });
  const logging = new Logging({
    config: configOf(config),
    settings: { consoleFormat: "ios" },
    hosts: {},
    terminal,
    now,
    version: "1.2.3",
    processId: 4711,
    ...options,
  });
  return { logging, terminal: () => shown };
}

/** Waits until something holds, which it has to within ten seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A program that is ended with the test. */
export class Program {
  readonly child: ChildProcess;
  output = "";

  constructor(command: string, words: readonly string[]) {
    this.child = spawn(command, words, { stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    await ended;
  }
}
