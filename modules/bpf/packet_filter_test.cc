// SPDX-License-Identifier: Apache-2.0
#include "modules/bpf/packet_filter.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "core/base/soak_testing.h"
#include "core/base/status.h"
#include "core/packet/frames_testing.h"
#include "core/packet/packet_pool.h"

namespace bess {
namespace {

using testing::HasSubstr;

std::unique_ptr<const PacketFilter> MakeFilter(const std::string& expression) {
  auto filter = PacketFilter::Compile(expression);
  EXPECT_TRUE(filter.ok()) << expression << ": " << filter.status();
  return *std::move(filter);
}

bool Matches(const PacketFilter& filter, const std::string& bytes) {
  const auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make(bytes);
  const bool matches = filter.Matches(*packet);
  FreePackets(&packet, 1);
  return matches;
}

TEST(PacketFilterTest, Matches) {
  const std::string udp = EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(1000, 53)));
  const std::string udp6 = EthernetFrame(kEtherTypeIpv6, Ipv6Packet({}, UdpSegment(1000, 53)));
  const auto port = MakeFilter("udp dst port 53");
  EXPECT_TRUE(Matches(*port, udp));
  EXPECT_TRUE(Matches(*port, udp6));
  EXPECT_FALSE(Matches(*port, udp.substr(0, 37))) << "the port is cut in two";
  EXPECT_TRUE(Matches(*port, udp.substr(0, 38)));
  EXPECT_FALSE(Matches(*port, ""));
  EXPECT_TRUE(Matches(*MakeFilter(""), "")) << "an empty filter matches everything";
  EXPECT_TRUE(Matches(*MakeFilter("ether[0] & 1 = 0 and len >= 42"), udp));
  EXPECT_FALSE(Matches(*MakeFilter("greater 43"), udp));
}

TEST(PacketFilterTest, SaysWhatIsWrongWithAnExpression) {
  const auto bad = PacketFilter::Compile("udp port x");
  EXPECT_EQ(StatusErrno(bad.status()), EINVAL);
  EXPECT_THAT(std::string(bad.status().message()), HasSubstr("unknown port 'x'"));
  EXPECT_THAT(std::string(PacketFilter::Compile("(ip").status().message()), HasSubstr("syntax"));
  EXPECT_FALSE(PacketFilter::Compile(std::string("ip\0", 3)).ok());
}

class Generator {
 public:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  std::string Expression(int depth) {
    if (depth > 0 && Below(3) != 0) {
      const std::string left = Expression(depth - 1), right = Expression(depth - 1);
      return absl::StrCat(Below(4) == 0 ? "not (" : "(", left, Below(2) == 0 ? ") and (" : ") or (",
                          right, ")");
    }
    switch (Below(10)) {
      case 0:
        return Pick({"ip", "ip6", "arp", "udp", "tcp", "icmp", "vlan", "ether broadcast"});
      case 1:
        return absl::StrCat(Pick({"", "src ", "dst "}), "host 10.0.0.", Below(4));
      case 2:
        return absl::StrCat(Pick({"", "src ", "dst "}), "net 10.0.", Below(3), ".0/24");
      case 3:
        return absl::StrCat(Pick({"", "src ", "dst "}), "port ", Below(4));
      case 4:
        return absl::StrCat(Pick({"udp ", "tcp ", ""}), "portrange 1-", 1 + Below(3));
      case 5:
        return absl::StrCat("ip6 net 2001:db8::/", 32 + Below(90));
      case 6:
        return absl::StrCat("ether[", Below(70), "] ", Pick({"=", ">", "&", "!="}), " ",
                            Below(256));
      case 7:
        return absl::StrCat("udp[", Below(12), ":2] ", Pick({"+", "*", "-"}), " ether[", Below(60),
                            "] ", Pick({">", "=", "<="}), " ", Below(500));
      case 8:
        return absl::StrCat("tcp[tcp[12] >> 2] = ", Below(3));
      default:
        return absl::StrCat(Pick({"less ", "greater "}), Below(90));
    }
  }

  std::string Frame() {
    std::string l4 = Below(2) == 0 ? UdpSegment(static_cast<uint16_t>(Below(4)),
                                                static_cast<uint16_t>(Below(4)), Noise(20))
                                   : TcpSegment(static_cast<uint16_t>(Below(4)),
                                                static_cast<uint16_t>(Below(4)), 16, Noise(20));
    const auto protocol = static_cast<uint8_t>(Below(8) == 0    ? Below(256)
                                               : l4.size() > 40 ? 6
                                                                : 17);
    std::string frame;
    if (Below(3) == 0) {
      frame = EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.next_header = protocol}, l4));
    } else {
      frame = EthernetFrame(
          kEtherTypeIpv4,
          Ipv4Packet({.source = 0x0a000000 | Below(4) << (8 * Below(2)),
                      .destination = 0x0a000000 | Below(4),
                      .protocol = protocol,
                      .fragment = static_cast<uint16_t>(Below(4) == 0 ? Below(65536) : 0),
                      .options = Below(4) == 0 ? std::string(8, '\1') : ""},
                     l4));
    }
    if (Below(4) == 0) frame[Below(static_cast<uint32_t>(frame.size()))] = Noise(1)[0];
    if (Below(4) == 0) frame.resize(Below(static_cast<uint32_t>(frame.size()) + 1));
    return frame;
  }

 private:
  std::string Pick(const std::vector<std::string>& from) {
    return from[Below(static_cast<uint32_t>(from.size()))];
  }
  std::string Noise(uint32_t n) {
    std::string bytes;
    while (n-- > 0) bytes.push_back(static_cast<char>(Below(256)));
    return bytes;
  }

  std::mt19937 random_{1};
};

struct Free {
  void operator()(bpf_program* program) const {
    pcap_freecode(program);
    std::default_delete<bpf_program>()(program);
  }
};

// As libpcap has it without its optimizer. Only packets that have all bytes asked for mean the same
// to both, and divisions are left out: the optimizer drops what may fail along with what cannot be
// true.
std::unique_ptr<bpf_program, Free> Plain(const std::string& expression) {
  pcap_t* pcap = pcap_open_dead(DLT_EN10MB, 65535);
  std::unique_ptr<bpf_program, Free> program(new bpf_program());
  EXPECT_EQ(pcap_compile(pcap, program.get(), expression.c_str(), 0, PCAP_NETMASK_UNKNOWN), 0);
  pcap_close(pcap);
  return program;
}

TEST(PacketFilterTest, AgreesWithPlainProgramsOnRandomPackets) {
  Generator generator;
  const auto pool = PacketPool::CreateOnHeap();
  const auto make = [&] { return pool->Make(generator.Frame() + std::string(400, '\0')); };
  std::vector<Packet*> packets(2000);
  std::generate(packets.begin(), packets.end(), make);
  uint64_t matches = 0, filters = 0;
  const uint64_t rounds = SoakPackets(2'000'000) / packets.size();
  for (uint64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < 100; ++i) {
      Packet*& other = packets[generator.Below(2000)];
      FreePackets(&other, 1);
      other = make();
    }
    // libpcap refuses some that contradict themselves.
    const std::string expression = generator.Expression(3);
    const auto filter = PacketFilter::Compile(expression);
    if (!filter.ok()) continue;
    const auto plain = Plain(expression);
    ++filters;
    for (Packet* packet : packets) {
      const bool expected =
          bpf_filter(plain->bf_insns, packet->data(), packet->length(), packet->length()) != 0;
      ASSERT_EQ((*filter)->Matches(*packet), expected) << expression;
      matches += expected;
    }
  }
  FreePackets(packets.data(), static_cast<uint32_t>(packets.size()));
  EXPECT_GT(filters, rounds / 2);
  EXPECT_GT(matches, 100 * rounds);
}

// Bytes that end where the next page must not be touched: libpcap has no sanitizer.
class GuardedPacket {
 public:
  GuardedPacket() {
    page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    memory_ = mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(mprotect(static_cast<char*>(memory_) + page_, page_, PROT_NONE), 0);
  }
  ~GuardedPacket() { munmap(memory_, 2 * page_); }

  Packet& Hold(const std::string& bytes) {
    char* start = static_cast<char*>(memory_) + page_ - bytes.size();
    std::memcpy(start, bytes.data(), bytes.size());
    rte_mbuf* mbuf = packet_.mbuf();
    mbuf->buf_addr = start;
    mbuf->nb_segs = 1;
    mbuf->data_len = static_cast<uint16_t>(bytes.size());
    mbuf->pkt_len = mbuf->data_len;
    return packet_;
  }

 private:
  size_t page_;
  void* memory_;
  Packet packet_{};
};

TEST(PacketFilterTest, ReadsNothingBehindThePacket) {
  Generator generator;
  GuardedPacket guarded;
  for (int round = 0; round < 500; ++round) {
    const auto filter = PacketFilter::Compile(generator.Expression(2));
    if (!filter.ok()) continue;
    const std::string whole = generator.Frame();
    for (size_t length = 0; length <= whole.size(); ++length) {
      (*filter)->Matches(guarded.Hold(whole.substr(0, length)));
    }
  }
  // Offsets that wrap around 32 bits.
  for (const char* expression :
       {"ether[0xffffffff] = 0", "ether[0xfffffffe:2] = 0", "ether[ether[0:4]] = 0",
        "ether[ether[0:4] + 1] = 0", "ether[ether[0:4]:4] = 0", "ether[0x10000] = 0"}) {
    const auto filter = MakeFilter(expression);
    EXPECT_FALSE(filter->Matches(guarded.Hold(std::string(60, '\xff')))) << expression;
  }
}

}  // namespace
}  // namespace bess
