/**
 * ICMP errors: they pass when the packet that they quote belongs to a session and was sent by the one they are
 * addressed to (RFC 792, 4443 2.4, 5927, 4890). They change nothing.
 */
import {
  CLASS_DATAGRAM,
  CLASS_ICMP_OTHER,
  CLASS_TCP,
  HF_INITIATOR1,
  HOT_FLAGS,
  HOT_INTERFACE0,
  HOT_WINDOW0,
  KIND_ECHO4,
  KIND_ECHO6,
  KIND_TIMESTAMP4,
  M_AVAILABLE,
  M_CLASS,
  M_FRAGMENT,
  M_INGRESS,
  M_LENGTH,
  M_NETWORK,
  M_PROTOCOL,
  M_SIDE,
  M_TRANSPORT,
  M_TTL,
  M_V6,
  META_SIZE,
  R_ICMP_UNRELATED,
  R_RELATED,
  R_TOO_BIG,
  R_TTL_EXPIRED,
  R_WRONG_INTERFACE,
  S_QUOTED_META,
  STATE_AT,
  TR_RELATED,
  VERDICT_DROP,
  VERDICT_PASS,
  W_END,
  W_MAXEND,
  W_MAXWIN,
  WINDOW_SIZE,
} from "./layout";
import { be32 } from "./bytes";
import { find, isExpired } from "./flow";
import {
  headerLength4,
  IPV4_DESTINATION,
  IPV4_FRAGMENT,
  IPV4_HEADER,
  IPV4_OFFSET,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
} from "./ipv4";
import {
  IPV6_DESTINATION,
  IPV6_FRAGMENT_OFFSET,
  IPV6_HEADER,
  IPV6_NEXT,
  IPV6_SOURCE,
  walkExtensions,
} from "./ipv6";
import { ICMP, ICMPV6, kindOf, TCP, UDP } from "./key";
import { isTooBig } from "./live";
import { NO_SLOT, hot, trace } from "./state";
import { ICMP_HEADER, isRequest, setKey, TCP_SEQ } from "./transport";
import { noteSession, verdict } from "./verdict";

/** Bytes of the quoted transport header that an error must bring (RFC 792). */
const QUOTE_MIN: u32 = 8;
/** How far behind the highest byte a quoted segment may lie, as rule IV of tcp.ts. */
const QUOTE_WINDOW_MIN: u32 = 66000;

/** Decides an error that quotes nonsense or a packet of a session; false: a sound quote of no session. */
export function decideRelated(descriptor: usize, meta: usize): bool {
  const quoted = <usize>STATE_AT + S_QUOTED_META;
  const sound = quotes(meta, quoted);
  const slot = sound ? find(quoted) : NO_SLOT;
  const alive = slot != NO_SLOT && !isExpired(hot(slot));
  trace(TR_RELATED, alive ? slot + 1 : 0);
  if (sound && !alive) return false;
  const record = hot(slot);
  if (!sound || !mayHaveSent(record, quoted)) {
    verdict(descriptor, meta, VERDICT_DROP, R_ICMP_UNRELATED, 0);
    return true;
  }
  const sender: u32 = load<u8>(quoted, M_SIDE);
  noteSession(descriptor, slot, 1 ^ sender ^ (load<u8>(record, HOT_FLAGS) & HF_INITIATOR1));
  const egress: u32 = load<u8>(record + <usize>sender, HOT_INTERFACE0);
  if (load<u8>(meta, M_INGRESS) != load<u8>(record + <usize>(sender ^ 1), HOT_INTERFACE0)) {
    verdict(descriptor, meta, VERDICT_DROP, R_WRONG_INTERFACE, 0);
  } else if (load<u8>(meta, M_TTL) <= 1) {
    verdict(descriptor, meta, VERDICT_DROP, R_TTL_EXPIRED, 0);
  } else if (isTooBig(descriptor, meta, egress)) {
    verdict(descriptor, meta, VERDICT_DROP, R_TOO_BIG, egress);
  } else {
    verdict(descriptor, meta, VERDICT_PASS, R_RELATED, egress);
  }
  return true;
}

/** Parses the quoted packet into `quoted` as far as its key; false: too short, a fragment's rest, an error itself. */
function quotes(meta: usize, quoted: usize): bool {
  for (let i: usize = 0; i < <usize>META_SIZE; i += 16) v128.store(quoted + i, v128.splat<u8>(0));
  const network: usize = <usize>load<u32>(meta, M_TRANSPORT) + ICMP_HEADER;
  const end =
    <usize>load<u32>(meta, M_NETWORK) + min(load<u32>(meta, M_LENGTH), load<u32>(meta, M_AVAILABLE));
  const v6 = load<u8>(meta, M_V6) != 0;
  if (network + (v6 ? IPV6_HEADER : IPV4_HEADER) > end) return false;
  const all = <u32>(end - network);
  store<u32>(quoted, <u32>network, M_NETWORK);
  store<u32>(quoted, all, M_LENGTH);
  store<u32>(quoted, all, M_AVAILABLE);
  store<u8>(quoted, v6, M_V6);
  if (!(v6 ? quotes6(meta, quoted, network) : quotes4(meta, quoted, network))) return false;
  const transport: usize = load<u32>(quoted, M_TRANSPORT);
  return transport + QUOTE_MIN <= end && quotedKey(quoted, transport, v6);
}

function quotes4(meta: usize, quoted: usize, network: usize): bool {
  const header = headerLength4(network);
  if (load<u8>(network) >> 4 != 4 || header < IPV4_HEADER) return false;
  if (load<u16>(network, IPV4_FRAGMENT) & IPV4_OFFSET) return false;
  if (load<u32>(network, IPV4_SOURCE) != load<u32>(load<u32>(meta, M_NETWORK), IPV4_DESTINATION))
    return false;
  if (load<u32>(network, IPV4_SOURCE) == load<u32>(network, IPV4_DESTINATION)) return false;
  store<u32>(quoted, <u32>network + header, M_TRANSPORT);
  store<u8>(quoted, load<u8>(network, IPV4_PROTOCOL), M_PROTOCOL);
  return true;
}

function quotes6(meta: usize, quoted: usize, network: usize): bool {
  if (load<u8>(network) >> 4 != 6) return false;
  const target: usize = <usize>load<u32>(meta, M_NETWORK) + IPV6_DESTINATION;
  if (v128.any_true(v128.xor(v128.load(network, IPV6_SOURCE), v128.load(target)))) return false;
  if (walkExtensions(quoted, network + IPV6_HEADER, load<u8>(network, IPV6_NEXT), false) != 0) return false;
  const fragment: usize = load<u32>(quoted, M_FRAGMENT);
  return fragment == 0 || (load<u16>(fragment, 2) & IPV6_FRAGMENT_OFFSET) == 0;
}

/** Key of the quoted packet; quoted errors and ICMP replies of no query have none. */
function quotedKey(quoted: usize, transport: usize, v6: bool): bool {
  const network: usize = load<u32>(quoted, M_NETWORK);
  const protocol: u32 = load<u8>(quoted, M_PROTOCOL);
  if (protocol == TCP || protocol == UDP) {
    store<u8>(quoted, protocol == TCP ? CLASS_TCP : CLASS_DATAGRAM, M_CLASS);
    setKey(quoted, network, v6, kindOf(protocol, v6), load<u16>(transport), load<u16>(transport, 2));
    return true;
  }
  if (protocol == (v6 ? ICMPV6 : ICMP)) {
    const kind = queryKind(load<u8>(transport), v6);
    if (kind == 0) return false;
    store<u8>(quoted, CLASS_ICMP_OTHER, M_CLASS);
    setKey(quoted, network, v6, kind, load<u16>(transport, 4), load<u16>(transport, 4));
    return true;
  }
  const port: u32 = bswap<u16>(<u16>protocol);
  setKey(quoted, network, v6, kindOf(protocol, v6), port, port);
  return true;
}

function queryKind(type: u32, v6: bool): u32 {
  if (v6) return type == 128 || type == 129 ? KIND_ECHO6 : 0;
  if (type == 8 || type == 0) return KIND_ECHO4;
  return type == 13 || type == 14 ? KIND_TIMESTAMP4 : 0;
}

/** A query must have come from its side, a segment lie where its sender may have sent (RFC 5927 4.1). */
function mayHaveSent(record: usize, quoted: usize): bool {
  if (load<u8>(quoted, M_CLASS) == CLASS_ICMP_OTHER) {
    const responder = load<u8>(quoted, M_SIDE) ^ (load<u8>(record, HOT_FLAGS) & HF_INITIATOR1);
    return isRequest(load<u8>(load<u32>(quoted, M_TRANSPORT))) == (responder == 0);
  }
  if (load<u8>(quoted, M_CLASS) != CLASS_TCP) return true;
  const side: usize = load<u8>(quoted, M_SIDE);
  const sender = record + HOT_WINDOW0 + side * WINDOW_SIZE;
  const receiver = record + HOT_WINDOW0 + (side ^ 1) * WINDOW_SIZE;
  const seq = be32(<usize>load<u32>(quoted, M_TRANSPORT) + TCP_SEQ);
  const oldest = load<u32>(sender, W_END) - max(load<u32>(receiver, W_MAXWIN), QUOTE_WINDOW_MIN);
  return <i32>(seq - oldest) >= 0 && <i32>(seq - load<u32>(sender, W_MAXEND)) <= 0;
}
