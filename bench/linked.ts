/** A firewall whose sessions go to another one directly: the session sync without the association that carries it. */
import type { CoreSource } from "../src/core.js";
import { CONTENTS_MAX } from "../src/redundancy/index.js";
import { emitFrame } from "../src/sync/frame.js";
import { SessionSync, type SyncAction } from "../src/sync/session-sync.js";
import type { PairOptions } from "../test/threads/configs.js";
import { type Firewall, makeDataplane } from "./boxes.js";
import type { Engine } from "./engine.js";
import { Ring, type Protocol } from "./ring.js";

export const UPDATE_MS = 10_000;
const EXPIRY_PARTS = 8;
export const START_MS = 1_000_000;

/** One side. */
export class Side {
  readonly firewall: Firewall;
  readonly sync: SessionSync;

  constructor(firewall: Firewall) {
    this.firewall = firewall;
    this.sync = new SessionSync(firewall.dataplane.sync, { updateMs: UPDATE_MS, frameBytes: CONTENTS_MAX });
  }

  get port() {
    return this.firewall.dataplane.sync;
  }
}

/** An active that tells somebody of its sessions, and the frames of it that nobody has taken yet. */
export class Active extends Side {
  readonly ring: Ring;
  readonly engine: Engine;
  nowMs = START_MS;
  frames: Uint8Array[] = [];

  constructor(source: CoreSource, sessions: number, protocol: Protocol, options: PairOptions) {
    super(makeDataplane(source, "A", sessions, options, START_MS));
    const { core, dataplane } = this.firewall;
    this.ring = new Ring(core, protocol);
    dataplane.sync.setRole("active", 1);
    this.engine = {
      name: "twinwall",
      process: (count, nowMs) => {
        core.process(count, nowMs);
        this.flush();
      },
      expire: (nowMs, groups) => void core.expire(nowMs, groups),
      tallies: () => ({ sessions: 0, created: 0, evicted: 0, expired: 0, reasons: new Map() }),
    };
  }

  /** Ends what is due, and tells of it before more deletes wait than there is room for. */
  endIdle(nowMs: number): void {
    const { groups } = this.port;
    for (let part = 0; part < EXPIRY_PARTS; part++) {
      this.engine.expire(nowMs, Math.ceil(groups / EXPIRY_PARTS));
      this.flush();
      this.acknowledge();
    }
  }

  /** A peer is there from now on. */
  connect(): void {
    this.#act(this.sync.step({ kind: "peer", isPresent: true }, this.nowMs));
  }

  /** Writes down what has changed; whoever it is for has taken everything so far. */
  flush(): void {
    this.#act(this.sync.step({ kind: "flush" }, this.nowMs));
  }

  startBulk(): void {
    this.#act(this.sync.step({ kind: "bulk" }, this.nowMs));
  }

  /** Takes a frame of the standby. */
  take(bytes: Uint8Array): void {
    this.#act(this.sync.step({ kind: "frame", bytes }, this.nowMs));
  }

  /** As if the standby had acknowledged everything; and so on until nothing waits. */
  acknowledge(): void {
    while (this.port.acknowledged < this.port.sent)
      this.take(emitFrame({ kind: "acknowledgement", taken: this.port.sent }));
  }

  #act(actions: readonly SyncAction[]): void {
    for (const action of actions) if (action.kind === "send") this.frames.push(action.bytes);
  }
}

/** A standby that takes them. */
export class Standby extends Side {
  constructor(source: CoreSource, sessions: number, options: PairOptions) {
    super(makeDataplane(source, "B", sessions, options, START_MS));
    this.port.setRole("standby");
  }

  /** Takes a frame of the active; what goes back. */
  take(bytes: Uint8Array): Uint8Array[] {
    const actions = this.sync.step({ kind: "frame", bytes }, START_MS);
    return actions.flatMap((action) => (action.kind === "send" ? [action.bytes] : []));
  }
}

/** Carries frames to and fro until nothing is left. */
export function exchange(active: Active, standby: Standby): void {
  while (active.frames.length > 0) {
    const { frames } = active;
    active.frames = [];
    for (const frame of frames) for (const reply of standby.take(frame)) active.take(reply);
  }
}
