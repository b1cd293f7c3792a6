/* What forward.h says: the live region as the host writes it, and a reader of what leaves. */
#include "forward.h"
#include "machine.h"
#include "packet.h"

#define ETHERNET 14
#define TAG 4
#define NEIGHBORS_KEPT 64

bool forward_is_live;

typedef struct {
  uint8_t interface, v6, address[16], mac[6];
} Neighbor;
static Neighbor neighbors[NEIGHBORS_KEPT];
static uint32_t neighbor_count;
/** Neighbours get another address each time that they are put. */
static uint8_t generation;

static uint32_t live(uint32_t number) {
  return at_live + L_LIVE_INTERFACES + number * L_LIVE_INTERFACE_SIZE;
}

static uint16_t vlan_of(uint32_t number) { return number == DMZ ? 10 : number == GUEST ? 20 : 0; }

/** 0 any; the least that an IPv4 link may have; those of IPv6 and of Ethernet. */
static const uint32_t MTUS[8] = {0, 68, 128, 576, 1280, 1500, 1501, 9000};

void forward_reset(void) {
  forward_is_live = false;
  neighbor_count = generation = 0;
}

static void put_mac(uint32_t at, const uint8_t *mac) {
  memset(memory + at, 0, 8);
  memcpy(memory + at, mac, 6);
}

static void connect(uint32_t number) {
  static const uint8_t STATION[6] = INSIDE_MAC;
  const uint8_t source[6] = {0x02, 0x11, 0x22, 0x33, 0x44, number};
  const uint32_t at = live(number);
  put8(at + L_LI_FLAGS, L_LIF_ON);
  put8(at + L_LI_PORT, 0x40 + number);
  put16(at + L_LI_VLAN, vlan_of(number));
  put_mac(at + L_LI_SOURCE_MAC, source);
  memset(memory + at + L_LI_MACS, 0xff, (1 + L_LIVE_MACS_MAX) * 8);
  put_mac(at + L_LI_MACS, STATION);
}

void forward_go_live(uint8_t how) {
  forward_is_live = true;
  machine_go_live();
  for (uint32_t number = 1; number < INTERFACES; number++) {
    connect(number);
    put32(live(number) + L_LI_MTU, MTUS[(how + number * (how >> 3)) & 7]);
  }
  put32(at_live + L_LIVE_ON, 1);
  core_attach_live();
}

/* ---- neighbours */

static Neighbor *neighbor_of(uint8_t interface, bool v6, const uint8_t *address) {
  for (uint32_t i = 0; i < neighbor_count; i++) {
    Neighbor *n = &neighbors[i];
    if (n->interface == interface && n->v6 == v6 && memcmp(n->address, address, v6 ? 16 : 4) == 0) return n;
  }
  return NULL;
}

/** Puts an address where the core looks for the one in question. */
static void ask(uint8_t interface, bool v6, const uint8_t *address) {
  const uint32_t at = L_STATE_AT + L_S_NEIGHBOR;
  memset(memory + at, 0, L_NEIGHBOR_SIZE);
  memcpy(memory + at + L_NB_ADDRESS, address, v6 ? 16 : 4);
  put8(at + L_NB_INTERFACE, interface);
  put8(at + L_NB_V6, v6);
}

/** Who the core hands packets to this address to. */
static void next_hop(uint8_t interface, bool v6, const uint8_t *address, uint8_t *hop) {
  ask(interface, v6, address);
  core_find_next_hop(interface, v6);
  memcpy(hop, memory + L_STATE_AT + L_S_NEXT_HOP, 16);
}

static void put_neighbor(uint8_t interface, bool v6, const uint8_t *address) {
  Neighbor *n = neighbor_of(interface, v6, address);
  if (n == NULL) {
    if (neighbor_count == NEIGHBORS_KEPT) return;
    n = &neighbors[neighbor_count++];
    n->interface = interface;
    n->v6 = v6;
    memcpy(n->address, address, 16);
  }
  const uint8_t mac[6] = {0x06, 0x55, interface, v6, n - neighbors, ++generation};
  memcpy(n->mac, mac, 6);
  ask(interface, v6, address);
  put_mac(L_STATE_AT + L_S_NEIGHBOR + L_NB_MAC, mac);
  REQUIRE(core_put_neighbor() == 1, "there is no room for neighbour %u", neighbor_count);
}

static void drop_neighbor(uint8_t interface, bool v6, const uint8_t *address) {
  Neighbor *n = neighbor_of(interface, v6, address);
  ask(interface, v6, address);
  REQUIRE(core_drop_neighbor() == (n != NULL), "a neighbour that is%s known is dropped", n ? "" : " not");
  if (n != NULL) *n = neighbors[--neighbor_count];
}

void forward_walk(void) {
  if (!forward_is_live) return;
  REQUIRE(get32(at_live + L_LIVE_NEIGHBORS) == neighbor_count, "%u neighbours, %u were put",
          get32(at_live + L_LIVE_NEIGHBORS), neighbor_count);
  uint32_t used = 0;
  for (uint32_t i = 0; i < L_NEIGHBOR_PLACES; i++)
    used += get8(at_neighbors + i * L_NEIGHBOR_SIZE + L_NB_STATE);
  REQUIRE(used == neighbor_count, "%u places are in use for %u neighbours", used, neighbor_count);
}

void forward_change(uint8_t what, uint8_t argument, const uint8_t *packet, uint32_t length) {
  const uint32_t number = argument % (INTERFACES - 1) + 1, at = live(number);
  switch (what & 7) {
    // Where the last packet, or its answer, goes next out of an interface.
    default: {
      const bool v6 = length >= 40 && packet[0] >> 4 == 6;
      if (!v6 && length < 20) return;
      const uint8_t *address = packet + (v6 ? (what & 1 ? 24 : 8) : what & 1 ? 16 : 12);
      uint8_t wanted[16] = {0}, hop[16];
      memcpy(wanted, address, v6 ? 16 : 4);
      next_hop(number, v6, wanted, hop);
      if ((what & 7) < 4) put_neighbor(number, v6, hop);
      else drop_neighbor(number, v6, hop);
      return;
    }
    case 6: put32(at + L_LI_MTU, MTUS[argument >> 5]); break;
    // A device that goes, and comes again.
    case 7:
      if (get8(at + L_LI_FLAGS) & L_LIF_ON) {
        const uint32_t mtu = get32(at + L_LI_MTU);
        memset(memory + at, 0, L_LIVE_INTERFACE_SIZE);
        put32(at + L_LI_MTU, mtu);
      } else {
        connect(number);
      }
      break;
  }
  core_attach_live();
}

/* ---- what leaves */

bool forward_has_changed(uint32_t descriptor) {
  if (!forward_is_live || get8(descriptor + L_D_VERDICT) != L_VERDICT_PASS) return false;
  const uint8_t forward = get8(descriptor + L_D_FORWARD);
  return forward == L_FW_SEND || forward == L_FW_RESOLVE || forward == L_FW_FRAGMENT || forward == L_FW_DEFER;
}

static void check_unsent(const Output *o, uint8_t forward) {
  const char *reason = reason_name(o->reason);
  switch (o->verdict) {
    case L_VERDICT_LOCAL: REQUIRE(forward == L_FW_LOCAL, "%s: forward %u", reason, forward); return;
    case L_VERDICT_HELD: REQUIRE(forward == L_FW_NONE, "%s: forward %u", reason, forward); return;
    case L_VERDICT_PASS: REQUIRE(forward == L_FW_NONE, "%s: forward %u", reason, forward); return;
    default: break;
  }
  if (forward == L_FW_NONE) return;
  const bool reported = o->reason == L_R_TTL_EXPIRED || o->reason == L_R_NO_ROUTE ||
                        (o->reason >= L_R_ACL_IN_DENY && o->reason <= L_R_ACL_OUT_IMPLICIT);
  REQUIRE(forward == (o->reason == L_R_TOO_BIG ? L_FW_TOO_BIG : L_FW_REPORT) &&
              (reported || o->reason == L_R_TOO_BIG),
          "%s: forward %u", reason, forward);
}

/** Bytes before the IP header of a frame with its tags. */
static uint32_t network_of(const Original *f) {
  if (f->ethertype != 0) return 0;
  uint32_t at = 12;
  for (;;) {
    const uint32_t type = half(f->bytes + at);
    at += 2;
    if (type != 0x8100 && type != 0x88a8 && type != 0x9100) return at;
    at += 2;
  }
}

static bool is_valid_sum(const uint8_t *ip) {
  return fold_sum(sum_bytes(0, ip, (ip[0] & 15) * 4)) == 0xffff || fold_sum(sum_bytes(0, ip, (ip[0] & 15) * 4)) == 0;
}

/** The packet is the one that came, one hop older. */
static void check_packet(const uint8_t *came, const uint8_t *leaves, uint32_t length, const Original *f) {
  const bool v6 = came[0] >> 4 == 6;
  const uint32_t ttl = v6 ? 7 : 8;
  REQUIRE(leaves[ttl] == came[ttl] - 1, "TTL %u leaves with %u", came[ttl], leaves[ttl]);
  if (!v6) REQUIRE(!is_valid_sum(came) || is_valid_sum(leaves), "leaves with a wrong header checksum");
  uint32_t different = 0;
  for (uint32_t i = 0; i < length; i++) {
    const bool expected = i == ttl || (!v6 && (i == 10 || i == 11));
    if (leaves[i] != came[i] && !expected) different++;
  }
  REQUIRE(different <= (f->completed ? 2 : 0), "%u bytes of the packet have changed", different);
}

static void check_size(const Output *o, const Original *f, const uint8_t *leaves, uint32_t length, uint8_t forward) {
  const uint32_t mtu = get32(live(o->egress) + L_LI_MTU);
  // Of a merged frame it is the segments that have to fit: how large they are, the core knows.
  if (f->segment != 0 && f->segment < length) return;
  const bool is_large = mtu != 0 && length > mtu;
  REQUIRE(is_large == (forward == L_FW_FRAGMENT), "%u bytes leave a link of %u (forward %u)", length, mtu, forward);
  const bool may_be_cut = leaves[0] >> 4 == 4 && !(leaves[6] & 0x40);
  REQUIRE(!is_large || may_be_cut, "a packet that may not be cut is larger than the MTU");
}

static void check_sent(const Output *o, const Original *f, uint32_t descriptor, uint8_t forward) {
  const uint32_t at = get32(descriptor + L_D_OFFSET), captured = get32(descriptor + L_D_CAPTURED);
  const uint16_t vlan = vlan_of(o->egress);
  const uint32_t header = ETHERNET + (vlan ? TAG : 0), network = network_of(f);
  REQUIRE(captured == get32(descriptor + L_D_WIRE) && captured >= header + 20, "%u of %u bytes leave", captured,
          get32(descriptor + L_D_WIRE));
  REQUIRE(at + L_FRAME_HEADROOM >= f->at && at + captured <= f->at + f->captured, "leaves from elsewhere");
  REQUIRE(at + header == f->at + network, "the packet has moved");
  REQUIRE(get16(descriptor + L_D_NETWORK) == header, "the packet is said to begin at %u",
          get16(descriptor + L_D_NETWORK));
  REQUIRE(get8(live(o->egress) + L_LI_FLAGS) & L_LIF_ON, "leaves by interface %u without a device", o->egress);
  REQUIRE(get8(descriptor + L_D_PORT) == 0x40 + o->egress, "leaves by port %u", get8(descriptor + L_D_PORT));
  const uint8_t *frame = memory + at, *ip = frame + header, *came = f->bytes + network;
  REQUIRE(memcmp(frame + 6, memory + live(o->egress) + L_LI_SOURCE_MAC, 6) == 0, "leaves from another address");
  if (vlan != 0) REQUIRE(half(frame + 12) == 0x8100 && half(frame + 14) == vlan, "leaves with another tag");
  const bool v6 = ip[0] >> 4 == 6;
  REQUIRE(half(ip - 2) == (v6 ? 0x86dd : 0x0800), "leaves with ethertype %04x", half(ip - 2));
  const uint32_t length = captured - header, said = v6 ? 40 + half(ip + 4) : half(ip + 2);
  // A total length of 0 is that of a merged frame.
  REQUIRE(length == said || (!v6 && said == 0), "%u bytes of a packet of %u leave", length, said);
  check_packet(came, ip, length, f);
  check_size(o, f, ip, length, forward);

  uint8_t address[16] = {0}, hop[16];
  memcpy(address, ip + (v6 ? 24 : 16), v6 ? 16 : 4);
  next_hop(o->egress, v6, address, hop);
  static const uint8_t NOBODY[6];
  const Neighbor *n = neighbor_of(o->egress, v6, hop);
  REQUIRE(memcmp(frame, n ? n->mac : NOBODY, 6) == 0, "leaves for %02x:...:%02x, which is not the next hop",
          frame[0], frame[5]);
  const bool deferred = (get8(descriptor + L_D_FLAGS) & L_DF_DEFERRED) != 0;
  const uint8_t expected = n == NULL ? L_FW_RESOLVE : deferred ? L_FW_DEFER : L_FW_SEND;
  REQUIRE(forward == L_FW_FRAGMENT || forward == expected, "forward %u, expected %u", forward, expected);
}

void forward_check(const Output *o, const Original *f, uint32_t descriptor) {
  const uint8_t forward = get8(descriptor + L_D_FORWARD);
  if (!forward_is_live) {
    REQUIRE(forward == L_FW_NONE, "forward %u of a core that is not live", forward);
  } else if (forward_has_changed(descriptor)) {
    check_sent(o, f, descriptor, forward);
  } else {
    check_unsent(o, forward);
  }
}
