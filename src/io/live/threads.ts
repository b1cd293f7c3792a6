/**
 * What the threads of a live box share: the clock, two rings between the machines and the dataplane, and a line of words for
 * each worker.
 *
 *   worker, twice   doorbell | changes | wake fd + 1
 *
 * `changes` is raised with every question of the main thread. Who wakes the dataplane thread, which sleeps in a system call
 * while it waits for frames, also writes to its eventfd.
 */
import { writeSync } from "node:fs";
import { Doorbell, DOORBELL_WORDS } from "../../doorbell.js";
import { newTapRing } from "../../live/capture-tap.js";
import { newMessageRing } from "../../live/messages.js";
import type { RingMemory } from "../../ring.js";
import { newClock } from "../pair/clock.js";

export const WORKERS = ["control", "dataplane"] as const;
export type WorkerName = (typeof WORKERS)[number];

/** Can be posted. */
export interface SharedMemory {
  readonly words: SharedArrayBuffer;
  readonly clock: SharedArrayBuffer;
  readonly toControl: RingMemory;
  readonly toDataplane: RingMemory;
  /** Frames of `monitor capture`, for the main thread. */
  readonly taps: RingMemory;
}

/** Messages that may wait in either direction; a power of two. */
const MESSAGES_MAX = 512;
/** Words of a worker; no two workers on a cache line. */
const LINE = 16;
const CHANGES = DOORBELL_WORDS;
const WAKE_FD = CHANGES + 1;

export function newSharedMemory(): SharedMemory {
  return {
    words: new SharedArrayBuffer(WORKERS.length * LINE * Int32Array.BYTES_PER_ELEMENT),
    clock: newClock(),
    toControl: newMessageRing(MESSAGES_MAX),
    toDataplane: newMessageRing(MESSAGES_MAX),
    taps: newTapRing(),
  };
}

/** What an eventfd is raised by: a u64 of 1. */
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/** A worker, as the other threads see it and as it sees itself. */
export class WorkerSignals {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #doorbell: Doorbell;

  constructor({ words }: SharedMemory, name: WorkerName) {
    this.#words = new Int32Array(words);
    this.#at = WORKERS.indexOf(name) * LINE;
    this.#doorbell = new Doorbell(this.#words, this.#at);
  }

  // --- for others

  /** Has it look for work, if it sleeps. */
  wake(): void {
    if (!this.#doorbell.ring()) return;
    const fd = Atomics.load(this.#words, this.#at + WAKE_FD) - 1;
    if (fd >= 0) writeSync(fd, ONE);
  }

  /** Something was asked of it. */
  noteQuestion(): void {
    Atomics.add(this.#words, this.#at + CHANGES, 1);
    this.wake();
  }

  // --- for itself

  /** Raised with every question. */
  get changes(): number {
    return Atomics.load(this.#words, this.#at + CHANGES);
  }

  /** The eventfd that ends its sleep. */
  setWakeFd(fd: number): void {
    Atomics.store(this.#words, this.#at + WAKE_FD, fd + 1);
  }

  sleep(timeoutMs: number, hasWork: () => boolean): void {
    this.#doorbell.sleep(timeoutMs, hasWork);
  }

  /** Sleeps in a system call that the eventfd ends. */
  sleepBy(hasWork: () => boolean, sleep: () => void): void {
    this.#doorbell.sleepBy(hasWork, sleep);
  }
}
