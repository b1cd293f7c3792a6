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
 */
import * as L from "../assembly/layout.js";
import { usedAssociation } from "./check/topology.js";
import { DEFAULTS } from "./config/model.js";
import type { Dataplane } from "./dataplane.js";
import { Hsrp, type HsrpGroupView, type HsrpInput, optionsOf } from "./hsrp/index.js";
import type { Address } from "./ip.js";
import type { DatagramInput, NodeAction, NodeInput, NodeOptions } from "./node/actions.js";
import { type DeferCounters, DeferQueue } from "./node/defer.js";
import { newsOf } from "./node/news.js";
import { datagramOf, newEndpoint } from "./node/endpoint.js";
import {
  CONTENTS_MAX,
  identityOf,
  Redundancy,
  type RedundancyAction,
  type RedundancyInput,
  type ReloadMode,
  type RoleAction,
} from "./redundancy/index.js";
import { type Endpoint, type SctpAction, type SctpInput, UDP_ENCAPSULATION_PORT } from "./sctp/index.js";
import { SessionSync, type SyncAction, type SyncInput } from "./sync/session-sync.js";

export type { DatagramInput, NodeAction, NodeInput, NodeOptions } from "./node/actions.js";

/** UDP ports of HSRP for IPv4 and IPv6. */
const HSRP_PORTS: ReadonlySet<number> = new Set([1985, 2029]);
/** The session table is looked through for sessions whose time is over once in SWEEP_MS, in steps of SWEEP_STEP_MS. */
const SWEEP_MS = 1000;
const SWEEP_STEP_MS = 250;

export class Node {
  readonly #options: NodeOptions;
  #dataplane: Dataplane;
  /** Interface by own address. */
  readonly #interfaces: ReadonlyMap<Address, string>;
  readonly #links = new Map<string, boolean>();
  #hsrp: Hsrp;
  readonly #redundancy: Redundancy;
  readonly #sctp: Endpoint | undefined;
  #sync: SessionSync;
  #nowMs = 0;
  #sweepAtMs = 0;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #out: NodeAction[] = [];
  #news = "";
  #isBulkAwaited = false;
  #bulk = 0;
  #isDraining = false;
  /** The role was given up for a moment, and the core has forgotten what the peer was told. */
  #isCopyLost = false;
  #isRestarting = false;
  readonly #deferred = new DeferQueue();

  constructor(options: NodeOptions) {
    const { config, dataplane, random } = options;
    this.#options = options;
    this.#dataplane = dataplane;
    this.#interfaces = new Map(
      [...config.interfaces.values()].flatMap(({ name, addresses }) =>
        addresses.map(({ address }) => [address, name] as const),
      ),
    );
    this.#hsrp = new Hsrp(optionsOf(config, { macs: options.macs, random }));
    this.#redundancy = new Redundancy({ random, reloadMode: options.reloadMode });
    const association = usedAssociation(config);
    this.#sctp = association && newEndpoint(association, options);
    this.#sync = this.#newSync();
  }

  /** Starts the machines; once, before everything else. */
  start(nowMs: number): NodeAction[] {
    return this.#run(nowMs, () => {
      this.#toRedundancy({ kind: "configure", identity: this.#identity() });
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
    return this.#dataplane;
  }

  /** Frames that arrive now are to wait until the role has changed: a handover is under way. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  get hsrp(): Hsrp {
    return this.#hsrp;
  }

  get redundancy(): Redundancy {
    return this.#redundancy;
  }

  get sync(): SessionSync {
    return this.#sync;
  }

  get sctp(): Endpoint | undefined {
    return this.#sctp;
  }

  /** Handles one input. `dataplane.batch` is empty afterwards but for the outputs that the action "expired" tells of. */
  step(input: NodeInput, nowMs: number): NodeAction[] {
    return this.#run(nowMs, () => {
      this.#expire();
      switch (input.kind) {
        case "tick":
          break;
        case "link":
          this.#links.set(input.interface, input.isUp);
          this.#toHsrp({ kind: "link", interface: input.interface, isUp: input.isUp });
          this.#toRedundancy({ kind: "interfaces", isDegraded: [...this.#links.values()].includes(false) });
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
          this.#toHsrp({ kind: "stop" });
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
    const dataplane = this.#dataplane;
    let outputs = 0;
    const actions = this.#run(nowMs, () => {
      outputs = dataplane.process(nowMs);
      this.#toSync({ kind: "flush" });
    });
    return { outputs: this.#dataplane === dataplane ? outputs : 0, actions };
  }

  /**
   * A first reply of which the last `process` said that it has to wait for the peer. The action "release" with the token
   * says when it may leave. False: nothing can wait, it leaves now.
   */
  defer(token: number, nowMs: number): boolean {
    const { sent, acknowledged } = this.#dataplane.sync;
    const waits = acknowledged < sent && this.#deferred.add(token, sent, nowMs);
    this.#deadlineMs = Math.min(this.#deadlineMs, this.#deferred.deadlineMs);
    return waits;
  }

  get deferCounters(): Readonly<DeferCounters> {
    return this.#deferred.counters;
  }

  #identity() {
    const { config, software } = this.#options;
    const capacity = this.#dataplane.capacity.sessions;
    return identityOf(config, { software, layout: L.LAYOUT_VERSION, capacity });
  }

  #newSync(): SessionSync {
    const identity = this.#identity();
    // Until its role is settled a box of a pair forwards nothing.
    if (identity !== undefined) this.#dataplane.sync.setRole("standby");
    return new SessionSync(this.#dataplane.sync, {
      updateMs: identity?.updateMs ?? DEFAULTS.updateSeconds * 1000,
      frameBytes: CONTENTS_MAX,
    });
  }

  /** The core has trapped: nothing of its memory is used again, and the role is given up. */
  #startFresh(): void {
    const { newDataplane } = this.#options;
    if (newDataplane === undefined) {
      this.#toHsrp({ kind: "stop" });
      this.#out.push({ kind: "exit" });
      return;
    }
    this.#dataplane = newDataplane(this.#nowMs);
    this.#sync = this.#newSync();
    this.#toRedundancy({ kind: "trap" });
  }

  /** The core's clock goes on without packets, too: what the peer tells has an age, and sessions end. */
  #expire(): void {
    const { groups } = this.#dataplane.sync;
    const isDue = this.#sweepAtMs <= this.#nowMs;
    if (isDue) this.#sweepAtMs = this.#nowMs + SWEEP_STEP_MS;
    const outputs = this.#dataplane.expire(
      this.#nowMs,
      isDue ? Math.ceil((groups * SWEEP_STEP_MS) / SWEEP_MS) : 0,
    );
    if (outputs > 0) this.#out.push({ kind: "expired", outputs });
    if (isDue) this.#toSync({ kind: "flush" });
  }

  /** Does something at a time, then all that follows from it and from the time. */
  #run(nowMs: number, act: () => void): NodeAction[] {
    this.#nowMs = nowMs;
    try {
      act();
      this.#tick();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#startFresh();
      this.#tick();
    }
    for (const released of this.#deferred.release(this.#dataplane.sync.acknowledged, nowMs)) {
      this.#out.push({ kind: "release", ...released });
    }
    this.#deadlineMs = Math.min(
      this.#sweepAtMs,
      this.#hsrp.deadlineMs,
      this.#redundancy.deadlineMs,
      this.#sctp?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.#sync.deadlineMs,
      this.#deferred.deadlineMs,
    );
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #tick(): void {
    const nowMs = this.#nowMs;
    if (this.#hsrp.deadlineMs <= nowMs) this.#toHsrp({ kind: "tick" });
    if (this.#redundancy.deadlineMs <= nowMs) this.#toRedundancy({ kind: "tick" });
    if ((this.#sctp?.deadlineMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#toSctp({ kind: "tick" });
    if (this.#sync.deadlineMs <= nowMs) this.#toSync({ kind: "tick" });
    if (this.#isCopyLost) {
      this.#isCopyLost = false;
      this.#bulkNews("failed");
    }
    this.#checkDrained();
  }

  #receive({ interface: name, source, destination, ttl, sourcePort, port, payload }: DatagramInput): void {
    if (HSRP_PORTS.has(port)) {
      this.#toHsrp({ kind: "packet", interface: name, source, destination, ttl, payload });
    } else if (port === UDP_ENCAPSULATION_PORT) {
      this.#toSctp({ kind: "datagram", from: source, to: destination, udpPort: sourcePort, bytes: payload });
    }
  }

  #toHsrp(input: HsrpInput): void {
    for (const action of this.#hsrp.step(input, this.#nowMs)) {
      if (action.kind === "send") this.#out.push({ ...action, sourcePort: action.port });
      else if (action.kind !== "release") this.#out.push(action);
      if (action.kind === "state" && action.event === "hPreempt") this.#tellPreempted(action.name);
    }
    this.#tellNews();
  }

  /** Who preempts has heard the Active router, be it in the same moment. */
  #tellPreempted(name: string | undefined): void {
    if (name === undefined || name !== this.#options.config.redundancy?.scheme?.name) return;
    const { priority, key } = this.#leader()!;
    const active = this.#hsrp.report().active.filter((each) => each !== key);
    this.#toRedundancy({ kind: "hsrp", role: "other", priority, isActiveHeard: true, report: { active } });
  }

  /** The group that redundancy follows. */
  #leader(): HsrpGroupView | undefined {
    const leader = this.#options.config.redundancy?.scheme?.name;
    return this.#hsrp.views(this.#nowMs).find(({ name }) => name === leader);
  }

  /** Tells the redundancy what has changed in HSRP. */
  #tellNews(): void {
    const view = this.#leader();
    if (view === undefined) return;
    const input = newsOf(view, this.#hsrp.report());
    const news = JSON.stringify(input);
    if (news === this.#news) return;
    this.#news = news;
    this.#toRedundancy(input);
  }

  #toSctp(input: SctpInput): void {
    for (const action of this.#sctp?.step(input, this.#nowMs) ?? []) this.#handleSctp(action);
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
        if (this.#isRestarting) {
          this.#isRestarting = false;
          this.#toSctp({ kind: "connect" });
        }
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
    for (const action of this.#redundancy.step(input, this.#nowMs)) this.#handleRedundancy(action);
  }

  #handleRedundancy(action: RedundancyAction): void {
    switch (action.kind) {
      case "role":
        this.#isDraining = action.role === "draining";
        this.#out.push(action);
        if (action.role === "active") this.#activate(action);
        else if (action.role !== "draining") this.#deactivate();
        return;
      case "rival":
        this.#activate(action);
        return;
      case "send":
        this.#toSctp({ kind: "send", stream: action.stream, payloadProtocolId: 0, bytes: action.bytes });
        return;
      case "data":
        if (action.missing > 0) this.#bulkNews("failed");
        this.#toSync({ kind: "frame", bytes: action.payload });
        if (this.#isBulkAwaited) this.#bulkNews("progress");
        return;
      case "bulk-begin":
        this.#bulk = action.bulk;
        this.#setPeer(true);
        this.#toSync({ kind: "bulk" });
        return;
      case "bulk-await":
        this.#bulk = action.bulk;
        this.#isBulkAwaited = true;
        this.#dataplane.sync.resetTaken();
        return;
      case "bulk-abort":
        this.#isBulkAwaited = false;
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

  #activate({ generation, takeover }: Pick<RoleAction, "generation" | "takeover">): void {
    const { sync } = this.#dataplane;
    this.#isCopyLost = sync.role !== "active" && this.#sync.isPeerPresent;
    sync.setRole("active", generation);
    // The sessions are its own, and somebody else was or may have been active meanwhile.
    if (takeover === undefined || takeover === "resumed") sync.distrust();
  }

  #deactivate(): void {
    this.#dataplane.sync.setRole("standby");
    for (const token of this.#deferred.discard()) this.#out.push({ kind: "discard", token });
  }

  #restartAssociation(): void {
    this.#isRestarting = true;
    this.#toSctp({ kind: "shutdown" });
    if (!this.#isRestarting) return;
    // Without an association there is nothing to wait for.
    if (this.#sctp?.view().state === "CLOSED") {
      this.#isRestarting = false;
      this.#toSctp({ kind: "connect" });
    }
  }

  #startClean(mode: ReloadMode, isFlushed: boolean): void {
    this.#deactivate();
    this.#setPeer(false);
    if (mode === "exit") this.#out.push({ kind: "exit" });
    if (isFlushed) {
      this.#dataplane.clearSessions();
      this.#toHsrp({ kind: "stop" });
      const { config, macs, random } = this.#options;
      this.#hsrp = new Hsrp(optionsOf(config, { macs, random }));
      this.#news = "";
      for (const [name, isUp] of this.#links) this.#toHsrp({ kind: "link", interface: name, isUp });
    }
    this.#toRedundancy({ kind: "ready" });
  }

  #setPeer(isPresent: boolean): void {
    // Records are counted anew: what waits for the old ones has nobody to wait for.
    for (const released of this.#deferred.abandon()) this.#out.push({ kind: "release", ...released });
    this.#toSync({ kind: "peer", isPresent });
  }

  #toSync(input: SyncInput): void {
    for (const action of this.#sync.step(input, this.#nowMs)) this.#handleSync(action);
  }

  #handleSync(action: SyncAction): void {
    switch (action.kind) {
      case "send":
        this.#toRedundancy({ kind: "data", stream: "dynamic", payload: action.bytes });
        return;
      case "bulkTaken":
        // A table that differs is repaired first; the bulk sync is over when it no longer does.
        if (action.isRight) {
          this.#bulkNews("complete");
          this.#isBulkAwaited = false;
        }
        return;
      case "bulkAcknowledged":
        this.#out.push({ kind: "synchronised" });
        return;
      case "diverged":
        this.#bulkNews("failed");
        return;
      case "refused":
        return;
    }
  }

  #bulkNews(status: "progress" | "complete" | "failed"): void {
    this.#toRedundancy({ kind: "bulk", bulk: this.#bulk, status });
  }

  #checkDrained(): void {
    if (!this.#isDraining) return;
    const { queued, unacknowledgedBytes } = this.#sync.view;
    if (queued === 0 && unacknowledgedBytes === 0) this.#toRedundancy({ kind: "drained" });
  }
}
