// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "modules/merge.pb.h"

namespace bess {
namespace {

class Merge final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Merge",
      .help = "joins all input gates into output gate 0",
      .igates = kMaxGates,
  };

  absl::Status Init(const pb::MergeArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }
};

REGISTER_MODULE(Merge);

}  // namespace
}  // namespace bess
