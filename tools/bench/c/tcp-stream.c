/*
 * receive PORT, send PORT: the measured side, 64 KiB a call, blocking.
 * source, sink: the other side, which prints its port and serves one connection until it ends.
 */
#include "bench.h"

#define CHUNK 65536

static char buffer[4 * CHUNK];

static int measured(int port, int receive) {
  int fd = connected(SOCK_STREAM, port);
  struct meter meter = meter_new(1024);
  for (;;) {
    ssize_t n = receive ? recv(fd, buffer, CHUNK, 0) : send(fd, buffer, CHUNK, MSG_NOSIGNAL);
    if (n <= 0) fail(receive ? "recv" : "send");
    /* Bytes are counted by the kibibyte; what is left over is carried to the next call. */
    static size_t rest;
    rest += (size_t)n;
    if (meter_add(&meter, rest / 1024)) return 0;
    rest %= 1024;
  }
}

int main(int argc, char** argv) {
  at_most(60);
  if (argc > 2) return measured(number(argv[2]), strcmp(argv[1], "receive") == 0);
  int listener = bound(SOCK_STREAM);
  check(listen(listener, 1), "listen");
  ready(port_of(listener));
  int fd = check(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
  int source = strcmp(argv[1], "source") == 0;
  while ((source ? send(fd, buffer, CHUNK, MSG_NOSIGNAL) : recv(fd, buffer, sizeof buffer, 0)) > 0) continue;
  return 0;
}
