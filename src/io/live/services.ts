/** What the main thread of a live box has beside the box: the log, and the console with its socket. */
import type { Config } from "../../config/model.js";
import type { LogFormat } from "../../log/index.js";
import { EventLog } from "../../report/log.js";
import { type ConsoleServer, startConsole } from "../console/server.js";
import { type Io, isProblem, type Result } from "../io.js";
import { Logging } from "../log/logging.js";
import { LiveBackend } from "./backend.js";
import type { LiveBox, LiveReport } from "./live-box.js";

export interface ServiceOptions {
  readonly config: Config;
  readonly configFile: string | undefined;
  readonly io: Io;
  /** Path of the console's socket. */
  readonly socket: string;
  readonly sessionsMax: number;
  readonly logFile?: { readonly path: string; readonly format: LogFormat } | undefined;
  readonly consoleFormat: LogFormat;
}

/** The log, which is there before the box is and after it has ended. */
export class Services {
  readonly logging: Logging;
  readonly #options: ServiceOptions;
  readonly #startMs: number;
  #events: EventLog | undefined;
  #backend: LiveBackend | undefined;
  #console: ConsoleServer | undefined;

  constructor(options: ServiceOptions) {
    const { config, io, logFile, consoleFormat } = options;
    this.#options = options;
    this.#startMs = io.monotonicMs();
    this.logging = new Logging({
      config,
      settings: { consoleFormat, ...(logFile !== undefined && { file: logFile }) },
      hosts: {},
      terminal: process.stderr,
      now: () => ({ wallMs: io.wallClock().getTime(), uptimeMs: io.monotonicMs() - this.#startMs }),
      version: io.version,
      processId: process.pid,
    });
  }

  /** The box runs: it is listened to, and can be asked. A problem: there is no room for the console's socket. */
  async attach(box: LiveBox): Promise<Result<undefined>> {
    const { io, socket, sessionsMax, configFile } = this.#options;
    this.#events = new EventLog(
      { config: box.config, rules: box.rules },
      (nowMs) => io.wallClock().getTime() - (box.nowMs - nowMs),
      (record) => this.logging.log(record),
    );
    this.#backend = new LiveBackend(
      {
        box,
        logging: this.logging,
        version: io.version,
        configFile,
        onConfigured: (config) => {
          this.logging.configure(config);
          this.#events?.replacePolicy({ config, rules: box.rules }, box.nowMs);
        },
      },
      sessionsMax,
    );
    const started = await startConsole({
      backend: this.#backend,
      path: socket,
      onLog: ({ text }) => this.logging.write(text),
    });
    if (isProblem(started)) return started;
    this.#console = started.value;
    return { value: undefined };
  }

  /** To be given everything that the box tells. */
  hear(report: LiveReport): void {
    this.#backend?.hear(report);
    if (report.kind === "events") {
      for (const { events, nowMs } of report.batches) this.#events?.events(events, nowMs);
    } else if (report.kind === "control" && report.report.kind === "log") {
      this.logging.write(report.report.text);
    } else if (report.kind === "died") {
      this.logging.write(`%SYS-0-FAILED: ${report.problem}`);
    }
  }

  async close(): Promise<void> {
    await this.#console?.close();
    await this.logging.close();
  }
}
