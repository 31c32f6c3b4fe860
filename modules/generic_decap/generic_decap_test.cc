// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/generic_decap.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::GenericDecapArg Bytes(uint64_t bytes) {
  pb::GenericDecapArg arg;
  arg.set_bytes(bytes);
  return arg;
}

TEST(GenericDecapTest, TakesBytesOff) {
  for (const size_t n : {0u, 1u, 14u, 1024u}) {
    ModuleTester tester("GenericDecap", Bytes(n));
    tester.Send(0, {std::string(n, 'x') + "payload", std::string(n, 'x')});
    EXPECT_THAT(tester.Received(0), ElementsAre("payload", ""));
  }
}

TEST(GenericDecapTest, DropsWhatIsShorter) {
  ModuleTester tester("GenericDecap", Bytes(14));
  tester.Send(0, {"", std::string(13, 'x'), std::string(14, 'x')});
  EXPECT_EQ(tester.count(0), 1u);
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 2u);
}

TEST(GenericDecapTest, RefusesMoreThan1024Bytes) {
  for (const uint64_t bytes : {uint64_t{1025}, uint64_t{65536}, ~uint64_t{0}}) {
    const absl::Status status = ModuleTester("GenericDecap", Bytes(bytes)).status();
    EXPECT_EQ(StatusErrno(status), EINVAL);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("'bytes' must be 0..1024, not ", bytes)));
  }
}

}  // namespace
}  // namespace bess
