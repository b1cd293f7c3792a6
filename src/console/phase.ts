/** Where a session stands in its life, as `show ip inspect sessions` groups them. */
import type { Session } from "../session-view.js";
import type { Phase } from "./backend.js";

/** TCP states in which an end has said that it is done; `session-view.ts` has the names. */
const TERMINATING: ReadonlySet<string> = new Set([
  "fin_wait",
  "close_wait",
  "last_ack",
  "time_wait",
  "close",
]);

export function phaseOf({ halfOpen, state }: Pick<Session, "halfOpen" | "state">): Phase {
  if (halfOpen) return "halfOpen";
  return TERMINATING.has(state) ? "terminating" : "established";
}
