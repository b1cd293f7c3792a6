/** `twinwall explain`: what would happen to one packet, phase by phase. */
import { Command, InvalidArgumentError, Option } from "commander";
import { type Io, isProblem } from "../io/io.js";
import type { VerdictName } from "../reasons.js";
import { explanationText } from "../report/explanation.js";
import { FINAL_VERDICTS } from "../report/report.js";
import { EXIT } from "./exit.js";
import { buildFrame, TTL_DEFAULT } from "./frame.js";
import { noInterface } from "./interfaces.js";
import { createDataplane, loadConfig } from "./load.js";
import { configOption, insideOption, jsonOption, lenientOption, numberWithin } from "./options.js";
import { describePacket, parsePacket } from "./packet.js";
import { paintOf, printDiagnostics, refuse } from "./terminal.js";

interface ExplainVerbOptions {
  readonly config: string;
  readonly in: string;
  readonly inside?: string[];
  readonly ttl: number;
  readonly at?: Date;
  readonly expect?: VerdictName;
  readonly lenient?: true;
  readonly json?: true;
}

const TTL_MAX = 255;

const EXAMPLES = `
A packet is PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [FLAGS]. IPv6 addresses
with a port stand in brackets. Ports may have their names. TCP flags are words
(syn, ack, fin, rst, psh, urg), without any it is a SYN; ICMP takes the name of
a type, or TYPE [CODE], without any it is an echo request.

Examples:
  $ twinwall explain --config office.cfg --in Gi0/0 tcp 10.0.0.5:40000 198.51.100.7:www
  $ twinwall explain --config office.cfg --in Gi0/1 tcp 198.51.100.7:80 10.0.0.5:40000 syn ack
  $ twinwall explain --config office.cfg --in Gi0/0 udp [2001:db8::5]:5000 [2001:db8:1::7]:domain
  $ twinwall explain --config office.cfg --in Gi0/0 icmp 10.0.0.5 198.51.100.7 echo

Exit codes: 0 done; 1 the verdict is not that of --expect; 2 bad input or usage.`;

export function explainCommand(io: Io, exit: (code: number) => void): Command {
  return new Command("explain")
    .summary("say what would happen to one packet, and why")
    .description("Says what the firewall, without any session, would do with one packet, phase by phase.")
    .argument("<packet...>", "PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [FLAGS]")
    .addOption(configOption())
    .requiredOption("--in <iface>", "interface on which the packet arrives")
    .addOption(insideOption())
    .addOption(
      new Option("--ttl <n>", "TTL or hop limit").argParser(numberWithin(0, TTL_MAX)).default(TTL_DEFAULT),
    )
    .addOption(
      new Option("--at <time>", "UTC time that decides time ranges, such as 2024-05-01T08:30; now").argParser(
        calendarTime,
      ),
    )
    .addOption(
      new Option("--expect <verdict>", "exit with 1 when the verdict is another one").choices(FINAL_VERDICTS),
    )
    .addOption(lenientOption())
    .addOption(jsonOption())
    .addHelpText("after", EXAMPLES)
    .action(async (words: string[], options: ExplainVerbOptions) => {
      exit(await explain(io, words, options));
    });
}

/** ISO 8601 without a zone is UTC, as the clock of the firewall. */
function calendarTime(text: string): Date {
  const time = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text) ? `${text}Z` : Number.NaN);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError("Expected YYYY-MM-DDTHH:MM[:SS].");
  return time;
}

async function explain(io: Io, words: readonly string[], options: ExplainVerbOptions): Promise<number> {
  const packet = parsePacket(words);
  if (isProblem(packet)) return refuse(io, packet.problem);
  const loaded = await loadConfig(io, options.config, options.lenient);
  if (isProblem(loaded)) return refuse(io, loaded.problem);
  printDiagnostics(io, loaded.value.diagnostics, ["error"]);
  if (!loaded.value.usable) return EXIT.badInput;
  const wallClock = options.at ?? io.wallClock();
  const created = await createDataplane(loaded.value, { inside: options.inside, wallClock });
  if ("problem" in created) return refuse(io, created.problem);
  if ("diagnostics" in created) {
    printDiagnostics(io, created.diagnostics, ["error"]);
    return EXIT.badInput;
  }
  const { dataplane } = created;
  if (dataplane.interfaceNumber(options.in) === undefined)
    return refuse(io, noInterface(options.in, dataplane.interfaces));
  const { bytes, ethertype } = buildFrame(packet.value, options.ttl);
  const explanation = dataplane.explain(bytes, { in: options.in, ethertype });
  const text = describePacket(packet.value);
  io.stdout.write(
    options.json
      ? `${JSON.stringify({ packet: text, ...explanation }, undefined, 2)}\n`
      : explanationText(text, explanation, paintOf(io, io.stdout)),
  );
  return options.expect === undefined || options.expect === explanation.verdict ? EXIT.done : EXIT.findings;
}
