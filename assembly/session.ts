/**
 * What happens to a packet whose session is known, and how a session begins (docs/decisions.md, 5 and 6.7).
 */
import {
  C_CREATED_ICMP,
  C_CREATED_OTHER,
  C_CREATED_TCP,
  C_CREATED_UDP,
  C_DEFERRED,
  C_EVICTED,
  C_EXPIRED,
  C_REOPENED,
  CF_AUDIT,
  CF_SYNC,
  CLASS_TCP,
  COLD_ADDRESS0,
  COLD_CREATED_MS,
  COLD_FLAGS,
  COLD_ICMP_KIND,
  COLD_ID,
  COLD_IDLE_TIMER,
  COLD_INSPECT,
  COLD_RULE,
  COLD_SERVICE,
  D_FLAGS,
  DF_DEFERRED,
  E_FLAGS,
  E_SERVICE,
  E_TIMER,
  EVENT_SESSION_START,
  EVENT_TABLE_FULL,
  HF_ACKED,
  HF_INITIATOR1,
  HF_SLOW,
  HOT_BYTES0,
  HOT_FLAGS,
  HOT_INTERFACE0,
  HOT_LAST_MS,
  HOT_SCALES,
  HOT_STATE,
  HOT_TIMER,
  M_CLASS,
  M_FLAGS,
  M_HASH,
  M_ICMP_TYPE,
  M_INGRESS,
  M_KEY0,
  M_KEY1,
  M_NETWORK,
  M_PAYLOAD,
  M_PROTOCOL,
  M_REOPENS,
  M_SIDE,
  M_TTL,
  M_V6,
  R_ESTABLISHED,
  R_ICMP_NO_SESSION,
  R_NEW_SESSION,
  R_TABLE_FULL,
  R_TOO_BIG,
  R_TTL_EXPIRED,
  R_WRONG_INTERFACE,
  S_LAST_SESSION_ID,
  S_NOW_MS,
  ST_ESTABLISHED,
  ST_OPEN,
  ST_OPENING,
  STATE_AT,
  TR_CREATE,
  TR_EVICT,
  TR_MTU,
  TR_TTL,
  VERDICT_DROP,
  VERDICT_PASS,
} from "./layout";
import {
  addBytes,
  claim,
  find,
  holds,
  isExpired,
  isFull,
  isHalfOpen,
  linkHalfOpen,
  oldestHalfOpen,
  release,
  unlinkHalfOpen,
} from "./flow";
import { packetEvent, sessionEvent } from "./event";
import { IPV6_SOURCE } from "./ipv6";
import { ICMP, ICMPV6, TCP, UDP } from "./key";
import { isTooBig, tells } from "./live";
import { NO_SLOT, cold, count, hot, now, policyDefers, trace } from "./state";
import { isUnacknowledged } from "./sync";
import { inspect, open } from "./tcp";
import { noteState } from "./transition";
import { inspectEstablished, TCP_LAST, TCP_PASS, TCP_REOPEN } from "./window";
import { FIN, isRequest, RST, SYN } from "./transport";
import { noteSession, verdict } from "./verdict";

/** The live session of the packet, tried at `hint` first; an expired one is released. NO_SLOT: none. */
@inline
export function lookup(meta: usize, hint: u32): u32 {
  const slot = holds(hint, meta) ? hint : find(meta);
  if (slot == NO_SLOT || !isExpired(hot(slot))) return slot;
  release(slot, C_EXPIRED);
  return NO_SLOT;
}

/** HOT_SCALES and HOT_FLAGS in the word at HOT_STATE. */
const SCALES_SHIFT: u32 = (HOT_SCALES - HOT_STATE) * 8;
const FLAGS_SHIFT: u32 = (HOT_FLAGS - HOT_STATE) * 8;
/** A session of which a segment without SYN, FIN and RST needs no state table. */
const PLAIN_MASK: u32 = 0xff | ((HF_SLOW | HF_ACKED) << FLAGS_SHIFT);
const PLAIN: u32 = ST_ESTABLISHED | (HF_ACKED << FLAGS_SHIFT);

/**
 * Decides a packet of the session in `slot`. False: it is a SYN over a closed session, and policy has to decide.
 */
@inline
export function decideHit(slot: u32, descriptor: usize, meta: usize): bool {
  const record = hot(slot);
  const side: u32 = load<u8>(meta, M_SIDE);
  const word = load<u32>(record, HOT_STATE); // state, timer, scales, flags
  noteSession(descriptor, slot, side ^ ((word >> FLAGS_SHIFT) & HF_INITIATOR1));
  if (load<u8>(record + <usize>side, HOT_INTERFACE0) != load<u8>(meta, M_INGRESS)) {
    verdict(descriptor, meta, VERDICT_DROP, R_WRONG_INTERFACE, 0);
    return true;
  }
  if (load<u8>(meta, M_TTL) <= 1) {
    trace(TR_TTL, R_TTL_EXPIRED);
    verdict(descriptor, meta, VERDICT_DROP, R_TTL_EXPIRED, 0);
    return true;
  }
  const egress: u32 = load<u8>(record + <usize>(side ^ 1), HOT_INTERFACE0);
  if (isTooBig(descriptor, meta, egress)) {
    trace(TR_MTU, R_TOO_BIG);
    verdict(descriptor, meta, VERDICT_DROP, R_TOO_BIG, egress);
    return true;
  }
  let reason: u32;
  if (load<u8>(meta, M_CLASS) == CLASS_TCP) {
    reason =
      (load<u8>(meta, M_FLAGS) & (SYN | FIN | RST)) == 0 && (word & PLAIN_MASK) == PLAIN
        ? inspectEstablished(record, meta, side, word >> SCALES_SHIFT)
        : inspect(slot, record, meta);
    if (reason == TCP_REOPEN) {
      noteSession(descriptor, NO_SLOT, 0);
      store<u32>(meta, slot + 1, M_REOPENS);
      return false;
    }
  } else {
    reason = answer(slot, record, meta, side);
  }
  if (reason == TCP_PASS) {
    store<u32>(record, now, HOT_LAST_MS);
    addBytes(record, slot, side, load<u32>(meta, M_PAYLOAD));
    if (isHalfOpen(word & 0xff) && (side ^ ((word >> FLAGS_SHIFT) & HF_INITIATOR1)) != 0)
      defer(slot, descriptor);
  } else if (reason != TCP_LAST) {
    verdict(descriptor, meta, VERDICT_DROP, reason, 0);
    return true;
  }
  verdict(descriptor, meta, VERDICT_PASS, R_ESTABLISHED, egress);
  return true;
}

/** The first reply of a session: it may have to wait until the peer knows the session. */
function defer(slot: u32, descriptor: usize): void {
  if (!policyDefers() || !isUnacknowledged(cold(slot))) return;
  store<u8>(descriptor, load<u8>(descriptor, D_FLAGS) | DF_DEFERRED, D_FLAGS);
  count(C_DEFERRED);
}

/** UDP, ICMP queries and other protocols: the responder's first packet opens the session. */
@inline
function answer(slot: u32, record: usize, meta: usize, side: u32): u32 {
  const responder = side ^ (load<u8>(record, HOT_FLAGS) & HF_INITIATOR1);
  const protocol: u32 = load<u8>(meta, M_PROTOCOL);
  if (protocol == ICMP || protocol == ICMPV6) {
    if (isQuery(meta) && isRequest(load<u8>(meta, M_ICMP_TYPE)) == (responder != 0)) return R_ICMP_NO_SESSION;
  }
  if (responder && load<u8>(record, HOT_STATE) == ST_OPENING) {
    store<u8>(record, ST_OPEN, HOT_STATE);
    unlinkHalfOpen(slot);
    noteState(slot, ST_OPEN);
  }
  return TCP_PASS;
}

/** ICMP of the family's own kind; ICMP inside IPv6 and the reverse are other protocols. */
@inline
function isQuery(meta: usize): bool {
  return load<u8>(meta, M_PROTOCOL) == (load<u8>(meta, M_V6) ? ICMPV6 : ICMP);
}

/**
 * Creates the session of a packet that the lists permit and the inspection `entry` of rule `inspection` lists; the
 * verdict is written. The half-open session that waits longest makes room when the table is full.
 */
export function create(
  descriptor: usize,
  meta: usize,
  egress: u32,
  rule: u32,
  inspection: u32,
  entry: usize,
  stateful: bool,
): void {
  const replaced = load<u32>(meta, M_REOPENS);
  if (replaced != 0) release(replaced - 1, C_REOPENED);
  if (isFull()) {
    const oldest = oldestHalfOpen();
    packetEvent(EVENT_TABLE_FULL, R_TABLE_FULL, rule, descriptor, meta, load<u8>(meta, M_CLASS) == CLASS_TCP);
    if (oldest == NO_SLOT) {
      trace(TR_CREATE, 0);
      verdict(descriptor, meta, VERDICT_DROP, R_TABLE_FULL, 0);
      return;
    }
    trace(TR_EVICT, oldest + 1);
    release(oldest, C_EVICTED);
  }
  const slot = claim(load<u64>(meta, M_KEY0), load<u64>(meta, M_KEY1), load<u32>(meta, M_HASH));
  const record = hot(slot);
  const rest = cold(slot);
  const side: u32 = load<u8>(meta, M_SIDE);
  store<u8>(record, side ? HF_INITIATOR1 : 0, HOT_FLAGS);
  store<u8>(record + <usize>side, load<u8>(meta, M_INGRESS), HOT_INTERFACE0);
  store<u8>(record + <usize>(side ^ 1), egress, HOT_INTERFACE0);
  store<u32>(record, now, HOT_LAST_MS);
  store<u32>(record + ((<usize>side) << 2), load<u32>(meta, M_PAYLOAD), HOT_BYTES0);
  if (load<u8>(meta, M_V6)) {
    const network: usize = load<u32>(meta, M_NETWORK);
    v128.store(rest + ((<usize>side) << 4), v128.load(network, IPV6_SOURCE), COLD_ADDRESS0);
    v128.store(rest + ((<usize>(side ^ 1)) << 4), v128.load(network, IPV6_SOURCE + 16), COLD_ADDRESS0);
  }
  const id = load<u64>(STATE_AT, S_LAST_SESSION_ID) + 1;
  store<u64>(STATE_AT, id, S_LAST_SESSION_ID);
  store<u64>(rest, id, COLD_ID);
  store<u64>(rest, load<u64>(STATE_AT, S_NOW_MS), COLD_CREATED_MS);
  store<u32>(rest, rule, COLD_RULE);
  store<u16>(rest, load<u16>(entry, E_SERVICE), COLD_SERVICE);
  store<u8>(rest, inspection, COLD_INSPECT);
  store<u8>(rest, (load<u8>(entry, E_FLAGS) & CF_AUDIT) | (stateful ? CF_SYNC : 0), COLD_FLAGS);
  store<u8>(rest, load<u8>(entry, E_TIMER), COLD_IDLE_TIMER);
  store<u8>(rest, load<u8>(meta, M_ICMP_TYPE), COLD_ICMP_KIND);
  const protocol: u32 = load<u8>(meta, M_PROTOCOL);
  if (protocol == TCP) {
    open(slot, record, meta);
  } else {
    store<u8>(record, ST_OPENING, HOT_STATE);
    store<u8>(record, load<u8>(entry, E_TIMER), HOT_TIMER);
  }
  linkHalfOpen(slot);
  noteState(slot, ST_OPENING);
  count(
    protocol == TCP
      ? C_CREATED_TCP
      : protocol == UDP
        ? C_CREATED_UDP
        : isQuery(meta)
          ? C_CREATED_ICMP
          : C_CREATED_OTHER,
  );
  if ((load<u8>(rest, COLD_FLAGS) | tells) & CF_AUDIT) sessionEvent(EVENT_SESSION_START, slot, 0);
  trace(TR_CREATE, slot + 1);
  noteSession(descriptor, slot, 0);
  verdict(descriptor, meta, VERDICT_PASS, R_NEW_SESSION, egress);
}
