/* What frames.h says: headers, segments, errors and pieces, written byte by byte. */
#include "frames.h"
#include "layout.h"
#include "packet.h"

typedef struct {
  uint8_t interface;
  uint8_t v4[4];
  /** 2001:db8:NET::HOST; net 0: 2001:4860::HOST. */
  uint16_t net6, host6;
} Host;

#define HOSTS 8
static const Host HOST[HOSTS] = {
    {INSIDE, {10, 1, 1, 10}, 0x1, 0x10},      {INSIDE, {10, 1, 1, 80}, 0x1, 0x80},
    {OUTSIDE, {203, 0, 113, 77}, 0xff, 0x77}, {OUTSIDE, {8, 8, 8, 8}, 0, 8},
    {DMZ, {172, 16, 10, 25}, 0x10, 0x25},     {GUEST, {172, 16, 20, 33}, 0x20, 0x33},
    {LAB, {198, 51, 100, 130}, 0x30, 0x1},    {INSIDE, {10, 1, 1, 1}, 0x1, 0x1},
};

/** The kinds of conversation, by the lower four bits of `service`; the upper four tell eight of a kind apart.
 */
enum { ECHO = 0x100, TIMESTAMP, OTHER_ICMP, ANY_PROTOCOL };
static const struct {
  uint16_t protocol, port;
} SERVICE[16] = {
    {TCP, 80}, {TCP, 25}, {TCP, 443},   {TCP, 23},         {TCP, 22},      {TCP, 21},
    {UDP, 53}, {UDP, 69}, {UDP, 5000},  {ECHO, 0},         {TIMESTAMP, 0}, {OTHER_ICMP, 0},
    {47, 0},   {ESP, 0},  {SCTP, 2905}, {ANY_PROTOCOL, 0},
};
#define CLIENT_PORT 40000

/** Where the two ends of a TCP conversation are: the next sequence number of each, and of the one before the
 * last SYN. */
typedef struct {
  uint32_t run, next[2], earlier[2];
} Conversation;
static Conversation conversations[1 << 16];
static uint32_t run = 1;

void frames_reset(void) { run++; }

static Conversation *conversation_of(Saying s) {
  Conversation *c = &conversations[(s.hosts & 0x7f) << 8 | s.service];
  if (c->run != run) *c = (Conversation){.run = run, .next = {1000000u, 0xffffff00u}};
  return c;
}

static void put16be(uint8_t *at, uint32_t v) {
  at[0] = v >> 8;
  at[1] = v;
}
static void put32be(uint8_t *at, uint32_t v) {
  put16be(at, v >> 16);
  put16be(at + 2, v);
}

static void address6(uint8_t *at, const Host *host) {
  memset(at, 0, 16);
  put32be(at, host->net6 == 0 ? 0x20014860u : 0x20010db8u);
  put16be(at + 4, host->net6);
  put16be(at + 14, host->host6);
}

static uint8_t *append(Frame *f, uint32_t bytes) {
  uint8_t *at = f->bytes + f->length;
  memset(at, 0, bytes);
  f->length += bytes;
  return at;
}

static void append_ethernet(Frame *f, const Host *from, const Unusual *u, bool v6) {
  static const uint8_t STATION[6] = INSIDE_MAC;
  uint8_t *at = append(f, 14);
  memcpy(at, STATION, 6);
  at[6] = 0x02;
  at[11] = from->v4[3];
  at += 12;
  const bool tagged = from->interface == DMZ || from->interface == GUEST;
  f->wire = tagged ? TRUNK : from->interface;
  for (uint32_t i = 0; i < u->tag_count + tagged; i++) {
    put16be(at, i == 0 ? 0x8100 : 0x88a8);
    at = append(f, 4);
    put16be(at, i < tagged ? (from->interface == DMZ ? 10 : 20) : u->tags[i - tagged]);
    at += 2;
  }
  put16be(at, v6 ? 0x86dd : 0x0800);
  f->network = f->length;
}

/** IPv4 options by number. */
static void append_options(Frame *f, const Unusual *u) {
  static const uint8_t OPTIONS[8][8] = {
      {0},
      {1, 1, 1, 0},
      {7, 7, 4, 0, 0, 0, 0, 0},
      {131, 7, 4, 10, 1, 1, 1, 0},
      {137, 3, 4, 0},
      {68, 8, 5, 0, 0, 0, 0, 0},
      {148, 4, 0, 0},
      {7, 0, 0, 0},
  };
  const uint32_t kind = u->headers & 7;
  if (kind == 0) return;
  const uint32_t size = kind == 1 || kind == 4 || kind >= 6 ? 4 : 8;
  uint8_t *at = append(f, size);
  memcpy(at, OPTIONS[kind], size);
  at[2] ^= u->headers_argument;
}

static void append_ipv4(Frame *f, const Host *from, const Host *to, uint8_t protocol, const Unusual *u) {
  uint8_t *at = append(f, 20);
  at[1] = u->tos;
  put16be(at + 4, 0x1234);
  at[8] = u->ttl;
  at[9] = protocol;
  memcpy(at + 12, from->v4, 4);
  memcpy(at + 16, to->v4, 4);
  append_options(f, u);
  at[0] = 0x40 | (f->length - f->network) / 4;
}

/** IPv6 extension headers: up to two, by the nibbles of `headers`. */
static void append_ipv6(Frame *f, const Host *from, const Host *to, uint8_t protocol, const Unusual *u) {
  static const uint8_t NEXT[8] = {0, 0, 60, 43, 51, 135, 44, 59};
  uint8_t *at = append(f, 40);
  put32be(at, 0x60000000u | (uint32_t)u->tos << 20);
  at[7] = u->ttl;
  address6(at + 8, from);
  address6(at + 24, to);
  uint8_t *next = at + 6;
  for (uint32_t nibbles = u->headers; nibbles != 0; nibbles >>= 4) {
    const uint32_t kind = nibbles & 7;
    if (kind == 0) continue;
    *next = NEXT[kind];
    if (kind == 7) return;
    const uint32_t units = nibbles & 8 ? 2 : 1;
    at = append(f, kind == 4 ? 4 * (units + 2) : kind == 6 ? 8 : 8 * units);
    next = at;
    at[1] = kind == 4 ? units : units - 1;
    if (kind == 6)
      put32be(at + 4, 0x777);
    else if (kind == 3)
      at[2] = u->headers_argument & 7;
    else if (kind <= 2 && (at[2] = u->headers_argument) != 0)
      at[3] = units * 8 - 4;
  }
  *next = protocol;
}

static uint32_t payload_size(uint8_t argument) { return argument < 200 ? argument : (argument - 199) * 160u; }

/** TCP options: by the upper bits of `act`. */
static uint32_t append_tcp_options(Frame *f, Saying s, bool syn, uint32_t peer_next) {
  const uint32_t before = f->length;
  if (s.act & 0x10) memcpy(append(f, 12), (uint8_t[]){1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0}, 12);
  if (syn && (s.act & 0x20)) memcpy(append(f, 4), (uint8_t[]){1, 3, 3, 7}, 4);
  if (syn && (s.act & 0x40)) memcpy(append(f, 4), (uint8_t[]){1, 1, 4, 2}, 4);
  if (!syn && (s.act & 0x40)) {
    uint8_t *at = append(f, 12);
    memcpy(at, (uint8_t[]){1, 1, 5, 10}, 4);
    put32be(at + 4, peer_next + s.argument * 16u);
    put32be(at + 8, peer_next + s.argument * 24u + 1);
  }
  return f->length - before;
}

/**
 * A segment. The lower four bits of `act` say which:
 *   0 SYN  1 SYN+ACK  2 data or ACK  3 FIN  4 RST  5 RST+ACK  6 RST nearby  7 keep-alive  8 old data  9 data
 * ahead 10 ACK of too much  11 old ACK  12 SYN anew  13 answer to the connection before it  14 any flags  15
 * URG
 */
static void append_tcp(Frame *f, Saying s, uint32_t side, uint32_t from_port, uint32_t to_port) {
  Conversation *c = conversation_of(s);
  const uint32_t verb = s.act & 15, argument = s.argument;
  uint32_t seq = c->next[side], ack = c->next[side ^ 1], flags = ACK, payload = 0;
  switch (verb) {
    case 0:
      flags = SYN;
      ack = 0;
      payload = argument < 16 ? argument : 0;
      break;
    case 1: flags = SYN | ACK; break;
    case 2:
      payload = payload_size(argument);
      flags |= argument & 1 ? PSH : 0;
      break;
    case 3:
      flags = FIN | ACK;
      payload = argument < 16 ? argument : 0;
      break;
    case 4:
      flags = RST;
      ack = 0;
      break;
    case 5: flags = RST | ACK; break;
    case 6:
      flags = RST;
      seq += (int8_t)argument * 500;
      break;
    case 7: seq--; break;
    case 8:
      seq -= argument * 100;
      payload = argument;
      break;
    case 9:
      seq += argument * 1000;
      payload = argument;
      break;
    case 10: ack += argument * 1000; break;
    case 11: ack -= argument * 1000; break;
    case 12:
      memcpy(c->earlier, c->next, sizeof c->next);
      c->next[side] += (argument + 1) << 20;
      seq = c->next[side];
      flags = SYN;
      ack = 0;
      break;
    case 13:
      seq = c->earlier[side];
      ack = c->earlier[side ^ 1];
      break;
    case 14: flags = argument; break;
    default:
      flags = ACK | URG;
      payload = argument & 15;
      break;
  }
  uint8_t *at = append(f, 20);
  put16be(at, from_port);
  put16be(at + 2, to_port);
  put32be(at + 4, seq);
  put32be(at + 8, ack);
  at[12] = (5 + append_tcp_options(f, s, (flags & SYN) != 0, ack) / 4) << 4;
  at[13] = flags;
  put16be(at + 14, s.act & 0x80 ? 0 : 0x2000);
  append(f, payload);
  const uint32_t end = seq + payload + ((flags & SYN) != 0) + ((flags & FIN) != 0);
  // What the segment occupies is sent, unless it was meant to be out of order or is sent over and over.
  if (verb <= 3 || verb == 12 || verb >= 14) c->next[side] = end;
}

static void append_transport(Frame *f, Saying s, uint32_t protocol, uint32_t side, bool v6) {
  const uint32_t variant = s.service >> 4;
  const uint32_t ports[2] = {CLIENT_PORT + variant, SERVICE[s.service & 15].port};
  if (protocol == TCP) {
    append_tcp(f, s, side, ports[side], ports[side ^ 1]);
  } else if (protocol == UDP || protocol == SCTP) {
    const uint32_t payload = payload_size(s.argument);
    uint8_t *at = append(f, (protocol == UDP ? 8 : 12) + payload);
    put16be(at, ports[side]);
    put16be(at + 2, ports[side ^ 1]);
    if (protocol == UDP) put16be(at + 4, 8 + payload);
  } else if (protocol == (v6 ? ICMPV6 : ICMP)) {
    uint8_t *at = append(f, 8 + payload_size(s.argument));
    switch (SERVICE[s.service & 15].protocol) {
      case ECHO: at[0] = v6 ? 128 + side : side ? 0 : 8; break;
      case TIMESTAMP: at[0] = v6 ? 133 + (s.act & 7) : 13 + side; break;
      default: at[0] = s.act; break;
    }
    put16be(at + 4, variant + 1);
  } else {
    append(f, payload_size(s.argument));
  }
}

static uint8_t protocol_of(Saying s, bool v6) {
  const uint16_t protocol = SERVICE[s.service & 15].protocol;
  if (protocol == ANY_PROTOCOL) return s.act;
  return protocol < 0x100 ? protocol : v6 ? ICMPV6 : ICMP;
}

void build(Frame *f, Saying s, const Unusual *u) {
  const bool v6 = (s.hosts & 0x40) != 0;
  const uint32_t side = s.hosts >> 7;
  Host ends[2] = {HOST[s.hosts & 7], HOST[s.hosts >> 3 & 7]};
  const uint8_t protocol = protocol_of(s, v6);
  // The one host for which ESP is let in.
  if (protocol == ESP && (s.service & 0x80) && (s.hosts >> 3 & 7) == 4) ends[1].v4[3] = 99;
  Unusual usual = *u;
  if (usual.ttl == 0) usual.ttl = 64;
  f->length = 0;
  append_ethernet(f, &ends[side], &usual, v6);
  (v6 ? append_ipv6 : append_ipv4)(f, &ends[side], &ends[side ^ 1], protocol, &usual);
  append_transport(f, s, protocol, side, v6);
  const uint32_t length = f->length - f->network;
  if (v6)
    put16be(f->bytes + f->network + 4, length - 40);
  else
    put16be(f->bytes + f->network + 2, length);
  repair(f);
}

void build_error(Frame *f, const Frame *about, uint8_t kind, uint8_t who) {
  static const uint8_t TYPES[2][4] = {{3, 11, 12, 4}, {1, 2, 3, 4}};
  const uint8_t *quoted = about->bytes + about->network;
  const uint32_t present = about->length - about->network;
  const bool v6 = present > 0 && quoted[0] >> 4 == 6;
  const uint32_t least = v6 ? 40 : 20;
  if (present < least) return;
  // From the one that the packet was for, or from a router on the way.
  const Host *reporter = &HOST[who & 7];
  f->length = 0;
  Unusual usual = {.ttl = 64};
  append_ethernet(f, reporter, &usual, v6);
  (v6 ? append_ipv6 : append_ipv4)(f, reporter, reporter, v6 ? ICMPV6 : ICMP, &usual);
  uint8_t *header = f->bytes + f->network;
  memcpy(header + (v6 ? 24 : 16), quoted + (v6 ? 8 : 12), v6 ? 16 : 4);
  // For somebody else than the sender.
  if (who & 0x10) header[v6 ? 39 : 19] ^= kind & 0x30 ? 1 : 90;
  if (who & 8) memcpy(header + (v6 ? 8 : 12), quoted + (v6 ? 24 : 16), v6 ? 16 : 4);
  uint8_t *at = append(f, 8);
  at[0] = TYPES[v6][kind & 3];
  at[1] = kind >> 2 & 3;
  uint32_t size = kind & 0x80 ? least + 8 : kind & 0x40 ? present : least + (kind >> 4 & 3) * 8 + 4;
  if (size > present) size = present;
  if (size > 1200) size = 1200;
  memcpy(append(f, size), quoted, size);
  header = f->bytes + f->network;
  if (v6)
    put16be(header + 4, f->length - f->network - 40);
  else
    put16be(header + 2, f->length - f->network);
  repair(f);
}

/** Bytes of the headers that every fragment repeats; 0: this is no IP packet. */
static uint32_t repeated(const Frame *whole) {
  const uint8_t *at = whole->bytes + whole->network;
  if (whole->length < whole->network + 40) return 0;
  if (at[0] >> 4 == 6) return 40;
  const uint32_t header = (at[0] & 15) * 4u;
  return at[0] >> 4 == 4 && header >= 20 && header <= whole->length - whole->network ? header : 0;
}

uint32_t cuttable(const Frame *whole) {
  const uint32_t header = repeated(whole);
  return header == 0 ? 0 : whole->length - whole->network - header;
}

bool cut(Frame *f, const Frame *whole, uint32_t from, uint32_t to, bool more, uint32_t identification) {
  const uint32_t header = repeated(whole), total = cuttable(whole);
  if (to > total) to = total;
  if (header == 0 || from >= to) return false;
  f->wire = whole->wire;
  f->network = whole->network;
  f->length = whole->network + header;
  memcpy(f->bytes, whole->bytes, f->length);
  uint8_t *ip = f->bytes + f->network;
  if (ip[0] >> 4 == 6) {
    uint8_t *at = append(f, 8);
    at[0] = ip[6];
    ip[6] = 44;
    put16be(at + 2, (from & 0xfff8) | more);
    put32be(at + 4, identification);
    put16be(ip + 4, 8 + to - from);
  } else {
    put16be(ip + 2, header + to - from);
    put16be(ip + 4, identification);
    put16be(ip + 6, (more ? 0x2000 : 0) | from / 8);
  }
  memcpy(append(f, to - from), whole->bytes + whole->network + header + from, to - from);
  // The checksum of the transport is that of the whole; only IPv4's header has a new one.
  if (ip[0] >> 4 == 4) {
    put16be(ip + 10, 0);
    put16be(ip + 10, ~fold_sum(sum_bytes(0, ip, header)));
  }
  return true;
}

void repair(Frame *f) {
  Packet p;
  if (f->network >= f->length) return;
  uint8_t *ip = f->bytes + f->network;
  const uint32_t present = f->length - f->network;
  if (present >= 20 && ip[0] >> 4 == 4 && (ip[0] & 15) >= 5 && (ip[0] & 15) * 4u <= present) {
    put16be(ip + 10, 0);
    put16be(ip + 10, ~fold_sum(sum_bytes(0, ip, (ip[0] & 15) * 4u)));
  }
  if (read_ip(ip, present, present, false, &p) != NULL || p.fragment) return;
  uint8_t *t = f->bytes + (p.transport - f->bytes);
  uint32_t covered = p.length, at;
  uint64_t pseudo = 0;
  if (p.protocol == TCP)
    at = 16;
  else if (p.protocol == UDP)
    at = 6, covered = half(t + 4);
  else if (p.protocol == (p.v6 ? ICMPV6 : ICMP))
    at = 2;
  else
    return;
  if (covered > p.available || covered < at + 2) return;
  if (p.protocol != ICMP) pseudo = pseudo_sum(&p, covered);
  put16be(t + at, 0);
  const uint16_t sum = ~fold_sum(sum_bytes(pseudo, t, covered));
  put16be(t + at, sum == 0 && p.protocol == UDP ? 0xffff : sum);
}
