/**
 * Soaks a live pair in namespaces of its own: traffic, and faults at random, one at a time.
 *
 *   sudo tsx scripts/soak.ts [--seconds 3600] [--seed N]
 *
 * Prints each fault, and exits with 1 when a connection was lost, a byte was wrong, or something grew.
 */
import { parseArgs } from "node:util";
import { soak } from "../test/live/soak.js";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "3600" }, seed: { type: "string" } },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new Error("--seconds and --seed are numbers");

console.log(`seed ${seed}, ${seconds} s`);
const { faults, problems } = await soak(seconds, seed, (line) =>
  console.log(`${new Date().toISOString()} ${line}`),
);
for (const problem of problems) console.error(problem);
console.log(`${faults} faults, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
