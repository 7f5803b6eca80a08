/*
 * recvfrom, recvmmsg: datagrams of 64 bytes received, with their senders' addresses.
 * A credit goes back to the sender for every half window, so that nothing is lost.
 */
#include "bench.h"

#define BATCH 64

static int half;

static void credit(int fd, const struct sockaddr_in* to, uint64_t received) {
  static uint64_t owed;
  owed += received;
  for (; owed >= (uint64_t)half; owed -= (uint64_t)half) {
    if (sendto(fd, "c", 1, 0, (const struct sockaddr*)to, sizeof *to) != 1) fail("sendto");
  }
}

int main(int argc, char** argv) {
  static char bytes[BATCH][2048];
  static struct mmsghdr messages[BATCH];
  static struct iovec vectors[BATCH];
  static struct sockaddr_in from[BATCH];
  int batch = argc > 1 && strcmp(argv[1], "recvmmsg") == 0, room = 4 << 20;
  socklen_t length = sizeof room;
  at_most(60);
  int fd = bound(SOCK_DGRAM);
  time_limit(fd, SO_RCVTIMEO, 5);
  check(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), "SO_RCVBUF");
  check(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &length), "SO_RCVBUF");
  half = room / 2048 < 2048 ? room / 4096 : 1024;
  printf("{\"arguments\":[\"%d\",\"%d\"]}\n", port_of(fd), half * 2);
  fflush(stdout);
  struct meter meter = meter_new(64);
  uint64_t ports = 0;
  for (;;) {
    int n = 1;
    if (batch) {
      for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){.iov_base = bytes[i], .iov_len = sizeof bytes[i]};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
      }
      n = check(recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL), "recvmmsg");
    } else {
      socklen_t size = sizeof from[0];
      if (recvfrom(fd, bytes[0], sizeof bytes[0], 0, (struct sockaddr*)&from[0], &size) < 0) fail("recvfrom");
    }
    for (int i = 0; i < n; i++) ports += from[i].sin_port;
    credit(fd, &from[0], (uint64_t)n);
    if (meter_add(&meter, (uint64_t)n)) return ports == 0;
  }
}
