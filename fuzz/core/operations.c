/* What operations.h says: operands from bytes, and the calls of the host and of the peer. */
#include "operations.h"
#include "forward.h"
#include "host.h"
#include "peer.h"

/* ---- the input */

static const uint8_t *input, *input_end;
bool input_more(void) { return input < input_end; }
uint8_t next8(void) { return input < input_end ? *input++ : 0; }
uint16_t next16(void) {
  const uint8_t low = next8();
  return low | next8() << 8;
}
uint32_t next_bytes(uint8_t *to, uint32_t length) {
  if (length > (size_t)(input_end - input)) length = input_end - input;
  memcpy(to, input, length);
  input += length;
  return length;
}

/* ---- packets */

enum { NO_LINK_HEADER = 1, TRUNCATED = 2, PADDED = 4, OTHER_INGRESS = 8, MERGED = 0x80 };
enum { BY_SOURCE = 0x10, TRACED = 0x20, CHECKSUM_OK = 0x40, UNREPAIRED = 0x80 };

/** What happens to the next packet. */
static struct {
  Unusual unusual;
  uint8_t shape, shape_argument;
  uint8_t patch_count, patches[8][2];
  uint8_t piece_size, piece_order;
} coming;
Frame last;
static Frame fragment;

void input_begin(const uint8_t *data, size_t size) {
  input = data;
  input_end = data + size;
  frames_reset();
  memset(&coming, 0, sizeof coming);
  memset(&last, 0, sizeof last);
}

/** The interface that a frame is said to arrive on. */
static uint8_t interface_of(const Frame *f, uint8_t operation) {
  if (coming.shape & OTHER_INGRESS) return coming.shape_argument & 0xf;
  return operation & BY_SOURCE ? 0 : f->wire;
}

static void send(const Frame *f, uint8_t operation) {
  uint8_t flags = L_DF_IDS;
  if (operation & TRACED) flags |= L_DF_TRACE;
  if (operation & CHECKSUM_OK)
    flags |= L_DF_CHECKSUM_OK | (operation & UNREPAIRED ? L_DF_HEADER_CHECKSUM_OK : 0);
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
  if (coming.shape & TRUNCATED)
    captured = captured > coming.shape_argument ? captured - coming.shape_argument : 0;
  uint8_t ingress = interface_of(f, operation);
  // Without its tags a frame is said to be on the subinterface.
  if (bare && ingress == TRUNK && f->network >= 18) ingress = (f->bytes[15] == 10) ? DMZ : GUEST;
  // A core that only decides must not write to frames.
  if (forward_is_live && (coming.shape & MERGED) && (coming.shape_argument & 1)) flags |= L_DF_MAYBE_PARTIAL;
  const uint16_t segment = coming.shape & MERGED ? coming.shape_argument >> 1 << 4 : 0;
  host_give(bytes, (Given){0, captured, wire, ethertype, flags, ingress, segment});
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
  if (coming.piece_size != 0)
    send_pieces(operation);
  else
    send(&last, operation);
  memset(&coming, 0, sizeof coming);
}

static void raw_frame(uint8_t operation) {
  const uint8_t ingress = next8(), kind = next8();
  const uint32_t length = next_bytes(last.bytes, next16() % 2048);
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
  Given g = {.at = END_AT, .flags = L_DF_IDS, .ingress = kind >> 4, .ethertype = kind & 8 ? 0x0800 : 0};
  switch (kind & 7) {
    // More captured than there was.
    case 0: g.captured = size, g.wire = size / 2; break;
    // Beyond the memory, twice.
    case 1: g.at = MEMORY_SIZE - size / 2, g.captured = g.wire = size + 1; break;
    case 2: g.at = 0xffffffffu - size, g.captured = g.wire = 0x7fffffffu; break;
    case 3: g.captured = 0, g.wire = size; break;
    case 4: g.captured = g.wire = 0xffffffffu; break;
    // Nothing, at the very end.
    case 5: g.at = at_bytes + size_bytes; break;
    // Behind it nothing can be read.
    default: g.captured = g.wire = size % (END_BYTES + 1); break;
  }
  host_describe(g);
}

/* ---- everything else */

static void pass_time(void) {
  const uint16_t step = next16();
  host_pass_time((uint64_t)(step & 0xfff) << (step >> 12) * 2);
}

static void control(void) {
  const uint8_t what = next8(), argument = next8();
  host_decide();
  if (forward_is_live && (what & 0x80)) {
    host_change_wire(what, argument, last.bytes + last.network, last.length - last.network);
    return;
  }
  switch (what % 8) {
    case 0: host_expire(argument); break;
    case 1: host_expire(GROUPS); break;
    case 2: host_flush(); break;
    case 3:
      core_remove(argument * 5u);
      host_expire(0);
      break;
    case 4: host_use_policy(argument % POLICY_COUNT); break;
    case 5: put64(L_STATE_AT + L_S_TIME_RANGES, argument & 1); break;
    case 6: host_set_batch_size(argument % BATCH_MAX + 1); break;
    // A clock that goes back stands still, and one that is no number is 0.
    default: host_expire_at(argument & 1 ? -1.0 : argument & 2 ? 0.0 / 0.0 : 0.0, argument); break;
  }
}

void (*on_written)(const uint8_t *records, uint32_t size);

/** The peer, and what it hears. */
static void sync_operation(void) {
  const uint8_t what = next8(), argument = next8();
  switch (what & 7) {
    case 0: peer_come(argument & 1); break;
    // All buckets, or up to four of them.
    case 1:
      peer_start_bulk(argument < 128 ? ~0ull : (uint64_t)(argument & 15) << (argument >> 1 & 56));
      break;
    case 2: peer_scan(argument); break;
    case 3: {
      uint32_t size;
      const uint8_t *records = peer_write(argument == 255 ? ~0u : argument * 12u, &size);
      if (on_written != NULL) on_written(records, size);
      break;
    }
    case 4: peer_acknowledge(argument); break;
    case 5: peer_ask_verify(); break;
    case 6: peer_set_role(argument & 1); break;
    default: peer_distrust(); break;
  }
}

void operation(uint8_t code) {
  switch (code & 15) {
    case 5: sync_operation(); break;
    case 6: raw_frame(code); break;
    case 7: {
      static Frame about;
      about = last;
      const uint8_t kind = next8();
      build_error(&last, &about, kind, next8());
      finish(code);
      // Errors about the same packet may follow.
      last = about;
      break;
    }
    case 8: pass_time(); break;
    case 9: control(); break;
    case 10:
      coming.patch_count = next8() % 8 + 1;
      for (uint32_t i = 0; i < coming.patch_count; i++)
        coming.patches[i][0] = next8(), coming.patches[i][1] = next8();
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
    case 14: flood(code); break;
    case 15: hostile_descriptor(); break;
    default: {
      Saying saying;
      saying.hosts = next8();
      saying.service = next8();
      saying.act = next8();
      saying.argument = next8();
      build(&last, saying, &coming.unusual);
      finish(code);
    }
  }
}
