/**
 * One firewall of a pair: the dataplane, HSRP, redundancy, the association and the session sync, wired together. Inputs
 * and the time go in, actions come out; clock, packets and randomness are the caller's. The caller gives the frames of
 * the networks to `process`, and everything that is for the box itself to `step`.
 *
 *     hsrp  <-- who is active -->  redundancy  <-- messages -->  sctp  <-- datagrams -->  the peer
 *                                   |     ^
 *                              role |     | records
 *                                   v     v
 *                               dataplane + sync
 *
 * What a machine has to say waits in one queue until everything said before has been carried out: no machine is stepped
 * while an earlier step of it is still being carried out.
 */
import * as L from "../assembly/layout.js";
import { usedAssociation } from "./check/topology.js";
import { DEFAULTS } from "./config/model.js";
import type { Dataplane } from "./dataplane.js";
import type { Hsrp, HsrpAction, HsrpInput } from "./hsrp/index.js";
import type { Address } from "./ip.js";
import type { DatagramInput, NodeAction, NodeInput, NodeOptions } from "./node/actions.js";
import type { DeferCounters } from "./node/defer.js";
import { datagramOf, newEndpoint } from "./node/endpoint.js";
import { HsrpSide, type HsrpStep } from "./node/hsrp-side.js";
import { SharedSessions } from "./node/shared-sessions.js";
import { UNWIRED, type Wiring, type Wish } from "./node/wiring.js";
import {
  type Identity,
  identityOf,
  Redundancy,
  type RedundancyAction,
  type RedundancyInput,
  type ReloadMode,
} from "./redundancy/index.js";
import { type Endpoint, type SctpAction, type SctpInput, UDP_ENCAPSULATION_PORT } from "./sctp/index.js";
import type { SessionSync, SyncAction, SyncInput } from "./sync/session-sync.js";

export type { DatagramInput, NodeAction, NodeInput, NodeOptions } from "./node/actions.js";

/** UDP ports of HSRP for IPv4 and IPv6. */
const HSRP_PORTS: ReadonlySet<number> = new Set([1985, 2029]);

export class Node {
  readonly #options: NodeOptions;
  /** Interface by own address. */
  readonly #interfaces: ReadonlyMap<Address, string>;
  readonly #hsrpSide: HsrpSide;
  readonly #redundancy: Redundancy;
  readonly #sctp: Endpoint | undefined;
  readonly #sessions: SharedSessions;
  readonly #wiring: Wiring;
  #nowMs = 0;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #wishes: Wish[] = [];
  #out: NodeAction[] = [];

  /** `original`: for `clone`. */
  constructor(options: NodeOptions, original?: Node) {
    const { config, dataplane, random, reloadMode, mac } = options;
    this.#options = options;
    this.#interfaces = new Map(
      [...config.interfaces.values()].flatMap(({ name, addresses }) =>
        addresses.map(({ address }) => [address, name] as const),
      ),
    );
    if (original !== undefined) {
      this.#sessions = original.#sessions.clone(dataplane);
      this.#hsrpSide = new HsrpSide(options, original.#hsrpSide);
      this.#redundancy = original.#redundancy.clone();
      this.#sctp = original.#sctp?.clone();
      this.#wiring = { ...original.#wiring };
      this.#nowMs = original.#nowMs;
      this.#deadlineMs = original.#deadlineMs;
      return;
    }
    const identity = this.#identity(dataplane);
    this.#sessions = new SharedSessions(dataplane, {
      isPaired: identity !== undefined,
      updateMs: identity?.updateMs ?? DEFAULTS.updateSeconds * 1000,
    });
    this.#hsrpSide = new HsrpSide(options);
    this.#redundancy = new Redundancy({ random, reloadMode, mac });
    const association = usedAssociation(config);
    this.#sctp = association && newEndpoint(association, options);
    this.#wiring = { ...UNWIRED };
  }

  /**
   * A box in the same state, which goes its own way from now on. `dataplane`: a copy of this one's. Both draw from the
   * same random numbers.
   */
  clone(dataplane: Dataplane): Node {
    return new Node({ ...this.#options, dataplane }, this);
  }

  /** Starts the machines; once, before everything else. */
  start(nowMs: number): NodeAction[] {
    return this.#run(nowMs, () => {
      this.#toRedundancy({ kind: "configure", identity: this.#identity(this.dataplane) });
      this.#toRedundancy({ kind: "ready" });
      this.#toSctp({ kind: "connect" });
    });
  }

  /** When the next "tick" is due. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Another one after a trap of the core. */
  get dataplane(): Dataplane {
    return this.#sessions.dataplane;
  }

  /** Frames that arrive now are to wait until the role has changed: a handover is under way. */
  get isDraining(): boolean {
    return this.#wiring.isDraining;
  }

  get hsrp(): Hsrp {
    return this.#hsrpSide.hsrp;
  }

  get redundancy(): Redundancy {
    return this.#redundancy;
  }

  get sync(): SessionSync {
    return this.#sessions.sync;
  }

  get sctp(): Endpoint | undefined {
    return this.#sctp;
  }

  get deferCounters(): Readonly<DeferCounters> {
    return this.#sessions.deferCounters;
  }

  /** Handles one input. `dataplane.batch` is empty afterwards but for the outputs that the action "expired" tells of. */
  step(input: NodeInput, nowMs: number): NodeAction[] {
    return this.#run(nowMs, () => {
      this.#expire();
      switch (input.kind) {
        case "tick":
          break;
        case "link":
          this.#toHsrp(input);
          this.#toRedundancy({ kind: "interfaces", isDegraded: this.#hsrpSide.isDegraded });
          break;
        case "datagram":
          this.#receive(input);
          break;
        case "operator":
          this.#toRedundancy(input);
          break;
        case "trap":
          this.#startFresh();
          break;
        case "stop":
          this.#toHsrp(input);
          this.#toSctp({ kind: "shutdown" });
          break;
      }
    });
  }

  /**
   * Decides the frames of `dataplane.batch`; the verdicts stand in it afterwards, `outputs` of them. What changed goes to
   * the peer. An output for which `batch.isDeferred` must not leave yet: see `defer`.
   */
  process(nowMs: number): { outputs: number; actions: NodeAction[] } {
    const { dataplane } = this;
    let outputs = 0;
    const actions = this.#run(nowMs, () => {
      outputs = dataplane.process(nowMs);
      this.#toSync({ kind: "flush" });
    });
    return { outputs: this.dataplane === dataplane ? outputs : 0, actions };
  }

  /**
   * A first reply of which the last `process` said that it has to wait for the peer. The action "release" with the token
   * says when it may leave. False: nothing can wait, it leaves now.
   */
  defer(token: number, nowMs: number): boolean {
    const waits = this.#sessions.defer(token, nowMs);
    this.#deadlineMs = Math.min(this.#deadlineMs, this.#sessions.deadlineMs);
    return waits;
  }

  #identity(dataplane: Dataplane): Identity | undefined {
    const { config, software } = this.#options;
    const capacity = dataplane.capacity.sessions;
    return identityOf(config, { software, layout: L.LAYOUT_VERSION, capacity });
  }

  /** The core has trapped: nothing of its memory is used again, and the role is given up. */
  #startFresh(): void {
    const { newDataplane } = this.#options;
    if (newDataplane === undefined) {
      this.#toHsrp({ kind: "stop" });
      this.#wiring.isExiting = true;
      return;
    }
    this.#sessions.renew(newDataplane(this.#nowMs));
    this.#toRedundancy({ kind: "trap" });
  }

  #expire(): void {
    const { outputs, isDue } = this.#sessions.expire(this.#nowMs);
    if (outputs > 0) this.#out.push({ kind: "expired", outputs });
    if (isDue) this.#toSync({ kind: "flush" });
  }

  /** Does something at a time, then all that follows from it and from the time. */
  #run(nowMs: number, act: () => void): NodeAction[] {
    this.#nowMs = nowMs;
    try {
      act();
      this.#carryOut();
      this.#tick();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#startFresh();
      this.#carryOut();
      this.#tick();
    }
    this.#out.push(...this.#sessions.release(nowMs));
    // Last, so that what is to be said before is said.
    if (this.#wiring.isExiting) this.#out.push({ kind: "exit" });
    this.#deadlineMs = Math.min(
      this.hsrp.deadlineMs,
      this.#redundancy.deadlineMs,
      this.#sctp?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.#sessions.deadlineMs,
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
      else this.#handleSync(wish.action);
    }
    this.#wishes = [];
  }

  #tick(): void {
    const nowMs = this.#nowMs;
    if (this.hsrp.deadlineMs <= nowMs) this.#toHsrp({ kind: "tick" });
    if (this.#redundancy.deadlineMs <= nowMs) this.#toRedundancy({ kind: "tick" });
    if ((this.#sctp?.deadlineMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#toSctp({ kind: "tick" });
    if (this.sync.deadlineMs <= nowMs) this.#toSync({ kind: "tick" });
    this.#carryOut();
    if (this.#wiring.isCopyLost) {
      this.#wiring.isCopyLost = false;
      this.#tellBulk("failed");
    }
    if (this.#wiring.isDraining && this.#sessions.isDrained) this.#toRedundancy({ kind: "drained" });
    this.#carryOut();
  }

  #receive({ interface: name, source, destination, ttl, sourcePort, port, payload }: DatagramInput): void {
    if (HSRP_PORTS.has(port)) {
      this.#toHsrp({ kind: "packet", interface: name, source, destination, ttl, payload });
    } else if (port === UDP_ENCAPSULATION_PORT) {
      this.#toSctp({ kind: "datagram", from: source, to: destination, udpPort: sourcePort, bytes: payload });
    }
  }

  #toHsrp(input: HsrpInput): void {
    this.#takeHsrp(this.#hsrpSide.step(input, this.#nowMs));
  }

  #takeHsrp({ actions, news }: HsrpStep): void {
    for (const action of actions) this.#wishes.push({ from: "hsrp", action });
    for (const each of news) this.#toRedundancy(each);
  }

  #handleHsrp(action: HsrpAction): void {
    if (action.kind === "send") this.#out.push({ ...action, sourcePort: action.port });
    else if (action.kind !== "release") this.#out.push(action);
  }

  #toSctp(input: SctpInput): void {
    for (const action of this.#sctp?.step(input, this.#nowMs) ?? [])
      this.#wishes.push({ from: "sctp", action });
  }

  #handleSctp(action: SctpAction): void {
    switch (action.kind) {
      case "transmit": {
        const name = this.#interfaces.get(action.from);
        if (name !== undefined) this.#out.push(datagramOf(action, name));
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
        this.#toSync({ kind: "flush" });
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
        this.#wiring.isDraining = action.role === "draining";
        this.#out.push(action);
        if (action.role === "active") this.#activate(action.generation, false);
        else if (action.role !== "draining") this.#out.push(...this.#sessions.deactivate());
        return;
      case "rival":
        this.#activate(action.generation, true);
        return;
      case "send":
        this.#toSctp({ kind: "send", stream: action.stream, payloadProtocolId: 0, bytes: action.bytes });
        return;
      case "data":
        if (action.missing > 0) this.#tellBulk("failed");
        this.#toSync({ kind: "frame", bytes: action.payload });
        if (this.#wiring.isBulkAwaited) this.#tellBulk("progress");
        return;
      case "bulk-begin":
        this.#wiring.bulk = action.bulk;
        this.#setPeer(true);
        this.#toSync({ kind: "bulk" });
        return;
      case "bulk-await":
        this.#wiring.bulk = action.bulk;
        this.#wiring.isBulkAwaited = true;
        this.dataplane.sync.resetTaken();
        return;
      case "bulk-abort":
        this.#wiring.isBulkAwaited = false;
        this.#setPeer(false);
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

  #activate(generation: number, hasRival: boolean): void {
    if (this.#sessions.activate(generation, hasRival)) this.#wiring.isCopyLost = true;
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
    this.#out.push(...this.#sessions.deactivate());
    this.#setPeer(false);
    if (mode === "exit") this.#wiring.isExiting = true;
    if (isFlushed) {
      this.dataplane.clearSessions();
      this.#takeHsrp(this.#hsrpSide.restart(this.#nowMs));
    }
    this.#toRedundancy({ kind: "ready" });
  }

  #setPeer(isPresent: boolean): void {
    this.#out.push(...this.#sessions.abandon());
    this.#toSync({ kind: "peer", isPresent });
  }

  #toSync(input: SyncInput): void {
    for (const action of this.sync.step(input, this.#nowMs)) this.#wishes.push({ from: "sync", action });
  }

  #handleSync(action: SyncAction): void {
    switch (action.kind) {
      case "send":
        this.#toRedundancy({ kind: "data", stream: "dynamic", payload: action.bytes });
        return;
      case "bulkTaken":
        this.#sessions.replaced();
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
        this.#tellBulk("failed");
        return;
      case "refused":
        return;
    }
  }

  #tellBulk(status: "progress" | "complete" | "failed"): void {
    this.#toRedundancy({ kind: "bulk", bulk: this.#wiring.bulk, status });
  }
}
