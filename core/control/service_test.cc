// SPDX-License-Identifier: Apache-2.0
#include "core/control/service.h"

#include <atomic>

#include "bess/service.grpc.pb.h"
#include "core/control/engine_testing.h"
#include "native/observe.grpc.pb.h"
#include "native/scheduler.grpc.pb.h"

namespace bess {
namespace {

class ServiceTest : public EngineTest {
 protected:
  ServiceTest() {
    grpc::ServerBuilder builder;
    for (const auto& service : services_) builder.RegisterService(service.get());
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel({});
    control_ = pb::BESSControl::NewStub(channel_);
  }
  ~ServiceTest() override { server_->Shutdown(); }

  std::atomic<bool> killed_{false};
  std::vector<std::unique_ptr<grpc::Service>> services_ =
      MakeServices(*engine_, [this] { killed_ = true; });
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<pb::BESSControl::Stub> control_;
  grpc::ClientContext context_;
};

TEST_F(ServiceTest, SuccessLeavesErrorUnset) {
  pb::CreateModuleRequest request;
  pb::CreateModuleResponse response;
  request.set_mclass("TestSink");
  ASSERT_TRUE(control_->CreateModule(&context_, request, &response).ok());
  EXPECT_FALSE(response.has_error());
  EXPECT_EQ(response.name(), "test_sink0");
}

TEST_F(ServiceTest, ErrorsTravelInTheResponse) {
  pb::CreateModuleRequest request;
  pb::CreateModuleResponse response;
  request.set_mclass("Nonsense");
  ASSERT_TRUE(control_->CreateModule(&context_, request, &response).ok());
  EXPECT_EQ(response.error().code(), ENOENT);
  EXPECT_EQ(response.error().errmsg(), "there is no module class 'Nonsense'");
}

TEST_F(ServiceTest, KillTellsTheDaemon) {
  pb::EmptyResponse response;
  ASSERT_TRUE(control_->KillBess(&context_, {}, &response).ok());
  EXPECT_FALSE(response.has_error());
  EXPECT_TRUE(killed_);
}

TEST_F(ServiceTest, NativeServicesUseGrpcCodes) {
  const auto observe = native::Observe::NewStub(channel_);
  native::GetLedgerRequest request;
  native::GetLedgerResponse response;
  request.add_modules("nobody");
  const grpc::Status status = observe->GetLedger(&context_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "there is no module 'nobody'");
}

TEST_F(ServiceTest, TheSchedulerServiceUsesGrpcCodesToo) {
  const auto scheduler = native::Scheduler::NewStub(channel_);
  native::RemoveClassRequest request;
  native::RemoveClassResponse response;
  request.set_name("nobody");
  const grpc::Status status = scheduler->RemoveClass(&context_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "there is no traffic class 'nobody'");
}

}  // namespace
}  // namespace bess
