/** Why a packet that came in on the BFD port is ignored, in the order of the checks. One reason, one counter. */
export const REFUSALS = {
  ttl: "the TTL or hop limit is not 255: it may have crossed a router (RFC 5881 section 5)",
  source_port: "the source port is below 49152 (RFC 5881 section 4)",
  short: "shorter than a control packet",
  version: "another version than 1",
  length: "the length in the packet is too small, or more than has come",
  multiplier: "a detection multiplier of 0",
  multipoint: "for several receivers, which is not spoken (RFC 5880 section 4.1)",
  demand: "asks for demand mode, which is not spoken",
  my_discriminator: "a sender without a discriminator",
  your_discriminator: "knows no discriminator of this box, in a state in which it has to",
  session: "for no session of this box",
  interface: "of another neighbor, to another address or on another interface than those of its session",
  admin_down: "the session is administratively down, or its interface is down",
  authentication_missing: "without authentication, and a key is configured",
  authentication_unexpected: "with authentication, and no key is configured",
  authentication_type: "authentication other than meticulous keyed SHA1, or not as long as that",
  authentication_key: "another key number",
  authentication_sequence:
    "its number is not among the next ones: an old packet again, or a neighbor that has started anew",
  authentication_digest: "a wrong digest",
} as const satisfies Record<string, string>;

export type Refusal = keyof typeof REFUSALS;
export const REFUSAL_NAMES = Object.keys(REFUSALS) as readonly Refusal[];

/** A value, or the reason why there is none. */
export type Judged<T> = { readonly value: T } | { readonly refusal: Refusal };

export function isRefused<T>(judged: Judged<T>): judged is { readonly refusal: Refusal } {
  return "refusal" in judged;
}
