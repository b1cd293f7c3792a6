/* Builds frames: hosts, conversations that keep their sequence numbers, fragments, ICMP errors, checksums. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FRAME_ROOM 12288

typedef struct {
  uint8_t bytes[FRAME_ROOM];
  uint32_t length;
  /** Bytes before the IP header. */
  uint32_t network;
  /** The interface whose wire it is on. */
  uint8_t wire;
} Frame;

/** What makes a packet unusual; all zero is an ordinary one. */
typedef struct {
  uint8_t tag_count;
  uint16_t tags[4];
  /** IPv4 options or IPv6 extension headers, by number, and their argument. */
  uint8_t headers, headers_argument;
  uint8_t ttl;
  uint8_t tos;
} Unusual;

/** A packet of a conversation: which, in which direction, and what it says (see frames.c). */
typedef struct {
  uint8_t hosts, service, act, argument;
} Saying;

/** Forgets all conversations. */
void frames_reset(void);
/** Builds the packet. Its checksums are right. */
void build(Frame *frame, Saying saying, const Unusual *unusual);
/** An ICMP error about the IP packet in `about`. */
void build_error(Frame *frame, const Frame *about, uint8_t kind, uint8_t who);
/** Cuts the IP packet in `whole` at `from` and `to` (bytes of its payload): a fragment. False: there is
 * nothing there. */
bool cut(Frame *fragment, const Frame *whole, uint32_t from, uint32_t to, bool more, uint32_t identification);
/** Bytes of IP payload that can be cut. */
uint32_t cuttable(const Frame *whole);
/** Sets the IPv4 header checksum and that of the transport, as far as the headers can be followed. */
void repair(Frame *frame);
