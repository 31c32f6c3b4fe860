// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_server.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>

#include <deque>
#include <sstream>

#include "core/base/status.h"
#include "core/port/nf_testing.h"
#include "nf/bessnf.h"

namespace bess {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing_nf::Eventually;
using testing_nf::OpenDescriptors;
using testing_nf::RawConnection;
using testing_nf::RawPeer;
using testing_nf::Request;
using testing_ports::Frame;
using testing_ports::MakePackets;
using testing_ports::Pool;

class NfServerTest : public testing::Test {
 protected:
  void Start() {
    server_.reset();
    options_.port = "test";
    options_.path = path_;
    if (options_.uids.empty()) options_.uids = {geteuid()};
    auto server = NfServer::Start(options_, domain_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  void TearDown() override {
    server_.reset();
    EXPECT_EQ(Pool().in_use(), 0u) << "buffers were lost";
  }
  const NfEvents& events() const { return server_->events(); }
  uint32_t Send(uint32_t n) {
    std::vector<Packet*> packets = MakePackets(std::vector<std::string>(n, Frame(60)));
    const uint32_t sent = server_->Send(0, packets.data(), n).packets;
    FreePackets(packets.data() + sent, n - sent);
    return sent;
  }
  uint32_t Receive() {
    Packet* packets[kBatchSize];
    const uint32_t n = server_->Receive(0, packets, kBatchSize).packets;
    FreePackets(packets, n);
    return n;
  }

  const std::string path_ = "@nf_server_test_" + std::to_string(getpid());
  NfDomain domain_{Pool()};
  NfServerOptions options_;
  std::unique_ptr<NfServer> server_;
};

TEST_F(NfServerTest, WithoutAnNfNothingMoves) {
  Start();
  EXPECT_FALSE(server_->attached());
  EXPECT_EQ(Send(3), 0u);
  EXPECT_EQ(Receive(), 0u);
  EXPECT_EQ(server_->overloaded(), 0u);
}

TEST_F(NfServerTest, AttachesAndDetaches) {
  Start();
  for (uint64_t i = 1; i <= 3; ++i) {
    BessNf* nf = bess_nf_attach(path_.c_str(), nullptr);
    ASSERT_NE(nf, nullptr) << bess_nf_error();
    ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
    EXPECT_EQ(Send(3), 3u);
    bess_nf_detach(nf);
    EXPECT_TRUE(Eventually([&] { return events().detached == i; }));
    EXPECT_EQ(events().attached, i);
  }
  EXPECT_EQ(events().died, 0u);
}

TEST_F(NfServerTest, KnowsWhoIsAttached) {
  options_.session.isolated = false;
  Start();
  EXPECT_FALSE(server_->process());
  RawConnection nf(path_);
  BessNfRequest request = Request(BESS_NF_ATTACH, /*fresh=*/32);
  std::memcpy(request.name, "line\n\xff", 7);
  nf.Say(request);
  ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
  Send(8);
  const std::optional<NfProcess> process = server_->process();
  ASSERT_TRUE(process);
  EXPECT_EQ(process->name, "line\\n\\xff") << "printable";
  EXPECT_EQ(process->pid, getpid());
  EXPECT_EQ(process->uid, geteuid());
  EXPECT_EQ(process->buffers, 32u + 8u);
  nf.Close();
  EXPECT_TRUE(Eventually([this] { return !server_->process(); }));
}

TEST_F(NfServerTest, TheNextMayComeAtOnce) {
  Start();
  for (uint64_t i = 1; i <= 50; ++i) {
    RawConnection nf(path_);
    nf.Attach();
    nf.Close();
    EXPECT_EQ(events().refused, 0u);
  }
  EXPECT_TRUE(Eventually([this] { return events().died == 50; }));
  EXPECT_EQ(events().attached, 50u);
}

TEST_F(NfServerTest, OneAtATime) {
  Start();
  RawConnection first(path_);
  first.Attach();
  EXPECT_EQ(bess_nf_attach(path_.c_str(), nullptr), nullptr);
  EXPECT_EQ(errno, EBUSY);
  EXPECT_THAT(bess_nf_error(), HasSubstr("process " + std::to_string(getpid()) + " is attached"));
  EXPECT_TRUE(server_->attached());
  EXPECT_EQ(events().refused, 1u);
}

TEST_F(NfServerTest, OnlyUsersOnTheListComeIn) {
  options_.uids = {geteuid() + 1};
  Start();
  EXPECT_EQ(bess_nf_attach(path_.c_str(), nullptr), nullptr);
  EXPECT_EQ(errno, EPERM);
  EXPECT_THAT(bess_nf_error(), HasSubstr("user " + std::to_string(geteuid()) + " may not attach"));
}

TEST_F(NfServerTest, TheSilentAreSentAwayAndKeepNobodyWaiting) {
  Start();
  std::deque<RawConnection> silent;
  for (int i = 0; i < 7; ++i) silent.emplace_back(path_);
  const auto start = std::chrono::steady_clock::now();
  BessNf* nf = bess_nf_attach(path_.c_str(), nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << "7 times 500 ms";
  ASSERT_NE(nf, nullptr) << bess_nf_error();
  for (RawConnection& connection : silent) EXPECT_TRUE(connection.IsClosed());
  EXPECT_EQ(events().refused, 7u);
  bess_nf_detach(nf);
}

// Each has its own time, whatever others do, and eight of them have it at once.
TEST_F(NfServerTest, ManyWhoAreSilentCostLittleTime) {
  Start();
  std::deque<RawConnection> silent;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) silent.emplace_back(path_);  // the last ones wait for the backlog
  BessNf* nf = bess_nf_attach(path_.c_str(), nullptr);
  ASSERT_NE(nf, nullptr) << bess_nf_error();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(6)) << "20 times 500 ms";
  bess_nf_detach(nf);
}

// What it sent before its goodbye is received, and who comes meanwhile is let in afterwards.
TEST_F(NfServerTest, LastWordsAreHeard) {
  options_.grace = std::chrono::seconds(60);  // however busy the machine is
  Start();
  for (uint64_t round = 1; round <= 5; ++round) {
    auto nf = std::make_unique<RawConnection>(path_);
    RawPeer peer = nf->Attach();
    ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
    ASSERT_EQ(Send(8), 8u);
    const std::vector<BessNfDescriptor> got = peer.Take();
    peer.Give(got);
    nf->Say(Request(BESS_NF_DETACH));
    nf.reset();
    RawConnection next(path_);
    next.Say(Request());
    ASSERT_TRUE(Eventually([this] { return Send(1) == 0; })) << "it gets nothing more";
    EXPECT_EQ(Receive(), 8u);
    EXPECT_EQ(next.Hear().error, 0u);
    EXPECT_EQ(events().detached, round);
    EXPECT_EQ(server_->traffic().unreceived, 0u);
    next.Close();
    ASSERT_TRUE(Eventually([this] { return !server_->attached(); }));
  }
  EXPECT_EQ(events().refused, 0u);
  EXPECT_EQ(server_->overloaded(), 0u);
}

// Nobody waits for ever for a worker, and what is lost is counted: packets, not buffers given back.
TEST_F(NfServerTest, WhatNobodyReceivesIsCounted) {
  Start();
  RawConnection nf(path_);
  RawPeer peer = nf.Attach();
  ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
  ASSERT_EQ(Send(5), 5u);
  std::vector<BessNfDescriptor> got = peer.Take();
  got[2].length = 0;
  peer.Give(got);
  nf.Say(Request(BESS_NF_DETACH));
  EXPECT_TRUE(Eventually([this] { return events().detached == 1; }));
  EXPECT_EQ(server_->traffic().unreceived, 4u);
  RawConnection rude(path_);
  peer = rude.Attach();
  ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
  ASSERT_EQ(Send(3), 3u);
  peer.Give(peer.Take());
  rude.Close();
  EXPECT_TRUE(Eventually([this] { return events().died == 1; }));
  EXPECT_EQ(server_->traffic().unreceived, 7u);
}

TEST_F(NfServerTest, ALeaverThatGoesOnIsCutOff) {
  Start();
  RawConnection nf(path_);
  RawPeer peer = nf.Attach();
  ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
  nf.Say(Request(BESS_NF_DETACH));
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; events().detached == 0 && i < 5000; ++i) {
    Send(1);
    peer.Give(peer.Take());
    Receive();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(events().detached, 1u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST_F(NfServerTest, FreshBuffersAreNoMoreThanThePortsRings) {
  Start();
  const auto fresh = [this](uint32_t wanted) {
    RawConnection nf(path_);
    const uint32_t slots = nf.Attach(wanted).geometry().fresh_slots;
    nf.Close();
    EXPECT_TRUE(Eventually([this] { return !server_->attached(); }));
    return slots;
  };
  EXPECT_EQ(fresh(4096), 1024u);
  EXPECT_EQ(fresh(100), 128u);
  options_.session.from_nf_slots = 16;
  Start();
  EXPECT_EQ(fresh(4096), 64u) << "what the library needs";
}

// Lines of one kind do not keep those of another out of the log.
TEST_F(NfServerTest, TheLogSaysWhyWhoeverWasThereBefore) {
  std::ostringstream text;
  const auto old = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)));
  Start();
  for (uint64_t i = 1; i <= 4; ++i) {
    RawConnection noise(path_);
    noise.Say("hello");
    noise.Hear();
    RawConnection nf(path_);
    RawPeer peer = nf.Attach();
    ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
    peer.Give({{.buffer = peer.geometry().buffers, .offset = 0, .length = 60}});
    Receive();
    ASSERT_TRUE(Eventually([&] { return events().violated == i; }));
    if (i == 3) std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  }
  server_.reset();
  spdlog::set_default_logger(old);
  EXPECT_THAT(text.str(), HasSubstr("is refused: a request has"));
  EXPECT_THAT(text.str(), HasSubstr("is attached\n"));
  EXPECT_THAT(text.str(), HasSubstr("is detached: a buffer that does not exist\n"));
  EXPECT_THAT(text.str(), ContainsRegex("does not exist \\([0-9]+ lines like this were left out"));
}

TEST_F(NfServerTest, MessagesOutOfTurnAreRefused) {
  Start();
  const size_t before = OpenDescriptors();
  for (int round = 0; round < 20; ++round) {
    RawConnection goodbye(path_);
    goodbye.Say(Request(BESS_NF_DETACH));
    EXPECT_EQ(goodbye.Hear().error, uint32_t{EINVAL});
    RawConnection descriptors(path_);
    // The kernel refuses that already, unless it is older than 6.16.
    if (!descriptors.Say(Request(), {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO})) {
      EXPECT_EQ(errno, EPERM);
      descriptors.Say("hello");
    }
    EXPECT_EQ(descriptors.Hear().error, uint32_t{EINVAL});
    RawConnection noise(path_);
    noise.Say("hello");
    EXPECT_EQ(noise.Hear().error, uint32_t{EINVAL});
  }
  EXPECT_EQ(events().refused, 60u);
  EXPECT_EQ(events().attached, 0u);
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors() == before; })) << "descriptors leak";
}

TEST_F(NfServerTest, WhoeverIsAttachedCanWakeTheSwitch) {
  options_.session.from_nf_queues = 2;
  Start();
  const auto can_be_read = [this](int milliseconds) {
    pollfd waker = {.fd = server_->wake_fd(1), .events = POLLIN, .revents = 0};
    return poll(&waker, 1, milliseconds) == 1;
  };
  EXPECT_TRUE(server_->Await(1)) << "nobody is there";
  for (int round = 0; round < 3; ++round) {
    // Of the one before, only the doorway is sure to be closed.
    EXPECT_TRUE(Eventually([&] { return !can_be_read(0); }));
    BessNf* nf = bess_nf_attach(path_.c_str(), nullptr);
    ASSERT_NE(nf, nullptr) << bess_nf_error();
    BessNfPacket packet;
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(bess_nf_alloc(nf, 0, &packet, 1), 1u);
      bess_nf_append(nf, &packet, 60);
      ASSERT_EQ(bess_nf_send(nf, 1, &packet, 1), 1u);
      EXPECT_TRUE(can_be_read(10000));
      Packet* received = nullptr;
      ASSERT_EQ(server_->Receive(1, &received, 1).packets, 1u);
      FreePackets(&received, 1);
      EXPECT_TRUE(server_->Await(1));
      EXPECT_FALSE(can_be_read(0));
    }
    bess_nf_detach(nf);
    ASSERT_TRUE(Eventually([this] { return !server_->attached(); }));
  }
}

TEST_F(NfServerTest, MessagesOutOfTurnEndAnAttachment) {
  Start();
  RawConnection nf(path_);
  nf.Attach();
  nf.Say(Request());
  EXPECT_TRUE(nf.IsClosed());
  EXPECT_EQ(events().violated, 1u);
}

TEST_F(NfServerTest, ViolationsEndAnAttachment) {
  Start();
  RawConnection nf(path_);
  RawPeer peer = nf.Attach();
  ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
  peer.Give({{.buffer = peer.geometry().buffers, .offset = 0, .length = 60}});
  EXPECT_EQ(Receive(), 0u);
  EXPECT_TRUE(Eventually([this] { return events().violated == 1; }));
  EXPECT_EQ(events().violations[static_cast<size_t>(NfViolation::kBuffer)], 1u);
  RawConnection next(path_);
  next.Attach();
  EXPECT_TRUE(Eventually([this] { return events().attached == 2; }));
}

// Its bell is as open as before in its own process.
TEST_F(NfServerTest, WhoIsGoneWakesNobody) {
  Start();
  const auto can_be_read = [this] {
    pollfd waker = {.fd = server_->wake_fd(0), .events = POLLIN, .revents = 0};
    return poll(&waker, 1, 0) == 1;
  };
  RawConnection nf(path_);
  nf.Attach();
  const int bell = nf.descriptors().back();
  ASSERT_EQ(eventfd_write(bell, 1), 0);
  EXPECT_TRUE(Eventually(can_be_read));
  nf.Say(Request());
  ASSERT_TRUE(Eventually([this] { return events().violated == 1; }));
  EXPECT_FALSE(can_be_read());
  EXPECT_EQ(eventfd_write(bell, 1), 0);
  EXPECT_FALSE(can_be_read());
  RawConnection next(path_);
  next.Attach();
  ASSERT_TRUE(Eventually([this] { return events().attached == 2; }));
  EXPECT_FALSE(can_be_read()) << "it rings for others";
}

TEST_F(NfServerTest, WhoLeavesFullRingsAloneIsDetached) {
  options_.stall = std::chrono::milliseconds(100);
  options_.session.to_nf_slots = 16;
  Start();
  RawConnection nf(path_);
  RawPeer peer = nf.Attach();
  ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
  for (int i = 0; i < 40; ++i) {  // as long as it takes something now and then, it may stay
    Send(20);
    peer.Give(peer.Take());
    Receive();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GT(server_->overloaded(), 0u);
  EXPECT_TRUE(server_->attached());
  EXPECT_TRUE(Eventually([this] { return Send(20) == 0 && events().stalled == 1; }));
}

TEST_F(NfServerTest, ThePortMayGoFirst) {
  Start();
  BessNf* nf = bess_nf_attach(path_.c_str(), nullptr);
  ASSERT_NE(nf, nullptr) << bess_nf_error();
  server_.reset();
  EXPECT_EQ(bess_nf_wait(nf, 0, 5000), -1);
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_EQ(bess_nf_reattach(nf, 10), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
  Start();
  EXPECT_EQ(bess_nf_reattach(nf, 5000), 0) << bess_nf_error();
  ASSERT_TRUE(Eventually([this] { return server_->attached(); }));
  EXPECT_EQ(Send(1), 1u);
  EXPECT_EQ(bess_nf_wait(nf, 0, 5000), 1);
  bess_nf_detach(nf);
}

}  // namespace
}  // namespace bess
