// SPDX-License-Identifier: Apache-2.0
#include "core/graph/hook.h"

#include "absl/strings/str_join.h"

namespace bess {

absl::StatusOr<std::shared_ptr<GateHook>> HookClass::Create(
    std::string_view name, const google::protobuf::Any& any) const {
  std::shared_ptr<GateHook> hook = make();
  hook->name_ = std::string(name);
  hook->hclass_ = this;
  hook->argument_ = any;
  BESS_RETURN_IF_ERROR(init(*hook, any));
  return hook;
}

absl::Status HookClass::Run(GateHook& hook, std::string_view command) const {
  const auto it = commands.find(command);
  if (it != commands.end()) return it->second(hook);
  const auto name = [](std::string* out, const auto& entry) { out->append(entry.first); };
  return Error(ENOTSUP, "gate hook ", info.name, " has no command '", command,
               "'; it has: ", commands.empty() ? "none" : absl::StrJoin(commands, ", ", name));
}

HookRegistry& HookRegistry::Get() {
  static HookRegistry registry;
  return registry;
}

void HookRegistry::Add(HookClass hclass) {
  std::string name(hclass.info.name);
  classes_.emplace(std::move(name), std::move(hclass));
}

const HookClass* HookRegistry::Find(std::string_view name) const {
  const auto it = classes_.find(name);
  return it == classes_.end() ? nullptr : &it->second;
}

}  // namespace bess
