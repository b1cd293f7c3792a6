/**
 * Routes of the policy in force: the longest prefix of an address, found by halving the spans that the policy cuts the
 * addresses into (layout.ts, P_SPANS4).
 */
import {
  M_INGRESS,
  M_NETWORK,
  M_V6,
  P_PAIR_A,
  P_PAIR_B,
  P_ROUTES4,
  P_ROUTES6,
  P_SPAN4_COUNT,
  P_SPAN6_COUNT,
  P_SPANS4,
  P_SPANS6,
  ROUTE4_FLAGS,
  ROUTE4_GATEWAY,
  ROUTE4_INTERFACE,
  ROUTE4_SIZE,
  ROUTE4_WIDER,
  ROUTE6_FLAGS,
  ROUTE6_GATEWAY,
  ROUTE6_INTERFACE,
  ROUTE6_SIZE,
  ROUTE6_WIDER,
  RPF_ALLOW_DEFAULT,
  RPF_RX,
  RT_BROADCAST,
  RT_DEFAULT,
  RT_LOCAL,
  SPAN4_SIZE,
  SPAN6_SIZE,
  SPAN_ROUTE_SIZE,
} from "./layout";
import { policyAt } from "./state";
import { be32 } from "./bytes";
import { IPV4_DESTINATION, IPV4_SOURCE } from "./ipv4";
import { IPV6_DESTINATION, IPV6_SOURCE, isLinkLocal } from "./ipv6";

/** A route: flags in the upper, interface in the lower byte. NO_ROUTE: none. */
export const NO_ROUTE: u32 = 0xffffffff;


@inline
export function routeInterface(route: u32): u32 {
  return route == NO_ROUTE ? 0 : route & 255;
}


@inline
export function isLocal(route: u32): bool {
  return route != NO_ROUTE && ((route >> 8) & RT_LOCAL) != 0;
}


@inline
export function isBroadcast(route: u32): bool {
  return route != NO_ROUTE && ((route >> 8) & RT_BROADCAST) != 0;
}

/** Number of the best route to an address, host order, + 1; 0 none. */
@inline
function find4(address: u32): u32 {
  const starts = policyAt + load<u32>(policyAt, P_SPANS4);
  const spans = load<u32>(policyAt, P_SPAN4_COUNT);
  let at = starts;
  for (let left = spans; left > 1;) {
    const half = left >> 1;
    const step = <usize>half * SPAN4_SIZE;
    at += step & (0 - <usize>(load<u32>(at + step) <= address));
    left -= half;
  }
  const span = (at - starts) / SPAN4_SIZE;
  return load<u16>(starts + <usize>spans * SPAN4_SIZE + span * SPAN_ROUTE_SIZE);
}

/** The same for the IPv6 address at `address`. */
function find6(address: usize): u32 {
  const upper = bswap<u64>(load<u64>(address));
  const lower = bswap<u64>(load<u64>(address, 8));
  const starts = policyAt + load<u32>(policyAt, P_SPANS6);
  const spans = load<u32>(policyAt, P_SPAN6_COUNT);
  let at = starts;
  for (let left = spans; left > 1;) {
    const half = left >> 1;
    const middle = at + <usize>half * SPAN6_SIZE;
    const high = load<u64>(middle);
    const isBefore = high < upper || (high == upper && load<u64>(middle, 8) <= lower);
    at += (middle - at) & (0 - <usize>isBefore);
    left -= half;
  }
  const span = (at - starts) / SPAN6_SIZE;
  return load<u16>(starts + <usize>spans * SPAN6_SIZE + span * SPAN_ROUTE_SIZE);
}

/** Record of a route by its number + 1. */
@inline
function route4(number: u32): usize {
  return policyAt + load<u32>(policyAt, P_ROUTES4) + <usize>(number - 1) * ROUTE4_SIZE;
}


@inline
function route6(number: u32): usize {
  return policyAt + load<u32>(policyAt, P_ROUTES6) + <usize>(number - 1) * ROUTE6_SIZE;
}

function lookup4(address: u32): u32 {
  const number = find4(address);
  if (number == 0) return NO_ROUTE;
  const route = route4(number);
  return (<u32>load<u8>(route, ROUTE4_INTERFACE)) | ((<u32>load<u8>(route, ROUTE4_FLAGS)) << 8);
}

function lookup6(address: usize): u32 {
  const number = find6(address);
  if (number == 0) return NO_ROUTE;
  const route = route6(number);
  return (<u32>load<u8>(route, ROUTE6_INTERFACE)) | ((<u32>load<u8>(route, ROUTE6_FLAGS)) << 8);
}

/** Whether the IPv6 address at `address` is one of the firewall, on whichever interface. */
export function isOwn6(address: usize): bool {
  return isLocal(lookup6(address));
}

/** Routes that say whose an address is, and not where it is. */
const RT_OWNED: u32 = RT_LOCAL | RT_BROADCAST;

/**
 * Where the address lies of the neighbour that a packet to the address at `destination` is handed to, out of `egress`: the
 * gateway of the best route that leaves by it, else the destination itself.
 */
export function nextHop4(destination: usize, egress: u32): usize {
  for (let number = find4(be32(destination)); number != 0;) {
    const route = route4(number);
    if (load<u8>(route, ROUTE4_INTERFACE) == egress && (load<u8>(route, ROUTE4_FLAGS) & RT_OWNED) == 0) {
      return load<u32>(route, ROUTE4_GATEWAY) == 0 ? destination : route + ROUTE4_GATEWAY;
    }
    number = load<u16>(route, ROUTE4_WIDER);
  }
  return destination;
}

/** The same for IPv6. */
export function nextHop6(destination: usize, egress: u32): usize {
  for (let number = find6(destination); number != 0;) {
    const route = route6(number);
    if (load<u8>(route, ROUTE6_INTERFACE) == egress && (load<u8>(route, ROUTE6_FLAGS) & RT_OWNED) == 0) {
      return v128.any_true(v128.load(route, ROUTE6_GATEWAY)) ? route + ROUTE6_GATEWAY : destination;
    }
    number = load<u16>(route, ROUTE6_WIDER);
  }
  return destination;
}

/** Route to the source of the packet. */
export function routeToSource(meta: usize): u32 {
  const network: usize = load<u32>(meta, M_NETWORK);
  return load<u8>(meta, M_V6) ? lookup6(network + IPV6_SOURCE) : lookup4(be32(network + IPV4_SOURCE));
}

/** Route to the destination of the packet; where the policy pairs two interfaces, the other one. */
export function routeToDestination(meta: usize): u32 {
  const network: usize = load<u32>(meta, M_NETWORK);
  const v6 = load<u8>(meta, M_V6) != 0;
  const route = v6 ? lookup6(network + IPV6_DESTINATION) : lookup4(be32(network + IPV4_DESTINATION));
  const a = load<u32>(policyAt, P_PAIR_A);
  if (a == 0 || isLocal(route) || isBroadcast(route)) return route;
  const b = load<u32>(policyAt, P_PAIR_B);
  const ingress: u32 = load<u8>(meta, M_INGRESS);
  if (ingress == a) return b;
  return ingress == b ? a : NO_ROUTE;
}

/** The interface that a packet without a given one came in by: where its source lives. 0: nowhere. */
export function ingressOf(meta: usize): u32 {
  return routeInterface(routeToSource(meta));
}

/** Whether unicast RPF (RFC 3704) is content with a source of this route on this interface. */
export function reversePathHolds(meta: usize, mode: u32, route: u32, ingress: u32): bool {
  // A link-local source is on the link: no route has anything to say of it.
  if (load<u8>(meta, M_V6) && isLinkLocal(<usize>load<u32>(meta, M_NETWORK) + IPV6_SOURCE)) return true;
  // A route to nowhere (Null0) is how an operator says that a source is unwanted.
  if (routeInterface(route) == 0) return false;
  if (((route >> 8) & RT_DEFAULT) != 0 && (mode & RPF_ALLOW_DEFAULT) == 0) return false;
  return (mode & RPF_RX) == 0 || (route & 255) == ingress;
}
