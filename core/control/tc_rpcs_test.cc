// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

class TcRpcsTest : public EngineTest {
 protected:
  // A request for a class that hangs nowhere.
  static pb::AddTcRequest Wanted(const std::string& name, const std::string& policy) {
    pb::AddTcRequest request;
    request.mutable_class_()->set_name(name);
    request.mutable_class_()->set_policy(policy);
    request.mutable_class_()->set_wid(-1);
    return request;
  }
  static pb::AddTcRequest Under(const std::string& parent, const std::string& name,
                                const std::string& policy) {
    pb::AddTcRequest request = Wanted(name, policy);
    request.mutable_class_()->set_parent(parent);
    return request;
  }
  absl::Status Add(const pb::AddTcRequest& request) {
    return rpc::AddTc(*engine_, request, &empty_);
  }
  absl::Status Move(const pb::TrafficClass& wanted) {
    pb::UpdateTcParentRequest request;
    *request.mutable_class_() = wanted;
    return rpc::UpdateTcParent(*engine_, request, &empty_);
  }
  absl::Status AttachLeaf(const std::string& module, uint64_t task, const std::string& parent) {
    pb::TrafficClass wanted;
    wanted.set_leaf_module_name(module);
    wanted.set_leaf_module_taskid(task);
    wanted.set_parent(parent);
    wanted.set_wid(-1);
    return Move(wanted);
  }
  // "name<parent" of each class, in the order listed.
  std::vector<std::string> List(int64_t wid) {
    pb::ListTcsRequest request;
    pb::ListTcsResponse response;
    request.set_wid(wid);
    EXPECT_TRUE(rpc::ListTcs(*engine_, request, &response).ok());
    std::vector<std::string> list;
    for (const auto& status : response.classes_status()) {
      list.push_back(absl::StrCat(status.class_().name(), "<", status.parent()));
      last_[status.class_().name()] = status.class_();
    }
    return list;
  }
  absl::Status Stats(const std::string& name) {
    pb::GetTcStatsRequest request;
    request.set_name(name);
    stats_.Clear();
    return rpc::GetTcStats(*engine_, request, &stats_);
  }

  using Names = std::vector<std::string>;
  const int core_ = AllowedCores().front();
  pb::EmptyResponse empty_;
  pb::GetTcStatsResponse stats_;
  std::map<std::string, pb::TrafficClass> last_;
};

TEST_F(TcRpcsTest, ErrorsAreThoseOfBess) {
  ASSERT_TRUE(engine_->AddWorker(0, core_, "").ok());
  ASSERT_TRUE(Add(Wanted("rr", "round_robin")).ok());
  ExpectError(Add(Wanted("", "round_robin")), EINVAL, "'name'");
  ExpectError(Add(Wanted("!x", "round_robin")), EINVAL, "reserved");
  const absl::Status twice = Add(Wanted("rr", "round_robin"));
  ExpectError(twice, EINVAL, "already exists");
  EXPECT_EQ(twice.message(), "Name 'rr' already exists");
  ExpectError(Add(Wanted("x", "magic")), EINVAL, "'magic'");
  ExpectError(Add(Wanted("x", "leaf")), EINVAL, "'x'");
  ExpectError(Add(Wanted("x", "weighted_fair")), EINVAL, "'resource'");
  ExpectError(Add(Under("nobody", "x", "round_robin")), ENOENT, "'nobody'");
  pb::AddTcRequest request = Under("rr", "x", "round_robin");
  request.mutable_class_()->set_wid(0);
  ExpectError(Add(request), EINVAL, "not both");
  for (const int64_t wid : {int64_t{-2}, int64_t{64}, int64_t{1} << 40}) {
    request = Wanted("x", "round_robin");
    request.mutable_class_()->set_wid(wid);
    ExpectError(Add(request), EINVAL, absl::StrCat(wid));
  }
  request.mutable_class_()->set_wid(5);
  ExpectError(Add(request), EINVAL, "worker 5");
  EXPECT_EQ(List(-1), Names({"rr<"}));
}

TEST_F(TcRpcsTest, OnlyTheEntryOfTheResourceCounts) {
  pb::AddTcRequest request = Wanted("limit", "rate_limit");
  request.mutable_class_()->set_resource("bit");
  (*request.mutable_class_()->mutable_limit())["bit"] = 1000;
  (*request.mutable_class_()->mutable_limit())["packet"] = -7;
  (*request.mutable_class_()->mutable_max_burst())["bit"] = 50;
  ASSERT_TRUE(Add(request).ok());
  List(-1);
  EXPECT_EQ(last_["limit"].limit().at("bit"), 1000);
  EXPECT_EQ(last_["limit"].limit().size(), 1u);
  EXPECT_EQ(last_["limit"].max_burst().at("bit"), 50);
  pb::UpdateTcParamsRequest update;
  update.mutable_class_()->set_name("limit");
  update.mutable_class_()->set_resource("packet");
  (*update.mutable_class_()->mutable_limit())["packet"] = -7;
  ExpectError(rpc::UpdateTcParams(*engine_, update, &empty_), EINVAL, "not -7");
  (*update.mutable_class_()->mutable_limit())["packet"] = 7;
  ASSERT_TRUE(rpc::UpdateTcParams(*engine_, update, &empty_).ok());
  List(-1);
  EXPECT_EQ(last_["limit"].limit().at("packet"), 7);
  EXPECT_EQ(last_["limit"].resource(), "packet");
  update.mutable_class_()->set_name("nobody");
  ExpectError(rpc::UpdateTcParams(*engine_, update, &empty_), ENOENT, "'nobody'");
  update.mutable_class_()->clear_name();
  ExpectError(rpc::UpdateTcParams(*engine_, update, &empty_), EINVAL, "'name'");
}

TEST_F(TcRpcsTest, LeavesAttachByModuleAndTask) {
  StartChain();
  ASSERT_TRUE(Add(Wanted("prio", "priority")).ok());
  ExpectError(AttachLeaf("source", 0, "prio"), EINVAL, "'priority'");
  pb::TrafficClass wanted;
  wanted.set_leaf_module_name("source");
  wanted.set_parent("prio");
  wanted.set_wid(-1);
  wanted.set_priority(3);
  ASSERT_TRUE(Move(wanted).ok());
  EXPECT_EQ(List(0), Names({"prio<", "!leaf_source:0<prio"}));
  EXPECT_EQ(last_["!leaf_source:0"].priority(), 3);
  EXPECT_EQ(last_["!leaf_source:0"].leaf_module_name(), "source");
  EXPECT_EQ(last_["!leaf_source:0"].policy(), "leaf");
  ExpectError(AttachLeaf("nobody", 0, "prio"), ENOENT, "'nobody'");
  ExpectError(AttachLeaf("source", 32, "prio"), EINVAL, "not 32");
  ExpectError(AttachLeaf("source", 1, "prio"), ENOENT, "no task 1");
  ExpectError(AttachLeaf("source", 0, "!leaf_source:0"), EPERM, "leaf");
  ExpectError(AttachLeaf("", 0, "prio"), EINVAL, "which class");
  EXPECT_EQ(List(0), Names({"prio<", "!leaf_source:0<prio"})) << "refusals leave it where it is";
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; })) << "and at work";
}

TEST_F(TcRpcsTest, OthersMoveUntilTheyAreAttached) {
  ASSERT_TRUE(engine_->AddWorker(0, core_, "").ok());
  ASSERT_TRUE(engine_->PauseAll().ok());
  ASSERT_TRUE(Add(Wanted("rr", "round_robin")).ok());
  ASSERT_TRUE(Add(Wanted("orphan", "round_robin")).ok());
  pb::TrafficClass wanted;
  wanted.set_name("orphan");
  wanted.set_parent("rr");
  wanted.set_wid(-1);
  EXPECT_TRUE(Move(wanted).ok());
  wanted.set_parent("");
  wanted.set_wid(0);
  ExpectError(Move(wanted), EINVAL, "attached already");
  ASSERT_TRUE(engine_->ResumeAll().ok());
  wanted.set_name("rr");
  ExpectError(Move(wanted), EINVAL, "attached already");
  wanted.set_name("nobody");
  ExpectError(Move(wanted), ENOENT, "'nobody'");
}

TEST_F(TcRpcsTest, SeveralRootsHangUnderTheWorkersOwn) {
  StartChain();
  EXPECT_EQ(List(0), Names({"!leaf_source:0<"})) << "one needs no class above it";
  ExpectError(Stats("!default_rr_0"), ENOENT, "!default_rr_0");
  ASSERT_TRUE(Add(Wanted("rr", "round_robin")).ok());
  EXPECT_EQ(List(0), Names({"!default_rr_0<", "!leaf_source:0<!default_rr_0", "rr<!default_rr_0"}));
  EXPECT_TRUE(Eventually([&] { return Stats("!default_rr_0").ok() && stats_.packets() > 0; }));
  ASSERT_TRUE(AttachLeaf("source", 0, "rr").ok());
  EXPECT_EQ(List(0), Names({"rr<", "!leaf_source:0<rr"}));
  ASSERT_TRUE(AttachLeaf("source", 0, "!default_rr_0").ok()) << "what is listed can be named";
  EXPECT_EQ(List(0).size(), 3u);
}

TEST_F(TcRpcsTest, ListsOfAWorkerThatCannotBe) {
  pb::ListTcsRequest request;
  pb::ListTcsResponse response;
  request.set_wid(64);
  ExpectError(rpc::ListTcs(*engine_, request, &response), EINVAL, "not 64");
  EXPECT_TRUE(List(63).empty());
}

TEST_F(TcRpcsTest, OrphansAreListedWithoutAWorker) {
  ASSERT_TRUE(engine_->PauseAll().ok());
  Create("source", "TestSource");
  EXPECT_EQ(List(-1), Names({"!leaf_source:0<"}));
  EXPECT_EQ(last_["!leaf_source:0"].wid(), -1);
}

TEST_F(TcRpcsTest, StatisticsGoOnWhereverTheLeafHangs) {
  StartChain();
  ASSERT_TRUE(Stats("!leaf_source:0").ok());
  const uint64_t before = stats_.packets();
  ASSERT_TRUE(Add(Wanted("rr", "round_robin")).ok());
  ASSERT_TRUE(AttachLeaf("source", 0, "rr").ok());
  EXPECT_TRUE(
      Eventually([&] { return Stats("!leaf_source:0").ok() && stats_.packets() > before; }));
  EXPECT_GT(stats_.timestamp(), 1e9);
  EXPECT_EQ(stats_.bits(), stats_.packets() * 60 * 8);
  EXPECT_GT(stats_.cycles(), 0u);
  EXPECT_GE(stats_.count() * TestSource::kBurst, stats_.packets());
  ExpectError(Stats(""), EINVAL, "'name'");
  ExpectError(Stats("nobody"), ENOENT, "'nobody'");
}

TEST_F(TcRpcsTest, WhoHasNothingToRunOrMayNotIsBlocked) {
  StartChain();
  auto& source = static_cast<TestSource&>(module("source"));
  const auto blocked = [&](const std::string& name, bool wanted) {
    return Eventually([&] {
      List(-1);
      return last_.at(name).blocked() == wanted;
    });
  };
  EXPECT_TRUE(blocked("!leaf_source:0", false));
  ASSERT_TRUE(Add(Wanted("empty", "round_robin")).ok());
  EXPECT_TRUE(blocked("empty", true));
  EXPECT_TRUE(blocked("!default_rr_0", false)) << "the source can run";
  source.quiet = true;
  EXPECT_TRUE(blocked("!leaf_source:0", true));
  EXPECT_TRUE(blocked("!default_rr_0", true));
  source.quiet = false;
  pb::AddTcRequest limit = Under("empty", "limit", "rate_limit");
  limit.mutable_class_()->set_resource("packet");
  (*limit.mutable_class_()->mutable_limit())["packet"] = 1;
  ASSERT_TRUE(Add(limit).ok());
  ASSERT_TRUE(AttachLeaf("source", 0, "limit").ok());
  EXPECT_TRUE(blocked("limit", true)) << "one batch and it has to wait";
  EXPECT_TRUE(blocked("empty", true));
  EXPECT_FALSE(last_.at("!leaf_source:0").blocked()) << "it has packets";
  ASSERT_TRUE(engine_->UpdateClass("limit", {.resource = TcResource::kPacket}).ok());
  EXPECT_TRUE(blocked("limit", false));
}

TEST_F(TcRpcsTest, ResetTakesAllButTheLeaves) {
  StartChain();
  ASSERT_TRUE(Add(Wanted("rr", "round_robin")).ok());
  ASSERT_TRUE(AttachLeaf("source", 0, "rr").ok());
  ExpectError(rpc::ResetTcs(*engine_, {}, &empty_), EBUSY, "'rr'");
  ASSERT_TRUE(AttachLeaf("source", 0, "!default_rr_0").ok());
  ASSERT_TRUE(rpc::ResetTcs(*engine_, {}, &empty_).ok());
  EXPECT_EQ(List(-1), Names({"!leaf_source:0<"}));
  EXPECT_TRUE(Add(Wanted("rr", "round_robin")).ok()) << "the name is free again";
}

}  // namespace
}  // namespace bess
