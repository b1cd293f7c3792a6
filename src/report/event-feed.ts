/** Log records of a live firewall: batches of events from the dataplane's thread, each with the names of its policy. */
import * as L from "../../assembly/layout.js";
import { decodeEvents, type EventNames } from "../events.js";
import type { EventBatch } from "../log/event-ring.js";
import { logRecord } from "../log/record.js";
import { EventLog, type LogPolicy, type RecordSink } from "./log.js";

/** A policy as the log has to know it. Plain data but for the configuration. */
export interface FeedPolicy extends LogPolicy {
  /** Grows with each policy. */
  readonly number: number;
  readonly names: EventNames;
}

/** Lost events are told of at most once in this time. */
export const LOSS_INTERVAL_MS = 10_000;

export class EventFeed {
  readonly #wallMs: (nowMs: number) => number;
  readonly #take: RecordSink;
  readonly #log: EventLog;
  #policy: FeedPolicy;
  /** In force for events to come. */
  #next: FeedPolicy[] = [];
  #lost = 0;
  #lostUntold = 0;
  #lossAtMs = Number.NEGATIVE_INFINITY;

  /** `wallMs`: what the wall clock shows at a time of the dataplane's clock. */
  constructor(policy: FeedPolicy, wallMs: (nowMs: number) => number, take: RecordSink) {
    this.#policy = policy;
    this.#wallMs = wallMs;
    this.#take = take;
    this.#log = new EventLog(policy, wallMs, take);
  }

  /** Events that never became records: the ring was full, or nobody knows their policy. */
  get lost(): number {
    return this.#lost;
  }

  /** To be told before the dataplane uses it; events of the policy before may still come. */
  announce(policy: FeedPolicy): void {
    this.#next.push(policy);
  }

  /** `coreLost`: events that the core itself had no room for since the last call. */
  take(batch: EventBatch, coreLost = 0): void {
    const { nowMs } = batch;
    this.#lose(batch.lost + coreLost, nowMs);
    while (batch.policy > this.#policy.number && this.#next.length > 0) {
      this.#policy = this.#next.shift()!;
      this.#log.replacePolicy(this.#policy, nowMs);
    }
    if (batch.policy === this.#policy.number) {
      this.#log.events(decodeEvents(batch.bytes, this.#policy.names), nowMs);
    } else {
      this.#lose(batch.bytes.length / L.EVENT_SIZE, nowMs);
    }
  }

  /** Sums up what is due; once a second or so. */
  tick(nowMs: number): void {
    this.#log.events([], nowMs);
    this.#tellLoss(nowMs);
  }

  end(nowMs: number): void {
    this.#log.end(nowMs);
    this.#lossAtMs = Number.NEGATIVE_INFINITY;
    this.#tellLoss(nowMs);
  }

  #lose(events: number, nowMs: number): void {
    this.#lost += events;
    this.#lostUntold += events;
    this.#tellLoss(nowMs);
  }

  #tellLoss(nowMs: number): void {
    if (this.#lostUntold === 0 || nowMs - this.#lossAtMs < LOSS_INTERVAL_MS) return;
    const text = `%SYS-4-EVENTSLOST: ${this.#lostUntold} events of packets and sessions were lost, there were too many`;
    this.#lostUntold = 0;
    this.#lossAtMs = nowMs;
    this.#take(logRecord(text, { wallMs: this.#wallMs(nowMs), uptimeMs: nowMs }));
  }
}
