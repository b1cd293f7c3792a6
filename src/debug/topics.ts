/** What can be debugged: a word of `debug`, and what it tells of. The name is the command without `debug`. */
import type { Address } from "../ip.js";

export const DEBUG_TOPICS = {
  arp: "ARP messages, and neighbours that are learned and forgotten",
  "bfd event": "BFD state changes, and packets that are refused",
  "bfd packet": "BFD control packets",
  "ip icmp": "ICMP to and from this box, IPv6 included",
  "ip inspect detailed": "numbers and windows in what is told of TCP, UDP and ICMP",
  "ip inspect events": "sessions that begin and end, and packets that inspection drops",
  "ip inspect ha manager": "bulk syncs, comparisons and roles of the session sync",
  "ip inspect ha packet": "messages of the session sync",
  "ip inspect ha update": "session records in those messages",
  "ip inspect icmp": "ICMP packets that inspection decides about",
  "ip inspect object-creation": "sessions that are created",
  "ip inspect object-deletion": "sessions that are deleted",
  "ip inspect tcp": "TCP packets that inspection decides about",
  "ip inspect udp": "UDP packets that inspection decides about",
  "ip packet": "IPv4 packets, with verdict and reason",
  "ip packet drop": "IPv4 packets that are dropped, and why",
  "ip sctp segments": "packets of the association",
  "ip sctp state": "the association and its paths, up and down",
  "ip sctp warnings": "packets and messages of the association that are refused",
  "ipv6 nd": "neighbour discovery",
  "ipv6 packet": "IPv6 packets, with verdict and reason",
  "ipv6 packet drop": "IPv6 packets that are dropped, and why",
  redundancy: "states of both boxes, roles, and what operators want",
  "standby errors": "HSRP packets that are refused",
  "standby events": "HSRP state changes and what caused them",
  "standby packets": "HSRP packets",
  "standby terse": "HSRP errors, events and packets other than hellos and advertisements",
} as const satisfies Record<string, string>;
export type DebugTopic = keyof typeof DEBUG_TOPICS;
export const DEBUG_TOPIC_NAMES = Object.keys(DEBUG_TOPICS) as readonly DebugTopic[];

/** Beginnings of topics that stand for all of them. */
export const DEBUG_GROUPS = ["bfd", "ip inspect ha", "ip sctp", "standby"] as const;
export type DebugGroup = (typeof DEBUG_GROUPS)[number];

export const topicsOf = (group: DebugGroup): readonly DebugTopic[] =>
  DEBUG_TOPIC_NAMES.filter((topic) => topic.startsWith(`${group} `));

/** What a debug line must be about, where there is a condition: any of them. */
export type DebugCondition =
  | { readonly kind: "interface"; readonly interface: string }
  | { readonly kind: "ip"; readonly address: Address };

/** What is debugged: plain data. */
export interface DebugView {
  readonly topics: readonly DebugTopic[];
  readonly conditions: readonly DebugCondition[];
}

export const NO_DEBUG: DebugView = { topics: [], conditions: [] };

/** What a line is about. */
export interface DebugSubject {
  /** Full names. */
  readonly interfaces?: readonly string[];
  readonly addresses?: readonly Address[];
}

export interface DebugLine {
  /** It is told where any of them is debugged. */
  readonly topics: readonly DebugTopic[];
  readonly subject: DebugSubject;
  /** Asked for only when the line is told. */
  readonly text: () => string;
}

/** Whether a condition leaves something of that subject through; what is about the box as a whole it always does. */
export function isWanted(
  { interfaces = [], addresses = [] }: DebugSubject,
  conditions: readonly DebugCondition[],
): boolean {
  if (conditions.length === 0 || interfaces.length + addresses.length === 0) return true;
  return conditions.some((each) =>
    each.kind === "interface" ? interfaces.includes(each.interface) : addresses.includes(each.address),
  );
}
