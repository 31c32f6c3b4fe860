// SPDX-License-Identifier: Apache-2.0
#include "core/control/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bess/service.grpc.pb.h"
#include "core/base/status.h"
#include "core/base/temporary_folder_testing.h"
#include "core/control/engine_testing.h"
#include "core/control/service.h"

namespace bess {
namespace {

namespace fs = std::filesystem;

class ListenerTest : public EngineTest {
 protected:
  void StartServer() {
    services_ = MakeServices(*engine_, [] {});
    grpc::ServerBuilder builder;
    for (const auto& service : services_) builder.RegisterService(service.get());
    server_ = builder.BuildAndStart();
  }

  TemporaryFolder temporary_;
  const fs::path directory_ = temporary_.path();
  const fs::path path_ = directory_ / "run" / "bessd.sock";
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(ListenerTest, OneDaemonASocket) {
  auto lock = SocketLock::Take(path_);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(fs::status(path_.parent_path()).permissions() & fs::perms::all, fs::perms::owner_all);
  const auto second = SocketLock::Take(path_);
  ExpectError(second.status(), EBUSY, absl::StrCat("pid ", getpid()));
  lock->reset();
  EXPECT_TRUE(SocketLock::Take(path_).ok());
  EXPECT_FALSE(fs::exists(path_.string() + ".pid"));
}

TEST_F(ListenerTest, ServesClientsAndCleansUp) {
  ASSERT_TRUE(SocketLock::Take(path_).ok());
  StartServer();
  {
    auto socket = ControlSocket::Start(path_, *server_);
    ASSERT_TRUE(socket.ok()) << socket.status();
    auto channel =
        grpc::CreateChannel("unix:" + path_.string(), grpc::InsecureChannelCredentials());
    grpc::ClientContext context;
    pb::VersionResponse version;
    ASSERT_TRUE(pb::BESSControl::NewStub(channel)->GetVersion(&context, {}, &version).ok());
    EXPECT_FALSE(version.version().empty());
  }
  EXPECT_FALSE(fs::exists(path_));
  server_->Shutdown();
}

TEST_F(ListenerTest, ADeadDaemonsSocketIsReplaced) {
  ASSERT_TRUE(SocketLock::Take(path_).ok());
  StartServer();
  const pid_t child = fork();
  if (child == 0) {
    // Binds and dies without cleaning up.
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {.sun_family = AF_UNIX};
    std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
    _exit(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  ASSERT_TRUE(fs::exists(path_));
  EXPECT_TRUE(ControlSocket::Start(path_, *server_).ok());
  server_->Shutdown();
}

TEST_F(ListenerTest, NoLinkLeadsItToAnothersFile) {
  fs::create_directory(path_.parent_path());
  std::ofstream(directory_ / "precious") << "bytes";
  fs::create_symlink(directory_ / "precious", path_.string() + ".pid");
  ExpectError(SocketLock::Take(path_).status(), ELOOP, ".pid");
  fs::remove(path_.string() + ".pid");
  fs::create_symlink(directory_ / "precious", path_);
  ASSERT_TRUE(SocketLock::Take(path_).ok());
  StartServer();
  ExpectError(ControlSocket::Start(path_, *server_).status(), EEXIST, "not a socket");
  server_->Shutdown();
  EXPECT_EQ(fs::file_size(directory_ / "precious"), 5u);
}

TEST_F(ListenerTest, OnlyASocketIsEverRemoved) {
  ASSERT_TRUE(SocketLock::Take(path_).ok());
  StartServer();
  std::ofstream(path_) << "precious";
  ExpectError(ControlSocket::Start(path_, *server_).status(), EEXIST, "not a socket");
  EXPECT_TRUE(fs::exists(path_));
  ExpectError(ControlSocket::Start(std::string(200, 'x'), *server_).status(), EINVAL, "200");
  server_->Shutdown();
}

TEST(LoopbackAddressTest, NothingButLoopback) {
  EXPECT_EQ(*LoopbackAddress("127.0.0.1", 10514), "127.0.0.1:10514");
  EXPECT_EQ(*LoopbackAddress("localhost", 1), "localhost:1");
  for (const std::string host : {"0.0.0.0", "10.0.0.1", "example", ""}) {
    ExpectError(LoopbackAddress(host, 10514).status(), EINVAL, "loopback");
  }
  for (const int port : {-1, 0, 65536}) {
    ExpectError(LoopbackAddress("127.0.0.1", port).status(), EINVAL, std::to_string(port));
  }
}

TEST(DefaultSocketPathTest, FollowsTheUser) {
  const std::string path = DefaultSocketPath();
  if (geteuid() == 0) {
    EXPECT_EQ(path, "/run/bessd/bessd.sock");
  } else {
    EXPECT_TRUE(path.ends_with("/bessd.sock")) << path;
  }
}

}  // namespace
}  // namespace bess
