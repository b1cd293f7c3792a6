/**
 * One box behind its rings: what its thread does in a turn. Batches come from the host and verdicts go back, datagrams
 * go to the other box and come from there; what the host should know besides goes out as reports.
 *
 *     host  -- packets -->  +-----+  -- datagrams -->  +------+
 *           <-- verdicts -- | box |  <-- datagrams --  | peer |
 *           <-- reports --- +-----+                    +------+
 */
import type { Core } from "../core.js";
import type { Node, NodeAction, NodeInput } from "../node.js";
import { type RingMemory, RingReader, RingWriter } from "../ring.js";
import type { Session } from "../session-view.js";
import { BatchReader, type BatchShape, type Release, shapeOf, VerdictWriter } from "./batch-slot.js";
import { type BoxName, isVirtual, peerOf } from "./boxes.js";
import type { Control } from "./control.js";
import { readDatagram, writeDatagram } from "./datagram-slot.js";
import { type Life, lifeOf } from "./totals.js";

/** Datagrams of one turn, so that neither they nor the packets are kept waiting. */
const DATAGRAMS_PER_TURN = 64;

/** The rings of one box. */
export interface BoxRings {
  readonly packets: RingMemory;
  readonly verdicts: RingMemory;
  readonly toPeer: RingMemory;
  readonly fromPeer: RingMemory;
}

/** Actions that only the host can do something about, or wants to know. */
export type ReportedAction = Extract<
  NodeAction,
  { kind: "role" | "state" | "synchronised" | "log" | "reply" | "exit" }
>;

/** What a box tells the host. Times are of the clock of the boxes. */
export type BoxReport =
  /** It runs. */
  | { readonly kind: "ready" }
  /** `sessions`: of a box that has become active, where the host has asked for that. */
  | {
      readonly kind: "action";
      readonly action: ReportedAction;
      readonly atMs: number;
      readonly sessions?: readonly Session[];
    }
  | { readonly kind: "account"; readonly account: Account }
  /** It was asked to freeze, and now does. */
  | { readonly kind: "frozen" }
  /** There are verdicts, and the host has said that it waits. */
  | { readonly kind: "verdicts" };

/** What a box has, and has counted in this life. */
export interface Account {
  readonly sessions: readonly Session[];
  readonly life: Life;
}

/** What the host asks of a box. */
export type BoxRequest = { readonly kind: "account" } | { readonly kind: "input"; readonly input: NodeInput };

export interface HostedBoxOptions {
  readonly name: BoxName;
  readonly node: Node;
  /** The core of the dataplane of `node`. */
  readonly core: Core;
  readonly control: Control;
  readonly rings: BoxRings;
  /** A box that becomes active reports its sessions at once. */
  readonly isWatched: boolean;
  readonly report: (report: BoxReport) => void;
  /** The next request of the host; undefined: there is none. */
  readonly request: () => BoxRequest | undefined;
}

export class HostedBox {
  readonly #options: HostedBoxOptions;
  readonly #shape: BatchShape;
  readonly #packets: BatchReader;
  readonly #verdicts: VerdictWriter;
  readonly #toPeer: RingWriter;
  readonly #fromPeer: RingReader;
  /** Interfaces of the box that are down, as the node was told. */
  readonly #down = new Map<string, boolean>();
  readonly #defers: boolean;
  #changes = 0;
  #releases: Release[] = [];
  #isOver = false;

  constructor(options: HostedBoxOptions) {
    const { rings, core, node } = options;
    this.#options = options;
    this.#shape = shapeOf(core.plan);
    this.#packets = new BatchReader(rings.packets, this.#shape, core);
    this.#verdicts = new VerdictWriter(rings.verdicts, core);
    this.#toPeer = new RingWriter(rings.toPeer);
    this.#fromPeer = new RingReader(rings.fromPeer);
    this.#defers = node.dataplane.config.inspect.defer === true;
  }

  /** `reload-mode exit`: the thread is to end. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** When the next turn is due even if nothing arrives. */
  get deadlineMs(): number {
    return this.#options.node.deadlineMs;
  }

  /** Once, before everything else. What was meant for an earlier life of the box is forgotten. */
  start(nowMs: number): void {
    const { node, control, name, report } = this.#options;
    this.#packets.discard();
    this.#fromPeer.discard();
    this.#changes = control.changes(name);
    report({ kind: "ready" });
    this.#act(node.start(nowMs), nowMs);
    for (const { name: network } of node.dataplane.config.interfaces.values()) this.#tellLink(network, nowMs);
  }

  /** Whether a turn before the deadline has something to do. */
  hasWork(): boolean {
    const { control, name } = this.#options;
    return (
      this.#fromPeer.hasNews() ||
      (this.#releases.length > 0 && this.#verdicts.hasRoom()) ||
      this.#canDecide() ||
      control.changes(name) !== this.#changes
    );
  }

  /** Does what there is to do at this time. False: there was nothing. */
  turn(nowMs: number): boolean {
    const { node } = this.#options;
    let isBusy = this.#obey(nowMs);
    isBusy = this.#receive(nowMs) || isBusy;
    isBusy = this.#decide(nowMs) || isBusy;
    if (node.deadlineMs <= nowMs) {
      isBusy = true;
      this.#act(node.step({ kind: "tick" }, nowMs), nowMs);
    }
    this.#release();
    return isBusy;
  }

  #obey(nowMs: number): boolean {
    const { control, name, node, request, report } = this.#options;
    const changes = control.changes(name);
    if (changes === this.#changes) return false;
    this.#changes = changes;
    for (const [network, wasDown] of this.#down) {
      if (control.isDown(control.numberOf(network), name) !== wasDown) this.#tellLink(network, nowMs);
    }
    for (let asked = request(); asked !== undefined; asked = request()) {
      if (asked.kind === "input") this.#act(node.step(asked.input, nowMs), nowMs);
      else {
        const account = { sessions: [...node.dataplane.sessions()], life: lifeOf(node) };
        report({ kind: "account", account });
      }
    }
    return true;
  }

  #tellLink(network: string, nowMs: number): void {
    const { control, name, node } = this.#options;
    const isDown = control.isDown(control.numberOf(network), name);
    this.#down.set(network, isDown);
    this.#act(node.step({ kind: "link", interface: network, isUp: !isDown }, nowMs), nowMs);
  }

  #receive(nowMs: number): boolean {
    const { control, node } = this.#options;
    for (let i = 0; i < DATAGRAMS_PER_TURN; i++) {
      const received = readDatagram(this.#fromPeer);
      if (received === undefined) return i > 0;
      const network = control.networks[received.network] ?? "";
      // A broken link lets nothing in, and a network that only the other box has ends there.
      if (this.#down.get(network) !== false) continue;
      this.#act(node.step({ kind: "datagram", interface: network, ...received.datagram }, nowMs), nowMs);
    }
    return true;
  }

  #canDecide(): boolean {
    return this.#packets.hasNews() && !this.#options.node.isDraining && this.#verdicts.hasRoom();
  }

  #decide(nowMs: number): boolean {
    const { node, control, report } = this.#options;
    if (!this.#canDecide()) return false;
    const { batch } = node.dataplane;
    batch.clear();
    batch.length = this.#packets.load();
    const { outputs, actions } = node.process(nowMs);
    if (this.#defers) this.#defer(outputs, nowMs);
    this.#verdicts.writeVerdicts(this.#packets.number, outputs, nowMs);
    this.#packets.release();
    if (control.takeHostAsleep()) report({ kind: "verdicts" });
    this.#act(actions, nowMs);
    return true;
  }

  /** Leaves the mark on those replies that wait, and takes it off the others. */
  #defer(outputs: number, nowMs: number): void {
    const { node } = this.#options;
    const { batch } = node.dataplane;
    for (let i = 0; i < outputs; i++) {
      if (batch.isDeferred(i) && !node.defer(batch.cookie(i), nowMs)) this.#packets.clearDeferred(i);
    }
  }

  #release(): void {
    if (this.#releases.length === 0) return;
    const { control, report } = this.#options;
    if (!this.#verdicts.hasRoom()) return;
    this.#releases.splice(0, this.#verdicts.writeReleases(this.#releases));
    if (control.takeHostAsleep()) report({ kind: "verdicts" });
  }

  #act(actions: readonly NodeAction[], nowMs: number): void {
    const { control, report } = this.#options;
    for (const action of actions) {
      switch (action.kind) {
        case "send":
          this.#send(action, nowMs);
          break;
        case "announce":
          this.#learn(control.numberOf(action.interface));
          break;
        case "release": {
          const { token: cookie, isAcknowledged } = action;
          this.#releases.push({ cookie, isAcknowledged, atMs: nowMs });
          break;
        }
        case "own":
        case "disown":
          break;
        case "role":
          report({ kind: "action", action, atMs: nowMs, ...this.#watched(action) });
          break;
        case "exit":
          this.#isOver = true;
          report({ kind: "action", action, atMs: nowMs });
          break;
        case "state":
        case "synchronised":
        case "log":
        case "reply":
          report({ kind: "action", action, atMs: nowMs });
          break;
      }
    }
  }

  #watched({ role }: Extract<NodeAction, { kind: "role" }>): { sessions?: Session[] } {
    const { isWatched, node } = this.#options;
    return isWatched && role === "active" ? { sessions: [...node.dataplane.sessions()] } : {};
  }

  #learn(network: number): void {
    const { control, name } = this.#options;
    if (!control.isDown(network, name)) control.learn(network, name);
  }

  #send(action: Extract<NodeAction, { kind: "send" }>, nowMs: number): void {
    const { control, name } = this.#options;
    const network = control.numberOf(action.interface);
    if (control.isDown(network, name)) return;
    if (action.sourceMac !== undefined) {
      // Only HSRP says which address it sends from.
      control.noteHello(name, nowMs);
      if (isVirtual(action.sourceMac)) this.#learn(network);
    }
    const peer = peerOf(name);
    if (control.isCut(network) || control.isDown(network, peer)) return;
    if (writeDatagram(this.#toPeer, network, action)) control.wake(peer);
  }
}
