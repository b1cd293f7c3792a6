/** What goes into the BFD machine and what comes out of it: plain data. */
import type { Address } from "../ip.js";
import type { Refusal } from "./refusals.js";
import type { Diagnostic, State } from "./table.js";

/** What `bfd interval` says. Times in ms, whole ones on the command line. */
export interface Parameters {
  /** Least time between two packets that this box would send, and that it can take. */
  readonly desiredMinTxMs: number;
  readonly requiredMinRxMs: number;
  /** So many of our packets in a row that do not arrive: the neighbor takes the session for down. */
  readonly multiplier: number;
}

/** Where a session runs: between an address of this box and one of a neighbor on the same link. */
export interface Path {
  readonly interface: string;
  readonly local: Address;
  readonly remote: Address;
}

export type BfdInput =
  /** To be given when the deadline has come, after everything that has arrived. */
  | { readonly kind: "tick" }
  /** An interface. All are down until the first of these. */
  | { readonly kind: "link"; readonly interface: string; readonly isUp: boolean }
  | PacketInput
  /** Run a session on a path from now on, or with other parameters. Beyond SESSIONS_MAX it is refused and counted. */
  | { readonly kind: "session"; readonly path: Path; readonly parameters: Parameters }
  /** End it: the neighbor is told. */
  | { readonly kind: "remove"; readonly path: Path }
  /** Orderly end of all sessions; nothing is sent afterwards. */
  | { readonly kind: "stop" };

/** A UDP datagram for the BFD port whose UDP checksum is right. */
export interface PacketInput {
  readonly kind: "packet";
  readonly interface: string;
  readonly source: Address;
  readonly destination: Address;
  /** TTL or hop limit. */
  readonly ttl: number;
  readonly sourcePort: number;
  readonly payload: Uint8Array;
}

export type BfdAction =
  | SendAction
  | {
      readonly kind: "state";
      readonly path: Path;
      readonly from: State;
      readonly to: State;
      readonly diagnostic: Diagnostic;
    }
  /** A packet that is ignored. */
  | {
      readonly kind: "refused";
      readonly interface: string;
      readonly source: Address;
      readonly refusal: Refusal;
    }
  /** A line in the form of IOS, without a time stamp. */
  | { readonly kind: "log"; readonly severity: number; readonly text: string };

/** A UDP datagram. */
export interface SendAction {
  readonly kind: "send";
  readonly interface: string;
  readonly source: Address;
  readonly destination: Address;
  readonly ttl: number;
  readonly sourcePort: number;
  readonly port: number;
  readonly payload: Uint8Array;
}

/**
 * What a path says of the neighbor: it was heard within the detection time; it was heard, and since then nothing was for
 * the detection time; nothing, because the session has not been up yet or was taken down on purpose.
 */
export type Liveness = "alive" | "silent" | "unknown";
