/* 64 bytes to and fro over TCP, both ends non-blocking in one thread with one epoll(7). */
#include <sys/epoll.h>
#include "bench.h"

int main(void) {
  char out[MESSAGE] = {0}, in[4096];
  int one = 1, ends[2];
  at_most(60);
  int listener = bound(SOCK_STREAM);
  check(listen(listener, 1), "listen");
  ends[0] = connected(SOCK_STREAM, port_of(listener));
  ends[1] = check(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
  int poller = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  for (int i = 0; i < 2; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    check(setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
    check(epoll_ctl(poller, EPOLL_CTL_ADD, ends[i], &event), "epoll_ctl");
  }
  struct meter meter = meter_new(64);
  if (send(ends[0], out, sizeof out, MSG_DONTWAIT) != MESSAGE) fail("send");
  for (;;) {
    struct epoll_event events[2];
    int n = check(epoll_wait(poller, events, 2, -1), "epoll_wait");
    for (int i = 0; i < n; i++) {
      int fd = ends[events[i].data.u32];
      if (recv(fd, in, sizeof in, MSG_DONTWAIT) != MESSAGE) fail("recv");
      if (fd == ends[0] && meter_add(&meter, 1)) return 0;
      if (send(fd, out, sizeof out, MSG_DONTWAIT) != MESSAGE) fail("send");
    }
  }
}
