#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX (1u << 20)

static int option_count;
static char **option_texts;

uint64_t now_ns(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void fail(const char *what) {
	perror(what);
	exit(1);
}

void set_options(int argc, char **argv) {
	option_count = argc;
	option_texts = argv;
}

long option(const char *name, long fallback) {
	for (int i = 0; i + 1 < option_count; i += 2)
		if (strncmp(option_texts[i], "--", 2) == 0 && strcmp(option_texts[i] + 2, name) == 0)
			return strtol(option_texts[i + 1], NULL, 10);
	return fallback;
}

int wait_events(int fd, struct epoll_event *events, int max, uint64_t timeout_ns) {
	struct timespec timeout = {(time_t)(timeout_ns / NS_PER_S), (long)(timeout_ns % NS_PER_S)};
	int count = epoll_pwait2(fd, events, max, &timeout, NULL);
	if (count < 0 && errno != EINTR)
		fail("epoll_pwait2");
	return count < 0 ? 0 : count;
}

enum command next_command(void) {
	static char line[16];
	static size_t length;
	for (;;) {
		char byte;
		ssize_t count = read(STDIN_FILENO, &byte, 1);
		if (count == 0)
			return COMMAND_STOP;
		if (count < 0)
			return COMMAND_NONE;
		if (byte != '\n') {
			if (length < sizeof line - 1)
				line[length++] = byte;
			continue;
		}
		line[length] = 0;
		length = 0;
		if (strcmp(line, "report") == 0)
			return COMMAND_REPORT;
		if (strcmp(line, "stop") == 0)
			return COMMAND_STOP;
		fprintf(stderr, "not a command: %s\n", line);
	}
}

/* The finalizer of splitmix64. */
static uint64_t mix(uint64_t x) {
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static uint64_t stream_word(uint32_t stream, uint64_t word) {
	return mix(((uint64_t)stream << 40) + word + 1);
}

uint8_t stream_byte(uint32_t stream, uint64_t position) {
	return (uint8_t)(stream_word(stream, position >> 3) >> (8 * (position & 7)));
}

void fill_stream(uint32_t stream, uint64_t position, uint8_t *bytes, size_t count) {
	uint64_t word = 0;
	for (size_t i = 0; i < count; i++, position++) {
		if (i == 0 || (position & 7) == 0)
			word = stream_word(stream, position >> 3);
		bytes[i] = (uint8_t)(word >> (8 * (position & 7)));
	}
}

size_t count_wrong(uint32_t stream, uint64_t position, const uint8_t *bytes, size_t count) {
	uint64_t word = 0;
	size_t wrong = 0;
	for (size_t i = 0; i < count; i++, position++) {
		if (i == 0 || (position & 7) == 0)
			word = stream_word(stream, position >> 3);
		wrong += bytes[i] != (uint8_t)(word >> (8 * (position & 7)));
	}
	return wrong;
}

socklen_t address_of(const char *text, int port, struct sockaddr_storage *address) {
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof *v4;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return sizeof *v6;
	}
	fprintf(stderr, "not an address: %s\n", text);
	exit(1);
}

void set_nonblocking(int fd) {
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		fail("fcntl");
}

void set_no_delay(int fd) {
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void samples_add(struct samples *samples, uint64_t ns) {
	if (samples->values == NULL) {
		samples->capacity = SAMPLES_MAX;
		samples->values = malloc(samples->capacity * sizeof *samples->values);
		if (samples->values == NULL)
			fail("malloc");
	}
	samples->values[samples->seen++ % samples->capacity] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
	if (samples->count < samples->capacity)
		samples->count++;
}

void samples_clear(struct samples *samples) {
	samples->count = samples->seen = 0;
}

static int compare(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

void samples_print(struct samples *samples) {
	if (samples->count == 0) {
		printf("\"p50Us\":null,\"p99Us\":null,\"maxUs\":null");
		return;
	}
	qsort(samples->values, samples->count, sizeof *samples->values, compare);
	size_t last = samples->count - 1;
	printf("\"p50Us\":%.1f,\"p99Us\":%.1f,\"maxUs\":%.1f", samples->values[last / 2] / 1e3,
	       samples->values[last * 99 / 100] / 1e3, samples->values[last] / 1e3);
}
