/** Why a packet that came in on the HSRP port is ignored. One reason, one counter; the counters derive from this list. */

export const REFUSALS = {
  interface: "the interface is down or has no HSRP group of this address family",
  destination: "not sent to the multicast address of the interface's HSRP version",
  own_source: "sent from an address of this router",
  foreign_source: "sent from outside the interface's networks",
  unknown_peer: "sent by a router that is not among the configured peers",
  ttl: "the TTL is not 1, or the hop limit not 255: it may have crossed a router",
  length: "a record or TLV has another length than its format, or the packet is too long",
  content: "carries neither the state of a group nor that of an interface",
  repeated_tlv: "a TLV that may stand once stands twice",
  version: "another HSRP version",
  opcode: "no such operation",
  state: "no such state",
  family: "the IP version of the group is not that of the packet",
  group: "no such group on the interface",
  not_running: "the group is in Init",
  priority: "a priority above 255",
  timers: "a hello or hold time of 0, above the greatest one, or a hold time below the hello time",
  virtual_address: "another virtual address than this router's, or one that cannot be",
  repeated: "the same hello again within a fraction of the hello time",
  rate: "more packets than routers send: refused before the digest is computed",
  authentication_missing: "no authentication of the configured kind",
  authentication_text: "another authentication text",
  authentication_algorithm: "an algorithm other than MD5",
  authentication_key: "a key that this router does not have, or no longer takes",
  authentication_address: "the digest is made for another source address",
  authentication_digest: "a wrong digest",
  resign_source: "a resignation by a router that is not the active one",
  contradiction: "claims what the peer, over the synchronisation link, says is not so",
} as const satisfies Record<string, string>;

export type Refusal = keyof typeof REFUSALS;

export const REFUSAL_NAMES = Object.keys(REFUSALS) as readonly Refusal[];

/** A value, or the reason why there is none. */
export type Judged<T> = { readonly value: T } | { readonly refusal: Refusal };

export function isRefused<T>(judged: Judged<T>): judged is { readonly refusal: Refusal } {
  return "refusal" in judged;
}
