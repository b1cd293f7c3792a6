/**
 * Runs the simulator of test/sim/ over many seeds, in as many processes as there are cores.
 *
 *   tsx scripts/simulate.ts [--seeds 1000] [--first 1] [--workers N] [--shrink]
 *
 * Prints a report of every seed that breaks an invariant (with --shrink, of the smallest scenario found that still does),
 * and exits with 1 when there is one.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { inspect, parseArgs } from "node:util";
import { type LossReason, LOSSES, noLosses } from "../test/sim/losses.js";
import { scenarioOf } from "../test/sim/scenario.js";
import { shrink } from "../test/sim/shrink.js";
import { type Outcome, report, simulate } from "../test/sim/run.js";

/** Seeds that a process gets at a time. */
const PORTION = 25;
const PROGRESS_MS = 5000;
const SECOND_MS = 1000;
/** Seeds are numbers of 32 bits. */
const SEED_MAX = 0xffffffff;

interface Portion {
  readonly first: number;
  readonly count: number;
  readonly isShrinking: boolean;
}

interface Failed {
  readonly seed: number;
  readonly invariant: string;
  readonly text: string;
}

interface Result {
  seeds: number;
  events: number;
  virtualMs: number;
  takeovers: number;
  readonly lost: Record<LossReason, number>;
  readonly failures: Failed[];
}

const newResult = (): Result => ({
  seeds: 0,
  events: 0,
  virtualMs: 0,
  takeovers: 0,
  lost: noLosses(),
  failures: [],
});

function add(sum: Result, part: Omit<Result, "failures">): void {
  sum.seeds += part.seeds;
  sum.events += part.events;
  sum.virtualMs += part.virtualMs;
  sum.takeovers += part.takeovers;
  for (const reason of Object.keys(LOSSES) as LossReason[]) sum.lost[reason] += part.lost[reason];
}

function runPortion({ first, count, isShrinking }: Portion): Result {
  const result = newResult();
  for (let seed = first; seed < first + count; seed++) {
    const outcome = simulate(scenarioOf(seed));
    add(result, { seeds: 1, ...outcome });
    if (outcome.failure === undefined) continue;
    const { invariant } = outcome.failure;
    const text = isShrinking ? describeShrunk(shrink(outcome)) : report(outcome);
    result.failures.push({ seed, invariant, text });
  }
  return result;
}

/** The report, and the scenario as test/sim/named.ts can keep it. */
function describeShrunk(outcome: Outcome): string {
  const data = inspect(outcome.scenario, { depth: null, maxArrayLength: null, breakLength: 110 });
  return `${report(outcome)}\nsmallest scenario:\n${data}`;
}

/** A process that runs one portion after the other, as long as there is one. */
function drive(next: () => Portion | undefined, done: (result: Result) => void): Promise<void> {
  const worker = fork(fileURLToPath(import.meta.url));
  return new Promise((resolve, reject) => {
    const go = (): void => {
      const portion = next();
      if (portion !== undefined) worker.send(portion);
      else worker.disconnect();
    };
    worker.on("error", reject);
    worker.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`a process ended with ${code ?? "a signal"}`)),
    );
    worker.on("message", (result: Result) => {
      done(result);
      go();
    });
    go();
  });
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= SEED_MAX) return value;
  throw new RangeError(`--${name} is not a whole number from ${least} to ${SEED_MAX}: ${text}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      first: { type: "string", default: "1" },
      workers: { type: "string", default: String(availableParallelism()) },
      shrink: { type: "boolean", default: false },
    },
  });
  const first = wholeNumber("first", values.first, 0);
  const seeds = wholeNumber("seeds", values.seeds, 1);
  const workers = wholeNumber("workers", values.workers, 1);
  const total = newResult();
  const startMs = performance.now();
  const perSecond = (): string => ((total.seeds * SECOND_MS) / (performance.now() - startMs)).toFixed(1);
  let given = 0;
  let shownMs = startMs;
  const next = (): Portion | undefined => {
    const count = Math.min(PORTION, seeds - given);
    if (count === 0) return undefined;
    given += count;
    return { first: first + given - count, count, isShrinking: values.shrink };
  };
  const done = (result: Result): void => {
    add(total, result);
    total.failures.push(...result.failures);
    for (const { text } of result.failures) console.log(`${text}\n`);
    if (performance.now() - shownMs < PROGRESS_MS) return;
    shownMs = performance.now();
    console.log(`${total.seeds} of ${seeds} seeds, ${total.failures.length} failed, ${perSecond()} seeds/s`);
  };
  await Promise.all(Array.from({ length: workers }, () => drive(next, done)));
  const lost = (Object.keys(LOSSES) as LossReason[]).map(
    (reason) => `  ${total.lost[reason]} ${LOSSES[reason]}`,
  );
  console.log(
    [
      `${total.seeds} seeds from ${first}, ${perSecond()} seeds/s, ${workers} processes`,
      `${(total.virtualMs / SECOND_MS / 3600).toFixed(1)} h of virtual time, ${total.events} events`,
      `${total.takeovers} take-overs, which lost sessions:`,
      ...lost,
      `${total.failures.length} seeds failed`,
      ...total.failures.map(({ seed, invariant }) => `  ${seed} ${invariant}`),
    ].join("\n"),
  );
  process.exitCode = total.failures.length === 0 ? 0 : 1;
}

if (process.send === undefined) await main();
else process.on("message", (portion: Portion) => process.send!(runPortion(portion)));
