/* What taken.h says: the slots before and after, and the record behind each difference. */
#include "taken.h"
#include "machine.h"
#include "sessions.h"

#define SLOTS (GROUPS * L_GROUP_SLOTS)
#define STATE(field) (L_STATE_AT + (field))

static const Record *given;
static uint32_t given_count;
static const uint8_t *own_interface;

/** The table before the call. */
static struct {
  bool used;
  uint8_t hot[L_HOT_SIZE], cold[L_COLD_SIZE];
} before[SLOTS];

static bool is_used(uint32_t slot) { return get16(at_tags + slot * 2) & 0x8000; }

void taken_remember(void) {
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    before[slot].used = is_used(slot);
    if (!before[slot].used) continue;
    memcpy(before[slot].hot, memory + at_hot + slot * L_HOT_SIZE, L_HOT_SIZE);
    memcpy(before[slot].cold, memory + at_cold + slot * L_COLD_SIZE, L_COLD_SIZE);
  }
}

/** What lists and the bulk sync change in the cold record of a session that nothing is said about. */
static void blank(uint8_t *cold) {
  memset(cold + L_COLD_OLDER, 0, 8);
  memset(cold + L_COLD_QUEUE_OLDER, 0, 10);
}

static bool is_unchanged(uint32_t slot) {
  uint8_t now[L_COLD_SIZE], then[L_COLD_SIZE];
  memcpy(now, memory + at_cold + slot * L_COLD_SIZE, L_COLD_SIZE);
  memcpy(then, before[slot].cold, L_COLD_SIZE);
  blank(now);
  blank(then);
  return before[slot].used && memcmp(now, then, L_COLD_SIZE) == 0 &&
         memcmp(memory + at_hot + slot * L_HOT_SIZE, before[slot].hot, L_HOT_SIZE) == 0;
}

/** The ends of the session whose records these are. */
static Ends ends_in(const uint8_t *hot, const uint8_t *cold) {
  const uint8_t kind = hot[L_HOT_KIND];
  const uint32_t initiator = hot[L_HOT_FLAGS] & L_HF_INITIATOR1;
  Ends e = {.v6 = (kind & L_KIND_V6) != 0};
  for (uint32_t side = 0; side < 2; side++) {
    const uint8_t *own = hot + (side ^ initiator) * 8;
    e.port[side] = own[L_HOT_PORT0] << 8 | own[L_HOT_PORT0 + 1];
    if (e.v6)
      memcpy(e.address[side], cold + L_COLD_ADDRESS0 + (side ^ initiator) * 16, 16);
    else
      memcpy(e.address[side], own + L_HOT_ADDRESS0, 4);
  }
  const uint8_t plain = kind & ~L_KIND_V6;
  e.protocol = plain == L_KIND_TCP4 ? TCP : plain == L_KIND_UDP4 ? UDP : e.v6 ? ICMPV6 : ICMP;
  if (plain == L_KIND_OTHER4) {
    e.protocol = e.port[0];
    e.port[0] = e.port[1] = 0;
  } else if (plain == L_KIND_ECHO4) {
    e.icmp_type = e.v6 ? 128 : 8;
  } else if (plain == L_KIND_TIMESTAMP4) {
    e.icmp_type = 13;
  }
  return e;
}

static bool has_windows(uint32_t slot, const Record *r, uint32_t initiator) {
  for (uint32_t side = 0; side < 2; side++) {
    const uint32_t at = at_hot + slot * L_HOT_SIZE + L_HOT_WINDOW0 + (side ^ initiator) * L_WINDOW_SIZE;
    const Window w = {get32(at + L_W_END), get32(at + L_W_MAXEND), get32(at + L_W_MAXWIN),
                      get32(at + L_W_MAXACK)};
    if (memcmp(&w, &r->windows[side], sizeof w) != 0) return false;
  }
  return true;
}

/** Whether a slot says what the record says. */
static bool says(uint32_t slot, const Ends *ends, const Record *r) {
  const uint32_t hot = at_hot + slot * L_HOT_SIZE, cold = at_cold + slot * L_COLD_SIZE;
  if (r->action != L_SYNC_ADD && r->action != L_SYNC_UPDATE) return false;
  if (get64(cold + L_COLD_ID) != r->id || get64(cold + L_COLD_VERSION) != r->version) return false;
  if (!same_ends(ends, &r->ends) || get8(hot + L_HOT_STATE) != r->state) return false;
  const uint32_t initiator = get8(hot + L_HOT_FLAGS) & L_HF_INITIATOR1;
  for (uint32_t side = 0; side < 2; side++) {
    const uint32_t own = side ^ initiator;
    const uint8_t interface = r->interface[side];
    if (interface >= L_INTERFACES_MAX) return false;
    if (get8(hot + L_HOT_INTERFACE0 + own) != own_interface[interface]) return false;
    if (get32(hot + L_HOT_BYTES0 + own * 4) != (uint32_t)r->bytes[side]) return false;
    if (get32(cold + L_COLD_BYTES_HIGH0 + own * 4) != r->bytes[side] >> 32) return false;
  }
  if (get32(hot + L_HOT_LAST_MS) != (uint32_t)get64(STATE(L_S_NOW_MS)) - r->idle_ms) return false;
  return ends->protocol != TCP || has_windows(slot, r, initiator);
}

static bool is_impossible(const Ends *e) {
  if (memcmp(e->address[0], e->address[1], 16) == 0) return true;
  if ((e->protocol == TCP || e->protocol == UDP) && (e->port[0] == 0 || e->port[1] == 0)) return true;
  for (uint32_t side = 0; side < 2; side++) {
    const uint8_t *a = e->address[side];
    if (!e->v6 && (a[0] == 0 || a[0] == 127 || a[0] >= 224 || (a[0] == 169 && a[1] == 254))) return true;
    if (e->v6 && (a[0] == 0xff || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80))) return true;
  }
  return false;
}

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

/** A slot that is not as it was: a record says what is there now. */
static void take_changed(uint32_t slot) {
  const uint32_t hot = at_hot + slot * L_HOT_SIZE, cold = at_cold + slot * L_COLD_SIZE;
  const Ends ends = ends_in(memory + hot, memory + cold);
  const uint64_t id = get64(cold + L_COLD_ID);
  const Record *r = NULL;
  for (uint32_t i = 0; i < given_count && r == NULL; i++) {
    if (says(slot, &ends, &given[i])) r = &given[i];
  }
  REQUIRE(r != NULL, "slot %u was changed by no record", slot);
  REQUIRE(!is_impossible(&ends), "session %lu is told of between impossible ends", id);
  Session *s = session_in(id, slot);
  if (s == NULL) s = session_add(id, slot);
  s->ends = ends;
  s->interface[0] = own_interface[r->interface[0]];
  s->interface[1] = own_interface[r->interface[1]];
  s->live = s->stateful = true;
  s->answered = r->state != L_ST_SYN_SENT && r->state != L_ST_OPENING;
  s->told = 0;
  s->last_ms = (int64_t)get64(STATE(L_S_NOW_MS)) - r->idle_ms;
  const uint32_t open = get32(at_timeouts + get8(cold + L_COLD_IDLE_TIMER) * 4);
  s->idle_max = larger(open, get32(at_timeouts + get8(hot + L_HOT_TIMER) * 4));
  if (ends.protocol == TCP) s->idle_max = larger(s->idle_max, get32(at_timeouts + L_TIMER_SYNWAIT * 4));
}

/** A session that was in a slot and is not any more: a record says that it ends, or another has its ends. */
static void check_ended(uint32_t slot) {
  const Ends ends = ends_in(before[slot].hot, before[slot].cold);
  uint64_t id;
  memcpy(&id, before[slot].cold + L_COLD_ID, sizeof id);
  for (uint32_t i = 0; i < given_count; i++) {
    const Record *r = &given[i];
    if (r->action == L_SYNC_END) return;
    Ends other = r->ends;
    if (r->action == L_SYNC_DELETE && r->id == id && same_ends(&ends, &other)) return;
    if (r->action != L_SYNC_ADD) continue;
    if (same_ends(&ends, &other)) return;
    // The same two, with the other one as the initiator.
    other.port[0] = r->ends.port[1], other.port[1] = r->ends.port[0];
    memcpy(other.address[0], r->ends.address[1], 16);
    memcpy(other.address[1], r->ends.address[0], 16);
    if (same_ends(&ends, &other)) return;
  }
  fail("session %lu is ended by no record", id);
}

/** Whether the session in a slot is the one that was there. */
static bool is_same_session(uint32_t slot) {
  const uint32_t cold = at_cold + slot * L_COLD_SIZE;
  const Ends then = ends_in(before[slot].hot, before[slot].cold);
  const Ends now = ends_in(memory + at_hot + slot * L_HOT_SIZE, memory + cold);
  return same_ends(&then, &now) && memcmp(before[slot].cold + L_COLD_ID, memory + cold + L_COLD_ID, 8) == 0;
}

void taken_compare(const Record *records, uint32_t count, const uint8_t *interfaces) {
  given = records;
  given_count = count;
  own_interface = interfaces;
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    if (get64(at_cold + slot * L_COLD_SIZE + L_COLD_ID) != 0) machine_used_slot(slot);
    const bool used = is_used(slot);
    if (used && is_unchanged(slot)) continue;
    if (used) take_changed(slot);
    if (before[slot].used && !(used && is_same_session(slot))) check_ended(slot);
  }
}
