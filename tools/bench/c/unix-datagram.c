/*
 * recv, recvmmsg: datagrams of 64 bytes received on the path BENCH_PATH. blast PATH: sends them, held back by the
 * kernel's own limit of the queue.
 */
#include <sys/un.h>
#include "bench.h"

#define BATCH 64

int main(int argc, char** argv) {
  static char bytes[BATCH][2048];
  static struct mmsghdr messages[BATCH];
  static struct iovec vectors[BATCH];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char* path = argc > 2 ? argv[2] : getenv("BENCH_PATH");
  if (argc < 2 || path == NULL) return 1;
  at_most(60);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  if (strcmp(argv[1], "blast") == 0) {
    check(connect(fd, (struct sockaddr*)&address, sizeof address), "connect");
    while (send(fd, bytes, MESSAGE, MSG_NOSIGNAL) == MESSAGE) continue;
    return 0;
  }
  check(bind(fd, (struct sockaddr*)&address, sizeof address), "bind");
  printf("{\"arguments\":[\"%s\"]}\n", path);
  fflush(stdout);
  time_limit(fd, SO_RCVTIMEO, 5);
  int batch = strcmp(argv[1], "recvmmsg") == 0;
  for (int i = 0; i < BATCH; i++) {
    vectors[i] = (struct iovec){.iov_base = bytes[i], .iov_len = sizeof bytes[i]};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  struct meter meter = meter_new(64);
  for (;;) {
    int n = 1;
    if (batch)
      n = check(recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL), "recvmmsg");
    else if (recv(fd, bytes[0], sizeof bytes[0], 0) != MESSAGE)
      fail("recv");
    if (meter_add(&meter, (uint64_t)n)) return 0;
  }
}
