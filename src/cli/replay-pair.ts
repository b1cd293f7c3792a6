/** The work of `twinwall replay --peer`: a capture through a pair, with failures on the way. */
import { CaptureReader, formatCaptureError, readBatches } from "../capture/index.js";
import { type Io, isProblem, type Result } from "../io/io.js";
import { BOX_NAMES } from "../pair/world.js";
import { type FailoverReport, failoverObject, failoverText } from "../report/failover.js";
import { failoverHtml } from "../report/failover-html.js";
import { type Report, reportObject } from "../report/report.js";
import { reportText } from "../report/summary.js";
import { EXIT } from "./exit.js";
import { failAtEachPacket } from "./fail-everywhere.js";
import { type PairJob, type PairRun, setUpPair } from "./pair-setup.js";
import { Progress } from "./progress.js";
import { paintOf, refuse } from "./terminal.js";

/** Bytes of the capture between two looks at the progress of a replay that takes its time. */
const PIECE_SIZE = 4096;

/** Replays the capture and prints the report; returns the exit code. */
export async function replayThroughPair(io: Io, job: PairJob): Promise<number> {
  const setup = await setUpPair(io, job);
  if (setup === undefined) return EXIT.badInput;
  const { fail = [], recover = [], workers, realtime, failEverywhere } = job.options;
  if (failEverywhere !== undefined) return failAtEachPacket(io, job, setup, failEverywhere);
  const plan = [...fail, ...recover];
  const isReal = (workers ?? realtime) === true;
  const started: Result<PairRun> = isReal ? await setup.startThreads(plan) : setup.startVirtual(plan);
  if (isProblem(started)) return refuse(io, started.problem);
  const run = started.value;
  try {
    const { problem, seconds } = await play(io, job, run, isReal);
    const report = run.report({
      capture: job.name,
      config: BOX_NAMES.map((box) => job.boxes[box].config.file).join(" and "),
      // In virtual time it is the only thing here that differs from run to run.
      seconds: isReal ? seconds : undefined,
      sessionsMax: job.options.sessions,
      error: problem,
    });
    const unwritten = await tell(io, job, report, run.failover());
    const trouble = unwritten ?? problem;
    return trouble === undefined ? EXIT.done : refuse(io, trouble);
  } finally {
    await run.close?.();
  }
}

/** Sends the capture through the pair. `problem`: why it could not be read to its end. */
async function play(
  io: Io,
  { name, source }: PairJob,
  run: PairRun,
  isReal: boolean,
): Promise<{ problem: string | undefined; seconds: number }> {
  const progress = new Progress(io, source, true);
  const reader = new CaptureReader();
  progress.begin();
  for await (const batch of readBatches(progress.chunks(isReal ? PIECE_SIZE : undefined), reader)) {
    await run.feed(batch, reader.interfaces);
    progress.update(run.packets);
  }
  await run.finish();
  const { seconds } = progress;
  progress.end();
  const problem = source.problem ?? (reader.error && `${name}: ${formatCaptureError(reader.error)}`);
  return { problem, seconds };
}

/** Prints the report, and writes it as a page where that is wanted. What stood in the way of that. */
async function tell(
  io: Io,
  { options: { json, report: page } }: PairJob,
  report: Report,
  failover: FailoverReport,
): Promise<string | undefined> {
  if (page !== undefined) {
    const sink = await io.create(page);
    if (isProblem(sink)) return sink.problem;
    await sink.value.write(failoverHtml(report, failover));
    await sink.value.close();
    if (sink.value.problem !== undefined) return sink.value.problem;
  }
  if (json) {
    const object = { ...reportObject(report), failover: failoverObject(failover) };
    io.stdout.write(`${JSON.stringify(object, undefined, 2)}\n`);
  } else {
    const paint = paintOf(io, io.stdout);
    io.stdout.write(`${reportText(report, paint)}\n${failoverText(failover, paint)}`);
    if (page !== undefined) io.stdout.write(`\n  ${paint.dim("the same as a page:")} ${page}\n`);
  }
  return undefined;
}
