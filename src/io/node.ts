/** The real world, by way of Node: the only file of the command line that reads, writes or knows the time. */
import { once } from "node:events";
import { constants, createReadStream, createWriteStream } from "node:fs";
import { access, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Readable, Writable } from "node:stream";
import { codeOf, meaningOf, meaningOfCode } from "./errors.js";
import { type Io, type Result, type Sink, type Source, STANDARD_STREAM, type Stream } from "./io.js";

/** Bytes of one piece of a file: larger ones are read no faster, and fall out of the cache. */
const CHUNK_SIZE = 262_144;
/** Columns of a terminal that does not say. */
const COLUMNS_DEFAULT = 80;

/** `onBrokenOutput` hears why standard output takes no more. A reader that has gone away is no reason to complain. */
export function nodeIo(onBrokenOutput: (problem: string) => void): Io {
  const { version } = createRequire(import.meta.url)("twinwall/package.json") as { version: string };
  return {
    stdout: streamOf(process.stdout, (error) => onBrokenOutput(`standard output: ${meaningOf(error)}`)),
    // Where standard error fails there is nobody left to tell.
    stderr: streamOf(process.stderr, () => undefined),
    environment: process.env,
    version,
    monotonicMs: () => performance.now(),
    wallClock: () => new Date(),
    open: openSource,
    create: createSink,
  };
}

type StandardStream = typeof process.stdout | typeof process.stderr;

function streamOf(stream: StandardStream, onBroken: (error: Error) => void): Stream {
  stream.on("error", (error) => {
    if (codeOf(error) !== "EPIPE") onBroken(error);
  });
  return {
    isTerminal: stream.isTTY === true,
    columns: stream.columns ?? COLUMNS_DEFAULT,
    write: (text) => void stream.write(text),
  };
}

async function openSource(path: string): Promise<Result<Source>> {
  if (path === STANDARD_STREAM) return { value: sourceOf("standard input", undefined, () => process.stdin) };
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { problem: `${path}: ${meaningOfCode("EISDIR")}` };
    await access(path, constants.R_OK);
    // A pipe or a device has no size. It must not be opened twice, so it is opened when it is read.
    const size = found.isFile() ? found.size : undefined;
    return { value: sourceOf(path, size, () => createReadStream(path, { highWaterMark: CHUNK_SIZE })) };
  } catch (error) {
    return { problem: `${path}: ${meaningOf(error)}` };
  }
}

function sourceOf(name: string, size: number | undefined, start: () => Readable): Source {
  let problem: string | undefined;
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* start();
    } catch (error) {
      problem = `${name}: ${meaningOf(error)}`;
    }
  }
  return {
    size,
    chunks: chunks(),
    get problem() {
      return problem;
    },
  };
}

async function createSink(path: string): Promise<Result<Sink>> {
  if (path === STANDARD_STREAM) return { value: sinkOf(undefined, process.stdout) };
  const stream = createWriteStream(path, { highWaterMark: CHUNK_SIZE });
  try {
    await once(stream, "open");
  } catch (error) {
    return { problem: `${path}: ${meaningOf(error)}` };
  }
  return { value: sinkOf(path, stream) };
}

/** `path`: of a file, which is closed with the sink; undefined: standard output, whose problems `Stream` tells. */
function sinkOf(path: string | undefined, stream: Writable): Sink {
  let failed = false;
  let problem: string | undefined;
  let wake: (() => void) | undefined;
  const settled = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  stream.on("error", (error) => {
    failed = true;
    if (path !== undefined) problem ??= `${path}: ${meaningOf(error)}`;
    wake?.();
  });
  stream.on("drain", () => wake?.());
  return {
    async write(chunk) {
      if (failed) return false;
      if (!stream.write(chunk)) await settled();
      return !failed;
    },
    async close() {
      if (failed) return;
      const done = settled();
      if (path !== undefined) stream.end(() => wake?.());
      else stream.write("", () => wake?.());
      await done;
    },
    get problem() {
      return problem;
    },
  };
}
