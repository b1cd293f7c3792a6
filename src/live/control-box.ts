/**
 * What the control thread does in a turn: it hears what the dataplane thread has for the machines of the box, steps them, and
 * carries out what they want.
 *
 *     dataplane  -- frames, records -->  router  <-- datagrams -->  HSRP, BFD, redundancy, SCTP
 *                <-- frames, roles, neighbours, stations --
 *
 * What has arrived is heard before any timer is looked at: a thread that stood still must not take its peer for dead.
 */
import type { Config } from "../config/model.js";
import { IP_PROTOCOL_SCTP, IP_PROTOCOL_UDP } from "../config/names.js";
import { ControlWatch } from "../debug/control-watch.js";
import type { DebugOutlet } from "../debug/outlet.js";
import type { Mac } from "../frame.js";
import type { Address } from "../ip.js";
import type { ControlInput, ControlOptions, NodeAction } from "../node/actions.js";
import { BFD_PORT } from "../bfd/index.js";
import { HSRP_PORTS } from "../hsrp/index.js";
import { ControlNode } from "../node/control.js";
import type { SessionsInput } from "../node/shared-sessions.js";
import { type RingMemory, RingReader } from "../ring.js";
import type { IncomingDatagram, Router, RouterAction, RouterInput } from "../router/index.js";
import { ETHERNET_HEADER } from "./frames.js";
import { readToControl, type ToControl, type ToDataplane, writeToDataplane } from "./messages.js";
import { Outbox } from "./outbox.js";

/** Messages of one turn, so that no timer waits for long. */
const MESSAGES_PER_TURN = 256;

/** What the main thread is told. */
export type ControlReport = Extract<
  NodeAction,
  { kind: "role" | "state" | "synchronised" | "log" | "reply" | "exit" }
>;

export interface ControlBoxOptions {
  readonly node: ControlOptions;
  readonly router: Router;
  /** Full names of interfaces by number. */
  readonly interfaces: readonly string[];
  readonly fromDataplane: RingMemory;
  readonly toDataplane: RingMemory;
  /** Has the dataplane thread look for what is new. */
  readonly wakeDataplane: () => void;
  readonly report: (report: ControlReport, nowMs: number) => void;
  readonly debug: DebugOutlet;
}

/** A configuration, and what the devices say. */
export interface Configuration {
  readonly config: Config;
  readonly macs: ReadonlyMap<string, Mac>;
  readonly mtus: ReadonlyMap<string, number>;
  /** Full names of interfaces by number. */
  readonly interfaces: readonly string[];
}

export class ControlBox {
  readonly node: ControlNode;
  readonly router: Router;
  readonly #options: ControlBoxOptions;
  readonly #fromDataplane: RingReader;
  readonly #toDataplane: Outbox<ToDataplane>;
  readonly #watch: ControlWatch;
  #interfaces: readonly string[];
  #numbers: ReadonlyMap<string, number>;
  /** Interfaces that the machines were told of, and whether they are up. */
  readonly #links = new Map<string, boolean>();
  /** MAC address of the peer by interface, and every address of a group that was ever here. */
  readonly #peerMacs = new Map<string, Mac>();
  readonly #virtualMacs = new Set<Mac>();
  #nowMs = 0;
  #stallMs = Number.POSITIVE_INFINITY;
  /** The box forwards, or has done so and nobody is known to have the role since. */
  #isActing = false;
  #hasTold = false;
  #isOver = false;

  constructor(options: ControlBoxOptions) {
    this.#options = options;
    this.router = options.router;
    this.#interfaces = options.interfaces;
    this.#numbers = numbersOf(options.interfaces);
    this.#fromDataplane = new RingReader(options.fromDataplane);
    this.#toDataplane = new Outbox(options.toDataplane, writeToDataplane);
    this.#watch = new ControlWatch(options.debug, options.node.config);
    // What the sessions say to this, they say later: they live in the other thread.
    this.node = new ControlNode(options.node, {
      step: (input: SessionsInput) => {
        this.#watch.sessions(input, this.#nowMs);
        this.#post({ kind: "sessions", input });
        return [];
      },
    });
  }

  /** `reload-mode exit`, or an orderly end: the process is to end. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether each interface is up, as far as it is known. */
  get links(): ReadonlyMap<string, boolean> {
    return this.#links;
  }

  get deadlineMs(): number {
    return Math.min(this.node.deadlineMs, this.router.deadlineMs);
  }

  /** Frames that found no room on the way to the wire. */
  get refusedMessages(): number {
    return this.#toDataplane.refused;
  }

  hasWork(): boolean {
    return this.#fromDataplane.hasNews() || this.#toDataplane.isWaiting;
  }

  /** Once, before everything else. */
  start(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#act(this.node.start(nowMs));
    this.#wake();
  }

  /** Does what there is to do at this time. False: there was nothing. */
  turn(nowMs: number): boolean {
    this.#nowMs = nowMs;
    let isBusy = this.#toDataplane.flush();
    this.#hasTold ||= isBusy;
    isBusy = this.#hear() || isBusy;
    if (this.#fromDataplane.hasNews()) return true;
    if (this.router.deadlineMs <= nowMs) {
      isBusy = true;
      this.#toRouter({ kind: "tick" });
    }
    if (this.node.deadlineMs <= nowMs) {
      isBusy = true;
      this.#toNode({ kind: "tick" });
    }
    this.#wake();
    return isBusy;
  }

  /** The state of a link; nothing happens when it is known. */
  setLink(name: string, isUp: boolean, nowMs: number): void {
    if (this.#links.get(name) === isUp) return;
    this.#nowMs = nowMs;
    this.#links.set(name, isUp);
    this.#toRouter({ kind: "link", interface: name, isUp });
    this.#toNode({ kind: "link", interface: name, isUp });
    this.#wake();
  }

  /** An operator's command, or the end. */
  command(input: Extract<ControlInput, { kind: "operator" | "stop" }>, nowMs: number): void {
    this.#nowMs = nowMs;
    // Before the addresses are given up: then there is no router left that hosts could be told of.
    if (input.kind === "stop") this.#toRouter({ kind: "stop", inherited: this.#inherited });
    this.#toNode(input);
    this.#isOver ||= input.kind === "stop";
    this.#wake();
  }

  /** Virtual addresses that a standby router takes over when this box ends. */
  get #inherited(): ReadonlySet<Address> {
    return new Set(
      this.node.hsrp
        .views(this.#nowMs)
        .flatMap(({ standby, virtualAddress }) =>
          standby.kind === "neighbor" && virtualAddress !== undefined ? [virtualAddress] : [],
        ),
    );
  }

  /** Something for the router alone. */
  route(input: RouterInput, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#toRouter(input);
    this.#wake();
  }

  /** Another configuration is in force. `interfaces`: names by number, of which none has changed its own. */
  configure({ config, macs, mtus, interfaces }: Configuration, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#interfaces = interfaces;
    this.#numbers = numbersOf(interfaces);
    this.#watch.configure(config);
    this.#toRouter({ kind: "configure", config, macs, mtus });
    this.#toNode({ kind: "configure", config, macs });
    this.#wake();
  }

  // --- what arrives

  #hear(): boolean {
    for (let i = 0; i < MESSAGES_PER_TURN; i++) {
      const message = readToControl(this.#fromDataplane);
      if (message === undefined) return i > 0;
      this.#take(message);
    }
    return true;
  }

  #take(message: ToControl): void {
    switch (message.kind) {
      case "sessions":
        this.#watch.sessions(message.action, this.#nowMs);
        this.#toNode({ kind: "sessions", actions: [message.action] });
        if (message.action.kind === "trapped") this.#tellAgain();
        return;
      case "stalled":
        // Whether the role was lost meanwhile is decided before the next packet.
        this.#toNode(message);
        this.#post({ kind: "resume" });
        return;
      default: {
        const name = this.#interfaces[message.interface];
        if (name !== undefined) this.#toRouter(routerInput(message, name));
      }
    }
  }

  // --- what the machines want

  #toNode(input: ControlInput): void {
    this.#act(this.node.step([input], this.#nowMs));
  }

  #toRouter(input: RouterInput): void {
    for (const action of this.#watch.step(this.router, input, this.#nowMs)) this.#carryOut(action);
  }

  #act(actions: readonly NodeAction[]): void {
    for (const action of actions) {
      this.#watch.machine(action, this.#nowMs);
      switch (action.kind) {
        case "send":
          this.#toRouter({ ...action, kind: "datagram" });
          break;
        case "own":
        case "disown":
          // The dataplane takes frames for the address before anybody is told of it.
          this.#station(action.interface, action.mac, action.kind === "own");
          this.#toRouter(action);
          break;
        case "announce":
          this.#toRouter(action);
          break;
        case "exit":
          this.#isOver = true;
          this.#options.report(action, this.#nowMs);
          break;
        case "role":
        case "state":
        case "synchronised":
        case "log":
        case "reply":
          this.#options.report(action, this.#nowMs);
          break;
        case "release":
        case "discard":
        case "expired":
        // The dataplane thread sees to these itself.
        case "told":
          break;
      }
    }
  }

  #carryOut(action: RouterAction): void {
    switch (action.kind) {
      case "transmit": {
        const number = this.#numbers.get(action.interface);
        const { frame, isForwarded = false } = action;
        if (!isForwarded) this.#watch.sent(action.interface, frame, this.#nowMs);
        if (number !== undefined) this.#offer({ kind: "transmit", interface: number, frame, isForwarded });
        return;
      }
      case "neighbor": {
        this.#watch.neighbor(action, this.#nowMs);
        const number = this.#numbers.get(action.interface);
        if (number !== undefined) this.#post({ ...action, interface: number });
        return;
      }
      case "datagram":
        this.#noteSpeaker(action);
        this.#toNode({ ...action, protocol: IP_PROTOCOL_UDP });
        return;
      case "packet":
        this.#toNode({ ...action, kind: "datagram", protocol: IP_PROTOCOL_SCTP });
        return;
      case "arp":
        this.#toNode(action);
        return;
      case "log":
        this.#options.report(action, this.#nowMs);
        return;
    }
  }

  #station(name: string, mac: Mac, isOwned: boolean): void {
    const number = this.#numbers.get(name);
    if (this.#peerMacs.get(name) === mac) this.#peerMacs.delete(name);
    this.#virtualMacs.add(mac);
    if (number === undefined) return;
    const successor = isOwned ? undefined : this.#peerMacs.get(name);
    this.#post({ kind: "station", interface: number, mac, isOwned, ...(successor && { successor }) });
  }

  /** Where the peer is on a LAN: what speaks HSRP or BFD to this box there, from an address that no group has. */
  #noteSpeaker({ interface: name, port, sourceMac }: IncomingDatagram): void {
    if ((HSRP_PORTS.has(port) || port === BFD_PORT) && !this.#virtualMacs.has(sourceMac))
      this.#peerMacs.set(name, sourceMac);
  }

  /** Another core goes on, which knows of no neighbours. Stations it has none: the role is lost with the trap. */
  #tellAgain(): void {
    const neighbors = ([4, 6] as const).flatMap((family) => this.router.neighbors(family, this.#nowMs));
    for (const { interface: name, address, mac, state } of neighbors) {
      const number = this.#numbers.get(name);
      if (number !== undefined && mac !== undefined && state !== "own")
        this.#post({ kind: "neighbor", interface: number, address, mac });
    }
  }

  #post(message: ToDataplane): void {
    this.#hasTold = true;
    this.#toDataplane.post(message);
  }

  #offer(message: ToDataplane): void {
    this.#hasTold = true;
    this.#toDataplane.offer(message);
  }

  /** Ends a turn: the other thread is told how patient it is to be, and woken if it was told anything. */
  #wake(): void {
    const { stallMs, isUndecided, role } = this.node.redundancy;
    const wasActing = this.#isActing;
    this.#isActing = isUndecided || role === "active" || role === "draining";
    if (wasActing && !this.#isActing) this.#post({ kind: "succeeded" });
    if (stallMs !== this.#stallMs) {
      this.#stallMs = stallMs;
      // JSON has no Infinity.
      this.#post({ kind: "patience", stallMs: Math.min(stallMs, Number.MAX_SAFE_INTEGER) });
    }
    if (!this.#hasTold) return;
    this.#hasTold = false;
    this.#options.wakeDataplane();
  }
}

const numbersOf = (interfaces: readonly string[]): ReadonlyMap<string, number> =>
  new Map(interfaces.map((name, number) => [name, number]));

function routerInput(
  message: Extract<ToControl, { kind: "local" | "resolve" | "report" }>,
  name: string,
): RouterInput {
  switch (message.kind) {
    case "local":
      return { ...message, kind: "frame", interface: name };
    case "resolve":
      return { ...message, interface: name, networkOffset: ETHERNET_HEADER };
    case "report":
      return { ...message, interface: name };
  }
}
