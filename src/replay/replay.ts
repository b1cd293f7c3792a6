/**
 * A capture through the firewall: packets go in as batches of the reader, in the capture's own time, and verdicts come
 * out in the order of the capture. Constant memory: fragments may be held for a bounded number of packets and bytes.
 *
 * Nothing is allocated for a packet unless its verdict, or the packet itself, is wanted.
 */
import * as L from "../../assembly/layout.js";
import type { Batch } from "../batch.js";
import {
  type CaptureInterface,
  ethertypeOf,
  headerLengthOf,
  locate,
  type PacketBatch,
} from "../capture/index.js";
import { CAPACITY_DEFAULT } from "../core.js";
import type { Dataplane } from "../dataplane.js";
import type { ReasonTally, Tally } from "../report/report.js";
import { VirtualClock } from "./clock.js";
import { bySource, type Ingress, NOT_SENT } from "./ingress.js";
import { type RowSink, VerdictQueue } from "./order.js";
import { ReasonCounts } from "./reason-counts.js";

/** How much of the capture may follow a fragment before it is given up: all of it waits for its verdict. */
export interface HeldLimits {
  readonly packets: number;
  /** Captured bytes. */
  readonly bytes: number;
}

export const HELD_LIMITS: HeldLimits = { packets: 1_048_576, bytes: 128 * 1024 * 1024 };

/** Groups of sessions that one call visits at the end: each session may report one event. */
const EXPIRE_GROUPS = Math.floor(CAPACITY_DEFAULT.events / L.GROUP_SLOTS);

/** Why the replay cannot go on with a packet. */
export interface ReplayProblem {
  readonly problem: string;
}

export interface ReplayOptions {
  /** Where packets enter; by their source address when absent. */
  readonly ingress?: Ingress;
  /** Takes each packet's verdict, in capture order. */
  readonly verdicts?: RowSink;
  /** The packet itself is handed over with its verdict. */
  readonly packets?: boolean;
  /** Called after each call of the firewall, whose events can be read then. */
  readonly events?: (nowMs: number) => void;
  /** HELD_LIMITS when absent. */
  readonly heldLimits?: HeldLimits;
  /** Sessions that the table of the firewall holds; CAPACITY_DEFAULT when absent. */
  readonly sessionsMax?: number;
}

export class Replay {
  readonly #dataplane: Dataplane;
  readonly #batch: Batch;
  readonly #clock = new VirtualClock();
  readonly #ingress: Ingress;
  readonly #events: ((nowMs: number) => void) | undefined;
  readonly #sink: RowSink | undefined;
  readonly #keepsPackets: boolean;
  readonly #queue = new VerdictQueue();
  readonly #flags: number;
  readonly #heldLimits: HeldLimits;
  readonly #sessionsMax: number;

  /** Packets and wire bytes by reason code. */
  readonly #reasons = new ReasonCounts();
  #notSentPackets = 0;
  #notSentBytes = 0;
  /** Packets and captured bytes of the capture so far. */
  #seen = 0;
  #seenBytes = 0;

  /** Of the frames in the batch: the bytes on the wire, the link header included. */
  readonly #wire: Float64Array;
  /** Of the frames that are held, by cookie, the oldest first. */
  readonly #held = new Map<number, HeldFrame>();
  /** Virtual time of the frames in the batch. */
  #batchMs = 0;

  constructor(dataplane: Dataplane, options: ReplayOptions = {}) {
    this.#dataplane = dataplane;
    this.#batch = dataplane.batch;
    this.#ingress = options.ingress ?? bySource;
    this.#events = options.events;
    this.#sink = options.verdicts;
    this.#keepsPackets = options.packets ?? false;
    this.#flags = this.#sink === undefined ? 0 : L.DF_IDS;
    this.#heldLimits = options.heldLimits ?? HELD_LIMITS;
    this.#sessionsMax = options.sessionsMax ?? CAPACITY_DEFAULT.sessions;
    this.#wire = new Float64Array(this.#batch.capacity);
    this.#batch.clear();
  }

  /** Packets of the capture so far. */
  get packets(): number {
    return this.#seen;
  }

  /** Virtual ms since the first packet. */
  get nowMs(): number {
    return this.#clock.nowMs;
  }

  /**
   * Takes the packets of one batch of the reader. A problem ends the replay: the packets before it have been taken,
   * and `finish` is still to be called.
   */
  feed(packets: PacketBatch, interfaces: readonly CaptureInterface[]): ReplayProblem | undefined {
    for (let i = 0; i < packets.count; i++) {
      const n = this.#seen + 1;
      const index = packets.interfaceIndex[i]!;
      const ingress = this.#ingress.of(n, index, interfaces);
      if (typeof ingress === "object") return ingress;
      this.#seen = n;
      this.#seenBytes += packets.capturedLength[i]!;
      if (packets.timed[i] === 1) this.#clock.advance(packets.timeSeconds[i]!, packets.timeNanos[i]!);
      if (ingress === NOT_SENT) {
        this.#notSentPackets++;
        this.#notSentBytes += packets.wireLength[i]!;
      } else {
        this.#send(packets, i, ingress, interfaces[index]!);
      }
    }
    // What the batch and the queue refer to is about to be overwritten by the reader.
    if (this.#keepsPackets) {
      this.#decide();
      this.#queue.keepPackets();
    }
    return undefined;
  }

  /** The capture is over: decides what is left. Afterwards says what was wrong with the choice of interfaces. */
  finish(interfaces: readonly CaptureInterface[]): ReplayProblem | undefined {
    this.#decide();
    this.#expire();
    this.#flush();
    if (this.#held.size > 0) throw new Error("the firewall keeps frames that it was told to give up");
    return this.#ingress.end(interfaces);
  }

  /** The reasons that were met, in the order of decisions. */
  reasons(): ReasonTally[] {
    return this.#reasons.tallies();
  }

  /** Packets that the list of interfaces leaves out. */
  notSent(): Tally {
    return { packets: this.#notSentPackets, bytes: this.#notSentBytes };
  }

  #send(packets: PacketBatch, i: number, ingress: number, captured: CaptureInterface): void {
    const { bytes } = packets;
    const batch = this.#batch;
    const offset = packets.offset[i]!;
    const length = packets.capturedLength[i]!;
    // Some writers give a length on the wire below that of the bytes they kept.
    const wire = Math.max(packets.wireLength[i]!, length);
    const nowMs = this.#clock.nowMs;
    // One call has one time.
    if (nowMs !== this.#batchMs && batch.length > 0) this.#decide();
    this.#batchMs = nowMs;
    const found = locate(captured.link, bytes, offset, length);
    const header = headerLengthOf(found);
    const ethertype = ethertypeOf(found);
    const from = offset + header;
    const kept = length - header;
    const ticket = this.#ticket(packets, i);
    if (!batch.addFrom(bytes, from, kept, wire - header, ingress, ethertype, this.#flags, ticket)) {
      this.#decide();
      if (!batch.addFrom(bytes, from, kept, wire - header, ingress, ethertype, this.#flags, ticket)) {
        throw new Error(`a frame of ${kept} bytes does not fit into an empty batch`);
      }
    }
    this.#wire[batch.length - 1] = packets.wireLength[i]!;
  }

  /** What the firewall gives back beside the verdict. */
  #ticket(packets: PacketBatch, i: number): number {
    if (this.#sink === undefined) return this.#seen >>> 0;
    const packet = this.#keepsPackets ? packets.packet(i) : undefined;
    return this.#queue.push(this.#seen, packets.timeSeconds[i]!, packets.timeNanos[i]!, packet);
  }

  /** Has the firewall decide what is in the batch, and empties it. */
  #decide(): void {
    const batch = this.#batch;
    const added = batch.length;
    if (added === 0) return;
    const outputs = this.#dataplane.process(this.#batchMs);
    for (let i = 0; i < added; i++) {
      const reason = batch.reasonCode(i);
      this.#reasons.add(reason, this.#wire[i]!);
      if (reason === L.R_HELD) this.#hold(batch.cookie(i), this.#wire[i]!);
      else if (this.#sink !== undefined) this.#note(i, reason);
    }
    this.#release(added, outputs);
    this.#handOver();
    if (this.#isHeldTooLong()) this.#flush();
  }

  /** Ends every session whose time is over, in steps whose events the firewall can hold. */
  #expire(): void {
    this.#batchMs = this.#clock.nowMs;
    const groups = Math.ceil(this.#sessionsMax / L.GROUP_FILL);
    for (let done = 0; done < groups; done += EXPIRE_GROUPS) {
      this.#release(0, this.#dataplane.expire(this.#batchMs, EXPIRE_GROUPS));
      this.#handOver();
    }
  }

  /** Gives up every frame that is held. */
  #flush(): void {
    if (this.#held.size === 0) return;
    this.#release(0, this.#dataplane.flush(this.#batchMs));
    this.#handOver();
  }

  #hold(cookie: number, wire: number): void {
    this.#held.set(cookie, { wire, seen: this.#seen, seenBytes: this.#seenBytes });
  }

  /** Frames that were held and have their verdict now. */
  #release(first: number, outputs: number): void {
    const batch = this.#batch;
    for (let i = first; i < outputs; i++) {
      const reason = batch.reasonCode(i);
      const cookie = batch.cookie(i);
      const held = this.#held.get(cookie);
      if (held === undefined) throw new Error(`the firewall released frame ${cookie}, which was not held`);
      this.#held.delete(cookie);
      this.#reasons.add(reason, held.wire);
      if (this.#sink !== undefined) this.#note(i, reason);
    }
  }

  #note(i: number, reason: number): void {
    const batch = this.#batch;
    const cookie = batch.cookie(i);
    this.#queue.decide(cookie, batch.ingress(i), batch.egress(i), reason, batch.session(i), batch.rule(i));
  }

  #handOver(): void {
    this.#events?.(this.#batchMs);
    this.#batch.clear();
    if (this.#sink !== undefined) this.#queue.drain(this.#sink);
  }

  #isHeldTooLong(): boolean {
    if (this.#held.size === 0) return false;
    const oldest = this.#held.values().next().value!;
    const { packets, bytes } = this.#heldLimits;
    return this.#seen - oldest.seen > packets || this.#seenBytes - oldest.seenBytes > bytes;
  }
}

interface HeldFrame {
  /** Bytes on the wire. */
  readonly wire: number;
  /** Packets and bytes of the capture when it was held. */
  readonly seen: number;
  readonly seenBytes: number;
}
