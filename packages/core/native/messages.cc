// Messages: several buffers, an address and control messages in one call.
#include <cstring>

#include "arguments.h"
#include "sending.h"

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

namespace sock {

// Collects the buffers of a call; what fits in a few entries costs no allocation.
class Vector {
 public:
  template <size_t N>
  bool Collect(napi_env env, const Arguments<N>& args, size_t index, uint32_t size) {
    uint32_t count = 0;
    size_t total = 0;
    if (napi_get_array_length(env, args[index], &count) != napi_ok) return false;
    if (count > sizeof(inline_) / sizeof(inline_[0])) {
      heap_.resize(count);
      entries_ = heap_.data();
    }
    for (uint32_t i = 0; i < count; i++) {
      napi_value item;
      napi_get_element(env, args[index], i, &item);
      const Bytes bytes = args.ViewOf(item);
      entries_[i].iov_base = bytes.data;
      entries_[i].iov_len = bytes.length;
      total += bytes.length;
    }
    count_ = count;
    // as many bytes as there were when the operation began, or one of the buffers is gone
    return total == size;
  }
  iovec* entries() { return entries_; }
  size_t count() const { return count_; }

 private:
  iovec inline_[8];
  std::vector<iovec> heap_;
  iovec* entries_ = inline_;
  size_t count_ = 0;
};

int OwnReceived(Environment* environment, msghdr* message) {
  int count = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type != SCM_RIGHTS && header->cmsg_type != SCM_PIDFD) continue;
    if (header->cmsg_len < CMSG_LEN(0)) continue;
    const uint8_t* data = CMSG_DATA(header);
    const uint8_t* end = static_cast<uint8_t*>(message->msg_control) + message->msg_controllen;
    size_t length = header->cmsg_len - CMSG_LEN(0);
    if (data + length > end) length = data < end ? end - data : 0;
    for (size_t offset = 0; offset + sizeof(int) <= length; offset += sizeof(int)) {
      int fd;
      std::memcpy(&fd, data + offset, sizeof(fd));
      environment->Own(fd);
      count++;
    }
  }
  return count;
}

// recvmsg(fd, [bytes…], flags, control, controlLength, size) → count;
// address, flags and control length in the shared memory
static napi_value Recvmsg(napi_env env, napi_callback_info info) {
  Arguments<6> args(env, info);
  Vector buffers;
  if (!buffers.Collect(env, args, 1, args.Uint(5))) return args.Number(kBufferGone);
  const Bytes control = args.View(3);
  const uint32_t control_length = args.Uint(4);
  if (control_length > control.length) return args.Number(kBufferGone);
  Memory* memory = args.memory();
  msghdr message = {};
  message.msg_name = memory->received;
  message.msg_namelen = kSockaddrBytes;
  message.msg_iov = buffers.entries();
  message.msg_iovlen = buffers.count();
  message.msg_control = control_length == 0 ? nullptr : control.data;
  message.msg_controllen = control_length;
  const ssize_t count = ReceiveClosingOnExec(control_length != 0, args.Int(2),
                                             [&](int flags) { return recvmsg(args.Int(0), &message, flags); });
  if (count >= 0) {
    memory->state[kAddressLength] = AddressLength(message.msg_namelen);
    memory->state[kMessageFlags] = message.msg_flags & ~MSG_CMSG_CLOEXEC;
    memory->state[kControlLength] = static_cast<int32_t>(message.msg_controllen);
    if (message.msg_controllen > 0) OwnReceived(args.environment(), &message);
  }
  return args.Result(count);
}

// sendmsg(fd, [bytes…], flags, sockaddrLength, control, controlLength, size) → count;
// to the sockaddr in the shared memory
static napi_value Sendmsg(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  Vector buffers;
  if (!buffers.Collect(env, args, 1, args.Uint(6))) return args.Number(kBufferGone);
  const uint32_t address_length = args.Uint(3);
  const Bytes control = args.View(4);
  const uint32_t control_length = args.Uint(5);
  if (address_length > kSockaddrBytes || control_length > control.length) return args.Number(kBufferGone);
  msghdr message = {};
  message.msg_name = address_length == 0 ? nullptr : args.memory()->given;
  message.msg_namelen = address_length;
  message.msg_iov = buffers.entries();
  message.msg_iovlen = buffers.count();
  message.msg_control = control_length == 0 ? nullptr : control.data;
  message.msg_controllen = control_length;
  return args.Result(WithoutSignal(args.Int(2), [&](int flags) { return sendmsg(args.Int(0), &message, flags); }));
}

void DefineMessages(Exports exports, Environment* environment) {
  Define(exports, environment, "recvmsg", Recvmsg);
  Define(exports, environment, "sendmsg", Sendmsg);
}

}  // namespace sock
