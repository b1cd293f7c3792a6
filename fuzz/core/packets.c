/*
 * The fuzz target of the packet path: an input is a line of operations. host.c checks what the core makes of
 * it.
 */
#include "host.h"
#include "operations.h"

/** Runs the input once; the verdicts in short. */
static uint64_t run(const uint8_t *data, size_t size, uint8_t filler) {
  static const uint8_t BATCHES[4] = {1, 4, 16, BATCH_MAX};
  input_begin(data, size);
  const uint8_t start = next8();
  host_begin((start >> 2) % POLICY_COUNT, BATCHES[start & 3], start & 0x40 ? 0xfffffff0u : 1000, filler);
  if (start & 0x20) host_go_live(next8());
  while (input_more() && !host_is_full()) operation(next8());
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
  const uint64_t verdicts = run(data, size, 0x00);
  // What lies behind a frame must not matter.
  if (data[0] & 0x80) REQUIRE(run(data, size, 0xff) == verdicts, "the bytes behind a frame decide about it");
  return 0;
}
