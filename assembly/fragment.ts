/**
 * Virtual reassembly: fragments are held until their datagram is complete; then it is decided once, and every held
 * frame leaves as it came, with that verdict (RFC 791 3.2, 815, 1858, 3128, 5722, 8200 4.5).
 *
 *   descriptors in   [first] [last] [middle]            first, last: held; middle completes the datagram
 *   outputs          [held]  [held] [verdict] + [first: verdict] [last: verdict]
 */
import {
  C_DATAGRAMS,
  DF_CHECKSUM_OK,
  D_CAPTURED,
  D_NETWORK,
  D_WIRE,
  FRAGMENT_OPEN,
  FRAGMENT_POISONED,
  F_BYTES,
  F_FIRST_HELD,
  F_TOTAL,
  F_USED,
  HELD_FRAME_MAX,
  H_FROM,
  IF_DROP_FRAGMENTS4,
  IF_DROP_FRAGMENTS6,
  H_META,
  H_NEXT,
  H_TO,
  META_SIZE,
  M_AVAILABLE,
  M_FRAGMENT,
  M_FRAME,
  M_INGRESS,
  M_LENGTH,
  M_NETWORK,
  M_PAYLOAD,
  M_PROTOCOL,
  M_TRANSPORT,
  M_V6,
  M_WIRE,
  R_FRAGMENT_MALFORMED,
  R_FRAGMENT_OVERLAP,
  R_FRAGMENT_REFUSED,
  R_FRAGMENT_OVERSIZE,
  R_FRAGMENT_TINY,
  R_FRAGMENT_TOO_LARGE,
  R_FRAME_TRUNCATED,
  R_ICMP_CHECKSUM,
  R_TCP_CHECKSUM,
  R_UDP_CHECKSUM,
  STATE_AT,
  S_WHOLE_META,
  S_WHOLE_RECORD,
  S_WHOLE_UNCUTTABLE,
  TR_FRAGMENT,
  VERDICT_DROP,
  VERDICT_HELD,
} from "./layout";
import { be16, fold, pseudoHeader, sum } from "./bytes";
import { interfaceFlags } from "./ethernet";
import { findDatagram, forget, heldFrame, keep, poison, releaseHeld } from "./held";
import { DATAGRAM_MAX, IPV4_FRAGMENT } from "./ipv4";
import { IPV6_HEADER, walkExtensions } from "./ipv6";
import { ICMP, ICMPV6, TCP, UDP } from "./key";
import { isUncuttable, mtuLeast } from "./live";
import { verifies } from "./parse";
import { count, trace, setWord, word } from "./state";
import { CHECKSUM_IGNORE, CHECKSUM_VERIFY, UDP_CHECKSUM, UDP_HEADER, parseTransportOf } from "./transport";
import { hold, verdict } from "./verdict";

const TCP_HEADER_MIN: u32 = 20;
const PORTS_AND_MORE: u32 = 8;

function drop(descriptor: usize, meta: usize, reason: u32): usize {
  trace(TR_FRAGMENT, reason);
  verdict(descriptor, meta, VERDICT_DROP, reason, 0);
  return 0;
}

/**
 * Takes a fragment: it is held or dropped, or it completes its datagram, and then the meta record of the whole is
 * returned to be decided; `releaseDatagram` comes after that. 0: there is nothing left to decide.
 */
export function takeFragment(descriptor: usize, meta: usize): usize {
  const refused = load<u8>(meta, M_V6) ? IF_DROP_FRAGMENTS6 : IF_DROP_FRAGMENTS4;
  if (interfaceFlags(load<u8>(meta, M_INGRESS)) & refused) return drop(descriptor, meta, R_FRAGMENT_REFUSED);
  const network: usize = load<u32>(meta, M_NETWORK);
  const payload: usize = load<u32>(meta, M_TRANSPORT);
  const header: usize = load<u32>(meta, M_FRAGMENT);
  // IPv4: flags 3, offset 13 bits in units of 8. IPv6: offset 13, reserved 2, more 1: the offset stands in bytes.
  const field = header == 0 ? be16(network + IPV4_FRAGMENT) : be16(header + 2);
  const from = header == 0 ? (field & 0x1fff) << 3 : field & 0xfff8;
  const more = header == 0 ? (field & 0x2000) != 0 : (field & 1) != 0;
  const before = <u32>(payload - network);
  const length = load<u32>(meta, M_LENGTH) - before;
  const to = from + length;
  const fixed = header == 0 ? before : before - IPV6_HEADER - 8;
  if (length == 0 || (more && length % 8 != 0)) return drop(descriptor, meta, R_FRAGMENT_MALFORMED);
  if (to + fixed > DATAGRAM_MAX) return drop(descriptor, meta, R_FRAGMENT_OVERSIZE);
  const captured = load<u32>(descriptor, D_CAPTURED);
  if (captured < load<u32>(descriptor, D_WIRE)) return drop(descriptor, meta, R_FRAME_TRUNCATED);
  if (captured > <u32>HELD_FRAME_MAX) return drop(descriptor, meta, R_FRAGMENT_TOO_LARGE);
  const protocol: u32 = load<u8>(meta, M_PROTOCOL);
  if (from == 0 && length < transportMin(protocol)) return drop(descriptor, meta, R_FRAGMENT_TINY);
  if (from == 8 && protocol == TCP) return drop(descriptor, meta, R_FRAGMENT_TINY);

  const record = findDatagram(meta, network, header, protocol);
  let held: u32 = 0;
  let total = more ? 0 : to;
  if (record != 0) {
    const fit = fits(record, from, to, more);
    if (fit != FITS) {
      if (fit == OVERLAPS && load<u8>(record, F_USED) == FRAGMENT_OPEN) poison(record);
      return drop(descriptor, meta, R_FRAGMENT_OVERLAP);
    }
    held = load<u32>(record, F_BYTES);
    if (total == 0) total = load<u32>(record, F_TOTAL);
    if (held + length == total) return complete(descriptor, meta, record, from, to, total);
  }
  const reason = keep(descriptor, meta, record, from, to, total, network, header, protocol);
  if (reason != 0) return drop(descriptor, meta, reason);
  trace(TR_FRAGMENT, VERDICT_HELD);
  hold(descriptor, meta);
  return 0;
}

/** What the first fragment must hold of the transport header (RFC 1858, RFC 7112). */
function transportMin(protocol: u32): u32 {
  if (protocol == TCP) return TCP_HEADER_MIN;
  return protocol == UDP || protocol == ICMP || protocol == ICMPV6 ? PORTS_AND_MORE : 0;
}

const FITS: u32 = 0;
const REPEATS: u32 = 1;
const OVERLAPS: u32 = 2;

/** Whether [from, to) goes with what is held of the datagram. */
function fits(record: usize, from: u32, to: u32, more: bool): u32 {
  if (load<u8>(record, F_USED) == FRAGMENT_POISONED) return OVERLAPS;
  const total = load<u32>(record, F_TOTAL);
  let highest: u32 = 0;
  let overlaps = false;
  for (let index = load<u32>(record, F_FIRST_HELD); index != 0;) {
    const frame = heldFrame(index);
    const heldFrom = load<u32>(frame, H_FROM);
    const heldTo = load<u32>(frame, H_TO);
    if (heldFrom == from && heldTo == to) return REPEATS;
    if (from < heldTo && heldFrom < to) overlaps = true;
    highest = max(highest, heldTo);
    index = load<u32>(frame, H_NEXT);
  }
  if (overlaps || (total != 0 && (to > total || (!more && to != total)))) return OVERLAPS;
  return !more && highest > to ? OVERLAPS : FITS;
}

/** The fragment in hand is the last one missing: makes the meta record of the whole. */
function complete(descriptor: usize, meta: usize, record: usize, from: u32, to: u32, total: u32): usize {
  const whole = <usize>STATE_AT + S_WHOLE_META;
  let first = meta;
  let firstLength = to - from;
  for (let index = load<u32>(record, F_FIRST_HELD); from != 0 && index != 0;) {
    const frame = heldFrame(index);
    if (load<u32>(frame, H_FROM) == 0) {
      first = frame + H_META;
      firstLength = load<u32>(frame, H_TO);
    }
    index = load<u32>(frame, H_NEXT);
  }
  memory.copy(whole, first, META_SIZE);
  const before = load<u32>(whole, M_TRANSPORT) - load<u32>(whole, M_NETWORK);
  store<u32>(whole, before + total, M_LENGTH);
  store<u32>(whole, before + firstLength, M_AVAILABLE);
  store<u32>(whole, load<u32>(meta, M_WIRE), M_WIRE);
  count(C_DATAGRAMS);
  trace(TR_FRAGMENT, 0);
  setWord(S_WHOLE_RECORD, <u32>record);
  if (mtuLeast != u32.MAX_VALUE) setWord(S_WHOLE_UNCUTTABLE, longestUncuttable(record, meta));
  const reason = parseWhole(descriptor, whole, record, meta, from, to);
  if (reason == 0) return whole;
  verdict(descriptor, whole, VERDICT_DROP, reason, 0);
  releaseDatagram(descriptor, meta);
  return 0;
}

/** Of the pieces of a datagram that no router may cut: bytes of the longest; `meta` is the one that is not held. */
function longestUncuttable(record: usize, meta: usize): u32 {
  let longest = isUncuttable(meta) ? load<u32>(meta, M_LENGTH) : 0;
  for (let index = load<u32>(record, F_FIRST_HELD); index != 0;) {
    const frame = heldFrame(index);
    if (isUncuttable(frame + H_META)) longest = max(longest, load<u32>(frame + H_META, M_LENGTH));
    index = load<u32>(frame, H_NEXT);
  }
  return longest;
}

/** The datagram that `meta` completed is decided: every held frame of it leaves with the verdict in `descriptor`. */
export function releaseDatagram(descriptor: usize, meta: usize): void {
  const record: usize = word(S_WHOLE_RECORD);
  store<u16>(descriptor, load<u32>(meta, M_NETWORK) - load<u32>(meta, M_FRAME), D_NETWORK);
  releaseHeld(record, descriptor);
  forget(record);
}

/** Checksum over the bytes [start, limit) of the datagram; every piece begins at an even offset, so order is free. */
function sumPieces(record: usize, meta: usize, from: u32, to: u32, start: u32, limit: u32): u64 {
  let total = sumPiece(meta, from, to, start, limit);
  for (let index = load<u32>(record, F_FIRST_HELD); index != 0;) {
    const frame = heldFrame(index);
    total += sumPiece(frame + H_META, load<u32>(frame, H_FROM), load<u32>(frame, H_TO), start, limit);
    index = load<u32>(frame, H_NEXT);
  }
  return total;
}

function sumPiece(meta: usize, from: u32, to: u32, start: u32, limit: u32): u64 {
  const low = max(from, start);
  const high = min(to, limit);
  return low < high ? sum(<usize>load<u32>(meta, M_TRANSPORT) + (low - from), high - low) : 0;
}

/**
 * Parses the transport header of a datagram put together and verifies the checksum over all pieces. `meta`, `from` and
 * `to` are the piece that is not held. A header that reaches into a later piece counts as a tiny fragment.
 */
function parseWhole(descriptor: usize, whole: usize, record: usize, meta: usize, from: u32, to: u32): u32 {
  const payload = load<u32>(whole, M_TRANSPORT);
  if (load<u32>(whole, M_FRAGMENT) != 0) {
    const length = load<u32>(whole, M_LENGTH);
    store<u32>(whole, load<u32>(whole, M_AVAILABLE), M_LENGTH);
    const chain = walkExtensions(whole, payload, load<u8>(whole, M_PROTOCOL), true);
    if (chain != 0) return chain == R_FRAME_TRUNCATED ? <u32>R_FRAGMENT_TINY : chain;
    store<u32>(whole, length, M_LENGTH);
    store<u32>(whole, 0, M_FRAGMENT);
  }
  const verify = verifies(descriptor, DF_CHECKSUM_OK);
  const reason = parseTransportOf(whole, verify ? CHECKSUM_VERIFY : CHECKSUM_IGNORE);
  if (reason != 0) return reason == R_FRAME_TRUNCATED ? <u32>R_FRAGMENT_TINY : reason;
  if (!verify) return 0;
  const start = load<u32>(whole, M_TRANSPORT) - payload;
  const length = load<u32>(whole, M_LENGTH) - (load<u32>(whole, M_TRANSPORT) - load<u32>(whole, M_NETWORK));
  return wholeChecksum(whole, record, meta, from, to, start, length);
}

function wholeChecksum(
  whole: usize,
  record: usize,
  meta: usize,
  from: u32,
  to: u32,
  start: u32,
  length: u32,
): u32 {
  const v6 = load<u8>(whole, M_V6) != 0;
  const protocol: u32 = load<u8>(whole, M_PROTOCOL);
  const transport: usize = load<u32>(whole, M_TRANSPORT);
  let wrong: u32 = 0;
  let covered = length;
  if (protocol == TCP) {
    wrong = R_TCP_CHECKSUM;
  } else if (protocol == UDP) {
    if (load<u16>(transport, UDP_CHECKSUM) == 0) return 0;
    wrong = R_UDP_CHECKSUM;
    covered = load<u32>(whole, M_PAYLOAD) + UDP_HEADER;
  } else if (protocol == (v6 ? ICMPV6 : ICMP)) {
    wrong = R_ICMP_CHECKSUM;
  } else {
    return 0;
  }
  let total = sumPieces(record, meta, from, to, start, start + covered);
  if (protocol != ICMP) total += pseudoHeader(load<u32>(whole, M_NETWORK), v6, protocol, covered);
  return fold(total) == 0xffff ? 0 : wrong;
}
