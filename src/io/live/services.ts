/** What the main thread of a live box has beside the box: log, console, captures, metrics, and what systemd is told. */
import type { Config } from "../../config/model.js";
import type { LogFormat } from "../../log/index.js";
import { EventLog } from "../../report/log.js";
import { type ConsoleServer, startConsole } from "../console/server.js";
import { type Io, isProblem, type Result } from "../io.js";
import { Logging, type LoggingOptions } from "../log/logging.js";
import { type MetricsServer, serveMetrics } from "../metrics/server.js";
import { type Notifier, openNotifier } from "../systemd.js";
import { LiveBackend } from "./backend.js";
import { LiveCaptures } from "./captures.js";
import type { LiveBox, LiveReport } from "./live-box.js";
import { healthOf, snapshotOf } from "./metrics.js";

export interface ServiceOptions {
  readonly config: Config;
  readonly configFile: string | undefined;
  readonly io: Io;
  /** Path of the console's socket. */
  readonly socket: string;
  readonly sessionsMax: number;
  readonly logFile?: { readonly path: string; readonly format: LogFormat } | undefined;
  readonly consoleFormat: LogFormat;
  /** How syslog hosts are reached. */
  readonly logHosts: LoggingOptions["hosts"];
  readonly tcpFraming?: LoggingOptions["tcpFraming"];
  /** Where the metrics are served; undefined: nowhere. */
  readonly metrics?: { readonly address: string; readonly port: number } | undefined;
}

/** The log looks so often for sums of flows that are due, and for events that were lost. */
const LOG_TICK_MS = 1000;

/** The log, which is there before the box is and after it has ended. */
export class Services {
  readonly logging: Logging;
  readonly #options: ServiceOptions;
  readonly #startMs: number;
  #events: EventLog | undefined;
  #backend: LiveBackend | undefined;
  #console: ConsoleServer | undefined;
  #captures: LiveCaptures | undefined;
  #metrics: MetricsServer | undefined;
  #notifier: Notifier | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #logTicker: NodeJS.Timeout | undefined;
  /** Events that were lost, as far as the log has been told. */
  #eventsLost = 0;

  constructor(options: ServiceOptions) {
    const { config, io, logFile, consoleFormat, logHosts, tcpFraming } = options;
    this.#options = options;
    this.#startMs = io.monotonicMs();
    this.logging = new Logging({
      config,
      settings: { consoleFormat, ...(logFile !== undefined && { file: logFile }) },
      hosts: logHosts,
      tcpFraming,
      terminal: process.stderr,
      now: () => ({ wallMs: io.wallClock().getTime(), uptimeMs: io.monotonicMs() - this.#startMs }),
      version: io.version,
      processId: process.pid,
    });
  }

  /**
   * The box runs: it is listened to, and can be asked. A problem: there is no room for the console's socket, or none for the
   * metrics.
   */
  async attach(box: LiveBox): Promise<Result<undefined>> {
    const { io, socket, sessionsMax, configFile, metrics } = this.#options;
    const captures = new LiveCaptures(box);
    this.#captures = captures;
    this.#events = new EventLog(
      { config: box.config, rules: box.rules },
      (nowMs) => io.wallClock().getTime() - (box.nowMs - nowMs),
      (record) => this.logging.log(record),
    );
    this.#backend = new LiveBackend(
      {
        box,
        logging: this.logging,
        captures,
        version: io.version,
        configFile,
        onConfigured: (config) => {
          this.logging.configure(config);
          void captures.configure(config);
        },
      },
      sessionsMax,
    );
    this.#logTicker = setInterval(() => void this.#tickLog(box), LOG_TICK_MS);
    this.#logTicker.unref();
    const started = await startConsole({
      backend: this.#backend,
      path: socket,
      onLog: ({ text }) => this.logging.write(text),
    });
    if (isProblem(started)) return started;
    this.#console = started.value;
    if (metrics !== undefined) {
      const facts = { version: io.version, sessionsMax };
      const served = await serveMetrics({
        ...metrics,
        snapshot: () => snapshotOf(box, this.logging, facts, box.startMs),
        health: () => healthOf(box),
      });
      if (isProblem(served)) return served;
      this.#metrics = served.value;
    }
    return this.#tellSystemd(box);
  }

  /** What is due in the log even if nothing happens. */
  async #tickLog(box: LiveBox): Promise<void> {
    const { eventsLost, counters } = await box.dataplane.call("view");
    const lost = eventsLost + counters.eventsLost;
    // A core that took over counts anew.
    this.#events?.lost(Math.max(0, lost - this.#eventsLost));
    this.#eventsLost = lost;
    this.#events?.events([], box.nowMs);
  }

  /** What systemd asks for in the environment; the watchdog hears of both workers, which have to answer for that. */
  async #tellSystemd(box: LiveBox): Promise<Result<undefined>> {
    const notifier = await openNotifier(this.#options.io.environment, process.pid);
    if (isProblem(notifier)) return notifier;
    const value = notifier.value;
    if (value === undefined) return { value: undefined };
    this.#notifier = value;
    value.ready(`packets by ${box.opened.text}`);
    if (value.aliveEveryMs !== undefined) {
      this.#watchdog = setInterval(() => {
        void Promise.all([box.dataplane.call("view"), box.control.call("view")]).then(
          ([, { redundancy }]) => {
            value.alive(redundancy.machine);
          },
        );
      }, value.aliveEveryMs);
      this.#watchdog.unref();
    }
    return { value: undefined };
  }

  /** To be given everything that the box tells. */
  hear(report: LiveReport): void {
    this.#backend?.hear(report);
    if (report.kind === "events") {
      for (const { events, nowMs } of report.batches) this.#events?.events(events, nowMs);
    } else if (report.kind === "policy") {
      this.#events?.replacePolicy(report.policy, report.nowMs);
    } else if (report.kind === "control" && report.report.kind === "log") {
      this.logging.write(report.report.text);
    } else if (report.kind === "device") {
      this.logging.write(`%SYS-4-DEVICE: ${report.text}`);
    } else if (report.kind === "died") {
      this.logging.write(`%SYS-0-FAILED: ${report.problem}`);
    }
  }

  /** SIGHUP: the log's file has been moved away. */
  reopen(): void {
    this.logging.reopen();
  }

  async close(): Promise<void> {
    this.#notifier?.stopping();
    clearInterval(this.#watchdog);
    clearInterval(this.#logTicker);
    this.#captures?.close();
    await this.#metrics?.close();
    await this.#console?.close();
    this.#notifier?.close();
    await this.logging.close();
  }
}
