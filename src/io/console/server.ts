/**
 * The console's socket: a Unix socket that only the user who runs the firewall can open. Whoever can open it may do
 * everything, so nobody is asked for a password.
 */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { ConsoleBackend, LogLine } from "../../console/backend.js";
import { Changes } from "../../console/changes.js";
import { ConsoleSession } from "../../console/session.js";
import { logLineText } from "../../console/show/system.js";
import type { Result } from "../io.js";
import { Connection } from "./connection.js";

/** Sessions at a time unless options say otherwise. */
export const SESSIONS_MAX_DEFAULT = 16;
/** Idle time where the configuration says nothing, as on IOS. */
const IDLE_SECONDS_DEFAULT = 600;
/** A path of a Unix socket is at most so long on Linux (sun_path, with its end). */
const PATH_BYTES_MAX = 107;
/** Longest time that a timer takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface ConsoleServerOptions {
  readonly backend: ConsoleBackend;
  /** Path of the socket; its directory is made where it is missing, for this user alone. */
  readonly path: string;
  readonly sessionsMax?: number;
  /** What the console has to say for the log. */
  onLog(line: Omit<LogLine, "dateMs">): void;
}

/** Opens the socket. A problem: another process has it, or it cannot be made. */
export async function startConsole(options: ConsoleServerOptions): Promise<Result<ConsoleServer>> {
  const { path } = options;
  if (Buffer.byteLength(path) > PATH_BYTES_MAX)
    return { problem: `${path}: longer than ${PATH_BYTES_MAX} bytes` };
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const problem = await makeRoom(path);
    if (problem !== undefined) return { problem };
    const server = new ConsoleServer(options);
    await server.listen();
    return { value: server };
  } catch (error) {
    return { problem: `${path}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Takes the socket of a process that is gone away. Undefined: the path is free. */
async function makeRoom(path: string): Promise<string | undefined> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isSocket()) return `${path}: there is something else than a socket`;
  if (await isAnswered(path)) return `${path}: another process has its console there`;
  unlinkSync(path);
  return undefined;
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // Refused: nobody listens. Anything else is somebody whom we cannot reach.
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}

export class ConsoleServer {
  readonly path: string;
  readonly #options: ConsoleServerOptions;
  readonly #server: Server;
  readonly #changes: Changes;
  readonly #connections = new Set<Connection>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConsoleServerOptions) {
    this.path = options.path;
    this.#options = options;
    this.#changes = new Changes(options.backend, () => this.#setTimer());
    // A program may close its side and still wait for the answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Sessions that are open. */
  get sessions(): number {
    return this.#connections.size;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      // The socket is made within this call: nobody else can open it in between.
      const before = process.umask(0o177);
      try {
        this.#server.listen(this.path, () => {
          this.#server.off("error", reject);
          resolve();
        });
      } finally {
        process.umask(before);
      }
    });
    chmodSync(this.path, 0o600);
  }

  /** Ends all sessions and takes the socket away. */
  close(): Promise<void> {
    clearTimeout(this.#timer);
    for (const connection of this.#connections) connection.close("the firewall ends");
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const { backend, sessionsMax = SESSIONS_MAX_DEFAULT } = this.#options;
    if (this.#connections.size >= sessionsMax) {
      socket.on("error", () => undefined);
      socket.write(`% all ${sessionsMax} sessions of the console are in use\n`);
      socket.destroySoon();
      return;
    }
    const connection = new Connection(socket, {
      session: new ConsoleSession(backend, this.#changes),
      idleMs: () => this.#idleMs(),
      onLog: (listener) => this.#onLog(listener),
      onBug: (error) => this.#bug(error),
      onClose: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  async #idleMs(): Promise<number> {
    const { lines } = await this.#options.backend.config();
    const seconds = lines.find(({ name }) => /^con/.test(name))?.execTimeoutSeconds ?? IDLE_SECONDS_DEFAULT;
    return seconds === 0 ? Number.POSITIVE_INFINITY : Math.min(seconds * 1000, TIMER_MS_MAX);
  }

  #onLog(listener: (line: LogLine, text: string) => void): () => void {
    const { backend } = this.#options;
    return backend.onLog((line) => {
      void backend.config().then(({ timestamps }) => {
        const format = line.severity === DEBUG_SEVERITY ? timestamps.debug : timestamps.log;
        listener(line, logLineText(line, format, backend.clock()));
      });
    });
  }

  #bug(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.onLog({
      severity: 3,
      text: `%SYS-3-CONSOLE: internal error: ${text.split("\n", 2).join(" ")}`,
    });
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const { deadlineMs } = this.#changes;
    if (!Number.isFinite(deadlineMs)) return;
    const waitMs = Math.max(0, deadlineMs - this.#options.backend.clock().uptimeMs);
    this.#timer = setTimeout(() => void this.#tick(), Math.min(waitMs, TIMER_MS_MAX));
  }

  async #tick(): Promise<void> {
    const line = await this.#changes.tick().catch((error: unknown) => this.#bug(error));
    if (line) this.#options.onLog(line);
    this.#setTimer();
  }
}

/** Severity of debug lines (RFC 5424). */
const DEBUG_SEVERITY = 7;
