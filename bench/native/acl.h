/* The lookup of assembly/acl.ts over the same compiled lists, for IPv4 and rules that a box says entirely. */
#ifndef ACL_H
#define ACL_H

#include <immintrin.h>

#include "memory.h"

#define NOTHING 0xffffffffu

INLINE u32 above(__m128i value, const u8 *starts) {
  /* Unsigned value >= start. */
  __m128i start = _mm_loadu_si128((const __m128i *)starts);
  return (u32)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(_mm_max_epu32(value, start), value)));
}

INLINE u32 descend(const u8 *nodes, u32 reference, const u8 *key) {
  while (!(reference & REF_RUN)) {
    const u8 *node = nodes + reference;
    __m128i value = _mm_set1_epi32((int)load32(key + load32(node + AN_WORD)));
    u32 cuts = above(value, node + AN_STARTS) | (above(value, node + AN_STARTS + 16) & 7) << 4;
    reference = load32(node + AN_CHILDREN + 4 * (u32)__builtin_popcount(cuts));
  }
  return reference;
}

INLINE __m128i inside32(__m128i value, const u8 *low, const u8 *span) {
  __m128i offset = _mm_sub_epi32(value, _mm_loadu_si128((const __m128i *)low));
  __m128i limit = _mm_loadu_si128((const __m128i *)span);
  return _mm_cmpeq_epi32(_mm_min_epu32(offset, limit), offset);
}

INLINE __m128i inside_word(__m128i value, const u8 *at) {
  return _mm_packs_epi32(inside32(value, at, at + 32), inside32(value, at + 16, at + 48));
}

INLINE __m128i inside16(__m128i value, const u8 *at) {
  __m128i offset = _mm_sub_epi16(value, _mm_loadu_si128((const __m128i *)at));
  __m128i excess = _mm_subs_epu16(offset, _mm_loadu_si128((const __m128i *)(at + 16)));
  return _mm_cmpeq_epi16(excess, _mm_setzero_si128());
}

/* Number + 1 of the first rule of the list at `head` that matches, 0 none, NOTHING when a rule asks more than its box. */
static u32 search(const u8 *section, const u8 *head, const u8 *key) {
  const u8 *nodes = section + load32(head + AL_NODES), *blocks = section + load32(head + AL_BLOCKS);
  __m128i source = _mm_set1_epi32((int)load32(key + K_SOURCE));
  __m128i destination = _mm_set1_epi32((int)load32(key + K_DESTINATION));
  __m128i source_port = _mm_set1_epi16((short)load32(key + K_SOURCE_PORT));
  __m128i destination_port = _mm_set1_epi16((short)load32(key + K_DESTINATION_PORT));
  __m128i protocol = _mm_set1_epi16((short)load32(key + K_PROTOCOL));
  const u8 *tree = head + AL_TREES, *end = tree + load32(head + AL_TREE_COUNT) * ACL_TREE_SIZE;
  u32 best = NOTHING;
  for (; tree < end && load32(tree + AT_FIRST) < best; tree += ACL_TREE_SIZE) {
    u32 run = descend(nodes, load32(tree + AT_ROOT), key);
    const u8 *block = blocks + (size_t)(run >> REF_FIRST_SHIFT) * ACL_BLOCK4_SIZE;
    const u8 *last = block + (size_t)(run >> 1 & RUN_BLOCKS_MAX) * ACL_BLOCK4_SIZE;
    for (; block < last; block += ACL_BLOCK4_SIZE) {
      __m128i lanes = _mm_and_si128(
          _mm_and_si128(inside_word(source, block + AB_ADDRESSES),
                        inside_word(destination, block + AB_ADDRESSES + AB_WORD_SIZE)),
          _mm_and_si128(_mm_and_si128(inside16(source_port, block + AB_SOURCE_PORT),
                                      inside16(destination_port, block + AB_DESTINATION_PORT)),
                        inside16(protocol, block + AB_PROTOCOL)));
      u32 match = (u32)_mm_movemask_epi8(_mm_packs_epi16(lanes, _mm_setzero_si128()));
      if (match == 0) continue;
      u32 id = load32(block + AB_IDS + 4 * (u32)__builtin_ctz(match));
      if (id & ID_VERIFY) return NOTHING;
      if (id >> 1 < best) best = id >> 1;
      break;
    }
  }
  return best == NOTHING ? 0 : best;
}

#endif
