/**
 * Who is where: the MAC addresses of next hops (layout.ts, NEIGHBOR_*). The host puts them in and takes them out between
 * two calls; forward.ts looks them up.
 *
 * Invariant: an entry stands within NEIGHBOR_PROBES places of its hash, and every place between is in use. So a search
 * ends at the first free place, and an entry that goes pulls those behind it nearer.
 */
import {
  C_NEIGHBORS_FULL,
  LIVE_NEIGHBORS,
  NB_ADDRESS,
  NB_INTERFACE,
  NB_MAC,
  NB_STATE,
  NB_V6,
  NEIGHBOR_PLACES,
  NEIGHBOR_PROBES,
  NEIGHBOR_SIZE,
  NEIGHBORS_MAX,
  S_LIVE_AT,
  S_NEIGHBOR,
  S_NEIGHBORS_AT,
  STATE_AT,
} from "./layout";
import { digest6, groupOf, hashKey } from "./hash";
import { count, word } from "./state";

const LAST_PLACE: u32 = NEIGHBOR_PLACES - 1; // a power of two, less one
/** Interface, family and use of an entry in one word. */
const V6_SHIFT: u32 = (NB_V6 - NB_INTERFACE) * 8;
const IN_USE: u32 = 1 << ((NB_STATE - NB_INTERFACE) * 8);
const WHOSE_MASK: u32 = 0x00ffffff;
/** A round of lowbias32 (Chris Wellons, "Prospecting for Hash Functions"). */
const MIX_SHIFT: u32 = 15;
const MIX_FACTOR: u32 = 0x2c1b3c6d;


@inline
export function neighborAt(place: u32): usize {
  return <usize>word(S_NEIGHBORS_AT) + <usize>(place & LAST_PLACE) * NEIGHBOR_SIZE;
}

/** The first place to look at for the address at `address` on an interface. */
@inline
export function neighborPlace(address: usize, number: u32, v6: u32): u32 {
  const digest = v6 ? digest6(address) : load<u32>(address);
  const hash = hashKey((<u64>digest) | ((<u64>(number | (v6 << V6_SHIFT))) << 32), 0);
  // The addresses of a subnet follow each other, and so do their hashes, at one distance: linear probing wants none.
  return groupOf((hash ^ (hash >> MIX_SHIFT)) * MIX_FACTOR, NEIGHBOR_PLACES);
}

/** The entry of the address at `address` on an interface, looked for from `place` on; 0: unknown. */
@inline
export function findNeighbor(place: u32, address: usize, number: u32, v6: u32): usize {
  const whose = number | (v6 << V6_SHIFT) | IN_USE;
  for (let end = place + NEIGHBOR_PROBES; place != end; place++) {
    const entry = neighborAt(place);
    const found = load<u32>(entry, NB_INTERFACE) & WHOSE_MASK;
    if (found == whose && isAddress(entry, address, v6)) return entry;
    if (found < IN_USE) return 0;
  }
  return 0;
}


@inline
function isAddress(entry: usize, address: usize, v6: u32): bool {
  if (!v6) return load<u32>(entry, NB_ADDRESS) == load<u32>(address);
  return !v128.any_true(v128.xor(v128.load(entry, NB_ADDRESS), v128.load(address)));
}

/** The place of the neighbour in S_NEIGHBOR. */
function wantedPlace(wanted: usize): u32 {
  return neighborPlace(wanted + NB_ADDRESS, load<u8>(wanted, NB_INTERFACE), load<u8>(wanted, NB_V6));
}

/** Puts the neighbour of S_NEIGHBOR in, or gives it another MAC address. 1: done, 0: full. */
export function putNeighbor(): u32 {
  const wanted = <usize>STATE_AT + S_NEIGHBOR;
  const first = wantedPlace(wanted);
  const number: u32 = load<u8>(wanted, NB_INTERFACE);
  let entry = findNeighbor(first, wanted + NB_ADDRESS, number, load<u8>(wanted, NB_V6));
  if (entry == 0) {
    entry = freeEntry(first);
    if (entry == 0) {
      count(C_NEIGHBORS_FULL);
      return 0;
    }
    memory.copy(entry, wanted, NEIGHBOR_SIZE);
    store<u8>(entry, 1, NB_STATE);
    noteNeighbors(1);
  }
  store<u64>(entry, load<u64>(wanted, NB_MAC), NB_MAC);
  return 1;
}

/** A free place from `first` on, 0 none. */
function freeEntry(first: u32): usize {
  if (load<u32>(word(S_LIVE_AT), LIVE_NEIGHBORS) == NEIGHBORS_MAX) return 0;
  for (let place = first; place != first + NEIGHBOR_PROBES; place++) {
    if (load<u8>(neighborAt(place), NB_STATE) == 0) return neighborAt(place);
  }
  return 0;
}

/** Takes the neighbour of S_NEIGHBOR out. 1: it was there. */
export function dropNeighbor(): u32 {
  const wanted = <usize>STATE_AT + S_NEIGHBOR;
  const number: u32 = load<u8>(wanted, NB_INTERFACE);
  let hole = wantedPlace(wanted);
  const entry = findNeighbor(hole, wanted + NB_ADDRESS, number, load<u8>(wanted, NB_V6));
  if (entry == 0) return 0;
  while (neighborAt(hole) != entry) hole++;
  for (let place = hole + 1; load<u8>(neighborAt(place), NB_STATE) != 0; place++) {
    const steps = (place - wantedPlace(neighborAt(place))) & LAST_PLACE;
    if (steps < ((place - hole) & LAST_PLACE)) continue;
    memory.copy(neighborAt(hole), neighborAt(place), NEIGHBOR_SIZE);
    hole = place;
  }
  memory.fill(neighborAt(hole), 0, NEIGHBOR_SIZE);
  noteNeighbors(-1);
  return 1;
}

function noteNeighbors(change: i32): void {
  const at: usize = word(S_LIVE_AT);
  store<u32>(at, load<u32>(at, LIVE_NEIGHBORS) + change, LIVE_NEIGHBORS);
}
