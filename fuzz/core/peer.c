/* What peer.h says: calls of the sync, and what must be true after each. */
#include "peer.h"
#include <stdio.h>
#include "host.h"
#include "judge.h"
#include "record.h"
#include "sessions.h"
#include "taken.h"

#define SLOTS (GROUPS * L_GROUP_SLOTS)
#define STATE(field) (L_STATE_AT + (field))
/** Records in one call: the smallest has 24 bytes. */
#define RECORDS_MAX (L_SYNC_IN_SIZE / L_SR_HEADER_SIZE + 1)
/** Records given in one input: bounds the time of a run and the sessions that are known. */
#define GIVEN_MAX 3000
/** Bytes behind the records that are set: more than a record is long. */
#define BEHIND 1024

static Pairing pairing;
static uint64_t sessions_taken, ids_skipped;
static uint32_t records_given;
/** Own number of each interface of the peer. */
static uint8_t own_interface[L_INTERFACES_MAX];
static uint64_t generation;

static uint64_t counter(uint32_t index) { return get64(STATE(L_S_COUNTERS) + index * 8); }
static uint64_t refusals(void) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < L_SX_COUNT; i++) sum += get64(STATE(L_S_SYNC_REFUSALS) + i * 8);
  return sum;
}

uint64_t peer_sessions_taken(void) { return sessions_taken; }
uint64_t peer_ids_skipped(void) { return ids_skipped; }

void peer_reset(void) {
  pairing = (Pairing){0};
  sessions_taken = ids_skipped = generation = 0;
  records_given = 0;
  peer_number_interfaces(false);
  for (uint32_t i = 0; i <= L_INSPECT_RULES_MAX; i++) put8(STATE(L_S_MAP_INSPECTIONS) + i, i);
  for (uint32_t i = 0; i < L_SERVICES_MAX; i++) put16(STATE(L_S_MAP_SERVICES) + i * 2, i);
}

void peer_number_interfaces(bool differently) {
  memset(own_interface, 0, sizeof own_interface);
  for (uint32_t i = 1; i < INTERFACES; i++) own_interface[i] = differently ? INTERFACES - i : i;
  memcpy(memory + STATE(L_S_MAP_INTERFACES), own_interface, sizeof own_interface);
}

uint8_t peer_interface(uint8_t own) {
  for (uint32_t i = 1; i < INTERFACES; i++) {
    if (own_interface[i] == own) return i;
  }
  return 0;
}

/* ---- roles and the queue */

/** The peer knows none of the sessions in these buckets any more. */
static void forget_told(uint64_t buckets) {
  for (uint32_t i = 0; i < session_count(); i++) {
    Session *s = session_at(i);
    if (buckets >> (s->id % L_SYNC_BUCKETS) & 1) s->told = 0;
  }
}

void peer_set_role(bool standby) {
  host_decide();
  if (host_prints) printf("role %s\n", standby ? "standby" : "active");
  const bool same = standby == pairing.standby;
  core_set_role(standby ? L_ROLE_STANDBY : L_ROLE_ACTIVE);
  REQUIRE(get32(STATE(L_S_ROLE)) == (standby ? L_ROLE_STANDBY : L_ROLE_ACTIVE), "the core has another role");
  if (!standby) {
    // As the host does: sessions of this active are younger than all before.
    const uint64_t least = ++generation << L_GENERATION_SHIFT, last = get64(STATE(L_S_LAST_SESSION_ID));
    if (last < least) {
      put64(STATE(L_S_LAST_SESSION_ID), least);
      ids_skipped += least - last;
    }
  }
  if (!same) {
    forget_told(~0ull);
    pairing.standby = standby;
    pairing.peer = false;
    if (!standby) pairing.promoted_ms = get64(STATE(L_S_NOW_MS)) ? get64(STATE(L_S_NOW_MS)) : 1;
  }
  judge_pairing(pairing);
  host_walk();
}

void peer_come(bool present) {
  host_decide();
  if (pairing.standby) return;
  if (host_prints) printf("peer %u\n", present);
  core_set_peer(present);
  put64(STATE(L_S_RECORDS_ACKED), 0);
  forget_told(~0ull);
  pairing.peer = present;
  pairing.acknowledged = 0;
  judge_pairing(pairing);
  REQUIRE(get32(STATE(L_S_QUEUED)) == 0 && get32(STATE(L_S_GONE)) == 0,
          "what an earlier peer was to hear waits");
  host_walk();
}

void peer_start_bulk(uint64_t buckets) {
  host_decide();
  if (pairing.standby) return;
  if (host_prints) printf("bulk %016lx\n", buckets);
  core_start_bulk(buckets);
  forget_told(buckets);
  host_walk();
}

void peer_ask_verify(void) {
  host_decide();
  put32(STATE(L_S_VERIFY), 1);
}

void peer_scan(uint32_t groups) {
  host_decide();
  if (host_prints) printf("scan %u\n", groups);
  core_scan(groups);
  host_walk();
}

void peer_acknowledge(uint8_t share) {
  host_decide();
  const uint64_t sent = get64(STATE(L_S_RECORDS_SENT)), missing = sent - pairing.acknowledged;
  pairing.acknowledged += share == 255 ? missing : missing * share / 256;
  if (host_prints) printf("acknowledged %lu of %lu\n", pairing.acknowledged, sent);
  put64(STATE(L_S_RECORDS_ACKED), pairing.acknowledged);
  judge_pairing(pairing);
}

void peer_distrust(void) {
  host_decide();
  if (host_prints) printf("distrust\n");
  core_distrust();
  host_walk();
}

void peer_clear_sessions(void) {
  host_decide();
  if (host_prints) printf("clear\n");
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    const bool used = get16(at_tags + slot * 2) & 0x8000;
    if (used) REQUIRE(core_remove(slot) == 1, "slot %u cannot be cleared", slot);
  }
  host_walk();
  REQUIRE(get32(STATE(L_S_SESSIONS)) == 0, "sessions are left");
}

/* ---- records of the core */

static void print_record(const char *what, const uint8_t *at, uint32_t length) {
  printf("%s ", what);
  for (uint32_t i = 0; i < length; i++) printf("%02x", at[i]);
  printf("\n");
}

/** A record that the core has written as the `number`th. */
static void check_written(const uint8_t *at, uint32_t length, uint64_t number) {
  if (host_prints) print_record("written", at, length);
  Record r;
  REQUIRE(length != 0 && read_record(at, length, &r), "record %lu cannot be read", number);
  REQUIRE(r.action != L_SYNC_REQUEST, "an active asks for a session");
  if (r.action >= L_SYNC_BEGIN) return;
  Session *s = session_between(r.id, &r.ends);
  if (r.action == L_SYNC_DELETE) {
    REQUIRE(s == NULL, "session %lu is told to be over and lives", r.id);
    return;
  }
  REQUIRE(s != NULL, "record %lu is about no session", number);
  REQUIRE(s->stateful, "the peer is told of session %lu", s->id);
  REQUIRE(r.interface[0] == s->interface[0] && r.interface[1] == s->interface[1],
          "the peer is told of session %lu between other interfaces", s->id);
  REQUIRE(r.action == L_SYNC_ADD || s->told != 0, "a change of session %lu, which the peer does not know",
          s->id);
  if (r.action == L_SYNC_ADD) s->told = number;
}

const uint8_t *peer_write(uint32_t budget, uint32_t *size) {
  host_decide();
  // Sessions may have ended.
  host_walk_calls();
  const uint64_t before = get64(STATE(L_S_RECORDS_SENT));
  *size = core_write_records(budget);
  const uint8_t *records = memory + at_syncOut;
  REQUIRE(*size <= budget && *size <= L_SYNC_OUT_SIZE, "%u bytes of records for a budget of %u", *size,
          budget);
  REQUIRE(pairing.peer || *size == 0, "records for no peer");
  uint64_t number = before;
  for (uint32_t at = 0, length; at < *size; at += length) {
    length = record_length(records + at, *size - at);
    check_written(records + at, length, ++number);
  }
  REQUIRE(number == get64(STATE(L_S_RECORDS_SENT)), "%lu records written, %lu counted", number - before,
          get64(STATE(L_S_RECORDS_SENT)) - before);
  for (uint32_t i = 0; i < *size; i += 4) host_mix(get32(at_syncOut + i));
  host_walk();
  return records;
}

/* ---- records for the core */

static Record given[RECORDS_MAX];
static uint32_t given_count;

/** What the core asks its peer for: sessions that an UPDATE was about. */
static void check_replies(void) {
  const uint32_t size = get32(STATE(L_S_REPLIES));
  REQUIRE(size <= L_SYNC_REPLY_SIZE, "%u bytes of replies", size);
  const uint8_t *replies = memory + at_syncReply;
  for (uint32_t at = 0, length; at < size; at += length) {
    length = record_length(replies + at, size - at);
    Record reply;
    REQUIRE(length != 0 && read_record(replies + at, length, &reply) && reply.action == L_SYNC_REQUEST,
            "a reply cannot be read");
    bool asked = false;
    for (uint32_t i = 0; i < given_count && !asked; i++) {
      const Record *r = &given[i];
      asked = r->action == L_SYNC_UPDATE && r->id == reply.id && same_ends(&r->ends, &reply.ends);
    }
    REQUIRE(asked, "session %lu is asked for and no record was about it", reply.id);
  }
}

/** Reads the records as the core should; how many there are, and whether something cut short follows. */
static uint32_t read_given(const uint8_t *bytes, uint32_t size, bool *broken) {
  uint32_t count = 0;
  given_count = 0;
  *broken = false;
  for (uint32_t at = 0, length; at < size; at += length, count++) {
    length = record_length(bytes + at, size - at);
    *broken = length == 0;
    if (*broken) break;
    if (host_prints) print_record("given", bytes + at, length);
    if (read_record(bytes + at, length, &given[given_count])) given_count++;
  }
  return count;
}

/** Of the records that can be read, those that the role may take. */
static uint32_t takable(void) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < given_count; i++)
    count += (given[i].action == L_SYNC_REQUEST) != pairing.standby;
  return count;
}

void peer_give(const uint8_t *bytes, uint32_t size, uint8_t filler) {
  host_decide();
  // Sessions may have ended.
  host_walk_calls();
  if (size > L_SYNC_IN_SIZE) size = L_SYNC_IN_SIZE;
  bool broken;
  const uint32_t count = read_given(bytes, size, &broken);
  records_given += count;
  if (records_given > GIVEN_MAX) return;
  memcpy(memory + at_syncIn, bytes, size);
  const uint32_t behind = L_SYNC_IN_SIZE - size;
  memset(memory + at_syncIn + size, filler, behind < BEHIND ? behind : BEHIND);
  const uint64_t looked_at = get64(STATE(L_S_RECORDS_TAKEN)), refused = refusals();
  const uint64_t sessions = get32(STATE(L_S_SESSIONS)), last_id = get64(STATE(L_S_LAST_SESSION_ID));
  const uint64_t ended = counter(L_C_GONE) + counter(L_C_FLUSHED), adds = counter(L_C_TAKEN_ADD);
  taken_remember();

  const uint32_t applied = core_take_records(size);
  if (host_prints) printf("  -> %u applied, %lu refused\n", applied, refusals() - refused);
  REQUIRE(get64(STATE(L_S_RECORDS_TAKEN)) - looked_at == count, "%u records given, %lu looked at", count,
          get64(STATE(L_S_RECORDS_TAKEN)) - looked_at);
  REQUIRE(applied + (refusals() - refused) == count + broken, "%u records given, %u applied, %lu refused",
          count + broken, applied, refusals() - refused);
  REQUIRE(applied <= takable(), "%u records applied, %u could be", applied, takable());
  const uint64_t ended_now = counter(L_C_GONE) + counter(L_C_FLUSHED) - ended;
  const uint64_t brought = get32(STATE(L_S_SESSIONS)) + ended_now - sessions;
  REQUIRE(brought <= counter(L_C_TAKEN_ADD) - adds, "%lu sessions brought by %lu records", brought,
          counter(L_C_TAKEN_ADD) - adds);
  sessions_taken += brought;
  ids_skipped += get64(STATE(L_S_LAST_SESSION_ID)) - last_id;
  taken_compare(given, given_count, own_interface);
  check_replies();
  host_mix(applied | (uint64_t)get32(STATE(L_S_SESSIONS)) << 32);
  host_mix(get64(STATE(L_S_DIFFERENCE)));
  host_walk();
}
