/* Walks everything that the core keeps between two calls and aborts where two parts of it disagree. */
#pragma once
#include <stdint.h>

/** What the harness has done since the reset. */
typedef struct {
  /** Frames handed over, and their bytes on the wire. */
  uint64_t given, given_bytes;
  /** Sessions that records brought, and ids that no session of the core's own got. */
  uint64_t taken, ids_skipped;
} Expected;

/**
 * The flow table, the half-open list, the queue and the digests for the peer, the datagrams and the pool of
 * held frames, the counters.
 * @param live is called with the id and the slot of every session
 */
void check_structures(const Expected *expected, void (*live)(uint64_t id, uint32_t slot));
