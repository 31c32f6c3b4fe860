// SPDX-License-Identifier: Apache-2.0
#include "core/control/plugin_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/control/engine_testing.h"
#include "core/control/plugin_testing.h"

namespace bess {
namespace {

class PluginFileTest : public PluginDirectory, public testing::Test {
 protected:
  PluginFileTest() : PluginDirectory(SAMPLE_PLUGIN) {}

  void ExpectRefused(const std::string& path, int code, const std::string& text) {
    ExpectError(InspectPlugin(directory(), path).status(), code, text);
  }
};

TEST_F(PluginFileTest, ReadsTheNote) {
  const auto plugin = InspectPlugin(directory(), sample());
  ASSERT_TRUE(plugin.ok()) << plugin.status();
  EXPECT_EQ(plugin->path, sample());
  EXPECT_EQ(plugin->name, "sequential_update");
  ASSERT_EQ(plugin->messages.size(), 1u);
  EXPECT_EQ(plugin->messages[0].substr(0, 14), "supdate.proto@");
  EXPECT_TRUE(InspectPlugin(directory(), "sequential_update.so").ok()) << "the name alone";
}

TEST_F(PluginFileTest, AnotherInterfaceIsRefusedWithBothNames) {
  const std::string abi(PluginAbi());
  std::string other = abi;
  other.back() = other.back() == '0' ? '1' : '0';
  const std::string path = Write("other.so", Replaced(SampleBytes(), abi, other));
  ExpectRefused(path, EINVAL, other);
  ExpectRefused(path, EINVAL, "needs " + abi);
}

TEST_F(PluginFileTest, AnObjectWithoutANoteIsRefused) {
  ExpectRefused(Write("mute.so", Replaced(SampleBytes(), std::string("bessd\0", 6), "other")),
                EINVAL, "BESS_PLUGIN");
}

TEST_F(PluginFileTest, WhatIsNoElfFileIsRefused) {
  ExpectRefused(Write("text.so", "this is text"), EINVAL, "no ELF file");
  ExpectRefused(Write("empty.so", ""), EINVAL, "no ELF file");
  ExpectRefused(Write("head.so",
                      "\x7f"
                      "ELF"),
                EINVAL, "is no plugin");
  ExpectRefused(directory() + "/.", EPERM, "is not in");
}

TEST_F(PluginFileTest, AFileThatIsCutOffIsRefusedWhereverItEnds) {
  const std::string bytes = SampleBytes();
  for (size_t length = 0; length < bytes.size(); length = length * 5 / 4 + 1) {
    const auto cut = InspectPlugin(directory(), Write("cut.so", bytes.substr(0, length)));
    EXPECT_EQ(StatusErrno(cut.status()), EINVAL) << length;
  }
}

TEST_F(PluginFileTest, DamagedHeadersDoNoHarm) {
  const std::string bytes = SampleBytes();
  for (size_t at = 0; at < 1024; at += 7) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(~damaged[at]);
    InspectPlugin(directory(), Write("damaged.so", damaged)).status().IgnoreError();
  }
}

TEST_F(PluginFileTest, OnlyTheDirectoryOfPluginsIsTrusted) {
  const PluginDirectory elsewhere{SAMPLE_PLUGIN};
  ExpectRefused(elsewhere.sample(), EPERM, "is not in " + directory());
  const std::string link = directory() + "/link.so";
  std::filesystem::create_symlink(elsewhere.sample(), link);
  ExpectRefused(link, EPERM, "is not in");
  ExpectRefused("absent.so", ENOENT, "absent.so");
  ExpectRefused("", EINVAL, "'path'");
  ExpectError(InspectPlugin("", sample()).status(), EPERM, "without plugins");
}

TEST_F(PluginFileTest, WhatEverybodyCanWriteIsRefused) {
  chmod(sample().c_str(), 0666);
  ExpectRefused(sample(), EPERM, "can be written by everybody");
  chmod(sample().c_str(), 0644);
  chmod(directory().c_str(), 0777);
  ExpectRefused(sample(), EPERM, "can be written by everybody");
}

TEST_F(PluginFileTest, WhatBelongsToAnotherUserIsRefused) {
  if (chown(sample().c_str(), 65534, 65534) != 0) return;  // only root may give files away
  ExpectRefused(sample(), EPERM, "belongs to user 65534");
}

}  // namespace
}  // namespace bess
