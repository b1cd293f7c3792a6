/** Every failure that was ever found stays away. */
import { describe, expect, test } from "vitest";
import { NAMED } from "./named.js";
import { report, simulate } from "./run.js";

describe("runs that once failed", () => {
  test.each(NAMED)("$name ($broke, seed $scenario.seed)", ({ scenario }) => {
    const outcome = simulate(scenario);
    expect(outcome.failure === undefined ? "" : report(outcome)).toBe("");
  });

  test("no two are the same", () => {
    expect(new Set(NAMED.map(({ scenario }) => JSON.stringify(scenario))).size).toBe(NAMED.length);
    expect(new Set(NAMED.map(({ name }) => name)).size).toBe(NAMED.length);
  });
});
