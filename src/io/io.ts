/**
 * What the command line needs of the world: files, the terminal, the time. The verbs are handed one of these; node.ts
 * has the real one, tests make one in memory.
 */

/** What standard input and output are called where a file is named. */
export const STANDARD_STREAM = "-";

/** A value, or why there is none, in words for the user. */
export type Result<T> = { readonly value: T } | { readonly problem: string };

export function isProblem<T>(result: Result<T>): result is { readonly problem: string } {
  return "problem" in result;
}

/** A file that is being read. */
export interface Source {
  /** Bytes in all, where that is known. */
  readonly size: number | undefined;
  /** The bytes, once. Reading that fails on the way ends them early and sets `problem`. */
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly problem: string | undefined;
}

/** A file that is being written. */
export interface Sink {
  /** Resolves when more may be written. False: nobody takes any more, because of `problem` or of a closed pipe. */
  write(chunk: string | Uint8Array): Promise<boolean>;
  /** Resolves when everything is where it belongs. */
  close(): Promise<void>;
  /** Why writing failed. A reader that has gone away is no problem. */
  readonly problem: string | undefined;
}

/** Standard output or standard error. */
export interface Stream {
  readonly isTerminal: boolean;
  /** Of the terminal. */
  readonly columns: number;
  write(text: string): void;
}

export interface Io {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the package. */
  readonly version: string;
  /** Milliseconds of a clock that never falls. */
  monotonicMs(): number;
  wallClock(): Date;
  /** Opens a file for reading; `-` is standard input. */
  open(path: string): Promise<Result<Source>>;
  /** Creates or empties a file; `-` is standard output. */
  create(path: string): Promise<Result<Sink>>;
}

/** A whole file as UTF-8 text, of at most `bytesMax` bytes. */
export async function readText(io: Io, path: string, bytesMax: number): Promise<Result<string>> {
  const opened = await io.open(path);
  if (isProblem(opened)) return opened;
  const source = opened.value;
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of source.chunks) {
    length += chunk.length;
    if (length > bytesMax) return { problem: `${path}: larger than ${bytesMax} bytes` };
    text += decoder.decode(chunk, { stream: true });
  }
  return source.problem === undefined ? { value: text + decoder.decode() } : { problem: source.problem };
}
