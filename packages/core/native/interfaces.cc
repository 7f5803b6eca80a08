// Network interfaces by name and index.
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstring>

#include "arguments.h"

namespace sock {

static std::string Text(napi_env env, napi_value value) { return Napi::Value(env, value).ToString().Utf8Value(); }

// nameIndex() → [[index, name]…], or -errno
static napi_value NameIndex(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  struct if_nameindex* list = if_nameindex();
  if (list == nullptr) return args.Result(-1);
  Napi::Array result = Napi::Array::New(env);
  uint32_t count = 0;
  for (struct if_nameindex* entry = list; entry->if_index != 0; entry++) {
    Napi::Array pair = Napi::Array::New(env, 2);
    pair[0u] = Napi::Number::New(env, entry->if_index);
    pair[1u] = Napi::String::New(env, entry->if_name);
    result[count++] = pair;
  }
  if_freenameindex(list);
  return result;
}

// nameToIndex(name) → index
static napi_value NameToIndex(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const unsigned index = if_nametoindex(Text(env, args[0]).c_str());
  return index == 0 ? args.Result(-1) : args.Number(static_cast<int32_t>(index));
}

// indexToName(index) → name, or -errno
static napi_value IndexToName(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  char name[IF_NAMESIZE];
  if (if_indextoname(args.Uint(0), name) == nullptr) return args.Result(-1);
  return Napi::String::New(env, name);
}

// socketInterfaceIndex(fd, name) → index, in the network namespace of the socket
static napi_value SocketInterfaceIndex(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  ifreq request = {};
  std::strncpy(request.ifr_name, Text(env, args[1]).c_str(), IFNAMSIZ - 1);
  if (ioctl(args.Int(0), SIOCGIFINDEX, &request) == -1) return args.Result(-1);
  return args.Number(request.ifr_ifindex);
}

// socketInterfaceName(fd, index) → name, or -errno, in the network namespace of the socket
static napi_value SocketInterfaceName(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  ifreq request = {};
  request.ifr_ifindex = args.Int(1);
  if (ioctl(args.Int(0), SIOCGIFNAME, &request) == -1) return args.Result(-1);
  request.ifr_name[IFNAMSIZ - 1] = '\0';
  return Napi::String::New(env, request.ifr_name);
}

void DefineInterfaces(Exports exports, Environment* environment) {
  Define(exports, environment, "nameIndex", NameIndex);
  Define(exports, environment, "nameToIndex", NameToIndex);
  Define(exports, environment, "indexToName", IndexToName);
  Define(exports, environment, "socketInterfaceIndex", SocketInterfaceIndex);
  Define(exports, environment, "socketInterfaceName", SocketInterfaceName);
}

}  // namespace sock
