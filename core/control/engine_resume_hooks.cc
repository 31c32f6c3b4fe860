// SPDX-License-Identifier: Apache-2.0
//
// The engine's resume hooks.
#include <algorithm>
#include <utility>

#include "core/control/engine.h"

namespace bess {
namespace {

// What these two did in BESS is part of every edit here, so they count as installed for good.
bool IsBuiltIn(std::string_view name) {
  return name == "setup_metadata" || name == "setup_taskgraph";
}

absl::Status Twice(std::string_view name) {
  return Error(EEXIST, "resume hook '", name, "' is installed already");
}

}  // namespace

absl::Status Engine::AddResumeHook(std::string_view name, const google::protobuf::Any& argument) {
  if (IsBuiltIn(name)) return Twice(name);
  Transaction transaction(*this);
  const auto found = ResumeHookRegistry::Get().Find(name);
  if (found == nullptr) return Error(ENOENT, "there is no resume hook class '", name, "'");
  if (draft_->resume_hooks.contains(name)) return Twice(name);
  BESS_ASSIGN_OR_RETURN(auto hook, found->Create(argument));
  draft_->resume_hooks.emplace(name, InstalledResumeHook{std::move(hook), argument});
  return transaction.Commit(absl::StrCat("ConfigureResumeHook ", AbslView(name)));
}

absl::Status Engine::RemoveResumeHook(std::string_view name) {
  if (IsBuiltIn(name)) {
    return Error(EPERM, "resume hook '", name,
                 "' cannot be disabled: every edit does its work, not the resuming");
  }
  Transaction transaction(*this);
  const auto it = draft_->resume_hooks.find(name);
  if (it == draft_->resume_hooks.end()) {
    return Error(ENOENT, "resume hook '", name, "' is not installed");
  }
  draft_->resume_hooks.erase(it);
  return transaction.Commit(absl::StrCat("ConfigureResumeHook ", AbslView(name), " off"));
}

void Engine::RunResumeHooks() {
  const std::vector<WorkerStatus> workers = ListWorkers();
  if (std::any_of(workers.begin(), workers.end(), [](const auto& w) { return w.running; })) return;
  std::vector<ResumeHook*> hooks;
  for (const auto& [name, installed] : resume_hooks_) hooks.push_back(installed.hook.get());
  std::stable_sort(hooks.begin(), hooks.end(), [](const ResumeHook* a, const ResumeHook* b) {
    return a->hclass().info.priority < b->hclass().info.priority;
  });
  for (ResumeHook* hook : hooks) hook->Run();
}

}  // namespace bess
