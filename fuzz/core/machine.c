/* What machine.h says: the mapping of the memory, resets, and the calls. */
#define _GNU_SOURCE
#include "machine.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "core.h"
#include "trap.h"

/** All that 32 bits of address and 32 bits of offset can reach. */
#define REACH (1ull << 33)
#define PAGE 4096u
/** What stands between the regions. */
#define FILLER 0xc3

uint8_t *memory;
static uint8_t *view;
static uint8_t pristine[MEMORY_SIZE];

/** Fresh memory and the policies, as fuzz/core/export.ts wrote them. */
#define EMBED(symbol, file)                                                                  \
  __asm__(".section .rodata\n.balign 64\n.global " #symbol "\n" #symbol ":\n.incbin \"" file \
          "\"\n.global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n");            \
  extern const uint8_t symbol[], symbol##_end[];
EMBED(fresh_memory, "memory.bin")
#define POLICY(name) EMBED(image_##name, #name ".bin")
POLICIES(POLICY)
#undef POLICY

static wasm_rt_memory_t wasm_memory;
static Z_core_instance_t instance, fresh_instance;

struct Z_env_instance_t {
  int unused;
};
wasm_rt_memory_t *Z_envZ_memory(struct Z_env_instance_t *env) {
  (void)env;
  return &wasm_memory;
}

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "\nVIOLATION: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  abort();
}

void on_trap(int code) { fail("the core traps (%d)", code); }

static void need(bool condition, const char *what) {
  if (condition) return;
  perror(what);
  exit(2);
}

static uint32_t page_floor(uint32_t at) { return at / PAGE * PAGE; }
static uint32_t page_ceiling(uint32_t at) { return (at + PAGE - 1) / PAGE * PAGE; }

/** Gives the core a range of its memory, with these rights. */
static void expose(int file, uint32_t from, uint32_t to, int rights) {
  if (from == to) return;
  void *at = mmap(view + from, to - from, rights, MAP_SHARED | MAP_FIXED, file, from);
  need(at == view + from, "mmap of a region");
}

static void fill_gaps(uint8_t *bytes) {
#define REGION(name, at, size, writable)                       \
  memset(bytes + page_floor(at), FILLER, at - page_floor(at)); \
  memset(bytes + at + size, FILLER, page_ceiling(at + size) - (at + size));
  REGIONS(REGION)
#undef REGION
}

void machine_init(void) {
  const int file = memfd_create("core", 0);
  need(file >= 0 && ftruncate(file, MEMORY_SIZE) == 0, "memfd_create");
  memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  need(memory != MAP_FAILED, "mmap");
  view = mmap(NULL, REACH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  need(view != MAP_FAILED, "mmap of the address space");
  expose(file, 0, L_STATE_AT, PROT_READ | PROT_WRITE);
#define REGION(name, at, size, writable) \
  expose(file, page_floor(at), page_ceiling(at + size), PROT_READ | (writable ? PROT_WRITE : 0));
  REGIONS(REGION)
#undef REGION

  need(fresh_memory_end - fresh_memory == MEMORY_SIZE, "memory.bin has another size");
  memcpy(pristine, fresh_memory, MEMORY_SIZE);
  fill_gaps(pristine);
  memcpy(memory, pristine, MEMORY_SIZE);
  wasm_memory.data = view;
  wasm_memory.pages = wasm_memory.max_pages = MEMORY_SIZE >> 16;
  wasm_memory.size = MEMORY_SIZE;
  Z_core_init_module();
  struct Z_env_instance_t env;
  Z_core_instantiate(&instance, &env);
  // Instantiating writes the static data, and nothing may do so afterwards.
  REQUIRE(memcmp(memory, pristine, L_STATE_AT) == 0, "memory.bin is of another core");
  expose(file, 0, L_STATE_AT, PROT_READ);
  REQUIRE(Z_coreZ_layoutVersion(&instance) == L_LAYOUT_VERSION, "the core has another layout");
  REQUIRE(Z_coreZ_attach(&instance) == 0, "the core refuses its memory");
  fresh_instance = instance;
  close(file);
}

static uint16_t used_slots[GROUPS * L_GROUP_SLOTS];
static uint32_t used_slot_count;
static bool slot_is_used[GROUPS * L_GROUP_SLOTS];
static uint32_t used_held_bytes;
static uint32_t resets;
static bool is_live;

/** Frames can be written to, or only be read. */
static void unlock_frames(bool writable) {
  const uint32_t from = page_floor(at_bytes), to = page_ceiling(at_bytes + size_bytes);
  const int rights = PROT_READ | (writable ? PROT_WRITE : 0);
  need(mprotect(view + from, to - from, rights) == 0, "mprotect of the frames");
}

void machine_go_live(void) {
  if (!is_live) unlock_frames(true);
  is_live = true;
}
#define RESETS_PER_FULL_CHECK 256

void machine_used_slot(uint32_t slot) {
  REQUIRE(slot < GROUPS * L_GROUP_SLOTS, "slot %u does not exist", slot);
  if (slot_is_used[slot]) return;
  slot_is_used[slot] = true;
  used_slots[used_slot_count++] = slot;
}

void machine_used_held(uint32_t captured) {
  if (captured > used_held_bytes) used_held_bytes = captured;
}

static void restore(uint32_t at, uint32_t size) { memcpy(memory + at, pristine + at, size); }

void machine_reset(void) {
  for (uint32_t i = 0; i < used_slot_count; i++) {
    const uint32_t slot = used_slots[i];
    slot_is_used[slot] = false;
    restore(at_hot + slot * L_HOT_SIZE, L_HOT_SIZE);
    restore(at_cold + slot * L_COLD_SIZE, L_COLD_SIZE);
  }
  used_slot_count = 0;
  for (uint32_t i = 0; i < HELD_MAX; i++) {
    restore(at_held + i * L_HELD_SIZE, L_HELD_HEADER + used_held_bytes);
  }
  used_held_bytes = 0;
  restore(at_state, size_state);
  restore(at_tags, size_tags);
  restore(at_overflow, size_overflow);
  restore(at_fragments, size_fragments);
  restore(at_events, size_events);
  restore(at_hits, size_hits);
  restore(at_descriptors, size_descriptors);
  restore(at_meta, size_meta);
  if (is_live) {
    restore(at_live, size_live);
    restore(at_neighbors, size_neighbors);
    unlock_frames(false);
    is_live = false;
  }
  instance = fresh_instance;
  if (resets++ % RESETS_PER_FULL_CHECK != 0) return;
  // What no packet was said to use must be as it was.
  REQUIRE(memcmp(memory + at_hot, pristine + at_hot, size_hot) == 0,
          "a hot record of no session was written");
  REQUIRE(memcmp(memory + at_cold, pristine + at_cold, size_cold) == 0,
          "a cold record of no session was written");
  REQUIRE(memcmp(memory + at_held, pristine + at_held, size_held) == 0,
          "a held frame that was not held was written");
}

void machine_check_gaps(void) {
#define SAME(from, to) (memcmp(memory + (from), pristine + (from), (to) - (from)) == 0)
#define REGION(name, at, size, writable)                                               \
  REQUIRE(SAME(page_floor(at), at), "bytes before the region " #name " were written"); \
  REQUIRE(SAME(at + size, page_ceiling(at + size)), "bytes behind the region " #name " were written");
  REGIONS(REGION)
#undef REGION
}

void machine_hide_bank(uint32_t bank) {
  need(mprotect(view + at_banks + bank * BANK_SIZE, BANK_SIZE, PROT_NONE) == 0, "mprotect");
}

const uint8_t *policy_image(uint32_t policy, uint32_t *size) {
#define POLICY(name) {image_##name, image_##name##_end},
  static const struct {
    const uint8_t *from, *to;
  } IMAGES[] = {POLICIES(POLICY)};
#undef POLICY
  *size = IMAGES[policy].to - IMAGES[policy].from;
  return IMAGES[policy].from;
}

void machine_use_policy(uint32_t policy) {
  const uint32_t bank = get32(L_STATE_AT + L_S_ACTIVE_BANK) == 1 ? 1 : 0;
  uint32_t size;
  const uint8_t *image = policy_image(policy, &size);
  memcpy(memory + at_banks + bank * BANK_SIZE, image, size);
  memset(memory + at_hits + bank * RULES_MAX * 8, 0, RULES_MAX * 8);
  const uint32_t wrong = core_activate(bank);
  REQUIRE(wrong == 0, "the core refuses policy %u (%u)", policy, wrong);
}

uint32_t core_activate(uint32_t bank) { return Z_coreZ_activate(&instance, bank); }
uint32_t core_process(uint32_t packets, double now_ms) { return Z_coreZ_process(&instance, packets, now_ms); }
uint32_t core_expire(double now_ms, uint32_t budget) { return Z_coreZ_expire(&instance, now_ms, budget); }
uint32_t core_flush(double now_ms) { return Z_coreZ_flush(&instance, now_ms); }
uint32_t core_remove(uint32_t slot) { return Z_coreZ_remove(&instance, slot); }
void core_set_role(uint32_t role) { Z_coreZ_setRole(&instance, role); }
void core_set_peer(uint32_t present) { Z_coreZ_setPeer(&instance, present); }
void core_start_bulk(uint64_t buckets) { Z_coreZ_startBulk(&instance, (uint32_t)buckets, buckets >> 32); }
void core_scan(uint32_t groups) { Z_coreZ_scan(&instance, groups); }
uint32_t core_write_records(uint32_t budget) { return Z_coreZ_writeRecords(&instance, budget); }
uint32_t core_take_records(uint32_t size) { return Z_coreZ_takeRecords(&instance, size); }
void core_distrust(void) { Z_coreZ_distrust(&instance); }
void core_attach_live(void) { Z_coreZ_attachLive(&instance); }
uint32_t core_put_neighbor(void) { return Z_coreZ_putNeighbor(&instance); }
uint32_t core_drop_neighbor(void) { return Z_coreZ_dropNeighbor(&instance); }
void core_find_next_hop(uint32_t interface, uint32_t v6) { Z_coreZ_findNextHop(&instance, interface, v6); }
