/** What the access lists read of a packet: the 64-byte key of layout.ts, in host order, and its mirror image. */
import {
  CLASS_TCP,
  K_DESTINATION,
  K_DESTINATION_PORT,
  K_EXTENSIONS,
  K_FLAGS,
  K_FLOW_LABEL,
  K_ICMP_CODE,
  K_ICMP_TYPE,
  K_NETWORK,
  K_NETWORK_AVAILABLE,
  K_PROTOCOL,
  K_ROUTING_TYPE,
  K_SOURCE,
  K_SOURCE_PORT,
  K_TCP_FLAGS,
  K_TOS,
  K_TTL,
  KEY_SIZE,
  KF_OPTIONS,
  KF_V6,
  M_AVAILABLE,
  M_CLASS,
  M_EXTENSIONS,
  M_FLAGS,
  M_ICMP_CODE,
  M_ICMP_TYPE,
  M_LENGTH,
  M_NETWORK,
  M_OPTIONS,
  M_PROTOCOL,
  M_ROUTING_TYPE,
  M_TRANSPORT,
  M_TTL,
  M_V6,
} from "./layout";
import { be16, be32 } from "./bytes";
import { IPV4_SOURCE, IPV4_TOS } from "./ipv4";
import { IPV6_SOURCE } from "./ipv6";
import { ICMP, ICMPV6, IGMP, SCTP, TCP, UDP } from "./key";

export function fillKey(key: usize, meta: usize): void {
  for (let i: usize = 0; i < <usize>KEY_SIZE; i += 16) v128.store(key + i, v128.splat<u8>(0));
  const network: usize = load<u32>(meta, M_NETWORK);
  const transport: usize = load<u32>(meta, M_TRANSPORT);
  const protocol: u32 = load<u8>(meta, M_PROTOCOL);
  const v6: u32 = load<u8>(meta, M_V6);
  if (v6) {
    for (let i: usize = 0; i < 32; i += 4) store<u32>(key + i, be32(network + IPV6_SOURCE + i), K_SOURCE);
    const first = be32(network);
    store<u8>(key, first >> 20, K_TOS);
    store<u32>(key, first & 0xfffff, K_FLOW_LABEL);
    store<u8>(key, load<u8>(meta, M_EXTENSIONS), K_EXTENSIONS);
    store<u8>(key, load<u8>(meta, M_ROUTING_TYPE), K_ROUTING_TYPE);
    store<u8>(key, KF_V6, K_FLAGS);
  } else {
    store<u32>(key, be32(network + IPV4_SOURCE), K_SOURCE);
    store<u32>(key, be32(network + IPV4_SOURCE + 4), K_DESTINATION);
    store<u8>(key, load<u8>(network, IPV4_TOS), K_TOS);
    store<u8>(key, load<u8>(meta, M_OPTIONS) ? KF_OPTIONS : 0, K_FLAGS);
  }
  store<u32>(key, protocol, K_PROTOCOL);
  store<u8>(key, load<u8>(meta, M_TTL), K_TTL);
  store<u8>(key, load<u8>(meta, M_ICMP_TYPE), K_ICMP_TYPE);
  store<u8>(key, load<u8>(meta, M_ICMP_CODE), K_ICMP_CODE);
  store<u32>(key, <u32>network, K_NETWORK);
  store<u32>(key, load<u32>(meta, M_AVAILABLE), K_NETWORK_AVAILABLE);
  const before = <u32>(transport - network);
  const present = min(load<u32>(meta, M_AVAILABLE), load<u32>(meta, M_LENGTH));
  if (protocol == TCP || protocol == UDP || (protocol == SCTP && present >= before + 4)) {
    store<u32>(key, be16(transport), K_SOURCE_PORT);
    store<u32>(key, be16(transport + 2), K_DESTINATION_PORT);
  } else if (protocol == IGMP && present > before) {
    store<u8>(key, load<u8>(transport), K_ICMP_TYPE);
  }
  if (load<u8>(meta, M_CLASS) == CLASS_TCP) store<u8>(key, load<u8>(meta, M_FLAGS), K_TCP_FLAGS);
}

/** Swaps the ends; an ICMP reply becomes its request. */
export function mirrorKey(key: usize): void {
  const source = v128.load(key, K_SOURCE);
  v128.store(key, v128.load(key, K_DESTINATION), K_SOURCE);
  v128.store(key, source, K_DESTINATION);
  const port = load<u32>(key, K_SOURCE_PORT);
  store<u32>(key, load<u32>(key, K_DESTINATION_PORT), K_SOURCE_PORT);
  store<u32>(key, port, K_DESTINATION_PORT);
  const type: u32 = load<u8>(key, K_ICMP_TYPE);
  const protocol = load<u32>(key, K_PROTOCOL);
  if (protocol == ICMP && type == 0) store<u8>(key, 8, K_ICMP_TYPE);
  if ((protocol == ICMP && type == 14) || (protocol == ICMPV6 && type == 129))
    store<u8>(key, type - 1, K_ICMP_TYPE);
}
