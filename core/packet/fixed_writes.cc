// SPDX-License-Identifier: Apache-2.0
#include "core/packet/fixed_writes.h"

#include <algorithm>
#include <cstddef>

#include "core/packet/headers.h"

namespace bess {
namespace {

constexpr uint32_t kMacAddresses = offsetof(EthernetHeader, type);

// What of a header at `start` a write leaves alone: all but these bytes of it.
class Header {
 public:
  Header(uint32_t start, uint32_t offset, uint32_t size)
      : begin_(int64_t{offset} - start), end_(begin_ + size) {}

  bool Touches(int64_t from, int64_t to) const { return begin_ < to && end_ > from; }

 private:
  int64_t begin_;
  int64_t end_;
};

// Version and lengths, fragment bits, protocol.
bool TouchesIpv4(const Header& written) {
  return written.Touches(0, 1) || written.Touches(2, 4) || written.Touches(6, 8) ||
         written.Touches(9, 10);
}

// Version; payload length and next header; extension headers up to the L4 header.
bool TouchesIpv6(const Header& written, uint32_t extensions_end) {
  return written.Touches(0, 1) || written.Touches(4, 7) ||
         written.Touches(sizeof(Ipv6Header), extensions_end);
}

// Of a header that was found: only TCP has a length of its own that counts. Where none was found,
// other bytes could make one.
bool TouchesL4(Layout layout, const Header& written) {
  constexpr int64_t kTcpLength = 12;
  if (layout.l4() == L4::kTcp) return written.Touches(kTcpLength, kTcpLength + 1);
  return layout.l4() == L4::kNone && written.Touches(0, INT32_MAX);
}

}  // namespace

bool DependsOn(Layout layout, uint32_t offset, uint32_t size) {
  if (layout.parsed == 0) return false;
  const Header frame(0, offset, size);
  const Header l3(layout.l3_offset, offset, size);
  if (layout.ethernet == 0 || frame.Touches(kMacAddresses, layout.l3_offset)) return true;
  if (layout.l3() == L3::kArp) return l3.Touches(0, sizeof(ArpHeader));
  if (layout.l3() == L3::kNone) return l3.Touches(0, INT32_MAX);
  const bool has_l4 = layout.l4_offset != 0;
  const uint32_t l4_start = has_l4 ? layout.l4_offset : layout.l3_offset;
  const uint32_t to_l4 = has_l4 ? layout.l4_offset - layout.l3_offset : UINT16_MAX;
  if (layout.l3() == L3::kIpv4 ? TouchesIpv4(l3) : TouchesIpv6(l3, to_l4)) return true;
  return TouchesL4(layout, Header(l4_start, offset, size));
}

void FixedWrites::Add(uint32_t offset, uint32_t size) {
  ranges_.push_back({offset, size});
  end_ = std::max(end_, offset + size);
}

bool FixedWrites::MayBreak(Layout layout) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return DependsOn(layout, range.offset, range.size);
  });
}

}  // namespace bess
