/** Two redundancy machines with a wire between them, and everything else by hand. */
import {
  type Identity,
  Redundancy,
  type RedundancyAction,
  type RedundancyInput,
  type RedundancyOptions,
} from "../../src/redundancy/index.js";
import { identity, otherSide, type PairOptions, randomOf, type Side, SIDES } from "./pair.js";

export type ActionOf<K extends RedundancyAction["kind"]> = Extract<RedundancyAction, { kind: K }>;
export type Sent = { readonly stream: number; readonly bytes: Uint8Array };

export interface DuoOptions extends PairOptions {
  readonly machine?: Partial<RedundancyOptions>;
  /** In place of what the configuration texts give. */
  readonly identities?: Partial<Record<Side, Identity>>;
}

export class Duo {
  nowMs = 0;
  readonly machines: Record<Side, Redundancy>;
  readonly identities: Record<Side, Identity>;
  /** All that each side has done, in order. */
  readonly done: Record<Side, RedundancyAction[]> = { a: [], b: [] };
  /** Frames under way, by sender. */
  readonly wire: Record<Side, Sent[]> = { a: [], b: [] };

  constructor(options: DuoOptions = {}) {
    const { machine, identities, ...pair } = options;
    const made = (side: Side) => new Redundancy({ random: randomOf(side === "a" ? 1 : 2), ...machine });
    this.machines = { a: made("a"), b: made("b") };
    this.identities = {
      a: identities?.a ?? identity("a", pair),
      b: identities?.b ?? identity("b", pair),
    };
  }

  /** Configured, ready, without an association and a role. */
  boot(): this {
    for (const side of SIDES) {
      this.step(side, { kind: "configure", identity: this.identities[side] });
      this.step(side, { kind: "ready" });
    }
    return this;
  }

  step(side: Side, input: RedundancyInput): RedundancyAction[] {
    const actions = this.machines[side].step(input, this.nowMs);
    for (const action of actions) {
      if (action.kind === "send") this.wire[side].push({ stream: action.stream, bytes: action.bytes });
    }
    this.done[side].push(...actions);
    return actions;
  }

  group(
    side: Side,
    role: "active" | "standby" | "other",
    more: { priority?: number; isActiveHeard?: boolean } = {},
  ) {
    const { priority = 100, isActiveHeard = role !== "active" } = more;
    const report = { active: role === "active" ? ["INSIDE", "OUTSIDE"] : [] };
    return this.step(side, { kind: "hsrp", role, priority, isActiveHeard, report });
  }

  associate(status: "up" | "restarted" | "down" = "up"): this {
    this.wire.a.length = 0;
    this.wire.b.length = 0;
    for (const side of SIDES) this.step(side, { kind: "association", status });
    return this;
  }

  /** Hands over all that is under way, until nothing is; at most `rounds` times to and fro. */
  talk(rounds = 50): this {
    for (let round = 0; round < rounds; round++) {
      const [fromA, fromB] = [this.wire.a.splice(0), this.wire.b.splice(0)];
      if (fromA.length + fromB.length === 0) return this;
      for (const frame of fromA) this.step("b", { kind: "message", ...frame });
      for (const frame of fromB) this.step("a", { kind: "message", ...frame });
    }
    return this;
  }

  /** Lets time pass; every deadline is met exactly, and what is said arrives at once. */
  pass(ms: number, whoHears: readonly Side[] = SIDES): this {
    const endMs = this.nowMs + ms;
    for (;;) {
      const nextMs = Math.min(...SIDES.map((side) => this.machines[side].deadlineMs));
      if (nextMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      for (const side of SIDES) {
        if (this.machines[side].deadlineMs <= this.nowMs) this.step(side, { kind: "tick" });
      }
      for (const side of SIDES) if (!whoHears.includes(otherSide(side))) this.wire[side].length = 0;
      this.talk();
    }
    this.nowMs = endMs;
    return this;
  }

  /** A is active, B has all its sessions. */
  synchronised(): this {
    this.boot().associate().talk();
    this.group("a", "active");
    this.group("b", "standby");
    this.talk();
    const { bulk } = this.last("b", "bulk-await")!;
    this.step("b", { kind: "bulk", bulk, status: "complete" });
    return this.talk();
  }

  view(side: Side) {
    return this.machines[side].view;
  }

  states(): string {
    return SIDES.map((side) => this.view(side).machine).join(" ");
  }

  /** All frames that a side has sent. */
  frames(side: Side): Sent[] {
    return this.all(side, "send").map(({ stream, bytes }) => ({ stream, bytes }));
  }

  last<K extends RedundancyAction["kind"]>(side: Side, kind: K): ActionOf<K> | undefined {
    return this.done[side].findLast((action): action is ActionOf<K> => action.kind === kind);
  }

  all<K extends RedundancyAction["kind"]>(side: Side, kind: K): ActionOf<K>[] {
    return this.done[side].filter((action): action is ActionOf<K> => action.kind === kind);
  }

  refused(side: Side): Record<string, number> {
    const { refused } = this.view(side).counters;
    return Object.fromEntries(Object.entries(refused).filter(([, times]) => times > 0));
  }
}
