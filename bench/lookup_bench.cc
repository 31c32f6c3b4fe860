// SPDX-License-Identifier: Apache-2.0
//
// What a lookup costs in our tables and in DPDK's of the same entries, in batches of random keys
// that are there.
//
//   lookup_bench [TABLE...]    all when left out; exact4 is one of all sizes, exact4/1000 of one
//
// Prints a line for each table: its name, our cycles a lookup and DPDK's. Both look up the same
// keys in turn, in many short stretches, and the median counts, so that whatever else the machine
// does stays out of it. Every result is compared: a difference is the end.
#include <rte_acl.h>
#include <rte_config.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_hash.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/graph/fake_host_testing.h"
#include "core/graph/module.h"
#include "core/match/prefix_table.h"
#include "core/match/table.h"
#include "core/port/eal.h"
#include "modules/acl/rule_set.h"
#include "modules/l2_forward/mac_table.h"

namespace bess {
namespace {

constexpr int kStretches = 1000;
constexpr size_t kBatches = 16;  // a stretch

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "lookup_bench: " << what << "\n";
  std::exit(1);
}

// What a function of DPDK's returned, unless it is an error.
template <typename T>
T Check(T returned, const char* function) {
  if (returned < 0) Fail(absl::StrCat(function, ": ", rte_strerror(static_cast<int>(-returned))));
  return returned;
}

template <auto kFree>
struct Free {
  void operator()(auto* object) const { kFree(object); }
};

template <auto kFree, typename T>
std::unique_ptr<T, Free<kFree>> Owned(T* object, const char* function) {
  if (object == nullptr) Fail(absl::StrCat(function, ": ", rte_strerror(rte_errno)));
  return std::unique_ptr<T, Free<kFree>>(object);
}

// --- measuring ----------------------------------------------------------------------------------

double PerLookup(std::vector<uint64_t> stretches) {
  const auto middle = stretches.begin() + static_cast<ptrdiff_t>(stretches.size() / 2);
  std::nth_element(stretches.begin(), middle, stretches.end());
  return static_cast<double>(*middle) / (kBatches * kBatchSize);
}

template <typename Find>
uint64_t CyclesOf(Find find) {
  const uint64_t start = Cycles();
  for (size_t batch = 0; batch < kBatches; ++batch) find(batch);
  return Cycles() - start;
}

// Tables are one of ours and one of DPDK's, with kBatches batches of keys and what was found. Who
// is first finds keys of another temperature than who is second, so each is first in half of the
// stretches.
template <typename Tables>
void Measure(const std::string& name, Tables& tables) {
  Random random(1);
  std::vector<uint64_t> ours, theirs;
  for (int i = 0; i < kStretches; ++i) {
    for (size_t batch = 0; batch < kBatches; ++batch) tables.Choose(batch, random);
    const auto find_ours = [&](size_t batch) { tables.FindOurs(batch); };
    const auto find_theirs = [&](size_t batch) { tables.FindTheirs(batch); };
    if (i % 2 == 0) ours.push_back(CyclesOf(find_ours));
    theirs.push_back(CyclesOf(find_theirs));
    if (i % 2 != 0) ours.push_back(CyclesOf(find_ours));
    for (size_t batch = 0; batch < kBatches; ++batch) {
      if (!tables.Agree(batch)) Fail(name + ": ours and DPDK's find different things");
    }
  }
  std::cout << name << " " << PerLookup(std::move(ours)) << " " << PerLookup(std::move(theirs))
            << std::endl;
}

// Those sizes of a table that the words ask for.
template <typename Tables>
void MeasureSizes(absl::Span<const std::string> words, const std::string& table,
                  std::initializer_list<uint32_t> sizes) {
  for (const uint32_t size : sizes) {
    const std::string name = absl::StrCat(table, "/", size);
    const bool wanted = absl::c_linear_search(words, table) || absl::c_linear_search(words, name);
    if (!wanted && !words.empty()) continue;
    Measure(name, *std::make_unique<Tables>(size));
  }
}

// --- keys ---------------------------------------------------------------------------------------

template <size_t kBytes>
using KeyBytes = std::array<uint8_t, kBytes>;

template <size_t kBytes>
std::vector<KeyBytes<kBytes>> DifferentKeys(size_t n) {
  Random random(2);
  std::vector<KeyBytes<kBytes>> keys;
  absl::flat_hash_set<KeyBytes<kBytes>> seen;
  while (keys.size() < n) {
    const uint64_t words[2] = {random.Next(), random.Next()};
    KeyBytes<kBytes> key;
    std::memcpy(key.data(), words, kBytes);
    if (seen.insert(key).second) keys.push_back(key);
  }
  return keys;
}

// Both cuckoo tables get room for a quarter more, as they are not made to be filled to the brim.
uint32_t Room(size_t entries) { return std::bit_ceil(static_cast<uint32_t>(entries * 5 / 4)); }

// DPDK's hash table, and batches of its keys. It compares keys of 16 bytes in line, those of 4 and
// 6 by calling memcmp, which costs it most where they are not in the cache.
template <size_t kBytes>
class HashTable {
 public:
  explicit HashTable(absl::Span<const KeyBytes<kBytes>> keys) {
    const rte_hash_parameters parameters{
        .name = "bench", .entries = Room(keys.size()), .key_len = kBytes};
    table_ = Owned<rte_hash_free>(rte_hash_create(&parameters), "rte_hash_create");
    for (const auto& key : keys) {
      positions_.push_back(Check(rte_hash_add_key(table_.get(), key.data()), "rte_hash_add_key"));
    }
  }

  // Of the key with this index.
  int32_t position(size_t index) const { return positions_[index]; }

  void Put(size_t batch, size_t i, const KeyBytes<kBytes>& key) {
    batches_[batch].keys[i] = key;
    batches_[batch].pointers[i] = &batches_[batch].keys[i];
  }
  void Find(size_t batch) {
    Batch& b = batches_[batch];
    rte_hash_lookup_bulk(table_.get(), b.pointers.data(), kBatchSize, b.found.data());
  }
  int32_t Found(size_t batch, size_t i) const { return batches_[batch].found[i]; }

 private:
  struct Batch {
    std::array<KeyBytes<kBytes>, kBatchSize> keys;
    std::array<const void*, kBatchSize> pointers;
    std::array<int32_t, kBatchSize> found;
  };

  std::unique_ptr<rte_hash, Free<rte_hash_free>> table_;
  std::vector<int32_t> positions_;
  std::array<Batch, kBatches> batches_;
};

// --- exact match --------------------------------------------------------------------------------

template <size_t kBytes>
class ExactTables {
 public:
  explicit ExactTables(size_t entries)
      : keys_(DifferentKeys<kBytes>(entries)),
        ours_(KeyTable::Create(host_, WordsOf(kAllBits), kWords)),
        theirs_(keys_) {
    for (size_t i = 0; i < entries; ++i)
      ours_->Set(WordsOf(keys_[i]), ValueOf(theirs_.position(i)));
  }

  void Choose(size_t batch, Random& random) {
    for (size_t i = 0; i < kBatchSize; ++i) {
      const KeyBytes<kBytes>& key = keys_[random.Below(keys_.size())];
      const Key words = WordsOf(key);
      for (size_t w = 0; w < kWords; ++w) batches_[batch].keys.words[w][i] = words.words[w];
      theirs_.Put(batch, i, key);
    }
  }
  void FindOurs(size_t batch) {
    ours_->Find(batches_[batch].keys, kBatchSize, batches_[batch].found.data());
  }
  void FindTheirs(size_t batch) { theirs_.Find(batch); }
  bool Agree(size_t batch) const {
    for (size_t i = 0; i < kBatchSize; ++i) {
      if (batches_[batch].found[i] != ValueOf(theirs_.Found(batch, i))) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kWords = (kBytes + 7) / 8;
  static constexpr KeyBytes<kBytes> kAllBits = [] {
    KeyBytes<kBytes> bytes{};
    bytes.fill(0xff);
    return bytes;
  }();
  struct Batch {
    KeyBatch keys;
    std::array<KeyTable::Value, kBatchSize> found;
  };

  static Key WordsOf(const KeyBytes<kBytes>& bytes) {
    Key key;
    std::memcpy(key.words.data(), bytes.data(), kBytes);
    return key;
  }
  // Neither kNone nor the table's own.
  static KeyTable::Value ValueOf(int32_t position) {
    return 2 * (static_cast<KeyTable::Value>(position) + 1);
  }

  FakeHost host_{1};
  std::vector<KeyBytes<kBytes>> keys_;
  std::unique_ptr<KeyTable> ours_;
  HashTable<kBytes> theirs_;
  std::array<Batch, kBatches> batches_;
};

// --- MAC addresses ------------------------------------------------------------------------------

class MacTables {
 public:
  explicit MacTables(size_t entries)
      : keys_(DifferentKeys<6>(entries)), ours_(Room(entries) / kWays, kWays), theirs_(keys_) {
    std::vector<std::pair<MacTable::Key, uint32_t>> gates;
    for (size_t i = 0; i < entries; ++i) {
      gates.emplace_back(MacTable::ToKey(keys_[i]), GateOf(theirs_.position(i)));
    }
    if (ours_.Insert(gates)) Fail("the MAC table is full");
  }

  void Choose(size_t batch, Random& random) {
    for (size_t i = 0; i < kBatchSize; ++i) {
      const MacAddress& key = keys_[random.Below(keys_.size())];
      batches_[batch].keys[i] = MacTable::ToKey(key);
      theirs_.Put(batch, i, key);
    }
  }
  void FindOurs(size_t batch) { ours_.Find(batches_[batch].keys, batches_[batch].found.data()); }
  void FindTheirs(size_t batch) { theirs_.Find(batch); }
  bool Agree(size_t batch) const {
    for (size_t i = 0; i < kBatchSize; ++i) {
      if (batches_[batch].found[i] != GateOf(theirs_.Found(batch, i))) return false;
    }
    return true;
  }

 private:
  static constexpr uint32_t kWays = 4;
  struct Batch {
    std::array<MacTable::Key, kBatchSize> keys;
    std::array<uint32_t, kBatchSize> found;
  };

  static uint32_t GateOf(int32_t position) { return static_cast<uint32_t>(position) % kMaxGates; }

  std::vector<MacAddress> keys_;
  MacTable ours_;
  HashTable<6> theirs_;
  std::array<Batch, kBatches> batches_;
};

// --- longest prefix -----------------------------------------------------------------------------

// Of one of these lengths.
Ipv4Prefix SomePrefix(Random& random, absl::Span<const uint32_t> lengths) {
  Ipv4Prefix prefix{.length = lengths[random.Below(lengths.size())]};
  prefix.address = static_cast<uint32_t>(random.Next()) & prefix.mask();
  return prefix;
}

uint32_t SomeAddress(Random& random, const Ipv4Prefix& prefix) {
  return prefix.address | (static_cast<uint32_t>(random.Next()) & ~prefix.mask());
}

class PrefixTables {
 public:
  explicit PrefixTables(size_t routes) {
    // As often as in the Internet's tables: more than half of all routes have 24 bits.
    constexpr uint32_t kLengths[] = {16, 19, 20, 21, 22, 22, 22, 23, 23, 24, 24, 24, 24,
                                     24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 28};
    auto ours = PrefixTable<4>::Create(static_cast<uint32_t>(routes));
    if (!ours.ok()) Fail(std::string(ours.status().message()));
    ours_ = *std::move(ours);
    theirs_ = MakeTheirs(routes);
    Random random(2);
    for (size_t i = 0; i < routes; ++i)
      Add(SomePrefix(random, kLengths), 1 + random.Below(kMaxGates));
  }

  void Choose(size_t batch, Random& random) {
    Batch& b = batches_[batch];
    for (size_t i = 0; i < kBatchSize; ++i) {
      const uint32_t address = SomeAddress(random, routes_[random.Below(routes_.size())]);
      b.for_theirs[i] = address;
      StoreUnaligned(b.for_ours[i].data(), Be32(address));
    }
  }
  void FindOurs(size_t batch) {
    ours_->Find(batches_[batch].for_ours, batches_[batch].ours.data());
  }
  void FindTheirs(size_t batch) {
    Batch& b = batches_[batch];
    rte_fib_lookup_bulk(theirs_.get(), b.for_theirs.data(), b.theirs.data(), kBatchSize);
  }
  bool Agree(size_t batch) const {
    return absl::c_equal(batches_[batch].ours, batches_[batch].theirs);
  }

 private:
  struct Batch {
    std::array<PrefixTable<4>::Address, kBatchSize> for_ours;
    std::array<uint32_t, kBatchSize> for_theirs;
    std::array<uint32_t, kBatchSize> ours;
    std::array<uint64_t, kBatchSize> theirs;
  };
  using Fib = std::unique_ptr<rte_fib, Free<rte_fib_free>>;

  // Its values have the size of ours. Fewer than one route in eight needs a group of its own.
  static Fib MakeTheirs(size_t routes) {
    rte_fib_conf settings{.type = RTE_FIB_DIR24_8, .max_routes = static_cast<int>(routes)};
    settings.dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = static_cast<uint32_t>(routes / 8)};
    return Owned<rte_fib_free>(rte_fib_create("bench", SOCKET_ID_ANY, &settings), "rte_fib_create");
  }

  void Add(const Ipv4Prefix& route, uint64_t value) {
    if (!ours_->Add(ToBytes(route), static_cast<uint32_t>(value))) Fail("no groups are left");
    const auto length = static_cast<uint8_t>(route.length);
    Check(rte_fib_add(theirs_.get(), route.address, length, value), "rte_fib_add");
    routes_.push_back(route);
  }

  std::vector<Ipv4Prefix> routes_;
  std::unique_ptr<PrefixTable<4>> ours_;
  Fib theirs_;
  std::array<Batch, kBatches> batches_;
};

// --- access control -----------------------------------------------------------------------------

// What DPDK's rules look at: the first field is one byte, the others come by fours.
struct AclTuple {
  uint8_t protocol = 0;
  std::array<uint8_t, 3> unused{};
  Be32 source, destination;
  Be16 source_port, destination_port;
};

class AclTables {
 public:
  explicit AclTables(size_t size) {
    MakeRules(size);
    for (const AclRule& rule : rules_) ours_.Append(rule);
    if (!ours_.Settle().ok()) Fail("the rules cannot be settled");
    const rte_acl_param parameters{.name = "bench",
                                   .socket_id = SOCKET_ID_ANY,
                                   .rule_size = sizeof(DpdkRule),
                                   .max_rule_num = static_cast<uint32_t>(size)};
    theirs_ = Owned<rte_acl_free>(rte_acl_create(&parameters), "rte_acl_create");
    for (size_t i = 0; i < size; ++i) AddToTheirs(i);
    BuildTheirs();
  }

  void Choose(size_t batch, Random& random) {
    for (size_t i = 0; i < kBatchSize; ++i) {
      const AclRule& rule = rules_[random.Below(rules_.size())];
      const uint32_t source = SomeAddress(random, std::get<Ipv4Prefix>(rule.source));
      const uint32_t destination = SomeAddress(random, std::get<Ipv4Prefix>(rule.destination));
      Put(batches_[batch], i, source, destination, rule.destination_port);
    }
  }
  void FindOurs(size_t batch) { ours_.Match(batches_[batch].keys, batches_[batch].ours.data()); }
  void FindTheirs(size_t batch) {
    Batch& b = batches_[batch];
    rte_acl_classify(theirs_.get(), b.pointers.data(), b.theirs.data(), kBatchSize, 1);
  }
  bool Agree(size_t batch) const {
    for (size_t i = 0; i < kBatchSize; ++i) {
      if (batches_[batch].ours[i] + 1 != batches_[batch].theirs[i]) return false;
    }
    return true;
  }

 private:
  struct Batch {
    std::array<AclKey, kBatchSize> keys;
    std::array<AclTuple, kBatchSize> tuples;
    std::array<const uint8_t*, kBatchSize> pointers;
    std::array<uint32_t, kBatchSize> ours;
    std::array<uint32_t, kBatchSize> theirs;  // one more, 0 for none
  };
  enum Field : uint8_t { kProtocol, kSource, kDestination, kSourcePort, kDestinationPort, kFields };
  RTE_ACL_RULE_DEF(DpdkRule, kFields);

  // Some rules match where others do, too.
  void MakeRules(size_t size) {
    constexpr uint32_t kSourceLengths[] = {8, 16, 24, 24, 32};
    constexpr uint32_t kDestinationLengths[] = {4, 8, 16, 24};
    constexpr uint64_t kPorts = 100;
    Random random(2);
    for (size_t i = 0; i < size; ++i) {
      rules_.push_back({.source = SomePrefix(random, kSourceLengths),
                        .destination = SomePrefix(random, kDestinationLengths),
                        .destination_port = static_cast<uint16_t>(1 + random.Below(kPorts))});
    }
  }

  // Higher priorities win.
  void AddToTheirs(size_t index) {
    const AclRule& rule = rules_[index];
    const auto& source = std::get<Ipv4Prefix>(rule.source);
    const auto& destination = std::get<Ipv4Prefix>(rule.destination);
    DpdkRule theirs{};
    theirs.data = {.category_mask = 1,
                   .priority = static_cast<int32_t>(rules_.size() - index),
                   .userdata = static_cast<uint32_t>(index + 1)};
    theirs.field[kSource] = {{.u32 = source.address}, {.u32 = source.length}};
    theirs.field[kDestination] = {{.u32 = destination.address}, {.u32 = destination.length}};
    theirs.field[kSourcePort] = {{.u16 = 0}, {.u16 = UINT16_MAX}};
    theirs.field[kDestinationPort] = {{.u16 = rule.destination_port},
                                      {.u16 = rule.destination_port}};
    const auto* any = reinterpret_cast<const rte_acl_rule*>(&theirs);
    Check(rte_acl_add_rules(theirs_.get(), any, 1), "rte_acl_add_rules");
  }

  void BuildTheirs() {
    rte_acl_config layout{.num_categories = 1, .num_fields = kFields};
    const auto set = [&](Field field, uint8_t type, uint8_t size, uint8_t input, uint32_t offset) {
      layout.defs[field] = {type, size, field, input, offset};
    };
    set(kProtocol, RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, offsetof(AclTuple, protocol));
    set(kSource, RTE_ACL_FIELD_TYPE_MASK, 4, 1, offsetof(AclTuple, source));
    set(kDestination, RTE_ACL_FIELD_TYPE_MASK, 4, 2, offsetof(AclTuple, destination));
    set(kSourcePort, RTE_ACL_FIELD_TYPE_RANGE, 2, 3, offsetof(AclTuple, source_port));
    set(kDestinationPort, RTE_ACL_FIELD_TYPE_RANGE, 2, 3, offsetof(AclTuple, destination_port));
    Check(rte_acl_build(theirs_.get(), &layout), "rte_acl_build");
  }

  static void Put(Batch& batch, size_t i, uint32_t source, uint32_t destination, uint16_t port) {
    batch.keys[i] = {};
    batch.keys[i].words[AclKey::kSource] = source;
    batch.keys[i].words[AclKey::kDestination] = destination;
    batch.keys[i].words[AclKey::kRest] =
        AclKey::kIsIpv4 | AclKey::kHasPorts | uint64_t{port} << AclKey::kDestinationPortShift;
    batch.tuples[i] = {
        .source = Be32(source), .destination = Be32(destination), .destination_port = Be16(port)};
    batch.pointers[i] = reinterpret_cast<const uint8_t*>(&batch.tuples[i]);
  }

  std::vector<AclRule> rules_;
  AclRuleSet ours_;
  std::unique_ptr<rte_acl_ctx, Free<rte_acl_free>> theirs_;
  std::array<Batch, kBatches> batches_;
};

void MeasureAll(absl::Span<const std::string> words) {
  MeasureSizes<ExactTables<4>>(words, "exact4", {1000, 64000, 1000000});
  MeasureSizes<ExactTables<16>>(words, "exact16", {1000, 64000, 1000000});
  MeasureSizes<MacTables>(words, "mac", {1000, 64000, 1000000});
  MeasureSizes<PrefixTables>(words, "prefix", {1000, 100000, 1000000});
  MeasureSizes<AclTables>(words, "acl", {10, 100, 1000, 10000});
}

}  // namespace
}  // namespace bess

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::warn);
  using Use = bess::EalOptions::Use;
  const auto eal =
      bess::Eal::Start({.hugepages = Use::kNever, .pci = Use::kNever, .memory_mb = 4096});
  if (!eal.ok()) bess::Fail(std::string(eal.status().message()));
  bess::MeasureAll(std::vector<std::string>(argv + 1, argv + argc));
}
