/* A CAN_RAW socket on one interface, and the credit that keeps its sender from overrunning it. */
#ifndef BENCH_CAN_H
#define BENCH_CAN_H

#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include "bench.h"

/* What the receiver sends for every half window; frames that are counted have other identifiers. */
#define CREDIT_ID 0x7ffu

static inline int can_bound(const char* interface) {
  struct sockaddr_can a = {0};
  a.can_family = AF_CAN;
  a.can_ifindex = (int)if_nametoindex(interface);
  int fd = check(socket(AF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW), "socket");
  check(bind(fd, (struct sockaddr*)&a, sizeof a), "bind");
  return fd;
}

static inline void can_filter(int fd, unsigned id, int inverted) {
  struct can_filter filter = {.can_id = id | (inverted ? CAN_INV_FILTER : 0), .can_mask = CAN_SFF_MASK};
  check(setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FILTER, &filter, sizeof filter), "CAN_RAW_FILTER");
}

#endif
