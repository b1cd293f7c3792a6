/**
 * One firewall of a pair in one thread: the machines and the sessions that they share with the peer. Inputs and the time go
 * in, actions come out; clock, packets and randomness are the caller's. The caller gives the frames of the networks to
 * `process`, and everything that is for the box itself to `step`.
 */
import type { Bfd } from "./bfd/index.js";
import type { Dataplane } from "./dataplane.js";
import type { Hsrp } from "./hsrp/index.js";
import type { ConfigureInput, ControlOptions, NodeAction, NodeInput, NodeOptions } from "./node/actions.js";
import { ControlNode } from "./node/control.js";
import { sharingOf } from "./node/facts.js";
import type { DeferCounters } from "./node/defer.js";
import { type SessionsAction, SharedSessions } from "./node/shared-sessions.js";
import type { Redundancy } from "./redundancy/index.js";
import type { Endpoint } from "./sctp/index.js";
import type { SessionSync } from "./sync/session-sync.js";

export type {
  Carrier,
  ConfigureInput,
  DatagramInput,
  NodeAction,
  NodeInput,
  NodeOptions,
} from "./node/actions.js";

export class Node {
  #options: NodeOptions;
  readonly #sessions: SharedSessions;
  readonly #control: ControlNode;

  /** `original`: for `clone`. */
  constructor(options: NodeOptions, original?: Node) {
    const { dataplane, newDataplane } = options;
    this.#options = options;
    if (original !== undefined) {
      this.#sessions = original.#sessions.clone(dataplane);
      this.#control = original.#control.clone(this.#sessions);
      return;
    }
    const control: ControlOptions = { ...options, sessions: dataplane.capacity.sessions };
    this.#sessions = new SharedSessions(dataplane, { ...sharingOf(control), newDataplane });
    this.#control = new ControlNode(control, this.#sessions);
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
    return [...this.#control.start(nowMs), ...this.#tick(nowMs)];
  }

  /** When the next "tick" is due. */
  get deadlineMs(): number {
    return Math.min(this.#control.deadlineMs, this.#sessions.deadlineMs);
  }

  /** Another one after a trap of the core. */
  get dataplane(): Dataplane {
    return this.#sessions.dataplane;
  }

  /** Frames that arrive now are to wait until the role has changed: a handover is under way. */
  get isDraining(): boolean {
    return this.#sessions.isDraining;
  }

  get hsrp(): Hsrp {
    return this.#control.hsrp;
  }

  get redundancy(): Redundancy {
    return this.#control.redundancy;
  }

  get bfd(): Bfd {
    return this.#control.bfd;
  }

  get sync(): SessionSync {
    return this.#sessions.sync;
  }

  get sctp(): Endpoint | undefined {
    return this.#control.sctp;
  }

  get deferCounters(): Readonly<DeferCounters> {
    return this.#sessions.deferCounters;
  }

  /**
   * Handles one input. `dataplane.batch` is empty afterwards but for the outputs that the action "expired" tells of. A
   * configuration that the dataplane cannot take: throws ConfigError, and nothing has changed.
   */
  step(input: NodeInput, nowMs: number): NodeAction[] {
    if (input.kind === "trap") return this.#tell(this.#sessions.trap(nowMs), nowMs);
    const news = this.#sessions.expire(nowMs);
    if (input.kind === "configure") news.push(...this.#reconfigure(input, nowMs));
    const out = this.#control.step([{ kind: "sessions", actions: news }, input], nowMs);
    return [...out, ...this.#tick(nowMs)];
  }

  /**
   * Decides the frames of `dataplane.batch`; the verdicts stand in it afterwards, `outputs` of them. What changed goes to
   * the peer. An output for which `batch.isDeferred` must not leave yet: see `defer`.
   */
  process(nowMs: number): { outputs: number; actions: NodeAction[] } {
    const { outputs, actions } = this.#sessions.process(nowMs);
    return { outputs, actions: this.#tell(actions, nowMs) };
  }

  /**
   * A first reply of which the last `process` said that it has to wait for the peer. The action "release" with the token
   * says when it may leave. False: nothing can wait, it leaves now.
   */
  defer(token: number, nowMs: number): boolean {
    return this.#sessions.defer(token, nowMs);
  }

  #reconfigure({ config, macs }: ConfigureInput, nowMs: number): SessionsAction[] {
    const control = { ...this.#options, config, macs, sessions: this.dataplane.capacity.sessions };
    const actions = this.#sessions.reconfigure({ config, ...sharingOf(control) }, nowMs);
    this.#options = { ...this.#options, config, macs };
    return actions;
  }

  /** The sessions have something to say; then what is due is done. */
  #tell(actions: readonly SessionsAction[], nowMs: number): NodeAction[] {
    return [...this.#control.step([{ kind: "sessions", actions }], nowMs), ...this.#tick(nowMs)];
  }

  /** What the sessions do when their time has come. */
  #tick(nowMs: number): NodeAction[] {
    const actions = this.#sessions.tick(nowMs);
    return actions.length === 0 ? [] : this.#control.step([{ kind: "sessions", actions }], nowMs);
  }
}
