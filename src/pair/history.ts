/** What happens to a pair during a replay, written down as the report shows it. */
import type { RfState } from "../redundancy/index.js";
import type {
  Distribution,
  FailoverReport,
  FailureReport,
  PhaseChange,
  PhaseName,
  TimelineEntry,
} from "../report/failover.js";
import { compareInventories, type Inventory, LOSS_REASONS } from "./failover.js";
import type { Failure } from "./plan.js";
import type { SyncCost } from "./totals.js";
import { BOX_NAMES, type BoxName, type BoxStatus } from "./world.js";

/** Why a packet reached no dataplane. */
export const LOST_REASONS = {
  no_active: "no box answered for the virtual address",
  dead: "it went to a box that was dead",
  hung: "it went to a box that was frozen",
  link: "a link on its way was broken",
} as const;
export type PacketLoss = keyof typeof LOST_REASONS;

const PHASE_OF: Partial<Record<RfState, PhaseName>> = {
  active: "active",
  standbyHot: "hot",
  standbyCold: "cold",
  standbyColdConfig: "cold",
  standbyColdBulk: "cold",
};

const EVENT_OF: Partial<Record<PhaseName, string>> = {
  active: "is active",
  hot: "is standby and has all sessions",
};

interface Pending {
  readonly index: number;
  readonly before: Inventory;
}

export class History {
  readonly #isStateful: boolean;
  readonly #lanes: Record<BoxName, PhaseChange[]> = { A: [], B: [] };
  readonly #timeline: TimelineEntry[] = [];
  readonly #failures: FailureReport[] = [];
  #pending: Pending[] = [];
  readonly lost: Record<PacketLoss, number> = { no_active: 0, dead: 0, hung: 0, link: 0 };
  /** First replies that waited for the standby, in ms. */
  readonly deferredMs: number[] = [];

  /** `isStateful`: the sessions of the configuration are told to the standby at all. */
  constructor(isStateful: boolean) {
    this.#isStateful = isStateful;
  }

  get failures(): readonly FailureReport[] {
    return this.#failures;
  }

  get timeline(): readonly TimelineEntry[] {
    return this.#timeline;
  }

  /** Every failure of the active box has its outcome. */
  get isSettled(): boolean {
    return this.#pending.length === 0;
  }

  /** The replay begins: what was before is summed up. */
  begin(): void {
    this.#timeline.length = 0;
    for (const box of BOX_NAMES) {
      const lane = this.#lanes[box];
      const phase = lane.at(-1)?.phase ?? "waiting";
      lane.length = 0;
      this.phase(0, box, phase);
    }
  }

  /** Something that was planned happens. */
  planned(seconds: number, box: BoxName | "", text: string): void {
    this.#timeline.push({ seconds, box, text, isPlanned: true });
  }

  state(seconds: number, box: BoxName, state: RfState): void {
    this.phase(seconds, box, PHASE_OF[state] ?? "waiting");
  }

  status(seconds: number, box: BoxName, status: BoxStatus, state: RfState | undefined): void {
    const phase = status === "running" ? state && PHASE_OF[state] : status === "hung" ? "frozen" : "dead";
    this.phase(seconds, box, phase ?? "waiting");
  }

  phase(seconds: number, box: BoxName, phase: PhaseName): void {
    const lane = this.#lanes[box];
    if (lane.at(-1)?.phase === phase) return;
    lane.push({ seconds, phase });
    const text = EVENT_OF[phase];
    if (text !== undefined) this.#timeline.push({ seconds, box, text, isPlanned: false });
  }

  /** The active box is hit: what is at stake is taken down. */
  failed(at: number, what: Failure, packet: number, active: BoxName, before: Inventory): void {
    this.#pending.push({ index: this.#failures.length, before });
    this.#failures.push({
      what,
      at,
      packet,
      active,
      takeoverMilliseconds: undefined,
      packetsLost: 0,
      sessionsAtFailure: before.size,
      sessionsSurvived: 0,
      sessionsLost: [],
    });
  }

  /** A box has become active, with these sessions. */
  tookOver(seconds: number, box: BoxName, after: () => Inventory): void {
    const due = this.#pending.filter(({ index }) => this.#failures[index]!.active !== box);
    if (due.length === 0) return;
    const inventory = after();
    for (const pending of due) {
      const { at } = this.#failures[pending.index]!;
      this.#settle(pending, inventory, (seconds - at) * 1000);
    }
    this.#pending = this.#pending.filter((pending) => !due.includes(pending));
  }

  /** A packet has reached no firewall. */
  packetLost(why: PacketLoss): void {
    this.lost[why]++;
    for (const { index } of this.#pending) {
      const failure = this.#failures[index]!;
      this.#failures[index] = { ...failure, packetsLost: failure.packetsLost + 1 };
    }
  }

  /** The end: who has not taken over will not. */
  end(): void {
    for (const pending of this.#pending) this.#settle(pending, undefined, undefined);
    this.#pending = [];
  }

  #settle(
    { index, before }: Pending,
    after: Inventory | undefined,
    takeoverMilliseconds: number | undefined,
  ): void {
    const { survived, lost } = compareInventories(before, after, this.#isStateful);
    this.#failures[index] = {
      ...this.#failures[index]!,
      takeoverMilliseconds,
      sessionsSurvived: survived,
      sessionsLost: lost.map(({ session, reason }) => ({ session, reason: LOSS_REASONS[reason] })),
    };
  }

  /** `seconds`: of the capture and what followed it; `clockRate`: as in the report. */
  report(
    seconds: number,
    { records, bytes, sessions, lag }: SyncCost,
    clockRate: number | undefined,
  ): FailoverReport {
    return {
      clockRate,
      failures: this.#failures,
      timeline: this.#timeline,
      lanes: this.#lanes,
      seconds,
      lost: this.lost,
      sync: { records, bytes, sessions, lagMilliseconds: lag },
      deferredMilliseconds: distribution(this.deferredMs),
    };
  }
}

function distribution(samples: readonly number[]): Distribution {
  const sorted = [...samples].sort((a, b) => a - b);
  const quantile = (q: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
  return { samples: sorted.length, p50: quantile(0.5), p99: quantile(0.99), max: sorted.at(-1) ?? 0 };
}
