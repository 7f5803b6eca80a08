/*
 * last PROGRAM…, others PROGRAM…: runs it on the last processor, or on all the others, so that the two ends of a
 * benchmark neither share one nor change places: what a byte costs depends on that more than on the program.
 */
#include <sched.h>
#include "bench.h"

int main(int argc, char** argv) {
  cpu_set_t set;
  if (argc < 3) return 1;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1) {
    int last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, &set)) last--;
    if (strcmp(argv[1], "last") == 0) {
      CPU_ZERO(&set);
      CPU_SET(last, &set);
    } else {
      CPU_CLR(last, &set);
    }
    check(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
  }
  execvp(argv[2], argv + 2);
  fail(argv[2]);
}
