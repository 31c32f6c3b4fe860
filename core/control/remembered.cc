// SPDX-License-Identifier: Apache-2.0
#include "core/control/remembered.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/control/configuration.h"

namespace bess {
namespace {

// Commands of the same slot: the last stands for all.
std::string SlotOf(const CommandClass& known, const native::Command& command) {
  return known.key ? absl::StrCat(command.cmd(), " ", known.key(command.arg())) : command.cmd();
}

// Makes `later` say what both come to. False if one of the arguments cannot be read.
bool Merge(const CommandClass& known, const native::Command& earlier, native::Command* later) {
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  const std::unique_ptr<google::protobuf::Message> sum(
      factory->GetPrototype(known.argument)->New());
  const std::unique_ptr<google::protobuf::Message> added(sum->New());
  if (!UnpackArgument(earlier.arg(), known.name, sum.get()).ok()) return false;
  if (!UnpackArgument(later->arg(), known.name, added.get()).ok()) return false;
  sum->MergeFrom(*added);
  later->mutable_arg()->PackFrom(*sum);
  return true;
}

bool SameCommand(const native::Command& a, const native::Command& b) {
  return a.cmd() == b.cmd() && SameArgument(a.arg(), b.arg());
}

bool Same(const CommandList& a, const CommandList& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), SameCommand);
}

}  // namespace

CommandKind KindOf(const ModuleClass& mclass, std::string_view command) {
  const CommandClass* found = mclass.FindCommand(command);
  return found != nullptr ? found->kind : DefaultKind(command);
}

bool OnlyReads(const ModuleClass& mclass, std::string_view command) {
  return KindOf(mclass, command) == CommandKind::kReads;
}

bool IsRemembered(const ModuleClass& mclass, std::string_view command) {
  const CommandKind kind = KindOf(mclass, command);
  return kind != CommandKind::kReads && kind != CommandKind::kPasses;
}

CommandList Remembered(const ModuleClass& mclass, const CommandList& told) {
  std::vector<native::Command> kept;  // from the last to the first
  std::map<std::string, size_t> slots;
  for (auto command = told.rbegin(); command != told.rend(); ++command) {
    if (!IsRemembered(mclass, command->cmd())) continue;
    const CommandKind kind = KindOf(mclass, command->cmd());
    if (kind == CommandKind::kSets || kind == CommandKind::kMerges) {
      const CommandClass& known = *mclass.FindCommand(command->cmd());
      const auto [slot, free] = slots.emplace(SlotOf(known, *command), kept.size());
      const bool stood_for =
          !free && (kind == CommandKind::kSets || Merge(known, *command, &kept[slot->second]));
      if (stood_for) continue;
    }
    kept.push_back(*command);
    if (kind == CommandKind::kClears) break;
  }
  return {kept.rbegin(), kept.rend()};
}

std::optional<CommandList> WhatIsMissing(const ModuleClass& mclass, const CommandList& told,
                                         const CommandList& wanted) {
  const CommandList now = Remembered(mclass, told), then = Remembered(mclass, wanted);
  const int n = now.size();
  if (n <= then.size() && std::equal(now.begin(), now.end(), then.begin(), SameCommand)) {
    return CommandList(then.begin() + n, then.end());
  }
  CommandList both = now;
  both.MergeFrom(then);
  if (Same(Remembered(mclass, both), then)) return then;
  return std::nullopt;
}

}  // namespace bess
