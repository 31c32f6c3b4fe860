// SPDX-License-Identifier: Apache-2.0
//
// Ports that are wanted with other settings, on devices that can be opened once.
#include <google/protobuf/wrappers.pb.h>

#include <functional>
#include <set>

#include "core/control/transact_testing.h"
#include "gmock/gmock.h"

namespace bess {
namespace {

using google::protobuf::StringValue;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

// Named by the argument. One called "broken" never comes up, and one that was lost not again.
class TestDevice final : public Port {
 public:
  static constexpr DriverInfo kInfo = {
      .name = "TestDevice", .help = "can be opened once", .template_name = "test_device"};

  ~TestDevice() override { open().erase(device_); }
  absl::Status Init(const StringValue& device) {
    if (device.value() == "broken" || lost() == device.value()) {
      return Error(EIO, "device '", device.value(), "' is broken");
    }
    if (!open().insert(device.value()).second) {
      return Error(EBUSY, "device '", device.value(), "' is open");
    }
    device_ = device.value();
    return absl::OkStatus();
  }

  static std::set<std::string>& open() {
    static std::set<std::string> open;
    return open;
  }
  static std::string& lost() {
    static std::string lost;
    return lost;
  }

 private:
  uint32_t DoReceive(uint32_t, Packet**, uint32_t) override { return 0; }
  uint32_t DoSend(uint32_t, Packet**, uint32_t) override { return 0; }

  std::string device_;
};

REGISTER_DRIVER(TestDevice);

// source -> pass -> sink runs all the while; in_p receives from port p, on device "d".
class EngineRenewTest : public TransactTest {
 protected:
  EngineRenewTest() {
    TestDevice::lost().clear();
    EngineOptions options;
    options.obstacle = [this](std::string_view) {
      const bool fails = ++steps_ == fail_at_;
      return fails ? Error(ENOMEM, "no memory at step ", steps_.load()) : absl::OkStatus();
    };
    engine_ = std::make_unique<Engine>(std::move(options), *pool_);
  }
  ~EngineRenewTest() override {
    engine_.reset();
    EXPECT_TRUE(TestDevice::open().empty());
  }

  void Build() {
    StartChain();
    AddPort("p", "d");
    Create("behind", "TestSink");
    Connect("in_p", "behind");
  }
  void AddPort(const std::string& name, const std::string& device) {
    Operations operations;
    operations.CreatePort(name).Receive("in_" + name, name);
    auto& port = *operations->mutable_operations(0)->mutable_create_port();
    port.set_driver("TestDevice");
    *port.mutable_arg() = Device(device);
    ASSERT_TRUE(Run(operations).ok()) << problems_.front().status;
  }
  static google::protobuf::Any Device(const std::string& name) {
    StringValue value;
    value.set_value(name);
    google::protobuf::Any any;
    any.PackFrom(value);
    return any;
  }
  // The state with a change of its first port.
  native::State With(const std::function<void(native::Port&)>& change) {
    native::State state = State();
    change(*state.mutable_ports(0));
    return state;
  }
  uint32_t Queues(const std::string& port) {
    uint32_t queues = 0;
    EXPECT_TRUE(engine_->ports()
                    .Visit(port, [&](const Port& p, const auto&) { queues = p.rx_queues(); })
                    .ok());
    return queues;
  }

  std::atomic<int> steps_{0};
  std::atomic<int> fail_at_{0};  // 0: nowhere
};

TEST_F(EngineRenewTest, OtherSettingsMakeAnotherPortAndNothingElse) {
  Build();
  const uint64_t version = engine_->version();
  const Module* pass = &module("pass");
  const native::State wanted = With([](native::Port& port) { port.set_num_inc_q(3); });
  const auto tried = Apply(wanted, {.dry_run = true});
  ASSERT_TRUE(tried.ok()) << tried.status();
  EXPECT_EQ(Queues("p"), 1u);
  EXPECT_EQ(engine_->version(), version);
  const auto done = Apply(wanted);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_THAT(Summary(done->changes), ElementsAre("!modules/in_p", "!ports/p"));
  EXPECT_EQ(Summary(tried->changes), Summary(done->changes));
  EXPECT_EQ(Queues("p"), 3u);
  EXPECT_EQ(engine_->version(), version + 1) << "one commit";
  EXPECT_EQ(State().SerializeAsString(), wanted.SerializeAsString());
  EXPECT_EQ(&module("pass"), pass);
  uint64_t earlier = version;
  ASSERT_TRUE(engine_->Apply(*engine_->ConfigurationAt(&earlier), {}, &problems_).ok());
  EXPECT_EQ(Queues("p"), 1u) << "and back";
}

TEST_F(EngineRenewTest, DevicesChangeHands) {
  Build();
  AddPort("q", "e");
  native::State swapped = State();
  std::swap(*swapped.mutable_ports(0)->mutable_arg(), *swapped.mutable_ports(1)->mutable_arg());
  const auto done = Apply(swapped);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(State().SerializeAsString(), swapped.SerializeAsString());
  EXPECT_THAT(TestDevice::open(), UnorderedElementsAre("d", "e"));
}

TEST_F(EngineRenewTest, APortMayGetAnotherName) {
  Build();
  native::State state = With([](native::Port& port) { port.set_name("wan"); });
  StringValue name;
  name.set_value("wan");
  for (native::Module& module : *state.mutable_modules()) {
    if (module.name() == "in_p") module.mutable_arg()->PackFrom(name);
  }
  const auto tried = Apply(state, {.dry_run = true});
  ASSERT_TRUE(tried.ok()) << tried.status();
  const auto done = Apply(state);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_THAT(Summary(done->changes), ElementsAre("!modules/in_p", "-ports/p", "+ports/wan"));
  EXPECT_EQ(Summary(tried->changes), Summary(done->changes));
}

TEST_F(EngineRenewTest, WhatIsWrongElsewhereLeavesTheDeviceAlone) {
  Build();
  const std::string before = StateBytes();
  const Module* receiver = &module("in_p");
  native::State state = With([](native::Port& port) { port.set_num_inc_q(2); });
  state.add_modules()->set_name("strange");
  ExpectError(Apply(state).status(), EINVAL, "mclass");
  state = With([](native::Port& port) { port.set_num_inc_q(1000); });
  ExpectError(Apply(state).status(), EINVAL, "1000");
  EXPECT_EQ(problems_.front().path, "ports/p");
  EXPECT_EQ(&module("in_p"), receiver) << "still the same";
  EXPECT_EQ(StateBytes(), before);
}

TEST_F(EngineRenewTest, WhatDoesNotComeUpComesBack) {
  Build();
  const std::string before = StateBytes();
  const uint64_t version = engine_->version();
  const auto result =
      Apply(With([](native::Port& port) { *port.mutable_arg() = Device("broken"); }));
  ExpectError(result.status(), EIO, "'broken' is broken");
  EXPECT_EQ(StateBytes(), before);
  EXPECT_EQ(engine_->version(), version);
  EXPECT_THAT(TestDevice::open(), ElementsAre("d"));
}

TEST_F(EngineRenewTest, WhereverItFailsAllIsAsItWas) {
  Build();
  const std::string before = StateBytes();
  const native::State wanted = With([](native::Port& port) { port.set_num_inc_q(2); });
  int failures = 0;
  for (;; ++failures) {
    steps_ = 0;
    fail_at_ = failures + 1;
    const auto result = Apply(wanted);
    if (result.ok()) break;
    fail_at_ = 0;
    ExpectError(result.status(), ENOMEM, "no memory");
    ASSERT_EQ(StateBytes(), before) << "after " << result.status();
    ASSERT_EQ(module("in_p").name(), "in_p");
    const uint64_t consumed = Consumed();
    ASSERT_TRUE(Eventually([&] { return Consumed() > consumed; })) << "after " << result.status();
  }
  EXPECT_GE(failures, 5);
  EXPECT_EQ(Queues("p"), 2u);
}

TEST_F(EngineRenewTest, WhatIsLostIsTold) {
  Build();
  const uint64_t version = engine_->version();
  TestDevice::lost() = "d";
  const auto result = Apply(With([](native::Port& port) { port.set_num_inc_q(2); }));
  ExpectError(result.status(), EIO, "'d' is broken");
  EXPECT_EQ(engine_->version(), version + 1);
  const native::State left = State();
  EXPECT_EQ(left.ports_size(), 0);
  EXPECT_EQ(left.modules_size(), 4) << "without what received there";
  EXPECT_EQ(engine_->Commits().back().comment(), "ports did not come back");
  AddPort("other", "e");
}

}  // namespace
}  // namespace bess
