/**
 * The parse pass: descriptor in, meta record out. Nothing here reads or writes a session.
 */
import {
  CLASS_DROP,
  CLASS_FRAGMENT,
  CLASS_LOCAL,
  D_CAPTURED,
  D_ETHERTYPE,
  D_FLAGS,
  D_INGRESS,
  D_OFFSET,
  D_WIRE,
  DF_CHECKSUM_OK,
  DF_HEADER_CHECKSUM_OK,
  DF_MAYBE_PARTIAL,
  M_AVAILABLE,
  M_CLASS,
  M_FRAGMENT,
  M_FRAME,
  M_INGRESS,
  M_LENGTH,
  M_NETWORK,
  M_REASON,
  M_SCOPE,
  M_TRANSPORT,
  M_WIRE,
  META_SIZE,
  R_ARP,
  R_BAD_DESCRIPTOR,
  R_ETHERTYPE,
  R_FRAME_TRUNCATED,
  R_INTERFACE_DOWN,
  R_LINK_SCOPE,
  SCOPE_LINK,
  SCOPE_NEIGHBOR,
  SCOPE_UNICAST,
} from "./layout";
import { be16, clear } from "./bytes";
import {
  ETHERNET_HEADER,
  ETHERTYPE_AT,
  isDown,
  isForGroup,
  isPlain,
  isTag,
  LINK_REFUSED,
  stationReason,
  TYPE_ARP,
  TYPE_IPV4,
  TYPE_IPV6,
  walkLink,
} from "./ethernet";
import {
  checkIpv4,
  headerLength4,
  IPV4_FRAGMENT,
  IPV4_HEADER,
  IPV4_IS_FRAGMENT,
  IPV4_PROTOCOL,
  totalLength,
} from "./ipv4";
import { checkIpv6, IPV6_DESTINATION } from "./ipv6";
import { ingressOf, isOwn6 } from "./route";
import { checksumsKnown, memoryEnd } from "./state";
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_IGNORE,
  CHECKSUM_VERIFY,
  parseTransport,
  parseTransportOf,
} from "./transport";

/** Fills `meta` from the frame of `descriptor`; what is not sound becomes CLASS_DROP with its reason. */
@inline
export function parse(descriptor: usize, meta: usize): void {
  clear(meta, META_SIZE);
  const reason = parseFrame(descriptor, meta);
  if (reason != 0) {
    store<u8>(meta, CLASS_DROP, M_CLASS);
    store<u8>(meta, reason, M_REASON);
  }
}

/** Whether a checksum is to be verified for this descriptor: `flag` says which. */
@inline
export function verifies(descriptor: usize, flag: u32): bool {
  return ((load<u8>(descriptor, D_FLAGS) | checksumsKnown) & flag) == 0;
}

/** What is to be done about the transport checksum: CHECKSUM_*. */
@inline
function checksumRule(descriptor: usize): u32 {
  if (!verifies(descriptor, DF_CHECKSUM_OK)) return CHECKSUM_IGNORE;
  return load<u8>(descriptor, D_FLAGS) & DF_MAYBE_PARTIAL ? CHECKSUM_COMPLETE : CHECKSUM_VERIFY;
}


@inline
function parseFrame(descriptor: usize, meta: usize): u32 {
  const frame: usize = load<u32>(descriptor, D_OFFSET);
  const captured = load<u32>(descriptor, D_CAPTURED);
  const wire = load<u32>(descriptor, D_WIRE);
  store<u32>(meta, wire, M_WIRE);
  if (<u64>frame + <u64>captured > memoryEnd || wire < captured) return R_BAD_DESCRIPTOR;
  const ingress: u32 = load<u8>(descriptor, D_INGRESS);
  let type: u32 = load<u16>(descriptor, D_ETHERTYPE);
  const ethernet = type == 0;
  const header = ethernet ? ETHERNET_HEADER : 0;
  store<u32>(meta, <u32>frame, M_FRAME);
  store<u8>(meta, ingress, M_INGRESS);
  if (captured < header) return isDown(ingress) ? R_INTERFACE_DOWN : R_FRAME_TRUNCATED;
  const plain = isPlain(ingress, frame, ethernet);
  if (ethernet) type = be16(frame + ETHERTYPE_AT);
  store<u32>(meta, <u32>frame + header, M_NETWORK);
  store<u32>(meta, captured - header, M_AVAILABLE);
  store<u32>(meta, wire - header, M_LENGTH);
  if (type == TYPE_IPV4 && plain)
    return parseIpv4(descriptor, meta, frame + header, captured - header, wire - header, ethernet, ingress);
  if (!plain || isTag(type)) {
    const walked = walkLink(meta, type, ethernet);
    if (walked >= LINK_REFUSED) return walked & 0xffff;
    type = walked;
  }
  if (type == TYPE_IPV4) return parseMoved(descriptor, meta, ethernet);
  if (type == TYPE_IPV6) return parseIpv6(descriptor, meta, ethernet);
  if (type != TYPE_ARP) return R_ETHERTYPE;
  store<u8>(meta, CLASS_LOCAL, M_CLASS);
  store<u8>(meta, R_ARP, M_REASON);
  return 0;
}

/** IPv4 behind a link header that `walkLink` has walked. */
function parseMoved(descriptor: usize, meta: usize, ethernet: bool): u32 {
  return parseIpv4(
    descriptor,
    meta,
    load<u32>(meta, M_NETWORK),
    load<u32>(meta, M_AVAILABLE),
    load<u32>(meta, M_LENGTH),
    ethernet,
    load<u8>(meta, M_INGRESS),
  );
}

/** Values travel as arguments: what was only just stored in the meta record cannot be read back at once. */
@inline
function parseIpv4(
  descriptor: usize,
  meta: usize,
  network: usize,
  available: u32,
  room: u32,
  ethernet: bool,
  ingress: u32,
): u32 {
  const verify = verifies(descriptor, DF_HEADER_CHECKSUM_OK);
  if (available < IPV4_HEADER) return R_FRAME_TRUNCATED;
  const header = headerLength4(network);
  const length = totalLength(network, room, verify);
  const reason = checkIpv4(meta, network, header, length, available, room, verify);
  if (reason != 0) return reason;
  if (ingress == 0 || (ethernet && isForGroup(load<u32>(descriptor, D_OFFSET)))) {
    const wrong = settleIngress(meta, ethernet, load<u8>(meta, M_SCOPE) == SCOPE_UNICAST);
    if (wrong != 0) return wrong;
  }
  store<u32>(meta, <u32>network + header, M_TRANSPORT);
  if (load<u16>(network, IPV4_FRAGMENT) & IPV4_IS_FRAGMENT) {
    store<u8>(meta, CLASS_FRAGMENT, M_CLASS);
    return 0;
  }
  return parseTransport(
    meta,
    network,
    header,
    length,
    min(available, length),
    load<u8>(network, IPV4_PROTOCOL),
    false,
    checksumRule(descriptor),
  );
}

function parseIpv6(descriptor: usize, meta: usize, ethernet: bool): u32 {
  const reason = checkIpv6(meta);
  if (reason != 0) return reason;
  const destination = <usize>load<u32>(meta, M_NETWORK) + IPV6_DESTINATION;
  if (load<u8>(meta, M_SCOPE) == SCOPE_LINK && !isOwn6(destination)) return R_LINK_SCOPE;
  const unicast = load<u8>(destination) != 0xff;
  // Neighbour discovery speaks from addresses that lead nowhere: without a given ingress it keeps none.
  if (load<u8>(meta, M_SCOPE) != SCOPE_NEIGHBOR || load<u8>(meta, M_INGRESS) != 0) {
    const wrong = settleIngress(meta, ethernet, unicast);
    if (wrong != 0) return wrong;
  }
  if (load<u32>(meta, M_FRAGMENT) != 0) {
    store<u8>(meta, CLASS_FRAGMENT, M_CLASS);
    return 0;
  }
  return parseTransportOf(meta, checksumRule(descriptor));
}

/** Finds the ingress where none was given, and takes the second look at the link. Returns a reason, 0 when sound. */
function settleIngress(meta: usize, ethernet: bool, unicast: bool): u32 {
  const found = load<u8>(meta, M_INGRESS) == 0;
  if (found) store<u8>(meta, ingressOf(meta), M_INGRESS);
  const second = ethernet && (found || isForGroup(load<u32>(meta, M_FRAME)));
  return second ? stationReason(meta, found, unicast) : 0;
}
