/** A world in memory for the command line: files are a map, streams are strings, the clock is a number. */
import type { Io, Result, Sink, Source, Stream } from "../../src/io/io.js";
import { concat } from "../support/frames.js";

export interface MemoryIoOptions {
  files?: Record<string, string | Uint8Array>;
  stdin?: string | Uint8Array;
  environment?: Record<string, string>;
  /** Both standard streams are terminals. */
  terminal?: boolean;
  /** Bytes of one piece of a file. */
  chunkSize?: number;
  /** Reading this file fails after so many bytes. */
  failing?: { path: string; after: number };
  /** Writing to this file stops after so many pieces: with a problem, or like a pipe that nobody reads. */
  closing?: { path: string; after: number; problem?: string };
  /** What the monotonic clock advances by at each look. */
  tickMs?: number;
}

export class MemoryIo implements Io {
  readonly files = new Map<string, Uint8Array>();
  out = "";
  err = "";
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly environment: Record<string, string>;
  readonly version = "1.2.3";
  readonly #options: MemoryIoOptions;
  #nowMs = 0;

  constructor(options: MemoryIoOptions = {}) {
    this.#options = options;
    this.environment = options.environment ?? {};
    for (const [path, content] of Object.entries(options.files ?? {})) this.files.set(path, bytesOf(content));
    const isTerminal = options.terminal ?? false;
    const stream = (write: (text: string) => void): Stream => ({ isTerminal, columns: 80, write });
    this.stdout = stream((text) => {
      this.out += text;
    });
    this.stderr = stream((text) => {
      this.err += text;
    });
  }

  monotonicMs(): number {
    this.#nowMs += this.#options.tickMs ?? 1;
    return this.#nowMs;
  }

  wallClock(): Date {
    return new Date("2024-05-01T10:00:00Z");
  }

  async open(path: string): Promise<Result<Source>> {
    const content = path === "-" ? bytesOf(this.#options.stdin ?? "") : this.files.get(path);
    if (content === undefined) return { problem: `${path}: no such file or directory` };
    const { chunkSize = 65_536, failing } = this.#options;
    let problem: string | undefined;
    async function* chunks(): AsyncGenerator<Uint8Array, void> {
      const end = failing?.path === path ? Math.min(failing.after, content!.length) : content!.length;
      for (let at = 0; at < end; at += chunkSize) yield content!.slice(at, Math.min(at + chunkSize, end));
      if (failing?.path === path) problem = `${path}: the disk is broken`;
    }
    const size = path === "-" ? undefined : content.length;
    return {
      value: {
        size,
        chunks: chunks(),
        get problem() {
          return problem;
        },
      },
    };
  }

  async create(path: string): Promise<Result<Sink>> {
    if (path.startsWith("/forbidden/")) return { problem: `${path}: permission denied` };
    if (path !== "-") this.files.set(path, new Uint8Array(0));
    const closing = this.#options.closing?.path === path ? this.#options.closing : undefined;
    let pieces = 0;
    return {
      value: {
        write: async (chunk) => {
          if (closing !== undefined && pieces >= closing.after) return false;
          pieces++;
          if (path === "-") this.out += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
          else this.files.set(path, concat(this.files.get(path)!, bytesOf(chunk)));
          return true;
        },
        close: async () => {},
        get problem() {
          return closing !== undefined && pieces >= closing.after ? closing.problem : undefined;
        },
      },
    };
  }

  /** A file that was written, as text. */
  text(path: string): string {
    return new TextDecoder().decode(this.files.get(path));
  }
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
}
