/*
 * The wire of a live core: devices, MAC addresses, MTUs and neighbours, as the host writes them, and what must be true of a
 * frame that is prepared to leave.
 */
#pragma once
#include "judge.h"

/** The core prepares what passes in this run. */
extern bool forward_is_live;

/** Forgets all of it. */
void forward_reset(void);
/** Every interface has a device; `how` says which MTUs they have. */
void forward_go_live(uint8_t how);
/** Something about the wire changes: a neighbour, an MTU, an address, a device. `packet`: one in question. */
void forward_change(uint8_t what, uint8_t argument, const uint8_t *packet, uint32_t length);

/** A frame, as it was handed over: where it lay, its bytes then, and those of a merged frame's segments. */
typedef struct {
  uint32_t at;
  const uint8_t *bytes;
  uint32_t captured, wire;
  uint16_t ethertype, segment;
  /** Its transport checksum may have been completed. */
  bool completed;
} Original;

/** Whether the core has made another frame of it, which the descriptor at `descriptor` says. */
bool forward_has_changed(uint32_t descriptor);
/** Checks an output, whatever became of it. */
void forward_check(const Output *output, const Original *original, uint32_t descriptor);
/** The table has as many neighbours as were put into it. */
void forward_walk(void);
