// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_handshake.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/port/nf_testing.h"

namespace bess {
namespace {

using bessnf_testing::SendWithDescriptors;
using testing::HasSubstr;
using testing_nf::OpenDescriptors;
using testing_nf::Request;

class NfHandshakeTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ours_ = FileDescriptor(ends[0]);
    theirs_ = FileDescriptor(ends[1]);
  }
  absl::StatusOr<BessNfRequest> After(const void* bytes, size_t n) {
    EXPECT_EQ(send(theirs_.get(), bytes, n, 0), static_cast<ssize_t>(n));
    return ReceiveRequest(ours_.get());
  }
  absl::StatusOr<BessNfRequest> After(const BessNfRequest& request) {
    return After(&request, sizeof(request));
  }
  static void ExpectError(const absl::Status& status, int code, const std::string& text) {
    EXPECT_EQ(StatusErrno(status), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  FileDescriptor ours_;
  FileDescriptor theirs_;
};

TEST_F(NfHandshakeTest, TakesARequest) {
  const auto request = After(Request(BESS_NF_ATTACH, 4096));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->fresh, 4096u);
  EXPECT_STREQ(request->name, "raw");
}

TEST_F(NfHandshakeTest, NamesWhatIsWrong) {
  char bytes[2 * sizeof(BessNfRequest)] = {};
  for (const size_t size :
       {size_t{1}, sizeof(BessNfRequest) - 1, sizeof(BessNfRequest) + 1, sizeof(bytes)}) {
    ExpectError(After(bytes, size).status(), EINVAL, "has 48 bytes, not " + std::to_string(size));
  }
  BessNfRequest request = Request();
  request.magic ^= 1;
  ExpectError(After(request).status(), EINVAL, "no request");
  request = Request();
  request.version = 7;
  ExpectError(After(request).status(), EPROTONOSUPPORT, "version 3, not 7");
  ExpectError(After(Request(3)).status(), EINVAL, "kind 3");
  ExpectError(After(Request(BESS_NF_ATTACH, 4097)).status(), EINVAL, "at most 4096, not 4097");
  request = Request();
  std::memset(request.name, 'x', sizeof(request.name));
  ExpectError(After(request).status(), EINVAL, "'name'");
}

TEST_F(NfHandshakeTest, TellsTheEndFromNothing) {
  ExpectError(ReceiveRequest(ours_.get()).status(), EAGAIN, "");
  theirs_.reset();
  ExpectError(ReceiveRequest(ours_.get()).status(), ENOTCONN, "closed");
}

TEST_F(NfHandshakeTest, DescriptorsOfAPeerAreNeverOpened) {
  const size_t before = OpenDescriptors();
  const BessNfRequest request = Request();
  for (const size_t count : {1, 2, 16}) {
    const std::vector<int> descriptors(count, theirs_.get());
    ASSERT_GT(SendWithDescriptors(theirs_.get(), &request, sizeof(request), descriptors), 0);
    ExpectError(ReceiveRequest(ours_.get()).status(), EINVAL, "no descriptors");
    EXPECT_EQ(OpenDescriptors(), before);
  }
}

TEST_F(NfHandshakeTest, AdmitsByUser) {
  EXPECT_TRUE(AdmittedPeer(ours_.get(), {geteuid()}).ok());
  EXPECT_EQ(AdmittedPeer(ours_.get(), {geteuid()})->pid, getpid());
  const auto refused = AdmittedPeer(ours_.get(), {geteuid() + 1});
  ExpectError(refused.status(), EPERM, "user " + std::to_string(geteuid()) + " may not");
}

TEST_F(NfHandshakeTest, RefusalsSayWhy) {
  ASSERT_TRUE(SendRefusal(ours_.get(), Error(EBUSY, std::string(300, 'y'))));
  BessNfWelcome welcome{};
  ASSERT_EQ(recv(theirs_.get(), &welcome, sizeof(welcome), 0), ssize_t{sizeof(welcome)});
  EXPECT_EQ(welcome.error, uint32_t{EBUSY});
  EXPECT_EQ(std::string(welcome.text), std::string(sizeof(welcome.text) - 1, 'y'));
  theirs_.reset();
  EXPECT_FALSE(SendRefusal(ours_.get(), Error(EBUSY, "")));
}

}  // namespace
}  // namespace bess
