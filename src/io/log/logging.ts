/**
 * The log of a running firewall: records go to the terminal, the buffer of `show logging`, consoles that watch, a file
 * and syslog hosts, as the configuration says. Nothing here blocks, and nothing grows without a bound.
 */
import type { Writable } from "node:stream";
import type { Config } from "../../config/model.js";
import {
  type DeliveryView,
  LogBuffer,
  type LogFields,
  Logger,
  type LoggerView,
  type LogHost,
  type LogPlan,
  logPlan,
  type LogRecord,
  logRecord,
  type LogSettings,
  type LogSink,
  type LogTime,
  lineFormat,
  lineFramed,
  octetCounted,
  SEQUENCE_MAX,
  SYSLOG_DATAGRAM_MAX,
  SYSLOG_STREAM_MAX,
  syslogMessage,
  timestamps,
} from "../../log/index.js";
import { Destination } from "./destination.js";
import { FileTransport } from "./file.js";
import { type HostOptions, hostTransport } from "./network.js";
import { StreamTransport } from "./stream.js";
import type { Transport } from "./transport.js";

export interface LoggingOptions {
  readonly config: Config;
  readonly settings: LogSettings;
  readonly hosts: HostOptions;
  /** Lines of a TCP connection end with a line feed instead of beginning with their length (`--log-framing newline`). */
  readonly tcpFraming?: "octet-counting" | "newline" | undefined;
  /** The terminal: standard error, say. */
  readonly terminal: Writable;
  readonly now: () => LogTime;
  /** Of the software. */
  readonly version: string;
  readonly processId: number;
}

/** What `show logging` tells besides the lines. */
export interface LoggingView {
  readonly plan: LogPlan;
  readonly logger: LoggerView;
  /** Terminal, file and hosts. */
  readonly destinations: readonly DeliveryView[];
}

/** Longest time between two looks at what is due; a suppressed line waits that much longer for its summary. */
const TICK_MS = 1000;

const encoder = new TextEncoder();

export class Logging {
  readonly #options: LoggingOptions;
  readonly #logger = new Logger();
  readonly #buffer: LogBuffer;
  readonly #watchers = new Set<(record: LogRecord) => void>();
  readonly #terminal: Destination;
  /** By the key of a host, `tls 10.0.0.5 6514`; kept over a change of the configuration that keeps the host. */
  #hosts = new Map<string, { destination: Destination; sequence: number }>();
  #file: { readonly path: string; readonly destination: Destination } | undefined;
  #plan: LogPlan;
  readonly #ticker: NodeJS.Timeout;

  constructor(options: LoggingOptions) {
    this.#options = options;
    this.#plan = logPlan(options.config, options.settings);
    this.#buffer = new LogBuffer(this.#plan.buffered.bytes);
    this.#ticker = setInterval(() => this.#logger.tick(options.now()), TICK_MS);
    this.#ticker.unref();
    // A terminal may be stopped for as long as its user likes.
    this.#terminal = this.#destination("the terminal", new StreamTransport(options.terminal), {
      stallMs: Number.POSITIVE_INFINITY,
    });
    this.configure(options.config);
  }

  /** Another configuration is in force. */
  configure(config: Config): void {
    const plan = logPlan(config, this.#options.settings);
    this.#plan = plan;
    this.#buffer.resize(plan.buffered.bytes);
    this.#useFile(plan.file?.path);
    this.#useHosts(plan.hosts.list);
    const timestamp = timestamps(config.timestamps.log);
    const lines = (
      destination: Destination,
      level: number,
      format: (record: LogRecord) => string,
    ): LogSink => ({
      level,
      write: (record) => destination.write(encoder.encode(`${format(record)}\n`)),
    });
    const sinks: LogSink[] = [
      lines(this.#terminal, plan.console.level, lineFormat(plan.console.format, timestamp)),
      { level: plan.buffered.level, write: (record) => this.#buffer.add(record) },
      { level: plan.monitor.level, write: (record) => this.#show(record) },
      { level: plan.hosts.level, write: (record) => this.#send(record) },
    ];
    if (this.#file !== undefined && plan.file !== undefined) {
      sinks.push(lines(this.#file.destination, FILE_LEVEL, lineFormat(plan.file.format, timestamp)));
    }
    this.#logger.configure(sinks, plan.ratePerSecond);
  }

  log(record: LogRecord): void {
    this.#logger.log(record);
  }

  /** A line of the firewall itself, of now. */
  write(text: string, fields: LogFields = {}): void {
    this.log(logRecord(text, this.#options.now(), { fields }));
  }

  /** What `show logging` shows, oldest first. */
  buffered(): LogRecord[] {
    return this.#buffer.records();
  }

  clearBuffer(): void {
    this.#buffer.clear();
  }

  /** `terminal monitor`: hears every record of the monitor's level; the returned function ends it. */
  watch(take: (record: LogRecord) => void): () => void {
    this.#watchers.add(take);
    return () => void this.#watchers.delete(take);
  }

  /** SIGHUP: the file has been moved away. */
  reopen(): void {
    this.#file?.destination.reopen();
  }

  view(): LoggingView {
    const destinations = [this.#terminal, this.#file?.destination, ...this.#hostDestinations()];
    return {
      plan: this.#plan,
      logger: this.#logger.view(),
      destinations: destinations.flatMap((each) => (each === undefined ? [] : [each.view()])),
    };
  }

  /** Orderly end: lines that are on their way get a moment. */
  async close(): Promise<void> {
    clearInterval(this.#ticker);
    const all = [this.#terminal, this.#file?.destination, ...this.#hostDestinations()];
    await Promise.all(all.map((destination) => destination?.close()));
  }

  #show(record: LogRecord): void {
    for (const take of this.#watchers) take(record);
  }

  #send(record: LogRecord): void {
    const { facility, hostname, address, hosts } = this.#plan;
    const { version, processId } = this.#options;
    const sender = { facility, hostname, address, version, processId };
    for (const host of hosts.list) {
      const known = this.#hosts.get(hostKey(host))!;
      known.sequence = (known.sequence % SEQUENCE_MAX) + 1;
      const bytesMax = host.transport === "udp" ? SYSLOG_DATAGRAM_MAX : SYSLOG_STREAM_MAX;
      known.destination.write(this.#framed(host, syslogMessage(record, sender, known.sequence, bytesMax)));
    }
  }

  #framed({ transport }: LogHost, message: Uint8Array): Uint8Array {
    if (transport === "udp") return message;
    return transport === "tcp" && this.#options.tcpFraming === "newline"
      ? lineFramed(message)
      : octetCounted(message);
  }

  #useFile(path: string | undefined): void {
    if (path === this.#file?.path) return;
    void this.#file?.destination.close();
    this.#file =
      path === undefined
        ? undefined
        : { path, destination: this.#destination(`file ${path}`, new FileTransport(path)) };
  }

  #useHosts(wanted: readonly LogHost[]): void {
    const before = this.#hosts;
    this.#hosts = new Map();
    for (const host of wanted) {
      const key = hostKey(host);
      const name = `host ${host.address} port ${host.port}`;
      const known = before.get(key) ?? {
        destination: this.#destination(name, hostTransport(host, this.#options.hosts)),
        sequence: 0,
      };
      this.#hosts.set(key, known);
      before.delete(key);
    }
    for (const { destination } of before.values()) void destination.close();
  }

  #destination(name: string, transport: Transport, options: { stallMs?: number } = {}): Destination {
    const monotonicMs = () => this.#options.now().uptimeMs;
    const note = (text: string): void => this.write(text);
    return new Destination({ name, transport, monotonicMs, note, ...options });
  }

  #hostDestinations(): Destination[] {
    return [...this.#hosts.values()].map(({ destination }) => destination);
  }
}

/** A file takes everything. */
const FILE_LEVEL = 7;

function hostKey({ transport, address, port }: LogHost): string {
  return `${transport} ${address} ${port}`;
}
