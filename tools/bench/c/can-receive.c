/*
 * recvmsg, recvmmsg, recvmmsg-times INTERFACE WINDOW: CAN frames received, each with the interface that it came from,
 * or also with its time (SO_TIMESTAMPING) and the count of lost frames (SO_RXQ_OVFL).
 */
#include <linux/net_tstamp.h>
#include "can.h"

#define BATCH 64
#define CONTROL 256

static uint64_t seen;

static void look(struct msghdr* message, const struct can_frame* frame, const struct sockaddr_can* from, int times) {
  seen += frame->can_id + frame->data[0] + (unsigned)from->can_ifindex;
  if (!times) return;
  for (struct cmsghdr* c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_TIMESTAMPING) {
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
      seen += (uint64_t)stamp.tv_nsec;
    } else if (c->cmsg_type == SO_RXQ_OVFL) {
      uint32_t lost;
      memcpy(&lost, CMSG_DATA(c), sizeof lost);
      seen += lost;
    }
  }
}

int main(int argc, char** argv) {
  static struct can_frame frames[BATCH];
  static struct sockaddr_can from[BATCH];
  static struct iovec vectors[BATCH];
  static struct mmsghdr messages[BATCH];
  static char control[BATCH][CONTROL];
  if (argc < 4) return 1;
  int many = strncmp(argv[1], "recvmmsg", 8) == 0, times = strcmp(argv[1], "recvmmsg-times") == 0, on = 1;
  int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  at_most(60);
  int fd = can_bound(argv[2]), half = number(argv[3]) / 2, owed = 0;
  can_filter(fd, CREDIT_ID, 1);
  time_limit(fd, SO_RCVTIMEO, 30);
  if (times) {
    check(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps), "SO_TIMESTAMPING");
    check(setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on), "SO_RXQ_OVFL");
  }
  printf("{\"arguments\":[\"%s\",\"%s\"]}\n", argv[2], argv[3]);
  fflush(stdout);
  const struct can_frame credit = {.can_id = CREDIT_ID};
  struct meter meter = meter_new(64);
  for (;;) {
    for (int i = 0; i < (many ? BATCH : 1); i++) {
      vectors[i] = (struct iovec){.iov_base = &frames[i], .iov_len = sizeof frames[i]};
      messages[i].msg_hdr =
          (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
      if (times) {
        messages[i].msg_hdr.msg_control = control[i];
        messages[i].msg_hdr.msg_controllen = CONTROL;
      }
    }
    int n = 1;
    if (many) {
      n = check(recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL), "recvmmsg");
    } else if (recvmsg(fd, &messages[0].msg_hdr, 0) < 0) {
      fail("recvmsg");
    }
    for (int i = 0; i < n; i++) look(&messages[i].msg_hdr, &frames[i], &from[i], times);
    for (owed += n; owed >= half; owed -= half) {
      if (write(fd, &credit, sizeof credit) != sizeof credit) fail("write");
    }
    if (meter_add(&meter, (uint64_t)n)) return seen == 0;
  }
}
