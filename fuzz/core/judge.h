/*
 * Judges every frame that the core lets pass by its bytes, the policy in force and the sessions that were
 * seen to begin: nothing passes that no session and no rule allows.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/** A frame with its verdict. */
typedef struct {
  const uint8_t *frame;
  uint32_t captured, wire;
  uint16_t ethertype;
  uint8_t flags;
  /** As the harness gave it, 0 by source. */
  uint8_t given_ingress;
  uint8_t ingress, egress, verdict, reason, side;
  uint32_t rule, slot;
  uint64_t session;
} Output;

const char *reason_name(uint32_t reason);

/** The part of a pair that the core plays, and what its peer knows. */
typedef struct {
  bool standby, peer;
  /** When it became active, 0 if it was from the start. */
  uint64_t promoted_ms;
  /** Records that the peer has acknowledged. */
  uint64_t acknowledged;
} Pairing;

/** Forgets all sessions: a core that is alone. */
void judge_reset(void);
void judge_pairing(Pairing pairing);
/** Judges the outputs of one call; all sessions in them begin before anything else is asked about them. */
void judge(const Output *outputs, uint32_t count, uint32_t policy, uint64_t now_ms);
/** Which sessions exist after the call: between `judge_begin_live` and `judge_end_live`, all of them. */
void judge_begin_live(void);
void judge_live(uint64_t id, uint32_t slot);
void judge_end_live(void);
