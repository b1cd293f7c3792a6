/**
 * BFD of one box (RFC 5880, RFC 5881): all sessions with neighbors on its links, in asynchronous mode. Time and packets
 * go in, packets to send and changes of state come out; see actions.ts. Nothing here reads a clock or touches a socket.
 */
import type { BfdAction, BfdInput, Liveness, Path } from "./actions.js";
import { admit } from "./admit.js";
import {
  changeParameters,
  deadlineOf,
  disable,
  expire,
  forgive,
  hear,
  newSession,
  silence,
} from "./session.js";
import {
  type BfdState,
  type Context,
  copyState,
  type Counters,
  count,
  detectAtMs,
  detectionMs,
  initialState,
  isSamePath,
  NEVER_MS,
  peerDetectionMs,
  type Session,
  sendIntervalMs,
} from "./state.js";
import { type NeighborView, viewOf } from "./view.js";

export interface BfdOptions {
  /** Random 32-bit numbers that nobody can guess, for discriminators, ports, sequence numbers and jitter. */
  readonly random: () => number;
  /** Of both boxes, see `keyOf`; undefined: packets are not authenticated. */
  readonly key?: Uint8Array | undefined;
}

/** Sessions of one box; a pair has one on each network between the boxes. */
export const SESSIONS_MAX = 64;

/** A timer that is late by more than this part of the shortest detection time says that the process stood still. */
const LATE_PART = 1 / 4;

export class Bfd {
  readonly #options: BfdOptions;
  readonly #state: BfdState;
  #deadlineMs: number;

  /** `original`: a machine with the same options that this one is to be a copy of. */
  constructor(options: BfdOptions, original?: Bfd) {
    this.#options = options;
    this.#state = original === undefined ? initialState() : copyState(original.#state);
    this.#deadlineMs = original === undefined ? NEVER_MS : original.#deadlineMs;
  }

  /** When the next `tick` is due; Infinity: nothing is awaited. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  get counters(): Readonly<Counters> {
    return this.#state.counters;
  }

  /**
   * Handles one input. `nowMs`: a monotonic clock in milliseconds that never goes back. Timers run out by "tick" alone:
   * what has arrived is to be given before.
   */
  step(input: BfdInput, nowMs: number): BfdAction[] {
    const { random, key } = this.#options;
    const context: Context = { nowMs, random, key, state: this.#state, actions: [] };
    if (!this.#state.isStopped) this.#take(context, input);
    this.#deadlineMs = this.#state.isStopped
      ? NEVER_MS
      : Math.min(NEVER_MS, ...this.#state.sessions.map(deadlineOf));
    return context.actions;
  }

  /** What a path says of the neighbor; `unknown` where there is no session. */
  liveness(path: Path): Liveness {
    return this.#find(path)?.liveness ?? "unknown";
  }

  /** Whether the session of a path is up. */
  isUp(path: Path): boolean {
    return this.#find(path)?.state === "up";
  }

  /**
   * A pause of this box after which a neighbor may take it for dead on all paths: the last packet may be an interval old
   * when it begins. Infinity: no session is up.
   */
  get pauseMaxMs(): number {
    const up = this.#state.sessions.filter(({ state }) => state === "up");
    if (up.length === 0) return NEVER_MS;
    return Math.max(...up.map((session) => peerDetectionMs(session) - sendIntervalMs(session)));
  }

  /** What `show bfd neighbors details` shows, at `nowMs`. */
  views(nowMs: number): NeighborView[] {
    return this.#state.sessions.map((session) => viewOf(session, nowMs));
  }

  /** An independent machine in the same state; both draw from the same random numbers. */
  clone(): Bfd {
    return new Bfd(this.#options, this);
  }

  #find(path: Path): Session | undefined {
    return this.#state.sessions.find((session) => isSamePath(session.path, path));
  }

  #take(context: Context, input: BfdInput): void {
    const { state } = context;
    switch (input.kind) {
      case "tick":
        this.#pass(context);
        return;
      case "link":
        this.#setLink(context, input.interface, input.isUp);
        return;
      case "packet": {
        const admitted = admit(context, input);
        if (admitted !== undefined) hear(context, admitted.session, admitted.packet);
        return;
      }
      case "session": {
        const known = this.#find(input.path);
        if (known !== undefined) {
          changeParameters(context, known, input.parameters);
        } else if (state.sessions.length < SESSIONS_MAX) {
          state.sessions.push(newSession(context, input.path, input.parameters));
        } else count(context, "sessionsFull");
        return;
      }
      case "remove":
        for (const session of state.sessions.filter(({ path }) => isSamePath(path, input.path)))
          disable(context, session);
        state.sessions = state.sessions.filter(({ path }) => !isSamePath(path, input.path));
        return;
      case "stop":
        for (const session of state.sessions) disable(context, session);
        state.isStopped = true;
        return;
    }
  }

  /** Handles the timers that have run out. */
  #pass(context: Context): void {
    const { sessions } = context.state;
    const lateMs = context.nowMs - this.#deadlineMs;
    const detected = sessions.filter((session) => detectAtMs(session) !== NEVER_MS);
    if (detected.length > 0 && lateMs > LATE_PART * Math.min(...detected.map(detectionMs))) {
      count(context, "stalls");
      for (const session of detected) forgive(context, session, lateMs);
    }
    for (const session of sessions) if (deadlineOf(session) <= context.nowMs) expire(context, session);
  }

  #setLink(context: Context, name: string, isUp: boolean): void {
    const { linksUp, sessions } = context.state;
    if ((linksUp[name] ?? false) === isUp) return;
    if (isUp) linksUp[name] = true;
    else delete linksUp[name];
    for (const session of sessions.filter(({ path }) => path.interface === name)) {
      if (isUp) session.sendAtMs = context.nowMs;
      else silence(context, session, "linkDown");
    }
  }
}
