/**
 * IPv6 (RFC 8200): header, extension headers in their order, and which addresses may be on the wire (RFC 4291, 4890).
 */
import {
  KX_AH,
  KX_DESTINATION,
  KX_HOP_BY_HOP,
  KX_MOBILITY,
  KX_ROUTING,
  M_AVAILABLE,
  M_EXTENSIONS,
  M_FRAGMENT,
  M_LENGTH,
  M_NETWORK,
  M_PROTOCOL,
  M_ROUTING_TYPE,
  M_SCOPE,
  M_TRANSPORT,
  M_TTL,
  M_V6,
  R_FRAME_TRUNCATED,
  R_IP_HEADER,
  R_IP_LENGTH,
  R_IPV6_EXTENSION,
  R_IPV6_ROUTING_HEADER,
  R_LAND,
  R_LINK_SCOPE,
  R_MARTIAN_DESTINATION,
  R_MARTIAN_SOURCE,
  R_MULTICAST,
  SCOPE_LINK,
  SCOPE_LISTENER,
  SCOPE_LOCAL_MULTICAST,
  SCOPE_NEIGHBOR,
} from "./layout";
import { be16 } from "./bytes";
import { ICMPV6, TCP, UDP } from "./key";

export const IPV6_HEADER: u32 = 40;
export const IPV6_PAYLOAD: usize = 4; // u16
export const IPV6_NEXT: usize = 6; // u8
export const IPV6_HOP_LIMIT: usize = 7; // u8
export const IPV6_SOURCE: usize = 8; // u8[16]
export const IPV6_DESTINATION: usize = 24; // u8[16]
/** A chain of extension headers is no longer than this. */
export const IPV6_EXTENSIONS_MAX: u32 = 8;

const NEXT_HOP_BY_HOP: u32 = 0;
const NEXT_ROUTING: u32 = 43;
export const NEXT_FRAGMENT: u32 = 44;
/** The offset in a fragment header, as a little-endian load. */
export const IPV6_FRAGMENT_OFFSET: u32 = 0xf8ff;
const NEXT_AH: u32 = 51;
export const NEXT_DESTINATION: u32 = 60;
export const NEXT_MOBILITY: u32 = 135;
const NEXT_HIP: u32 = 139;
const NEXT_SHIM6: u32 = 140;
const NEXT_NONE: u32 = 59;
export const OPTION_PAD1: u32 = 0;
const OPTION_JUMBO: u32 = 0xc2;
/** Hop limit that proves a neighbour (RFC 4861 7.1). */
const HOP_LIMIT_NEIGHBOUR: u32 = 255;

/**
 * Checks header, extension headers and addresses at M_NETWORK; the lengths as in checkIpv4. On success M_TRANSPORT,
 * M_PROTOCOL and, for a fragment, M_FRAGMENT are set. Returns a reason, 0 when sound.
 */
export function checkIpv6(meta: usize): u32 {
  const network: usize = load<u32>(meta, M_NETWORK);
  const available = load<u32>(meta, M_AVAILABLE);
  store<u8>(meta, 1, M_V6);
  if (available < IPV6_HEADER) return R_FRAME_TRUNCATED;
  if (load<u8>(network) >> 4 != 6) return R_IP_HEADER;
  const payload = be16(network + IPV6_PAYLOAD);
  const next: u32 = load<u8>(network, IPV6_NEXT);
  if (IPV6_HEADER + payload > load<u32>(meta, M_LENGTH)) return R_IP_LENGTH;
  // A jumbogram says 0 and carries its length in an option (RFC 2675): not supported.
  if (payload == 0 && next == NEXT_HOP_BY_HOP && load<u32>(meta, M_LENGTH) > IPV6_HEADER) return R_IP_LENGTH;
  store<u32>(meta, IPV6_HEADER + payload, M_LENGTH);
  store<u32>(meta, min(available, IPV6_HEADER + payload), M_AVAILABLE);
  store<u8>(meta, load<u8>(network, IPV6_HOP_LIMIT), M_TTL);
  if ((next == TCP || next == UDP) && areUnicast(network)) {
    // Nothing to walk, and addresses of which none needs a second look.
    store<u8>(meta, next, M_PROTOCOL);
    store<u32>(meta, <u32>network + IPV6_HEADER, M_TRANSPORT);
    return 0;
  }
  const reason = walkExtensions(meta, network + IPV6_HEADER, next, false);
  return reason != 0 ? reason : checkAddresses6(meta, network);
}

/**
 * Walks the chain from the header `next` at `at` to the transport header. Behind a fragment header that is no atomic
 * fragment the walk ends; `inside` goes on there, in the first fragment of a datagram put together (RFC 7112).
 */
export function walkExtensions(meta: usize, at: usize, next: u32, inside: bool): u32 {
  const network: usize = load<u32>(meta, M_NETWORK);
  const end = network + load<u32>(meta, M_LENGTH);
  const captured = network + load<u32>(meta, M_AVAILABLE);
  let seen: u32 = load<u8>(meta, M_EXTENSIONS);
  let fragmentSeen = inside;
  let destinations: u32 = 0;
  for (let headers: u32 = 0; isExtension(next); headers++) {
    if (headers == IPV6_EXTENSIONS_MAX) return R_IPV6_EXTENSION;
    let bit: u32 = 0;
    switch (next) {
      case NEXT_HOP_BY_HOP:
        if (headers != 0 || inside) return R_IPV6_EXTENSION;
        bit = KX_HOP_BY_HOP;
        break;
      case NEXT_ROUTING:
        if (seen & KX_ROUTING) return R_IPV6_EXTENSION;
        bit = KX_ROUTING;
        break;
      case NEXT_DESTINATION:
        if (++destinations > 2) return R_IPV6_EXTENSION;
        bit = KX_DESTINATION;
        break;
      case NEXT_MOBILITY:
        bit = KX_MOBILITY;
        break;
      case NEXT_AH:
        bit = KX_AH;
        break;
      case NEXT_FRAGMENT:
        if (fragmentSeen) return R_IPV6_EXTENSION;
        fragmentSeen = true;
        break;
      default:
        break;
    }
    seen |= bit;
    if (at + 8 > captured) return R_FRAME_TRUNCATED;
    const size = headerSize(at, next);
    if (at + size > end) return R_IPV6_EXTENSION;
    if (at + size > captured) return R_FRAME_TRUNCATED;
    if (bit & (KX_HOP_BY_HOP | KX_DESTINATION) && !optionsSound(at + 2, at + size)) return R_IPV6_EXTENSION;
    if (bit == KX_ROUTING) {
      store<u8>(meta, load<u8>(at, 2), M_ROUTING_TYPE);
      if (load<u8>(at, 2) == 0 || load<u8>(at, 3) != 0) return R_IPV6_ROUTING_HEADER;
    }
    const fragment = next == NEXT_FRAGMENT && (load<u16>(at, 2) & 0xf9ff) != 0; // offset 13, reserved 2, more 1
    next = load<u8>(at);
    if (fragment) {
      store<u32>(meta, <u32>at, M_FRAGMENT);
      at += size;
      break;
    }
    at += size;
  }
  // A packet without a transport header has nothing to say to the other side (RFC 7112).
  if (next == NEXT_NONE) return R_IPV6_EXTENSION;
  store<u8>(meta, seen, M_EXTENSIONS);
  store<u8>(meta, next, M_PROTOCOL);
  store<u32>(meta, <u32>at, M_TRANSPORT);
  return 0;
}

/** Bytes of an extension header; AH counts in words of 4 (RFC 4302 2.2), a fragment header has 8. */
@inline
export function headerSize(at: usize, next: u32): usize {
  if (next == NEXT_FRAGMENT) return 8;
  const units: usize = load<u8>(at, 1);
  return next == NEXT_AH ? (units + 2) << 2 : (units + 1) << 3;
}


@inline
export function isExtension(next: u32): bool {
  return (
    next == NEXT_HOP_BY_HOP ||
    next == NEXT_ROUTING ||
    next == NEXT_FRAGMENT ||
    next == NEXT_DESTINATION ||
    next == NEXT_AH ||
    next == NEXT_MOBILITY ||
    next == NEXT_HIP ||
    next == NEXT_SHIM6
  );
}

function optionsSound(at: usize, end: usize): bool {
  while (at < end) {
    const type: u32 = load<u8>(at);
    if (type == OPTION_PAD1) {
      at++;
      continue;
    }
    if (type == OPTION_JUMBO || at + 2 > end) return false;
    at += 2 + <usize>load<u8>(at, 1);
    if (at > end) return false;
  }
  return true;
}

/** Source and destination; also settles what is for the firewall itself: neighbour discovery, what stays on the link. */
function checkAddresses6(meta: usize, network: usize): u32 {
  const source = network + IPV6_SOURCE;
  const destination = network + IPV6_DESTINATION;
  if (!v128.any_true(v128.xor(v128.load(source), v128.load(destination)))) return R_LAND;
  const type = icmpType(meta);
  const discovery = type >= 133 && type <= 137;
  const listener = type == 143 || (type >= 130 && type <= 132);
  const sourceLink = isLinkLocal(source);
  const toLink = isLinkLocal(destination) || load<u16>(destination) == 0x02ff;
  if (isNobody6(source)) {
    if (!(isUnspecified(source) && (discovery || listener))) return R_MARTIAN_SOURCE;
  } else if (load<u8>(source) == 0xff || (sourceLink && !toLink && !discovery)) {
    return R_MARTIAN_SOURCE;
  }
  if (isNobody6(destination)) return R_MARTIAN_DESTINATION;
  if (discovery) {
    const onLink = toLink || (isGlobal(destination) && (type == 135 || type == 136));
    if (!onLink || load<u8>(meta, M_TTL) != HOP_LIMIT_NEIGHBOUR) return R_LINK_SCOPE;
    store<u8>(meta, SCOPE_NEIGHBOR, M_SCOPE);
    return 0;
  }
  if (toLink) {
    if (listener) {
      store<u8>(meta, SCOPE_LISTENER, M_SCOPE);
      return 0;
    }
    store<u8>(meta, isLinkLocal(destination) ? SCOPE_LINK : SCOPE_LOCAL_MULTICAST, M_SCOPE);
    return 0;
  }
  if (load<u16>(destination) == 0x01ff) return R_MARTIAN_DESTINATION;
  return load<u8>(destination) == 0xff ? R_MULTICAST : 0;
}

/** ICMPv6 type of an unfragmented packet whose type was captured, else 0. */
function icmpType(meta: usize): u32 {
  if (load<u8>(meta, M_PROTOCOL) != ICMPV6 || load<u32>(meta, M_FRAGMENT) != 0) return 0;
  const transport: usize = load<u32>(meta, M_TRANSPORT);
  return transport < <usize>load<u32>(meta, M_NETWORK) + load<u32>(meta, M_AVAILABLE)
    ? <u32>load<u8>(transport)
    : 0;
}


@inline
export function isLinkLocal(address: usize): bool {
  return (load<u16>(address) & 0xc0ff) == 0x80fe;
}


@inline
function isGlobal(address: usize): bool {
  const octet: u32 = load<u8>(address);
  return (octet & 0xe0) == 0x20 || (octet & 0xfe) == 0xfc;
}

/** Whether both addresses are in 2000::/3 or fc00::/7, and differ. */
@inline
function areUnicast(network: usize): bool {
  const source = network + IPV6_SOURCE;
  const destination = network + IPV6_DESTINATION;
  return (
    isGlobal(source) &&
    isGlobal(destination) &&
    v128.any_true(v128.xor(v128.load(source), v128.load(destination)))
  );
}


@inline
function isUnspecified(address: usize): bool {
  return (load<u64>(address) | load<u64>(address, 8)) == 0;
}

/** ::/96 (unspecified, loopback, IPv4-compatible) and ::ffff:0:0/96 (IPv4-mapped). */
@inline
function isNobody6(address: usize): bool {
  return load<u64>(address) == 0 && (load<u32>(address, 8) == 0 || load<u32>(address, 8) == 0xffff0000);
}
