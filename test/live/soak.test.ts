/** A minute of what scripts/soak.ts does for an hour. */
import { describe, expect, test } from "vitest";
import { requireLab } from "./lab.js";
import { soak } from "./soak.js";

const isPossible = requireLab("sysctl", "cc");
const SECONDS = 60;

describe.skipIf(!isPossible)("a soak", () => {
  test("of a minute: no connection is lost, and nothing grows", { timeout: 240_000 }, async () => {
    const seed = Date.now() >>> 0;
    console.log(`seed ${seed}`);
    const { faults, problems } = await soak(SECONDS, seed, console.log);
    expect(problems, `seed ${seed}`).toEqual([]);
    expect(faults).toBeGreaterThan(0);
  });
});
