/** The part of the configuration that says which packets: access lists, object groups, time ranges. */
import type { Address } from "../ip.js";
import type { Family, Placed } from "./model.js";

export interface AccessList extends Placed {
  family: Family;
  name: string;
  kind: "standard" | "extended";
  /** In order of their sequence numbers. */
  entries: AccessEntry[];
}

export type AccessEntry = Ace | Remark;

export interface Remark extends Placed {
  kind: "remark";
  sequence: number;
  text: string;
}

/** One access control entry. Every condition given must hold (spec of each: Cisco's `access-list` reference). */
export interface Ace extends Placed {
  kind: "ace";
  sequence: number;
  action: "permit" | "deny";
  /** IP protocol number; undefined: any (`ip`, `ipv6`), or as the service group says. */
  protocol?: number;
  serviceGroup?: string;
  source: AddressMatch;
  destination: AddressMatch;
  sourcePort?: PortMatch;
  destinationPort?: PortMatch;
  established: boolean;
  /** `match-any`/`match-all` or bare flags; masks over the TCP flag byte (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32). */
  flags?: { mode: "any" | "all"; set: number; clear: number };
  icmp?: { type: number; code?: number };
  igmpType?: number;
  fragments: boolean;
  log?: "log" | "log-input";
  /** The word after `log`. */
  logCookie?: string;
  precedence?: number;
  tos?: number;
  dscp?: number;
  ecn?: number;
  ttl?: NumberMatch;
  /** IPv4 option number, or `any-options`. */
  option?: number | "any";
  timeRange?: string;
  flowLabel?: number;
  /** IPv6: extension headers that must be present. */
  routing?: { type?: number };
  mobility?: { type?: number };
  destinationOption?: { type?: number };
  hopByHop?: boolean;
  authenticationHeader?: boolean;
  undeterminedTransport?: boolean;
}

export type AddressMatch =
  | { kind: "any" }
  /** IPv4 with a wildcard (1 = do not care); bits under the wildcard are 0. `host A` has wildcard 0. */
  | { kind: "wildcard"; address: number; wildcard: number }
  | { kind: "prefix"; address: Address; prefixLength: number }
  | { kind: "group"; name: string };

export type NumberMatch =
  | { op: "eq" | "neq"; values: number[] }
  | { op: "gt" | "lt"; value: number }
  | { op: "range"; low: number; high: number };

export type PortMatch = NumberMatch;

export interface ObjectGroup extends Placed {
  name: string;
  kind: "network" | "service" | "v6-network" | "v6-service";
  description?: string;
  members: GroupMember[];
}

export type GroupMember = Placed &
  (
    | { kind: "address"; match: Exclude<AddressMatch, { kind: "group" }> }
    | { kind: "range"; low: Address; high: Address }
    | { kind: "group"; name: string }
    | {
        kind: "service";
        /** `tcp-udp` is two numbers; undefined: any protocol. */
        protocols?: number[];
        sourcePort?: PortMatch;
        destinationPort?: PortMatch;
        icmp?: { type: number; code?: number };
      }
  );

export interface TimeRange extends Placed {
  name: string;
  absolute?: { start?: CalendarTime; end?: CalendarTime };
  periodic: { days: DaySet; startMinute: number; endDays?: DaySet; endMinute: number }[];
}
/** Monday is bit 0. `word` is what was written: `daily`, `weekdays`, `weekend` or the days. */
export interface DaySet {
  mask: number;
  word: string;
}
export interface CalendarTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
}
