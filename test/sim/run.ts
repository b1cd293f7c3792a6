/** Runs a scenario to its end, or to the first invariant that does not hold. */
import { Broken } from "./invariants.js";
import type { LossReason } from "./losses.js";
import { describeScenario, type Scenario } from "./scenario.js";
import { Simulation } from "./simulation.js";

export interface Failure {
  readonly text: string;
  readonly invariant: string;
}

export interface Outcome {
  readonly scenario: Scenario;
  /** Of everything that happened. */
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly takeovers: number;
  /** Sessions that take-overs lost. */
  readonly lost: Readonly<Record<LossReason, number>>;
  readonly failure: Failure | undefined;
  /** Of a failed run: its last events. */
  readonly last: readonly string[];
}

/** Runs a scenario to its end, or to the first invariant that does not hold. */
export function simulate(scenario: Scenario): Outcome {
  const simulation = new Simulation(scenario);
  let failure: Failure | undefined;
  try {
    play(simulation);
  } catch (error) {
    const text = error instanceof Broken ? error.message : String((error as Error).stack ?? error);
    failure = { text, invariant: error instanceof Broken ? error.invariant : "exception" };
  } finally {
    simulation.release();
  }
  const { trace, world, watch } = simulation;
  return {
    scenario,
    hash: trace.hash,
    events: trace.events,
    virtualMs: world.nowMs,
    takeovers: watch.roles.takeovers.length,
    lost: watch.sessions.losses,
    failure,
    last: failure === undefined ? [] : trace.last(),
  };
}

/** Traffic runs before the first fault for so long. */
const PROLOGUE_MS = 300;

function play(simulation: Simulation): void {
  const { bootDelayMs, isSettledFirst, chaosMs, faults, hostLoss, misdelivery, flows } = simulation.scenario;
  const { world, watch, gate } = simulation;
  simulation.boot(bootDelayMs);
  if (isSettledFirst) simulation.settle();
  gate.loss = hostLoss;
  gate.misdelivery = misdelivery;
  simulation.start(flows);
  if (isSettledFirst) simulation.run(PROLOGUE_MS);
  const fromMs = world.nowMs;
  for (const fault of faults) world.at(fromMs + fault.atMs, () => simulation.inject(fault));
  simulation.run(chaosMs).mend();
  // What was not heard before may still lead to a take-over within a hold time.
  simulation.run(watch.roles.patienceMs).settle().verify().quiet().compare();
}

/** A failed run for people: what broke, what was done to the pair, and how it ended. */
export function report({ scenario, failure, last, hash }: Outcome): string {
  return [
    ...describeScenario(scenario),
    failure === undefined ? "nothing broke" : failure.text,
    "last events:",
    ...last.map((line) => `  ${line}`),
    `again: npx tsx scripts/simulate.ts --first ${scenario.seed} --seeds 1 (trace ${hash})`,
  ].join("\n");
}
