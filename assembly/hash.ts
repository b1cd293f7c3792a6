/**
 * Keyed hashes of the flow table. Pair-multiply-shift (Thorup, "High Speed Hashing for Integers and Strings", 3.5):
 * with secret 64-bit seeds, two different keys meet in the upper 32 bits with probability 2^-32, whoever chose them.
 */
import { seed0, seed1, seed2, seed3 } from "./state";
import { S_SEEDS, STATE_AT } from "./layout";


@inline
function pair(low: u32, high: u32, a: u64, b: u64): u64 {
  return (a + <u64>high) * (b + <u64>low);
}

/** Hash of a 128-bit key; touch byte and interfaces must be 0 in it. */
@inline
export function hashKey(key0: u64, key1: u64): u32 {
  const h =
    pair(<u32>key0, <u32>(key0 >> 32), seed0, seed1) + pair(<u32>key1, <u32>(key1 >> 32), seed2, seed3);
  return <u32>(h >> 32);
}

/** 32-bit digest of the IPv6 address at `at`; it stands for the address in the hot record. */
export function digest6(at: usize): u32 {
  const low = load<u64>(at);
  const high = load<u64>(at, 8);
  const h =
    pair(<u32>low, <u32>(low >> 32), load<u64>(STATE_AT, S_SEEDS + 32), load<u64>(STATE_AT, S_SEEDS + 40)) +
    pair(<u32>high, <u32>(high >> 32), load<u64>(STATE_AT, S_SEEDS + 48), load<u64>(STATE_AT, S_SEEDS + 56));
  return <u32>(h >> 32);
}

/** Group of a hash: its upper bits, scaled to the number of groups. */
@inline
export function groupOf(hash: u32, groups: u32): u32 {
  return <u32>((<u64>hash * <u64>groups) >> 32);
}

/** Tag of a hash: its lower 15 bits; never 0, which means "free". */
@inline
export function tagOf(hash: u32): u16 {
  return <u16>(hash | 0x8000);
}
