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
#include <optional>
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

// What modules without a runtime configuration were told is remembered, and told to them again
// after a restart. What a command does to what is remembered:
enum class CommandKind {
  kAdds,    // nothing: it is kept behind all that came before
  kSets,    // it stands for all before of its name, and of its key if it has one
  kMerges,  // it and those before of its name become one, with their arguments merged
  kClears,  // all before is forgotten; it is kept itself, as it may clear what Init was given
  kReads,   // nothing, and the module stays as it is, too
  kPasses,  // nothing: what it changes, such as counters, is no configuration
};

// Of a command that says nothing about it.
inline CommandKind DefaultKind(std::string_view command) {
  return command.starts_with("get_") ? CommandKind::kReads : CommandKind::kAdds;
}

struct CommandClass {
  std::string name;
  const google::protobuf::Descriptor* argument = nullptr;
  std::function<absl::Status(Module&, const google::protobuf::Any&, google::protobuf::Any*)> run;
  CommandKind kind = CommandKind::kAdds;
  // The key of an argument. None: all calls have the same one.
  std::function<std::string(const google::protobuf::Any&)> key = nullptr;
};

// The commands of T: {"name", &T::Member}, where Member takes one message and returns
// absl::Status or absl::StatusOr<message>. Then may follow a CommandKind; or the accessor of the
// field that says what is set, such as &pb::ArpResponderArg::ip.
template <typename T>
class Command {
 public:
  template <typename Argument>
  Command(std::string_view name, absl::Status (T::*member)(const Argument&),
          std::optional<CommandKind> kind = {})
      : command_{std::string(name), Argument::descriptor(),
                 [=](Module& module, const google::protobuf::Any& any, google::protobuf::Any*) {
                   Argument argument;
                   BESS_RETURN_IF_ERROR(UnpackArgument(any, name, &argument));
                   return (static_cast<T&>(module).*member)(argument);
                 },
                 kind.value_or(DefaultKind(name))} {}

  template <typename Argument>
  Command(std::string_view name, absl::Status (T::*member)(const Argument&),
          const std::string& (Argument::*key)() const)
      : Command(name, member, CommandKind::kSets) {
    command_.key = [=](const google::protobuf::Any& any) {
      Argument argument;
      return UnpackArgument(any, name, &argument).ok() ? (argument.*key)() : any.value();
    };
  }

  template <typename Argument, typename Response>
  Command(std::string_view name, absl::StatusOr<Response> (T::*member)(const Argument&),
          std::optional<CommandKind> kind = {})
      : command_{std::string(name), Argument::descriptor(),
                 [=](Module& module, const google::protobuf::Any& any,
                     google::protobuf::Any* reply) -> absl::Status {
                   Argument argument;
                   BESS_RETURN_IF_ERROR(UnpackArgument(any, name, &argument));
                   BESS_ASSIGN_OR_RETURN(const Response response,
                                         (static_cast<T&>(module).*member)(argument));
                   reply->PackFrom(response);
                   return absl::OkStatus();
                 },
                 kind.value_or(DefaultKind(name))} {}

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
  // nullptr when there is none of that name.
  const CommandClass* FindCommand(std::string_view command) const;
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
