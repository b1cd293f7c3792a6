/*
 * Sends one frame of 64 bytes (UDP in IPv4) over and over by an AF_PACKET socket, 64 in a call, past the queueing
 * discipline: flood DEVICE DESTINATION_MAC SOURCE_IP DESTINATION_IP FLOWS SECONDS. Prints the frames that were taken.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { FRAME = 60, BATCH = 64, IP = 14, UDP = 34 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static uint16_t sum(const uint8_t *bytes, int length) {
  uint32_t total = 0;
  for (int i = 0; i < length; i += 2) total += bytes[i] << 8 | bytes[i + 1];
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return htons(~total & 0xffff);
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  static uint8_t frames[BATCH][64];
  struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i++) {
    uint8_t *f = frames[i];
    sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", f, f + 1, f + 2, f + 3, f + 4, f + 5);
    f[6] = 2;
    f[12] = 8;
    f[IP] = 0x45;
    f[IP + 3] = FRAME - IP;
    f[IP + 8] = 64;
    f[IP + 9] = IPPROTO_UDP;
    inet_pton(AF_INET, argv[3], f + IP + 12);
    inet_pton(AF_INET, argv[4], f + IP + 16);
    uint16_t header = sum(f + IP, 20);
    memcpy(f + IP + 10, &header, 2);
    f[UDP + 3] = 9;
    f[UDP + 5] = FRAME - UDP;
    vectors[i] = (struct iovec){f, FRAME};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(argv[1])};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return perror("bind"), 1;
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  unsigned flows = atoi(argv[5]), flow = 0;
  unsigned long sent = 0;
  for (double end = now() + atof(argv[6]); now() < end;) {
    for (int i = 0; i < BATCH; i++, flow = flow + 1 == flows ? 0 : flow + 1) {
      uint16_t port = htons(1024 + flow % 60000);
      memcpy(frames[i] + UDP, &port, 2);
    }
    int taken = sendmmsg(fd, messages, BATCH, 0);
    if (taken > 0) sent += taken;
  }
  printf("%lu\n", sent);
}
