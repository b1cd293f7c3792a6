/*
 * The fuzz target of session sync. An input is a line of operations: bytes for the core as records, records
 * that the core wrote itself before, records built about the last packet, changes of the last of them; and
 * everything that the target of the packet path does. peer.c checks what the core takes, host.c what it lets
 * pass afterwards.
 */
#include "host.h"
#include "operations.h"
#include "packet.h"
#include "peer.h"
#include "policies.h"
#include "record.h"

/** Records that are to be given with the next call, and where the last of them begins. */
static uint8_t stream[L_SYNC_IN_SIZE + L_SYNC_OUT_SIZE];
static uint32_t stream_size, stream_last;
/** What the core has written in this input, as far as there is room. */
static uint8_t kept[L_SYNC_OUT_SIZE];
static uint32_t kept_size;
static uint8_t filler;
/** Ids and versions of built records go on from here. */
static uint64_t number;

/** Room for `size` bytes more. When there is none, what was to be given is forgotten. */
static uint8_t *append(uint32_t size) {
  if (stream_size + size > L_SYNC_IN_SIZE) stream_size = 0;
  stream_last = stream_size;
  stream_size += size;
  return stream + stream_last;
}

static void keep(const uint8_t *records, uint32_t size) {
  for (uint32_t at = 0, length; at < size; at += length) {
    length = record_length(records + at, size - at);
    if (kept_size + length > sizeof kept) return;
    memcpy(kept + kept_size, records + at, length);
    kept_size += length;
  }
}

/** Puts `count` of the kept records behind the stream, from the one with that number on. */
static void append_kept(uint32_t index, uint32_t count) {
  uint32_t i = 0;
  for (uint32_t at = 0, length; at < kept_size && i < index + count; at += length, i++) {
    length = record_length(kept + at, kept_size - at);
    if (i >= index) memcpy(append(length), kept + at, length);
  }
}

/** Takes the stream to the core. Bytes may be missing at its end. */
static void give(uint8_t missing) {
  if (stream_size == 0) return;
  const uint32_t size = stream_size > missing ? stream_size - missing : 0;
  peer_give(stream, size, filler);
  stream_size = stream_last = 0;
}

/** Changes the last record: a byte, or a word of 2, 4 or 8 bytes to a value at an edge. */
static void change(void) {
  const uint8_t at = next8(), how = next8(), value = next8();
  const uint32_t size = stream_size - stream_last;
  const uint32_t width = 1u << (how >> 6), from = (how >> 3 & 7) * 64u + at;
  if (size == 0 || from + width > size) return;
  uint64_t word = 0;
  memcpy(&word, stream + stream_last + from, width);
  switch (how & 7) {
    case 0: word ^= value; break;
    case 1: word = value; break;
    case 2: word = ~(uint64_t)value; break;
    case 3: word += value; break;
    case 4: word -= value; break;
    case 5: word = 1ull << (value & 63); break;
    case 6: word = (1ull << (value & 63)) - 1; break;
    default: word <<= value & 63;
  }
  memcpy(stream + stream_last + from, &word, width);
}

/** BEGIN, END or VERIFY: some buckets, or how many sessions both should know. */
static void build_mark(uint8_t action, uint8_t state, uint8_t id, uint8_t argument) {
  const uint64_t buckets = state & 1 ? ~0ull : 1ull << (id & 63);
  const Record r = {.action = action, .version = action == L_SYNC_BEGIN ? buckets : id};
  uint8_t record[L_SV_SIZE];
  const uint32_t size = write_record(record, &r);
  memcpy(append(size), record, size);
  // Mostly what the core itself has got: then the comparison finds nothing wrong.
  if (action != L_SYNC_BEGIN && !(argument & 1))
    memcpy(stream + stream_last + L_SV_DIGESTS, memory + L_STATE_AT + L_S_DIGESTS, L_SYNC_BUCKETS * 8);
}

/** A record about the last packet, as a peer could write it; or one that is about no session. */
static void build_record(void) {
  Packet p;
  Tags tags;
  const uint8_t action = next8() % 7 + L_SYNC_ADD;
  const uint8_t state = next8(), id = next8(), version = next8(), argument = next8();
  if (argument & 0x80) number++;
  if (action >= L_SYNC_BEGIN) {
    build_mark(action, state, id, argument);
    return;
  }
  Record r = {.action = action, .version = number + version, .id = id + 1u};
  if (read_packet(last.bytes, last.length, last.length, 0, &p, &tags) != NULL || p.fragment) return;
  r.ends = (Ends){.v6 = p.v6, .protocol = p.protocol, .port = {p.source_port, p.destination_port}};
  memcpy(r.ends.address[0], p.source, 16);
  memcpy(r.ends.address[1], p.destination, 16);
  if (is_query(&p)) r.ends.icmp_type = p.v6 ? 128 : p.icmp_type == 13 || p.icmp_type == 14 ? 13 : 8;
  r.kind = kind_of(&r.ends);
  r.state = state & 15;
  const Policy *policy = &POLICIES_BY_NUMBER[POLICY_INSPECTED];
  r.interface[0] = peer_interface(interface_toward(policy, p.v6, p.source));
  r.interface[1] = peer_interface(interface_toward(policy, p.v6, p.destination));
  r.idle_ms = (uint32_t)argument << (state >> 4);
  r.bytes[0] = (uint64_t)argument << 28;
  r.age_ms = r.idle_ms * 2;
  r.idle_timeout_ms = get32(at_timeouts + (L_TIMER_FIRST_IDLE + (argument & 7)) * 4);
  r.rule = argument & 15;
  r.service = 1 + (argument >> 4 & 3);
  r.inspection = 1 + (argument >> 3 & 1);
  r.birth_flags = L_CF_SYNC | (argument & 0x40 ? L_CF_AUDIT : 0);
  if (p.protocol == TCP) {
    const uint32_t seq = word(p.transport + 4), ack = word(p.transport + 8), window = half(p.transport + 14);
    r.flags = version & L_SRF_ALL;
    r.scales = argument & 0x77;
    r.windows[0] = (Window){seq, seq + 65535, window, ack};
    r.windows[1] = (Window){ack, ack + window, 65535, seq};
    r.first[0] = seq;
    r.first[1] = ack;
  }
  uint8_t record[L_SYNC_RECORD_MAX];
  const uint32_t size = write_record(record, &r);
  memcpy(append(size), record, size);
}

static void record_operation(uint8_t code) {
  switch (code & 15) {
    case 0: {
      const uint32_t length = next16() % 2048;
      uint8_t bytes[2048];
      const uint32_t size = next_bytes(bytes, length);
      memcpy(append(size), bytes, size);
      break;
    }
    case 1:
    case 2: build_record(); break;
    case 3: change(); break;
    case 4: append_kept(next8(), 1); break;
    case 5: append_kept(0, kept_size); break;
    case 6: give(0); break;
    case 7: give(next8()); break;
    case 8: peer_clear_sessions(); break;
    case 9: peer_number_interfaces(next8() & 1); break;
    // A standby takes over.
    case 10:
      give(0);
      peer_set_role(false);
      break;
    case 11: peer_set_role(true); break;
    default: operation(next8()); break;
  }
}

static uint64_t run(const uint8_t *data, size_t size, uint8_t fill) {
  input_begin(data, size);
  stream_size = stream_last = kept_size = 0;
  number = 1;
  filler = fill;
  on_written = keep;
  const uint8_t start = next8();
  host_begin((start >> 2) % POLICY_COUNT, start & 1 ? 1 : 8, start & 0x40 ? 0xfffffff0u : 1000, fill);
  if (start & 2) peer_set_role(true);
  if (start & 0x20) host_go_live(next8());
  while (input_more() && !host_is_full()) record_operation(next8());
  give(0);
  return host_end();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  host_init();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const uint64_t answers = run(data, size, 0x00);
  // What lies behind the records must not matter.
  if (data[0] & 0x80)
    REQUIRE(run(data, size, 0xff) == answers, "the bytes behind the records decide about them");
  return 0;
}
