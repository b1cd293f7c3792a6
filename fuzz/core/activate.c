/*
 * The fuzz target of `activate`: images of policies with a few bytes changed. What the core accepts must not
 * lead it anywhere when packets follow; what it refuses must leave everything as it was.
 *
 * An input names the policy to start from and changes: where (3 bytes), how (1 byte), the value (4 bytes).
 */
#include "frames.h"
#include "machine.h"

#define CHANGE_SIZE 8
/** The mutated image lies in the second bank; the core must not look at the first one. */
#define BANK 1

static void change(uint8_t *image, const uint8_t *at) {
  uint32_t where, value;
  memcpy(&where, at, 4);
  memcpy(&value, at + 4, 4);
  const uint8_t how = where >> 24;
  where &= 0xffffff;
  // Half of the changes go to the header and the head of the access lists, where the offsets stand.
  uint32_t acls;
  memcpy(&acls, image + L_P_ACLS, 4);
  if (how & 0x40)
    where %= L_POLICY_HEADER_SIZE;
  else if (how & 0x80)
    where = (where % 1024 + acls) % (BANK_SIZE - 4);
  else
    where %= BANK_SIZE - 4;
  uint32_t old;
  memcpy(&old, image + where, 4);
  switch (how & 7) {
    case 0: image[where] = value; break;
    case 1: memcpy(image + where, &value, 2); break;
    case 2: memcpy(image + where / 4 * 4, &value, 4); break;
    case 3: value += old, memcpy(image + where, &value, 4); break;
    case 4: image[where] ^= 1u << (value & 7); break;
    case 5: value = old + (int8_t)value, memcpy(image + where, &value, 4); break;
    case 6: value = old + (int8_t)value * 64, memcpy(image + where, &value, 4); break;
    default:
      memmove(image + where, image + value % (BANK_SIZE - 64),
              BANK_SIZE - where < 64 ? BANK_SIZE - where : 64);
  }
}

/** One packet of every kind that an access list tells apart, both ways between the interfaces. */
static uint32_t describe_packets(void) {
  static const struct {
    Saying saying;
    Unusual unusual;
  } PACKETS[] = {
      {{0x18, 0x00, 0, 0}, {.ttl = 64}},
      {{0x18, 0x00, 2, 9}, {.ttl = 64}},
      {{0x98, 0x00, 1, 0}, {.ttl = 64}},
      {{0x0b, 0x00, 0, 0}, {.ttl = 64}},
      {{0x0b, 0x03, 0, 0}, {.ttl = 64}},
      {{0x58, 0x00, 0, 0}, {.ttl = 64}},
      {{0x58, 0x06, 0, 5}, {.ttl = 64}},
      {{0x4b, 0x00, 0, 0}, {.ttl = 64}},
      {{0x5a, 0x09, 0, 0}, {.ttl = 64}},
      {{0x18, 0x06, 0, 5}, {.ttl = 64}},
      {{0x18, 0x09, 0, 5}, {.ttl = 64}},
      {{0x20, 0x01, 0, 5}, {.ttl = 64}},
      {{0x22, 0x8d, 0, 5}, {.ttl = 64}},
      {{0x1c, 0x06, 0, 5}, {.ttl = 64}},
      {{0x1d, 0x02, 0, 0}, {.ttl = 64}},
      {{0x26, 0x04, 0, 0}, {.ttl = 64}},
      {{0x18, 0x0c, 0, 5}, {.ttl = 64}},
      {{0x18, 0x0e, 0, 5}, {.ttl = 64}},
      {{0x18, 0x0f, 2, 5}, {.ttl = 64}},
      {{0x38, 0x00, 0, 0}, {.ttl = 64}},
      {{0x18, 0x00, 0, 0}, {.ttl = 64, .headers = 2}},
      {{0x18, 0x00, 0, 0}, {.ttl = 201, .tos = 0xb8}},
      {{0x18, 0x00, 0, 0}, {.ttl = 64, .headers = 6}},
      {{0x18, 0x00, 0, 0}, {.ttl = 64, .headers = 3}},
      {{0x58, 0x00, 0, 0}, {.ttl = 64, .headers = 2}},
      {{0x58, 0x00, 0, 0}, {.ttl = 64, .headers = 0x32}},
      {{0x58, 0x00, 0, 0}, {.ttl = 64, .headers = 5}},
      {{0x58, 0x00, 0, 0}, {.ttl = 64, .headers = 0x41}},
      {{0x58, 0x00, 0, 0}, {.ttl = 64, .headers = 7}},
      {{0x58, 0x09, 0, 5}, {.ttl = 64, .headers = 2}},
      {{0x18, 0x08, 0, 250}, {.ttl = 64}},
      {{0x98, 0x0b, 3, 9}, {.ttl = 64}},
  };
  static Frame frame, piece;
  uint32_t at = at_bytes, count = 0;
  for (uint32_t i = 0; i < sizeof PACKETS / sizeof *PACKETS; i++) {
    build(&frame, PACKETS[i].saying, &PACKETS[i].unusual);
    // The long one comes in pieces.
    for (uint32_t from = 0, size = frame.length > 2000 ? 1400 : FRAME_ROOM; from == 0 || size == 1400;
         from += size) {
      const Frame *sent = &frame;
      if (size == 1400) {
        if (!cut(&piece, &frame, from, from + size, from + size < cuttable(&frame), 7)) break;
        sent = &piece;
      }
      memcpy(memory + at, sent->bytes, sent->length);
      const uint32_t descriptor = at_descriptors + count++ * L_DESC_SIZE;
      put32(descriptor + L_D_OFFSET, at);
      put32(descriptor + L_D_CAPTURED, sent->length);
      put32(descriptor + L_D_WIRE, sent->length);
      put8(descriptor + L_D_INGRESS, i % 3 == 2 ? 0 : sent->wire);
      put8(descriptor + L_D_FLAGS, L_DF_IDS);
      at += sent->length + 64;
      if (size != 1400) break;
    }
  }
  return count;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  machine_init();
  machine_hide_bank(1 - BANK);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  machine_reset();
  frames_reset();
  uint8_t *image = memory + at_banks + BANK * BANK_SIZE;
  uint32_t image_size;
  const uint8_t *original = policy_image(data[0] % POLICY_COUNT, &image_size);
  memset(image, data[0] & 0x80 ? 0xff : 0, BANK_SIZE);
  memcpy(image, original, image_size);
  for (const uint8_t *at = data + 1; at + CHANGE_SIZE <= data + size; at += CHANGE_SIZE) change(image, at);

  const uint32_t wrong = core_activate(BANK);
  REQUIRE((get32(L_STATE_AT + L_S_ACTIVE_BANK) == BANK + 1) == (wrong == 0), "activate answers %u", wrong);
  const uint32_t count = describe_packets();
  for (uint32_t call = 0; call < 2; call++) {
    const uint32_t outputs = core_process(count, 1000 + call);
    REQUIRE(outputs >= count && outputs <= count + 2 * HELD_MAX, "%u outputs for %u frames", outputs, count);
    for (uint32_t i = 0; i < outputs; i++) {
      const uint32_t at = at_descriptors + i * L_DESC_SIZE;
      const uint8_t verdict = get8(at + L_D_VERDICT);
      REQUIRE(verdict >= L_VERDICT_PASS && verdict <= L_VERDICT_HELD, "frame %u has verdict %u", i, verdict);
      REQUIRE(wrong == 0 || get8(at + L_D_REASON) == L_R_NOT_READY, "decided without a policy");
      if (get32(at + L_D_SESSION) != 0) machine_used_slot(get32(at + L_D_SESSION) - 1);
    }
    machine_used_held(2000);
    machine_check_gaps();
    if (call == 0) describe_packets();
  }
  core_flush(1001);
  return 0;
}
