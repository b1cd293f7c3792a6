/**
 * What if the active box had failed just now? Asked before each packet of a capture in turn: the pair is copied as it
 * stands, the copy fails, and the capture goes on through it until the outcome is known.
 */
import * as L from "../../assembly/layout.js";
import type { CaptureInterface, PacketBatch } from "../capture/index.js";
import type { Dataplane } from "../dataplane.js";
import type { SeededRandom } from "../random.js";
import { reasonOf } from "../reasons.js";
import type { FailEverywhereReport, LossAt } from "../report/fail-everywhere.js";
import type { FailureReport } from "../report/failover.js";
import { parseSessionId, type Session } from "../session-view.js";
import { inventoryOf, sessionLine } from "./failover.js";
import { PairReplay } from "./pair-replay.js";
import type { Failure } from "./plan.js";
import type { BoxName, BoxSetup, CloneNode } from "./world.js";

/** Packets after a take-over among which a packet of each session is looked for. */
export const FOLLOWED_MAX = 256;
/** Losses that are listed; of more, only the number is told. */
export const LOSSES_MAX = 10_000;

/** A capture that is kept. */
export interface KeptCapture {
  readonly batches: readonly PacketBatch[];
  readonly interfaces: readonly CaptureInterface[];
}

/** Both boxes before their boot, and where all their random numbers come from. */
export interface Seeded {
  readonly setups: Readonly<Record<BoxName, BoxSetup>>;
  readonly random: SeededRandom;
}

export interface FailEverywhereOptions {
  /** The same ones each time. */
  readonly boxes: () => Seeded;
  readonly capture: KeptCapture;
  /** A failure that hits the active box. */
  readonly what: Failure;
}

/** Where packet `index` (from 0) lies. */
interface Place {
  readonly batch: PacketBatch;
  readonly row: number;
}

/** Packets that are refused for these would have ended their session. */
const ENDING: ReadonlySet<number> = new Set([L.R_TCP_RST_WINDOW]);

const idOf = ({ id }: Session): bigint => parseSessionId(id)!;

export class FailEverywhere {
  readonly #options: FailEverywhereOptions;
  readonly #places: readonly Place[];
  /** Of a replay without a failure: the session that packet `index` passed for; 0n none. */
  readonly #sessionOf: BigUint64Array;
  /** The last packet of each session there. */
  readonly #lastOf = new Map<bigint, number>();
  readonly #losses: LossAt[] = [];
  #takeoversMs: number[] = [];
  #withoutTakeover = 0;
  #atStake = 0;
  #survived = 0;
  #lossesUntold = 0;

  constructor(options: FailEverywhereOptions) {
    this.#options = options;
    this.#places = options.capture.batches.flatMap((batch) =>
      Array.from({ length: batch.count }, (_, row) => ({ batch, row })),
    );
    this.#sessionOf = new BigUint64Array(this.#places.length);
  }

  /**
   * Does all of it. Yields the number of failures tried so far; returns why the pair does not come up, or undefined.
   */
  *run(): Generator<number, string | undefined, undefined> {
    const trouble = this.#replayWhole();
    if (trouble !== undefined) return trouble;
    const { setups, random } = this.#options.boxes();
    const initial = random.state;
    const spares = { A: setups.A.boot(0).dataplane, B: setups.B.boot(0).dataplane };
    random.state = initial;
    const main = new PairReplay({ setups, plan: [] });
    main.settle();
    for (const [index, { batch, row }] of this.#places.entries()) {
      main.reach(batch, row);
      const { state } = random;
      this.#failAt(main, index, spares);
      // What the copy drew is drawn again: this replay is the one without a failure.
      random.state = state;
      main.take(batch, row, this.#options.capture.interfaces);
      yield index + 1;
    }
    return undefined;
  }

  /** Of the capture. */
  get packets(): number {
    return this.#places.length;
  }

  report(): FailEverywhereReport {
    return {
      what: this.#options.what,
      failures: this.#places.length,
      takeoversMs: this.#takeoversMs.toSorted((a, b) => a - b),
      withoutTakeover: this.#withoutTakeover,
      sessionsAtStake: this.#atStake,
      sessionsSurvived: this.#survived,
      losses: this.#losses,
      lossesUntold: this.#lossesUntold,
    };
  }

  /** Replays without a failure, to know what each packet belongs to. */
  #replayWhole(): string | undefined {
    const { capture } = this.#options;
    const replay = new PairReplay({
      setups: this.#options.boxes().setups,
      plan: [],
      onVerdict: (packet, reason, session) => {
        if (reasonOf(reason).verdict !== "pass" || session === 0n) return;
        this.#sessionOf[packet - 1] = session;
        this.#lastOf.set(session, packet - 1);
      },
    });
    const trouble = replay.settle();
    if (trouble !== undefined) return trouble;
    for (const batch of capture.batches) replay.feed(batch, capture.interfaces);
    replay.finish();
    return undefined;
  }

  /** What becomes of the sessions if the active box fails before packet `index`. */
  #failAt(main: PairReplay, index: number, spares: Readonly<Record<BoxName, Dataplane>>): void {
    const { what } = this.#options;
    const [active] = main.world.actives();
    if (active === undefined) {
      this.#withoutTakeover++;
      return;
    }
    const cloneNode: CloneNode = (name, node) => {
      spares[name].copyFrom(node.dataplane);
      return node.clone(spares[name]);
    };
    const passed = new Set<bigint>();
    const dropped = new Map<bigint, string>();
    const fork = main.fork(
      {
        plan: [{ kind: "fail", what, when: { packet: index + 1 } }],
        onVerdict: (packet, reason, session, box) => {
          // Only who has taken over answers for a session.
          if (box === active || fork.world.node(box)?.dataplane.sync.role !== "active") return;
          const { verdict, name } = reasonOf(reason);
          if (verdict !== "drop") passed.add(session);
          else if (!ENDING.has(reason)) dropped.set(this.#sessionOf[packet - 1]!, name);
        },
      },
      cloneNode,
    );
    const before = [...inventoryOf(main.world.node(active)!.dataplane.sessions()).values()];
    this.#follow(fork, index, before.map(idOf), passed);
    const [outcome] = fork.history.failures;
    if (outcome === undefined) throw new Error("the failure did not happen");
    for (const session of passed) dropped.delete(session);
    this.#book(index + 1, before, outcome, dropped);
  }

  #book(
    packet: number,
    before: readonly Session[],
    { sessionsLost, sessionsSurvived, takeoverMilliseconds }: FailureReport,
    dropped: ReadonlyMap<bigint, string>,
  ): void {
    if (takeoverMilliseconds === undefined) this.#withoutTakeover++;
    else this.#takeoversMs.push(takeoverMilliseconds);
    const lost = new Map(sessionsLost.map(({ session, reason }) => [session, reason]));
    this.#atStake += before.length;
    this.#survived += sessionsSurvived;
    for (const session of before) {
      const line = sessionLine(session);
      const gone = lost.get(line);
      // A half-open one is begun anew by its hosts when its packets fell into the outage; a recording is not.
      const stuck = session.halfOpen ? undefined : dropped.get(idOf(session));
      if (gone === undefined && stuck === undefined) continue;
      if (gone === undefined) this.#survived--;
      const reason = gone ?? `the standby had it, but dropped every packet of it: ${stuck}`;
      if (this.#losses.length === LOSSES_MAX) this.#lossesUntold++;
      else this.#losses.push({ packet, session: line, isEstablished: !session.halfOpen, reason });
    }
  }

  /** Sends the capture on until a packet of every session has passed that has one left. */
  #follow(fork: PairReplay, index: number, sessions: readonly bigint[], passed: ReadonlySet<bigint>): void {
    const { interfaces } = this.#options.capture;
    let left = FOLLOWED_MAX;
    for (let next = index; next < this.#places.length && left > 0; next++) {
      if (fork.history.isSettled) {
        left--;
        const isAwaited = (id: bigint): boolean => !passed.has(id) && (this.#lastOf.get(id) ?? -1) >= next;
        if (!sessions.some(isAwaited)) break;
      }
      const { batch, row } = this.#places[next]!;
      if (next > index) fork.reach(batch, row);
      fork.take(batch, row, interfaces);
    }
    fork.settleFailures();
  }
}
