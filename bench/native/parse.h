/* Pass 1: from a frame to a packet record, with every check that the product makes on this path. */
#ifndef PARSE_H
#define PARSE_H

#include "memory.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, URG = 32 };
enum { TCP = 6, UDP = 17 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd };

/* Not a reason: what no benchmark sends and this reference does not do. */
#define UNSUPPORTED R_NONE
#define SOUND 255

INLINE u64 pair(u32 low, u32 high, u64 a, u64 b) { return (a + high) * (b + low); }

INLINE u32 hash_key(u64 key0, u64 key1) {
  const u64 *s = fw.seed;
  return (u32)((pair((u32)key0, (u32)(key0 >> 32), s[0], s[1]) + pair((u32)key1, (u32)(key1 >> 32), s[2], s[3])) >> 32);
}

INLINE u32 digest6(const u8 *address) {
  const u64 *s = fw.seed;
  u64 low = load64(address), high = load64(address + 8);
  return (u32)((pair((u32)low, (u32)(low >> 32), s[4], s[5]) + pair((u32)high, (u32)(high >> 32), s[6], s[7])) >> 32);
}

INLINE const u8 *interface_at(u32 number) {
  return fw.policy + load32(fw.policy + P_INTERFACES) + number * INTERFACE_SIZE;
}

INLINE u32 fold(u64 sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (u32)((sum & 0xffff) + (sum >> 16));
}

INLINE bool header_sound(const u8 *at) {
  u64 a = load64(at), b = load64(at + 8);
  return fold((a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + load32(at + 16)) == 0xffff;
}

INLINE bool is_special(u32 octet) { return octet >= 224 || octet == 0 || octet == 127 || octet == 169; }

INLINE bool is_nobody(u32 address) {
  return address >> 24 == 0 || address >> 24 == 127 || address >> 16 == 0xa9fe;
}

SLOW u32 check_special(const u8 *network) {
  u32 source = be32(network + 12), destination = be32(network + 16);
  if (is_nobody(source) || source >= 0xe0000000) return R_MARTIAN_SOURCE;
  if (destination == 0xffffffff) return R_BROADCAST;
  if (is_nobody(destination) || destination >= 0xf0000000) return R_MARTIAN_DESTINATION;
  return destination >= 0xe0000000 ? UNSUPPORTED : SOUND;
}

INLINE bool is_greater6(const u8 *network) { return memcmp(network + 8, network + 24, 16) > 0; }

/* Side 0 is the end with the smaller (address, port): without a branch, which end that is cannot be predicted. */
INLINE void set_key(packet *p, u32 kind, u32 source_port, u32 destination_port) {
  const u8 *n = p->network;
  u64 a = (p->v6 ? digest6(n + 8) : load32(n + 12)) | (u64)source_port << 32;
  u64 b = (p->v6 ? digest6(n + 24) : load32(n + 16)) | (u64)destination_port << 32;
  u64 side = a > b;
  if (p->v6 && a == b) side = is_greater6(n);
  u64 swap = (a ^ b) & -side;
  p->key0 = (a ^ swap) | (u64)kind << 48;
  p->key1 = b ^ swap;
  p->side = (u8)side;
  p->hash = hash_key(p->key0, p->key1);
}

INLINE bool flags_possible(u32 flags) {
  const u64 set = 1ull << SYN | 1ull << (SYN | URG) | 1ull << (SYN | ACK) | 1ull << RST | 1ull << (RST | ACK) |
                  1ull << (FIN | ACK) | 1ull << (FIN | ACK | URG) | 1ull << ACK | 1ull << (ACK | URG);
  return set >> (flags & (FIN | SYN | RST | ACK | URG)) & 1;
}

INLINE u32 parse_tcp(packet *p, const u8 *t, u32 length, u32 available, bool verify) {
  if (length < 20) return R_TCP_HEADER;
  if (available < 20) return R_FRAME_TRUNCATED;
  u32 header = t[12] >> 4 << 2;
  if (header < 20 || header > length) return R_TCP_HEADER;
  if (available < header) return R_FRAME_TRUNCATED;
  u32 source = load16(t), destination = load16(t + 2), flags = t[13];
  if (source == 0 || destination == 0) return R_PORT_ZERO;
  if (!flags_possible(flags)) return R_TCP_FLAGS;
  if (verify) return UNSUPPORTED;
  p->seq = be32(t + 4);
  p->ack = be32(t + 8);
  p->window = be16(t + 14);
  p->payload = length - header;
  p->end = p->seq + p->payload + (flags >> 1 & 1) + (flags & 1);
  p->flags = (u8)flags;
  p->options = header != 20 && !(header == 32 && load32(t + 20) == 0x0a080101);
  p->kind = CLASS_TCP;
  set_key(p, p->v6 ? KIND_TCP6 : KIND_TCP4, source, destination);
  return SOUND;
}

INLINE u32 parse_udp(packet *p, const u8 *t, u32 length, u32 available, bool verify) {
  if (length < 8) return R_UDP_HEADER;
  if (available < 8) return R_FRAME_TRUNCATED;
  u32 datagram = be16(t + 4), source = load16(t), destination = load16(t + 2);
  if (datagram < 8 || datagram > length) return R_UDP_HEADER;
  if (source == 0 || destination == 0) return R_PORT_ZERO;
  if (verify) return UNSUPPORTED;
  p->payload = datagram - 8;
  p->flags = 0;
  p->options = 0;
  p->kind = CLASS_DATAGRAM;
  set_key(p, p->v6 ? KIND_UDP6 : KIND_UDP4, source, destination);
  return SOUND;
}

INLINE u32 parse_transport(packet *p, u32 header, u32 length, u32 available, bool verify) {
  const u8 *t = p->transport = p->network + header;
  available = available > header ? available - header : 0;
  if (p->protocol == TCP) return parse_tcp(p, t, length - header, available, verify);
  if (p->protocol == UDP) return parse_udp(p, t, length - header, available, verify);
  return UNSUPPORTED;
}

INLINE u32 parse4(packet *p, u32 length, u32 available, u32 flags, bool unverified) {
  const u8 *n = p->network;
  if (available < 20) return R_FRAME_TRUNCATED;
  u32 header = (n[0] & 15u) << 2, total = be16(n + 2);
  if (n[0] >> 4 != 4 || header < 20 || total < header) return R_IP_HEADER;
  if (total > length) return R_IP_LENGTH;
  if (available < header) return R_FRAME_TRUNCATED;
  p->ttl = n[8];
  p->protocol = n[9];
  if (header != 20) return UNSUPPORTED;
  if (!unverified && !(flags & DF_HEADER_CHECKSUM_OK) && !header_sound(n)) return R_IP_CHECKSUM;
  if (load32(n + 12) == load32(n + 16)) return R_LAND;
  if (is_special(n[12]) || is_special(n[16])) {
    u32 reason = check_special(n);
    if (reason != SOUND) return reason;
  }
  if (load16(n + 6) & 0xff3f) return UNSUPPORTED; /* fragments */
  p->v6 = 0;
  return parse_transport(p, header, total, available < total ? available : total,
                         !unverified && !(flags & DF_CHECKSUM_OK));
}

INLINE bool is_nobody6(const u8 *a) {
  return load64(a) == 0 && (load32(a + 8) == 0 || load32(a + 8) == 0xffff0000);
}

INLINE bool is_link6(const u8 *a) { return (load16(a) & 0xc0ff) == 0x80fe; }

INLINE u32 parse6(packet *p, u32 length, u32 available, u32 flags, bool unverified) {
  const u8 *n = p->network, *source = n + 8, *destination = n + 24;
  p->v6 = 1;
  if (available < 40) return R_FRAME_TRUNCATED;
  if (n[0] >> 4 != 6) return R_IP_HEADER;
  u32 total = 40 + be16(n + 4);
  if (total > length) return R_IP_LENGTH;
  p->protocol = n[6];
  p->ttl = n[7];
  if (p->protocol != TCP && p->protocol != UDP) return UNSUPPORTED; /* extension headers, ICMPv6 */
  if (memcmp(source, destination, 16) == 0) return R_LAND;
  bool to_link = is_link6(destination) || load16(destination) == 0x02ff;
  if (is_nobody6(source) || source[0] == 0xff || (is_link6(source) && !to_link)) return R_MARTIAN_SOURCE;
  if (is_nobody6(destination)) return R_MARTIAN_DESTINATION;
  if (to_link) return is_link6(destination) ? R_LINK_SCOPE : UNSUPPORTED;
  if (load16(destination) == 0x01ff) return R_MARTIAN_DESTINATION;
  if (destination[0] == 0xff) return R_MULTICAST;
  return parse_transport(p, 40, total, available < total ? available : total,
                         !unverified && !(flags & DF_CHECKSUM_OK));
}

INLINE u32 parse_frame(const descriptor *d, packet *p) {
  p->wire = d->wire;
  p->ingress = d->ingress;
  p->protocol = 0;
  p->hash = 0;
  const u8 *frame = p->frame = p->network = fw.frames + (d->offset - fw.frames_at);
  if ((u64)(d->offset - fw.frames_at) + d->captured > fw.frames_size || d->wire < d->captured)
    return R_BAD_DESCRIPTOR;
  if (d->ethertype != 0 || d->ingress == 0) return UNSUPPORTED;
  u32 link = d->ingress < load32(fw.policy + P_INTERFACE_COUNT) ? interface_at(d->ingress)[I_FLAGS] : 0;
  if (!(link & IF_UP)) return R_INTERFACE_DOWN;
  if (d->captured < 14) return R_FRAME_TRUNCATED;
  if (link & (IF_CHECK_MAC | IF_VLAN_STRICT)) return UNSUPPORTED;
  u32 type = be16(frame + 12);
  bool unverified = load32(fw.policy + P_FLAGS) & PF_NO_CHECKSUMS;
  p->network = frame + 14;
  if (type == TYPE_IPV4) return parse4(p, d->wire - 14, d->captured - 14, d->flags, unverified);
  if (type == TYPE_IPV6) return parse6(p, d->wire - 14, d->captured - 14, d->flags, unverified);
  return type == 0x0806 || type == 0x8100 || type == 0x88a8 || type == 0x9100 ? UNSUPPORTED : R_ETHERTYPE;
}

INLINE void parse(const descriptor *d, packet *p) {
  u32 reason = parse_frame(d, p);
  if (reason != SOUND) {
    p->kind = CLASS_DROP;
    p->reason = (u8)reason;
  }
}

#endif
