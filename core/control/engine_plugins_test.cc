// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <gmock/gmock.h>

#include "core/control/engine_testing.h"
#include "core/control/plugin_testing.h"

namespace bess {
namespace {

class EnginePluginsTest : public PluginDirectory, public EngineTest {
 protected:
  explicit EnginePluginsTest(const std::string& built = SAMPLE_PLUGIN) : PluginDirectory(built) {
    engine_ = std::make_unique<Engine>(EngineOptions{.plugins = directory()}, *pool_);
  }

  bool HasClass() const { return ModuleRegistry::Get().Find("SequentialUpdate") != nullptr; }
  bool IsMapped() const { return IsMapped(sample()); }
  static bool IsMapped(const std::string& path) {
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (handle != nullptr) dlclose(handle);
    return handle != nullptr;
  }
  void PutIntoChain(const std::string& name) {
    Create(name, "SequentialUpdate");
    ASSERT_TRUE(engine_->Disconnect("source", 0).ok());
    Connect(name, "pass");
    Connect("source", name);
  }
  void TakeOutOfChain(const std::string& name) {
    ASSERT_TRUE(engine_->DestroyModule(name).ok());
    Connect("source", "pass");
  }
};

TEST_F(EnginePluginsTest, LoadsUsesUnloadsAndLoadsAgain) {
  ASSERT_TRUE(engine_->ImportPlugin(sample()).ok());
  EXPECT_THAT(engine_->ListPlugins(), testing::ElementsAre(sample()));
  ExpectError(engine_->ImportPlugin(sample()), EEXIST, "loaded already");
  StartChain();
  PutIntoChain("count");
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
  ExpectError(engine_->UnloadPlugin(sample()), EBUSY, "module 'count'");
  EXPECT_TRUE(HasClass()) << "a refusal changes nothing";
  TakeOutOfChain("count");
  ASSERT_TRUE(engine_->UnloadPlugin(sample()).ok());
  EXPECT_FALSE(HasClass());
  EXPECT_FALSE(IsMapped());
  EXPECT_THAT(engine_->ListPlugins(), testing::IsEmpty());
  ExpectError(engine_->UnloadPlugin(sample()), ENOENT, "is loaded");
  ExpectError(engine_->CreateModule("x", "SequentialUpdate", {}).status(), ENOENT,
              "no module class");
  ASSERT_TRUE(engine_->ImportPlugin("sequential_update.so").ok());
  Create("again", "SequentialUpdate");
  ASSERT_TRUE(engine_->DestroyModule("again").ok());
  EXPECT_TRUE(engine_->UnloadPlugin("sequential_update.so").ok());
}

TEST_F(EnginePluginsTest, AHundredTimesUnderLoad) {
  StartChain();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(engine_->ImportPlugin(sample()).ok()) << i;
    PutIntoChain("count");
    ASSERT_TRUE(engine_->RunCommand("count", "clear", {}, nullptr).ok());
    TakeOutOfChain("count");
    const absl::Status unloaded = engine_->UnloadPlugin(sample());
    ASSERT_TRUE(unloaded.ok()) << i << unloaded;
    ASSERT_FALSE(IsMapped()) << i;
  }
  ASSERT_TRUE(engine_->PauseAll().ok());
  ExpectBalancedBooks();
}

TEST_F(EnginePluginsTest, APlanThatIsStillBeingReadKeepsTheCode) {
  ASSERT_TRUE(engine_->ImportPlugin(sample()).ok());
  Create("count", "SequentialUpdate");
  auto plan = engine_->plan();
  ASSERT_TRUE(engine_->DestroyModule("count").ok());
  ASSERT_TRUE(engine_->UnloadPlugin(sample()).ok());
  EXPECT_TRUE(IsMapped());
  EXPECT_EQ(plan->graph->Find("count")->module->info().name, "SequentialUpdate");
  EXPECT_EQ(plan->graph->Find("count")->module->Description(), "");
  ExpectError(engine_->ImportPlugin(sample()), EBUSY, "still being unloaded");
  plan.reset();
  EXPECT_TRUE(Eventually([&] { return !IsMapped(); }));
  EXPECT_TRUE(engine_->ImportPlugin(sample()).ok());
}

TEST_F(EnginePluginsTest, WhatTheLoaderSaysReachesTheClient) {
  const std::string broken = Replaced(SampleBytes(), ".messages", ".massages");
  ExpectError(engine_->ImportPlugin(Write("broken.so", broken)), EINVAL, ".massages");
  EXPECT_FALSE(HasClass());
}

TEST_F(EnginePluginsTest, ClassesThatAreThereAlreadyAreRefused) {
  ASSERT_TRUE(engine_->ImportPlugin(sample()).ok());
  ExpectError(engine_->ImportPlugin(Write("copy.so", SampleBytes())), EEXIST, "SequentialUpdate");
  EXPECT_TRUE(HasClass());
  EXPECT_THAT(engine_->ListPlugins(), testing::ElementsAre(sample()));
}

TEST_F(EnginePluginsTest, OtherMessagesOfAKnownNameAreRefused) {
  ASSERT_TRUE(engine_->ImportPlugin(sample()).ok());
  ASSERT_TRUE(engine_->UnloadPlugin(sample()).ok());
  std::string other = SampleBytes();
  other[other.find("supdate.proto@") + 14] ^= 1;
  ExpectError(engine_->ImportPlugin(Write("other.so", other)), EEXIST, "supdate.proto");
}

TEST_F(EnginePluginsTest, AllOfTheDirectoryIsLoadedAtStartAndOneThatFailsIsNotFatal) {
  Write("text.so", "no plugin");
  Write("readme.txt", "nothing");
  engine_->ImportAllPlugins();
  EXPECT_THAT(engine_->ListPlugins(), testing::ElementsAre(sample()));
}

TEST_F(EnginePluginsTest, EndsWithPluginsInUse) {
  ASSERT_TRUE(engine_->ImportPlugin(sample()).ok());
  StartChain();
  PutIntoChain("count");
  engine_.reset();
  EXPECT_FALSE(HasClass());
  EXPECT_FALSE(IsMapped());
}

// Drivers of ports come and go like classes of modules.
class EngineDriverPluginTest : public EnginePluginsTest {
 protected:
  EngineDriverPluginTest() : EnginePluginsTest(SAMPLE_DRIVER_PLUGIN) {}

  absl::Status MakePort() {
    return engine_->ports().Create({.name = "loop", .driver = "LoopPort"}).status();
  }
  bool IsMapped() const { return EnginePluginsTest::IsMapped(path_); }

  const std::string path_ = directory() + "/loop_port.so";
};

TEST_F(EngineDriverPluginTest, CarriesPacketsAndGoesWhenNoPortIsLeft) {
  ExpectError(MakePort(), ENOENT, "'LoopPort'");
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(engine_->ImportPlugin(path_).ok()) << i;
    ASSERT_TRUE(MakePort().ok());
    {
      const auto out = *engine_->ports().Lease("loop", Direction::kSend, "out");
      const auto in = *engine_->ports().Lease("loop", Direction::kReceive, "in");
      Packet* packet = pool_->Make("there and back");
      ASSERT_EQ(out->port().Send(0, &packet, 1), 1u);
      ASSERT_EQ(in->port().Receive(0, &packet, 1).packets, 1u);
      FreePackets(&packet, 1);
      packet = pool_->Make("left behind");
      ASSERT_EQ(out->port().Send(0, &packet, 1), 1u);
    }
    ExpectError(engine_->UnloadPlugin(path_), EBUSY, "port 'loop'");
    ASSERT_TRUE(engine_->ports().Destroy("loop").ok());
    const absl::Status unloaded = engine_->UnloadPlugin(path_);
    ASSERT_TRUE(unloaded.ok()) << unloaded;
    ASSERT_FALSE(IsMapped()) << i;
  }
  ExpectError(MakePort(), ENOENT, "'LoopPort'");
}

TEST_F(EngineDriverPluginTest, EndsWithAPortInUse) {
  ASSERT_TRUE(engine_->ImportPlugin(path_).ok());
  ASSERT_TRUE(MakePort().ok());
  engine_.reset();
  EXPECT_FALSE(IsMapped());
}

TEST_F(EnginePluginsTest, WithoutADirectoryThereAreNone) {
  engine_ = std::make_unique<Engine>(EngineOptions{}, *pool_);
  engine_->ImportAllPlugins();
  ExpectError(engine_->ImportPlugin(sample()), EPERM, "without plugins");
  EXPECT_THAT(engine_->ListPlugins(), testing::IsEmpty());
}

}  // namespace
}  // namespace bess
