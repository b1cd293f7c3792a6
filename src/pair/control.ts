/**
 * Words that the host and the threads of both boxes share: what the host wants of a box, what the networks between the
 * boxes do, and who sleeps. Int32, used through Atomics only.
 *
 *   host         asleep
 *   box, twice   doorbell | changes | frozen | hello
 *   network      owner | cut | down of A | down of B
 *
 * `changes` is raised when something was asked of the box or a word about it has changed.
 */
import { Doorbell, DOORBELL_WORDS } from "../doorbell.js";
import { BOX_NAMES, type BoxName } from "./boxes.js";

/** Words of a thread; no two threads on a cache line. */
const LINE = 16;
const ASLEEP = 0;
const CHANGES = DOORBELL_WORDS;
const FROZEN = CHANGES + 1;
const HELLO = FROZEN + 1;

const OWNER = 0;
const CUT = 1;
const DOWN = 2;
const NETWORK_WORDS = 4;

const HOST_AT = 0;
const BOXES_AT = LINE;
const NETWORKS_AT = BOXES_AT + BOX_NAMES.length * LINE;

const MICROSECONDS = 1000;

/** What the threads are made of; can be posted. */
export interface ControlMemory {
  readonly buffer: SharedArrayBuffer;
  /** Names of the interfaces of either box; those of one name are on one network. */
  readonly networks: readonly string[];
}

export function newControl(networks: readonly string[]): ControlMemory {
  const words = NETWORKS_AT + networks.length * NETWORK_WORDS;
  return { buffer: new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT), networks };
}

export class Control {
  readonly networks: readonly string[];
  readonly #words: Int32Array;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #doorbells: Readonly<Record<BoxName, Doorbell>>;

  constructor({ buffer, networks }: ControlMemory) {
    this.networks = networks;
    this.#words = new Int32Array(buffer);
    this.#numbers = new Map(networks.map((name, number) => [name, number]));
    this.#doorbells = { A: new Doorbell(this.#words, boxAt("A")), B: new Doorbell(this.#words, boxAt("B")) };
  }

  /** The number of a network. Only a bug asks for one that is on neither box. */
  numberOf(network: string): number {
    const number = this.#numbers.get(network);
    if (number === undefined) throw new RangeError(`neither box has an interface ${network}`);
    return number;
  }

  // --- networks

  /** The box that the virtual MAC address of a network is at; undefined: nobody has heard it yet. */
  owner(network: number): BoxName | undefined {
    return BOX_NAMES[Atomics.load(this.#words, networkAt(network) + OWNER) - 1];
  }

  /** The virtual MAC address was heard from a box. */
  learn(network: number, box: BoxName): void {
    Atomics.store(this.#words, networkAt(network) + OWNER, BOX_NAMES.indexOf(box) + 1);
  }

  /** Whether a network lets nothing through from box to box. */
  isCut(network: number): boolean {
    return Atomics.load(this.#words, networkAt(network) + CUT) !== 0;
  }

  setCut(network: number, isCut: boolean): void {
    Atomics.store(this.#words, networkAt(network) + CUT, isCut ? 1 : 0);
  }

  /** Whether the link between a box and a network is broken. */
  isDown(network: number, box: BoxName): boolean {
    return Atomics.load(this.#words, networkAt(network) + DOWN + BOX_NAMES.indexOf(box)) !== 0;
  }

  setDown(network: number, box: BoxName, isDown: boolean): void {
    Atomics.store(this.#words, networkAt(network) + DOWN + BOX_NAMES.indexOf(box), isDown ? 1 : 0);
    this.noteChange(box);
  }

  // --- what is asked of a box

  /** Raised with everything that is asked of the box. */
  changes(box: BoxName): number {
    return Atomics.load(this.#words, boxAt(box) + CHANGES);
  }

  noteChange(box: BoxName): void {
    Atomics.add(this.#words, boxAt(box) + CHANGES, 1);
    this.wake(box);
  }

  isFrozen(box: BoxName): boolean {
    return Atomics.load(this.#words, boxAt(box) + FROZEN) !== 0;
  }

  /** Freezes a box, which does nothing and reads nothing until it is let go again. */
  setFrozen(box: BoxName, isFrozen: boolean): void {
    Atomics.store(this.#words, boxAt(box) + FROZEN, isFrozen ? 1 : 0);
    if (isFrozen) this.noteChange(box);
    else Atomics.notify(this.#words, boxAt(box) + FROZEN);
  }

  /** Of the box: sleeps while it is frozen. */
  sleepFrozen(box: BoxName): void {
    while (this.isFrozen(box)) Atomics.wait(this.#words, boxAt(box) + FROZEN, 1);
  }

  /** A box has just sent an HSRP packet. */
  noteHello(box: BoxName, nowMs: number): void {
    Atomics.store(this.#words, boxAt(box) + HELLO, Math.round(nowMs * MICROSECONDS) | 0);
  }

  /** When a box sent its last HSRP packet, in ms; within half an hour before `nowMs`. */
  lastHelloMs(box: BoxName, nowMs: number): number {
    const now = Math.round(nowMs * MICROSECONDS) | 0;
    return nowMs - ((now - Atomics.load(this.#words, boxAt(box) + HELLO)) | 0) / MICROSECONDS;
  }

  // --- sleep

  /** Has a box look for work, if it sleeps. To be called after the work can be seen. */
  wake(box: BoxName): void {
    this.#doorbells[box].ring();
  }

  /** Of the box: sleeps for at most `timeoutMs`, unless `hasWork` says at the last moment that there is work. */
  sleep(box: BoxName, timeoutMs: number, hasWork: () => boolean): void {
    this.#doorbells[box].sleep(timeoutMs, hasWork);
  }

  /** The host says that it is going to wait to be woken, or no longer is. */
  setHostAsleep(isAsleep: boolean): void {
    Atomics.store(this.#words, HOST_AT + ASLEEP, isAsleep ? 1 : 0);
  }

  /** Whether the host is to be woken: true once each time. */
  takeHostAsleep(): boolean {
    return (
      Atomics.load(this.#words, HOST_AT + ASLEEP) !== 0 &&
      Atomics.exchange(this.#words, HOST_AT + ASLEEP, 0) !== 0
    );
  }
}

const boxAt = (box: BoxName): number => BOXES_AT + BOX_NAMES.indexOf(box) * LINE;
const networkAt = (network: number): number => NETWORKS_AT + network * NETWORK_WORDS;
