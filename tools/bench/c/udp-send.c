/*
 * sendto PORT, sendmmsg PORT, segment PORT: datagrams of 64 bytes to an address, as they are, 64 to a call, and 64
 * split by the kernel. sink: the socket they go to, which nobody reads.
 */
#include "bench.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define BATCH 64

int main(int argc, char** argv) {
  static char bytes[BATCH * MESSAGE];
  struct mmsghdr messages[BATCH];
  struct iovec vector = {.iov_base = bytes, .iov_len = MESSAGE};
  at_most(60);
  if (argc < 3) {
    ready(port_of(bound(SOCK_DGRAM)));
    for (;;) pause();
  }
  struct sockaddr_in to = loopback(number(argv[2]));
  int fd = bound(SOCK_DGRAM), size = MESSAGE;
  int batch = strcmp(argv[1], "sendmmsg") == 0, segment = strcmp(argv[1], "segment") == 0;
  if (segment) check(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size), "UDP_SEGMENT");
  for (int i = 0; i < BATCH; i++) {
    messages[i].msg_hdr =
        (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &vector, .msg_iovlen = 1};
  }
  struct meter meter = meter_new(64);
  size_t length = segment ? sizeof bytes : MESSAGE;
  for (;;) {
    int n = segment ? BATCH : 1;
    if (batch)
      n = check(sendmmsg(fd, messages, BATCH, 0), "sendmmsg");
    else if (sendto(fd, bytes, length, 0, (struct sockaddr*)&to, sizeof to) < 0)
      fail("sendto");
    if (meter_add(&meter, (uint64_t)n)) return 0;
  }
}
