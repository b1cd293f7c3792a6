/** Log lines in the form of IOS, at a limited rate, and the histories. */
import type { Counted } from "./counters.js";
import { type RfState, RF_STATES, STATES } from "./states.js";
import type { Context, RedundancyState } from "./state.js";

/** A line of one kind about one thing comes at most once in this time; counters tell of the rest. */
export const LOG_INTERVAL_MS = 30_000;

/** Facility and severity of each mnemonic. RELOAD and PROTO_CONFIG_MISMATCH are Cisco's, the others ours. */
const MNEMONICS = {
  RELOAD: ["RF_INTERDEV", 4],
  STATECHANGE: ["RF_INTERDEV", 5],
  TAKEOVER: ["RF_INTERDEV", 4],
  CONFLICT: ["RF_INTERDEV", 4],
  DENIED: ["RF_INTERDEV", 4],
  PEER: ["RF_INTERDEV", 4],
  NO_KEY: ["RF_INTERDEV", 4],
  REFUSED: ["RF_INTERDEV", 4],
  STALLED: ["RF_INTERDEV", 4],
  CORE: ["RF_INTERDEV", 2],
  SWITCHOVER: ["RF_INTERDEV", 5],
  MAINTENANCE: ["RF_INTERDEV", 5],
  SCHEME: ["RF_INTERDEV", 5],
  PROTO_CONFIG_MISMATCH: ["FW_HA", 6],
  SYNCHRONISED: ["FW_HA", 5],
  NOT_SYNCHRONISED: ["FW_HA", 4],
  BULK: ["FW_HA", 4],
} as const satisfies Record<string, readonly [facility: string, severity: number]>;
export type Mnemonic = keyof typeof MNEMONICS;

/** `about`: what the rate limit goes by; undefined: every line is written. */
export function log(context: Context, mnemonic: Mnemonic, text: string, about?: string): void {
  const { logAtMs } = context.state.books;
  if (about !== undefined) {
    const kind = `${mnemonic} ${about}`;
    if (context.nowMs < (logAtMs[kind] ?? 0)) return;
    logAtMs[kind] = context.nowMs + LOG_INTERVAL_MS;
  }
  const [facility, severity] = MNEMONICS[mnemonic];
  context.actions.push({ kind: "log", severity, text: `%${facility}-${severity}-${mnemonic}: ${text}` });
}

export function count(context: Context, event: Counted, by = 1): void {
  context.state.books.counters.events[event] += by;
}

/** The peer's state as `show redundancy states` has it: DISABLED where there is no peer. */
export function peerRf({ link, peer }: RedundancyState): RfState {
  if (link.status !== "open" || peer === undefined) return "disabled";
  return peer.state?.state ?? "unknown";
}

export function ownRf({ state }: RedundancyState): RfState {
  return STATES[state].rf;
}

/** `my state = ACTIVE peer state = STANDBY HOT`. */
export function statesText(state: RedundancyState): string {
  return `my state = ${RF_STATES[ownRf(state)].name} peer state = ${RF_STATES[peerRf(state)].name}`;
}

/** Writes a change of a state of either side into the history, and tells it. */
export function noteStates(context: Context): void {
  const { state, actions, nowMs, historyMax } = context;
  const { books } = state;
  const now = { own: ownRf(state), peer: peerRf(state) };
  const before = books.shown;
  if (now.own === before.own && now.peer === before.peer) return;
  books.shown = now;
  const changed = now.own === before.own ? "peer" : "own";
  keep(books.history, { atMs: nowMs, ...now, changed }, historyMax);
  actions.push({ kind: "state", ...now });
  log(context, "STATECHANGE", statesText(state));
}

/** Appends, and drops the oldest beyond the bound. */
export function keep<T>(entries: T[], entry: T, lengthMax: number): void {
  entries.push(entry);
  if (entries.length > lengthMax) entries.splice(0, entries.length - lengthMax);
}
