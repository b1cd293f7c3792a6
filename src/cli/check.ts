/** `twinwall check`: what is wrong with a configuration, or with two that are to be a pair. */
import { Command } from "commander";
import { checkConfig, checkPair, exitCodeOf, formatFindings, reportOf } from "../check/index.js";
import { type Io, isProblem, STANDARD_STREAM } from "../io/io.js";
import { EXIT } from "./exit.js";
import { loadConfig, type LoadedConfig } from "./load.js";
import { jsonOption, lenientOption, sessionsOption } from "./options.js";
import { hasColor, printDiagnostics, refuse } from "./terminal.js";

interface CheckVerbOptions {
  readonly strict?: true;
  readonly lenient?: true;
  readonly json?: true;
  readonly sessions: number;
}

const EXAMPLES = `
Examples:
  $ twinwall check router.cfg
  $ twinwall check --strict router-a.cfg router-b.cfg

Exit codes: 0 no errors; 1 findings of severity error; 2 a configuration cannot
be read or understood.`;

export function checkCommand(io: Io, exit: (code: number) => void): Command {
  return new Command("check")
    .summary("find mistakes in a configuration, or in the two of a pair")
    .description("Checks a configuration, or two that are to be a pair, and says how to mend what it finds.")
    .argument("<config>", "running configuration; - is standard input")
    .argument("[peer]", "running configuration of the other box of the pair")
    .option("--strict", "warnings about what the failover guide demands become errors")
    .addOption(sessionsOption())
    .addOption(lenientOption())
    .addOption(jsonOption())
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, peer: string | undefined, options: CheckVerbOptions) => {
      exit(await check(io, peer === undefined ? [path] : [path, peer], options));
    });
}

async function check(io: Io, paths: readonly string[], options: CheckVerbOptions): Promise<number> {
  if (paths.filter((path) => path === STANDARD_STREAM).length > 1)
    return refuse(io, "only one configuration can come from standard input");
  const loaded: LoadedConfig[] = [];
  for (const path of paths) {
    const result = await loadConfig(io, path, options.lenient);
    if (isProblem(result)) return refuse(io, result.problem);
    loaded.push(result.value);
  }
  const diagnostics = loaded.flatMap((each) => each.diagnostics);
  printDiagnostics(io, diagnostics, options.json ? ["error"] : ["error", "warning", "note"]);
  if (!loaded.every((each) => each.usable)) {
    if (options.json) printJson(io, { diagnostics, findings: [], errors: 0, warnings: 0, infos: 0 });
    return EXIT.badInput;
  }
  const [a, b] = loaded.map((each) => each.config);
  const settings = { strict: options.strict ?? false, tableCapacity: options.sessions };
  const findings = b === undefined ? checkConfig(a!, settings) : checkPair(a!, b, settings);
  if (options.json) printJson(io, { diagnostics, ...reportOf(findings) });
  else io.stdout.write(formatFindings(findings, { color: hasColor(io, io.stdout) }));
  return exitCodeOf(findings) === 0 ? EXIT.done : EXIT.findings;
}

function printJson(io: Io, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
