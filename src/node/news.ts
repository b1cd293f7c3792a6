/** What the redundancy is told of HSRP. */
import type { HsrpGroupView, HsrpReport } from "../hsrp/index.js";
import type { HsrpNews } from "../redundancy/index.js";

/** `leader`: the group that the redundancy follows. */
export function newsOf({ state, priority, active }: HsrpGroupView, report: HsrpReport): HsrpNews {
  const role = state === "active" || state === "standby" ? state : "other";
  return { kind: "hsrp", role, priority, isActiveHeard: active.kind === "neighbor", report };
}
