// SPDX-License-Identifier: Apache-2.0
#include "core/base/pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

namespace bess {
namespace {

class PipeTest : public testing::Test {
 protected:
  PipeTest() {
    BlockBrokenPipeSignal();
    EXPECT_EQ(pipe2(ends_.data(), O_NONBLOCK), 0);
  }
  ~PipeTest() override {
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }
  int writer() const { return ends_[1]; }
  void CloseReader() {
    close(ends_[0]);
    ends_[0] = -1;
  }

  std::array<int, 2> ends_;
  const std::string long_text_ = std::string(1 << 20, 'x');
};

TEST_F(PipeTest, WritesMoreThanAPipeHoldsWhileSomebodyReads) {
  size_t seen = 0;
  std::thread reader([&] {
    std::array<char, 4096> buffer;
    while (seen < long_text_.size()) {
      const ssize_t n = read(ends_[0], buffer.data(), buffer.size());
      if (n > 0) seen += static_cast<size_t>(n);
    }
  });
  EXPECT_EQ(WriteToPipe(writer(), long_text_, [] { return false; }), Written::kAll);
  reader.join();
  EXPECT_EQ(seen, long_text_.size());
}

TEST_F(PipeTest, GivesUpOnASleeperOnlyWhenTold) {
  int asked = 0;
  EXPECT_EQ(WriteToPipe(writer(), long_text_, [&] { return ++asked == 3; }), Written::kGaveUp);
  EXPECT_EQ(asked, 3);
}

TEST_F(PipeTest, NoticesThatTheReaderHasLeft) {
  EXPECT_FALSE(HasNoReader(writer()));
  CloseReader();
  EXPECT_TRUE(HasNoReader(writer()));
  EXPECT_EQ(WriteToPipe(writer(), "x", [] { return true; }), Written::kNobodyReads);
}

}  // namespace
}  // namespace bess
