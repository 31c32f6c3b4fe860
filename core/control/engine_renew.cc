// SPDX-License-Identifier: Apache-2.0
//
// Ports that a wanted configuration has with other settings, or whose device it has under another
// name. Most devices can be opened once only, so what holds them has to go first, and to be gone,
// before the wanted ports can be made. To the client it is one commit all the same:
//
//   1. The wanted configuration is tried upon ports that are only pretended. What is wrong with
//      anything but a device is found while all is as it was.
//   2. The ports go, and the modules that use them. No commit tells of it: a daemon that is killed
//      now comes back with what it had.
//   3. From there to what is wanted it is an ordinary commit, told from where the history ends.
//
// Should a device not come up then, the way leads back to what was there.
#include <utility>

#include "core/control/describe.h"
#include "core/control/engine.h"
#include "spdlog/spdlog.h"

namespace bess {

absl::StatusOr<CommitResult> Engine::ApplyRenewing(const Renewal& renewal,
                                                   const Configuration& wanted,
                                                   const CommitOptions& options,
                                                   Problems* problems) {
  BESS_ASSIGN_OR_RETURN(const CommitResult tried, Try(renewal, wanted, options, problems));
  if (options.dry_run) return tried;
  StartAgain();
  BESS_ASSIGN_OR_RETURN(const auto given_back, GiveBack(renewal.leaving));
  const Configuration without = PresentAfter(given_back);
  StartAgain();
  draft_->untold = given_back;
  auto result = ApplyFrom(without, wanted, options, problems);
  if (!result.ok()) ComeBack(without, problems);
  return result;
}

void Engine::StartAgain() {
  End();
  Begin();
}

Configuration Engine::PresentAfter(const std::vector<native::Change>& changes) const {
  Configuration present = history_.current();
  for (const native::Change& change : changes) ApplyChange(change, &present);
  return present;
}

absl::StatusOr<CommitResult> Engine::Try(const Renewal& renewal, const Configuration& wanted,
                                         CommitOptions options, Problems* problems) {
  BESS_ASSIGN_OR_RETURN(const auto compiled, CompileWithout(renewal.leaving));
  Configuration present = PresentAfter(Changes(*plan()->graph, *compiled->graph));
  draft_->graph = *compiled->graph;
  for (const std::string& name : renewal.coming) {
    const native::Port& port = *FindPort(wanted, name);
    const std::string path = PortPath(name);
    const auto shape = PortTable::Check(RequestOf(port));
    if (!shape.ok()) {
      problems->push_back({path, shape.status()});
      continue;
    }
    *present[path].mutable_port() = port;
    Pretence& pretence = draft_->pretended[name];
    pretence = {.entry = present[path], .port = std::make_shared<PretendedPort>(name, *shape)};
    DescribeShape(*shape, pretence.entry.mutable_port());
  }
  if (!problems->empty()) return problems->front().status;
  options.dry_run = true;
  return ApplyFrom(present, wanted, options, problems);
}

absl::StatusOr<std::vector<native::Change>> Engine::GiveBack(
    const std::vector<std::string>& ports) {
  BESS_ASSIGN_OR_RETURN(auto compiled, CompileWithout(ports));
  auto changes = Changes(*plan()->graph, *compiled->graph);
  BESS_RETURN_IF_ERROR(Switch(std::move(compiled), native::Commit()));
  return changes;
}

absl::StatusOr<std::unique_ptr<Plan>> Engine::CompileWithout(
    const std::vector<std::string>& ports) {
  for (const std::string& port : ports) {
    for (const std::string& module : ports_.Users(port)) {
      BESS_RETURN_IF_ERROR(DestroyModule(module));
    }
    BESS_RETURN_IF_ERROR(DestroyPort(port));
  }
  BESS_RETURN_IF_ERROR(Obstacle("compile"));
  return CompileWithTasks();
}

// What has been given back and cannot be had again is lost; then a commit says so.
void Engine::ComeBack(const Configuration& without, Problems* problems) {
  Configuration wanted = history_.current();
  for (;;) {
    StartAgain();
    Problems lost;
    ApplyEdits(without, wanted, &lost);
    if (lost.empty()) break;
    LeaveOut(lost, &wanted);
    problems->insert(problems->end(), lost.begin(), lost.end());
  }
  constexpr char kLost[] = "ports did not come back";
  auto compiled = CompileWithTasks();
  const absl::Status back =
      compiled.ok()
          ? Switch(*std::move(compiled), NextCommit(kLost, Difference(history_.current(), wanted)))
          : compiled.status();
  if (back.ok()) return;
  spdlog::error("{}: {}", kLost, std::string(back.message()));
  native::Commit lost = NextCommit(kLost, Difference(history_.current(), without));
  if (const absl::Status written = WriteAhead(lost); !written.ok()) {
    spdlog::error("{}", std::string(written.message()));
  }
  Record(std::move(lost));
}

}  // namespace bess
