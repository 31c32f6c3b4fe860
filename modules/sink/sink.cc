// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "modules/sink.pb.h"

namespace bess {
namespace {

class Sink final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Sink",
      .help = "takes packets in and gives their buffers back",
      .ogates = 0,
  };

  absl::Status Init(const pb::SinkArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) {
    context.ledger().consumed.Add(batch.size());
    FreeBatch(batch);
  }
};

REGISTER_MODULE(Sink);

}  // namespace
}  // namespace bess
