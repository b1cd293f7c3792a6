/*
 * Long-lived TCP connections to an echo. Connection i sends the bytes of stream i in messages of one size at a steady
 * rate, and checks each byte that comes back: what was lost, doubled, moved or changed on the way is wrong.
 */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define SIZE_MAX_BYTES 65536
/* Messages of a connection that wait for their echo; more are not sent. */
#define OUTSTANDING_MAX 256
#define TICK_NS NS_PER_MS

enum state { UNOPENED, CONNECTING, OPEN, CLOSED, RESET, REFUSED, TIMEOUT, FAILED };
static const char *const STATES[] = {"unopened", "connecting", "open", "closed", "reset", "refused", "timeout", "failed"};

struct connection {
	enum state state;
	int fd;
	bool waits_for_room;
	uint64_t opened_ns, ended_ns, next_ns;
	/* Positions in the stream: due is what was to be sent until now. */
	uint64_t due, sent, received, wrong;
	uint64_t message_ns[OUTSTANDING_MAX];
	/* Since the last report. */
	uint64_t last_arrival_ns, gap_ns, round_trip_ns;
};

static struct connection *connections;
static long connection_count, size, drain_ms;
static uint64_t interval_ns;
static int poller;
static struct sockaddr_storage target;
static socklen_t target_length;

static void watch(struct connection *each, int operation, uint32_t events) {
	struct epoll_event event = {.events = events, .data.ptr = each};
	if (epoll_ctl(poller, operation, each->fd, &event) < 0)
		fail("epoll_ctl");
}

static void end(struct connection *each, int error, uint64_t now) {
	bool was_open = each->state == OPEN;
	each->state = error == 0                                 ? CLOSED
	              : error == ECONNREFUSED && !was_open       ? REFUSED
	              : error == ECONNRESET || error == EPIPE    ? RESET
	              : error == ETIMEDOUT                       ? TIMEOUT
	                                                         : FAILED;
	each->ended_ns = now;
	close(each->fd);
	printf("{\"event\":\"ended\",\"connection\":%ld,\"state\":\"%s\",\"wasOpen\":%s,\"error\":\"%s\",\"atMs\":%.3f,\"ageMs\":%.3f}\n",
	       each - connections, STATES[each->state], was_open ? "true" : "false", error == 0 ? "" : strerror(error),
	       now / 1e6, was_open ? (now - each->opened_ns) / 1e6 : 0.0);
}

static void begin(struct connection *each, uint64_t now) {
	each->fd = socket(target.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (each->fd < 0)
		fail("socket");
	set_no_delay(each->fd);
	each->state = CONNECTING;
	if (connect(each->fd, (struct sockaddr *)&target, target_length) < 0 && errno != EINPROGRESS) {
		end(each, errno, now);
		return;
	}
	watch(each, EPOLL_CTL_ADD, EPOLLOUT);
}

/* Sends what is due, as far as there is room. */
static void transmit(struct connection *each, uint64_t now) {
	static uint8_t bytes[SIZE_MAX_BYTES];
	while (each->sent < each->due) {
		size_t count = each->due - each->sent;
		if (count > sizeof bytes)
			count = sizeof bytes;
		fill_stream((uint32_t)(each - connections), each->sent, bytes, count);
		ssize_t done = send(each->fd, bytes, count, MSG_NOSIGNAL);
		if (done < 0 && errno != EAGAIN) {
			end(each, errno, now);
			return;
		}
		bool is_full = done < 0;
		if (is_full != each->waits_for_room) {
			each->waits_for_room = is_full;
			watch(each, EPOLL_CTL_MOD, is_full ? EPOLLIN | EPOLLOUT : EPOLLIN);
		}
		if (is_full)
			return;
		each->sent += (uint64_t)done;
	}
}

static void established(struct connection *each, uint64_t now) {
	int error = 0;
	socklen_t length = sizeof error;
	getsockopt(each->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error != 0) {
		end(each, error, now);
		return;
	}
	each->state = OPEN;
	each->opened_ns = each->last_arrival_ns = now;
	/* Spread over the interval, so that not all speak at once. */
	each->next_ns = now + interval_ns * (uint64_t)(each - connections) / (uint64_t)connection_count % interval_ns;
	watch(each, EPOLL_CTL_MOD, EPOLLIN);
}

static void arrive(struct connection *each, uint64_t now) {
	static uint8_t bytes[SIZE_MAX_BYTES];
	ssize_t count = recv(each->fd, bytes, sizeof bytes, 0);
	if (count <= 0) {
		if (count == 0 || errno != EAGAIN)
			end(each, count == 0 ? 0 : errno, now);
		return;
	}
	size_t wrong = count_wrong((uint32_t)(each - connections), each->received, bytes, (size_t)count);
	/* More came back than was sent: there is no such byte. */
	uint64_t after = each->received + (uint64_t)count;
	if (after > each->sent && wrong == 0)
		wrong = after - each->sent;
	if (wrong > 0 && each->wrong == 0)
		printf("{\"event\":\"wrong\",\"connection\":%ld,\"position\":%lu,\"atMs\":%.3f}\n", each - connections,
		       each->received, now / 1e6);
	each->wrong += wrong;
	for (uint64_t i = each->received / (uint64_t)size; i < after / (uint64_t)size; i++) {
		uint64_t took = now - each->message_ns[i % OUTSTANDING_MAX];
		if (took > each->round_trip_ns)
			each->round_trip_ns = took;
	}
	each->received = after;
	if (now - each->last_arrival_ns > each->gap_ns)
		each->gap_ns = now - each->last_arrival_ns;
	each->last_arrival_ns = now;
}

static void tick(struct connection *each, uint64_t now) {
	if (each->state != OPEN || now < each->next_ns)
		return;
	each->next_ns += interval_ns;
	uint64_t message = each->due / (uint64_t)size;
	if (message - each->received / (uint64_t)size >= OUTSTANDING_MAX)
		return;
	each->message_ns[message % OUTSTANDING_MAX] = now;
	each->due += (uint64_t)size;
	if (!each->waits_for_room)
		transmit(each, now);
}

/* Figures of every connection since the last report, and their sum. A new connection's time begins when it is open. */
static void report(uint64_t now, bool is_last) {
	long open = 0, stalled = 0, states[sizeof STATES / sizeof *STATES] = {0};
	uint64_t wrong = 0, received = 0;
	for (long i = 0; i < connection_count; i++) {
		struct connection *each = &connections[i];
		states[each->state]++;
		wrong += each->wrong;
		received += each->received;
		if (each->state == UNOPENED)
			continue;
		bool is_open = each->state == OPEN, is_stalled = false;
		if (is_open) {
			open++;
			if (each->received < each->due && now - each->last_arrival_ns > each->gap_ns)
				each->gap_ns = now - each->last_arrival_ns;
			is_stalled = is_last && each->received < each->due;
			stalled += is_stalled;
		}
		printf("{\"event\":\"connection\",\"connection\":%ld,\"state\":\"%s\",\"openedMs\":%.3f,\"endedMs\":%.3f,"
		       "\"sent\":%lu,\"received\":%lu,\"wrong\":%lu,\"gapMs\":%.3f,\"roundTripMaxMs\":%.3f}\n",
		       i, is_stalled ? "stalled" : STATES[each->state], each->opened_ns / 1e6, each->ended_ns / 1e6, each->sent,
		       each->received, each->wrong, each->gap_ns / 1e6, each->round_trip_ns / 1e6);
		each->gap_ns = each->round_trip_ns = 0;
	}
	printf("{\"event\":\"summary\",\"open\":%ld,\"stalled\":%ld,\"connecting\":%ld,\"closed\":%ld,\"reset\":%ld,\"refused\":%ld,"
	       "\"timeout\":%ld,\"failed\":%ld,\"wrong\":%lu,\"received\":%lu}\n",
	       open - stalled, stalled, states[CONNECTING], states[CLOSED], states[RESET], states[REFUSED], states[TIMEOUT],
	       states[FAILED], wrong, received);
}

static bool is_drained(void) {
	for (long i = 0; i < connection_count; i++)
		if (connections[i].state == OPEN && connections[i].received < connections[i].due)
			return false;
	return true;
}

int hold(const char *address, int port) {
	connection_count = option("count", 1);
	size = option("size", 256);
	drain_ms = option("drain-ms", 5000);
	interval_ns = (uint64_t)option("interval-ms", 0) * NS_PER_MS;
	if (interval_ns == 0)
		interval_ns = NS_PER_S / (uint64_t)option("rate", 10);
	long open_rate = option("open-rate", 0), begun = 0;
	if (size < 1 || size > SIZE_MAX_BYTES || connection_count < 1)
		return fprintf(stderr, "count or size out of range\n"), 2;
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	connections = calloc((size_t)connection_count, sizeof *connections);
	if (connections == NULL)
		fail("calloc");
	target_length = address_of(address, port, &target);
	poller = epoll_create1(0);
	struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input);
	uint64_t start = now_ns(), next_tick = start, drain_end = 0;
	bool is_ready = false;
	for (;;) {
		uint64_t now = now_ns();
		if (now >= next_tick) {
			long due = open_rate == 0 ? connection_count : (long)((now - start) * (uint64_t)open_rate / NS_PER_S) + 1;
			while (begun < due && begun < connection_count && drain_end == 0)
				begin(&connections[begun++], now);
			long settled = 0;
			for (long i = 0; i < begun; i++) {
				if (drain_end == 0)
					tick(&connections[i], now);
				settled += connections[i].state != CONNECTING;
			}
			/* With a rate, connections go on opening: ready is when the first is settled. */
			if (!is_ready && (open_rate == 0 ? settled == connection_count : settled > 0)) {
				is_ready = true;
				printf("{\"event\":\"ready\"}\n");
			}
			next_tick = now + TICK_NS;
			if (drain_end != 0 && (now >= drain_end || is_drained())) {
				report(now, true);
				return 0;
			}
		}
		struct epoll_event events[EVENTS_MAX];
		int count = wait_events(poller, events, EVENTS_MAX, next_tick > now ? next_tick - now : 0);
		now = now_ns();
		for (int i = 0; i < count; i++) {
			struct connection *each = events[i].data.ptr;
			if (each == NULL) {
				enum command command = drain_end == 0 ? next_command() : COMMAND_NONE;
				if (command == COMMAND_REPORT)
					report(now, false);
				else if (command == COMMAND_STOP) {
					drain_end = now + (uint64_t)drain_ms * NS_PER_MS;
					epoll_ctl(poller, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
				}
			} else if (each->state == CONNECTING)
				established(each, now);
			else if (each->state == OPEN) {
				if (events[i].events & EPOLLOUT)
					transmit(each, now);
				if (each->state == OPEN && events[i].events & ~(uint32_t)EPOLLOUT)
					arrive(each, now);
			}
		}
	}
}
