/** TCP in plain JavaScript: the window rules of an open session and an ordinary handshake. As assembly/tcp.ts. */
import * as L from "../../assembly/layout.js";
import { type Packet, UNSUPPORTED } from "./parse.js";
import {
  B_FLAGS,
  B_SCALES,
  B_STATE,
  B_TIMER,
  END,
  ENTRY_SHIFT,
  MAXACK,
  MAXEND,
  MAXWIN,
  type Table,
  WINDOW,
  WINDOW_WORDS,
} from "./table.js";

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;
/** Answers that are no reason. */
export const PASS = 0;
const BEYOND = -2;
const ACK_WINDOW_MIN = 66000;
const SCALE_MAX = 14;

/** A segment of an open session that carries data or an acknowledgement and nothing else. */
export function inspectEstablished(table: Table, slot: number, packet: Packet, side: number): number {
  const at = slot << ENTRY_SHIFT;
  const flags = table.bytes[(at << 2) + B_FLAGS]!;
  if (packet.options && flags & (L.HF_SACK0 << (side ^ 1))) return UNSUPPORTED;
  const { entries } = table;
  const from = at + WINDOW + side * WINDOW_WORDS;
  const to = at + WINDOW + (side ^ 1) * WINDOW_WORDS;
  const { seq, end, ack } = packet;
  const edge = entries[from + MAXEND]!;
  const fromEnd = entries[from + END]!;
  const fromWindow = entries[from + MAXWIN]! >>> 0;
  const toEnd = entries[to + END]!;
  const toWindow = entries[to + MAXWIN]! >>> 0;
  const beyond = ((seq - edge) | 0) > 0;
  const old = ((end - fromEnd + toWindow) | 0) < 0;
  const ackHigh = ((ack - toEnd) | 0) > 0;
  const ackOld = ((ack - toEnd + Math.max(fromWindow, ACK_WINDOW_MIN)) | 0) < 0;
  let widens = true;
  if (beyond || old || ackHigh || ackOld) {
    const judged = judge(beyond, old, ackHigh, ackOld, (end - edge) >>> 0 > toWindow);
    if (judged !== BEYOND) return judged;
    widens = false;
  }
  if (((end - fromEnd) | 0) > 0) entries[from + END] = end;
  const scale = (table.bytes[(at << 2) + B_SCALES]! >> (side << 2)) & 15;
  const window = packet.window << scale;
  if (window >>> 0 > fromWindow) entries[from + MAXWIN] = window;
  if (((ack - entries[from + MAXACK]!) | 0) > 0) entries[from + MAXACK] = ack;
  if (widens && ((end - edge) | 0) > 0) entries[to + MAXWIN] = (toWindow + end - edge) | 0;
  const right = (ack + window) | 0;
  if (((right - entries[to + MAXEND]!) | 0) >= 0) entries[to + MAXEND] = right + (window === 0 ? 1 : 0);
  return PASS;
}

function judge(beyond: boolean, old: boolean, ackHigh: boolean, ackOld: boolean, far: boolean): number {
  if (beyond) return old || ackHigh || ackOld || far ? L.R_TCP_SEQ_HIGH : BEYOND;
  if (old) return L.R_TCP_SEQ_OLD;
  return ackHigh ? L.R_TCP_ACK_HIGH : L.R_TCP_ACK_OLD;
}

interface SynOptions {
  scale: number;
  offersScale: boolean;
  permitsSack: boolean;
}

function synOptions(view: DataView, packet: Packet): SynOptions {
  const found: SynOptions = { scale: 0, offersScale: false, permitsSack: false };
  if (!packet.options) return found;
  const end = packet.transport + ((view.getUint8(packet.transport + 12) >> 4) << 2);
  for (let at = packet.transport + 20; at < end; ) {
    const kind = view.getUint8(at);
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = at + 2 <= end ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > end) break;
    if (kind === 3 && length === 3) {
      found.offersScale = true;
      found.scale = Math.min(view.getUint8(at + 2), SCALE_MAX);
    }
    if (kind === 4 && length === 2) found.permitsSack = true;
    at += length;
  }
  return found;
}

/** Starts a side of a session from its SYN. */
export function startSide(table: Table, slot: number, view: DataView, packet: Packet, side: number): void {
  const at = slot << ENTRY_SHIFT;
  const bytes = at << 2;
  const block = at + WINDOW + side * WINDOW_WORDS;
  const options = synOptions(view, packet);
  table.entries[block + END] = packet.end;
  table.entries[block + MAXEND] = packet.end;
  table.entries[block + MAXWIN] = Math.max(packet.window, 1);
  table.entries[block + MAXACK] = 0;
  table.first[slot * 2 + side] = (packet.seq + 1) | 0;
  const shift = side << 2;
  table.bytes[bytes + B_SCALES] =
    (table.bytes[bytes + B_SCALES]! & ~(15 << shift)) | (options.scale << shift);
  if (options.offersScale) table.offered[slot]! |= 1 << side;
  else table.offered[slot]! &= ~(1 << side);
  const kept = table.bytes[bytes + B_FLAGS]! & ~((L.HF_SACK0 | L.HF_ACKED0) << side);
  table.bytes[bytes + B_FLAGS] = kept | (options.permitsSack ? L.HF_SACK0 << side : 0);
}

function noteAck(table: Table, slot: number, packet: Packet, side: number): void {
  const at = slot << ENTRY_SHIFT;
  const { entries, bytes } = table;
  const from = at + WINDOW + side * WINDOW_WORDS;
  const to = at + WINDOW + (side ^ 1) * WINDOW_WORDS;
  const acked = L.HF_ACKED0 << side;
  const flags = bytes[(at << 2) + B_FLAGS]!;
  if ((flags & acked) === 0 || ((packet.ack - entries[from + MAXACK]!) | 0) > 0)
    entries[from + MAXACK] = packet.ack;
  bytes[(at << 2) + B_FLAGS] = flags | acked;
  const right = (packet.ack + packet.window) | 0;
  if (((right - entries[to + MAXEND]!) | 0) >= 0)
    entries[to + MAXEND] = right + (packet.window === 0 ? 1 : 0);
}

/** Whether the packet acknowledges the SYN of the other side, and nothing that it has not sent. */
function acknowledgesStart(table: Table, slot: number, packet: Packet, side: number): boolean {
  const other = side ^ 1;
  const end = table.entries[(slot << ENTRY_SHIFT) + WINDOW + other * WINDOW_WORDS + END]!;
  return ((packet.ack - table.first[slot * 2 + other]!) | 0) >= 0 && ((packet.ack - end) | 0) <= 0;
}

/** A handshake without surprises; everything else is not supported. */
export function inspectHandshake(
  table: Table,
  slot: number,
  view: DataView,
  packet: Packet,
  side: number,
): number {
  const at = slot << (ENTRY_SHIFT + 2);
  const state = table.bytes[at + B_STATE];
  const fromResponder = (side ^ (table.bytes[at + B_FLAGS]! & L.HF_INITIATOR1)) === 1;
  const kind = packet.flags & (SYN | ACK | FIN | RST);
  if (state === L.ST_SYN_SENT && fromResponder && kind === (SYN | ACK)) {
    if (!acknowledgesStart(table, slot, packet, side)) return L.R_TCP_HANDSHAKE;
    startSide(table, slot, view, packet, side);
    if (table.offered[slot] !== 3) table.bytes[at + B_SCALES] = 0;
    noteAck(table, slot, packet, side);
    table.bytes[at + B_STATE] = L.ST_SYN_RECV;
    table.bytes[at + B_TIMER] = L.TIMER_SYNWAIT;
    return PASS;
  }
  if (state === L.ST_SYN_RECV && !fromResponder && kind === ACK) {
    if (((packet.seq - table.first[slot * 2 + side]!) | 0) < 0) return L.R_TCP_HANDSHAKE;
    if (!acknowledgesStart(table, slot, packet, side)) return L.R_TCP_HANDSHAKE;
    const judged = inspectEstablished(table, slot, packet, side);
    if (judged !== PASS) return judged;
    noteAck(table, slot, packet, side);
    table.unlink(slot);
    table.bytes[at + B_STATE] = L.ST_ESTABLISHED;
    table.bytes[at + B_TIMER] = table.idleTimer[slot]!;
    return PASS;
  }
  return UNSUPPORTED;
}
