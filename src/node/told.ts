/** What the machines of a box tell of themselves, about which nothing is to be done: for `debug`. */
import type { BfdAction } from "../bfd/index.js";
import type { HsrpAction } from "../hsrp/index.js";
import type { SctpAction } from "../sctp/index.js";

interface Facts {
  readonly hsrp: Extract<HsrpAction, { kind: "refused" }>;
  readonly bfd: Extract<BfdAction, { kind: "state" | "refused" }>;
  readonly sctp: Extract<SctpAction, { kind: "up" | "restarted" | "down" | "path" | "refused" }>;
}

export type ToldAction = {
  [By in keyof Facts]: { readonly kind: "told"; readonly by: By; readonly fact: Facts[By] };
}[keyof Facts];

/** Whether an action of the association is a fact. */
export const isSctpFact = (action: SctpAction): action is Facts["sctp"] =>
  action.kind !== "transmit" && action.kind !== "message" && action.kind !== "writable";
