/**
 * The states of redundancy (CISCO-RF-MIB) with the numbers that management and the command line know them by, the
 * reasons of a switch-over, and the states of our inter-device machine with what each of them is to the outside.
 */

interface RfStateFacts {
  /** `RFState` of the MIB. */
  readonly mib: number;
  /** As `show redundancy states` writes it. */
  readonly name: string;
}

/** In the order of the MIB's numbers, from 1. */
export const RF_STATES = {
  unknown: { mib: 1, name: "UNKNOWN" },
  disabled: { mib: 2, name: "DISABLED" },
  initialization: { mib: 3, name: "INITIALIZATION" },
  negotiation: { mib: 4, name: "NEGOTIATION" },
  standbyCold: { mib: 5, name: "STANDBY COLD" },
  standbyColdConfig: { mib: 6, name: "STANDBY COLD-CONFIG" },
  standbyColdFilesys: { mib: 7, name: "STANDBY COLD-FILESYS" },
  standbyColdBulk: { mib: 8, name: "STANDBY COLD-BULK" },
  standbyHot: { mib: 9, name: "STANDBY HOT" },
  activeFast: { mib: 10, name: "ACTIVE-FAST" },
  activeDrain: { mib: 11, name: "ACTIVE-DRAIN" },
  activePreconfig: { mib: 12, name: "ACTIVE-PRECONFIG" },
  activePostconfig: { mib: 13, name: "ACTIVE-POSTCONFIG" },
  active: { mib: 14, name: "ACTIVE" },
  activeExtraload: { mib: 15, name: "ACTIVE-EXTRALOAD" },
  activeHandback: { mib: 16, name: "ACTIVE-HANDBACK" },
} as const satisfies Record<string, RfStateFacts>;

export type RfState = keyof typeof RF_STATES;
export const RF_STATE_NAMES = Object.keys(RF_STATES) as readonly RfState[];

/** The number that `show redundancy states` prints before the name. */
export function cliNumber(state: RfState): number {
  return RF_STATES[state].mib - 1;
}

/** `RFSwactReasonType` of the MIB, by its numbers from 1. */
export const REASONS = [
  "unsupported",
  "none",
  "notKnown",
  "userInitiated",
  "userForced",
  "activeUnitFailed",
  "activeUnitRemoved",
  "activeGWdown",
  "activeRMIportdown",
] as const;
export type Reason = (typeof REASONS)[number];

export function reasonNumber(reason: Reason): number {
  return REASONS.indexOf(reason) + 1;
}

/**
 * What the dataplane is to do. `standby` takes session records and forwards nothing; `draining` takes no more packets
 * (they wait), sends every record that is left, and answers with the input `drained` when the peer has all of them;
 * `none` forwards nothing.
 */
export const ROLES = ["none", "standby", "active", "draining"] as const;
export type Role = (typeof ROLES)[number];

interface StateFacts {
  readonly rf: RfState;
  readonly role: Role;
}

/**
 * The states of the machine. Those of the MIB that take no time here (ACTIVE-FAST to ACTIVE-POSTCONFIG) or do not
 * exist between two boxes (COLD-FILESYS) are not among them.
 *
 *     suspect  was Active, and the process stood still for so long that the peer may have taken over
 *     drain    Active, handing over to the peer: the last records are on their way
 *     yield    was Active, and waits for somebody else to be; its sessions are still there
 */
export const STATES = {
  disabled: { rf: "disabled", role: "none" },
  initialization: { rf: "initialization", role: "none" },
  negotiation: { rf: "negotiation", role: "none" },
  cold: { rf: "standbyCold", role: "standby" },
  coldConfig: { rf: "standbyColdConfig", role: "standby" },
  coldBulk: { rf: "standbyColdBulk", role: "standby" },
  hot: { rf: "standbyHot", role: "standby" },
  active: { rf: "active", role: "active" },
  suspect: { rf: "activeDrain", role: "none" },
  drain: { rf: "active", role: "draining" },
  yield: { rf: "activeDrain", role: "none" },
} as const satisfies Record<string, StateFacts>;

export type State = keyof typeof STATES;
export const STATE_NAMES = Object.keys(STATES) as readonly State[];

/** What a box has of the sessions: its own or all of the active's; those received so far; nothing. */
export const HOLDINGS = ["none", "partial", "complete"] as const;
export type Holdings = (typeof HOLDINGS)[number];

/**
 * With which sessions an active begins: all that the active had (`hot`), all that it had when the boxes lost each other
 * a while ago (`stale`), what had arrived of the first copy (`partial`), nothing (`cold`), its own of before
 * (`resumed`).
 */
export const TAKEOVERS = ["hot", "stale", "partial", "cold", "resumed"] as const;
export type Takeover = (typeof TAKEOVERS)[number];

/** State of the HSRP group that the box follows. */
export const GROUP_ROLES = ["other", "standby", "active"] as const;
export type GroupRole = (typeof GROUP_ROLES)[number];
