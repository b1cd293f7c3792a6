/**
 * A capture through a pair: each packet reaches the box that the virtual MAC address of its network is at, in the
 * capture's own time, and boxes and links fail on the way. Hosts do not react: they are a recording.
 */
import * as L from "../../assembly/layout.js";
import type { CaptureInterface, PacketBatch } from "../capture/index.js";
import type { NodeAction } from "../node.js";
import { groupTimersOf } from "../redundancy/index.js";
import type { ReplayFacts } from "../replay/gather.js";
import type { FailoverReport } from "../report/failover.js";
import type { ReasonTally, Report, Tally } from "../report/report.js";
import { apply, hitsActive, isDeath, Schedule } from "./breakage.js";
import { inventoryOf } from "./failover.js";
import type { History, PacketLoss } from "./history.js";
import { networkOf, networksOf, type PairNetworks } from "./networks.js";
import type { PlannedEvent } from "./plan.js";
import { EPILOGUE_MS, frameOf, ReplayBook, SETTLE_MAX_MS } from "./replay-book.js";
import { lifeOf } from "./totals.js";
import { BOX_NAMES, type BoxName, type BoxSetup, type CloneNode, type Watcher, World } from "./world.js";

const SETTLE_STEP_MS = 1000;

/** What became of a packet: R_*, the id of the session that it belongs to (0n none), and the box that decided. */
export type VerdictListener = (packet: number, reason: number, session: bigint, box: BoxName) => void;

export interface PairReplayOptions {
  readonly setups: Readonly<Record<BoxName, BoxSetup>>;
  readonly plan: readonly PlannedEvent[];
  readonly onVerdict?: VerdictListener;
}

export class PairReplay {
  readonly world: World;
  readonly #options: PairReplayOptions;
  readonly #book: ReplayBook;
  readonly #schedule: Schedule;
  readonly #networks: PairNetworks;
  /** World time of the first packet. */
  #startMs = 0;
  /** Frames in the batch of a box, and when they arrived. */
  #filling: BoxName | undefined;
  #fillMs = 0;

  /** `original`: for `fork`. */
  constructor(
    options: PairReplayOptions,
    original?: { readonly replay: PairReplay; readonly cloneNode: CloneNode },
  ) {
    const { setups, plan } = options;
    const { config } = setups.A;
    this.#options = options;
    this.#schedule = new Schedule(plan);
    this.#networks = networksOf(config);
    const watcher: Watcher = {
      action: (box, action, nowMs) => this.#watch(box, action, nowMs),
      status: (box, status) => {
        const state = this.world.node(box)?.redundancy.view.own.state;
        this.history.status(this.#seconds(), box, status, state);
      },
    };
    if (original === undefined) {
      this.#book = new ReplayBook(config);
      this.world = new World(setups, undefined, watcher);
    } else {
      const { replay, cloneNode } = original;
      this.#book = replay.#book.fork();
      this.world = replay.world.clone(watcher, cloneNode);
      this.#startMs = replay.#startMs;
    }
  }

  /**
   * A replay that stands where this one does and goes another way from here: its plan is another one, and what that has for
   * this moment has happened. Nothing that it does is seen here, and its history begins now. `cloneNode` gives the copies
   * of the boxes.
   */
  fork(options: Pick<PairReplayOptions, "plan" | "onVerdict">, cloneNode: CloneNode): PairReplay {
    this.#decide();
    const fork = new PairReplay({ ...this.#options, ...options }, { replay: this, cloneNode });
    fork.#advance(this.#book.nowMs);
    return fork;
  }

  get history(): History {
    return this.#book.history;
  }

  /** Packets so far. */
  get packets(): number {
    return this.#book.packets;
  }

  /** Boots both boxes and waits until one is active and the other has all sessions. Undefined: it has; else why not. */
  settle(): string | undefined {
    for (const name of BOX_NAMES) this.world.boot(name);
    while (this.world.nowMs < SETTLE_MAX_MS) {
      this.world.runUntil(this.world.nowMs + SETTLE_STEP_MS);
      if (this.#isSettled()) {
        // The boot has changed roles, which for a hold time puts off further changes.
        this.world.runUntil(this.world.nowMs + groupTimersOf(this.#options.setups.A.config).holdMs);
        this.#startMs = this.world.nowMs;
        this.history.begin();
        return undefined;
      }
    }
    const states = BOX_NAMES.map((name) => `${name}: ${this.world.node(name)?.redundancy.view.machine}`);
    return `the pair does not come up: ${states.join(", ")}`;
  }

  #isSettled(): boolean {
    const states = BOX_NAMES.map((name) => this.world.node(name)?.redundancy.view.machine);
    return states.includes("active") && states.includes("hot");
  }

  /** Takes the packets of one batch of the reader. */
  feed(packets: PacketBatch, interfaces: readonly CaptureInterface[]): void {
    for (let i = 0; i < packets.count; i++) {
      this.reach(packets, i);
      this.take(packets, i, interfaces);
    }
    this.#decide();
  }

  /** Goes on to the time of packet `i`, the next one, which has not arrived then. */
  reach(packets: PacketBatch, i: number): void {
    this.#book.next(packets, i);
    this.#advance(this.#book.nowMs);
  }

  /** Takes packet `i`, to which `reach` has gone. */
  take(packets: PacketBatch, i: number, interfaces: readonly CaptureInterface[]): void {
    const { bytes } = packets;
    const captured = interfaces[packets.interfaceIndex[i]!]!;
    const { offset, length, wireLength, ethertype } = frameOf(packets, i, captured);
    const network = this.#networkOf(bytes.subarray(offset, offset + length), ethertype);
    const owner = this.world.owner(network);
    const why = this.#lossOf(owner, network);
    if (why !== undefined || owner === undefined) {
      this.#book.lost(why ?? "no_active", wireLength);
      return;
    }
    const { dataplane } = this.world.node(owner)!;
    const { batch } = dataplane;
    const nowMs = this.world.nowMs;
    if (this.#filling !== owner || this.#fillMs !== nowMs) this.#decide();
    if (this.#filling === undefined) batch.clear();
    const ingress = dataplane.interfaceNumber(network) ?? 0;
    const flags = this.#options.onVerdict === undefined ? 0 : L.DF_IDS;
    const add = (): boolean =>
      batch.addFrom(bytes, offset, length, wireLength, ingress, ethertype, flags, this.packets);
    this.#filling = owner;
    this.#fillMs = nowMs;
    if (add()) return;
    this.#decide();
    this.#filling = owner;
    batch.clear();
    if (!add()) throw new Error(`a frame of ${length} bytes does not fit into an empty batch`);
  }

  /** The capture is over. */
  finish(): void {
    this.#decide();
    this.#advance(this.#book.nowMs + EPILOGUE_MS);
    this.history.end();
    for (const name of BOX_NAMES) this.#count(name);
  }

  /** Waits until every failure has its outcome. */
  settleFailures(): void {
    this.#decide();
    if (!this.history.isSettled) this.#run(this.world.nowMs + EPILOGUE_MS);
    this.#decide();
    this.history.end();
  }

  /** The reasons that were met, over both boxes, in the order of decisions. */
  reasons(): ReasonTally[] {
    return this.#book.reasons();
  }

  /** Packets that reached no firewall. */
  notSent(): Tally {
    return this.#book.notSent();
  }

  /** What the failures cost; after `finish`. */
  failover(): FailoverReport {
    return this.#book.failover(this.#seconds());
  }

  /** The report of the packets, over both boxes; after `finish`. */
  report(facts: ReplayFacts): Report {
    const [active] = this.world.actives();
    const dataplane = active && this.world.node(active)?.dataplane;
    return this.#book.report(dataplane?.sessions() ?? [], facts);
  }

  /** Takes down what a box has counted. */
  #count(name: BoxName): void {
    const node = this.world.node(name);
    if (node !== undefined) this.#book.count(lifeOf(node));
  }

  /** Lets the pair live up to a time of the capture; what is planned until then happens. */
  #advance(captureMs: number): void {
    const until = this.#startMs + captureMs;
    const next = (): PlannedEvent | undefined => this.#schedule.next(this.packets, captureMs);
    for (let event = next(); event !== undefined; event = next()) {
      const { when } = event;
      const atMs = "packet" in when ? until : Math.max(this.#startMs + when.seconds * 1000, this.world.nowMs);
      this.#run(atMs);
      this.#happen(event);
    }
    this.#run(until);
  }

  #run(untilMs: number): void {
    // What a batch changes is on its way before the time goes on.
    if (untilMs > this.#fillMs || this.world.nextMs <= untilMs) this.#decide();
    this.world.runUntil(untilMs);
  }

  #happen(event: PlannedEvent): void {
    this.#decide();
    const { kind, what } = event;
    const box = this.#schedule.target(event, this.world.actives()[0]);
    if (box === undefined) {
      this.history.planned(this.#seconds(), "", `${kind} ${what}: there is none`);
      return;
    }
    this.history.planned(this.#seconds(), box, `${kind} ${what}`);
    if (kind === "fail") {
      if (hitsActive(what)) {
        const before = inventoryOf(this.world.node(box)!.dataplane.sessions());
        this.history.failed(this.#seconds(), what, this.packets, box, before);
      }
      if (isDeath(what)) this.#count(box);
    }
    apply(event, box, this.world, this.#networks);
  }

  #watch(box: BoxName, action: NodeAction, nowMs: number): void {
    const node = this.world.node(box);
    if (action.kind === "state" && "own" in action) {
      this.history.state(this.#seconds(), box, action.own);
    } else if (action.kind === "role" && action.role === "active" && node !== undefined) {
      this.history.tookOver(this.#seconds(), box, () => inventoryOf(node.dataplane.sessions()));
    } else if (action.kind === "release") {
      this.#book.released(action.token, nowMs);
    }
  }

  #lossOf(owner: BoxName | undefined, network: string): PacketLoss | undefined {
    if (owner === undefined) return "no_active";
    const status = this.world.status(owner);
    if (status !== "running") return status;
    return this.world.isUp(owner, network) ? undefined : "link";
  }

  /** Has the box decide what is in its batch. */
  #decide(): void {
    const name = this.#filling;
    if (name === undefined) return;
    this.#filling = undefined;
    const node = this.world.node(name);
    if (node === undefined) return;
    const { batch } = node.dataplane;
    const { outputs, actions } = node.process(this.#fillMs);
    for (let i = 0; i < outputs; i++) {
      const reason = batch.reasonCode(i);
      if (reason === L.R_HELD) continue;
      this.#book.decided(reason, batch.wireLength(i));
      const token = batch.cookie(i);
      this.#options.onVerdict?.(token, reason, batch.session(i), name);
      if (batch.isDeferred(i) && node.defer(token, this.#fillMs)) this.#book.waits(token, this.#fillMs);
      const egress = node.dataplane.interfaces[batch.egress(i)] ?? "";
      if (batch.egress(i) !== 0 && !this.world.isUp(name, egress)) this.history.lost.link++;
    }
    batch.clear();
    this.world.act(name, actions);
  }

  /** The network that a packet comes from: by its source address, as a host behind it would send. */
  #networkOf(frame: Uint8Array, ethertype: number): string {
    const node = this.world.node("A") ?? this.world.node("B");
    return node === undefined
      ? this.#networks.inside
      : networkOf(node.dataplane, this.#networks, frame, ethertype);
  }

  #seconds(): number {
    return Math.max(0, this.world.nowMs - this.#startMs) / 1000;
  }
}
