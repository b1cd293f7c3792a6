/**
 * Takes the records of the peer. A record is refused whole, counted by its reason, or applied whole; it touches no
 * session but the one that it names. Versions decide what is newer, never sequence numbers: after 17 seconds at 1 Gb/s
 * those compare as anything.
 */
import {
  BULK_DONE,
  BULK_WALK,
  BULK_WRONG,
  C_FLUSHED,
  C_GONE,
  C_REQUESTS_LOST,
  C_TAKEN_ADD,
  C_TAKEN_DELETE,
  C_TAKEN_UPDATE,
  CF_BIRTH,
  CF_FIN0,
  COLD_ADDRESS0,
  COLD_BYTES_HIGH0,
  COLD_CREATED_MS,
  COLD_FLAGS,
  COLD_ICMP_KIND,
  COLD_ID,
  COLD_IDLE_TIMER,
  COLD_INSPECT,
  COLD_OFFERED,
  COLD_RESYNC,
  COLD_RULE,
  COLD_SERVICE,
  COLD_VERSION,
  HF_ACKED0,
  HF_INITIATOR1,
  HF_RESYNC,
  HF_SACK0,
  HOT_BYTES0,
  HOT_FLAGS,
  HOT_INTERFACE0,
  HOT_KIND,
  HOT_LAST_MS,
  HOT_SCALES,
  HOT_STATE,
  HOT_TIMER,
  KIND_V6,
  M_HASH,
  M_KEY0,
  M_KEY1,
  M_NETWORK,
  M_SIDE,
  M_V6,
  P_ACLS,
  ROLE_STANDBY,
  RS_FIN0,
  RS_STALE0,
  ST_CLOSE_WAIT,
  ST_ESTABLISHED,
  S_BULK_TAKEN,
  S_DIFFERENCE,
  S_DIGESTS,
  S_KNOWN,
  S_ENDS_TAKEN,
  S_LAST_SESSION_ID,
  S_NOW_MS,
  S_RECORDS_TAKEN,
  S_RECORD_META,
  S_REPLIES,
  S_ROLE,
  S_SYNC_IN_AT,
  S_SYNC_REFUSALS,
  S_SYNC_REPLY_AT,
  S_VERIFIED,
  SB_AGE_MS,
  SB_FIRST_INITIATOR,
  SB_FIRST_RESPONDER,
  SB_FLAGS,
  SB_ICMP_KIND,
  SB_IDLE_TIMEOUT_MS,
  SB_INSPECT,
  SB_RULE,
  SB_SERVICE,
  SL_BYTES_INITIATOR,
  SL_BYTES_RESPONDER,
  SL_IDLE_MS,
  SL_SIZE,
  SR_ACTION,
  SR_ADDRESSES,
  SR_FLAGS,
  SR_HEADER_SIZE,
  SR_ID,
  SR_INTERFACE_INITIATOR,
  SR_INTERFACE_RESPONDER,
  SR_KIND,
  SR_LENGTH,
  SR_PORT_INITIATOR,
  SR_PORT_RESPONDER,
  SR_STATE,
  SR_VERSION,
  SRF_ACKED_INITIATOR,
  SRF_ACKED_RESPONDER,
  SRF_FIN_INITIATOR,
  SRF_FIN_RESPONDER,
  SRF_RST_DOUBT,
  SRF_SACK_INITIATOR,
  SRF_SACK_RESPONDER,
  STATE_AT,
  SV_DIGESTS,
  SW_OFFERED,
  SW_SCALES,
  SW_SIZE,
  SW_WINDOW_INITIATOR,
  SW_WINDOW_RESPONDER,
  SX_FULL,
  SX_LENGTH,
  SX_ROLE,
  SX_STALE,
  SX_TIMER,
  SX_UNKNOWN,
  SYNC_ADD,
  SYNC_BEGIN,
  SYNC_BUCKETS,
  SYNC_DELETE,
  SYNC_END,
  SYNC_IN_SIZE,
  SYNC_REPLY_SIZE,
  SYNC_REQUEST,
  SYNC_UPDATE,
  TIMER_FIRST_IDLE,
  TIMERS_MAX,
} from "./layout";
import { ruleCount } from "./acl";
import { claim, find, isFull, isHalfOpen, linkHalfOpen, release, unlinkHalfOpen, usedInGroup } from "./flow";
import {
  addressesSize,
  checkRecord,
  isTcpKind,
  ownInspection,
  ownInterface,
  ownService,
  SOUND,
} from "./sync-check";
import { IPV4_SOURCE } from "./ipv4";
import { IPV6_SOURCE } from "./ipv6";
import { forget } from "./sync-write";
import { isKnown, noteRequest, setKnown } from "./sync";
import { NO_SLOT, cold, count, groups, hot, now, policyAt, timeoutsAt, word } from "./state";
import { doubtReset, timerOf } from "./transition";
import { setKey } from "./transport";
import { first, windowOf } from "./window";

const ALL_BUCKETS: u64 = 0xffffffffffffffff;
/** No timer has this timeout. */
const NO_TIMER: u32 = 0;

/** Takes the records in the first `size` bytes of the region `sync in`. Returns how many were applied. */
export function takeRecords(size: u32): u32 {
  const start: usize = load<u32>(STATE_AT, S_SYNC_IN_AT);
  const end = start + min<u32>(size, SYNC_IN_SIZE);
  store<u32>(STATE_AT, 0, S_REPLIES);
  let applied: u32 = 0;
  for (let at = start; at < end;) {
    const length: u32 = at + SR_HEADER_SIZE <= end ? <u32>load<u16>(at, SR_LENGTH) : 0;
    // Behind a length that lies nothing can be found.
    if (length < <u32>SR_HEADER_SIZE || (length & 3) != 0 || at + length > end) {
      refuse(SX_LENGTH);
      break;
    }
    store<u64>(STATE_AT, load<u64>(STATE_AT, S_RECORDS_TAKEN) + 1, S_RECORDS_TAKEN);
    const wrong = policyAt == 0 ? <u32>SX_ROLE : takeRecord(at, length);
    if (wrong == SOUND) applied++;
    else refuse(wrong);
    at += length;
  }
  return applied;
}

function refuse(reason: u32): void {
  const at = <usize>STATE_AT + S_SYNC_REFUSALS + ((<usize>reason) << 3);
  store<u64>(at, load<u64>(at) + 1);
}

function takeRecord(at: usize, length: u32): u32 {
  const wrong = checkRecord(at, length);
  if (wrong != SOUND) return wrong;
  const action: u32 = load<u8>(at, SR_ACTION);
  const standby = load<u32>(STATE_AT, S_ROLE) == ROLE_STANDBY;
  if (standby == (action == SYNC_REQUEST)) return SX_ROLE;
  if (action == SYNC_BEGIN) return takeBegin(load<u64>(at, SR_VERSION));
  if (action >= <u32>SYNC_END) return takeDigests(at, action);
  const meta = <usize>STATE_AT + S_RECORD_META;
  fillMeta(at, meta);
  const slot = find(meta);
  const same = slot != NO_SLOT && isSame(at, meta, slot);
  if (action == SYNC_REQUEST) return same ? takeRequest(slot) : SX_UNKNOWN;
  if (same && load<u64>(at, SR_VERSION) <= load<u64>(cold(slot), COLD_VERSION)) return SX_STALE;
  if (action == SYNC_ADD) return takeAdd(at, meta, slot, same);
  if (!same) {
    if (action == SYNC_UPDATE) requestSession(at);
    return SX_UNKNOWN;
  }
  if (action == SYNC_DELETE) {
    release(slot, C_GONE);
    count(C_TAKEN_DELETE);
    return SOUND;
  }
  takeLive(at, slot);
  count(C_TAKEN_UPDATE);
  return SOUND;
}

function takeRequest(slot: u32): u32 {
  noteRequest(slot);
  return SOUND;
}

/** Whether the session is the one that the record names: its id, and who began it. */
function isSame(at: usize, meta: usize, slot: u32): bool {
  const side: u32 = load<u8>(hot(slot), HOT_FLAGS) & HF_INITIATOR1;
  return load<u64>(cold(slot), COLD_ID) == load<u64>(at, SR_ID) && side == load<u8>(meta, M_SIDE);
}

/** The key of the session, as a packet from its initiator would have it. */
function fillMeta(at: usize, meta: usize): void {
  const kind: u32 = load<u8>(at, SR_KIND);
  const v6 = (kind & KIND_V6) != 0;
  // Where an IP header would have to begin to have its addresses here.
  const network = at + SR_ADDRESSES - (v6 ? IPV6_SOURCE : IPV4_SOURCE);
  store<u32>(meta, <u32>network, M_NETWORK);
  store<u8>(meta, <u32>v6, M_V6);
  setKey(meta, network, v6, kind, load<u16>(at, SR_PORT_INITIATOR), load<u16>(at, SR_PORT_RESPONDER));
}

/** Asks for a session that an UPDATE was about. */
function requestSession(at: usize): void {
  const size: u32 = SR_ADDRESSES + addressesSize(load<u8>(at, SR_KIND));
  const used = load<u32>(STATE_AT, S_REPLIES);
  if (used + size > <u32>SYNC_REPLY_SIZE) return count(C_REQUESTS_LOST);
  const reply = <usize>load<u32>(STATE_AT, S_SYNC_REPLY_AT) + <usize>used;
  memory.copy(reply, at, size);
  store<u8>(reply, SYNC_REQUEST, SR_ACTION);
  store<u16>(reply, size, SR_LENGTH);
  store<u32>(STATE_AT, used + size, S_REPLIES);
}

function takeBegin(buckets: u64): u32 {
  forget(buckets);
  store<u32>(STATE_AT, BULK_WALK, S_BULK_TAKEN);
  return SOUND;
}

/** VERIFY: notes the buckets that differ. END: what the bulk sync did not bring goes, and then the same. */
function takeDigests(at: usize, action: u32): u32 {
  if (action == SYNC_END) {
    for (let group: u32 = 0; group < groups; group++) {
      for (let used = usedInGroup(group); used != 0; used &= used - 1) {
        const slot = (group << 4) + ctz<u32>(used);
        if (!isKnown(cold(slot))) release(slot, C_FLUSHED);
      }
    }
  }
  let difference: u64 = 0;
  for (let bucket: usize = 0; bucket < <usize>SYNC_BUCKETS; bucket++) {
    const ours = load<u64>(<usize>STATE_AT + (bucket << 3), S_DIGESTS);
    if (ours != load<u64>(at + (bucket << 3), SV_DIGESTS)) difference |= (<u64>1) << (<u64>bucket);
  }
  if (difference == 0 && load<u64>(at, SR_VERSION) != word(S_KNOWN)) difference = ALL_BUCKETS;
  store<u64>(STATE_AT, difference, S_DIFFERENCE);
  if (action == SYNC_END) {
    store<u32>(STATE_AT, difference == 0 ? BULK_DONE : BULK_WRONG, S_BULK_TAKEN);
    store<u32>(STATE_AT, load<u32>(STATE_AT, S_ENDS_TAKEN) + 1, S_ENDS_TAKEN);
    return SOUND;
  }
  store<u32>(STATE_AT, load<u32>(STATE_AT, S_VERIFIED) + 1, S_VERIFIED);
  return SOUND;
}

/** Timer with this timeout, NO_TIMER when this policy has none. */
function timerWith(timeoutMs: u32): u32 {
  // Timers that have not been given out stand at 0.
  if (timeoutMs == 0) return NO_TIMER;
  for (let timer: usize = TIMER_FIRST_IDLE; timer < <usize>TIMERS_MAX; timer++) {
    if (load<u32>(timeoutsAt + (timer << 2)) == timeoutMs) return <u32>timer;
  }
  return NO_TIMER;
}

/**
 * ADD: a new session, or one that is here in an older version. It replaces an older one of the same ends, and any that
 * the peer has not told of.
 */
function takeAdd(at: usize, meta: usize, found: u32, same: bool): u32 {
  const kind: u32 = load<u8>(at, SR_KIND);
  const tcp = isTcpKind(kind);
  const birth = at + SR_ADDRESSES + addressesSize(kind) + SL_SIZE + (tcp ? <usize>SW_SIZE : 0);
  const timer = timerWith(load<u32>(birth, SB_IDLE_TIMEOUT_MS));
  if (timer == NO_TIMER) return SX_TIMER;
  const id = load<u64>(at, SR_ID);
  let slot = found;
  if (!same) {
    if (found != NO_SLOT && isKnown(cold(found)) && load<u64>(cold(found), COLD_ID) >= id) return SX_STALE;
    if (found == NO_SLOT && isFull()) return SX_FULL;
    if (found != NO_SLOT) release(found, C_GONE);
    slot = claim(load<u64>(meta, M_KEY0), load<u64>(meta, M_KEY1), load<u32>(meta, M_HASH));
    store<u64>(cold(slot), id, COLD_ID);
    if (id > load<u64>(STATE_AT, S_LAST_SESSION_ID)) store<u64>(STATE_AT, id, S_LAST_SESSION_ID);
  }
  const record = hot(slot);
  const rest = cold(slot);
  const side: u32 = load<u8>(meta, M_SIDE);
  if (kind & KIND_V6) {
    v128.store(rest + ((<usize>side) << 4), v128.load(at, SR_ADDRESSES), COLD_ADDRESS0);
    v128.store(rest + ((<usize>(side ^ 1)) << 4), v128.load(at, SR_ADDRESSES + 16), COLD_ADDRESS0);
  }
  store<u8>(record, side ? HF_INITIATOR1 : 0, HOT_FLAGS);
  takeBirth(birth, rest, side, timer, tcp);
  takeLive(at, slot);
  count(C_TAKEN_ADD);
  return SOUND;
}

function takeBirth(at: usize, rest: usize, side: u32, timer: u32, tcp: bool): void {
  const nowMs = load<u64>(STATE_AT, S_NOW_MS);
  store<u64>(rest, nowMs - min<u64>(nowMs, load<u32>(at, SB_AGE_MS)), COLD_CREATED_MS);
  const rule = load<u32>(at, SB_RULE);
  const rules = ruleCount(policyAt + load<u32>(policyAt, P_ACLS));
  store<u32>(rest, rule > rules ? 0 : rule, COLD_RULE);
  store<u16>(rest, ownService(load<u16>(at, SB_SERVICE)), COLD_SERVICE);
  store<u8>(rest, ownInspection(load<u8>(at, SB_INSPECT)), COLD_INSPECT);
  store<u8>(rest, load<u8>(at, SB_FLAGS), COLD_FLAGS);
  store<u8>(rest, timer, COLD_IDLE_TIMER);
  store<u8>(rest, load<u8>(at, SB_ICMP_KIND), COLD_ICMP_KIND);
  if (!tcp) return;
  store<u32>(first(rest, side), load<u32>(at, SB_FIRST_INITIATOR));
  store<u32>(first(rest, side ^ 1), load<u32>(at, SB_FIRST_RESPONDER));
}

/** State, counters and windows: of an UPDATE, and of an ADD whose birth has been taken. */
function takeLive(at: usize, slot: u32): void {
  const record = hot(slot);
  const rest = cold(slot);
  const kind: u32 = load<u8>(at, SR_KIND);
  const side: u32 = load<u8>(record, HOT_FLAGS) & HF_INITIATOR1;
  const before: u32 = load<u8>(record, HOT_STATE);
  const state: u32 = load<u8>(at, SR_STATE);
  const live = at + SR_ADDRESSES + addressesSize(kind);
  store<u8>(record + <usize>side, ownInterface(load<u8>(at, SR_INTERFACE_INITIATOR)), HOT_INTERFACE0);
  store<u8>(record + <usize>(side ^ 1), ownInterface(load<u8>(at, SR_INTERFACE_RESPONDER)), HOT_INTERFACE0);
  store<u8>(record, state, HOT_STATE);
  store<u32>(record, now - load<u32>(live, SL_IDLE_MS), HOT_LAST_MS);
  takeBytes(record, rest, side, load<u64>(live, SL_BYTES_INITIATOR));
  takeBytes(record, rest, side ^ 1, load<u64>(live, SL_BYTES_RESPONDER));
  if (isTcpKind(kind)) {
    takeWindows(live + SL_SIZE, record, rest, side, load<u8>(at, SR_FLAGS), isMoving(state));
    store<u8>(record, timerOf(slot, state), HOT_TIMER);
    if (load<u8>(at, SR_FLAGS) & SRF_RST_DOUBT) doubtReset(record);
  } else {
    store<u8>(record, load<u8>(rest, COLD_IDLE_TIMER), HOT_TIMER);
  }
  if (isHalfOpen(before) && before != 0 && !isHalfOpen(state)) unlinkHalfOpen(slot);
  else if ((!isHalfOpen(before) || before == 0) && isHalfOpen(state)) linkHalfOpen(slot);
  setKnown(rest, load<u64>(at, SR_VERSION));
}

/** Before and after these states nothing can have moved that the peer did not tell at once. */
@inline
function isMoving(state: u32): bool {
  return state >= <u32>ST_ESTABLISHED && state <= <u32>ST_CLOSE_WAIT;
}

/** Another box may have forwarded for these sessions: their windows are taken for old, as those of a peer are. */
export function distrust(): void {
  for (let group: u32 = 0; group < groups; group++) {
    for (let used = usedInGroup(group); used != 0; used &= used - 1) {
      const slot = (group << 4) + ctz<u32>(used);
      const record = hot(slot);
      if (!isTcpKind(load<u8>(record, HOT_KIND)) || !isMoving(load<u8>(record, HOT_STATE))) continue;
      const rest = cold(slot);
      const flags: u32 = load<u8>(record, HOT_FLAGS);
      const fins: u32 = flags & HF_RESYNC ? load<u8>(rest, COLD_RESYNC) & (3 * RS_FIN0) : 0;
      store<u8>(record, flags | HF_RESYNC, HOT_FLAGS);
      store<u8>(rest, fins | RS_STALE0 | (RS_STALE0 << 1), COLD_RESYNC);
    }
  }
}

function takeBytes(record: usize, rest: usize, side: u32, bytes: u64): void {
  const at: usize = side << 2;
  store<u32>(record + at, <u32>bytes, HOT_BYTES0);
  store<u32>(rest + at, <u32>(bytes >> 32), COLD_BYTES_HIGH0);
}

/** The windows. Those that move on are old when they come: both directions start from their next segment (resync.ts). */
function takeWindows(at: usize, record: usize, rest: usize, side: u32, flags: u32, moving: bool): void {
  const scales: u32 = load<u8>(at, SW_SCALES);
  const offered: u32 = load<u8>(at, SW_OFFERED);
  store<u8>(record, side ? (scales >> 4) | (scales << 4) : scales, HOT_SCALES);
  store<u8>(rest, side ? (offered >> 1) | ((offered & 1) << 1) : offered, COLD_OFFERED);
  v128.store(windowOf(record, side), v128.load(at, SW_WINDOW_INITIATOR));
  v128.store(windowOf(record, side ^ 1), v128.load(at, SW_WINDOW_RESPONDER));
  const own =
    (side ? HF_INITIATOR1 : 0) |
    (flags & SRF_SACK_INITIATOR ? HF_SACK0 << side : 0) |
    (flags & SRF_SACK_RESPONDER ? HF_SACK0 << (side ^ 1) : 0) |
    (flags & SRF_ACKED_INITIATOR ? HF_ACKED0 << side : 0) |
    (flags & SRF_ACKED_RESPONDER ? HF_ACKED0 << (side ^ 1) : 0);
  store<u8>(record, own | (moving ? HF_RESYNC : 0), HOT_FLAGS);
  const fins =
    (flags & SRF_FIN_INITIATOR ? CF_FIN0 << side : 0) |
    (flags & SRF_FIN_RESPONDER ? CF_FIN0 << (side ^ 1) : 0);
  store<u8>(rest, (load<u8>(rest, COLD_FLAGS) & CF_BIRTH) | fins, COLD_FLAGS);
  store<u8>(rest, moving ? RS_STALE0 | (RS_STALE0 << 1) : 0, COLD_RESYNC);
}
