// SPDX-License-Identifier: Apache-2.0
#include "core/port/network_namespace.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>

#include "core/base/status.h"
#include "core/base/temporary_folder_testing.h"
#include "core/port/namespace_testing.h"

namespace bess {
namespace {

using testing::HasSubstr;

ino_t IdOf(int fd) {
  struct stat status {};
  EXPECT_EQ(fstat(fd, &status), 0);
  return status.st_ino;
}

ino_t IdOfThisThread() {
  auto space = NetworkNamespace::Current();
  EXPECT_TRUE(space.ok()) << space.status();
  return IdOf(space->fd());
}

TEST(NetworkNamespaceTest, ThatOfThisProcessIsTheCurrentOne) {
  auto space = NetworkNamespace::OfProcess(getpid());
  ASSERT_TRUE(space.ok()) << space.status();
  EXPECT_EQ(IdOf(space->fd()), IdOfThisThread());
  const std::thread::id caller = std::this_thread::get_id();
  std::thread::id inside;
  ASSERT_TRUE(space
                  ->Run([&] {
                    inside = std::this_thread::get_id();
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(inside, caller) << "going nowhere needs no thread, and no rights";
}

TEST(NetworkNamespaceTest, ReturnsWhatTheBodyReturns) {
  auto space = NetworkNamespace::Current();
  ASSERT_TRUE(space.ok()) << space.status();
  EXPECT_EQ(StatusErrno(space->Run([] { return Error(ENOSPC, "full"); })), ENOSPC);
}

TEST(NetworkNamespaceTest, SaysWhichProcessThereIsNot) {
  EXPECT_EQ(StatusErrno(NetworkNamespace::OfProcess(0).status()), EINVAL);
  EXPECT_EQ(StatusErrno(NetworkNamespace::OfProcess(-1).status()), EINVAL);
  constexpr int64_t kNobody = int64_t{1} << 40;
  const absl::Status status = NetworkNamespace::OfProcess(kNobody).status();
  EXPECT_EQ(StatusErrno(status), ENOENT);
  EXPECT_EQ(status.message(), "there is no process 1099511627776");
}

TEST(NetworkNamespaceTest, SaysWhichNameThereIsNot) {
  const absl::Status status = NetworkNamespace::At("no-such-place").status();
  EXPECT_EQ(StatusErrno(status), ENOENT);
  EXPECT_THAT(std::string(status.message()), HasSubstr("network namespace 'no-such-place'"));
  EXPECT_EQ(StatusErrno(NetworkNamespace::At("").status()), EINVAL);
  EXPECT_EQ(StatusErrno(NetworkNamespace::At(std::string("/a\0b", 4)).status()), EINVAL);
}

TEST(NetworkNamespaceTest, OtherFilesWillNotDo) {
  const TemporaryFolder folder;
  const std::string fifo = folder.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, std::string("/proc/self/ns/uts"), std::string("/")}) {
    const absl::Status status = NetworkNamespace::At(path).status();
    EXPECT_EQ(StatusErrno(status), EINVAL) << path;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is no network namespace"));
  }
}

class OtherNamespaceTest : public testing::TestWithParam<int> {};

TEST_P(OtherNamespaceTest, OnlyTheBodyIsThere) {
  auto home = NetworkNamespace::Current();
  ASSERT_TRUE(home.ok()) << home.status();
  const ino_t home_id = IdOfThisThread();
  testing_ports::InNewNamespace([&] {
    const ino_t here = IdOfThisThread();
    ASSERT_NE(here, home_id);
    ino_t inside = 0;
    const absl::Status status = home->Run([&] {
      inside = IdOfThisThread();
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(inside, home_id);
    EXPECT_EQ(IdOfThisThread(), here);
  });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OtherNamespaceTest);
INSTANTIATE_TEST_SUITE_P(
    Root, OtherNamespaceTest,
    testing::ValuesIn(testing_ports::OnceWithNamespaces("other network namespaces")));

}  // namespace
}  // namespace bess
