/**
 * Forwarding: what passes in a live instance is made ready for the wire, in place. TTL and checksum, next hop, neighbour,
 * a link header in front of the IP packet, and nothing behind it (RFC 791, 1624, 1812 5.2, 8200).
 *
 *   before   destination 6 | source 6 | [tag 4] ... | type 2 | IP packet | trailer
 *   after         destination 6 | source 6 | [tag 4] | type 2 | IP packet
 */
import {
  CLASS_FRAGMENT,
  D_CAPTURED,
  D_EGRESS,
  D_FLAGS,
  D_FORWARD,
  D_NETWORK,
  D_OFFSET,
  D_PORT,
  D_REASON,
  D_VERDICT,
  D_WIRE,
  DESC_SIZE,
  DF_DEFERRED,
  DF_TRACE,
  FW_DEFER,
  FW_FRAGMENT,
  FW_LOCAL,
  FW_NONE,
  FW_REPORT,
  FW_RESOLVE,
  FW_SEND,
  FW_TOO_BIG,
  FW_WAIT,
  H_META,
  HELD_HEADER,
  LI_FLAGS,
  LI_PORT,
  LI_SOURCE_MAC,
  LI_VLAN,
  LIF_ON,
  M_CLASS,
  M_FRAGMENT,
  M_LENGTH,
  M_NEIGHBOR,
  M_NETWORK,
  M_NEXT_HOP,
  M_V6,
  META_SIZE,
  NB_ADDRESS,
  NB_MAC,
  NB_STATE,
  NB_USED,
  R_ACL_IN_DENY,
  R_ACL_IN_IMPLICIT,
  R_ACL_OUT_DENY,
  R_ACL_OUT_IMPLICIT,
  R_HANDOVER,
  R_NO_ROUTE,
  R_TOO_BIG,
  R_TTL_EXPIRED,
  S_NEIGHBOR,
  S_NEXT_HOP,
  STATE_AT,
  TR_FORWARD,
  VERDICT_DROP,
  VERDICT_HELD,
  VERDICT_LOCAL,
  VERDICT_PASS,
} from "./layout";
import { ETHERNET_HEADER, ETHERTYPE_AT, TAG_SIZE, TYPE_IPV4, TYPE_IPV6, TYPE_TAG } from "./ethernet";
import { IPV4_CHECKSUM, IPV4_DESTINATION, IPV4_FRAGMENT, IPV4_OFFSET, IPV4_TTL } from "./ipv4";
import { IPV6_DESTINATION, IPV6_FRAGMENT_OFFSET, IPV6_HOP_LIMIT } from "./ipv6";
import { liveAt, mtuLeast, mtuOf, sizeOnWire } from "./live";
import { findNeighbor, neighborAt, neighborPlace } from "./neighbor";
import { nextHop4, nextHop6 } from "./route";
import { policyAt, trace } from "./state";

/** Loads of the touch pass end here, so that they cannot be optimised away. */
let sink: u32 = 0;

/**
 * The outputs of a pass: descriptors from `first` to `end`, their meta records from `metas` on. Their cache misses in the
 * neighbour table overlap in a loop that does nothing else.
 */
export function forwardPass(first: usize, end: usize, metas: usize): void {
  for (let at = first, meta = metas; at < end; at += DESC_SIZE, meta += META_SIZE) {
    if (load<u8>(at, D_VERDICT) == VERDICT_PASS) findWay(at, meta);
    else store<u32>(meta, 0, M_NEIGHBOR);
  }
  let touched: u32 = 0;
  for (let at = first, meta = metas; at < end; at += DESC_SIZE, meta += META_SIZE)
    touched += load<u8>(neighborAt(load<u32>(meta, M_NEIGHBOR)), NB_STATE);
  sink = touched;
  for (let at = first, meta = metas; at < end; at += DESC_SIZE, meta += META_SIZE) prepare(at, meta);
}

/** Outputs of frames that were held. */
export function forwardReleased(first: usize, end: usize): void {
  for (let at = first; at < end; at += DESC_SIZE) {
    const meta = <usize>load<u32>(at, D_OFFSET) - HELD_HEADER + H_META;
    if (load<u8>(at, D_VERDICT) == VERDICT_PASS) findWay(at, meta);
    prepare(at, meta);
  }
}

/** Notes who the packet is handed to, and where to look for its MAC address. */
@inline
function findWay(descriptor: usize, meta: usize): void {
  const network: usize = load<u32>(meta, M_NETWORK);
  const v6: u32 = load<u8>(meta, M_V6);
  const egress: u32 = load<u8>(descriptor, D_EGRESS);
  const next = v6
    ? nextHop6(network + IPV6_DESTINATION, egress)
    : nextHop4(network + IPV4_DESTINATION, egress);
  store<u32>(meta, <u32>next, M_NEXT_HOP);
  store<u32>(meta, neighborPlace(next, egress, v6), M_NEIGHBOR);
}


@inline
function prepare(descriptor: usize, meta: usize): void {
  const decided: u32 = load<u8>(descriptor, D_VERDICT);
  let forward: u32 = FW_NONE;
  if (decided == VERDICT_PASS) forward = emit(descriptor, meta);
  else if (decided == VERDICT_LOCAL) forward = FW_LOCAL;
  else if (decided == VERDICT_DROP) forward = errorDue(load<u8>(descriptor, D_REASON), meta);
  else if (decided == VERDICT_HELD && load<u8>(descriptor, D_REASON) == R_HANDOVER) forward = FW_WAIT;
  store<u8>(descriptor, forward, D_FORWARD);
  if (load<u8>(descriptor, D_FLAGS) & DF_TRACE) trace(TR_FORWARD, forward);
}

/** The frame as it leaves, and what is left to do for it: FW_*. */
@inline
function emit(descriptor: usize, meta: usize): u32 {
  const network: usize = load<u32>(meta, M_NETWORK);
  const length = load<u32>(meta, M_LENGTH);
  const egress: u32 = load<u8>(descriptor, D_EGRESS);
  const device = liveAt(egress);
  const present = load<u32>(descriptor, D_OFFSET) + load<u32>(descriptor, D_CAPTURED) - <u32>network;
  // What a capture cut short, or has no device to go to, cannot leave.
  if (present < length || (load<u8>(device, LI_FLAGS) & LIF_ON) == 0) return FW_NONE;
  const v6: u32 = load<u8>(meta, M_V6);
  if (v6) store<u8>(network, load<u8>(network, IPV6_HOP_LIMIT) - 1, IPV6_HOP_LIMIT);
  else lowerTtl(network);

  const neighbor = findNeighbor(load<u32>(meta, M_NEIGHBOR), load<u32>(meta, M_NEXT_HOP), egress, v6);
  let destination: u64 = 0;
  if (neighbor != 0) {
    destination = load<u64>(neighbor, NB_MAC);
    // What is only explained is not sent.
    if (load<u8>(neighbor, NB_USED) == 0 && (load<u8>(descriptor, D_FLAGS) & DF_TRACE) == 0)
      store<u8>(neighbor, 1, NB_USED);
  }
  const tag: u32 = load<u16>(device, LI_VLAN);
  const header = tag == 0 ? ETHERNET_HEADER : ETHERNET_HEADER + TAG_SIZE;
  writeHeader(
    network - header,
    destination,
    load<u64>(device, LI_SOURCE_MAC),
    tag,
    v6 ? TYPE_IPV6 : TYPE_IPV4,
  );
  store<u32>(descriptor, <u32>network - header, D_OFFSET);
  store<u32>(descriptor, header + length, D_CAPTURED);
  store<u32>(descriptor, header + length, D_WIRE);
  store<u16>(descriptor, header, D_NETWORK);
  store<u8>(descriptor, load<u8>(device, LI_PORT), D_PORT);
  if (length > mtuLeast && isOversize(descriptor, meta, egress)) return FW_FRAGMENT;
  if (neighbor == 0) return FW_RESOLVE;
  return load<u8>(descriptor, D_FLAGS) & DF_DEFERRED ? <u32>FW_DEFER : <u32>FW_SEND;
}

/** One hop less; the checksum follows (RFC 1624: the sum of one's complement has two zeros, of which 0xffff is none). */
@inline
function lowerTtl(network: usize): void {
  store<u8>(network, load<u8>(network, IPV4_TTL) - 1, IPV4_TTL);
  // The TTL is the first byte of its word: the lower one of a little-endian load.
  const raised = <u32>load<u16>(network, IPV4_CHECKSUM) + 1;
  store<u16>(network, raised + u32(raised >= 0xffff), IPV4_CHECKSUM);
}


@inline
function writeHeader(frame: usize, destination: u64, source: u64, tag: u32, type: u32): void {
  store<u64>(frame, destination | (source << 48));
  store<u32>(frame, <u32>(source >> 16), 8);
  if (tag != 0) {
    store<u32>(frame + ETHERTYPE_AT, bswap<u32>((TYPE_TAG << 16) | tag));
    frame += TAG_SIZE;
  }
  store<u16>(frame + ETHERTYPE_AT, bswap<u16>(<u16>type));
}

/** What passes and is too large may be cut: the rest was dropped. */
function isOversize(descriptor: usize, meta: usize, egress: u32): bool {
  const mtu = mtuOf(egress);
  return mtu != 0 && sizeOnWire(descriptor, meta) > mtu;
}

/** Whether an ICMP error may be due for a dropped packet; never for a later fragment (RFC 1122 3.2.2). */
function errorDue(reason: u32, meta: usize): u32 {
  switch (reason) {
    case R_TOO_BIG:
      return isLaterFragment(meta) ? <u32>FW_NONE : <u32>FW_TOO_BIG;
    case R_TTL_EXPIRED:
    case R_NO_ROUTE:
    case R_ACL_IN_DENY:
    case R_ACL_IN_IMPLICIT:
    case R_ACL_OUT_DENY:
    case R_ACL_OUT_IMPLICIT:
      return isLaterFragment(meta) ? <u32>FW_NONE : <u32>FW_REPORT;
    default:
      return FW_NONE;
  }
}

function isLaterFragment(meta: usize): bool {
  if (load<u8>(meta, M_CLASS) != CLASS_FRAGMENT) return false;
  const header: usize = load<u32>(meta, M_FRAGMENT);
  return header == 0
    ? (load<u16>(load<u32>(meta, M_NETWORK), IPV4_FRAGMENT) & IPV4_OFFSET) != 0
    : (load<u16>(header, 2) & IPV6_FRAGMENT_OFFSET) != 0;
}

/** Puts into S_NEXT_HOP who the address in S_NEIGHBOR is reached by, out of an interface. */
export function findNextHop(number: u32, v6: u32): void {
  const destination = <usize>STATE_AT + S_NEIGHBOR + NB_ADDRESS;
  let next = destination;
  if (policyAt != 0) next = v6 ? nextHop6(destination, number) : nextHop4(destination, number);
  memory.fill(<usize>STATE_AT + S_NEXT_HOP, 0, 16);
  memory.copy(<usize>STATE_AT + S_NEXT_HOP, next, v6 ? 16 : 4);
}
