#!/usr/bin/env node
/** The command `twinwall`. */
import { EXIT } from "./cli/exit.js";
import { run } from "./cli/run.js";
import { nodeIo } from "./io/node.js";

const io = nodeIo((problem) => {
  io.stderr.write(`error: ${problem}\n`);
  process.exitCode = EXIT.badInput;
});

run(process.argv.slice(2), io).then((code) => {
  // Standard output may have failed meanwhile, and set a code of its own.
  process.exitCode ||= code;
});
