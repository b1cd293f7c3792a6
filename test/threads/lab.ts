/** Two boxes behind their rings in one thread and virtual time: what the threads do, without the threads. */
import { Core, SEED_BYTES } from "../../src/core.js";
import { Dataplane } from "../../src/dataplane.js";
import { prepare } from "../../src/prepare.js";
import { Node } from "../../src/node.js";
import {
  BatchWriter,
  newPacketRing,
  newVerdictRing,
  type Release,
  shapeOf,
  VerdictReader,
} from "../../src/pair/batch-slot.js";
import { BOX_NAMES, type BoxName, peerOf } from "../../src/pair/boxes.js";
import { Control, newControl } from "../../src/pair/control.js";
import { newDatagramRing } from "../../src/pair/datagram-slot.js";
import { type BoxReport, type BoxRequest, type BoxRings, HostedBox } from "../../src/pair/hosted-box.js";
import { macsOf } from "../../src/pair/networks.js";
import { randomBytes, seededRandom } from "../../src/random.js";
import { coreModule } from "../model/lab.js";
import { configsOf, type PairOptions } from "./configs.js";
import { type Decided, decidedOf, put, type Traffic } from "./traffic.js";

const CAPACITY = { sessions: 1024, batch: 16, fragments: 16 };
const DATAGRAMS = 64;
/** Turns without any time going by. */
const TURNS_MAX = 1000;

export interface LabOptions extends PairOptions {
  /** Batches that a ring holds. */
  slots?: number;
  datagrams?: number;
}

class LabBox {
  readonly name: BoxName;
  readonly rings: BoxRings;
  readonly batches: BatchWriter;
  readonly verdicts: VerdictReader;
  readonly reports: BoxReport[] = [];
  readonly requests: BoxRequest[] = [];
  readonly decided: Decided[] = [];
  readonly releases: Release[] = [];
  box: HostedBox | undefined;
  node: Node | undefined;

  constructor(name: BoxName, rings: BoxRings, shape: ReturnType<typeof shapeOf>) {
    this.name = name;
    this.rings = rings;
    this.batches = new BatchWriter(rings.packets, shape);
    this.verdicts = new VerdictReader(rings.verdicts);
  }
}

export class Lab {
  readonly control: Control;
  readonly boxes: Readonly<Record<BoxName, LabBox>>;
  readonly #texts: Readonly<Record<BoxName, string>>;
  readonly #random = seededRandom(1);
  nowMs = 0;

  constructor({ slots = 4, datagrams = DATAGRAMS, ...options }: LabOptions = {}) {
    this.#texts = configsOf(options);
    const setup = this.#setup("A");
    this.control = new Control(newControl([...setup.policy.config.interfaces.keys()]));
    const shape = shapeOf(setup.plan);
    const wires = BOX_NAMES.map(() => newDatagramRing(datagrams));
    const [a, b] = BOX_NAMES.map((name, i) => {
      const packets = newPacketRing(slots, shape);
      const verdicts = newVerdictRing(slots, shape, CAPACITY.fragments);
      return new LabBox(name, { packets, verdicts, toPeer: wires[i]!, fromPeer: wires[1 - i]! }, shape);
    });
    this.boxes = { A: a!, B: b! };
  }

  #setup(name: BoxName) {
    return prepare({ config: this.#texts[name], capacity: CAPACITY, nowMs: this.nowMs }, () =>
      randomBytes(this.#random, SEED_BYTES),
    );
  }

  boot(name: BoxName): void {
    const setup = this.#setup(name);
    const core = Core.createSync(coreModule, setup);
    const dataplane = new Dataplane(core, setup);
    const lab = this.boxes[name];
    lab.node = new Node({
      config: dataplane.config,
      dataplane,
      macs: macsOf(name, dataplane.config),
      random: this.#random,
      secret: randomBytes(this.#random, 32),
      software: "test",
    });
    lab.box = new HostedBox({
      name,
      node: lab.node,
      core,
      control: this.control,
      rings: lab.rings,
      isWatched: true,
      report: (report) => lab.reports.push(report),
      request: () => lab.requests.shift(),
    });
    lab.box.start(this.nowMs);
  }

  kill(name: BoxName): void {
    this.boxes[name].box = undefined;
    this.boxes[name].node = undefined;
  }

  /** Lets both boxes do all that is due up to a time. */
  runUntil(untilMs: number): void {
    for (;;) {
      for (let turns = 0; this.#turns(); turns++) {
        if (turns === TURNS_MAX) throw new Error(`the boxes do not come to rest at ${this.nowMs} ms`);
      }
      const next = Math.min(
        ...BOX_NAMES.map((name) => this.#awake(name)?.deadlineMs ?? Number.POSITIVE_INFINITY),
      );
      if (next > untilMs) break;
      this.nowMs = Math.max(this.nowMs, next);
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  runFor(ms: number): void {
    this.runUntil(this.nowMs + ms);
  }

  #turns(): boolean {
    let isBusy = false;
    for (const name of BOX_NAMES) if (this.#awake(name)?.turn(this.nowMs)) isBusy = true;
    return isBusy;
  }

  #awake(name: BoxName): HostedBox | undefined {
    return this.control.isFrozen(name) ? undefined : this.boxes[name].box;
  }

  /** Boots both and waits until one is active and the other has all sessions. */
  settle(): void {
    for (const name of BOX_NAMES) this.boot(name);
    for (let i = 0; i < 100 && !this.isSettled; i++) this.runFor(10);
    if (!this.isSettled) throw new Error("the pair does not come up");
  }

  get isSettled(): boolean {
    const machines = BOX_NAMES.map((name) => this.boxes[name].node?.redundancy.view.machine);
    return machines.includes("active") && machines.includes("hot");
  }

  get active(): BoxName {
    const [active, ...others] = BOX_NAMES.filter(
      (name) => this.boxes[name].node?.dataplane.sync.role === "active",
    );
    if (active === undefined || others.length > 0) throw new Error("there is not one active box");
    return active;
  }

  get standby(): BoxName {
    return peerOf(this.active);
  }

  /** Puts a batch into the ring of a box. False: it is full. */
  offer(name: BoxName, traffic: readonly Traffic[]): boolean {
    const { batches } = this.boxes[name];
    if (!batches.open()) return false;
    for (const each of traffic) if (!put(batches, each)) throw new Error("the batch is full");
    batches.publish();
    return true;
  }

  /** What a box has answered since the last call. */
  decided(name: BoxName): Decided[] {
    const { verdicts, releases } = this.boxes[name];
    const all: Decided[] = [];
    while (
      verdicts.take(
        (each) => all.push(...decidedOf(each)),
        (each) => releases.push(each),
      )
    ) {}
    return all;
  }

  /** Puts a batch into the ring of a box and returns what it decides. */
  send(name: BoxName, traffic: readonly Traffic[]): Decided[] {
    if (!this.offer(name, traffic)) throw new Error("the ring is full");
    this.runFor(0);
    return this.decided(name);
  }

  /** Ids of the sessions of a box. */
  sessions(name: BoxName): string[] {
    return [...this.boxes[name].node!.dataplane.sessions()].map(({ id }) => id).sort();
  }
}
