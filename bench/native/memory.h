/* Integers, fields in network order, and the records that both sides of a benchmark read. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "layout.h" /* made from assembly/layout.ts */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define INLINE static inline __attribute__((always_inline))
#define SLOW static __attribute__((noinline))

INLINE u16 load16(const void *at) {
  u16 value;
  memcpy(&value, at, sizeof value);
  return value;
}

INLINE u32 load32(const void *at) {
  u32 value;
  memcpy(&value, at, sizeof value);
  return value;
}

INLINE u64 load64(const void *at) {
  u64 value;
  memcpy(&value, at, sizeof value);
  return value;
}

INLINE u32 be16(const void *at) { return __builtin_bswap16(load16(at)); }
INLINE u32 be32(const void *at) { return __builtin_bswap32(load32(at)); }

/* A frame of the batch and its verdict. */
typedef struct {
  u32 offset, captured, wire;
  u8 ingress, flags;
  u16 ethertype;
  u32 cookie;
  u8 verdict, reason, egress, side;
  u32 rule, session;
  u64 session_id;
  u16 network;
  u8 protocol;
  u8 unused[5];
} descriptor;

_Static_assert(sizeof(descriptor) == DESC_SIZE, "descriptor");
_Static_assert(offsetof(descriptor, ingress) == D_INGRESS, "descriptor");
_Static_assert(offsetof(descriptor, verdict) == D_VERDICT, "descriptor");
_Static_assert(offsetof(descriptor, session_id) == D_SESSION_ID, "descriptor");
_Static_assert(offsetof(descriptor, protocol) == D_PROTOCOL, "descriptor");

/* What pass 1 knows of a frame. */
typedef struct {
  u64 key0, key1;
  u32 hash, slot;
  u32 seq, ack, window, end;
  u32 payload, wire;
  const u8 *frame, *network, *transport;
  u8 kind, reason, side, flags, protocol, ttl, ingress, v6, options;
} packet;

/* The sides of a session, as van Rooij names them. */
typedef struct {
  u32 end, maxend, maxwin, maxack;
} window;

/* All that an established packet needs of its session: one cache line. */
typedef struct {
  u32 address0;
  u16 port0;
  u8 kind, unused;
  u32 address1;
  u16 port1;
  u8 interface[2];
  u32 last_ms;
  u8 state, timer, scales, flags;
  window side[2];
  u32 bytes[2];
} session;

_Static_assert(sizeof(session) == HOT_SIZE, "session");

/* The rest of it: two cache lines. */
typedef struct __attribute__((aligned(64))) {
  u8 address[2][16];
  u64 id, created_ms;
  u32 bytes_high[2];
  u32 older, newer;
  u32 rule;
  u16 service;
  u8 inspection, flags, idle_timer, icmp_kind, offered;
  u32 first[2];
} session_rest;

_Static_assert(sizeof(session_rest) == COLD_SIZE, "session_rest");

typedef struct {
  u64 packets, bytes;
} tally;

/* The instance: one, as in the benchmark process there is one. */
static struct {
  u32 groups, sessions_max, events_max;
  u64 seed[8];
  u8 (*tags)[2 * GROUP_SLOTS];
  u16 *overflow;
  session *hot;
  session_rest *cold;
  u8 *policy, *frames, *events;
  u32 frames_at, frames_size;
  descriptor *descriptors;
  u32 timeouts[TIMERS_MAX];
  u64 now_ms, last_session_id;
  u32 now;
  u32 sessions, half_open, oldest, newest, sweep_group, events_written;
  tally reasons[REASONS_MAX];
  u64 counters[COUNTERS_MAX];
} fw;

#endif
