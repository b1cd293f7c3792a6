/* Walks everything that the core keeps between two calls and aborts where two parts of it disagree. */
#pragma once
#include <stdint.h>

/**
 * The flow table, the half-open list, the datagrams and the pool of held frames, the counters.
 * @param given frames that the harness has handed over since the reset, and their bytes on the wire
 * @param live is called with the id and the slot of every session
 */
void check_structures(uint64_t given, uint64_t given_bytes, void (*live)(uint64_t id, uint32_t slot));
