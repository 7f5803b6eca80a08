// Blocking waits: poll(2), and an edge-triggered epoll(7) for conditions that poll would report
// over and over again.
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "arguments.h"

namespace sock {

// Milliseconds as a timespec; null for a negative number, which means without limit.
static timespec* Limit(double milliseconds, timespec* out) {
  if (milliseconds < 0) return nullptr;
  const double seconds = std::floor(milliseconds / 1000);
  out->tv_sec = static_cast<time_t>(seconds);
  out->tv_nsec = static_cast<long>((milliseconds - seconds * 1000) * 1e6);
  return out;
}

// poll(Int32Array of (fd, events, revents)…, count, milliseconds) → how many are ready
static napi_value Poll(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const Bytes view = args.View(0);
  const uint32_t count = args.Uint(1);
  if (view.length < count * 3) return args.Number(kBufferGone);
  auto* numbers = reinterpret_cast<int32_t*>(view.data);
  pollfd inline_entries[16];
  std::vector<pollfd> heap;
  pollfd* entries = inline_entries;
  if (count > 16) {
    heap.resize(count);
    entries = heap.data();
  }
  for (uint32_t i = 0; i < count; i++) {
    entries[i].fd = numbers[i * 3];
    entries[i].events = static_cast<short>(numbers[i * 3 + 1]);
    entries[i].revents = 0;
  }
  timespec limit;
  const int ready = ppoll(entries, count, Limit(args.Double(2), &limit), nullptr);
  if (ready >= 0) {
    for (uint32_t i = 0; i < count; i++) numbers[i * 3 + 2] = entries[i].revents;
  }
  return args.Result(ready);
}

// pollOne(fd, events, milliseconds) → revents, 0 when time ran out
static napi_value PollOne(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  pollfd entry = {args.Int(0), static_cast<short>(args.Int(1)), 0};
  timespec limit;
  const int ready = ppoll(&entry, 1, Limit(args.Double(2), &limit), nullptr);
  return ready == -1 ? args.Result(-1) : args.Number(ready == 0 ? 0 : entry.revents);
}

// edgeOpen(fd, events) → a descriptor that becomes readable when something new happens to `fd`
static napi_value EdgeOpen(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const int edge = epoll_create1(EPOLL_CLOEXEC);
  if (edge == -1) return args.Result(-1);
  epoll_event event = {};
  event.events = static_cast<uint32_t>(args.Int(1)) | EPOLLET;
  if (epoll_ctl(edge, EPOLL_CTL_ADD, args.Int(0), &event) == -1) {
    const int error = errno;
    close(edge);
    return args.Number(-error);
  }
  args.environment()->Own(edge);
  return args.Result(edge);
}

// edgeWait(edge, milliseconds) → events, 0 when time ran out
static napi_value EdgeWait(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const double milliseconds = args.Double(1);
  // rounded up, so that a wait never ends before its time
  const int limit = milliseconds < 0 ? -1 : static_cast<int>(std::min(std::ceil(milliseconds), 2147483647.0));
  epoll_event event = {};
  const int ready = epoll_wait(args.Int(0), &event, 1, limit);
  return ready == -1 ? args.Result(-1) : args.Number(ready == 0 ? 0 : static_cast<int32_t>(event.events));
}

// sleep(milliseconds)
static napi_value Sleep(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  timespec limit;
  return args.Result(ppoll(nullptr, 0, Limit(args.Double(0), &limit), nullptr));
}

void DefinePolling(Exports exports, Environment* environment) {
  Define(exports, environment, "poll", Poll);
  Define(exports, environment, "pollOne", PollOne);
  Define(exports, environment, "edgeOpen", EdgeOpen);
  Define(exports, environment, "edgeWait", EdgeWait);
  Define(exports, environment, "sleep", Sleep);
}

}  // namespace sock
