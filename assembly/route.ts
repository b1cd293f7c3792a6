/**
 * Routes of the policy in force: longest prefix first, so the first match is the best one.
 */
import {
  M_INGRESS,
  M_NETWORK,
  P_PAIR_A,
  P_PAIR_B,
  M_V6,
  P_ROUTE4_COUNT,
  P_ROUTE6_COUNT,
  P_ROUTES4,
  P_ROUTES6,
  ROUTE4_FLAGS,
  ROUTE4_INTERFACE,
  ROUTE4_MASK,
  ROUTE4_NETWORK,
  ROUTE4_SIZE,
  ROUTE6_FLAGS,
  ROUTE6_INTERFACE,
  ROUTE6_MASK,
  ROUTE6_NETWORK,
  ROUTE6_SIZE,
  RPF_ALLOW_DEFAULT,
  RPF_RX,
  RT_BROADCAST,
  RT_DEFAULT,
  RT_LOCAL,
} from "./layout";
import { policyAt } from "./state";
import { be32 } from "./bytes";
import { IPV4_DESTINATION, IPV4_SOURCE } from "./ipv4";
import { IPV6_DESTINATION, IPV6_SOURCE } from "./ipv6";

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

function lookup4(address: u32): u32 {
  let at = policyAt + load<u32>(policyAt, P_ROUTES4);
  const end = at + <usize>load<u32>(policyAt, P_ROUTE4_COUNT) * ROUTE4_SIZE;
  for (; at < end; at += ROUTE4_SIZE) {
    if ((address & load<u32>(at, ROUTE4_MASK)) == load<u32>(at, ROUTE4_NETWORK)) {
      return (<u32>load<u8>(at, ROUTE4_INTERFACE)) | ((<u32>load<u8>(at, ROUTE4_FLAGS)) << 8);
    }
  }
  return NO_ROUTE;
}

function lookup6(address: usize): u32 {
  const wanted = v128.load(address);
  let at = policyAt + load<u32>(policyAt, P_ROUTES6);
  const end = at + <usize>load<u32>(policyAt, P_ROUTE6_COUNT) * ROUTE6_SIZE;
  for (; at < end; at += ROUTE6_SIZE) {
    const difference = v128.xor(v128.and(wanted, v128.load(at, ROUTE6_MASK)), v128.load(at, ROUTE6_NETWORK));
    if (!v128.any_true(difference)) {
      return (<u32>load<u8>(at, ROUTE6_INTERFACE)) | ((<u32>load<u8>(at, ROUTE6_FLAGS)) << 8);
    }
  }
  return NO_ROUTE;
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
export function reversePathHolds(mode: u32, route: u32, ingress: u32): bool {
  // A route to nowhere (Null0) is how an operator says that a source is unwanted.
  if (routeInterface(route) == 0) return false;
  if (((route >> 8) & RT_DEFAULT) != 0 && (mode & RPF_ALLOW_DEFAULT) == 0) return false;
  return (mode & RPF_RX) == 0 || (route & 255) == ingress;
}
