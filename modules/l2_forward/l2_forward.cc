// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <map>

#include "absl/container/flat_hash_set.h"
#include "bess/util.pb.h"
#include "core/base/parse.h"
#include "core/graph/module.h"
#include "core/match/live_rules.h"
#include "modules/l2_forward.pb.h"
#include "modules/l2_forward/mac_table.h"

namespace bess {
namespace {

using Entries = std::vector<std::pair<MacTable::Key, uint32_t>>;

constexpr int64_t kDefaultBuckets = 1024;
constexpr int64_t kDefaultWays = 4;
constexpr uint64_t kLastMac = 0xffffffffffff;

// An address as the number people count up, and back.
uint64_t MacNumber(const MacAddress& mac) {
  uint64_t number = 0;
  for (const uint8_t byte : mac) number = number << 8 | byte;
  return number;
}
MacAddress MacOfNumber(uint64_t number) {
  MacAddress mac;
  for (size_t i = 0; i < mac.size(); ++i) mac[i] = static_cast<uint8_t>(number >> (40 - 8 * i));
  return mac;
}
MacAddress MacOfKey(MacTable::Key key) {
  MacAddress mac;
  std::memcpy(mac.data(), &key, mac.size());
  return mac;
}

absl::StatusOr<MacTable::Key> ParseKey(const std::string& text) {
  BESS_ASSIGN_OR_RETURN(const MacAddress mac, ParseMac(text));
  return MacTable::ToKey(mac);
}

absl::Status CheckSignedGate(int64_t gate, int64_t last) {
  if (gate >= 0 && gate <= last) return absl::OkStatus();
  return Error(EINVAL, "'gate' must be 0..", last, ", not ", gate);
}

// Picks a gate by the destination MAC address.
class L2Forward final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "L2Forward",
      .help = "picks an output gate by the destination MAC address",
      .template_name = "l2_forward",
      .ogates = kMaxGates,
  };
  static Commands<L2Forward> commands() {
    return {{"add", &L2Forward::Add},
            {"delete", &L2Forward::Delete},
            {"set_default_gate", &L2Forward::SetDefaultGate},
            {"lookup", &L2Forward::Lookup, CommandKind::kReads},
            {"populate", &L2Forward::Populate},
            {"get_runtime_config", &L2Forward::GetRuntimeConfig},
            {"set_runtime_config", &L2Forward::SetRuntimeConfig}};
  }

  absl::Status Init(const pb::L2ForwardArg& arg) {
    const int64_t buckets = arg.size() == 0 ? kDefaultBuckets : arg.size();
    const int64_t ways = arg.bucket() == 0 ? kDefaultWays : arg.bucket();
    if (buckets < 1 || buckets > MacTable::kMaxBuckets ||
        !std::has_single_bit(static_cast<uint64_t>(buckets))) {
      return Error(EINVAL, "'size' must be a power of two, 1..", MacTable::kMaxBuckets, ", not ",
                   buckets);
    }
    if (ways != 1 && ways != 2 && ways != 4) {
      return Error(EINVAL, "'bucket' must be 1, 2 or 4, not ", ways);
    }
    buckets_ = static_cast<uint32_t>(buckets);
    ways_ = static_cast<uint32_t>(ways);
    rules_.Swap(host(), MakeRules());
    return absl::OkStatus();
  }

  absl::Status Add(const pb::L2ForwardCommandAddArg& arg) { return AddTo(table(), arg.entries()); }

  absl::StatusOr<pb::L2ForwardConfig> GetRuntimeConfig(const pb::EmptyArg&) {
    pb::L2ForwardConfig config;
    config.set_default_gate(rules_.Get().Default());
    std::map<std::string, uint32_t> sorted;
    for (const auto& [key, gate] : table().Entries()) sorted[FormatMac(MacOfKey(key))] = gate;
    for (const auto& [addr, gate] : sorted) {
      auto& entry = *config.add_entries();
      entry.set_addr(addr);
      entry.set_gate(gate);
    }
    return config;
  }

  absl::Status SetRuntimeConfig(const pb::L2ForwardConfig& config) {
    auto made = MakeRules();
    BESS_RETURN_IF_ERROR(made->SetDefault("default_gate", config.default_gate()));
    BESS_RETURN_IF_ERROR(AddTo(made->table, config.entries()));
    rules_.Swap(host(), std::move(made));
    return absl::OkStatus();
  }

  absl::Status Delete(const pb::L2ForwardCommandDeleteArg& arg) {
    absl::flat_hash_set<MacTable::Key> keys;
    for (const std::string& addr : arg.addrs()) {
      BESS_ASSIGN_OR_RETURN(const MacTable::Key key, ParseKey(addr));
      if (table().Find(key) == MacTable::kNoGate) return NotThere(addr);
      if (!keys.insert(key).second) {
        return Error(EINVAL, "MAC address '", addr, "' is to be deleted twice");
      }
    }
    for (const MacTable::Key key : keys) table().Erase(key);
    return absl::OkStatus();
  }

  absl::Status SetDefaultGate(const pb::L2ForwardCommandSetDefaultGateArg& arg) {
    BESS_RETURN_IF_ERROR(CheckSignedGate(arg.gate(), kMaxGates));
    return rules_.Get().SetDefault("gate", static_cast<uint64_t>(arg.gate()));
  }

  absl::StatusOr<pb::L2ForwardCommandLookupResponse> Lookup(
      const pb::L2ForwardCommandLookupArg& arg) {
    pb::L2ForwardCommandLookupResponse response;
    for (const std::string& addr : arg.addrs()) {
      BESS_ASSIGN_OR_RETURN(const MacTable::Key key, ParseKey(addr));
      const uint32_t gate = table().Find(key);
      if (gate == MacTable::kNoGate) return NotThere(addr);
      response.add_gates(gate);
    }
    return response;
  }

  absl::Status Populate(const pb::L2ForwardCommandPopulateArg& arg) {
    BESS_RETURN_IF_ERROR(CheckPopulate(arg));
    BESS_ASSIGN_OR_RETURN(const MacAddress base, ParseMac(arg.base()));
    const auto count = static_cast<uint64_t>(arg.count());
    const uint64_t first = MacNumber(base);
    if (count > kLastMac - first + 1) {
      return Error(EINVAL, "'count' must be at most ", kLastMac - first + 1,
                   ", what there is from ", arg.base(), " on, not ", count);
    }
    if (count > table().capacity()) {
      return Error(ENOSPC, "the table has room for ", table().capacity(), " addresses; '",
                   FormatMac(MacOfNumber(first + table().capacity())), "' is one too many");
    }
    Entries entries;
    entries.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      const auto gate = static_cast<uint32_t>(i % static_cast<uint64_t>(arg.gate_count()));
      entries.emplace_back(MacTable::ToKey(MacOfNumber(first + i)), gate);
    }
    return Insert(table(), entries);
  }

  void Process(Context& context, Batch& batch) {
    MacTable::Key keys[kBatchSize];
    const uint32_t n = batch.size();
    bool runts = false;
    for (uint32_t i = 0; i < n; ++i) {
      const uint8_t* bytes = PacketView(*batch[i]).Bytes(0, sizeof(EthernetHeader));
      keys[i] = bytes != nullptr ? MacTable::ToKey(bytes) : 0;
      runts |= bytes == nullptr;
    }
    uint32_t gates[kBatchSize];
    const Rules& rules = rules_.Get();
    rules.table.Find({keys, n}, gates);
    Verdict verdicts[kBatchSize];
    const Verdict miss = rules.Miss();
    for (uint32_t i = 0; i < n; ++i) {
      verdicts[i] = gates[i] != MacTable::kNoGate ? Verdict::Gate(gates[i]) : miss;
    }
    if (runts) [[unlikely]]
      JudgeRunts(batch, verdicts);
    context.Deliver(batch, verdicts);
  }

 private:
  struct Rules : WithDefaultGate {
    Rules(uint32_t buckets, uint32_t ways) : table(buckets, ways) {}
    MacTable table;
  };

  std::unique_ptr<Rules> MakeRules() const { return std::make_unique<Rules>(buckets_, ways_); }
  MacTable& table() const { return rules_.Get().table; }

  static absl::Status NotThere(const std::string& addr) {
    return Error(ENOENT, "MAC address '", addr, "' is not in the table");
  }

  static absl::Status CheckPopulate(const pb::L2ForwardCommandPopulateArg& arg) {
    if (arg.count() < 1) {
      return Error(EINVAL, "'count' must be at least 1, not ", arg.count());
    }
    if (arg.gate_count() < 1 || arg.gate_count() > kMaxGates) {
      return Error(EINVAL, "'gate_count' must be 1..", kMaxGates, ", not ", arg.gate_count());
    }
    return absl::OkStatus();
  }

  using EntryArgs = google::protobuf::RepeatedPtrField<pb::L2ForwardCommandAddArg::Entry>;
  static absl::Status AddTo(MacTable& table, const EntryArgs& list) {
    Entries entries;
    for (const auto& entry : list) {
      BESS_ASSIGN_OR_RETURN(const MacTable::Key key, ParseKey(entry.addr()));
      BESS_RETURN_IF_ERROR(CheckSignedGate(entry.gate(), kMaxGates - 1));
      entries.emplace_back(key, static_cast<uint32_t>(entry.gate()));
    }
    return Insert(table, entries);
  }

  static absl::Status Insert(MacTable& table, const Entries& entries) {
    absl::flat_hash_set<MacTable::Key> keys;
    for (const auto& [key, gate] : entries) {
      if (table.Find(key) != MacTable::kNoGate || !keys.insert(key).second) {
        return Error(EEXIST, "MAC address '", FormatMac(MacOfKey(key)),
                     "' is in the table already");
      }
    }
    const std::optional<size_t> failed = table.Insert(entries);
    if (!failed) return absl::OkStatus();
    return Error(ENOSPC, "the table has no room for MAC address '",
                 FormatMac(MacOfKey(entries[*failed].first)), "'");
  }

  // Packets without a whole Ethernet header have no address to look up.
  static void JudgeRunts(const Batch& batch, Verdict* verdicts) {
    for (uint32_t i = 0; i < batch.size(); ++i) {
      if (batch[i]->length() < sizeof(EthernetHeader)) {
        verdicts[i] = Verdict::Drop(DropReason::kTruncated);
      }
    }
  }

  uint32_t buckets_ = 0;
  uint32_t ways_ = 0;
  LiveRules<Rules> rules_;
};

REGISTER_MODULE(L2Forward);

}  // namespace
}  // namespace bess
