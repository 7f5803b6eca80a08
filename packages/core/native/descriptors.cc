// Making, owning and closing descriptors. All are non-blocking and close-on-exec from birth.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"

namespace sock {

bool Environment::Own(int fd) {
  if (fd < 0) return false;
  if (static_cast<size_t>(fd) >= owned_.size()) owned_.resize(fd + 64, false);
  const bool fresh = !owned_[fd];
  owned_[fd] = true;
  return fresh;
}

void Environment::Release(int fd) {
  if (Owns(fd)) owned_[fd] = false;
}

int Environment::Close(int fd) {
  if (!Owns(fd)) return -EBADF;
  owned_[fd] = false;
  // never retried: Linux has released the descriptor even where close(2) says EINTR
  return close(fd) == 0 ? 0 : -errno;
}

// socket(domain, type, protocol) → descriptor
static napi_value Socket(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const int fd = socket(args.Int(0), args.Int(1) | SOCK_CLOEXEC | SOCK_NONBLOCK, args.Int(2));
  args.environment()->Own(fd);
  return args.Result(fd);
}

// socketpair(domain, type, protocol, Int32Array(2)) → 0
static napi_value Socketpair(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  const Bytes out = args.View(3);
  int fds[2];
  if (out.length < 2) return args.Number(kBufferGone);
  const int type = args.Int(1) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  if (socketpair(args.Int(0), type, args.Int(2), fds) == -1) return args.Number(-errno);
  for (int i = 0; i < 2; i++) {
    args.environment()->Own(fds[i]);
    reinterpret_cast<int32_t*>(out.data)[i] = fds[i];
  }
  return args.Number(0);
}

// own(fd) → 1, or 0 where it is owned already
static napi_value Own(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  return args.Number(args.environment()->Own(args.Int(0)) ? 1 : 0);
}

// release(fd)
static napi_value Release(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  args.environment()->Release(args.Int(0));
  return args.Number(0);
}

// close(fd) → 0; only what is owned
static napi_value Close(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  return args.Number(args.environment()->Close(args.Int(0)));
}

// closeAny(fd) → 0; close(2) on any descriptor
static napi_value CloseAny(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  args.environment()->Release(args.Int(0));
  return args.Result(close(args.Int(0)));
}

// dup(fd) → a descriptor of the same open file description
static napi_value Dup(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const int fd = fcntl(args.Int(0), F_DUPFD_CLOEXEC, 0);
  args.environment()->Own(fd);
  return args.Result(fd);
}

// isSocket(fd) → 1, 0 or -errno
static napi_value IsSocket(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  struct stat status;
  if (fstat(args.Int(0), &status) == -1) return args.Number(-errno);
  return args.Number(S_ISSOCK(status.st_mode) ? 1 : 0);
}

static int Flag(int fd, int get, int set, int flag, int value) {
  const int flags = fcntl(fd, get);
  if (flags == -1 || value == -1) return flags == -1 ? -errno : (flags & flag) != 0;
  const int wanted = value != 0 ? flags | flag : flags & ~flag;
  return wanted != flags && fcntl(fd, set, wanted) == -1 ? -errno : 0;
}

// nonBlocking(fd, value) → 0; with value -1 → whether it is
static napi_value NonBlocking(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  return args.Number(Flag(args.Int(0), F_GETFL, F_SETFL, O_NONBLOCK, args.Int(1)));
}

// closeOnExec(fd, value) → 0; with value -1 → whether it is
static napi_value CloseOnExec(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  return args.Number(Flag(args.Int(0), F_GETFD, F_SETFD, FD_CLOEXEC, args.Int(1)));
}

void DefineDescriptors(Exports exports, Environment* environment) {
  Define(exports, environment, "socket", Socket);
  Define(exports, environment, "socketpair", Socketpair);
  Define(exports, environment, "own", Own);
  Define(exports, environment, "release", Release);
  Define(exports, environment, "close", Close);
  Define(exports, environment, "closeAny", CloseAny);
  Define(exports, environment, "dup", Dup);
  Define(exports, environment, "isSocket", IsSocket);
  Define(exports, environment, "nonBlocking", NonBlocking);
  Define(exports, environment, "closeOnExec", CloseOnExec);
}

}  // namespace sock
