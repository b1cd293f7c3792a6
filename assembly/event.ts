/**
 * Records for the host's log: written in order during a call, read by the host before the next one. A full ring loses
 * the record, not the packet, and counts it.
 */
import {
  C_EVENTS_LOST,
  COLD_ADDRESS0,
  COLD_BYTES_HIGH0,
  COLD_FLAGS,
  COLD_ID,
  COLD_RULE,
  COLD_SERVICE,
  EV_ACK,
  EV_BYTES_INITIATOR,
  EV_COOKIE,
  EV_DESTINATION,
  EV_DESTINATION_PORT,
  EV_FLAGS,
  EV_ICMP_CODE,
  EV_INGRESS,
  EV_IP_ID,
  EV_MAC,
  EV_PROTOCOL,
  EV_REASON,
  EV_RULE,
  EV_SEQ,
  EV_SERVICE,
  EV_SESSION_ID,
  EV_SOURCE,
  EV_SOURCE_PORT,
  EV_TYPE,
  EV_V6,
  EVENT_SIZE,
  D_COOKIE,
  D_ETHERTYPE,
  HF_INITIATOR1,
  HOT_ADDRESS0,
  HOT_BYTES0,
  HOT_FLAGS,
  HOT_INTERFACE0,
  HOT_KIND,
  HOT_PORT0,
  KIND_V6,
  M_ACK,
  M_FLAGS,
  M_FRAME,
  M_ICMP_CODE,
  M_ICMP_TYPE,
  M_INGRESS,
  M_NETWORK,
  M_PROTOCOL,
  M_SEQ,
  M_TRANSPORT,
  M_V6,
  S_EVENTS_WRITTEN,
  STATE_AT,
} from "./layout";

import { protocolOf } from "./key";
import { cold, count, eventsAt, eventsMax, hot } from "./state";
import { be16 } from "./bytes";
import { IPV4_ID, IPV4_SOURCE } from "./ipv4";
import { IPV6_SOURCE } from "./ipv6";

/** The next record, zeroed, or 0 when the ring is full. */
function next(type: u32): usize {
  const written = load<u32>(STATE_AT, S_EVENTS_WRITTEN);
  if (written == eventsMax) {
    count(C_EVENTS_LOST);
    return 0;
  }
  store<u32>(STATE_AT, written + 1, S_EVENTS_WRITTEN);
  const event = eventsAt + <usize>written * EVENT_SIZE;
  memory.fill(event, 0, EVENT_SIZE);
  store<u8>(event, type, EV_TYPE);
  return event;
}

/** A session begins or ends: source is the initiator. `why` is the counter of the cause, or 0. */
export function sessionEvent(type: u32, slot: u32, why: i32): void {
  const event = next(type);
  if (event == 0) return;
  const record = hot(slot);
  const rest = cold(slot);
  const initiator: usize = load<u8>(record, HOT_FLAGS) & HF_INITIATOR1;
  const kind = load<u8>(record, HOT_KIND);
  store<u8>(event, why, EV_REASON);
  store<u8>(event, load<u8>(rest, COLD_FLAGS), EV_FLAGS);
  store<u8>(event, protocolOf(kind, load<u16>(record, HOT_PORT0)), EV_PROTOCOL);
  store<u8>(event, load<u8>(record + initiator, HOT_INTERFACE0), EV_INGRESS);
  store<u32>(event, load<u32>(rest, COLD_RULE), EV_RULE);
  store<u64>(event, load<u64>(rest, COLD_ID), EV_SESSION_ID);
  store<u16>(event, load<u16>(rest, COLD_SERVICE), EV_SERVICE);
  endOfSession(event, record, rest, initiator, kind, 0);
  endOfSession(event, record, rest, initiator ^ 1, kind, 1);
}

/** One end of a session: address, port and bytes; `place` 0 is the initiator. */
function endOfSession(event: usize, record: usize, rest: usize, side: usize, kind: u32, place: usize): void {
  const end = record + (side << 3);
  const address = event + (place << 4);
  store<u16>(event + (place << 1), be16(end + HOT_PORT0), EV_SOURCE_PORT);
  if (kind & KIND_V6) {
    store<u8>(event, 1, EV_V6);
    v128.store(address, v128.load(rest + (side << 4), COLD_ADDRESS0), EV_SOURCE);
  } else {
    store<u32>(address, load<u32>(end, HOT_ADDRESS0), EV_SOURCE);
  }
  const bytes =
    (<u64>load<u32>(record + (side << 2), HOT_BYTES0)) |
    ((<u64>load<u32>(rest + (side << 2), COLD_BYTES_HIGH0)) << 32);
  store<u64>(event + (place << 3), bytes, EV_BYTES_INITIATOR);
}

/** A packet that is logged: a rule with `log`, or a drop. Ports are 0 where the protocol has none. */
export function packetEvent(
  type: u32,
  reason: u32,
  rule: u32,
  descriptor: usize,
  meta: usize,
  ports: bool,
): void {
  const event = next(type);
  if (event == 0) return;
  const network: usize = load<u32>(meta, M_NETWORK);
  store<u8>(event, reason, EV_REASON);
  store<u8>(event, load<u8>(meta, M_PROTOCOL), EV_PROTOCOL);
  store<u8>(event, load<u8>(meta, M_INGRESS), EV_INGRESS);
  store<u32>(event, rule, EV_RULE);
  store<u32>(event, load<u32>(descriptor, D_COOKIE), EV_COOKIE);
  if (load<u8>(meta, M_V6)) {
    store<u8>(event, 1, EV_V6);
    v128.store(event, v128.load(network, IPV6_SOURCE), EV_SOURCE);
    v128.store(event, v128.load(network, IPV6_SOURCE + 16), EV_DESTINATION);
  } else {
    store<u32>(event, load<u32>(network, IPV4_SOURCE), EV_SOURCE);
    store<u32>(event, load<u32>(network, IPV4_SOURCE + 4), EV_DESTINATION);
    store<u16>(event, be16(network + IPV4_ID), EV_IP_ID);
  }
  if (ports) {
    const transport: usize = load<u32>(meta, M_TRANSPORT);
    store<u16>(event, be16(transport), EV_SOURCE_PORT);
    store<u16>(event, be16(transport + 2), EV_DESTINATION_PORT);
    store<u32>(event, load<u32>(meta, M_SEQ), EV_SEQ);
    store<u32>(event, load<u32>(meta, M_ACK), EV_ACK);
    store<u8>(event, load<u8>(meta, M_FLAGS), EV_FLAGS);
  } else {
    store<u8>(event, load<u8>(meta, M_ICMP_TYPE), EV_FLAGS);
    store<u8>(event, load<u8>(meta, M_ICMP_CODE), EV_ICMP_CODE);
  }
  if (load<u16>(descriptor, D_ETHERTYPE) == 0)
    memory.copy(event + EV_MAC, <usize>load<u32>(meta, M_FRAME) + 6, 6);
}
