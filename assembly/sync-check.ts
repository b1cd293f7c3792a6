/**
 * Whether a sync record can be true, field by field, before anything of it is used: the peer may be another version,
 * damaged, or not the peer. Each answer is an SX_* code, SOUND when nothing is wrong.
 */
import {
  C_EXPIRED,
  C_REOPENED,
  CF_BIRTH,
  CF_SYNC,
  INTERFACES_MAX,
  KIND_OTHER4,
  KIND_TCP4,
  KIND_TIMESTAMP4,
  KIND_UDP4,
  KIND_V6,
  P_INSPECT_COUNT,
  S_MAP_INSPECTIONS,
  S_MAP_INTERFACES,
  S_MAP_SERVICES,
  SB_FLAGS,
  SB_ICMP_KIND,
  SB_INSPECT,
  SB_SERVICE,
  SB_SIZE,
  SB_TCP_SIZE,
  SERVICES_MAX,
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
  SRF_ALL,
  ST_OPEN,
  ST_OPENING,
  ST_SYN_SENT,
  ST_SYN_SENT2,
  ST_TIME_WAIT,
  STATE_AT,
  SV_SIZE,
  SW_OFFERED,
  SW_SCALES,
  SW_SIZE,
  SW_WINDOW_INITIATOR,
  SW_WINDOW_RESPONDER,
  SX_ACTION,
  SX_ADDRESS,
  SX_FLAGS,
  SX_ID,
  SX_IDLE,
  SX_INTERFACE,
  SX_KIND,
  SX_LENGTH,
  SX_PORT,
  SX_RESERVED,
  SX_SERVICE,
  SX_STATE,
  SX_VERSION,
  SX_WINDOW,
  SYNC_ADD,
  SYNC_BEGIN,
  SYNC_DELETE,
  SYNC_END,
  SYNC_REQUEST,
  SYNC_UPDATE,
  SYNC_VERIFY,
  SYNC_WINDOW_MAX,
  TIMEOUT_MAX_MS,
  W_END,
  W_MAXEND,
  W_MAXWIN,
} from "./layout";
import { ICMP, ICMPV6, TCP, UDP } from "./key";
import { requestOf } from "./transport";
import { SCALE_MAX, WINDOW_MAX } from "./window";
import { interfaceCount, policyAt } from "./state";

export const SOUND: u32 = 255;

/** Ids and versions only grow, and must never come round. */
const NUMBER_MAX: u64 = 0x7fffffffffffffff;
/** fe80::/10, as its first two bytes are loaded. */
const LINK_LOCAL_MASK: u32 = 0xc0ff;
const LINK_LOCAL: u32 = 0x80fe;


@inline
export function isTcpKind(kind: u32): bool {
  return (kind & ~KIND_V6) == KIND_TCP4;
}

/** Bytes of the addresses of a kind. */
@inline
export function addressesSize(kind: u32): u32 {
  return kind & KIND_V6 ? 32 : 8;
}

/** Own number of an interface of the peer; 0 none. */
@inline
export function ownInterface(number: u32): u32 {
  return number < <u32>INTERFACES_MAX ? <u32>load<u8>(<usize>STATE_AT + number, S_MAP_INTERFACES) : 0;
}


@inline
export function ownInspection(number: u32): u32 {
  return <u32>load<u8>(<usize>STATE_AT + number, S_MAP_INSPECTIONS);
}

/** Own number of a service of the peer; 0 none. */
@inline
export function ownService(number: u32): u32 {
  return number < <u32>SERVICES_MAX
    ? <u32>load<u16>(<usize>STATE_AT + ((<usize>number) << 1), S_MAP_SERVICES)
    : 0;
}

/** Checks a whole record of `length` bytes, of which the header is there. */
export function checkRecord(at: usize, length: u32): u32 {
  const action: u32 = load<u8>(at, SR_ACTION);
  if (action == SYNC_BEGIN || action == SYNC_END || action == SYNC_VERIFY)
    return checkMark(at, length, action);
  if (action < <u32>SYNC_ADD || action > <u32>SYNC_REQUEST) return SX_ACTION;
  const kind: u32 = load<u8>(at, SR_KIND);
  if (!isKind(kind)) return SX_KIND;
  const ends: u32 = SR_ADDRESSES + addressesSize(kind);
  const wanted = ends + restSize(action, isTcpKind(kind));
  if (length != wanted) return SX_LENGTH;
  if (!isNumber(load<u64>(at, SR_ID))) return SX_ID;
  if (!isNumber(load<u64>(at, SR_VERSION))) return SX_VERSION;
  if (!stateFits(action, kind, load<u8>(at, SR_STATE))) return SX_STATE;
  const flags: u32 = load<u8>(at, SR_FLAGS);
  if (flags > <u32>SRF_ALL || (!isTcpKind(kind) && flags != 0)) return SX_FLAGS;
  if (!portsFit(at, kind)) return SX_PORT;
  if (!addressesFit(at + SR_ADDRESSES, kind)) return SX_ADDRESS;
  if (action == SYNC_DELETE || action == SYNC_REQUEST) return SOUND;
  if (
    !isInterface(load<u8>(at, SR_INTERFACE_INITIATOR)) ||
    !isInterface(load<u8>(at, SR_INTERFACE_RESPONDER))
  )
    return SX_INTERFACE;
  return checkLive(at + ends, kind, action);
}

function isNumber(value: u64): bool {
  return value != 0 && value <= NUMBER_MAX;
}

function checkMark(at: usize, length: u32, action: u32): u32 {
  if (length != <u32>(action == SYNC_BEGIN ? SR_HEADER_SIZE : SV_SIZE)) return SX_LENGTH;
  const unused = load<u32>(at) >> 8;
  return unused != 0 || load<u16>(at, SR_INTERFACE_INITIATOR) != 0 || load<u64>(at, SR_ID) != 0
    ? SX_RESERVED
    : SOUND;
}


@inline
function restSize(action: u32, tcp: bool): u32 {
  if (action != SYNC_ADD && action != SYNC_UPDATE) return 0;
  const live: u32 = SL_SIZE + (tcp ? SW_SIZE : 0);
  return action == SYNC_UPDATE ? live : live + (tcp ? SB_TCP_SIZE : SB_SIZE);
}

function isKind(kind: u32): bool {
  const plain = kind & ~KIND_V6;
  return (
    kind < 16 && plain >= <u32>KIND_TCP4 && plain <= <u32>KIND_OTHER4 && kind != KIND_TIMESTAMP4 + KIND_V6
  );
}

function stateFits(action: u32, kind: u32, state: u32): bool {
  if (action == SYNC_DELETE) return state >= <u32>C_EXPIRED && state <= <u32>C_REOPENED;
  if (!isTcpKind(kind)) return state == ST_OPENING || state == ST_OPEN;
  return (state >= <u32>ST_SYN_SENT && state <= <u32>ST_TIME_WAIT) || state == ST_SYN_SENT2;
}

function portsFit(at: usize, kind: u32): bool {
  const initiator: u32 = load<u16>(at, SR_PORT_INITIATOR);
  const responder: u32 = load<u16>(at, SR_PORT_RESPONDER);
  const plain = kind & ~KIND_V6;
  if (plain == KIND_TCP4 || plain == KIND_UDP4) return initiator != 0 && responder != 0;
  // A query's identifier, or the number of the protocol in network order, if it has no kind of its own.
  if (initiator != responder) return false;
  return plain != KIND_OTHER4 || ((initiator & 255) == 0 && isOther(initiator >> 8, kind != plain));
}

function isOther(protocol: u32, v6: bool): bool {
  return protocol != TCP && protocol != UDP && protocol != (v6 ? ICMPV6 : ICMP);
}

/** Addresses that the checks of a packet would let through. */
function addressesFit(at: usize, kind: u32): bool {
  if (kind & KIND_V6) {
    const same = !v128.any_true(v128.xor(v128.load(at), v128.load(at, 16)));
    return !same && isHost6(at) && isHost6(at + 16);
  }
  return load<u32>(at) != load<u32>(at, 4) && isHost4(load<u32>(at)) && isHost4(load<u32>(at, 4));
}

function isHost4(address: u32): bool {
  const octet = address & 255;
  return octet != 0 && octet != 127 && octet < 224 && (address & 0xffff) != 0xfea9;
}

function isHost6(at: usize): bool {
  if (load<u8>(at) == 0xff || ((<u32>load<u16>(at)) & LINK_LOCAL_MASK) == LINK_LOCAL) return false;
  return load<u64>(at) != 0 || (load<u32>(at, 8) != 0 && load<u32>(at, 8) != 0xffff0000);
}

function isInterface(number: u32): bool {
  const own = ownInterface(number);
  return own != 0 && own < interfaceCount;
}

function checkLive(at: usize, kind: u32, action: u32): u32 {
  if (load<u32>(at, SL_IDLE_MS) > <u32>TIMEOUT_MAX_MS) return SX_IDLE;
  let next = at + SL_SIZE;
  if (isTcpKind(kind)) {
    const wrong = checkWindows(next);
    if (wrong != SOUND) return wrong;
    next += SW_SIZE;
  }
  return action == SYNC_ADD ? checkBirth(next, kind) : SOUND;
}

function checkWindows(at: usize): u32 {
  const scales: u32 = load<u8>(at, SW_SCALES);
  if ((scales & 15) > SCALE_MAX || scales >> 4 > SCALE_MAX || load<u8>(at, SW_OFFERED) > 3) return SX_WINDOW;
  if (load<u16>(at, SW_OFFERED + 1) != 0) return SX_RESERVED;
  return isWindow(at + SW_WINDOW_INITIATOR) && isWindow(at + SW_WINDOW_RESPONDER) ? SOUND : SX_WINDOW;
}

function isWindow(at: usize): bool {
  const ahead = <i32>(load<u32>(at, W_MAXEND) - load<u32>(at, W_END));
  return load<u32>(at, W_MAXWIN) <= WINDOW_MAX && ahead <= SYNC_WINDOW_MAX && ahead >= -SYNC_WINDOW_MAX;
}

function checkBirth(at: usize, kind: u32): u32 {
  const flags = load<u32>(at, SB_FLAGS);
  if ((flags & ~CF_BIRTH) != 0 || (flags & CF_SYNC) == 0) return SX_FLAGS;
  const inspection = ownInspection(load<u8>(at, SB_INSPECT));
  if (inspection == 0 || inspection >= load<u32>(policyAt, P_INSPECT_COUNT)) return SX_SERVICE;
  if (ownService(load<u16>(at, SB_SERVICE)) == 0) return SX_SERVICE;
  return load<u8>(at, SB_ICMP_KIND) == requestOf(kind) ? SOUND : SX_STATE;
}
