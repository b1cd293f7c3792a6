/* What a call of `takeRecords` has made of the table: nothing but what its records say. */
#pragma once
#include <stdint.h>
#include "record.h"

/** Remembers the table as it is before the call. */
void taken_remember(void);
/**
 * Compares the table with the one remembered. Each difference must be what one of the records says; from then
 * on the sessions that they brought are known.
 * @param own_interface own number of each interface of the peer
 */
void taken_compare(const Record *records, uint32_t count, const uint8_t *own_interface);
