// SPDX-License-Identifier: Apache-2.0
#include "core/port/unix_listener.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "core/base/status.h"
#include "core/base/temporary_folder_testing.h"
#include "core/port/file_descriptor.h"
#include "nf/descriptors_testing.h"

namespace bess {
namespace {

using bessnf_testing::SendWithDescriptors;
using testing::HasSubstr;
namespace fs = std::filesystem;

class UnixListenerTest : public testing::Test {
 protected:
  void ExpectError(const std::string& path, int code, const std::string& text) {
    const auto listener = UnixListener::Open(path);
    ASSERT_FALSE(listener.ok());
    EXPECT_EQ(StatusErrno(listener.status()), code) << listener.status();
    EXPECT_THAT(std::string(listener.status().message()), HasSubstr(text));
  }

  // What a killed process leaves: a name nobody listens on.
  void LeaveSocket(int type) {
    sockaddr_un sun{.sun_family = AF_UNIX, .sun_path = {}};
    std::copy(path_.begin(), path_.end(), sun.sun_path);
    const int fd = socket(AF_UNIX, type, 0);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&sun), sizeof(sun)), 0);
    close(fd);
  }

  TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.path();
  const std::string path_ = folder_ + "/socket";
};

TEST_F(UnixListenerTest, MakesAndRemovesItsName) {
  {
    const auto listener = UnixListener::Open(path_);
    ASSERT_TRUE(listener.ok()) << listener.status();
    EXPECT_TRUE(fs::is_socket(path_));
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(UnixListenerTest, TheNameHasTheModeThatIsAskedFor) {
  const mode_t old = umask(077);
  const auto mode_of = [this](std::optional<mode_t> mode) {
    const auto listener = UnixListener::Open(path_, mode);
    EXPECT_TRUE(listener.ok()) << listener.status();
    struct stat found {};
    EXPECT_EQ(lstat(path_.c_str(), &found), 0);
    return found.st_mode & 07777;
  };
  EXPECT_EQ(mode_of(std::nullopt), 0700u);
  EXPECT_EQ(mode_of(0666), 0666u);
  EXPECT_EQ(mode_of(0), 0u);
  EXPECT_EQ(umask(old), 077u) << "is the process's";
}

TEST_F(UnixListenerTest, AModeChangesNothingAboutErrors) {
  const auto missing = UnixListener::Open(folder_ + "/none/socket", 0666);
  EXPECT_EQ(StatusErrno(missing.status()), ENOENT) << missing.status();
  const std::string abstract = "@listener_test_" + std::to_string(getpid());
  const auto listener = UnixListener::Open(abstract, 0666);
  EXPECT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ(StatusErrno(UnixListener::Open(abstract, 0666).status()), EBUSY);
}

// Those who connect, and those who were let in, while our own descriptors still pass.
TEST_F(UnixListenerTest, NobodyPassesDescriptorsIn) {
  const auto listener = UnixListener::Open(path_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  int passes = 1;
  socklen_t length = sizeof(passes);
  constexpr int kPassRights = 83;
  if (getsockopt(listener->fd(), SOL_SOCKET, kPassRights, &passes, &length) != 0) {
    EXPECT_EQ(errno, ENOPROTOOPT) << "a kernel before 6.16";
    return;
  }
  EXPECT_EQ(passes, 0);
  sockaddr_un sun{.sun_family = AF_UNIX, .sun_path = {}};
  std::copy(path_.begin(), path_.end(), sun.sun_path);
  const FileDescriptor client(socket(AF_UNIX, SOCK_SEQPACKET, 0));
  ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&sun), sizeof(sun)), 0);
  EXPECT_LT(SendWithDescriptors(client.get(), "x", 1, {client.get()}), 0);
  EXPECT_EQ(errno, EPERM);
  const FileDescriptor accepted(accept(listener->fd(), nullptr, nullptr));
  ASSERT_TRUE(accepted);
  EXPECT_LT(SendWithDescriptors(client.get(), "x", 1, {client.get()}), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(SendWithDescriptors(client.get(), "x", 1, {}), 1);
  EXPECT_EQ(SendWithDescriptors(accepted.get(), "x", 1, {accepted.get()}), 1);
}

TEST_F(UnixListenerTest, RefusesPathsThatCannotBe) {
  ExpectError("", EINVAL, "names no socket");
  ExpectError("@", EINVAL, "names no socket");
  ExpectError("/tmp/" + std::string(200, 'x'), EINVAL, "at most 107 bytes, not 205");
  ExpectError(std::string("/tmp/a\0b", 8), EINVAL, "NUL byte behind '/tmp/a'");
  ExpectError(folder_ + "/none/socket", ENOENT, folder_ + "/none/socket");
}

TEST_F(UnixListenerTest, ReplacesOnlyAbandonedSockets) {
  LeaveSocket(SOCK_SEQPACKET);
  std::optional<UnixListener> listener;
  {
    auto opened = UnixListener::Open(path_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    listener.emplace(*std::move(opened));
  }
  ExpectError(path_, EBUSY, path_);
  listener.reset();
  EXPECT_TRUE(UnixListener::Open(path_).ok());
}

TEST_F(UnixListenerTest, LeavesEverythingElseAlone) {
  std::ofstream(path_) << "precious";
  ExpectError(path_, EEXIST, path_);
  EXPECT_EQ(fs::file_size(path_), 8u);
  fs::rename(path_, folder_ + "/file");

  fs::create_symlink(folder_ + "/file", path_);
  ExpectError(path_, EEXIST, "not a socket");
  fs::remove(path_);
  fs::create_symlink(folder_ + "/dangling", path_);
  ExpectError(path_, EEXIST, "not a socket");
  EXPECT_FALSE(fs::exists(folder_ + "/dangling"));
  fs::remove(path_);

  fs::create_directory(path_);
  ExpectError(path_, EEXIST, "not a socket");
}

TEST_F(UnixListenerTest, RemovesNoNameThatIsNotItsOwn) {
  {
    const auto listener = UnixListener::Open(path_);
    ASSERT_TRUE(listener.ok());
    fs::remove(path_);
    std::ofstream(path_) << "somebody else's";
  }
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(UnixListenerTest, AbstractNamesLeaveNothing) {
  const std::string path = "@port_test_" + std::to_string(getpid());
  {
    const auto listener = UnixListener::Open(path);
    ASSERT_TRUE(listener.ok()) << listener.status();
    ExpectError(path, EBUSY, path);
  }
  EXPECT_TRUE(UnixListener::Open(path).ok());
}

}  // namespace
}  // namespace bess
