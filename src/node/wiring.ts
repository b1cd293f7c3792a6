/** What the wiring of a node remembers, and what its machines want of it. */
import type { BfdAction } from "../bfd/index.js";
import type { HsrpAction } from "../hsrp/index.js";
import type { RedundancyAction } from "../redundancy/index.js";
import type { SctpAction } from "../sctp/index.js";
import type { SessionsAction } from "./shared-sessions.js";

/** What a machine wants done. */
export type Wish =
  | { readonly from: "hsrp"; readonly action: HsrpAction }
  | { readonly from: "redundancy"; readonly action: RedundancyAction }
  | { readonly from: "sctp"; readonly action: SctpAction }
  | { readonly from: "bfd"; readonly action: BfdAction }
  | { readonly from: "sessions"; readonly action: SessionsAction };

/** What the wiring itself remembers; plain data. */
export interface Wiring {
  /** The bulk sync that is under way, or was the last; this box is the one that takes it. */
  bulk: number;
  isBulkAwaited: boolean;
  /** The association is being ended to be begun anew. */
  isRestarting: boolean;
  /** The process is to end and start again. */
  isExiting: boolean;
  /** What the redundancy was last told of it. */
  pauseMaxMs: number;
}

/** Of a box that has just been made. */
export const UNWIRED: Readonly<Wiring> = {
  bulk: 0,
  isBulkAwaited: false,
  isRestarting: false,
  isExiting: false,
  pauseMaxMs: Number.POSITIVE_INFINITY,
};
