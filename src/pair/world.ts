/**
 * Two boxes and the networks between them, in virtual time. An interface of one box and the interface of the same name
 * of the other are on one network, a switch that learns where a virtual MAC address is. Everything random is handed in,
 * so that the same seed gives the same run.
 */
import type { Config } from "../config/model.js";
import type { DatagramInput, Node, NodeAction, NodeInput } from "../node.js";
import { BOX_NAMES, type BoxName, type BoxStatus, isVirtual, peerOf } from "./boxes.js";
import { EventQueue } from "./events.js";

export { BOX_NAMES, type BoxName, type BoxStatus };

export interface BoxSetup {
  readonly config: Config;
  /** A box after a boot: nothing of an earlier life is left. */
  readonly boot: (nowMs: number) => Node;
}

/** A datagram on its way over a network. */
export interface Transfer {
  readonly network: string;
  readonly from: BoxName;
  readonly to: BoxName;
  readonly bytes: Uint8Array;
}

/** When and how a datagram arrives: nothing for a lost one, several for one that was repeated. */
export type Delivery = { readonly delayMs: number; readonly bytes: Uint8Array };
export type Faults = (transfer: Transfer) => readonly Delivery[];

/** Everything arrives, once, at once. */
export const NO_FAULTS: Faults = ({ bytes }) => [{ delayMs: 0.1, bytes }];

export type CloneNode = (name: BoxName, node: Node) => Node | undefined;

/** What may be watched. */
export interface Watcher {
  action?(box: BoxName, action: NodeAction, nowMs: number): void;
  status?(box: BoxName, status: BoxStatus, nowMs: number): void;
  /** Something has happened by itself, with all that followed from it at once. */
  after?(nowMs: number): void;
}

/** What is to happen; plain data but for `run`, which a copy of the world cannot have. */
type WorldEvent =
  /** `boots`: of the life that it was sent to. */
  | { readonly kind: "deliver"; readonly to: BoxName; readonly boots: number; readonly input: DatagramInput }
  | { readonly kind: "boot"; readonly box: BoxName }
  | { readonly kind: "run"; readonly run: () => void };

/** Datagrams that wait for a hung box; as in a socket, what is more is lost. */
const HUNG_QUEUE_MAX = 256;

class Box {
  readonly name: BoxName;
  readonly setup: BoxSetup;
  readonly down = new Set<string>();
  node: Node | undefined;
  status: BoxStatus = "dead";
  /** What a hung box finds when it wakes. */
  waiting: NodeInput[] = [];
  /** Lives: what was sent to an earlier one reaches nobody. */
  boots = 0;

  constructor(name: BoxName, setup: BoxSetup) {
    this.name = name;
    this.setup = setup;
  }

  /** In the same state, around another node. */
  clone(node: Node | undefined): Box {
    const box = new Box(this.name, this.setup);
    for (const network of this.down) box.down.add(network);
    box.node = node;
    box.status = node === undefined ? "dead" : this.status;
    box.waiting = [...this.waiting];
    box.boots = this.boots;
    return box;
  }
}

export class World {
  readonly #boxes: Readonly<Record<BoxName, Box>>;
  readonly #faults: Faults;
  readonly #watcher: Watcher;
  readonly #events: EventQueue<WorldEvent>;
  /** By network: the box that a virtual MAC address was last heard from. */
  readonly #owners: Map<string, BoxName>;
  /** Networks over which nothing goes from box to box. */
  readonly #cut: Set<string>;
  #nowMs: number;

  /** `original`: for `clone`. */
  constructor(
    setups: Readonly<Record<BoxName, BoxSetup>>,
    faults: Faults = NO_FAULTS,
    watcher: Watcher = {},
    original?: { readonly world: World; readonly cloneNode: CloneNode },
  ) {
    this.#faults = faults;
    this.#watcher = watcher;
    if (original === undefined) {
      this.#boxes = { A: new Box("A", setups.A), B: new Box("B", setups.B) };
      this.#events = new EventQueue();
      this.#owners = new Map();
      this.#cut = new Set();
      this.#nowMs = 0;
      return;
    }
    const { world, cloneNode } = original;
    const cloneBox = (name: BoxName): Box => {
      const box = world.#boxes[name];
      return box.clone(box.node && cloneNode(name, box.node));
    };
    this.#boxes = { A: cloneBox("A"), B: cloneBox("B") };
    this.#events = new EventQueue(world.#events);
    this.#owners = new Map(world.#owners);
    this.#cut = new Set(world.#cut);
    this.#nowMs = world.#nowMs;
    for (const { kind } of this.#events)
      if (kind === "run") throw new Error("what is to be done later cannot be copied");
  }

  /**
   * A world in the same state, which goes its own way from now on. `cloneNode` gives the copy of a box, or undefined: there
   * the box is dead from now on. Throws when something waits that `at` was given.
   */
  clone(watcher: Watcher, cloneNode: CloneNode): World {
    const setups = { A: this.#boxes.A.setup, B: this.#boxes.B.setup };
    return new World(setups, this.#faults, watcher, { world: this, cloneNode });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Undefined: dead. */
  node(name: BoxName): Node | undefined {
    return this.#boxes[name].node;
  }

  status(name: BoxName): BoxStatus {
    return this.#boxes[name].status;
  }

  isUp(name: BoxName, network: string): boolean {
    return !this.#boxes[name].down.has(network);
  }

  /** The boxes that take themselves for active, and run. */
  actives(): BoxName[] {
    return BOX_NAMES.filter((name) => {
      const { node, status } = this.#boxes[name];
      return status === "running" && node?.dataplane.sync.role === "active";
    });
  }

  /** The box that a frame for the virtual MAC address reaches on this network; undefined: nobody knows it yet. */
  owner(network: string): BoxName | undefined {
    return this.#owners.get(network);
  }

  boot(name: BoxName): void {
    const box = this.#boxes[name];
    const node = box.setup.boot(this.#nowMs);
    box.node = node;
    box.boots++;
    box.waiting = [];
    // Frames for the virtual address still reach it, but it does not answer to that yet.
    for (const [network, owner] of this.#owners) if (owner === name) this.#owners.delete(network);
    this.#setStatus(box, "running");
    this.#act(box, node.start(this.#nowMs));
    for (const network of box.setup.config.interfaces.keys())
      this.#step(box, { kind: "link", interface: network, isUp: !box.down.has(network) });
  }

  kill(name: BoxName): void {
    const box = this.#boxes[name];
    box.node = undefined;
    this.#setStatus(box, "dead");
  }

  hang(name: BoxName): void {
    if (this.#boxes[name].status === "running") this.#setStatus(this.#boxes[name], "hung");
  }

  /** Wakes a hung box: its timers are late, and what waited arrives. */
  wake(name: BoxName): void {
    const box = this.#boxes[name];
    if (box.status !== "hung") return;
    this.#setStatus(box, "running");
    const { waiting } = box;
    box.waiting = [];
    this.#step(box, { kind: "tick" });
    for (const input of waiting) this.#step(box, input);
  }

  /** The link between a box and a network. */
  setLink(name: BoxName, network: string, isUp: boolean): void {
    const box = this.#boxes[name];
    if (isUp) box.down.delete(network);
    else box.down.add(network);
    this.#give(box, { kind: "link", interface: network, isUp });
  }

  /** Whether anything goes from box to box over a network. */
  setCut(network: string, isCut: boolean): void {
    if (isCut) this.#cut.add(network);
    else this.#cut.delete(network);
  }

  /** Does something at a time. */
  at(atMs: number, run: () => void): void {
    this.#events.add(atMs, { kind: "run", run });
  }

  /** Time of the next thing that happens by itself. */
  get nextMs(): number {
    let next = this.#events.nextMs;
    for (const name of BOX_NAMES) {
      const { node, status } = this.#boxes[name];
      if (status === "running" && node !== undefined) next = Math.min(next, node.deadlineMs);
    }
    return Math.max(next, this.#nowMs);
  }

  /** Lets everything happen up to and at a time. */
  runUntil(untilMs: number): void {
    for (;;) {
      const next = this.nextMs;
      if (next > untilMs) break;
      this.#nowMs = next;
      if (this.#events.nextMs <= next) {
        this.#happen(this.#events.take()!);
        this.#watcher.after?.(next);
        continue;
      }
      for (const name of BOX_NAMES) {
        const box = this.#boxes[name];
        if (box.status !== "running" || box.node === undefined || box.node.deadlineMs > next) continue;
        this.#step(box, { kind: "tick" });
        this.#watcher.after?.(next);
      }
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Has a box do something that gives actions. */
  act(name: BoxName, actions: readonly NodeAction[]): void {
    this.#act(this.#boxes[name], actions);
  }

  #setStatus(box: Box, status: BoxStatus): void {
    box.status = status;
    this.#watcher.status?.(box.name, status, this.#nowMs);
  }

  #happen(event: WorldEvent): void {
    switch (event.kind) {
      case "run":
        event.run();
        return;
      case "boot":
        this.boot(event.box);
        return;
      case "deliver": {
        const box = this.#boxes[event.to];
        if (box.boots === event.boots && !box.down.has(event.input.interface)) this.#give(box, event.input);
        return;
      }
    }
  }

  /** Something reaches a box: at once, or when it wakes. A dead one does not notice. */
  #give(box: Box, input: NodeInput): void {
    if (box.status !== "hung") this.#step(box, input);
    else if (box.waiting.length < HUNG_QUEUE_MAX) box.waiting.push(input);
  }

  #step(box: Box, input: NodeInput): void {
    if (box.node !== undefined) this.#act(box, box.node.step(input, this.#nowMs));
  }

  #act(box: Box, actions: readonly NodeAction[]): void {
    for (const action of actions) {
      this.#watcher.action?.(box.name, action, this.#nowMs);
      if (action.kind === "announce") this.#learn(box, action.interface);
      if (action.kind === "exit") {
        // A supervisor starts the process again.
        this.kill(box.name);
        this.#events.add(this.#nowMs, { kind: "boot", box: box.name });
        return;
      }
      if (action.kind === "send") this.#send(box, action);
    }
  }

  #learn(box: Box, network: string): void {
    if (!box.down.has(network)) this.#owners.set(network, box.name);
  }

  #send(box: Box, action: Extract<NodeAction, { kind: "send" }>): void {
    const { interface: network, payload } = action;
    if (box.down.has(network)) return;
    if (action.sourceMac !== undefined && isVirtual(action.sourceMac)) this.#learn(box, network);
    const peer = this.#boxes[peerOf(box.name)];
    if (this.#cut.has(network) || peer.down.has(network)) return;
    const { boots } = peer;
    const transfer = { network, from: box.name, to: peer.name, bytes: payload };
    for (const { delayMs, bytes } of this.#faults(transfer)) {
      const input: DatagramInput = { ...action, kind: "datagram", payload: bytes };
      this.#events.add(this.#nowMs + delayMs, { kind: "deliver", to: peer.name, boots, input });
    }
  }
}
