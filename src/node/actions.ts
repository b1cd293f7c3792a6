/** What goes into one firewall of a pair and what comes out of it: plain data. */
import type { Config } from "../config/model.js";
import type { Dataplane } from "../dataplane.js";
import type { Mac } from "../frame.js";
import type { HsrpAction } from "../hsrp/index.js";
import type { Address } from "../ip.js";
import type { RedundancyAction, RedundancyOptions, ReloadMode } from "../redundancy/index.js";

export interface NodeOptions {
  readonly config: Config;
  readonly dataplane: Dataplane;
  /** MAC addresses of the interfaces by full name, `0200.5e00.0001`. */
  readonly macs: ReadonlyMap<string, Mac>;
  /** Random 32-bit numbers that nobody can guess. */
  readonly random: () => number;
  /** Signs the cookies of the association. */
  readonly secret: Uint8Array;
  readonly software: string;
  readonly reloadMode?: ReloadMode;
  /** HMAC-SHA-256 of the machine, where it has a faster one than JavaScript is. */
  readonly mac?: RedundancyOptions["mac"];
  /** Makes the dataplane that takes over after the core has trapped; without it the process ends. */
  readonly newDataplane?: (nowMs: number) => Dataplane;
}

export type NodeInput =
  | { readonly kind: "tick" }
  | { readonly kind: "link"; readonly interface: string; readonly isUp: boolean }
  | DatagramInput
  | { readonly kind: "operator"; readonly command: "switchover"; readonly isForced: boolean }
  /** The core has trapped, or is to be taken for that; `process` finds out by itself. */
  | { readonly kind: "trap" }
  /** Orderly end. */
  | { readonly kind: "stop" };

/** A UDP datagram for the box itself: HSRP, or SCTP of the peer. */
export interface DatagramInput {
  readonly kind: "datagram";
  readonly interface: string;
  readonly source: Address;
  readonly destination: Address;
  readonly ttl: number;
  readonly sourcePort: number;
  readonly port: number;
  readonly payload: Uint8Array;
}

export type NodeAction =
  /** A UDP datagram. `sourceMac`: other than the interface's own. */
  | {
      readonly kind: "send";
      readonly interface: string;
      readonly sourceMac?: Mac;
      readonly destinationMac?: Mac;
      readonly source: Address;
      readonly destination: Address;
      readonly ttl: number;
      readonly sourcePort: number;
      readonly port: number;
      readonly payload: Uint8Array;
    }
  | Extract<HsrpAction, { kind: "announce" | "own" | "disown" | "log" }>
  /** The group that decides the role, and every other. */
  | Extract<HsrpAction, { kind: "state" }>
  | Extract<RedundancyAction, { kind: "role" | "state" | "reply" }>
  /** The standby has all sessions. */
  | { readonly kind: "synchronised" }
  /** A first reply may leave: the peer knows its session, or has had its time. */
  | { readonly kind: "release"; readonly token: number; readonly isAcknowledged: boolean }
  /** A first reply must not leave any more: the role is lost. */
  | { readonly kind: "discard"; readonly token: number }
  /** Fragments waited for the rest of their datagram for too long: so many verdicts stand in the batch. */
  | { readonly kind: "expired"; readonly outputs: number }
  /** `reload-mode exit`, or nothing to go on with: the process is to end and start again. */
  | { readonly kind: "exit" };
