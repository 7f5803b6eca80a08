/*
 * PROGRAM ARGUMENTS…: runs it in a network namespace of its own, where what is sent on the interface va arrives on vb,
 * and nothing else does. What it opens there is gone with it.
 */
#include <sched.h>
#include "bench.h"

static const char setup[] =
    "ip link add va type veth peer name vb && "
    "for end in va vb; do ip link set $end addrgenmode none arp off up || exit 1; done";

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  check(unshare(CLONE_NEWNET), "a network namespace of one's own");
  if (system(setup) != 0) {
    fprintf(stderr, "error: a pair of virtual links could not be made (ip, the module veth)\n");
    return 1;
  }
  execvp(argv[1], argv + 1);
  fail(argv[1]);
}
