/** What the boxes of a pair have counted over all their lives: a box that dies takes its counters with it. */
import type { Counters } from "../counters.js";
import type { RuleInfo } from "../dataplane.js";
import type { Node } from "../node.js";
import { type Counted, countedOf } from "../replay/gather.js";
import { Lag, type LagView } from "../sync/lag.js";

/** Cost of the session sync. */
export interface SyncCost {
  readonly records: number;
  readonly bytes: number;
  /** Sessions that the standby was told of. */
  readonly sessions: number;
  readonly lag: LagView;
}

/** What one life of a box has counted; plain data. */
export interface Life {
  readonly counted: Counted;
  readonly records: number;
  readonly bytes: number;
  readonly sessions: number;
  /** The last samples, in ms. */
  readonly lag: Float64Array;
}

export function lifeOf({ dataplane, sync }: Node): Life {
  const { sent } = dataplane.sync.counters();
  return {
    counted: countedOf(dataplane),
    records: sent.add + sent.update + sent.delete,
    bytes: sync.view.bytesSent,
    sessions: sent.add,
    lag: sync.lag.samples(),
  };
}

export class Totals {
  readonly #lives: Counted[] = [];
  readonly #lag = new Lag();
  #records = 0;
  #bytes = 0;
  #sessions = 0;

  /** Takes what a box has counted: it ends, or the replay does. */
  add({ counted, records, bytes, sessions, lag }: Life): void {
    this.#lives.push(counted);
    this.#records += records;
    this.#bytes += bytes;
    this.#sessions += sessions;
    for (const ms of lag) this.#lag.add(ms);
  }

  get sync(): SyncCost {
    return {
      records: this.#records,
      bytes: this.#bytes,
      sessions: this.#sessions,
      lag: this.#lag.view(),
    };
  }

  /** Sums; the most sessions at a time are the most of one box. */
  counted(): Counted {
    const [first, ...others] = this.#lives;
    if (first === undefined) throw new Error("no box was counted");
    return others.reduce(addCounted, first);
  }
}

function addCounted(a: Counted, b: Counted): Counted {
  return { counters: addCounters(a.counters, b.counters), rules: addRules(a.rules, b.rules) };
}

function addCounters(a: Counters, b: Counters): Counters {
  const sessions = { ...a.sessions };
  for (const name of ["tcp", "udp", "icmp", "other", "created", "expired", "closed", "evicted"] as const)
    sessions[name] += b.sessions[name];
  sessions.maximum = Math.max(a.sessions.maximum, b.sessions.maximum);
  return { ...a, sessions, eventsLost: a.eventsLost + b.eventsLost };
}

/** The boxes have the same lists, entry by entry, or they would not be a pair. */
function addRules(a: readonly RuleInfo[], b: readonly RuleInfo[]): RuleInfo[] {
  return a.map((rule, i) => ({ ...rule, hits: rule.hits + (b[i]?.hits ?? 0) }));
}
