/** What goes into the redundancy machine and what comes out of it: plain data. */
import type { HsrpReport, PeerInput } from "../hsrp/index.js";
import type { DataStream } from "./envelope.js";
import type { Identity } from "./identity.js";
import type { ReloadMode } from "./options.js";
import type { GroupRole, Reason, RfState, Role, Takeover } from "./states.js";

export type RedundancyInput =
  | { readonly kind: "tick" }
  /** Another configuration. Undefined: redundancy is not, or no longer, configured. */
  | { readonly kind: "configure"; readonly identity: Identity | undefined }
  /** The dataplane is as `start-clean` wants it, and the endpoint of the association is open. Also once after the start. */
  | { readonly kind: "ready" }
  | HsrpNews
  | { readonly kind: "association"; readonly status: "up" | "restarted" | "down" }
  /**
   * The peer is dead on every path (BFD): first `unheard`, so that whoever takes over now does not take over from a living
   * one; then, when the groups have changed, `lost`: the association is given up.
   */
  | { readonly kind: "peer"; readonly status: "unheard" | "lost" }
  /** Whether the peer takes this box for dead after a pause of so long, by BFD; Infinity: it does not. */
  | { readonly kind: "watched"; readonly pauseMaxMs: number }
  /** A message of the association, with the number of its stream. */
  | { readonly kind: "message"; readonly stream: number; readonly bytes: Uint8Array }
  /** Session records for the peer, CONTENTS_MAX bytes at most; gives the action `send`. */
  | { readonly kind: "data"; readonly stream: DataStream; readonly payload: Uint8Array }
  /**
   * News of the copy of all sessions that `bulk-await` announced: some have come; all have come and are right; it
   * failed. Later, `failed` says that the tables have come apart.
   */
  | { readonly kind: "bulk"; readonly bulk: number; readonly status: "progress" | "complete" | "failed" }
  /** The answer to the role `draining`: the peer has acknowledged every record. */
  | { readonly kind: "drained" }
  | OperatorInput
  /** The core has trapped. */
  | { readonly kind: "trap" }
  /** What forwards stood still for at least the stall time. That this machine did, it finds out by itself. */
  | { readonly kind: "stalled"; readonly pauseMs: number }
  /** Whether an interface that takes part in the failover is down. */
  | { readonly kind: "interfaces"; readonly isDegraded: boolean };

/** To be given whenever any of it changes. */
export interface HsrpNews {
  readonly kind: "hsrp";
  /** State of the group that is followed: Active, Standby, or neither. */
  readonly role: GroupRole;
  /** Of this box in that group, as it is now. */
  readonly priority: number;
  /** Whether another router is known to be Active in that group, by its hellos. */
  readonly isActiveHeard: boolean;
  /** Of all groups, for the peer. */
  readonly report: HsrpReport;
}

export type OperatorInput =
  /** `redundancy switchover`: hands over without loss. Forced, whatever the peer is. */
  | { readonly kind: "operator"; readonly command: "switchover"; readonly isForced: boolean }
  | { readonly kind: "operator"; readonly command: "reloadPeer" }
  /** `redundancy bulk-sync`, on the standby. */
  | { readonly kind: "operator"; readonly command: "bulkSync" }
  | { readonly kind: "operator"; readonly command: "maintenance"; readonly isOn: boolean };
export type OperatorCommand = OperatorInput["command"];

export type RedundancyAction =
  | RoleAction
  /** Active, and stays so, under this generation; but another box was active as well and may have forwarded. */
  | { readonly kind: "rival"; readonly generation: number }
  | { readonly kind: "send"; readonly stream: number; readonly bytes: Uint8Array }
  /**
   * Session records of the peer, part of the bytes that were handed in. `missing`: so many frames of the stream before
   * this one never came.
   */
  | {
      readonly kind: "data";
      readonly stream: DataStream;
      readonly payload: Uint8Array;
      readonly missing: number;
    }
  /** Active: send all sessions, then every change, to the peer that asked for the bulk of this number. */
  | { readonly kind: "bulk-begin"; readonly bulk: number; readonly generation: number }
  /** Standby: all sessions were asked for. What comes replaces what is there. */
  | { readonly kind: "bulk-await"; readonly bulk: number; readonly generation: number }
  /** No more records to the peer, or from it, until the next bulk. */
  | { readonly kind: "bulk-abort"; readonly bulk: number }
  /**
   * This box starts again; `ready` is awaited. `isFlushed`: with an empty table, a new `bootId`, control logic that
   * starts anew as after a boot (HSRP resigns), and a new association, which `association` asks for.
   */
  | {
      readonly kind: "start-clean";
      readonly mode: ReloadMode;
      readonly isFlushed: boolean;
      readonly bootId: bigint;
      readonly reason: string;
    }
  /** For the HSRP machine. `release` may be refused there; nothing needs to be said of that. */
  | { readonly kind: "hsrp"; readonly input: HsrpCommand }
  /** End the association, when all that is queued has arrived, and get a new one. */
  | { readonly kind: "association"; readonly command: "restart" }
  /** A line in the form of IOS, without a time stamp. */
  | { readonly kind: "log"; readonly severity: number; readonly text: string }
  /** The states of both sides, after one of them has changed. */
  | { readonly kind: "state"; readonly own: RfState; readonly peer: RfState }
  /** The outcome of an operator's command, once it is known. */
  | {
      readonly kind: "reply";
      readonly command: OperatorCommand;
      readonly outcome: "done" | "refused" | "failed";
      readonly text: string;
    };

export interface RoleAction {
  readonly kind: "role";
  readonly role: Role;
  readonly generation: number;
  /** With the role `active`, unless a handover failed or a doubt was cleared: what it begins with, and why. */
  readonly takeover?: Takeover;
  readonly reason?: Reason;
  /** With a take-over: how old the newest word of the former active is, in ms. */
  readonly outOfSyncMs?: number;
}

export type HsrpCommand =
  | PeerInput
  | { readonly kind: "synchronised"; readonly isSynchronised: boolean }
  | { readonly kind: "doubt"; readonly isDoubting: boolean }
  | { readonly kind: "release" };
