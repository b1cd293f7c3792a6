/* What the modes of `traffic` share: time, options, commands on standard input, the bytes of a stream, percentiles. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

/* CLOCK_MONOTONIC: the clock of process.hrtime in Node, so that times of both can be compared. */
uint64_t now_ns(void);

/* Prints what failed with errno, and ends the program with 1. */
void fail(const char *what);

/* The value of "--name VALUE" in the arguments, or `fallback`. */
long option(const char *name, long fallback);
void set_options(int argc, char **argv);

/* Sleeps until `fd`, an epoll instance, has events or the time is over. Returns what epoll_wait does. */
struct epoll_event;
int wait_events(int fd, struct epoll_event *events, int max, uint64_t timeout_ns);

enum command { COMMAND_NONE, COMMAND_REPORT, COMMAND_STOP };

/* A line of standard input: "report" or "stop"; its end is "stop", so that nothing outlives who started it. */
enum command next_command(void);

/* Byte number `position` of the stream with this number: no two streams and no two places look alike. */
uint8_t stream_byte(uint32_t stream, uint64_t position);
void fill_stream(uint32_t stream, uint64_t position, uint8_t *bytes, size_t count);
/* Bytes that are not those of the stream. */
size_t count_wrong(uint32_t stream, uint64_t position, const uint8_t *bytes, size_t count);

/* An IPv4 or IPv6 address in text and a port. Returns the size of the address. */
socklen_t address_of(const char *text, int port, struct sockaddr_storage *address);
void set_nonblocking(int fd);
void set_no_delay(int fd);

/* Samples in ns, of which percentiles are wanted; the oldest are overwritten once there are too many. */
struct samples {
	uint32_t *values;
	size_t count, capacity, seen;
};
void samples_add(struct samples *samples, uint64_t ns);
void samples_clear(struct samples *samples);
/* Prints `"p50Us":…,"p99Us":…,"maxUs":…`; null without samples. */
void samples_print(struct samples *samples);

int serve(int port);
int hold(const char *address, int port);
int churn(const char *address, int port);
int probe(const char *address, int port);

#endif
