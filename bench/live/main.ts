/**
 * `npx tsx bench/live/main.ts`: twinwall beside what an operator would pick instead, on the wire, in one run. Needs root.
 * README.md of this folder says how each figure comes about.
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
import { requireLab } from "../../test/live/lab.js";
import { Bed } from "./bed.js";
import type { Contender, PairContender } from "./contender.js";
import { keepalived } from "./contenders/keepalived.js";
import { forwarding, nftables, raiseConntrack } from "./contenders/kernel.js";
import { ovs } from "./contenders/ovs.js";
import { twinwall, twinwallPair } from "./contenders/twinwall.js";
import { askPair, PAIR_NAMES } from "./pair.js";
import { notesOf, Results, tableOf } from "./report.js";
import { askSingle, type Effort, SINGLE_NAMES } from "./single.js";
import { targetsOf } from "./targets.js";

const OPTIONS = {
  only: { type: "string", default: "" },
  contenders: { type: "string", default: "" },
  quick: { type: "boolean", default: false },
  json: { type: "string" },
  markdown: { type: "boolean", default: false },
} as const;

const SINGLE: readonly Contender[] = [forwarding, nftables, ovs, twinwall];
const PAIRS: readonly PairContender[] = [keepalived, twinwallPair];

const EFFORT: Effort = { rounds: 5, seconds: 3 };
const EFFORT_QUICK: Effort = { rounds: 1, seconds: 1 };

/** Contenders that were asked for and can run; the others with why not. */
function choose<C extends Contender | PairContender>(all: readonly C[], asked: readonly string[]): C[] {
  return all.filter((contender) => {
    if (asked.length > 0 && !asked.includes(contender.name)) return false;
    const why = contender.missing();
    console.log(`${contender.name}: ${why === undefined ? contender.version() : `left out, ${why}`}`);
    return why === undefined;
  });
}

/** Lets the contenders take turns; every round begins with another one. */
async function takeTurns<C extends { readonly name: string }>(
  contenders: readonly C[],
  rounds: number,
  ask: (contender: C) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length]!;
      console.error(`round ${round + 1} of ${rounds}: ${contender.name}`);
      try {
        await ask(contender);
      } catch (error) {
        // The others are measured all the same; that one failed is not to be overlooked.
        console.error(`${contender.name}:`, error);
        process.exitCode = 1;
      }
    }
}

async function main(): Promise<void> {
  const { only, contenders, quick, json, markdown } = parseArgs({ options: OPTIONS }).values;
  if (!requireLab("taskset", "sysctl", "iperf3", "dumpcap", "cc")) return;
  const wanted = (name: string) => name.startsWith(only);
  if (![...SINGLE_NAMES, ...PAIR_NAMES].some(wanted))
    throw new Error(
      `no question begins with ${only}; there are: ${[...SINGLE_NAMES, ...PAIR_NAMES].join(" ")}`,
    );
  const { rounds, seconds } = quick ? EFFORT_QUICK : EFFORT;
  const load = loadavg()[0]!;
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, Linux ${release()}, load ${load.toFixed(1)}`;
  console.log(machine);
  if (load > 0.5) console.log("The machine is busy: not even ratios of rates can be trusted.");
  const asked = contenders === "" ? [] : contenders.split(",");
  const singles = SINGLE_NAMES.some(wanted) ? choose(SINGLE, asked) : [];
  const pairs = PAIR_NAMES.some(wanted) ? choose(PAIRS, asked) : [];
  const results = new Results();
  // Also when it is interrupted: the lab closes when the process exits, and so is this put back.
  const restore = raiseConntrack();
  process.once("exit", restore);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  try {
    if (singles.length > 0) {
      const bed = await Bed.build();
      try {
        await takeTurns(singles, rounds, (each) =>
          askSingle(bed, each, wanted, results, { rounds, seconds }),
        );
      } finally {
        bed.close();
      }
    }
    await takeTurns(pairs, rounds, (each) => askPair(each, wanted, results));
  } finally {
    process.removeListener("exit", restore);
    restore();
  }
  const rows = results.rows();
  const names = [...new Set([...singles, ...pairs].map(({ name }) => name))];
  console.log(`\n${tableOf(rows, names)}\n\n${notesOf(rows).join("\n")}`);
  if (markdown) console.log(`\n${targetsOf(rows)}`);
  if (json !== undefined) {
    const versions = Object.fromEntries([...singles, ...pairs].map((each) => [each.name, each.version()]));
    writeFileSync(json, JSON.stringify({ machine, versions, seconds, rounds, rows }, null, 1) + "\n");
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
