/**
 * The dataplane thread of a live box: the core, the devices, and a loop that never returns to the event loop. It works while
 * there is work, spins for a moment, and then sleeps until a frame arrives, somebody wakes it, or a deadline is due.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { Core, type CoreSource, type MemoryPlan } from "../../core.js";
import { Dataplane } from "../../dataplane.js";
import { type DebugBatch, DebugOutlet } from "../../debug/outlet.js";
import { PacketWatch } from "../../debug/packet-watch.js";
import { CaptureTap } from "../../live/capture-tap.js";
import { DataplaneBox } from "../../live/dataplane-box.js";
import { type EventBatch, EventOutlet } from "../../live/event-outlet.js";
import type { PacketIo } from "../../live/packet-io.js";
import { REHEARSAL_CONFIG, REHEARSAL_SESSIONS, rehearse } from "../../live/rehearse-dataplane.js";
import { SharedSessions, type Sharing } from "../../node/shared-sessions.js";
import type { EnforcedPolicy } from "../../policy/policy.js";
import { prepare } from "../../prepare.js";
import { isProblem } from "../io.js";
import { type Libc, loadLibc } from "../linux/libc.js";
import { type BackendName, openPacketIo } from "../linux/open.js";
import { becomePreferred } from "../linux/priority.js";
import { SharedClock } from "../pair/clock.js";
import { randomSeed } from "../seed.js";
import { Answerer } from "./calls.js";
import { dataplaneCalls, type NamedPort, portsByNumber } from "./dataplane-calls.js";
import { type SharedMemory, WorkerSignals } from "./threads.js";

/** What the thread is started with. */
export interface DataplaneData {
  readonly shared: SharedMemory;
  readonly questions: MessagePort;
  readonly module: CoreSource;
  readonly plan: MemoryPlan;
  readonly policy: EnforcedPolicy;
  /** Devices by port number, with the name of the interface that each carries untagged. */
  readonly devices: readonly { readonly device: string; readonly interface: string }[];
  readonly interfaces: readonly NamedPort[];
  /** The only back end that will do; without it the best that works. */
  readonly backend?: BackendName | undefined;
  readonly sharing: Sharing;
  /** UDP port of the association. */
  readonly sessionPort: number;
}

/** How frames come and go. */
export interface Opened {
  readonly backend: BackendName;
  /** For people. */
  readonly text: string;
  /** Why it is no other one that would be better. */
  readonly notes: readonly string[];
}

/** What it tells the main thread without being asked. */
export type DataplaneReport =
  /** `hint`: what delays its frames on a busy machine. */
  | { readonly kind: "ready"; readonly opened: Opened; readonly hint?: string }
  /** It cannot begin, or go on: a device is gone. */
  | { readonly kind: "failed"; readonly problem: string }
  | { readonly kind: "events"; readonly batches: readonly EventBatch[] }
  | ({ readonly kind: "debug" } & DebugBatch)
  /** Events from here on are of the policy that it was last given. */
  | { readonly kind: "configured" };

/** A reply comes within microseconds, waking up takes ten: so long it is better to stay awake. */
const SPIN_MS = 0.05;
/** Longest sleep when no deadline is known. */
const SLEEP_MAX_MS = 1000;

const report = (each: DataplaneReport): void => parentPort!.postMessage(each);

/** The devices cannot be opened. */
class OpenFailure extends Error {}

/** What a core and its policy are, for as long as they live. */
interface Instance {
  readonly core: Core;
  readonly dataplane: Dataplane;
}

class Thread {
  readonly #data: DataplaneData;
  readonly #clock: SharedClock;
  readonly #signals: WorkerSignals;
  readonly #libc: Libc;
  #instance: Instance;
  readonly #events = new EventOutlet((batches) => report({ kind: "events", batches }));
  readonly #debug = new DebugOutlet((batch) => report({ kind: "debug", ...batch }));
  readonly #box: DataplaneBox;
  readonly #answerer: Answerer<ReturnType<typeof dataplaneCalls>>;
  #opened: Opened | undefined;
  #changes = 0;
  /** In force. */
  #policy: EnforcedPolicy;

  constructor(data: DataplaneData, libc: Libc) {
    this.#data = data;
    this.#libc = libc;
    this.#policy = data.policy;
    this.#clock = new SharedClock(data.shared.clock);
    this.#signals = new WorkerSignals(data.shared, "dataplane");
    const control = new WorkerSignals(data.shared, "control");
    const nowMs = this.#clock.nowMs();
    this.#instance = this.#newInstance(nowMs);
    const { dataplane } = this.#instance;
    const sessions = new SharedSessions(dataplane, {
      ...data.sharing,
      newDataplane: (atMs) => {
        this.#instance = this.#newInstance(atMs);
        return this.#instance.dataplane;
      },
    });
    const tap = new CaptureTap(data.shared.taps);
    const watch = new PacketWatch(this.#debug);
    this.#box = new DataplaneBox(
      {
        sessions,
        openIo: () => this.#openIo(),
        fromControl: data.shared.toDataplane,
        toControl: data.shared.toControl,
        wakeControl: () => control.wake(),
        ports: portsByNumber(data.interfaces, dataplane.interfaces),
        tap,
        watch,
        wallMs: () => Date.now(),
        onEvents: (decided, atMs) => this.#events.take(watch.heard(decided.events(), atMs), atMs),
      },
      nowMs,
    );
    this.#box.policer.sessionPort = data.sessionPort;
    this.#answerer = new Answerer(
      data.questions,
      dataplaneCalls({
        box: this.#box,
        sessions,
        events: this.#events,
        tap,
        watch,
        nowMs: () => this.#clock.nowMs(),
        opened: () => this.#opened!,
        onConfigured: (policy) => {
          this.#policy = policy;
          report({ kind: "configured" });
        },
      }),
    );
  }

  #newInstance(nowMs: number): Instance {
    const { module, plan } = this.#data;
    const setup = { plan, seed: randomSeed(), policy: this.#policy };
    const core = Core.createSync(module, setup);
    const options = { nowMs, wallClock: new Date() };
    return { core, dataplane: new Dataplane(core, { ...setup, notes: [], options }) };
  }

  #openIo(): PacketIo {
    const { core, dataplane } = this.#instance;
    const { devices, backend, interfaces } = this.#data;
    const isTagged = interfaces.some(({ vlan }) => vlan !== 0);
    const { descriptors, buffers } = core.plan.regions;
    const memory = {
      bytes: core.bytes,
      descriptorsAt: descriptors.at,
      buffersAt: buffers.at,
      buffers: core.plan.capacity.buffers,
    };
    const ports = devices.map(({ device, interface: name }) => ({
      device,
      ingress: dataplane.interfaceNumber(name) ?? 0,
    }));
    const opened = openPacketIo(this.#libc, {
      memory,
      ports,
      backend,
      isTagged,
      // A box begins with all of its devices, and goes on with those that are left.
      isPartial: this.#opened !== undefined,
    });
    if (isProblem(opened)) throw new OpenFailure(opened.problem);
    const { io, backend: name, refused } = opened.value;
    const notes = refused.map((other) => `${other.backend}: ${other.why}`);
    this.#opened = { backend: name, text: io.backend, notes };
    this.#signals.setWakeFd(io.wakeFd);
    return io;
  }

  run(): void {
    const box = this.#box;
    const preferred = becomePreferred(this.#libc);
    const hint = isProblem(preferred) ? { hint: preferred.problem } : {};
    report({ kind: "ready", opened: this.#opened!, ...hint });
    const hasWork = (): boolean => box.hasWork() || this.#signals.changes !== this.#changes;
    let idleSinceMs = this.#clock.nowMs();
    let dueMs = idleSinceMs;
    for (;;) {
      const nowMs = this.#clock.nowMs();
      const isBusy = box.turn(nowMs, dueMs);
      this.#events.tick(nowMs);
      this.#debug.tick(nowMs);
      if (this.#signals.changes !== this.#changes) {
        this.#changes = this.#signals.changes;
        while (this.#answerer.answer());
      }
      dueMs = nowMs;
      if (isBusy) {
        idleSinceMs = nowMs;
      } else if (nowMs - idleSinceMs > SPIN_MS) {
        dueMs = Math.min(
          box.deadlineMs,
          this.#events.deadlineMs,
          this.#debug.deadlineMs,
          nowMs + SLEEP_MAX_MS,
        );
        this.#sleep(dueMs - nowMs, hasWork);
      }
    }
  }

  #sleep(ms: number, hasWork: () => boolean): void {
    if (ms <= 0) return;
    // Frames that are left where they are for now must not end the sleep.
    if (this.#box.isPaused) this.#signals.sleep(ms, hasWork);
    else this.#signals.sleepBy(hasWork, () => this.#box.io.wait(ms));
  }
}

/** By a core of its own: of the same module, whose machine code both share. */
function rehearseFor({ module }: DataplaneData): void {
  const capacity = { sessions: REHEARSAL_SESSIONS };
  const setup = prepare({ config: REHEARSAL_CONFIG, capacity, module }, randomSeed);
  rehearse(new Dataplane(Core.createSync(module, setup), setup));
}

async function main(data: DataplaneData): Promise<void> {
  const libc = await loadLibc();
  if (isProblem(libc)) {
    report({ kind: "failed", problem: libc.problem });
    return;
  }
  try {
    rehearseFor(data);
    new Thread(data, libc.value).run();
  } catch (error) {
    if (!(error instanceof OpenFailure)) throw error;
    report({ kind: "failed", problem: error.message });
  }
}

await main(workerData as DataplaneData);
