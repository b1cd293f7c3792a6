/** Two BFD machines and the link between them, in virtual time; what happens on the link comes from a seed. */
import {
  Bfd,
  type BfdAction,
  type BfdInput,
  keyOf,
  type Parameters,
  type Path,
} from "../../src/bfd/index.js";
import { TRUST_MS } from "../../src/bfd/session.js";
import type { ControlPacket } from "../../src/bfd/wire.js";
import { parsePacket } from "../../src/bfd/wire.js";
import { Random } from "../model/random.js";

export const SIDES = ["a", "b"] as const;
export type Side = (typeof SIDES)[number];
export const other = (side: Side): Side => (side === "a" ? "b" : "a");

export const INTERFACE = "GigabitEthernet0/0";
export const ADDRESSES: Readonly<Record<Side, number>> = { a: 0x0a000001, b: 0x0a000002 };
export const pathOf = (side: Side): Path => ({
  interface: INTERFACE,
  local: ADDRESSES[side],
  remote: ADDRESSES[other(side)],
});

export const FAST: Parameters = { desiredMinTxMs: 5, requiredMinRxMs: 5, multiplier: 3 };
export const KEY = keyOf("Pair-Key-of-2-boxes");

export type Send = Extract<BfdAction, { kind: "send" }>;
export type StateChange = Extract<BfdAction, { kind: "state" }>;

export interface Sent {
  readonly atMs: number;
  readonly from: Side;
  readonly send: Send;
  readonly packet: ControlPacket;
}

export interface WorldOptions {
  readonly seed?: number;
  readonly parameters?: Partial<Record<Side, Parameters>>;
  readonly key?: Uint8Array | undefined;
  readonly loss?: number;
  readonly delayMs?: readonly [least: number, most: number];
}

interface Waiting {
  readonly atMs: number;
  readonly to: Side;
  readonly life: number;
  readonly input: BfdInput;
}

export class World {
  readonly random: Random;
  readonly machines: Record<Side, Bfd>;
  readonly sent: Sent[] = [];
  readonly changes: { readonly atMs: number; readonly of: Side; readonly change: StateChange }[] = [];
  readonly logs: string[] = [];
  /** Who does not hear, and who stands still. */
  readonly deaf = new Set<Side>();
  readonly hung = new Set<Side>();
  nowMs = 0;
  loss: number;
  delayMs: readonly [number, number];
  readonly #options: WorldOptions;
  #waiting: Waiting[] = [];
  readonly #held: Record<Side, BfdInput[]> = { a: [], b: [] };
  readonly #lives: Record<Side, number> = { a: 0, b: 0 };
  readonly #dead = new Set<Side>();

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.random = new Random(options.seed ?? 1);
    this.loss = options.loss ?? 0;
    this.delayMs = options.delayMs ?? [0.1, 0.1];
    this.machines = { a: this.#newMachine(), b: this.#newMachine() };
  }

  #newMachine(): Bfd {
    const key = "key" in this.#options ? this.#options.key : KEY;
    return new Bfd({ random: () => this.random.u32(), key });
  }

  /** A box starts, with nothing of an earlier life. */
  boot(side: Side): this {
    this.machines[side] = this.#newMachine();
    this.#lives[side] += 1;
    this.#dead.delete(side);
    this.hung.delete(side);
    this.#held[side] = [];
    this.step(side, { kind: "link", interface: INTERFACE, isUp: true });
    return this.configure(side, this.#options.parameters?.[side] ?? FAST);
  }

  bootBoth(): this {
    return this.boot("a").boot("b");
  }

  configure(side: Side, parameters: Parameters): this {
    this.step(side, { kind: "session", path: pathOf(side), parameters });
    return this;
  }

  kill(side: Side): this {
    this.#dead.add(side);
    return this;
  }

  /** A process that stood still goes on: first its late timer, then what waited. */
  wake(side: Side): this {
    this.hung.delete(side);
    this.step(side, { kind: "tick" });
    for (const input of this.#held[side].splice(0)) this.step(side, input);
    return this;
  }

  step(side: Side, input: BfdInput): BfdAction[] {
    const actions = this.machines[side].step(input, this.nowMs);
    for (const action of actions) {
      if (action.kind === "state") this.changes.push({ atMs: this.nowMs, of: side, change: action });
      else if (action.kind === "log") this.logs.push(action.text);
      else if (action.kind === "send") this.#transmit(side, action);
    }
    return actions;
  }

  runFor(ms: number): this {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const arrivesAtMs = Math.min(Number.POSITIVE_INFINITY, ...this.#waiting.map(({ atMs }) => atMs));
      const ticking = SIDES.filter((side) => !this.hung.has(side) && !this.#dead.has(side));
      const dueAtMs = Math.min(
        Number.POSITIVE_INFINITY,
        ...ticking.map((side) => this.machines[side].deadlineMs),
      );
      const nextMs = Math.max(this.nowMs, Math.min(arrivesAtMs, dueAtMs));
      if (nextMs > untilMs) break;
      this.nowMs = nextMs;
      if (arrivesAtMs <= nextMs) this.#deliver(arrivesAtMs);
      else
        for (const side of ticking)
          if (this.machines[side].deadlineMs <= nextMs) this.step(side, { kind: "tick" });
    }
    this.nowMs = untilMs;
    return this;
  }

  /** Lets time pass until a condition holds; the milliseconds that it took. */
  until(isTrue: () => boolean, maxMs: number): number {
    const fromMs = this.nowMs;
    while (!isTrue()) {
      if (this.nowMs - fromMs > maxMs) throw new Error(`nothing after ${maxMs} ms`);
      this.runFor(0.5);
    }
    return this.nowMs - fromMs;
  }

  view(side: Side) {
    return this.machines[side].views(this.nowMs)[0]!;
  }

  get areUp(): boolean {
    return SIDES.every((side) => this.view(side).state === "up");
  }

  /** Both up, the intervals of both in force, and for so long that silence means something. */
  settle(): this {
    this.until(() => this.areUp, 20_000);
    return this.runFor(TRUST_MS);
  }

  /** The times between packets of a side since a time, and what they were. */
  sentBy(side: Side, sinceMs: number): Sent[] {
    return this.sent.filter(({ atMs, from }) => from === side && atMs >= sinceMs);
  }

  #transmit(from: Side, send: Send): void {
    const parsed = parsePacket(send.payload);
    if ("refusal" in parsed) throw new Error(`sent what is refused: ${parsed.refusal}`);
    this.sent.push({ atMs: this.nowMs, from, send, packet: parsed.value });
    const to = other(from);
    if (this.deaf.has(to) || this.random.chance(this.loss)) return;
    const [least, most] = this.delayMs;
    const atMs = this.nowMs + least + (most - least) * (this.random.u32() / 2 ** 32);
    this.#waiting.push({ atMs, to, life: this.#lives[to], input: arrivalOf(send) });
  }

  #deliver(atMs: number): void {
    const due = this.#waiting.find((each) => each.atMs === atMs)!;
    this.#waiting = this.#waiting.filter((each) => each !== due);
    const { to, life, input } = due;
    if (this.#dead.has(to) || life !== this.#lives[to]) return;
    if (this.hung.has(to)) this.#held[to].push(input);
    else this.step(to, input);
  }
}

/** What the other side takes in. */
export function arrivalOf(send: Send): Extract<BfdInput, { kind: "packet" }> {
  const { source, destination, ttl, sourcePort, payload } = send;
  return { kind: "packet", interface: send.interface, source, destination, ttl, sourcePort, payload };
}
