// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>
#include <vector>

#include "bess/util.pb.h"
#include "core/base/random.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "core/packet/fixed_writes.h"
#include "modules/random_update.pb.h"

namespace bess {
namespace {

struct Field {
  uint32_t offset = 0;
  uint32_t size = 0;     // 1, 2 or 4 bytes
  uint32_t min = 0;      // the smallest number to write
  uint64_t choices = 0;  // how many numbers there are from `min` on, 1..2^32
};

using Fields = FixedFields<Field>;

absl::StatusOr<Field> ParseField(int index, const pb::RandomUpdateArg::Field& arg) {
  if (arg.size() != 1 && arg.size() != 2 && arg.size() != 4) {
    return Error(EINVAL, "fields[", index, "]: 'size' must be 1, 2 or 4, not ", arg.size());
  }
  const int64_t last = kDefaultDataRoom - static_cast<int64_t>(arg.size());
  if (arg.offset() < 0 || arg.offset() > last) {
    return Error(EINVAL, "fields[", index, "]: 'offset' must be 0..", last, " for ", arg.size(),
                 " bytes, not ", arg.offset());
  }
  const uint64_t largest = (uint64_t{1} << (8 * arg.size())) - 1;
  if (arg.max() > largest) {
    return Error(EINVAL, "fields[", index, "]: 'max' must be 0..", largest, " for ", arg.size(),
                 " bytes, not ", arg.max());
  }
  if (arg.min() > arg.max()) {
    return Error(EINVAL, "fields[", index, "]: 'min' must be 0..", arg.max(),
                 ", no more than 'max', not ", arg.min());
  }
  return Field{static_cast<uint32_t>(arg.offset()), static_cast<uint32_t>(arg.size()),
               static_cast<uint32_t>(arg.min()), arg.max() - arg.min() + 1};
}

// The functions that write a field return the generator as it is afterwards: by value, it stays in
// a register.
Random WriteLong(uint8_t* const* packets, uint32_t n, const Field field, Random random) {
  for (uint32_t i = 0; i < n; ++i) {
    const auto number = static_cast<uint32_t>(field.min + random.Below(field.choices));
    StoreUnaligned(packets[i] + field.offset, Be32(number));
  }
  return random;
}

template <typename T>
void WriteShort(uint8_t* packet, const Field& field, uint32_t bits) {
  const auto number = static_cast<T>(field.min + (bits * field.choices >> 32));
  StoreUnaligned(packet + field.offset, BigEndian<T>(number));
}

// Of at most 2^16 choices 32 bits make none more than one in 2^16 likelier than another, so half of
// what is drawn does for a packet.
template <typename T>
Random WriteShorts(uint8_t* const* packets, uint32_t n, const Field field, Random random) {
  static_assert(sizeof(T) <= 2);
  uint32_t i = 0;
  for (; i + 1 < n; i += 2) {
    const uint64_t bits = random.Next();
    WriteShort<T>(packets[i], field, static_cast<uint32_t>(bits));
    WriteShort<T>(packets[i + 1], field, static_cast<uint32_t>(bits >> 32));
  }
  if (i < n) WriteShort<T>(packets[i], field, static_cast<uint32_t>(random.Next()));
  return random;
}

Random WriteField(uint8_t* const* packets, uint32_t n, const Field& field, Random random) {
  if (field.size == 1) return WriteShorts<uint8_t>(packets, n, field, random);
  if (field.size == 2) return WriteShorts<uint16_t>(packets, n, field, random);
  return WriteLong(packets, n, field, random);
}

// Writes random numbers into packets, a field after the other: a loop over all packets for each
// field leaves the field's bounds in registers.
class RandomUpdate final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "RandomUpdate",
      .help = "writes random numbers at fixed offsets into packets",
      .template_name = "rupdate",
  };
  static Commands<RandomUpdate> commands() {
    return {{"add", &RandomUpdate::Add}, {"clear", &RandomUpdate::Clear, CommandKind::kClears}};
  }

  absl::Status Init(const pb::RandomUpdateArg& arg) {
    randoms_.Seed(name());
    return Add(arg);
  }

  absl::Status Add(const pb::RandomUpdateArg& arg) {
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
    uint8_t* packets[kBatchSize];
    KeepLongEnough(context, batch, fields.writes, packets);
    Random random = randoms_.At(context.worker());
    for (const Field& field : fields.list) {
      random = WriteField(packets, batch.size(), field, random);
    }
    randoms_.At(context.worker()) = random;
    context.Emit(0, batch);
  }

 private:
  // Leaves the packets that have all bytes to be written, and where they begin.
  static void KeepLongEnough(Context& context, Batch& batch, const FixedWrites& writes,
                             uint8_t** packets) {
    FixedWriter writer(writes);
    bool all = true;
    for (uint32_t i = 0; i < batch.size(); ++i) {
      packets[i] = writer.Begin(*batch[i]);
      all &= packets[i] != nullptr;
    }
    if (all) [[likely]]
      return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch.size(); ++i) {
      if (packets[i] == nullptr) {
        context.DropOne(batch[i], DropReason::kTruncated);
        continue;
      }
      packets[kept] = packets[i];
      batch.begin()[kept++] = batch[i];
    }
    batch.set_size(kept);
  }

  Versioned<Fields> fields_;
  WorkerRandoms randoms_;
};

REGISTER_MODULE(RandomUpdate);

}  // namespace
}  // namespace bess
