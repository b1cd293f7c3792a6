/**
 * A pair, the networks between the boxes and the hosts around them, in virtual time. The same scenario gives the same
 * run, event by event.
 */
import type { Core } from "../../src/core.js";
import type { NodeAction } from "../../src/node.js";
import { BOX_NAMES, type BoxName, type BoxStatus, type Transfer, World } from "../../src/pair/world.js";
import { Random } from "../model/random.js";
import { Boxes } from "./boxes.js";
import { type Flow, type FlowPlan, newFlow, type Surroundings } from "./flows.js";
import { Gate } from "./gate.js";
import { isSyncLink, Networks, QUIET } from "./networks.js";
import { otherBox } from "./roles.js";
import { describeFault, type Fault, type Scenario, type Target } from "./scenario.js";
import { Trace } from "./trace.js";
import { HSRP_LANS, SYNC_LINKS } from "./variant.js";
import { Watch } from "./watch.js";

/** How long a whole pair may take from any state until one box is active and the other hot, beside two hold times. */
const SETTLE_MAX_MS = 9000;
const STEP_MS = 50;
/** In which a conversation gets an answer, repeats of what was lost included. */
const VERIFY_MS = 1600;
/** Changes of roles after everything is whole. */
const ROLE_CHANGES_MAX = 8;
const COMPARISONS_MAX = 3;
/** Update intervals after which everything has been told. */
const QUIET_INTERVALS = 3;

/** Kept apart, so that a scenario with a fault less is like the one with it up to there. */
const SALT = { boxes: 0x51ed, networks: 0x2c1b, hosts: 0x9e37 } as const;

export class Simulation {
  readonly scenario: Scenario;
  readonly world: World;
  readonly networks: Networks;
  readonly watch: Watch;
  readonly gate: Gate;
  readonly trace = new Trace();
  readonly flows: Flow[] = [];
  readonly #boxes: Boxes;
  readonly #hosts: Random;
  /** Ends of faults that are still to come. */
  #ends: (() => void)[] = [];
  /** Changes of roles until everything was whole. */
  #changesBefore: number | undefined;

  constructor(scenario: Scenario) {
    const { seed, variant } = scenario;
    this.scenario = scenario;
    this.#hosts = new Random(seed ^ SALT.hosts);
    this.networks = new Networks(new Random(seed ^ SALT.networks));
    this.#boxes = new Boxes(variant, new Random(seed ^ SALT.boxes));
    this.watch = new Watch(variant, (node) => this.#boxes.coreOf(node));
    this.gate = new Gate({ random: this.#hosts, trace: this.trace, watch: this.watch });
    this.world = new World(this.#boxes.setups, (transfer) => this.#transfer(transfer), {
      action: (name, action) => this.#action(name, action),
      status: (name, status) => this.#status(name, status),
      after: () => {
        this.gate.resume();
        this.watch.after();
      },
    });
    this.watch.world = this.world;
    this.gate.world = this.world;
  }

  /** Boots both boxes. */
  boot(delayMs = 0): this {
    this.world.boot("A");
    if (delayMs === 0) this.world.boot("B");
    else this.world.at(this.world.nowMs + delayMs, () => this.#revive("B"));
    return this;
  }

  run(forMs: number): this {
    this.world.runUntil(this.world.nowMs + forMs);
    return this;
  }

  /** Until one box is active and the other is hot. */
  settle(): this {
    const { holdMs } = this.scenario.variant;
    const untilMs = this.world.nowMs + 2 * holdMs + SETTLE_MAX_MS;
    while (!this.watch.roles.isSettled) {
      this.watch.expect(this.world.nowMs < untilMs, "settles", () => this.watch.roles.text);
      this.run(STEP_MS);
    }
    return this;
  }

  start(plans: readonly FlowPlan[]): this {
    for (const plan of plans) {
      const flow = newFlow(this.flows.length, plan, this.#surroundings());
      this.flows.push(flow);
      this.world.at(this.world.nowMs + plan.atMs, () => flow.start());
    }
    return this;
  }

  /** The box that a fault is to hit; undefined: there is none in that role. */
  find(target: Target): BoxName | undefined {
    if (target === "A" || target === "B") return target;
    const [active] = this.world.actives();
    if (target === "active" || active === undefined) return active;
    return otherBox(active);
  }

  /** Begins a fault, and ends it when its time is over. */
  inject(fault: Fault): this {
    this.#note(describeFault(fault));
    switch (fault.kind) {
      case "crash":
      case "stop":
      case "hang": {
        const name = this.find(fault.box);
        if (name !== undefined) this.#strike(fault.kind, name, fault.forMs);
        return this;
      }
      case "trap":
        this.#trap(this.find(fault.box));
        return this;
      case "link": {
        const name = this.find(fault.box);
        if (name !== undefined) this.#flap(name, fault.networks, fault.forMs, fault.times);
        return this;
      }
      case "cut": {
        const from = fault.from && this.find(fault.from);
        this.networks.cut(fault.networks, from);
        this.#tell();
        this.#endIn(fault.forMs, () => this.networks.mend(fault.networks, from));
        return this;
      }
      case "noise":
        this.networks.setNoise(fault.networks, fault.noise);
        this.#tell();
        this.#endIn(fault.forMs, () => this.networks.setNoise(fault.networks, QUIET));
        return this;
      case "switchover":
        this.#switchOver(fault.isForced);
        return this;
    }
  }

  /** Ends all faults. */
  mend(): this {
    this.#note("everything is mended");
    this.#ends = [];
    this.#changesBefore = this.watch.roles.changes;
    this.networks.mendAll();
    this.gate.loss = 0;
    this.gate.misdelivery = 0;
    for (const name of BOX_NAMES) {
      for (const network of [...HSRP_LANS, ...SYNC_LINKS])
        if (!this.world.isUp(name, network)) this.world.setLink(name, network, true);
      if (this.world.status(name) === "hung") this.#wake(name);
      if (this.world.status(name) === "dead") this.#revive(name);
    }
    this.#tell();
    return this;
  }

  /** Conversations whose session the active has go on. */
  verify(): this {
    const { sessions } = this.watch;
    const active = this.find("active")!;
    const open = [...this.world.node(active)!.dataplane.sessions()].filter(({ halfOpen }) => !halfOpen);
    const ends = new Set(
      open.map(({ protocol, initiator: { address, port } }) => `${protocol} ${address} ${port}`),
    );
    const before = this.flows
      .filter((flow) => flow.isOpen && ends.has(flow.initiator) && !sessions.isForsaken(flow, active))
      .map((flow) => ({ flow, answers: flow.answers }));
    const isDue = ({ flow, answers }: (typeof before)[number]): boolean =>
      flow.answers === answers && !flow.isClosing;
    const untilMs = this.world.nowMs + VERIFY_MS;
    while (before.some(isDue) && this.world.nowMs < untilMs) this.run(STEP_MS);
    const [silent] = before.filter(isDue);
    this.watch.expect(
      silent === undefined,
      "alive",
      () => `${silent!.flow.name} gets no answer for ${VERIFY_MS} ms, though ${active} has its session`,
    );
    return this;
  }

  /** The hosts stop, and what is left is told. */
  quiet(): this {
    for (const flow of this.flows) flow.stop();
    return this.run(QUIET_INTERVALS * this.scenario.variant.updateMs + 100);
  }

  /**
   * Nothing has happened for a while: both tables must be equal, but for a session whose time was over just now, or a
   * preemption that had to wait until now.
   */
  compare(): this {
    const isReady = (): boolean =>
      this.watch.roles.isSettled && this.watch.sessions.difference() === undefined;
    for (let tries = COMPARISONS_MAX; tries > 0 && !isReady(); tries--) this.settle().run(100);
    const { roles } = this.watch;
    const changes = roles.changes - (this.#changesBefore ?? roles.changes);
    this.watch.expect(
      this.watch.roles.isSettled && changes <= ROLE_CHANGES_MAX,
      "calm",
      () => `${changes} changes of roles after everything was whole: ${this.watch.roles.text}`,
    );
    const difference = this.watch.sessions.difference();
    this.watch.expect(difference === undefined, "equal", () => difference!);
    this.watch.sample();
    this.watch.checkCounters();
    return this;
  }

  /** The core of a box that is not dead. */
  core(name: BoxName): Core {
    return this.#boxes.coreOf(this.world.node(name)!);
  }

  /** Gives the boxes back; to be called at the end. */
  release(): void {
    this.#boxes.release();
  }

  #surroundings(): Surroundings {
    return {
      random: this.#hosts,
      send: (packet) => this.gate.send(packet),
      wait: (afterMs, run) => this.world.at(this.world.nowMs + afterMs, run),
      flows: this.flows,
    };
  }

  #note(text: string): void {
    this.trace.note(this.world.nowMs, `-- ${text}`);
  }

  #transfer(transfer: Transfer): ReturnType<Networks["deliver"]> {
    const deliveries = this.networks.deliver(transfer);
    const { from, network, bytes } = transfer;
    const fate =
      deliveries.length === 0 ? "lost" : deliveries.map(({ delayMs }) => delayMs.toFixed(1)).join(" ");
    const what = isSyncLink(network) ? "sctp" : "hsrp";
    this.trace.note(
      this.world.nowMs,
      `${from} ${what} ${network.at(-1)} ${bytes.length} bytes: ${fate}`,
      bytes,
    );
    return deliveries;
  }

  #action(name: BoxName, action: NodeAction): void {
    if (action.kind === "log") this.trace.note(this.world.nowMs, `${name} ${action.text}`);
    if (action.kind === "role")
      this.trace.note(this.world.nowMs, `${name} role ${action.role} generation ${action.generation}`);
    this.watch.action(name, action);
    if (action.kind === "release") this.gate.release(name, action.token, action.isAcknowledged);
    if (action.kind === "discard") this.gate.discard(name, action.token);
  }

  #status(name: BoxName, status: BoxStatus): void {
    this.#note(`${name} ${status}`);
    if (status === "dead") this.gate.forget(name);
    this.watch.status(name, status);
    this.#tell();
  }

  /** Tells the watch what is whole. */
  #tell(): void {
    const isWhole = (networks: readonly string[]): boolean =>
      this.networks.isWhole(networks) &&
      BOX_NAMES.every((name) => networks.every((network) => this.world.isUp(name, network)));
    this.watch.roles.networksChanged(isWhole(HSRP_LANS), isWhole(SYNC_LINKS));
  }

  /** Does something after a while, or when everything is mended. */
  #endIn(afterMs: number, end: () => void): void {
    const once = (): void => {
      const at = this.#ends.indexOf(once);
      if (at === -1) return;
      this.#ends.splice(at, 1);
      end();
      this.#tell();
    };
    this.#ends.push(once);
    this.world.at(this.world.nowMs + afterMs, once);
  }

  #strike(kind: "crash" | "stop" | "hang", name: BoxName, forMs: number): void {
    const { world } = this;
    if (world.status(name) !== "running") return;
    this.watch.sessions.beforeLoss(name);
    if (kind === "hang") {
      world.hang(name);
      this.#endIn(forMs, () => this.#wake(name));
      return;
    }
    if (kind === "stop") world.act(name, world.node(name)!.step({ kind: "stop" }, world.nowMs));
    world.kill(name);
    this.#endIn(forMs, () => this.#revive(name));
  }

  #wake(name: BoxName): void {
    this.world.wake(name);
    this.gate.resume();
  }

  #revive(name: BoxName): void {
    if (this.world.status(name) === "dead") this.world.boot(name);
  }

  #trap(name: BoxName | undefined): void {
    if (name === undefined || this.world.status(name) !== "running") return;
    this.watch.sessions.beforeLoss(name);
    this.world.act(name, this.world.node(name)!.step({ kind: "trap" }, this.world.nowMs));
  }

  #flap(name: BoxName, networks: readonly string[], forMs: number, times: number): void {
    for (const network of networks) this.world.setLink(name, network, false);
    this.#tell();
    this.#endIn(forMs, () => {
      for (const network of networks) this.world.setLink(name, network, true);
      if (times > 1) this.#endIn(forMs, () => this.#flap(name, networks, forMs, times - 1));
    });
  }

  #switchOver(isForced: boolean): void {
    const name = this.find("active");
    if (name === undefined) return;
    const input = { kind: "operator", command: "switchover", isForced } as const;
    this.world.act(name, this.world.node(name)!.step(input, this.world.nowMs));
  }
}
