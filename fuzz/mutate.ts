/**
 * The mutation fuzzer of captures and configurations.
 *
 *   npx tsx fuzz/mutate.ts [--seed N] [--first N] [--count N] [--only captures|configurations]
 *       [--captures FOLDER] [--found FOLDER]
 *
 * --captures: a folder with captures to start from, besides those of the project.
 * Round i of a seed is always the same; --first I --count 1 repeats it alone. What goes wrong is printed, its input is
 * written into FOLDER, and the exit code is 1.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Finding, fuzz, KINDS, type Kind } from "./mutate/fuzz.js";

const PROGRESS_MS = 10_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    count: { type: "string", default: "10000" },
    only: { type: "string" },
    captures: { type: "string" },
    found: { type: "string", default: fileURLToPath(new URL(".found", import.meta.url)) },
  },
});
const [seed, first, count] = [values.seed, values.first, values.count].map(Number) as [
  number,
  number,
  number,
];
const kinds = KINDS.filter((kind) => values.only === undefined || values.only === kind);
if (kinds.length === 0 || ![seed, first, count].every(Number.isSafeInteger)) {
  console.error(
    "usage: tsx fuzz/mutate.ts [--seed N] [--first N] [--count N] [--only captures|configurations]",
  );
  process.exit(2);
}

const wasm = readFileSync(new URL("../dist/core.wasm", import.meta.url));
const done: Record<Kind, number> = { captures: 0, configurations: 0 };
const findings: Finding[] = [];
let reported = Date.now();
for await (const round of fuzz({
  module: new WebAssembly.Module(wasm),
  seed,
  first,
  count,
  kinds,
  captures: values.captures,
})) {
  done[round.kind]++;
  if (round.finding !== undefined) report(round.finding);
  if (Date.now() - reported < PROGRESS_MS) continue;
  reported = Date.now();
  console.log(`round ${round.number}: ${summary()}`);
}
console.log(summary());
process.exitCode = findings.length === 0 ? 0 : 1;

function report(finding: Finding): void {
  findings.push(finding);
  mkdirSync(values.found, { recursive: true });
  const file = join(values.found, `${finding.kind}-${seed}-${finding.number}`);
  writeFileSync(file, finding.input);
  console.error(
    `round ${finding.number} of seed ${seed} (${finding.kind}): ${finding.error}\n  input: ${file}`,
  );
}

function summary(): string {
  const rounds = Object.entries(done).map(([kind, rounds]) => `${rounds} ${kind}`);
  return `${rounds.join(", ")}, ${findings.length} findings`;
}
