/** The work of `twinwall replay --fail-everywhere`: the active box fails before each packet of a capture in turn. */
import { CaptureReader, formatCaptureError, type PacketBatch, readBatches } from "../capture/index.js";
import type { Io } from "../io/io.js";
import { FailEverywhere } from "../pair/fail-everywhere.js";
import type { Failure } from "../pair/plan.js";
import { failEverywhereObject, failEverywhereText, losesEstablished } from "../report/fail-everywhere.js";
import { EXIT } from "./exit.js";
import { type PairJob, type PairSetup, withAdvice } from "./pair-setup.js";
import { Progress } from "./progress.js";
import { paintOf, refuse } from "./terminal.js";

/** Tries it and prints the report; returns the exit code. The whole capture is kept in memory. */
export async function failAtEachPacket(
  io: Io,
  { name, source, options }: PairJob,
  setup: PairSetup,
  what: Failure,
): Promise<number> {
  const progress = new Progress(io, source, true);
  const reader = new CaptureReader();
  const batches: PacketBatch[] = [];
  for await (const batch of readBatches(progress.chunks(), reader)) batches.push(batch.keep());
  const everywhere = new FailEverywhere({
    boxes: () => setup.boxes(),
    capture: { batches, interfaces: reader.interfaces },
    what,
  });
  progress.begin();
  const run = everywhere.run();
  let step = run.next();
  for (; !step.done; step = run.next()) progress.update(step.value, everywhere.packets);
  progress.end();
  if (step.value !== undefined) return refuse(io, withAdvice(step.value));
  const report = everywhere.report();
  io.stdout.write(
    options.json
      ? `${JSON.stringify({ capture: name, failEverywhere: failEverywhereObject(report) }, undefined, 2)}\n`
      : failEverywhereText(report, paintOf(io, io.stdout)),
  );
  const problem = source.problem ?? (reader.error && `${name}: ${formatCaptureError(reader.error)}`);
  if (problem !== undefined) return refuse(io, problem);
  return losesEstablished(report) ? EXIT.findings : EXIT.done;
}
