/**
 * Transport headers: TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792, 4443), and what the session key is made of.
 */
import {
  CLASS_DATAGRAM,
  CLASS_ICMP_ERROR,
  CLASS_ICMP_OTHER,
  CLASS_LOCAL,
  CLASS_TCP,
  KIND_ECHO4,
  KIND_ECHO6,
  KIND_TIMESTAMP4,
  M_ACK,
  M_AVAILABLE,
  M_CLASS,
  M_END,
  M_FLAGS,
  M_HASH,
  M_ICMP_CODE,
  M_ICMP_TYPE,
  M_KEY0,
  M_KEY1,
  M_LENGTH,
  M_NETWORK,
  M_PAYLOAD,
  M_PROTOCOL,
  M_REASON,
  M_SCOPE,
  M_SEQ,
  M_SIDE,
  M_TCP_OPTIONS,
  M_TRANSPORT,
  M_V6,
  M_WIN,
  R_FRAME_TRUNCATED,
  R_ICMP_CHECKSUM,
  R_ICMP_FORBIDDEN,
  R_ICMP_HEADER,
  R_LINK_SCOPE,
  R_LOCAL_MULTICAST,
  R_NEIGHBOR_DISCOVERY,
  R_PORT_ZERO,
  R_TCP_CHECKSUM,
  R_TCP_FLAGS,
  R_TCP_HEADER,
  R_UDP_CHECKSUM,
  R_UDP_HEADER,
  SCOPE_LISTENER,
  SCOPE_NEIGHBOR,
} from "./layout";
import { be16, fold, pseudoHeader, sum } from "./bytes";
import { digest6, hashKey } from "./hash";
import { ICMP, ICMPV6, kindOf, TCP, UDP } from "./key";
import { IPV4_DESTINATION, IPV4_SOURCE } from "./ipv4";
import { IPV6_DESTINATION, IPV6_SOURCE } from "./ipv6";

export const TCP_HEADER: u32 = 20;
export const TCP_SEQ: usize = 4; // u32, then ack u32
export const TCP_OFFSET: usize = 12; // u8: data offset in the upper nibble
export const TCP_FLAGS: usize = 13; // u8
export const TCP_CHECKSUM: usize = 16; // u16
export const FIN: u32 = 1;
export const SYN: u32 = 2;
export const RST: u32 = 4;
export const PSH: u32 = 8;
export const ACK: u32 = 16;
export const URG: u32 = 32;

export const UDP_HEADER: u32 = 8;
const UDP_LENGTH: usize = 4; // u16
export const UDP_CHECKSUM: usize = 6; // u16

export const ICMP_HEADER: u32 = 8;
const ICMP_CODE: usize = 1; // u8
const ICMP_IDENTIFIER: usize = 4; // u16

/** What is done about a transport checksum: nothing; it must be right; it must be right, or the sum of the pseudo header, and is completed then. */
export const CHECKSUM_IGNORE: u32 = 0;
export const CHECKSUM_VERIFY: u32 = 1;
export const CHECKSUM_COMPLETE: u32 = 2;

/** NOP NOP TIMESTAMP 10: the options of nearly every established segment (RFC 7323 appendix A). */
const LONE_TIMESTAMP: u32 = 0x0a080101;
const LONE_TIMESTAMP_HEADER: u32 = 32;

/**
 * Parses the transport header `header` bytes behind the IP header at `network`, sets the class and, where a session is
 * possible, the key. `length` and `total`: bytes of the packet from there, on the wire and captured. `checksum`: CHECKSUM_*,
 * which counts if every byte is there. Returns a reason, 0 when sound.
 */
@inline
export function parseTransport(
  meta: usize,
  network: usize,
  header: u32,
  length: u32,
  total: u32,
  protocol: u32,
  v6: bool,
  checksum: u32,
): u32 {
  const transport = network + header;
  const available = total > header ? total - header : 0;
  if (protocol == TCP) return parseTcp(meta, network, transport, length - header, available, v6, checksum);
  if (protocol == UDP) return parseUdp(meta, network, transport, length - header, available, v6, checksum);
  return parseOther(meta, transport, length - header, available, protocol, checksum);
}

/** The same of a packet whose meta record says all of it. */
export function parseTransportOf(meta: usize, checksum: u32): u32 {
  const network: usize = load<u32>(meta, M_NETWORK);
  return parseTransport(
    meta,
    network,
    load<u32>(meta, M_TRANSPORT) - <u32>network,
    load<u32>(meta, M_LENGTH),
    load<u32>(meta, M_AVAILABLE),
    load<u8>(meta, M_PROTOCOL),
    load<u8>(meta, M_V6) != 0,
    checksum,
  );
}

/** Bit f: the flags f of (FIN SYN RST . ACK URG, PSH ignored) may stand together (RFC 9293 3.5, 3.10). */
@inline
function flagsPossible(flags: u32): bool {
  // FIN 1, SYN 2, RST 4, ACK 16, URG 32 -> SYN, SYN+URG, SYN+ACK, RST, RST+ACK, FIN+ACK(+URG), ACK(+URG)
  const set =
    ((<u64>1) << SYN) |
    ((<u64>1) << (SYN | URG)) |
    ((<u64>1) << (SYN | ACK)) |
    ((<u64>1) << RST) |
    ((<u64>1) << (RST | ACK)) |
    ((<u64>1) << (FIN | ACK)) |
    ((<u64>1) << (FIN | ACK | URG)) |
    ((<u64>1) << ACK) |
    ((<u64>1) << (ACK | URG));
  return ((set >> (<u64>(flags & (FIN | SYN | RST | ACK | URG)))) & 1) != 0;
}


@inline
function parseTcp(
  meta: usize,
  network: usize,
  transport: usize,
  length: u32,
  available: u32,
  v6: bool,
  checksum: u32,
): u32 {
  if (length < TCP_HEADER) return R_TCP_HEADER;
  if (available < TCP_HEADER) return R_FRAME_TRUNCATED;
  const header: u32 = (load<u8>(transport, TCP_OFFSET) >> 4) << 2;
  if (header < TCP_HEADER || header > length) return R_TCP_HEADER;
  if (available < header) return R_FRAME_TRUNCATED;
  const ports = load<u32>(transport);
  if ((ports & 0xffff) == 0 || ports >> 16 == 0) return R_PORT_ZERO;
  const flags: u32 = load<u8>(transport, TCP_FLAGS);
  if (!flagsPossible(flags)) return R_TCP_FLAGS;
  if (
    checksum != CHECKSUM_IGNORE &&
    available >= length &&
    !transportSound(network, v6, transport, length, TCP) &&
    !completed(checksum, network, v6, transport, length, TCP, TCP_CHECKSUM)
  )
    return R_TCP_CHECKSUM;
  // One shuffle swaps seq, ack and window at once; the fourth word becomes the window.
  const numbers = v128.shuffle<u8>(
    v128.load(transport, TCP_SEQ),
    v128.splat<u8>(0),
    3,
    2,
    1,
    0,
    7,
    6,
    5,
    4,
    11,
    10,
    16,
    16,
    16,
    16,
    16,
    16,
  );
  v128.store(meta, numbers, M_SEQ);
  const payload = length - header;
  store<u32>(meta, payload, M_PAYLOAD);
  store<u32>(meta, v128.extract_lane<u32>(numbers, 0) + payload + ((flags >> 1) & 1) + (flags & 1), M_END);
  store<u8>(meta, flags, M_FLAGS);
  const options =
    header != TCP_HEADER &&
    !(header == LONE_TIMESTAMP_HEADER && load<u32>(transport, TCP_HEADER) == LONE_TIMESTAMP);
  store<u8>(meta, options, M_TCP_OPTIONS);
  store<u8>(meta, CLASS_TCP, M_CLASS);
  setKey(meta, network, v6, kindOf(TCP, v6), ports & 0xffff, ports >> 16);
  return 0;
}


@inline
function parseUdp(
  meta: usize,
  network: usize,
  transport: usize,
  length: u32,
  available: u32,
  v6: bool,
  checksum: u32,
): u32 {
  if (length < UDP_HEADER) return R_UDP_HEADER;
  if (available < UDP_HEADER) return R_FRAME_TRUNCATED;
  const datagram = be16(transport + UDP_LENGTH);
  if (datagram < UDP_HEADER || datagram > length) return R_UDP_HEADER;
  const ports = load<u32>(transport);
  if ((ports & 0xffff) == 0 || ports >> 16 == 0) return R_PORT_ZERO;
  if (checksum != CHECKSUM_IGNORE) {
    if (load<u16>(transport, UDP_CHECKSUM) == 0) {
      if (v6) return R_UDP_CHECKSUM; // RFC 8200 8.1
    } else if (
      available >= datagram &&
      !transportSound(network, v6, transport, datagram, UDP) &&
      !completed(checksum, network, v6, transport, datagram, UDP, UDP_CHECKSUM)
    ) {
      return R_UDP_CHECKSUM;
    }
  }
  store<u32>(meta, datagram - UDP_HEADER, M_PAYLOAD);
  store<u8>(meta, CLASS_DATAGRAM, M_CLASS);
  setKey(meta, network, v6, kindOf(UDP, v6), ports & 0xffff, ports >> 16);
  return 0;
}

function parseOther(
  meta: usize,
  transport: usize,
  length: u32,
  available: u32,
  protocol: u32,
  checksum: u32,
): u32 {
  const v6 = load<u8>(meta, M_V6) != 0;
  const network: usize = load<u32>(meta, M_NETWORK);
  store<u32>(meta, length, M_PAYLOAD);
  if (protocol != (v6 ? ICMPV6 : ICMP)) {
    const port: u32 = bswap<u16>(<u16>protocol);
    store<u8>(meta, CLASS_DATAGRAM, M_CLASS);
    setKey(meta, network, v6, kindOf(protocol, v6), port, port);
    return 0;
  }
  if (length < ICMP_HEADER) return R_ICMP_HEADER;
  if (available < ICMP_HEADER) return R_FRAME_TRUNCATED;
  if (checksum != CHECKSUM_IGNORE && available >= length) {
    const sound = v6
      ? transportSound(network, v6, transport, length, ICMPV6)
      : fold(sum(transport, length)) == 0xffff;
    if (!sound) return R_ICMP_CHECKSUM;
  }
  const type: u32 = load<u8>(transport);
  store<u8>(meta, type, M_ICMP_TYPE);
  store<u8>(meta, load<u8>(transport, ICMP_CODE), M_ICMP_CODE);
  return v6 ? classifyIcmp6(meta, transport, type) : classifyIcmp4(meta, transport, type);
}

function classifyIcmp4(meta: usize, transport: usize, type: u32): u32 {
  switch (type) {
    case 0:
    case 8:
      return query(meta, transport, KIND_ECHO4);
    case 13:
    case 14:
      return query(meta, transport, KIND_TIMESTAMP4);
    case 3:
    case 11:
    case 12:
      store<u8>(meta, CLASS_ICMP_ERROR, M_CLASS);
      return 0;
    case 4:
    case 5:
      return R_ICMP_FORBIDDEN; // RFC 6633, RFC 1812 5.2.7.2
    default:
      store<u8>(meta, CLASS_ICMP_OTHER, M_CLASS);
      return 0;
  }
}

function classifyIcmp6(meta: usize, transport: usize, type: u32): u32 {
  const scope: u32 = load<u8>(meta, M_SCOPE);
  if (scope == SCOPE_NEIGHBOR || scope == SCOPE_LISTENER) {
    store<u8>(meta, CLASS_LOCAL, M_CLASS);
    store<u8>(meta, scope == SCOPE_NEIGHBOR ? R_NEIGHBOR_DISCOVERY : R_LOCAL_MULTICAST, M_REASON);
    return 0;
  }
  if (type == 128 || type == 129) return query(meta, transport, KIND_ECHO6);
  // Discovery that the address checks did not see came in fragments (RFC 6980).
  if (type >= 133 && type <= 137) return R_LINK_SCOPE;
  store<u8>(meta, type >= 1 && type <= 4 ? CLASS_ICMP_ERROR : CLASS_ICMP_OTHER, M_CLASS);
  return 0;
}

function query(meta: usize, transport: usize, kind: u32): u32 {
  const identifier: u32 = load<u16>(transport, ICMP_IDENTIFIER);
  store<u8>(meta, CLASS_DATAGRAM, M_CLASS);
  setKey(meta, load<u32>(meta, M_NETWORK), load<u8>(meta, M_V6) != 0, kind, identifier, identifier);
  return 0;
}

/** Whether an ICMP query of this type travels from the initiator (request) and not from the responder. */
@inline
export function isRequest(type: u32): bool {
  return type == 8 || type == 13 || type == 128;
}

/** ICMP type of the requests of a kind; 0 where the kind is no query. */
export function requestOf(kind: u32): u32 {
  if (kind == KIND_ECHO4) return 8;
  if (kind == KIND_ECHO6) return 128;
  return kind == KIND_TIMESTAMP4 ? 13 : 0;
}

function transportSound(network: usize, v6: bool, transport: usize, length: u32, protocol: u32): bool {
  return fold(pseudoHeader(network, v6, protocol, length) + sum(transport, length)) == 0xffff;
}

/**
 * Completes a checksum that the sender has left to its device: the field holds the sum of the pseudo header. False: it does
 * not, or is not to be completed. One damaged frame in 65,536 is taken for such a frame: only ports whose frames come
 * from senders of that kind, on this machine, say so.
 */
function completed(
  checksum: u32,
  network: usize,
  v6: bool,
  transport: usize,
  length: u32,
  protocol: u32,
  at: usize,
): bool {
  if (checksum != CHECKSUM_COMPLETE) return false;
  const field = transport + at;
  if (load<u16>(field) != fold(pseudoHeader(network, v6, protocol, length))) return false;
  const complement = ~fold(sum(transport, length)) & 0xffff;
  // In UDP 0 means that there is none; the other zero is sent (RFC 768).
  store<u16>(field, complement == 0 && protocol == UDP ? 0xffff : complement);
  return true;
}

/**
 * Key and hash from the addresses of the IP header at `network` and the ports (as on the wire). Side 0 is the end with the smaller
 * (address or digest, port); two IPv6 ends that agree in both are told apart by their whole addresses.
 */
@inline
export function setKey(
  meta: usize,
  network: usize,
  v6: bool,
  kind: u32,
  sourcePort: u32,
  destinationPort: u32,
): void {
  const a: u64 =
    (<u64>(v6 ? digest6(network + IPV6_SOURCE) : load<u32>(network, IPV4_SOURCE))) |
    ((<u64>sourcePort) << 32);
  const b: u64 =
    (<u64>(v6 ? digest6(network + IPV6_DESTINATION) : load<u32>(network, IPV4_DESTINATION))) |
    ((<u64>destinationPort) << 32);
  let side = <u64>(a > b);
  if (v6 && a == b) side = <u64>isGreater6(network);
  // Without a branch: which end is smaller cannot be predicted.
  const swap = (a ^ b) & (0 - side);
  const key0 = (a ^ swap) | ((<u64>kind) << 48);
  const key1 = b ^ swap;
  store<u64>(meta, key0, M_KEY0);
  store<u64>(meta, key1, M_KEY1);
  store<u8>(meta, <u32>side, M_SIDE);
  store<u32>(meta, hashKey(key0, key1), M_HASH);
}

function isGreater6(network: usize): bool {
  for (let i: usize = 0; i < 16; i += 8) {
    const source = bswap<u64>(load<u64>(network + IPV6_SOURCE + i));
    const destination = bswap<u64>(load<u64>(network + IPV6_DESTINATION + i));
    if (source != destination) return source > destination;
  }
  return false;
}
