/** What goes into one firewall of a pair and what comes out of it: plain data. */
import type { Config } from "../config/model.js";
import type { IP_PROTOCOL_SCTP, IP_PROTOCOL_UDP } from "../config/names.js";
import type { Dataplane } from "../dataplane.js";
import type { Mac } from "../frame.js";
import type { HsrpAction, HsrpInput } from "../hsrp/index.js";
import type { Address } from "../ip.js";
import type {
  OperatorInput,
  RedundancyAction,
  RedundancyInput,
  RedundancyOptions,
  ReloadMode,
} from "../redundancy/index.js";
import type { SessionsAction } from "./shared-sessions.js";
import type { ToldAction } from "./told.js";

/** Of the machines of a box. */
export interface ControlOptions {
  readonly config: Config;
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
  /** Capacity of the session table: both boxes must have the same. */
  readonly sessions: number;
}

/** Of a box in one thread. */
export interface NodeOptions extends Omit<ControlOptions, "sessions"> {
  readonly dataplane: Dataplane;
  /** Makes the dataplane that takes over after the core has trapped; without it the process ends. */
  readonly newDataplane?: (nowMs: number) => Dataplane;
}

/** What the machines take. */
export type ControlInput =
  | { readonly kind: "tick" }
  | { readonly kind: "link"; readonly interface: string; readonly isUp: boolean }
  | DatagramInput
  | OperatorInput
  /** Another station claims an address by ARP or neighbour discovery. */
  | Extract<HsrpInput, { kind: "arp" }>
  | ConfigureInput
  /** What the sessions have to say. */
  | { readonly kind: "sessions"; readonly actions: readonly SessionsAction[] }
  /** The thread that forwards stood still for so long. */
  | Extract<RedundancyInput, { kind: "stalled" }>
  /** Orderly end. */
  | { readonly kind: "stop" };

export type NodeInput =
  | Exclude<ControlInput, { kind: "sessions" | "stalled" }>
  /** The core has trapped, or is to be taken for that; `process` finds out by itself. */
  | { readonly kind: "trap" };

/**
 * Another configuration, with the MAC addresses of its interfaces. Whatever it leaves as it is goes on undisturbed. The
 * sessions are given it by `SharedSessions.reconfigure`.
 */
export interface ConfigureInput {
  readonly kind: "configure";
  readonly config: Config;
  readonly macs: ReadonlyMap<string, Mac>;
}

/** What carries a payload over IP: UDP with its ports, or, of the association, SCTP itself. */
export type Carrier =
  | { readonly protocol: typeof IP_PROTOCOL_UDP; readonly sourcePort: number; readonly port: number }
  | { readonly protocol: typeof IP_PROTOCOL_SCTP };

/** The payload of an IP packet behind its carrier's header, if it has one: HSRP, or a packet of the association. */
interface Carried {
  readonly interface: string;
  readonly source: Address;
  readonly destination: Address;
  readonly ttl: number;
  /** A UDP datagram without its header, or a whole SCTP packet. */
  readonly payload: Uint8Array;
}

/** For the box itself. */
export type DatagramInput = Carried & Carrier & { readonly kind: "datagram"; readonly sourceMac?: Mac };

/** From the box itself. */
export type SendAction = Carried &
  Carrier & {
    readonly kind: "send";
    /** Other than the interface's own. */
    readonly sourceMac?: Mac;
    readonly destinationMac?: Mac;
  };

export type NodeAction =
  | SendAction
  | Extract<HsrpAction, { kind: "announce" | "own" | "disown" | "log" }>
  /** The group that decides the role, and every other. */
  | Extract<HsrpAction, { kind: "state" }>
  | Extract<RedundancyAction, { kind: "role" | "state" | "reply" }>
  /** The standby has all sessions. */
  | { readonly kind: "synchronised" }
  | Extract<SessionsAction, { kind: "release" | "discard" | "expired" }>
  | ToldAction
  /** `reload-mode exit`, or nothing to go on with: the process is to end and start again. */
  | { readonly kind: "exit" };
