// SPDX-License-Identifier: Apache-2.0
#include "core/observe/capture_format.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"

namespace bess {
namespace {

constexpr uint16_t kEthernet = 1;  // LINKTYPE_ETHERNET
constexpr uint64_t kSecond = 1'000'000'000;

// Integers go in this machine's order; the magic number tells readers which that is.
template <typename... Integers>
void Put(std::string* out, Integers... values) {
  const auto put = [out](auto value) {
    const size_t at = out->size();
    out->resize(at + sizeof(value));
    StoreUnaligned(out->data() + at, value);
  };
  (put(values), ...);
}

std::string_view Bytes(const PacketSnapshot& packet) {
  return {static_cast<const char*>(static_cast<const void*>(packet.bytes.data())), packet.length};
}

// --- pcapng -------------------------------------------------------------------------------------

constexpr uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kEnhancedPacket = 6;

enum Option : uint16_t {
  kEnd = 0,
  kComment = 1,
  kInterfaceName = 2,
  kUserApplication = 4,
  kTimeResolution = 9,
};

void PutPadded(std::string* out, std::string_view bytes) {
  out->append(bytes);
  out->append(-bytes.size() % 4, '\0');
}

void PutOption(std::string* out, Option option, std::string_view value) {
  Put(out, uint16_t{option}, static_cast<uint16_t>(value.size()));
  PutPadded(out, value);
}

// A block's length stands before and behind its body.
void PutBlock(std::string* out, uint32_t type, std::string_view body) {
  const auto length = static_cast<uint32_t>(body.size() + 12);
  Put(out, type, length);
  out->append(body);
  Put(out, length);
}

}  // namespace

std::string PcapFormat::Header() const {
  std::string out;
  Put(&out, uint32_t{0xA1B2C3D4}, uint16_t{2}, uint16_t{4}, uint32_t{0}, uint32_t{0}, snap_length(),
      uint32_t{kEthernet});
  return out;
}

void PcapFormat::Append(const PacketSnapshot& packet, std::string* out) const {
  Put(out, static_cast<uint32_t>(packet.time / kSecond),
      static_cast<uint32_t>(packet.time % kSecond / 1000), packet.length, packet.total_length);
  out->append(Bytes(packet));
}

std::string PcapngFormat::Header() const {
  std::string section;
  const uint64_t unknown_length = ~uint64_t{0};
  Put(&section, uint32_t{0x1A2B3C4D}, uint16_t{1}, uint16_t{0}, unknown_length);
  PutOption(&section, kUserApplication, "bessd");
  PutOption(&section, kEnd, "");
  std::string interface;
  Put(&interface, kEthernet, uint16_t{0}, snap_length());
  PutOption(&interface, kInterfaceName, interface_);
  PutOption(&interface, kTimeResolution, "\x09");
  PutOption(&interface, kEnd, "");
  std::string out;
  PutBlock(&out, kSectionHeader, section);
  PutBlock(&out, kInterfaceDescription, interface);
  return out;
}

void PcapngFormat::Append(const PacketSnapshot& packet, std::string* out) const {
  std::string body;
  Put(&body, uint32_t{0}, static_cast<uint32_t>(packet.time >> 32),
      static_cast<uint32_t>(packet.time), packet.length, packet.total_length);
  PutPadded(&body, Bytes(packet));
  if (const std::string comment = Comment(packet); !comment.empty()) {
    PutOption(&body, kComment, comment);
    PutOption(&body, kEnd, "");
  }
  PutBlock(out, kEnhancedPacket, body);
}

void PcapngFormat::Placed(const std::vector<PlacedAttribute>& attributes) {
  absl::MutexLock lock(&mutex_);
  attributes_ = attributes;
}

std::string PcapngFormat::Comment(const PacketSnapshot& packet) const {
  std::string comment;
  absl::MutexLock lock(&mutex_);
  for (const PlacedAttribute& attribute : attributes_) {
    const auto* first = packet.metadata.data() + attribute.offset;
    const std::string value(first, first + attribute.size);
    absl::StrAppend(&comment, comment.empty() ? "" : ", ", attribute.name, "=",
                    absl::BytesToHexString(value));
  }
  return comment;
}

}  // namespace bess
