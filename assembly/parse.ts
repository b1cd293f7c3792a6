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
  P_FLAGS,
  PF_NO_CHECKSUMS,
  R_ARP,
  R_BAD_DESCRIPTOR,
  R_ETHERTYPE,
  R_FRAME_TRUNCATED,
  SCOPE_NEIGHBOR,
  SCOPE_UNICAST,
} from "./layout";
import { be16, clear } from "./bytes";
import {
  ETHERNET_HEADER,
  ETHERTYPE_AT,
  isForGroup,
  isPlain,
  LINK_REFUSED,
  stationReason,
  TYPE_ARP,
  TYPE_IPV4,
  TYPE_IPV6,
  walkLink,
} from "./ethernet";
import { checkIpv4, headerLength4, IPV4_FRAGMENT, IPV4_IS_FRAGMENT } from "./ipv4";
import { checkIpv6, IPV6_DESTINATION } from "./ipv6";
import { ingressOf } from "./route";
import { policyAt } from "./state";
import { parseTransport } from "./transport";

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

/** Whether transport checksums are to be verified for this descriptor. */
@inline
export function verifies(descriptor: usize, flag: u32): bool {
  return ((load<u8>(descriptor, D_FLAGS) & flag) | (load<u32>(policyAt, P_FLAGS) & PF_NO_CHECKSUMS)) == 0;
}


@inline
function parseFrame(descriptor: usize, meta: usize): u32 {
  const frame = load<u32>(descriptor, D_OFFSET);
  const captured = load<u32>(descriptor, D_CAPTURED);
  const wire = load<u32>(descriptor, D_WIRE);
  store<u32>(meta, wire, M_WIRE);
  if (<u64>frame + <u64>captured > (<u64>memory.size()) << 16 || wire < captured) return R_BAD_DESCRIPTOR;
  const ingress: u32 = load<u8>(descriptor, D_INGRESS);
  let type: u32 = load<u16>(descriptor, D_ETHERTYPE);
  const ethernet = type == 0;
  const header = ethernet ? ETHERNET_HEADER : 0;
  store<u32>(meta, frame, M_FRAME);
  store<u8>(meta, ingress, M_INGRESS);
  if (captured >= header) {
    if (ethernet) type = be16(<usize>frame + ETHERTYPE_AT);
    store<u32>(meta, frame + header, M_NETWORK);
    store<u32>(meta, captured - header, M_AVAILABLE);
    store<u32>(meta, wire - header, M_LENGTH);
  }
  if (captured < header || !isPlain(ingress, type)) {
    const walked = walkLink(meta, captured < header ? 0 : type, ethernet && captured >= header);
    if (walked >= LINK_REFUSED) return walked & 0xffff;
    if (captured < header) return R_FRAME_TRUNCATED;
    type = walked;
  }
  if (type == TYPE_IPV4) return parseIpv4(descriptor, meta, ethernet);
  if (type == TYPE_IPV6) return parseIpv6(descriptor, meta, ethernet);
  if (type != TYPE_ARP) return R_ETHERTYPE;
  store<u8>(meta, CLASS_LOCAL, M_CLASS);
  store<u8>(meta, R_ARP, M_REASON);
  return 0;
}


@inline
function parseIpv4(descriptor: usize, meta: usize, ethernet: bool): u32 {
  const reason = checkIpv4(meta, verifies(descriptor, DF_HEADER_CHECKSUM_OK));
  if (reason != 0) return reason;
  const wrong = settleIngress(meta, ethernet, load<u8>(meta, M_SCOPE) == SCOPE_UNICAST);
  if (wrong != 0) return wrong;
  const network: usize = load<u32>(meta, M_NETWORK);
  store<u32>(meta, <u32>network + headerLength4(network), M_TRANSPORT);
  if (load<u16>(network, IPV4_FRAGMENT) & IPV4_IS_FRAGMENT) {
    store<u8>(meta, CLASS_FRAGMENT, M_CLASS);
    return 0;
  }
  return parseTransport(meta, verifies(descriptor, DF_CHECKSUM_OK));
}

function parseIpv6(descriptor: usize, meta: usize, ethernet: bool): u32 {
  const reason = checkIpv6(meta);
  if (reason != 0) return reason;
  const unicast = load<u8>(<usize>load<u32>(meta, M_NETWORK) + IPV6_DESTINATION) != 0xff;
  // Neighbour discovery speaks from addresses that lead nowhere: without a given ingress it keeps none.
  if (load<u8>(meta, M_SCOPE) != SCOPE_NEIGHBOR || load<u8>(meta, M_INGRESS) != 0) {
    const wrong = settleIngress(meta, ethernet, unicast);
    if (wrong != 0) return wrong;
  }
  if (load<u32>(meta, M_FRAGMENT) != 0) {
    store<u8>(meta, CLASS_FRAGMENT, M_CLASS);
    return 0;
  }
  return parseTransport(meta, verifies(descriptor, DF_CHECKSUM_OK));
}

/** Finds the ingress where none was given, and takes the second look at the link. Returns a reason, 0 when sound. */
@inline
function settleIngress(meta: usize, ethernet: bool, unicast: bool): u32 {
  const found = load<u8>(meta, M_INGRESS) == 0;
  if (found) store<u8>(meta, ingressOf(meta), M_INGRESS);
  return ethernet && (found || isForGroup(meta)) ? stationReason(meta, found, unicast) : 0;
}
