// SPDX-License-Identifier: Apache-2.0
//
// What a rule that matches writes into the packet or its attributes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/match/field.h"
#include "core/packet/batch.h"
#include "core/packet/fixed_writes.h"

namespace bess {

// A word for each place, as in field.h.
using Values = std::array<uint64_t, kMaxFields>;

class ValueFields {
 public:
  // The places, and which of their bits are written: all when there are no `masks`. EINVAL naming
  // what is wrong.
  absl::Status Init(const PbFields& fields, const PbFieldData& masks,
                    absl::Span<const Attribute> attributes);

  bool empty() const { return fields_.empty(); }

  // One constant for each place; numbers are little-endian.
  absl::StatusOr<Values> Read(std::string_view what, const PbFieldData& data) const;
  // The other way round, as raw bytes.
  void Write(const Values& values, PbFieldData* data) const;

  // Writes values[i] into packet i of the batch, unless that is nullptr or verdicts[i] drops it. A
  // packet that ends before a place does gets a verdict to drop it. Thread: a worker.
  void Set(const Context& context, const Batch& batch, const Values* const* values,
           Verdict* verdicts) const;

 private:
  struct ValueField {
    FieldPlace place;
    uint64_t mask = 0;
    FixedWrites writes;  // of the packet
  };

  absl::Status ReadMasks(const PbFieldData& masks);

  std::vector<ValueField> fields_;
};

}  // namespace bess
