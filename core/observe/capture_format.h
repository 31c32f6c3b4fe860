// SPDX-License-Identifier: Apache-2.0
//
// Captured packets as bytes of a file. libpcap's own writer wants a stdio stream, which loses
// bytes when a pipe takes only part of them; both formats are a few integers around each packet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "core/graph/attribute.h"
#include "core/packet/snapshot.h"

namespace bess {

class CaptureFormat {
 public:
  virtual ~CaptureFormat() = default;

  // What a file begins with.
  virtual std::string Header() const = 0;
  virtual void Append(const PacketSnapshot& packet, std::string* out) const = 0;
  // How many bytes of a packet are kept.
  virtual uint32_t snap_length() const = 0;
  // Where attributes lie from now on. Thread: any.
  virtual void Placed(const std::vector<PlacedAttribute>& /*attributes*/) {}
};

// pcap, draft-ietf-opsawg-pcap, with microseconds, which every reader understands.
class PcapFormat final : public CaptureFormat {
 public:
  std::string Header() const override;
  void Append(const PacketSnapshot& packet, std::string* out) const override;
  uint32_t snap_length() const override { return PacketSnapshot::kMostBytes; }
};

// pcapng, draft-ietf-opsawg-pcapng: nanoseconds, and the packet's attributes as a comment, such as
// "src_ip=0a000001, color=02". Zeros may also mean that nobody wrote the attribute.
class PcapngFormat final : public CaptureFormat {
 public:
  explicit PcapngFormat(std::string_view interface) : interface_(interface) {}

  std::string Header() const override;
  void Append(const PacketSnapshot& packet, std::string* out) const override;
  uint32_t snap_length() const override { return 1518; }
  void Placed(const std::vector<PlacedAttribute>& attributes) override;

 private:
  std::string Comment(const PacketSnapshot& packet) const;

  const std::string interface_;
  mutable absl::Mutex mutex_;
  std::vector<PlacedAttribute> attributes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bess
