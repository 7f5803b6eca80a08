// Bytes in one buffer: recv, recvfrom, send, sendto, sendfile.
#include <sys/sendfile.h>

#include "arguments.h"
#include "sending.h"

namespace sock {

// The part of a buffer that the shared memory describes; false where it is not (or no longer) as large.
static bool Part(const Arguments<1>& args, Bytes* out) {
  const int32_t* state = args.memory()->state;
  const Bytes bytes = args.View(0);
  const auto offset = static_cast<uint32_t>(state[kOffset]);
  const auto length = static_cast<uint32_t>(state[kLength]);
  if (offset > bytes.length || length > bytes.length - offset) return false;
  *out = {bytes.data + offset, length};
  return true;
}

// recv(bytes) → count; descriptor, offset, length and flags in the shared memory
static napi_value Recv(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Bytes target;
  if (!Part(args, &target)) return args.Number(kBufferGone);
  const int32_t* state = args.memory()->state;
  return args.Result(recv(state[kDescriptor], target.data, target.length, state[kFlags]));
}

// recvfrom(bytes) → count; as recv, and the sender's sockaddr in the shared memory
static napi_value Recvfrom(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Bytes target;
  if (!Part(args, &target)) return args.Number(kBufferGone);
  Memory* memory = args.memory();
  socklen_t length = kSockaddrBytes;
  const ssize_t count = recvfrom(memory->state[kDescriptor], target.data, target.length, memory->state[kFlags],
                                 reinterpret_cast<sockaddr*>(memory->received), &length);
  memory->state[kAddressLength] = AddressLength(length);
  return args.Result(count);
}

// send(bytes) → count; descriptor, offset, length and flags in the shared memory
static napi_value Send(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Bytes source;
  if (!Part(args, &source)) return args.Number(kBufferGone);
  const int32_t* state = args.memory()->state;
  return args.Result(WithoutSignal(
      state[kFlags], [&](int flags) { return send(state[kDescriptor], source.data, source.length, flags); }));
}

// sendto(bytes) → count; as send, to the sockaddr in the shared memory
static napi_value Sendto(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Bytes source;
  if (!Part(args, &source)) return args.Number(kBufferGone);
  const Memory* memory = args.memory();
  const int32_t* state = memory->state;
  return args.Result(WithoutSignal(state[kFlags], [&](int flags) {
    return sendto(state[kDescriptor], source.data, source.length, flags,
                  reinterpret_cast<const sockaddr*>(memory->given), state[kGivenLength]);
  }));
}

// sendfile(socket, file, offset, count) → count; offset -1: the file's own position, which advances
static napi_value Sendfile(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  off_t offset = args.Long(2);
  off_t* position = offset < 0 ? nullptr : &offset;
  return args.Result(sendfile(args.Int(0), args.Int(1), position, args.Uint(3)));
}

// isDetached(ArrayBuffer) → 1 or 0
static napi_value IsDetached(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  bool detached = false;
  napi_is_detached_arraybuffer(env, args[0], &detached);
  return args.Number(detached ? 1 : 0);
}

void DefineTransfers(Exports exports, Environment* environment) {
  Define(exports, environment, "isDetached", IsDetached);
  Define(exports, environment, "recv", Recv);
  Define(exports, environment, "recvfrom", Recvfrom);
  Define(exports, environment, "send", Send);
  Define(exports, environment, "sendto", Sendto);
  Define(exports, environment, "sendfile", Sendfile);
}

}  // namespace sock
