/**
 * What the console asks of a box that runs: the answers of both workers, put together, and what the main thread itself has
 * (configuration, log, files).
 */
import { readFile, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { parse } from "../../config/parse.js";
import type { Config, Diagnostic } from "../../config/model.js";
import type { Counters } from "../../counters.js";
import type { RuleInfo } from "../../dataplane.js";
import { type DebugBatch, DEBUG_LINES_PER_SECOND } from "../../debug/outlet.js";
import { type DebugView, NO_DEBUG } from "../../debug/topics.js";
import type {
  Applied,
  BfdNeighborView,
  BoxFacts,
  CaptureCommand,
  CaptureView,
  Clearable,
  Clock,
  ConsoleBackend,
  DebugStatus,
  Done,
  FileText,
  InterfaceView,
  LogLine,
  LogView,
  NeighborView,
  Outcome,
  Planned,
  RouteView,
  SessionPage,
  SessionQuery,
  StandbyStatistics,
  SyncStatus,
} from "../../console/backend.js";
import { SESSIONS_PER_PAGE, STARTUP_CONFIG } from "../../console/backend.js";
import { Cleared } from "../../console/cleared.js";
import { phaseOf } from "../../console/phase.js";
import type { HsrpGroupView } from "../../hsrp/index.js";
import type { DataplaneView } from "../../live/views.js";
import type { OperatorInput, RedundancyView } from "../../redundancy/index.js";
import type { EndpointView } from "../../sctp/index.js";
import { meaningOf } from "../errors.js";
import { type LogRecord, logRecord } from "../../log/index.js";
import type { Logging } from "../log/logging.js";
import { bfdNeighborOf } from "./bfd-neighbor.js";
import type { LiveCaptures } from "./captures.js";
import type { LiveBox, LiveReport } from "./live-box.js";

/** Places of the session table that are looked at in one question, so that no packet waits for long. */
const SLOTS_PER_SLICE = 16_384;
/** Longest wait for the outcome of an operator's command: that of a handover, and a bit. */
const OUTCOME_MS = 8000;

const MILLISECONDS = 1000;

export interface BackendOptions {
  readonly box: LiveBox;
  readonly logging: Logging;
  readonly captures: LiveCaptures;
  readonly version: string;
  /** Where the configuration came from, which is the startup-config; undefined: from standard input. */
  readonly configFile: string | undefined;
  /** Does what a change of the configuration means outside of the box. */
  readonly onConfigured: (config: Config) => void;
}

/** Who waits for the outcome of a command. */
interface Waiting {
  readonly command: OperatorInput["command"];
  readonly resolve: (outcome: Outcome) => void;
}

/** As IOS calls what the router calls otherwise. */
const NEIGHBOR_STATES = {
  own: "own",
  none: "incomplete",
  incomplete: "incomplete",
  stale: "stale",
  reachable: "reachable",
  probe: "probe",
  failed: "incomplete",
} as const;

export class LiveBackend implements ConsoleBackend {
  readonly facts: BoxFacts;
  readonly #options: BackendOptions;
  #waiting: Waiting[] = [];
  #debug = NO_DEBUG;
  /** Debug lines that were left out. */
  #debugDropped = 0;
  readonly #cleared = new Cleared();

  constructor(options: BackendOptions, sessionsMax: number) {
    this.#options = options;
    this.facts = {
      version: options.version,
      platform: `Node.js ${process.version}, Linux ${release()}`,
      packetIo: options.box.opened.text,
      pid: process.pid,
      sessionsMax,
    };
  }

  /** To be given what the box tells. */
  hear(report: LiveReport): void {
    if (report.kind === "debug") this.#tellDebug(report);
    if (report.kind !== "control" || report.report.kind !== "reply") return;
    const { command, outcome, text } = report.report;
    const at = this.#waiting.findIndex((each) => each.command === command);
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.resolve({ outcome, text });
  }

  #tellDebug({ lines, dropped }: DebugBatch): void {
    const { logging } = this.#options;
    const { dateMs, uptimeMs, machineMs } = this.clock();
    for (const { text, atMs } of lines) {
      const agoMs = machineMs - atMs;
      const time = { wallMs: dateMs - agoMs, uptimeMs: uptimeMs - agoMs };
      logging.log(logRecord(`%SYS-7-DEBUG: ${text}`, time));
    }
    if (dropped === 0) return;
    this.#debugDropped += dropped;
    const more = `left out ${dropped}: more than ${DEBUG_LINES_PER_SECOND} lines a second`;
    logging.write(`%SYS-7-DEBUGLOST: ${more}`);
  }

  clock(): Clock {
    const { nowMs } = this.#options.box;
    return { dateMs: Date.now(), uptimeMs: nowMs - this.#options.box.startMs, machineMs: nowMs };
  }

  async standby(): Promise<readonly HsrpGroupView[]> {
    return this.#cleared.standby((await this.#options.box.control.call("view")).standby);
  }

  async standbyStatistics(): Promise<readonly StandbyStatistics[]> {
    const { standbyStatistics } = await this.#options.box.control.call("view");
    return this.#cleared.standbyStatistics(standbyStatistics);
  }

  async redundancy(): Promise<RedundancyView> {
    const { box } = this.#options;
    return this.#cleared.redundancy((await box.control.call("view")).redundancy, box.startMs);
  }

  async association(): Promise<EndpointView | undefined> {
    return (await this.#options.box.control.call("view")).association;
  }

  async bfd(): Promise<readonly BfdNeighborView[]> {
    return (await this.#options.box.control.call("view")).bfd.map(bfdNeighborOf);
  }

  async sync(): Promise<SyncStatus> {
    return this.#cleared.sync(syncOf(await this.#options.box.dataplane.call("view")));
  }

  async counters(): Promise<Counters> {
    return this.#cleared.counters((await this.#options.box.dataplane.call("view")).counters);
  }

  async rules(): Promise<readonly RuleInfo[]> {
    return this.#cleared.rules(await this.#options.box.countedRules());
  }

  async interfaces(): Promise<readonly InterfaceView[]> {
    const { box } = this.#options;
    const [{ ports }, { interfaces }] = await Promise.all([
      box.dataplane.call("view"),
      box.control.call("router"),
    ]);
    const { mapping, config } = box;
    const routed = new Map(interfaces.map((each) => [each.name, each]));
    const mapped = new Map(mapping.interfaces.map((each) => [each.name, each]));
    return [...config.interfaces.values()].map(({ name, shutdown }): InterfaceView => {
      const link = routed.get(name);
      const place = mapped.get(name);
      const port = place && mapping.ports[place.port];
      const counters = place?.vlan === 0 ? ports[place.port] : undefined;
      return {
        name,
        isShutdown: shutdown,
        isUp: link?.isUp ?? false,
        mtuBytes: link?.mtu ?? 0,
        ...(port !== undefined && { device: port.device, backend: box.opened.text }),
        ...(link?.mac !== undefined && { mac: link.mac }),
        ...(place !== undefined && place.vlan !== 0 && { vlan: place.vlan }),
        ...(counters !== undefined && { counters: this.#cleared.port(name, counters) }),
      };
    });
  }

  async routes(): Promise<readonly RouteView[]> {
    const { routes } = await this.#options.box.control.call("router");
    return routes.map(({ code, network, prefixLength, nextHop, interface: name }) => ({
      network,
      prefixLength,
      origin: code === "L" ? "address" : code === "C" ? "connected" : "static",
      ...(name !== undefined && { interface: name }),
      ...(nextHop !== undefined && { nextHop }),
    }));
  }

  async neighbors(): Promise<readonly NeighborView[]> {
    const { neighbors } = await this.#options.box.control.call("router");
    return neighbors.map(({ interface: name, address, mac, state, ageSeconds }) => ({
      interface: name,
      address,
      state: NEIGHBOR_STATES[state],
      ...(mac !== undefined && { mac }),
      ...(ageSeconds !== undefined && { ageMs: ageSeconds * MILLISECONDS }),
    }));
  }

  async sessions({ cursor = 0, limit = SESSIONS_PER_PAGE, phase }: SessionQuery): Promise<SessionPage> {
    const { dataplane } = this.#options.box;
    const slice = await dataplane.call("sessions", { from: cursor, slots: SLOTS_PER_SLICE });
    const wanted = slice.sessions.filter((session) => phase === undefined || phaseOf(session) === phase);
    // A page has as many as a slice of the table holds: a cursor is a place of it.
    const sessions = limit < wanted.length && limit < SESSIONS_PER_PAGE ? wanted.slice(0, limit) : wanted;
    const { next, nowMs } = slice;
    return { sessions, nowMs, ...(next !== undefined && { cursor: next }) };
  }

  clearSessions(id: string | "all"): Promise<number> {
    return this.#options.box.dataplane.call("clearSessions", { id });
  }

  async clear(what: Clearable, about?: string): Promise<Done> {
    await this.#clear(what, about);
    if (about === undefined) this.#cleared.note(what, this.clock().uptimeMs);
    return {};
  }

  clearedAgoMs(what: Clearable): number | undefined {
    const atMs = this.#cleared.atMs(what);
    return atMs === undefined ? undefined : this.clock().uptimeMs - atMs;
  }

  async #clear(what: Clearable, about: string | undefined): Promise<void> {
    const { box, logging } = this.#options;
    const cleared = this.#cleared;
    switch (what) {
      case "counters": {
        const { ports } = await box.dataplane.call("view");
        for (const { name, port, vlan } of box.mapping.interfaces)
          if (vlan === 0 && (about === undefined || about === name)) cleared.clearPort(name, ports[port]!);
        return;
      }
      case "access-lists":
        cleared.clearRules(await box.countedRules(), about);
        return;
      case "arp":
      case "neighbors": {
        const on = about !== undefined && { interface: about };
        await box.control.call("route", { kind: "clear", what, ...on });
        return;
      }
      case "log":
        logging.clearBuffer();
        return;
      case "inspect-statistics":
        cleared.clearCounters((await box.dataplane.call("view")).counters);
        return;
      case "inspect-ha-statistics":
        cleared.clearSync(syncOf(await box.dataplane.call("view")));
        return;
      case "standby-statistics": {
        const { standby, standbyStatistics } = await box.control.call("view");
        cleared.clearStandby(standby, standbyStatistics);
        return;
      }
      case "redundancy-counters":
        cleared.clearRedundancyCounters((await box.control.call("view")).redundancy);
        return;
      case "redundancy-history":
        // What is older than the time of this is no longer shown.
        return;
    }
  }

  async operate(command: OperatorInput): Promise<Outcome> {
    const outcome = new Promise<Outcome>((resolve) => {
      const waiting = { command: command.command, resolve };
      this.#waiting.push(waiting);
      setTimeout(() => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        resolve({ outcome: "failed", text: "no outcome in time" });
      }, OUTCOME_MS).unref();
    });
    await this.#options.box.control.call("operate", command);
    return outcome;
  }

  async config(): Promise<Config> {
    return this.#options.box.config;
  }

  async planConfig(text: string): Promise<Planned> {
    const { config, diagnostics } = this.#parse(text);
    return hasErrors(diagnostics) ? { isUsable: false, diagnostics } : this.#options.box.plan(config);
  }

  async applyConfig(text: string): Promise<Applied> {
    const { box, onConfigured } = this.#options;
    const { config, diagnostics } = this.#parse(text);
    if (hasErrors(diagnostics)) return { isApplied: false, diagnostics, refusals: [] };
    const applied = await box.configure(config);
    if (!applied.isApplied) return applied;
    onConfigured(config);
    return { ...applied, notes: [...diagnostics, ...applied.notes] };
  }

  #parse(text: string): ReturnType<typeof parse> {
    return parse(text, { file: this.#options.box.config.file });
  }

  async readFile(name: string): Promise<FileText> {
    const path = this.#pathOf(name);
    if (path === undefined) return { problem: "there is no startup-config: it came from standard input" };
    try {
      return { text: await readFile(path, "utf8") };
    } catch (error) {
      return { problem: `${path}: ${meaningOf(error)}` };
    }
  }

  async writeFile(name: string, text: string): Promise<Done> {
    const path = this.#pathOf(name);
    if (path === undefined) return { problem: "there is no startup-config: it came from standard input" };
    try {
      await writeFile(path, text);
      return {};
    } catch (error) {
      return { problem: `${path}: ${meaningOf(error)}` };
    }
  }

  #pathOf(name: string): string | undefined {
    return name === STARTUP_CONFIG ? this.#options.configFile : name;
  }

  async log(): Promise<LogView> {
    const { logging } = this.#options;
    const { plan, logger, destinations } = logging.view();
    return {
      lines: logging.buffered().map(lineOf),
      forgotten: 0,
      suppressed: logger.suppressed,
      destinations: [
        `Console logging: level ${plan.console.level}`,
        `Buffer logging: level ${plan.buffered.level}, ${plan.buffered.bytes} bytes`,
        ...destinations.map(
          ({ name, sentLines, lostLines }) => `${name}: ${sentLines} lines sent, ${lostLines} lost`,
        ),
      ],
    };
  }

  onLog(listener: (line: LogLine) => void): () => void {
    return this.#options.logging.watch((record) => listener(lineOf(record)));
  }

  async debugging(): Promise<DebugStatus> {
    return { ...this.#debug, dropped: this.#debugDropped };
  }

  async setDebugging(view: DebugView): Promise<void> {
    const { box } = this.#options;
    this.#debug = view;
    await Promise.all([box.control.call("debug", view), box.dataplane.call("debug", view)]);
  }

  async captures(): Promise<readonly CaptureView[]> {
    return this.#options.captures.views();
  }

  capture(command: CaptureCommand): Promise<Done> {
    return this.#options.captures.command(command);
  }
}

const syncOf = ({ sync, deferred }: DataplaneView): SyncStatus => ({ ...sync, deferred });

const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some(({ severity }) => severity === "error");

const lineOf = ({ wallMs, severity, text }: LogRecord): LogLine => ({ dateMs: wallMs, severity, text });
