/*
 * The fuzz target of the packet path. An input is a line of records, each an operation byte with its operands: packets
 * of conversations, raw frames, ICMP errors, fragments, floods; and what makes the next packet unusual; and time, timers
 * and changes of policy. After every call of the core everything that can be said about it is checked.
 *
 * With FUZZ_PRINT set each frame and each verdict is printed, for the reader of a finding.
 */
#include <stdio.h>
#include <stdlib.h>
#include "frames.h"
#include "judge.h"
#include "machine.h"
#include "structures.h"

/** Frames of one input: bounds the time of a run. */
#define FRAMES_MAX 1600
/** Bytes between two frames, and behind the last one: what the core may read and must not heed. */
#define SLACK 64
/** All structures are walked after each of the first calls, later after every so many. */
#define CALLS_WALKED 4
#define CALLS_PER_WALK 8

static bool printing;

/* ---- the input */

static const uint8_t *input, *input_end;
static bool more(void) { return input < input_end; }
static uint8_t next8(void) { return input < input_end ? *input++ : 0; }
static uint16_t next16(void) { const uint8_t low = next8(); return low | next8() << 8; }

/* ---- what has been handed over */

typedef struct {
  uint32_t at, captured, wire;
  uint16_t ethertype;
  uint8_t flags, ingress;
} Given;
static Given batch[BATCH_MAX];
static uint32_t batch_length;
/** Bytes of the region `bytes` that the batch takes, from its end; the very last ones are for hostile descriptors. */
static uint32_t batch_bytes;
#define NO_BYTES SLACK
static uint32_t batch_limit;
static uint8_t filler;

static uint64_t now_ms;
static uint32_t policy;
static uint64_t given, given_bytes;
static uint32_t calls;
/** The verdicts so far, in short. */
static uint64_t fingerprint;

/** Frames that the core holds, by cookie: the cookie of a frame is its number. */
typedef struct { bool waiting; uint32_t captured, wire; uint8_t ingress; uint8_t bytes[L_HELD_FRAME_MAX]; } Held;
#define HELD_KEPT (HELD_MAX + BATCH_MAX)
static Held held[HELD_KEPT];
static uint32_t held_cookie[HELD_KEPT];
static uint64_t first_cookie;

static void print_bytes(const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) printf("%02x", bytes[i]);
}

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
  memcpy(h->bytes, memory + g->at, g->captured);
  machine_used_held(g->captured);
}

/* ---- calls */

static Output outputs[BATCH_MAX + 2 * HELD_MAX];

static void mix(uint64_t value) { fingerprint = (fingerprint ^ value) * 0x9e3779b97f4a7c15ull; }

static void read_output(Output *o, uint32_t at) {
  *o = (Output){
    .frame = memory + get32(at + L_D_OFFSET), .captured = get32(at + L_D_CAPTURED), .wire = get32(at + L_D_WIRE),
    .ethertype = get16(at + L_D_ETHERTYPE), .flags = get8(at + L_D_FLAGS), .ingress = get8(at + L_D_INGRESS),
    .egress = get8(at + L_D_EGRESS), .verdict = get8(at + L_D_VERDICT), .reason = get8(at + L_D_REASON),
    .side = get8(at + L_D_SIDE), .rule = get32(at + L_D_RULE), .slot = get32(at + L_D_SESSION),
    .session = get64(at + L_D_SESSION_ID),
  };
  if (o->slot != 0) machine_used_slot(o->slot - 1);
  mix(o->verdict | o->reason << 8 | o->ingress << 16 | (uint64_t)o->egress << 24 | (uint64_t)o->rule << 32);
  mix(o->session);
}

/** An output of the batch: the descriptor still says what it said. */
static void read_decided(uint32_t i) {
  const uint32_t at = at_descriptors + i * L_DESC_SIZE;
  const Given *g = &batch[i];
  const uint32_t cookie = get32(at + L_D_COOKIE);
  REQUIRE(get32(at + L_D_OFFSET) == g->at && get32(at + L_D_CAPTURED) == g->captured && get32(at + L_D_WIRE) == g->wire &&
              get16(at + L_D_ETHERTYPE) == g->ethertype && get8(at + L_D_FLAGS) == g->flags &&
              cookie == (uint32_t)(first_cookie + i),
          "descriptor %u was changed", i);
  read_output(&outputs[i], at);
  outputs[i].given_ingress = g->ingress;
  REQUIRE(outputs[i].verdict >= L_VERDICT_PASS && outputs[i].verdict <= L_VERDICT_HELD, "frame %u has no verdict", i);
  if (outputs[i].verdict == L_VERDICT_HELD) hold(cookie, g);
}

/** A frame that was held: it comes back as it went, once. */
static void read_released(uint32_t i) {
  const uint32_t at = at_descriptors + i * L_DESC_SIZE;
  Held *h = held_place(get32(at + L_D_COOKIE), true);
  read_output(&outputs[i], at);
  const Output *o = &outputs[i];
  const uint32_t offset = get32(at + L_D_OFFSET);
  REQUIRE(offset >= at_held && offset + o->captured <= at_held + size_held, "a released frame lies at %u", offset);
  REQUIRE(o->captured == h->captured && o->wire == h->wire && memcmp(o->frame, h->bytes, h->captured) == 0,
          "a released frame was changed");
  REQUIRE(o->verdict != L_VERDICT_HELD && o->verdict != L_VERDICT_NONE, "a released frame has verdict %u", o->verdict);
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
    mix(type | get8(at + L_EV_REASON) << 8 | (uint64_t)get32(at + L_EV_RULE) << 32);
  }
}

/** After a call that answered for `decided` frames of the batch and returned `count`. */
static void check_call(uint32_t decided, uint32_t count) {
  REQUIRE(count == get32(L_STATE_AT + L_S_OUTPUTS), "%u outputs returned, %u noted", count,
          get32(L_STATE_AT + L_S_OUTPUTS));
  REQUIRE(count >= decided && count <= decided + 2 * HELD_MAX, "%u outputs for %u frames", count, decided);
  for (uint32_t i = 0; i < decided; i++) read_decided(i);
  for (uint32_t i = decided; i < count; i++) read_released(i);
  first_cookie += decided;
  if (printing) {
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
  if (++calls > CALLS_WALKED && calls % CALLS_PER_WALK != 0) return;
  machine_check_gaps();
  judge_begin_live();
  check_structures(given, given_bytes, judge_live);
  judge_end_live();
}

static void decide(void) {
  if (batch_length == 0) return;
  const uint32_t decided = batch_length;
  const uint32_t count = core_process(decided, (double)now_ms);
  check_call(decided, count);
  batch_length = 0;
  batch_bytes = NO_BYTES;
}

static void print_frame(const Given *g, bool addressable) {
  printf("{\"atMs\":%lu,\"in\":%u,\"ethertype\":%u,\"flags\":%u,\"wire\":%u,\"frame\":\"", now_ms, g->ingress,
         g->ethertype, g->flags, g->wire);
  if (addressable) print_bytes(memory + g->at, g->captured);
  printf("\"}\n");
}

static void describe(Given g, bool addressable) {
  if (printing) print_frame(&g, addressable);
  const uint32_t at = at_descriptors + batch_length * L_DESC_SIZE;
  memset(memory + at, 0xee, L_DESC_SIZE);
  put32(at + L_D_OFFSET, g.at);
  put32(at + L_D_CAPTURED, g.captured);
  put32(at + L_D_WIRE, g.wire);
  put8(at + L_D_INGRESS, g.ingress);
  put8(at + L_D_FLAGS, g.flags);
  put16(at + L_D_ETHERTYPE, g.ethertype);
  put32(at + L_D_COOKIE, first_cookie + batch_length);
  batch[batch_length++] = g;
  given++;
  given_bytes += g.wire;
  if (batch_length >= batch_limit) decide();
}

/** Hands a frame over. It ends where the frame before it begins, with room in between. */
static void give(const uint8_t *bytes, uint32_t captured, uint32_t wire, uint8_t ingress, uint16_t ethertype,
                 uint8_t flags) {
  if (given >= FRAMES_MAX) return;
  if (batch_bytes + captured + SLACK > size_bytes) decide();
  batch_bytes += captured + SLACK;
  const uint32_t at = at_bytes + size_bytes - batch_bytes;
  memcpy(memory + at, bytes, captured);
  memset(memory + at + captured, filler, SLACK);
  describe((Given){at, captured, wire, ethertype, flags, ingress}, true);
}

/* ---- packets */

enum { NO_LINK_HEADER = 1, TRUNCATED = 2, PADDED = 4, OTHER_INGRESS = 8 };
enum { BY_SOURCE = 0x10, TRACED = 0x20, CHECKSUM_OK = 0x40, UNREPAIRED = 0x80 };

/** What happens to the next packet. */
static struct {
  Unusual unusual;
  uint8_t shape, shape_argument;
  uint8_t patch_count, patches[8][2];
  uint8_t piece_size, piece_order;
} coming;
static Frame last, fragment;

/** The interface that a frame is said to arrive on. */
static uint8_t interface_of(const Frame *f, uint8_t operation) {
  if (coming.shape & OTHER_INGRESS) return coming.shape_argument & 0xf;
  return operation & BY_SOURCE ? 0 : f->wire;
}

static void send(const Frame *f, uint8_t operation) {
  uint8_t flags = L_DF_IDS;
  if (operation & TRACED) flags |= L_DF_TRACE;
  if (operation & CHECKSUM_OK) flags |= L_DF_CHECKSUM_OK | (operation & UNREPAIRED ? L_DF_HEADER_CHECKSUM_OK : 0);
  const bool bare = (coming.shape & NO_LINK_HEADER) && f->length >= f->network && f->network >= 2;
  const uint32_t from = bare ? f->network : 0;
  const uint16_t ethertype = bare ? f->bytes[f->network - 2] << 8 | f->bytes[f->network - 1] : 0;
  uint32_t captured = f->length - from, wire = captured;
  static uint8_t padded[FRAME_ROOM + 64];
  const uint8_t *bytes = f->bytes + from;
  if (coming.shape & PADDED) {
    memcpy(padded, bytes, captured);
    memset(padded + captured, 0x55, 64);
    bytes = padded;
    wire = captured += coming.shape_argument % 64;
  }
  if (coming.shape & TRUNCATED) captured = captured > coming.shape_argument ? captured - coming.shape_argument : 0;
  uint8_t ingress = interface_of(f, operation);
  // Without its tags a frame is said to be on the subinterface.
  if (bare && ingress == TRUNK && f->network >= 18) ingress = (f->bytes[15] == 10) ? DMZ : GUEST;
  give(bytes, captured, wire, ingress, ethertype, flags);
}

static void send_pieces(uint8_t operation) {
  const uint32_t total = cuttable(&last), size = (coming.piece_size & 0x7f) * 8u + 8;
  const uint32_t count = (total + size - 1) / size, order = coming.piece_order;
  for (uint32_t i = 0; i < count && i < 2 * HELD_MAX; i++) {
    uint32_t piece = order & 1 ? count - 1 - i : i;
    if (order & 2) piece ^= piece + (piece & 1 ? 0 : 1) < count ? 1 : 0;
    if ((order & 4) && piece == count / 2) continue;
    uint32_t from = piece * size;
    if ((order & 8) && piece == 1) from -= 8;
    const bool more_follow = piece + 1 < count || (order & 0x10);
    if (!cut(&fragment, &last, from, piece * size + size, more_follow, 0x100 + (order >> 6))) continue;
    send(&fragment, operation);
    if ((order & 0x20) && piece == 0) send(&fragment, operation);
  }
}

/** Sends `last` with everything that was to happen to it. */
static void finish(uint8_t operation) {
  for (uint32_t i = 0; i < coming.patch_count; i++) {
    const uint32_t at = last.network + coming.patches[i][0];
    if (at < last.length) last.bytes[at] ^= coming.patches[i][1];
  }
  if (coming.patch_count > 0 && !(operation & UNREPAIRED)) repair(&last);
  if (coming.piece_size != 0) send_pieces(operation);
  else send(&last, operation);
  memset(&coming, 0, sizeof coming);
}

static void raw_frame(uint8_t operation) {
  const uint8_t ingress = next8(), kind = next8();
  uint32_t length = next16() % 2048;
  if (length > (size_t)(input_end - input)) length = input_end - input;
  memcpy(last.bytes, input, length);
  input += length;
  last.length = length;
  last.wire = ingress;
  const bool v6 = kind & 0x40;
  if (kind & 0x80) {
    // Only the packet is given: an Ethernet header comes before it.
    static const uint8_t HEADER[12] = INSIDE_MAC;
    memmove(last.bytes + 14, last.bytes, length);
    memcpy(last.bytes, HEADER, 12);
    last.bytes[12] = v6 ? 0x86 : 0x08;
    last.bytes[13] = v6 ? 0xdd : 0x00;
    last.length += 14;
  }
  last.network = last.length < 14 ? last.length : 14;
  if (!(operation & UNREPAIRED)) repair(&last);
  finish(operation);
}

/** Many conversations that begin. */
static void flood(uint8_t operation) {
  const uint32_t count = next8();
  Saying saying = {.hosts = next8() & 0x7f, .service = next8()};
  build(&last, saying, &coming.unusual);
  const uint32_t transport = last.network + (saying.hosts & 0x40 ? 40 : 20);
  for (uint32_t i = 0; i < count && transport + 8 <= last.length; i++) {
    // The source port, or the identifier of an echo.
    const uint32_t at = transport + ((saying.service & 15) == 9 ? 4 : 0);
    last.bytes[at] = 0x20 + (saying.service >> 4);
    last.bytes[at + 1] = i;
    repair(&last);
    send(&last, operation);
  }
}

/** A descriptor as a host should not write it. */
static void hostile_descriptor(void) {
  const uint8_t kind = next8();
  const uint32_t size = next16();
  if (given >= FRAMES_MAX) return;
  Given g = {.at = at_bytes + size_bytes - NO_BYTES, .flags = L_DF_IDS, .ingress = kind >> 4};
  switch (kind & 7) {
    case 0: g.captured = size, g.wire = size / 2; break;                      // more captured than there was
    case 1: g.at = MEMORY_SIZE - size / 2, g.captured = g.wire = size + 1; break; // beyond the memory
    case 2: g.at = 0xffffffffu - size, g.captured = g.wire = 0x7fffffffu; break;
    case 3: g.captured = 0, g.wire = size; break;
    case 4: g.captured = 0xffffffffu, g.wire = 0xffffffffu; break;
    case 5: g.at = at_bytes + size_bytes, g.captured = g.wire = 0; break;     // nothing, at the very end
    default: g.captured = g.wire = size % (NO_BYTES + 1); break;              // nothing readable behind it
  }
  g.ethertype = kind & 8 ? 0x0800 : 0;
  describe(g, false);
}

/* ---- everything else */

static void pass_time(void) {
  const uint16_t step = next16();
  decide();
  now_ms += (uint64_t)(step & 0xfff) << (step >> 12) * 2;
  if (printing) printf("time %lu\n", now_ms);
}

static void control(void) {
  const uint8_t what = next8(), argument = next8();
  decide();
  if (printing) printf("control %u %u\n", what % 8, argument);
  switch (what % 8) {
    case 0: check_call(0, core_expire((double)now_ms, argument)); break;
    case 1: check_call(0, core_expire((double)now_ms, GROUPS)); break;
    case 2: check_call(0, core_flush((double)now_ms)); break;
    case 3:
      core_remove(argument * 5u);
      check_call(0, core_expire((double)now_ms, 0));
      break;
    case 4:
      policy = argument % POLICY_COUNT;
      machine_use_policy(policy);
      break;
    case 5: put64(L_STATE_AT + L_S_TIME_RANGES, argument & 1); break;
    case 6: batch_limit = argument % BATCH_MAX + 1; break;
    default:
      // A clock that goes back stands still, and one that is no number is 0.
      check_call(0, core_expire(argument & 1 ? -1.0 : argument & 2 ? 0.0 / 0.0 : 0.0, argument));
      break;
  }
}

static void run_records(void) {
  while (more() && given < FRAMES_MAX) {
    const uint8_t operation = next8();
    switch (operation & 15) {
      case 6: raw_frame(operation); break;
      case 7: {
        static Frame about;
        about = last;
        const uint8_t kind = next8();
        build_error(&last, &about, kind, next8());
        finish(operation);
        // Errors about the same packet may follow.
        last = about;
        break;
      }
      case 8: pass_time(); break;
      case 9: control(); break;
      case 10:
        coming.patch_count = next8() % 8 + 1;
        for (uint32_t i = 0; i < coming.patch_count; i++) coming.patches[i][0] = next8(), coming.patches[i][1] = next8();
        break;
      case 11:
        coming.shape = next8();
        coming.shape_argument = next8();
        if (coming.shape & 0x10) coming.unusual.tags[coming.unusual.tag_count++ & 3] = coming.shape_argument;
        if (coming.unusual.tag_count > 4) coming.unusual.tag_count = 4;
        if (coming.shape & 0x20) coming.unusual.ttl = coming.shape_argument;
        if (coming.shape & 0x40) coming.unusual.tos = coming.shape_argument;
        break;
      case 12:
        coming.piece_size = next8();
        coming.piece_order = next8();
        break;
      case 13:
        coming.unusual.headers = next8();
        coming.unusual.headers_argument = next8();
        break;
      case 14: flood(operation); break;
      case 15: hostile_descriptor(); break;
      default: {
        Saying saying;
        saying.hosts = next8();
        saying.service = next8();
        saying.act = next8();
        saying.argument = next8();
        build(&last, saying, &coming.unusual);
        finish(operation);
      }
    }
  }
}

/** Runs the input once; the verdicts in short. */
static uint64_t run(const uint8_t *data, size_t size, uint8_t fill) {
  static const uint8_t BATCHES[4] = {1, 4, 16, BATCH_MAX};
  input = data;
  input_end = data + size;
  machine_reset();
  frames_reset();
  judge_reset();
  memset(&coming, 0, sizeof coming);
  memset(&last, 0, sizeof last);
  for (uint32_t i = 0; i < HELD_KEPT; i++) held[i].waiting = false;
  batch_length = calls = 0;
  batch_bytes = NO_BYTES;
  memset(memory + at_bytes + size_bytes - NO_BYTES, 0, NO_BYTES);
  given = given_bytes = fingerprint = first_cookie = 0;
  filler = fill;
  const uint8_t start = next8();
  batch_limit = BATCHES[start & 3];
  policy = (start >> 2) % POLICY_COUNT;
  now_ms = start & 0x40 ? 0xfffffff0u : 1000;
  if (start & 0x20) check_call(0, core_expire((double)now_ms, 1));
  machine_use_policy(policy);
  run_records();
  decide();
  check_call(0, core_flush((double)now_ms));
  for (uint32_t i = 0; i < HELD_KEPT; i++) REQUIRE(!held[i].waiting, "frame %u never had a verdict", held_cookie[i]);
  calls = CALLS_PER_WALK - 1;
  check_call(0, core_expire((double)now_ms, 1));
  return fingerprint;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  printing = getenv("FUZZ_PRINT") != NULL;
  machine_init();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const uint64_t verdicts = run(data, size, 0x00);
  // What lies behind a frame must not matter.
  if (data[0] & 0x80) REQUIRE(run(data, size, 0xff) == verdicts, "the bytes behind a frame decide about it");
  return 0;
}
