/** Makes a failing scenario smaller: what it fails without was not the cause. */
import type { Scenario } from "./scenario.js";
import { type Outcome, simulate } from "./run.js";
import { PLAIN, type Variant } from "./variant.js";

/** Runs that a scenario may cost: every one that is dropped is tried, until nothing more can be. */
const RUNS_MAX = 400;

/** A run that breaks the same invariant with as few faults and flows, and as plain a configuration, as can be found. */
export function shrink(failed: Outcome): Outcome {
  let smallest = failed;
  let runs = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const scenario of simpler(smallest.scenario)) {
      if (runs++ >= RUNS_MAX) return smallest;
      const outcome = simulate(scenario);
      if (outcome.failure?.invariant !== failed.failure?.invariant) continue;
      smallest = outcome;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

/** Each with one thing less, those first that take the most away. */
function* simpler(scenario: Scenario): Generator<Scenario> {
  const { faults, flows, variant, hostLoss, misdelivery, bootDelayMs } = scenario;
  for (let i = 0; i < faults.length; i++) yield { ...scenario, faults: faults.toSpliced(i, 1) };
  for (let half = flows.length >> 1; half >= 1; half >>= 1) {
    for (let i = 0; i < flows.length; i += half) yield { ...scenario, flows: flows.toSpliced(i, half) };
  }
  if (hostLoss > 0) yield { ...scenario, hostLoss: 0 };
  if (misdelivery > 0) yield { ...scenario, misdelivery: 0 };
  if (bootDelayMs > 0) yield { ...scenario, bootDelayMs: 0 };
  for (const key of Object.keys(PLAIN) as (keyof Variant)[]) {
    if (JSON.stringify(variant[key]) !== JSON.stringify(PLAIN[key]))
      yield { ...scenario, variant: { ...variant, [key]: PLAIN[key] } };
  }
}
