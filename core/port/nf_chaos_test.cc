// SPDX-License-Identifier: Apache-2.0
//
// Network functions that are killed, frozen and hostile, while an honest one at another port goes
// on and must not lose a packet.
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <random>

#include "absl/strings/str_cat.h"
#include "core/base/chaos_testing.h"
#include "core/port/nf_server.h"
#include "core/port/nf_testing.h"
#include "nf/bessnf.h"

namespace bess {
namespace {

using testing_nf::Eventually;
using testing_nf::OpenDescriptors;
using testing_nf::RawConnection;
using testing_nf::Request;
using testing_ports::Frame;
using testing_ports::MakePackets;
using testing_ports::Pool;

std::string PathOf(const std::string& name) {
  return "@nf_chaos_test_" + std::to_string(getpid()) + "_" + name;
}

// A port, and what went through it.
class Wire {
 public:
  Wire(const std::string& name, bool isolated, NfDomain& domain) {
    NfServerOptions options{.port = name, .path = PathOf(name), .uids = {geteuid()}};
    options.session.isolated = isolated;
    auto server = NfServer::Start(std::move(options), domain);
    EXPECT_TRUE(server.ok()) << server.status();
    if (server.ok()) server_ = *std::move(server);
  }

  NfServer& server() { return *server_; }
  const NfEvents& events() const { return server_->events(); }
  uint64_t sent() const { return sent_; }
  uint64_t received() const { return received_; }

  void Send(uint32_t n) {
    std::vector<Packet*> packets = MakePackets(std::vector<std::string>(n, Frame(60)));
    const uint32_t sent = server_->Send(0, packets.data(), n).packets;
    FreePackets(packets.data() + sent, n - sent);
    sent_ += sent;
  }
  void Receive() {
    Packet* packets[kBatchSize];
    const uint32_t n = server_->Receive(0, packets, kBatchSize).packets;
    FreePackets(packets, n);
    received_ += n;
  }

 private:
  std::unique_ptr<NfServer> server_;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
};

// tests/nf/victim.c: a process of its own, small, so that it is gone as soon as it is killed.
pid_t StartVictim(const std::string& kind) {
  std::string words[] = {NF_VICTIM, PathOf("victim"), kind};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(posix_spawn(&child, NF_VICTIM, nullptr, nullptr, arguments, environ), 0);
  return child;
}

class NfChaosTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    honest_ = bess_nf_attach(PathOf("other").c_str(), nullptr);
    ASSERT_NE(honest_, nullptr) << bess_nf_error();
    ASSERT_TRUE(Eventually([this] { return other_.server().attached(); }));
  }
  void TearDown() override { bess_nf_detach(honest_); }

  // One turn of a worker that serves both ports, and of the honest NF.
  void Turn() {
    victim_.Send(8);
    victim_.Receive();
    other_.Send(8);
    SendBack();
  }
  void SendBack() {
    BessNfPacket packets[64];
    const int n = bess_nf_receive(honest_, 0, packets, 64);
    if (n > 0) bess_nf_send(honest_, 0, packets, static_cast<uint32_t>(n));
    other_.Receive();
  }
  // Takes turns until something is so, for as long as a busy machine may take.
  template <typename So>
  bool TurnsUntil(So so) {
    const auto end = Clock::now() + std::chrono::seconds(20);
    while (!so() && Clock::now() < end) Turn();
    return so();
  }
  // Everything that was meant for the honest NF reached it and came back.
  void ExpectNothingLost() {
    EXPECT_EQ(other_.server().overloaded(), 0u);
    EXPECT_EQ(other_.server().traffic().no_buffers, 0u);
    EXPECT_TRUE(Eventually([this] {
      SendBack();
      return other_.received() == other_.sent();
    })) << other_.received()
        << " of " << other_.sent();
    EXPECT_GT(other_.sent(), 0u);
  }

  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<double, std::milli>;

  NfDomain victims_{Pool()};
  const std::unique_ptr<PacketPool> others_pool_ =
      *PacketPool::Create("others", PacketPool::Kind::kShareable, 8192);
  NfDomain others_{*others_pool_};
  Wire victim_{"victim", GetParam(), victims_};
  Wire other_{"other", /*isolated=*/true, others_};
  BessNf* honest_ = nullptr;
};

// How long something took each time, in words.
std::string Spread(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const size_t n = milliseconds.size();
  return absl::StrCat("median ", milliseconds[n / 2], " ms, 99 % ", milliseconds[n * 99 / 100],
                      " ms, worst ", milliseconds.back(), " ms");
}

bool HasEnded(pid_t process) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == process;
}

TEST_P(NfChaosTest, TheKilledLeaveNothingBehind) {
  const uint64_t kills = Chaos(20, 1000);
  std::mt19937 random(1);
  std::vector<double> from_kill;  // until all is taken back
  std::vector<double> from_end;   // of the process, likewise: the kernel needs its time to end one
  for (uint64_t i = 1; i <= kills; ++i) {
    const pid_t victim = StartVictim("hoard");
    ASSERT_TRUE(TurnsUntil([&] { return victim_.events().attached == i; })) << "kill " << i;
    for (uint64_t turns = random() % 200; turns > 0; --turns) Turn();
    const Clock::time_point start = Clock::now();
    kill(victim, SIGKILL);
    ASSERT_TRUE(TurnsUntil([&] { return HasEnded(victim); }));
    const Clock::time_point end = Clock::now();
    ASSERT_TRUE(TurnsUntil([&] { return victim_.events().died == i; })) << "kill " << i;
    from_kill.push_back(Milliseconds(Clock::now() - start).count());
    from_end.push_back(Milliseconds(Clock::now() - end).count());
    waitpid(victim, nullptr, 0);
    ASSERT_EQ(Pool().in_use(), 0u) << "kill " << i;
  }
  ExpectNothingLost();
  std::cout << "chaos: " << kills
            << " kills; all is taken back after the kill: " << Spread(from_kill)
            << "; after the end of the process: " << Spread(from_end)
            << "; packets of the other port: " << other_.sent() << ", none lost\n";
}

TEST_P(NfChaosTest, TheFrozenHoldUpNobody) {
  const pid_t victim = StartVictim("free");
  ASSERT_TRUE(TurnsUntil([this] { return victim_.received() > 100; }));
  kill(victim, SIGSTOP);
  const uint64_t before = other_.received();
  const auto end = Clock::now() + std::chrono::milliseconds(Chaos(200, 60'000));
  while (Clock::now() < end) Turn();
  EXPECT_TRUE(TurnsUntil([&] { return other_.received() > before + 100; }));
  EXPECT_GT(victim_.server().overloaded(), 0u);
  EXPECT_TRUE(victim_.server().attached()) << "nobody asked that it be thrown out";
  kill(victim, SIGCONT);
  const uint64_t thawed = victim_.received();
  EXPECT_TRUE(TurnsUntil([&] { return victim_.received() > thawed + 2000; })) << "more than a ring";
  kill(victim, SIGKILL);
  waitpid(victim, nullptr, 0);
  EXPECT_TRUE(TurnsUntil([this] { return victim_.events().died == 1; }));
  ExpectNothingLost();
  std::cout << "chaos: frozen and thawed; packets of the other port: " << other_.sent()
            << ", none lost\n";
}

TEST_P(NfChaosTest, TheRudeComeInVain) {
  const uint64_t attempts = Chaos(300, 100'000);
  const size_t before = OpenDescriptors();
  std::mt19937 random(1);
  for (uint64_t i = 0; i < attempts; ++i) {
    RawConnection rude(PathOf("victim"));
    BessNfRequest request = Request();
    auto* bytes = reinterpret_cast<char*>(&request);
    const size_t size = random() % 2 == 0 ? sizeof(request) : random() % sizeof(request);
    // Not the name, which may be anything.
    bytes[random() % offsetof(BessNfRequest, name)] ^= static_cast<char>(1 + random() % 255);
    request.fresh |= BESS_NF_MAX_SLOTS * 2;
    const std::vector<int> descriptors(random() % 4, STDERR_FILENO);
    // A kernel that lets no descriptors pass does not let the words pass either.
    if (!rude.Say({bytes, size}, descriptors)) rude.Say({bytes, size});
    if (random() % 4 == 0) rude.Hear();
    Turn();
  }
  EXPECT_TRUE(Eventually([&] { return victim_.events().refused == attempts; }));
  EXPECT_EQ(victim_.events().attached, 0u);
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors() == before; })) << "descriptors leak";
  RawConnection polite(PathOf("victim"));
  polite.Attach();
  ExpectNothingLost();
  std::cout << "chaos: " << attempts << " rude attempts to attach, all refused\n";
}

INSTANTIATE_TEST_SUITE_P(Victims, NfChaosTest, testing::Bool(),
                         [](const auto& mode) { return mode.param ? "Isolated" : "Trusted"; });

}  // namespace
}  // namespace bess
