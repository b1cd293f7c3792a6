/** What a replay through a pair writes down, however the boxes run: the packets and what became of them. */
import {
  type CaptureInterface,
  ethertypeOf,
  headerLengthOf,
  locate,
  type PacketBatch,
} from "../capture/index.js";
import type { Config } from "../config/model.js";
import { VirtualClock } from "../replay/clock.js";
import { ReasonCounts } from "../replay/reason-counts.js";
import { type Replayed, type ReplayFacts, reportOf } from "../replay/gather.js";
import type { FailoverReport } from "../report/failover.js";
import type { ReasonTally, Report, Tally } from "../report/report.js";
import type { Session } from "../session-view.js";
import { History, type PacketLoss } from "./history.js";
import { isStateful } from "./networks.js";
import { type Life, Totals } from "./totals.js";

/** Longest time that a pair may take to settle before the capture begins. */
export const SETTLE_MAX_MS = 900_000;
/** How long the pair runs on after the last packet, so that a failure near the end has its outcome. */
export const EPILOGUE_MS = 30_000;

/** Where the frame of a captured packet lies, as a box takes it. */
export interface CapturedFrame {
  readonly offset: number;
  readonly length: number;
  readonly wireLength: number;
  /** 0: an Ethernet frame; else the payload of that type. */
  readonly ethertype: number;
}

/** Packet `i`, without a link header that the core does not know. */
export function frameOf(packets: PacketBatch, i: number, { link }: CaptureInterface): CapturedFrame {
  const offset = packets.offset[i]!;
  const length = packets.capturedLength[i]!;
  const found = locate(link, packets.bytes, offset, length);
  const header = headerLengthOf(found);
  return {
    offset: offset + header,
    length: length - header,
    wireLength: Math.max(packets.wireLength[i]!, length) - header,
    ethertype: ethertypeOf(found),
  };
}

export class ReplayBook implements Replayed {
  readonly history: History;
  readonly #config: Config;
  readonly #clock: VirtualClock;
  readonly #totals = new Totals();
  readonly #reasons = new ReasonCounts();
  /** First replies that wait for the standby: since when. */
  readonly #waiting = new Map<number, number>();
  #packets = 0;
  #lostPackets = 0;
  #lostBytes = 0;

  /** `original`: for `fork`. */
  constructor(config: Config, original?: ReplayBook) {
    this.#config = config;
    this.#clock = new VirtualClock(original === undefined ? undefined : original.#clock);
    this.#packets = original === undefined ? 0 : original.#packets;
    this.history = new History(isStateful(config));
  }

  /** An empty book that goes on at the same packet. */
  fork(): ReplayBook {
    return new ReplayBook(this.#config, this);
  }

  /** Packets so far. */
  get packets(): number {
    return this.#packets;
  }

  /** Ms of the capture from its first packet to the last one so far. */
  get nowMs(): number {
    return this.#clock.nowMs;
  }

  /** Goes on to packet `i`. */
  next(packets: PacketBatch, i: number): void {
    if (packets.timed[i] === 1) this.#clock.advance(packets.timeSeconds[i]!, packets.timeNanos[i]!);
    this.#packets++;
  }

  /** A packet has reached no firewall. */
  lost(why: PacketLoss, bytes: number): void {
    this.history.packetLost(why);
    this.#lostPackets++;
    this.#lostBytes += bytes;
  }

  /** A packet was decided for a reason R_*. */
  decided(reason: number, bytes: number): void {
    this.#reasons.add(reason, bytes);
  }

  /** A first reply waits from now on. */
  waits(packet: number, nowMs: number): void {
    this.#waiting.set(packet, nowMs);
  }

  /** It may leave now. */
  released(packet: number, nowMs: number): void {
    const since = this.#waiting.get(packet);
    this.#waiting.delete(packet);
    if (since !== undefined) this.history.deferredMs.push(nowMs - since);
  }

  /** Takes down what a box has counted in a life that ends. */
  count(life: Life): void {
    this.#totals.add(life);
  }

  /** The reasons that were met, over both boxes, in the order of decisions. */
  reasons(): ReasonTally[] {
    return this.#reasons.tallies();
  }

  /** Packets that reached no firewall. */
  notSent(): Tally {
    return { packets: this.#lostPackets, bytes: this.#lostBytes };
  }

  /**
   * What the failures cost. `seconds`: how long the pair has run since the first packet; `clockRate`: as in the report.
   */
  failover(seconds: number, clockRate?: number): FailoverReport {
    return this.history.report(seconds, this.#totals.sync, clockRate);
  }

  /** The report of the packets, over both boxes. `open`: the sessions that are left. */
  report(open: Iterable<Session>, facts: ReplayFacts): Report {
    return reportOf(this, this.#totals.counted(), undefined, open, facts);
  }
}
