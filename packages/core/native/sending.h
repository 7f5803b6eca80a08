// Sending without SIGPIPE.
#ifndef SOCK_SENDING_H_
#define SOCK_SENDING_H_

#include <sys/socket.h>

#include <cerrno>

namespace sock {

// A call that sends, with MSG_NOSIGNAL. Some protocols refuse a flag that is none of theirs, and raise no signal.
template <typename Call>
auto WithoutSignal(int flags, Call call) {
  const auto count = call(flags | MSG_NOSIGNAL);
  return count < 0 && (errno == EOPNOTSUPP || errno == EINVAL) ? call(flags) : count;
}

}  // namespace sock

#endif  // SOCK_SENDING_H_
