// SPDX-License-Identifier: Apache-2.0
//
// An engine whose packets can be shared, with a port for network functions.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>

#include "core/control/engine.h"
#include "core/port/nf_testing.h"
#include "ports/nf_port.pb.h"

namespace bess {

class NfPortsTest : public testing::Test {
 protected:
  void CreatePort(const std::string& name, bool trusted, const std::string& domain = "") {
    pb::NFPortArg arg;
    arg.set_path(Path(name));
    arg.set_trusted(trusted);
    arg.set_domain(domain);
    PortRequest request{.name = name, .driver = "NFPort", .tx_size = 16};
    request.argument.PackFrom(arg);
    const auto created = engine_->CreatePort(request);
    ASSERT_TRUE(created.ok()) << created.status();
  }
  static std::string Path(const std::string& port) {
    return "@nf_ports_test_" + std::to_string(getpid()) + "_" + port;
  }

  std::unique_ptr<Engine> engine_ =
      std::make_unique<Engine>(EngineOptions{}, testing_ports::Pool());
};

}  // namespace bess
