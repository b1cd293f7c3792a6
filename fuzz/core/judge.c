/* What judge.h says: sessions as they were seen, and what a packet that passes must fulfil. */
#include "judge.h"
#include "machine.h"
#include "packet.h"
#include "policies.h"
#include "sessions.h"

static const Policy *policy;
static uint64_t now;
static Pairing pairing;

/** Longest idle timeouts of the policies, ms. */
static int64_t idle_max(const Packet *p) {
  if (p->protocol == TCP) return 600000;
  if (p->protocol == UDP) return 30000;
  return p->protocol == (p->v6 ? ICMPV6 : ICMP) ? 10000 : 40000;
}

const char *reason_name(uint32_t reason) {
  switch (reason) {
#define REASON(code, name, verdict) \
  case code: return #name;
    REASONS(REASON)
#undef REASON
    default: return NULL;
  }
}

static uint32_t verdict_of(uint32_t reason) {
  switch (reason) {
#define REASON(code, name, verdict) \
  case code: return verdict;
    REASONS(REASON)
#undef REASON
    default: return L_VERDICT_NONE;
  }
}

void judge_reset(void) {
  sessions_reset();
  pairing = (Pairing){0};
}

void judge_pairing(Pairing next) { pairing = next; }

/* ---- one packet */

static uint32_t ingress_of(const Output *o, const Packet *p, const Tags *tags) {
  if (o->given_ingress == 0) return interface_toward(policy, p->v6, p->source);
  uint32_t ingress = o->given_ingress;
  const bool has_guests = policy->interfaces[GUEST].up;
  for (uint32_t i = 0; i < tags->count; i++) {
    if (ingress != TRUNK || tags->ids[i] == 0) continue;
    if (tags->ids[i] == 10)
      ingress = DMZ;
    else if (tags->ids[i] == 20 && has_guests)
      ingress = GUEST;
    else
      fail("a frame with VLAN %u passes", tags->ids[i]);
  }
  return ingress;
}

static bool no_host4(const uint8_t *a) {
  return a[0] == 0 || a[0] == 127 || (a[0] == 169 && a[1] == 254) || a[0] >= 224;
}
static bool no_host6(const uint8_t *a) {
  static const uint8_t ZERO[12];
  const bool mapped = memcmp(a, ZERO, 10) == 0 && (word(a + 8) == 0 || word(a + 8) == 0xffff);
  return mapped || a[0] == 0xff || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

/** What no packet may be, session or not. */
static void require_sound(const Output *o, const Packet *p) {
  REQUIRE(p->ttl > 1, "a packet with TTL %u passes", p->ttl);
  REQUIRE(memcmp(p->source, p->destination, 16) != 0, "a packet to its own source passes");
  for (uint32_t i = 0; i < 2; i++) {
    const uint8_t *address = i == 0 ? p->source : p->destination;
    REQUIRE(!(p->v6 ? no_host6(address) : no_host4(address)), "a packet with an impossible address passes");
  }
  if (p->protocol == TCP) {
    static const uint8_t FLAGS[] = {SYN,       SYN | URG,       SYN | ACK, RST,      RST | ACK,
                                    FIN | ACK, FIN | ACK | URG, ACK,       ACK | URG};
    bool known = false;
    for (uint32_t i = 0; i < sizeof FLAGS; i++) known |= (p->tcp_flags & ~PSH) == FLAGS[i];
    REQUIRE(known, "a segment with flags %02x passes", p->tcp_flags);
  }
  if (p->protocol == TCP || p->protocol == UDP)
    REQUIRE(p->source_port != 0 && p->destination_port != 0, "a packet with port 0 passes");
  if (p->protocol == ICMP && !p->v6) REQUIRE(p->icmp_type != 4 && p->icmp_type != 5, "a redirect passes");
  if (p->v6 && p->protocol == ICMPV6)
    REQUIRE(p->icmp_type < 133 || p->icmp_type > 137, "neighbour discovery is forwarded");
  if (p->fragment) return;
  const bool header_ok = (o->flags & L_DF_HEADER_CHECKSUM_OK) != 0,
             transport_ok = (o->flags & L_DF_CHECKSUM_OK) != 0;
  const char *wrong = wrong_checksum(p, header_ok, transport_ok);
  REQUIRE(wrong == NULL, "a packet with a wrong checksum passes: %s", wrong);
}

static bool permits(Condition *list, const Packet *p) { return list == NULL || list(p); }

/** Whether the packet may open a session. */
static bool may_begin(const Packet *p) {
  if (p->protocol == TCP) return (p->tcp_flags & (SYN | ACK | RST | FIN)) == SYN;
  if (p->protocol == (p->v6 ? ICMPV6 : ICMP)) return is_query(p) && is_request(p);
  return true;
}

/** Whether what the packet answers is admitted without inspection. */
static bool answers_admitted(const Packet *p, const Bound *from, const Bound *to) {
  if (policy->block_non_session) return false;
  Condition *in = to->list_in[p->v6], *out = from->list_out[p->v6];
  const Packet mirror = mirrored(p);
  return (in != NULL || out != NULL) && permits(in, &mirror) && permits(out, &mirror);
}

static bool is_inspected(const Packet *p, const Bound *from, const Bound *to) {
  Condition *in = from->inspect_in[p->v6], *out = to->inspect_out[p->v6];
  return (in != NULL && in(p)) || (out != NULL && out(p));
}

/** A packet that passes without a session: everything on its way allows it. */
static void require_allowed(const Output *o, const Packet *p) {
  const Bound *from = &policy->interfaces[o->ingress], *to = &policy->interfaces[o->egress];
  const char *why = reason_name(o->reason);
  REQUIRE(from->takes[p->v6], "%s: interface %u takes no such packets", why, o->ingress);
  REQUIRE(o->egress == egress_of(policy, o->ingress, p), "%s: leaves by interface %u", why, o->egress);
  REQUIRE(interface_toward(policy, p->v6, p->source) != 0, "%s: the source is no neighbour's", why);
  REQUIRE(permits(from->source[p->v6], p), "%s: the source cannot be behind interface %u", why, o->ingress);
  REQUIRE(permits(from->list_in[p->v6], p), "%s: the inbound list of interface %u denies it", why,
          o->ingress);
  REQUIRE(permits(to->list_out[p->v6], p), "%s: the outbound list of interface %u denies it", why, o->egress);
  if (o->reason == L_R_NEW_SESSION) {
    REQUIRE(may_begin(p), "new_session: this packet begins nothing");
    REQUIRE(is_inspected(p, from, to), "new_session: not inspected");
  } else {
    REQUIRE(o->session == 0 && o->slot == 0, "permitted: has a session");
    REQUIRE(!is_inspected(p, from, to) || (!may_begin(p) && answers_admitted(p, from, to)),
            "permitted: is inspected");
  }
}

/** Silent since a take-over that was not long ago: the standby may have been told late of it. */
static bool is_spared(const Session *s) {
  return pairing.promoted_ms != 0 && s->last_ms <= (int64_t)pairing.promoted_ms &&
         now - pairing.promoted_ms < L_PROMOTED_IDLE_MIN_MS;
}

static Session *session_of(const Output *o) {
  REQUIRE(o->session >= 1 && o->slot >= 1, "%s: no session", reason_name(o->reason));
  Session *s = session_in(o->session, o->slot - 1);
  REQUIRE(s != NULL, "%s: session %lu was not seen to begin in slot %u", reason_name(o->reason), o->session,
          o->slot - 1);
  REQUIRE(s->live, "%s: session %lu is over", reason_name(o->reason), o->session);
  const int64_t idle = (int64_t)now - s->last_ms;
  REQUIRE(idle < s->idle_max || is_spared(s), "%s: session %lu was idle for %ld ms", reason_name(o->reason),
          o->session, idle);
  return s;
}

/** Whether the peer is told of the session that the packet begins. */
static bool is_stateful(const Output *o, const Packet *p) {
  const Bound *from = &policy->interfaces[o->ingress], *to = &policy->interfaces[o->egress];
  Condition *in = from->inspect_in[p->v6];
  return in != NULL && in(p) ? from->stateful_in[p->v6] : to->stateful_out[p->v6];
}

static void judge_new(const Output *o, const Packet *p) {
  require_allowed(o, p);
  REQUIRE(o->session != 0 && !session_id_known(o->session), "new_session: session %lu began before",
          o->session);
  Session *s = session_add(o->session, o->slot - 1);
  s->ends = (Ends){.v6 = p->v6,
                   .protocol = p->protocol,
                   .icmp_type = p->icmp_type,
                   .port = {p->source_port, p->destination_port}};
  memcpy(s->ends.address[0], p->source, 16);
  memcpy(s->ends.address[1], p->destination, 16);
  s->interface[0] = o->ingress;
  s->interface[1] = o->egress;
  s->last_ms = now;
  s->idle_max = idle_max(p);
  s->stateful = is_stateful(o, p);
  REQUIRE(o->side == 0, "new_session: comes from the responder");
}

static uint32_t piece_count;

/**
 * The first reply of a session waits until the peer knows it, and nothing else does. Datagrams from fragments
 * come after the other packets of a call: then nothing can be said of what is first.
 */
static void judge_deferral(const Output *o, const Packet *p, Session *s) {
  const bool waits = policy->defers && pairing.peer && s->stateful &&
                     (s->told == 0 || s->told > pairing.acknowledged);
  const bool deferred = (o->flags & L_DF_DEFERRED) != 0;
  REQUIRE(!deferred || (waits && o->side == 1), "a packet of session %lu waits for the peer", s->id);
  if (o->side == 0) return;
  const bool opens = p->protocol != TCP || (p->tcp_flags & (SYN | RST)) == SYN;
  REQUIRE(deferred || !waits || !opens || s->answered || piece_count != 0,
          "the first reply of session %lu does not wait for the peer", s->id);
  s->answered = true;
}

static void judge_established(const Output *o, const Packet *p) {
  Session *s = session_of(o);
  const int side = sender_in(s, p);
  REQUIRE(side >= 0, "established: not a packet of session %lu", o->session);
  REQUIRE(o->side == side, "established: the side is %u", o->side);
  REQUIRE(o->ingress == s->interface[side], "established: comes in by interface %u", o->ingress);
  REQUIRE(o->egress == s->interface[side ^ 1], "established: leaves by interface %u", o->egress);
  if (is_query(p)) REQUIRE(is_request(p) == (side == 0), "established: a query in the wrong direction");
  judge_deferral(o, p, s);
  s->last_ms = now;
}

static void judge_related(const Output *o, const Packet *p) {
  REQUIRE(is_icmp_error(p), "related: no ICMP error");
  Session *s = session_of(o);
  Packet quoted;
  const uint32_t size = p->available > 8 ? p->available - 8 : 0;
  const char *wrong = read_ip(p->transport + 8, size, size, true, &quoted);
  REQUIRE(wrong == NULL, "related: %s", wrong);
  const int side = sender_in(s, &quoted);
  REQUIRE(side >= 0, "related: quotes no packet of session %lu", o->session);
  REQUIRE(memcmp(quoted.source, p->destination, 16) == 0, "related: is not for the sender of what it quotes");
  REQUIRE(o->ingress == s->interface[side ^ 1], "related: comes in by interface %u", o->ingress);
  REQUIRE(o->egress == s->interface[side], "related: leaves by interface %u", o->egress);
}

static void judge_pass(const Output *o, const Packet *p) {
  REQUIRE(!pairing.standby, "%s: a standby lets a packet pass", reason_name(o->reason));
  require_sound(o, p);
  REQUIRE(!p->fragment || !policy->interfaces[o->ingress].refuses_fragments[p->v6],
          "a fragment from interface %u passes", o->ingress);
  REQUIRE(o->ingress >= 1 && o->ingress < INTERFACES && policy->interfaces[o->ingress].up,
          "comes in by interface %u", o->ingress);
  REQUIRE(o->egress >= 1 && o->egress < INTERFACES, "leaves by interface %u", o->egress);
  if (o->reason == L_R_ESTABLISHED)
    judge_established(o, p);
  else if (o->reason == L_R_RELATED)
    judge_related(o, p);
  else if (o->reason == L_R_NEW_SESSION)
    judge_new(o, p);
  else
    require_allowed(o, p);
}

/** A list that says no says it to what it does not permit. */
static void judge_denied(const Output *o) {
  Packet p;
  Tags tags;
  if (!policy->exact || read_packet(o->frame, o->captured, o->wire, o->ethertype, &p, &tags) != NULL ||
      p.fragment)
    return;
  const bool in = o->reason == L_R_ACL_IN_DENY || o->reason == L_R_ACL_IN_IMPLICIT;
  const uint32_t egress = egress_of(policy, o->ingress, &p);
  REQUIRE(o->ingress < INTERFACES && (in || egress < INTERFACES), "%s: between %u and %u",
          reason_name(o->reason), o->ingress, egress);
  Condition *list =
      in ? policy->interfaces[o->ingress].list_in[p.v6] : policy->interfaces[egress].list_out[p.v6];
  REQUIRE(list != NULL && !list(&p), "%s: the list permits it", reason_name(o->reason));
}

/* ---- a call */

#define OUTPUTS_MAX (BATCH_MAX + 2 * HELD_MAX)
typedef struct {
  const Output *output;
  Packet packet;
  bool done;
} Piece;
static Piece pieces[OUTPUTS_MAX];

static bool same_datagram(const Piece *a, const Piece *b) {
  const Output *x = a->output, *y = b->output;
  return a->packet.v6 == b->packet.v6 && a->packet.identification == b->packet.identification &&
         memcmp(a->packet.source, b->packet.source, 16) == 0 &&
         memcmp(a->packet.destination, b->packet.destination, 16) == 0 && x->ingress == y->ingress &&
         x->reason == y->reason && x->session == y->session && x->egress == y->egress &&
         (a->packet.v6 || a->packet.protocol == b->packet.protocol);
}

/** The datagram that the pieces of `first` are, put together. */
static void require_checksum(const Piece *first, uint32_t total) {
  static uint8_t datagram[65536];
  Packet whole = first->packet;
  for (uint32_t i = 0; i < piece_count; i++) {
    const Packet *piece = &pieces[i].packet;
    if (!same_datagram(first, &pieces[i])) continue;
    if (pieces[i].output->flags & L_DF_CHECKSUM_OK) return;
    memcpy(datagram + piece->from, piece->piece, piece->to - piece->from);
  }
  const uint32_t headers = (uint32_t)(whole.transport - whole.piece);
  whole.transport = datagram + headers;
  whole.length = whole.available = total - headers;
  const char *wrong = wrong_checksum(&whole, true, false);
  REQUIRE(wrong == NULL, "a datagram in fragments passes: %s", wrong);
}

/**
 * The pieces of datagrams that passed: together with those of its kind each covers its datagram once, and the
 * first one is judged for all. Several datagrams may look alike: then each byte is covered as often as there
 * are ends.
 */
static void judge_pieces(bool beginnings) {
  for (uint32_t i = 0; i < piece_count; i++) {
    Piece *first = &pieces[i];
    if (first->done || first->packet.from != 0 || (first->output->reason == L_R_NEW_SESSION) != beginnings)
      continue;
    uint32_t firsts = 0, lasts = 0, bytes = 0, total = 0;
    for (uint32_t j = 0; j < piece_count; j++) {
      Piece *piece = &pieces[j];
      if (!same_datagram(first, piece)) continue;
      piece->done = true;
      firsts += piece->packet.from == 0;
      bytes += piece->packet.to - piece->packet.from;
      if (piece->packet.more) continue;
      lasts++;
      total += piece->packet.to;
    }
    REQUIRE(firsts == lasts && bytes == total, "fragments of %u bytes pass of datagrams of %u", bytes, total);
    REQUIRE(firsts == 1 || first->output->reason != L_R_NEW_SESSION, "two datagrams begin session %lu",
            first->output->session);
    if (firsts == 1) require_checksum(first, total);
    judge_pass(first->output, &first->packet);
  }
  for (uint32_t i = 0; i < piece_count && !beginnings; i++) {
    REQUIRE(pieces[i].done, "%s: a fragment passes without its first one",
            reason_name(pieces[i].output->reason));
  }
}

/** What holds for every verdict. */
static void judge_form(const Output *o) {
  REQUIRE(reason_name(o->reason) != NULL, "reason %u has no name", o->reason);
  REQUIRE(verdict_of(o->reason) == o->verdict, "%s with verdict %u", reason_name(o->reason), o->verdict);
  // What is too large is told the MTU of the interface that it would leave by.
  const bool has_way = o->verdict == L_VERDICT_PASS || o->reason == L_R_TOO_BIG;
  REQUIRE(has_way == (o->egress != 0), "%s: leaves by interface %u",
          reason_name(o->reason), o->egress);
  REQUIRE((o->session == 0) == (o->slot == 0), "%s: session %lu in slot %u", reason_name(o->reason),
          o->session, o->slot);
  REQUIRE(o->rule <= RULES_MAX, "%s: rule %u", reason_name(o->reason), o->rule);
  REQUIRE(!(o->flags & L_DF_DEFERRED) || o->reason == L_R_ESTABLISHED, "%s: waits for the peer",
          reason_name(o->reason));
  REQUIRE(o->reason != L_R_STANDBY || pairing.standby, "an active refuses as a standby");
}

void judge(const Output *outputs, uint32_t count, uint32_t policy_number, uint64_t now_ms) {
  policy = &POLICIES_BY_NUMBER[policy_number];
  now = now_ms;
  piece_count = 0;
  for (uint32_t round = 0; round < 2; round++) {
    const bool beginnings = round == 0;
    for (uint32_t i = 0; i < count; i++) {
      const Output *o = &outputs[i];
      if (beginnings) judge_form(o);
      if (!beginnings && o->reason >= L_R_ACL_IN_DENY && o->reason <= L_R_ACL_OUT_IMPLICIT) judge_denied(o);
      if (o->verdict != L_VERDICT_PASS) continue;
      Packet p;
      Tags tags;
      const char *wrong = read_packet(o->frame, o->captured, o->wire, o->ethertype, &p, &tags);
      REQUIRE(wrong == NULL, "%s: passes and cannot be read: %s", reason_name(o->reason), wrong);
      if (beginnings) {
        const uint32_t ingress = ingress_of(o, &p, &tags);
        REQUIRE(ingress == o->ingress || (o->given_ingress == 0 && (ingress == 0 || ingress == NOWHERE)),
                "ingress %u instead of %u", o->ingress, ingress);
        if (p.fragment) pieces[piece_count++] = (Piece){o, p, false};
      }
      if (!p.fragment && (o->reason == L_R_NEW_SESSION) == beginnings) judge_pass(o, &p);
    }
    judge_pieces(beginnings);
  }
}

void judge_begin_live(void) {
  for (uint32_t i = 0; i < session_count(); i++) session_at(i)->found = false;
}

void judge_live(uint64_t id, uint32_t slot) {
  Session *s = session_in(id, slot);
  REQUIRE(s != NULL && s->live, "session %lu is in slot %u and should not", id, slot);
  s->found = true;
}

void judge_end_live(void) {
  for (uint32_t i = 0; i < session_count(); i++) session_at(i)->live &= session_at(i)->found;
}
