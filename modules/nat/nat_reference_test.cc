// SPDX-License-Identifier: Apache-2.0
//
// NAT against a slow and obvious one, over random packets and moves of the clock; and against
// packets that mean harm.
#include <gmock/gmock.h>

#include <map>
#include <random>

#include "core/base/clock.h"
#include "core/base/soak_testing.h"
#include "core/graph/module_tester.h"
#include "modules/nat.pb.h"
#include "modules/nat/nat_testing.h"

namespace bess::nat {
namespace {

constexpr uint32_t kExternal = 0xc0000201;
constexpr uint32_t kRemote = 0x08080000;
constexpr uint32_t kPorts = 40;  // of each of two addresses

pb::NATArg Argument() {
  pb::NATArg arg;
  for (const char* address : {"192.0.2.2", "192.0.2.1"}) {
    auto* external = arg.add_ext_addrs();
    external->set_ext_addr(address);
    auto* range = external->add_port_ranges();
    range->set_begin(5000);
    range->set_end(5000 + kPorts);
  }
  return arg;
}

// What NAT promises, with maps. Time is in quarters of a second, the unit of its promises.
class Reference {
 public:
  struct End {
    int protocol;
    uint32_t address, port;
    auto operator<=>(const End&) const = default;
  };
  struct Mapping {
    End outside;
    int64_t last_used;
    bool fin_out, fin_in, closing;
  };

  void Forget(int64_t now) {
    std::erase_if(by_inside_, [&](const auto& entry) {
      const Mapping& m = entry.second;
      if (now - m.last_used <= (m.closing ? 240 : 300) * 4) return false;
      by_outside_.erase(m.outside);
      ++forgotten;
      return true;
    });
  }
  Mapping* Find(const End& inside) {
    const auto it = by_inside_.find(inside);
    return it == by_inside_.end() ? nullptr : &it->second;
  }
  const End* FindInside(const End& outside) const {
    const auto it = by_outside_.find(outside);
    return it == by_outside_.end() ? nullptr : &it->second;
  }
  void Add(const End& inside, const End& outside, int64_t now) {
    by_inside_[inside] = {outside, now, false, false, false};
    by_outside_[outside] = inside;
  }
  bool Exhausted(int protocol) const {
    uint32_t used = 0;
    for (const auto& entry : by_outside_) used += entry.first.protocol == protocol;
    return used == 2 * kPorts;
  }
  static void Follow(Mapping& m, uint8_t flags, bool out, int64_t now) {
    if (out) m.last_used = now;
    if (out && (flags & kTcpSyn) != 0) m.fin_out = m.fin_in = m.closing = false;
    if ((flags & kTcpFin) != 0) (out ? m.fin_out : m.fin_in) = true;
    const bool ends = (flags & kTcpRst) != 0 || (m.fin_out && m.fin_in);
    const bool looks = (flags & (kTcpSyn | kTcpFin | kTcpRst)) != 0;
    if (!looks || !ends || m.closing) return;
    m.closing = true;
    m.last_used = now;
  }

  uint64_t forgotten = 0;

 private:
  std::map<End, Mapping> by_inside_;
  std::map<End, End> by_outside_;
};

// Plays the same packets to both.
class Duel {
 public:
  explicit Duel(uint32_t seed) : nat_("NAT", Argument()), random_(seed) { SetNow(4000); }

  void Step() {
    if (Draw(200) == 0) Wait();
    Sketch s{.protocol = kProtocols[Draw(3)], .payload = std::string(Draw(4), 'x')};
    if (s.protocol == kProtoTcp) s.flags = kFlags[Draw(7)];
    if (s.protocol == kProtoIcmp) s.flags = kTypes[Draw(4)];
    Draw(2) == 0 ? Out(s) : In(s);
  }

  std::map<std::string, uint64_t> seen;
  Reference reference;

 private:
  static constexpr uint8_t kProtocols[] = {kProtoTcp, kProtoUdp, kProtoIcmp};
  static constexpr uint8_t kFlags[] = {kTcpAck, kTcpAck,           kTcpSyn, kTcpSyn | kTcpAck,
                                       kTcpFin, kTcpFin | kTcpAck, kTcpRst};
  static constexpr uint8_t kTypes[] = {0, 8, 13, 14};

  uint32_t Draw(uint32_t below) { return random_() % below; }
  void SetNow(int64_t now) {
    now_ = now;
    const auto cycles = static_cast<uint64_t>(CyclesPerSecond() / 4);
    nat_.SetNow(static_cast<uint64_t>(now) * cycles);
  }
  // Mostly some seconds, sometimes more than any timeout. The wheel gets the batches it needs to
  // end all that has expired, so that ports are free when the reference says so.
  void Wait() {
    const int64_t ticks = Draw(20) == 0 ? Draw(10000) : Draw(120);
    SetNow(now_ + ticks);
    reference.Forget(now_);
    for (uint32_t done = 0; done < 3 * 2 * kPorts; done += 33) nat_.Send(0, {"x"});
  }
  void Finish(Sketch& s, uint32_t& port, uint32_t& other) {
    other = s.protocol == kProtoIcmp ? port : 1 + Draw(5);
  }

  void Out(Sketch s) {
    s.source = 0x0a000000 + Draw(12);
    s.source_port = 1000 + Draw(10);
    s.destination = kRemote + Draw(100);
    Finish(s, s.source_port, s.destination_port);
    const uint64_t dropped = nat_.all_dropped();
    const uint64_t exhausted = nat_.dropped(DropReason::kPortsExhausted);
    nat_.Send(0, {PacketOf(s)});
    const Reference::End inside{s.protocol, s.source, s.source_port};
    Reference::Mapping* mapping = reference.Find(inside);
    const bool reply = s.protocol == kProtoIcmp && (s.flags == 0 || s.flags == 14);
    const auto received = nat_.Received(1);
    if (mapping == nullptr && (reply || reference.Exhausted(s.protocol))) {
      ASSERT_EQ(received.size(), 0u) << s;
      ASSERT_EQ(nat_.all_dropped(), dropped + 1);
      ASSERT_EQ(nat_.dropped(DropReason::kPortsExhausted), exhausted + (reply ? 0 : 1)) << s;
      ++seen[reply ? "reply without flow" : "exhausted"];
      return;
    }
    ASSERT_EQ(received.size(), 1u) << s;
    CheckOut(s, inside, mapping, received[0]);
  }

  void CheckOut(const Sketch& s, const Reference::End& inside, Reference::Mapping* mapping,
                const std::string& received) {
    const auto out = SketchOf(received);
    ASSERT_TRUE(out.has_value()) << s << ": a checksum is wrong";
    const Reference::End outside{s.protocol, out->source, out->source_port};
    Sketch expected = s;
    expected.source = outside.address;
    expected.source_port = outside.port;
    if (s.protocol == kProtoIcmp) expected.destination_port = outside.port;
    ASSERT_EQ(*out, expected);
    if (mapping == nullptr) {
      ASSERT_EQ(reference.FindInside(outside), nullptr) << s << ": a port was given twice";
      ASSERT_TRUE(outside.address == kExternal || outside.address == kExternal + 1) << s;
      ASSERT_TRUE(outside.port >= 5000 && outside.port < 5000 + kPorts) << s;
      reference.Add(inside, outside, now_);
      mapping = reference.Find(inside);
      ++seen["new flow"];
    }
    ASSERT_EQ(mapping->outside, outside) << s << ": the mapping changed";
    Reference::Follow(*mapping, s.protocol == kProtoTcp ? s.flags : 0, true, now_);
    ++seen["out"];
  }

  void In(Sketch s) {
    s.destination = kExternal + Draw(2);
    s.destination_port = 5000 + Draw(kPorts + 2);
    s.source = kRemote + Draw(100);
    Finish(s, s.destination_port, s.source_port);
    nat_.Send(1, {PacketOf(s)});
    const auto received = nat_.Received(0);
    const auto* inside = reference.FindInside({s.protocol, s.destination, s.destination_port});
    if (inside == nullptr) {
      ASSERT_EQ(received.size(), 0u) << s;
      ++seen["no mapping"];
      return;
    }
    ASSERT_EQ(received.size(), 1u) << s;
    Sketch expected = s;
    expected.destination = inside->address;
    expected.destination_port = inside->port;
    if (s.protocol == kProtoIcmp) expected.source_port = inside->port;
    ASSERT_EQ(SketchOf(received[0]), expected);
    Reference::Follow(*reference.Find(*inside), s.protocol == kProtoTcp ? s.flags : 0, false, now_);
    ++seen["in"];
  }

  ModuleTester nat_;
  std::mt19937 random_;
  int64_t now_ = 0;
};

TEST(NatReferenceTest, DoesWhatTheReferenceDoes) {
  constexpr uint64_t kPackets = 50000;  // of each duel
  const uint64_t duels = SoakPackets(20 * kPackets) / kPackets;
  std::map<std::string, uint64_t> seen;
  for (uint32_t seed = 0; seed < duels && !testing::Test::HasFatalFailure(); ++seed) {
    Duel duel(seed);
    for (uint64_t i = 0; i < kPackets && !testing::Test::HasFatalFailure(); ++i) duel.Step();
    for (const auto& [what, count] : duel.seen) seen[what] += count;
    seen["ended"] += duel.reference.forgotten;
  }
  for (const char* what :
       {"out", "in", "new flow", "ended", "exhausted", "no mapping", "reply without flow"}) {
    EXPECT_GT(seen[what], 500 * duels) << what;
  }
}

// Nothing may be read or written behind the end, whatever the lengths say; the tester's books and
// ASan are the judges. What passes keeps its length.
void Attack(ModuleTester& nat, uint32_t igate, const std::string& packet) {
  nat.Send(igate, {packet});
  for (const uint32_t ogate : {0, 1}) {
    for (const std::string& out : nat.Received(ogate)) ASSERT_EQ(out.size(), packet.size());
  }
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const uint8_t protocol : {kProtoTcp, kProtoUdp, kProtoIcmp}) {
    const Sketch out = {protocol, 0x0a000001, 1000, kRemote, 1000, 8, "12345678"};
    const Sketch in = {protocol, kRemote, 5000, kExternal, 5000, 8, "12345678"};
    const Sketch sent = {protocol, kExternal, 5000, kRemote, 5000, 8, "12345678"};
    const std::string options("\x07\x04\x04\0", 4);
    seeds.insert(seeds.end(),
                 {PacketOf(out), PacketOf(in), kEthernet + Ipv4Of(out, L4Of(out), 0, options),
                  ErrorOf(3, kRemote, kExternal, Ipv4Of(sent, L4Of(sent))),
                  ErrorOf(11, kRemote, kExternal, Ipv4Of(sent, L4Of(sent), 0, options)),
                  ErrorOf(3, 0x0a000001, kRemote, Ipv4Of(in, L4Of(in)))});
  }
  return seeds;
}

TEST(NatHostileTest, PacketsCutAnywhere) {
  ModuleTester nat("NAT", Argument());
  for (const std::string& seed : Seeds()) {
    for (size_t length = 0; length <= seed.size(); ++length) {
      for (const uint32_t igate : {0, 1}) Attack(nat, igate, seed.substr(0, length));
    }
  }
}

TEST(NatHostileTest, PacketsWithFlippedBits) {
  ModuleTester nat("NAT", Argument());
  for (const std::string& seed : Seeds()) {
    for (size_t bit = 0; bit < seed.size() * 8; ++bit) {
      std::string packet = seed;
      packet[bit / 8] ^= static_cast<char>(1u << bit % 8);
      for (const uint32_t igate : {0, 1}) Attack(nat, igate, packet);
    }
  }
}

// The ICMP checksum is put right again, so that what is wrong inside is looked at.
TEST(NatHostileTest, ErrorsWithRandomInsides) {
  ModuleTester nat("NAT", Argument());
  std::mt19937 random(1);
  nat.Send(0, Seeds());
  for (const uint32_t ogate : {0, 1}) nat.Received(ogate);
  for (int i = 0; i < 50000; ++i) {
    const Sketch sent = {static_cast<uint8_t>(i % 3 == 0   ? kProtoTcp
                                              : i % 3 == 1 ? kProtoUdp
                                                           : kProtoIcmp),
                         kExternal,
                         5000 + static_cast<uint32_t>(random() % kPorts),
                         kRemote,
                         1000,
                         8};
    std::string quote = Ipv4Of(sent, L4Of(sent));
    quote.resize(random() % (quote.size() + 1));
    for (uint32_t flips = random() % 3; flips > 0 && !quote.empty(); --flips) {
      quote[random() % quote.size()] = static_cast<char>(random());
    }
    if (quote.size() >= 20) {
      Set16(quote, 10, 0);
      Set16(quote, 10, SlowChecksum(quote.substr(0, std::min<size_t>(20, quote.size()))));
    }
    Attack(nat, i % 2, ErrorOf(3, kRemote, kExternal, quote));
  }
  EXPECT_GT(nat.dropped(DropReason::kMalformed), 0u);
  EXPECT_GT(nat.dropped(DropReason::kTruncated), 0u);
}

}  // namespace
}  // namespace bess::nat
