/** One client of the console's socket: its session, its lines one after the other, its idle time. */
import type { Socket } from "node:net";
import type { LogLine } from "../../console/backend.js";
import { jsonPieces } from "../../console/json.js";
import type { ConsoleSession } from "../../console/session.js";
import { LineTerminal } from "../../console/terminal.js";
import { LineSplitter } from "./lines.js";
import { LINE_BYTES_MAX, parseRequest, type Reply, type Request, type ServerLine } from "./protocol.js";

/** Lines that may wait for their turn; of a client that sends more, nothing is read meanwhile. */
const WAITING_MAX = 64;
/** Characters that are collected before they are written. */
const PIECE_SIZE = 16_384;
/** Bytes that wait for a client above which it gets no log lines. */
const LOG_BACKLOG_BYTES_MAX = 262_144;
/** Log lines that wait for the end of a line of JSON. */
const LOG_HELD_MAX = 100;

export interface ConnectionOptions {
  readonly session: ConsoleSession;
  /** Idle time after which it ends, asked for anew each time; Infinity: never. */
  idleMs(): Promise<number>;
  /** Log lines as a terminal shows them; the result ends it. */
  onLog(listener: (line: LogLine, text: string) => void): () => void;
  /** A command failed for a reason that no user caused. */
  onBug(error: unknown): void;
  onClose(): void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #splitter = new LineSplitter(LINE_BYTES_MAX);
  readonly #waiting: string[] = [];
  readonly #stopLog: () => void;
  #protocol: "undecided" | "terminal" | "json" = "undecided";
  readonly #terminal: LineTerminal;
  #isBusy = false;
  /** The client has said everything. */
  #hasEnded = false;
  #isClosed = false;
  /** Requests whose output is no longer wanted. */
  #cancelled: number | undefined;
  #pending = "";
  #idleTimer: NodeJS.Timeout | undefined;
  #logLost = 0;
  /** A line of JSON is being written; log lines wait for its end. */
  #isWithinLine = false;
  readonly #logHeld: string[] = [];

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#terminal = new LineTerminal(options.session, (text) => this.#write(text));
    this.#stopLog = options.onLog((_, text) => this.#log(text));
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("end", () => this.#readEnd());
    // What fails is closed; there is nobody to tell.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#closed());
    this.#watchIdle();
  }

  /** Says why, and ends. */
  close(reason: string): void {
    if (this.#isClosed) return;
    const text = this.#protocol === "json" ? `${JSON.stringify({ error: reason })}\n` : `\n% ${reason}\n`;
    this.#socket.write(text);
    this.#socket.destroySoon();
  }

  #closed(): void {
    this.#isClosed = true;
    clearTimeout(this.#idleTimer);
    this.#stopLog();
    this.#waiting.length = 0;
    this.#options.onClose();
  }

  #read(chunk: Buffer): void {
    const lines = this.#splitter.push(chunk);
    if (lines === undefined) {
      this.close(`a line is longer than ${LINE_BYTES_MAX} bytes`);
      return;
    }
    for (const line of lines) this.#take(line);
    if (this.#waiting.length > WAITING_MAX) this.#socket.pause();
    void this.#work();
  }

  #readEnd(): void {
    const rest = this.#splitter.end();
    if (rest !== undefined) this.#take(rest);
    this.#hasEnded = true;
    void this.#work();
  }

  #take(line: string): void {
    if (this.#protocol === "undecided") this.#protocol = line.startsWith("{") ? "json" : "terminal";
    if (this.#protocol === "json") {
      const request = parseRequest(line);
      if ("cancel" in request) {
        this.#cancelled = request.cancel;
        return;
      }
    }
    this.#waiting.push(line);
  }

  /** Carries out what waits, one line after the other. */
  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    clearTimeout(this.#idleTimer);
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      try {
        if (this.#protocol === "json") await this.#json(line);
        else await this.#terminal.line(line);
      } catch (error) {
        this.#options.onBug(error);
        await this.#failed();
      }
      await this.#flush();
      if (this.#options.session.isOver) this.#waiting.length = 0;
      if (this.#waiting.length <= WAITING_MAX / 2) this.#socket.resume();
    }
    this.#isBusy = false;
    if (this.#isClosed) return;
    if (this.#hasEnded || this.#options.session.isOver) this.#socket.destroySoon();
    else this.#watchIdle();
  }

  async #failed(): Promise<void> {
    if (this.#protocol === "terminal") await this.#write("% internal error\n");
  }

  async #json(line: string): Promise<void> {
    const request = parseRequest(line);
    if ("problem" in request) await this.#send({ error: request.problem });
    else if ("id" in request) {
      try {
        await this.#answer(request);
      } catch (error) {
        this.#options.onBug(error);
        await this.#send({ id: request.id, ok: false, error: "internal error" });
      }
    }
  }

  async #answer(request: Request): Promise<void> {
    const { id } = request;
    const { session } = this.#options;
    if ("command" in request) {
      const answer = await session.data(request.command);
      if ("problem" in answer) await this.#send({ id, ok: false, error: answer.problem });
      else await this.#sendData(id, answer.data);
    } else if ("line" in request) await this.#send(await this.#run(id, request.line));
    else if ("complete" in request) {
      await this.#send({ id, ok: true, data: await session.complete(request.complete) });
    } else await this.#send({ id, ok: true, data: await session.help(request.help) });
  }

  /** The output of a line in pieces. */
  async #run(id: number, line: string): Promise<Reply> {
    const { session } = this.#options;
    const output = session.run(line);
    let text = "";
    for (;;) {
      const { value, done } = await output.next();
      if (done) {
        if (text !== "") await this.#send({ id, text });
        return { id, ok: value, prompt: await session.prompt(), isOver: session.isOver };
      }
      text += value;
      if (text.length < PIECE_SIZE) continue;
      const isWanted = (await this.#send({ id, text })) && (await this.#flush()) && this.#cancelled !== id;
      text = "";
      if (!isWanted) {
        await output.return(false);
        return { id, ok: false, error: "cancelled", prompt: await session.prompt(), isOver: session.isOver };
      }
    }
  }

  /** One line however long the data is: a list is written as it comes. */
  async #sendData(id: number, data: unknown): Promise<void> {
    this.#isWithinLine = true;
    await this.#write(`{"id":${id},"ok":true,"data":`);
    for await (const piece of jsonPieces(data)) {
      if (!(await this.#write(piece))) return;
    }
    await this.#write("}\n");
    await this.#flush();
    this.#isWithinLine = false;
    for (const text of this.#logHeld.splice(0)) this.#log(text);
  }

  #send(line: ServerLine): Promise<boolean> {
    return this.#write(`${JSON.stringify(line)}\n`);
  }

  #log(text: string): void {
    if (!this.#options.session.terminal.isMonitoring || this.#isClosed) return;
    if (this.#isWithinLine && this.#logHeld.length < LOG_HELD_MAX) {
      this.#logHeld.push(text);
      return;
    }
    if (this.#isWithinLine || this.#socket.writableLength > LOG_BACKLOG_BYTES_MAX) {
      this.#logLost++;
      return;
    }
    const lost = this.#logLost === 0 ? "" : `% ${this.#logLost} log lines lost: read faster\n`;
    this.#logLost = 0;
    const all = lost + text;
    this.#socket.write(this.#protocol === "json" ? `${JSON.stringify({ log: all })}\n` : all);
  }

  async #write(text: string): Promise<boolean> {
    this.#pending += text;
    return this.#pending.length < PIECE_SIZE ? !this.#isClosed : this.#flush();
  }

  /** Hands over what waits, and waits itself while the client does not read; it may take as long as it may be idle. */
  async #flush(): Promise<boolean> {
    const text = this.#pending;
    this.#pending = "";
    if (this.#isClosed) return false;
    if (text === "" || this.#socket.write(text)) return true;
    const idleMs = await this.#options.idleMs();
    return new Promise((resolve) => {
      const settle = (isWritable: boolean) => {
        clearTimeout(timer);
        this.#socket.off("drain", onDrain);
        this.#socket.off("close", onClose);
        resolve(isWritable);
      };
      const onDrain = () => settle(true);
      const onClose = () => settle(false);
      const timer = Number.isFinite(idleMs) ? setTimeout(() => this.#socket.destroy(), idleMs) : undefined;
      this.#socket.on("drain", onDrain);
      this.#socket.on("close", onClose);
      if (this.#isClosed) settle(false);
      else if (!this.#socket.writableNeedDrain) settle(true);
    });
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    void this.#options.idleMs().then((idleMs) => {
      if (this.#isClosed || this.#isBusy || !Number.isFinite(idleMs)) return;
      clearTimeout(this.#idleTimer);
      this.#idleTimer = setTimeout(() => this.close("the session was idle for too long"), idleMs);
    });
  }
}
