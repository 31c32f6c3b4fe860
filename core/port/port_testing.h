// SPDX-License-Identifier: Apache-2.0
//
// What the tests of this room share: one EAL and one pool for the program, and ports made of
// messages.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/packet/packet_pool.h"
#include "core/packet/segments.h"
#include "core/port/eal.h"
#include "core/port/port_table.h"
#include "ports/pmd_port.pb.h"

namespace bess::testing_ports {

// How long EAL took to start.
inline std::chrono::milliseconds start_time{0};

// Starts EAL as an ordinary user's daemon would, whoever runs the tests.
class Environment : public testing::Environment {
 public:
  void SetUp() override {
    const auto start = std::chrono::steady_clock::now();
    auto eal = Eal::Start({.hugepages = EalOptions::Use::kNever, .pci = EalOptions::Use::kNever});
    start_time = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    ASSERT_TRUE(eal.ok()) << eal.status();
    eal_ = *std::move(eal);
    constexpr uint32_t kPackets = 16384;
    auto pool = PacketPool::Create("test", PacketPool::Kind::kShareable, kPackets);
    ASSERT_TRUE(pool.ok()) << pool.status();
    pool_ = *std::move(pool);
  }
  void TearDown() override {
    pool_.reset();
    eal_.reset();
  }

  static Environment& Get() {
    static auto* environment = static_cast<Environment*>(
        testing::AddGlobalTestEnvironment(new Environment));  // gtest owns and deletes it
    return *environment;
  }
  PacketPool& pool() { return *pool_; }

 private:
  std::unique_ptr<Eal> eal_;
  std::unique_ptr<PacketPool> pool_;
};

inline PacketPool& Pool() { return Environment::Get().pool(); }

// Packets with these bytes.
inline std::vector<Packet*> MakePackets(const std::vector<std::string>& bytes) {
  std::vector<Packet*> packets(bytes.size());
  if (bytes.empty()) return packets;
  EXPECT_TRUE(Pool().Alloc(packets.data(), static_cast<uint32_t>(packets.size()), 0));
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::memcpy(packets[i]->Append(static_cast<uint16_t>(bytes[i].size())), bytes[i].data(),
                bytes[i].size());
  }
  return packets;
}

// All bytes, of all segments.
inline std::string Bytes(const Packet& packet) {
  std::string bytes(packet.total_length(), 0);
  EXPECT_TRUE(ReadBytes(packet, 0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
  return bytes;
}

// A frame of `length` bytes from 02:..:01 to everybody, of a type nobody uses, and a mark.
inline std::string Frame(size_t length, char mark = 'x') {
  std::string frame("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5", 14);
  frame.resize(length, mark);
  return frame;
}

// Sends everything through a port, frees what it does not take, and returns how many it took.
inline uint32_t SendAll(PortQueues& port, const std::vector<std::string>& bytes,
                        uint32_t queue = 0) {
  std::vector<Packet*> packets = MakePackets(bytes);
  const auto n = static_cast<uint32_t>(packets.size());
  const uint32_t sent = port.Send(queue, packets.data(), n);
  FreePackets(packets.data() + sent, n - sent);
  return sent;
}

// Receives until there are `wanted` packets or the time is over; returns their bytes.
inline std::vector<std::string> ReceiveAll(
    PortQueues& port, size_t wanted, std::chrono::milliseconds time = std::chrono::seconds(2)) {
  std::vector<std::string> bytes;
  const auto end = std::chrono::steady_clock::now() + time;
  while (bytes.size() < wanted && std::chrono::steady_clock::now() < end) {
    Packet* packets[kBatchSize];
    const uint32_t n = port.Receive(0, packets, kBatchSize).packets;
    for (uint32_t i = 0; i < n; ++i) bytes.push_back(Bytes(*packets[i]));
    FreePackets(packets, n);
    if (n == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return bytes;
}

// A table with no ports at first, and short ways to use it.
class PortTest : public testing::Test {
 protected:
  void TearDown() override {
    ASSERT_TRUE(table_.Reset().ok());
    EXPECT_EQ(Pool().in_use(), 0u) << "packets were lost";
  }

  absl::Status Make(const PortRequest& request) { return table_.Create(request).status(); }

  absl::Status MakePmd(const std::string& name, const pb::PMDPortArg& arg, uint64_t queues = 0) {
    PortRequest request{
        .name = name, .driver = "PMDPort", .rx_queues = queues, .tx_queues = queues};
    request.argument.PackFrom(arg);
    return Make(request);
  }
  absl::Status MakeVdev(const std::string& name, const std::string& vdev, uint64_t queues = 0) {
    pb::PMDPortArg arg;
    arg.set_vdev(vdev);
    return MakePmd(name, arg, queues);
  }

  // The lease that a test, as the module of that name, sends and receives by.
  std::unique_ptr<PortLease> Lease(const std::string& port, Direction direction) {
    auto lease = table_.Lease(port, direction, "test");
    EXPECT_TRUE(lease.ok()) << lease.status();
    return lease.ok() ? *std::move(lease) : nullptr;
  }

  PortStats Stats(const std::string& port, Direction direction) {
    PortStats stats;
    EXPECT_TRUE(
        table_.Visit(port, [&](const Port& p, const auto&) { stats = p.Stats(direction); }).ok());
    return stats;
  }
  PortSettings Settings(const std::string& port) {
    PortSettings settings;
    EXPECT_TRUE(
        table_.Visit(port, [&](const Port& p, const auto&) { settings = p.settings(); }).ok());
    return settings;
  }
  LinkStatus Link(const std::string& port) {
    LinkStatus link;
    EXPECT_TRUE(table_.Visit(port, [&](const Port& p, const auto&) { link = p.link(); }).ok());
    return link;
  }

  PortTable table_{Pool()};
};

}  // namespace bess::testing_ports
