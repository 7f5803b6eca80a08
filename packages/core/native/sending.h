// Sending without SIGPIPE.
#ifndef SOCK_SENDING_H_
#define SOCK_SENDING_H_

#include <sys/socket.h>

#include <cerrno>

namespace sock {

// Whether an error may say that a protocol refuses a flag that is none of its own.
inline bool RefusesFlags(int error) { return error == EOPNOTSUPP || error == EINVAL; }

// A call that sends, with MSG_NOSIGNAL. The protocols that refuse it raise no signal.
template <typename Call>
auto WithoutSignal(int flags, Call call) {
  const auto count = call(flags | MSG_NOSIGNAL);
  return count < 0 && RefusesFlags(errno) ? call(flags) : count;
}

}  // namespace sock

#endif  // SOCK_SENDING_H_
