// SPDX-License-Identifier: Apache-2.0
#include "core/port/fit_first.h"

#include <gmock/gmock.h>

#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing_ports::Frame;
using testing_ports::MakePackets;

TEST(FitFirstTest, KeepsTheOrderAndMovesTheOthersBehind) {
  std::vector<Packet*> packets =
      MakePackets({Frame(90), Frame(60), Frame(91), Frame(61), Frame(62), Frame(92)});
  uint32_t asked = 0;
  const auto is_short = [&asked](Packet& packet) {
    ++asked;
    return packet.length() < 90;
  };
  EXPECT_EQ(FitFirst(packets.data(), 6, is_short), 3u);
  EXPECT_EQ(asked, 6u);
  std::vector<uint16_t> lengths;
  for (const Packet* packet : packets) lengths.push_back(packet->length());
  EXPECT_THAT(lengths, ElementsAre(60, 61, 62, 92, 91, 90));
  EXPECT_EQ(FitFirst(packets.data(), 0, is_short), 0u);
  FreePackets(packets.data(), 6);
}

}  // namespace
}  // namespace bess
