/*
 * BURST PID: sends frames of 64 bytes on va, in the network namespace of that process: with a BURST of 0 as fast as it
 * can; otherwise so many while the first thread of that process is stopped, then it waits until all were received. The
 * other process thus has always work and never waits for this one. A signal would stop all threads of it, and be paid
 * for by those that have no part in receiving.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "packet.h"

#define BATCH 64

static const unsigned char header[ETH_HLEN] = {2, 0, 0, 0, 0, 11, 2, 0, 0, 0, 0, 10, 0x88, 0xb5};
static unsigned char frame[MESSAGE];
static struct mmsghdr messages[BATCH];
static pid_t receiver;

/* Whether the other process waits, rather than to have something to do: what proc(5) says of its first thread. */
static int waits(void) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", receiver);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) exit(0);
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) exit(0);
  text[length] = 0;
  const char* name_end = strrchr(text, ')');
  return name_end != NULL && name_end[2] == 'S';
}

static void until_received(void) {
  for (int idle = 0; idle < 3; idle = waits() ? idle + 1 : 0) usleep(200);
}

static void trace(enum __ptrace_request request) {
  if (ptrace(request, receiver, NULL, NULL) == 0) return;
  if (errno == ESRCH) exit(0);
  fail("ptrace");
}

static void stop(void) {
  int status;
  trace(PTRACE_INTERRUPT);
  if (waitpid(receiver, &status, __WALL) < 0 || !WIFSTOPPED(status)) exit(0);
}

int main(int argc, char** argv) {
  struct iovec vector = {.iov_base = frame, .iov_len = sizeof frame};
  char path[64];
  int one = 1;
  if (argc < 3) return 1;
  int burst = number(argv[1]);
  at_most(burst > 0 ? 60 : 3600);
  receiver = number(argv[2]);
  snprintf(path, sizeof path, "/proc/%d/ns/net", receiver);
  check(setns(check(open(path, O_RDONLY | O_CLOEXEC), path), CLONE_NEWNET), "setns");
  int fd = packet_socket("va", 0);
  check(setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one), "PACKET_QDISC_BYPASS");
  memcpy(frame, header, sizeof header);
  for (int i = 0; i < BATCH; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &vector, .msg_iovlen = 1};
  if (burst > 0) trace(PTRACE_SEIZE);
  for (;;) {
    if (burst > 0) {
      until_received();
      stop();
    }
    for (int sent = 0; sent < burst || burst == 0; sent += BATCH) {
      /* a link without a carrier, as at first, is no reason to give up */
      if (sendmmsg(fd, messages, BATCH, 0) < 0 && errno != ENOBUFS && errno != ENETDOWN) fail("sendmmsg");
    }
    if (burst > 0) trace(PTRACE_CONT);
  }
}
