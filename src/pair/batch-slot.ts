/**
 * Batches of frames in the slots of a ring, and what was decided about them on the way back. Descriptors stand as the
 * core has them (assembly/layout.ts, D_*), but with offsets from the first byte of the frames: into the core and out of
 * it goes each part of a batch as one block.
 *
 *   packets    batch u32 | frames u32 | bytes u32 | - | descriptors of `shape.frames` | bytes of the frames
 *   verdicts   batch u32 | outputs u32 | decided at, f64 ms | descriptors: of the batch, then of frames held before
 *   releases   count u32 | - | cookie u32, acknowledged u32, at, f64 ms | ...
 *
 * Verdicts and releases come by one ring and differ by the kind of the slot. The bytes of a frame do not come back: who
 * offered it knows it by its cookie.
 */
import * as L from "../../assembly/layout.js";
import type { Core } from "../core.js";
import { newRing, type RingMemory, RingReader, RingWriter } from "../ring.js";

/** What fits into a batch. */
export interface BatchShape {
  readonly frames: number;
  /** Of all frames together. */
  readonly bytes: number;
}

/** The shape that a core takes at once. */
export function shapeOf({ capacity, batchBytes }: Core["plan"]): BatchShape {
  return { frames: capacity.batch, bytes: batchBytes };
}

const HEADER = 16;
const NUMBER = 0;
const COUNT = 4;
const BYTES = 8;
const DECIDED = 8;
const RELEASE_SIZE = 16;
/** Frames start on a cache line, as in the core. */
const ALIGNMENT = 64;
const DESC_WORDS = L.DESC_SIZE / 4;

const KIND_VERDICTS = 1;
const KIND_RELEASES = 2;

const align = (size: number): number => (size + ALIGNMENT - 1) & -ALIGNMENT;
/** Where the bytes of the frames start in a slot. */
const bytesAt = ({ frames }: BatchShape): number => align(HEADER + frames * L.DESC_SIZE);

export function newPacketRing(slots: number, shape: BatchShape): RingMemory {
  return newRing(slots, bytesAt(shape) + shape.bytes);
}

/** A call answers for its batch, and for the frames that were held before it or are held during it. */
export function newVerdictRing(slots: number, { frames }: BatchShape, held: number): RingMemory {
  return newRing(slots, HEADER + (frames + 2 * held) * L.DESC_SIZE);
}

/** Puts batches into the ring of a box: `open`, `add` some frames, `publish`. */
export class BatchWriter {
  readonly shape: BatchShape;
  readonly #ring: RingWriter;
  readonly #words: Uint32Array;
  readonly #bytesAt: number;
  #slot: Uint8Array | undefined;
  /** First word of the slot. */
  #at32 = 0;
  #frames = 0;
  #used = 0;
  #number = 0;

  constructor(memory: RingMemory, shape: BatchShape) {
    this.shape = shape;
    this.#ring = new RingWriter(memory);
    this.#words = new Uint32Array(memory.buffer);
    this.#bytesAt = bytesAt(shape);
  }

  /** Frames added since `open`. */
  get frames(): number {
    return this.#frames;
  }

  /** Batches that found the ring full. */
  get refused(): number {
    return this.#ring.refused;
  }

  /** Batches that the box has not taken yet. */
  get waiting(): number {
    return this.#ring.length;
  }

  /** Begins a batch. False: the ring is full. */
  open(): boolean {
    this.#slot = this.#ring.claim();
    this.#at32 = (this.#slot?.byteOffset ?? 0) / 4;
    this.#frames = 0;
    this.#used = 0;
    return this.#slot !== undefined;
  }

  /** Adds a frame; the same as `Batch.addFrom`. False: it does not fit, nothing was added. */
  add(
    bytes: Uint8Array,
    offset: number,
    captured: number,
    wire: number,
    ingress: number,
    ethertype: number,
    flags: number,
    cookie: number,
  ): boolean {
    const slot = this.#slot;
    const kept = Math.min(captured, L.FRAME_MAX);
    const { frames, bytes: room } = this.shape;
    if (slot === undefined || this.#frames === frames || this.#used + kept > room) return false;
    slot.set(bytes.subarray(offset, offset + kept), this.#bytesAt + this.#used);
    const word = this.#at32 + (HEADER + this.#frames * L.DESC_SIZE) / 4;
    const words = this.#words;
    words[word + (L.D_OFFSET >>> 2)] = this.#used;
    words[word + (L.D_CAPTURED >>> 2)] = kept;
    words[word + (L.D_WIRE >>> 2)] = wire;
    words[word + (L.D_INGRESS >>> 2)] =
      Math.min(ingress, L.INTERFACES_MAX) | (flags << 8) | (ethertype << 16);
    words[word + (L.D_COOKIE >>> 2)] = cookie;
    this.#frames++;
    this.#used += align(kept);
    return true;
  }

  /**
   * Copies a whole batch: descriptors with offsets from the first of `bytes`. False: it does not fit, or something was
   * added before.
   */
  load(descriptors: Uint8Array, bytes: Uint8Array): boolean {
    const slot = this.#slot;
    const frames = descriptors.length / L.DESC_SIZE;
    if (slot === undefined || this.#used > 0) return false;
    if (frames > this.shape.frames || bytes.length > this.shape.bytes) return false;
    slot.set(descriptors, HEADER);
    slot.set(bytes, this.#bytesAt);
    this.#frames = frames;
    this.#used = align(bytes.length);
    return true;
  }

  /** Gives the batch to the box; the number under which its verdicts come. */
  publish(): number {
    this.#number = (this.#number + 1) >>> 0;
    const used = Math.min(this.#used, this.shape.bytes);
    const words = this.#words;
    words[this.#at32 + NUMBER / 4] = this.#number;
    words[this.#at32 + COUNT / 4] = this.#frames;
    words[this.#at32 + BYTES / 4] = used;
    this.#slot = undefined;
    this.#ring.publish(this.#bytesAt + used);
    return this.#number;
  }
}

/** Takes batches out of the ring into a core. */
export class BatchReader {
  readonly #ring: RingReader;
  readonly #core: Core;
  readonly #words: Uint32Array;
  readonly #bytesAt: number;
  /** Number of the batch that was loaded last. */
  number = 0;

  constructor(memory: RingMemory, shape: BatchShape, core: Core) {
    this.#ring = new RingReader(memory);
    this.#core = core;
    this.#words = new Uint32Array(memory.buffer);
    this.#bytesAt = bytesAt(shape);
  }

  hasNews(): boolean {
    return this.#ring.hasNews();
  }

  discard(): void {
    this.#ring.discard();
  }

  /** Copies the oldest batch to where the core decides it; its frames, -1: there is none. */
  load(): number {
    const slot = this.#ring.peek()?.bytes;
    if (slot === undefined) return -1;
    const at = slot.byteOffset / 4;
    this.number = this.#words[at + NUMBER / 4]!;
    const frames = this.#words[at + COUNT / 4]!;
    const { bytes, words, plan } = this.#core;
    const to = plan.regions.bytes.at;
    const descriptorsAt = plan.regions.descriptors.at;
    bytes.set(slot.subarray(HEADER, HEADER + frames * L.DESC_SIZE), descriptorsAt);
    bytes.set(slot.subarray(this.#bytesAt), to);
    const end = (descriptorsAt + frames * L.DESC_SIZE) >>> 2;
    for (let word = (descriptorsAt + L.D_OFFSET) >>> 2; word < end; word += DESC_WORDS) words[word]! += to;
    return frames;
  }

  /** Output `i` need not wait for the peer. */
  clearDeferred(i: number): void {
    const { bytes, plan } = this.#core;
    bytes[plan.regions.descriptors.at + i * L.DESC_SIZE + L.D_FLAGS]! &= ~L.DF_DEFERRED;
  }

  /** Gives the slot back: the batch was decided and answered. */
  release(): void {
    this.#ring.release();
  }
}

/** A first reply that may leave. */
export interface Release {
  readonly cookie: number;
  readonly isAcknowledged: boolean;
  readonly atMs: number;
}

/** Puts verdicts into the ring of the host. */
export class VerdictWriter {
  readonly #ring: RingWriter;
  readonly #core: Core;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #releasesMax: number;

  constructor(memory: RingMemory, core: Core) {
    this.#ring = new RingWriter(memory);
    this.#core = core;
    this.#words = new Uint32Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
    this.#releasesMax = Math.floor((memory.slotBytes - HEADER) / RELEASE_SIZE);
  }

  hasRoom(): boolean {
    return this.#ring.hasRoom();
  }

  /** What the core has decided: its first `outputs` descriptors. False: the ring is full. */
  writeVerdicts(number: number, outputs: number, decidedMs: number): boolean {
    const slot = this.#ring.claim();
    if (slot === undefined) return false;
    const at = slot.byteOffset / 4;
    this.#words[at + NUMBER / 4] = number;
    this.#words[at + COUNT / 4] = outputs;
    this.#doubles[(slot.byteOffset + DECIDED) / 8] = decidedMs;
    const from = this.#core.plan.regions.descriptors.at;
    const length = outputs * L.DESC_SIZE;
    slot.set(this.#core.bytes.subarray(from, from + length), HEADER);
    this.#ring.publish(HEADER + length, KIND_VERDICTS);
    return true;
  }

  /** As many as there is room for; how many those were. */
  writeReleases(releases: readonly Release[]): number {
    const slot = releases.length === 0 ? undefined : this.#ring.claim();
    if (slot === undefined) return 0;
    const count = Math.min(releases.length, this.#releasesMax);
    this.#words[(slot.byteOffset + COUNT) / 4] = count;
    for (let i = 0; i < count; i++) {
      const { cookie, isAcknowledged, atMs } = releases[i]!;
      const at = slot.byteOffset + HEADER + i * RELEASE_SIZE;
      this.#words[at / 4] = cookie;
      this.#words[at / 4 + 1] = isAcknowledged ? 1 : 0;
      this.#doubles[at / 8 + 1] = atMs;
    }
    this.#ring.publish(HEADER + count * RELEASE_SIZE, KIND_RELEASES);
    return count;
  }
}

/** Verdicts in a slot, read where they lie: valid only while they are handed over. */
export class Verdicts {
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #longs: BigUint64Array;
  #at = 0;
  /** Of the batch, as `publish` gave it. */
  number = 0;
  /** Frames that were decided: those of the batch, then frames that had been held. */
  outputs = 0;
  /** On the clock of the boxes. */
  decidedMs = 0;

  constructor(memory: RingMemory) {
    this.#words = new Uint32Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#longs = new BigUint64Array(memory.buffer);
  }

  /** Looks at the slot that starts at this byte of the ring's memory. */
  open(at: number, decidedMs: number): void {
    this.#at = at + HEADER;
    this.number = this.#words[(at + NUMBER) / 4]!;
    this.outputs = this.#words[(at + COUNT) / 4]!;
    this.decidedMs = decidedMs;
  }

  /** VERDICT_*. */
  verdictCode(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_VERDICT]!;
  }

  /** R_*. */
  reasonCode(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_REASON]!;
  }

  /** Number of the interface that it leaves by, in the configuration of its box; 0 none. */
  egress(i: number): number {
    return this.#bytes[this.#at + i * L.DESC_SIZE + L.D_EGRESS]!;
  }

  /** It leaves when its release comes. */
  isDeferred(i: number): boolean {
    return (this.#bytes[this.#at + i * L.DESC_SIZE + L.D_FLAGS]! & L.DF_DEFERRED) !== 0;
  }

  cookie(i: number): number {
    return this.#words[(this.#at + i * L.DESC_SIZE + L.D_COOKIE) >>> 2]!;
  }

  wireLength(i: number): number {
    return this.#words[(this.#at + i * L.DESC_SIZE + L.D_WIRE) >>> 2]!;
  }

  /** Id of the session that it belongs to; 0n none, or DF_IDS was not asked for. */
  session(i: number): bigint {
    return this.#longs[(this.#at + i * L.DESC_SIZE + L.D_SESSION_ID) >>> 3]!;
  }
}

/** Takes verdicts out of the ring. */
export class VerdictReader {
  readonly #ring: RingReader;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #verdicts: Verdicts;

  constructor(memory: RingMemory) {
    this.#ring = new RingReader(memory);
    this.#words = new Uint32Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
    this.#verdicts = new Verdicts(memory);
  }

  hasNews(): boolean {
    return this.#ring.hasNews();
  }

  /** Hands over the oldest slot and gives it back. False: there is none. */
  take(verdicts: (verdicts: Verdicts) => void, release: (release: Release) => void): boolean {
    const slot = this.#ring.peek();
    if (slot === undefined) return false;
    const at = slot.bytes.byteOffset;
    if (slot.kind === KIND_VERDICTS) {
      this.#verdicts.open(at, this.#doubles[(at + DECIDED) / 8]!);
      verdicts(this.#verdicts);
    } else {
      const count = this.#words[(at + COUNT) / 4]!;
      for (let i = 0; i < count; i++) release(this.#releaseAt(at + HEADER + i * RELEASE_SIZE));
    }
    this.#ring.release();
    return true;
  }

  #releaseAt(at: number): Release {
    return {
      cookie: this.#words[at / 4]!,
      isAcknowledged: this.#words[at / 4 + 1] === 1,
      atMs: this.#doubles[at / 8 + 1]!,
    };
  }
}
