/*
 * loop PORT: connects again and again, with a few connections waiting for the server at a time. Each is given up
 *   (with a reset, so that no port stays in TIME_WAIT) once the server has closed it.
 * hold PORT FIRST COUNT: opens FIRST connections, waits for a byte on the first one, opens COUNT more, and keeps
 *   them all until the server ends.
 */
#include "bench.h"

#define WAITING 64
#define LIMIT 2000000

/* In groups, with a pause after each: a full queue of the listener costs a second. */
static void open_connections(int port, int count) {
  for (int i = 0; i < count; i++) {
    connected(SOCK_STREAM, port);
    if (i % WAITING == WAITING - 1) usleep(4000);
  }
}

static int hold(int port, int first, int count) {
  struct rlimit limit;
  check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  char byte;
  int go = connected(SOCK_STREAM, port);
  open_connections(port, first - 1);
  if (recv(go, &byte, 1, 0) <= 0) return 1;
  open_connections(port, count);
  recv(go, &byte, 1, 0);
  return 0;
}

int main(int argc, char** argv) {
  at_most(60);
  if (argc < 3) return 1;
  int port = number(argv[2]);
  if (argc > 4) return hold(port, number(argv[3]), number(argv[4]));
  struct sockaddr_in to = loopback(port);
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  int waiting[WAITING];
  for (int i = 0; i < WAITING; i++) waiting[i] = -1;
  for (int i = 0; i < LIMIT; i++) {
    int* slot = &waiting[i % WAITING];
    char byte;
    if (*slot >= 0) {
      recv(*slot, &byte, 1, 0);
      close(*slot);
    }
    *slot = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(setsockopt(*slot, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), "SO_LINGER");
    if (connect(*slot, (struct sockaddr*)&to, sizeof to) < 0) return errno != ECONNREFUSED;
  }
  return 0;
}
