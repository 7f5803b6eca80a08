// Arguments of native functions. TypeScript has checked types and ranges, except for the bounds of
// memory, which may change between a check and a later attempt: those are checked here every time.
#ifndef SOCK_ARGUMENTS_H_
#define SOCK_ARGUMENTS_H_

#include <napi.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "environment.h"

namespace sock {

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

// Up to `N` arguments of a call, and the environment that the function was made for.
template <size_t N>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = N;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values_, nullptr, &data);
    environment_ = static_cast<Environment*>(data);
  }

  Environment* environment() const { return environment_; }
  Memory* memory() const { return environment_->memory(); }
  napi_value operator[](size_t index) const { return values_[index]; }

  int32_t Int(size_t index) const {
    int32_t value = 0;
    napi_get_value_int32(env_, values_[index], &value);
    return value;
  }
  uint32_t Uint(size_t index) const {
    uint32_t value = 0;
    napi_get_value_uint32(env_, values_[index], &value);
    return value;
  }
  int64_t Long(size_t index) const {
    int64_t value = 0;
    napi_get_value_int64(env_, values_[index], &value);
    return value;
  }
  double Double(size_t index) const {
    double value = 0;
    napi_get_value_double(env_, values_[index], &value);
    return value;
  }
  // A Uint8Array; no bytes for anything else, null included.
  Bytes View(size_t index) const { return ViewOf(values_[index]); }
  Bytes ViewOf(napi_value value) const {
    Bytes bytes;
    void* data = nullptr;
    if (napi_get_typedarray_info(env_, value, nullptr, &bytes.length, &data, nullptr, nullptr) != napi_ok) return {};
    bytes.data = static_cast<uint8_t*>(data);
    if (bytes.data == nullptr) bytes.length = 0;
    return bytes;
  }
  napi_value Number(int32_t value) const {
    napi_value result;
    napi_create_int32(env_, value, &result);
    return result;
  }
  // The result of a system call: its value, or the errno negated.
  napi_value Result(int64_t value) const {
    if (value == -1) return Number(-errno);
    if (value <= INT32_MAX) return Number(static_cast<int32_t>(value));
    napi_value result;
    napi_create_int64(env_, value, &result);
    return result;
  }

 private:
  napi_env env_;
  napi_value values_[N];
  Environment* environment_;
};

// A buffer is gone or too small: no errno of a kernel, so that it cannot be mistaken for one.
constexpr int32_t kBufferGone = -100000;

// The kernel tells the length that an address has, which may be more than what it could write.
inline int32_t AddressLength(uint32_t length) {
  return static_cast<int32_t>(length < kSockaddrBytes ? length : kSockaddrBytes);
}

// Receives by `call`, which takes flags. Descriptors come only with control messages, close-on-exec from
// birth; but some families, none of which passes descriptors, refuse all flags that they do not know.
template <typename Call>
auto ReceiveClosingOnExec(bool control, int flags, Call call) {
  if (!control) return call(flags);
  const auto count = call(flags | MSG_CMSG_CLOEXEC);
  return count == -1 && errno == EINVAL ? call(flags) : count;
}

// Descriptors that came with a message belong to the environment from now on: their number (messages.cc).
int OwnReceived(Environment* environment, msghdr* message);

using Exports = Napi::Object;
void Define(Napi::Object exports, Environment* environment, const char* name, napi_callback function);

void DefineDescriptors(Exports exports, Environment* environment);
void DefineConnections(Exports exports, Environment* environment);
void DefineTransfers(Exports exports, Environment* environment);
void DefineMessages(Exports exports, Environment* environment);
void DefineBatches(Exports exports, Environment* environment);
void DefineOptions(Exports exports, Environment* environment);
void DefineReadiness(Exports exports, Environment* environment);
void DefinePolling(Exports exports, Environment* environment);
void DefineInterfaces(Exports exports, Environment* environment);
void DefineNetdb(Exports exports, Environment* environment);
void DefineMappings(Exports exports, Environment* environment);
void DefineNamespaces(Exports exports, Environment* environment);

}  // namespace sock

#endif  // SOCK_ARGUMENTS_H_
