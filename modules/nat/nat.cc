// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "bess/util.pb.h"
#include "core/base/clock.h"
#include "core/base/parse.h"
#include "core/graph/module.h"
#include "modules/nat.pb.h"
#include "modules/nat/fields.h"
#include "modules/nat/icmp_error.h"
#include "modules/nat/mappings.h"

namespace bess {
namespace {

using nat::End;
using nat::Endpoint;
using nat::Fields;
using nat::Flow;
using nat::Kind;
using nat::Protocol;

constexpr uint32_t kFromInside = 0;                // input gate; 1 is from outside
constexpr uint32_t kToInside = 0, kToOutside = 1;  // output gates
constexpr uint32_t kMaxAddresses = 1024;
// How many flows a batch gives the wheel to look at, beyond one for each packet: more than a batch
// can make, so that it keeps up.
constexpr uint32_t kExpirySlice = 32;
// Flows in an answer: what fits into a message of gRPC's usual bound many times over.
constexpr uint32_t kMaxListed = 10000, kUsuallyListed = 1000;

absl::StatusOr<std::vector<nat::PortRange>> ReadRanges(const pb::NATArg::ExternalAddress& arg) {
  if (arg.port_ranges().empty()) return std::vector<nat::PortRange>{{0, 1 << 16}};
  std::vector<nat::PortRange> ranges;
  for (const auto& range : arg.port_ranges()) {
    if (range.end() > UINT16_MAX || range.begin() >= range.end()) {
      return Error(EINVAL, "'port_ranges' of ", arg.ext_addr(),
                   ": 'begin' must be below 'end' and 'end' at most ", UINT16_MAX, ", not ",
                   range.begin(), " and ", range.end());
    }
    ranges.push_back({range.begin(), range.end(), range.suspended()});
  }
  return ranges;
}

absl::StatusOr<std::vector<nat::ExternalAddress>> ReadAddresses(const pb::NATArg& arg) {
  if (arg.ext_addrs().empty() || arg.ext_addrs_size() > static_cast<int>(kMaxAddresses)) {
    return Error(EINVAL, "'ext_addrs' must have 1..", kMaxAddresses, " addresses, not ",
                 arg.ext_addrs_size());
  }
  std::vector<nat::ExternalAddress> addresses;
  for (const auto& external : arg.ext_addrs()) {
    BESS_ASSIGN_OR_RETURN(const uint32_t address, ParseIpv4(external.ext_addr()));
    for (const nat::ExternalAddress& other : addresses) {
      if (other.address != address) continue;
      return Error(EINVAL, "'ext_addrs' has ", external.ext_addr(), " twice");
    }
    BESS_ASSIGN_OR_RETURN(auto ranges, ReadRanges(external));
    addresses.push_back({address, std::move(ranges)});
  }
  return addresses;
}

std::string Count(uint64_t n, std::string_view one, std::string_view many) {
  return absl::StrCat(n, " ", AbslView(n == 1 ? one : many));
}

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// Lets IPv4 hosts inside share external addresses, by giving each of their ports an external one
// (RFC 4787, 5382, 5508).
class Nat final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "NAT",
      .help = "shares external IPv4 addresses among hosts inside, translating ports",
      .template_name = "nat",
      .igates = 2,
      .ogates = 2,
      .igates_alike = false,
      // Both directions use the same table.
      .max_workers = 1,
  };
  static Commands<Nat> commands() {
    return {{"get_runtime_config", &Nat::GetRuntimeConfig},
            {"set_runtime_config", &Nat::SetRuntimeConfig},
            {"get_flows", &Nat::GetFlows}};
  }

  absl::Status Init(const pb::NATArg& arg) {
    BESS_ASSIGN_OR_RETURN(auto addresses, ReadAddresses(arg));
    mappings_.emplace(std::move(addresses), nat::FlowTable::kMaxFlows, RandomSeed());
    cycles_per_tick_ = static_cast<uint64_t>(CyclesPerSecond() / nat::kTicksPerSecond);
    return absl::OkStatus();
  }

  std::string Description() const override {
    return absl::StrCat(Count(mappings_->addresses(), "address", "addresses"), ", ",
                        Count(mappings_->flows(), "flow", "flows"));
  }

  void Process(Context& context, Batch& batch) {
    mappings_->SetNow(Now(context.now()), batch.size() + kExpirySlice);
    if (context.igate() == kFromInside) {
      TranslateBatch<End::kSource>(context, batch);
    } else {
      TranslateBatch<End::kDestination>(context, batch);
    }
  }

 private:
  struct Job {
    Fields fields;
    uint32_t hash;  // of kFlow only
  };

  // There is nothing to configure at run time; BESS has these two, so clients may call them.
  absl::StatusOr<pb::EmptyArg> GetRuntimeConfig(const pb::EmptyArg&) { return pb::EmptyArg(); }
  absl::Status SetRuntimeConfig(const pb::EmptyArg&) { return absl::OkStatus(); }
  absl::StatusOr<pb::NATCommandGetFlowsResponse> GetFlows(const pb::NATCommandGetFlowsArg& arg);
  void Describe(const nat::Glimpse& flow, pb::NATCommandGetFlowsResponse::Flow* out) const;

  template <End kEnd>
  void TranslateBatch(Context& context, Batch& batch);
  template <End kEnd>
  void Prepare(PacketView packet, Job& job);
  template <End kEnd>
  void PrefetchFlows(absl::Span<const Job> jobs) const;
  template <End kEnd>
  Verdict Translate(PacketView packet, const Job& job);

  Verdict Out(const Job& job);
  Verdict In(const Job& job);
  Verdict Hairpin(PacketView packet, const Job& job);
  Verdict ErrorOut(PacketView packet);
  Verdict ErrorIn(PacketView packet);

  nat::Ticks Now(uint64_t cycles) const {
    return static_cast<nat::Ticks>(cycles / cycles_per_tick_);
  }
  uint32_t Hash(Endpoint end) const { return mappings_->table().Hash(end); }
  Flow* FindInside(Endpoint end) { return mappings_->FindInside(end, Hash(end)); }
  Flow* FindOutside(Endpoint end) { return mappings_->FindOutside(end, Hash(end)); }

  std::optional<nat::Mappings> mappings_;
  uint64_t cycles_per_tick_ = 1;
};

absl::StatusOr<pb::NATCommandGetFlowsResponse> Nat::GetFlows(const pb::NATCommandGetFlowsArg& arg) {
  if (arg.limit() > kMaxListed) {
    return Error(EINVAL, "'limit' must be 0..", kMaxListed, ", not ", arg.limit());
  }
  const uint32_t limit = arg.limit() == 0 ? kUsuallyListed : arg.limit();
  const nat::FlowTable& table = mappings_->table();
  pb::NATCommandGetFlowsResponse response;
  for (uint64_t number = arg.start(); number < table.capacity(); ++number) {
    const auto flow = table.Peek(static_cast<uint32_t>(number));
    if (!flow) continue;
    if (response.flows_size() == static_cast<int>(limit)) {
      response.set_next(number);
      break;
    }
    Describe(*flow, response.add_flows());
  }
  return response;
}

void Nat::Describe(const nat::Glimpse& flow, pb::NATCommandGetFlowsResponse::Flow* out) const {
  static constexpr std::array<const char*, nat::kNumProtocols> kNames = {"tcp", "udp", "icmp"};
  out->set_protocol(kNames[static_cast<size_t>(flow.inside.protocol())]);
  out->set_inside_addr(FormatIpv4(flow.inside.address().value()));
  out->set_inside_port(flow.inside.port().value());
  out->set_outside_addr(FormatIpv4(flow.outside.address().value()));
  out->set_outside_port(flow.outside.port().value());
  out->set_closing(flow.closing);
  // The flow may have been used since the clock was read.
  const auto idle = static_cast<int32_t>(Now(Cycles()) - flow.last_used);
  out->set_idle_seconds(std::max(idle, 0) / static_cast<double>(nat::kTicksPerSecond));
}

// In passes, so that the cache misses of a batch's lookups overlap.
template <End kEnd>
void Nat::TranslateBatch(Context& context, Batch& batch) {
  Job jobs[kBatchSize];
  Verdict verdicts[kBatchSize];
  const uint32_t n = batch.size();
  PrefetchHeaders(batch);
  for (uint32_t i = 0; i < n; ++i) Prepare<kEnd>(PacketView(*batch[i]), jobs[i]);
  if (mappings_->table().Crowded()) PrefetchFlows<kEnd>({jobs, n});
  for (uint32_t i = 0; i < n; ++i) {
    verdicts[i] = Translate<kEnd>(PacketView(*batch[i]), jobs[i]);
  }
  context.Deliver(batch, verdicts);
}

template <End kEnd>
inline void Nat::Prepare(PacketView packet, Job& job) {
  job.fields = nat::ReadFields<kEnd>(packet);
  if (job.fields.kind != Kind::kFlow) return;
  job.hash = Hash(job.fields.endpoint());
  if constexpr (kEnd == End::kSource) {
    mappings_->table().PrefetchInside(job.hash);
  } else {
    mappings_->table().PrefetchOutside(job.hash);
  }
}

template <End kEnd>
void Nat::PrefetchFlows(absl::Span<const Job> jobs) const {
  const nat::FlowTable& table = mappings_->table();
  for (const Job& job : jobs) {
    if (job.fields.kind != Kind::kFlow) continue;
    if constexpr (kEnd == End::kSource) {
      table.PrefetchInsideFlow(job.hash);
    } else {
      table.PrefetchOutsideFlow(job.hash);
    }
  }
}

template <End kEnd>
inline Verdict Nat::Translate(PacketView packet, const Job& job) {
  constexpr bool kOut = kEnd == End::kSource;
  if (job.fields.kind == Kind::kFlow) [[likely]] {
    if constexpr (!kOut) return In(job);
    const bool hairpin = mappings_->Owns(job.fields.ip->destination);
    return hairpin ? Hairpin(packet, job) : Out(job);
  }
  if (job.fields.kind == Kind::kRefused) return Verdict::Drop(nat::WhyRefused(packet));
  return kOut ? ErrorOut(packet) : ErrorIn(packet);
}

inline Verdict Nat::Out(const Job& job) {
  Flow* flow = mappings_->Use(job.fields.endpoint(), job.hash);
  if (flow == nullptr) [[unlikely]] {
    if (job.fields.is_reply) return Verdict::Drop(DropReason::kNoMapping);
    DropReason why_not;
    flow = mappings_->Begin(job.fields.endpoint(), why_not);
    if (flow == nullptr) return Verdict::Drop(why_not);
  }
  mappings_->FollowTcp(*flow, job.fields.tcp_flags, nat::From::kInside);
  nat::Rewrite(job.fields, flow->outside);
  return Verdict::Gate(kToOutside);
}

inline Verdict Nat::In(const Job& job) {
  Flow* flow = mappings_->FindOutside(job.fields.endpoint(), job.hash);
  if (flow == nullptr) [[unlikely]]
    return Verdict::Drop(DropReason::kNoMapping);
  mappings_->FollowTcp(*flow, job.fields.tcp_flags, nat::From::kOutside);
  nat::Rewrite(job.fields, flow->inside);
  return Verdict::Gate(kToInside);
}

// From one host inside to another, by its external address: both ends are translated (RFC 4787,
// REQ-9). An ICMP query has one identifier for both ends, so that cannot be done to it.
Verdict Nat::Hairpin(PacketView packet, const Job& job) {
  if (job.fields.protocol == Protocol::kIcmp) return Verdict::Drop(DropReason::kUnsupported);
  const Fields destination = nat::ReadFields<End::kDestination>(packet);
  const Job back{.fields = destination, .hash = Hash(destination.endpoint())};
  // Asked first, so that a packet to nowhere does not take a port.
  if (FindOutside(back.fields.endpoint()) == nullptr) return Verdict::Drop(DropReason::kNoMapping);
  const Verdict verdict = Out(job);
  return verdict.is_drop() ? verdict : In(back);
}

// A host or router inside complains about a packet that came in.
Verdict Nat::ErrorOut(PacketView packet) {
  nat::IcmpError error;
  if (const auto reason = error.Read(packet)) return Verdict::Drop(*reason);
  const Flow* flow = FindInside(error.destination());
  if (flow == nullptr) return Verdict::Drop(DropReason::kNoMapping);
  Ipv4Header* ip = packet.Ipv4();
  const bool hairpin = mappings_->Owns(ip->destination);
  if (hairpin) {
    if (flow->inside.protocol() == Protocol::kIcmp) return Verdict::Drop(DropReason::kUnsupported);
    const Verdict verdict = ErrorIn(packet);
    if (verdict.is_drop()) return verdict;
  }
  error.SetDestination(flow->outside);
  ip->checksum = UpdateChecksum(ip->checksum, ip->source, flow->outside.address());
  ip->source = flow->outside.address();
  return Verdict::Gate(hairpin ? kToInside : kToOutside);
}

// Somebody outside complains about a packet that went out.
Verdict Nat::ErrorIn(PacketView packet) {
  nat::IcmpError error;
  if (const auto reason = error.Read(packet)) return Verdict::Drop(*reason);
  const Flow* flow = FindOutside(error.source());
  if (flow == nullptr) return Verdict::Drop(DropReason::kNoMapping);
  error.SetSource(flow->inside);
  Ipv4Header* ip = packet.Ipv4();
  ip->checksum = UpdateChecksum(ip->checksum, ip->destination, flow->inside.address());
  ip->destination = flow->inside.address();
  return Verdict::Gate(kToInside);
}

REGISTER_MODULE(Nat);

}  // namespace
}  // namespace bess
