/* What structures.h says, one structure after the other. */
#include "structures.h"
#include "machine.h"

#define STATE(field) (L_STATE_AT + (field))

static uint32_t hot(uint32_t slot) { return at_hot + slot * L_HOT_SIZE; }
static uint32_t cold(uint32_t slot) { return at_cold + slot * L_COLD_SIZE; }
static uint32_t tag_at(uint32_t slot) { return at_tags + slot * 2; }
static uint64_t counter(uint32_t index) { return get64(STATE(L_S_COUNTERS) + index * 8); }

static uint64_t pair(uint64_t key, uint32_t seed) {
  const uint64_t a = get64(STATE(L_S_SEEDS) + seed * 8), b = get64(STATE(L_S_SEEDS) + seed * 8 + 8);
  return (a + (key >> 32)) * (b + (uint32_t)key);
}
static uint32_t hash_of(uint64_t key0, uint64_t key1) { return (pair(key0, 0) + pair(key1, 2)) >> 32; }

static uint64_t key0_of(uint32_t slot) { return get64(hot(slot)) & 0x00ffffffffffffffull; }
static uint64_t key1_of(uint32_t slot) { return get64(hot(slot) + 8) & 0x0000ffffffffffffull; }

static bool same_session(uint32_t a, uint32_t b) {
  if (key0_of(a) != key0_of(b) || key1_of(a) != key1_of(b)) return false;
  if (!(get8(hot(a) + L_HOT_KIND) & L_KIND_V6)) return true;
  return memcmp(memory + cold(a) + L_COLD_ADDRESS0, memory + cold(b) + L_COLD_ADDRESS0, 32) == 0;
}

static bool is_half_open(uint32_t state) {
  return state == L_ST_SYN_SENT || state == L_ST_SYN_RECV || state == L_ST_SYN_SENT2 || state == L_ST_OPENING;
}

static void check_session(uint32_t slot, uint64_t now) {
  const uint32_t record = hot(slot);
  const uint32_t kind = get8(record + L_HOT_KIND), state = get8(record + L_HOT_STATE);
  const bool tcp = (kind & ~L_KIND_V6) == L_KIND_TCP4;
  const bool known = (kind >= L_KIND_TCP4 && kind <= L_KIND_OTHER4) ||
                     (kind >= L_KIND_TCP6 && kind <= L_KIND_OTHER6 && kind != 12);
  REQUIRE(known, "slot %u has the kind %u", slot, kind);
  const bool tcp_state = (state >= L_ST_SYN_SENT && state <= L_ST_TIME_WAIT) || state == L_ST_SYN_SENT2;
  REQUIRE(tcp ? tcp_state : state == L_ST_OPENING || state == L_ST_OPEN, "slot %u of kind %u is in state %u",
          slot, kind, state);
  const uint64_t end0 = key0_of(slot) & 0x0000ffffffffffffull;
  REQUIRE(end0 <= key1_of(slot), "the sides of slot %u are exchanged", slot);
  for (uint32_t side = 0; side < 2; side++) {
    const uint32_t interface = get8(record + L_HOT_INTERFACE0 + side);
    REQUIRE(interface >= 1 && interface < INTERFACES, "side %u of slot %u lives on interface %u", side, slot,
            interface);
    REQUIRE((get8(record + L_HOT_SCALES) >> (side * 4) & 15) <= 14,
            "slot %u scales its window by more than 14", slot);
  }
  REQUIRE(get32(at_timeouts + get8(record + L_HOT_TIMER) * 4) != 0, "slot %u has no timeout", slot);
  REQUIRE((uint32_t)now - get32(record + L_HOT_LAST_MS) <= L_TIMEOUT_MAX_MS + L_CLOCK_STEP_MAX_MS,
          "slot %u was used in the future", slot);
  REQUIRE(get64(cold(slot) + L_COLD_CREATED_MS) <= now, "slot %u was created in the future", slot);
  const uint64_t id = get64(cold(slot) + L_COLD_ID);
  REQUIRE(id >= 1 && id <= get64(STATE(L_S_LAST_SESSION_ID)), "slot %u has an id that was never given", slot);
}

/** A deleted session that keeps its slot until its DELETE is written. */
static void check_gone(uint32_t slot) {
  REQUIRE(get8(hot(slot) + L_HOT_KIND) & L_KIND_GONE, "deleted slot %u has the key of a session", slot);
  REQUIRE(get8(cold(slot) + L_COLD_PENDING) == L_PENDING_DELETE, "deleted slot %u does not wait", slot);
}

/** Tags, records, overflow counters and the number of sessions tell the same. */
static void check_table(const Expected *expected, void (*live)(uint64_t, uint32_t)) {
  uint16_t overflow[GROUPS] = {0};
  uint32_t sessions = 0, half_open = 0, gone = 0;
  const uint64_t now = get64(STATE(L_S_NOW_MS));
  for (uint32_t slot = 0; slot < GROUPS * L_GROUP_SLOTS; slot++) {
    const uint16_t tag = get16(tag_at(slot));
    if (tag == 0) {
      REQUIRE(get8(hot(slot) + L_HOT_KIND) == L_KIND_FREE, "slot %u has a session and no tag", slot);
      continue;
    }
    if (tag == L_TAG_GONE) {
      check_gone(slot);
      gone++;
      continue;
    }
    sessions++;
    check_session(slot, now);
    half_open += is_half_open(get8(hot(slot) + L_HOT_STATE));
    const uint32_t hash = hash_of(key0_of(slot), key1_of(slot));
    REQUIRE(tag == (uint16_t)(hash | 0x8000), "the tag of slot %u is not that of its key", slot);
    uint32_t group = ((uint64_t)hash * GROUPS) >> 32;
    for (uint32_t steps = 0; group != slot / L_GROUP_SLOTS; steps++) {
      REQUIRE(steps < GROUPS, "slot %u cannot be reached", slot);
      overflow[group]++;
      group = group + 1 == GROUPS ? 0 : group + 1;
    }
    for (uint32_t other = group * L_GROUP_SLOTS; other < slot; other++) {
      if (get16(tag_at(other)) == tag)
        REQUIRE(!same_session(slot, other), "slots %u and %u are one session", other, slot);
    }
    live(get64(cold(slot) + L_COLD_ID), slot);
  }
  for (uint32_t group = 0; group < GROUPS; group++) {
    const uint16_t counted = get16(at_overflow + group * 2);
    REQUIRE(counted == overflow[group], "group %u counts %u overflows, there are %u", group, counted,
            overflow[group]);
  }
  REQUIRE(sessions == get32(STATE(L_S_SESSIONS)), "%u sessions, %u counted", sessions,
          get32(STATE(L_S_SESSIONS)));
  REQUIRE(sessions <= SESSIONS_MAX, "%u sessions", sessions);
  REQUIRE(half_open == get32(STATE(L_S_HALF_OPEN)), "%u half-open, %u counted", half_open,
          get32(STATE(L_S_HALF_OPEN)));
  REQUIRE(gone == get32(STATE(L_S_GONE)), "%u deleted sessions wait, %u counted", gone,
          get32(STATE(L_S_GONE)));
  REQUIRE(gone <= SESSIONS_MAX / L_GONE_SHARE, "%u deleted sessions wait", gone);
  const uint64_t created = counter(L_C_CREATED_TCP) + counter(L_C_CREATED_UDP) + counter(L_C_CREATED_ICMP) +
                           counter(L_C_CREATED_OTHER);
  const uint64_t ended = counter(L_C_EXPIRED) + counter(L_C_CLOSED) + counter(L_C_EVICTED) +
                         counter(L_C_CLEARED) + counter(L_C_REOPENED) + counter(L_C_GONE) +
                         counter(L_C_FLUSHED);
  REQUIRE(created + expected->ids_skipped == get64(STATE(L_S_LAST_SESSION_ID)),
          "%lu sessions created, the last id is %lu", created, get64(STATE(L_S_LAST_SESSION_ID)));
  REQUIRE(created + expected->taken - ended == sessions,
          "%lu sessions created, %lu taken from the peer, %lu ended, %u left", created, expected->taken,
          ended, sessions);
  REQUIRE(counter(L_C_MAX_SESSIONS) >= sessions, "more sessions than ever");
}

/** The list of half-open sessions, both ways; its length was compared with the table. */
static void check_half_open(void) {
  uint32_t before = 0, length = 0;
  for (uint32_t at = get32(STATE(L_S_HALF_OPEN_OLDEST)); at != 0; at = get32(cold(at - 1) + L_COLD_NEWER)) {
    REQUIRE(at <= GROUPS * L_GROUP_SLOTS && get16(tag_at(at - 1)) != 0,
            "the half-open list leads to no session");
    REQUIRE(++length <= get32(STATE(L_S_HALF_OPEN)), "the half-open list has more sessions than are counted");
    REQUIRE(is_half_open(get8(hot(at - 1) + L_HOT_STATE)), "slot %u is in the half-open list and open",
            at - 1);
    REQUIRE(get32(cold(at - 1) + L_COLD_OLDER) == before, "the half-open list differs backwards at slot %u",
            at - 1);
    before = at;
  }
  REQUIRE(before == get32(STATE(L_S_HALF_OPEN_NEWEST)), "the half-open list ends elsewhere");
  REQUIRE(length == get32(STATE(L_S_HALF_OPEN)), "the half-open list has lost sessions");
}

static uint64_t digest_of(uint64_t id, uint64_t version) {
  uint64_t h = id * 0x9e3779b97f4a7c15ull + version;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdull;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return h ^ (h >> 33);
}

/** What a peer is to hear: the queue both ways, and the digests of what it knows. */
static void check_sync(void) {
  uint64_t digests[L_SYNC_BUCKETS] = {0};
  uint32_t waiting = 0, known = 0;
  for (uint32_t slot = 0; slot < GROUPS * L_GROUP_SLOTS; slot++) {
    const uint32_t record = cold(slot), pending = get8(record + L_COLD_PENDING);
    const uint16_t tag = get16(tag_at(slot));
    REQUIRE(tag != 0 || pending == L_PENDING_NONE, "free slot %u waits for the peer", slot);
    REQUIRE(tag == L_TAG_GONE || pending < L_PENDING_DELETE, "slot %u waits with the change %u", slot,
            pending);
    waiting += pending != L_PENDING_NONE;
    REQUIRE(get8(record + L_COLD_MARK) <= L_SYNC_MARKS, "slot %u has a mark that is not given", slot);
    if (tag == 0 || get8(record + L_COLD_MARK) != get32(STATE(L_S_GENERATION_MARK)) + 1) continue;
    known++;
    const uint64_t id = get64(record + L_COLD_ID);
    digests[id % L_SYNC_BUCKETS] ^= digest_of(id, get64(record + L_COLD_VERSION));
  }
  REQUIRE(known == get32(STATE(L_S_KNOWN)), "%u sessions known to the peer, %u counted", known,
          get32(STATE(L_S_KNOWN)));
  for (uint32_t bucket = 0; bucket < L_SYNC_BUCKETS; bucket++) {
    REQUIRE(digests[bucket] == get64(STATE(L_S_DIGESTS) + bucket * 8), "the digest of bucket %u is wrong",
            bucket);
  }
  REQUIRE(get32(STATE(L_S_GENERATION_MARK)) < L_SYNC_MARKS, "mark %u", get32(STATE(L_S_GENERATION_MARK)));
  REQUIRE(waiting == 0 || get32(STATE(L_S_PEER)) != 0, "%u sessions wait for no peer", waiting);
  REQUIRE(waiting == get32(STATE(L_S_QUEUED)), "%u sessions wait for the peer, %u counted", waiting,
          get32(STATE(L_S_QUEUED)));
  uint32_t before = 0, length = 0;
  for (uint32_t at = get32(STATE(L_S_QUEUE_OLDEST)); at != 0; at = get32(cold(at - 1) + L_COLD_QUEUE_NEWER)) {
    REQUIRE(at <= GROUPS * L_GROUP_SLOTS && get8(cold(at - 1) + L_COLD_PENDING) != L_PENDING_NONE,
            "the queue leads to slot %u, which does not wait", at - 1);
    REQUIRE(++length <= waiting, "the queue has more sessions than wait");
    REQUIRE(get32(cold(at - 1) + L_COLD_QUEUE_OLDER) == before, "the queue differs backwards at slot %u",
            at - 1);
    before = at;
  }
  REQUIRE(before == get32(STATE(L_S_QUEUE_NEWEST)), "the queue ends elsewhere");
  REQUIRE(length == waiting, "the queue has lost sessions");
}

static bool frame_seen[HELD_MAX + 1];

/** Marks the frames of a list; how many there are. */
static uint32_t walk_frames(uint32_t index, const char *list) {
  uint32_t length = 0;
  for (; index != 0; index = get32(at_held + (index - 1) * L_HELD_SIZE + L_H_NEXT), length++) {
    REQUIRE(index <= HELD_MAX, "the %s leads to frame %u", list, index);
    REQUIRE(!frame_seen[index], "held frame %u is in two lists or twice in the %s", index, list);
    frame_seen[index] = true;
  }
  return length;
}

static void check_datagram(uint32_t record) {
  const uint32_t used = get8(record + L_F_USED);
  const uint32_t frames = walk_frames(get32(record + L_F_FIRST_HELD), "list of a datagram");
  REQUIRE(frames == get16(record + L_F_COUNT), "a datagram has %u frames, %u counted", frames,
          get16(record + L_F_COUNT));
  if (used == L_FRAGMENT_POISONED)
    REQUIRE(frames == 0, "a poisoned datagram holds frames");
  else
    REQUIRE(used == L_FRAGMENT_OPEN && frames > 0, "a datagram in state %u holds %u frames", used, frames);
  uint32_t bytes = 0, last = 0;
  for (uint32_t at = get32(record + L_F_FIRST_HELD); at != 0;
       last = at, at = get32(at_held + (at - 1) * L_HELD_SIZE)) {
    const uint32_t frame = at_held + (at - 1) * L_HELD_SIZE;
    const uint32_t from = get32(frame + L_H_FROM), to = get32(frame + L_H_TO),
                   total = get32(record + L_F_TOTAL);
    REQUIRE(from < to && to <= 65535, "a held frame spans %u to %u", from, to);
    REQUIRE(total == 0 || to <= total, "a held frame ends behind its datagram");
    REQUIRE(get32(frame + L_H_CAPTURED) <= L_HELD_FRAME_MAX, "a held frame is too large");
    bytes += to - from;
    for (uint32_t other = get32(record + L_F_FIRST_HELD); other != at;) {
      const uint32_t earlier = at_held + (other - 1) * L_HELD_SIZE;
      REQUIRE(to <= get32(earlier + L_H_FROM) || get32(earlier + L_H_TO) <= from, "held frames overlap");
      other = get32(earlier + L_H_NEXT);
    }
  }
  REQUIRE(used == L_FRAGMENT_POISONED || last == get32(record + L_F_LAST_HELD),
          "a datagram ends with another frame");
  REQUIRE(used == L_FRAGMENT_POISONED || bytes == get32(record + L_F_BYTES),
          "a datagram has %u bytes, %u counted", bytes, get32(record + L_F_BYTES));
  REQUIRE(used == L_FRAGMENT_POISONED || get32(record + L_F_TOTAL) == 0 || bytes < get32(record + L_F_TOTAL),
          "a complete datagram waits");
}

/** Each frame of the pool is in one list; the counts agree. Returns the bytes on the wire that are held. */
static uint64_t check_held(void) {
  memset(frame_seen, 0, sizeof frame_seen);
  uint32_t frames = walk_frames(get32(STATE(L_S_HELD_FREE)), "free list");
  frames += walk_frames(get32(STATE(L_S_HELD_RELEASED)), "list of released frames");
  uint32_t held = 0, datagrams = 0, of_sources = 0;
  uint64_t bytes = 0;
  for (uint32_t place = 0; place < HELD_MAX; place++) {
    const uint32_t record = at_fragments + place * L_FRAGMENT_SIZE;
    of_sources += get16(record + L_F_SOURCE_HELD);
    if (get8(record + L_F_USED) == L_FRAGMENT_FREE) continue;
    datagrams++;
    check_datagram(record);
    held += get16(record + L_F_COUNT);
    for (uint32_t at = get32(record + L_F_FIRST_HELD); at != 0;
         at = get32(at_held + (at - 1) * L_HELD_SIZE)) {
      bytes += get32(at_held + (at - 1) * L_HELD_SIZE + L_H_META + L_M_WIRE);
    }
  }
  REQUIRE(frames + held == HELD_MAX, "%u held frames are in no list", HELD_MAX - frames - held);
  REQUIRE(held == get32(STATE(L_S_HELD_IN_USE)), "%u frames held, %u counted", held,
          get32(STATE(L_S_HELD_IN_USE)));
  REQUIRE(held == of_sources, "%u frames held, %u counted by source", held, of_sources);
  REQUIRE(datagrams == get32(STATE(L_S_DATAGRAMS)), "%u datagrams, %u counted", datagrams,
          get32(STATE(L_S_DATAGRAMS)));
  return bytes;
}

/** Every frame has a verdict that was counted, or is held. */
static void check_counters(uint64_t given, uint64_t given_bytes, uint64_t held_bytes) {
  uint64_t packets = get32(STATE(L_S_HELD_IN_USE)), bytes = held_bytes;
  for (uint32_t reason = 0; reason < L_REASONS_MAX; reason++) {
    const uint32_t at = STATE(L_S_REASON_COUNTERS) + reason * 16;
    if (reason == L_R_HELD) continue;
    packets += get64(at);
    bytes += get64(at + 8);
  }
  REQUIRE(packets == given, "%lu frames given, %lu counted", given, packets);
  REQUIRE(bytes == given_bytes, "%lu bytes given, %lu counted", given_bytes, bytes);
}

void check_structures(const Expected *expected, void (*live)(uint64_t id, uint32_t slot)) {
  check_table(expected, live);
  check_half_open();
  check_sync();
  check_counters(expected->given, expected->given_bytes, check_held());
}
