// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"
#include "core/control/version.h"

namespace bess {
namespace {

using SystemRpcsTest = EngineTest;

TEST_F(SystemRpcsTest, Version) {
  pb::VersionResponse response;
  ASSERT_TRUE(rpc::GetVersion(*engine_, {}, &response).ok());
  EXPECT_EQ(response.version(), kVersion);
}

TEST_F(SystemRpcsTest, PauseResumeReset) {
  StartChain();
  pb::EmptyResponse response;
  ASSERT_TRUE(rpc::PauseAll(*engine_, {}, &response).ok());
  EXPECT_FALSE(engine_->ListWorkers()[0].running);
  ASSERT_TRUE(rpc::ResumeAll(*engine_, {}, &response).ok());
  EXPECT_TRUE(engine_->ListWorkers()[0].running);
  ASSERT_TRUE(rpc::ResetAll(*engine_, {}, &response).ok());
  EXPECT_TRUE(engine_->plan()->graph->modules.empty());
}

TEST_F(SystemRpcsTest, MempoolDump) {
  pb::DumpMempoolRequest request;
  pb::DumpMempoolResponse response;
  request.set_socket(-1);
  ASSERT_TRUE(rpc::DumpMempool(*engine_, request, &response).ok());
  ASSERT_EQ(response.dumps_size(), 1);
  EXPECT_EQ(response.dumps(0).mp_size(), pool_->capacity());
  EXPECT_EQ(response.dumps(0).mp_in_use_count(), 0u);
  EXPECT_EQ(response.dumps(0).name(), pool_->name());
  EXPECT_EQ(response.dumps(0).mp_element_size(), pool_->stride());
  for (const int socket : {-2, 1, INT32_MAX, INT32_MIN}) {
    request.set_socket(socket);
    ExpectError(rpc::DumpMempool(*engine_, request, &response), EINVAL, std::to_string(socket));
  }
}

}  // namespace
}  // namespace bess
