/*
 * What an input says, operation by operation: packets of conversations, raw frames, ICMP errors, fragments,
 * floods; what makes the next packet unusual; time, timers, changes of policy; roles and what the peer has to
 * hear.
 */
#pragma once
#include <stddef.h>
#include "frames.h"

/** Begins an input. */
void input_begin(const uint8_t *data, size_t size);
bool input_more(void);
/** The next byte, or the next two; 0 behind the end. */
uint8_t next8(void);
uint16_t next16(void);
/** Takes up to `length` bytes as they are; how many there were. */
uint32_t next_bytes(uint8_t *to, uint32_t length);

/** Does what the operation byte and its operands say. */
void operation(uint8_t code);
/** The last packet that was built. */
extern Frame last;
/** Records that the core has written, for a target that keeps them; NULL else. */
extern void (*on_written)(const uint8_t *records, uint32_t size);
