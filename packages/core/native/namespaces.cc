// Network namespaces. setns(2) and unshare(2) change the thread that calls them: one does, and ends. The
// caller's thread never is elsewhere, so that nothing has to be restored, and what others start meanwhile
// does not inherit it.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "arguments.h"

namespace sock {

// What failed was the change of namespace: less than any errno negated.
constexpr int32_t kNotEntered = -10000;

// Runs `body`, which gives a descriptor or a negative errno, on a thread of its own.
template <typename Body>
static int OnThread(Body body) {
  struct Call {
    Body& body;
    int result;
  } call = {body, 0};
  const auto run = [](void* data) -> void* {
    auto* made = static_cast<Call*>(data);
    made->result = made->body();
    return nullptr;
  };
  // signals are for the threads of others
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, run, &call);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return -error;
  pthread_join(thread, nullptr);
  return call.result;
}

// socketIn(namespace, domain, type, protocol) → descriptor
static napi_value SocketIn(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  const int home = args.Int(0), domain = args.Int(1), type = args.Int(2), protocol = args.Int(3);
  const int fd = OnThread([=] {
    if (setns(home, CLONE_NEWNET) == -1) return kNotEntered - errno;
    const int opened = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    return opened == -1 ? -errno : opened;
  });
  args.environment()->Own(fd);
  return args.Number(fd);
}

// createNamespace() → descriptor, which is the caller's
static napi_value CreateNamespace(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  return args.Number(OnThread([] {
    if (unshare(CLONE_NEWNET) == -1) return -errno;
    const int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd == -1 ? -errno : fd;
  }));
}

void DefineNamespaces(Exports exports, Environment* environment) {
  Define(exports, environment, "socketIn", SocketIn);
  Define(exports, environment, "createNamespace", CreateNamespace);
}

}  // namespace sock
