/*
 * can-blast INTERFACE WINDOW [SECONDS]: frames of 8 bytes, half a window for every credit that comes back, so that the
 * receiver's queue is never empty for long and never full. Where it shares the processor with the receiver, it keeps
 * it until the credit is used up: otherwise the first frame would wake the receiver, which then found one at a time.
 */
#include <sched.h>
#include "can.h"

#define BATCH 64

int main(int argc, char** argv) {
  static struct can_frame frames[BATCH];
  static struct iovec vectors[BATCH];
  static struct mmsghdr messages[BATCH];
  if (argc < 3) return 1;
  const struct sched_param first = {.sched_priority = 1};
  at_most(argc > 3 ? (unsigned)number(argv[3]) : 60);
  if (sched_setscheduler(0, SCHED_FIFO, &first) < 0) perror("SCHED_FIFO");
  int fd = can_bound(argv[1]), half = number(argv[2]) / 2, owed = 2 * half;
  can_filter(fd, CREDIT_ID, 0);
  time_limit(fd, SO_RCVTIMEO, 30);
  for (int i = 0; i < BATCH; i++) {
    frames[i] = (struct can_frame){.can_id = 0x100u + (unsigned)i, .can_dlc = 8, .data = {1, 2, 3, 4, 5, 6, 7, 8}};
    vectors[i] = (struct iovec){.iov_base = &frames[i], .iov_len = sizeof frames[i]};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  for (;;) {
    while (owed > 0) owed -= check(sendmmsg(fd, messages, owed < BATCH ? (unsigned)owed : BATCH, 0), "sendmmsg");
    struct can_frame credit;
    if (read(fd, &credit, sizeof credit) < 0) return 0;
    owed += half;
  }
}
