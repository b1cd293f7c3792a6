/*
 * The native reference: the same decisions in C, as fast as the machine lets it, on the same frames.
 *
 *   firewall FILE STATE TIMEOUTS POLICY DESCRIPTORS SLOTS FRAMES KEYS
 *
 * FILE is shared with the benchmark and holds, at the given offsets, copies of the core's state, timeouts and policy,
 * room for descriptors, what is constant of each slot of the ring (length, then ingress and flags), the frames, and
 * keys for access lists with room for the answers behind them. Commands come on standard input, a line each; each is
 * answered by one line. Times are ns of the monotonic clock.
 *
 *   process FIRST COUNT BATCH NOW_MS   decides frames in batches            -> ns
 *   parse FIRST COUNT                  parses them, and nothing else        -> ns
 *   expire NOW_MS GROUPS               visits groups of the table           -> ns
 *   search FIRST COUNT                 looks keys up in list 1              -> ns
 *   counters                           -> sessions created evicted expired, then REASON:PACKETS:BYTES ...
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "acl.h"
#include "decide.h"

static packet packets[PASS_MAX];
static const u32 *slots;
static u8 *keys;
static volatile u32 sink;

static u64 nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (u64)time.tv_sec * 1000000000u + (u64)time.tv_nsec;
}

static void *zeroed(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(3);
  return memory;
}

/* What the host does before each call: says where the frames of the batch are. */
INLINE void describe(u32 first, u32 count) {
  for (u32 i = 0; i < count; i++) {
    descriptor *d = &fw.descriptors[i];
    const u32 *slot = slots + 2 * (size_t)(first + i);
    d->offset = fw.frames_at + (first + i) * RING_SLOT;
    d->captured = d->wire = slot[0];
    memcpy(&d->ingress, &slot[1], 4);
  }
}

/* Parse all, prefetching tags; find the candidates, prefetching entries; decide. */
static void pass(descriptor *d, u32 count) {
  for (u32 i = 0; i < count; i++) {
    parse(&d[i], &packets[i]);
    __builtin_prefetch(fw.tags[group_of(packets[i].hash)], 0);
  }
  for (u32 i = 0; i < count; i++) packets[i].slot = candidate(&packets[i]);
  for (u32 i = 0; i < count; i++) decide(&d[i], &packets[i]);
  sweep(1);
}

static void begin(u64 now_ms) {
  fw.events_written = 0;
  if (now_ms > fw.now_ms) fw.now_ms = now_ms;
  fw.now = (u32)fw.now_ms;
}

static void process(u32 first, u32 count, u32 batch, u64 now_ms) {
  for (u32 done = 0; done < count; done += batch) {
    u32 left = count - done < batch ? count - done : batch;
    describe(first + done, left);
    begin(now_ms);
    for (u32 i = 0; i < left; i += PASS_MAX) pass(&fw.descriptors[i], left - i < PASS_MAX ? left - i : PASS_MAX);
  }
}

static void parse_only(u32 first, u32 count) {
  u32 sum = 0;
  for (u32 done = 0; done < count; done += PASS_MAX) {
    u32 left = count - done < PASS_MAX ? count - done : PASS_MAX;
    describe(first + done, left);
    for (u32 i = 0; i < left; i++) parse(&fw.descriptors[i], &packets[i]);
    sum += packets[0].hash;
  }
  sink = sum;
}

static void search_all(u32 first, u32 count) {
  const u8 *section = fw.policy + load32(fw.policy + P_ACLS);
  const u8 *head = section + load32(section + AH_LISTS);
  u32 *answers = (u32 *)(keys + (size_t)KEYS_MAX * KEY_SIZE);
  for (u32 i = first; i < first + count; i++) answers[i] = search(section, head, keys + (size_t)i * KEY_SIZE);
}

static void counters(void) {
  printf("%u %lu %lu %lu", fw.sessions, (unsigned long)(fw.counters[C_CREATED_TCP] + fw.counters[C_CREATED_UDP]),
         (unsigned long)fw.counters[C_EVICTED], (unsigned long)fw.counters[C_EXPIRED]);
  for (u32 i = 0; i < REASONS_MAX; i++) {
    const tally *t = &fw.reasons[i];
    if (t->packets != 0) printf(" %u:%lu:%lu", i, (unsigned long)t->packets, (unsigned long)t->bytes);
  }
  printf("\n");
}

static void attach(u8 *file, size_t *at) {
  const u8 *state = file + at[0];
  fw.groups = load32(state + S_GROUPS);
  fw.sessions_max = load32(state + S_SESSIONS_MAX);
  fw.events_max = load32(state + S_EVENTS_MAX);
  fw.frames_at = load32(state + S_BYTES_AT);
  fw.frames_size = load32(state + S_BYTES_SIZE);
  memcpy(fw.seed, state + S_SEEDS, sizeof fw.seed);
  memcpy(fw.timeouts, file + at[1], sizeof fw.timeouts);
  fw.policy = file + at[2];
  fw.descriptors = (descriptor *)(file + at[3]);
  slots = (const u32 *)(file + at[4]);
  fw.frames = file + at[5];
  keys = file + at[6];
  fw.tags = zeroed((size_t)fw.groups * sizeof *fw.tags);
  fw.overflow = zeroed((size_t)fw.groups * sizeof *fw.overflow);
  fw.hot = zeroed((size_t)fw.groups * GROUP_SLOTS * sizeof *fw.hot);
  fw.cold = zeroed((size_t)fw.groups * GROUP_SLOTS * sizeof *fw.cold);
  fw.events = zeroed((size_t)fw.events_max * EVENT_SIZE);
}

int main(int count, char **arguments) {
  size_t at[7];
  struct stat status;
  if (count != 9) return 2;
  for (int i = 0; i < 7; i++) at[i] = strtoull(arguments[i + 2], NULL, 10);
  int file = open(arguments[1], O_RDWR);
  if (file < 0 || fstat(file, &status) != 0) return 2;
  u8 *shared = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) return 3;
  attach(shared, at);
  char line[128];
  unsigned long long a, b, c, d;
  while (fgets(line, sizeof line, stdin) != NULL) {
    u64 start = nanoseconds();
    if (sscanf(line, "process %llu %llu %llu %llu", &a, &b, &c, &d) == 4) process((u32)a, (u32)b, (u32)c, d);
    else if (sscanf(line, "parse %llu %llu", &a, &b) == 2) parse_only((u32)a, (u32)b);
    else if (sscanf(line, "expire %llu %llu", &a, &b) == 2) begin(a), sweep((u32)b);
    else if (sscanf(line, "search %llu %llu", &a, &b) == 2) search_all((u32)a, (u32)b);
    if (line[0] == 'c') counters();
    else printf("%lu\n", (unsigned long)(nanoseconds() - start));
    fflush(stdout);
  }
  return 0;
}
