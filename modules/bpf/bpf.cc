// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "bess/util.pb.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "modules/bpf.pb.h"
#include "modules/bpf/packet_filter.h"

namespace bess {
namespace {

struct Filter {
  int64_t priority = 0;
  std::string expression;
  uint32_t gate = 0;
  std::shared_ptr<const PacketFilter> program;  // of the same expression; versions share it

  bool operator==(const pb::BPFArg::Filter& arg) const {
    return priority == arg.priority() && expression == arg.filter() && gate == arg.gate();
  }
};

// From the highest priority to the lowest; of equal ones, those added first come first.
using Filters = std::vector<Filter>;

absl::StatusOr<Filter> MakeFilter(const pb::BPFArg::Filter& arg) {
  if (arg.gate() < 0 || arg.gate() >= kMaxGates) {
    return Error(EINVAL, "'gate' must be a gate, 0..", kMaxGates - 1, ", not ", arg.gate());
  }
  absl::StatusOr<std::unique_ptr<const PacketFilter>> program = PacketFilter::Compile(arg.filter());
  if (!program.ok()) {
    return Error(StatusErrno(program.status()), "'filter' \"", arg.filter(),
                 "\": ", program.status().message());
  }
  return Filter{arg.priority(), arg.filter(), static_cast<uint32_t>(arg.gate()),
                *std::move(program)};
}

// Sends packets out by the gate of the first filter that matches.
class BPF final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "BPF",
      .help = "picks an output gate by filters in the notation of tcpdump",
      .template_name = "bpf",
      .ogates = kMaxGates,
  };
  static Commands<BPF> commands() {
    return {
        {"add", &BPF::Add}, {"delete", &BPF::Delete}, {"clear", &BPF::Clear, CommandKind::kClears}};
  }

  absl::Status Init(const pb::BPFArg& arg) { return Add(arg); }

  absl::Status Add(const pb::BPFArg& arg) {
    auto filters = std::make_unique<Filters>(*filters_.Get());
    for (int i = 0; i < arg.filters_size(); ++i) {
      absl::StatusOr<Filter> filter = MakeFilter(arg.filters(i));
      if (!filter.ok()) {
        return Error(StatusErrno(filter.status()), "filters[", i, "]: ", filter.status().message());
      }
      filters->push_back(*std::move(filter));
    }
    std::stable_sort(filters->begin(), filters->end(),
                     [](const Filter& a, const Filter& b) { return a.priority > b.priority; });
    filters_.Swap(host(), std::move(filters));
    return absl::OkStatus();
  }

  absl::Status Delete(const pb::BPFArg& arg) {
    auto filters = std::make_unique<Filters>(*filters_.Get());
    for (int i = 0; i < arg.filters_size(); ++i) {
      const pb::BPFArg::Filter& unwanted = arg.filters(i);
      if (std::erase(*filters, unwanted) == 0) {
        return Error(ENOENT, "filters[", i, "]: there is no filter \"", unwanted.filter(),
                     "\" with priority ", unwanted.priority(), " and gate ", unwanted.gate());
      }
    }
    filters_.Swap(host(), std::move(filters));
    return absl::OkStatus();
  }

  absl::Status Clear(const pb::EmptyArg&) {
    filters_.Swap(host(), std::make_unique<const Filters>());
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    const Filters& filters = *filters_.Get();
    ForEach(context, batch, [&](PacketView packet) {
      for (const Filter& filter : filters) {
        if (filter.program->Matches(packet.packet())) return Verdict::Gate(filter.gate);
      }
      return Verdict::Gate(0);
    });
  }

 private:
  Versioned<Filters> filters_;
};

REGISTER_MODULE(BPF);

}  // namespace
}  // namespace bess
