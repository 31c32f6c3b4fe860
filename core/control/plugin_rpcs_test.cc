// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

class PluginRpcsTest : public EngineTest {};

TEST_F(PluginRpcsTest, FailuresAreMinusOneWithAText) {
  pb::EmptyResponse response;
  pb::ImportPluginRequest import;
  import.set_path("/no/such.so");
  ExpectError(rpc::ImportPlugin(*engine_, import, &response), -1, "without plugins");
  pb::UnloadPluginRequest unload;
  unload.set_path("/no/such.so");
  ExpectError(rpc::UnloadPlugin(*engine_, unload, &response), -1, "'/no/such.so'");
}

TEST_F(PluginRpcsTest, NoneAreListedAtFirst) {
  pb::ListPluginsResponse response;
  EXPECT_TRUE(rpc::ListPlugins(*engine_, {}, &response).ok());
  EXPECT_EQ(response.paths_size(), 0);
}

}  // namespace
}  // namespace bess
