/** `twinwall top`: a firewall that runs, at a glance and again and again. */
import { Command, Option } from "commander";
import type { Summary } from "../console/summary.js";
import { topScreen } from "../console/top.js";
import { type ConsoleClient, connectConsole } from "../io/console/client.js";
import { showScreens, terminalOfProcess } from "../io/console/screen.js";
import { type Io, isProblem } from "../io/io.js";
import { socketOption } from "./console.js";
import { EXIT } from "./exit.js";
import { numberWithin } from "./options.js";
import { paintOf, refuse } from "./terminal.js";

interface TopVerbOptions {
  readonly socket: string;
  readonly interval: number;
  readonly once?: true;
}

const MS_PER_SECOND = 1000;

export function topCommand(io: Io, exit: (code: number) => void): Command {
  return new Command("top")
    .summary("live view of a firewall that runs")
    .description("Shows sessions, rates, drops by reason, and the state and lag of the pair; q ends it.")
    .addOption(socketOption())
    .addOption(
      new Option("--interval <seconds>", "time between two looks")
        .argParser(numberWithin(1, 3600))
        .default(1),
    )
    .option("--once", "print one view with its rates, and end")
    .action(async (options: TopVerbOptions) => {
      exit(await top(io, options));
    });
}

async function top(io: Io, { socket, interval, once }: TopVerbOptions): Promise<number> {
  const connected = await connectConsole(socket);
  if (isProblem(connected)) return refuse(io, connected.problem);
  const client = connected.value;
  const paint = paintOf(io, io.stdout);
  let before: Summary | undefined;
  const look = async (size: { columns: number; rows: number }): Promise<string[] | { problem: string }> => {
    const now = await summary(client);
    if ("problem" in now) return now;
    const lines = topScreen(now, before, size, paint);
    before = now;
    return lines;
  };
  const terminal = once ? undefined : terminalOfProcess();
  const print = (text: string) => io.stdout.write(text);
  const problem = await showScreens(look, interval * MS_PER_SECOND, terminal ?? print);
  client.close();
  return problem === undefined ? EXIT.done : refuse(io, problem);
}

async function summary(client: ConsoleClient): Promise<Summary | { problem: string }> {
  const reply = await client.ask({ command: "show summary" });
  return reply.ok ? (reply.data as Summary) : { problem: reply.error ?? "no answer" };
}
