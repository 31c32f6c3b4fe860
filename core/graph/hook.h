// SPDX-License-Identifier: Apache-2.0
//
// Gate hooks: code that sees every batch crossing a gate. A hook is a node of its own in the plan,
// or, if it only counts, part of one; so a gate without hooks pays nothing.
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
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/context.h"
#include "core/graph/registry.h"

namespace bess {

struct HookInfo {
  std::string_view name;
  std::string_view help;
  int priority = 0;  // lower runs first at a gate
  // One instance serves all gates of a request; else each gate gets one of its own.
  bool shared = false;
  // Somebody looks for a while: no part of the configuration.
  bool passing = false;
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
  // Not nullptr: all that this hook does is count batches and packets here, and nobody need call
  // it.
  virtual CrossingCounts* CountsOnly(uint32_t /*worker*/) { return nullptr; }
  // Told with each plan where the attributes lie from now on. Thread: control.
  virtual void Placed(const std::vector<PlacedAttribute>& /*attributes*/) {}
  // It has nothing to do any more and is to be taken off its gates. Thread: any.
  virtual bool finished() const { return false; }

 protected:
  GateHook() = default;

 private:
  friend struct HookClass;

  std::string name_;
  const HookClass* hclass_ = nullptr;
  google::protobuf::Any argument_;
};

struct HookClass {
  std::shared_ptr<Library> library;     // nullptr: the daemon's own
  std::weak_ptr<const HookClass> self;  // set when it is registered
  HookInfo info;
  // Its hooks finish, or want to know where attributes lie.
  bool attentive = false;
  const google::protobuf::Descriptor* argument = nullptr;
  std::function<std::unique_ptr<GateHook>()> make;
  std::function<absl::Status(GateHook&, const google::protobuf::Any&)> init;
  ProcessFunction process = nullptr;
  // Commands without arguments, by name.
  using Command = std::function<absl::Status(GateHook&, google::protobuf::Any* reply)>;
  std::map<std::string, Command, std::less<>> commands;

  absl::StatusOr<std::shared_ptr<GateHook>> Create(std::string_view name,
                                                   const google::protobuf::Any& argument) const;
  // ENOTSUP naming the commands there are when there is none of that name; EINVAL for an argument
  // that is not empty.
  absl::Status Run(GateHook& hook, std::string_view command, const google::protobuf::Any& argument,
                   google::protobuf::Any* reply) const;
};

using HookRegistry = ClassRegistry<HookClass>;
BESS_DECLARE_REGISTRY(HookClass);

namespace registry_internal {

template <typename T>
absl::Status CallHook(T& hook, absl::Status (T::*member)(), google::protobuf::Any*) {
  return (hook.*member)();
}
template <typename T, typename Response>
absl::Status CallHook(T& hook, absl::StatusOr<Response> (T::*member)(),
                      google::protobuf::Any* reply) {
  BESS_ASSIGN_OR_RETURN(const Response response, (hook.*member)());
  reply->PackFrom(response);
  return absl::OkStatus();
}

template <typename T>
HookClass DescribeHook() {
  using Argument = decltype(InitArgument(&T::Init));
  HookClass hclass{.info = T::kInfo, .argument = Argument::descriptor()};
  // What a class overrides is its own member, not the base's.
  hclass.attentive = !std::is_same_v<decltype(&T::finished), decltype(&GateHook::finished)> ||
                     !std::is_same_v<decltype(&T::Placed), decltype(&GateHook::Placed)>;
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
      hclass.commands.emplace(name, [m = member](GateHook& hook, google::protobuf::Any* reply) {
        return CallHook(static_cast<T&>(hook), m, reply);
      });
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
