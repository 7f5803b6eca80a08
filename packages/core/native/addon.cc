// The addon: one instance for each JavaScript environment.
#include <napi.h>

#include <cstring>

#include "arguments.h"
#include "environment.h"

namespace sock {

void Define(Napi::Object exports, Environment* environment, const char* name, napi_callback function) {
  napi_env env = exports.Env();
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, environment, &value);
  napi_set_named_property(env, exports, name, value);
}

static void Cleanup(napi_async_cleanup_hook_handle hook, void* data) {
  static_cast<Environment*>(data)->Shutdown(hook);
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  void* data = nullptr;
  napi_value buffer;
  if (napi_create_arraybuffer(env, sizeof(Memory), &data, &buffer) != napi_ok) return exports;
  std::memset(data, 0, sizeof(Memory));
  napi_ref reference;
  napi_create_reference(env, buffer, 1, &reference);
  auto* environment = new Environment(env, static_cast<Memory*>(data), reference);
  napi_add_async_cleanup_hook(env, Cleanup, environment, nullptr);

  napi_set_named_property(env, exports, "memory", buffer);
  DefineDescriptors(exports, environment);
  DefineConnections(exports, environment);
  DefineTransfers(exports, environment);
  DefineMessages(exports, environment);
  DefineBatches(exports, environment);
  DefineOptions(exports, environment);
  DefineReadiness(exports, environment);
  DefinePolling(exports, environment);
  DefineInterfaces(exports, environment);
  DefineNetdb(exports, environment);
  DefineMappings(exports, environment);
  DefineNamespaces(exports, environment);
  return exports;
}

NODE_API_MODULE(core, Init)

}  // namespace sock
