/* PROGRAM ARGUMENTS…: runs it once, and measures the whole process from fork to its end. */
#include <sys/wait.h>
#include "bench.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  at_most(60);
  uint64_t start = wall_now();
  pid_t child = check(vfork(), "vfork");
  if (child == 0) {
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status;
  struct rusage use;
  check(wait4(child, &status, 0, &use), "wait4");
  uint64_t wall = wall_now() - start;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return 1;
  uint64_t cpu = ((uint64_t)use.ru_utime.tv_sec + (uint64_t)use.ru_stime.tv_sec) * 1000000000u +
                 ((uint64_t)use.ru_utime.tv_usec + (uint64_t)use.ru_stime.tv_usec) * 1000u;
  printf("{\"operations\":1,\"wall\":%llu,\"cpu\":%llu,\"memory\":%llu}\n", (unsigned long long)wall,
         (unsigned long long)cpu, (unsigned long long)use.ru_maxrss * 1024u);
  return 0;
}
