// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/queue_out.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

pb::QueueOutArg To(const std::string& port, uint64_t qid) {
  pb::QueueOutArg arg;
  arg.set_port(port);
  arg.set_qid(qid);
  return arg;
}

std::shared_ptr<FakeHost> HostWithPort(uint32_t queues) {
  auto host = std::make_shared<FakeHost>();
  host->AddPort("p", queues);
  return host;
}

void ExpectRefused(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(QueueOutTest, SendsToItsQueueOnly) {
  auto host = HostWithPort(3);
  ModuleTester tester("QueueOut", To("p", 2), host);
  tester.Send(0, {"a", "b"});
  auto& sent = host->ports.at("p").sent_bytes;
  EXPECT_THAT(sent[2], ElementsAre("a", "b"));
  EXPECT_THAT(sent[0], IsEmpty());
  EXPECT_EQ(tester.module().totals().consumed, 2u);
  EXPECT_EQ(tester.module().Description(), "p:2");
}

TEST(QueueOutTest, DropsWhatThePortDoesNotTake) {
  auto host = HostWithPort(1);
  ModuleTester tester("QueueOut", To("p", 0), host);
  host->ports.at("p").tx_room = 3;
  tester.Send(0, {"a", "b", "c", "d", "e"});
  EXPECT_THAT(host->ports.at("p").sent_bytes[0], ElementsAre("a", "b", "c"));
  EXPECT_EQ(tester.dropped(DropReason::kTxFull), 2u);
}

TEST(QueueOutTest, SharesAQueueWithOthersThatSend) {
  auto host = HostWithPort(1);
  ModuleTester first("QueueOut", To("p", 0), host);
  ModuleTester second("QueueOut", To("p", 0), host);
  first.Send(0, {"a"});
  second.Send(0, {"b"});
  EXPECT_THAT(host->ports.at("p").sent_bytes[0], ElementsAre("a", "b"));
}

TEST(QueueOutTest, LetsGoOfTheLockWhenThePortIsFull) {
  auto host = HostWithPort(1);
  ModuleTester tester("QueueOut", To("p", 0), host);
  host->ports.at("p").tx_room = 0;
  tester.Send(0, {"a"});
  SpinLock& lock = host->ports.at("p").send_lock(0);
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(QueueOutTest, NeedsAPortAndAQueueOfIt) {
  auto host = HostWithPort(2);
  ExpectRefused(ModuleTester("QueueOut", To("", 0), host).status(), EINVAL, "'port'");
  ExpectRefused(ModuleTester("QueueOut", To("q", 0), host).status(), ENODEV, "'q'");
  // In 8 bits, 256 is queue 0; the last number stands for all queues inside.
  for (const uint64_t qid : {uint64_t{2}, uint64_t{256}, uint64_t{1} << 32, ~uint64_t{0}}) {
    ExpectRefused(ModuleTester("QueueOut", To("p", qid), host).status(), EINVAL,
                  absl::StrCat("not ", qid));
  }
}

}  // namespace
}  // namespace bess
