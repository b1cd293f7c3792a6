/**
 * The machines of one firewall of a pair but for its sessions, wired together. What is wanted of the sessions goes to a
 * port, which may answer at once or, where they live in another thread, later by the input "sessions".
 *
 *      bfd  -- the peer is dead -->  both of
 *     hsrp  <-- who is active -->  redundancy  <-- messages -->  sctp  <-- datagrams -->  the peer
 *                                   |     ^
 *                              role |     | records
 *                                   v     v
 *                                   sessions
 *
 * What a machine has to say waits in one queue until everything said before has been carried out: no machine is stepped
 * while an earlier step of it is still being carried out.
 */
import { type Bfd, BFD_PORT, type BfdAction, type BfdInput } from "../bfd/index.js";
import { IP_PROTOCOL_UDP } from "../config/names.js";
import { type Hsrp, HSRP_PORTS, type HsrpAction, type HsrpInput } from "../hsrp/index.js";
import type { Address } from "../ip.js";
import {
  Redundancy,
  type RedundancyAction,
  type RedundancyInput,
  type ReloadMode,
} from "../redundancy/index.js";
import type { Endpoint, SctpAction, SctpInput } from "../sctp/index.js";
import type { ConfigureInput, ControlInput, ControlOptions, DatagramInput, NodeAction } from "./actions.js";
import { BfdSide } from "./bfd-side.js";
import { datagramOf, type Ends, endsOf, newEndpoint, sctpPacketOf } from "./endpoint.js";
import { identityFor, interfacesOf } from "./facts.js";
import { HsrpSide, type HsrpStep } from "./hsrp-side.js";
import type { SessionsAction, SessionsInput, SessionsPort } from "./shared-sessions.js";
import { isSctpFact } from "./told.js";
import { UNWIRED, type Wiring, type Wish } from "./wiring.js";

export class ControlNode {
  readonly #sessions: SessionsPort;
  readonly #hsrpSide: HsrpSide;
  readonly #bfdSide: BfdSide;
  readonly #redundancy: Redundancy;
  readonly #wiring: Wiring;
  #options: ControlOptions;
  /** Interface by own address. */
  #interfaces: ReadonlyMap<Address, string>;
  #ends: Ends | undefined;
  #sctp: Endpoint | undefined;
  #nowMs = 0;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #wishes: Wish[] = [];
  #out: NodeAction[] = [];

  /** `original`: for `clone`. */
  constructor(options: ControlOptions, sessions: SessionsPort, original?: ControlNode) {
    const { config, random, reloadMode, mac } = options;
    this.#options = options;
    this.#sessions = sessions;
    this.#interfaces = interfacesOf(config);
    this.#ends = endsOf(config);
    if (original !== undefined) {
      this.#hsrpSide = new HsrpSide(options, original.#hsrpSide);
      this.#bfdSide = new BfdSide(options, original.#bfdSide);
      this.#redundancy = original.#redundancy.clone();
      this.#sctp = original.#sctp?.clone();
      this.#wiring = { ...original.#wiring };
      this.#nowMs = original.#nowMs;
      this.#deadlineMs = original.#deadlineMs;
      return;
    }
    this.#hsrpSide = new HsrpSide(options);
    this.#bfdSide = new BfdSide(options);
    this.#redundancy = new Redundancy({ random, reloadMode, mac });
    this.#sctp = this.#ends && newEndpoint(this.#ends, options);
    this.#wiring = { ...UNWIRED };
  }

  /** Machines in the same state, which go their own way from now on. Both draw from the same random numbers. */
  clone(sessions: SessionsPort): ControlNode {
    return new ControlNode(this.#options, sessions, this);
  }

  /** Starts the machines; once, before everything else. */
  start(nowMs: number): NodeAction[] {
    return this.#run(nowMs, () => {
      this.#toRedundancy({ kind: "configure", identity: identityFor(this.#options) });
      this.#toRedundancy({ kind: "ready" });
      this.#toSctp({ kind: "connect" });
      this.#takeBfd(this.#bfdSide.start(nowMs));
    });
  }

  /** When the next "tick" is due. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  get hsrp(): Hsrp {
    return this.#hsrpSide.hsrp;
  }

  get redundancy(): Redundancy {
    return this.#redundancy;
  }

  get bfd(): Bfd {
    return this.#bfdSide.bfd;
  }

  get sctp(): Endpoint | undefined {
    return this.#sctp;
  }

  /** Handles inputs of one time, in their order, and then what is due. */
  step(inputs: readonly ControlInput[], nowMs: number): NodeAction[] {
    return this.#run(nowMs, () => {
      for (const input of inputs) {
        this.#take(input);
        this.#carryOut();
      }
    });
  }

  #take(input: ControlInput): void {
    switch (input.kind) {
      case "tick":
        break;
      case "link":
        this.#toBfd(input);
        this.#toHsrp(input);
        this.#toRedundancy({ kind: "interfaces", isDegraded: this.#hsrpSide.isDegraded });
        break;
      case "arp":
        this.#toHsrp(input);
        break;
      case "datagram":
        this.#receive(input);
        break;
      case "operator":
      case "stalled":
        this.#toRedundancy(input);
        break;
      case "configure":
        this.#configure(input);
        break;
      case "sessions":
        for (const action of input.actions) this.#wishes.push({ from: "sessions", action });
        break;
      case "stop":
        this.#toHsrp(input);
        this.#toBfd(input);
        this.#toSctp({ kind: "shutdown" });
        break;
    }
  }

  /** Does something at a time, then all that follows from it and from the time. */
  #run(nowMs: number, act: () => void): NodeAction[] {
    this.#nowMs = nowMs;
    // First, so that a box that stood still doubts its role before it claims it.
    if (this.#redundancy.deadlineMs <= nowMs) {
      this.#toRedundancy({ kind: "tick" });
      this.#carryOut();
    }
    act();
    this.#carryOut();
    if (this.hsrp.deadlineMs <= nowMs) this.#toHsrp({ kind: "tick" });
    if (this.#redundancy.deadlineMs <= nowMs) this.#toRedundancy({ kind: "tick" });
    if ((this.#sctp?.deadlineMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#toSctp({ kind: "tick" });
    this.#watchPeer();
    this.#carryOut();
    // Last, so that what is to be said before is said.
    if (this.#wiring.isExiting) this.#out.push({ kind: "exit" });
    this.#deadlineMs = Math.min(
      this.hsrp.deadlineMs,
      this.#redundancy.deadlineMs,
      this.#sctp?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.bfd.deadlineMs,
    );
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** Carries out what the machines want, and what they want because of that, in the order in which they said it. */
  #carryOut(): void {
    for (let i = 0; i < this.#wishes.length; i++) {
      const wish = this.#wishes[i]!;
      if (wish.from === "hsrp") this.#handleHsrp(wish.action);
      else if (wish.from === "redundancy") this.#handleRedundancy(wish.action);
      else if (wish.from === "sctp") this.#handleSctp(wish.action);
      else if (wish.from === "bfd") this.#handleBfd(wish.action);
      else this.#handleSessions(wish.action);
    }
    this.#wishes = [];
  }

  /** Gives each machine its part of another configuration. */
  #configure({ config, macs }: ConfigureInput): void {
    const before = this.#options;
    this.#options = { ...before, config, macs };
    const ends = endsOf(config);
    const isMoved = JSON.stringify(this.#ends) !== JSON.stringify(ends);
    if (isMoved) {
      // The peer is told as long as there is something to tell it by.
      this.#wiring.isRestarting = false;
      this.#toSctp({ kind: "abort" });
      this.#carryOut();
      this.#sctp = ends && newEndpoint(ends, this.#options);
      this.#ends = ends;
    }
    this.#interfaces = interfacesOf(config);
    this.#takeHsrp(this.#hsrpSide.configure(this.#options, this.#nowMs));
    this.#toRedundancy({ kind: "interfaces", isDegraded: this.#hsrpSide.isDegraded });
    this.#toRedundancy({ kind: "configure", identity: identityFor(this.#options) });
    if (identityFor(before) === undefined) this.#toRedundancy({ kind: "ready" });
    if (isMoved) this.#toSctp({ kind: "connect" });
    this.#takeBfd(this.#bfdSide.configure(this.#options, this.#nowMs));
  }

  #receive(input: DatagramInput): void {
    const packet = sctpPacketOf(input, this.#ends);
    if (packet !== undefined) this.#toSctp(packet);
    else if (input.protocol !== IP_PROTOCOL_UDP) return;
    else if (HSRP_PORTS.has(input.port)) this.#toHsrp({ ...input, kind: "packet" });
    else if (input.port === BFD_PORT) this.#toBfd({ ...input, kind: "packet" });
  }

  #toHsrp(input: HsrpInput): void {
    this.#takeHsrp(this.#hsrpSide.step(input, this.#nowMs));
  }

  #takeHsrp({ actions, news }: HsrpStep): void {
    for (const action of actions) this.#wishes.push({ from: "hsrp", action });
    for (const each of news) this.#toRedundancy(each);
  }

  #handleHsrp(action: HsrpAction): void {
    if (action.kind === "send")
      this.#out.push({ ...action, protocol: IP_PROTOCOL_UDP, sourcePort: action.port });
    else if (action.kind === "refused") this.#out.push({ kind: "told", by: "hsrp", fact: action });
    else if (action.kind !== "release") this.#out.push(action);
  }

  #toBfd(input: BfdInput): void {
    this.#takeBfd(this.#bfdSide.step(input, this.#nowMs));
  }

  #takeBfd(actions: readonly BfdAction[]): void {
    for (const action of actions) this.#wishes.push({ from: "bfd", action });
  }

  #handleBfd(action: BfdAction): void {
    if (action.kind === "send") this.#out.push({ ...action, protocol: IP_PROTOCOL_UDP });
    else if (action.kind === "log") this.#out.push(action);
    else this.#out.push({ kind: "told", by: "bfd", fact: action });
  }

  /**
   * What BFD makes of the time that has passed, after everything that had arrived. Where the peer has died, redundancy
   * knows it before the groups change, and gives the association up after that.
   */
  #watchPeer(): void {
    const side = this.#bfdSide;
    if (!side.isWatching && this.#wiring.pauseMaxMs === Number.POSITIVE_INFINITY) return;
    if (side.bfd.deadlineMs <= this.#nowMs) this.#toBfd({ kind: "tick" });
    const neighbors = this.hsrp.neighbors();
    this.#takeBfd(side.learn(neighbors, this.#nowMs));
    if (side.hasPeerDied({ neighbors, isAssociationHeard: this.#redundancy.isPeerHeard })) {
      this.#toRedundancy({ kind: "peer", status: "unheard" });
      this.#toHsrp({ kind: "neighborDown", neighbors: side.peer });
      this.#toRedundancy({ kind: "peer", status: "lost" });
    }
    const pauseMaxMs = side.pauseMaxMs();
    if (pauseMaxMs === this.#wiring.pauseMaxMs) return;
    this.#wiring.pauseMaxMs = pauseMaxMs;
    this.#toRedundancy({ kind: "watched", pauseMaxMs });
  }

  #toSctp(input: SctpInput): void {
    for (const action of this.#sctp?.step(input, this.#nowMs) ?? [])
      this.#wishes.push({ from: "sctp", action });
  }

  #handleSctp(action: SctpAction): void {
    if (isSctpFact(action)) this.#out.push({ kind: "told", by: "sctp", fact: action });
    switch (action.kind) {
      case "transmit": {
        const name = this.#interfaces.get(action.from);
        if (name !== undefined) this.#out.push(datagramOf(action, name, this.#ends!.remoteUdpPort));
        return;
      }
      case "message":
        this.#toRedundancy({ kind: "message", stream: action.stream, bytes: action.bytes });
        return;
      case "up":
      case "restarted":
        this.#toRedundancy({ kind: "association", status: action.kind });
        return;
      case "down":
        if (action.wasUp) this.#toRedundancy({ kind: "association", status: "down" });
        if (this.#wiring.isRestarting) this.#connectAgain();
        return;
      case "writable":
        this.#toSessions({ kind: "flush" });
        return;
      case "refused":
      case "path":
        return;
    }
  }

  #toRedundancy(input: RedundancyInput): void {
    for (const action of this.#redundancy.step(input, this.#nowMs))
      this.#wishes.push({ from: "redundancy", action });
  }

  #handleRedundancy(action: RedundancyAction): void {
    switch (action.kind) {
      case "role":
        this.#toSessions({ kind: "drain", isDraining: action.role === "draining" });
        this.#out.push(action);
        if (action.role === "active")
          this.#toSessions({ kind: "activate", generation: action.generation, hasRival: false });
        else if (action.role !== "draining") this.#toSessions({ kind: "deactivate" });
        return;
      case "rival":
        this.#toSessions({ kind: "activate", generation: action.generation, hasRival: true });
        return;
      case "send":
        this.#toSctp({ kind: "send", stream: action.stream, payloadProtocolId: 0, bytes: action.bytes });
        return;
      case "data":
        if (action.missing > 0) this.#tellBulk("failed");
        this.#toSessions({ kind: "frame", bytes: action.payload });
        if (this.#wiring.isBulkAwaited) this.#tellBulk("progress");
        return;
      case "bulk-begin":
        this.#wiring.bulk = action.bulk;
        this.#toSessions({ kind: "peer", isPresent: true });
        this.#toSessions({ kind: "bulk" });
        return;
      case "bulk-await":
        this.#wiring.bulk = action.bulk;
        this.#wiring.isBulkAwaited = true;
        this.#toSessions({ kind: "await-bulk" });
        return;
      case "bulk-abort":
        this.#wiring.isBulkAwaited = false;
        this.#toSessions({ kind: "peer", isPresent: false });
        return;
      case "start-clean":
        this.#startClean(action.mode, action.isFlushed);
        return;
      case "hsrp":
        this.#toHsrp(action.input);
        return;
      case "association":
        this.#restartAssociation();
        return;
      case "log":
      case "state":
      case "reply":
        this.#out.push(action);
        return;
    }
  }

  #restartAssociation(): void {
    this.#wiring.isRestarting = true;
    this.#toSctp({ kind: "shutdown" });
    // Without an association there is nothing to wait for; else "down" tells of its end.
    if (this.#sctp?.view().state === "CLOSED") this.#connectAgain();
  }

  #connectAgain(): void {
    this.#wiring.isRestarting = false;
    this.#toSctp({ kind: "connect" });
  }

  #startClean(mode: ReloadMode, isFlushed: boolean): void {
    this.#toSessions({ kind: "deactivate" });
    this.#toSessions({ kind: "peer", isPresent: false });
    if (mode === "exit") this.#exit();
    if (isFlushed) {
      this.#toSessions({ kind: "clear" });
      this.#takeHsrp(this.#hsrpSide.restart(this.#nowMs));
    }
    this.#toRedundancy({ kind: "ready" });
  }

  #toSessions(input: SessionsInput): void {
    for (const action of this.#sessions.step(input, this.#nowMs))
      this.#wishes.push({ from: "sessions", action });
  }

  #handleSessions(action: SessionsAction): void {
    switch (action.kind) {
      case "send":
        this.#toRedundancy({ kind: "data", stream: "dynamic", payload: action.bytes });
        return;
      case "bulkTaken":
        // A table that differs is repaired first; the bulk sync is over when it no longer does.
        if (action.isRight) {
          this.#tellBulk("complete");
          this.#wiring.isBulkAwaited = false;
        }
        return;
      case "bulkAcknowledged":
        this.#out.push({ kind: "synchronised" });
        return;
      case "diverged":
      case "copy-lost":
        this.#tellBulk("failed");
        return;
      case "drained":
        this.#toRedundancy({ kind: "drained" });
        return;
      case "trapped":
        this.#handleTrap(action.isRenewed);
        return;
      case "release":
      case "discard":
      case "expired":
        this.#out.push(action);
        return;
      case "refused":
        return;
    }
  }

  /** The core has trapped: the role is given up. Without another one there is nothing to go on with. */
  #handleTrap(isRenewed: boolean): void {
    if (isRenewed) {
      this.#toRedundancy({ kind: "trap" });
      return;
    }
    this.#toHsrp({ kind: "stop" });
    this.#exit();
  }

  /** The process ends in order: the peer need not find out. */
  #exit(): void {
    this.#toBfd({ kind: "stop" });
    this.#wiring.isExiting = true;
  }

  #tellBulk(status: "progress" | "complete" | "failed"): void {
    this.#toRedundancy({ kind: "bulk", bulk: this.#wiring.bulk, status });
  }
}
