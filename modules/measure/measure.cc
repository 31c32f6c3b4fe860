// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "bess/util.pb.h"
#include "core/base/bytes.h"
#include "core/base/histogram.h"
#include "core/base/nanosecond_clock.h"
#include "core/base/random.h"
#include "core/graph/module.h"
#include "core/packet/time_stamp.h"
#include "core/packet/wire_bits.h"
#include "modules/measure.pb.h"

namespace bess {
namespace {

constexpr uint64_t kDefaultMax = 100000000;  // nanoseconds
constexpr uint64_t kMaxMax = 1000000000000;
constexpr uint64_t kDefaultResolution = 100;
constexpr uint64_t kMaxBuckets = 1 << 22;
constexpr double kDefaultJitterShare = 0.05;

// How times are counted.
struct Scale {
  size_t buckets = 0;
  uint64_t width = 0;  // nanoseconds
};

absl::StatusOr<Scale> ReadScale(const pb::MeasureArg& arg) {
  const uint64_t max = arg.latency_ns_max() == 0 ? kDefaultMax : arg.latency_ns_max();
  if (max > kMaxMax) {
    return Error(EINVAL, "'latency_ns_max' must be 0..", kMaxMax, " ns, not ", max);
  }
  const uint64_t width =
      arg.latency_ns_resolution() == 0 ? kDefaultResolution : arg.latency_ns_resolution();
  const uint64_t buckets = (max + width - 1) / width;
  if (buckets > kMaxBuckets) {
    return Error(EINVAL, "'latency_ns_max' of ", max, " ns with a 'latency_ns_resolution' of ",
                 width, " ns would take ", buckets, " buckets; at most ", kMaxBuckets,
                 " are possible");
  }
  return Scale{buckets, width};
}

// Written so that what is not a number is refused too.
absl::Status CheckPercentiles(const char* field, absl::Span<const double> percentiles) {
  double last = 0;
  for (const double percentile : percentiles) {
    if (!(percentile >= last && percentile <= 100)) {
      return Error(EINVAL, "'", field, "' must be 0..100 and rise; ", percentile, " follows ",
                   last);
    }
    last = percentile;
  }
  return absl::OkStatus();
}

// What one worker counts.
struct Counts {
  Counter packets;
  Counter bits;
  Histogram latency;
  Histogram jitter;
  uint64_t last_latency = 0;  // 0: there was none yet
  bool ready = false;
};

// What all workers counted.
struct Sums {
  explicit Sums(const Scale& scale)
      : latency(scale.buckets, scale.width), jitter(scale.buckets, scale.width) {}

  void Add(const Counts& counts) {
    packets += counts.packets.Get();
    bits += counts.bits.Get();
    latency.Add(counts.latency);
    jitter.Add(counts.jitter);
  }
  void Subtract(const Sums& earlier) {
    packets -= earlier.packets;
    bits -= earlier.bits;
    latency.Subtract(earlier.latency);
    jitter.Subtract(earlier.jitter);
  }

  uint64_t packets = 0;
  uint64_t bits = 0;
  HistogramSum latency;
  HistogramSum jitter;
};

void Fill(const HistogramSummary& summary, uint64_t resolution,
          pb::MeasureCommandGetSummaryResponse::Histogram* out) {
  out->set_count(summary.count);
  out->set_above_range(summary.above);
  out->set_resolution_ns(resolution);
  out->set_min_ns(summary.min);
  out->set_avg_ns(summary.average);
  out->set_max_ns(summary.max);
  out->set_total_ns(summary.total);
  for (const uint64_t value : summary.percentiles) out->add_percentile_values_ns(value);
}

// Workers only ever count up. `clear` remembers what they had counted by then, and a summary is the
// difference: a packet that arrives meanwhile is counted before or after, but once.
class Measure final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Measure",
      .help = "keeps statistics of packets, bits, latency and jitter",
  };
  static Commands<Measure> commands() {
    return {{"get_summary", &Measure::GetSummary},
            {"clear", &Measure::Clear, CommandKind::kPasses}};
  }

  absl::Status Init(const pb::MeasureArg& arg) {
    BESS_ASSIGN_OR_RETURN(scale_, ReadScale(arg));
    const double share = arg.jitter_sample_prob();
    if (!(share >= 0 && share <= 1)) {
      return Error(EINVAL, "'jitter_sample_prob' must be 0..1, not ", share);
    }
    jitter_sampled_ = Chance(share == 0 ? kDefaultJitterShare : share);
    randoms_.Seed(name());
    cleared_ = Sums(scale_);
    if (arg.type_case() == pb::MeasureArg::kOffset) return ReadPackets(arg.offset());
    const std::string& attribute = arg.attr_name();
    return AddAttribute(attribute.empty() ? "timestamp" : attribute, sizeof(uint64_t),
                        AttributeMode::kRead)
        .status();
  }

  void Placed(absl::Span<const uint32_t> workers) override {
    for (const uint32_t worker : workers) {
      Counts& counts = counts_.At(worker);
      if (counts.ready) continue;
      counts.latency.Reset(scale_.buckets, scale_.width);
      counts.jitter.Reset(scale_.buckets, scale_.width);
      counts.ready = true;
    }
  }

  absl::StatusOr<pb::MeasureCommandGetSummaryResponse> GetSummary(
      const pb::MeasureCommandGetSummaryArg& arg) {
    BESS_RETURN_IF_ERROR(CheckPercentiles("latency_percentiles", arg.latency_percentiles()));
    BESS_RETURN_IF_ERROR(CheckPercentiles("jitter_percentiles", arg.jitter_percentiles()));
    Sums now = SumUp();
    Sums since = now;
    since.Subtract(cleared_);
    pb::MeasureCommandGetSummaryResponse response;
    response.set_timestamp(WallSeconds());
    response.set_packets(since.packets);
    response.set_bits(since.bits);
    Fill(since.latency.Summarize(
             {arg.latency_percentiles().begin(), arg.latency_percentiles().end()}),
         scale_.width, response.mutable_latency());
    Fill(since.jitter.Summarize({arg.jitter_percentiles().begin(), arg.jitter_percentiles().end()}),
         scale_.width, response.mutable_jitter());
    if (arg.clear()) cleared_ = std::move(now);
    return response;
  }

  absl::Status Clear(const pb::EmptyArg&) {
    cleared_ = SumUp();
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    Counts& counts = counts_.At(context.worker());
    counts.packets.Add(batch.size());
    counts.bits.Add(WireBits(batch));
    if (in_packet_) {
      TakeTimes(context, batch, counts,
                [&](Packet& packet) { return ReadTimeStamp(PacketView(packet), offset_); });
    } else {
      const AttributeRef attribute = context.attribute(0);
      TakeTimes(context, batch, counts,
                [&](Packet& packet) { return LoadUnaligned<uint64_t>(attribute.Read(packet)); });
    }
    context.Emit(0, batch);
  }

 private:
  absl::Status ReadPackets(uint64_t offset) {
    BESS_RETURN_IF_ERROR(CheckTimeStampOffset(offset));
    in_packet_ = true;
    offset_ = offset;
    return absl::OkStatus();
  }

  // A time of 0 is none, and one that is still to come is somebody else's.
  template <typename TimeOf>
  void TakeTimes(Context& context, Batch& batch, Counts& counts, TimeOf time_of) {
    const uint64_t now = clock_.Now();
    Random random = randoms_.At(context.worker());
    for (Packet* packet : batch) {
      const uint64_t sent = time_of(*packet);
      if (sent == 0 || sent > now) continue;
      const uint64_t latency = now - sent;
      const uint64_t last = counts.last_latency;
      counts.latency.Add(latency);
      counts.last_latency = latency;
      if (last != 0 && jitter_sampled_.Happens(random)) {
        counts.jitter.Add(std::max(latency, last) - std::min(latency, last));
      }
    }
    randoms_.At(context.worker()) = random;
  }

  Sums SumUp() const {
    Sums sums(scale_);
    counts_.ForEach([&](const Counts& counts) { sums.Add(counts); });
    return sums;
  }

  Scale scale_;
  Chance jitter_sampled_;
  bool in_packet_ = false;
  uint64_t offset_ = 0;
  NanosecondClock clock_;
  WorkerRandoms randoms_;
  PerWorker<Counts> counts_;
  Sums cleared_{Scale{}};  // for control threads
};

REGISTER_MODULE(Measure);

}  // namespace
}  // namespace bess
