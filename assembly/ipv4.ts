/**
 * IPv4 (RFC 791): header checks, options, and which addresses may be on the wire (RFC 1122 3.2.1.3, RFC 6890).
 */
import {
  M_AVAILABLE,
  M_LENGTH,
  M_OPTIONS,
  M_PROTOCOL,
  M_SCOPE,
  M_TTL,
  P_FLAGS,
  PF_OPTIONS_IGNORE,
  PF_SOURCE_ROUTE,
  R_BROADCAST,
  R_FRAME_TRUNCATED,
  R_IP_CHECKSUM,
  R_IP_HEADER,
  R_IP_LENGTH,
  R_IP_OPTION,
  R_IP_OPTION_MALFORMED,
  R_IP_RECORD_ROUTE,
  R_IP_SOURCE_ROUTE,
  R_LAND,
  R_MARTIAN_DESTINATION,
  R_MARTIAN_SOURCE,
  R_MULTICAST,
  SCOPE_LOCAL_MULTICAST,
} from "./layout";
import { policyAt } from "./state";
import { be16, be32, fold, headerSound20, sum } from "./bytes";

export const IPV4_HEADER: u32 = 20;
/** Largest IP datagram (RFC 791). */
export const DATAGRAM_MAX: u32 = 65535;
export const IPV4_TOS: usize = 1; // u8
export const IPV4_LENGTH: usize = 2; // u16
export const IPV4_ID: usize = 4; // u16
export const IPV4_FRAGMENT: usize = 6; // u16: flags 3, offset 13
export const IPV4_TTL: usize = 8; // u8
export const IPV4_PROTOCOL: usize = 9; // u8
export const IPV4_CHECKSUM: usize = 10; // u16
export const IPV4_SOURCE: usize = 12; // u32
export const IPV4_DESTINATION: usize = 16; // u32
/** Masks of a little-endian load: more fragments, or an offset; an offset; "don't fragment". */
export const IPV4_IS_FRAGMENT: u32 = 0xff3f;
export const IPV4_OFFSET: u32 = 0xff1f;
export const IPV4_DONT_FRAGMENT: u32 = 0x0040;

export const OPTION_END: u32 = 0;
export const OPTION_NOP: u32 = 1;
const OPTION_RECORD_ROUTE: u32 = 7;
const OPTION_LOOSE_SOURCE_ROUTE: u32 = 131;
const OPTION_STRICT_SOURCE_ROUTE: u32 = 137;


@inline
export function headerLength4(network: usize): u32 {
  return ((<u32>load<u8>(network)) & 15) << 2;
}

/** Bytes of the datagram as the header at `network` has it; `room`: bytes behind the link header on the wire. */
@inline
export function totalLength(network: usize, room: u32, verify: bool): u32 {
  const length = be16(network + IPV4_LENGTH);
  // A NIC that computes checksums also cuts segments: what it is given may have no length yet.
  return length == 0 && !verify ? min(room, DATAGRAM_MAX) : length;
}

/**
 * Checks the header at `network`, of which IPV4_HEADER bytes are there; `available`: bytes behind the link header that
 * were captured, `room`: those on the wire. Fills M_LENGTH, M_AVAILABLE, M_TTL and M_PROTOCOL. Returns a reason, 0 when
 * sound.
 */
@inline
export function checkIpv4(
  meta: usize,
  network: usize,
  header: u32,
  length: u32,
  available: u32,
  room: u32,
  verify: bool,
): u32 {
  if (load<u8>(network) >> 4 != 4 || header < IPV4_HEADER || length < header) return R_IP_HEADER;
  if (length > room) return R_IP_LENGTH;
  if (available < header) return R_FRAME_TRUNCATED;
  store<u32>(meta, length, M_LENGTH);
  store<u32>(meta, min(available, length), M_AVAILABLE);
  store<u8>(meta, load<u8>(network, IPV4_TTL), M_TTL);
  store<u8>(meta, load<u8>(network, IPV4_PROTOCOL), M_PROTOCOL);
  if (header == IPV4_HEADER) {
    if (verify && !headerSound20(network)) return R_IP_CHECKSUM;
  } else {
    if (verify && fold(sum(network, header)) != 0xffff) return R_IP_CHECKSUM;
    store<u8>(meta, 1, M_OPTIONS);
    const reason = checkOptions(network + IPV4_HEADER, network + header);
    if (reason != 0) return reason;
  }
  return checkAddresses4(meta, network);
}

/** Walks the options (RFC 791 3.1); a route anywhere in the list counts. */
function checkOptions(at: usize, end: usize): u32 {
  const flags = load<u32>(policyAt, P_FLAGS);
  let reason: u32 = 0;
  while (at < end) {
    const type: u32 = load<u8>(at);
    if (type == OPTION_END) break;
    if (type == OPTION_NOP) {
      at++;
      continue;
    }
    const length: usize = at + 1 < end ? load<u8>(at, 1) : 0;
    if (length < 2 || at + length > end) return R_IP_OPTION_MALFORMED;
    if (reason == 0) reason = optionReason(type, flags);
    at += length;
  }
  return reason;
}

function optionReason(type: u32, flags: u32): u32 {
  const mayRoute = (flags & PF_SOURCE_ROUTE) != 0;
  if (type == OPTION_LOOSE_SOURCE_ROUTE || type == OPTION_STRICT_SOURCE_ROUTE)
    return mayRoute ? 0 : R_IP_SOURCE_ROUTE;
  if (type == OPTION_RECORD_ROUTE) return mayRoute ? 0 : R_IP_RECORD_ROUTE;
  return flags & PF_OPTIONS_IGNORE ? 0 : R_IP_OPTION;
}

/** First octets with an address in them that needs a second look: 0, 127, 169, 224 to 255. */
@inline
function isSpecial(octet: u32): bool {
  return octet >= 224 || octet == 0 || octet == 127 || octet == 169;
}


@inline
function checkAddresses4(meta: usize, network: usize): u32 {
  const source: u32 = load<u32>(network, IPV4_SOURCE);
  const destination: u32 = load<u32>(network, IPV4_DESTINATION);
  if (source == destination) return R_LAND;
  // Wire order in a little-endian register: the first octet is the lowest byte.
  if (isSpecial(source & 255) || isSpecial(destination & 255)) return checkSpecial(meta, network);
  return 0;
}

function checkSpecial(meta: usize, network: usize): u32 {
  const source = be32(network + IPV4_SOURCE);
  const destination = be32(network + IPV4_DESTINATION);
  if (isNobody(source) || source >= 0xe0000000) return R_MARTIAN_SOURCE;
  if (destination == 0xffffffff) return R_BROADCAST;
  if (isNobody(destination) || destination >= 0xf0000000) return R_MARTIAN_DESTINATION;
  if (destination >> 8 == 0xe00000) store<u8>(meta, SCOPE_LOCAL_MULTICAST, M_SCOPE);
  else if (destination >= 0xe0000000) return R_MULTICAST;
  return 0;
}

/** 0/8, 127/8 and 169.254/16. */
function isNobody(address: u32): bool {
  const octet = address >> 24;
  return octet == 0 || octet == 127 || address >> 16 == 0xa9fe;
}
