// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <thread>

#include "core/graph/module_tester.h"
#include "modules/port_out.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::PortOutArg To(const std::string& port) {
  pb::PortOutArg arg;
  arg.set_port(port);
  return arg;
}

std::shared_ptr<FakeHost> HostWithPort(uint32_t queues) {
  auto host = std::make_shared<FakeHost>();
  host->AddPort("p", queues);
  return host;
}

// Which queue the tester's worker, number 0, sends by when the module runs on these workers.
uint32_t QueueOfWorker0(uint32_t queues, const std::vector<uint32_t>& workers) {
  auto host = HostWithPort(queues);
  ModuleTester tester("PortOut", To("p"), host);
  tester.module().Placed(workers);
  tester.Send(0, {"a"});
  const auto& sent = host->ports.at("p").sent;
  EXPECT_EQ(sent.size(), 1u);
  return sent.begin()->first;
}

TEST(PortOutTest, SendsWhatComesInByAnyGate) {
  auto host = HostWithPort(1);
  ModuleTester tester("PortOut", To("p"), host);
  tester.Send(0, {"a", "b"});
  tester.Send(8191, {"c"});
  EXPECT_THAT(host->ports.at("p").sent_bytes[0], ElementsAre("a", "b", "c"));
  EXPECT_EQ(tester.module().totals().consumed, 3u);
  EXPECT_EQ(tester.module().Description(), "p");
}

TEST(PortOutTest, DropsWhatThePortDoesNotTake) {
  auto host = HostWithPort(1);
  ModuleTester tester("PortOut", To("p"), host);
  host->ports.at("p").tx_room = 66;
  tester.Send(0, std::vector<std::string>(70, "a"));
  EXPECT_EQ(tester.module().totals().consumed, 66u);
  EXPECT_EQ(tester.dropped(DropReason::kTxFull), 4u);
  tester.Send(0, {"b"});
  EXPECT_EQ(tester.dropped(DropReason::kTxFull), 5u);
}

TEST(PortOutTest, SendsTheFirstPacketsOfABatch) {
  auto host = HostWithPort(1);
  ModuleTester tester("PortOut", To("p"), host);
  host->ports.at("p").tx_room = 2;
  tester.Send(0, {"a", "b", "c", "d"});
  EXPECT_THAT(host->ports.at("p").sent_bytes[0], ElementsAre("a", "b"));
}

TEST(PortOutTest, GivesWorkersQueuesInTurn) {
  EXPECT_EQ(QueueOfWorker0(4, {0}), 0u);
  EXPECT_EQ(QueueOfWorker0(4, {5, 0}), 2u);        // 5 and 6 of 4 queues
  EXPECT_EQ(QueueOfWorker0(2, {1, 3, 0}), 1u);     // shares queue 1 with worker 1
  EXPECT_EQ(QueueOfWorker0(3, {7, 8, 9, 0}), 1u);  // shares with 7
  EXPECT_EQ(QueueOfWorker0(1, {1, 2, 3, 0}), 0u);  // all share
}

TEST(PortOutTest, WaitsForWhoeverSendsByTheQueue) {
  auto host = HostWithPort(1);
  ModuleTester tester("PortOut", To("p"), host);
  SpinLock& lock = host->ports.at("p").send_lock(0);
  lock.lock();
  std::atomic<bool> done{false};
  std::thread worker([&] {
    tester.Send(0, {"a"});
    done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(done);
  lock.unlock();
  worker.join();
  EXPECT_EQ(host->ports.at("p").sent.at(0), 1u);
}

TEST(PortOutTest, NeedsAPortWhichOthersMaySendToAsWell) {
  auto host = HostWithPort(1);
  const auto error = [&](const std::string& port) {
    return ModuleTester("PortOut", To(port), host).status();
  };
  EXPECT_EQ(StatusErrno(error("")), EINVAL);
  EXPECT_THAT(std::string(error("").message()), HasSubstr("'port'"));
  EXPECT_EQ(StatusErrno(error("q")), ENODEV);
  EXPECT_THAT(std::string(error("q").message()), HasSubstr("'q'"));
  ModuleTester first("PortOut", To("p"), host);
  EXPECT_TRUE(error("p").ok());
}

}  // namespace
}  // namespace bess
