/**
 * HSRP of one router: all groups of all interfaces. Time, packets and what the other parts of the router know go in,
 * packets to send and changes of roles come out; see actions.ts. Nothing here reads a clock or touches a socket.
 */
import { type Address, formatAddress } from "../ip.js";
import type { HsrpAction, HsrpInput, HsrpReport, Neighbor, PacketInput, PeerInput } from "./actions.js";
import { admit } from "./admit.js";
import { classify, type Generation } from "./classify.js";
import {
  changeAuthentication,
  compareGroups,
  goOn,
  leave,
  prioritiesOf,
  rearrange,
  retell,
} from "./configure.js";
import { apply, bury, deadlineOf, expire, hear, noteActive, resigned } from "./group.js";
import { isTrackedUp, priorityOf, virtualAddressOf } from "./in-force.js";
import { groupName, log, logDuplicate } from "./log.js";
import type { HsrpOptions } from "./options.js";
import {
  type Context,
  copyState,
  fingerprintOf,
  type Group,
  type GroupSpec,
  type HsrpState,
  type InterfaceCounters,
  initialState,
  linkDown,
  NEVER_MS,
  specsOf,
  startAtMsOf,
  type Tie,
} from "./state.js";
import { mayPreempt, tiesOf, wantedOf, watchPreemption } from "./together.js";
import { announceAgain } from "./transmit.js";
import { type HsrpGroupView, viewOf } from "./view.js";

/** What follows from the options, the same for a machine and its copies. */
interface Plan {
  readonly specs: readonly GroupSpec[];
  /** Indices of tied groups, by index of each. */
  readonly ties: readonly (readonly number[])[];
}

export class Hsrp {
  readonly #state: HsrpState;
  #options: HsrpOptions;
  #plan: Plan;
  #groups: readonly Group[];
  #ties: readonly Tie[];
  #deadlineMs: number;

  /** All interfaces are down. `original`: a machine with the same options that this one is to be a copy of. */
  constructor(options: HsrpOptions, original?: Hsrp) {
    this.#options = options;
    this.#plan = original === undefined ? planOf(options) : original.#plan;
    this.#state =
      original === undefined ? initialState(options, this.#plan.specs) : copyState(original.#state);
    this.#groups = groupsOf(this.#plan, this.#state);
    this.#ties = tiesAmong(this.#groups, this.#plan);
    this.#deadlineMs = original === undefined ? NEVER_MS : original.#deadlineMs;
  }

  /** When the next `tick` is due; Infinity: nothing is awaited. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /**
   * Handles one input. `nowMs`: a monotonic clock in milliseconds that never goes back. A late call is normal:
   * timers that have run out are handled first, in their order.
   */
  step(input: HsrpInput, nowMs: number): HsrpAction[] {
    let context = this.#context(nowMs);
    this.#state.nowMs = nowMs;
    // Before a hello that is due makes the claim that is in doubt.
    if (input.kind === "doubt") this.#doubt(context, input.isDoubting);
    this.#expire(context);
    if (input.kind === "configure") context = this.#configure(context, input.options);
    else this.#take(context, input);
    this.#settle(context);
    this.#expire(context);
    this.#deadlineMs = this.#nextDeadline(context);
    return context.actions;
  }

  /** What the peer is to be told over the synchronisation link, at once when it changes. */
  report(): HsrpReport {
    const active = this.#groups.filter(({ state }) => state.state === "active");
    const taken = new Set(this.#groups.map(({ spec }) => spec.key));
    const former = active.flatMap(({ state }) => state.formerKeys).filter((key) => !taken.has(key));
    return { active: [...active.map(({ spec }) => spec.key), ...new Set(former)].sort() };
  }

  /** The Active and Standby routers that were heard within their hold times. */
  neighbors(): Neighbor[] {
    return this.#groups.flatMap(({ spec, state }) =>
      [state.active, state.standby].flatMap((each) =>
        each === undefined ? [] : [{ interface: spec.on.name, address: each.address }],
      ),
    );
  }

  /** What `show standby` shows of each group, at `nowMs`. */
  views(nowMs: number): HsrpGroupView[] {
    const context = this.#context(nowMs);
    return this.#groups.map((group) => viewOf(context, group));
  }

  /** Packets by what became of them: received = accepted + advertisements + refused. */
  counters(interfaceName: string): Readonly<InterfaceCounters> | undefined {
    return this.#state.books.interfaces[interfaceName];
  }

  /** The same of every interface that has had groups. */
  statistics(): ({ readonly interface: string } & Readonly<InterfaceCounters>)[] {
    return Object.entries(this.#state.books.interfaces).map(([name, counters]) => ({
      interface: name,
      ...structuredClone(counters),
    }));
  }

  /** An independent machine in the same state; both draw from the same random numbers. */
  clone(): Hsrp {
    return new Hsrp(this.#options, this);
  }

  /** Equal for two machines with equal options exactly when they behave alike from now on, whenever now is. */
  fingerprint(): string {
    return fingerprintOf(this.#state);
  }

  #context(nowMs: number): Context {
    return { nowMs, options: this.#options, state: this.#state, ties: this.#ties, actions: [] };
  }

  /** Goes over to other options; what follows is done with the context that is returned. */
  #configure(before: Context, options: HsrpOptions): Context {
    const { state, nowMs, actions } = before;
    if (state.isStopped) return before;
    const plan = planOf(options);
    const changes = compareGroups(this.#plan.specs, plan.specs);
    const priorities = leave(before, this.#groups, changes);
    rearrange(state, options, changes, nowMs);
    this.#options = options;
    this.#plan = plan;
    this.#groups = groupsOf(plan, state);
    this.#ties = tiesAmong(this.#groups, plan);
    const after: Context = { ...this.#context(nowMs), actions };
    for (const group of this.#groups) goOn(after, group, changes);
    this.#enable(after);
    retell(after, this.#groups, priorities);
    for (const { name } of options.interfaces) if (state.links[name]!.isUp) this.#complain(after, name);
    return after;
  }

  #take(context: Context, input: Exclude<HsrpInput, { kind: "configure" }>): void {
    const { state } = context;
    if (state.isStopped) return;
    switch (input.kind) {
      case "tick":
        break;
      case "link":
        this.#setLink(context, input.interface, input.isUp);
        break;
      case "packet":
        this.#receive(context, input);
        break;
      case "arp":
        this.#contest(context, input.interface, input.address, input.mac);
        break;
      case "synchronised":
        state.isSynchronised = input.isSynchronised;
        break;
      case "peer":
        this.#hearPeer(context, input);
        break;
      case "neighborDown":
        for (const { interface: name, address } of input.neighbors)
          for (const group of this.#groups) if (group.spec.on.name === name) bury(context, group, address);
        break;
      case "doubt":
        break;
      case "authentication":
        for (const group of this.#groups.filter(({ spec }) => spec.key === input.key))
          changeAuthentication(context, group, input.authentication, input.oldKeyTimeoutMs);
        break;
      case "release":
        state.isReleasing = true;
        this.#release(context);
        if (state.isReleasing) context.actions.push({ kind: "release", outcome: "waiting" });
        break;
      case "stop":
        for (const group of this.#groups) this.#disable(context, group);
        state.isStopped = true;
        break;
    }
  }

  /** Handles the timers that have run out, in their order, each as if it were now. */
  #expire(context: Context): void {
    const { nowMs, state } = context;
    if (state.isStopped || this.#groups.length === 0) return;
    this.#enable(context);
    for (;;) {
      const due = this.#groups.reduce((first, group) =>
        deadlineOf(group) < deadlineOf(first) ? group : first,
      );
      if (deadlineOf(due) > nowMs) return;
      expire(context, due);
      this.#settle(context);
    }
  }

  /** Starts the groups whose delay is over, and stops those that a tracked object forbids. */
  #enable(context: Context): void {
    for (const group of this.#groups) {
      const { spec, state } = group;
      const isForbidden = spec.options.tracks.some(
        ({ object, isShutdown }) => isShutdown && !isTrackedUp(context, object),
      );
      const mayRun = spec.problem === undefined && !isForbidden;
      const isDue = startAtMsOf(context.state, group) <= context.nowMs;
      if (!mayRun || !isDue) this.#disable(context, group);
      else if (state.state === "initial") {
        apply(context, group, virtualAddressOf(group) === undefined ? "aLearn" : "a");
      }
    }
  }

  #disable(context: Context, group: Group): void {
    if (group.state.state !== "initial") apply(context, group, "b");
  }

  #doubt({ state, nowMs }: Context, isDoubting: boolean): void {
    const hasEnded = state.isDoubting && !isDoubting;
    state.isDoubting = isDoubting;
    for (const group of this.#groups)
      if (hasEnded && group.state.state === "active") group.state.helloAtMs = nowMs;
  }

  #setLink(context: Context, name: string, isUp: boolean): void {
    const { links } = context.state;
    const on = this.#options.interfaces.find((each) => each.name === name);
    const isTracked = this.#plan.specs.some(({ options }) =>
      options.tracks.some(({ object }) => object === name),
    );
    if (links[name]?.isUp === isUp || (on === undefined && !isTracked)) return;
    const before = prioritiesOf(context, this.#groups);
    const link = links[name] ?? linkDown();
    links[name] = link;
    link.isUp = isUp;
    if (isUp && on !== undefined) {
      link.startAtMs = context.nowMs + (link.wasUp ? on.delayMinimumMs : on.delayReloadMs);
      link.wasUp = true;
      this.#complain(context, name);
    } else link.startAtMs = NEVER_MS;
    this.#enable(context);
    retell(context, this.#groups, before);
  }

  #complain(context: Context, name: string): void {
    for (const group of this.#groups) {
      const { on, problem, options } = group.spec;
      if (on.name !== name || problem !== "no virtual IP") continue;
      const address = formatAddress(options.virtualAddress as Address);
      const text = `${groupName(group)} address ${address} is in the wrong subnet for this interface`;
      log(context, "BADVIP", text, group.spec.key);
    }
  }

  #receive(context: Context, input: PacketInput): void {
    const on = this.#options.interfaces.find(({ name }) => name === input.interface);
    if (on === undefined) return;
    const groups = this.#groups.filter(({ spec }) => spec.on === on);
    const admitted = admit(context, on, groups, input);
    if (admitted === undefined || admitted === "advertisement") return;
    const { group, heard } = admitted;
    noteActive(context, group, heard);
    watchPreemption(context, group);
    const event = classify(heard.message, heard.source, {
      state: group.state.state,
      priority: priorityOf(context, group),
      address: group.spec.address!,
      mayPreempt: mayPreempt(context, group),
      peerGeneration: generationOf(context, group),
    });
    hear(context, group, event, heard);
  }

  /** Another station says that an address of ours is at its MAC address. */
  #contest(context: Context, name: string, address: Address, mac: string): void {
    for (const group of this.#groups) {
      const { on, options } = group.spec;
      const owned = [virtualAddressOf(group), ...options.secondaryAddresses];
      if (on.name !== name || !owned.includes(address) || mac === options.virtualMac) continue;
      logDuplicate(context, name, formatAddress(address), mac);
      if (group.state.state === "active") announceAgain(context, group);
    }
  }

  #hearPeer(context: Context, { report, generation }: PeerInput): void {
    const { state } = context;
    const before = state.peer.report;
    state.peer = { generation, ...(report !== undefined && { report }) };
    for (const group of this.#groups) {
      const { key } = group.spec;
      const isActive = report?.active.includes(key) ?? false;
      const wasActive = before?.active.includes(key) ?? false;
      if (isActive && generation === "ahead" && group.state.state === "active") apply(context, group, "j");
      if (wasActive && report !== undefined && !isActive && group.state.active !== undefined) {
        resigned(context, group);
      }
    }
  }

  /** Makes the changes that are wanted and due, until there are none. */
  #settle(context: Context): void {
    if (context.state.isStopped) return;
    // Each round changes the role of a group, and each role can change once before it has to wait.
    for (let isChanged = true; isChanged; ) {
      isChanged = false;
      for (const group of this.#groups) {
        watchPreemption(context, group);
        const wanted = wantedOf(context, group);
        if (wanted === undefined || wanted.atMs > context.nowMs) continue;
        apply(context, group, wanted.event);
        isChanged = true;
      }
    }
    this.#release(context);
  }

  /** Hands over every group at once, as soon as roles may change. */
  #release(context: Context): void {
    const { state } = context;
    if (!state.isReleasing) return;
    const active = this.#groups.filter((group) => group.state.state === "active");
    if (active.length === 0 || active.some((group) => group.state.standby === undefined)) {
      state.isReleasing = false;
      log(context, "RELEASE", "no hand-over: this router is not Active, or there is no Standby router");
      context.actions.push({ kind: "release", outcome: "refused" });
    } else if (this.#releaseAtMs() <= context.nowMs) {
      state.isReleasing = false;
      context.actions.push({ kind: "release", outcome: "done" });
      for (const group of active) {
        apply(context, group, "r");
        group.state.isReleased = true;
      }
    }
  }

  #releaseAtMs(): number {
    const active = this.#groups.filter((group) => group.state.state === "active");
    return Math.max(0, ...active.map((group) => group.state.takeoverNotBeforeAtMs));
  }

  #nextDeadline(context: Context): number {
    const { state, nowMs } = context;
    if (state.isStopped) return NEVER_MS;
    const times = this.#groups.flatMap((group) => {
      return [deadlineOf(group), startAtMsOf(state, group), wantedOf(context, group)?.atMs ?? NEVER_MS];
    });
    if (state.isReleasing) times.push(this.#releaseAtMs());
    return Math.min(NEVER_MS, ...times.filter((atMs) => atMs > nowMs));
  }
}

function groupsOf({ specs }: Plan, { groups }: HsrpState): Group[] {
  return specs.map((spec) => ({ spec, state: groups[spec.index]! }));
}

function tiesAmong(groups: readonly Group[], { ties }: Plan): Tie[] {
  return ties.map((tie) => tie.map((index) => groups[index]!));
}

function planOf(options: HsrpOptions): Plan {
  const specs = specsOf(options);
  return { specs, ties: tiesOf(specs, options.leader) };
}

/** Who is newer, where the peer is known to be Active too. */
function generationOf({ state: { peer } }: Context, { spec }: Group): Generation {
  return peer.report?.active.includes(spec.key) ? peer.generation : "equal";
}
