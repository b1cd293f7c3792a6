/**
 * The thread of one box: the firewall, its rings and a loop that never returns to the event loop. It works while there
 * is work, spins for a moment, and then sleeps until somebody rings or a deadline of the node is due.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { Core, type CoreSource } from "../../core.js";
import { Dataplane } from "../../dataplane.js";
import { type DataplaneOptions, prepare } from "../../prepare.js";
import type { Mac } from "../../frame.js";
import { Node } from "../../node.js";
import { Control, type ControlMemory } from "../../pair/control.js";
import { type BoxReport, type BoxRequest, type BoxRings, HostedBox } from "../../pair/hosted-box.js";
import type { BoxName } from "../../pair/boxes.js";
import { nodeMac } from "../mac.js";
import { secureRandom } from "../random.js";
import { randomSeed } from "../seed.js";
import { SharedClock } from "./clock.js";

/** What a thread is started with. */
export interface BoxData {
  readonly name: BoxName;
  readonly dataplane: DataplaneOptions & { readonly module: CoreSource };
  readonly macs: ReadonlyMap<string, Mac>;
  readonly software: string;
  readonly isWatched: boolean;
  readonly control: ControlMemory;
  readonly clock: SharedArrayBuffer;
  readonly rings: BoxRings;
  /** Where requests come from. */
  readonly requests: MessagePort;
}

/** A reply of another thread comes within a microsecond, waking up takes ten: so long it is better to stay awake. */
const SPIN_MS = 0.05;
/** Longest sleep when no deadline is known. */
const SLEEP_MAX_MS = 1000;
const SECRET_BYTES = 32;

function main(data: BoxData): void {
  const { name, requests } = data;
  const clock = new SharedClock(data.clock);
  const control = new Control(data.control);
  const options = { ...data.dataplane, nowMs: clock.nowMs() };
  const setup = prepare(options, randomSeed);
  const core = Core.createSync(options.module, setup);
  const dataplane = new Dataplane(core, setup);
  const node = new Node({
    config: dataplane.config,
    dataplane,
    macs: data.macs,
    mac: nodeMac,
    random: secureRandom(),
    secret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)),
    software: data.software,
  });
  const report = (each: BoxReport): void => parentPort!.postMessage(each);
  const box = new HostedBox({
    name,
    node,
    core,
    control,
    rings: data.rings,
    isWatched: data.isWatched,
    report,
    request: () => receiveMessageOnPort(requests)?.message as BoxRequest | undefined,
  });
  box.start(clock.nowMs());
  const freeze = (): void => {
    report({ kind: "frozen" });
    control.sleepFrozen(name);
  };
  run(name, box, control, clock, freeze);
}

function run(name: BoxName, box: HostedBox, control: Control, clock: SharedClock, freeze: () => void): void {
  const hasWork = (): boolean => box.hasWork();
  let idleSinceMs = clock.nowMs();
  while (!box.isOver) {
    if (control.isFrozen(name)) freeze();
    const nowMs = clock.nowMs();
    if (box.turn(nowMs)) {
      idleSinceMs = nowMs;
    } else if (clock.realMs(nowMs - idleSinceMs) > SPIN_MS) {
      const waitMs = clock.realMs(box.deadlineMs - clock.nowMs());
      if (waitMs > 0) control.sleep(name, Math.min(waitMs, SLEEP_MAX_MS), hasWork);
      idleSinceMs = clock.nowMs();
    }
  }
}

main(workerData as BoxData);
