// SPDX-License-Identifier: Apache-2.0
//
// A plugin as a sample: the module class SequentialUpdate, which counts in the bytes of packets,
// so that a generator makes many flows out of one template.
#include <atomic>
#include <memory>
#include <vector>

#include "bess/util.pb.h"
#include "core/graph/module.h"
#include "core/graph/plugin.h"
#include "core/graph/versioned.h"
#include "supdate.pb.h"

namespace bess {
namespace {

using SequentialUpdateArg = sample::supdate::pb::SequentialUpdateArg;

struct Field {
  uint32_t offset = 0;
  uint32_t size = 0;
  uint64_t min = 0;
  uint64_t range = 1;
  // Any worker takes the next numbers, a batch at a time.
  std::shared_ptr<std::atomic<uint64_t>> next;
};

class SequentialUpdate final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "SequentialUpdate",
      .help = "writes numbers in sequence into packets",
      .template_name = "sequential_update",
  };
  static Commands<SequentialUpdate> commands() {
    return {{"add", &SequentialUpdate::Add},
            {"clear", &SequentialUpdate::Clear, CommandKind::kClears}};
  }

  absl::Status Init(const SequentialUpdateArg& arg) { return Add(arg); }
  absl::Status Add(const SequentialUpdateArg& arg);
  absl::Status Clear(const pb::EmptyArg&) {
    fields_.Swap(host(), std::make_unique<const std::vector<Field>>());
    return absl::OkStatus();
  }
  void Process(Context& context, Batch& batch);

 private:
  static constexpr size_t kMaxFields = 16;

  static absl::StatusOr<Field> Read(const SequentialUpdateArg::Field& field);

  Versioned<std::vector<Field>> fields_;
};

absl::StatusOr<Field> SequentialUpdate::Read(const SequentialUpdateArg::Field& field) {
  const uint64_t size = field.size();
  if (size != 1 && size != 2 && size != 4) {
    return Error(EINVAL, "'size' must be 1, 2 or 4, not ", size);
  }
  if (field.offset() < 0 ||
      field.offset() > int64_t{kDefaultDataRoom} - static_cast<int64_t>(size)) {
    return Error(EINVAL, "'offset' must be 0..", kDefaultDataRoom - size, " for ", size,
                 " bytes, not ", field.offset());
  }
  const uint64_t most = (uint64_t{1} << (8 * size)) - 1;
  if (field.min() > field.max() || field.max() > most) {
    return Error(EINVAL, "'min' and 'max' must be in order and at most ", most, ", not ",
                 field.min(), " and ", field.max());
  }
  return Field{.offset = static_cast<uint32_t>(field.offset()),
               .size = static_cast<uint32_t>(size),
               .min = field.min(),
               .range = field.max() - field.min() + 1,
               .next = std::make_shared<std::atomic<uint64_t>>(0)};
}

absl::Status SequentialUpdate::Add(const SequentialUpdateArg& arg) {
  auto fields = std::make_unique<std::vector<Field>>(*fields_.Get());
  for (const auto& given : arg.fields()) {
    BESS_ASSIGN_OR_RETURN(Field field, Read(given));
    fields->push_back(std::move(field));
  }
  if (fields->size() > kMaxFields) {
    return Error(EINVAL, "there can be ", kMaxFields, " 'fields', not ", fields->size());
  }
  fields_.Swap(host(), std::move(fields));
  return absl::OkStatus();
}

void SequentialUpdate::Process(Context& context, Batch& batch) {
  for (const Field& field : *fields_.Get()) {
    uint64_t number = field.next->fetch_add(batch.size(), std::memory_order_relaxed);
    for (Packet* packet : batch) {
      const Be32 value(static_cast<uint32_t>(field.min + number++ % field.range));
      uint8_t* bytes = PacketView(*packet).MutableBytes(field.offset, field.size);
      if (bytes == nullptr) continue;
      const auto* lowest = static_cast<const uint8_t*>(static_cast<const void*>(&value)) + 4;
      std::memcpy(bytes, lowest - field.size, field.size);
    }
  }
  context.Emit(0, batch);
}

REGISTER_MODULE(SequentialUpdate);

}  // namespace
}  // namespace bess

BESS_PLUGIN("sequential_update");
