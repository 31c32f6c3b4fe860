// SPDX-License-Identifier: Apache-2.0
#include "core/port/unix_socket_port.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>

#include "core/base/clock.h"
#include "core/base/status.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using testing_ports::Frame;
using testing_ports::Pool;
using testing_ports::PortTest;
using testing_ports::ReceiveAll;
using testing_ports::SendAll;

constexpr Direction kIn = Direction::kReceive;
constexpr Direction kOut = Direction::kSend;

// A process at the other end.
class Client {
 public:
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_SEQPACKET, 0)) {
    sockaddr_un sun{.sun_family = AF_UNIX, .sun_path = {}};
    std::copy(path.begin(), path.end(), sun.sun_path);
    const bool abstract = path[0] == '@';
    if (abstract) sun.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&sun), static_cast<socklen_t>(length)), 0)
        << path << ": " << std::strerror(errno);
  }
  ~Client() { Close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool Send(const std::string& bytes) {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(bytes.size());
  }
  // A message with a file descriptor on its back.
  bool SendDescriptor() {
    iovec data{.iov_base = const_cast<char*>("x"), .iov_len = 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd_, sizeof(int));
    return sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
  }
  // Empty when nothing comes in time.
  std::string Receive(int milliseconds = 2000) {
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, milliseconds) != 1) return "";
    std::string bytes(65536, '\0');
    const ssize_t n = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return bytes;
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

class UnixSocketPortTest : public PortTest {
 protected:
  // A port 'p' at an abstract path of this process, which nothing can be left of.
  void MakePort(int64_t interval = -1, bool confirm = false) {
    arg_.set_path(path_);
    arg_.set_min_rx_interval_ns(interval);
    arg_.set_confirm_connect(confirm);
    const absl::Status status = Make("p");
    ASSERT_TRUE(status.ok()) << status;
    in_ = Lease("p", kIn);
    out_ = Lease("p", kOut);
  }
  absl::Status Make(const std::string& name, uint64_t queues = 0) {
    PortRequest request{
        .name = name, .driver = "UnixSocketPort", .rx_queues = queues, .tx_queues = queues};
    request.argument.PackFrom(arg_);
    return table_.Create(request).status();
  }
  void TearDown() override {
    in_.reset();
    out_.reset();
    PortTest::TearDown();
  }
  // Whether the port has a client, after a while.
  bool Connected(bool wanted) {
    for (int i = 0; i < 2000 && Link("p").up != wanted; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Link("p").up == wanted;
  }
  std::vector<std::string> Received(size_t wanted) { return ReceiveAll(in_->port(), wanted); }
  uint32_t Send(const std::vector<std::string>& bytes) { return SendAll(out_->port(), bytes); }

  const std::string path_ = "@port_test_" + std::to_string(getpid());
  pb::UnixSocketPortArg arg_;
  std::unique_ptr<PortLease> in_;
  std::unique_ptr<PortLease> out_;
};

TEST_F(UnixSocketPortTest, CarriesPacketsBothWays) {
  MakePort();
  Client client(path_);
  ASSERT_TRUE(Connected(true));
  EXPECT_TRUE(client.Send("to the switch"));
  EXPECT_TRUE(client.Send(Frame(1500)));
  EXPECT_THAT(Received(2), ElementsAre("to the switch", Frame(1500)));
  EXPECT_EQ(Send({"from the switch", Frame(60)}), 2u);
  EXPECT_EQ(client.Receive(), "from the switch");
  EXPECT_EQ(client.Receive(), Frame(60));
  EXPECT_EQ(Stats("p", kIn).bytes, 1513u);
  EXPECT_EQ(Stats("p", kOut).packets, 2u);
}

TEST_F(UnixSocketPortTest, ReceivesIntoItsTrustDomain) {
  arg_.set_domain("blue");
  MakePort();
  Client client(path_);
  ASSERT_TRUE(Connected(true));
  ASSERT_TRUE(client.Send(Frame(60)));
  Packet* packet = nullptr;
  for (int i = 0; i < 2000 && in_->port().Receive(0, &packet, 1).packets == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_NE(packet, nullptr);
  EXPECT_EQ(PacketPool::Of(*packet).name(), "domain_blue");
  FreePackets(&packet, 1);
}

TEST_F(UnixSocketPortTest, WithoutClientNothingIsSent) {
  MakePort();
  EXPECT_EQ(Send({Frame(60), Frame(60)}), 0u);
  EXPECT_EQ(Stats("p", kOut).dropped, 2u);
  EXPECT_FALSE(Link("p").up);
}

TEST_F(UnixSocketPortTest, ConfirmsWhenAsked) {
  MakePort(-1, true);
  Client client(path_);
  EXPECT_EQ(client.Receive(), std::string("yes\0", 4));
}

TEST_F(UnixSocketPortTest, ClientsComeAndGo) {
  MakePort();
  for (int i = 0; i < 5; ++i) {
    Client client(path_);
    ASSERT_TRUE(client.Send("hello"));
    EXPECT_THAT(Received(1), ElementsAre("hello"));
    client.Close();
    ASSERT_TRUE(Connected(false));
    EXPECT_EQ(Send({Frame(60)}), 0u);
  }
}

TEST_F(UnixSocketPortTest, TheSecondClientWaitsItsTurn) {
  MakePort();
  Client first(path_);
  ASSERT_TRUE(Connected(true));
  Client second(path_);
  ASSERT_TRUE(second.Send("later"));
  ASSERT_TRUE(first.Send("now"));
  EXPECT_THAT(Received(1), ElementsAre("now"));
  EXPECT_THAT(ReceiveAll(in_->port(), 1, std::chrono::milliseconds(20)), SizeIs(0));
  first.Close();
  EXPECT_THAT(Received(1), ElementsAre("later"));
}

TEST_F(UnixSocketPortTest, LastWordsAreHeard) {
  MakePort();
  {
    Client client(path_);
    ASSERT_TRUE(Connected(true));
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(client.Send("last words"));
  }
  EXPECT_THAT(Received(50), SizeIs(50));
}

TEST_F(UnixSocketPortTest, OversizeIsDroppedAndCounted) {
  MakePort();
  Client client(path_);
  const std::string largest(kDefaultDataRoom, 'l');
  ASSERT_TRUE(client.Send("a"));
  ASSERT_TRUE(client.Send(largest + "!"));
  ASSERT_TRUE(client.Send(std::string(60000, 'x')));
  ASSERT_TRUE(client.Send(""));
  ASSERT_TRUE(client.Send(largest));
  EXPECT_THAT(Received(2), ElementsAre("a", largest));
  EXPECT_EQ(Stats("p", kIn).dropped, 2u);
}

TEST_F(UnixSocketPortTest, WithoutBuffersMessagesWait) {
  MakePort();
  Client client(path_);
  ASSERT_TRUE(Connected(true));
  std::vector<Packet*> all;
  for (Packet* packet; Pool().Alloc(&packet, 1, 0);) all.push_back(packet);
  for (const std::string bytes : {"a", "b", "c"}) ASSERT_TRUE(client.Send(bytes));
  EXPECT_THAT(ReceiveAll(in_->port(), 1, std::chrono::milliseconds(20)), SizeIs(0));
  // A few are no whole burst.
  FreePackets(all.data(), 2);
  EXPECT_THAT(ReceiveAll(in_->port(), 1, std::chrono::milliseconds(20)), SizeIs(0));
  FreePackets(all.data() + 2, static_cast<uint32_t>(all.size()) - 2);
  EXPECT_THAT(Received(3), ElementsAre("a", "b", "c"));
  EXPECT_EQ(Stats("p", kIn).dropped, 0u);
}

TEST_F(UnixSocketPortTest, AClientThatDoesNotReadHurtsOnlyItself) {
  MakePort();
  Client client(path_);
  ASSERT_TRUE(Connected(true));
  uint32_t sent = 0;
  for (int i = 0; i < 100; ++i) sent += Send(std::vector<std::string>(64, Frame(1500)));
  EXPECT_LT(sent, 6400u);
  EXPECT_EQ(sent + Stats("p", kOut).dropped, 6400u);
  EXPECT_EQ(Stats("p", kOut).packets, sent);
  uint32_t read = 0;
  while (!client.Receive(0).empty()) ++read;
  EXPECT_EQ(read, sent);
}

ptrdiff_t OpenFiles() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

TEST_F(UnixSocketPortTest, DescriptorsInMessagesAreNotTaken) {
  MakePort();
  Client client(path_);
  ASSERT_TRUE(Connected(true));
  const ptrdiff_t before = OpenFiles();
  // Kernels from 6.16 on refuse them where they are sent; on others they come, and are not opened.
  size_t sent = 0;
  for (int i = 0; i < 10; ++i) sent += client.SendDescriptor();
  EXPECT_THAT(sent, testing::AnyOf(0u, 10u));
  ASSERT_TRUE(client.Send("x"));
  EXPECT_THAT(Received(sent + 1), SizeIs(sent + 1));
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(UnixSocketPortTest, AttemptsThatFindNothingAreRare) {
  constexpr int64_t kInterval = 50'000'000;
  MakePort(kInterval);
  Client client(path_);
  ASSERT_TRUE(Connected(true));
  Packet* packet;
  while (Cycles() == 0 || in_->port().Receive(0, &packet, 1).packets != 0) {
  }
  const uint64_t start = Cycles();
  ASSERT_TRUE(client.Send("x"));
  ASSERT_THAT(Received(1), SizeIs(1));
  const double waited = static_cast<double>(Cycles() - start) / CyclesPerSecond() * 1e9;
  EXPECT_GT(waited, kInterval * 0.8);
  EXPECT_LT(waited, kInterval * 20.0) << "and the wait is over one day";
}

TEST_F(UnixSocketPortTest, Rules) {
  const auto expect = [](const absl::Status& status, int code) {
    EXPECT_EQ(StatusErrno(status), code) << status;
  };
  arg_.set_path("/tmp/" + std::string(150, 'x'));
  expect(Make("p"), EINVAL);
  arg_.set_path("");
  expect(Make("../../etc/p"), EINVAL);
  arg_.set_path(path_);
  expect(Make("p", 2), EINVAL);
  expect(Make("p"), 0);
  expect(Make("q"), EBUSY);
}

TEST_F(UnixSocketPortTest, TheDefaultPathIsMadeOfTheName) {
  const std::string name = "port_test_" + std::to_string(getpid());
  ASSERT_TRUE(Make(name).ok());
  EXPECT_TRUE(std::filesystem::is_socket("/tmp/bess_unix_" + name));
  ASSERT_TRUE(table_.Destroy(name).ok());
  EXPECT_FALSE(std::filesystem::exists("/tmp/bess_unix_" + name));
}

TEST_F(UnixSocketPortTest, CanBeDestroyedUnderAClient) {
  MakePort();
  Client client(path_);
  ASSERT_TRUE(Connected(true));
  ASSERT_TRUE(client.Send("unread"));
  EXPECT_EQ(StatusErrno(table_.Destroy("p")), EBUSY);
  in_.reset();
  out_.reset();
  ASSERT_TRUE(table_.Destroy("p").ok());
  EXPECT_FALSE(client.Send("too late"));
}

}  // namespace
}  // namespace bess
