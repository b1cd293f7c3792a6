/*
 * The other box of a pair, as the fuzzer plays it: it gives the core a role, takes the records that the core
 * writes, and hands it records. Each answer is checked: what is written speaks of sessions that exist, and
 * what is taken changes nothing but the sessions that the records name.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/** A core that is alone. */
void peer_reset(void);
/** Which numbers the peer has for the interfaces: the same, or all others. */
void peer_number_interfaces(bool differently);
uint8_t peer_interface(uint8_t own);

void peer_set_role(bool standby);
void peer_come(bool present);
void peer_start_bulk(uint64_t buckets);
void peer_ask_verify(void);
void peer_scan(uint32_t groups);
void peer_acknowledge(uint8_t share);
void peer_distrust(void);
/** Has the core write; the records, valid until the next call, and how many bytes they are. */
const uint8_t *peer_write(uint32_t budget, uint32_t *size);
/** Gives the core these bytes as records. `filler` stands behind them. */
void peer_give(const uint8_t *bytes, uint32_t size, uint8_t filler);
/** The operator deletes all sessions. */
void peer_clear_sessions(void);

/** Sessions that records brought, and ids that no session of the core's own got. */
uint64_t peer_sessions_taken(void);
uint64_t peer_ids_skipped(void);
