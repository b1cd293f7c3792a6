/**
 * A box on the wire, as the main thread sees it: two workers, what they report, and what they are asked. The main thread has
 * the console, the log and the metrics; nothing that it does keeps a packet or a hello waiting.
 */
import { setFlagsFromString } from "node:v8";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { Config, Diagnostic } from "../../config/model.js";
import type { Applied, Planned } from "../../console/backend.js";
import { type Capacity, completeCapacity, type CoreSource, type MemoryPlan, planMemory } from "../../core.js";
import type { DebugBatch } from "../../debug/outlet.js";
import type { ControlReport } from "../../live/control-box.js";
import type { EventBatch } from "../../live/event-outlet.js";
import { type Mapping, planMapping } from "../../live/mapping.js";
import { handoverOf, sharedPolicy } from "../../live/policy-handover.js";
import { type Change, planChange } from "../../node/plan-change.js";
import type { Policy } from "../../policy/policy.js";
import { type RuleInfo, ruleInfo } from "../../policy/rules.js";
import { ConfigError, loadPolicy } from "../../prepare.js";
import type { ReloadMode } from "../../redundancy/index.js";
import type { RingMemory } from "../../ring.js";
import { isProblem, type Result } from "../io.js";
import type { Device } from "../linux/device.js";
import type { BackendName } from "../linux/open.js";
import { SharedClock } from "../pair/clock.js";
import { workerFile } from "../worker-file.js";
import { type Calls, Caller } from "./calls.js";
import type { ControlCalls } from "./control-calls.js";
import type { ControlData, ControlMessage } from "./control-worker.js";
import { type DeviceKeeper, LiveDevices } from "./devices.js";
import type { DataplaneCalls } from "./dataplane-calls.js";
import type { DataplaneData, DataplaneReport, Opened } from "./dataplane-worker.js";
import {
  attachmentsOf,
  policyOptions,
  roomIn,
  sessionPortOf,
  sharingOf,
  type Wiring,
  wiringOf,
} from "./wiring.js";
import { newSharedMemory, type SharedMemory, type WorkerName, WorkerSignals } from "./threads.js";

export interface LiveOptions {
  readonly config: Config;
  readonly mapping: Mapping;
  /** By port number. */
  readonly devices: readonly Device[];
  readonly keeper: DeviceKeeper;
  /** The compiled core. */
  readonly module: CoreSource;
  readonly capacity: Partial<Capacity>;
  /** The only back end that will do; without it the best that works. */
  readonly backend?: BackendName | undefined;
  readonly software: string;
  readonly reloadMode?: ReloadMode | undefined;
  readonly onReport: (report: LiveReport) => void;
}

/** What a box tells; times are of its clock. */
export type LiveReport =
  | { readonly kind: "control"; readonly report: ControlReport; readonly nowMs: number }
  | { readonly kind: "events"; readonly batches: readonly EventBatch[] }
  | ({ readonly kind: "debug" } & DebugBatch)
  /** Events from here on are of another policy: the numbers of their rules are. */
  | { readonly kind: "policy"; readonly policy: Pick<Policy, "config" | "rules">; readonly nowMs: number }
  /** A device has gone or come. */
  | { readonly kind: "device"; readonly text: string }
  /** It cannot go on. A bug has a stack. */
  | { readonly kind: "died"; readonly problem: string; readonly stack?: string | undefined };

/** Frame buffers for each device; both directions share them. */
const BUFFERS_PER_PORT = 4096;
/** Longest handover before the end, and longest orderly end. */
const HAND_OVER_MS = 2000;
const STOP_MS = 1000;
/** So long after a handover frames may still come here, because a switch or a host has not heard of it. */
const LINGER_MS = 50;

/** A worker, and how it is asked. */
interface Asked<C extends Calls<C>> {
  readonly worker: Worker;
  readonly caller: Caller<C>;
}

export class LiveBox {
  readonly #options: LiveOptions;
  readonly #shared: SharedMemory;
  readonly #clock: SharedClock;
  readonly #plan: MemoryPlan;
  /** What was last given to the dataplane thread. */
  #policy: Policy;
  /** Policies that were given to it, and of which it has not said yet that they are in force. */
  readonly #given: Policy[] = [];
  /** Changes of the configuration, one after the other. */
  #changes: Promise<unknown> = Promise.resolve();
  #mapping: Mapping;
  readonly #devices: LiveDevices;
  #dataplane: Asked<DataplaneCalls> | undefined;
  #control: Asked<ControlCalls> | undefined;
  #isStopping = false;
  /** When it began, by its clock. */
  readonly startMs: number;
  #opened: Opened | undefined;
  readonly #hints: string[] = [];

  private constructor(options: LiveOptions, plan: MemoryPlan, policy: Policy) {
    this.#options = options;
    this.#plan = plan;
    this.#policy = policy;
    this.#mapping = options.mapping;
    this.#devices = new LiveDevices(options.keeper, options.devices);
    this.#shared = newSharedMemory();
    this.#clock = new SharedClock(this.#shared.clock);
    this.startMs = this.#clock.nowMs();
  }

  /** Starts both workers; a problem is one of the machine or of its devices. Throws ConfigError. */
  static async start(options: LiveOptions): Promise<Result<LiveBox>> {
    // Threads that help V8 to collect garbage may not get to run on a busy machine, and the urgent ones would wait for them.
    setFlagsFromString("--no-parallel-scavenge");
    const capacity = completeCapacity({
      ...options.capacity,
      buffers: BUFFERS_PER_PORT * options.mapping.ports.length,
    });
    if ("problem" in capacity) return capacity;
    const plan = planMemory(capacity);
    if ("problem" in plan) return plan;
    const { policy } = loadPolicy(
      options.config,
      policyOptions(wiringOf(options.mapping, options.devices)),
      roomIn(plan),
    );
    const box = new LiveBox(options, plan, policy);
    const problem = await box.#start();
    if (problem === undefined) return { value: box };
    await box.#terminate();
    return { problem };
  }

  /** The clock of the box, ms. */
  get nowMs(): number {
    return this.#clock.nowMs();
  }

  get config(): Config {
    return this.#policy.config;
  }

  /** Entries of the access lists in use, by number. */
  get rules(): Policy["rules"] {
    return this.#policy.rules;
  }

  /** The same with their hits. */
  async countedRules(): Promise<RuleInfo[]> {
    // Questions are answered in their order: the answer is about the policy that was given last.
    const { rules } = this.#policy;
    const hits = await this.dataplane.call("hits");
    return rules.map((rule) => ruleInfo(rule, hits[rule.number]!));
  }

  /** Full names of interfaces by number. */
  get interfaces(): readonly string[] {
    return this.#policy.numbering.interfaces;
  }

  /** Frames of `monitor capture`. */
  get taps(): RingMemory {
    return this.#shared.taps;
  }

  /** How frames come and go. */
  get opened(): Opened {
    return this.#opened!;
  }

  /** Why its threads are not preferred to others: on a busy machine hellos may be late. */
  get hints(): readonly string[] {
    return this.#hints;
  }

  get mapping(): Mapping {
    return this.#mapping;
  }

  get dataplane(): Caller<DataplaneCalls> {
    return this.#dataplane!.caller;
  }

  get control(): Caller<ControlCalls> {
    return this.#control!.caller;
  }

  async #start(): Promise<string | undefined> {
    const { config, mapping, devices, module, backend, software, reloadMode } = this.#options;
    const wiring = wiringOf(mapping, devices);
    const { interfaces } = this.#policy.numbering;
    return new Promise((resolve) => {
      const dataplane = this.#spawn<DataplaneCalls>(
        "dataplane",
        (questions) =>
          ({
            shared: this.#shared,
            questions,
            module,
            plan: this.#plan,
            policy: sharedPolicy(this.#policy),
            devices: mapping.ports,
            interfaces: wiring.ports,
            backend,
            sharing: sharingOf(config),
            sessionPort: sessionPortOf(config),
          }) satisfies DataplaneData,
      );
      this.#dataplane = dataplane;
      dataplane.worker.on("message", (report: DataplaneReport) => {
        if (report.kind === "events" || report.kind === "debug") this.#options.onReport(report);
        else if (report.kind === "configured")
          this.#options.onReport({ kind: "policy", policy: this.#given.shift()!, nowMs: this.nowMs });
        else if (report.kind === "failed") resolve(report.problem);
        else {
          this.#opened = report.opened;
          this.#note("dataplane", report.hint);
          this.#control = this.#spawn<ControlCalls>(
            "control",
            (questions) =>
              ({
                shared: this.#shared,
                questions,
                config,
                macs: wiring.macs,
                mtus: wiring.mtus,
                interfaces,
                devices: wiring.devices,
                sessions: this.#plan.capacity.sessions,
                software,
                reloadMode,
              }) satisfies ControlData,
          );
          this.#control.worker.on("message", (message: ControlMessage) => {
            if (message.kind === "ready") {
              this.#note("control", message.hint);
              resolve(undefined);
            } else if (message.kind === "failed") resolve(message.problem);
            else if (message.kind === "report") this.#hear(message);
            else if (message.kind === "debug") this.#options.onReport(message);
            else if (message.kind === "devices") void this.#change(() => this.#refit());
          });
        }
      });
    });
  }

  #spawn<C extends Calls<C>>(
    name: WorkerName,
    data: (questions: MessagePort) => { readonly questions: MessagePort },
  ): Asked<C> {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(workerFile(`live/${name}-worker`), {
      name,
      workerData: data(port2),
      transferList: [port2],
    });
    worker.on("error", (error) => {
      this.#die(`the ${name} thread has failed: ${error.message}`, error.stack);
    });
    worker.on("exit", () => {
      if (name === "dataplane") this.#die(`the ${name} thread has ended`);
    });
    const signals = new WorkerSignals(this.#shared, name);
    return { worker, caller: new Caller<C>(port1, () => signals.noteQuestion()) };
  }

  #note(name: WorkerName, hint: string | undefined): void {
    if (hint !== undefined) this.#hints.push(`the ${name} thread: ${hint}`);
  }

  #hear({ report, nowMs }: Extract<ControlMessage, { kind: "report" }>): void {
    this.#options.onReport({ kind: "control", report, nowMs });
  }

  #die(problem: string, stack?: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#options.onReport({ kind: "died", problem, stack });
  }

  /** What another configuration would do; nothing changes. */
  plan(config: Config): Planned {
    const prepared = this.#prepare(config);
    return "diagnostics" in prepared
      ? { isUsable: false, diagnostics: prepared.diagnostics }
      : { isUsable: true, changes: prepared.changes };
  }

  /**
   * Puts another configuration in force, between two batches and without losing a session, as `plan` says. Everything
   * stays as it was when it cannot be used.
   */
  configure(config: Config): Promise<Applied> {
    return this.#change(() => this.#configure(config));
  }

  #change<T>(act: () => Promise<T>): Promise<T> {
    const change = this.#changes.then(act);
    this.#changes = change.catch(() => {});
    return change;
  }

  /** Devices have gone, or others of their names have come: opens those that there are. */
  async #refit(): Promise<void> {
    const found = this.#devices.look();
    // What could not be taken has changed once more: the control thread tells of it.
    if (isProblem(found)) return this.#tellDevice(found.problem);
    const { present, isAnother, texts } = found.value;
    this.#opened = await this.dataplane.call("reopen");
    const fitted = this.#devices.fit(this.#opened.backend);
    if (isProblem(fitted)) this.#tellDevice(fitted.problem);
    if (isAnother) await this.#configure(this.config);
    await this.control.call("watch", present);
    for (const text of texts) this.#tellDevice(text);
  }

  #tellDevice(text: string): void {
    this.#options.onReport({ kind: "device", text });
  }

  async #configure(config: Config): Promise<Applied> {
    const prepared = this.#prepare(config);
    if ("diagnostics" in prepared)
      return { isApplied: false, diagnostics: prepared.diagnostics, refusals: [] };
    const { changes, ready } = prepared;
    if (ready === undefined) {
      const refusals = changes.filter(({ effect }) => effect === "refused");
      return { isApplied: false, diagnostics: [], refusals };
    }
    const { mapping, wiring, policy, notes } = ready;
    await this.#givePolicy(policy, wiring);
    this.#mapping = mapping;
    const { interfaces } = policy.numbering;
    await this.control.call("configure", { config, ...wiring, interfaces });
    return { isApplied: true, notes, changes };
  }

  /** Compiles a configuration. `ready` undefined: a change of it is refused. */
  #prepare(config: Config): Prepared {
    const attached = new Set(this.#mapping.ports.map((port) => port.interface));
    const changes = planChange(this.config, config, { attached, rulesMax: this.#plan.capacity.rules });
    if (changes.some(({ effect }) => effect === "refused")) return { changes, ready: undefined };
    const mapping = planMapping(config, attachmentsOf(this.#mapping));
    if ("problems" in mapping) {
      const refused = mapping.problems.map((text): Change => ({ effect: "refused", text }));
      return { changes: [...refused, ...changes], ready: undefined };
    }
    const wiring = wiringOf(mapping, this.#devices.all);
    try {
      const { numbering } = this.#policy;
      const loaded = loadPolicy(config, policyOptions(wiring), roomIn(this.#plan), numbering);
      return { changes, ready: { mapping, wiring, ...loaded } };
    } catch (error) {
      if (error instanceof ConfigError) return { diagnostics: error.diagnostics };
      throw error;
    }
  }

  /** Gives the dataplane thread a policy, in pieces between which packets pass. */
  async #givePolicy(policy: Policy, { ports }: Wiring): Promise<void> {
    const { stages, ...enforced } = handoverOf(policy, this.#policy);
    for (const stage of stages) await this.dataplane.call("stage", stage);
    this.#policy = policy;
    this.#given.push(policy);
    const { config } = policy;
    const settings = { sharing: sharingOf(config), sessionPort: sessionPortOf(config) };
    await this.dataplane.call("configure", { ...enforced, ports, ...settings });
  }

  /** Orderly end: hands over to the peer where that can take over, resigns, and gives the devices back. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const control = this.#control;
    if (control !== undefined) {
      await this.#handOver(control);
      const stopped = new Promise<void>((resolve) => {
        control.worker.on("message", ({ kind }: ControlMessage) => {
          if (kind === "stopped") resolve();
        });
        setTimeout(resolve, STOP_MS).unref();
      });
      void control.caller.call("stop");
      await stopped;
      // What it said last has been sent when the dataplane thread answers.
      await Promise.race([
        this.dataplane.call("view"),
        new Promise((done) => setTimeout(done, STOP_MS).unref()),
      ]);
    }
    await this.#terminate();
  }

  /** Has the peer take over first, if this box is active and that costs nothing. */
  async #handOver({ worker, caller }: Asked<ControlCalls>): Promise<void> {
    const answered = new Promise<boolean>((resolve) => {
      worker.on("message", (message: ControlMessage) => {
        if (message.kind === "report" && message.report.kind === "reply") resolve(true);
        else if (message.kind === "stopped") resolve(false);
      });
      setTimeout(() => resolve(false), HAND_OVER_MS).unref();
    });
    const { redundancy } = await caller.call("view");
    if (redundancy.role !== "active" || redundancy.switchoverObstacle !== undefined) return;
    await caller.call("operate", { kind: "operator", command: "switchover", isForced: false });
    if (await answered) await new Promise((done) => setTimeout(done, LINGER_MS));
  }

  /** Ends both threads where they stand. */
  async #terminate(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([this.#control?.worker.terminate(), this.#dataplane?.worker.terminate()]);
  }
}

/** A configuration that has been looked at, or what is wrong with it. */
type Prepared =
  | { readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly changes: readonly Change[];
      readonly ready:
        | {
            readonly mapping: Mapping;
            readonly wiring: Wiring;
            readonly policy: Policy;
            readonly notes: readonly Diagnostic[];
          }
        | undefined;
    };
