/**
 * What is known of the two sequence spaces of a TCP session, and the rules of van Rooij ("Real Stateful TCP Packet
 * Filtering in IP Filter") that every segment must keep:
 *
 *   S sends to R        end = seq + payload + SYN + FIN        sack = highest SACK edge, or ack
 *   I    seq  <= S.maxend                       no data beyond the window that R offered
 *   II   end  >= S.end - R.maxwin               nothing older than what R may still ask for
 *   III  sack <= R.end                          no acknowledgement of what R never sent
 *   IV   sack >= R.end - max(S.maxwin, 66000)   no acknowledgement from long ago
 *
 * All comparisons are modulo 2^32. A refused segment changes nothing.
 */
import {
  COLD_FIRST0,
  COLD_OFFERED,
  HF_ACKED0,
  HF_SACK0,
  HOT_FLAGS,
  HOT_SCALES,
  HOT_WINDOW0,
  M_ACK,
  M_END,
  M_SEQ,
  M_SIDE,
  M_TCP_OPTIONS,
  M_TRANSPORT,
  M_WIN,
  R_TCP_ACK_HIGH,
  R_TCP_ACK_OLD,
  R_TCP_SEQ_HIGH,
  R_TCP_SEQ_OLD,
  WINDOW_SIZE,
  W_END,
  W_MAXACK,
  W_MAXEND,
  W_MAXWIN,
} from "./layout";
import { be32 } from "./bytes";
import { TCP_HEADER, TCP_OFFSET } from "./transport";

/** Answers of `inspect` that are no reason. */
export const TCP_PASS: u32 = 0;
export const BEYOND: u32 = 0xfd;
/** The session is over and gone; the segment itself passes. */
export const TCP_LAST: u32 = 0xfe;
/** A new connection over a closed one: policy decides about this SYN, and the old session makes room if it passes. */
export const TCP_REOPEN: u32 = 0xff;

/** Least distance of rule IV: what a sender may have in flight whatever it advertised. */
const ACK_WINDOW_MIN: u32 = 66000;
export const SCALE_MAX: u32 = 14;
/** Largest window that can be advertised (RFC 7323 2.3). */
export const WINDOW_MAX: u32 = 65535 << SCALE_MAX;

// TCP options (RFC 9293 3.1, 7323, 2018).
const OPTION_END: u32 = 0;
const OPTION_NOP: u32 = 1;
const OPTION_SCALE: u32 = 3;
const OPTION_SACK_PERMITTED: u32 = 4;
const OPTION_SACK: u32 = 5;

/** What the options of a SYN say, in a byte: scale 0..14, then two bits. */
const OPTION_SCALE_MASK: u32 = 15;
const OFFERS_SCALE: u32 = 16;
const PERMITS_SACK: u32 = 32;


@inline
export function before(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}


@inline
export function after(a: u32, b: u32): bool {
  return <i32>(a - b) > 0;
}


@inline
export function windowOf(record: usize, side: u32): usize {
  return record + HOT_WINDOW0 + <usize>side * WINDOW_SIZE;
}


@inline
export function scaleOf(scales: u32, side: u32): u32 {
  return (scales >> (side << 2)) & 15;
}


@inline
export function first(record: usize, side: u32): usize {
  return record + <usize>(side << 2) + COLD_FIRST0;
}


@inline
export function raiseFlag(record: usize, flag: u32): void {
  store<u8>(record, load<u8>(record, HOT_FLAGS) | flag, HOT_FLAGS);
}

/** Length of the TCP option at `at`, 0 where the list ends: at its end mark, or where it does not fit (RFC 9293 3.1). */
function optionLength(at: usize, end: usize): usize {
  const kind: u32 = load<u8>(at);
  if (kind == OPTION_END) return 0;
  if (kind == OPTION_NOP) return 1;
  const length: usize = at + 1 < end ? load<u8>(at, 1) : 0;
  return length < 2 || at + length > end ? 0 : length;
}


@inline
function optionsEnd(transport: usize): usize {
  return transport + (((<usize>load<u8>(transport, TCP_OFFSET)) >> 4) << 2);
}

/** Reads the options of a SYN: scale (RFC 7323 2.3: at most 14), SACK permitted (RFC 2018). */
export function synOptions(meta: usize): u32 {
  if (load<u8>(meta, M_TCP_OPTIONS) == 0) return 0;
  const transport: usize = load<u32>(meta, M_TRANSPORT);
  const end = optionsEnd(transport);
  let found: u32 = 0;
  let length: usize = 0;
  for (let at = transport + TCP_HEADER; at < end; at += length) {
    length = optionLength(at, end);
    if (length == 0) break;
    const kind: u32 = load<u8>(at);
    if (kind == OPTION_SCALE && length == 3) {
      found = (found & ~OPTION_SCALE_MASK) | OFFERS_SCALE | min(<u32>load<u8>(at, 2), SCALE_MAX);
    }
    if (kind == OPTION_SACK_PERMITTED && length == 2) found |= PERMITS_SACK;
  }
  return found;
}

/** Highest right edge of the SACK blocks, or `ack` when there are none (RFC 2018). */
function highestSack(meta: usize, ack: u32): u32 {
  const transport: usize = load<u32>(meta, M_TRANSPORT);
  const end = optionsEnd(transport);
  let highest = ack;
  let length: usize = 0;
  for (let at = transport + TCP_HEADER; at < end; at += length) {
    length = optionLength(at, end);
    if (length == 0) break;
    if (load<u8>(at) != OPTION_SACK || (length - 2) % 8 != 0) continue;
    for (let block: usize = 2; block < length; block += 8) {
      const edge = be32(at + block + 4);
      if (after(edge, highest)) highest = edge;
    }
  }
  return highest;
}


@inline
export function sackOf(record: usize, meta: usize, receiver: u32): u32 {
  const ack = load<u32>(meta, M_ACK);
  if (load<u8>(meta, M_TCP_OPTIONS) == 0) return ack;
  return load<u8>(record, HOT_FLAGS) & (HF_SACK0 << receiver) ? highestSack(meta, ack) : ack;
}

/**
 * Rules I to IV. Returns a reason, TCP_PASS when the segment is inside, or BEYOND when it only reaches past the edge,
 * and by no more than a window: R opened it in an acknowledgement that was lost behind this filter.
 */
export function judgeWindow(record: usize, meta: usize, side: u32, sack: u32): u32 {
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const end = load<u32>(meta, M_END);
  const receiverEnd = load<u32>(receiver, W_END);
  const receiverWindow = load<u32>(receiver, W_MAXWIN);
  const edge = load<u32>(sender, W_MAXEND);
  const beyond = after(load<u32>(meta, M_SEQ), edge);
  const old = before(end, load<u32>(sender, W_END) - receiverWindow);
  const ackHigh = after(sack, receiverEnd);
  const ackOld = before(sack, receiverEnd - max(load<u32>(sender, W_MAXWIN), ACK_WINDOW_MIN));
  if (beyond) return old || ackHigh || ackOld || end - edge > receiverWindow ? R_TCP_SEQ_HIGH : BEYOND;
  if (old) return R_TCP_SEQ_OLD;
  if (ackHigh) return R_TCP_ACK_HIGH;
  return ackOld ? R_TCP_ACK_OLD : TCP_PASS;
}

/** Takes an accepted segment into the window blocks. */
@inline
export function takeSegment(record: usize, meta: usize, side: u32, sack: u32, judged: u32): void {
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const end = load<u32>(meta, M_END);
  // A segment that was BEYOND must not widen the tolerance that let it through.
  const edge = judged == TCP_PASS ? load<u32>(sender, W_MAXEND) : end;
  take(
    meta,
    sender,
    receiver,
    scaleOf(load<u8>(record, HOT_SCALES), side),
    sack,
    end,
    edge,
    load<u32>(sender, W_END),
    load<u32>(sender, W_MAXWIN),
    load<u32>(receiver, W_MAXWIN),
  );
}

/** `takeSegment` with the fields that `inspectEstablished` has read; `edge` is S.maxend, or `end` to widen nothing. */
@inline
function take(
  meta: usize,
  sender: usize,
  receiver: usize,
  scale: u32,
  sack: u32,
  end: u32,
  edge: u32,
  senderEnd: u32,
  senderWindow: u32,
  receiverWindow: u32,
): void {
  if (after(end, senderEnd)) store<u32>(sender, end, W_END);
  const ack = load<u32>(meta, M_ACK);
  const window = load<u32>(meta, M_WIN) << scale;
  const offered = window + (sack - ack);
  if (offered > senderWindow) store<u32>(sender, offered, W_MAXWIN);
  if (after(ack, load<u32>(sender, W_MAXACK))) store<u32>(sender, ack, W_MAXACK);
  if (after(end, edge)) store<u32>(receiver, receiverWindow + (end - edge), W_MAXWIN);
  const right = sack + window;
  if (!before(right, load<u32>(receiver, W_MAXEND)))
    store<u32>(receiver, right + <u32>(window == 0), W_MAXEND);
}

/**
 * An established segment with nothing but data and acknowledgement; `scales` is HOT_SCALES. Every field is read once,
 * and the four rules are one test: of differences whose top bit tells that a rule is broken, or that the distance is
 * the one that has no direction. Returns a reason or TCP_PASS.
 */
@inline
export function inspectEstablished(record: usize, meta: usize, side: u32, scales: u32): u32 {
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const sack = sackOf(record, meta, side ^ 1);
  const end = load<u32>(meta, M_END);
  const edge = load<u32>(sender, W_MAXEND);
  const senderEnd = load<u32>(sender, W_END);
  const senderWindow = load<u32>(sender, W_MAXWIN);
  const receiverEnd = load<u32>(receiver, W_END);
  const receiverWindow = load<u32>(receiver, W_MAXWIN);
  const beyond = edge - load<u32>(meta, M_SEQ);
  const old = end - (senderEnd - receiverWindow);
  const ackHigh = receiverEnd - sack;
  const ackOld = sack - (receiverEnd - max(senderWindow, ACK_WINDOW_MIN));
  if (<i32>(beyond | old | ackHigh | ackOld) < 0) return inspectDoubtful(record, meta, side, sack);
  const scale = scaleOf(scales, side);
  take(meta, sender, receiver, scale, sack, end, edge, senderEnd, senderWindow, receiverWindow);
  return TCP_PASS;
}

function inspectDoubtful(record: usize, meta: usize, side: u32, sack: u32): u32 {
  const judged = judgeWindow(record, meta, side, sack);
  if (judged != TCP_PASS && judged != BEYOND) return judged;
  takeSegment(record, meta, side, sack, judged);
  return TCP_PASS;
}

/** Starts a side from its SYN (with or without ACK): its window is never scaled (RFC 7323 2.2). */
export function startSide(
  record: usize,
  rest: usize,
  side: u32,
  end: u32,
  seq: u32,
  window: u32,
  options: u32,
): void {
  const block = windowOf(record, side);
  store<u32>(block, end, W_END);
  store<u32>(block, end, W_MAXEND);
  store<u32>(block, max<u32>(window, 1), W_MAXWIN);
  store<u32>(block, 0, W_MAXACK);
  store<u32>(first(rest, side), seq + 1);
  const shift = side << 2;
  const scales = (<u32>load<u8>(record, HOT_SCALES)) & ~((<u32>15) << shift);
  store<u8>(record, scales | ((options & OPTION_SCALE_MASK) << shift), HOT_SCALES);
  const offered = (<u32>load<u8>(rest, COLD_OFFERED)) & ~((<u32>1) << side);
  store<u8>(rest, offered | ((<u32>((options & OFFERS_SCALE) != 0)) << side), COLD_OFFERED);
  const flags = (<u32>load<u8>(record, HOT_FLAGS)) & ~(HF_SACK0 << side) & ~(HF_ACKED0 << side);
  store<u8>(record, flags | (options & PERMITS_SACK ? HF_SACK0 << side : 0), HOT_FLAGS);
}

/** Both sides have shown their options: scaling holds only if both offered it. */
export function settleScales(record: usize, rest: usize): void {
  if (load<u8>(rest, COLD_OFFERED) != 3) store<u8>(record, 0, HOT_SCALES);
}

/** Notes an acknowledgement of a side in its block and widens the other side's edge, as checkWindow does. */
export function noteAck(record: usize, meta: usize, side: u32): void {
  const sender = windowOf(record, side);
  const receiver = windowOf(record, side ^ 1);
  const ack = load<u32>(meta, M_ACK);
  const acked = HF_ACKED0 << side;
  if ((load<u8>(record, HOT_FLAGS) & acked) == 0 || after(ack, load<u32>(sender, W_MAXACK))) {
    store<u32>(sender, ack, W_MAXACK);
  }
  raiseFlag(record, acked);
  const edge = ack + load<u32>(meta, M_WIN);
  if (!before(edge, load<u32>(receiver, W_MAXEND))) {
    store<u32>(receiver, edge + <u32>(load<u32>(meta, M_WIN) == 0), W_MAXEND);
  }
}

/** Whether `ack` acknowledges the SYN of `side`, and nothing that it has not sent (data in the SYN may be left out). */
export function acknowledgesStart(record: usize, rest: usize, side: u32, ack: u32): bool {
  return !before(ack, load<u32>(first(rest, side))) && !after(ack, load<u32>(windowOf(record, side), W_END));
}
