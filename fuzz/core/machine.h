/*
 * One instance of the core, translated to C by wasm2c, over a memory of which every page has the rights that
 * the core needs and no more: a store outside the regions that it may write, or an access outside all
 * regions, is a SIGSEGV at the very instruction. The harness sees the same memory a second time, with all
 * rights.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "layout.h"

/** The whole memory, writable. */
extern uint8_t *memory;

/** Addresses of the regions: `at_hot`, `size_hot` and so on. */
enum {
#define REGION(name, at, size, writable) at_##name = at, size_##name = size,
  REGIONS(REGION)
#undef REGION
};

static inline uint8_t get8(uint32_t at) { return memory[at]; }
static inline uint16_t get16(uint32_t at) {
  uint16_t v;
  memcpy(&v, memory + at, sizeof v);
  return v;
}
static inline uint32_t get32(uint32_t at) {
  uint32_t v;
  memcpy(&v, memory + at, sizeof v);
  return v;
}
static inline uint64_t get64(uint32_t at) {
  uint64_t v;
  memcpy(&v, memory + at, sizeof v);
  return v;
}
static inline void put8(uint32_t at, uint8_t v) { memory[at] = v; }
static inline void put16(uint32_t at, uint16_t v) { memcpy(memory + at, &v, sizeof v); }
static inline void put32(uint32_t at, uint32_t v) { memcpy(memory + at, &v, sizeof v); }
static inline void put64(uint32_t at, uint64_t v) { memcpy(memory + at, &v, sizeof v); }

/** Says what is wrong and aborts. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define REQUIRE(condition, ...)          \
  do {                                   \
    if (!(condition)) fail(__VA_ARGS__); \
  } while (0)

/** Maps the memory and makes the instance; once. */
void machine_init(void);
/** As after `attach`, with no policy in force. */
void machine_reset(void);
/** Aborts if a byte that belongs to no region has changed. */
void machine_check_gaps(void);
/** Says that the core has used a slot, or a held frame with so many bytes, so that the next reset clears it.
 */
void machine_used_slot(uint32_t slot);
void machine_used_held(uint32_t captured);
/** Lets the core write to frames and use the neighbour table, until the next reset. */
void machine_go_live(void);
/** Takes all access to a bank from the core. */
void machine_hide_bank(uint32_t bank);

/** The image of a policy. */
const uint8_t *policy_image(uint32_t policy, uint32_t *size);
/** Puts a policy into force, as the host does: into the bank that is not, with fresh hit counters. */
void machine_use_policy(uint32_t policy);

uint32_t core_activate(uint32_t bank);
uint32_t core_process(uint32_t packets, double now_ms);
uint32_t core_expire(double now_ms, uint32_t budget);
uint32_t core_flush(double now_ms);
uint32_t core_remove(uint32_t slot);
void core_set_role(uint32_t role);
void core_set_peer(uint32_t present);
void core_start_bulk(uint64_t buckets);
void core_scan(uint32_t groups);
uint32_t core_write_records(uint32_t budget);
uint32_t core_take_records(uint32_t size);
void core_distrust(void);
void core_attach_live(void);
uint32_t core_put_neighbor(void);
uint32_t core_drop_neighbor(void);
void core_find_next_hop(uint32_t interface, uint32_t v6);
