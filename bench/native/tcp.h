/* TCP: the window rules of an open session, and the handshake by which the sessions of the benchmarks are made. */
#ifndef TCP_H
#define TCP_H

#include "table.h"

#define PASS 0
#define BEYOND 0xfd
#define ACK_WINDOW_MIN 66000

enum { OPTION_SCALE_MASK = 15, OFFERS_SCALE = 16, PERMITS_SACK = 32, SCALE_MAX = 14 };

INLINE bool before(u32 a, u32 b) { return (int32_t)(a - b) < 0; }
INLINE bool after(u32 a, u32 b) { return (int32_t)(a - b) > 0; }
INLINE u32 max32(u32 a, u32 b) { return a > b ? a : b; }

/* Rules I to IV: a reason, PASS, or BEYOND for a segment that reaches past the edge by no more than a window. */
INLINE u32 judge_window(const session *s, const packet *p) {
  const window *from = &s->side[p->side], *to = &s->side[p->side ^ 1];
  bool beyond = after(p->seq, from->maxend);
  bool old = before(p->end, from->end - to->maxwin);
  bool ack_high = after(p->ack, to->end);
  bool ack_old = before(p->ack, to->end - max32(from->maxwin, ACK_WINDOW_MIN));
  if (__builtin_expect(beyond | old | ack_high | ack_old, 0)) {
    if (beyond) return old || ack_high || ack_old || p->end - from->maxend > to->maxwin ? R_TCP_SEQ_HIGH : BEYOND;
    if (old) return R_TCP_SEQ_OLD;
    return ack_high ? R_TCP_ACK_HIGH : R_TCP_ACK_OLD;
  }
  return PASS;
}

INLINE void take_segment(session *s, const packet *p, u32 judged) {
  window *from = &s->side[p->side], *to = &s->side[p->side ^ 1];
  if (after(p->end, from->end)) from->end = p->end;
  u32 size = p->window << (s->scales >> (p->side << 2) & 15), edge = from->maxend;
  if (size > from->maxwin) from->maxwin = size;
  if (after(p->ack, from->maxack)) from->maxack = p->ack;
  if (judged == PASS && after(p->end, edge)) to->maxwin += p->end - edge;
  if (!before(p->ack + size, to->maxend)) to->maxend = p->ack + size + (size == 0);
}

INLINE u32 inspect_established(session *s, const packet *p) {
  if (p->options && s->flags & HF_SACK0 << (p->side ^ 1)) return UNSUPPORTED; /* SACK blocks */
  u32 judged = judge_window(s, p);
  if (judged != PASS && judged != BEYOND) return judged;
  take_segment(s, p, judged);
  return PASS;
}

static u32 syn_options(const packet *p) {
  if (!p->options) return 0;
  const u8 *end = p->transport + (p->transport[12] >> 4 << 2);
  u32 found = 0;
  for (const u8 *at = p->transport + 20; at < end;) {
    if (at[0] == 0) break;
    if (at[0] == 1) {
      at++;
      continue;
    }
    if (at + 2 > end || at[1] < 2 || at + at[1] > end) break;
    if (at[0] == 3 && at[1] == 3) found = (found & ~OPTION_SCALE_MASK) | OFFERS_SCALE | (at[2] < SCALE_MAX ? at[2] : SCALE_MAX);
    if (at[0] == 4 && at[1] == 2) found |= PERMITS_SACK;
    at += at[1];
  }
  return found;
}

static void start_side(session *s, session_rest *rest, const packet *p) {
  u32 side = p->side, options = syn_options(p), shift = side << 2;
  s->side[side] = (window){p->end, p->end, max32(p->window, 1), 0};
  rest->first[side] = p->seq + 1;
  s->scales = (u8)((s->scales & ~(15u << shift)) | (options & OPTION_SCALE_MASK) << shift);
  rest->offered = (u8)((rest->offered & ~(1u << side)) | ((options & OFFERS_SCALE) != 0) << side);
  s->flags = (u8)((s->flags & ~(HF_SACK0 << side) & ~(HF_ACKED0 << side)) | (options & PERMITS_SACK ? HF_SACK0 << side : 0));
}

static void note_ack(session *s, const packet *p) {
  window *from = &s->side[p->side], *to = &s->side[p->side ^ 1];
  u32 acked = HF_ACKED0 << p->side;
  if (!(s->flags & acked) || after(p->ack, from->maxack)) from->maxack = p->ack;
  s->flags |= (u8)acked;
  if (!before(p->ack + p->window, to->maxend)) to->maxend = p->ack + p->window + (p->window == 0);
}

static bool acknowledges_start(const session *s, const session_rest *rest, u32 side, u32 ack) {
  return !before(ack, rest->first[side]) && !after(ack, s->side[side].end);
}

/* A handshake without surprises; everything else is not supported. */
SLOW u32 inspect(u32 slot, session *s, const packet *p) {
  session_rest *rest = &fw.cold[slot];
  u32 responder = p->side ^ (s->flags & HF_INITIATOR1), kind = p->flags & (SYN | ACK | FIN | RST);
  if (s->state == ST_SYN_SENT && responder && kind == (SYN | ACK)) {
    if (!acknowledges_start(s, rest, p->side ^ 1u, p->ack)) return R_TCP_HANDSHAKE;
    start_side(s, rest, p);
    if (rest->offered != 3) s->scales = 0;
    note_ack(s, p);
    s->state = ST_SYN_RECV;
    s->timer = TIMER_SYNWAIT;
    return PASS;
  }
  if (s->state == ST_SYN_RECV && !responder && kind == ACK) {
    if (before(p->seq, rest->first[p->side])) return R_TCP_HANDSHAKE;
    if (!acknowledges_start(s, rest, p->side ^ 1u, p->ack)) return R_TCP_HANDSHAKE;
    u32 judged = inspect_established(s, p);
    if (judged != PASS) return judged;
    note_ack(s, p);
    unlink_half_open(slot);
    s->state = ST_ESTABLISHED;
    s->timer = rest->idle_timer;
    return PASS;
  }
  return UNSUPPORTED;
}

#endif
