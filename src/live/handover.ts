/**
 * Frames for the other box while a role goes from this one to it: until it is clear who decides them they wait, and what
 * still comes for a virtual address afterwards is sent on to the box that has it now. So a planned switchover loses none.
 */
import { type Mac, macBytes } from "../frame.js";

/** After so long a box no longer sends on what comes for an address that it had. */
export const BOUNCE_MS = 1000;
/** So long frames wait at most for the other box, once this one no longer has the role. */
export const SUCCESSION_MS = 250;
/** Frames that wait at most: some hundred thousand a second for as long as a handover usually takes. */
export const WAITING_MAX = 4096;
const MAC_LENGTH = 6;

/** A frame as it arrived. */
export interface WaitingFrame {
  /** Number of the interface that it is for. */
  readonly number: number;
  /** Number of the interface that takes untagged frames of its device. */
  readonly carrier: number;
  readonly frame: Uint8Array;
}

export class Handover {
  /** Own addresses of the boxes that have virtual ones which this one had, by interface number and virtual address. */
  readonly #successors = new Map<number, Map<Mac, Mac>>();
  #waiting: WaitingFrame[] = [];
  #isUnderWay = false;
  #untilMs = Number.POSITIVE_INFINITY;
  #bounceUntilMs = 0;

  /** Frames wait. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** When they have waited for long enough. */
  get deadlineMs(): number {
    return this.#isUnderWay ? this.#untilMs : Number.POSITIVE_INFINITY;
  }

  /** Whether what comes for an address that is not here any more is to be sent on. */
  isBouncing(nowMs: number): boolean {
    return nowMs < this.#bounceUntilMs;
  }

  /** The peer is to take over: frames wait from now on. */
  begin(): void {
    this.#isUnderWay = true;
    this.#untilMs = Number.POSITIVE_INFINITY;
  }

  /** The role is given up, or in doubt. */
  yield(nowMs: number): void {
    this.#isUnderWay = true;
    this.#bounceUntilMs = nowMs + BOUNCE_MS;
    this.#untilMs = nowMs + SUCCESSION_MS;
  }

  /** It is over. The frames that have waited, in their order. */
  end(): readonly WaitingFrame[] {
    this.#isUnderWay = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /** False: too many wait already. */
  keep(frame: WaitingFrame): boolean {
    if (this.#waiting.length === WAITING_MAX) return false;
    this.#waiting.push(frame);
    return true;
  }

  /** Who has a virtual address now; undefined: this box has it, or nobody knows. */
  setSuccessor(number: number, mac: Mac, successor: Mac | undefined): void {
    const of = this.#successors.get(number) ?? new Map<Mac, Mac>();
    this.#successors.set(number, of);
    if (successor === undefined) of.delete(mac);
    else of.set(mac, successor);
  }

  /**
   * The frame, for the box that has the address now that it was sent to: to the own address of that box, since a switch that
   * still has the virtual one here would not take it to there. `own`: of the interface that it leaves by.
   */
  addressed(number: number, frame: Uint8Array, destination: Mac, own: Mac): Uint8Array | undefined {
    const successor = this.#successors.get(number)?.get(destination);
    if (successor === undefined) return undefined;
    const sent = frame.slice();
    sent.set(macBytes(successor));
    sent.set(macBytes(own), MAC_LENGTH);
    return sent;
  }
}
