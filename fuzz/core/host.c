/* What host.h says: frames in, checked answers out. */
#include "host.h"
#include <stdio.h>
#include <stdlib.h>
#include "forward.h"
#include "judge.h"
#include "peer.h"
#include "structures.h"

/** Frames of one input: bounds the time of a run. */
#define FRAMES_MAX 1600
/** All structures are walked after each of the first calls, later after every so many. */
#define CALLS_WALKED 4
#define CALLS_PER_WALK 8

bool host_prints;

/* ---- what has been handed over */

static Given batch[BATCH_MAX];
static uint32_t batch_length;
/** Bytes of the region `bytes` that the batch takes, from its end. */
static uint32_t batch_bytes;
static uint32_t batch_size;
static uint8_t filler;

static uint64_t now_ms;
static uint32_t policy;
static uint64_t given, given_bytes;
static uint32_t calls, calls_not_walked;
/** The verdicts so far, in short. */
static uint64_t fingerprint;

/** The region `bytes` before the call: a live core writes to frames that pass. */
static uint8_t before[size_bytes];
static uint32_t before_from = size_bytes;

static void keep_frames(void) {
  before_from = forward_is_live ? size_bytes - batch_bytes : size_bytes;
  memcpy(before + before_from, memory + at_bytes + before_from, size_bytes - before_from);
}

static bool is_kept(const Given *g) {
  return forward_is_live && g->at >= at_bytes + before_from && (uint64_t)g->at + g->captured <= at_bytes + size_bytes;
}

/** The bytes of a frame as it was handed over. */
static const uint8_t *bytes_before(const Given *g) {
  return is_kept(g) ? before + (g->at - at_bytes) : memory + g->at;
}

/** Only frames that leave were written to, with the room before them. */
static void check_frames(uint32_t decided) {
  if (!forward_is_live) return;
  static uint8_t expected[size_bytes];
  memcpy(expected + before_from, before + before_from, size_bytes - before_from);
  for (uint32_t i = 0; i < decided; i++) {
    const Given *g = &batch[i];
    const bool partial = (g->flags & L_DF_MAYBE_PARTIAL) != 0;
    const bool changed = forward_has_changed(at_descriptors + i * L_DESC_SIZE);
    if (!is_kept(g) || (!changed && !partial)) continue;
    const uint32_t room = changed ? L_FRAME_HEADROOM : 0, from = g->at - at_bytes - room;
    memcpy(expected + from, memory + at_bytes + from, room + g->captured);
  }
  for (uint32_t i = before_from; i < size_bytes; i++) {
    REQUIRE(expected[i] == get8(at_bytes + i), "byte %u was written to, of a frame that does not leave", at_bytes + i);
  }
  // The next frames are written over these.
  before_from = size_bytes;
}

/** Frames that the core holds, by cookie: the cookie of a frame is its number. */
typedef struct {
  bool waiting;
  uint32_t captured, wire;
  uint8_t ingress;
  uint16_t ethertype;
  uint8_t bytes[L_HELD_FRAME_MAX];
} Held;
#define HELD_KEPT (HELD_MAX + BATCH_MAX)
static Held held[HELD_KEPT];
static uint32_t held_cookie[HELD_KEPT];
static uint64_t first_cookie;

static Held *held_place(uint32_t cookie, bool waiting) {
  for (uint32_t i = 0; i < HELD_KEPT; i++) {
    if (held[i].waiting && held_cookie[i] == cookie) return &held[i];
  }
  REQUIRE(!waiting, "frame %u is released and was not held", cookie);
  for (uint32_t i = 0; i < HELD_KEPT; i++) {
    if (held[i].waiting) continue;
    held_cookie[i] = cookie;
    return &held[i];
  }
  fail("more frames are held than there is room for");
}

static void hold(uint32_t cookie, const Given *g) {
  REQUIRE(g->captured <= L_HELD_FRAME_MAX, "a frame of %u bytes is held", g->captured);
  Held *h = held_place(cookie, false);
  h->waiting = true;
  h->captured = g->captured;
  h->wire = g->wire;
  h->ingress = g->ingress;
  h->ethertype = g->ethertype;
  memcpy(h->bytes, bytes_before(g), g->captured);
  machine_used_held(g->captured);
}

/* ---- calls */

static Output outputs[BATCH_MAX + 2 * HELD_MAX];

void host_mix(uint64_t value) { fingerprint = (fingerprint ^ value) * 0x9e3779b97f4a7c15ull; }

static void read_output(Output *o, uint32_t at) {
  *o = (Output){
      .frame = memory + get32(at + L_D_OFFSET),
      .captured = get32(at + L_D_CAPTURED),
      .wire = get32(at + L_D_WIRE),
      .ethertype = get16(at + L_D_ETHERTYPE),
      .flags = get8(at + L_D_FLAGS),
      .ingress = get8(at + L_D_INGRESS),
      .egress = get8(at + L_D_EGRESS),
      .verdict = get8(at + L_D_VERDICT),
      .reason = get8(at + L_D_REASON),
      .side = get8(at + L_D_SIDE),
      .rule = get32(at + L_D_RULE),
      .slot = get32(at + L_D_SESSION),
      .session = get64(at + L_D_SESSION_ID),
  };
  if (o->slot != 0) machine_used_slot(o->slot - 1);
  host_mix(o->verdict | o->reason << 8 | o->ingress << 16 | (uint64_t)o->egress << 24 |
           (uint64_t)o->rule << 32);
  host_mix(o->session);
}

/** An output of the batch: the descriptor still says what it said. */
static void read_decided(uint32_t i) {
  const uint32_t at = at_descriptors + i * L_DESC_SIZE;
  const Given *g = &batch[i];
  const uint32_t cookie = get32(at + L_D_COOKIE);
  const bool moved = get32(at + L_D_OFFSET) != g->at || get32(at + L_D_CAPTURED) != g->captured ||
                     get32(at + L_D_WIRE) != g->wire;
  REQUIRE((!moved || forward_has_changed(at)) && get16(at + L_D_ETHERTYPE) == g->ethertype &&
              (get8(at + L_D_FLAGS) & ~L_DF_DEFERRED) == g->flags && cookie == (uint32_t)(first_cookie + i),
          "descriptor %u was changed", i);
  read_output(&outputs[i], at);
  Output *o = &outputs[i];
  o->given_ingress = g->ingress;
  o->frame = bytes_before(g);
  o->captured = g->captured;
  o->wire = g->wire;
  const bool partial = (g->flags & L_DF_MAYBE_PARTIAL) != 0;
  if (partial) o->flags |= L_DF_CHECKSUM_OK;
  const Original original = {g->at, o->frame, g->captured, g->wire, g->ethertype, g->segment, partial};
  forward_check(o, &original, at);
  REQUIRE(outputs[i].verdict >= L_VERDICT_PASS && outputs[i].verdict <= L_VERDICT_HELD,
          "frame %u has no verdict", i);
  if (outputs[i].verdict == L_VERDICT_HELD) hold(cookie, g);
}

/** A frame that was held: it comes back as it went, once. */
static void read_released(uint32_t i) {
  const uint32_t at = at_descriptors + i * L_DESC_SIZE;
  Held *h = held_place(get32(at + L_D_COOKIE), true);
  read_output(&outputs[i], at);
  Output *o = &outputs[i];
  const uint32_t offset = get32(at + L_D_OFFSET);
  REQUIRE(offset >= at_held && offset + o->captured <= at_held + size_held, "a released frame lies at %u",
          offset);
  const uint32_t kept_at = at_held + (offset - at_held) / L_HELD_SIZE * L_HELD_SIZE + L_HELD_HEADER;
  const Original original = {kept_at, h->bytes, h->captured, h->wire, h->ethertype, 0, false};
  forward_check(o, &original, at);
  if (forward_has_changed(at)) {
    o->frame = h->bytes;
    o->captured = h->captured;
    o->wire = h->wire;
  }
  REQUIRE(o->captured == h->captured && o->wire == h->wire && memcmp(o->frame, h->bytes, h->captured) == 0,
          "a released frame was changed");
  REQUIRE(o->verdict != L_VERDICT_HELD && o->verdict != L_VERDICT_NONE, "a released frame has verdict %u",
          o->verdict);
  outputs[i].given_ingress = h->ingress;
  h->waiting = false;
}

static void check_events(void) {
  const uint32_t events = get32(L_STATE_AT + L_S_EVENTS_WRITTEN);
  REQUIRE(events <= EVENTS_MAX, "%u events", events);
  for (uint32_t i = 0; i < events; i++) {
    const uint32_t at = at_events + i * L_EVENT_SIZE;
    const uint8_t type = get8(at + L_EV_TYPE);
    REQUIRE(type >= L_EVENT_SESSION_START && type <= L_EVENT_EVICTED, "event of type %u", type);
    REQUIRE(get32(at + L_EV_RULE) <= RULES_MAX, "event of rule %u", get32(at + L_EV_RULE));
    host_mix(type | get8(at + L_EV_REASON) << 8 | (uint64_t)get32(at + L_EV_RULE) << 32);
  }
}

/** After a call that answered for `decided` frames of the batch and returned `count`. */
static void check_call(uint32_t decided, uint32_t count) {
  REQUIRE(count == get32(L_STATE_AT + L_S_OUTPUTS), "%u outputs returned, %u noted", count,
          get32(L_STATE_AT + L_S_OUTPUTS));
  REQUIRE(count >= decided && count <= decided + 2 * HELD_MAX, "%u outputs for %u frames", count, decided);
  for (uint32_t i = 0; i < decided; i++) read_decided(i);
  for (uint32_t i = decided; i < count; i++) read_released(i);
  check_frames(decided);
  first_cookie += decided;
  if (host_prints) {
    for (uint32_t i = 0; i < count; i++) {
      const Output *o = &outputs[i];
      const char *reason = reason_name(o->reason);
      printf("  -> %s %u %s out %u session %lu rule %u\n", i < decided ? "given" : "released", o->verdict,
             reason ? reason : "?", o->egress, o->session, o->rule);
    }
    fflush(stdout);
  }
  judge(outputs, count, policy, now_ms);
  check_events();
  calls_not_walked++;
  if (++calls > CALLS_WALKED && calls % CALLS_PER_WALK != 0) return;
  host_walk();
}

void host_walk(void) {
  calls_not_walked = 0;
  machine_check_gaps();
  judge_begin_live();
  const Expected expected = {given, given_bytes, peer_sessions_taken(), peer_ids_skipped()};
  check_structures(&expected, judge_live);
  judge_end_live();
  forward_walk();
}

void host_decide(void) {
  if (batch_length == 0) return;
  const uint32_t decided = batch_length;
  keep_frames();
  check_call(decided, core_process(decided, (double)now_ms));
  batch_length = 0;
  batch_bytes = END_BYTES;
}

static void print_frame(const Given *g) {
  printf("{\"atMs\":%lu,\"in\":%u,\"ethertype\":%u,\"flags\":%u,\"wire\":%u,\"frame\":\"", now_ms, g->ingress,
         g->ethertype, g->flags, g->wire);
  const bool readable = g->at >= at_bytes && (uint64_t)g->at + g->captured <= at_bytes + size_bytes;
  for (uint32_t i = 0; readable && i < g->captured; i++) printf("%02x", get8(g->at + i));
  printf("\"}\n");
}

void host_describe(Given g) {
  if (host_is_full()) return;
  if (host_prints) print_frame(&g);
  const uint32_t at = at_descriptors + batch_length * L_DESC_SIZE;
  memset(memory + at, 0xee, L_DESC_SIZE);
  put32(at + L_D_OFFSET, g.at);
  put32(at + L_D_CAPTURED, g.captured);
  put32(at + L_D_WIRE, g.wire);
  put8(at + L_D_INGRESS, g.ingress);
  put8(at + L_D_FLAGS, g.flags);
  put16(at + L_D_ETHERTYPE, g.ethertype);
  put16(at + L_D_SEGMENT, g.segment);
  put32(at + L_D_COOKIE, first_cookie + batch_length);
  batch[batch_length++] = g;
  given++;
  given_bytes += g.wire;
  if (batch_length >= batch_size) host_decide();
}

void host_give(const uint8_t *bytes, Given g) {
  if (host_is_full()) return;
  if (batch_bytes + g.captured + SLACK > size_bytes) host_decide();
  batch_bytes += g.captured + SLACK;
  g.at = at_bytes + size_bytes - batch_bytes;
  memcpy(memory + g.at, bytes, g.captured);
  memset(memory + g.at + g.captured, filler, SLACK);
  host_describe(g);
}

void host_walk_calls(void) {
  if (calls_not_walked != 0) host_walk();
}

bool host_is_full(void) { return given >= FRAMES_MAX; }

/* ---- everything but frames */

void host_go_live(uint8_t how) {
  host_decide();
  if (host_prints) printf("live %u\n", how);
  forward_go_live(how);
}

void host_change_wire(uint8_t what, uint8_t argument, const uint8_t *packet, uint32_t length) {
  host_decide();
  if (host_prints) printf("wire %u %u\n", what, argument);
  forward_change(what, argument, packet, length);
}

void host_pass_time(uint64_t ms) {
  host_decide();
  now_ms += ms;
  if (host_prints) printf("time %lu\n", now_ms);
}

void host_expire_at(double at_ms, uint32_t groups) {
  host_decide();
  if (host_prints) printf("expire %f %u\n", at_ms, groups);
  check_call(0, core_expire(at_ms, groups));
}

void host_expire(uint32_t groups) { host_expire_at((double)now_ms, groups); }

void host_flush(void) {
  host_decide();
  if (host_prints) printf("flush\n");
  check_call(0, core_flush((double)now_ms));
}

void host_use_policy(uint32_t number) {
  host_decide();
  if (host_prints) printf("policy %u\n", number);
  policy = number;
  machine_use_policy(number);
}

void host_set_batch_size(uint32_t frames) {
  host_decide();
  batch_size = frames;
}

void host_init(void) {
  host_prints = getenv("FUZZ_PRINT") != NULL;
  machine_init();
}

void host_begin(uint32_t first_policy, uint32_t frames, uint64_t start_ms, uint8_t fill) {
  machine_reset();
  forward_reset();
  judge_reset();
  peer_reset();
  for (uint32_t i = 0; i < HELD_KEPT; i++) held[i].waiting = false;
  batch_length = calls = 0;
  batch_bytes = END_BYTES;
  memset(memory + END_AT, 0, END_BYTES);
  given = given_bytes = fingerprint = first_cookie = 0;
  filler = fill;
  batch_size = frames;
  now_ms = start_ms;
  host_use_policy(first_policy);
}

uint64_t host_end(void) {
  host_flush();
  for (uint32_t i = 0; i < HELD_KEPT; i++) {
    REQUIRE(!held[i].waiting, "frame %u never had a verdict", held_cookie[i]);
  }
  // With this call all structures are walked.
  calls = CALLS_PER_WALK - 1;
  host_expire(1);
  return fingerprint;
}
