// SPDX-License-Identifier: Apache-2.0
#include "core/control/live_service.h"

#include <grpcpp/grpcpp.h>

#include "core/control/transact_testing.h"
#include "native/live.grpc.pb.h"

namespace bess {
namespace {

// Says in its error what it was given.
class TestEcho final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestEcho", .help = "refuses its argument"};
  absl::Status Init(const google::protobuf::BytesValue& arg) { return Error(EINVAL, arg.value()); }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }
};
REGISTER_MODULE(TestEcho);

class LiveServiceTest : public TransactTest {
 protected:
  LiveServiceTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    live_ = native::Live::NewStub(server_->InProcessChannel({}));
  }
  ~LiveServiceTest() override { server_->Shutdown(); }

  // The problems in the details of a status.
  static native::Problems ProblemsOf(const grpc::Status& status) {
    native::StatusDetails details;
    native::Problems problems;
    EXPECT_TRUE(details.ParseFromString(status.error_details()));
    EXPECT_EQ(details.code(), status.error_code());
    EXPECT_TRUE(details.details(0).UnpackTo(&problems));
    return problems;
  }
  // The text that a client gets of an error with this one.
  std::string Echoed(const std::string& text) {
    google::protobuf::BytesValue value;
    value.set_value(text);
    Operations operations;
    operations.Create("echo", "TestEcho");
    operations->mutable_operations(0)->mutable_create_module()->mutable_arg()->PackFrom(value);
    grpc::ClientContext context;
    native::TransactResponse response;
    return ProblemsOf(live_->Transact(&context, *operations, &response)).problems(0).message();
  }
  native::GetStateResponse GetState(uint64_t version = 0) {
    grpc::ClientContext context;
    native::GetStateRequest request;
    native::GetStateResponse response;
    request.set_version(version);
    EXPECT_TRUE(live_->GetState(&context, request, &response).ok());
    return response;
  }

  std::unique_ptr<grpc::Service> service_ = MakeLiveService(*engine_);
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<native::Live::Stub> live_;
  grpc::ClientContext context_;
};

TEST_F(LiveServiceTest, ProblemsComeWithTheirPaths) {
  Operations operations;
  operations.Destroy("nobody").Create("a", "TestSink").Create("b", "Nonsense");
  native::TransactResponse response;
  const grpc::Status status = live_->Transact(&context_, *operations, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  const native::Problems problems = ProblemsOf(status);
  EXPECT_EQ(problems.count(), 2u);
  ASSERT_EQ(problems.problems_size(), 2);
  EXPECT_EQ(problems.problems(1).path(), "operations[2]");
  EXPECT_EQ(problems.problems(1).errno_value(), ENOENT);
  EXPECT_EQ(problems.problems(1).message(), "there is no module class 'Nonsense'");
}

TEST_F(LiveServiceTest, DetailsFitIntoAHeaderHoweverMuchIsWrong) {
  Operations operations;
  for (int i = 0; i < 1000; ++i) operations.Destroy(absl::StrCat("nobody", i));
  native::TransactResponse response;
  const grpc::Status many = live_->Transact(&context_, *operations, &response);
  const native::Problems problems = ProblemsOf(many);
  EXPECT_EQ(problems.count(), 1000u);
  EXPECT_GE(problems.problems_size(), 20);
  EXPECT_LT(many.error_details().size(), 4096u);

  Operations one;
  one.Destroy(std::string(100'000, 'x'));
  grpc::ClientContext context;
  const grpc::Status long_name = live_->Transact(&context, *one, &response);
  EXPECT_EQ(ProblemsOf(long_name).problems_size(), 1);
  EXPECT_LT(long_name.error_details().size() + long_name.error_message().size(), 4096u);
  EXPECT_TRUE(long_name.error_message().ends_with("...")) << long_name.error_message().size();
}

TEST_F(LiveServiceTest, TextsOfErrorsAreWholeCharacters) {
  EXPECT_EQ(Echoed("h\u00e9 \u20ac \U0001f600"), "h\u00e9 \u20ac \U0001f600");
  EXPECT_EQ(Echoed(std::string(512, 'x')), std::string(512, 'x'));
  EXPECT_EQ(Echoed(std::string(513, 'x')), std::string(512, 'x') + "...");
  for (const size_t before : {510, 511, 512}) {
    const std::string fits(before, 'x');
    EXPECT_EQ(Echoed(fits + "\u20ac\u20ac"), fits + "...") << before;
  }
  EXPECT_EQ(Echoed(std::string(509, 'x') + "\u20ac"), std::string(509, 'x') + "\u20ac");
}

TEST_F(LiveServiceTest, WhatIsNotUtf8IsHarmless) {
  EXPECT_EQ(Echoed("a\xff"
                   "b"),
            "a?b");
  EXPECT_EQ(Echoed("\xc0\x80"), "??") << "a longer form than needed";
  EXPECT_EQ(Echoed("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(Echoed("\xf4\x90\x80\x80"), "????") << "behind the last";
  EXPECT_EQ(Echoed("\xe2\x82"), "??") << "cut off";
}

TEST_F(LiveServiceTest, AWrongVersionIsAborted) {
  native::ApplyRequest request;
  native::ApplyResponse response;
  request.set_expected_version(99);
  const grpc::Status status = live_->Apply(&context_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ProblemsOf(status).problems(0).path(), "");
}

TEST_F(LiveServiceTest, StatesGoRound) {
  StartChain();
  native::ApplyRequest request;
  *request.mutable_state() = GetState().state();
  request.mutable_state()->add_modules()->set_name("more");
  request.mutable_state()->mutable_modules()->rbegin()->set_mclass("TestSink");
  native::ApplyResponse response;
  request.set_dry_run(true);
  ASSERT_TRUE(live_->Apply(&context_, request, &response).ok());
  ASSERT_EQ(response.changes_size(), 1);
  EXPECT_EQ(response.changes(0).path(), "modules/more");
  EXPECT_EQ(GetState().state().modules_size(), 3);
  request.set_dry_run(false);
  grpc::ClientContext again;
  ASSERT_TRUE(live_->Apply(&again, request, &response).ok());
  EXPECT_EQ(GetState().version(), response.version());
  EXPECT_EQ(GetState().state().modules_size(), 4);
}

TEST_F(LiveServiceTest, HistoryGoesBack) {
  StartChain();
  const native::GetStateResponse before = GetState();
  ASSERT_TRUE(engine_->DestroyModule("pass").ok());
  native::HistoryRequest limit;
  limit.set_limit(2);
  native::HistoryResponse history;
  ASSERT_TRUE(live_->History(&context_, limit, &history).ok());
  ASSERT_EQ(history.commits_size(), 2);
  EXPECT_EQ(history.commits(0).comment(), "DestroyModule pass");
  EXPECT_EQ(history.commits(0).changes_size(), 0);
  EXPECT_GT(history.commits(0).num_changes(), 0u);
  native::RollbackRequest request;
  native::RollbackResponse response;
  request.set_version(before.version());
  grpc::ClientContext context;
  ASSERT_TRUE(live_->Rollback(&context, request, &response).ok());
  EXPECT_EQ(GetState().state().SerializeAsString(), before.state().SerializeAsString());
  EXPECT_EQ(response.version(), before.version() + 2);
}

TEST_F(LiveServiceTest, BulkCommandsHaveAnOutcomeEach) {
  Create("knob", "TestKnob");
  const uint64_t version = engine_->version();
  native::BulkCommandRequest request;
  native::BulkCommandResponse response;
  for (const int64_t value : {1, -1, 3}) {
    auto& command = *request.add_commands();
    command.set_name("knob");
    command.set_cmd("set");
    *command.mutable_arg() = Packed(value);
  }
  request.add_commands()->set_name("nobody");
  auto stream = live_->BulkCommand(&context_);
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.outcomes_size(), 4);
  EXPECT_EQ(response.outcomes(0).code(), 0);
  EXPECT_EQ(response.outcomes(1).code(), static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
  EXPECT_EQ(response.outcomes(2).code(), 0);
  EXPECT_EQ(response.outcomes(3).code(), static_cast<int>(grpc::StatusCode::NOT_FOUND));
  EXPECT_EQ(response.version(), version + 1);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(ValueOf("knob", "get_runtime_config"), 3);
}

TEST_F(LiveServiceTest, WatchingShowsCommits) {
  const uint64_t version = engine_->version();
  Create("sink", "TestSink");
  native::WatchRequest request;
  request.set_after_version(version);
  auto stream = live_->Watch(&context_, request);
  native::Event event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.commit().changes(0).path(), "modules/sink");
  Create("more", "TestSink");
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.commit().comment(), "CreateModule more");
  context_.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace bess
