// The name databases of libc. The asynchronous forms run on libuv's thread pool.
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "arguments.h"

namespace sock {

static std::string Text(napi_env env, napi_value value) { return Napi::Value(env, value).ToString().Utf8Value(); }

static bool IsNull(napi_env env, napi_value value) {
  napi_valuetype type;
  napi_typeof(env, value, &type);
  return type == napi_null || type == napi_undefined;
}

static Napi::Value CopyBytes(Napi::Env env, const void* data, size_t length) {
  return Napi::Buffer<uint8_t>::Copy(env, static_cast<const uint8_t*>(data), length);
}

// A look-up: `run` may block and touches no JavaScript, `result` makes the JavaScript value.
// A number as result is an error: an EAI value, or an h_errno.
class Lookup {
 public:
  virtual ~Lookup() = default;
  virtual void Run() = 0;
  virtual Napi::Value Result(Napi::Env env) = 0;
};

class LookupWorker : public Napi::AsyncWorker {
 public:
  LookupWorker(Napi::Env env, std::unique_ptr<Lookup> lookup)
      : Napi::AsyncWorker(env, "sock.lookup"), lookup_(std::move(lookup)), deferred_(env) {}
  Napi::Promise Promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override { lookup_->Run(); }
  void OnOK() override { deferred_.Resolve(lookup_->Result(Env())); }

 private:
  std::unique_ptr<Lookup> lookup_;
  Napi::Promise::Deferred deferred_;
};

static napi_value Perform(Napi::Env env, std::unique_ptr<Lookup> lookup, bool blocking) {
  if (blocking) {
    lookup->Run();
    return lookup->Result(env);
  }
  auto* worker = new LookupWorker(env, std::move(lookup));
  Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

// An EAI value and the errno that EAI_SYSTEM refers to, as one error: [EAI, errno].
static Napi::Value EaiError(Napi::Env env, int status, int error) {
  Napi::Array pair = Napi::Array::New(env, 3);
  pair[0u] = Napi::Number::New(env, status);
  pair[1u] = Napi::Number::New(env, status == EAI_SYSTEM ? -error : 0);
  pair[2u] = Napi::String::New(env, gai_strerror(status));
  Napi::Object object = Napi::Object::New(env);
  object["error"] = pair;
  return object;
}

class AddressLookup : public Lookup {
 public:
  std::string node, service;
  bool has_node = false, has_service = false;
  addrinfo hints = {};
  ~AddressLookup() override {
    if (list_ != nullptr) freeaddrinfo(list_);
  }
  void Run() override {
    status_ = getaddrinfo(has_node ? node.c_str() : nullptr, has_service ? service.c_str() : nullptr, &hints, &list_);
    error_ = errno;
  }
  Napi::Value Result(Napi::Env env) override {
    if (status_ != 0) return EaiError(env, status_, error_);
    Napi::Array result = Napi::Array::New(env);
    uint32_t count = 0;
    for (const addrinfo* entry = list_; entry != nullptr; entry = entry->ai_next) {
      Napi::Object item = Napi::Object::New(env);
      item["family"] = Napi::Number::New(env, entry->ai_family);
      item["type"] = Napi::Number::New(env, entry->ai_socktype);
      item["protocol"] = Napi::Number::New(env, entry->ai_protocol);
      item["canonicalName"] =
          entry->ai_canonname == nullptr ? env.Null() : Napi::String::New(env, entry->ai_canonname).As<Napi::Value>();
      item["sockaddr"] = CopyBytes(env, entry->ai_addr, entry->ai_addrlen);
      result[count++] = item;
    }
    return result;
  }

 private:
  addrinfo* list_ = nullptr;
  int status_ = 0, error_ = 0;
};

// getaddrinfo(node or null, service or null, family, type, protocol, flags, blocking)
static napi_value Getaddrinfo(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  auto lookup = std::make_unique<AddressLookup>();
  lookup->has_node = !IsNull(env, args[0]);
  lookup->has_service = !IsNull(env, args[1]);
  if (lookup->has_node) lookup->node = Text(env, args[0]);
  if (lookup->has_service) lookup->service = Text(env, args[1]);
  lookup->hints.ai_family = args.Int(2);
  lookup->hints.ai_socktype = args.Int(3);
  lookup->hints.ai_protocol = args.Int(4);
  lookup->hints.ai_flags = args.Int(5);
  return Perform(env, std::move(lookup), args.Int(6) != 0);
}

class NameLookup : public Lookup {
 public:
  std::string address;
  int flags = 0;
  void Run() override {
    status_ = getnameinfo(reinterpret_cast<const sockaddr*>(address.data()), address.size(), host_, sizeof(host_),
                          service_, sizeof(service_), flags);
    error_ = errno;
  }
  Napi::Value Result(Napi::Env env) override {
    if (status_ != 0) return EaiError(env, status_, error_);
    Napi::Object result = Napi::Object::New(env);
    result["host"] = Napi::String::New(env, host_);
    result["service"] = Napi::String::New(env, service_);
    return result;
  }

 private:
  char host_[NI_MAXHOST] = "", service_[NI_MAXSERV] = "";
  int status_ = 0, error_ = 0;
};

// getnameinfo(sockaddr, flags, blocking)
static napi_value Getnameinfo(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  auto lookup = std::make_unique<NameLookup>();
  const Bytes address = args.View(0);
  lookup->address.assign(reinterpret_cast<const char*>(address.data), address.length);
  lookup->flags = args.Int(1);
  return Perform(env, std::move(lookup), args.Int(2) != 0);
}

// Runs a reentrant function of netdb.h with a buffer that grows until its result fits.
template <typename Function>
static int WithBuffer(std::vector<char>* buffer, Function function) {
  int status;
  for (buffer->resize(1024);; buffer->resize(buffer->size() * 2)) {
    status = function(buffer->data(), buffer->size());
    if (status != ERANGE || buffer->size() > (1 << 20)) return status;
  }
}

static Napi::Array Strings(Napi::Env env, char** list) {
  Napi::Array result = Napi::Array::New(env);
  for (uint32_t i = 0; list != nullptr && list[i] != nullptr; i++) result[i] = Napi::String::New(env, list[i]);
  return result;
}

class HostLookup : public Lookup {
 public:
  std::string key;  // a name, or the bytes of an address
  int family = 0;
  bool by_address = false;
  void Run() override {
    WithBuffer(&buffer_, [this](char* data, size_t size) {
      return by_address ? gethostbyaddr_r(key.data(), key.size(), family, &entry_, data, size, &found_, &h_error_)
                        : gethostbyname2_r(key.c_str(), family, &entry_, data, size, &found_, &h_error_);
    });
  }
  Napi::Value Result(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    if (found_ == nullptr) {
      Napi::Array pair = Napi::Array::New(env, 2);
      pair[0u] = Napi::Number::New(env, h_error_);
      pair[1u] = Napi::String::New(env, hstrerror(h_error_));
      result["error"] = pair;
      return result;
    }
    result["name"] = Napi::String::New(env, found_->h_name);
    result["aliases"] = Strings(env, found_->h_aliases);
    Napi::Array addresses = Napi::Array::New(env);
    for (uint32_t i = 0; found_->h_addr_list[i] != nullptr; i++) {
      addresses[i] = CopyBytes(env, found_->h_addr_list[i], found_->h_length);
    }
    result["addresses"] = addresses;
    return result;
  }

 private:
  std::vector<char> buffer_;
  hostent entry_ = {};
  hostent* found_ = nullptr;
  int h_error_ = HOST_NOT_FOUND;
};

// gethostbyname(name, family, blocking)
static napi_value Gethostbyname(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  auto lookup = std::make_unique<HostLookup>();
  lookup->key = Text(env, args[0]);
  lookup->family = args.Int(1);
  return Perform(env, std::move(lookup), args.Int(2) != 0);
}

// gethostbyaddr(bytes, family, blocking)
static napi_value Gethostbyaddr(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  auto lookup = std::make_unique<HostLookup>();
  const Bytes address = args.View(0);
  lookup->key.assign(reinterpret_cast<const char*>(address.data), address.length);
  lookup->family = args.Int(1);
  lookup->by_address = true;
  return Perform(env, std::move(lookup), args.Int(2) != 0);
}

static Napi::Value Service(Napi::Env env, const servent* entry) {
  if (entry == nullptr) return env.Null();
  Napi::Object result = Napi::Object::New(env);
  result["name"] = Napi::String::New(env, entry->s_name);
  result["port"] = Napi::Number::New(env, ntohs(static_cast<uint16_t>(entry->s_port)));
  result["protocol"] = Napi::String::New(env, entry->s_proto);
  return result;
}

// getservbyname(name, protocol or null) → { name, port, protocol } or null
static napi_value Getservbyname(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const std::string name = Text(env, args[0]);
  const std::string protocol = IsNull(env, args[1]) ? "" : Text(env, args[1]);
  std::vector<char> buffer;
  servent entry, *found = nullptr;
  WithBuffer(&buffer, [&](char* data, size_t size) {
    return getservbyname_r(name.c_str(), protocol.empty() ? nullptr : protocol.c_str(), &entry, data, size, &found);
  });
  return Service(env, found);
}

// getservbyport(port, protocol or null) → { name, port, protocol } or null
static napi_value Getservbyport(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const int port = htons(static_cast<uint16_t>(args.Uint(0)));
  const std::string protocol = IsNull(env, args[1]) ? "" : Text(env, args[1]);
  std::vector<char> buffer;
  servent entry, *found = nullptr;
  WithBuffer(&buffer, [&](char* data, size_t size) {
    return getservbyport_r(port, protocol.empty() ? nullptr : protocol.c_str(), &entry, data, size, &found);
  });
  return Service(env, found);
}

// getprotobyname(name) → { name, number } or null
static napi_value Getprotobyname(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const std::string name = Text(env, args[0]);
  std::vector<char> buffer;
  protoent entry, *found = nullptr;
  WithBuffer(&buffer,
             [&](char* data, size_t size) { return getprotobyname_r(name.c_str(), &entry, data, size, &found); });
  if (found == nullptr) return Napi::Env(env).Null();
  Napi::Object result = Napi::Object::New(env);
  result["name"] = Napi::String::New(env, found->p_name);
  result["number"] = Napi::Number::New(env, found->p_proto);
  return result;
}

// gethostname() → name, or -errno
static napi_value Gethostname(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) == -1) return args.Result(-1);
  return Napi::String::New(env, name);
}

// sethostname(name) → 0
static napi_value Sethostname(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const std::string name = Text(env, args[0]);
  return args.Result(sethostname(name.data(), name.size()));
}

void DefineNetdb(Exports exports, Environment* environment) {
  Define(exports, environment, "getaddrinfo", Getaddrinfo);
  Define(exports, environment, "getnameinfo", Getnameinfo);
  Define(exports, environment, "gethostbyname", Gethostbyname);
  Define(exports, environment, "gethostbyaddr", Gethostbyaddr);
  Define(exports, environment, "getservbyname", Getservbyname);
  Define(exports, environment, "getservbyport", Getservbyport);
  Define(exports, environment, "getprotobyname", Getprotobyname);
  Define(exports, environment, "gethostname", Gethostname);
  Define(exports, environment, "sethostname", Sethostname);
}

}  // namespace sock
