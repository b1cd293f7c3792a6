/**
 * Writes what was decided into the descriptor and counts it: the one place where a packet gets its verdict.
 */
import {
  COLD_ID,
  D_EGRESS,
  D_FLAGS,
  D_INGRESS,
  D_NETWORK,
  D_PROTOCOL,
  D_REASON,
  D_RULE,
  D_SESSION,
  D_SESSION_ID,
  D_SIDE,
  D_VERDICT,
  DF_IDS,
  EVENT_DROP,
  M_CLASS,
  CLASS_TCP,
  CLASS_DROP,
  M_FRAME,
  M_INGRESS,
  M_NETWORK,
  M_PROTOCOL,
  M_WIRE,
  P_FLAGS,
  PF_LOG_DROPS,
  R_FRAGMENT_MALFORMED,
  R_HELD,
  R_TABLE_FULL,
  VERDICT_DROP,
  VERDICT_HELD,
} from "./layout";

import { packetEvent } from "./event";
import { NO_SLOT, cold, countReason, policyAt } from "./state";

/** Notes the session of the packet, NO_SLOT for none; `side` 0: from its initiator. */
@inline
export function noteSession(descriptor: usize, slot: u32, side: u32): void {
  store<u32>(descriptor, slot + 1, D_SESSION);
  store<u8>(descriptor, side, D_SIDE);
  if (load<u8>(descriptor, D_FLAGS) & DF_IDS) {
    store<u64>(descriptor, slot == NO_SLOT ? 0 : load<u64>(cold(slot), COLD_ID), D_SESSION_ID);
  }
}

/** Writes verdict, reason and egress, and counts the packet under its reason. */
@inline
export function verdict(descriptor: usize, meta: usize, decided: u32, reason: u32, egress: u32): void {
  store<u16>(descriptor, decided | (reason << 8), D_VERDICT); // and D_REASON
  store<u8>(descriptor, egress, D_EGRESS);
  store<u8>(descriptor, load<u8>(meta, M_INGRESS), D_INGRESS);
  store<u16>(descriptor, load<u32>(meta, M_NETWORK) - load<u32>(meta, M_FRAME), D_NETWORK);
  store<u16>(descriptor, load<u8>(meta, M_PROTOCOL), D_PROTOCOL); // and FW_NONE
  countReason(reason, load<u32>(meta, M_WIRE));
  if (decided == VERDICT_DROP) logDrop(descriptor, meta, reason);
}

/** `ip inspect log drop-pkt`: what inspection dropped, which is everything from fragments to the session table. */
function logDrop(descriptor: usize, meta: usize, reason: u32): void {
  if (policyAt == 0 || (load<u32>(policyAt, P_FLAGS) & PF_LOG_DROPS) == 0) return;
  if (
    reason < <u32>R_FRAGMENT_MALFORMED ||
    reason > <u32>R_TABLE_FULL ||
    load<u8>(meta, M_CLASS) == CLASS_DROP
  )
    return;
  packetEvent(EVENT_DROP, reason, 0, descriptor, meta, load<u8>(meta, M_CLASS) == CLASS_TCP);
}

/** A held fragment is counted as held now, and under its own reason when it is released. */
export function hold(descriptor: usize, meta: usize): void {
  store<u8>(descriptor, VERDICT_HELD, D_VERDICT);
  store<u8>(descriptor, R_HELD, D_REASON);
  store<u8>(descriptor, 0, D_EGRESS);
  store<u8>(descriptor, load<u8>(meta, M_INGRESS), D_INGRESS);
  store<u16>(descriptor, load<u8>(meta, M_PROTOCOL), D_PROTOCOL); // and FW_NONE
  countReason(R_HELD, load<u32>(meta, M_WIRE));
}
