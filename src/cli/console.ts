/** `twinwall console`: the commands of a firewall that runs, at a terminal or from a script. */
import { Command, Option } from "commander";
import { type ConsoleClient, connectConsole } from "../io/console/client.js";
import { historyPath } from "../io/console/history.js";
import type { Reply } from "../io/console/protocol.js";
import { runInteractive } from "../io/console/interactive.js";
import { terminalOfProcess } from "../io/console/screen.js";
import { type Io, isProblem, readText, STANDARD_STREAM } from "../io/io.js";
import { EXIT } from "./exit.js";
import { printError, refuse } from "./terminal.js";

/** Where `twinwall run` has its console unless it is told otherwise. */
export const SOCKET_DEFAULT = "/run/twinwall/console.sock";
/** The longest script that is read. */
const SCRIPT_BYTES_MAX = 16 * 1024 * 1024;

const EXAMPLES = `
Examples:
  $ twinwall console
  $ twinwall console show standby brief
  $ twinwall console --json show ip inspect statistics
  $ twinwall console < changes.txt

Exit codes: 0 done; 1 a command failed; 2 no firewall answers, or bad usage.`;

export function socketOption(): Option {
  return new Option("--socket <path>", "socket of the firewall's console").default(SOCKET_DEFAULT);
}

interface ConsoleVerbOptions {
  readonly socket: string;
  readonly json?: true;
}

export function consoleCommand(io: Io, exit: (code: number) => void): Command {
  return new Command("console")
    .summary("command line of a firewall that runs")
    .description(
      "Opens the console of a running firewall, with the commands of an IOS router. With COMMAND, or with commands from " +
        "standard input, it carries them out and ends.",
    )
    .argument("[command...]", "one command; its words need no quotes unless the shell would read them")
    .addOption(socketOption())
    .option("--json", "print the data of each command as JSON, one line each")
    .addHelpText("after", EXAMPLES)
    .passThroughOptions()
    .action(async (words: string[], options: ConsoleVerbOptions) => {
      exit(await consoleVerb(io, words, options));
    });
}

async function consoleVerb(io: Io, words: readonly string[], options: ConsoleVerbOptions): Promise<number> {
  const terminal = words.length === 0 && !options.json ? terminalOfProcess() : undefined;
  if (terminal !== undefined) {
    const ended = await runInteractive({
      path: options.socket,
      historyPath: historyPath(io.environment),
      ...terminal,
    });
    return isProblem(ended) ? refuse(io, ended.problem) : EXIT.done;
  }
  const script =
    words.length > 0 ? { value: words.join(" ") } : await readText(io, STANDARD_STREAM, SCRIPT_BYTES_MAX);
  if (isProblem(script)) return refuse(io, script.problem);
  const connected = await connectConsole(options.socket);
  if (isProblem(connected)) return refuse(io, connected.problem);
  const lines = script.value.split(/\r?\n/).filter((line) => line.trim() !== "");
  const code = await runLines(io, connected.value, lines, options.json ?? false);
  connected.value.close();
  return code;
}

/** Carries out the lines until one ends the session. Those after one that failed are carried out too, as on a terminal. */
async function runLines(
  io: Io,
  client: ConsoleClient,
  lines: readonly string[],
  isJson: boolean,
): Promise<number> {
  let code: number = EXIT.done;
  // What a marker under a line that failed counts from; a firewall without room for a session says so here.
  const greeting = await client.ask({ line: "" });
  if (greeting.error !== undefined) return refuse(io, greeting.error);
  let { prompt = "" } = greeting;
  for (const line of lines) {
    const reply = isJson ? await runData(io, client, line) : await runText(io, client, line, prompt);
    if (reply.error !== undefined) printError(io, reply.error);
    if (!reply.ok) code = EXIT.findings;
    if (reply.isOver) return reply.error === undefined ? code : EXIT.badInput;
    prompt = reply.prompt ?? prompt;
  }
  return code;
}

async function runData(io: Io, client: ConsoleClient, command: string): Promise<Reply> {
  const reply = await client.ask({ command });
  if (reply.ok) io.stdout.write(`${JSON.stringify(reply.data)}\n`);
  return reply;
}

/** Output goes to standard output as it comes; of a line that failed, to standard error below the line itself. */
async function runText(io: Io, client: ConsoleClient, line: string, prompt: string): Promise<Reply> {
  let first: string | undefined;
  let isLong = false;
  const reply = await client.ask({ line }, (text) => {
    if (first === undefined) {
      first = text;
      return;
    }
    // A complaint is never as long as this.
    if (!isLong) io.stdout.write(first);
    isLong = true;
    io.stdout.write(text);
  });
  if (isLong || first === undefined) return reply;
  if (reply.ok) io.stdout.write(first);
  else io.stderr.write(`${prompt}${line}\n${first}`);
  return reply;
}
