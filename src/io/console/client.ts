/** The other end of the console's socket: requests and their answers, for the command line. */
import { createConnection, type Socket } from "node:net";
import type { Result } from "../io.js";
import type { Reply, Request, ServerLine } from "./protocol.js";

export type Asked = Request extends infer Each
  ? Each extends { id: number }
    ? Omit<Each, "id">
    : never
  : never;

export interface ClientEvents {
  /** A log line, after `terminal monitor`. */
  onLog?(text: string): void;
  /** The connection has ended, and why where the firewall said so. */
  onEnd?(reason: string | undefined): void;
}

interface Waiting {
  readonly onText: (text: string) => void;
  readonly settle: (reply: Reply) => void;
}

const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "no firewall has its console there",
  ECONNREFUSED: "the firewall that had its console there is gone",
  EACCES: "only the user who runs the firewall may open it",
  ENOTSOCK: "this is no socket",
};

/** Opens the socket at a path. */
export function connectConsole(path: string, events: ClientEvents = {}): Promise<Result<ConsoleClient>> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const refuse = (error: NodeJS.ErrnoException) => {
      resolve({ problem: `${path}: ${MEANINGS[error.code ?? ""] ?? error.message}` });
    };
    socket.once("error", refuse);
    socket.once("connect", () => {
      socket.off("error", refuse);
      resolve({ value: new ConsoleClient(socket, events) });
    });
  });
}

export class ConsoleClient {
  readonly #socket: Socket;
  readonly #events: ClientEvents;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #rest = "";
  #reason: string | undefined;

  constructor(socket: Socket, events: ClientEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => this.#read(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#closed());
  }

  /** The id that the next request has. */
  get nextId(): number {
    return this.#next;
  }

  ask(asked: Asked, onText: (text: string) => void = () => undefined): Promise<Reply> {
    const id = this.#next++;
    return new Promise((resolve) => {
      if (this.#socket.destroyed) {
        resolve({ id, ok: false, error: this.#ending, isOver: true });
        return;
      }
      this.#waiting.set(id, { onText, settle: resolve });
      this.#socket.write(`${JSON.stringify({ id, ...asked })}\n`);
    });
  }

  /** The output of a request is not wanted any more. */
  cancel(id: number): void {
    this.#socket.write(`${JSON.stringify({ cancel: id })}\n`);
  }

  /** Nothing is taken from the socket until `resume`, so that the firewall waits. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.end();
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    let said: ServerLine;
    try {
      said = JSON.parse(line) as ServerLine;
    } catch {
      // The words of a console that has no room for another session.
      this.#reason ??= line.replace(/^% /, "");
      return;
    }
    if ("log" in said) this.#events.onLog?.(said.log);
    else if (!("id" in said)) this.#reason ??= said.error;
    else if ("text" in said) this.#waiting.get(said.id)?.onText(said.text);
    else {
      const waiting = this.#waiting.get(said.id);
      this.#waiting.delete(said.id);
      waiting?.settle(said);
    }
  }

  /** Why the connection has ended. */
  get #ending(): string {
    return this.#reason ?? "the firewall has ended the connection";
  }

  #closed(): void {
    for (const [id, { settle }] of this.#waiting)
      settle({ id, ok: false, error: this.#ending, isOver: true });
    this.#waiting.clear();
    this.#events.onEnd?.(this.#reason);
  }
}
