/**
 * Two boxes and the networks between them, in virtual time. An interface of one box and the interface of the same name
 * of the other are on one network, a switch that learns where a virtual MAC address is. Everything random is handed in,
 * so that the same seed gives the same run.
 */
import type { Config } from "../config/model.js";
import type { Node, NodeAction } from "../node.js";
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

/** What may be watched. */
export interface Watcher {
  action?(box: BoxName, action: NodeAction, nowMs: number): void;
  status?(box: BoxName, status: BoxStatus, nowMs: number): void;
  /** Something has happened by itself, with all that followed from it at once. */
  after?(nowMs: number): void;
}

/** Datagrams that wait for a hung box; as in a socket, what is more is lost. */
const HUNG_QUEUE_MAX = 256;

class Box {
  readonly name: BoxName;
  readonly setup: BoxSetup;
  readonly down = new Set<string>();
  node: Node | undefined;
  status: BoxStatus = "dead";
  waiting: (() => void)[] = [];
  /** Lives: what was sent to an earlier one reaches nobody. */
  boots = 0;

  constructor(name: BoxName, setup: BoxSetup) {
    this.name = name;
    this.setup = setup;
  }
}

export class World {
  readonly #boxes: Readonly<Record<BoxName, Box>>;
  readonly #faults: Faults;
  readonly #watcher: Watcher;
  readonly #events = new EventQueue();
  /** By network: the box that a virtual MAC address was last heard from. */
  readonly #owners = new Map<string, BoxName>();
  /** Networks over which nothing goes from box to box. */
  readonly #cut = new Set<string>();
  #nowMs = 0;

  constructor(
    setups: Readonly<Record<BoxName, BoxSetup>>,
    faults: Faults = NO_FAULTS,
    watcher: Watcher = {},
  ) {
    this.#boxes = { A: new Box("A", setups.A), B: new Box("B", setups.B) };
    this.#faults = faults;
    this.#watcher = watcher;
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
    this.#setStatus(box, "running");
    this.#act(box, node.start(this.#nowMs));
    for (const network of box.setup.config.interfaces.keys()) {
      this.#act(
        box,
        node.step({ kind: "link", interface: network, isUp: !box.down.has(network) }, this.#nowMs),
      );
    }
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
    this.#tick(box);
    for (const deliver of waiting) deliver();
  }

  /** The link between a box and a network. */
  setLink(name: BoxName, network: string, isUp: boolean): void {
    const box = this.#boxes[name];
    if (isUp) box.down.delete(network);
    else box.down.add(network);
    const tell = (): void => {
      const { node } = box;
      if (node === undefined) return;
      this.#act(box, node.step({ kind: "link", interface: network, isUp }, this.#nowMs));
    };
    if (box.status === "hung") this.#wait(box, tell);
    else tell();
  }

  /** Whether anything goes from box to box over a network. */
  setCut(network: string, isCut: boolean): void {
    if (isCut) this.#cut.add(network);
    else this.#cut.delete(network);
  }

  /** Does something at a time. */
  at(atMs: number, run: () => void): void {
    this.#events.add(atMs, run);
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
        this.#events.run();
        this.#watcher.after?.(next);
        continue;
      }
      for (const name of BOX_NAMES) {
        const box = this.#boxes[name];
        if (box.status !== "running" || box.node === undefined || box.node.deadlineMs > next) continue;
        this.#tick(box);
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

  #tick(box: Box): void {
    this.#act(box, box.node!.step({ kind: "tick" }, this.#nowMs));
  }

  #act(box: Box, actions: readonly NodeAction[]): void {
    for (const action of actions) {
      this.#watcher.action?.(box.name, action, this.#nowMs);
      if (action.kind === "announce") this.#learn(box, action.interface);
      if (action.kind === "exit") {
        // A supervisor starts the process again.
        this.kill(box.name);
        this.#events.add(this.#nowMs, () => this.boot(box.name));
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
    for (const { delayMs, bytes } of this.#faults({
      network,
      from: box.name,
      to: peer.name,
      bytes: payload,
    })) {
      const deliver = (): void => {
        if (peer.node === undefined || peer.boots !== boots || peer.down.has(network)) return;
        if (peer.status === "hung") {
          this.#wait(peer, deliver);
          return;
        }
        const { source, destination, ttl, sourcePort, port } = action;
        this.#act(
          peer,
          peer.node.step(
            {
              kind: "datagram",
              interface: network,
              source,
              destination,
              ttl,
              sourcePort,
              port,
              payload: bytes,
            },
            this.#nowMs,
          ),
        );
      };
      this.#events.add(this.#nowMs + delayMs, deliver);
    }
  }

  #wait(box: Box, deliver: () => void): void {
    if (box.waiting.length < HUNG_QUEUE_MAX) box.waiting.push(deliver);
  }
}
