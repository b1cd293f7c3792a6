/** The files that a replay writes beside its report. What is for them is collected, and written in large pieces. */
import { type CaptureInterface, type Packet, PcapngWriter } from "../capture/index.js";
import { type Io, isProblem, type Result, type Sink } from "../io/io.js";
import type { IosLog } from "../report/log.js";
import type { FinalVerdict } from "../report/report.js";
import { VerdictLines } from "../report/lines.js";
import { type VerdictNames, type VerdictRow, verdictComment, verdictOf } from "../report/verdict.js";

/** Characters or bytes that are collected before they are written. */
const PIECE_SIZE = 65_536;

/** One file, and what is waiting to be written to it. */
export interface Output {
  readonly sink: Sink;
  /** Size of what waits. */
  pending(): number;
  /** Hands over what waits. */
  drain(): string | Uint8Array;
}

/** Verdicts as JSON, one object a line. */
export class VerdictOutput implements Output {
  readonly sink: Sink;
  readonly #lines: VerdictLines;

  constructor(sink: Sink, names: VerdictNames) {
    this.sink = sink;
    this.#lines = new VerdictLines(names);
  }

  add(row: Readonly<VerdictRow>): void {
    this.#lines.add(row);
  }

  pending(): number {
    return this.#lines.pending;
  }

  drain(): Uint8Array {
    return this.#lines.drain();
  }
}

/** The packets, each with its verdict as a comment. */
export class CaptureOutput implements Output {
  readonly sink: Sink;
  readonly #writer = new PcapngWriter("twinwall");
  readonly #names: VerdictNames;
  readonly #only: FinalVerdict | undefined;

  /** `only`: packets with another verdict are left out. */
  constructor(sink: Sink, names: VerdictNames, only: FinalVerdict | undefined) {
    this.sink = sink;
    this.#names = names;
    this.#only = only;
  }

  /** `interfaces`: those of the capture. Comments that the packet had stay in front. */
  add(row: Readonly<VerdictRow>, packet: Packet, interfaces: readonly CaptureInterface[]): void {
    if (this.#only !== undefined && verdictOf(row) !== this.#only) return;
    const writer = this.#writer;
    while (writer.interfaces < interfaces.length) writer.addInterface(interfaces[writer.interfaces]!);
    writer.write({ ...packet, comments: [...(packet.comments ?? []), verdictComment(row, this.#names)] });
  }

  pending(): number {
    return this.#writer.pending;
  }

  drain(): Uint8Array {
    return this.#writer.drain();
  }
}

/** Log lines in the form of IOS. */
export class LogOutput implements Output {
  readonly sink: Sink;
  readonly log: IosLog;

  constructor(sink: Sink, log: IosLog) {
    this.sink = sink;
    this.log = log;
  }

  pending(): number {
    return this.log.pending;
  }

  drain(): string {
    return this.log.drain();
  }
}

/** Creates the files that have a name; all of them, or none is used. */
export async function createSinks<K extends string>(
  io: Io,
  paths: Readonly<Record<K, string | undefined>>,
): Promise<Result<Record<K, Sink | undefined>>> {
  const sinks = {} as Record<K, Sink | undefined>;
  for (const [name, path] of Object.entries<string | undefined>(paths)) {
    if (path === undefined) continue;
    const created = await io.create(path);
    if (isProblem(created)) return created;
    sinks[name as K] = created.value;
  }
  return { value: sinks };
}

/**
 * Writes what waits in sufficient amounts, or, at the `end`, everything.
 * @returns false: a file takes no more; its sink may know the problem.
 */
export async function flushOutputs(outputs: readonly Output[], end = false): Promise<boolean> {
  for (const output of outputs) {
    const pending = output.pending();
    if (pending === 0 || (!end && pending < PIECE_SIZE)) continue;
    if (!(await output.sink.write(output.drain()))) return false;
  }
  return true;
}
