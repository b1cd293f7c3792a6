/**
 * The sessions of a box, which its peer shares: the dataplane, the sync of its table, and the first replies that wait
 * until the peer knows their session. What the rest of the box wants of them, and what they have to say to it, are plain
 * data: they may live in another thread.
 */
import type { Config } from "../config/model.js";
import type { Dataplane } from "../dataplane.js";
import type { Mac } from "../frame.js";
import { CONTENTS_MAX } from "../redundancy/index.js";
import { SessionSync, type SyncAction, type SyncInput } from "../sync/session-sync.js";
import { type DeferCounters, DeferQueue } from "./defer.js";

/** The session table is looked through for sessions whose time is over once in SWEEP_MS, in steps of SWEEP_STEP_MS. */
const SWEEP_MS = 1000;
const SWEEP_STEP_MS = 250;

/** What a configuration says of the sharing. */
export interface Sharing {
  /** Half of a pair: it forwards nothing until its role is settled. */
  readonly isPaired: boolean;
  /** Interval of updates (`ip inspect redundancy update`). */
  readonly updateMs: number;
}

export interface SharingOptions extends Sharing {
  /** Makes the dataplane that goes on after the core has trapped. */
  readonly newDataplane?: ((nowMs: number) => Dataplane) | undefined;
}

/** What the machines of a box want of its sessions. */
export type SessionsInput =
  | Exclude<SyncInput, { kind: "peer" | "interval" | "tick" }>
  /** Forward from now on. `hasRival`: another box has been active at the same time. */
  | { readonly kind: "activate"; readonly generation: number; readonly hasRival: boolean }
  /** Forward nothing any more. */
  | { readonly kind: "deactivate" }
  /** A handover is under way: "drained" is to be said when the peer has acknowledged everything. */
  | { readonly kind: "drain"; readonly isDraining: boolean }
  /** Of an active: a standby that fits takes records from now on, or no longer. */
  | { readonly kind: "peer"; readonly isPresent: boolean }
  /** Of a standby: the records of another copy of the peer's table begin. */
  | { readonly kind: "await-bulk" }
  /** Forget all sessions. */
  | { readonly kind: "clear" };

export type SessionsAction =
  | SyncAction
  /** The core has forgotten what the peer was told, who has to be told of everything anew. */
  | { readonly kind: "copy-lost" }
  /** The answer to "drain". */
  | { readonly kind: "drained" }
  /** The core has trapped, and nothing of its memory is used again. `isRenewed`: another one goes on. */
  | { readonly kind: "trapped"; readonly isRenewed: boolean }
  /** A first reply may leave: the peer knows its session, or has had its time. */
  | { readonly kind: "release"; readonly token: number; readonly isAcknowledged: boolean }
  /** A first reply must not leave any more: the role is lost. */
  | { readonly kind: "discard"; readonly token: number }
  /** Fragments waited for the rest of their datagram for too long: so many verdicts stand in the batch. */
  | { readonly kind: "expired"; readonly outputs: number };

/** Another configuration. */
export interface Reconfiguration extends Sharing {
  readonly config: Config;
  /** MAC addresses by interface name, where frames for other stations are to be dropped. */
  readonly macs?: ReadonlyMap<string, Mac>;
}

/** Where the sessions are. */
export interface SessionsPort {
  /** What they have to say at once; what they say later comes as an input. */
  step(input: SessionsInput, nowMs: number): readonly SessionsAction[];
}

export class SharedSessions implements SessionsPort {
  #options: SharingOptions;
  /** In force since; undefined: the dataplane that is made after a trap has the right one. */
  #reconfiguration: Reconfiguration | undefined;
  #dataplane: Dataplane;
  #sync: SessionSync;
  readonly #deferred: DeferQueue;
  #sweepAtMs = 0;
  /** There are sessions that this box had as the active: another one may have forwarded for them since. */
  #areOwn = false;
  #isDraining = false;
  /** The core has trapped and there is no other. */
  #isDead = false;

  /** `original`: for `clone`. */
  constructor(dataplane: Dataplane, options: SharingOptions, original?: SharedSessions) {
    this.#options = options;
    this.#dataplane = dataplane;
    if (original === undefined) {
      this.#deferred = new DeferQueue();
      this.#sync = this.#newSync();
    } else {
      this.#deferred = new DeferQueue(original.#deferred);
      this.#sync = original.#sync.clone(dataplane.sync);
      this.#sweepAtMs = original.#sweepAtMs;
      this.#areOwn = original.#areOwn;
      this.#isDraining = original.#isDraining;
      this.#isDead = original.#isDead;
      this.#reconfiguration = original.#reconfiguration;
    }
  }

  /** The same sessions, which go their own way from now on. `dataplane`: a copy of the one here. */
  clone(dataplane: Dataplane): SharedSessions {
    return new SharedSessions(dataplane, this.#options, this);
  }

  /** Another one after a trap of the core. */
  get dataplane(): Dataplane {
    return this.#dataplane;
  }

  get sync(): SessionSync {
    return this.#sync;
  }

  get deferCounters(): Readonly<DeferCounters> {
    return this.#deferred.counters;
  }

  /** Frames that arrive now are to wait until the role has changed: a handover is under way. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** When the next "tick" is due. */
  get deadlineMs(): number {
    if (this.#isDead) return Number.POSITIVE_INFINITY;
    return Math.min(this.#sweepAtMs, this.#sync.deadlineMs, this.#deferred.deadlineMs);
  }

  /**
   * Has the core's clock go on without packets: what the peer tells has an age, and sessions end. Once in a while it looks
   * through the table for them, and tells the peer. To be done before anything else at a time.
   */
  expire(nowMs: number): SessionsAction[] {
    return this.#guard(nowMs, () => {
      const isDue = this.#sweepAtMs <= nowMs;
      if (isDue) this.#sweepAtMs = nowMs + SWEEP_STEP_MS;
      const groups = Math.ceil((this.#dataplane.sync.groups * SWEEP_STEP_MS) / SWEEP_MS);
      const outputs = this.#dataplane.expire(nowMs, isDue ? groups : 0);
      const actions: SessionsAction[] = outputs > 0 ? [{ kind: "expired", outputs }] : [];
      if (isDue) actions.push(...this.#sync.step({ kind: "flush" }, nowMs));
      return actions;
    });
  }

  /** Does what is due. */
  tick(nowMs: number): SessionsAction[] {
    if (this.deadlineMs > nowMs) return [];
    return this.#guard(nowMs, () =>
      this.#sync.deadlineMs <= nowMs ? this.#sync.step({ kind: "tick" }, nowMs) : [],
    );
  }

  step(input: SessionsInput, nowMs: number): SessionsAction[] {
    return this.#guard(nowMs, () => this.#step(input, nowMs));
  }

  /**
   * Decides the frames of `dataplane.batch`; the verdicts stand in it afterwards, `outputs` of them. An output for which
   * `batch.isDeferred` must not leave yet: see `defer`.
   */
  process(nowMs: number): { outputs: number; actions: SessionsAction[] } {
    let outputs = 0;
    const actions = this.#guard(nowMs, () => {
      outputs = this.#dataplane.process(nowMs);
      return this.#sync.step({ kind: "flush" }, nowMs);
    });
    return { outputs: actions.some(({ kind }) => kind === "trapped") ? 0 : outputs, actions };
  }

  /**
   * A first reply of which the last `process` said that it has to wait for the peer. The action "release" with the token
   * says when it may leave. False: nothing can wait, it leaves now.
   */
  defer(token: number, nowMs: number): boolean {
    const { sent, acknowledged } = this.#dataplane.sync;
    return acknowledged < sent && this.#deferred.add(token, sent, nowMs);
  }

  /**
   * Replaces the configuration between two batches; sessions stay. Throws ConfigError, and then nothing has changed. What
   * the machines of the box make of it comes as inputs of `step`, before or after this.
   */
  reconfigure(to: Reconfiguration, nowMs: number): SessionsAction[] {
    return this.#guard(nowMs, () => {
      this.#dataplane.replacePolicy(to.config, to.config.file, to.macs);
      this.#reconfiguration = to;
      return this.#share(to, nowMs);
    });
  }

  /** The same where the dataplane has its policy already. */
  share(to: Sharing, nowMs: number): SessionsAction[] {
    return this.#guard(nowMs, () => this.#share(to, nowMs));
  }

  #share({ isPaired, updateMs }: Sharing, nowMs: number): SessionsAction[] {
    const wasPaired = this.#options.isPaired;
    this.#options = { ...this.#options, isPaired, updateMs };
    // A box alone forwards; half of a pair waits for its role.
    if (wasPaired && !isPaired) this.#dataplane.sync.setRole("active");
    const discarded = !wasPaired && isPaired ? this.#deactivate() : [];
    return [...discarded, ...this.#sync.step({ kind: "interval", updateMs }, nowMs)];
  }

  /** The core has trapped, or is to be taken for that. */
  trap(nowMs: number): SessionsAction[] {
    const { newDataplane } = this.#options;
    if (newDataplane === undefined) {
      this.#isDead = true;
    } else {
      this.#dataplane = newDataplane(nowMs);
      const { config, macs } = this.#reconfiguration ?? {};
      if (config !== undefined) this.#dataplane.replacePolicy(config, config.file, macs);
      this.#sync = this.#newSync();
    }
    this.#areOwn = false;
    this.#isDraining = false;
    return [...this.#discard(), { kind: "trapped", isRenewed: newDataplane !== undefined }];
  }

  /** Does something that may trap, and then lets those replies leave that may. */
  #guard(nowMs: number, act: () => SessionsAction[]): SessionsAction[] {
    if (this.#isDead) return [];
    try {
      const actions = act();
      actions.push(...this.#release(nowMs));
      if (this.#isDraining && this.#isDrained) actions.push({ kind: "drained" });
      return actions;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      return this.trap(nowMs);
    }
  }

  #step(input: SessionsInput, nowMs: number): SessionsAction[] {
    switch (input.kind) {
      case "activate":
        return this.#activate(input.generation, input.hasRival);
      case "deactivate":
        return this.#deactivate();
      case "drain":
        this.#isDraining = input.isDraining;
        if (!input.isDraining) return [];
        this.#dataplane.sync.tellHalfOpen();
        return this.#sync.step({ kind: "flush" }, nowMs);
      case "peer":
        return [...this.#abandon(), ...this.#sync.step(input, nowMs)];
      case "await-bulk":
        this.#dataplane.sync.resetTaken();
        return [];
      case "clear":
        this.#dataplane.clearSessions();
        return [];
      case "bulk":
      case "frame":
      case "flush": {
        const actions = this.#sync.step(input, nowMs);
        // The peer has told all of its sessions: no others are left.
        if (actions.some(({ kind }) => kind === "bulkTaken")) this.#areOwn = false;
        return actions;
      }
    }
  }

  #activate(generation: number, hasRival: boolean): SessionsAction[] {
    const { sync } = this.#dataplane;
    const isCopyLost = sync.role !== "active" && this.#sync.isPeerPresent;
    sync.setRole("active", generation);
    if (hasRival || this.#areOwn) sync.distrust();
    this.#areOwn = false;
    return isCopyLost ? [{ kind: "copy-lost" }] : [];
  }

  #deactivate(): SessionsAction[] {
    const { sync } = this.#dataplane;
    // No role is ever given to a box that is no half of a pair any more.
    if (!this.#options.isPaired) return this.#discard();
    this.#areOwn ||= sync.role === "active";
    sync.setRole("standby");
    return this.#discard();
  }

  /** Nothing waits to be told or to be acknowledged. */
  get #isDrained(): boolean {
    const { queued, unacknowledgedBytes } = this.#sync.view;
    return queued === 0 && unacknowledgedBytes === 0;
  }

  #release(nowMs: number): SessionsAction[] {
    if (this.#deferred.isEmpty) return [];
    const released = this.#deferred.release(this.#dataplane.sync.acknowledged, nowMs);
    return released.map((each) => ({ kind: "release", ...each }));
  }

  #discard(): SessionsAction[] {
    return this.#deferred.discard().map((token) => ({ kind: "discard", token }));
  }

  /** Records are counted anew: what waits for the old ones has nobody to wait for. */
  #abandon(): SessionsAction[] {
    return this.#deferred.abandon().map((each) => ({ kind: "release", ...each }));
  }

  #newSync(): SessionSync {
    const { isPaired, updateMs } = this.#options;
    if (isPaired) this.#dataplane.sync.setRole("standby");
    return new SessionSync(this.#dataplane.sync, { updateMs, frameBytes: CONTENTS_MAX });
  }
}
