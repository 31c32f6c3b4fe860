// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "bess/util.pb.h"
#include "core/base/parse.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "core/match/prefix_table.h"
#include "core/packet/ether_type.h"
#include "modules/ip_lookup.pb.h"

namespace bess {
namespace {

using Table4 = PrefixTable<4>;
using Table6 = PrefixTable<16>;

constexpr uint32_t kDefaultRules = 1024;
constexpr uint32_t kMaxRules = 1 << 22;
constexpr uint32_t kDefaultTbl8s = 128;
constexpr uint32_t kMaxTbl8s = Table4::kMaxGroups;

bool IsIpv6(const std::string& prefix) { return prefix.find(':') != std::string::npos; }

absl::Status CheckLength(uint64_t length, uint32_t bits) {
  if (length <= bits) return absl::OkStatus();
  return Error(EINVAL, "'prefix_len' must be 0..", bits, ", not ", length);
}

absl::StatusOr<Table4::Prefix> ParseRoute4(const std::string& address, uint64_t length) {
  BESS_ASSIGN_OR_RETURN(const auto parsed, ParseIpv4(address));
  BESS_RETURN_IF_ERROR(CheckLength(length, 32));
  BESS_ASSIGN_OR_RETURN(const auto prefix, MakePrefix(parsed, static_cast<uint32_t>(length)));
  return ToBytes(prefix);
}

absl::StatusOr<Table6::Prefix> ParseRoute6(const std::string& address, uint64_t length) {
  BESS_ASSIGN_OR_RETURN(const auto parsed, ParseIpv6(address));
  BESS_RETURN_IF_ERROR(CheckLength(length, 128));
  BESS_ASSIGN_OR_RETURN(const auto prefix, MakePrefix(parsed, static_cast<uint32_t>(length)));
  return ToBytes(prefix);
}

// Why a packet without a whole IP header cannot be routed.
DropReason Unroutable(PacketView packet) {
  if (packet.Ethernet() == nullptr) return DropReason::kTruncated;
  return ClaimsIp(packet) ? DropReason::kMalformed : DropReason::kUnsupported;
}

// The addresses of one family in a batch, and which packets they are of.
template <typename Table>
struct Lookup {
  typename Table::Address addresses[kBatchSize];
  uint8_t packet[kBatchSize];
  uint32_t n = 0;

  void Add(const void* address, uint32_t index) {
    std::memcpy(addresses[n].data(), address, addresses[n].size());
    packet[n++] = static_cast<uint8_t>(index);
  }
  void Judge(const Table& table, Verdict* verdicts) const {
    uint32_t gates[kBatchSize];
    table.Find({addresses, n}, gates);
    for (uint32_t i = 0; i < n; ++i) verdicts[packet[i]] = Of(gates[i]);
  }
  static Verdict Of(uint32_t gate) {
    if (gate < kMaxGates) [[likely]]
      return Verdict::Gate(gate);
    return Verdict::Drop(gate == kMaxGates ? DropReason::kDenied : DropReason::kNoMatch);
  }
};

std::string Format(const Table4::Address& address) {
  return FormatIpv4(LoadUnaligned<Be32>(address.data()).value());
}
std::string Format(const Table6::Address& address) { return FormatIpv6(address); }

// In the order of addresses, then lengths.
template <size_t kBytes>
void WriteRoutes(const PrefixTable<kBytes>& table, pb::IPLookupConfig* config) {
  using Route = std::pair<typename PrefixTable<kBytes>::Prefix, uint32_t>;
  std::vector<Route> routes(table.values().begin(), table.values().end());
  std::sort(routes.begin(), routes.end(), [](const Route& a, const Route& b) {
    return std::tie(a.first.address, a.first.length) < std::tie(b.first.address, b.first.length);
  });
  for (const auto& [prefix, gate] : routes) {
    pb::IPLookupCommandAddArg& route = *config->add_routes();
    route.set_prefix(Format(prefix.address));
    route.set_prefix_len(prefix.length);
    route.set_gate(gate);
  }
}

// Routes packets: picks the gate of the longest prefix that holds the destination address.
class IPLookup final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "IPLookup",
      .help = "picks an output gate by the longest prefix of the IP destination address",
      .template_name = "ip_lookup",
      .ogates = kMaxGates,
  };
  static Commands<IPLookup> commands() {
    return {{"add", &IPLookup::Add},
            {"delete", &IPLookup::Delete},
            {"clear", &IPLookup::Clear},
            {"get_runtime_config", &IPLookup::GetRuntimeConfig},
            {"set_runtime_config", &IPLookup::SetRuntimeConfig}};
  }

  absl::Status Init(const pb::IPLookupArg& arg) {
    max_rules_ = arg.max_rules() == 0 ? kDefaultRules : arg.max_rules();
    max_tbl8s_ = arg.max_tbl8s() == 0 ? kDefaultTbl8s : arg.max_tbl8s();
    if (max_rules_ > kMaxRules) {
      return Error(EINVAL, "'max_rules' must be 0..", kMaxRules, ", not ", max_rules_);
    }
    if (max_tbl8s_ > kMaxTbl8s) {
      return Error(EINVAL, "'max_tbl8s' must be 0..", kMaxTbl8s, ", not ", max_tbl8s_);
    }
    return Clear({});
  }

  absl::Status Add(const pb::IPLookupCommandAddArg& arg) { return AddTo(*routes_.Get(), arg); }

  absl::Status Delete(const pb::IPLookupCommandDeleteArg& arg) {
    const Routes& routes = *routes_.Get();
    bool found = false;
    if (IsIpv6(arg.prefix())) {
      BESS_ASSIGN_OR_RETURN(const auto prefix, ParseRoute6(arg.prefix(), arg.prefix_len()));
      found = routes.six->Delete(prefix);
    } else {
      BESS_ASSIGN_OR_RETURN(const auto prefix, ParseRoute4(arg.prefix(), arg.prefix_len()));
      found = routes.four->Delete(prefix);
    }
    // Without a default route packets are dropped, which is what a client wants who removes it.
    if (found || arg.prefix_len() == 0) return absl::OkStatus();
    return Error(ENOENT, "there is no route ", arg.prefix(), "/", arg.prefix_len());
  }

  absl::Status Clear(const pb::EmptyArg&) { return SetRuntimeConfig({}); }

  absl::StatusOr<pb::IPLookupConfig> GetRuntimeConfig(const pb::EmptyArg&) {
    pb::IPLookupConfig config;
    WriteRoutes<4>(*routes_.Get()->four, &config);
    WriteRoutes<16>(*routes_.Get()->six, &config);
    return config;
  }

  absl::Status SetRuntimeConfig(const pb::IPLookupConfig& config) {
    auto fresh = std::make_unique<Routes>();
    BESS_ASSIGN_OR_RETURN(fresh->four, Table4::Create(max_tbl8s_));
    BESS_ASSIGN_OR_RETURN(fresh->six, Table6::Create(max_rules_ * Table6::kGroupsOfOne));
    for (int i = 0; i < config.routes_size(); ++i) {
      const absl::Status added = AddTo(*fresh, config.routes(i));
      if (!added.ok()) {
        return Error(StatusErrno(added), "routes[", i, "]: ", added.message());
      }
    }
    routes_.Swap(host(), std::move(fresh));
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    Lookup<Table4> four;
    Lookup<Table6> six;
    Verdict verdicts[kBatchSize];
    PrefetchHeaders(batch);
    for (uint32_t i = 0; i < batch.size(); ++i) {
      const PacketView packet(*batch[i]);
      if (const Ipv4Header* ip = packet.Ipv4()) {
        four.Add(&ip->destination, i);
      } else if (const Ipv6Header* ip6 = packet.Ipv6()) {
        six.Add(&ip6->destination, i);
      } else {
        verdicts[i] = Verdict::Drop(Unroutable(packet));
      }
    }
    const Routes& routes = *routes_.Get();
    four.Judge(*routes.four, verdicts);
    six.Judge(*routes.six, verdicts);
    context.Deliver(batch, verdicts);
  }

 private:
  // The tables change in place, under their readers; `clear` replaces both.
  struct Routes {
    std::unique_ptr<Table4> four;
    std::unique_ptr<Table6> six;

    // Default routes take no room.
    size_t size() const {
      return four->size() + six->size() - four->Get({}).has_value() - six->Get({}).has_value();
    }
  };

  absl::Status AddTo(const Routes& routes, const pb::IPLookupCommandAddArg& arg) {
    BESS_RETURN_IF_ERROR(CheckGate("gate", arg.gate(), kMaxGates + 1));
    const auto gate = static_cast<uint32_t>(arg.gate());
    if (IsIpv6(arg.prefix())) {
      BESS_ASSIGN_OR_RETURN(const auto prefix, ParseRoute6(arg.prefix(), arg.prefix_len()));
      return AddTo(routes, *routes.six, prefix, gate);
    }
    BESS_ASSIGN_OR_RETURN(const auto prefix, ParseRoute4(arg.prefix(), arg.prefix_len()));
    return AddTo(routes, *routes.four, prefix, gate);
  }

  template <typename Table>
  absl::Status AddTo(const Routes& routes, Table& table, const typename Table::Prefix& prefix,
                     uint32_t gate) {
    const bool takes_room = prefix.length != 0 && !table.Get(prefix).has_value();
    if (takes_room && routes.size() >= max_rules_) {
      return Error(ENOSPC, "there is room for ", max_rules_, " routes ('max_rules')");
    }
    if (table.Add(prefix, gate)) return absl::OkStatus();
    return Error(ENOSPC, "there is room for ", max_tbl8s_,
                 " different first 24 bits of longer routes ('max_tbl8s')");
  }

  uint32_t max_rules_ = 0;
  uint32_t max_tbl8s_ = 0;
  Versioned<Routes> routes_;
};

REGISTER_MODULE(IPLookup);

}  // namespace
}  // namespace bess
