/**
 * One box of a pair in a thread of its own, as the host sees it: it starts and dies, takes batches and answers them, and
 * reports. Its thread runs src/io/pair/worker.ts; it ends at whatever it was doing.
 */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { NodeInput } from "../../node.js";
import {
  type BatchShape,
  BatchWriter,
  type Release,
  VerdictReader,
  type Verdicts,
} from "../../pair/batch-slot.js";
import type { BoxName, BoxStatus } from "../../pair/boxes.js";
import type { Control } from "../../pair/control.js";
import type { Account, BoxReport, BoxRequest } from "../../pair/hosted-box.js";
import type { RfState } from "../../redundancy/index.js";
import { RingReader } from "../../ring.js";
import { workerFile } from "../worker-file.js";
import type { BoxData } from "./worker.js";

export type ThreadStatus = BoxStatus | "starting";

/** An action that a box reports, or a change of its status. */
export type ThreadEvent =
  | (Extract<BoxReport, { kind: "action" }> & { readonly box: BoxName })
  | {
      readonly kind: "status";
      readonly box: BoxName;
      readonly status: ThreadStatus;
      readonly atMs: number;
      /** What a box died of, unless it was killed. */
      readonly error?: Error;
    };

/** What a ring has refused because it was full, since the start. */
export interface RefusedCounters {
  /** Batches of the host. */
  readonly packets: number;
  /** Datagrams of the other box. */
  readonly datagrams: number;
}

export interface BoxThreadOptions {
  /** What the thread is started with, but for where its requests come from. */
  readonly data: Omit<BoxData, "requests">;
  readonly shape: BatchShape;
  /** Over `data.control`. */
  readonly control: Control;
  /** The clock of the boxes, ms. */
  readonly nowMs: () => number;
  readonly onEvent: (event: ThreadEvent) => void;
  /** There may be something new: verdicts, an event, an answer. */
  readonly onNews: () => void;
}

/** The thread of one life, and where it takes its requests. */
interface Life {
  readonly worker: Worker;
  readonly requests: MessagePort;
}

export class BoxThread {
  readonly name: BoxName;
  readonly #options: BoxThreadOptions;
  readonly #batches: BatchWriter;
  readonly #verdicts: VerdictReader;
  readonly #fromPeer: RingReader;
  #life: Life | undefined;
  #status: ThreadStatus = "dead";
  #state: RfState | undefined;
  /** Frames of batches that have no verdicts yet, by the number of the batch: of this life, and of those before. */
  #unanswered = new Map<number, number>();
  readonly #orphaned = new Map<number, number>();
  #framesLost = 0;
  /** Who waits for an account, and for the box to stand still. */
  readonly #accounts: ((account: Account | undefined) => void)[] = [];
  readonly #freezing: (() => void)[] = [];
  #isClosed = false;

  constructor(options: BoxThreadOptions) {
    const { name, rings } = options.data;
    this.name = name;
    this.#options = options;
    this.#batches = new BatchWriter(rings.packets, options.shape);
    this.#verdicts = new VerdictReader(rings.verdicts);
    this.#fromPeer = new RingReader(rings.fromPeer);
  }

  get status(): ThreadStatus {
    return this.#status;
  }

  /** The redundancy state that it last reported; undefined: none in this life. */
  get state(): RfState | undefined {
    return this.#state;
  }

  /** Frames that it was given and has not answered for. */
  get unanswered(): number {
    return total(this.#unanswered);
  }

  /** Frames that died with it. Complete when the verdicts have been read. */
  get framesLost(): number {
    return this.#framesLost;
  }

  get refused(): RefusedCounters {
    return { packets: this.#batches.refused, datagrams: this.#fromPeer.refused };
  }

  // --- batches and verdicts

  /**
   * Hands it a batch: `fill` adds its frames. False: it does not run, its ring is full (which is counted), or nothing
   * was added.
   */
  offer(fill: (batch: BatchWriter) => void): boolean {
    const batches = this.#batches;
    if (this.#status === "dead" || this.#status === "starting" || !batches.open()) return false;
    fill(batches);
    const { frames } = batches;
    if (frames === 0) return false;
    this.#unanswered.set(batches.publish(), frames);
    this.#options.control.wake(this.name);
    return true;
  }

  hasVerdicts(): boolean {
    return this.#verdicts.hasNews();
  }

  /** Hands over what it has decided, and the first replies that may leave. How many batches those were. */
  verdicts(take: (verdicts: Verdicts) => void, release?: (release: Release) => void): number {
    const unanswered = this.#unanswered;
    const orphaned = this.#orphaned;
    const orphans = orphaned.size;
    let batches = 0;
    const answered = (verdicts: Verdicts): void => {
      batches++;
      if (!unanswered.delete(verdicts.number)) orphaned.delete(verdicts.number);
      take(verdicts);
    };
    while (this.#verdicts.take(answered, (each) => release?.(each))) this.#options.control.wake(this.name);
    if (orphans > 0) {
      this.#framesLost += total(orphaned);
      orphaned.clear();
    }
    return batches;
  }

  // --- life and death

  /** Starts it if it is dead, with an empty memory; resolves when it runs. Rejects with what the thread died of. */
  boot(): Promise<void> {
    if (this.#isClosed || this.#life !== undefined) return Promise.resolve();
    const { name } = this;
    const { data, control } = this.#options;
    const { port1, port2 } = new MessageChannel();
    const workerData: BoxData = { ...data, requests: port2 };
    const worker = new Worker(workerFile("pair/worker"), {
      name: `box ${name}`,
      workerData,
      transferList: [port2],
    });
    this.#life = { worker, requests: port1 };
    this.#state = undefined;
    control.setFrozen(name, false);
    this.#setStatus("starting");
    return new Promise((resolve, reject) => {
      let error: Error | undefined;
      worker.on("message", (report: BoxReport) => {
        if (report.kind === "ready") {
          this.#setStatus("running");
          resolve();
        }
        this.#take(report);
      });
      worker.on("error", (each: Error) => {
        error = each;
      });
      worker.on("exit", () => {
        this.#bury(error);
        // Nobody hears this when it ran before.
        reject(error ?? new Error(`box ${name} ended before it ran`));
      });
    });
  }

  #take(report: BoxReport): void {
    if (report.kind === "action") {
      const { action } = report;
      if (action.kind === "state" && "own" in action) this.#state = action.own;
      this.#options.onEvent({ ...report, box: this.name });
      // A supervisor starts the process again; if that fails, its status says so.
      if (action.kind === "exit") this.#life?.worker.once("exit", () => this.boot().catch(() => {}));
    } else if (report.kind === "account") {
      this.#accounts.shift()?.(report.account);
    } else if (report.kind === "frozen") {
      for (const done of this.#freezing.splice(0)) done();
    }
    this.#options.onNews();
  }

  #bury(error: Error | undefined): void {
    this.#life?.requests.close();
    this.#life = undefined;
    for (const [number, frames] of this.#unanswered) this.#orphaned.set(number, frames);
    this.#unanswered = new Map();
    for (const answer of this.#accounts.splice(0)) answer(undefined);
    for (const done of this.#freezing.splice(0)) done();
    this.#setStatus("dead", error);
    this.#options.onNews();
  }

  #setStatus(status: ThreadStatus, error?: Error): void {
    if (this.#status === status && error === undefined) return;
    this.#status = status;
    const event = { kind: "status", box: this.name, status, atMs: this.#options.nowMs() } as const;
    this.#options.onEvent(error === undefined ? event : { ...event, error });
  }

  /** Ends the thread where it stands; resolves when it has ended. */
  async kill(): Promise<void> {
    if (this.#life === undefined) return;
    this.#setStatus("dead");
    await this.#life.worker.terminate();
  }

  /** Ends it for good. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.kill();
  }

  /** Has it stop and read nothing any more; resolves when it stands still. */
  hang(): Promise<void> {
    if (this.#status !== "running") return Promise.resolve();
    this.#setStatus("hung");
    return new Promise((resolve) => {
      this.#freezing.push(resolve);
      this.#options.control.setFrozen(this.name, true);
    });
  }

  /** Lets it go on where it hangs: its timers are late, and what waited arrives. */
  wake(): void {
    if (this.#status !== "hung") return;
    this.#options.control.setFrozen(this.name, false);
    this.#setStatus("running");
  }

  // --- requests

  /** What it has, and has counted in this life; undefined: it is dead, or died before it could answer. */
  account(): Promise<Account | undefined> {
    if (this.#life === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#accounts.push(resolve);
      this.#ask({ kind: "account" });
    });
  }

  /** Gives it an input that is not a packet, like an operator's command. */
  step(input: NodeInput): void {
    this.#ask({ kind: "input", input });
  }

  #ask(request: BoxRequest): void {
    this.#life?.requests.postMessage(request);
    this.#options.control.noteChange(this.name);
  }
}

const total = (batches: ReadonlyMap<number, number>): number =>
  [...batches.values()].reduce((sum, frames) => sum + frames, 0);
