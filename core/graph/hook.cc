// SPDX-License-Identifier: Apache-2.0
#include "core/graph/hook.h"

#include "absl/strings/str_join.h"
#include "bess/util.pb.h"

namespace bess {
absl::StatusOr<std::shared_ptr<GateHook>> HookClass::Create(
    std::string_view name, const google::protobuf::Any& any) const {
  std::shared_ptr<GateHook> hook = KeepClass(make(), self.lock());
  hook->name_ = std::string(name);
  hook->hclass_ = this;
  hook->argument_ = any;
  BESS_RETURN_IF_ERROR(init(*hook, any));
  return hook;
}

absl::Status HookClass::Run(GateHook& hook, std::string_view command,
                            const google::protobuf::Any& any, google::protobuf::Any* reply) const {
  const auto it = commands.find(command);
  if (it != commands.end()) {
    pb::EmptyArg empty;
    BESS_RETURN_IF_ERROR(UnpackArgument(any, command, &empty));
    return it->second(hook, reply);
  }
  const auto name = [](std::string* out, const auto& entry) { out->append(entry.first); };
  return Error(ENOTSUP, "gate hook ", info.name, " has no command '", command,
               "'; it has: ", commands.empty() ? "none" : absl::StrJoin(commands, ", ", name));
}

BESS_DEFINE_REGISTRY(HookClass);

}  // namespace bess
