/** `twinwall run`: a box on the wire. */
import { Command, Option } from "commander";
import type { Config } from "../config/model.js";
import { ConfigError } from "../index.js";
import { type Io, isProblem, STANDARD_STREAM } from "../io/io.js";
import type { Ending, Found, RunOptions, Running } from "../io/live/run.js";
import type { Services } from "../io/live/services.js";
import { BACKENDS, type BackendName } from "../io/linux/open.js";
import { virtualAddresses, standbyGroups, standbyName, usedAssociation } from "../check/topology.js";
import { formatAddress } from "../ip.js";
import { LOG_FORMATS, type LogFormat } from "../log/index.js";
import { RELOAD_MODES, type ReloadMode } from "../redundancy/index.js";
import { socketOption } from "./console.js";
import { EXIT } from "./exit.js";
import { loadConfig, rulesNeeded } from "./load.js";
import { addLogOptions, type LogVerbOptions, readLogOptions } from "./log-options.js";
import {
  fragmentsOption,
  lenientOption,
  mapOption,
  metricsOption,
  rulesOption,
  sessionsOption,
} from "./options.js";
import { printDiagnostics, printError, refuse } from "./terminal.js";

interface RunVerbOptions extends LogVerbOptions {
  readonly config: string;
  readonly map: readonly { readonly interface: string; readonly value: string }[];
  readonly backend: BackendName | "auto";
  readonly dryRun?: true;
  readonly reloadMode: ReloadMode;
  readonly socket: string;
  readonly logFile?: string;
  readonly logFormat: LogFormat;
  readonly metrics?: { readonly address: string; readonly port: number };
  readonly sessions: number;
  readonly fragments: number;
  readonly rules?: number;
  readonly lenient?: true;
}

const EXAMPLES = `
Examples:
  $ twinwall run --config router-a.cfg --map Gi0/0=eth1 --map Gi0/1=eth2 --dry-run
  $ sudo twinwall run --config router-a.cfg --map Gi0/0=eth1 --map Gi0/1=eth2

Needs Linux, the optional package koffi, and CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF.
The devices belong to the firewall while it runs: the kernel has no address on them.

Exit codes: 0 ended by a signal; 1 to be started again (--reload-mode exit);
2 bad input, or a device that cannot be used; 70 a bug of twinwall.`;

export function runCommand(io: Io, exit: (code: number) => void): Command {
  const command = new Command("run")
    .summary("run a firewall on network devices of this machine")
    .description(
      "Runs one firewall on network devices of this machine, by itself or as half of a pair, until it is ended.",
    )
    .addOption(new Option("--config <file>", "running configuration of the firewall").makeOptionMandatory())
    .addOption(mapOption())
    .addOption(
      new Option("--backend <name>", "how frames come and go; auto takes the first that works")
        .choices(["auto", ...BACKENDS])
        .default("auto"),
    )
    .option("--dry-run", "say what would be done, and do nothing")
    .addOption(
      new Option("--reload-mode <mode>", "what a box does that gives up the active role")
        .choices(RELOAD_MODES)
        .default("soft"),
    )
    .addOption(socketOption())
    .option("--log-file <file>", "append the log to a file, which a SIGHUP opens anew")
    .addOption(
      new Option("--log-format <format>", "of the terminal and the file").choices(LOG_FORMATS).default("ios"),
    );
  return addLogOptions(command)
    .addOption(metricsOption())
    .addOption(sessionsOption())
    .addOption(fragmentsOption())
    .addOption(rulesOption())
    .addOption(lenientOption())
    .addHelpText("after", EXAMPLES)
    .action(async (options: RunVerbOptions) => exit(await run(io, options)));
}

async function run(io: Io, options: RunVerbOptions): Promise<number> {
  const loaded = await loadConfig(io, options.config, options.lenient);
  if (isProblem(loaded)) return refuse(io, loaded.problem);
  const { config, diagnostics, usable } = loaded.value;
  printDiagnostics(io, diagnostics, ["error", "warning"]);
  if (!usable) return EXIT.badInput;
  // The live mode loads what only Linux has, and only when it is wanted.
  const { findDevices, startRun } = await import("../io/live/run.js");
  const attachments = options.map.map(({ interface: name, value }) => ({ interface: name, device: value }));
  const found = await findDevices(config, attachments);
  if ("problems" in found) {
    for (const problem of found.problems) printError(io, problem);
    return EXIT.badInput;
  }
  const { sessions, fragments, rules = rulesNeeded(config) } = options;
  const runOptions: RunOptions = {
    config,
    attachments,
    capacity: { sessions, fragments, rules },
    backend: options.backend === "auto" ? undefined : options.backend,
    reloadMode: options.reloadMode,
    socket: options.socket,
  };
  for (const line of describe(config, found)) io.stdout.write(`${line}\n`);
  if (options.dryRun) return EXIT.done;
  const logOptions = await readLogOptions(io, options);
  if (isProblem(logOptions)) return refuse(io, logOptions.problem);
  const { Services } = await import("../io/live/services.js");
  const services = new Services({
    config,
    configFile: options.config === STANDARD_STREAM ? undefined : options.config,
    io,
    socket: options.socket,
    sessionsMax: sessions,
    logFile: options.logFile === undefined ? undefined : { path: options.logFile, format: options.logFormat },
    consoleFormat: options.logFormat,
    metrics: options.metrics,
    ...logOptions.value,
  });
  try {
    const running = await startRun(
      runOptions,
      found,
      io.version,
      (report) => services.hear(report),
      () => services.reopen(),
    );
    if (isProblem(running)) return refuse(io, running.problem);
    return await live(io, running.value, services);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printDiagnostics(io, error.diagnostics, ["error"]);
    return EXIT.badInput;
  } finally {
    await services.close();
  }
}

async function live(io: Io, running: Running, services: Services): Promise<number> {
  const { box, changes, ending, close } = running;
  for (const change of changes) io.stdout.write(`${change}\n`);
  for (const note of box.opened.notes) io.stdout.write(`not by ${note}\n`);
  for (const hint of box.hints) io.stdout.write(`hellos may be late on a busy machine, ${hint}\n`);
  io.stdout.write(`packets by ${box.opened.text}\n`);
  const attached = await services.attach(box);
  const ended: Ending = isProblem(attached) ? { kind: "unable", ...attached } : await ending;
  await close();
  return exitCode(io, ended);
}

function exitCode(io: Io, ending: Ending): number {
  if (ending.kind === "stopped") return EXIT.done;
  if (ending.kind === "restart") return EXIT.findings;
  if (ending.kind === "unable") return refuse(io, ending.problem);
  printError(io, ending.problem);
  if (ending.stack !== undefined) io.stderr.write(`${ending.stack}\n`);
  return EXIT.internal;
}

/** What the box is and what it stands on, for people. */
function describe(config: Config, { mapping, devices }: Found): string[] {
  const lines: string[] = [];
  for (const { interface: name, device, number } of mapping.ports) {
    const { mac, mtu, driver, hasCarrier } = devices[number]!;
    const facts = [`MAC ${mac}`, `MTU ${mtu}`, driver, hasCarrier ? "link up" : "link down"];
    lines.push(`${name} on ${device}: ${facts.filter((fact) => fact !== "").join(", ")}`);
  }
  for (const { name, vlan, port } of mapping.interfaces)
    if (vlan !== 0) lines.push(`${name} on ${mapping.ports[port]!.device}, VLAN ${vlan}`);
  for (const standby of standbyGroups(config)) {
    const addresses = virtualAddresses(standby.group).map(({ address }) => formatAddress(address));
    lines.push(`${standbyName(standby)}: virtual address ${addresses.join(", ") || "learned"}`);
  }
  const association = usedAssociation(config);
  if (association !== undefined) {
    const [local, remote] = [association.localIps, association.remoteIps].map((ips) =>
      ips.map(({ address }) => formatAddress(address)).join(" and "),
    );
    lines.push(`association ${association.id}: from ${local} to ${remote}`);
  }
  lines.push(...mapping.notes);
  return lines;
}
