/** A short run of the mutation fuzzer: damaged captures and configurations, the same ones every time. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Finding, fuzz, KINDS } from "../../fuzz/mutate/fuzz.js";

const SEED = 20_260_722;
const ROUNDS = 600;

const module = new WebAssembly.Module(readFileSync(new URL("../../dist/core.wasm", import.meta.url)));

describe.each(KINDS)("%s", (kind) => {
  test("damage throws nothing and breaks no law", async () => {
    const findings: Finding[] = [];
    let rounds = 0;
    for await (const { finding } of fuzz({ module, seed: SEED, first: 0, count: ROUNDS, kinds: [kind] })) {
      rounds++;
      if (finding !== undefined) findings.push(finding);
    }
    expect(findings.map(({ number, error }) => `round ${number}: ${error}`)).toEqual([]);
    expect(rounds).toBe(ROUNDS);
  }, 180_000);
});
