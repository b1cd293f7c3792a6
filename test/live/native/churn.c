/* Short TCP connections to an echo, at a rate or as many as go: open, one message and its echo, close. */
#include "common.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define SIZE_MAX_BYTES 4096
#define TICK_NS NS_PER_MS

struct slot {
	int fd; /* -1: free */
	bool is_open;
	uint32_t stream;
	long received;
	uint64_t begun_ns;
};

static struct slot *slots;
static long slot_count, size, timeout_ms, port_count, free_count, *free_slots;
static uint32_t begun;
static int poller;
static struct sockaddr_storage target;
static socklen_t target_length;
static uint16_t first_port;
static struct samples durations;
static uint64_t last_ok_ns, silence_ns, report_ns;
/* `skipped`: due by the rate, but no slot was free. */
static struct {
	uint64_t begun, ok, refused, reset, closed, timeouts, failed, wrong, skipped;
} counters;

static void release(struct slot *slot) {
	close(slot->fd);
	slot->fd = -1;
	free_slots[free_count++] = slot - slots;
}

static void lose(struct slot *slot, int error) {
	if (error == ECONNREFUSED)
		counters.refused++;
	else if (error == ECONNRESET || error == EPIPE)
		counters.reset++;
	else if (error == ETIMEDOUT)
		counters.timeouts++;
	else
		counters.failed++;
	release(slot);
}

static void begin(uint64_t now) {
	if (free_count == 0) {
		counters.skipped++;
		return;
	}
	struct slot *slot = &slots[free_slots[--free_count]];
	*slot = (struct slot){.stream = begun++, .begun_ns = now};
	counters.begun++;
	slot->fd = socket(target.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (slot->fd < 0)
		fail("socket");
	set_no_delay(slot->fd);
	/* sin_port and sin6_port lie at the same place. */
	((struct sockaddr_in *)&target)->sin_port = htons((uint16_t)(first_port + slot->stream % port_count));
	if (connect(slot->fd, (struct sockaddr *)&target, target_length) < 0 && errno != EINPROGRESS) {
		lose(slot, errno);
		return;
	}
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = slot};
	if (epoll_ctl(poller, EPOLL_CTL_ADD, slot->fd, &event) < 0)
		fail("epoll_ctl");
}

static void opened(struct slot *slot) {
	uint8_t bytes[SIZE_MAX_BYTES];
	int error = 0;
	socklen_t length = sizeof error;
	getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error != 0) {
		lose(slot, error);
		return;
	}
	slot->is_open = true;
	fill_stream(slot->stream, 0, bytes, (size_t)size);
	if (send(slot->fd, bytes, (size_t)size, MSG_NOSIGNAL) != size) {
		lose(slot, errno);
		return;
	}
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
	epoll_ctl(poller, EPOLL_CTL_MOD, slot->fd, &event);
}

static void arrive(struct slot *slot, uint64_t now) {
	uint8_t bytes[SIZE_MAX_BYTES];
	ssize_t count = recv(slot->fd, bytes, sizeof bytes, 0);
	if (count == 0) {
		counters.closed++;
		release(slot);
		return;
	}
	if (count < 0) {
		if (errno != EAGAIN)
			lose(slot, errno);
		return;
	}
	size_t wrong = count_wrong(slot->stream, (uint64_t)slot->received, bytes, (size_t)count);
	counters.wrong += wrong;
	slot->received += count;
	if (slot->received < size)
		return;
	counters.ok++;
	samples_add(&durations, now - slot->begun_ns);
	if (now - last_ok_ns > silence_ns)
		silence_ns = now - last_ok_ns;
	last_ok_ns = now;
	release(slot);
}

static void expire(uint64_t now) {
	for (long i = 0; i < slot_count; i++)
		if (slots[i].fd >= 0 && now - slots[i].begun_ns > (uint64_t)timeout_ms * NS_PER_MS)
			lose(&slots[i], ETIMEDOUT);
}

static void report(uint64_t now) {
	double seconds = (now - report_ns) / 1e9;
	if (now - last_ok_ns > silence_ns)
		silence_ns = now - last_ok_ns;
	printf("{\"event\":\"summary\",\"seconds\":%.3f,\"begun\":%lu,\"ok\":%lu,\"refused\":%lu,\"reset\":%lu,\"closed\":%lu,"
	       "\"timeouts\":%lu,\"failed\":%lu,\"wrong\":%lu,\"skipped\":%lu,\"perSecond\":%.1f,\"silenceMs\":%.3f,",
	       seconds, counters.begun, counters.ok, counters.refused, counters.reset, counters.closed, counters.timeouts,
	       counters.failed, counters.wrong, counters.skipped, counters.ok / seconds, silence_ns / 1e6);
	samples_print(&durations);
	printf("}\n");
	memset(&counters, 0, sizeof counters);
	samples_clear(&durations);
	report_ns = now;
	silence_ns = 0;
}

int churn(const char *address, int port) {
	long rate = option("rate", 100);
	slot_count = option("parallel", rate == 0 ? 64 : 8192);
	size = option("size", 64);
	timeout_ms = option("timeout-ms", 5000);
	port_count = option("ports", 1);
	uint64_t end_ns = now_ns() + (uint64_t)option("seconds", 1 << 30) * NS_PER_S;
	if (size < 1 || size > SIZE_MAX_BYTES || slot_count < 1 || port_count < 1)
		return fprintf(stderr, "size, parallel or ports out of range\n"), 2;
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	slots = calloc((size_t)slot_count, sizeof *slots);
	free_slots = calloc((size_t)slot_count, sizeof *free_slots);
	if (slots == NULL || free_slots == NULL)
		fail("calloc");
	for (long i = slot_count - 1; i >= 0; i--) {
		slots[i].fd = -1;
		free_slots[free_count++] = i;
	}
	first_port = (uint16_t)port;
	target_length = address_of(address, port, &target);
	poller = epoll_create1(0);
	struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input);
	printf("{\"event\":\"ready\"}\n");
	uint64_t start = now_ns(), due_count = 0, next_tick = start;
	report_ns = last_ok_ns = start;
	bool is_stopping = false;
	for (;;) {
		uint64_t now = now_ns();
		if (now >= end_ns)
			is_stopping = true;
		if (is_stopping && free_count == slot_count) {
			report(now);
			return 0;
		}
		if (!is_stopping && rate == 0)
			while (free_count > 0)
				begin(now);
		if (now >= next_tick) {
			for (uint64_t due = (now - start) * (uint64_t)rate / NS_PER_S; !is_stopping && due_count < due; due_count++)
				begin(now);
			expire(now);
			next_tick = now + TICK_NS;
		}
		struct epoll_event events[EVENTS_MAX];
		int count = wait_events(poller, events, EVENTS_MAX, next_tick > now ? next_tick - now : 0);
		now = now_ns();
		for (int i = 0; i < count; i++) {
			struct slot *slot = events[i].data.ptr;
			if (slot == NULL) {
				enum command command = next_command();
				if (command == COMMAND_REPORT)
					report(now);
				else if (command == COMMAND_STOP) {
					is_stopping = true;
					epoll_ctl(poller, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
				}
			} else if (slot->fd >= 0) {
				if (slot->is_open)
					arrive(slot, now);
				else
					opened(slot);
			}
		}
	}
}
