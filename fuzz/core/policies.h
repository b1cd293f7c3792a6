/*
 * What the configurations in policies/ allow, said once more in C, so that a packet that passes can be judged
 * without the core: the lists and the inspection of each interface, and which interface leads where.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "layout.h"
#include "packet.h"

/** Whether something is bound is whether it is not NULL. */
typedef bool Condition(const Packet *packet);

typedef struct {
  /** By family (0 IPv4, 1 IPv6): what the lists permit, what the inspection rules list. */
  Condition *list_in[2], *list_out[2];
  Condition *inspect_in[2], *inspect_out[2];
  /** By family: a peer is told of the sessions of that inspection. */
  bool stateful_in[2], stateful_out[2];
  /** By family: what unicast RPF lets a source be. */
  Condition *source[2];
  bool up;
  /** By family: whether it takes part in it at all, and whether it takes no fragments of it. */
  bool takes[2], refuses_fragments[2];
} Bound;

typedef struct {
  Bound interfaces[INTERFACES];
  /** The lists above permit exactly what the configuration does, not just at least. */
  bool exact;
  bool block_non_session;
  /** First replies wait until the peer knows their session. */
  bool defers;
  /** How many of the networks in policies.c it has routes to, and whether all others are outside. */
  uint32_t networks4, networks6;
  bool has_default;
  /** What comes in on one of two interfaces leaves by the other. */
  bool pair;
} Policy;

extern const Policy POLICIES_BY_NUMBER[];

/** No route leads to an address. */
#define NOWHERE 255u
/** The interface that leads to an address, or NOWHERE; 0: it is the firewall's, a broadcast, or behind Null0.
 */
uint32_t interface_toward(const Policy *policy, bool v6, const uint8_t *address);
/** The interface that a packet leaves by that came in by `ingress`. */
uint32_t egress_of(const Policy *policy, uint32_t ingress, const Packet *packet);
/** The packet that would answer: ends exchanged; an ICMP reply becomes its request. */
Packet mirrored(const Packet *packet);
