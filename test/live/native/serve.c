/* The echo: TCP and UDP, IPv4 and IPv6, on one port or on several. What it cannot send at once it keeps, and reads no more. */
#define _GNU_SOURCE
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
#define BUFFER_MAX 65536
#define DATAGRAM_MAX 2048
#define DATAGRAMS_MAX 32
#define BACKLOG 65535

enum kind { KIND_LISTENER, KIND_DATAGRAMS, KIND_CONNECTION, KIND_INPUT };

struct source {
	enum kind kind;
	int fd;
	/* Of a connection: what waits to be sent, `length` bytes from `start` on. */
	uint8_t *waiting;
	size_t start, length;
};

static int poller;
static struct {
	uint64_t accepted, ended, reset, bytes, datagrams;
} counters;
/* One byte of so many is damaged: for tests of who checks. 0: none. */
static long corrupt_every;
static uint64_t corrupt_at;

static struct source *watch(enum kind kind, int fd, uint32_t events) {
	struct source *source = calloc(1, sizeof *source);
	if (source == NULL)
		fail("calloc");
	source->kind = kind;
	source->fd = fd;
	struct epoll_event event = {.events = events, .data.ptr = source};
	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
		fail("epoll_ctl");
	return source;
}

static void rewatch(struct source *source, uint32_t events) {
	struct epoll_event event = {.events = events, .data.ptr = source};
	epoll_ctl(poller, EPOLL_CTL_MOD, source->fd, &event);
}

static int bind_port(int type, int port) {
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0);
	if (fd < 0)
		fail("socket");
	int on = 1, off = 0, space = 8 << 20;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space);
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
		fail("bind");
	return fd;
}

static void accept_all(struct source *listener) {
	for (;;) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK);
		if (fd < 0)
			return;
		set_no_delay(fd);
		counters.accepted++;
		watch(KIND_CONNECTION, fd, EPOLLIN);
	}
}

static void end(struct source *source, bool is_reset) {
	if (is_reset)
		counters.reset++;
	else
		counters.ended++;
	close(source->fd);
	free(source->waiting);
	free(source);
}

static void maybe_corrupt(uint8_t *bytes, size_t count) {
	counters.bytes += count;
	if (corrupt_every == 0)
		return;
	for (; corrupt_at < counters.bytes; corrupt_at += (uint64_t)corrupt_every)
		bytes[corrupt_at - (counters.bytes - count)] ^= 0x10;
}

/* True: the connection still lives. */
static bool send_waiting(struct source *source) {
	while (source->length > 0) {
		ssize_t sent = send(source->fd, source->waiting + source->start, source->length, MSG_NOSIGNAL);
		if (sent < 0) {
			if (errno == EAGAIN)
				return true;
			end(source, true);
			return false;
		}
		source->start += (size_t)sent;
		source->length -= (size_t)sent;
	}
	rewatch(source, EPOLLIN);
	return true;
}

static void echo_stream(struct source *source) {
	static uint8_t bytes[BUFFER_MAX];
	ssize_t count = recv(source->fd, bytes, sizeof bytes, 0);
	if (count <= 0) {
		if (count == 0 || errno != EAGAIN)
			end(source, count < 0);
		return;
	}
	maybe_corrupt(bytes, (size_t)count);
	ssize_t sent = send(source->fd, bytes, (size_t)count, MSG_NOSIGNAL);
	if (sent == count)
		return;
	if (sent < 0 && errno != EAGAIN) {
		end(source, true);
		return;
	}
	size_t done = sent < 0 ? 0 : (size_t)sent;
	if (source->waiting == NULL && (source->waiting = malloc(BUFFER_MAX)) == NULL)
		fail("malloc");
	source->start = 0;
	source->length = (size_t)count - done;
	memcpy(source->waiting, bytes + done, source->length);
	rewatch(source, EPOLLOUT);
}

static void echo_datagrams(struct source *source) {
	static uint8_t bytes[DATAGRAMS_MAX][DATAGRAM_MAX];
	static struct sockaddr_storage names[DATAGRAMS_MAX];
	struct mmsghdr messages[DATAGRAMS_MAX] = {0};
	struct iovec parts[DATAGRAMS_MAX];
	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		parts[i] = (struct iovec){bytes[i], DATAGRAM_MAX};
		messages[i].msg_hdr = (struct msghdr){
		    .msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &parts[i], .msg_iovlen = 1};
	}
	int count = recvmmsg(source->fd, messages, DATAGRAMS_MAX, 0, NULL);
	if (count <= 0)
		return;
	for (int i = 0; i < count; i++)
		parts[i].iov_len = messages[i].msg_len;
	counters.datagrams += (uint64_t)count;
	for (int done = 0; done < count;) {
		int sent = sendmmsg(source->fd, messages + done, (unsigned)(count - done), 0);
		/* What cannot be sent, for want of a route or of room, is lost: it is for the asker to notice. */
		done += sent > 0 ? sent : 1;
	}
}

static void print_counters(void) {
	printf("{\"event\":\"summary\",\"accepted\":%lu,\"ended\":%lu,\"reset\":%lu,\"bytes\":%lu,\"datagrams\":%lu}\n",
	       counters.accepted, counters.ended, counters.reset, counters.bytes, counters.datagrams);
}

int serve(int port) {
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	poller = epoll_create1(0);
	corrupt_every = option("corrupt", 0);
	corrupt_at = (uint64_t)corrupt_every;
	for (int i = 0; i < option("ports", 1); i++) {
		int listener = bind_port(SOCK_STREAM, port + i);
		if (listen(listener, BACKLOG) < 0)
			fail("listen");
		watch(KIND_LISTENER, listener, EPOLLIN);
		watch(KIND_DATAGRAMS, bind_port(SOCK_DGRAM, port + i), EPOLLIN);
	}
	watch(KIND_INPUT, STDIN_FILENO, EPOLLIN);
	printf("{\"event\":\"ready\"}\n");
	for (;;) {
		struct epoll_event events[EVENTS_MAX];
		int count = wait_events(poller, events, EVENTS_MAX, NS_PER_S);
		for (int i = 0; i < count; i++) {
			struct source *source = events[i].data.ptr;
			if (source->kind == KIND_LISTENER)
				accept_all(source);
			else if (source->kind == KIND_DATAGRAMS)
				echo_datagrams(source);
			else if (source->kind == KIND_INPUT) {
				enum command command = next_command();
				if (command != COMMAND_NONE)
					print_counters();
				if (command == COMMAND_STOP)
					return 0;
			} else if (source->length > 0)
				send_waiting(source);
			else
				echo_stream(source);
		}
	}
}
