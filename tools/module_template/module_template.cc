// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "core/graph/module.h"
#include "modules/module_template.pb.h"

namespace bess {
namespace {

// Passes packets of at least min_length bytes.
class ModuleTemplate final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "ModuleTemplate",
      .help = "passes packets of at least min_length bytes",
  };
  static Commands<ModuleTemplate> commands() { return {{"set", &ModuleTemplate::Set}}; }

  absl::Status Init(const pb::ModuleTemplateArg& arg) { return Set(arg); }

  absl::Status Set(const pb::ModuleTemplateArg& arg) {
    if (arg.min_length() > UINT16_MAX) {
      return Error(EINVAL, "min_length is ", arg.min_length(), "; it must be at most ", UINT16_MAX);
    }
    min_length_.store(static_cast<uint16_t>(arg.min_length()), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    const uint16_t min_length = min_length_.load(std::memory_order_relaxed);
    ForEach(context, batch, [min_length](PacketView packet) {
      return packet.length() < min_length ? Verdict::Drop(DropReason::kDenied) : Verdict::Gate(0);
    });
  }

 private:
  std::atomic<uint16_t> min_length_{0};  // commands run while workers do
};

REGISTER_MODULE(ModuleTemplate);

}  // namespace
}  // namespace bess
