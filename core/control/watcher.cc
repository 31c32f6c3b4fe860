// SPDX-License-Identifier: Apache-2.0
#include "core/control/watcher.h"

#include <utility>

#include "core/base/clock.h"

namespace bess {
namespace {

native::Event* Add(std::vector<native::Event>* events) {
  native::Event& event = events->emplace_back();
  event.set_timestamp(WallSeconds());
  return &event;
}

// Calls changed(key, state) for what is in both and not the same. What comes and goes is part of
// the commits.
template <typename Map, typename Changed>
void ForEachChange(const Map& before, const Map& now, Changed changed) {
  for (const auto& [key, state] : now) {
    const auto old = before.find(key);
    if (old != before.end() && old->second != state) changed(key, state);
  }
}

}  // namespace

Watcher::Watcher(Engine& engine, uint64_t version)
    : engine_(engine), version_(version == 0 ? engine.version() : version) {
  std::vector<native::Event> none;
  SeeLinks(&none);
  SeeWorkers(&none);
}

absl::StatusOr<std::vector<native::Event>> Watcher::Next(absl::Duration wait) {
  BESS_ASSIGN_OR_RETURN(auto commits, engine_.CommitsAfter(version_, wait));
  std::vector<native::Event> events;
  for (native::Commit& commit : commits) {
    version_ = commit.version();
    native::Event& event = *Add(&events);
    event.set_timestamp(commit.timestamp());
    *event.mutable_commit() = std::move(commit);
  }
  SeeLinks(&events);
  SeeWorkers(&events);
  return events;
}

void Watcher::SeeLinks(std::vector<native::Event>* events) {
  std::map<std::string, bool> now;
  engine_.ports().VisitAll(
      [&](const Port& port, const auto&) { now[port.name()] = port.link().up; });
  ForEachChange(links_, now, [&](const std::string& port, bool up) {
    auto& link = *Add(events)->mutable_link();
    link.set_port(port);
    link.set_up(up);
  });
  links_ = std::move(now);
}

void Watcher::SeeWorkers(std::vector<native::Event>* events) {
  std::map<uint32_t, bool> now;
  for (const WorkerStatus& worker : engine_.ListWorkers()) now[worker.id] = worker.running;
  ForEachChange(workers_, now, [&](uint32_t id, bool running) {
    auto& worker = *Add(events)->mutable_worker();
    worker.set_wid(id);
    worker.set_running(running);
  });
  workers_ = std::move(now);
}

}  // namespace bess
