// Bytes in one buffer: recv, recvfrom, send, sendto, sendfile.
#include <sys/sendfile.h>

#include "arguments.h"

namespace sock {

// recv(fd, bytes, offset, length, flags) → count
static napi_value Recv(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  Bytes target;
  if (!args.Range(1, 2, 3, &target)) return args.Number(kBufferGone);
  return args.Result(recv(args.Int(0), target.data, target.length, args.Int(4)));
}

// recvfrom(fd, bytes, offset, length, flags) → count; the sender's sockaddr in the shared memory
static napi_value Recvfrom(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  Bytes target;
  if (!args.Range(1, 2, 3, &target)) return args.Number(kBufferGone);
  Memory* memory = args.memory();
  socklen_t length = kSockaddrBytes;
  const ssize_t count = recvfrom(args.Int(0), target.data, target.length, args.Int(4),
                                 reinterpret_cast<sockaddr*>(memory->received), &length);
  memory->state[kAddressLength] = AddressLength(length);
  return args.Result(count);
}

// send(fd, bytes, offset, length, flags) → count
static napi_value Send(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  Bytes source;
  if (!args.Range(1, 2, 3, &source)) return args.Number(kBufferGone);
  return args.Result(send(args.Int(0), source.data, source.length, args.Int(4) | MSG_NOSIGNAL));
}

// sendto(fd, bytes, offset, length, flags, sockaddr, sockaddrLength) → count
static napi_value Sendto(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  Bytes source;
  if (!args.Range(1, 2, 3, &source)) return args.Number(kBufferGone);
  const Bytes address = args.View(5);
  const uint32_t length = args.Uint(6);
  if (length > address.length) return args.Number(kBufferGone);
  return args.Result(sendto(args.Int(0), source.data, source.length, args.Int(4) | MSG_NOSIGNAL,
                            reinterpret_cast<const sockaddr*>(address.data), length));
}

// sendfile(socket, file, offset, count) → count; offset -1: the file's own position, which advances
static napi_value Sendfile(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  off_t offset = args.Long(2);
  off_t* position = offset < 0 ? nullptr : &offset;
  return args.Result(sendfile(args.Int(0), args.Int(1), position, args.Uint(3)));
}

void DefineTransfers(Exports exports, Environment* environment) {
  Define(exports, environment, "recv", Recv);
  Define(exports, environment, "recvfrom", Recvfrom);
  Define(exports, environment, "send", Send);
  Define(exports, environment, "sendto", Sendto);
  Define(exports, environment, "sendfile", Sendfile);
}

}  // namespace sock
