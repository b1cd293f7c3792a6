/** The work of `twinwall replay`: from an open capture to its report, through a firewall. */
import { CaptureReader, formatCaptureError, type PacketBatch, readBatches } from "../capture/index.js";
import type { Dataplane } from "../dataplane.js";
import { type Io, isProblem, type Result, type Source, STANDARD_STREAM } from "../io/io.js";
import { hasAddress } from "../policy/interfaces.js";
import { startDate } from "../replay/clock.js";
import { gatherReport } from "../replay/gather.js";
import { byCapture, byList, bySource, type Ingress, type IngressList, pairInUse } from "../replay/ingress.js";
import { Replay } from "../replay/replay.js";
import { IosLog } from "../report/log.js";
import { type FinalVerdict, type Report, reportObject } from "../report/report.js";
import { reportText } from "../report/summary.js";
import type { VerdictNames } from "../report/verdict.js";
import { EXIT } from "./exit.js";
import { noInterface } from "./interfaces.js";
import { createDataplane, displayName, type LoadedConfig } from "./load.js";
import type { Assignment } from "./options.js";
import {
  CaptureOutput,
  createSinks,
  flushOutputs,
  LogOutput,
  type Output,
  VerdictOutput,
} from "./outputs.js";
import type { PairVerbOptions } from "./pair-setup.js";
import { Progress } from "./progress.js";
import { paintOf, printDiagnostics, printError, refuse } from "./terminal.js";

/** What the command line says; see the help of each option. */
export interface ReplayVerbOptions extends PairVerbOptions {
  readonly config: string;
  readonly peer?: string;
  readonly inside?: string[];
  readonly on?: Assignment[];
  readonly ingress?: string;
  readonly checksums: boolean;
  readonly mac?: Assignment[];
  readonly verdicts?: string;
  readonly write?: string;
  readonly only?: FinalVerdict;
  readonly log?: string;
  readonly sessions: number;
  readonly fragments: number;
  readonly rules?: number;
  readonly lenient?: true;
  readonly json?: true;
}

/** One replay. */
export interface Job {
  /** What the capture is called. */
  readonly name: string;
  readonly source: Source;
  readonly loaded: LoadedConfig;
  /** The lines of `--ingress`. */
  readonly list: IngressList | undefined;
  readonly options: ReplayVerbOptions;
}

type Batches = AsyncGenerator<PacketBatch, void>;

/** Replays the capture and prints the report; returns the exit code. */
export async function replayCapture(io: Io, job: Job): Promise<number> {
  const progress = new Progress(io, job.source, !isShared(io, job.options));
  const reader = new CaptureReader();
  const batches = readBatches(progress.chunks(), reader);
  try {
    return await replayBatches(io, job, { progress, reader, batches });
  } finally {
    // Closes the file when it was not read to its end.
    await batches.return();
  }
}

/** Whether the terminal that shows the progress also gets what is written to standard output. */
function isShared(io: Io, options: ReplayVerbOptions): boolean {
  return io.stdout.isTerminal && goesToStandardOutput(options);
}

function goesToStandardOutput({ verdicts, write, log }: ReplayVerbOptions): boolean {
  return [verdicts, write, log].includes(STANDARD_STREAM);
}

interface Reading {
  readonly progress: Progress;
  readonly reader: CaptureReader;
  readonly batches: Batches;
}

async function replayBatches(io: Io, job: Job, { progress, reader, batches }: Reading): Promise<number> {
  // The clock starts with the first packet, so it is read before there is a firewall.
  let next = await batches.next();
  const start = startOf(next.value ?? undefined);
  const dataplane = await makeDataplane(io, job, start);
  if (dataplane === undefined) return EXIT.badInput;
  const ingress = chooseIngress(dataplane, job);
  if (isProblem(ingress)) return refuse(io, ingress.problem);
  const outputs = await openOutputs(io, job.options, dataplane, start);
  if (isProblem(outputs)) return refuse(io, outputs.problem);
  const { all } = outputs.value;
  const replay = makeReplay(dataplane, ingress.value, outputs.value, reader, job.options);

  let problem: string | undefined;
  let isTaken = true;
  progress.begin();
  while (!next.done) {
    problem = replay.feed(next.value, reader.interfaces)?.problem;
    isTaken = await flushOutputs(all);
    if (problem !== undefined || !isTaken) break;
    progress.update(replay.packets);
    next = await batches.next();
  }
  problem ??= job.source.problem;
  problem ??= reader.error && `${job.name}: ${formatCaptureError(reader.error)}`;
  const unused = replay.finish(reader.interfaces);
  problem ??= unused?.problem;
  outputs.value.log?.log.end(replay.nowMs);
  isTaken &&= await flushOutputs(all, true);
  for (const { sink } of all) await sink.close();
  const { seconds } = progress;
  progress.end();

  problem ??= all.map(({ sink }) => sink.problem).find((each) => each !== undefined);
  // Nobody reads our output any more: there is nobody to report to either.
  if (!isTaken && problem === undefined) return EXIT.done;
  const report = gatherReport(replay, dataplane, {
    capture: job.name,
    config: job.loaded.config.file,
    seconds,
    sessionsMax: job.options.sessions,
    error: problem,
  });
  printReport(io, report, job.options);
  return problem === undefined ? EXIT.done : refuse(io, problem);
}

function makeReplay(
  dataplane: Dataplane,
  ingress: Ingress,
  { verdicts, write, log }: Outputs,
  reader: CaptureReader,
  { sessions }: ReplayVerbOptions,
): Replay {
  return new Replay(dataplane, {
    ingress,
    sessionsMax: sessions,
    packets: write !== undefined,
    ...((verdicts ?? write) && {
      verdicts: (row, packet) => {
        verdicts?.add(row);
        if (packet !== undefined) write?.add(row, packet, reader.interfaces);
      },
    }),
    ...(log && { events: (nowMs) => log.log.events(dataplane.events(), nowMs) }),
  });
}

/** The calendar time of the first packet that has one. */
function startOf(batch: PacketBatch | undefined): Date {
  for (let i = 0; batch !== undefined && i < batch.count; i++) {
    if (batch.timed[i] === 1) return startDate(batch.timeSeconds[i]!, batch.timeNanos[i]!);
  }
  return new Date(0);
}

async function makeDataplane(
  io: Io,
  { loaded, list, options }: Job,
  start: Date,
): Promise<Dataplane | undefined> {
  const usable = [...loaded.config.interfaces.values()]
    .filter((each) => !each.shutdown && hasAddress(each))
    .map(({ name }) => name);
  const pair = list === undefined ? undefined : pairInUse(list, usable);
  const { sessions, fragments, rules } = options;
  const created = await createDataplane(loaded, {
    capacity: { sessions, fragments, rules },
    checksums: options.checksums,
    inside: options.inside,
    macs: new Map(options.mac?.map(({ interface: name, value }) => [name, value])),
    wallClock: start,
    pair,
  });
  if ("dataplane" in created) {
    printDiagnostics(io, created.notes, ["warning"]);
    return created.dataplane;
  }
  if ("problem" in created) printError(io, created.problem);
  else printDiagnostics(io, created.diagnostics, ["error"]);
  return undefined;
}

function chooseIngress(dataplane: Dataplane, { list, options }: Job): Result<Ingress> {
  const unknown = (name: string) => ({ problem: noInterface(name, dataplane.interfaces) });
  if (list !== undefined) {
    const numbers = list.names.map((name) => dataplane.interfaceNumber(name));
    const missing = numbers.indexOf(undefined);
    if (missing >= 0) return unknown(list.names[missing]!);
    return { value: byList(list, numbers as number[], displayName(options.ingress!)) };
  }
  if (options.on === undefined) return { value: bySource };
  const mappings = options.on.map(({ interface: name, value }) => ({
    captured: value,
    name,
    ingress: dataplane.interfaceNumber(name),
  }));
  const missing = mappings.find(({ ingress }) => ingress === undefined);
  if (missing !== undefined) return unknown(missing.name);
  return { value: byCapture(mappings.map(({ captured, ingress }) => ({ captured, ingress: ingress! }))) };
}

interface Outputs {
  readonly verdicts: VerdictOutput | undefined;
  readonly write: CaptureOutput | undefined;
  readonly log: LogOutput | undefined;
  readonly all: readonly Output[];
}

async function openOutputs(
  io: Io,
  { verdicts, write, log, only }: ReplayVerbOptions,
  dataplane: Dataplane,
  start: Date,
): Promise<Result<Outputs>> {
  const sinks = await createSinks(io, { verdicts, write, log });
  if (isProblem(sinks)) return sinks;
  const rules = dataplane.rules();
  const names: VerdictNames = {
    interfaces: dataplane.interfaces,
    rules: rules.map(({ list, sequence }) => `${list} ${sequence}`),
  };
  const made = sinks.value;
  const outputs = {
    verdicts: made.verdicts && new VerdictOutput(made.verdicts, names),
    write: made.write && new CaptureOutput(made.write, names, only),
    log: made.log && new LogOutput(made.log, new IosLog({ config: dataplane.config, start, rules })),
  };
  return { value: { ...outputs, all: Object.values(outputs).filter((output) => output !== undefined) } };
}

/** On standard output, unless a file goes there. */
function printReport(io: Io, report: Report, options: ReplayVerbOptions): void {
  const stream = goesToStandardOutput(options) ? io.stderr : io.stdout;
  stream.write(
    options.json
      ? `${JSON.stringify(reportObject(report), undefined, 2)}\n`
      : reportText(report, paintOf(io, stream)),
  );
}
