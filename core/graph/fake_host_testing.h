// SPDX-License-Identifier: Apache-2.0
//
// What a module under test sees instead of a daemon: ports made of arrays, packets on the heap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/graph/host.h"

namespace bess {

// The bytes of a packet, all segments.
inline std::string PacketBytes(const Packet& packet) {
  std::string bytes;
  for (const Packet* segment = &packet; segment != nullptr; segment = segment->next()) {
    bytes.append(reinterpret_cast<const char*>(segment->data()), segment->length());
  }
  return bytes;
}

// A port made of two arrays: what Receive will give, and what Send was given.
class FakePort final : public PortQueues {
 public:
  FakePort(std::string name, uint32_t queues) : name_(std::move(name)), queues_(queues) {}

  const std::string& name() const override { return name_; }
  uint32_t rx_queues() const override { return queues_; }
  uint32_t tx_queues() const override { return queues_; }

  Passed Receive(uint32_t queue, Packet** packets, uint32_t max) override {
    auto& waiting = to_receive[queue];
    Passed received;
    for (uint32_t& n = received.packets; n < max && !waiting.empty(); ++n) {
      packets[n] = waiting.front();
      received.bytes += packets[n]->total_length();
      waiting.pop_front();
    }
    return received;
  }
  uint32_t Send(uint32_t queue, Packet** packets, uint32_t n) override {
    n = std::min(n, tx_room);
    tx_room -= n;
    sent[queue] += n;
    for (uint32_t i = 0; i < n; ++i) sent_bytes[queue].push_back(PacketBytes(*packets[i]));
    FreePackets(packets, n);
    return n;
  }

  std::map<uint32_t, std::deque<Packet*>> to_receive;       // by queue
  std::map<uint32_t, uint64_t> sent;                        // by queue
  std::map<uint32_t, std::vector<std::string>> sent_bytes;  // by queue, in order
  uint32_t tx_room = UINT32_MAX;                            // how many packets Send still takes

 private:
  std::string name_;
  uint32_t queues_;
};

// A daemon of one thread: retired objects are freed at once.
class FakeHost final : public Host {
 public:
  explicit FakeHost(uint32_t packets = 1 << 16, uint16_t data_room = kDefaultDataRoom)
      : pool_(PacketPool::CreateOnHeap(packets, data_room)) {}

  PacketPool& pool() override { return *pool_; }
  void Retire(std::function<void()> free) override { free(); }

  absl::StatusOr<std::unique_ptr<PortLease>> LeasePort(std::string_view port, Direction direction,
                                                       std::string_view module,
                                                       uint64_t queue) override {
    const auto it = ports.find(std::string(port));
    if (it == ports.end()) return Error(ENOENT, "there is no port '", port, "'");
    FakePort& leased = it->second;
    if (queue != kAllQueues && queue >= leased.rx_queues()) {
      return Error(EINVAL, "port '", port, "' has queues 0..", leased.rx_queues() - 1, ", not ",
                   queue);
    }
    if (direction == Direction::kSend) return std::make_unique<Lease>(leased, nullptr, queue);
    auto& receivers = receivers_[it->first];
    for (const auto& [taken, receiver] : receivers) {
      if (taken == queue || taken == kAllQueues || queue == kAllQueues) {
        return Error(EBUSY, "'", receiver, "' receives from port '", port, "' already");
      }
    }
    receivers[queue] = std::string(module);
    return std::make_unique<Lease>(leased, &receivers, queue);
  }

  FakePort& AddPort(const std::string& name, uint32_t queues) {
    return ports.try_emplace(name, name, queues).first->second;
  }

  std::map<std::string, FakePort> ports;

 private:
  using Receivers = std::map<uint64_t, std::string>;  // by queue

  class Lease final : public PortLease {
   public:
    Lease(FakePort& port, Receivers* receivers, uint64_t queue)
        : port_(port), receivers_(receivers), queue_(queue) {}
    ~Lease() override {
      if (receivers_ != nullptr) receivers_->erase(queue_);
    }
    PortQueues& port() const override { return port_; }

   private:
    FakePort& port_;
    Receivers* receivers_;
    uint64_t queue_;
  };

  std::unique_ptr<PacketPool> pool_;
  std::map<std::string, Receivers> receivers_;
};

}  // namespace bess
