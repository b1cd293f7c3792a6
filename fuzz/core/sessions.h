/*
 * The sessions as the harness knows them: those that it saw begin, and those that a record told of. Several
 * may have one id, when records say so; none is forgotten before the input ends.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "packet.h"

/** Both ends of a session; 0 is the initiator's. */
typedef struct {
  bool v6;
  /** `icmp_type` is that of the request. */
  uint8_t protocol, icmp_type;
  /** IPv4 in the first four bytes. */
  uint8_t address[2][16];
  /** TCP and UDP: ports; ICMP queries: the identifier, twice; else 0. */
  uint16_t port[2];
} Ends;

typedef struct {
  Ends ends;
  /** Of the initiator and the responder. */
  uint8_t interface[2];
  bool live, found;
  /** A peer is told of it; the responder has spoken. */
  bool stateful, answered;
  uint32_t slot, next;
  uint64_t id;
  /** Of the last packet; before 0 if a record says so. */
  int64_t last_ms;
  /** The longest timeout that can be its. */
  int64_t idle_max;
  /** Number of the last ADD that told the peer of it, 0 when it does not know it. */
  uint64_t told;
} Session;

void sessions_reset(void);
/** The session with that id in that slot, NULL if there is none. */
Session *session_in(uint64_t id, uint32_t slot);
/** The live session with that id and those ends, NULL if there is none. */
Session *session_between(uint64_t id, const Ends *ends);
/** Whether any session ever had the id. */
bool session_id_known(uint64_t id);
/** Adds one, with no ends yet. */
Session *session_add(uint64_t id, uint32_t slot);
/** All of them, by index. */
uint32_t session_count(void);
Session *session_at(uint32_t index);

bool same_ends(const Ends *a, const Ends *b);
/** Which end of the session sent the packet, -1 if it is none of its packets. */
int sender_in(const Session *session, const Packet *packet);
