/* The flow table: groups of 16 tags apart from the entries, the half-open list, timeouts. As assembly/flow.ts. */
#ifndef TABLE_H
#define TABLE_H

#include <immintrin.h>

#include "parse.h"

#define NO_SLOT 0xffffffffu

INLINE u32 group_of(u32 hash) { return (u32)((u64)hash * fw.groups >> 32); }
INLINE u16 tag_of(u32 hash) { return (u16)(hash | 0x8000); }

INLINE u32 tag_match(u32 group, u16 tag) {
  const __m128i *at = (const __m128i *)fw.tags[group];
  __m128i wanted = _mm_set1_epi16((short)tag);
  __m128i low = _mm_cmpeq_epi16(_mm_loadu_si128(at), wanted);
  __m128i high = _mm_cmpeq_epi16(_mm_loadu_si128(at + 1), wanted);
  return (u32)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}

/* The slot that probably holds the packet's session, NO_SLOT when there is none; what it needs is on its way. */
INLINE u32 candidate(const packet *p) {
  u32 group = group_of(p->hash), match = tag_match(group, tag_of(p->hash));
  u32 wanted = match != 0 ? match : tag_match(group, 0);
  u32 slot = group * GROUP_SLOTS + ((u32)__builtin_ctz(wanted | 0x10000) & 15);
  __builtin_prefetch(&fw.hot[slot], 1);
  if (match != 0) {
    if (p->v6) __builtin_prefetch(&fw.cold[slot], 0);
    return slot;
  }
  __builtin_prefetch(&fw.cold[slot], 1);
  __builtin_prefetch((u8 *)&fw.cold[slot] + 64, 1);
  return NO_SLOT;
}

/* Interfaces and the spare byte are not part of the key. */
INLINE bool same_key(const session *s, u64 key0, u64 key1) {
  return (((load64(s) ^ key0) << 8) | ((load64((const u8 *)s + 8) ^ key1) << 16)) == 0;
}

INLINE bool holds(u32 slot, const packet *p) {
  if (!same_key(&fw.hot[slot], p->key0, p->key1)) return false;
  if (!p->v6) return true;
  const session_rest *rest = &fw.cold[slot];
  return memcmp(rest->address[p->side], p->network + 8, 16) == 0 &&
         memcmp(rest->address[p->side ^ 1], p->network + 24, 16) == 0;
}

SLOW u32 find(const packet *p) {
  u32 group = group_of(p->hash);
  for (u32 visited = 0; visited < fw.groups; visited++) {
    for (u32 match = tag_match(group, tag_of(p->hash)); match != 0; match &= match - 1) {
      u32 slot = group * GROUP_SLOTS + (u32)__builtin_ctz(match);
      if (holds(slot, p)) return slot;
    }
    if (fw.overflow[group] == 0) return NO_SLOT;
    group = group + 1 == fw.groups ? 0 : group + 1;
  }
  return NO_SLOT;
}

INLINE u32 claim(u64 key0, u64 key1, u32 hash) {
  u32 group = group_of(hash), free;
  while ((free = tag_match(group, 0)) == 0) {
    fw.overflow[group]++;
    group = group + 1 == fw.groups ? 0 : group + 1;
  }
  u32 index = (u32)__builtin_ctz(free), slot = group * GROUP_SLOTS + index;
  u16 tag = tag_of(hash);
  memcpy(&fw.tags[group][index * 2], &tag, sizeof tag);
  memset(&fw.hot[slot], 0, sizeof(session));
  memset(&fw.cold[slot], 0, sizeof(session_rest));
  memcpy(&fw.hot[slot], &key0, 8);
  memcpy((u8 *)&fw.hot[slot] + 8, &key1, 8);
  if (++fw.sessions > fw.counters[C_MAX_SESSIONS]) fw.counters[C_MAX_SESSIONS] = fw.sessions;
  return slot;
}

INLINE bool is_half_open(u32 state) {
  return state < ST_ESTABLISHED || state == ST_SYN_SENT2 || state == ST_OPENING;
}

INLINE void link_half_open(u32 slot) {
  session_rest *rest = &fw.cold[slot];
  rest->older = fw.newest;
  rest->newer = 0;
  if (fw.newest != 0) fw.cold[fw.newest - 1].newer = slot + 1;
  else fw.oldest = slot + 1;
  fw.newest = slot + 1;
  fw.half_open++;
}

INLINE void unlink_half_open(u32 slot) {
  session_rest *rest = &fw.cold[slot];
  if (rest->older != 0) fw.cold[rest->older - 1].newer = rest->newer;
  else fw.oldest = rest->newer;
  if (rest->newer != 0) fw.cold[rest->newer - 1].older = rest->older;
  else fw.newest = rest->older;
  fw.half_open--;
}

/* A record for the log, or null when there is no room. */
INLINE u8 *next_event(u32 type) {
  if (fw.events_written == fw.events_max) {
    fw.counters[C_EVENTS_LOST]++;
    return NULL;
  }
  u8 *event = fw.events + (size_t)fw.events_written++ * EVENT_SIZE;
  memset(event, 0, EVENT_SIZE);
  event[EV_TYPE] = (u8)type;
  return event;
}

/* `why` is the counter of the cause. IPv4 and TCP or UDP only, as the flood is. */
SLOW void session_event(u32 type, u32 slot, u32 why) {
  u8 *event = next_event(type);
  if (event == NULL) return;
  const session *s = &fw.hot[slot];
  const session_rest *rest = &fw.cold[slot];
  u32 initiator = s->flags & HF_INITIATOR1, address[2] = {s->address0, s->address1};
  u16 port[2] = {__builtin_bswap16(s->port0), __builtin_bswap16(s->port1)};
  event[EV_REASON] = (u8)why;
  event[EV_PROTOCOL] = s->kind == KIND_TCP4 ? TCP : UDP;
  event[EV_INGRESS] = s->interface[initiator];
  memcpy(event + EV_RULE, &rest->rule, 4);
  memcpy(event + EV_SOURCE_PORT, &port[initiator], 2);
  memcpy(event + EV_DESTINATION_PORT, &port[initiator ^ 1], 2);
  memcpy(event + EV_SOURCE, &address[initiator], 4);
  memcpy(event + EV_DESTINATION, &address[initiator ^ 1], 4);
  memcpy(event + EV_SESSION_ID, &rest->id, 8);
  u64 bytes[2];
  for (u32 i = 0; i < 2; i++) bytes[i] = s->bytes[initiator ^ i] | (u64)rest->bytes_high[initiator ^ i] << 32;
  memcpy(event + EV_BYTES_INITIATOR, bytes, 16);
  memcpy(event + EV_SERVICE, &rest->service, 2);
}

SLOW void packet_event(u32 type, u32 reason, u32 rule, const descriptor *d, const packet *p) {
  u8 *event = next_event(type);
  if (event == NULL) return;
  u16 ports[2] = {(u16)be16(p->transport), (u16)be16(p->transport + 2)}, id = (u16)be16(p->network + 4);
  event[EV_REASON] = (u8)reason;
  event[EV_PROTOCOL] = p->protocol;
  event[EV_INGRESS] = p->ingress;
  event[EV_FLAGS] = p->flags;
  memcpy(event + EV_RULE, &rule, 4);
  memcpy(event + EV_SOURCE_PORT, ports, 4);
  memcpy(event + EV_SOURCE, p->network + 12, 4);
  memcpy(event + EV_DESTINATION, p->network + 16, 4);
  memcpy(event + EV_SEQ, &p->seq, 4);
  memcpy(event + EV_ACK, &p->ack, 4);
  memcpy(event + EV_IP_ID, &id, 2);
  memcpy(event + EV_MAC, p->frame + 6, 6);
  memcpy(event + EV_COOKIE, &d->cookie, 4);
}

INLINE void release(u32 slot, u32 why) {
  session *s = &fw.hot[slot];
  if (fw.cold[slot].flags & CF_AUDIT) session_event(EVENT_SESSION_STOP, slot, why);
  if (why == C_EVICTED) session_event(EVENT_EVICTED, slot, why);
  if (is_half_open(s->state)) unlink_half_open(slot);
  u64 key0 = load64(s) & 0x00ffffffffffffff, key1 = load64((const u8 *)s + 8) & 0x0000ffffffffffff;
  u32 stands = slot / GROUP_SLOTS;
  for (u32 group = group_of(hash_key(key0, key1)); group != stands; group = group + 1 == fw.groups ? 0 : group + 1)
    fw.overflow[group]--;
  memset(&fw.tags[stands][slot % GROUP_SLOTS * 2], 0, 2);
  memset(s, 0, 16);
  fw.sessions--;
  fw.counters[why]++;
}

INLINE bool is_expired(const session *s) { return fw.now - s->last_ms >= fw.timeouts[s->timer]; }

/* Visits the next `budget` groups and releases what has expired. */
static void sweep(u32 budget) {
  u32 group = fw.sweep_group < fw.groups ? fw.sweep_group : 0;
  if (budget > fw.groups) budget = fw.groups;
  for (u32 visited = 0; visited < budget; visited++) {
    for (u32 used = ~tag_match(group, 0) & 0xffff; used != 0; used &= used - 1) {
      u32 slot = group * GROUP_SLOTS + (u32)__builtin_ctz(used);
      if (is_expired(&fw.hot[slot])) release(slot, C_EXPIRED);
    }
    group = group + 1 == fw.groups ? 0 : group + 1;
  }
  fw.sweep_group = group;
}

#endif
