// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "core/base/clock.h"
#include "core/base/spin_lock.h"
#include "core/graph/module.h"
#include "modules/dump.pb.h"
#include "modules/dump/printer.h"

namespace bess {
namespace {

constexpr double kMaxInterval = 1e9;  // seconds
constexpr uint64_t kNever = ~uint64_t{0};

class Dump final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Dump",
      .help = "prints a packet now and then, and passes all on",
      .max_workers = 1,
  };
  static Commands<Dump> commands() {
    return {{"set_interval", &Dump::SetInterval, CommandKind::kSets}};
  }

  absl::Status Init(const pb::DumpArg& arg) {
    BESS_RETURN_IF_ERROR(SetInterval(arg));
    printer_ = std::make_unique<DumpPrinter>(name());
    return absl::OkStatus();
  }

  absl::Status SetInterval(const pb::DumpArg& arg) {
    // Written so that no comparison holds for what is not a number.
    if (!(arg.interval() >= 0 && arg.interval() <= kMaxInterval)) {
      return Error(EINVAL, "'interval' must be 0..", kMaxInterval, " seconds, not ",
                   arg.interval());
    }
    interval_.store(NanosecondsToCycles(arg.interval() * 1e9), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    const uint64_t last = last_.load(std::memory_order_relaxed);
    if (last == kNever || context.now() - last >= interval_.load(std::memory_order_relaxed)) {
      Show(*batch[0], context.now());
    }
    context.Emit(0, batch);
  }

 private:
  void Show(Packet& packet, uint64_t now) {
    // While the module moves to another worker, both may be here for a moment.
    const std::unique_lock showing(showing_, std::try_to_lock);
    if (showing && printer_->Offer(packet)) last_.store(now, std::memory_order_relaxed);
  }

  std::atomic<uint64_t> interval_{0};   // cycles
  std::atomic<uint64_t> last_{kNever};  // when a packet was shown, in cycles
  SpinLock showing_;
  std::unique_ptr<DumpPrinter> printer_;
};

REGISTER_MODULE(Dump);

}  // namespace
}  // namespace bess
