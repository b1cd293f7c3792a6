/*
 * A reader of packets that shares nothing with the core: from the bytes of a frame to what an access list or
 * a session is about. It is only asked about frames that the core lets pass, so it says loudly what it cannot
 * read.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TCP = 6, UDP = 17, ICMP = 1, ICMPV6 = 58, ESP = 50, SCTP = 132 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

typedef struct {
  bool v6;
  /** The protocol behind all extension headers; in a fragment, behind the fragment header. */
  uint8_t protocol;
  uint8_t ttl;
  /** IPv4 in the first four bytes. */
  uint8_t source[16], destination[16];
  /** TCP and UDP: ports; ICMP queries: the identifier, twice; else 0. */
  uint16_t source_port, destination_port;
  uint8_t tcp_flags, icmp_type, icmp_code;
  bool has_options;
  /** A fragment, and where its payload lies in the datagram. */
  bool fragment, more;
  uint32_t from, to, identification;
  /** The bytes from there on. */
  const uint8_t *piece;
  /** What stands behind the IP headers, and how much of it was captured and was on the wire. */
  const uint8_t *transport;
  uint32_t available, length;
  const uint8_t *network;
} Packet;

/** VLAN ids of a frame, outermost first. */
typedef struct {
  uint32_t count;
  uint16_t ids[4];
} Tags;

/**
 * Reads the frame: `captured` of `wire` bytes; `ethertype` 0: an Ethernet frame. Returns what keeps it from
 * being read as an IP packet, NULL if nothing does. A fragment that is not the first has no ports.
 */
const char *read_packet(const uint8_t *frame, uint32_t captured, uint32_t wire, uint32_t ethertype,
                        Packet *packet, Tags *tags);
/** Reads from the IP header on; `quoted`: the rest of it may be missing (ICMP errors). */
const char *read_ip(const uint8_t *at, uint32_t captured, uint32_t wire, bool quoted, Packet *packet);

/** Why the checksums of the packet are wrong, NULL if they hold. Not for fragments. */
const char *wrong_checksum(const Packet *packet, bool header_ok, bool transport_ok);

static inline bool is_query(const Packet *p) {
  if (p->protocol != (p->v6 ? ICMPV6 : ICMP)) return false;
  return p->v6 ? p->icmp_type == 128 || p->icmp_type == 129
               : p->icmp_type == 0 || p->icmp_type == 8 || p->icmp_type == 13 || p->icmp_type == 14;
}
static inline bool is_icmp_error(const Packet *p) {
  if (p->protocol != (p->v6 ? ICMPV6 : ICMP)) return false;
  return p->v6 ? p->icmp_type >= 1 && p->icmp_type <= 4
               : p->icmp_type == 3 || p->icmp_type == 11 || p->icmp_type == 12;
}
static inline bool is_request(const Packet *p) {
  return p->v6 ? p->icmp_type == 128 : p->icmp_type == 8 || p->icmp_type == 13;
}
static inline uint32_t word(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static inline uint32_t half(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

/** Ones' complement sum of bytes on top of another one, unfolded. */
uint64_t sum_bytes(uint64_t sum, const uint8_t *bytes, size_t length);
uint16_t fold_sum(uint64_t sum);
/** The sum of the pseudo header of a packet. */
uint64_t pseudo_sum(const Packet *packet, uint32_t length);
