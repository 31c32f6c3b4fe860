// SPDX-License-Identifier: Apache-2.0
//
// For modules that write at the same places of every packet. Few writes touch what a layout depends
// on (versions, lengths, types); all others leave it valid, so that the next module need not parse
// the headers again, which costs more than most writes do.
//
//   FixedWrites writes;                                      // in Init
//   writes.Add(26, 4);
//   FixedWriter writer(writes);                              // in Process
//   if (uint8_t* bytes = writer.Begin(packet)) StoreUnaligned(bytes + 26, address);
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/status.h"
#include "core/packet/packet.h"

namespace bess {

// Whether writing `size` bytes at `offset` may make a layout wrong.
bool DependsOn(Layout layout, uint32_t offset, uint32_t size);

class FixedWrites {
 public:
  void Add(uint32_t offset, uint32_t size);

  // Behind the last byte that is written.
  uint32_t end() const { return end_; }
  bool MayBreak(Layout layout) const;

 private:
  struct Range {
    uint32_t offset;
    uint32_t size;
  };

  std::vector<Range> ranges_;
  uint32_t end_ = 0;
};

// What such a module writes, one after the other, each with an `offset` and a `size`.
template <typename Field>
struct FixedFields {
  static constexpr size_t kMost = 16;

  // With these behind them; parse(i, arg) gives the field of one. EINVAL when they are too many.
  template <typename Args, typename Parse>
  absl::StatusOr<std::unique_ptr<FixedFields>> With(const Args& args, Parse parse) const {
    auto more = std::make_unique<FixedFields>(*this);
    const size_t sum = list.size() + static_cast<size_t>(args.size());
    if (sum > kMost) {
      return Error(EINVAL, "'fields' would be ", sum, "; at most ", kMost, " are possible");
    }
    for (int i = 0; const auto& arg : args) {
      BESS_ASSIGN_OR_RETURN(const Field field, parse(i++, arg));
      more->list.push_back(field);
      more->writes.Add(field.offset, field.size);
    }
    return more;
  }

  std::vector<Field> list;
  FixedWrites writes;
};

// For one batch: packets that follow each other mostly have the same layout, so the question is
// asked once for all of them.
class FixedWriter {
 public:
  explicit FixedWriter(const FixedWrites& writes) : writes_(writes), end_(writes.end()) {}

  // The packet's bytes, all of which are about to be written; nullptr when the first segment ends
  // before the last of them.
  uint8_t* Begin(Packet& packet) {
    if (packet.length() < end_) [[unlikely]]
      return nullptr;
    const uint32_t word = packet.mbuf()->hash.fdir.hi;
    if (word != last_) [[unlikely]]
      Ask(word);
    if (breaks_) packet.ForgetLayout();
    return packet.data();
  }

 private:
  void Ask(uint32_t word) {
    last_ = word;
    breaks_ = writes_.MayBreak(std::bit_cast<Layout>(word));
  }

  const FixedWrites& writes_;
  const uint32_t end_;
  uint32_t last_ = 0;  // a layout's word: 0 is not parsed yet, where nothing can be lost
  bool breaks_ = false;
};

}  // namespace bess
