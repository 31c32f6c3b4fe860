// SPDX-License-Identifier: Apache-2.0
//
// A port: where packets enter and leave the switch. A driver is one .cc file in this folder:
//
//   class Shout final : public Port {
//    public:
//     static constexpr DriverInfo kInfo = {.name = "Shout", .help = "...",
//                                          .template_name = "shout"};
//     absl::Status Init(const pb::ShoutArg& arg);
//
//    private:
//     uint32_t DoReceive(uint32_t queue, Packet** packets, uint32_t max) override;
//     uint32_t DoSend(uint32_t queue, Packet** packets, uint32_t n) override;
//   };
//   REGISTER_DRIVER(Shout);
//
// Threads: Receive and Send run on workers, one at a time for each queue and direction; the rest
// runs on control threads, at the same time as workers. Init, Configure and the destructor run one
// at a time; reads (statistics, link, settings) may run beside them and each other.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/counter.h"
#include "core/graph/host.h"
#include "core/graph/port_queues.h"
#include "core/graph/registry.h"
#include "core/packet/batch.h"
#include "core/packet/headers.h"
#include "core/packet/packet_pool.h"
#include "core/port/port_pools.h"

namespace bess {

// Descriptors in each queue.
inline constexpr uint32_t kMaxQueueSize = 4096;
inline constexpr uint32_t kDefaultQueueSize = 1024;

struct DriverInfo {
  std::string_view name;           // as clients spell it
  std::string_view help;           // one line
  std::string_view template_name;  // unnamed ports are called this and a number
};

// All of them already checked and defaults filled in.
struct PortShape {
  uint32_t rx_queues = 1;  // 1..kMaxPortQueues
  uint32_t tx_queues = 1;
  uint32_t rx_size = kDefaultQueueSize;  // 1..kMaxQueueSize
  uint32_t tx_size = kDefaultQueueSize;
};

// One direction, all queues, since the port was made. Histograms have a bucket for each number of
// packets 0..kBatchSize and count calls.
struct PortStats {
  using Histogram = std::array<uint64_t, kBatchSize + 1>;

  uint64_t packets = 0;
  uint64_t bytes = 0;  // without preamble and checksum
  // Receive: lost for want of descriptors or buffers, or unfit. Send: not taken by the driver;
  // the caller of Send frees these.
  uint64_t dropped = 0;
  Histogram requested{};
  Histogram actual{};
  Histogram diff{};  // requested less actual
};

struct LinkStatus {
  uint32_t speed = 0;  // Mbit/s; 0 when unknown
  bool full_duplex = true;
  bool autoneg = true;
  bool up = true;
};

struct PortSettings {
  MacAddress mac{};
  uint32_t mtu = 1500;  // bytes of the largest IP packet
  bool admin_up = true;
};

// What is to change; the rest stays as it is.
struct PortChange {
  std::optional<MacAddress> mac;
  std::optional<uint32_t> mtu;
  std::optional<bool> admin_up;
};

struct DriverClass;

class Port : public PortQueues {
 public:
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  const std::string& name() const final { return name_; }
  const DriverClass& driver() const { return *driver_; }
  const PortShape& shape() const { return shape_; }
  uint32_t rx_queues() const final { return shape_.rx_queues; }
  uint32_t tx_queues() const final { return shape_.tx_queues; }

  // As PortQueues says. Packets come out with no layout known and the first kHeaderRoom bytes in
  // their first segment; those that cannot be made so, and those longer than kMaxPacketLength,
  // are counted as dropped.
  Passed Receive(uint32_t queue, Packet** packets, uint32_t max) final;
  // Packets not taken count as dropped: the caller frees them, it does not try again. They are at
  // the end of the array, where those were moved that the driver cannot send: chains of segments
  // that it cannot gather and that fit no buffer.
  uint32_t Send(uint32_t queue, Packet** packets, uint32_t n) final;

  // `direction` seen from the switch. Counters of different queues are read one after another.
  PortStats Stats(Direction direction) const;

  virtual LinkStatus link() const { return {}; }
  virtual PortSettings settings() const { return {}; }
  // All or nothing. ENOTSUP when the driver cannot change a setting, EINVAL for a value the device
  // cannot do, naming the range.
  virtual absl::Status Configure(const PortChange& change);

 protected:
  Port() = default;

  PortPools& pools() const { return *pools_; }
  // What to receive into: the pool of the trust domain that the port's argument names in `domain`.
  PacketPool& pool() const { return *pool_; }

  // The driver's part of Receive and Send, for a queue in range: either these, which pass any
  // packets at all and leave it to the port to look at each ...
  virtual uint32_t DoReceive(uint32_t /*queue*/, Packet** /*packets*/, uint32_t /*max*/) {
    return 0;
  }
  virtual uint32_t DoSend(uint32_t /*queue*/, Packet** /*packets*/, uint32_t /*n*/) { return 0; }
  // Whether DoSend takes packets of several segments. Thread: workers.
  virtual bool SendsChains() const { return false; }
  // ... or these, for a driver that looks at each packet anyway: it keeps what Receive and Send
  // promise, and knows the bytes.
  virtual Passed Take(uint32_t queue, Packet** packets, uint32_t max);
  virtual Passed Give(uint32_t queue, Packet** packets, uint32_t n);
  // Packets the device lost where Receive did not see them.
  virtual uint64_t LostByDevice() const { return 0; }

 private:
  friend struct DriverClass;

  // One queue in one direction. `calls` holds all three histograms: one add a call.
  struct alignas(64) QueueCounters {
    Counter packets;
    Counter bytes;
    Counter dropped;
    std::array<std::array<Counter, kBatchSize + 1>, kBatchSize + 1> calls;  // [requested][actual]

    void Count(uint32_t requested, const Passed& actual) {
      packets.Add(actual.packets);
      bytes.Add(actual.bytes);
      calls[std::min(requested, kBatchSize)][std::min(actual.packets, kBatchSize)].Add(1);
    }
    void AddTo(PortStats& stats) const;
  };

  std::string name_;
  const DriverClass* driver_ = nullptr;
  PortPools* pools_ = nullptr;
  PortPools::DomainLease domain_;  // of the pool, if that is of a domain with a name
  PacketPool* pool_ = nullptr;
  PortShape shape_;
  std::vector<std::unique_ptr<QueueCounters>> rx_counters_;
  std::vector<std::unique_ptr<QueueCounters>> tx_counters_;
};

struct DriverClass {
  std::shared_ptr<Library> library;       // nullptr: the daemon's own
  std::weak_ptr<const DriverClass> self;  // set when it is registered
  DriverInfo info;
  const google::protobuf::Descriptor* argument = nullptr;
  std::function<std::unique_ptr<Port>()> make;
  std::function<absl::Status(Port&, const google::protobuf::Any&)> init;

  // A new port, initialised from `argument`. `pools` must outlive it.
  absl::StatusOr<std::unique_ptr<Port>> Create(std::string_view name, const PortShape& shape,
                                               PortPools& pools,
                                               const google::protobuf::Any& argument) const;

  // Has the port receive into the trust domain of this name. Errors as PortPools::Domain.
  static absl::Status EnterDomain(Port& port, std::string_view domain);
};

using DriverRegistry = ClassRegistry<DriverClass>;
BESS_DECLARE_REGISTRY(DriverClass);

namespace port_internal {

template <typename T, typename Argument>
Argument InitArgument(absl::Status (T::*)(const Argument&));

template <typename T>
DriverClass Describe() {
  using Argument = decltype(InitArgument(&T::Init));
  DriverClass driver{.info = T::kInfo, .argument = Argument::descriptor()};
  driver.make = [] { return std::make_unique<T>(); };
  driver.init = [](Port& port, const google::protobuf::Any& any) {
    Argument argument;
    BESS_RETURN_IF_ERROR(UnpackArgument(any, T::kInfo.name, &argument));
    if constexpr (requires { argument.domain(); }) {
      BESS_RETURN_IF_ERROR(DriverClass::EnterDomain(port, argument.domain()));
    }
    return static_cast<T&>(port).Init(argument);
  };
  return driver;
}

}  // namespace port_internal
}  // namespace bess

// In namespace bess. The driver must also be named in the list at the end of port.cc, so that the
// linker takes it from the archive.
#define REGISTER_DRIVER(T)      \
  extern const bool kLinked##T; \
  const bool kLinked##T = DriverRegistry::Get().Add(port_internal::Describe<T>())
