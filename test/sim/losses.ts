/** Why a take-over may lose a session; every other loss breaks an invariant. */

export const LOSSES = {
  closing: "of conversations that were ending",
  unshared: "that the policy does not share",
  restarted: "of a successor that has started anew since",
  cold: "of a successor that did not have all of them",
  halfOpen: "that were half open, of which the standby is not told without `defer`",
  young: "whose record was on its way",
} as const;
export type LossReason = keyof typeof LOSSES;

export const noLosses = (): Record<LossReason, number> =>
  Object.fromEntries(Object.keys(LOSSES).map((reason) => [reason, 0])) as Record<LossReason, number>;
