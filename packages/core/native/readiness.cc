// Readiness on the environment's own loop: one uv_poll_t for each watched descriptor. What became
// ready in one iteration of the loop is collected and handed to TypeScript in one call.
//
// No uv_poll_t keeps the loop alive by itself. TypeScript counts the pending operations that do in
// shared memory; the prepare handle is referenced while there are any. Only the first of them costs
// a call (Reference), and the end of the last is noticed before the loop would sleep.
#include <cerrno>

#include "arguments.h"

namespace sock {

struct Watcher {
  uv_poll_t handle;
  Environment* environment;
  int slot;
};

// events of uv_poll_t are handed on as they are; this one says that libuv stopped the watcher
constexpr int kStopped = 16;

Environment::Environment(napi_env env, Memory* memory, napi_ref memory_ref)
    : env_(env), memory_(memory), memory_ref_(memory_ref) {}

Environment::~Environment() {
  if (memory_ref_ != nullptr) napi_delete_reference(env_, memory_ref_);
}

int Environment::StartLoop(napi_value dispatch) {
  if (loop_ != nullptr) return 0;
  if (napi_get_uv_event_loop(env_, &loop_) != napi_ok) return -ENOSYS;
  napi_create_reference(env_, dispatch, 1, &dispatch_);
  napi_value name;
  napi_create_string_utf8(env_, "sock", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env_, nullptr, name, &context_);
  uv_prepare_init(loop_, &prepare_);
  uv_check_init(loop_, &check_);
  prepare_.data = check_.data = this;
  uv_prepare_start(&prepare_, OnPrepare);
  uv_check_start(&check_, OnCheck);
  uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
  open_handles_ = 2;
  return 0;
}

int Environment::Watch(int fd) {
  if (loop_ == nullptr || closing_) return -ENOSYS;
  auto* watcher = new Watcher();
  const int status = uv_poll_init(loop_, &watcher->handle, fd);
  if (status != 0) {
    delete watcher;
    return status;
  }
  uv_unref(reinterpret_cast<uv_handle_t*>(&watcher->handle));
  watcher->handle.data = watcher;
  watcher->environment = this;
  if (free_slots_.empty()) {
    watcher->slot = static_cast<int>(slots_.size());
    slots_.push_back(watcher);
  } else {
    watcher->slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[watcher->slot] = watcher;
  }
  open_handles_++;
  return watcher->slot;
}

int Environment::Arm(int slot, int mask) {
  Watcher* watcher = slots_[slot];
  return mask == 0 ? uv_poll_stop(&watcher->handle) : uv_poll_start(&watcher->handle, mask, OnPoll);
}

int Environment::Unwatch(int slot) {
  Watcher* watcher = slots_[slot];
  uv_poll_stop(&watcher->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&watcher->handle), OnWatcherClosed);
  return 0;
}

void Environment::OnWatcherClosed(uv_handle_t* handle) {
  auto* watcher = static_cast<Watcher*>(handle->data);
  Environment* self = watcher->environment;
  // a slot is used again only now, when no event of its former owner can be waiting in the list
  self->slots_[watcher->slot] = nullptr;
  self->free_slots_.push_back(watcher->slot);
  delete watcher;
  self->HandleClosed();
}

void Environment::OnLoopHandleClosed(uv_handle_t* handle) { static_cast<Environment*>(handle->data)->HandleClosed(); }

void Environment::Reference() {
  memory_->state[kReferenced] = 1;
  uv_ref(reinterpret_cast<uv_handle_t*>(&prepare_));
}

void Environment::OnPrepare(uv_prepare_t* handle) {
  auto* self = static_cast<Environment*>(handle->data);
  int32_t* state = self->memory_->state;
  // unsigned, because it wraps around
  state[kTurn] = static_cast<int32_t>(static_cast<uint32_t>(state[kTurn]) + 1);
  if (state[kPending] <= 0 && state[kReferenced] != 0) {
    state[kReferenced] = 0;
    uv_unref(reinterpret_cast<uv_handle_t*>(handle));
  }
}

void Environment::OnPoll(uv_poll_t* handle, int status, int events) {
  auto* watcher = static_cast<Watcher*>(handle->data);
  watcher->environment->Push(watcher->slot, status < 0 ? UV_READABLE | UV_WRITABLE | kStopped : events);
}

void Environment::Push(int slot, int events) {
  if (ready_count_ == static_cast<int>(kReadyCapacity)) Dispatch();
  memory_->ready[ready_count_ * 2] = slot;
  memory_->ready[ready_count_ * 2 + 1] = events;
  ready_count_++;
}

void Environment::OnCheck(uv_check_t* handle) {
  auto* self = static_cast<Environment*>(handle->data);
  if (self->ready_count_ > 0) self->Dispatch();
}

void Environment::Dispatch() {
  const int count = ready_count_;
  ready_count_ = 0;
  if (closing_) return;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_value global, dispatch, argument;
  napi_get_global(env_, &global);
  napi_get_reference_value(env_, dispatch_, &dispatch);
  napi_create_int32(env_, count, &argument);
  // fails while a worker is being terminated, which is no error
  if (napi_make_callback(env_, context_, global, dispatch, 1, &argument, nullptr) == napi_pending_exception) {
    napi_value exception;
    if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) napi_fatal_exception(env_, exception);
  }
  napi_close_handle_scope(env_, scope);
}

void Environment::Shutdown(napi_async_cleanup_hook_handle hook) {
  closing_ = true;
  hook_ = hook;
  for (size_t slot = 0; slot < slots_.size(); slot++) {
    Watcher* watcher = slots_[slot];
    if (watcher == nullptr || uv_is_closing(reinterpret_cast<uv_handle_t*>(&watcher->handle))) continue;
    Unwatch(static_cast<int>(slot));
  }
  for (size_t fd = 0; fd < owned_.size(); fd++) Close(static_cast<int>(fd));
  open_handles_++;
  if (loop_ != nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), OnLoopHandleClosed);
    uv_close(reinterpret_cast<uv_handle_t*>(&check_), OnLoopHandleClosed);
    if (context_ != nullptr) napi_async_destroy(env_, context_);
    if (dispatch_ != nullptr) napi_delete_reference(env_, dispatch_);
  }
  napi_delete_reference(env_, memory_ref_);
  memory_ref_ = nullptr;
  HandleClosed();
}

void Environment::HandleClosed() {
  open_handles_--;
  if (!closing_ || open_handles_ > 0) return;
  napi_async_cleanup_hook_handle hook = hook_;
  delete this;
  napi_remove_async_cleanup_hook(hook);
}

// startLoop(dispatch) → 0
static napi_value StartLoop(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  return args.Number(args.environment()->StartLoop(args[0]));
}

// watch(fd) → slot
static napi_value Watch(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  return args.Number(args.environment()->Watch(args.Int(0)));
}

// arm(slot, events) → 0; no events: disarm
static napi_value Arm(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  return args.Number(args.environment()->Arm(args.Int(0), args.Int(1)));
}

// unwatch(slot); before the descriptor is closed
static napi_value Unwatch(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  return args.Number(args.environment()->Unwatch(args.Int(0)));
}

// reference(): keep the loop alive while operations are pending
static napi_value Reference(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  args.environment()->Reference();
  return args.Number(0);
}

void DefineReadiness(Exports exports, Environment* environment) {
  Define(exports, environment, "startLoop", StartLoop);
  Define(exports, environment, "watch", Watch);
  Define(exports, environment, "arm", Arm);
  Define(exports, environment, "unwatch", Unwatch);
  Define(exports, environment, "reference", Reference);
}

}  // namespace sock
