// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "core/graph/module.h"
#include "modules/generic_decap.pb.h"

namespace bess {
namespace {

constexpr uint64_t kMaxBytes = 1024;

class GenericDecap final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "GenericDecap",
      .help = "takes a fixed number of bytes off the head of each packet",
      .template_name = "generic_decap",
  };

  absl::Status Init(const pb::GenericDecapArg& arg) {
    if (arg.bytes() > kMaxBytes) {
      return Error(EINVAL, "'bytes' must be 0..", kMaxBytes, ", not ", arg.bytes());
    }
    bytes_ = static_cast<uint16_t>(arg.bytes());
    return absl::OkStatus();
  }

  std::string Description() const override { return absl::StrCat(bytes_, " bytes"); }

  void Process(Context& context, Batch& batch) {
    ForEach(context, batch, [this](PacketView packet) {
      const bool removed = packet.packet().RemoveFront(bytes_);
      return removed ? Verdict::Gate(0) : Verdict::Drop(DropReason::kTruncated);
    });
  }

 private:
  uint16_t bytes_ = 0;
};

REGISTER_MODULE(GenericDecap);

}  // namespace
}  // namespace bess
