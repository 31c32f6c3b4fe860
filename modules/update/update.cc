// SPDX-License-Identifier: Apache-2.0
#include "bess/util.pb.h"
#include "core/base/copy_small.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "core/packet/fixed_writes.h"
#include "core/packet/segments.h"
#include "modules/update.pb.h"

namespace bess {
namespace {

constexpr uint64_t kMaxFieldSize = 8;

struct Field {
  uint32_t offset;
  uint32_t size;
  uint8_t bytes[kMaxFieldSize];
};

using Fields = FixedFields<Field>;

absl::StatusOr<Field> ParseField(int index, const pb::UpdateArg::Field& arg) {
  if (arg.size() < 1 || arg.size() > kMaxFieldSize) {
    return Error(EINVAL, "fields[", index, "]: 'size' must be 1..", kMaxFieldSize, ", not ",
                 arg.size());
  }
  const int64_t last = kMaxDataRoom - static_cast<int64_t>(arg.size());
  if (arg.offset() < 0 || arg.offset() > last) {
    return Error(EINVAL, "fields[", index, "]: 'offset' must be 0..", last, " for ", arg.size(),
                 " bytes, not ", arg.offset());
  }
  const auto unused_bits = static_cast<uint32_t>(64 - 8 * arg.size());
  if (arg.value() > UINT64_MAX >> unused_bits) {
    return Error(EINVAL, "fields[", index, "]: 'value' must be 0..", UINT64_MAX >> unused_bits,
                 " for ", arg.size(), " bytes, not ", arg.value());
  }
  Field field{static_cast<uint32_t>(arg.offset()), static_cast<uint32_t>(arg.size()), {}};
  StoreUnaligned(field.bytes, Be64(arg.value() << unused_bits));
  return field;
}

// For packets whose first segment ends before the last field.
Verdict WriteAcross(Packet& packet, const Fields& fields) {
  if (packet.total_length() < fields.writes.end()) return Verdict::Drop(DropReason::kTruncated);
  for (const Field& field : fields.list) {
    WriteBytes(packet, field.offset, {field.bytes, field.size});
  }
  return Verdict::Gate(0);
}

// Writes constants into packets.
class Update final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Update",
      .help = "writes constants at fixed offsets into packets",
  };
  static Commands<Update> commands() {
    return {{"add", &Update::Add}, {"clear", &Update::Clear, CommandKind::kClears}};
  }

  absl::Status Init(const pb::UpdateArg& arg) { return Add(arg); }

  absl::Status Add(const pb::UpdateArg& arg) {
    BESS_ASSIGN_OR_RETURN(auto fields, fields_.Get()->With(arg.fields(), ParseField));
    fields_.Swap(host(), std::move(fields));
    return absl::OkStatus();
  }

  absl::Status Clear(const pb::EmptyArg&) {
    fields_.Swap(host(), std::make_unique<const Fields>());
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    const Fields& fields = *fields_.Get();
    if (fields.list.empty()) return context.Emit(0, batch);
    FixedWriter writer(fields.writes);
    ForEach(context, batch, [&](PacketView packet) {
      uint8_t* data = writer.Begin(packet.packet());
      if (data == nullptr) return WriteAcross(packet.packet(), fields);
      for (const Field& field : fields.list) {
        CopySmall(data + field.offset, field.bytes, field.size);
      }
      return Verdict::Gate(0);
    });
  }

 private:
  Versioned<Fields> fields_;
};

REGISTER_MODULE(Update);

}  // namespace
}  // namespace bess
