/** What goes into the HSRP machine and what comes out of it: plain data. */
import type { Family } from "../config/model.js";
import type { Mac } from "../frame.js";
import type { Address } from "../ip.js";
import type { Generation } from "./classify.js";
import type { Authentication, HsrpOptions } from "./options.js";
import type { Refusal } from "./refusals.js";
import type { Event, State } from "./table.js";

export type HsrpInput =
  | { readonly kind: "tick" }
  /** An interface or a tracked object. All interfaces are down until the first of these; other objects are up. */
  | { readonly kind: "link"; readonly interface: string; readonly isUp: boolean }
  | PacketInput
  /** Another station claims an address by ARP or neighbour discovery. */
  | { readonly kind: "arp"; readonly interface: string; readonly address: Address; readonly mac: Mac }
  /** Whether the sessions of the Active router have all been received; preemption may wait for it. */
  | { readonly kind: "synchronised"; readonly isSynchronised: boolean }
  | PeerInput
  /** Routers that are known to be dead on every path (BFD): no timer of theirs is waited for. */
  | { readonly kind: "neighborDown"; readonly neighbors: readonly Neighbor[] }
  /** While this is so, the process may have been replaced: no group claims to be Active until it is known. */
  | { readonly kind: "doubt"; readonly isDoubting: boolean }
  /** Other keys or another text from now on; the old keys are still accepted for a while. */
  | {
      readonly kind: "authentication";
      /** Of the group, see `keyOf`. */
      readonly key: string;
      readonly authentication: Authentication;
      /** `key-string ... timeout`. */
      readonly oldKeyTimeoutMs: number;
    }
  /** Another configuration: groups that it leaves as they are go on undisturbed; see configure.ts. */
  | { readonly kind: "configure"; readonly options: HsrpOptions }
  /** Hand over to the Standby router, without loss: nothing happens while there is none. */
  | { readonly kind: "release" }
  /** Orderly end: resigns; nothing is sent afterwards. */
  | { readonly kind: "stop" };

/** A UDP datagram for the HSRP port whose UDP checksum is right. */
export interface PacketInput {
  readonly kind: "packet";
  readonly interface: string;
  readonly source: Address;
  readonly destination: Address;
  /** TTL or hop limit. */
  readonly ttl: number;
  readonly payload: Uint8Array;
  readonly sourceMac?: Mac;
}

/** Another router of a group, where it is heard. */
export interface Neighbor {
  readonly interface: string;
  readonly address: Address;
}

/** What a box tells its peer over the synchronisation link. */
export interface HsrpReport {
  /** Keys of the groups in which it is Active; of one that was renamed since, the former key too. */
  readonly active: readonly string[];
}

/**
 * What the synchronisation link tells of the peer; to be given whenever any of it changes. While there is a report, a
 * packet that contradicts it is refused: old packets that somebody sends again depose nobody.
 */
export interface PeerInput {
  readonly kind: "peer";
  /** Undefined: the peer is not heard on the link. That alone changes no role. */
  readonly report?: HsrpReport;
  /** `ahead`: the peer has taken over since; what it claims is given up at once. */
  readonly generation: Generation;
}

export type HsrpAction =
  | SendAction
  | AnnounceAction
  | StateAction
  | OwnAction
  | DisownAction
  | LogAction
  | RefusedAction
  /** The answer to `release`: it waits until roles may change again, was done, or there is no Standby router. */
  | { readonly kind: "release"; readonly outcome: "waiting" | "done" | "refused" };

/** A UDP datagram; `frameOf` makes the frame. */
export interface SendAction {
  readonly kind: "send";
  readonly interface: string;
  readonly sourceMac: Mac;
  readonly destinationMac: Mac;
  readonly source: Address;
  readonly destination: Address;
  readonly ttl: number;
  /** UDP, of source and destination. */
  readonly port: number;
  readonly payload: Uint8Array;
}

/** Gratuitous ARP or an unsolicited neighbour advertisement: `address` is at `mac`. */
export interface AnnounceAction {
  readonly kind: "announce";
  readonly interface: string;
  readonly family: Family;
  readonly address: Address;
  readonly mac: Mac;
}

export interface StateAction {
  readonly kind: "state";
  readonly interface: string;
  readonly group: number;
  readonly family: Family;
  readonly key: string;
  readonly name?: string;
  readonly from: State;
  readonly to: State;
  readonly event: Event;
  /** `g/Hello rcvd from higher pri Active router (110/10.0.0.2)`. */
  readonly cause: string;
}

/** From now on the router answers for these addresses with this MAC address. */
export interface OwnAction {
  readonly kind: "own";
  readonly interface: string;
  readonly key: string;
  readonly addresses: readonly Address[];
  readonly mac: Mac;
}

/** It no longer does. */
export interface DisownAction extends Omit<OwnAction, "kind"> {
  readonly kind: "disown";
}

/** A packet that is ignored, each of them; log lines come at their own rate. */
export interface RefusedAction {
  readonly kind: "refused";
  readonly interface: string;
  readonly source: Address;
  /** Of the group that it is about, as far as it was understood. */
  readonly group?: number;
  readonly refusal: Refusal;
}

/** `%HSRP-5-STATECHANGE: ...`: the text without a time stamp. */
export interface LogAction {
  readonly kind: "log";
  /** Of syslog: 0 to 7. */
  readonly severity: number;
  readonly text: string;
}
