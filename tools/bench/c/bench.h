/* What every program here shares: a meter, the lines the harness reads, and giving up on errors. */
#ifndef BENCH_H
#define BENCH_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 64

static inline _Noreturn void fail(const char* what) {
  perror(what);
  exit(1);
}

static inline int check(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

static inline uint64_t wall_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t cpu_now(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return ((uint64_t)u.ru_utime.tv_sec + (uint64_t)u.ru_stime.tv_sec) * 1000000000u +
         ((uint64_t)u.ru_utime.tv_usec + (uint64_t)u.ru_stime.tv_usec) * 1000u;
}

static inline uint64_t milliseconds(const char* variable, uint64_t otherwise) {
  const char* text = getenv(variable);
  return (text ? strtoull(text, NULL, 10) : otherwise) * 1000000u;
}

/* Counts operations for the warm-up and then for the measured time; looks at the clock once in `every`. */
struct meter {
  uint64_t every, next, operations, warm, first, wall, cpu, warm_up, duration;
};

static inline struct meter meter_new(uint64_t every) {
  struct meter m = {0};
  m.every = every;
  m.next = every;
  m.warm_up = milliseconds("BENCH_WARM_UP", 400);
  m.duration = milliseconds("BENCH_DURATION", 300);
  m.warm = wall_now();
  return m;
}

static int meter_look(struct meter* m) {
  uint64_t now = wall_now();
  m->next = m->operations + m->every;
  if (m->wall == 0) {
    if (now - m->warm < m->warm_up) return 0;
    m->first = m->operations;
    m->cpu = cpu_now();
    m->wall = wall_now();
    return 0;
  }
  if (now - m->wall < m->duration) return 0;
  printf("{\"operations\":%llu,\"wall\":%llu,\"cpu\":%llu}\n", (unsigned long long)(m->operations - m->first),
         (unsigned long long)(now - m->wall), (unsigned long long)(cpu_now() - m->cpu));
  fflush(stdout);
  return 1;
}

/* Non-zero once the measured time is over and the result is printed. */
static inline int meter_add(struct meter* m, uint64_t operations) {
  m->operations += operations;
  return m->operations >= m->next && meter_look(m);
}

static inline struct sockaddr_in loopback(int port) {
  struct sockaddr_in a = {0};
  a.sin_family = AF_INET;
  a.sin_port = htons((uint16_t)port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

static inline int bound(int type) {
  struct sockaddr_in a = loopback(0);
  int fd = check(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
  check(bind(fd, (struct sockaddr*)&a, sizeof a), "bind");
  return fd;
}

static inline int port_of(int fd) {
  struct sockaddr_in a;
  socklen_t length = sizeof a;
  check(getsockname(fd, (struct sockaddr*)&a, &length), "getsockname");
  return ntohs(a.sin_port);
}

static inline int connected(int type, int port) {
  struct sockaddr_in a = loopback(port);
  int fd = check(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
  check(connect(fd, (struct sockaddr*)&a, sizeof a), "connect");
  return fd;
}

/* Tells the harness where the other process has to go. */
static inline void ready(int port) {
  printf("{\"arguments\":[\"%d\"]}\n", port);
  fflush(stdout);
}

static inline void time_limit(int fd, int option, int seconds) {
  struct timeval t = {.tv_sec = seconds};
  check(setsockopt(fd, SOL_SOCKET, option, &t, sizeof t), "setsockopt");
}

/* Ends the process, whatever it waits for, when the harness forgot it. */
static inline void at_most(unsigned seconds) { alarm(seconds); }

static inline int number(const char* text) { return (int)strtol(text, NULL, 10); }

#endif
