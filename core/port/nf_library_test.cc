// SPDX-License-Identifier: Apache-2.0
//
// The library of network functions at a real port: what nf/ cannot test by itself.
#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <thread>

#include "core/port/nf_testing.h"
#include "core/sched/lookout.h"
#include "nf/bessnf_cxx.h"
#include "ports/nf_port.pb.h"

namespace bess {
namespace {

using bessnf::Burst;
using bessnf::NetworkFunction;
using testing::ElementsAre;
using testing_nf::Eventually;
using testing_ports::Frame;
using testing_ports::PortTest;
using testing_ports::ReceiveAll;
using testing_ports::SendAll;

class NfLibraryTest : public PortTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    pb::NFPortArg arg;
    arg.set_path(path_);
    arg.set_trusted(GetParam());
    PortRequest request{.name = "p", .driver = "NFPort", .rx_size = 256, .tx_size = 256};
    request.argument.PackFrom(arg);
    ASSERT_TRUE(Make(request).ok());
    in_ = Lease("p", Direction::kReceive);
    out_ = Lease("p", Direction::kSend);
    nf_ = NetworkFunction::Attach(path_, {.name = "test", .fresh = 64});
    ASSERT_TRUE(nf_) << NetworkFunction::Error();
    ASSERT_TRUE(Eventually([this] { return Link("p").up; }));
  }
  void TearDown() override {
    nf_.reset();
    in_.reset();
    out_.reset();
    PortTest::TearDown();
  }
  uint32_t Send(const std::vector<std::string>& bytes) { return SendAll(out_->port(), bytes); }

  // What a worker does all the time: it takes freed buffers back, and no packets come.
  void TakeBack() {
    Packet* packets[kBatchSize];
    EXPECT_EQ(in_->port().Receive(0, packets, kBatchSize).packets, 0u);
  }

  const std::string path_ = "@nf_library_test_" + std::to_string(getpid());
  std::unique_ptr<PortLease> in_;
  std::unique_ptr<PortLease> out_;
  std::optional<NetworkFunction> nf_;
};

TEST_P(NfLibraryTest, BurstsAreReceivedFilteredAndSent) {
  ASSERT_EQ(Send({Frame(60, 'a'), Frame(61, 'b'), Frame(62, 'c')}), 3u);
  ASSERT_TRUE(nf_->Wait());
  Burst burst = nf_->Receive();
  ASSERT_EQ(burst.size(), 3u);
  burst.Filter([](const bessnf::Packet& packet) { return packet.length != 61; });
  EXPECT_EQ(nf_->Send(std::move(burst)), 2u);
  EXPECT_THAT(ReceiveAll(in_->port(), 2), ElementsAre(Frame(60, 'a'), Frame(62, 'c')));
  EXPECT_EQ(nf_->Statistics().freed, 1u);
}

TEST_P(NfLibraryTest, WhatIsNotSentIsGivenBack) {
  for (int i = 0; i < 100; ++i) {  // far more than the NF may have
    ASSERT_EQ(Send(std::vector<std::string>(32, Frame(60))), 32u) << "round " << i;
    ASSERT_EQ(nf_->Receive().size(), 32u);
    TakeBack();
  }
}

TEST_P(NfLibraryTest, HeadersArePutBefore) {
  ASSERT_EQ(Send({Frame(60, 'a')}), 1u);
  Burst burst = nf_->Receive();
  ASSERT_EQ(burst.size(), 1u);
  std::memcpy(nf_->Prepend(burst[0], 4), "head", 4);
  std::memcpy(nf_->Append(burst[0], 4), "tail", 4);
  nf_->Send(std::move(burst));
  EXPECT_THAT(ReceiveAll(in_->port(), 1), ElementsAre("head" + Frame(60, 'a') + "tail"));
}

TEST_P(NfLibraryTest, MadePacketsNeverRunOut) {
  uint32_t sent = 0;
  for (int i = 0; i < 200; ++i) {
    Burst burst = nf_->Alloc(64);
    for (bessnf::Packet& packet : burst) std::memset(nf_->Append(packet, 60), 'm', 60);
    const uint32_t now = nf_->Send(std::move(burst));
    EXPECT_EQ(ReceiveAll(in_->port(), now).size(), now);
    sent += now;
  }
  EXPECT_GT(sent, 200 * 16u);
}

// The switch sends now and then, so that the NF goes to sleep and has to be woken each time.
TEST_P(NfLibraryTest, NoWakeUpIsLost) {
  constexpr int kRounds = 300;
  std::atomic<int> seen{0};
  std::thread sleeper([&] {
    while (seen < kRounds && nf_->Wait(0, 20000)) {
      seen += static_cast<int>(nf_->Receive().size());
    }
  });
  for (int i = 0; i < kRounds && seen == i; ++i) {
    EXPECT_EQ(Send({Frame(60)}), 1u);
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
         seen == i && std::chrono::steady_clock::now() < end;) {
      std::this_thread::yield();
    }
    if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(i));
    TakeBack();
  }
  sleeper.join();
  EXPECT_EQ(seen, kRounds);
}

// The NF sends a packet some time after the last one was received, often just when the switch goes
// to sleep. Nobody looks at the ring again but who was rung for it.
TEST_P(NfLibraryTest, TheSwitchMissesNoRing) {
  constexpr uint32_t kRounds = 20000;
  std::atomic<uint32_t> received{0};
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    std::minstd_rand random(1);
    for (uint32_t sent = 0; sent < kRounds && !stop;) {
      for (uint32_t pause = random() % 128; pause > 0; --pause) __builtin_ia32_pause();
      Burst burst = nf_->Alloc(1);
      for (bessnf::Packet& packet : burst) std::memset(nf_->Append(packet, 60), 's', 60);
      sent += nf_->Send(std::move(burst));
      while (received < sent && !stop) std::this_thread::yield();
    }
  });
  Lookout lookout;
  while (received < kRounds && !stop) {
    Packet* packet = nullptr;
    const uint32_t n = in_->port().Receive(0, &packet, 1).packets;
    FreePackets(&packet, n);
    received += n;
    if (received == kRounds || !in_->port().Await(0)) continue;
    EXPECT_TRUE(lookout.Watch(in_->port().wake_fd(0), 0));
    pollfd rung = {.fd = lookout.fd(), .events = POLLIN, .revents = 0};
    stop = poll(&rung, 1, 20000) != 1;
    lookout.Look([](uint32_t) {});
  }
  stop = true;
  sender.join();
  EXPECT_EQ(received, kRounds);
}

INSTANTIATE_TEST_SUITE_P(Modes, NfLibraryTest, testing::Bool(),
                         [](const auto& mode) { return mode.param ? "Trusted" : "Isolated"; });

}  // namespace
}  // namespace bess
