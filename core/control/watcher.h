// SPDX-License-Identifier: Apache-2.0
//
// What happens to the switch, as one client sees it: commits as they are made, links, workers
// and network functions whenever somebody looks.
#pragma once

#include <array>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "core/control/engine.h"
#include "core/port/nf_server.h"

namespace bess {

class Watcher {
 public:
  // Sees the commits after `version`; 0: from now on.
  Watcher(Engine& engine, uint64_t version);

  // What happened since the last call, after at most `wait`; often nothing. OUT_OF_RANGE when
  // commits that were not seen are not in the history any more, each for itself.
  absl::StatusOr<std::vector<native::Event>> Next(absl::Duration wait);

 private:
  // What became of the network functions of a port.
  struct NfHistory {
    std::array<uint64_t, std::size(kNfEventNames)> times{};  // of each event
    uint64_t overloaded = 0;                                 // packets
    bool overloading = false;                                // more of them since the last look
  };

  template <typename Happened>
  static NfHistory Look(const NfServer& server, const NfHistory& seen, Happened happened);
  void SeeLinks(std::vector<native::Event>* events);
  void SeeWorkers(std::vector<native::Event>* events);
  void SeeNfs(std::vector<native::Event>* events);

  Engine& engine_;
  uint64_t version_;
  std::map<std::string, bool> links_;     // by port: whether it is up
  std::map<uint32_t, bool> workers_;      // whether it runs
  std::map<std::string, NfHistory> nfs_;  // by port
};

}  // namespace bess
