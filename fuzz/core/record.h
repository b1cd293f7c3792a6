/*
 * Records of session sync, read and written without the core: what they say about a session, in words of
 * packets.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sessions.h"

/** Sequence numbers of one side: sent up to, allowed up to, largest window, acknowledged up to. */
typedef struct {
  uint32_t end, limit, window, acknowledged;
} Window;

typedef struct {
  uint8_t action, kind, state, flags;
  uint8_t interface[2];
  uint64_t id, version;
  /** Of sessions: all but BEGIN, END and VERIFY. */
  Ends ends;
  /** ADD and UPDATE. */
  uint32_t idle_ms;
  uint64_t bytes[2];
  /** TCP. */
  uint8_t scales, offered;
  Window windows[2];
  /** ADD. */
  uint32_t age_ms, idle_timeout_ms, rule, birth_flags;
  uint16_t service;
  uint8_t inspection;
  uint32_t first[2];
} Record;

/** Bytes of the record that begins at `at`, 0 if none does: cut short, or its length lies. */
uint32_t record_length(const uint8_t *at, uint32_t available);
/** Reads a whole record. False: it has another form than its action and kind ask. */
bool read_record(const uint8_t *at, uint32_t length, Record *record);
/** Writes it; how many bytes it takes. BEGIN, END and VERIFY are without digests. */
uint32_t write_record(uint8_t *at, const Record *record);
/** The kind of a session between these ends, as the core numbers them. */
uint8_t kind_of(const Ends *ends);
