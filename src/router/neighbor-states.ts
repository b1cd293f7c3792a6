/**
 * The states of a neighbour: RFC 4861 section 7.3.2 and appendix C for both families. The core forwards without telling
 * which neighbours are in use, so all that are known are verified by time: STALE means "said unasked, to be verified".
 *
 * A cell is "actions/next state"; "" is an event that the state ignores; without a state it stays.
 *
 *     Q  the frame waits              R  ask everybody
 *     F  what waits is sent           P  ask the neighbour where it was last; the last time everybody
 *     L  note the MAC address         X  what waits cannot be delivered: ICMP errors are due
 *     C  note that it has answered    D  forget the neighbour; what waits is dropped
 */

export const STATES = ["none", "incomplete", "stale", "reachable", "probe", "failed"] as const;
export type NeighborState = (typeof STATES)[number];

export type NeighborLetter = "Q" | "R" | "F" | "P" | "L" | "X" | "C" | "D";

type Row = readonly [
  none: string,
  incomplete: string,
  stale: string,
  reachable: string,
  probe: string,
  failed: string,
];

export const TABLE = {
  // prettier-ignore
  /** A frame is to be sent. */
  resolve: ["QR/incomplete", "Q", "F", "F", "F", "QX"],
  /** It is a next hop, or another router of the group asks for it. */
  warm: ["R/incomplete", "", "", "", "", ""],
  /** It has answered what it was asked. */
  answer: ["", "LCF/reachable", "", "", "LC/reachable", "LC/reachable"],
  /** It asks for an address of ours: it is going to be sent something. With the MAC address that is known: nothing. */
  solicit: ["L/stale", "LF/stale", "L/stale", "L/stale", "L", "L/stale"],
  /** It says unasked that it has another MAC address, or has one at all. */
  hint: ["", "LF/stale", "L/stale", "L/stale", "L", "L/stale"],
  /** Its time is over. */
  due: ["", "R", "P/probe", "P/probe", "P", "D/none"],
  /** Its time is over, and it was asked often enough. */
  exhausted: ["", "X/failed", "", "", "D/none", ""],
  /** A take-over: is it still where it was? */
  verify: ["", "", "P/probe", "P/probe", "", "R/incomplete"],
  /** By the operator, with the link, with the configuration, or to make room. */
  forget: ["", "D/none", "D/none", "D/none", "D/none", "D/none"],
} as const satisfies Record<string, Row>;

export type NeighborEvent = keyof typeof TABLE;

export interface NeighborStep {
  readonly letters: readonly NeighborLetter[];
  readonly next: NeighborState;
}

/** What an event comes to. Decides, does nothing. */
export function next(state: NeighborState, event: NeighborEvent): NeighborStep {
  const [letters = "", to] = TABLE[event][STATES.indexOf(state)]!.split("/");
  return { letters: [...letters] as NeighborLetter[], next: (to as NeighborState | undefined) ?? state };
}
