/* What becomes of a packet: its session, or else routes and inspection. As assembly/decide.ts and session.ts. */
#ifndef DECIDE_H
#define DECIDE_H

#include "tcp.h"

#define NO_ROUTE 0xffffffffu

INLINE void verdict(descriptor *d, const packet *p, u32 decided, u32 reason, u32 egress) {
  d->verdict = (u8)decided;
  d->reason = (u8)reason;
  d->egress = (u8)egress;
  d->ingress = p->ingress;
  d->network = (u16)(p->network - p->frame);
  d->protocol = p->protocol;
  fw.reasons[reason].packets++;
  fw.reasons[reason].bytes += p->wire;
}

INLINE void note_session(descriptor *d, u32 slot, u32 side) {
  d->session = slot + 1;
  d->side = (u8)side;
  if (d->flags & DF_IDS) d->session_id = slot == NO_SLOT ? 0 : fw.cold[slot].id;
}

/* UDP: the responder's first packet opens the session. */
INLINE u32 answer(u32 slot, session *s, const packet *p) {
  if ((p->side ^ (s->flags & HF_INITIATOR1)) && s->state == ST_OPENING) {
    s->state = ST_OPEN;
    unlink_half_open(slot);
  }
  return PASS;
}

INLINE void decide_hit(u32 slot, descriptor *d, const packet *p) {
  session *s = &fw.hot[slot];
  u32 side = p->side, reason;
  note_session(d, slot, side ^ (s->flags & HF_INITIATOR1));
  if (s->interface[side] != p->ingress) return verdict(d, p, VERDICT_DROP, R_WRONG_INTERFACE, 0);
  if (p->ttl <= 1) return verdict(d, p, VERDICT_DROP, R_TTL_EXPIRED, 0);
  if (p->kind == CLASS_TCP) {
    bool plain = !(p->flags & (SYN | FIN | RST)) && s->state == ST_ESTABLISHED &&
                 (s->flags & (HF_SLOW | HF_ACKED)) == HF_ACKED;
    reason = plain ? inspect_established(s, p) : inspect(slot, s, p);
  } else {
    reason = answer(slot, s, p);
  }
  if (reason != PASS) return verdict(d, p, VERDICT_DROP, reason, 0);
  s->last_ms = fw.now;
  u32 bytes = s->bytes[side] + p->payload;
  if (bytes < p->payload) fw.cold[slot].bytes_high[side]++;
  s->bytes[side] = bytes;
  verdict(d, p, VERDICT_PASS, R_ESTABLISHED, s->interface[side ^ 1]);
}

/* The route: flags in the upper, interface in the lower byte. Longest prefix first. */
static u32 route4(u32 address) {
  const u8 *at = fw.policy + load32(fw.policy + P_ROUTES4);
  const u8 *end = at + (size_t)load32(fw.policy + P_ROUTE4_COUNT) * ROUTE4_SIZE;
  for (; at < end; at += ROUTE4_SIZE) {
    if ((address & load32(at + ROUTE4_MASK)) == load32(at + ROUTE4_NETWORK))
      return at[ROUTE4_INTERFACE] | (u32)at[ROUTE4_FLAGS] << 8;
  }
  return NO_ROUTE;
}

static u32 route6(const u8 *address) {
  const u8 *at = fw.policy + load32(fw.policy + P_ROUTES6);
  const u8 *end = at + (size_t)load32(fw.policy + P_ROUTE6_COUNT) * ROUTE6_SIZE;
  for (; at < end; at += ROUTE6_SIZE) {
    u64 low = (load64(address) & load64(at + ROUTE6_MASK)) ^ load64(at + ROUTE6_NETWORK);
    u64 high = (load64(address + 8) & load64(at + ROUTE6_MASK + 8)) ^ load64(at + ROUTE6_NETWORK + 8);
    if ((low | high) == 0) return at[ROUTE6_INTERFACE] | (u32)at[ROUTE6_FLAGS] << 8;
  }
  return NO_ROUTE;
}

INLINE bool is_kind(u32 route, u32 kind) { return route != NO_ROUTE && (route >> 8 & kind) != 0; }

/* The first entry of an inspection rule that lists the packet, null when none does. */
static const u8 *entry_for(u32 inspection, const packet *p) {
  if (inspection == 0) return NULL;
  const u8 *rule = fw.policy + load32(fw.policy + P_INSPECT) + inspection * INSPECT_SIZE;
  const u8 *entry = fw.policy + load32(fw.policy + P_INSPECT_ENTRIES) + load32(rule + IN_FIRST) * ENTRY_SIZE;
  const u8 *end = entry + (size_t)load32(rule + IN_COUNT) * ENTRY_SIZE;
  u32 port = be16(p->transport + 2);
  for (; entry < end; entry += ENTRY_SIZE) {
    if (entry[E_PROTOCOL] != p->protocol) continue;
    if (port >= load16(entry + E_PORT_LOW) && port <= load16(entry + E_PORT_HIGH)) return entry;
  }
  return NULL;
}

static void create(descriptor *d, const packet *p, u32 egress, u32 inspection, const u8 *entry) {
  if (fw.sessions >= fw.sessions_max) {
    u32 oldest = fw.oldest - 1;
    packet_event(EVENT_TABLE_FULL, R_TABLE_FULL, 0, d, p);
    if (oldest == NO_SLOT) return verdict(d, p, VERDICT_DROP, R_TABLE_FULL, 0);
    release(oldest, C_EVICTED);
  }
  u32 slot = claim(p->key0, p->key1, p->hash), side = p->side;
  session *s = &fw.hot[slot];
  session_rest *rest = &fw.cold[slot];
  s->flags = side ? HF_INITIATOR1 : 0;
  s->interface[side] = p->ingress;
  s->interface[side ^ 1] = (u8)egress;
  s->last_ms = fw.now;
  s->bytes[side] = p->payload;
  if (p->v6) {
    memcpy(rest->address[side], p->network + 8, 16);
    memcpy(rest->address[side ^ 1], p->network + 24, 16);
  }
  rest->id = ++fw.last_session_id;
  rest->created_ms = fw.now_ms;
  rest->service = load16(entry + E_SERVICE);
  rest->inspection = (u8)inspection;
  rest->flags = entry[E_FLAGS] & CF_AUDIT;
  rest->idle_timer = entry[E_TIMER];
  if (p->protocol == TCP) {
    start_side(s, rest, p);
    s->state = ST_SYN_SENT;
    s->timer = TIMER_SYNWAIT;
  } else {
    s->state = ST_OPENING;
    s->timer = entry[E_TIMER];
  }
  link_half_open(slot);
  fw.counters[p->protocol == TCP ? C_CREATED_TCP : C_CREATED_UDP]++;
  if (rest->flags & CF_AUDIT) session_event(EVENT_SESSION_START, slot, 0);
  note_session(d, slot, 0);
  verdict(d, p, VERDICT_PASS, R_NEW_SESSION, egress);
}

/* No session: source, route, hop limit, inspection. The benchmarks bind no access list to what creates sessions. */
SLOW void decide_miss(descriptor *d, const packet *p) {
  const u8 *from = interface_at(p->ingress);
  if (!(from[I_FLAGS] & (p->v6 ? IF_IP6 : IF_IP4))) return verdict(d, p, VERDICT_DROP, R_PROTOCOL_DISABLED, 0);
  u32 source = p->v6 ? route6(p->network + 8) : route4(be32(p->network + 12));
  if (is_kind(source, RT_LOCAL)) return verdict(d, p, VERDICT_DROP, R_OWN_SOURCE, 0);
  if (is_kind(source, RT_BROADCAST)) return verdict(d, p, VERDICT_DROP, R_MARTIAN_SOURCE, 0);
  u32 list_in = load16(from + (p->v6 ? I_ACL_IN6 : I_ACL_IN4));
  if (from[p->v6 ? I_RPF6 : I_RPF4] != RPF_OFF || list_in != 0)
    return verdict(d, p, VERDICT_DROP, UNSUPPORTED, 0);
  u32 route = p->v6 ? route6(p->network + 24) : route4(be32(p->network + 16));
  if (is_kind(route, RT_LOCAL)) return verdict(d, p, VERDICT_LOCAL, R_LOCAL, 0);
  if (is_kind(route, RT_BROADCAST)) return verdict(d, p, VERDICT_DROP, R_BROADCAST, 0);
  u32 egress = route == NO_ROUTE ? 0 : route & 255;
  const u8 *to = interface_at(egress);
  if (egress == 0 || !(to[I_FLAGS] & IF_UP)) return verdict(d, p, VERDICT_DROP, R_NO_ROUTE, 0);
  if (p->ttl <= 1) return verdict(d, p, VERDICT_DROP, R_TTL_EXPIRED, 0);
  if (load16(to + (p->v6 ? I_ACL_OUT6 : I_ACL_OUT4)) != 0) return verdict(d, p, VERDICT_DROP, UNSUPPORTED, 0);
  u32 inspection = from[p->v6 ? I_INSPECT_IN6 : I_INSPECT_IN4];
  const u8 *entry = entry_for(inspection, p);
  if (entry == NULL) {
    inspection = to[p->v6 ? I_INSPECT_OUT6 : I_INSPECT_OUT4];
    entry = entry_for(inspection, p);
  }
  if (entry == NULL) return verdict(d, p, VERDICT_PASS, R_PERMITTED, egress);
  if (p->kind == CLASS_TCP && (p->flags & (SYN | ACK | RST | FIN)) != SYN)
    return verdict(d, p, VERDICT_DROP, R_TCP_NO_SESSION, 0);
  create(d, p, egress, inspection, entry);
}

INLINE void decide(descriptor *d, const packet *p) {
  d->rule = d->session = 0;
  d->session_id = 0;
  d->side = 0;
  if (p->kind == CLASS_DROP) return verdict(d, p, VERDICT_DROP, p->reason, 0);
  u32 slot = p->slot != NO_SLOT && holds(p->slot, p) ? p->slot : find(p);
  if (slot != NO_SLOT && is_expired(&fw.hot[slot])) {
    release(slot, C_EXPIRED);
    slot = NO_SLOT;
  }
  if (slot != NO_SLOT) decide_hit(slot, d, p);
  else decide_miss(d, p);
}

#endif
