// SPDX-License-Identifier: Apache-2.0
//
// A worker and network functions: who sleeps costs nothing, and is awake when there is work.
#include <sys/eventfd.h>

#include <atomic>
#include <random>
#include <thread>

#include "core/graph/port_user.h"
#include "core/port/nf_testing.h"
#include "core/sched/worker_testing.h"
#include "nf/bessnf.h"
#include "ports/nf_port.pb.h"

namespace bess {
namespace {

using testing_ports::Pool;

// Receives from the port it is given after it was made.
class TestReceiver final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestReceiver", .help = "receives", .igates = 0};

  absl::Status Init(const pb::EmptyArg&) { return AddTask(0); }
  void Use(PortQueues& port) { receiver_.Use(port, 0, /*prefetch=*/false); }
  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    asked = asked + 1;
    return receiver_.Run(context, batch, kBatchSize);
  }
  int wake_fd(uint64_t) const override { return receiver_.wake_fd(); }
  bool Await(uint64_t) override { return receiver_.Await(); }

  std::atomic<uint64_t> asked{0};

 private:
  QueueReceiver receiver_;
};
REGISTER_MODULE(TestReceiver);
REGISTER_MODULE(TestSource);
REGISTER_MODULE(TestSink);

class NfWakeTest : public WorkerTest {
 protected:
  void SetUp() override {
    Add(graph_, "sink", "TestSink");
    for (const char* name : {"first", "second"}) AddPort(name);
  }
  void TearDown() override {
    worker_.reset();
    for (BessNf* nf : nfs_) bess_nf_detach(nf);
    leases_.clear();
    ASSERT_TRUE(table_.Reset().ok());
    EXPECT_EQ(Pool().in_use(), 0u) << "packets were lost";
  }
  void AddPort(const std::string& name) {
    pb::NFPortArg arg;
    arg.set_path(PathOf(name));
    arg.set_trusted(true);
    PortRequest request{.name = name, .driver = "NFPort"};
    request.argument.PackFrom(arg);
    ASSERT_TRUE(table_.Create(request).ok());
    auto lease = table_.Lease(name, Direction::kReceive, "test");
    ASSERT_TRUE(lease.ok());
    Add(graph_, name, "TestReceiver");
    Receiver(name).Use((*lease)->port());
    leases_.push_back(*std::move(lease));
    ASSERT_TRUE(graph_.Connect(name, 0, "sink", 0, {}).ok());
  }
  void Start() {
    Publish(graph_);
    worker_.emplace(WorkerOptions{.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  }
  BessNf* Attach(const std::string& name) {
    nfs_.push_back(bess_nf_attach(PathOf(name).c_str(), nullptr));
    EXPECT_NE(nfs_.back(), nullptr) << bess_nf_error();
    return nfs_.back();
  }
  // As soon as the switch has a buffer for it.
  static void SendOne(BessNf* nf) {
    BessNfPacket packet;
    EXPECT_TRUE(Eventually([&] { return bess_nf_alloc(nf, 0, &packet, 1) == 1; }));
    bess_nf_append(nf, &packet, 60);
    EXPECT_EQ(bess_nf_send(nf, 0, &packet, 1), 1u);
  }
  std::string PathOf(const std::string& name) const {
    return "@nf_wake_test_" + std::to_string(getpid()) + "_" + name;
  }
  TestReceiver& Receiver(const std::string& name) {
    return static_cast<TestReceiver&>(*modules_.at(name));
  }

  PortTable table_{Pool()};
  std::vector<std::unique_ptr<PortLease>> leases_;
  std::vector<BessNf*> nfs_;
  Graph graph_;
  std::optional<Worker> worker_;
};

TEST_F(NfWakeTest, AnIdleWorkerSleepsAndIsWoken) {
  Start();
  EXPECT_TRUE(Eventually([&] { return worker_->asleep(); })) << "nobody is attached";
  BessNf* first = Attach("first");
  BessNf* second = Attach("second");
  for (uint64_t i = 1; i <= 20; ++i) {
    EXPECT_TRUE(Eventually([&] { return worker_->asleep(); }));
    SendOne(i % 2 == 0 ? first : second);
    EXPECT_TRUE(Eventually([&] { return Consumed() == i; }));
  }
}

// At gaps around the time after which the switch stops to ask.
TEST_F(NfWakeTest, NothingIsForgottenWhateverTheGaps) {
  Start();
  BessNf* nf = Attach("first");
  std::minstd_rand random(1);
  for (uint64_t i = 1; i <= 300; ++i) {
    SendOne(nf);
    ASSERT_TRUE(Eventually([&] { return Consumed() == i; }));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
  }
}

// An NF that rings all the time keeps its own port being asked, and nothing else.
TEST_F(NfWakeTest, WhoRingsInVainDisturbsNobody) {
  Start();
  testing_nf::RawConnection hostile(PathOf("first"));
  hostile.Attach();
  std::atomic<bool> stop{false};
  std::thread ringer([&] {
    const int bell = hostile.descriptors().back();
    while (!stop) eventfd_write(bell, 1);
  });
  BessNf* honest = Attach("second");
  const auto asked_without_end = [&, before = Receiver("first").asked.load()] {
    return Receiver("first").asked > before + 200;
  };
  EXPECT_TRUE(Eventually(asked_without_end));
  for (uint64_t i = 1; i <= 20; ++i) {
    SendOne(honest);
    EXPECT_TRUE(Eventually([&] { return Consumed() == i; }));
  }
  stop = true;
  ringer.join();
  EXPECT_TRUE(Eventually([&] { return worker_->asleep(); }));
}

}  // namespace
}  // namespace bess
