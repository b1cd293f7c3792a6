/* What packet.h says: headers from bytes, and their checksums. */
#include "packet.h"
#include <string.h>

uint64_t sum_bytes(uint64_t sum, const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i + 1 < length; i += 2) sum += half(bytes + i);
  if (length & 1) sum += (uint64_t)bytes[length - 1] << 8;
  return sum;
}

uint16_t fold_sum(uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)sum;
}

uint64_t pseudo_sum(const Packet *p, uint32_t length) {
  const size_t size = p->v6 ? 16 : 4;
  return sum_bytes(sum_bytes(0, p->source, size), p->destination, size) + length + p->protocol;
}

/** Ports, flags and types, as far as they are there. */
static const char *read_transport(Packet *p, bool quoted) {
  const uint8_t *t = p->transport;
  const uint32_t needed = p->protocol == TCP && !quoted ? 20 : 8;
  if (p->protocol == TCP || p->protocol == UDP) {
    if (p->available < needed) return "no transport header";
    p->source_port = half(t);
    p->destination_port = half(t + 2);
    if (p->protocol == TCP && !quoted) p->tcp_flags = t[13] & 0x3f;
  } else if (p->protocol == (p->v6 ? ICMPV6 : ICMP)) {
    if (p->available < 8) return "no ICMP header";
    p->icmp_type = t[0];
    p->icmp_code = t[1];
    if (is_query(p)) p->source_port = p->destination_port = half(t + 4);
  } else if (quoted && p->available < 8) {
    return "quotes less than 8 bytes";
  }
  return NULL;
}

static const char *read_ipv4(const uint8_t *at, uint32_t captured, uint32_t wire, bool quoted, Packet *p) {
  if (captured < 20) return "no IPv4 header";
  const uint32_t header = (at[0] & 15) * 4u;
  uint32_t length = half(at + 2);
  if (quoted) length = captured;
  // Left to the NIC together with the checksum.
  if (length == 0) length = wire < 65535 ? wire : 65535;
  if (header < 20 || header > captured) return "IPv4 header length";
  if (length < header || length > wire) return "IPv4 length";
  p->ttl = at[8];
  p->protocol = at[9];
  memcpy(p->source, at + 12, 4);
  memcpy(p->destination, at + 16, 4);
  p->has_options = header > 20;
  p->transport = at + header;
  p->length = length - header;
  const uint32_t present = captured < length ? captured : length;
  p->available = present - header;
  const uint32_t field = half(at + 6);
  p->identification = half(at + 4);
  p->more = (field & 0x2000) != 0;
  p->from = (field & 0x1fff) * 8;
  p->to = p->from + p->length;
  p->fragment = p->more || p->from != 0;
  p->piece = p->transport;
  if (p->from != 0) return quoted ? "quotes a fragment" : NULL;
  return read_transport(p, quoted);
}

static bool is_extension(uint8_t next) {
  return next == 0 || next == 43 || next == 44 || next == 51 || next == 60 || next == 135 || next == 139 ||
         next == 140;
}

static const char *read_ipv6(const uint8_t *at, uint32_t captured, uint32_t wire, bool quoted, Packet *p) {
  if (captured < 40) return "no IPv6 header";
  uint32_t length = 40 + half(at + 4);
  if (quoted) length = captured;
  if (length > wire) return "IPv6 length";
  const uint32_t present = captured < length ? captured : length;
  p->v6 = true;
  p->ttl = at[7];
  memcpy(p->source, at + 8, 16);
  memcpy(p->destination, at + 24, 16);
  uint8_t next = at[6];
  uint32_t offset = 40;
  bool first = true;
  while (is_extension(next) && first) {
    if (offset + 8 > present) return "extension header beyond the packet";
    const uint8_t *header = at + offset;
    const uint32_t size = next == 44 ? 8 : next == 51 ? (header[1] + 2) * 4u : (header[1] + 1) * 8u;
    if (next == 44 && (half(header + 2) & 0xfff9) != 0) {
      p->fragment = true;
      p->from = half(header + 2) & 0xfff8;
      p->more = (header[3] & 1) != 0;
      p->identification = word(header + 4);
      p->to = p->from + (length - offset - 8);
      p->piece = header + 8;
      first = p->from == 0;
    }
    offset += size;
    if (offset > present) return "extension header beyond the packet";
    next = header[0];
  }
  p->protocol = next;
  p->transport = at + offset;
  p->length = length - offset;
  p->available = present - offset;
  if (!first) return quoted ? "quotes a fragment" : NULL;
  return read_transport(p, quoted);
}

const char *read_ip(const uint8_t *at, uint32_t captured, uint32_t wire, bool quoted, Packet *p) {
  memset(p, 0, sizeof *p);
  p->network = at;
  if (captured == 0) return "empty";
  if (at[0] >> 4 == 4) return read_ipv4(at, captured, wire, quoted, p);
  if (at[0] >> 4 == 6) return read_ipv6(at, captured, wire, quoted, p);
  return "IP version";
}

const char *read_packet(const uint8_t *frame, uint32_t captured, uint32_t wire, uint32_t ethertype, Packet *p,
                        Tags *tags) {
  uint32_t at = 0;
  uint32_t type = ethertype;
  tags->count = 0;
  if (ethertype == 0) {
    if (captured < 14) return "no Ethernet header";
    type = half(frame + 12);
    at = 14;
  }
  while (type == 0x8100 || type == 0x88a8 || type == 0x9100) {
    if (at + 4 > captured || tags->count == 4) return "VLAN tags";
    tags->ids[tags->count++] = half(frame + at) & 0xfff;
    type = half(frame + at + 2);
    at += 4;
  }
  if (type != 0x0800 && type != 0x86dd) return "ethertype";
  const char *wrong = read_ip(frame + at, captured - at, wire - at, false, p);
  return wrong == NULL && p->v6 != (type == 0x86dd) ? "IP version" : wrong;
}

const char *wrong_checksum(const Packet *p, bool header_ok, bool transport_ok) {
  if (!p->v6 && !header_ok) {
    const uint32_t header = (uint32_t)(p->transport - p->network);
    if (fold_sum(sum_bytes(0, p->network, header)) != 0xffff) return "IPv4 header checksum";
  }
  if (transport_ok) return NULL;
  uint32_t covered = p->length;
  if (p->protocol == UDP) {
    covered = half(p->transport + 4);
    if (half(p->transport + 6) == 0) return p->v6 ? "UDP without checksum" : NULL;
  }
  if (p->available < covered) return NULL;
  uint64_t pseudo = 0;
  if (p->protocol == TCP || p->protocol == UDP || (p->v6 && p->protocol == ICMPV6))
    pseudo = pseudo_sum(p, covered);
  else if (p->v6 || p->protocol != ICMP)
    return NULL;
  return fold_sum(sum_bytes(pseudo, p->transport, covered)) == 0xffff ? NULL : "transport checksum";
}
