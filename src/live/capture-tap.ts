/**
 * Frames for `monitor capture`, on their way from the dataplane's thread to the main one: copies in the slots of a ring. Costs nothing
 * while nobody captures. The dataplane never waits: frames beyond the rate, or that find the ring full, are counted, and the
 * next slot tells how many they were.
 *
 *   slot    a TAPPED header in little-endian order, then the bytes that are kept
 *
 * An arriving frame is copied before it is decided, since what passes is rewritten in place; what was decided is added afterwards.
 */
import * as L from "../../assembly/layout.js";
import type { Batch } from "../batch.js";
import { newRing, RingReader, type RingMemory, RingWriter } from "../ring.js";

/** Which frames to hand over: what any capture may want. Plain data. */
export interface TapOptions {
  /** Interface numbers whose arriving, and whose leaving frames are wanted. */
  readonly arriving: readonly number[];
  readonly leaving: readonly number[];
  /** Bytes of a frame that are kept; at most TAP_BYTES_MAX. */
  readonly snapBytes: number;
}

export interface TappedFrame {
  /** Wall clock, ms since 1970; parts of a millisecond count. */
  readonly wallMs: number;
  readonly direction: "in" | "out";
  /** The box itself sends it: nothing was decided about it. */
  readonly isOwn: boolean;
  /** Interface numbers; 0: none. */
  readonly ingress: number;
  readonly egress: number;
  /** R_*. */
  readonly reason: number;
  /** 0n: none. */
  readonly session: bigint;
  /** 1 + the number of the access list entry that decided; 0: none. */
  readonly rule: number;
  readonly wireLength: number;
  readonly data: Uint8Array;
  /** Frames that were wanted and not handed over between the one before and this one. */
  readonly missed: number;
}

/** A jumbo frame fits. */
export const TAP_BYTES_MAX = 9216;
export const TAP_SLOTS = 512;
/** Frames a second, and at once. */
export const TAP_PER_SECOND = 20_000;
const SECOND_MS = 1000;

const WALL_MS = 0;
const SESSION = 8;
const WIRE_LENGTH = 16;
const RULE = 20;
const MISSED = 24;
const INGRESS = 28;
const EGRESS = 29;
const REASON = 30;
const LEAVES = 31;
const HEADER_BYTES = 32;
/** Of LEAVES. */
const [ARRIVES, FORWARDED, OWN] = [0, 1, 2];

export function newTapRing(): RingMemory {
  return newRing(TAP_SLOTS, HEADER_BYTES + TAP_BYTES_MAX);
}

/** A frame that arrived, until it is decided. */
interface Staged {
  readonly bytes: Uint8Array;
  length: number;
  wireLength: number;
}

/** The dataplane's end. */
export class CaptureTap {
  readonly #ring: RingWriter;
  readonly #arriving = new Uint8Array(L.INTERFACES_MAX);
  readonly #leaving = new Uint8Array(L.INTERFACES_MAX);
  readonly #staged: Staged[] = [];
  #snapBytes = 0;
  #isOn = false;
  #tokens = TAP_PER_SECOND;
  #filledAtMs = 0;
  #missed = 0;

  constructor(memory: RingMemory) {
    this.#ring = new RingWriter(memory);
  }

  /** From the next batch on; undefined: nothing is wanted. */
  configure(options: TapOptions | undefined): void {
    this.#arriving.fill(0);
    this.#leaving.fill(0);
    for (const number of options?.arriving ?? []) this.#arriving[number] = 1;
    for (const number of options?.leaving ?? []) this.#leaving[number] = 1;
    this.#snapBytes = Math.min(options?.snapBytes ?? 0, TAP_BYTES_MAX);
    this.#isOn = options !== undefined;
  }

  /** Before the core is called: keeps what arrives, while it is as it came. */
  arrive(batch: Batch): void {
    if (!this.#isOn) return;
    for (let i = 0; i < batch.length; i++) this.#stage(batch, i);
  }

  /** Afterwards, before anything is sent: hands over what is wanted. */
  decided(batch: Batch, outputs: number, nowMs: number, wallMs: number): void {
    if (!this.#isOn) return;
    this.#refill(nowMs);
    for (let i = 0; i < outputs; i++) {
      if (i < batch.length && this.#arriving[batch.ingress(i)] === 1) {
        const { bytes, length, wireLength } = this.#staged[i]!;
        this.#hand(batch, i, bytes.subarray(0, length), wireLength, wallMs, ARRIVES);
      }
      const isLeaving = batch.verdictCode(i) === L.VERDICT_PASS && this.#leaving[batch.egress(i)] === 1;
      if (isLeaving) this.#hand(batch, i, batch.frame(i), batch.wireLength(i), wallMs, FORWARDED);
    }
  }

  /** A frame of the box itself, before it is sent by an interface. */
  own(egress: number, frame: Uint8Array, nowMs: number, wallMs: number): void {
    if (!this.#isOn || this.#leaving[egress] !== 1) return;
    this.#refill(nowMs);
    const view = this.#claim(frame, frame.length, wallMs, OWN);
    if (view === undefined) return;
    view.setBigUint64(SESSION, 0n, true);
    view.setUint32(RULE, 0, true);
    view.setUint8(INGRESS, 0);
    view.setUint8(EGRESS, egress);
    view.setUint8(REASON, L.R_NONE);
    this.#publish(frame);
  }

  /** Which subinterface a frame is of shows when the core has read its tag: what may be wanted is kept until then. */
  #stage(batch: Batch, i: number): void {
    this.#staged[i] ??= { bytes: new Uint8Array(TAP_BYTES_MAX), length: 0, wireLength: 0 };
    const staged = this.#staged[i];
    const frame = batch.frame(i);
    staged.length = Math.min(frame.length, this.#snapBytes);
    staged.wireLength = batch.wireLength(i);
    staged.bytes.set(frame.subarray(0, staged.length));
  }

  #hand(
    batch: Batch,
    i: number,
    frame: Uint8Array,
    wireLength: number,
    wallMs: number,
    leaves: number,
  ): void {
    const view = this.#claim(frame, wireLength, wallMs, leaves);
    if (view === undefined) return;
    view.setBigUint64(SESSION, batch.session(i), true);
    view.setUint32(RULE, batch.rule(i), true);
    view.setUint8(INGRESS, batch.ingress(i));
    view.setUint8(EGRESS, batch.egress(i));
    view.setUint8(REASON, batch.reasonCode(i));
    this.#publish(frame);
  }

  /** A slot with what every frame has; undefined, and counted: there is no room. */
  #claim(frame: Uint8Array, wireLength: number, wallMs: number, leaves: number): DataView | undefined {
    const slot = this.#tokens >= 1 ? this.#ring.claim() : undefined;
    if (slot === undefined) {
      this.#missed++;
      return undefined;
    }
    this.#tokens--;
    const view = new DataView(slot.buffer, slot.byteOffset, HEADER_BYTES);
    view.setFloat64(WALL_MS, wallMs, true);
    view.setUint32(WIRE_LENGTH, wireLength, true);
    view.setUint32(MISSED, this.#missed, true);
    view.setUint8(LEAVES, leaves);
    slot.set(frame.subarray(0, this.#snapBytes), HEADER_BYTES);
    this.#missed = 0;
    return view;
  }

  #publish(frame: Uint8Array): void {
    this.#ring.publish(HEADER_BYTES + Math.min(frame.length, this.#snapBytes));
  }

  #refill(nowMs: number): void {
    const earned = ((nowMs - this.#filledAtMs) * TAP_PER_SECOND) / SECOND_MS;
    this.#tokens = Math.min(TAP_PER_SECOND, this.#tokens + Math.max(0, earned));
    this.#filledAtMs = nowMs;
  }
}

/** The other end. */
export class TapReader {
  readonly #ring: RingReader;

  constructor(memory: RingMemory) {
    this.#ring = new RingReader(memory);
  }

  /** The next frame, copied; undefined: there is none. */
  next(): TappedFrame | undefined {
    const slot = this.#ring.peek();
    if (slot === undefined) return undefined;
    const { bytes } = slot;
    const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
    const frame: TappedFrame = {
      wallMs: view.getFloat64(WALL_MS, true),
      direction: view.getUint8(LEAVES) === ARRIVES ? "in" : "out",
      isOwn: view.getUint8(LEAVES) === OWN,
      ingress: view.getUint8(INGRESS),
      egress: view.getUint8(EGRESS),
      reason: view.getUint8(REASON),
      session: view.getBigUint64(SESSION, true),
      rule: view.getUint32(RULE, true),
      wireLength: view.getUint32(WIRE_LENGTH, true),
      missed: view.getUint32(MISSED, true),
      data: bytes.slice(HEADER_BYTES),
    };
    this.#ring.release();
    return frame;
  }
}
