/* Connections accepted and closed at once: a non-blocking listener with epoll(7), as an event loop does it. */
#include <sys/epoll.h>
#include "bench.h"

int main(void) {
  at_most(60);
  int listener = bound(SOCK_STREAM | SOCK_NONBLOCK);
  check(listen(listener, 511), "listen");
  int poller = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  struct epoll_event event = {.events = EPOLLIN};
  check(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
  ready(port_of(listener));
  struct meter meter = meter_new(16);
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    int fd = accept4(listener, (struct sockaddr*)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno != EAGAIN) fail("accept4");
      check(epoll_wait(poller, &event, 1, 5000), "epoll_wait");
      continue;
    }
    close(fd);
    if (meter_add(&meter, 1)) return 0;
  }
}
