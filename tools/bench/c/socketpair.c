/* send(2) and recv(2) of 64 bytes on a blocking socket pair, both ends in one thread. */
#include "bench.h"

int main(void) {
  int pair[2];
  char out[MESSAGE] = {0}, in[4096];
  at_most(60);
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
  struct meter meter = meter_new(64);
  do {
    if (send(pair[0], out, sizeof out, 0) != MESSAGE) fail("send");
    if (recv(pair[1], in, sizeof in, 0) != MESSAGE) fail("recv");
  } while (!meter_add(&meter, 1));
  return 0;
}
