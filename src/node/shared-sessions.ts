/**
 * The sessions of a box, which its peer shares: the dataplane, the sync of its table, and the first replies that wait
 * until the peer knows their session.
 */
import type { Dataplane } from "../dataplane.js";
import { CONTENTS_MAX } from "../redundancy/index.js";
import { SessionSync } from "../sync/session-sync.js";
import type { NodeAction } from "./actions.js";
import { type DeferCounters, DeferQueue } from "./defer.js";

/** The session table is looked through for sessions whose time is over once in SWEEP_MS, in steps of SWEEP_STEP_MS. */
const SWEEP_MS = 1000;
const SWEEP_STEP_MS = 250;

export interface SharingOptions {
  /** Half of a pair: it forwards nothing until its role is settled. */
  readonly isPaired: boolean;
  /** Interval of updates (`ip inspect redundancy update`). */
  readonly updateMs: number;
}

export class SharedSessions {
  readonly #options: SharingOptions;
  #dataplane: Dataplane;
  #sync: SessionSync;
  readonly #deferred: DeferQueue;
  #sweepAtMs = 0;
  /** There are sessions that this box had as the active: another one may have forwarded for them since. */
  #areOwn = false;

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

  /** When something is due. */
  get deadlineMs(): number {
    return Math.min(this.#sweepAtMs, this.#sync.deadlineMs, this.#deferred.deadlineMs);
  }

  /** Nothing waits to be told or to be acknowledged. */
  get isDrained(): boolean {
    const { queued, unacknowledgedBytes } = this.#sync.view;
    return queued === 0 && unacknowledgedBytes === 0;
  }

  /** Nothing of what there was is used again: the core has trapped. */
  renew(dataplane: Dataplane): void {
    this.#dataplane = dataplane;
    this.#sync = this.#newSync();
    this.#areOwn = false;
  }

  /** The peer has told all of its sessions: no others are left. */
  replaced(): void {
    this.#areOwn = false;
  }

  /**
   * The core's clock goes on without packets, too: what the peer tells has an age, and sessions end. `isDue`: it is time to
   * look through the table; the peer is to be told then.
   */
  expire(nowMs: number): { outputs: number; isDue: boolean } {
    const isDue = this.#sweepAtMs <= nowMs;
    if (isDue) this.#sweepAtMs = nowMs + SWEEP_STEP_MS;
    const groups = Math.ceil((this.#dataplane.sync.groups * SWEEP_STEP_MS) / SWEEP_MS);
    return { outputs: this.#dataplane.expire(nowMs, isDue ? groups : 0), isDue };
  }

  /**
   * Forwards from now on. `hasRival`: another box has been active at the same time. True: the core has forgotten what the
   * peer was told, who has to be told of everything anew.
   */
  activate(generation: number, hasRival: boolean): boolean {
    const { sync } = this.#dataplane;
    const isCopyLost = sync.role !== "active" && this.#sync.isPeerPresent;
    sync.setRole("active", generation);
    if (hasRival || this.#areOwn) sync.distrust();
    this.#areOwn = false;
    return isCopyLost;
  }

  /** Forwards nothing any more; what waited must not leave. */
  deactivate(): NodeAction[] {
    const { sync } = this.#dataplane;
    this.#areOwn ||= sync.role === "active";
    sync.setRole("standby");
    return this.#deferred.discard().map((token) => ({ kind: "discard", token }));
  }

  /** A first reply is to wait for the peer. False: it leaves now. */
  defer(token: number, nowMs: number): boolean {
    const { sent, acknowledged } = this.#dataplane.sync;
    return acknowledged < sent && this.#deferred.add(token, sent, nowMs);
  }

  /** The replies that may leave now. */
  release(nowMs: number): NodeAction[] {
    const released = this.#deferred.release(this.#dataplane.sync.acknowledged, nowMs);
    return released.map((each) => ({ kind: "release", ...each }));
  }

  /** Records are counted anew: what waits for the old ones has nobody to wait for. */
  abandon(): NodeAction[] {
    return this.#deferred.abandon().map((each) => ({ kind: "release", ...each }));
  }

  #newSync(): SessionSync {
    const { isPaired, updateMs } = this.#options;
    if (isPaired) this.#dataplane.sync.setRole("standby");
    return new SessionSync(this.#dataplane.sync, { updateMs, frameBytes: CONTENTS_MAX });
  }
}
