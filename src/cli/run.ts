/** The command line: from arguments to a verb, and from whatever happens to an exit code. */
import { Command, CommanderError } from "commander";
import type { Io } from "../io/io.js";
import { checkCommand } from "./check.js";
import { consoleCommand } from "./console.js";
import { EXIT } from "./exit.js";
import { explainCommand } from "./explain.js";
import { runCommand } from "./live.js";
import { replayCommand } from "./replay.js";
import { printError } from "./terminal.js";
import { topCommand } from "./top.js";

const EXAMPLES = `
Examples:
  $ twinwall replay office.pcapng --config office.cfg
  $ twinwall explain --config office.cfg --in Gi0/0 tcp 10.1.1.5 198.51.100.7:www
  $ twinwall check router-a.cfg router-b.cfg

Exit codes: 0 done; 1 findings or a failed expectation; 2 bad input or usage;
70 a bug of twinwall.`;

/** Runs one command line (without the program's name) to its end; returns the exit code. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.done;
  const exit = (wanted: number) => {
    code = wanted;
  };
  try {
    await program(io, exit).parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    // Commander has printed what is wrong; it calls a bad command line 1, and help and version 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput;
    printError(io, `internal error: ${firstLine(error)}; please report it with the command line`);
    return EXIT.internal;
  }
}

function program(io: Io, exit: (code: number) => void): Command {
  const twinwall = new Command("twinwall")
    .description(
      "A stateful firewall with the semantics of the IOS Classic Firewall; every verdict has a reason.",
    )
    .version(io.version, "--version", "print the version")
    // What stands behind a command of the console belongs to that.
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES);
  const verbs = [replayCommand, explainCommand, checkCommand, runCommand, consoleCommand, topCommand];
  for (const verb of verbs) twinwall.addCommand(verb(io, exit));
  for (const each of [twinwall, ...twinwall.commands]) {
    each
      .exitOverride()
      .showSuggestionAfterError()
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        writeErr: (text) => io.stderr.write(text),
        getOutHelpWidth: () => io.stdout.columns,
        getErrHelpWidth: () => io.stderr.columns,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      });
  }
  return twinwall;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.split("\n")[0]!;
}
