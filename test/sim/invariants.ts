/** What must always hold of a pair, each with a name, and the error of a run in which it does not. */

export const INVARIANTS = {
  "one-active": "boxes that hear each other have one active after a hold time",
  "one-owner": "both groups have one owner",
  admitted: "no packet passes that neither a rule nor a live session admits",
  "standby-silent": "who is not active forwards nothing",
  invented: "every session was begun by an active, for a packet that it passed",
  kept: "a session that the standby has acknowledged, or that is older than the sync lag, outlives its active",
  deferred: "with `defer`, no session is lost whose first reply has left",
  vanished: "an active loses no open session",
  generation: "generations never fall, and a higher one ends a lower one",
  version: "versions of a session never fall, and the standby is never ahead",
  buried: "a session that is gone everywhere never comes back",
  settles: "one active and one hot standby in time, once everything is whole",
  calm: "no endless changes of roles",
  equal: "after quiet both tables are equal",
  alive: "conversations whose session survived go on",
  bounded: "queues are bounded",
  counted: "received = passed + dropped + local",
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** A run in which an invariant did not hold. */
export class Broken extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, text: string) {
    super(`${invariant}: ${text} (${INVARIANTS[invariant]})`);
    this.invariant = invariant;
  }
}

export function broken(invariant: Invariant, text: string): never {
  throw new Broken(invariant, text);
}

/** Ids, versions and generations as reports write them. */
export const hex = (value: number): string => value.toString(16);
