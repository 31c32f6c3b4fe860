// SPDX-License-Identifier: Apache-2.0
#include "nf/bessnf.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "nf/bessnf_cxx.h"
#include "nf/descriptors_testing.h"
#include "nf/wire.h"

namespace {

using bessnf_testing::OpenDescriptors;
using bessnf_testing::SendWithDescriptors;
using testing::HasSubstr;

// A switch that answers whatever a test wants; what real ones do is tested with them.
class FakeSwitch {
 public:
  explicit FakeSwitch(const std::string& path) : listener_(socket(AF_UNIX, SOCK_SEQPACKET, 0)) {
    sockaddr_un sun{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(sun.sun_path, sizeof(sun.sun_path));
    sun.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&sun), length), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
  }
  ~FakeSwitch() { close(listener_); }

  // From now on the switch has so many empty buffers ready in an NF's first queue.
  void Offer(uint32_t fresh) { fresh_ = fresh; }

  // Lets one NF in, tells it `bytes` with `count` descriptors of memory, and closes.
  void Answer(const void* bytes, size_t size, size_t count, off_t memory) {
    const int client = accept(listener_, nullptr, nullptr);
    BessNfRequest request;
    EXPECT_EQ(recv(client, &request, sizeof(request), 0), ssize_t{sizeof(request)});
    std::vector<int> descriptors(count);
    for (int& fd : descriptors) {
      fd = memfd_create("fake", MFD_CLOEXEC);
      EXPECT_EQ(ftruncate(fd, memory), 0);
    }
    if (fresh_ > 0) FillFresh(static_cast<const BessNfWelcome*>(bytes)->geometry, descriptors[1]);
    EXPECT_EQ(SendWithDescriptors(client, bytes, size, descriptors), static_cast<ssize_t>(size));
    for (const int fd : descriptors) close(fd);
    close(client);
  }

  // Lets one NF in, tells it `welcome` and closes, having read nothing.
  void Refuse(const BessNfWelcome& welcome) {
    const int client = accept(listener_, nullptr, nullptr);
    pollfd asks = {.fd = client, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&asks, 1, 10000), 1);
    EXPECT_EQ(send(client, &welcome, sizeof(welcome), 0), ssize_t{sizeof(welcome)});
    close(client);
  }

 private:
  void FillFresh(const BessNfGeometry& geometry, int memory) const {
    const auto ring = static_cast<off_t>(bess_nf_fresh_producer(&geometry, 0));
    EXPECT_EQ(pwrite(memory, &fresh_, sizeof(fresh_), ring), ssize_t{sizeof(fresh_)});
    for (uint32_t i = 0; i < fresh_; ++i) {
      const BessNfDescriptor slot{.buffer = i, .offset = static_cast<uint16_t>(geometry.headroom)};
      const auto at = static_cast<off_t>(sizeof(BessNfProducerLine) + i * sizeof(slot));
      EXPECT_EQ(pwrite(memory, &slot, sizeof(slot), ring + at), ssize_t{sizeof(slot)});
    }
  }

  int listener_;
  uint32_t fresh_ = 0;
};

class BessNfTest : public testing::Test {
 protected:
  static BessNfWelcome Welcome() {
    BessNfWelcome welcome{.magic = BESS_NF_MAGIC, .version = BESS_NF_VERSION};
    welcome.geometry = {.to_nf_queues = 1,
                        .from_nf_queues = 1,
                        .to_nf_slots = 8,
                        .from_nf_slots = 8,
                        .fresh_slots = 8,
                        .loans = 16,
                        .buffers = 8,
                        .stride = 512,
                        .buffer_size = 400,
                        .headroom = 64};
    return welcome;
  }
  void ExpectRefused(const BessNfWelcome& welcome, int error, const std::string& text,
                     size_t count = 5, off_t memory = 4096, size_t size = sizeof(BessNfWelcome)) {
    const size_t before = OpenDescriptors();
    std::thread answer([&] { fake_.Answer(&welcome, size, count, memory); });
    EXPECT_EQ(bess_nf_attach(path_.c_str(), nullptr), nullptr);
    EXPECT_EQ(errno, error);
    EXPECT_THAT(bess_nf_error(), HasSubstr(text));
    answer.join();
    EXPECT_EQ(OpenDescriptors(), before) << "descriptors leak";
  }

  const std::string path_ = "@bessnf_test_" + std::to_string(getpid());
  FakeSwitch fake_{path_};
};

TEST_F(BessNfTest, SaysWhyItCannotAttach) {
  EXPECT_EQ(bess_nf_attach("/nonexistent", nullptr), nullptr);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_THAT(bess_nf_error(), HasSubstr("cannot connect at /nonexistent: No such file"));
  EXPECT_EQ(bess_nf_attach(std::string(108, 'x').c_str(), nullptr), nullptr);
  EXPECT_EQ(errno, EINVAL);
  bess_nf_detach(nullptr);
}

TEST_F(BessNfTest, BelievesNoSwitchThatContradictsItself) {
  BessNfWelcome welcome = Welcome();
  welcome.error = EPERM;
  std::memcpy(welcome.text, "not you", 8);
  ExpectRefused(welcome, EPERM, "not you", 0);
  welcome = Welcome();
  ExpectRefused(welcome, EPROTO, "no NFPort", 5, 4096, 100);
  ExpectRefused(welcome, EPROTO, "too few or too many", 4);
  ExpectRefused(welcome, EPROTO, "too few or too many", 6);
  ExpectRefused(welcome, EPROTO, "smaller", 5, 100);
  welcome.magic = 1;
  ExpectRefused(welcome, EPROTO, "no NFPort");
  welcome = Welcome();
  welcome.version = BESS_NF_VERSION + 1;
  ExpectRefused(welcome, EPROTONOSUPPORT, "another version");
  welcome = Welcome();
  welcome.geometry.from_nf_queues = 17;
  ExpectRefused(welcome, EPROTO, "too many queues");
  welcome = Welcome();
  welcome.geometry.to_nf_queues = 17;
  ExpectRefused(welcome, EPROTO, "too many queues", BESS_NF_FIXED_DESCRIPTORS + 17 + 1);
  welcome = Welcome();
  welcome.geometry.buffers = BESS_NF_MAX_BUFFERS + 1;
  ExpectRefused(welcome, EPROTO, "too many buffers");
}

// The kernel reports that a peer closed with something unread before it gives what the peer sent.
// Often enough that this is met in both orders.
TEST_F(BessNfTest, ARefusalOfWhatWasNotReadIsHeard) {
  BessNfWelcome welcome = Welcome();
  welcome.error = EPERM;
  std::memcpy(welcome.text, "not you", 8);
  for (int i = 0; i < 500 && !HasFailure(); ++i) {
    std::thread refuse([&] { fake_.Refuse(welcome); });
    EXPECT_EQ(bess_nf_attach(path_.c_str(), nullptr), nullptr);
    EXPECT_EQ(errno, EPERM) << bess_nf_error();
    refuse.join();
  }
}

// It listens, and its kernel takes connections and requests for it.
TEST_F(BessNfTest, WhoNeverAnswersIsNotWaitedForForever) {
  EXPECT_EQ(bess_nf_attach(path_.c_str(), nullptr), nullptr);
  EXPECT_EQ(errno, ETIMEDOUT);
  EXPECT_THAT(bess_nf_error(), HasSubstr("no welcome at " + path_));
}

class AttachedTest : public BessNfTest {
 protected:
  void SetUp() override {
    const BessNfWelcome welcome = Welcome();
    fake_.Offer(4);
    std::thread answer([&] { fake_.Answer(&welcome, sizeof(welcome), 5, 4096); });
    nf_ = bess_nf_attach(path_.c_str(), nullptr);
    answer.join();
    ASSERT_NE(nf_, nullptr) << bess_nf_error();
  }
  void TearDown() override { bess_nf_detach(nf_); }

  void Reattach() {
    const BessNfWelcome welcome = Welcome();
    std::thread answer([&] { fake_.Answer(&welcome, sizeof(welcome), 5, 4096); });
    ASSERT_EQ(bess_nf_reattach(nf_, -1), 0) << bess_nf_error();
    answer.join();
  }
  BessNfStats Statistics() const {
    BessNfStats statistics;
    bess_nf_statistics(nf_, &statistics);
    return statistics;
  }

  BessNf* nf_ = nullptr;
  BessNfPacket packet_{};
};

TEST_F(AttachedTest, SeesThatTheSwitchIsGone) {
  EXPECT_EQ(bess_nf_wait(nf_, 0, -1), -1);
  EXPECT_EQ(errno, ECONNRESET);
  int found = 0;
  for (int i = 0; i < 1 << 17 && found == 0; ++i) found = bess_nf_receive(nf_, 0, &packet_, 1);
  EXPECT_EQ(found, -1) << "also when it only polls";
}

TEST_F(AttachedTest, WhatMayPassIsWaitedFor) {
  std::thread answer([&] {
    BessNfWelcome welcome = Welcome();
    for (const int error : {EACCES, EBUSY, ENOMEM, EMFILE, ENFILE}) {
      welcome.error = static_cast<uint32_t>(error);
      fake_.Refuse(welcome);
    }
    welcome.error = 0;
    fake_.Answer(&welcome, sizeof(welcome), 5, 4096);
    welcome.error = EPERM;
    fake_.Refuse(welcome);
  });
  EXPECT_EQ(bess_nf_reattach(nf_, -1), 0) << bess_nf_error();
  EXPECT_EQ(bess_nf_reattach(nf_, -1), -1);
  EXPECT_EQ(errno, EPERM);
  answer.join();
}

// The first attempts wait for an answer; when the switch's queue is full, they wait to connect.
TEST_F(AttachedTest, ReattachingKeepsItsTime) {
  using Clock = std::chrono::steady_clock;
  std::string said;
  for (int i = 0; i < 5; ++i) {
    const Clock::time_point start = Clock::now();
    EXPECT_EQ(bess_nf_reattach(nf_, 100), -1);
    EXPECT_EQ(errno, ETIMEDOUT);
    EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(100));
    EXPECT_LT(Clock::now() - start, std::chrono::seconds(3));
    said += bess_nf_error();
  }
  EXPECT_THAT(said, HasSubstr("no welcome"));
  EXPECT_THAT(said, HasSubstr("cannot connect"));
}

// The kernel ends what has a time limit when a signal comes, whatever SA_RESTART says.
TEST_F(AttachedTest, SignalsDoNotEndAnAttempt) {
  signal(SIGALRM, [](int) {});
  const itimerval often{.it_interval = {.tv_usec = 5000}, .it_value = {.tv_usec = 5000}};
  setitimer(ITIMER_REAL, &often, nullptr);
  EXPECT_EQ(bess_nf_reattach(nf_, 200), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  signal(SIGALRM, SIG_DFL);
}

TEST_F(AttachedTest, QueuesThatAreNotThereGiveAndTakeNothing) {
  ASSERT_EQ(bess_nf_alloc(nf_, 0, &packet_, 1), 1u);
  for (const uint32_t queue : {1u, 15u, 16u, ~0u}) {
    EXPECT_EQ(bess_nf_receive(nf_, queue, &packet_, 1), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_THAT(bess_nf_error(), HasSubstr("fewer queues"));
    EXPECT_EQ(bess_nf_wait(nf_, queue, -1), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(bess_nf_sleep(nf_, queue), -1);
    EXPECT_EQ(bess_nf_doorbell(nf_, queue), -1);
    EXPECT_EQ(bess_nf_alloc(nf_, queue, &packet_, 1), 0u);
    EXPECT_EQ(bess_nf_send(nf_, queue, &packet_, 1), 0u);
    bess_nf_free(nf_, queue, &packet_, 1);
  }
  EXPECT_EQ(Statistics().freed, 0u);
  EXPECT_GE(bess_nf_doorbell(nf_, 0), 0);
}

TEST_F(AttachedTest, FewerQueuesThanBeforeAreFewerQueues) {
  BessNfWelcome welcome = Welcome();
  welcome.geometry.to_nf_queues = welcome.geometry.from_nf_queues = 2;
  std::thread answer([&] {
    fake_.Answer(&welcome, sizeof(welcome), 7, 4096);
    const BessNfWelcome fewer = Welcome();
    fake_.Answer(&fewer, sizeof(fewer), 5, 4096);
  });
  ASSERT_EQ(bess_nf_reattach(nf_, -1), 0) << bess_nf_error();
  EXPECT_EQ(bess_nf_receive_queues(nf_), 2u);
  EXPECT_EQ(bess_nf_receive(nf_, 1, &packet_, 1), 0);
  ASSERT_EQ(bess_nf_reattach(nf_, -1), 0) << bess_nf_error();
  answer.join();
  EXPECT_EQ(bess_nf_send_queues(nf_), 1u);
  EXPECT_EQ(bess_nf_receive(nf_, 1, &packet_, 1), -1);
  EXPECT_EQ(bess_nf_alloc(nf_, 1, &packet_, 1), 0u);
}

TEST_F(AttachedTest, WithoutAnAttachmentThereAreNoQueues) {
  EXPECT_EQ(bess_nf_reattach(nf_, 1), -1);
  EXPECT_EQ(bess_nf_receive_queues(nf_), 0u);
  EXPECT_EQ(bess_nf_receive(nf_, 0, &packet_, 1), -1);
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_THAT(bess_nf_error(), HasSubstr("has ended"));
  EXPECT_EQ(bess_nf_wait(nf_, 0, -1), -1);
  EXPECT_EQ(bess_nf_sleep(nf_, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_EQ(bess_nf_alloc(nf_, 0, &packet_, 1), 0u);
  EXPECT_EQ(bess_nf_send(nf_, 0, &packet_, 1), 0u);
  bess_nf_free(nf_, 0, &packet_, 1);
}

TEST_F(AttachedTest, FreedBuffersAreAllocatedAgainAndHaveBounds) {
  ASSERT_EQ(bess_nf_alloc(nf_, 0, &packet_, 1), 1u);
  const uint32_t buffer = packet_.buffer;
  bess_nf_free(nf_, 0, &packet_, 1);
  ASSERT_EQ(bess_nf_alloc(nf_, 0, &packet_, 1), 1u);
  EXPECT_EQ(packet_.buffer, buffer);
  EXPECT_EQ(packet_.length, 0u);
  EXPECT_EQ(bess_nf_append(nf_, &packet_, 337), nullptr) << "400 less the headroom of 64";
  uint8_t* bytes = bess_nf_append(nf_, &packet_, 100);
  ASSERT_EQ(bytes, packet_.data);
  EXPECT_EQ(bess_nf_append(nf_, &packet_, 237), nullptr);
  EXPECT_EQ(bess_nf_append(nf_, &packet_, 236), bytes + 100);
  EXPECT_EQ(bess_nf_prepend(nf_, &packet_, 65), nullptr);
  EXPECT_EQ(bess_nf_prepend(nf_, &packet_, 64), bytes - 64);
  EXPECT_EQ(packet_.length, 400u);
  EXPECT_EQ(Statistics().freed, 1u);
  EXPECT_EQ(Statistics().allocated, 2u);
}

TEST_F(AttachedTest, BadPacketsAreRefusedNotSent) {
  ASSERT_EQ(bess_nf_alloc(nf_, 0, &packet_, 1), 1u);
  BessNfPacket bad[4] = {packet_, packet_, packet_, packet_};
  bad[0].length = 13;
  bad[1].length = 337;
  bad[2].data -= 65;
  bad[3].data += 1000;
  for (BessNfPacket& packet : bad) packet.length = packet.length == 0 ? 60 : packet.length;
  EXPECT_EQ(bess_nf_send(nf_, 0, bad, 4), 4u);
  EXPECT_EQ(Statistics().refused, 4u);
  EXPECT_EQ(Statistics().sent, 0u);
  const std::vector<BessNfPacket> many(20, packet_);
  EXPECT_EQ(bess_nf_send(nf_, 0, many.data(), 20), 4u) << "the ring has 8 slots";
}

// Whatever becomes of them, the buffers of the next attachment are not theirs.
TEST_F(AttachedTest, PacketsOfAnEarlierAttachmentAreGone) {
  BessNfPacket old[4];
  BessNfPacket fresh[8];
  ASSERT_EQ(bess_nf_alloc(nf_, 0, old, 4), 4u);
  for (BessNfPacket& packet : old) bess_nf_append(nf_, &packet, 60);
  for (int round = 0; round < 3; ++round) {
    Reattach();
    for (int i = 0; i < 8; ++i) {  // more than the ring has slots
      EXPECT_EQ(bess_nf_send(nf_, 0, old, 4), 4u);
    }
    bess_nf_free(nf_, 0, old, 4);
    EXPECT_EQ(bess_nf_append(nf_, &old[0], 1), nullptr);
    EXPECT_EQ(bess_nf_prepend(nf_, &old[0], 1), nullptr);
    EXPECT_EQ(bess_nf_alloc(nf_, 0, fresh, 8), 4u) << "each buffer once";
  }
  // Of both, those that are left are sent.
  bess_nf_append(nf_, &fresh[0], 60);
  const BessNfPacket both[] = {old[0], fresh[0], old[1]};
  EXPECT_EQ(bess_nf_send(nf_, 0, both, 3), 3u);
  EXPECT_EQ(Statistics().sent, 1u);
  EXPECT_EQ(Statistics().sent_bytes, 60u);
  EXPECT_EQ(Statistics().refused, 0u);
  EXPECT_EQ(Statistics().freed, 0u);
}

TEST_F(AttachedTest, ABurstMayOutliveItsAttachment) {
  const BessNfWelcome welcome = Welcome();
  std::thread answer([&] {
    fake_.Answer(&welcome, sizeof(welcome), 5, 4096);
    fake_.Answer(&welcome, sizeof(welcome), 5, 4096);
  });
  auto nf = bessnf::NetworkFunction::Attach(path_);
  ASSERT_TRUE(nf) << bessnf::NetworkFunction::Error();
  {
    bessnf::Burst burst = nf->Alloc(4);
    EXPECT_EQ(burst.size(), 4u);
    EXPECT_TRUE(nf->Reattach());
  }
  answer.join();
  std::set<uint32_t> buffers;
  bessnf::Burst burst = nf->Alloc(64);
  for (const bessnf::Packet& packet : burst) buffers.insert(packet.buffer);
  EXPECT_EQ(burst.size(), 4u);
  EXPECT_EQ(buffers.size(), 4u);
  EXPECT_EQ(nf->Send(std::move(burst), 1), 0u) << "there is no such queue";
  EXPECT_EQ(nf->Statistics().freed, 4u) << "they were given back";
}

}  // namespace
