// SPDX-License-Identifier: Apache-2.0
//
// Module classes that are told things at run time, and short words for transactions and states.
// transact_test.cc registers the classes, once for the test program.
#pragma once

#include <google/protobuf/wrappers.pb.h>

#include <string>
#include <vector>

#include "core/control/engine_testing.h"
#include "core/control/transact.h"

namespace bess {

using Number = google::protobuf::Int64Value;

inline Number NumberOf(int64_t value) {
  Number number;
  number.set_value(value);
  return number;
}

// Can say what it was told.
class TestKnob final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestKnob", .help = "has a setting"};
  static Commands<TestKnob> commands() {
    return {{"set", &TestKnob::Set},
            {"get_runtime_config", &TestKnob::Get},
            {"set_runtime_config", &TestKnob::Set}};
  }
  absl::Status Init(const Number& arg) { return Set(arg); }
  absl::Status Set(const Number& arg) {
    if (arg.value() < 0) return Error(EINVAL, "'value' must be 0 or more, not ", arg.value());
    value_ = arg.value();
    return absl::OkStatus();
  }
  absl::StatusOr<Number> Get(const pb::EmptyArg&) { return NumberOf(value_); }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }

 private:
  int64_t value_ = 0;
};

// Cannot.
class TestDial final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestDial", .help = "adds up what it is told"};
  static Commands<TestDial> commands() {
    return {{"turn", &TestDial::Turn}, {"get_sum", &TestDial::GetSum}};
  }
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  absl::Status Turn(const Number& arg) {
    if (arg.value() < 0) return Error(EINVAL, "only forward");
    sum_ += arg.value();
    return absl::OkStatus();
  }
  absl::StatusOr<Number> GetSum(const pb::EmptyArg&) { return NumberOf(sum_); }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }

 private:
  int64_t sum_ = 0;
};

// Takes all that a port receives, which it names in its argument.
class TestReceiver final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "TestReceiver", .help = "receives from a port", .igates = 0};
  static Commands<TestReceiver> commands() {
    return {{"poke", &TestReceiver::Poke}, {"get_pokes", &TestReceiver::GetPokes}};
  }
  absl::Status Init(const google::protobuf::StringValue& port) {
    BESS_ASSIGN_OR_RETURN(lease_,
                          host().LeasePort(port.value(), Direction::kReceive, name(), kAllQueues));
    return AddTask(0);
  }
  absl::Status Poke(const Number& arg) {
    pokes_ += arg.value();
    return absl::OkStatus();
  }
  absl::StatusOr<Number> GetPokes(const pb::EmptyArg&) { return NumberOf(pokes_); }
  TaskResult RunTask(Context&, Batch&, uint64_t) { return {.blocked = true}; }

 private:
  std::unique_ptr<PortLease> lease_;
  int64_t pokes_ = 0;
};

inline google::protobuf::Any Packed(int64_t value) {
  google::protobuf::Any any;
  any.PackFrom(NumberOf(value));
  return any;
}

// Requests in the order of the calls.
class Operations {
 public:
  Operations& Create(const std::string& name, const std::string& mclass) {
    auto& request = *request_.add_operations()->mutable_create_module();
    request.set_name(name);
    request.set_mclass(mclass);
    return *this;
  }
  Operations& Receive(const std::string& name, const std::string& port) {
    Create(name, "TestReceiver");
    google::protobuf::StringValue value;
    value.set_value(port);
    request_.mutable_operations()->rbegin()->mutable_create_module()->mutable_arg()->PackFrom(
        value);
    return *this;
  }
  Operations& CreatePort(const std::string& name) {
    auto& request = *request_.add_operations()->mutable_create_port();
    request.set_name(name);
    request.set_driver("TestPort");
    return *this;
  }
  Operations& DestroyPort(const std::string& name) {
    request_.add_operations()->mutable_destroy_port()->set_name(name);
    return *this;
  }
  Operations& Destroy(const std::string& name) {
    request_.add_operations()->mutable_destroy_module()->set_name(name);
    return *this;
  }
  Operations& Connect(const std::string& from, uint64_t ogate, const std::string& to) {
    auto& request = *request_.add_operations()->mutable_connect_modules();
    request.set_m1(from);
    request.set_ogate(ogate);
    request.set_m2(to);
    return *this;
  }
  Operations& Disconnect(const std::string& from, uint64_t ogate) {
    auto& request = *request_.add_operations()->mutable_disconnect_modules();
    request.set_name(from);
    request.set_ogate(ogate);
    return *this;
  }
  Operations& Command(const std::string& module, const std::string& cmd, int64_t value) {
    auto& request = *request_.add_operations()->mutable_module_command();
    request.set_name(module);
    request.set_cmd(cmd);
    *request.mutable_arg() = Packed(value);
    return *this;
  }
  native::TransactRequest* operator->() { return &request_; }
  const native::TransactRequest& operator*() const { return request_; }

 private:
  native::TransactRequest request_;
};

class TransactTest : public EngineTest {
 protected:
  absl::Status Run(const Operations& operations) {
    problems_.clear();
    response_.Clear();
    return Transact(*engine_, *operations, &response_, &problems_);
  }
  native::State State() {
    uint64_t version = 0;
    return ToState(engine_->ConfigurationAt(&version).value());
  }
  // Byte for byte what GetState returns.
  std::string StateBytes() { return State().SerializeAsString(); }
  absl::StatusOr<CommitResult> Apply(const native::State& state, CommitOptions options = {}) {
    problems_.clear();
    const Configuration wanted = FromState(state, &problems_);
    if (!problems_.empty()) return problems_.front().status;
    return engine_->Apply(wanted, options, &problems_);
  }
  int64_t ValueOf(const std::string& module, const std::string& command) {
    google::protobuf::Any reply;
    Number number;
    EXPECT_TRUE(engine_->RunCommand(module, command, {}, &reply).ok());
    EXPECT_TRUE(reply.UnpackTo(&number));
    return number.value();
  }
  void Tell(const std::string& module, const std::string& command, int64_t value) {
    google::protobuf::Any reply;
    ASSERT_TRUE(engine_->RunCommand(module, command, Packed(value), &reply).ok());
  }

  Problems problems_;
  native::TransactResponse response_;
};

// Without the entries' contents: "+modules/a", "-connections/a:0", "*modules/b" (updated),
// "!modules/c" (replaced).
inline std::vector<std::string> Summary(const std::vector<native::Change>& changes) {
  std::vector<std::string> lines;
  for (const native::Change& change : changes) {
    lines.push_back(" +-*!"[change.action()] + change.path());
  }
  return lines;
}

}  // namespace bess
