/** `twinwall replay`: a capture through the firewall. */
import { Command, Option } from "commander";
import { type Io, isProblem, STANDARD_STREAM } from "../io/io.js";
import { hitsActive } from "../pair/breakage.js";
import { FAILURES, type Failure } from "../pair/plan.js";
import { type IngressList, IngressParser } from "../replay/ingress.js";
import { FINAL_VERDICTS } from "../report/report.js";
import { EXIT } from "./exit.js";
import { displayName, type LoadedConfig, loadConfig } from "./load.js";
import {
  configOption,
  fragmentsOption,
  insideOption,
  jsonOption,
  lenientOption,
  macOption,
  onOption,
  planOption,
  rulesOption,
  seedOption,
  sessionsOption,
} from "./options.js";
import { type ReplayVerbOptions, replayCapture } from "./replay-capture.js";
import { replayThroughPair } from "./replay-pair.js";
import { printDiagnostics, printError, refuse } from "./terminal.js";

const EXAMPLES = `
A packet enters on the interface toward whose side its source lies, by the
connected networks and routes of the configuration; --inside, --on and --ingress
say otherwise. A file called - is standard input or output; when an output is,
the report goes to standard error.

Examples:
  $ twinwall replay office.pcapng --config office.cfg
  $ twinwall replay office.pcapng --config office.cfg --verdicts verdicts.jsonl --json
  $ twinwall replay trace.pcap.gz --config edge.cfg --inside 10.0.0.0/8 --no-checksums
  $ twinwall replay both.pcapng --config edge.cfg --on Gi0/0=0 --on Gi0/1=1
  $ twinwall replay both.pcapng --config edge.cfg --write drops.pcapng --only drop
  $ twinwall replay office.pcapng --config router-a.cfg --peer router-b.cfg --fail active@20
  $ twinwall replay office.pcapng --config router-a.cfg --peer router-b.cfg --fail-everywhere
  $ twinwall replay office.pcapng --config router-a.cfg --peer router-b.cfg --realtime --fail hang@9
  $ tcpdump -w - | twinwall replay - --config edge.cfg --log -

Exit codes: 0 the whole capture was replayed; 1 --fail-everywhere found an
established session that would be lost; 2 bad input or usage, a capture that is
broken or cut short included.`;

/** Options that mean nothing to one box: as they are written, and as they are read. */
const PAIR_OPTIONS = {
  fail: "fail",
  recover: "recover",
  "fail-everywhere": "failEverywhere",
  workers: "workers",
  realtime: "realtime",
  report: "report",
} as const satisfies Record<string, keyof ReplayVerbOptions>;

export function replayCommand(io: Io, exit: (code: number) => void): Command {
  return new Command("replay")
    .summary("send a capture through the firewall")
    .description(
      "Sends a capture through the firewall, in the capture's own time, and reports what became of it.",
    )
    .argument("<capture>", "pcap or pcapng file, plain or gzip; - is standard input")
    .addOption(configOption())
    .addOption(insideOption())
    .addOption(onOption())
    .addOption(
      new Option(
        "--ingress <file>",
        "file whose line k names the interface on which packet k arrives, or is - for a packet that is not sent " +
          "and gets no verdict; with two interfaces in use a packet leaves by the other one",
      ).conflicts(["inside", "on"]),
    )
    .option("--no-checksums", "verify no checksum: for captures taken where the NIC computes them")
    .addOption(macOption())
    .option("--verdicts <file>", "write the verdict of each packet, a JSON object a line")
    .option("--write <file>", "write the capture as pcapng, with its verdict as the comment of each packet")
    .addOption(new Option("--only <verdict>", "write only packets with this verdict").choices(FINAL_VERDICTS))
    .option("--log <file>", "write log lines as IOS does")
    .addOption(
      new Option(
        "--peer <file>",
        "configuration of the other box of a pair: the capture goes through both",
      ).conflicts(["inside", "on", "ingress", "mac", "verdicts", "write", "log"]),
    )
    .addOption(
      planOption(
        "fail",
        `with --peer, repeatable: what breaks, and when: ${Object.keys(FAILURES).join(", ")}; in seconds, or before packet #N`,
      ),
    )
    .addOption(planOption("recover", "with --peer, repeatable: what is mended, and when"))
    .addOption(
      new Option(
        "--fail-everywhere [what]",
        "with --peer: instead, what becomes of the sessions if the active box fails before packet 1, or 2, and so on",
      )
        .choices(Object.keys(FAILURES).filter((what) => hitsActive(what as Failure)))
        .preset("active")
        .conflicts(["fail", "recover", "workers", "realtime", "report"]),
    )
    .addOption(
      new Option(
        "--workers",
        "with --peer: each box in a thread of its own, which ends when the box dies; times are real, and go by as fast " +
          "as the hold time of the pair allows",
      ).conflicts("seed"),
    )
    .addOption(
      new Option("--realtime", "with --peer: the same, as fast as the capture was recorded").conflicts(
        "seed",
      ),
    )
    .option("--report <file>", "with --peer: write the report as an HTML page that needs no network")
    .addOption(seedOption())
    .addOption(sessionsOption())
    .addOption(fragmentsOption())
    .addOption(rulesOption())
    .addOption(lenientOption())
    .addOption(jsonOption())
    .addHelpText("after", EXAMPLES)
    .action(async (capture: string, options: ReplayVerbOptions) => {
      exit(await replayVerb(io, capture, options));
    });
}

async function replayVerb(io: Io, capture: string, options: ReplayVerbOptions): Promise<number> {
  const misuse = findMisuse(capture, options);
  if (misuse !== undefined) return refuse(io, misuse);
  const loaded = await loadConfig(io, options.config, options.lenient);
  if (isProblem(loaded)) return refuse(io, loaded.problem);
  printDiagnostics(io, loaded.value.diagnostics, ["error", "warning"]);
  if (!loaded.value.usable) return EXIT.badInput;
  if (options.peer !== undefined) return replayPairVerb(io, capture, options, loaded.value);
  const list = await readIngressList(io, options.ingress, loaded.value);
  if (list === "refused") return EXIT.badInput;
  const source = await io.open(capture);
  if (isProblem(source)) return refuse(io, source.problem);
  return replayCapture(io, {
    name: displayName(capture),
    source: source.value,
    loaded: loaded.value,
    list,
    options,
  });
}

async function replayPairVerb(
  io: Io,
  capture: string,
  options: ReplayVerbOptions,
  own: LoadedConfig,
): Promise<number> {
  const peer = await loadConfig(io, options.peer!, options.lenient);
  if (isProblem(peer)) return refuse(io, peer.problem);
  printDiagnostics(io, peer.value.diagnostics, ["error", "warning"]);
  if (!peer.value.usable) return EXIT.badInput;
  const source = await io.open(capture);
  if (isProblem(source)) return refuse(io, source.problem);
  const boxes = { A: own, B: peer.value };
  return replayThroughPair(io, { name: displayName(capture), source: source.value, boxes, options });
}

/** What is wrong with options that are right one by one. */
function findMisuse(capture: string, options: ReplayVerbOptions): string | undefined {
  const lonely = Object.entries(PAIR_OPTIONS).find(([, key]) => options[key] !== undefined);
  if (options.peer === undefined && lonely !== undefined)
    return `--${lonely[0]} needs --peer, the configuration of the other box`;
  const inputs = [capture, options.config, options.peer, options.ingress].filter(
    (path) => path !== undefined,
  );
  const outputs = [options.verdicts, options.write, options.log, options.report].filter(
    (path) => path !== undefined,
  );
  const isStandard = (path: string) => path === STANDARD_STREAM;
  if (inputs.filter(isStandard).length > 1) return "only one file can come from standard input";
  if (outputs.filter(isStandard).length > 1) return "only one file can go to standard output";
  const files = outputs.filter((path) => !isStandard(path));
  const overwritten = files.find((path) => inputs.includes(path));
  if (overwritten !== undefined) return `${overwritten} would be overwritten while it is read`;
  if (new Set(files).size < files.length) return "two outputs cannot go to one file";
  if (options.only !== undefined && options.write === undefined) return "--only chooses what --write writes";
  return undefined;
}

/** The ingress file; undefined when there is none. */
async function readIngressList(
  io: Io,
  path: string | undefined,
  { config }: LoadedConfig,
): Promise<IngressList | undefined | "refused"> {
  if (path === undefined) return undefined;
  const opened = await io.open(path);
  const parser = new IngressParser(displayName(path), [...config.interfaces.keys()]);
  if (!isProblem(opened)) {
    for await (const chunk of opened.value.chunks) parser.push(chunk);
    parser.end();
  }
  const problem = isProblem(opened) ? opened.problem : opened.value.problem;
  if (problem !== undefined) printError(io, problem);
  else if (parser.error !== undefined) printDiagnostics(io, [parser.error], ["error"]);
  else return parser.list;
  return "refused";
}
