/*
 * 64-byte UDP datagrams (60 bytes and the FCS that a veth pair does not have) as fast as AF_PACKET takes them, or at a rate.
 *
 *   generate DEVICE SOURCE-MAC DESTINATION-MAC SOURCE-ADDRESS DESTINATION-ADDRESS
 *       [--flows N, 0: every datagram is a flow of its own] [--first N] [--rate PER-SECOND, 0 flat out] [--seconds S]
 *       [--sweep 1: first once through all flows in order]
 *
 * Flow i has the source address SOURCE + i / PORTS and the source port PORT_FIRST + i % PORTS. Flows are taken at random. The
 * protocol on standard input and output is that of test/live/native/main.c.
 */
#define _GNU_SOURCE
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_SIZE 60
#define BATCH 64
#define PORTS 50000
#define PORT_FIRST 10000
#define DISCARD_PORT 9
#define TTL 64
/* At a rate, what is due is sent every so often. */
#define TICK_NS (50 * NS_PER_US)
/* Commands are looked for after so many batches. */
#define BATCHES_BETWEEN 256

static struct frame {
	struct ether_header ether;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t padding[FRAME_SIZE - sizeof(struct ether_header) - sizeof(struct iphdr) - sizeof(struct udphdr)];
} __attribute__((packed)) frames[BATCH];
static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];
static uint32_t source_base;
/* Of the IP header without the source address, unfolded. */
static uint32_t checksum_base;

static uint32_t sum16(const void *bytes, size_t count) {
	uint32_t sum = 0;
	for (size_t i = 0; i < count; i += 2) {
		uint16_t word;
		memcpy(&word, (const uint8_t *)bytes + i, 2);
		sum += word;
	}
	return sum;
}

static void prepare(char **argv) {
	struct frame frame = {0};
	ether_aton_r(argv[2], (struct ether_addr *)frame.ether.ether_shost);
	ether_aton_r(argv[3], (struct ether_addr *)frame.ether.ether_dhost);
	frame.ether.ether_type = htons(ETHERTYPE_IP);
	frame.ip = (struct iphdr){.version = 4, .ihl = sizeof frame.ip / 4, .ttl = TTL, .protocol = IPPROTO_UDP};
	frame.ip.tot_len = htons(FRAME_SIZE - sizeof frame.ether);
	frame.ip.daddr = inet_addr(argv[5]);
	source_base = ntohl(inet_addr(argv[4]));
	checksum_base = sum16(&frame.ip, sizeof frame.ip);
	frame.udp.dest = htons(DISCARD_PORT);
	frame.udp.len = htons(FRAME_SIZE - sizeof frame.ether - sizeof frame.ip);
	for (int i = 0; i < BATCH; i++) {
		frames[i] = frame;
		parts[i] = (struct iovec){&frames[i], FRAME_SIZE};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
}

static void set_flow(struct frame *frame, uint64_t flow) {
	uint32_t source = htonl(source_base + (uint32_t)(flow / PORTS));
	uint32_t sum = checksum_base + (source & 0xffff) + (source >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	frame->ip.saddr = source;
	frame->ip.check = (uint16_t)~sum;
	frame->udp.source = htons((uint16_t)(PORT_FIRST + flow % PORTS));
}

static uint64_t next_random(void) {
	static uint64_t state = 0x9e3779b97f4a7c15ull;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static int open_device(const char *device) {
	/* Protocol 0: it receives nothing. */
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1, space = 4 << 20;
	if (fd < 0)
		fail("socket");
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(device)};
	if (address.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		fail(device);
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) < 0)
		fail("PACKET_QDISC_BYPASS");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &space, sizeof space);
	return fd;
}

int main(int argc, char **argv) {
	if (argc < 6)
		return fprintf(stderr, "usage: generate DEVICE MAC MAC ADDRESS ADDRESS [--NAME VALUE]...\n"), 2;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	set_nonblocking(STDIN_FILENO);
	set_options(argc - 6, argv + 6);
	prepare(argv);
	int fd = open_device(argv[1]);
	uint64_t flows = (uint64_t)option("flows", 1), next_flow = (uint64_t)option("first", 0);
	uint64_t sweep_left = option("sweep", 0) && flows > 0 ? flows : 0;
	uint64_t rate = (uint64_t)option("rate", 0), sent = 0, refused = 0, reported = 0;
	uint64_t start = now_ns(), report_ns = start, end = start + (uint64_t)option("seconds", 1 << 30) * NS_PER_S;
	printf("{\"event\":\"ready\"}\n");
	bool is_stopping = false;
	for (uint64_t round = 0;; round++) {
		uint64_t now = now_ns();
		if (round % BATCHES_BETWEEN == 0 || rate > 0) {
			enum command command = next_command();
			is_stopping = command == COMMAND_STOP || now >= end;
			if (command == COMMAND_REPORT || is_stopping) {
				printf("{\"event\":\"summary\",\"sent\":%lu,\"refused\":%lu,\"seconds\":%.6f,\"nextFlow\":%lu}\n", sent - reported,
				       refused, (now - report_ns) / 1e9, next_flow);
				reported = sent;
				refused = 0;
				report_ns = now;
			}
			if (is_stopping)
				return 0;
		}
		uint64_t count = BATCH;
		if (rate > 0) {
			uint64_t due = (uint64_t)((double)(now - start) * (double)rate / 1e9);
			count = due > sent ? due - sent : 0;
			if (count == 0) {
				struct timespec pause = {0, TICK_NS};
				nanosleep(&pause, NULL);
				continue;
			}
			if (count > BATCH)
				count = BATCH;
		}
		for (uint64_t i = 0; i < count; i++) {
			bool is_in_order = flows == 0 || sweep_left > 0;
			if (sweep_left > 0) {
				sweep_left--;
				if (sweep_left == 0)
					printf("{\"event\":\"swept\"}\n");
			}
			set_flow(&frames[i], is_in_order ? next_flow++ : next_random() % flows);
		}
		for (uint64_t done = 0; done < count;) {
			int taken = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
			if (taken < 0 && errno != ENOBUFS && errno != EAGAIN && errno != ENETDOWN)
				fail("sendmmsg");
			if (taken <= 0) {
				/* The one in front is lost; the rest goes on. */
				refused++;
				taken = 1;
			}
			done += (uint64_t)taken;
		}
		sent += count;
	}
}
