/* What policies.h says: the lists of the configurations as conditions, and the networks that they route. */
#include "policies.h"
#include <string.h>

static bool in4(const uint8_t *address, uint32_t network, int bits) {
  return bits == 0 || (word(address) ^ network) >> (32 - bits) == 0;
}
#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define FROM(a, b, c, d, bits) in4(p->source, IP(a, b, c, d), bits)
#define TO(a, b, c, d, bits) in4(p->destination, IP(a, b, c, d), bits)

/** 2001:db8:NET::/64, and a host in it. */
static bool in6(const uint8_t *address, uint32_t network) {
  const uint8_t prefix[8] = {0x20, 0x01, 0x0d, 0xb8, network >> 8, network & 255, 0, 0};
  return memcmp(address, prefix, 8) == 0;
}
static bool host6(const uint8_t *address, uint32_t network, uint32_t host) {
  return in6(address, network) && word(address + 8) == 0 && word(address + 12) == host;
}

static bool tcp_to(const Packet *p, uint32_t port) {
  return p->protocol == TCP && p->destination_port == port;
}
static bool answers(const Packet *p) { return p->protocol == TCP && (p->tcp_flags & (ACK | RST)) != 0; }
static bool icmp(const Packet *p, uint32_t type) { return p->protocol == ICMP && p->icmp_type == type; }
static bool icmp6(const Packet *p, uint32_t type) { return p->protocol == ICMPV6 && p->icmp_type == type; }
static bool is_icmp(const Packet *p) { return p->protocol == (p->v6 ? ICMPV6 : ICMP); }

static bool nothing(const Packet *p) {
  (void)p;
  return false;
}
static bool everything(const Packet *p) {
  (void)p;
  return true;
}

/* ---- inspected.cfg */

static bool vpn(const Packet *p) {
  return p->protocol == ESP && FROM(203, 0, 113, 77, 32) && TO(172, 16, 10, 99, 32);
}
static bool inspected_inside_in4(const Packet *p) { return !tcp_to(p, 23) && FROM(10, 1, 1, 0, 24); }
static bool inspected_inside_in6(const Packet *p) { return !tcp_to(p, 23) && in6(p->source, 1); }
static bool listed_evil(const Packet *p) {
  const uint8_t *s = p->source;
  if (FROM(203, 0, 113, 66, 32)) return true;
  if (s[0] == 5 || s[0] == 6 || s[0] == 7 || s[0] == 11) return true;
  if (s[0] == 21 && (s[1] == 1 || s[1] == 3 || s[1] == 5)) return true;
  if (s[0] == 22 && s[1] == 1 && s[2] <= 9 && s[2] % 2 == 1) return true;
  return s[0] == 23 && s[1] == 0 && s[2] == 0 && s[3] <= 35 && s[3] % 2 == 1;
}
static bool inspected_outside_in4(const Packet *p) {
  if (listed_evil(p)) return false;
  const bool mail = TO(172, 16, 10, 25, 32) || TO(172, 16, 10, 32, 28);
  return (TO(10, 1, 1, 80, 32) && tcp_to(p, 80)) || (mail && tcp_to(p, 25)) || vpn(p);
}
static bool inspected_outside_in6(const Packet *p) {
  return !in6(p->source, 1) && !in6(p->source, 0x10) && tcp_to(p, 80) && host6(p->destination, 1, 0x80);
}
static bool inspected_dmz_in4(const Packet *p) {
  if (!FROM(172, 16, 10, 0, 24)) return false;
  return (p->protocol == UDP && p->destination_port == 53) || (TO(198, 51, 100, 0, 24) && answers(p));
}
static bool inspected_dmz_out4(const Packet *p) {
  if (TO(172, 16, 10, 0, 24) && (tcp_to(p, 80) || tcp_to(p, 443) || tcp_to(p, 25))) return true;
  if (FROM(10, 1, 1, 0, 24) && icmp(p, 8)) return true;
  return (FROM(198, 51, 100, 0, 24) && tcp_to(p, 22)) || vpn(p);
}
static bool inspected_dmz_out6(const Packet *p) {
  return (tcp_to(p, 25) && host6(p->destination, 0x10, 0x25)) || (in6(p->source, 1) && icmp6(p, 128));
}
static bool inspected_guest_in4(const Packet *p) {
  if (TO(10, 0, 0, 0, 8) || TO(172, 16, 0, 0, 12) || TO(198, 51, 100, 0, 24)) return false;
  return FROM(172, 16, 20, 0, 24);
}
static bool inspected_lab_in4(const Packet *p) { return FROM(198, 51, 100, 0, 24); }
static bool tcp_and_ip(const Packet *p) { return p->protocol != UDP && !is_icmp(p); }
static bool only_tcp(const Packet *p) { return p->protocol == TCP; }
static bool tcp_udp_icmp(const Packet *p) { return p->protocol == TCP || p->protocol == UDP || is_icmp(p); }

/* ---- stateless.cfg: what is at most permitted */

static bool stateless_inside_in4(const Packet *p) {
  if (!FROM(10, 1, 1, 0, 24)) return false;
  const uint32_t tos = p->network[1];
  if (tos >> 2 == 46 || tos >> 5 == 5 || (tos >> 1 & 15) == 2 || p->ttl > 200 || p->has_options) return true;
  if (p->protocol == TCP) {
    const bool service = p->destination_port >= 1 && p->destination_port <= 1023 && p->source[3] % 2 == 0;
    return service || (p->tcp_flags & (ACK | SYN | RST)) == ACK;
  }
  if (p->protocol == UDP) return p->source_port > 1023 && p->destination_port != 69;
  return icmp(p, 8) || p->protocol == 2;
}
static bool stateless_inside_out4(const Packet *p) {
  if (!TO(10, 1, 1, 0, 24)) return false;
  if (p->protocol == TCP) return answers(p) || (TO(10, 1, 1, 80, 32) && p->destination_port < 1024);
  if (p->protocol == UDP) return p->source_port == 53;
  return icmp(p, 0) || icmp(p, 3) || icmp(p, 11);
}
static bool stateless_outside_in4(const Packet *p) {
  if (answers(p) || (TO(10, 1, 1, 80, 32) && tcp_to(p, 80))) return true;
  return (p->protocol == UDP && p->source_port == 53) || p->protocol == ICMP || p->protocol == SCTP;
}
static bool inside6(const Packet *p) { return in6(p->source, 1); }
static bool stateless_outside_in6(const Packet *p) {
  return in6(p->destination, 1) && (answers(p) || icmp6(p, 129) || icmp6(p, 2));
}

/* ---- unicast RPF */

static const Policy *const INSPECTED_ROUTES = &POLICIES_BY_NUMBER[POLICY_INSPECTED];
static bool leads_inside(const Packet *p) {
  return interface_toward(INSPECTED_ROUTES, p->v6, p->source) == INSIDE;
}
static bool leads_outside(const Packet *p) {
  return interface_toward(INSPECTED_ROUTES, p->v6, p->source) == OUTSIDE;
}
/** Routes other than the default and that to Null0. */
static bool has_route(const Packet *p) {
  const uint32_t toward = interface_toward(INSPECTED_ROUTES, false, p->source);
  return toward != 0 && (toward != OUTSIDE || FROM(203, 0, 113, 0, 24));
}

/* ---- two-sides.cfg */

#define TWO_SIDES                                        \
  {                                                      \
      [INSIDE] = {.up = true, .takes = {true, true}},    \
      [OUTSIDE] =                                        \
          {                                              \
              .up = true,                                \
              .takes = {true, true},                     \
              .list_in = {nothing, nothing},             \
              .inspect_out = {everything, tcp_udp_icmp}, \
              .stateful_out = {true, true},              \
          },                                             \
  }

const Policy POLICIES_BY_NUMBER[POLICY_COUNT] =
    {
        [POLICY_INSPECTED] =
            {
                .exact = true,
                .defers = true,
                .networks4 = 7,
                .networks6 = 3,
                .has_default = true,
                .interfaces =
                    {
                        [INSIDE] =
                            {
                                .up = true,
                                .takes = {true, true},
                                .list_in = {inspected_inside_in4, inspected_inside_in6},
                                .source = {leads_inside, NULL},
                            },
                        [OUTSIDE] =
                            {
                                .up = true,
                                .takes = {true, true},
                                .list_in = {inspected_outside_in4, inspected_outside_in6},
                                .inspect_in = {tcp_and_ip, only_tcp},
                                .inspect_out = {everything, everything},
                                .stateful_in = {false, true},
                                .stateful_out = {true, true},
                                .source = {leads_outside, leads_outside},
                            },
                        [TRUNK] = {.up = true},
                        [DMZ] =
                            {
                                .up = true,
                                .takes = {true, true},
                                .list_in = {inspected_dmz_in4, NULL},
                                .list_out = {inspected_dmz_out4, inspected_dmz_out6},
                                .source = {has_route, NULL},
                            },
                        [GUEST] = {.up = true,
                                   .takes = {true, false},
                                   .refuses_fragments = {true, false},
                                   .list_in = {inspected_guest_in4, NULL},
                                   .inspect_in = {tcp_udp_icmp, NULL}},
                        [LAB] = {.up = true, .takes = {true, false}, .list_in = {inspected_lab_in4, NULL}},
                    },
            },
        [POLICY_STATELESS] =
            {
                .block_non_session = true,
                .networks4 = 3,
                .networks6 = 3,
                .has_default = true,
                .interfaces =
                    {
                        [INSIDE] =
                            {
                                .up = true,
                                .takes = {true, true},
                                .list_in = {stateless_inside_in4, inside6},
                                .list_out = {stateless_inside_out4, NULL},
                                .source = {has_route, leads_inside},
                            },
                        [OUTSIDE] = {.up = true,
                                     .takes = {true, true},
                                     .list_in = {stateless_outside_in4, stateless_outside_in6}},
                        [TRUNK] = {.up = true},
                        [DMZ] = {.up = true, .takes = {true, true}, .list_in = {nothing, NULL}},
                    },
            },
        // The outside network is an own one only for its own addresses.
        [POLICY_SIDES] =
            {.exact = true, .networks4 = 2, .networks6 = 2, .has_default = true, .interfaces = TWO_SIDES},
        [POLICY_PAIR] =
            {.exact = true, .networks4 = 2, .networks6 = 2, .pair = true, .interfaces = TWO_SIDES},
};

/** Networks, in the order in which policies have routes to them. */
static const struct {
  uint32_t interface, network;
  int bits;
  bool connected;
} NETWORKS4[] = {
    {INSIDE, IP(10, 1, 1, 0), 24, true},  {OUTSIDE, IP(203, 0, 113, 0), 24, true},
    {DMZ, IP(172, 16, 10, 0), 24, true},  {GUEST, IP(172, 16, 20, 0), 24, true},
    {LAB, IP(198, 51, 100, 0), 30, true}, {LAB, IP(198, 51, 100, 128), 25, false},
    {0, IP(192, 88, 0, 0), 16, false},
};
static const struct {
  uint32_t interface, network;
} NETWORKS6[] = {{INSIDE, 1}, {OUTSIDE, 0xff}, {DMZ, 0x10}};

static uint32_t toward4(const Policy *policy, const uint8_t *address) {
  for (uint32_t i = 0; i < policy->networks4; i++) {
    const int bits = NETWORKS4[i].bits;
    if (!in4(address, NETWORKS4[i].network, bits)) continue;
    const uint32_t host = word(address) & (0xffffffffu >> bits);
    // The firewall has the first address of every network that it is connected to.
    if (NETWORKS4[i].connected && (host <= 1 || host == 0xffffffffu >> bits)) return 0;
    return NETWORKS4[i].interface;
  }
  return policy->has_default ? OUTSIDE : NOWHERE;
}

static uint32_t toward6(const Policy *policy, const uint8_t *address) {
  for (uint32_t i = 0; i < policy->networks6; i++) {
    if (!in6(address, NETWORKS6[i].network)) continue;
    return host6(address, NETWORKS6[i].network, 1) ? 0 : NETWORKS6[i].interface;
  }
  return policy->has_default ? OUTSIDE : NOWHERE;
}

uint32_t interface_toward(const Policy *policy, bool v6, const uint8_t *address) {
  return v6 ? toward6(policy, address) : toward4(policy, address);
}

uint32_t egress_of(const Policy *policy, uint32_t ingress, const Packet *p) {
  const uint32_t toward = interface_toward(policy, p->v6, p->destination);
  if (!policy->pair || toward == 0) return toward;
  return ingress == INSIDE ? OUTSIDE : INSIDE;
}

Packet mirrored(const Packet *p) {
  Packet m = *p;
  memcpy(m.source, p->destination, sizeof m.source);
  memcpy(m.destination, p->source, sizeof m.destination);
  m.source_port = p->destination_port;
  m.destination_port = p->source_port;
  if (is_query(p) && !is_request(p)) m.icmp_type = p->v6 ? 128 : p->icmp_type == 0 ? 8 : 13;
  return m;
}
