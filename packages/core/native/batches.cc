// Many datagrams in one call. A batch is plain memory that TypeScript laid out: `count` slots of
// data, of sockaddr and of control messages, and five numbers for each: bytes, bytes of sockaddr,
// flags, bytes of control messages, and the first message of an unbroken row with the same sockaddr.
#include <algorithm>
#include <cstring>

#include "arguments.h"
#include "sending.h"

namespace sock {

constexpr size_t kMaxBatch = 1024;  // UIO_MAXIOV: the kernel takes no more at once
enum Number { kBytes = 0, kAddressBytes = 1, kMessageFlagsOf = 2, kControlBytes = 3, kSender = 4, kNumbers = 5 };

struct Batch {
  Bytes data, addresses, control;
  int32_t* numbers = nullptr;
  size_t size = 0, control_size = 0, first = 0, count = 0;
  mmsghdr messages[kMaxBatch];
  iovec vectors[kMaxBatch];
};

static Batch& Scratch(Environment* environment) {
  if (environment->batch == nullptr) environment->batch = std::make_shared<Batch>();
  return *environment->batch;
}

// (fd, data, size, addresses, control, controlSize, numbers, first, count, flags)
static bool Collect(const Arguments<10>& args, Batch* batch) {
  batch->data = args.View(1);
  batch->size = args.Uint(2);
  batch->addresses = args.View(3);
  batch->control = args.View(4);
  batch->control_size = args.Uint(5);
  const Bytes numbers = args.View(6);
  batch->first = args.Uint(7);
  batch->count = args.Uint(8);
  const size_t end = batch->first + batch->count;
  if (batch->count > kMaxBatch || batch->data.length < end * batch->size) return false;
  if (batch->addresses.length < end * kSockaddrBytes) return false;
  if (batch->control.length < end * batch->control_size) return false;
  // the view is an Int32Array: its length counts numbers
  if (numbers.length < end * kNumbers) return false;
  batch->numbers = reinterpret_cast<int32_t*>(numbers.data);
  return true;
}

static bool SameAddress(const msghdr& one, const msghdr& other) {
  return one.msg_namelen == other.msg_namelen &&
         memcmp(one.msg_name, other.msg_name, AddressLength(one.msg_namelen)) == 0;
}

static napi_value Recvmmsg(napi_env env, napi_callback_info info) {
  Arguments<10> args(env, info);
  Batch& batch = Scratch(args.environment());
  if (!Collect(args, &batch)) return args.Number(kBufferGone);
  for (size_t i = 0; i < batch.count; i++) {
    msghdr& message = batch.messages[i].msg_hdr;
    const size_t slot = batch.first + i;
    batch.vectors[i] = {batch.data.data + slot * batch.size, batch.size};
    message = {};
    message.msg_name = batch.addresses.data + slot * kSockaddrBytes;
    message.msg_namelen = kSockaddrBytes;
    message.msg_iov = &batch.vectors[i];
    message.msg_iovlen = 1;
    if (batch.control_size != 0) {
      message.msg_control = batch.control.data + slot * batch.control_size;
      message.msg_controllen = batch.control_size;
    }
  }
  const int count = ReceiveClosingOnExec(batch.control_size != 0, args.Int(9), [&](int flags) {
    return recvmmsg(args.Int(0), batch.messages, batch.count, flags, nullptr);
  });
  int descriptors = 0;
  int sender = 0;
  for (int i = 0; i < count; i++) {
    msghdr& message = batch.messages[i].msg_hdr;
    int32_t* numbers = batch.numbers + (batch.first + i) * kNumbers;
    numbers[kBytes] = static_cast<int32_t>(batch.messages[i].msg_len);
    numbers[kAddressBytes] = AddressLength(message.msg_namelen);
    if (i > 0 && !SameAddress(batch.messages[i - 1].msg_hdr, message)) sender = i;
    numbers[kSender] = static_cast<int32_t>(batch.first) + sender;
    numbers[kMessageFlagsOf] = message.msg_flags & ~MSG_CMSG_CLOEXEC;
    numbers[kControlBytes] = static_cast<int32_t>(message.msg_controllen);
    if (batch.control_size != 0) descriptors += OwnReceived(args.environment(), &message);
  }
  args.memory()->state[kDescriptors] = descriptors;
  return args.Result(count);
}

// sendmmsg(2). The kernel marks all messages but the last with a flag of its own (MSG_BATCH), which some protocols
// refuse as they refuse MSG_NOSIGNAL: nothing has been sent then, and each message goes in a call of its own.
static int SendBatch(int fd, Batch* batch, int flags) {
  const int count = WithoutSignal(flags, [&](int given) { return sendmmsg(fd, batch->messages, batch->count, given); });
  if (count >= 0 || !RefusesFlags(errno) || batch->count < 2) return count;
  for (size_t i = 0; i < batch->count; i++) {
    const msghdr* message = &batch->messages[i].msg_hdr;
    const ssize_t bytes = WithoutSignal(flags, [&](int given) { return sendmsg(fd, message, given); });
    // as sendmmsg(2) has it: an error is told only where nothing was sent before it
    if (bytes < 0) return i == 0 ? -1 : static_cast<int>(i);
  }
  return static_cast<int>(batch->count);
}

static napi_value Sendmmsg(napi_env env, napi_callback_info info) {
  Arguments<10> args(env, info);
  Batch& batch = Scratch(args.environment());
  if (!Collect(args, &batch)) return args.Number(kBufferGone);
  for (size_t i = 0; i < batch.count; i++) {
    msghdr& message = batch.messages[i].msg_hdr;
    const size_t slot = batch.first + i;
    const int32_t* numbers = batch.numbers + slot * kNumbers;
    // of a message that was received and cut off the number is more than what is here
    batch.vectors[i] = {batch.data.data + slot * batch.size,
                        std::min(static_cast<size_t>(numbers[kBytes]), batch.size)};
    message = {};
    if (numbers[kAddressBytes] > 0) {
      message.msg_name = batch.addresses.data + slot * kSockaddrBytes;
      message.msg_namelen = numbers[kAddressBytes];
    }
    message.msg_iov = &batch.vectors[i];
    message.msg_iovlen = 1;
    if (numbers[kControlBytes] > 0) {
      message.msg_control = batch.control.data + slot * batch.control_size;
      message.msg_controllen = std::min(static_cast<size_t>(numbers[kControlBytes]), batch.control_size);
    }
  }
  return args.Result(SendBatch(args.Int(0), &batch, args.Int(9)));
}

void DefineBatches(Exports exports, Environment* environment) {
  Define(exports, environment, "recvmmsg", Recvmmsg);
  Define(exports, environment, "sendmmsg", Sendmmsg);
}

}  // namespace sock
