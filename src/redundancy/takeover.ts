/** With what a box becomes active, and why. */
import { isLinked } from "./classify.js";
import type { RedundancyState } from "./state.js";
import type { Reason, Takeover } from "./states.js";

/** Sessions that no word of their active has come for in this time are stale: it was presumed dead, then waited for. */
function freshMs({ timers }: RedundancyState): number {
  return timers.keepAliveMs * timers.keepAliveThreshold + timers.settleMs;
}

/** What sessions a box in this state, not yet active, has. */
export function takeoverOf(state: RedundancyState): Takeover {
  if (state.isUnclean) return "resumed";
  if (state.state === "hot") return "hot";
  switch (state.holdings) {
    case "none":
      return "cold";
    case "partial":
      return "partial";
    case "complete":
      return state.nowAtMs - state.inSyncAtMs > freshMs(state) ? "stale" : "hot";
  }
}

/** Why a box in this state becomes active, as the MIB has it. */
export function reasonOf(state: RedundancyState): Reason {
  const { handedOver, isUnclean, known, peer } = state;
  if (handedOver !== undefined) return handedOver;
  if (isUnclean || known === 0) return "none";
  if (!isLinked(state) || peer === undefined || peer.isSilent) return "activeUnitFailed";
  if (peer.state?.state === "disabled") return "activeUnitRemoved";
  return peer.state?.isDegraded ? "activeGWdown" : "notKnown";
}
