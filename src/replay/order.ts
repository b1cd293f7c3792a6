/**
 * Verdicts in the order of the capture. A held fragment gets its verdict later than the packets behind it; these wait
 * here, as rows of columns, until everything in front of them is decided.
 *
 *   oldest ─┐                      ┌─ newest
 *           held  pass  pass  drop held      `push` at the end, `decide` anywhere, `drain` from the front
 */
import type { Packet } from "../capture/index.js";
import type { VerdictRow } from "../report/verdict.js";

/** R_NONE: not decided yet. */
const UNDECIDED = 0;
const FIRST_SIZE = 1024;

/** Takes the decided rows in order. The row and its packet are valid during the call only. */
export type RowSink = (row: Readonly<VerdictRow>, packet: Packet | undefined) => void;

export class VerdictQueue {
  /** Rows lie in a ring whose size is a power of two; row n is at `n & mask`. */
  #mask = FIRST_SIZE - 1;
  #seconds = new Float64Array(FIRST_SIZE);
  #nanos = new Uint32Array(FIRST_SIZE);
  #ingress = new Uint8Array(FIRST_SIZE);
  #egress = new Uint8Array(FIRST_SIZE);
  #reason = new Uint8Array(FIRST_SIZE);
  #session = new BigUint64Array(FIRST_SIZE);
  #rule = new Uint32Array(FIRST_SIZE);
  #number = new Float64Array(FIRST_SIZE);
  #packets: (Packet | undefined)[] = new Array(FIRST_SIZE);
  /** Rows ever drained and ever pushed. */
  #first = 0;
  #end = 0;
  /** Rows whose packets have been copied, or were drained before that. */
  #kept = 0;
  readonly #row: VerdictRow = {
    n: 0,
    seconds: 0,
    nanos: 0,
    ingress: 0,
    egress: 0,
    reason: 0,
    session: 0n,
    rule: 0,
  };

  /** Rows that wait. */
  get length(): number {
    return this.#end - this.#first;
  }

  /** Appends packet `n` of the capture. Returns the ticket that `decide` wants: 32 bits, unique among rows that wait. */
  push(n: number, seconds: number, nanos: number, packet?: Packet): number {
    if (this.length > this.#mask) this.#grow();
    const at = this.#end & this.#mask;
    this.#number[at] = n;
    this.#seconds[at] = seconds;
    this.#nanos[at] = nanos;
    this.#reason[at] = UNDECIDED;
    this.#packets[at] = packet;
    return this.#end++ >>> 0;
  }

  /** Sets the verdict of a row. */
  decide(
    ticket: number,
    ingress: number,
    egress: number,
    reason: number,
    session: bigint,
    rule: number,
  ): void {
    const at = ticket & this.#mask;
    this.#ingress[at] = ingress;
    this.#egress[at] = egress;
    this.#reason[at] = reason;
    this.#session[at] = session;
    this.#rule[at] = rule;
  }

  /** Hands over the rows in front of the first undecided one. */
  drain(sink: RowSink): void {
    const row = this.#row;
    for (; this.#first < this.#end; this.#first++) {
      const at = this.#first & this.#mask;
      if (this.#reason[at] === UNDECIDED) return;
      row.n = this.#number[at]!;
      row.seconds = this.#seconds[at]!;
      row.nanos = this.#nanos[at]!;
      row.ingress = this.#ingress[at]!;
      row.egress = this.#egress[at]!;
      row.reason = this.#reason[at]!;
      row.session = this.#session[at]!;
      row.rule = this.#rule[at]!;
      sink(row, this.#packets[at]);
      this.#packets[at] = undefined;
    }
  }

  /** Copies the bytes of the packets that wait: what they are views of is about to change. */
  keepPackets(): void {
    for (let i = Math.max(this.#first, this.#kept); i < this.#end; i++) {
      const at = i & this.#mask;
      const packet = this.#packets[at];
      if (packet !== undefined) this.#packets[at] = { ...packet, data: packet.data.slice() };
    }
    this.#kept = this.#end;
  }

  #grow(): void {
    const size = 2 * (this.#mask + 1);
    const mask = size - 1;
    const wider = <T extends { [index: number]: unknown }>(from: T, to: T): T => {
      for (let i = this.#first; i < this.#end; i++) to[i & mask] = from[i & this.#mask];
      return to;
    };
    this.#seconds = wider(this.#seconds, new Float64Array(size));
    this.#nanos = wider(this.#nanos, new Uint32Array(size));
    this.#ingress = wider(this.#ingress, new Uint8Array(size));
    this.#egress = wider(this.#egress, new Uint8Array(size));
    this.#reason = wider(this.#reason, new Uint8Array(size));
    this.#session = wider(this.#session, new BigUint64Array(size));
    this.#rule = wider(this.#rule, new Uint32Array(size));
    this.#number = wider(this.#number, new Float64Array(size));
    this.#packets = wider(this.#packets, new Array(size));
    this.#mask = mask;
  }
}
