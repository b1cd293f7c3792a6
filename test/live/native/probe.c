/*
 * UDP round trips at a steady interval: a gap is the longest run of datagrams in a row that had no answer, the latency that
 * of those that had one. What was sent less than the grace time ago is counted in the next report.
 */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 8
#define SIZE_MAX_BYTES 1472
/* Datagrams that are remembered. */
#define MEMORY_MAX (1u << 20)
/* Gaps that are told one by one. */
#define GAPS_MAX 32
/* Behind by more, it does not catch up by a burst. */
#define BEHIND_MAX_NS (20 * NS_PER_MS)

struct body {
	uint64_t magic, sequence;
};
static const uint64_t MAGIC = 0x7477696e77616c6cull;

static uint64_t *sent_ns;
static bool *is_answered;
static uint64_t sent, reported, interval_ns, grace_ns;
static uint64_t duplicates, stale, reordered, highest, refused, silence_ns, last_arrival_ns;
static struct samples latencies;
static int fd;

static void transmit(uint64_t now) {
	static uint8_t bytes[SIZE_MAX_BYTES];
	static long size;
	if (size == 0)
		size = option("size", (long)sizeof(struct body));
	struct body body = {MAGIC, sent};
	memcpy(bytes, &body, sizeof body);
	sent_ns[sent % MEMORY_MAX] = now;
	is_answered[sent % MEMORY_MAX] = false;
	sent++;
	/* An ICMP error that came back, or no room: the datagram counts as not answered. */
	if (send(fd, bytes, (size_t)size, 0) < 0)
		refused++;
}

static void arrive(void) {
	for (;;) {
		uint8_t bytes[SIZE_MAX_BYTES];
		struct body body;
		ssize_t count = recv(fd, bytes, sizeof bytes, 0);
		if (count < 0 && errno == ECONNREFUSED) {
			refused++;
			continue;
		}
		if (count < 0)
			return;
		uint64_t now = now_ns();
		if ((size_t)count < sizeof body)
			continue;
		memcpy(&body, bytes, sizeof body);
		if (body.magic != MAGIC || body.sequence >= sent)
			continue;
		if (body.sequence < reported || body.sequence + MEMORY_MAX < sent) {
			stale++;
			continue;
		}
		size_t at = body.sequence % MEMORY_MAX;
		if (is_answered[at]) {
			duplicates++;
			continue;
		}
		is_answered[at] = true;
		if (body.sequence < highest)
			reordered++;
		else
			highest = body.sequence;
		samples_add(&latencies, now - sent_ns[at]);
		if (now - last_arrival_ns > silence_ns)
			silence_ns = now - last_arrival_ns;
		last_arrival_ns = now;
	}
}

static void report(uint64_t now, bool is_last) {
	uint64_t lost = 0, run = 0, longest = 0, from = reported;
	struct {
		uint64_t start, length;
	} gaps[GAPS_MAX];
	size_t gap_count = 0;
	if (sent - reported > MEMORY_MAX)
		reported = from = sent - MEMORY_MAX;
	while (reported < sent && (is_last || now - sent_ns[reported % MEMORY_MAX] >= grace_ns)) {
		bool is_lost = !is_answered[reported % MEMORY_MAX];
		reported++;
		if (is_lost) {
			lost++;
			if (++run > longest)
				longest = run;
			if (run == 1 && gap_count < GAPS_MAX)
				gaps[gap_count++].start = reported - 1;
			if (gap_count > 0 && gaps[gap_count - 1].start + run == reported)
				gaps[gap_count - 1].length = run;
		} else
			run = 0;
	}
	printf("{\"event\":\"summary\",\"sent\":%lu,\"lost\":%lu,\"gapMs\":%.3f,\"silenceMs\":%.3f,\"duplicates\":%lu,"
	       "\"reordered\":%lu,\"stale\":%lu,\"refused\":%lu,",
	       reported - from, lost, (double)(longest * interval_ns) / 1e6, silence_ns / 1e6, duplicates, reordered, stale,
	       refused);
	samples_print(&latencies);
	printf(",\"gaps\":[");
	for (size_t i = 0; i < gap_count; i++)
		printf("%s{\"atMs\":%.3f,\"ms\":%.3f}", i == 0 ? "" : ",", sent_ns[gaps[i].start % MEMORY_MAX] / 1e6,
		       (double)(gaps[i].length * interval_ns) / 1e6);
	printf("]}\n");
	samples_clear(&latencies);
	duplicates = reordered = stale = refused = silence_ns = 0;
}

int probe(const char *address, int port) {
	struct sockaddr_storage target;
	socklen_t length = address_of(address, port, &target);
	interval_ns = (uint64_t)option("interval-us", 1000) * NS_PER_US;
	grace_ns = (uint64_t)option("grace-ms", 200) * NS_PER_MS;
	uint64_t end_ns = now_ns() + (uint64_t)option("seconds", 1 << 30) * NS_PER_S;
	long size = option("size", (long)sizeof(struct body));
	if (interval_ns == 0 || size < (long)sizeof(struct body) || size > SIZE_MAX_BYTES)
		return fprintf(stderr, "interval or size out of range\n"), 2;
	fd = socket(target.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&target, length) < 0)
		fail("connect");
	sent_ns = calloc(MEMORY_MAX, sizeof *sent_ns);
	is_answered = calloc(MEMORY_MAX, sizeof *is_answered);
	if (sent_ns == NULL || is_answered == NULL)
		fail("calloc");
	int poller = epoll_create1(0);
	struct epoll_event own = {.events = EPOLLIN, .data.fd = fd}, input = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
	epoll_ctl(poller, EPOLL_CTL_ADD, fd, &own);
	epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input);
	printf("{\"event\":\"ready\"}\n");
	uint64_t next = now_ns(), stop_ns = 0;
	last_arrival_ns = next;
	for (;;) {
		uint64_t now = now_ns();
		if (stop_ns == 0 && now >= end_ns)
			stop_ns = now + grace_ns;
		if (stop_ns != 0 && now >= stop_ns) {
			report(now, true);
			return 0;
		}
		if (stop_ns == 0 && now >= next) {
			transmit(now);
			next = now - next > BEHIND_MAX_NS ? now + interval_ns : next + interval_ns;
		}
		uint64_t until = stop_ns != 0 ? stop_ns : next;
		struct epoll_event events[EVENTS_MAX];
		int count = wait_events(poller, events, EVENTS_MAX, until > now ? until - now : 0);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == fd) {
				arrive();
				continue;
			}
			enum command command = next_command();
			if (command == COMMAND_REPORT)
				report(now_ns(), false);
			else if (command == COMMAND_STOP) {
				stop_ns = now_ns() + grace_ns;
				epoll_ctl(poller, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
			}
		}
	}
}
