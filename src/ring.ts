/**
 * A bounded ring between two threads, in shared memory: one thread writes, one reads, nobody locks.
 *
 *   control (Int32)   written: slots published so far | read: slots given back | refused: writes that found it full |
 *                     waiting: the reader sleeps on `written`
 *   slots             length u32 | kind u32 | contents
 *
 * `written` and `read` only grow (modulo 2^32), so the ring is full when they are `slots` apart; a slot belongs to the
 * reader from the publication to its release. A full ring is an answer, and counted. Contents are written and read in
 * place: nothing is copied that the caller does not copy.
 */

const WRITTEN = 0;
const READ = 1;
const REFUSED = 2;
const WAITING = 3;
/** Each on a cache line of its own, so that the two threads do not take it from each other. */
const CONTROL_STRIDE = 16;
const CONTROL_BYTES = 4 * CONTROL_STRIDE * Int32Array.BYTES_PER_ELEMENT;
const SLOT_HEADER_BYTES = 8;
const ALIGNMENT = 64;

/** What both ends are made of; can be posted to another thread. */
export interface RingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
  /** Most contents of a slot. */
  readonly slotBytes: number;
}

/** Makes a ring. `slots`: a power of two. */
export function newRing(slots: number, slotBytes: number): RingMemory {
  if (slots < 1 || (slots & (slots - 1)) !== 0) throw new RangeError(`${slots} slots: not a power of two`);
  return { buffer: new SharedArrayBuffer(CONTROL_BYTES + slots * strideOf(slotBytes)), slots, slotBytes };
}

function strideOf(slotBytes: number): number {
  return Math.ceil((slotBytes + SLOT_HEADER_BYTES) / ALIGNMENT) * ALIGNMENT;
}

/** What both ends share. */
class RingEnd {
  protected readonly control: Int32Array;
  protected readonly words: Uint32Array;
  protected readonly slots: number;
  /** Contents of slot i. */
  protected readonly views: readonly Uint8Array[];
  readonly #strideWords: number;

  constructor({ buffer, slots, slotBytes }: RingMemory) {
    const stride = strideOf(slotBytes);
    this.control = new Int32Array(buffer, 0, 4 * CONTROL_STRIDE);
    this.words = new Uint32Array(buffer);
    this.slots = slots;
    this.#strideWords = stride / 4;
    this.views = Array.from(
      { length: slots },
      (_, i) => new Uint8Array(buffer, CONTROL_BYTES + i * stride + SLOT_HEADER_BYTES, slotBytes),
    );
  }

  protected load(field: number): number {
    return Atomics.load(this.control, field * CONTROL_STRIDE);
  }

  protected header(slot: number): number {
    return CONTROL_BYTES / 4 + slot * this.#strideWords;
  }

  /** Slots that are published and not given back. */
  get length(): number {
    return (this.load(WRITTEN) - this.load(READ)) | 0;
  }

  /** Writes that found the ring full. */
  get refused(): number {
    return this.load(REFUSED) >>> 0;
  }
}

export class RingWriter extends RingEnd {
  #written: number;
  /** The reader had come at least so far. */
  #read: number;

  constructor(memory: RingMemory) {
    super(memory);
    this.#written = this.load(WRITTEN);
    this.#read = this.load(READ);
  }

  /** The contents of the next slot, to be filled and published; undefined when the ring is full. */
  claim(): Uint8Array | undefined {
    if (((this.#written - this.#read) | 0) === this.slots) {
      this.#read = this.load(READ);
      if (((this.#written - this.#read) | 0) === this.slots) {
        Atomics.add(this.control, REFUSED * CONTROL_STRIDE, 1);
        return undefined;
      }
    }
    return this.views[this.#written & (this.slots - 1)];
  }

  /** Whether there is a slot to claim. A ring that is full is not counted here. */
  hasRoom(): boolean {
    if (((this.#written - this.#read) | 0) !== this.slots) return true;
    this.#read = this.load(READ);
    return ((this.#written - this.#read) | 0) !== this.slots;
  }

  /** Gives the claimed slot to the reader: `length` bytes of it, and what they are. */
  publish(length: number, kind = 0): void {
    const at = this.header(this.#written & (this.slots - 1));
    this.words[at] = length;
    this.words[at + 1] = kind;
    this.#written = (this.#written + 1) | 0;
    Atomics.store(this.control, WRITTEN * CONTROL_STRIDE, this.#written);
    if (this.load(WAITING) !== 0) Atomics.notify(this.control, WRITTEN * CONTROL_STRIDE);
  }

  /** Copies bytes into the next slot. False: the ring is full, or they are too many. */
  write(bytes: Uint8Array, kind = 0): boolean {
    const slot = this.claim();
    if (slot === undefined || bytes.length > slot.length) return false;
    slot.set(bytes);
    this.publish(bytes.length, kind);
    return true;
  }
}

export class RingReader extends RingEnd {
  #read: number;
  /** The writer had come at least so far. */
  #written: number;

  constructor(memory: RingMemory) {
    super(memory);
    this.#read = this.load(READ);
    this.#written = this.load(WRITTEN);
  }

  /** The oldest slot that was not given back; undefined when there is none. Valid until `release`. */
  peek(): { readonly bytes: Uint8Array; readonly kind: number } | undefined {
    if (this.#read === this.#written) {
      this.#written = this.load(WRITTEN);
      if (this.#read === this.#written) return undefined;
    }
    const slot = this.#read & (this.slots - 1);
    const at = this.header(slot);
    return { bytes: this.views[slot]!.subarray(0, this.words[at]), kind: this.words[at + 1]! };
  }

  /** Whether there is a slot to read. */
  hasNews(): boolean {
    return this.#read !== this.#written || this.load(WRITTEN) !== this.#read;
  }

  /** Gives back what is there, unread: it was for another reader before this one. */
  discard(): void {
    this.#written = this.load(WRITTEN);
    this.#read = this.#written;
    Atomics.store(this.control, READ * CONTROL_STRIDE, this.#read);
  }

  /** Gives the slot of the last `peek` back to the writer. */
  release(): void {
    this.#read = (this.#read + 1) | 0;
    Atomics.store(this.control, READ * CONTROL_STRIDE, this.#read);
  }

  /** Sleeps until something is published, at most so long. Not for threads that must not block. */
  wait(timeoutMs: number): void {
    Atomics.store(this.control, WAITING * CONTROL_STRIDE, 1);
    Atomics.wait(this.control, WRITTEN * CONTROL_STRIDE, this.#read, timeoutMs);
    Atomics.store(this.control, WAITING * CONTROL_STRIDE, 0);
  }
}
