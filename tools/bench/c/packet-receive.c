/* recvmmsg: packets received in batches, with their addresses. */
#include "packet.h"

#define BATCH 64

int main(void) {
  static char bytes[BATCH][2048];
  static struct mmsghdr messages[BATCH];
  static struct iovec vectors[BATCH];
  static struct sockaddr_ll from[BATCH];
  int room = 4 << 20;
  at_most(60);
  int fd = packet_socket("vb", ETH_P_ALL);
  check(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room), "SO_RCVBUFFORCE");
  here();
  struct meter meter = meter_new(64);
  uint64_t lengths = 0, others = 0;
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      vectors[i] = (struct iovec){.iov_base = bytes[i], .iov_len = sizeof bytes[i]};
      messages[i].msg_hdr =
          (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int n = check(recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL), "recvmmsg");
    for (int i = 0; i < n; i++) {
      lengths += messages[i].msg_len;
      if (from[i].sll_protocol != htons(0x88b5)) others++;
    }
    if (meter_add(&meter, (uint64_t)n)) return lengths == 0 || others > 0;
  }
}
