// SPDX-License-Identifier: Apache-2.0
//
// What happens to the switch, as one client sees it: commits as they are made, links and workers
// whenever somebody looks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/control/engine.h"

namespace bess {

class Watcher {
 public:
  // Sees the commits after `version`; 0: from now on.
  Watcher(Engine& engine, uint64_t version);

  // What happened since the last call, after at most `wait`; often nothing. OUT_OF_RANGE when
  // commits that were not seen are not in the history any more, each for itself.
  absl::StatusOr<std::vector<native::Event>> Next(absl::Duration wait);

 private:
  void SeeLinks(std::vector<native::Event>* events);
  void SeeWorkers(std::vector<native::Event>* events);

  Engine& engine_;
  uint64_t version_;
  std::map<std::string, bool> links_;  // by port: whether it is up
  std::map<uint32_t, bool> workers_;   // whether it runs
};

}  // namespace bess
