// SPDX-License-Identifier: Apache-2.0
#include "core/sched/lookout.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <vector>

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_, O_NONBLOCK | O_CLOEXEC), 0); }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int fd() const { return ends_[0]; }
  void Write() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }

 private:
  int ends_[2] = {-1, -1};
};

std::vector<uint32_t> Seen(Lookout& lookout) {
  std::vector<uint32_t> leaves;
  lookout.Look([&](uint32_t leaf) { leaves.push_back(leaf); });
  return leaves;
}

bool Wakes(const Lookout& lookout) {
  pollfd waiting = {.fd = lookout.fd(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) == 1;
}

TEST(LookoutTest, ReportsEachLeafOnce) {
  Lookout lookout;
  Pipe first, second, third;
  ASSERT_TRUE(lookout.Watch(first.fd(), 1));
  ASSERT_TRUE(lookout.Watch(second.fd(), 200));
  ASSERT_TRUE(lookout.Watch(third.fd(), 3));
  EXPECT_FALSE(Wakes(lookout));
  EXPECT_THAT(Seen(lookout), IsEmpty());
  first.Write();
  second.Write();
  EXPECT_TRUE(Wakes(lookout));
  EXPECT_THAT(Seen(lookout), UnorderedElementsAre(1u, 200u));
  EXPECT_FALSE(Wakes(lookout)) << "who was reported can be read still";
  EXPECT_THAT(Seen(lookout), IsEmpty());
}

TEST(LookoutTest, WhatIsThereAlreadyIsReported) {
  Lookout lookout;
  Pipe pipe;
  pipe.Write();
  for (uint32_t leaf = 0; leaf < 3; ++leaf) {
    ASSERT_TRUE(lookout.Watch(pipe.fd(), leaf));
    EXPECT_TRUE(Wakes(lookout));
    EXPECT_THAT(Seen(lookout), ElementsAre(leaf));
  }
}

TEST(LookoutTest, NumbersOfThePlanBeforeAreForgotten) {
  Lookout lookout;
  Pipe old, kept;
  ASSERT_TRUE(lookout.Watch(old.fd(), 0));
  ASSERT_TRUE(lookout.Watch(kept.fd(), 1));
  lookout.Adopt(1);
  ASSERT_TRUE(lookout.Watch(kept.fd(), 0));
  lookout.Adopt(1);
  old.Write();
  kept.Write();
  EXPECT_THAT(Seen(lookout), ElementsAre(0u));
  EXPECT_FALSE(Wakes(lookout)) << "what is forgotten wakes once at most";
}

TEST(LookoutTest, SaysWhatCannotBeWatched) {
  Lookout lookout;
  const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  EXPECT_FALSE(lookout.Watch(file, 0)) << "a file can always be read";
  close(file);
  EXPECT_FALSE(lookout.Watch(file, 0)) << "closed";
}

}  // namespace
}  // namespace bess
