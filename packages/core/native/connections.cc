// Names and connections: bind, listen, accept, connect, shutdown, getsockname, getpeername.
#include "arguments.h"

namespace sock {

// The sockaddr that the call takes: the encoded bytes given, or those in the shared memory.
static const sockaddr* Given(const uint8_t* data) { return reinterpret_cast<const sockaddr*>(data); }

static sockaddr* Received(Memory* memory) { return reinterpret_cast<sockaddr*>(memory->received); }

// bind(fd, sockaddr, length) → 0
static napi_value Bind(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const Bytes address = args.View(1);
  const uint32_t length = args.Uint(2);
  if (length > address.length) return args.Number(kBufferGone);
  return args.Result(bind(args.Int(0), Given(address.data), length));
}

// connect(fd, sockaddr, length) → 0
static napi_value Connect(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const Bytes address = args.View(1);
  const uint32_t length = args.Uint(2);
  if (length > address.length) return args.Number(kBufferGone);
  return args.Result(connect(args.Int(0), Given(address.data), length));
}

// listen(fd, backlog) → 0
static napi_value Listen(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  return args.Result(listen(args.Int(0), args.Int(1)));
}

// shutdown(fd, how) → 0
static napi_value Shutdown(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  return args.Result(shutdown(args.Int(0), args.Int(1)));
}

// accept(fd, named) → descriptor; the peer's sockaddr in the shared memory, where peers have names:
// Linux gives up a connection whose peer it is asked to name and cannot
static napi_value Accept(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  Memory* memory = args.memory();
  const bool named = args.Int(1) != 0;
  socklen_t length = named ? kSockaddrBytes : 0;
  const int fd =
      accept4(args.Int(0), named ? Received(memory) : nullptr, named ? &length : nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  memory->state[kAddressLength] = AddressLength(length);
  args.environment()->Own(fd);
  return args.Result(fd);
}

// getsockname(fd) → 0; the sockaddr in the shared memory
static napi_value Getsockname(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Memory* memory = args.memory();
  socklen_t length = kSockaddrBytes;
  const int result = getsockname(args.Int(0), Received(memory), &length);
  memory->state[kAddressLength] = AddressLength(length);
  return args.Result(result);
}

// getpeername(fd) → 0; the sockaddr in the shared memory
static napi_value Getpeername(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Memory* memory = args.memory();
  socklen_t length = kSockaddrBytes;
  const int result = getpeername(args.Int(0), Received(memory), &length);
  memory->state[kAddressLength] = AddressLength(length);
  return args.Result(result);
}

void DefineConnections(Exports exports, Environment* environment) {
  Define(exports, environment, "bind", Bind);
  Define(exports, environment, "connect", Connect);
  Define(exports, environment, "listen", Listen);
  Define(exports, environment, "shutdown", Shutdown);
  Define(exports, environment, "accept", Accept);
  Define(exports, environment, "getsockname", Getsockname);
  Define(exports, environment, "getpeername", Getpeername);
}

}  // namespace sock
