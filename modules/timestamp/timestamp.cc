// SPDX-License-Identifier: Apache-2.0
#include "core/base/bytes.h"
#include "core/base/nanosecond_clock.h"
#include "core/graph/module.h"
#include "core/packet/time_stamp.h"
#include "modules/timestamp.pb.h"

namespace bess {
namespace {

// Marks packets with the time. The clock is read once a batch: its packets are here together.
class Timestamp final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Timestamp",
      .help = "marks packets with the time, for Measure to read",
  };

  absl::Status Init(const pb::TimestampArg& arg) {
    if (arg.type_case() == pb::TimestampArg::kOffset) return StampPackets(arg.offset());
    const std::string& attribute = arg.attr_name();
    return AddAttribute(attribute.empty() ? "timestamp" : attribute, sizeof(uint64_t),
                        AttributeMode::kWrite)
        .status();
  }

  void Process(Context& context, Batch& batch) {
    const uint64_t now = clock_.Now();
    if (in_packet_) {
      for (Packet* packet : batch) WriteTimeStamp(PacketView(*packet), offset_, now);
    } else {
      const AttributeRef attribute = context.attribute(0);
      for (Packet* packet : batch) {
        if (uint8_t* to = attribute.Write(*packet)) StoreUnaligned(to, now);
      }
    }
    context.Emit(0, batch);
  }

 private:
  absl::Status StampPackets(uint64_t offset) {
    BESS_RETURN_IF_ERROR(CheckTimeStampOffset(offset));
    in_packet_ = true;
    offset_ = offset;
    return absl::OkStatus();
  }

  NanosecondClock clock_;
  bool in_packet_ = false;
  uint64_t offset_ = 0;
};

REGISTER_MODULE(Timestamp);

}  // namespace
}  // namespace bess
