/**
 * `npx tsx bench/live/main.ts`: twinwall beside what an operator would pick instead, on the wire, in one run. Needs root.
 *
 *   --only PREFIX       only questions whose name begins so (pps/, tcp/, gap/, ...)
 *   --contenders A,B    only these
 *   --quick             one short round
 *   --json FILE         write the results to FILE
 *   --markdown          print the targets and what was reached as a table
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { parseArgs } from "node:util";
import { hasCommand } from "../../test/live/system.js";
import { Bed } from "./bed.js";
import type { Contender } from "./contender.js";
import { forwarding, nftables, raiseConntrack } from "./contenders/kernel.js";
import { ovs } from "./contenders/ovs.js";
import { notesOf, Results, tableOf } from "./report.js";
import { askSingle, type Effort, SINGLE_NAMES } from "./single.js";

const OPTIONS = {
  only: { type: "string", default: "" },
  contenders: { type: "string", default: "" },
  quick: { type: "boolean", default: false },
  json: { type: "string" },
  markdown: { type: "boolean", default: false },
} as const;

const SINGLE: readonly Contender[] = [forwarding, nftables, ovs];

const EFFORT: Effort = { rounds: 5, seconds: 3 };
const EFFORT_QUICK: Effort = { rounds: 1, seconds: 1 };

async function main(): Promise<void> {
  const { only, contenders, quick, json } = parseArgs({ options: OPTIONS }).values;
  const wanted = (name: string) => name.startsWith(only);
  const effort = quick ? EFFORT_QUICK : EFFORT;
  const results = new Results();
  const chosen = SINGLE.filter(({ name }) => contenders === "" || contenders.split(",").includes(name));
  const restore = raiseConntrack();
  const bed = await Bed.build();
  try {
    for (let round = 0; round < effort.rounds; round++)
      for (let turn = 0; turn < chosen.length; turn++)
        await askSingle(bed, chosen[(round + turn) % chosen.length]!, wanted, results, effort);
  } finally {
    bed.close();
    restore();
  }
  const rows = results.rows();
  console.log(
    tableOf(
      rows,
      chosen.map(({ name }) => name),
    ),
  );
  console.log(notesOf(rows).join("\n"));
  if (json !== undefined) writeFileSync(json, JSON.stringify(rows));
}
void [cpus, loadavg, release, hasCommand, SINGLE_NAMES];
main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.stack : error);
  process.exitCode = 1;
});
