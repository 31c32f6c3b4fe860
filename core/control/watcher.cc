// SPDX-License-Identifier: Apache-2.0
#include "core/control/watcher.h"

#include <utility>

#include "core/base/clock.h"
#include "core/port/nf_port.h"

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
  SeeNfs(&none);
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
  SeeNfs(&events);
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

// What is different from what was `seen` is told: happened(what, times).
template <typename Happened>
Watcher::NfHistory Watcher::Look(const NfServer& server, const NfHistory& seen, Happened happened) {
  NfHistory now{.overloaded = server.overloaded()};
  for (size_t i = 0; i < std::size(kNfEventNames); ++i) {
    const auto& [what, counter] = kNfEventNames[i];
    now.times[i] = (server.events().*counter).load(std::memory_order_relaxed);
    if (now.times[i] > seen.times[i]) happened(what, now.times[i] - seen.times[i]);
  }
  now.overloading = now.overloaded > seen.overloaded;
  if (now.overloading && !seen.overloading) happened("overloaded", 1);
  return now;
}

void Watcher::SeeNfs(std::vector<native::Event>* events) {
  std::map<std::string, NfHistory> now;
  engine_.ports().VisitAll([&](const Port& port, const auto&) {
    const auto* nf_port = dynamic_cast<const NFPort*>(&port);
    if (nf_port == nullptr) return;
    const NfHistory seen = nfs_[port.name()];
    now[port.name()] = Look(nf_port->server(), seen, [&](std::string_view what, uint64_t times) {
      auto& nf = *Add(events)->mutable_nf();
      nf.set_port(port.name());
      nf.set_what(std::string(what));
      nf.set_times(times);
    });
  });
  nfs_ = std::move(now);
}

}  // namespace bess
