// SPDX-License-Identifier: Apache-2.0
#include "core/observe/capture_format.h"

#include <gtest/gtest.h>

#include <cstring>

#include "absl/strings/escaping.h"

namespace bess {
namespace {

PacketSnapshot Snapshot(std::string_view bytes, uint32_t total) {
  PacketSnapshot snapshot;
  snapshot.time = 0x0000000102030405 * 1000 + 999;
  snapshot.total_length = total;
  snapshot.length = static_cast<uint32_t>(bytes.size());
  std::memcpy(snapshot.bytes.data(), bytes.data(), bytes.size());
  snapshot.metadata.fill(0);
  return snapshot;
}

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

TEST(PcapFormatTest, BeginsWithTheFileHeader) {
  EXPECT_EQ(Hex(PcapFormat().Header()),
            "d4c3b2a1"   // magic: microseconds
            "02000400"   // version 2.4
            "00000000"   // reserved
            "00000000"   // reserved
            "80080000"   // snap length
            "01000000")  // Ethernet
      << "draft-ietf-opsawg-pcap section 4";
}

TEST(PcapFormatTest, APacketIsTimeLengthsAndBytes) {
  PacketSnapshot snapshot = Snapshot("abc", 1000);
  snapshot.time = 5'000'007'999;
  std::string out = "x";
  PcapFormat().Append(snapshot, &out);
  EXPECT_EQ(Hex(out),
            "78"
            "05000000"
            "07000000"
            "03000000"
            "e8030000"
            "616263");
}

TEST(PcapngFormatTest, BeginsWithASectionAndAnInterface) {
  EXPECT_EQ(Hex(PcapngFormat("tap").Header()),
            "0a0d0d0a"
            "2c000000"
            "4d3c2b1a"
            "01000000"
            "ffffffffffffffff"
            "04000500"
            "6265737364000000"  // "bessd"
            "00000000"
            "2c000000"
            "01000000"
            "28000000"
            "01000000"
            "ee050000"
            "02000300"
            "74617000"  // "tap"
            "09000100"
            "09000000"  // 10^-9 s
            "00000000"
            "28000000");
}

TEST(PcapngFormatTest, APacketIsABlock) {
  PcapngFormat format("tap");
  PacketSnapshot snapshot = Snapshot("abcde", 5);
  snapshot.time = 0x0102030405060708;
  std::string out;
  format.Append(snapshot, &out);
  EXPECT_EQ(Hex(out),
            "06000000"
            "28000000"
            "00000000"
            "04030201"
            "08070605"
            "05000000"
            "05000000"
            "6162636465000000"
            "28000000");
}

TEST(PcapngFormatTest, AttributesAreAComment) {
  PcapngFormat format("tap");
  format.Placed({{"ip", 4, 4}, {"color", 127, 1}});
  PacketSnapshot snapshot = Snapshot("abcd", 4);
  snapshot.metadata[4] = 10;
  snapshot.metadata[7] = 1;
  snapshot.metadata[127] = 0xff;
  std::string out;
  format.Append(snapshot, &out);
  const std::string comment = "ip=0a000001, color=ff";
  EXPECT_NE(out.find(std::string("\x01\0\x15\0", 4) + comment), out.npos);
  EXPECT_EQ(out.size() % 4, 0u);
  EXPECT_EQ(out.substr(4, 4), out.substr(out.size() - 4)) << "a block's length stands twice";
}

}  // namespace
}  // namespace bess
