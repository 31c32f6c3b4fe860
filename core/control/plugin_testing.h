// SPDX-License-Identifier: Apache-2.0
//
// A directory of plugins of the test's own, with a copy of the sample in it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/temporary_folder_testing.h"

namespace bess {

class PluginDirectory {
 public:
  // `built` is the sample, where it was built.
  explicit PluginDirectory(const std::filesystem::path& built) {
    for (const auto& file : std::filesystem::directory_iterator(built.parent_path())) {
      const auto extension = file.path().extension();
      if (file.path() == built || extension == ".messages") {
        std::filesystem::copy(file.path(), directory());
      }
    }
  }

  const std::string& directory() const { return folder_.path(); }
  std::string sample() const { return directory() + "/sequential_update.so"; }

  std::string SampleBytes() const {
    std::ifstream file(sample(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Returns the path.
  std::string Write(const std::string& name, const std::string& bytes) const {
    const std::string path = directory() + "/" + name;
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  // `bytes` with each `from` overwritten by `to`.
  static std::string Replaced(std::string bytes, const std::string& from, const std::string& to) {
    for (size_t at = bytes.find(from); at != bytes.npos; at = bytes.find(from, at + 1)) {
      bytes.replace(at, to.size(), to);
    }
    return bytes;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace bess
