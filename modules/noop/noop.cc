// SPDX-License-Identifier: Apache-2.0
#include "bess/util.pb.h"
#include "core/graph/module.h"

namespace bess {
namespace {

class NoOP final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "NoOP",
      .help = "has a task that does nothing, to measure what scheduling costs",
      .template_name = "noop",
      .igates = 0,
      .ogates = 0,
      .max_workers = 1,
  };

  absl::Status Init(const pb::EmptyArg&) { return AddTask(0); }

  // Never "blocked": a worker that rested would measure its rest.
  TaskResult RunTask(Context&, Batch&, uint64_t) { return {}; }
};

REGISTER_MODULE(NoOP);

}  // namespace
}  // namespace bess
