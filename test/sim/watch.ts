/** Watches a pair while it runs, and ends the run when one of the invariants does not hold. */
import type { Core } from "../../src/core.js";
import type { Node, NodeAction } from "../../src/node.js";
import { BOX_NAMES, type BoxName, type BoxStatus, type World } from "../../src/pair/world.js";
import { SESSIONS_MAX } from "./boxes.js";
import type { Packet } from "./flows.js";
import { broken, type Invariant } from "./invariants.js";
import { Roles } from "./roles.js";
import { Sessions } from "./sessions.js";
import type { Variant } from "./variant.js";

/** How often the tables are looked at; roles are at every event. */
const SAMPLE_MS = 25;
/** Bytes that the association may keep: see src/node/endpoint.ts. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;

/** For the standby, before a first reply leaves. */
export type Wait = "none" | "acknowledged" | "given up";

interface Tally {
  offered: number;
  pass: number;
  drop: number;
  local: number;
}

export class Watch {
  readonly roles: Roles;
  readonly sessions: Sessions;
  #world!: World;
  #sampledMs = Number.NEGATIVE_INFINITY;
  readonly #tallies = new Map<Node["dataplane"], Tally>();

  constructor(variant: Variant, coreOf: (node: Node) => Core) {
    this.roles = new Roles(variant);
    this.sessions = new Sessions(variant, this.roles, coreOf);
  }

  set world(world: World) {
    this.#world = world;
    this.roles.world = world;
    this.sessions.world = world;
  }

  status(name: BoxName, status: BoxStatus): void {
    if (status === "dead") this.roles.died(name);
  }

  action(name: BoxName, action: NodeAction): void {
    if (this.roles.action(name, action)) this.sessions.checkKept(name);
  }

  /** A box decides a frame. */
  offered(node: Node): Tally {
    const { dataplane } = node;
    const tally = this.#tallies.get(dataplane) ?? { offered: 0, pass: 0, drop: 0, local: 0 };
    this.#tallies.set(dataplane, tally);
    tally.offered++;
    return tally;
  }

  /** A box lets a packet through, by a session (0: none), which it may begin. */
  passed(name: BoxName, packet: Packet, session: number, isNew: boolean): void {
    this.roles.checkForwarding(name, packet.text);
    if (packet.isForbidden) broken("admitted", `${name} passes ${packet.text}`);
    this.sessions.passed(name, packet, session, isNew);
  }

  /** A packet leaves the box: at once, or after it waited for the standby, which has or has not its session now. */
  left(name: BoxName, packet: Packet, session: number, wait: Wait): void {
    this.roles.checkForwarding(name, packet.text, wait !== "none");
    const isAcknowledged = wait === "acknowledged";
    this.sessions.left(name, packet, session, isAcknowledged);
  }

  /** After every event. */
  after(): void {
    this.roles.check();
    if (this.#world.nowMs - this.#sampledMs >= SAMPLE_MS) this.sample();
  }

  sample(): void {
    this.#sampledMs = this.#world.nowMs;
    this.sessions.sample();
    for (const name of BOX_NAMES) this.#checkBounds(name);
  }

  /** For a check of the caller's own. */
  expect(isTrue: boolean, invariant: Invariant, text: () => string): void {
    if (!isTrue) broken(invariant, text());
  }

  /** The cores count what was seen. */
  checkCounters(): void {
    for (const [dataplane, { offered, pass, drop, local }] of this.#tallies) {
      const { received, verdicts } = dataplane.counters();
      const counted = [
        received.packets,
        verdicts.pass.packets,
        verdicts.drop.packets,
        verdicts.local.packets,
      ];
      if (counted.join() !== [offered, pass, drop, local].join() || offered !== pass + drop + local)
        broken("counted", `the core counts ${counted}, it was ${[offered, pass, drop, local]}`);
    }
  }

  #checkBounds(name: BoxName): void {
    const node = this.#world.node(name);
    const { queued } = node?.dataplane.sync ?? { queued: 0 };
    if (queued > SESSIONS_MAX) broken("bounded", `${queued} changes wait in ${name}`);
    const { queuedBytes } = node?.sctp?.view() ?? { queuedBytes: 0 };
    if (queuedBytes > SEND_QUEUE_BYTES) broken("bounded", `${queuedBytes} bytes wait in ${name}`);
  }
}
