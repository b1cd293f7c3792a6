/*
 * The host of the core, as the fuzzer plays it: it hands frames over, calls the core, and checks everything
 * that can be said about each answer. With FUZZ_PRINT set it prints each frame and each verdict, for the
 * reader of a finding.
 */
#pragma once
#include "machine.h"

/** Bytes between two frames, and behind the last one: what the core may read and must not heed. */
#define SLACK 64
/** The last bytes of the region `bytes`, which no frame takes; zeros. */
#define END_BYTES 64
#define END_AT (at_bytes + size_bytes - END_BYTES)

/** A frame for the core. */
typedef struct {
  uint32_t at, captured, wire;
  uint16_t ethertype;
  uint8_t flags, ingress;
  /** Of a merged frame. */
  uint16_t segment;
} Given;

/** Prints what happens. */
extern bool host_prints;

void host_init(void);
/** Begins a run: a fresh core with a policy, batches of that size, and what stands between the frames. */
void host_begin(uint32_t policy, uint32_t batch_size, uint64_t now_ms, uint8_t filler);
/** Ends it: nothing is left. The verdicts of all frames, in short. */
uint64_t host_end(void);
/** No more frames are taken in this run. */
bool host_is_full(void);

/** Hands a frame over. It ends where the frame before it begins, with SLACK in between. */
void host_give(const uint8_t *bytes, Given frame);
/** Hands over a descriptor for bytes that lie anywhere. */
void host_describe(Given frame);
/** Has the core decide what it was given. */
void host_decide(void);

/** From now on what passes is prepared for the wire; something about the wire changes: see forward.h. */
void host_go_live(uint8_t how);
void host_change_wire(uint8_t what, uint8_t argument, const uint8_t *packet, uint32_t length);
void host_pass_time(uint64_t ms);
/** Walks all structures. */
void host_walk(void);
/** The same, if there were calls since. */
void host_walk_calls(void);
/** Adds to what `host_end` returns. */
void host_mix(uint64_t value);
/** Runs the timers at the host's time, or at another one. */
void host_expire(uint32_t groups);
void host_expire_at(double now_ms, uint32_t groups);
void host_flush(void);
void host_use_policy(uint32_t policy);
void host_set_batch_size(uint32_t frames);
