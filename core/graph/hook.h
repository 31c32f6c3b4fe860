// SPDX-License-Identifier: Apache-2.0
//
// Gate hooks: code that sees every batch crossing a gate. A hook is a node of its own in the
// plan, so a gate without hooks pays nothing.
//
//   class Track final : public GateHook {
//    public:
//     static constexpr HookInfo kInfo = {.name = "Track", .help = "...", .priority = 0};
//     absl::Status Init(const pb::TrackArg& arg);
//     void* Cell(uint32_t worker) override;             // this worker's counters, or nullptr
//     void Process(Context& context, Batch& batch);     // must end in context.Emit(0, batch)
//   };
//   REGISTER_GATE_HOOK(Track);
#pragma once

#include <google/protobuf/any.pb.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/context.h"
#include "core/graph/registry.h"

namespace bess {

struct HookInfo {
  std::string_view name;
  std::string_view help;
  int priority = 0;  // lower runs first at a gate
};

struct HookClass;

class GateHook {
 public:
  virtual ~GateHook() = default;
  GateHook(const GateHook&) = delete;
  GateHook& operator=(const GateHook&) = delete;

  const std::string& name() const { return name_; }
  const HookClass& hclass() const { return *hclass_; }
  const google::protobuf::Any& argument() const { return argument_; }

  // What Process finds as context.node().cell. Thread: control.
  virtual void* Cell(uint32_t /*worker*/) { return nullptr; }

 protected:
  GateHook() = default;

 private:
  friend struct HookClass;

  std::string name_;
  const HookClass* hclass_ = nullptr;
  google::protobuf::Any argument_;
};

struct HookClass {
  HookInfo info;
  const google::protobuf::Descriptor* argument = nullptr;
  std::function<std::unique_ptr<GateHook>()> make;
  std::function<absl::Status(GateHook&, const google::protobuf::Any&)> init;
  ProcessFunction process = nullptr;
  // Commands without arguments, by name.
  std::map<std::string, std::function<absl::Status(GateHook&)>, std::less<>> commands;

  absl::StatusOr<std::shared_ptr<GateHook>> Create(std::string_view name,
                                                   const google::protobuf::Any& argument) const;
  // ENOTSUP naming the commands there are when there is none of that name.
  absl::Status Run(GateHook& hook, std::string_view command) const;
};

class HookRegistry {
 public:
  static HookRegistry& Get();

  void Add(HookClass hclass);
  const HookClass* Find(std::string_view name) const;
  const std::map<std::string, HookClass, std::less<>>& classes() const { return classes_; }

 private:
  std::map<std::string, HookClass, std::less<>> classes_;
};

namespace registry_internal {

template <typename T>
HookClass DescribeHook() {
  using Argument = decltype(InitArgument(&T::Init));
  HookClass hclass{.info = T::kInfo, .argument = Argument::descriptor()};
  hclass.make = [] { return std::make_unique<T>(); };
  hclass.init = [](GateHook& hook, const google::protobuf::Any& any) {
    Argument argument;
    BESS_RETURN_IF_ERROR(UnpackArgument(any, T::kInfo.name, &argument));
    return static_cast<T&>(hook).Init(argument);
  };
  hclass.process = [](void* self, Context& context, Batch& batch) {
    static_cast<T*>(static_cast<GateHook*>(self))->Process(context, batch);
  };
  if constexpr (requires { T::commands(); }) {
    for (const auto& [name, member] : T::commands()) {
      hclass.commands.emplace(
          name, [member](GateHook& hook) { return (static_cast<T&>(hook).*member)(); });
    }
  }
  return hclass;
}

template <typename T>
struct HookRegistrar {
  HookRegistrar() { HookRegistry::Get().Add(DescribeHook<T>()); }
};

}  // namespace registry_internal
}  // namespace bess

#define REGISTER_GATE_HOOK(T) \
  static const ::bess::registry_internal::HookRegistrar<T> hook_registrar_of_##T
