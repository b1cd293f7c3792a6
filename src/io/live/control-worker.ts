/**
 * The control thread of a live box: HSRP, BFD, redundancy, the association, and the router that speaks for the box. Its loop
 * never returns to the event loop, so that no timer waits for a console or a log.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { usedAssociation } from "../../check/topology.js";
import type { Config } from "../../config/model.js";
import { type DebugBatch, DebugOutlet } from "../../debug/outlet.js";
import type { Mac } from "../../frame.js";
import { ControlBox, type ControlReport } from "../../live/control-box.js";
import type { ReloadMode } from "../../redundancy/index.js";
import { rehearse } from "../../live/rehearse-control.js";
import { Router } from "../../router/index.js";
import { isProblem } from "../io.js";
import { loadLibc } from "../linux/libc.js";
import { becomeUrgent } from "../linux/priority.js";
import { nodeMac } from "../mac.js";
import { SharedClock } from "../pair/clock.js";
import { secureRandom } from "../random.js";
import { Answerer } from "./calls.js";
import { controlCalls } from "./control-calls.js";
import { openLinks } from "./links.js";
import { type SharedMemory, WorkerSignals } from "./threads.js";

/** What the thread is started with. */
export interface ControlData {
  readonly shared: SharedMemory;
  readonly questions: MessagePort;
  readonly config: Config;
  readonly macs: ReadonlyMap<string, Mac>;
  readonly mtus: ReadonlyMap<string, number>;
  /** Full names of interfaces by number. */
  readonly interfaces: readonly string[];
  /** The device that carries each interface. */
  readonly devices: ReadonlyMap<string, string>;
  /** Room in the session table. */
  readonly sessions: number;
  readonly software: string;
  readonly reloadMode?: ReloadMode;
}

/** What it tells the main thread without being asked. */
export type ControlMessage =
  /** `hint`: what keeps its hellos from being on time on a busy machine. */
  | { readonly kind: "ready"; readonly hint?: string }
  | { readonly kind: "failed"; readonly problem: string }
  | { readonly kind: "report"; readonly report: ControlReport; readonly nowMs: number }
  /** Devices have gone or come: they are to be opened anew. */
  | { readonly kind: "devices" }
  | ({ readonly kind: "debug" } & DebugBatch)
  /** An orderly end is done. */
  | { readonly kind: "stopped" };

const SPIN_MS = 0.05;
/** How often the links are looked at. */
const LINKS_MS = 5;
const SECRET_BYTES = 32;

const randomSecret = (): Uint8Array => crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
const tell = (message: ControlMessage): void => parentPort!.postMessage(message);

async function main(data: ControlData): Promise<void> {
  const loaded = await loadLibc();
  if (isProblem(loaded)) {
    tell({ kind: "failed", problem: loaded.problem });
    return;
  }
  const clock = new SharedClock(data.shared.clock);
  const signals = new WorkerSignals(data.shared, "control");
  const dataplane = new WorkerSignals(data.shared, "dataplane");
  const { config, macs, mtus } = data;
  const random = secureRandom();
  const debug = new DebugOutlet((batch) => tell({ kind: "debug", ...batch }));
  const box = new ControlBox({
    node: {
      config,
      macs,
      random,
      secret: randomSecret(),
      software: data.software,
      reloadMode: data.reloadMode,
      mac: nodeMac,
      sessions: data.sessions,
    },
    router: new Router({ config, macs, mtus, random }),
    interfaces: data.interfaces,
    fromDataplane: data.shared.toControl,
    toDataplane: data.shared.toDataplane,
    wakeDataplane: () => dataplane.wake(),
    report: (report, nowMs) => tell({ kind: "report", report, nowMs }),
    debug,
  });
  // A box that is alone has nothing that is so urgent.
  if (usedAssociation(config) !== undefined) rehearse({ random, secret: randomSecret(), mac: nodeMac });
  const links = openLinks(loaded.value, data);
  if (isProblem(links)) {
    tell({ kind: "failed", problem: links.problem });
    return;
  }
  const answerer = new Answerer(
    data.questions,
    controlCalls({ box, links: links.value, debug, nowMs: () => clock.nowMs() }),
  );
  box.start(clock.nowMs());
  const urgent = becomeUrgent(loaded.value);
  tell(isProblem(urgent) ? { kind: "ready", hint: urgent.problem } : { kind: "ready" });
  let changes = 0;
  let linksAtMs = 0;
  let idleSinceMs = clock.nowMs();
  const hasWork = (): boolean => box.hasWork() || signals.changes !== changes;
  while (!box.isOver) {
    const nowMs = clock.nowMs();
    const isBusy = box.turn(nowMs);
    debug.tick(nowMs);
    if (nowMs >= linksAtMs) {
      linksAtMs = nowMs + LINKS_MS;
      if (links.value.look(box, nowMs)) tell({ kind: "devices" });
    }
    if (signals.changes !== changes) {
      changes = signals.changes;
      while (answerer.answer());
    }
    if (isBusy) {
      idleSinceMs = nowMs;
    } else if (nowMs - idleSinceMs > SPIN_MS) {
      const ms = Math.min(box.deadlineMs, linksAtMs, debug.deadlineMs) - nowMs;
      if (ms > 0) signals.sleep(ms, hasWork);
    }
  }
  tell({ kind: "stopped" });
}

await main(workerData as ControlData);
