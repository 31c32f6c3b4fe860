// SPDX-License-Identifier: Apache-2.0
//
// Module classes, and how a message from the wire reaches a typed member function. Included by
// module.h, which is the header to include.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/graph/class_registry.h"
#include "core/graph/module.h"

namespace bess {

// Unpacks `any` into `message` of the expected type. An Any that names no type stands for the
// message without fields set; any message with nothing set stands for one that has no fields.
// Anything else of a wrong type, unparsable, or with unknown fields is EINVAL naming both types.
absl::Status UnpackArgument(const google::protobuf::Any& any, std::string_view what,
                            google::protobuf::Message* message);

struct CommandClass {
  std::string name;
  const google::protobuf::Descriptor* argument = nullptr;
  std::function<absl::Status(Module&, const google::protobuf::Any&, google::protobuf::Any*)> run;
};

// The commands of T: {"name", &T::Member}, where Member takes one message and returns
// absl::Status or absl::StatusOr<message>.
template <typename T>
class Command {
 public:
  template <typename Argument>
  Command(std::string_view name, absl::Status (T::*member)(const Argument&))
      : command_{std::string(name), Argument::descriptor(),
                 [=](Module& module, const google::protobuf::Any& any, google::protobuf::Any*) {
                   Argument argument;
                   BESS_RETURN_IF_ERROR(UnpackArgument(any, name, &argument));
                   return (static_cast<T&>(module).*member)(argument);
                 }} {}

  template <typename Argument, typename Response>
  Command(std::string_view name, absl::StatusOr<Response> (T::*member)(const Argument&))
      : command_{std::string(name), Argument::descriptor(),
                 [=](Module& module, const google::protobuf::Any& any,
                     google::protobuf::Any* reply) -> absl::Status {
                   Argument argument;
                   BESS_RETURN_IF_ERROR(UnpackArgument(any, name, &argument));
                   BESS_ASSIGN_OR_RETURN(const Response response,
                                         (static_cast<T&>(module).*member)(argument));
                   reply->PackFrom(response);
                   return absl::OkStatus();
                 }} {}

  const CommandClass& command() const { return command_; }

 private:
  CommandClass command_;
};

template <typename T>
using Commands = std::vector<Command<T>>;

struct ModuleClass {
  std::shared_ptr<Library> library;       // nullptr: the daemon's own
  std::weak_ptr<const ModuleClass> self;  // set when it is registered
  ModuleInfo info;
  bool minds_workers = false;  // its modules want to be told which run them
  const google::protobuf::Descriptor* argument = nullptr;
  std::vector<CommandClass> commands;
  std::function<std::unique_ptr<Module>()> make;
  std::function<absl::Status(Module&, const google::protobuf::Any&)> init;
  ProcessFunction process = nullptr;                                      // null without igates
  TaskResult (*run_task)(Module&, Context&, Batch&, uint64_t) = nullptr;  // null without tasks

  // A new instance, initialised from `argument`.
  absl::StatusOr<std::shared_ptr<Module>> Create(std::string_view name, Host& host,
                                                 const google::protobuf::Any& argument) const;
  // ENOTSUP naming the commands there are when there is none of that name.
  absl::Status Run(Module& module, std::string_view command, const google::protobuf::Any& argument,
                   google::protobuf::Any* reply) const;
};

using ModuleRegistry = ClassRegistry<ModuleClass>;
BESS_DECLARE_REGISTRY(ModuleClass);

namespace registry_internal {

template <typename T, typename Argument>
Argument InitArgument(absl::Status (T::*)(const Argument&));

template <typename T>
concept HasTask = requires(T& t, Context& c, Batch& b) {
  t.RunTask(c, b, uint64_t{});
};
template <typename T>
concept HasProcess = requires(T& t, Context& c, Batch& b) {
  t.Process(c, b);
};
template <typename T>
concept HasCommands = requires {
  T::commands();
};

template <typename T>
ModuleClass Describe() {
  using Argument = decltype(InitArgument(&T::Init));
  // What a class overrides is its own member, not the base's.
  constexpr bool kMinds = !std::is_same_v<decltype(&T::Placed), decltype(&Module::Placed)>;
  ModuleClass mclass{.info = T::kInfo, .minds_workers = kMinds, .argument = Argument::descriptor()};
  mclass.make = [] { return std::make_unique<T>(); };
  mclass.init = [](Module& module, const google::protobuf::Any& any) {
    Argument argument;
    BESS_RETURN_IF_ERROR(UnpackArgument(any, T::kInfo.name, &argument));
    return static_cast<T&>(module).Init(argument);
  };
  if constexpr (HasProcess<T>) {
    mclass.process = [](void* self, Context& context, Batch& batch) {
      static_cast<T*>(static_cast<Module*>(self))->Process(context, batch);
    };
  }
  if constexpr (HasTask<T>) {
    mclass.run_task = [](Module& module, Context& context, Batch& batch, uint64_t argument) {
      return static_cast<T&>(module).RunTask(context, batch, argument);
    };
  }
  if constexpr (HasCommands<T>) {
    for (const Command<T>& command : T::commands()) mclass.commands.push_back(command.command());
  }
  return mclass;
}

template <typename T>
struct Registrar {
  Registrar() { ModuleRegistry::Get().Add(Describe<T>()); }
};

}  // namespace registry_internal
}  // namespace bess

#define REGISTER_MODULE(T) static const ::bess::registry_internal::Registrar<T> registrar_of_##T
