// SPDX-License-Identifier: Apache-2.0
#include "core/graph/registry.h"

#include <google/protobuf/unknown_field_set.h>

#include "absl/strings/str_join.h"

namespace bess {
namespace {

std::string_view TypeName(const google::protobuf::Any& any) {
  const std::string_view url = any.type_url();
  const size_t slash = url.rfind('/');
  return slash == url.npos ? url : url.substr(slash + 1);
}

bool HasUnknownFields(const google::protobuf::Message& message) {
  const auto& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) return true;
  const auto& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto* field = descriptor.field(i);
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      if (!reflection.HasField(message, field)) continue;
      if (HasUnknownFields(reflection.GetMessage(message, field))) return true;
      continue;
    }
    for (int j = 0; j < reflection.FieldSize(message, field); ++j) {
      if (HasUnknownFields(reflection.GetRepeatedMessage(message, field, j))) return true;
    }
  }
  return false;
}

// With nothing set, messages are all alike on the wire. Clients that name the argument of a class
// CLASS + "Arg" send one of ArpResponder's command where the class takes none.
bool StandsForNoFields(const google::protobuf::Any& any, const google::protobuf::Message& message) {
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      std::string(TypeName(any)));
  return type != nullptr && any.value().empty() && message.GetDescriptor()->field_count() == 0;
}

// A module of a plugin keeps its class, and so its code, until it is gone and all that it asked to
// run later has run.
std::shared_ptr<Module> KeepClassAndWait(std::unique_ptr<Module> module,
                                         std::shared_ptr<const ModuleClass> mclass, Host& host) {
  if (mclass == nullptr || mclass->library == nullptr) return module;
  return {module.release(), [mclass = std::move(mclass), &host](Module* gone) {
            std::default_delete<Module>()(gone);
            host.Retire([mclass] {});
          }};
}

}  // namespace

absl::Status UnpackArgument(const google::protobuf::Any& any, std::string_view what,
                            google::protobuf::Message* message) {
  const std::string& expected = message->GetDescriptor()->full_name();
  const std::string_view given = TypeName(any);
  if (given.empty() && any.value().empty()) return absl::OkStatus();
  if (given != expected) {
    if (StandsForNoFields(any, *message)) return absl::OkStatus();
    return Error(EINVAL, "'", what, "' takes a ", expected, ", not a '", given, "'");
  }
  if (!message->ParseFromString(any.value())) {
    return Error(EINVAL, "the argument of '", what, "' is not a well-formed ", expected);
  }
  if (HasUnknownFields(*message)) {
    return Error(EINVAL, "the argument of '", what, "' has fields that ", expected,
                 " does not know");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Module>> ModuleClass::Create(
    std::string_view name, Host& host, const google::protobuf::Any& any) const {
  std::shared_ptr<Module> module = KeepClassAndWait(make(), self.lock(), host);
  module->name_ = std::string(name);
  module->mclass_ = this;
  module->host_ = &host;
  BESS_RETURN_IF_ERROR(init(*module, any));
  return module;
}

const CommandClass* ModuleClass::FindCommand(std::string_view command) const {
  for (const CommandClass& candidate : commands) {
    if (candidate.name == command) return &candidate;
  }
  return nullptr;
}

absl::Status ModuleClass::Run(Module& module, std::string_view command,
                              const google::protobuf::Any& any,
                              google::protobuf::Any* reply) const {
  if (const CommandClass* found = FindCommand(command)) return found->run(module, any, reply);
  const auto name = [](std::string* out, const CommandClass& c) { out->append(c.name); };
  return Error(ENOTSUP, info.name, " has no command '", command,
               "'; it has: ", commands.empty() ? "none" : absl::StrJoin(commands, ", ", name));
}

BESS_DEFINE_REGISTRY(ModuleClass);

}  // namespace bess
