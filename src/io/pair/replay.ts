/**
 * A capture through a pair in threads, in real time: the same as src/pair/pair-replay.ts does in virtual time. Packets
 * leave when they are due, up to a millisecond late, and the boxes live by the machine's clock; so two runs differ.
 */
import * as L from "../../../assembly/layout.js";
import type { CaptureInterface, PacketBatch } from "../../capture/index.js";
import { Core, SEED_BYTES } from "../../core.js";
import { Dataplane } from "../../dataplane.js";
import { prepare } from "../../prepare.js";
import type { Verdicts } from "../../pair/batch-slot.js";
import { BOX_NAMES, type BoxName } from "../../pair/boxes.js";
import { apply, hitsActive, isDeath, Schedule } from "../../pair/breakage.js";
import { inventoryOf } from "../../pair/failover.js";
import type { History, PacketLoss } from "../../pair/history.js";
import { networkOf, networksOf, type PairNetworks } from "../../pair/networks.js";
import type { PlannedEvent } from "../../pair/plan.js";
import {
  type CapturedFrame,
  EPILOGUE_MS,
  frameOf,
  ReplayBook,
  SETTLE_MAX_MS,
} from "../../pair/replay-book.js";
import { groupTimersOf } from "../../redundancy/index.js";
import type { ReplayFacts } from "../../replay/gather.js";
import type { FailoverReport } from "../../report/failover.js";
import type { ReasonTally, Report, Tally } from "../../report/report.js";
import type { Session } from "../../session-view.js";
import { startThreads, type ThreadEvent, type Threads, type ThreadsOptions } from "./threads.js";

/** So long a hold time takes at the fastest: a busy machine must not make a box miss its hellos by it. */
const HOLD_MIN_MS = 250;
const RATE_MAX = 50;
/** How often it is looked whether the end may be reached, on the clock of the boxes. */
const EPILOGUE_STEP_MS = 100;
/**
 * A session with less time left is not at stake when its box fails: it may end by itself between the account of the box
 * and its end. On the clock of the boxes.
 */
const ENDING_MS = 1000;
/** Wait for room in the ring of a box. */
const ROOM_WAIT_MS = 1;

export interface ThreadReplayOptions
  extends Pick<ThreadsOptions, "configs" | "dataplane" | "module" | "software"> {
  readonly plan: readonly PlannedEvent[];
  /**
   * How many times as fast as it was recorded; the clock of the boxes goes as fast. Without it, as fast as the hold
   * time allows.
   */
  readonly speed?: number;
}

/** A frame that is to go to a box with the next batch. */
interface Due extends CapturedFrame {
  readonly bytes: Uint8Array;
  readonly ingress: number;
  readonly packet: number;
}

/** A frame that a box has not answered for. */
interface InFlight {
  readonly box: BoxName;
  readonly bytes: number;
}

/** Starts the threads of a replay. Rejects as `startThreads` does. */
export async function startThreadReplay(options: ThreadReplayOptions): Promise<ThreadReplay> {
  let replay: ThreadReplay | undefined;
  const early: ThreadEvent[] = [];
  const threads = await startThreads({
    ...options,
    isWatched: true,
    onEvent: (event) => (replay === undefined ? early.push(event) : replay.watch(event)),
  });
  replay = new ThreadReplay(threads, options);
  for (const event of early) replay.watch(event);
  return replay;
}

export class ThreadReplay {
  readonly threads: Threads;
  readonly #book: ReplayBook;
  readonly #schedule: Schedule;
  readonly #networks: PairNetworks;
  /** Knows the routes, and decides nothing. */
  readonly #map: Dataplane;
  readonly #speed: number;
  /** Until the capture begins: nobody waits for a `standby delay` of minutes. */
  readonly #settleRate: number;
  /** Time of the boxes at the first packet. */
  #startMs = 0;
  /** The same at the end of the replay; what happens afterwards is no part of it. */
  #endMs = Number.POSITIVE_INFINITY;
  #filling: BoxName | undefined;
  #due: Due[] = [];
  readonly #inFlight = new Map<number, InFlight>();
  #open: readonly Session[] = [];
  /** What a thread died of by itself. */
  #crash: Error | undefined;

  /** For `startThreadReplay`. */
  constructor(threads: Threads, { plan, speed }: ThreadReplayOptions) {
    const config = threads.config("A");
    this.threads = threads;
    this.#book = new ReplayBook(config);
    this.#schedule = new Schedule(plan);
    this.#networks = networksOf(config);
    const fastest = Math.min(Math.max(groupTimersOf(config).holdMs / HOLD_MIN_MS, 1), RATE_MAX);
    this.#speed = speed ?? fastest;
    this.#settleRate = Math.max(fastest, this.#speed);
    this.#map = mapOf(threads);
  }

  get history(): History {
    return this.#book.history;
  }

  /** Packets so far. */
  get packets(): number {
    return this.#book.packets;
  }

  /**
   * Waits until one box is active and the other has all sessions. Undefined: it has; else why not. Rejects with what a
   * thread died of. Where it does not come up, the threads have ended.
   */
  async settle(): Promise<string | undefined> {
    const { threads } = this;
    threads.setClockRate(this.#settleRate);
    if (await threads.settled(threads.realMs(SETTLE_MAX_MS - threads.nowMs))) {
      threads.setClockRate(this.#speed);
      this.#startMs = threads.nowMs;
      this.history.begin();
      return undefined;
    }
    const states = BOX_NAMES.map((name) => `${name}: ${threads.state(name) ?? threads.status(name)}`);
    await this.close();
    this.#throwCrash();
    return `the pair does not come up: ${states.join(", ")}`;
  }

  /** Takes the packets of one batch of the reader; resolves when the last one has left. */
  async feed(packets: PacketBatch, interfaces: readonly CaptureInterface[]): Promise<void> {
    for (let i = 0; i < packets.count; i++) {
      this.#book.next(packets, i);
      await this.#advance(this.#book.nowMs);
      await this.#offer(packets, i, interfaces[packets.interfaceIndex[i]!]!);
    }
    await this.#flush();
  }

  /**
   * The capture is over: resolves when nothing more is to be expected of the pair, and its threads have ended. Rejects
   * with what a thread died of by itself, which is a bug.
   */
  async finish(): Promise<void> {
    const lastMs = this.#book.nowMs + EPILOGUE_MS;
    await this.#flush();
    while (this.#captureMs < lastMs && !this.#isQuiet(lastMs))
      await this.#advance(Math.min(this.#captureMs + EPILOGUE_STEP_MS, lastMs));
    this.#pump();
    this.history.end();
    this.#endMs = this.threads.nowMs;
    for (const name of BOX_NAMES) {
      const account = this.threads.status(name) === "running" && (await this.threads.account(name));
      if (!account) continue;
      this.#book.count(account.life);
      if (this.threads.state(name) === "active") this.#open = account.sessions;
    }
    await this.close();
    this.#throwCrash();
  }

  /** Ends the threads, however far the replay has come. */
  close(): Promise<void> {
    return this.threads.close();
  }

  #throwCrash(): void {
    if (this.#crash !== undefined) throw this.#crash;
  }

  /** The reasons that were met, over both boxes, in the order of decisions. */
  reasons(): ReasonTally[] {
    return this.#book.reasons();
  }

  /** Packets that reached no firewall. */
  notSent(): Tally {
    return this.#book.notSent();
  }

  /** What the failures cost; after `finish`. */
  failover(): FailoverReport {
    return this.#book.failover(this.#secondsAt(this.#endMs), this.#speed);
  }

  /** The report of the packets, over both boxes; after `finish`. */
  report(facts: ReplayFacts): Report {
    return this.#book.report(this.#open, facts);
  }

  /** Writes down what a box reports. */
  watch(event: ThreadEvent): void {
    if (event.atMs > this.#endMs) return;
    const seconds = this.#secondsAt(event.atMs);
    const { box } = event;
    if (event.kind === "status") {
      this.#crash ??= event.error;
      const status = event.status === "starting" ? "dead" : event.status;
      this.history.status(seconds, box, status, this.threads.state(box));
      return;
    }
    const { action, sessions } = event;
    if (action.kind === "state" && "own" in action) {
      this.history.state(seconds, box, action.own);
    } else if (action.kind === "role" && sessions !== undefined) {
      this.history.tookOver(seconds, box, () => inventoryOf(sessions));
    }
  }

  /** What goes on by itself is over: failures have their outcomes, and the boxes that run have found their states. */
  #isQuiet(lastMs: number): boolean {
    const { threads } = this;
    const states = BOX_NAMES.filter((name) => ["running", "starting"].includes(threads.status(name))).map(
      (name) => threads.state(name),
    );
    return (
      this.history.isSettled &&
      !this.#schedule.hasMore(lastMs) &&
      states.includes("active") &&
      states.every((state) => state === "active" || state === "standbyHot") &&
      BOX_NAMES.every((name) => threads.status(name) === "hung" || threads.unanswered(name) === 0)
    );
  }

  get #captureMs(): number {
    return this.threads.nowMs - this.#startMs;
  }

  /** Lets the pair live up to a time of the capture; what is planned until then happens. */
  async #advance(captureMs: number): Promise<void> {
    const next = (): PlannedEvent | undefined => this.#schedule.next(this.packets, captureMs);
    for (let event = next(); event !== undefined; event = next()) {
      await this.#until("packet" in event.when ? captureMs : event.when.seconds * 1000);
      await this.#happen(event);
    }
    if (this.#captureMs < captureMs) await this.#until(captureMs);
  }

  async #until(captureMs: number): Promise<void> {
    await this.#flush();
    for (;;) {
      this.#pump();
      const restMs = this.threads.realMs(captureMs - this.#captureMs);
      if (restMs <= 0) return;
      await this.threads.arrival(restMs);
    }
  }

  async #happen(event: PlannedEvent): Promise<void> {
    await this.#flush();
    const { kind, what } = event;
    const { threads } = this;
    const active = BOX_NAMES.find(
      (name) => threads.status(name) === "running" && threads.state(name) === "active",
    );
    const box = this.#schedule.target(event, active);
    if (box === undefined) {
      this.history.planned(this.#seconds(), "", `${kind} ${what}: there is none`);
      return;
    }
    const account =
      kind === "fail" && threads.status(box) === "running" ? await threads.account(box) : undefined;
    this.history.planned(this.#seconds(), box, `${kind} ${what}`);
    if (account !== undefined) {
      if (hitsActive(what))
        this.history.failed(this.#seconds(), what, this.packets, box, inventoryOf(lasting(account.sessions)));
      if (isDeath(what)) this.#book.count(account.life);
    }
    const done = apply(event, box, threads, this.#networks);
    // A box that boots takes its time; the packets do not wait for it.
    if (kind === "recover") Promise.resolve(done).catch(() => {});
    else await done;
    this.#pump();
  }

  async #offer(packets: PacketBatch, i: number, captured: CaptureInterface): Promise<void> {
    const { bytes } = packets;
    const frame = frameOf(packets, i, captured);
    const { offset, length, ethertype } = frame;
    const network = networkOf(this.#map, this.#networks, bytes.subarray(offset, offset + length), ethertype);
    const owner = this.threads.owner(network);
    const why = this.#lossOf(owner, network);
    if (why !== undefined || owner === undefined) {
      this.#book.lost(why ?? "no_active", frame.wireLength);
      return;
    }
    if (this.#filling !== owner || this.#due.length === this.threads.shape.frames) await this.#flush();
    this.#filling = owner;
    const ingress = Math.max(this.threads.interfaces(owner).indexOf(network), 0);
    this.#due.push({ ...frame, bytes, ingress, packet: this.packets });
  }

  #lossOf(owner: BoxName | undefined, network: string): PacketLoss | undefined {
    if (owner === undefined) return "no_active";
    const status = this.threads.status(owner);
    if (status !== "running") return status === "starting" ? "dead" : status;
    return this.threads.isUp(owner, network) ? undefined : "link";
  }

  /** Gives the box what is due for it, and waits for room where there is none. */
  async #flush(): Promise<void> {
    const box = this.#filling;
    this.#filling = undefined;
    while (box !== undefined && this.#due.length > 0) {
      const status = this.threads.status(box);
      if (status !== "running") {
        for (const { wireLength } of this.#due.splice(0))
          this.#book.lost(status === "hung" ? "hung" : "dead", wireLength);
      } else if (!this.#give(box)) {
        this.#pump();
        await this.threads.arrival(ROOM_WAIT_MS);
      }
    }
  }

  /** Whether the box has taken a batch. */
  #give(box: BoxName): boolean {
    let given = 0;
    const isTaken = this.threads.offer(box, (batch) => {
      for (const { bytes, offset, length, wireLength, ingress, ethertype, packet } of this.#due) {
        if (!batch.add(bytes, offset, length, wireLength, ingress, ethertype, 0, packet)) break;
        this.#inFlight.set(packet, { box, bytes: wireLength });
        given++;
      }
    });
    this.#due.splice(0, given);
    return isTaken;
  }

  /** Takes what the boxes have decided. What a box has not answered for when it died is lost. */
  #pump(): void {
    for (const box of BOX_NAMES) {
      this.threads.verdicts(
        box,
        (verdicts) => this.#take(box, verdicts),
        ({ cookie, atMs }) => this.#book.released(cookie, atMs),
      );
      if (this.threads.status(box) !== "dead") continue;
      for (const [packet, inFlight] of this.#inFlight) {
        if (inFlight.box !== box) continue;
        this.#inFlight.delete(packet);
        this.#book.lost("dead", inFlight.bytes);
      }
    }
  }

  #take(box: BoxName, verdicts: Verdicts): void {
    for (let i = 0; i < verdicts.outputs; i++) {
      const reason = verdicts.reasonCode(i);
      if (reason === L.R_HELD) continue;
      const packet = verdicts.cookie(i);
      this.#inFlight.delete(packet);
      this.#book.decided(reason, verdicts.wireLength(i));
      if (verdicts.isDeferred(i)) this.#book.waits(packet, verdicts.decidedMs);
      const egress = verdicts.egress(i);
      if (egress !== 0 && !this.threads.isUp(box, this.threads.interfaces(box)[egress]!))
        this.history.lost.link++;
    }
  }

  #seconds(): number {
    return this.#secondsAt(this.threads.nowMs);
  }

  #secondsAt(atMs: number): number {
    return Math.max(0, atMs - this.#startMs) / 1000;
  }
}

const lasting = (sessions: readonly Session[]): Session[] =>
  sessions.filter(({ idleMs, timeoutMs }) => timeoutMs - idleMs > ENDING_MS);

/** A firewall with the routes of box A. */
function mapOf(threads: Threads): Dataplane {
  const options = { ...threads.dataplaneOptions("A") };
  const capacity = { ...options.capacity, sessions: L.SESSIONS_MIN };
  const setup = prepare({ ...options, capacity }, () => new Uint8Array(SEED_BYTES));
  return new Dataplane(Core.createSync(options.module, setup), setup);
}
