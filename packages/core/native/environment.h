// What one JavaScript environment (the main thread, or one worker) holds: memory shared with
// TypeScript, the descriptors it owns, and its readiness watchers.
#ifndef SOCK_ENVIRONMENT_H_
#define SOCK_ENVIRONMENT_H_

#include <napi.h>
#include <sys/socket.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace sock {

// Layout of the shared memory; src/native.ts has the same numbers.
constexpr size_t kStateWords = 16;
constexpr size_t kSockaddrBytes = 128;
constexpr size_t kReadyCapacity = 256;

enum StateWord {
  kAddressLength = 0,  // of the last sockaddr received
  kMessageFlags = 1,   // msg_flags of the last recvmsg
  kControlLength = 2,  // msg_controllen of the last recvmsg
  kTurn = 3,           // counts the loop's iterations
  kReferenced = 4,     // 1 while the loop is kept alive for pending operations
  kPending = 5,        // pending operations that keep the loop alive; TypeScript counts
  // Arguments of the calls that are made for every message: writing them here costs a fraction of
  // what reading them from JavaScript values does.
  kDescriptor = 6,
  kOffset = 7,
  kLength = 8,
  kFlags = 9,
  kGivenLength = 10,  // of the sockaddr in `given`
  kDescriptors = 11,  // that came with the messages of the last recvmmsg
};

struct Memory {
  int32_t state[kStateWords];
  uint8_t received[kSockaddrBytes];   // sockaddr that the kernel wrote
  uint8_t given[kSockaddrBytes];      // sockaddr that TypeScript encoded
  int32_t ready[kReadyCapacity * 2];  // pairs of slot and events
};

struct Watcher;
struct Batch;

class Environment {
 public:
  Environment(napi_env env, Memory* memory, napi_ref memory_ref);
  ~Environment();

  napi_env env() const { return env_; }
  Memory* memory() { return memory_; }

  // What recvmmsg and sendmmsg are called with (batches.cc), made when first needed. Not thread_local: finding that
  // takes thousands of instructions in a module after which others were loaded (glibc bug 19924).
  std::shared_ptr<Batch> batch;

  // Marks a descriptor as owned by this environment; false where it was already.
  bool Own(int fd);
  bool Owns(int fd) const { return fd >= 0 && static_cast<size_t>(fd) < owned_.size() && owned_[fd]; }
  // Forgets a descriptor: it lives on.
  void Release(int fd);
  // Closes an owned descriptor; -EBADF for any other, so that none is closed twice.
  int Close(int fd);

  // Readiness (readiness.cc)
  int StartLoop(napi_value dispatch);
  int Watch(int fd);
  int Arm(int slot, int mask);
  int Unwatch(int slot);
  void Reference();
  // Stops everything, closes what is owned; deletes this once the loop has let go of the handles.
  void Shutdown(napi_async_cleanup_hook_handle hook);

 private:
  friend struct Watcher;
  static void OnPoll(uv_poll_t* handle, int status, int events);
  static void OnPrepare(uv_prepare_t* handle);
  static void OnCheck(uv_check_t* handle);
  static void OnWatcherClosed(uv_handle_t* handle);
  static void OnLoopHandleClosed(uv_handle_t* handle);
  void Push(int slot, int events);
  void Dispatch();
  void HandleClosed();

  napi_env env_;
  Memory* memory_;
  napi_ref memory_ref_;
  std::vector<bool> owned_;

  uv_loop_t* loop_ = nullptr;
  uv_prepare_t prepare_;
  uv_check_t check_;
  napi_ref dispatch_ = nullptr;
  napi_async_context context_ = nullptr;
  std::vector<Watcher*> slots_;
  std::vector<int> free_slots_;
  int ready_count_ = 0;
  int open_handles_ = 0;
  bool closing_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

}  // namespace sock

#endif  // SOCK_ENVIRONMENT_H_
