/**
 * The datagrams of which fragments are held, and the pool of held frames.
 *
 *   fragments   S_HELD_MAX records, a datagram within FRAGMENT_PROBES places of its hash; each the head of a list
 *   held        S_HELD_MAX frames: in the list of a datagram (order of arrival), in the free list, or lent to the host
 *
 * A released frame is lent until the next call begins, so that the host can read it.
 */
import {
  DESC_SIZE,
  D_CAPTURED,
  D_COOKIE,
  D_ETHERTYPE,
  D_FLAGS,
  D_INGRESS,
  D_NETWORK,
  D_OFFSET,
  D_REASON,
  D_SEGMENT,
  D_VERDICT,
  D_WIRE,
  FRAGMENT_FREE,
  FRAGMENT_OPEN,
  FRAGMENT_POISONED,
  FRAGMENT_PROBES,
  FRAGMENT_SIZE,
  F_BYTES,
  F_COUNT,
  F_DESTINATION,
  F_FIRST_HELD,
  F_ID,
  F_INGRESS,
  F_LAST_HELD,
  F_PROTOCOL,
  F_SINCE_MS,
  F_SOURCE,
  F_SOURCE_HELD,
  F_TOTAL,
  F_USED,
  F_V6,
  HELD_HEADER,
  HELD_SIZE,
  H_CAPTURED,
  H_COOKIE,
  H_ETHERTYPE,
  H_FLAGS,
  H_FROM,
  H_META,
  H_NEXT,
  H_TO,
  META_SIZE,
  M_FRAGMENT,
  M_FRAME,
  M_INGRESS,
  M_NETWORK,
  M_TRANSPORT,
  M_V6,
  M_WIRE,
  P_FRAGMENT_MAX,
  P_FRAGMENT_PER_DATAGRAM,
  P_FRAGMENT_PER_SOURCE,
  R_FRAGMENT_OVERLAP,
  R_FRAGMENT_TABLE_FULL,
  R_FRAGMENT_TIMEOUT,
  STATE_AT,
  S_DATAGRAMS,
  S_DATAGRAM_DUE_MS,
  S_HELD_FREE,
  S_HELD_IN_USE,
  S_HELD_RELEASED,
  S_WHOLE_META,
  TIMER_FRAGMENT,
  VERDICT_DROP,
} from "./layout";
import { be16, be32 } from "./bytes";
import { digest6, hashKey } from "./hash";
import { IPV4_ID, IPV4_SOURCE } from "./ipv4";
import { IPV6_SOURCE } from "./ipv6";
import {
  countReason,
  descriptorsAt,
  fragmentsAt,
  heldAt,
  heldMax,
  nextOutput,
  now,
  policyAt,
  timeoutsAt,
  setWord,
  word,
} from "./state";

/** Tables up to this size are counted through when a source seems to have reached its limit. */
const SOURCE_SCAN_MAX: u32 = 1024;

/** What the descriptor carries of a decision starts here. */
const DECIDED_AT = D_VERDICT;


@inline
export function heldFrame(index: u32): usize {
  return heldAt + <usize>(index - 1) * HELD_SIZE;
}


@inline
function datagramAt(place: u32): usize {
  return fragmentsAt + <usize>place * FRAGMENT_SIZE;
}

/** Puts every frame of the pool on the free list, if no list knows a frame yet: in fresh memory all is zero. */
export function initHeld(): void {
  if ((word(S_HELD_FREE) | word(S_HELD_IN_USE) | word(S_HELD_RELEASED)) != 0) return;
  for (let index = heldMax; index != 0; index--) {
    store<u32>(heldFrame(index), word(S_HELD_FREE), H_NEXT);
    setWord(S_HELD_FREE, index);
  }
}

/** Takes back the frames that the last call lent to the host. */
export function reclaimHeld(): void {
  for (let index = word(S_HELD_RELEASED); index != 0;) {
    const frame = heldFrame(index);
    const next = load<u32>(frame, H_NEXT);
    store<u32>(frame, word(S_HELD_FREE), H_NEXT);
    setWord(S_HELD_FREE, index);
    index = next;
  }
  setWord(S_HELD_RELEASED, 0);
}

/** Place of the datagram's hash; `source` alone for the limit per source. */
function placeOf(meta: usize, network: usize, header: usize, protocol: u32, sourceOnly: bool): u32 {
  const v6 = load<u8>(meta, M_V6) != 0;
  const source: u64 = v6 ? digest6(network + IPV6_SOURCE) : load<u32>(network, IPV4_SOURCE);
  if (sourceOnly) return <u32>((<u64>hashKey(source, 0) * <u64>heldMax) >> 32);
  const destination: u64 = v6 ? digest6(network + IPV6_SOURCE + 16) : load<u32>(network, IPV4_SOURCE + 4);
  const key0 = source | ((<u64>idOf(network, header)) << 32);
  const key1 = destination | ((<u64>protocol) << 32) | ((<u64>load<u8>(meta, M_INGRESS)) << 40);
  return <u32>((<u64>hashKey(key0, key1) * <u64>heldMax) >> 32);
}


@inline
function idOf(network: usize, header: usize): u32 {
  return header == 0 ? be16(network + IPV4_ID) : be32(header + 4);
}

/** IPv6 datagrams are told apart without the protocol (RFC 8200 4.5). */
@inline
function protocolKey(header: usize, protocol: u32): u32 {
  return header == 0 ? protocol : 0;
}

export function findDatagram(meta: usize, network: usize, header: usize, protocol: u32): usize {
  if (word(S_DATAGRAMS) == 0) return 0;
  let place = placeOf(meta, network, header, protocolKey(header, protocol), false);
  for (let probes = min<u32>(FRAGMENT_PROBES, heldMax); probes != 0; probes--) {
    const record = datagramAt(place);
    if (load<u8>(record, F_USED) != FRAGMENT_FREE && isDatagram(record, meta, network, header, protocol))
      return record;
    place = place + 1 == heldMax ? 0 : place + 1;
  }
  return 0;
}

function isDatagram(record: usize, meta: usize, network: usize, header: usize, protocol: u32): bool {
  const v6: u32 = load<u8>(meta, M_V6);
  if (load<u32>(record, F_ID) != idOf(network, header) || load<u8>(record, F_V6) != v6) return false;
  if (load<u8>(record, F_PROTOCOL) != protocolKey(header, protocol)) return false;
  if (load<u8>(record, F_INGRESS) != load<u8>(meta, M_INGRESS)) return false;
  if (!v6) return load<u64>(record, F_SOURCE) == load<u64>(network, IPV4_SOURCE);
  const source = v128.xor(v128.load(record, F_SOURCE), v128.load(network, IPV6_SOURCE));
  const destination = v128.xor(v128.load(record, F_DESTINATION), v128.load(network, IPV6_SOURCE + 16));
  return !v128.any_true(v128.or(source, destination));
}

/** A free record near the datagram's hash, or 0. */
function claimDatagram(meta: usize, network: usize, header: usize, protocol: u32): usize {
  let place = placeOf(meta, network, header, protocolKey(header, protocol), false);
  for (let probes = min<u32>(FRAGMENT_PROBES, heldMax); probes != 0; probes--) {
    const record = datagramAt(place);
    if (load<u8>(record, F_USED) == FRAGMENT_FREE) {
      memory.fill(record, 0, F_SOURCE_HELD);
      store<u8>(record, FRAGMENT_OPEN, F_USED);
      store<u8>(record, load<u8>(meta, M_V6), F_V6);
      store<u8>(record, protocolKey(header, protocol), F_PROTOCOL);
      store<u8>(record, load<u8>(meta, M_INGRESS), F_INGRESS);
      store<u32>(record, idOf(network, header), F_ID);
      store<u32>(record, now, F_SINCE_MS);
      if (load<u8>(meta, M_V6)) memory.copy(record + F_SOURCE, network + IPV6_SOURCE, 32);
      else store<u64>(record, load<u64>(network, IPV4_SOURCE), F_SOURCE);
      const used = word(S_DATAGRAMS);
      const due = now + fragmentTimeout();
      if (used == 0 || <i32>(due - word(S_DATAGRAM_DUE_MS)) < 0) setWord(S_DATAGRAM_DUE_MS, due);
      setWord(S_DATAGRAMS, used + 1);
      return record;
    }
    place = place + 1 == heldMax ? 0 : place + 1;
  }
  return 0;
}


@inline
function fragmentTimeout(): u32 {
  return load<u32>(timeoutsAt + TIMER_FRAGMENT * 4);
}

/**
 * Frames held of the source of the packet: what its place counts is an upper bound, because sources share places. In a
 * large table few do, and a count would take long; there the bound stands.
 */
function heldOf(meta: usize, network: usize): u32 {
  if (heldMax > SOURCE_SCAN_MAX) return heldMax;
  const v6: u32 = load<u8>(meta, M_V6);
  let frames: u32 = 0;
  for (let place: u32 = 0; place < heldMax; place++) {
    const record = datagramAt(place);
    if (load<u8>(record, F_USED) != FRAGMENT_OPEN || load<u8>(record, F_V6) != v6) continue;
    const same = v6
      ? !v128.any_true(v128.xor(v128.load(record, F_SOURCE), v128.load(network, IPV6_SOURCE)))
      : load<u32>(record, F_SOURCE) == load<u32>(network, IPV4_SOURCE);
    if (same) frames += load<u16>(record, F_COUNT);
  }
  return frames;
}

/** Copies the frame into the pool; returns a reason when a limit is reached. */
export function keep(
  descriptor: usize,
  meta: usize,
  record: usize,
  from: u32,
  to: u32,
  total: u32,
  network: usize,
  header: usize,
  protocol: u32,
): u32 {
  const index = word(S_HELD_FREE);
  if (index == 0 || word(S_HELD_IN_USE) >= load<u32>(policyAt, P_FRAGMENT_MAX)) return R_FRAGMENT_TABLE_FULL;
  const ofSource = datagramAt(placeOf(meta, network, header, protocol, true));
  const perSource = load<u32>(policyAt, P_FRAGMENT_PER_SOURCE);
  if (load<u16>(ofSource, F_SOURCE_HELD) >= perSource && heldOf(meta, network) >= perSource) {
    return R_FRAGMENT_TABLE_FULL;
  }
  if (record == 0) record = claimDatagram(meta, network, header, protocol);
  else if (load<u16>(record, F_COUNT) >= load<u32>(policyAt, P_FRAGMENT_PER_DATAGRAM))
    return R_FRAGMENT_TABLE_FULL;
  if (record == 0) return R_FRAGMENT_TABLE_FULL;

  const frame = heldFrame(index);
  setWord(S_HELD_FREE, load<u32>(frame, H_NEXT));
  setWord(S_HELD_IN_USE, word(S_HELD_IN_USE) + 1);
  store<u16>(ofSource, load<u16>(ofSource, F_SOURCE_HELD) + 1, F_SOURCE_HELD);
  const captured = load<u32>(descriptor, D_CAPTURED);
  store<u32>(frame, 0, H_NEXT);
  store<u32>(frame, from, H_FROM);
  store<u32>(frame, to, H_TO);
  store<u32>(frame, captured, H_CAPTURED);
  store<u32>(frame, load<u32>(descriptor, D_COOKIE), H_COOKIE);
  store<u16>(frame, load<u16>(descriptor, D_ETHERTYPE), H_ETHERTYPE);
  store<u8>(frame, load<u8>(descriptor, D_FLAGS), H_FLAGS);
  memory.copy(frame + HELD_HEADER, load<u32>(descriptor, D_OFFSET), captured);
  memory.copy(frame + H_META, meta, META_SIZE);
  moveMeta(frame + H_META, <u32>(frame + HELD_HEADER));

  const last = load<u32>(record, F_LAST_HELD);
  if (last == 0) store<u32>(record, index, F_FIRST_HELD);
  else store<u32>(heldFrame(last), index, H_NEXT);
  store<u32>(record, index, F_LAST_HELD);
  store<u16>(record, load<u16>(record, F_COUNT) + 1, F_COUNT);
  store<u32>(record, load<u32>(record, F_BYTES) + (to - from), F_BYTES);
  store<u32>(record, total, F_TOTAL);
  return 0;
}

/** Points a meta record at a copy of its frame. */
function moveMeta(meta: usize, frame: u32): void {
  const shift = frame - load<u32>(meta, M_FRAME);
  store<u32>(meta, frame, M_FRAME);
  store<u32>(meta, load<u32>(meta, M_NETWORK) + shift, M_NETWORK);
  store<u32>(meta, load<u32>(meta, M_TRANSPORT) + shift, M_TRANSPORT);
  if (load<u32>(meta, M_FRAGMENT) != 0) store<u32>(meta, load<u32>(meta, M_FRAGMENT) + shift, M_FRAGMENT);
}

/** Lends the held frames to the host as outputs, in order of arrival, with the decision of `decided`. */
export function releaseHeld(record: usize, decided: usize): void {
  for (let index = load<u32>(record, F_FIRST_HELD); index != 0;) {
    const frame = heldFrame(index);
    const meta = frame + H_META;
    const next = load<u32>(frame, H_NEXT);
    const output = descriptorsAt + <usize>nextOutput() * DESC_SIZE;
    memory.copy(output + DECIDED_AT, decided + DECIDED_AT, DESC_SIZE - DECIDED_AT);
    store<u32>(output, <u32>(frame + HELD_HEADER), D_OFFSET);
    store<u32>(output, load<u32>(frame, H_CAPTURED), D_CAPTURED);
    store<u32>(output, load<u32>(meta, M_WIRE), D_WIRE);
    store<u8>(output, load<u8>(meta, M_INGRESS), D_INGRESS);
    store<u8>(output, load<u8>(frame, H_FLAGS), D_FLAGS);
    store<u16>(output, load<u16>(frame, H_ETHERTYPE), D_ETHERTYPE);
    store<u32>(output, load<u32>(frame, H_COOKIE), D_COOKIE);
    store<u16>(output, load<u32>(meta, M_NETWORK) - load<u32>(meta, M_FRAME), D_NETWORK);
    store<u16>(output, 0, D_SEGMENT);
    countReason(load<u8>(decided, D_REASON), load<u32>(meta, M_WIRE));
    const network: usize = load<u32>(meta, M_NETWORK);
    const ofSource = datagramAt(placeOf(meta, network, load<u32>(meta, M_FRAGMENT), 0, true));
    store<u16>(ofSource, load<u16>(ofSource, F_SOURCE_HELD) - 1, F_SOURCE_HELD);
    setWord(S_HELD_IN_USE, word(S_HELD_IN_USE) - 1);
    store<u32>(frame, word(S_HELD_RELEASED), H_NEXT);
    setWord(S_HELD_RELEASED, index);
    index = next;
  }
  store<u32>(record, 0, F_FIRST_HELD);
  store<u32>(record, 0, F_LAST_HELD);
  store<u16>(record, 0, F_COUNT);
}

/** Releases the held frames as dropped for `reason`. */
function giveUp(record: usize, reason: u32): void {
  const decided = <usize>STATE_AT + S_WHOLE_META;
  memory.fill(decided, 0, META_SIZE);
  store<u8>(decided, VERDICT_DROP, D_VERDICT);
  store<u8>(decided, reason, D_REASON);
  releaseHeld(record, decided);
}

export function poison(record: usize): void {
  giveUp(record, R_FRAGMENT_OVERLAP);
  store<u8>(record, FRAGMENT_POISONED, F_USED);
}

export function forget(record: usize): void {
  store<u8>(record, FRAGMENT_FREE, F_USED);
  setWord(S_DATAGRAMS, word(S_DATAGRAMS) - 1);
}

/** Gives up the datagrams whose time has come, or all of them. */
export function expireDatagrams(all: bool): void {
  if (word(S_DATAGRAMS) == 0 || (!all && <i32>(now - word(S_DATAGRAM_DUE_MS)) < 0)) return;
  let due: u32 = 0;
  let left = false;
  for (let place: u32 = 0; place < heldMax; place++) {
    const record = datagramAt(place);
    if (load<u8>(record, F_USED) == FRAGMENT_FREE) continue;
    const ends = load<u32>(record, F_SINCE_MS) + fragmentTimeout();
    if (all || <i32>(now - ends) >= 0) {
      giveUp(record, R_FRAGMENT_TIMEOUT);
      forget(record);
    } else if (!left || <i32>(ends - due) < 0) {
      due = ends;
      left = true;
    }
  }
  setWord(S_DATAGRAM_DUE_MS, due);
}
