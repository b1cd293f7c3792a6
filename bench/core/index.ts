/**
 * What the benchmarks need beside the product's own core, compiled for the occasion and run over the same memory:
 * the baseline of one random cache line a packet, and parts of the core by themselves.
 */
import {
  ACL_LIST_SIZE,
  AH_LISTS,
  D_OFFSET,
  DESC_SIZE,
  GROUP_SLOTS,
  HOT_SIZE,
  KEY_SIZE,
  M_HASH,
  META_SIZE,
  P_ACLS,
  PASS_MAX,
} from "../../assembly/layout";
import { evaluate, scan } from "../../assembly/acl";
import { be16 } from "../../assembly/bytes";
import { ETHERNET_HEADER, ETHERTYPE_AT, TYPE_IPV6 } from "../../assembly/ethernet";
import { digest6, hashKey } from "../../assembly/hash";
import { headerLength4, IPV4_DESTINATION, IPV4_PROTOCOL, IPV4_SOURCE } from "../../assembly/ipv4";
import { IPV6_DESTINATION, IPV6_HEADER, IPV6_NEXT, IPV6_SOURCE } from "../../assembly/ipv6";
import { parse } from "../../assembly/parse";
import { attachState, descriptorsAt, groups, hotAt, metaAt, policyAt } from "../../assembly/state";

/** Takes the addresses of the core's regions. 0: done. */
export function attach(): u32 {
  return attachState();
}

/** The cache line that a five-tuple falls on, anywhere in the table. */
@inline
function lineOf(frame: usize, lines: u32): usize {
  const network = frame + ETHERNET_HEADER;
  const v6 = be16(frame + ETHERTYPE_AT) == TYPE_IPV6;
  const protocol: u64 = load<u8>(network + (v6 ? IPV6_NEXT : IPV4_PROTOCOL));
  const transport = network + (v6 ? IPV6_HEADER : headerLength4(network));
  const ports = load<u32>(transport);
  const source: u64 = v6 ? digest6(network + IPV6_SOURCE) : load<u32>(network, IPV4_SOURCE);
  const destination: u64 = v6 ? digest6(network + IPV6_DESTINATION) : load<u32>(network, IPV4_DESTINATION);
  const a = source | ((<u64>(ports & 0xffff)) << 32);
  const b = destination | ((<u64>(ports >> 16)) << 32);
  const swap = (a ^ b) & (0 - <u64>(a > b));
  const hash = hashKey((a ^ swap) | (protocol << 48), b ^ swap);
  return hotAt + <usize>((<u64>hash * <u64>lines) >> 32) * HOT_SIZE;
}

/** Finds out the five-tuple of each frame, loads one cache line of the table by it, and does nothing else. */
export function touch(packets: u32): u32 {
  const lines = groups * GROUP_SLOTS;
  const end = descriptorsAt + <usize>packets * DESC_SIZE;
  let sum: u32 = 0;
  for (let at = descriptorsAt; at < end; at += DESC_SIZE)
    sum += load<u32>(lineOf(load<u32>(at, D_OFFSET), lines));
  return sum;
}

/** The first pass of the core, and nothing else. */
export function parseAll(packets: u32): u32 {
  let sum: u32 = 0;
  for (let first: u32 = 0; first < packets; first += PASS_MAX) {
    let at = descriptorsAt + <usize>first * DESC_SIZE;
    const end = metaAt + <usize>min<u32>(PASS_MAX, packets - first) * META_SIZE;
    for (let meta = metaAt; meta < end; meta += META_SIZE, at += DESC_SIZE) parse(at, meta);
    sum += load<u32>(metaAt, M_HASH);
  }
  return sum;
}

/** Looks `count` keys up in list 1, one answer (u32) each. */
export function search(keys: usize, count: u32, answers: usize): void {
  const section = policyAt + load<u32>(policyAt, P_ACLS);
  for (let i: usize = 0; i < <usize>count; i++)
    store<u32>(answers + (i << 2), evaluate(section, 1, keys + i * KEY_SIZE));
}

/** The same by reading the list line by line. */
export function searchLinear(keys: usize, count: u32, answers: usize): void {
  const section = policyAt + load<u32>(policyAt, P_ACLS);
  for (let i: usize = 0; i < <usize>count; i++)
    store<u32>(answers + (i << 2), scan(section, 1, keys + i * KEY_SIZE));
}

/** Loads one cache line of list 1 by the addresses of each key, and does nothing else. */
export function searchTouch(keys: usize, count: u32, bytes: u32): u32 {
  const section = policyAt + load<u32>(policyAt, P_ACLS);
  const head = section + load<u32>(section, AH_LISTS) + ACL_LIST_SIZE;
  let sum: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const key = keys + i * KEY_SIZE;
    const hash = hashKey(load<u64>(key), load<u64>(key, 16) ^ load<u64>(key, 32));
    sum += load<u32>(head + ((<usize>((<u64>hash * <u64>bytes) >> 32)) & ~63));
  }
  return sum;
}
