// SPDX-License-Identifier: Apache-2.0
#include "core/packet/checksum.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "core/packet/packet_pool.h"
#include "core/packet/packet_view.h"

namespace bess {
namespace {

std::vector<uint8_t> FromHex(const std::string& hex) {
  const std::string bytes = absl::HexStringToBytes(hex);
  return {bytes.begin(), bytes.end()};
}

// RFC 1071 to the letter: 16-bit big-endian words, carries added at once.
uint16_t SlowChecksum(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += bytes[i] * 256u + (i + 1 < bytes.size() ? bytes[i + 1] : 0u);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

// An Ethernet frame around an IP packet, in a heap block of exactly its size.
class Frame {
 public:
  Frame(uint16_t type, const std::string& ip_hex) : pool_(PacketPool::CreateOnHeap()) {
    const std::string bytes = absl::HexStringToBytes(ip_hex);
    std::string frame(12, '\x02');
    frame.push_back(static_cast<char>(type >> 8));
    frame.push_back(static_cast<char>(type));
    packet_ = pool_->Make(frame + bytes);
  }
  ~Frame() { FreePackets(&packet_, 1); }
  PacketView view() const { return PacketView(*packet_); }

 private:
  std::unique_ptr<PacketPool> pool_;
  Packet* packet_;
};

TEST(ChecksumTest, TheExampleOfRfc1071) {
  EXPECT_EQ(FinishChecksum(SumBytes(FromHex("0001f203f4f5f6f7"))).value(), 0x220d);
}

TEST(ChecksumTest, TheExampleOfRfc1624) {
  EXPECT_EQ(UpdateChecksum(Be16(0xdd2f), Be16(0x5555), Be16(0x3285)).value(), 0x0000);
}

TEST(ChecksumTest, SumsAnyLengthLikeTheSlowOne) {
  std::mt19937 random(1);
  for (size_t n = 0; n < 200; ++n) {
    std::vector<uint8_t> bytes(n);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    EXPECT_EQ(FinishChecksum(SumBytes(bytes)).value(), SlowChecksum(bytes)) << n;
  }
  const std::vector<uint8_t> ones(65535, 0xff);
  EXPECT_EQ(FinishChecksum(SumBytes(ones)).value(), SlowChecksum(ones));
}

TEST(ChecksumTest, SumsLongMessagesAtAnyAddressLikeTheSlowOne) {
  std::mt19937 random(3);
  std::vector<uint8_t> block(70000);
  for (uint8_t& byte : block) byte = static_cast<uint8_t>(random() % 4 == 0 ? random() : 255);
  for (int i = 0; i < 500; ++i) {
    const size_t at = random() % 64, n = i % 2 == 0 ? random() % 65536 : random() % 2048;
    const std::vector<uint8_t> bytes(block.begin() + static_cast<ptrdiff_t>(at),
                                     block.begin() + static_cast<ptrdiff_t>(at + n));
    ASSERT_EQ(FinishChecksum(SumBytes({&block[at], n})).value(), SlowChecksum(bytes))
        << n << " bytes at " << at;
  }
}

TEST(ChecksumTest, AnUpdateIsARecomputation) {
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bytes(20);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % 5 == 0 ? 255 : random());
    bytes[0] = 0x45;
    const Be16 before = FinishChecksum(SumBytes(bytes));
    const Be32 from32 = LoadUnaligned<Be32>(&bytes[12]);
    const Be16 from16 = LoadUnaligned<Be16>(&bytes[8]);
    const Be32 to32(static_cast<uint32_t>(random()));
    const Be16 to16(static_cast<uint16_t>(random() % 3 == 0 ? 0 : random()));
    StoreUnaligned(&bytes[12], to32);
    StoreUnaligned(&bytes[8], to16);
    ChecksumDelta delta;
    delta.Change(from32, to32);
    delta.Change(from16, to16);
    ASSERT_EQ(delta.Apply(before).value(), SlowChecksum(bytes));
    ASSERT_EQ(UpdateChecksum(UpdateChecksum(before, from32, to32), from16, to16).value(),
              SlowChecksum(bytes));
  }
}

TEST(ChecksumTest, Ipv4Headers) {
  // Without and with options; the field's content does not matter.
  for (const std::string hex : {"45000021000700004011acb80a010203c0000209",
                                "46000018000100004000c6cb0a0102030a09090994040000"}) {
    const std::string rest = hex.size() == 40 ? "04d20035000de8ed68656c6c6f" : "";
    const Frame frame(kEtherTypeIpv4, hex + rest);
    Ipv4Header* ip = frame.view().Ipv4();
    ASSERT_NE(ip, nullptr);
    const Be16 right = ip->checksum;
    EXPECT_EQ(Ipv4HeaderChecksum(*ip), right);
    EXPECT_TRUE(Ipv4ChecksumHolds(*ip));
    ip->checksum = uint16_t{0};
    EXPECT_FALSE(Ipv4ChecksumHolds(*ip));
    EXPECT_EQ(Ipv4HeaderChecksum(*ip), right);
    ip->checksum = uint16_t{0xffff};
    EXPECT_EQ(Ipv4HeaderChecksum(*ip), right);
  }
}

TEST(ChecksumTest, UdpOverIpv4) {
  const Frame frame(kEtherTypeIpv4,
                    "45000021000700004011acb80a010203c000020904d20035000de8ed68656c6c6f");
  const PacketView view = frame.view();
  EXPECT_EQ(L4Checksum(*view.Ipv4(), kProtoUdp, view.L4Bytes()).value(), 0);
  view.Udp()->checksum = uint16_t{0};
  EXPECT_EQ(L4Checksum(*view.Ipv4(), kProtoUdp, view.L4Bytes()).value(), 0xe8ed);
}

TEST(ChecksumTest, TcpAndIcmpOverIpv6) {
  const Frame tcp(
      kEtherTypeIpv6,
      "600000000017064020010db800000000000000000000000120010db80000000000000000000000020"
      "001000200000005000000005002200070000000616263");
  EXPECT_EQ(L4Checksum(*tcp.view().Ipv6(), kProtoTcp, tcp.view().L4Bytes()).value(), 0);
  const Frame icmp(kEtherTypeIpv6,
                   "60000000000b3a40fe800000000000000000000000000001fe80000000000000000000000000000"
                   "2800090340003000478797a");
  EXPECT_EQ(L4Checksum(*icmp.view().Ipv6(), kProtoIcmpv6, icmp.view().L4Bytes()).value(), 0);
  icmp.view().Icmpv6()->checksum = uint16_t{0};
  EXPECT_EQ(L4Checksum(*icmp.view().Ipv6(), kProtoIcmpv6, icmp.view().L4Bytes()).value(), 0x9034);
}

TEST(ChecksumTest, UdpNeverSendsZero) {
  EXPECT_EQ(UdpChecksum(Be16(0)).value(), 0xffff);
  EXPECT_EQ(UdpChecksum(Be16(0x1234)).value(), 0x1234);
}

}  // namespace
}  // namespace bess
