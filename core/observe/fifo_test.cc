// SPDX-License-Identifier: Apache-2.0
#include "core/observe/fifo.h"

#include "core/base/status.h"
#include "core/observe/capture_testing.h"

namespace bess {
namespace {

class FifoTest : public CaptureFixture {};

TEST_F(FifoTest, OpensWhatSomebodyReads) {
  const FifoReader reader(path());
  Fifo fifo;
  ASSERT_TRUE(fifo.Find(path()).ok());
  EXPECT_EQ(fifo.fd(), -1);
  ASSERT_TRUE(fifo.Open().ok());
  EXPECT_GE(fifo.fd(), 0);
  fifo.Close();
  EXPECT_EQ(fifo.fd(), -1);
  EXPECT_TRUE(fifo.Open().ok());
}

TEST_F(FifoTest, DoesNotHangWithoutAReader) {
  Fifo fifo;
  ASSERT_TRUE(fifo.Find(path()).ok());
  EXPECT_EQ(StatusErrno(fifo.Open()), ENXIO);
}

TEST_F(FifoTest, RefusesWhatIsNoFifo) {
  const std::string file = directory() + "/file";
  close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  for (const std::string& path : {file, directory(), std::string("/dev/null")}) {
    Fifo fifo;
    const absl::Status found = fifo.Find(path);
    EXPECT_EQ(StatusErrno(found), EINVAL) << path;
    EXPECT_NE(found.message().find(path + " is not a named pipe"), found.message().npos);
  }
  Fifo fifo;
  EXPECT_EQ(StatusErrno(fifo.Find("")), EINVAL);
  Fifo absent;
  EXPECT_EQ(StatusErrno(absent.Find(directory() + "/absent")), ENOENT);
}

TEST_F(FifoTest, KeepsToTheFileItFoundWhenTheNameChanges) {
  Fifo fifo;
  ASSERT_TRUE(fifo.Find(path()).ok());
  const FifoReader reader(path());
  unlink(path().c_str());
  ASSERT_EQ(symlink("/dev/null", path().c_str()), 0);
  EXPECT_TRUE(fifo.Open().ok());
}

TEST_F(FifoTest, TwoCapturesDoNotMixInOneFifo) {
  const FifoReader reader(path());
  Fifo first, second;
  ASSERT_TRUE(first.Find(path()).ok());
  ASSERT_TRUE(second.Find(path()).ok());
  ASSERT_TRUE(first.Open().ok());
  EXPECT_EQ(StatusErrno(second.Open()), EBUSY);
  EXPECT_EQ(second.fd(), -1);
  first.Close();
  EXPECT_TRUE(second.Open().ok());
}

}  // namespace
}  // namespace bess
