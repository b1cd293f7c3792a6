/**
 * Kinds of sessions: which protocol and family share a key space. ICMP queries carry their identifier as both ports,
 * protocols without ports their own number.
 */
import {
  KIND_ECHO4,
  KIND_ECHO6,
  KIND_OTHER4,
  KIND_TCP4,
  KIND_TIMESTAMP4,
  KIND_UDP4,
  KIND_V6,
} from "./layout";

export const TCP: u32 = 6;
export const UDP: u32 = 17;
export const ICMP: u32 = 1;
export const ICMPV6: u32 = 58;
export const SCTP: u32 = 132;
export const IGMP: u32 = 2;

/** IP protocol of a kind; `port` is the port field as stored, which names the protocol of "other" sessions. */
export function protocolOf(kind: u32, port: u32): u32 {
  switch (kind & ~KIND_V6) {
    case KIND_TCP4:
      return TCP;
    case KIND_UDP4:
      return UDP;
    case KIND_ECHO4:
    case KIND_TIMESTAMP4:
      return kind == KIND_ECHO6 ? ICMPV6 : ICMP;
    default:
      return bswap<u16>(<u16>port);
  }
}

/** Kind of a protocol; ICMP queries have theirs from their type. */
@inline
export function kindOf(protocol: u32, v6: bool): u32 {
  const family = v6 ? KIND_V6 : 0;
  if (protocol == TCP) return KIND_TCP4 + family;
  if (protocol == UDP) return KIND_UDP4 + family;
  return KIND_OTHER4 + family;
}
