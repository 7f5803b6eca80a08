/*
 * PORT WINDOW: datagrams of 64 bytes to that port, as fast as the receiver gives credit (one datagram back for
 * half a window). Many to a call, split by the kernel (UDP_SEGMENT), so that the sender is never the limit;
 * with sendmmsg(2) where the kernel cannot.
 */
#include "bench.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define BURST 64

int main(int argc, char** argv) {
  static char bytes[BURST * MESSAGE];
  struct mmsghdr messages[BURST];
  struct iovec vector = {.iov_base = bytes, .iov_len = MESSAGE};
  int size = MESSAGE;
  if (argc < 3) return 1;
  at_most(60);
  int fd = connected(SOCK_DGRAM, number(argv[1])), window = number(argv[2]);
  int segments = setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) == 0;
  time_limit(fd, SO_RCVTIMEO, 1);
  for (int i = 0; i < BURST; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &vector, .msg_iovlen = 1};
  for (int room = window;;) {
    char credit[16];
    while (room < BURST) {
      if (recv(fd, credit, sizeof credit, 0) >= 0)
        room += window / 2;
      else if (errno == EAGAIN)
        room = window; /* the credit was lost */
      else
        return 0; /* the receiver has gone */
    }
    ssize_t sent = segments ? send(fd, bytes, sizeof bytes, 0) : sendmmsg(fd, messages, BURST, 0);
    if (sent < 0 && errno != ENOBUFS) return 0;
    room -= BURST;
  }
}
