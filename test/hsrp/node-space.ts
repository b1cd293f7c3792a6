/**
 * One router as a graph: its states, numbered as they are met, and for every input the next state and what is sent.
 * Time is counted in whole units; see explore.test.ts for what that means.
 */
import { Hsrp, type HsrpInput, type HsrpOptions, type SendAction } from "../../src/hsrp/index.js";

export const UNIT_MS = 1000;

/** The state of a router that is switched off. */
export const OFF = 0;

export interface Edge {
  readonly to: number;
  /** A set of packets: bit n is packet n of `packets`. */
  readonly sent: number;
  /** The router changed its HSRP state on the way. */
  readonly isChange: boolean;
}

/** A set of new and a set of old packets fit into 32 bits. */
export const PACKETS_MAX = 30;

/** Numbers of inputs: a tick, links going down and up, packets. One interface has one group. */
const TICK = 0;
const LINKS = 1;
const PACKETS = 8;

export class NodeSpace {
  /** Every different packet that this router was seen to send. */
  readonly packets: SendAction[] = [];
  readonly #options: HsrpOptions;
  readonly #machines: (Hsrp | undefined)[] = [undefined];
  readonly #timesMs = [0];
  /** By state and input. */
  readonly #edges: (Edge | undefined)[][] = [[]];
  readonly #linkUps: boolean[][] = [];
  readonly #roles: string[][] = [[]];
  readonly #texts = ["off"];
  readonly #numbers = new Map<string, number>();
  readonly #packetNumbers = new Map<string, number>();
  #boot: Edge | undefined;

  constructor(options: HsrpOptions) {
    this.#options = options;
    this.#linkUps.push(options.interfaces.map(() => false));
  }

  /** States met so far, OFF included. */
  get size(): number {
    return this.#machines.length;
  }

  /** From OFF, with all links up. */
  boot(): Edge {
    if (this.#boot === undefined) {
      const machine = new Hsrp(this.#options);
      const actions = this.#options.interfaces.flatMap(({ name }) =>
        machine.step({ kind: "link", interface: name, isUp: true }, 0),
      );
      this.#boot = { to: this.#number(machine, 0), sent: this.#sent(actions), isChange: true };
    }
    return this.#boot;
  }

  /** One unit passes. */
  tick(state: number): Edge {
    return this.#edges[state]![TICK] ?? this.#edge(state, TICK, { kind: "tick" }, UNIT_MS);
  }

  /** A packet that `sender` sent arrives. */
  receive(state: number, sender: NodeSpace, packet: number): Edge {
    const known = this.#edges[state]![PACKETS + packet];
    if (known !== undefined) return known;
    const { interface: on, source, destination, ttl, payload } = sender.packets[packet]!;
    const input = { kind: "packet", interface: on, source, destination, ttl, payload } as const;
    return this.#edge(state, PACKETS + packet, input, 0);
  }

  /** The interface of a group goes up or down. */
  link(state: number, group: number, isUp: boolean): Edge {
    const number = LINKS + 2 * group + Number(isUp);
    const { name } = this.#options.interfaces[group]!;
    return (
      this.#edges[state]![number] ?? this.#edge(state, number, { kind: "link", interface: name, isUp }, 0)
    );
  }

  isLinkUp(state: number, group: number): boolean {
    return this.#linkUps[state]![group]!;
  }

  /** The set of the packets that belong to a group. */
  packetsOf(group: number): number {
    const { name } = this.#options.interfaces[group]!;
    return this.packets.reduce((set, packet, i) => (packet.interface === name ? set | (1 << i) : set), 0);
  }

  isActive(state: number, group: number): boolean {
    return this.#roles[state]![group] === "active";
  }

  /** The HSRP states of the groups. */
  rolesOf(state: number): string {
    return this.#texts[state]!;
  }

  #edge(state: number, number: number, input: HsrpInput, passesMs: number): Edge {
    const machine = this.#machines[state]!.clone();
    const nowMs = this.#timesMs[state]! + passesMs;
    const actions = machine.step(input, nowMs);
    const edge: Edge = {
      to: this.#number(machine, nowMs),
      sent: this.#sent(actions),
      isChange: actions.some(({ kind }) => kind === "state"),
    };
    this.#edges[state]![number] = edge;
    return edge;
  }

  /** The set of packets among some actions. */
  #sent(actions: readonly { readonly kind: string }[]): number {
    let set = 0;
    for (const action of actions as readonly SendAction[]) {
      if (action.kind !== "send") continue;
      const text = `${action.interface} ${action.payload.join(" ")}`;
      let number = this.#packetNumbers.get(text);
      if (number === undefined) {
        number = this.packets.length;
        if (number === PACKETS_MAX) throw new Error("more different packets than a set has room for");
        this.packets.push(action);
        this.#packetNumbers.set(text, number);
      }
      set |= 1 << number;
    }
    return set;
  }

  /**
   * The number of a machine's state. Left out of the fingerprint is what cannot matter here: how far the rate limit
   * is used up (no path comes near it, which is asserted), and the last hello when its repetition would be news.
   */
  #number(machine: Hsrp, nowMs: number): number {
    for (const { name } of this.#options.interfaces) {
      if (machine.counters(name)!.refused.rate > 0) throw new Error("the rate limit was reached");
    }
    const text = machine
      .fingerprint()
      .replace(/"(rate|calm)AtMs":[\d.]+/g, "")
      .replace(/"verified":\{[^{}]*"repeatUntilAtMs":0,[^{}]*\}/g, "");
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#machines.length;
    this.#machines.push(machine);
    this.#timesMs.push(nowMs);
    const views = machine.views(nowMs);
    const roles = views.map(({ state }) => state);
    this.#linkUps.push(views.map(({ stateText }) => stateText !== "Init (interface down)"));
    this.#roles.push(roles);
    this.#texts.push(roles.join());
    this.#edges.push([]);
    this.#numbers.set(text, number);
    return number;
  }
}
