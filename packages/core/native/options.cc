// Options and ioctl(2).
#include <linux/filter.h>
#include <sys/ioctl.h>

#include <cstddef>
#include <cstring>

#include "arguments.h"

namespace sock {

// getsockopt(fd, level, name, bytes, length) → length that the kernel gave
static napi_value Getsockopt(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  const Bytes value = args.View(3);
  socklen_t length = args.Uint(4);
  if (length > value.length) return args.Number(kBufferGone);
  const int result = getsockopt(args.Int(0), args.Int(1), args.Int(2), value.data, &length);
  return result == -1 ? args.Result(-1) : args.Number(static_cast<int32_t>(length));
}

// setsockopt(fd, level, name, bytes or null, length) → 0
static napi_value Setsockopt(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  const Bytes value = args.View(3);
  const uint32_t length = args.Uint(4);
  napi_valuetype type;
  napi_typeof(env, args[3], &type);
  if (type != napi_null && length > value.length) return args.Number(kBufferGone);
  return args.Result(setsockopt(args.Int(0), args.Int(1), args.Int(2), value.data, length));
}

// setFilter(fd, level, name, instructions) → 0; the instructions of a struct sock_fprog, 8 bytes each
static napi_value SetFilter(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  const Bytes code = args.View(3);
  sock_fprog program = {};
  program.len = static_cast<unsigned short>(code.length / sizeof(sock_filter));
  program.filter = reinterpret_cast<sock_filter*>(code.data);
  return args.Result(setsockopt(args.Int(0), args.Int(1), args.Int(2), &program, sizeof(program)));
}

// ioctlNumber(fd, request, argument) → what ioctl(2) returned; for requests that take an integer or nothing
static napi_value IoctlNumber(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  return args.Result(ioctl(args.Int(0), args.Uint(1), static_cast<long>(args.Long(2))));
}

// ioctlBytes(fd, request, bytes) → what ioctl(2) returned; for requests that take a structure
static napi_value IoctlBytes(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const Bytes bytes = args.View(2);
  if (bytes.data == nullptr) return args.Number(kBufferGone);
  // The kernel is not told how many bytes there are: what is small gets room for any structure behind it.
  constexpr size_t kRoom = 4096;
  if (bytes.length >= kRoom) return args.Result(ioctl(args.Int(0), args.Uint(1), bytes.data));
  alignas(std::max_align_t) uint8_t room[2 * kRoom] = {};
  std::memcpy(room, bytes.data, bytes.length);
  const int result = ioctl(args.Int(0), args.Uint(1), room);
  const int error = errno;
  std::memcpy(bytes.data, room, bytes.length);
  return args.Number(result == -1 ? -error : result);
}

void DefineOptions(Exports exports, Environment* environment) {
  Define(exports, environment, "getsockopt", Getsockopt);
  Define(exports, environment, "setsockopt", Setsockopt);
  Define(exports, environment, "setFilter", SetFilter);
  Define(exports, environment, "ioctlNumber", IoctlNumber);
  Define(exports, environment, "ioctlBytes", IoctlBytes);
}

}  // namespace sock
