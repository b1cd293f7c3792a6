/* What record.h says, field by field. */
#include "record.h"
#include <string.h>
#include "layout.h"
#include "packet.h"

static uint32_t read16(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }
static uint32_t read32(const uint8_t *at) { return read16(at) | read16(at + 2) << 16; }
static uint64_t read64(const uint8_t *at) { return read32(at) | (uint64_t)read32(at + 4) << 32; }
static void write16(uint8_t *at, uint32_t v) { at[0] = v, at[1] = v >> 8; }
static void write32(uint8_t *at, uint32_t v) { write16(at, v), write16(at + 2, v >> 16); }
static void write64(uint8_t *at, uint64_t v) { write32(at, v), write32(at + 4, v >> 32); }

uint32_t record_length(const uint8_t *at, uint32_t available) {
  if (available < L_SR_HEADER_SIZE) return 0;
  const uint32_t length = read16(at + L_SR_LENGTH);
  return length < L_SR_HEADER_SIZE || length % 4 != 0 || length > available ? 0 : length;
}

static bool is_tcp(uint8_t kind) { return kind == L_KIND_TCP4 || kind == L_KIND_TCP6; }
static bool is_live(uint8_t action) { return action == L_SYNC_ADD || action == L_SYNC_UPDATE; }

static uint32_t size_of(uint8_t action, uint8_t kind) {
  if (action == L_SYNC_BEGIN) return 24;
  if (action == L_SYNC_END || action == L_SYNC_VERIFY) return 24 + 64 * 8;
  uint32_t size = 28 + (kind & 8 ? 32 : 8);
  if (is_live(action)) size += 20 + (is_tcp(kind) ? 36 : 0);
  if (action == L_SYNC_ADD) size += is_tcp(kind) ? 28 : 20;
  return size;
}

uint8_t kind_of(const Ends *ends) {
  const uint8_t v6 = ends->v6 ? L_KIND_V6 : 0;
  if (ends->protocol == TCP) return L_KIND_TCP4 | v6;
  if (ends->protocol == UDP) return L_KIND_UDP4 | v6;
  if (ends->protocol != (ends->v6 ? ICMPV6 : ICMP)) return L_KIND_OTHER4 | v6;
  return (ends->icmp_type == 13 && !ends->v6 ? L_KIND_TIMESTAMP4 : L_KIND_ECHO4) | v6;
}

static uint32_t swapped(uint32_t port) { return (port << 8 | port >> 8) & 0xffff; }

static bool read_ends(const uint8_t *at, uint8_t kind, Ends *e) {
  *e = (Ends){.v6 = (kind & L_KIND_V6) != 0};
  for (uint32_t side = 0; side < 2; side++) {
    const uint32_t size = e->v6 ? 16 : 4;
    memcpy(e->address[side], at + 28 + side * size, size);
    e->port[side] = swapped(read16(at + 24 + side * 2));
  }
  switch (kind & ~L_KIND_V6) {
    case L_KIND_TCP4: e->protocol = TCP; break;
    case L_KIND_UDP4: e->protocol = UDP; break;
    case L_KIND_ECHO4:
      e->protocol = e->v6 ? ICMPV6 : ICMP;
      e->icmp_type = e->v6 ? 128 : 8;
      break;
    case L_KIND_TIMESTAMP4:
      e->protocol = ICMP;
      e->icmp_type = 13;
      break;
    case L_KIND_OTHER4:
      e->protocol = e->port[0];
      if (e->port[0] > 255) return false;
      e->port[0] = e->port[1] = 0;
      break;
    default: return false;
  }
  return kind < 16;
}

static void read_window(const uint8_t *at, Window *w) {
  *w = (Window){read32(at), read32(at + 4), read32(at + 8), read32(at + 12)};
}

bool read_record(const uint8_t *at, uint32_t length, Record *r) {
  memset(r, 0, sizeof *r);
  r->action = at[0];
  r->kind = at[1];
  r->state = at[2];
  r->flags = at[3];
  memcpy(r->interface, at + 6, 2);
  r->id = read64(at + 8);
  r->version = read64(at + 16);
  if (r->action < L_SYNC_ADD || r->action > L_SYNC_VERIFY) return false;
  if (length != size_of(r->action, r->kind)) return false;
  if (r->action >= L_SYNC_BEGIN) return true;
  if (!read_ends(at, r->kind, &r->ends)) return false;
  if (!is_live(r->action)) return true;
  at += 28 + (r->ends.v6 ? 32 : 8);
  r->idle_ms = read32(at);
  r->bytes[0] = read64(at + 4);
  r->bytes[1] = read64(at + 12);
  at += 20;
  if (is_tcp(r->kind)) {
    r->scales = at[0];
    r->offered = at[1];
    read_window(at + 4, &r->windows[0]);
    read_window(at + 20, &r->windows[1]);
    at += 36;
  }
  if (r->action != L_SYNC_ADD) return true;
  r->age_ms = read32(at);
  r->idle_timeout_ms = read32(at + 4);
  r->rule = read32(at + 8);
  r->service = read16(at + 12);
  r->inspection = at[14];
  r->birth_flags = read32(at + 16);
  return true;
}

static void write_window(uint8_t *at, const Window *w) {
  write32(at, w->end);
  write32(at + 4, w->limit);
  write32(at + 8, w->window);
  write32(at + 12, w->acknowledged);
}

uint32_t write_record(uint8_t *at, const Record *r) {
  const uint32_t size = size_of(r->action, r->kind);
  memset(at, 0, size);
  at[0] = r->action;
  write16(at + 4, size);
  write64(at + 16, r->version);
  if (r->action >= L_SYNC_BEGIN) return size;
  at[1] = r->kind;
  at[2] = r->state;
  at[3] = r->flags;
  memcpy(at + 6, r->interface, 2);
  write64(at + 8, r->id);
  const Ends *e = &r->ends;
  const bool other = (r->kind & ~L_KIND_V6) == L_KIND_OTHER4;
  for (uint32_t side = 0; side < 2; side++) {
    const uint32_t bytes = e->v6 ? 16 : 4;
    memcpy(at + 28 + side * bytes, e->address[side], bytes);
    write16(at + 24 + side * 2, swapped(other ? e->protocol : e->port[side]));
  }
  if (!is_live(r->action)) return size;
  at += 28 + (e->v6 ? 32 : 8);
  write32(at, r->idle_ms);
  write64(at + 4, r->bytes[0]);
  write64(at + 12, r->bytes[1]);
  at += 20;
  if (is_tcp(r->kind)) {
    at[0] = r->scales;
    at[1] = r->offered;
    write_window(at + 4, &r->windows[0]);
    write_window(at + 20, &r->windows[1]);
    at += 36;
  }
  if (r->action != L_SYNC_ADD) return size;
  write32(at, r->age_ms);
  write32(at + 4, r->idle_timeout_ms);
  write32(at + 8, r->rule);
  write16(at + 12, r->service);
  at[14] = r->inspection;
  at[15] = e->icmp_type;
  write32(at + 16, r->birth_flags);
  if (!is_tcp(r->kind)) return size;
  write32(at + 20, r->first[0]);
  write32(at + 24, r->first[1]);
  return size;
}
