// SPDX-License-Identifier: Apache-2.0
//
// A folder for the files of one test, gone with all in it when the test is over.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace bess {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // No symbolic link on the way, and short enough for the address of a socket.
    std::string name = std::filesystem::canonical(testing::TempDir()).string() + "/bess_XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace bess
