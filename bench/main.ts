/**
 * `npm run bench`: how fast the firewall is, beside what bounds it and what else one could have written.
 *
 *   --json FILE       write the rows to FILE
 *   --only PREFIX     only rows whose name begins so (established/tcp, acl, ...)
 *   --markdown        print the targets and what was reached as a table
 *   --against FILE    measure another build of the core beside this one
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readCoreFile } from "../src/io/wasm.js";
import { acl } from "./acl.js";
import { batch } from "./batch.js";
import { type Built, build } from "./build.js";
import { established } from "./established.js";
import { forward } from "./forward.js";
import { handoff } from "./handoff.js";
import { machineOf } from "./machine.js";
import type { RaceOptions } from "./measure.js";
import { ROUNDS_MIN } from "./measure.js";
import { pair } from "./pair.js";
import { parse } from "./parse.js";
import { replay } from "./replay.js";
import { HEADER, jsonOf, lineOf, type Row } from "./report.js";
import { sessions } from "./sessions.js";
import { sync } from "./sync.js";
import { markdownOf } from "./targets.js";
import type { Workshop } from "./testbed.js";

const OPTIONS = {
  json: { type: "string" },
  only: { type: "string", default: "" },
  markdown: { type: "boolean", default: false },
  against: { type: "string" },
} as const;

/** A sample of a small table takes a few ms, of a large one some tens. */
const EFFORT_SMALL: RaceOptions = { rounds: 11, samples: 3 };
const EFFORT_LARGE: RaceOptions = { rounds: ROUNDS_MIN, samples: 2 };
const LARGE = 1_000_000;

async function workshopOf(built: Built, against: string | undefined): Promise<Workshop> {
  return {
    built,
    core: new WebAssembly.Module(await readCoreFile()),
    against: against === undefined ? undefined : new WebAssembly.Module(readFileSync(against)),
    effort: (size) => (size < LARGE ? EFFORT_SMALL : EFFORT_LARGE),
  };
}

async function main(): Promise<void> {
  const { json, only, markdown, against } = parseArgs({ options: OPTIONS }).values;
  const built = build();
  try {
    const workshop = await workshopOf(built, against);
    const questions = [established, forward, sessions, acl, parse, batch, replay, sync, handoff, pair].map(
      (ask) => ask(workshop),
    );
    if (!questions.some(({ names }) => names.some((name) => name.startsWith(only))))
      throw new Error(
        `no row begins with ${only}; there are: ${questions.flatMap(({ names }) => names).join(" ")}`,
      );
    console.log(`${machineOf(built).join("\n")}\n\n${HEADER}`);
    const rows: Row[] = [];
    for (const question of questions) {
      for await (const row of question.measure((name) => name.startsWith(only))) {
        rows.push(row);
        console.log(lineOf(row));
      }
    }
    if (json !== undefined) writeFileSync(json, jsonOf(rows));
    if (markdown) console.log(`\n${markdownOf(rows)}`);
  } finally {
    built.remove();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
