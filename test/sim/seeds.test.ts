/**
 * Many seeds, of which none breaks an invariant. TWINWALL_SEED sets the first one, TWINWALL_SEEDS how many there are.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { scenarioOf } from "./scenario.js";
import { simulate } from "./run.js";

const FIRST = Number(process.env.TWINWALL_SEED ?? 1);
const SEEDS = Number(process.env.TWINWALL_SEEDS ?? 300);
const TIMEOUT_MS = 900_000;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OUTPUT_MAX = 64 * 1024 * 1024;

/** Runs the script that runs seeds, in a process for each core. */
function runScript(...args: readonly string[]): Promise<{ isRight: boolean; text: string }> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, maxBuffer: OUTPUT_MAX };
    execFile(
      process.execPath,
      ["--import", "tsx", "scripts/simulate.ts", ...args],
      options,
      (error, out, err) => resolve({ isRight: error === null, text: `${out}${err}` }),
    );
  });
}

describe("seeds", () => {
  test(
    `${SEEDS} from ${FIRST} on: every invariant holds at every event`,
    async () => {
      const { isRight, text } = await runScript("--first", `${FIRST}`, "--seeds", `${SEEDS}`);
      const [, summary] = text.split(/(?=^\d+ seeds from )/m);
      console.log(`first seed ${FIRST}; ${summary}`);
      expect(isRight ? "" : text).toBe("");
      expect(summary).toContain(`${SEEDS} seeds from ${FIRST}`);
    },
    TIMEOUT_MS,
  );

  test(
    "the same seed gives the same run, event by event; another gives another",
    () => {
      const hashes = new Set<string>();
      for (let seed = FIRST; seed < FIRST + 20; seed++) {
        const [one, other] = [simulate(scenarioOf(seed)), simulate(scenarioOf(seed))];
        expect(other.hash).toBe(one.hash);
        expect(other.events).toBe(one.events);
        hashes.add(one.hash);
      }
      expect(hashes.size).toBe(20);
    },
    TIMEOUT_MS,
  );

  test("the first of a thousand hold every kind of fault, of ending and of configuration", () => {
    const scenarios = Array.from({ length: 1000 }, (_, i) => scenarioOf(FIRST + i));
    const count = (values: readonly unknown[]): number => new Set(values).size;
    expect(count(scenarios.flatMap(({ faults }) => faults.map(({ kind }) => kind)))).toBe(8);
    expect(count(scenarios.flatMap(({ flows }) => flows.map(({ kind }) => kind)))).toBe(8);
    expect(count(scenarios.flatMap(({ flows }) => flows.map(({ ending }) => ending)))).toBe(4);
    expect(count(scenarios.map(({ variant }) => JSON.stringify(variant)))).toBeGreaterThan(900);
  });
});
