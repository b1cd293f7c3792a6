/** What goes into the router and what comes out of it: plain data. */
import type { Config } from "../config/model.js";
import type { AnnounceAction, DisownAction, HsrpInput, OwnAction } from "../hsrp/index.js";
import type { Address } from "../ip.js";
import type { Mac } from "../mac.js";

export interface RouterOptions extends Configuration {
  /** Random 32-bit numbers. */
  readonly random: () => number;
  /** Room of the core's table of neighbours; NEIGHBORS_MAX unless given. */
  readonly neighborsMax?: number;
}

export interface Configuration {
  readonly config: Config;
  /** MAC addresses by full name of the interface, subinterfaces included; without one nothing is sent there. */
  readonly macs: ReadonlyMap<string, Mac>;
  /** Largest IP packets by full name; 1500 unless given. */
  readonly mtus: ReadonlyMap<string, number>;
}

/** Why a packet was not forwarded. */
export type ReportCause = "ttl" | "too-big" | "no-route" | "prohibited";

/** Frames belong to the router from then on. They are Ethernet frames; the IP packet starts at `networkOffset`. */
export type RouterInput =
  | { readonly kind: "tick" }
  /** For the box itself: ARP, neighbour discovery, and IP to own addresses and link-local groups. */
  | {
      readonly kind: "frame";
      readonly interface: string;
      readonly networkOffset: number;
      readonly frame: Uint8Array;
    }
  /** Ready but for the destination MAC address, which is that of the next hop. */
  | {
      readonly kind: "resolve";
      readonly interface: string;
      readonly nextHop: Address;
      readonly networkOffset: number;
      readonly frame: Uint8Array;
    }
  /** Was not forwarded: an ICMP error may be due. `mtu`: of the way that it was too big for. */
  | {
      readonly kind: "report";
      readonly interface: string;
      readonly networkOffset: number;
      readonly frame: Uint8Array;
      readonly cause: ReportCause;
      readonly mtu?: number;
    }
  | OutgoingDatagram
  | OwnAction
  | DisownAction
  | AnnounceAction
  | { readonly kind: "link"; readonly interface: string; readonly isUp: boolean }
  /** What still fits is kept. */
  | ({ readonly kind: "configure" } & Configuration)
  /** `clear arp-cache`, `clear ipv6 neighbors`. */
  | { readonly kind: "clear"; readonly what: "arp" | "neighbors"; readonly interface?: string }
  /** Orderly end: hosts are told that this is no longer a default router, but for those that another router takes over. */
  | { readonly kind: "stop"; readonly inherited?: ReadonlySet<Address> };

/** A datagram that the box itself sends. */
export interface OutgoingDatagram {
  readonly kind: "datagram";
  /** For destinations that are on a link, and those that more than one station hears; others follow their route. */
  readonly interface: string;
  /** IP protocol; UDP unless given. The payload of every other one is the IP payload, checksums included. */
  readonly protocol?: number;
  readonly source: Address;
  readonly destination: Address;
  readonly ttl: number;
  /** UDP. */
  readonly sourcePort?: number;
  readonly port?: number;
  readonly payload: Uint8Array;
  /** Other than the interface's own, and other than that of the destination: HSRP. */
  readonly sourceMac?: Mac;
  readonly destinationMac?: Mac;
}

export type RouterAction =
  /**
   * A whole Ethernet frame without a VLAN tag and check sequence; shorter ones are not padded. `isForwarded`: it was given to be
   * resolved, and is not the router's own.
   */
  | {
      readonly kind: "transmit";
      readonly interface: string;
      readonly frame: Uint8Array;
      readonly isForwarded?: true;
    }
  /** Of the core's table; undefined: no longer known. `isAgain`: it has been told before. */
  | {
      readonly kind: "neighbor";
      readonly interface: string;
      readonly address: Address;
      readonly mac: Mac | undefined;
      readonly isAgain?: true;
    }
  | IncomingDatagram
  | IncomingPacket
  /** Another station claims a virtual address. */
  | Extract<HsrpInput, { kind: "arp" }>
  /** The text without a time stamp; severity of syslog, 0 to 7. */
  | { readonly kind: "log"; readonly severity: number; readonly text: string };

/** A UDP datagram for one of the control machines. */
export interface IncomingDatagram {
  readonly kind: "datagram";
  readonly interface: string;
  readonly source: Address;
  readonly sourceMac: Mac;
  readonly destination: Address;
  readonly ttl: number;
  readonly sourcePort: number;
  readonly port: number;
  readonly payload: Uint8Array;
}

/** SCTP over IP. */
export interface IncomingPacket {
  readonly kind: "packet";
  readonly interface: string;
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  readonly ttl: number;
  readonly payload: Uint8Array;
}
