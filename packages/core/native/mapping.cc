// Memory that a descriptor shares with the kernel: mmap(2), and the loads and stores that hand its
// words from one side to the other. What the memory holds is not known here.
#include <sys/mman.h>

#include "arguments.h"

namespace sock {

// Held by the ArrayBuffer over the memory and by the handle that comes with it: whoever goes last
// deletes it. Both are finalized on the thread of their environment.
struct Mapping {
  uint8_t* address;
  size_t length;
  int holders = 0;

  void Unmap() {
    if (address != nullptr) munmap(address, length);
    address = nullptr;
  }
  void Release() {
    if (--holders == 0) delete this;
  }
};

// No ArrayBuffer refers to the memory any more; the end of the environment counts as that.
static void FinalizeMemory(napi_env, void*, void* hint) {
  auto* mapping = static_cast<Mapping*>(hint);
  mapping->Unmap();
  mapping->Release();
}

static void FinalizeHandle(napi_env, void* data, void*) { static_cast<Mapping*>(data)->Release(); }

// mapMemory(fd, length, offset) → [memory, handle], or a negative errno
static napi_value MapMemory(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const auto length = static_cast<size_t>(args.Long(1));
  void* address = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, args.Int(0), args.Long(2));
  if (address == MAP_FAILED) return args.Result(-1);
  auto* mapping = new Mapping{static_cast<uint8_t*>(address), length};
  mapping->holders = 1;
  napi_value pair[2];
  if (napi_create_external(env, mapping, FinalizeHandle, nullptr, &pair[1]) != napi_ok) {
    mapping->Unmap();
    mapping->Release();
    return args.Number(-ENOMEM);
  }
  // a runtime with a sandbox around its memory lends none of ours
  if (napi_create_external_arraybuffer(env, address, length, FinalizeMemory, mapping, &pair[0]) != napi_ok) {
    mapping->Unmap();
    return args.Number(-EOPNOTSUPP);
  }
  mapping->holders = 2;
  napi_value result;
  napi_create_array_with_length(env, 2, &result);
  napi_set_element(env, result, 0, pair[0]);
  napi_set_element(env, result, 1, pair[1]);
  return result;
}

static Mapping* HandleOf(napi_env env, napi_value value) {
  void* data = nullptr;
  napi_get_value_external(env, value, &data);
  return static_cast<Mapping*>(data);
}

// unmapMemory(memory, handle) → 0
static napi_value UnmapMemory(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  Mapping* mapping = HandleOf(env, args[1]);
  bool detached = false;
  napi_is_detached_arraybuffer(env, args[0], &detached);
  // Memory that was transferred to another ArrayBuffer is still in use there: it goes with that one.
  if (!detached && napi_detach_arraybuffer(env, args[0]) == napi_ok) mapping->Unmap();
  return args.Number(0);
}

// the word at an offset, nullptr where there is none
static uint32_t* WordAt(const Mapping* mapping, uint32_t offset) {
  if (mapping == nullptr || mapping->address == nullptr) return nullptr;
  if (offset % 4 != 0 || mapping->length < 4 || offset > mapping->length - 4) return nullptr;
  return reinterpret_cast<uint32_t*>(mapping->address + offset);
}

// loadAcquire32(handle, offset) → the word: what was written before it was stored is seen from now on
static napi_value LoadAcquire32(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const uint32_t* word = WordAt(HandleOf(env, args[0]), args.Uint(1));
  if (word == nullptr) return args.Number(kBufferGone);
  napi_value result;
  napi_create_uint32(env, __atomic_load_n(word, __ATOMIC_ACQUIRE), &result);
  return result;
}

// storeRelease32(handle, offset, value) → 0: what was written before is seen by whoever sees the word
static napi_value StoreRelease32(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  uint32_t* word = WordAt(HandleOf(env, args[0]), args.Uint(1));
  if (word == nullptr) return args.Number(kBufferGone);
  __atomic_store_n(word, args.Uint(2), __ATOMIC_RELEASE);
  return args.Number(0);
}

void DefineMappings(Exports exports, Environment* environment) {
  Define(exports, environment, "mapMemory", MapMemory);
  Define(exports, environment, "unmapMemory", UnmapMemory);
  Define(exports, environment, "loadAcquire32", LoadAcquire32);
  Define(exports, environment, "storeRelease32", StoreRelease32);
}

}  // namespace sock
