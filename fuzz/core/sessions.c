/* What sessions.h says: a list of sessions, chained by id. */
#include "sessions.h"
#include "machine.h"

#define SESSIONS_SEEN_MAX 8192u
#define CHAINS 4096u
static Session sessions[SESSIONS_SEEN_MAX + 1];
/** Number of the first of each chain, 0 none. */
static uint16_t chains[CHAINS];
static uint32_t count;

static uint32_t chain_of(uint64_t id) { return (id * 0x9e3779b97f4a7c15ull) >> 52; }

void sessions_reset(void) {
  memset(chains, 0, sizeof chains);
  count = 0;
}

Session *session_in(uint64_t id, uint32_t slot) {
  for (uint32_t at = chains[chain_of(id)]; at != 0; at = sessions[at].next) {
    if (sessions[at].id == id && sessions[at].slot == slot) return &sessions[at];
  }
  return NULL;
}

Session *session_between(uint64_t id, const Ends *ends) {
  for (uint32_t at = chains[chain_of(id)]; at != 0; at = sessions[at].next) {
    Session *s = &sessions[at];
    if (s->id == id && s->live && same_ends(&s->ends, ends)) return s;
  }
  return NULL;
}

bool session_id_known(uint64_t id) {
  for (uint32_t at = chains[chain_of(id)]; at != 0; at = sessions[at].next) {
    if (sessions[at].id == id) return true;
  }
  return false;
}

Session *session_add(uint64_t id, uint32_t slot) {
  REQUIRE(count < SESSIONS_SEEN_MAX, "more sessions than there is room for");
  Session *s = &sessions[++count];
  uint16_t *chain = &chains[chain_of(id)];
  *s = (Session){.id = id, .slot = slot, .live = true, .next = *chain};
  *chain = count;
  return s;
}

uint32_t session_count(void) { return count; }
Session *session_at(uint32_t index) { return &sessions[index + 1]; }

bool same_ends(const Ends *a, const Ends *b) {
  return a->v6 == b->v6 && a->protocol == b->protocol && a->icmp_type == b->icmp_type &&
         memcmp(a->address, b->address, sizeof a->address) == 0 && a->port[0] == b->port[0] &&
         a->port[1] == b->port[1];
}

int sender_in(const Session *s, const Packet *p) {
  const Ends *ends = &s->ends;
  if (ends->v6 != p->v6 || ends->protocol != p->protocol) return -1;
  if (p->protocol == (p->v6 ? ICMPV6 : ICMP)) {
    if (!is_query(p)) return -1;
    const bool echo = ends->v6 || ends->icmp_type == 8;
    if (echo != (p->v6 || p->icmp_type == 8 || p->icmp_type == 0)) return -1;
  }
  for (int side = 0; side < 2; side++) {
    if (memcmp(p->source, ends->address[side], 16) != 0 ||
        memcmp(p->destination, ends->address[side ^ 1], 16) != 0)
      continue;
    if (p->source_port == ends->port[side] && p->destination_port == ends->port[side ^ 1]) return side;
  }
  return -1;
}
