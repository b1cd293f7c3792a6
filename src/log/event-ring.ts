/**
 * Events on their way from the dataplane's thread to the log's: bytes as the core wrote them, gathered in the slots of a
 * ring. The dataplane never waits: what finds the ring full is counted, and the next slot tells how much that was.
 *
 *   slot    time f64 | policy u32 | events lost before it u32 | events, EVENT_SIZE bytes each
 */
import * as L from "../../assembly/layout.js";
import { newRing, RingReader, type RingMemory, RingWriter } from "../ring.js";

const AT_MS = 0;
const POLICY = 8;
const LOST = 12;
const HEADER_BYTES = 16;

/** Events of a slot, and slots: 16,384 events may wait. */
export const EVENTS_PER_SLOT = 64;
export const EVENT_SLOTS = 256;
/** An event waits so long at most for others to go with it. */
export const EVENT_DELAY_MS = 10;

export function newEventRing(): RingMemory {
  return newRing(EVENT_SLOTS, HEADER_BYTES + EVENTS_PER_SLOT * L.EVENT_SIZE);
}

/** The dataplane's end. */
export class EventWriter {
  readonly #ring: RingWriter;
  #slot: Uint8Array | undefined;
  #length = 0;
  #startMs = 0;
  #policy = 0;
  #lostUntold = 0;
  #lost = 0;

  constructor(memory: RingMemory) {
    this.#ring = new RingWriter(memory);
  }

  /** Events that found the ring full. */
  get lost(): number {
    return this.#lost;
  }

  /**
   * @param events whole ones, as `Dataplane.eventBytes` has them.
   * @param policy number of the policy whose names they use; it only grows.
   */
  write(events: Uint8Array, nowMs: number, policy: number): void {
    for (let at = 0; at < events.length; ) {
      if (this.#slot !== undefined && (this.#length === this.#slot.length || this.#policy !== policy))
        this.#publish();
      const slot = this.#slot ?? this.#begin(nowMs, policy);
      if (slot === undefined) {
        const lost = (events.length - at) / L.EVENT_SIZE;
        this.#lost += lost;
        this.#lostUntold += lost;
        return;
      }
      const part = events.subarray(at, at + slot.length - this.#length);
      slot.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
    }
    this.flush(nowMs);
  }

  /** Publishes what has waited long enough; to be called in every turn. */
  flush(nowMs: number): void {
    if (this.#slot !== undefined && nowMs - this.#startMs >= EVENT_DELAY_MS) this.#publish();
  }

  #begin(nowMs: number, policy: number): Uint8Array | undefined {
    const slot = this.#ring.claim();
    if (slot === undefined) return undefined;
    const view = new DataView(slot.buffer, slot.byteOffset, HEADER_BYTES);
    view.setFloat64(AT_MS, nowMs, true);
    view.setUint32(POLICY, policy, true);
    view.setUint32(LOST, this.#lostUntold, true);
    this.#lostUntold = 0;
    this.#slot = slot;
    this.#length = HEADER_BYTES;
    this.#startMs = nowMs;
    this.#policy = policy;
    return slot;
  }

  #publish(): void {
    this.#ring.publish(this.#length);
    this.#slot = undefined;
  }
}

/** Some events of one policy. */
export interface EventBatch {
  /** Of the first. */
  readonly nowMs: number;
  readonly policy: number;
  /** Events that were lost between those of the batch before and these. */
  readonly lost: number;
  /** For `decodeEvents`. */
  readonly bytes: Uint8Array;
}

/** The log's end. */
export class EventReader {
  readonly #ring: RingReader;

  constructor(memory: RingMemory) {
    this.#ring = new RingReader(memory);
  }

  /** The next batch, copied; undefined: nothing waits. */
  next(): EventBatch | undefined {
    const slot = this.#ring.peek();
    if (slot === undefined) return undefined;
    const { bytes } = slot;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const batch = {
      nowMs: view.getFloat64(AT_MS, true),
      policy: view.getUint32(POLICY, true),
      lost: view.getUint32(LOST, true),
      bytes: bytes.slice(HEADER_BYTES),
    };
    this.#ring.release();
    return batch;
  }
}
