// SPDX-License-Identifier: Apache-2.0
//
// Tables change in every way they can while two workers look packets up in them. Each table has one
// entry for all these packets, which every change leaves in place: not one may miss it, at no time.
// Beside each stands one that is emptied again and again.
#include <random>

#include "core/packet/frames_testing.h"
#include "modules/acl.pb.h"
#include "modules/bpf.pb.h"
#include "modules/exact_match.pb.h"
#include "modules/ip_lookup.pb.h"
#include "modules/l2_forward.pb.h"
#include "modules/rewrite.pb.h"
#include "modules/source.pb.h"
#include "modules/wildcard_match.pb.h"
#include "tests/stress/stress_testing.h"

namespace bess {
namespace {

constexpr int kChanges = 1500;
constexpr absl::Duration kLongest = absl::Seconds(30);  // with a sanitizer fewer changes must do
constexpr uint64_t kLeastPackets = 10000;               // workers may have to wait for a CPU
constexpr uint32_t kFound = 1;                          // the gate of the entry that stays

pb::FieldData Number(uint64_t number) {
  pb::FieldData data;
  data.set_value_int(number);
  return data;
}

pb::ExactMatchCommandAddArg ExactRule(uint64_t port, uint64_t gate) {
  pb::ExactMatchCommandAddArg rule;
  *rule.add_fields() = Number(port);
  rule.set_gate(gate);
  *rule.add_values() = Number(port);
  return rule;
}

pb::WildcardMatchCommandAddArg WildcardRule(uint64_t port, uint64_t mask, uint64_t gate) {
  pb::WildcardMatchCommandAddArg rule;
  *rule.add_values() = Number(port & mask);
  *rule.add_masks() = Number(mask);
  rule.set_gate(gate);
  *rule.add_valuesv() = Number(port);
  return rule;
}

class TablesTest : public HeapStressTest {
 protected:
  // Two sources, each on a worker of its own, then the tables in a chain. What misses an entry that
  // stays ends in `lost`; the tables called other_... pass on what they do with any packet.
  void Build() {
    const std::vector<int> cores = AllowedCores();
    ASSERT_TRUE(engine_.AddWorker(0, cores.back(), "").ok());
    ASSERT_TRUE(engine_.AddWorker(1, cores.front(), "").ok());
    pb::RewriteArg frame;
    frame.add_templates(EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(1000, 53))));
    Create("frame", "Rewrite", frame);
    Create("sink", "Sink");
    Create("lost", "Sink");
    for (const std::string front : {"", "other_"}) CreateTables(front);
    Wire();
  }

  void CreateTables(const std::string& front) {
    pb::ExactMatchArg exact;
    pb::WildcardMatchArg wildcard;
    for (auto* fields : {exact.mutable_fields(), wildcard.mutable_fields()}) {
      auto& field = *fields->Add();
      field.set_offset(36);
      field.set_num_bytes(2);
    }
    for (auto* values : {exact.mutable_values(), wildcard.mutable_values()}) {
      auto& value = *values->Add();
      value.set_offset(34);
      value.set_num_bytes(2);
    }
    Create(front + "exact", "ExactMatch", exact);
    Create(front + "wildcard", "WildcardMatch", wildcard);
    Create(front + "routes", "IPLookup", pb::IPLookupArg());
    Create(front + "stations", "L2Forward", pb::L2ForwardArg());
    Create(front + "filters", "BPF", pb::BPFArg());
    Create(front + "rules", "ACL", pb::ACLArg());
    Command(front + "exact", "add", ExactRule(53, kFound));
    Command(front + "wildcard", "add", WildcardRule(53, 0xffff, kFound));
    Command(front + "routes", "add", Route("10.0.0.2", 32, kFound));
    Command(front + "stations", "add", Station("02:00:00:00:00:0b", kFound));
    Command(front + "filters", "add", Filter(9, "udp dst port 53", kFound));
    Command(front + "rules", "add", Deny("192.0.2.0/24", false));
    Command(front + "rules", "add", Deny("10.0.0.0/8", false));
  }

  void Wire() {
    std::string next = "sink";
    for (const std::string table :
         {"exact", "wildcard", "routes", "stations", "filters", "rules"}) {
      const std::string other = "other_" + table;
      const bool has_gates = table != "rules";
      Connect(other, 0, next);
      if (has_gates) Connect(other, kFound, next);
      Connect(table, has_gates ? kFound : 0, other);
      if (has_gates) Connect(table, 0, "lost");
      next = table;
    }
    Connect("frame", 0, next);
    for (const std::string source : {"source_a", "source_b"}) {
      Create(source, "Source", pb::SourceArg());
      Connect(source, 0, "frame");
    }
  }

  static pb::IPLookupCommandAddArg Route(const std::string& prefix, uint64_t length,
                                         uint64_t gate) {
    pb::IPLookupCommandAddArg route;
    route.set_prefix(prefix);
    route.set_prefix_len(length);
    route.set_gate(gate);
    return route;
  }
  static pb::L2ForwardCommandAddArg Station(const std::string& address, int64_t gate) {
    pb::L2ForwardCommandAddArg arg;
    auto& entry = *arg.add_entries();
    entry.set_addr(address);
    entry.set_gate(gate);
    return arg;
  }
  static pb::BPFArg Filter(int64_t priority, const std::string& expression, int64_t gate) {
    pb::BPFArg arg;
    auto& filter = *arg.add_filters();
    filter.set_priority(priority);
    filter.set_filter(expression);
    filter.set_gate(gate);
    return arg;
  }
  static pb::ACLArg Deny(const std::string& source, bool drop) {
    pb::ACLArg arg;
    auto& rule = *arg.add_rules();
    rule.set_src_ip(source);
    rule.set_drop(drop);
    return arg;
  }

  uint64_t Draw(uint64_t below) { return random_() % below; }

  // One change of each table.
  void ChangeAll(const std::string& front) {
    ChangeMatches(front);
    const uint64_t number = 1 + Draw(30);
    const std::string prefix = absl::StrCat("10.0.0.", 32 + number);
    Command(front + "routes", "add", Route(prefix, 32, 0));
    pb::IPLookupCommandDeleteArg route;
    route.set_prefix(prefix);
    route.set_prefix_len(32);
    Command(front + "routes", "delete", route);
    pb::L2ForwardCommandDeleteArg station;
    station.add_addrs(absl::StrCat("02:00:00:00:01:", 10 + number));
    Command(front + "stations", "add", Station(station.addrs(0), 0));
    Command(front + "stations", "delete", station);
    const pb::BPFArg filter = Filter(static_cast<int64_t>(Draw(9)), "udp", 0);
    Command(front + "filters", "add", filter);
    Command(front + "filters", "delete", filter);
    Command(front + "rules", "add", Deny("10.0.0.1", true));
  }

  void ChangeMatches(const std::string& front) {
    const uint64_t port = 64 + Draw(64), mask = 0xff00 | Draw(256);
    Command(front + "exact", "add", ExactRule(port, 0));
    Command(front + "wildcard", "add", WildcardRule(port, mask | 64, 0));
    if (Draw(2) == 0) {
      pb::ExactMatchCommandDeleteArg gone;
      *gone.add_fields() = Number(port);
      Command(front + "exact", "delete", gone);
    }
    if (Draw(8) != 0) return;
    pb::ExactMatchConfig exact;
    *exact.add_rules() = ExactRule(53, kFound);
    exact.set_default_gate(0);
    Command(front + "exact", "set_runtime_config", exact);
    pb::WildcardMatchConfig wildcard;
    *wildcard.add_rules() = WildcardRule(53, 0xffff, kFound);
    wildcard.set_default_gate(0);
    Command(front + "wildcard", "set_runtime_config", wildcard);
  }

  // So that packets go on arriving, the tables let them through again.
  void Empty() {
    for (const std::string table : {"exact", "wildcard", "routes", "filters", "rules"}) {
      Command("other_" + table, "clear", pb::EmptyArg());
    }
    Command("other_exact", "add", ExactRule(53, kFound));
    Command("other_wildcard", "add", WildcardRule(53, 0xffff, kFound));
    Command("other_routes", "add", Route("10.0.0.0", 8, kFound));
    Command("other_filters", "add", Filter(0, "", kFound));
    Command("other_rules", "add", Deny("", false));
  }

  std::mt19937 random_{1};
};

TEST_F(TablesTest, NoChangeMakesAPacketMissWhatStays) {
  Build();
  int change = 0;
  const absl::Time end = absl::Now() + kLongest;
  const auto enough = [&] { return change >= kChanges || absl::Now() > end; };
  EditUntil([&] { return enough() && Ledger().totals().consumed() >= kLeastPackets; },
            [&] {
              ChangeAll("");
              ChangeAll("other_");
              if (++change % 10 == 0) Empty();
            });
  ASSERT_TRUE(engine_.PauseAll().ok());
  const native::GetLedgerResponse ledger = Ledger();
  for (const native::ModuleLedger& books : ledger.modules()) {
    // Sources run as soon as they are there, so before they are connected.
    const bool may_drop = books.name().find("other_") == 0 || books.name().find("source_") == 0;
    EXPECT_TRUE(may_drop || books.drops().empty()) << books.DebugString();
    EXPECT_TRUE(books.name() != "lost" || books.consumed() == 0) << books.DebugString();
  }
  ASSERT_TRUE(engine_.ResumeAll().ok());
  ExpectConservation(*pool_);
}

}  // namespace
}  // namespace bess
