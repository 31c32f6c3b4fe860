// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/spin_lock.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "core/packet/checksum.h"
#include "core/packet/wire_bits.h"
#include "modules/flow_gen/settings.h"

namespace bess {
namespace {

using flow_gen::Settings;

constexpr double kParetoShape = 1.3;  // heavy-tailed, with a mean
constexpr double kMaxPackets = UINT32_MAX;

struct Flow {
  uint64_t due = 0;   // of its next packet, in cycles since the first round
  uint32_t left = 0;  // packets to go
  bool begun = false;
  Be32 source, destination;  // the last four bytes of addresses
  Be16 source_port, destination_port;
  uint32_t sent = 0;  // TCP sequence numbers used up
};

// Orders a heap so that the flow that is due first stands in front.
struct DueLater {
  bool operator()(const Flow& a, const Flow& b) const { return a.due > b.due; }
};

// The first packet says SYN, the last FIN, all but the first ACK.
uint8_t TcpFlags(const Flow& flow) {
  const uint8_t begin = flow.begun ? kTcpAck : kTcpSyn;
  return flow.left == 1 ? static_cast<uint8_t>(begin | kTcpFin) : begin;
}

void FillTcp(const Flow& flow, ChecksumDelta delta, TcpHeader& tcp) {
  const Be32 sequence(tcp.sequence.value() + flow.sent);
  delta.Change(tcp.sequence, sequence);
  tcp.sequence = sequence;
  const auto word = [&] { return Be16(static_cast<uint16_t>(tcp.data_offset << 8 | tcp.flags)); };
  const Be16 before = word();
  tcp.flags = TcpFlags(flow);
  delta.Change(before, word());
  tcp.checksum = delta.Apply(tcp.checksum);
}

void FillIp(const Flow& flow, ChecksumDelta& delta, Ipv4Header& ip) {
  delta.Change(ip.source, flow.source);
  delta.Change(ip.destination, flow.destination);
  ip.source = flow.source;
  ip.destination = flow.destination;
  ip.checksum = delta.Apply(ip.checksum);
}

void FillLastBytes(Be32 bytes, ChecksumDelta& delta, Ipv6Address& address) {
  delta.Change(LoadUnaligned<Be32>(&address[12]), bytes);
  StoreUnaligned(&address[12], bytes);
}

void FillIp(const Flow& flow, ChecksumDelta& delta, Ipv6Header& ip) {
  FillLastBytes(flow.source, delta, ip.source);
  FillLastBytes(flow.destination, delta, ip.destination);
}

template <typename Header>
void FillPorts(const Flow& flow, ChecksumDelta& delta, Header& header) {
  delta.Change(header.source_port, flow.source_port);
  delta.Change(header.destination_port, flow.destination_port);
  header.source_port = flow.source_port;
  header.destination_port = flow.destination_port;
}

// Makes `packet`, which is as long as the template, the flow's next one.
void Fill(const Settings& settings, const Flow& flow, Packet& packet) {
  const PacketView view(packet);
  const size_t length = settings.packet.size();
  std::memcpy(view.MutableBytes(0, length), settings.packet.data(), length);
  packet.AdoptLayout(settings.layout);
  ChecksumDelta delta;
  if (Ipv4Header* ip = view.Ipv4()) {
    FillIp(flow, delta, *ip);
  } else {
    FillIp(flow, delta, *view.Ipv6());
  }
  if (TcpHeader* tcp = view.Tcp()) {
    FillPorts(flow, delta, *tcp);
    FillTcp(flow, delta, *tcp);
  } else if (UdpHeader* udp = view.Udp()) {
    FillPorts(flow, delta, *udp);
    if (udp->checksum.raw() != 0) udp->checksum = UdpChecksum(delta.Apply(udp->checksum));
  }
}

// Makes the packets of many flows that come and go. Flows wait in a heap whose memory is taken
// once; what draws random numbers runs on one worker at a time.
class FlowGen final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "FlowGen",
      .help = "makes the packets of many TCP or UDP flows that come and go",
      .template_name = "flowgen",
      .igates = 0,
      .max_workers = 1,
  };
  static Commands<FlowGen> commands() {
    return {{"update", &FlowGen::Update, CommandKind::kMerges},
            {"set_burst", &FlowGen::SetBurst, CommandKind::kSets}};
  }

  absl::Status Init(const pb::FlowGenArg& arg);
  absl::Status Update(const pb::FlowGenArg& arg);
  absl::Status SetBurst(const pb::FlowGenCommandSetBurstArg& arg);

  std::string Description() const override {
    return absl::StrCat(num_flows_.load(std::memory_order_relaxed), " flows");
  }

  TaskResult RunTask(Context& context, Batch& batch, uint64_t);

 private:
  double Uniform() { return static_cast<double>(random_.Next() >> 11) * 0x1p-53; }
  uint64_t Gap(const Settings& settings);
  uint32_t Packets(const Settings& settings);
  Flow NewFlow(const Settings& settings, uint64_t due);
  // A task that was not run for long does not make up for all of it.
  uint64_t NotLongAgo(uint64_t due, uint64_t now) const {
    return std::max(due, now - std::min(now, max_lag_));
  }
  void BeginMany(const Settings& settings);
  void BeginDue(const Settings& settings, uint64_t now);
  uint32_t TakeDue(uint64_t now, Flow* due, uint32_t max);
  void PutBack(const Flow& flow);
  void Continue(const Settings& settings, Flow flow, uint64_t now);
  bool MakePackets(const Settings& settings, const Flow* due, uint32_t n, Batch& batch);

  pb::FlowGenArg arg_;  // as updated; for control threads
  Versioned<Settings> settings_;
  std::atomic<uint32_t> burst_{kBatchSize};
  std::atomic<size_t> num_flows_{0};
  uint64_t max_lag_ = 0;  // cycles

  // Of whoever runs the task.
  SpinLock running_;
  Random random_;
  std::vector<Flow> flows_;  // a heap
  uint64_t start_ = 0;       // Cycles() of the first round
  uint64_t version_ = 0;     // of the settings at the last round
  uint64_t next_arrival_ = 0;
};

absl::Status FlowGen::Init(const pb::FlowGenArg& arg) {
  BESS_RETURN_IF_ERROR(Update(arg));
  max_lag_ = NanosecondsToCycles(10e6);
  // Two generators of one pipeline differ, and are the same each time.
  random_ = Random(std::hash<std::string>()(name()));
  flows_.reserve(flow_gen::kMaxFlows);
  if (arg.quick_rampup()) BeginMany(*settings_.Get());
  return AddTask(0);
}

absl::Status FlowGen::Update(const pb::FlowGenArg& arg) {
  pb::FlowGenArg merged = arg_;
  merged.MergeFrom(arg);
  BESS_ASSIGN_OR_RETURN(Settings settings, flow_gen::MakeSettings(merged));
  settings.version = settings_.Get()->version + 1;
  settings_.Swap(host(), std::make_unique<const Settings>(std::move(settings)));
  arg_ = std::move(merged);
  return absl::OkStatus();
}

absl::Status FlowGen::SetBurst(const pb::FlowGenCommandSetBurstArg& arg) {
  if (arg.burst() > kBatchSize) {
    return Error(EINVAL, "'burst' must be 0..", kBatchSize, " packets, not ", arg.burst());
  }
  burst_.store(static_cast<uint32_t>(arg.burst()), std::memory_order_relaxed);
  return absl::OkStatus();
}

// From one flow's begin to the next one's.
uint64_t FlowGen::Gap(const Settings& settings) {
  if (!settings.exponential) return static_cast<uint64_t>(settings.arrival);
  return static_cast<uint64_t>(-std::log(1 - Uniform()) * settings.arrival);
}

// Of one flow. Fractions are rounded at random, so that the mean holds.
uint32_t FlowGen::Packets(const Settings& settings) {
  double packets = settings.packets;
  if (settings.pareto) {
    const double least = packets * (kParetoShape - 1) / kParetoShape;
    packets = least / std::pow(1 - Uniform(), 1 / kParetoShape);
  }
  return static_cast<uint32_t>(std::clamp(packets + Uniform(), 1.0, kMaxPackets));
}

Flow FlowGen::NewFlow(const Settings& settings, uint64_t due) {
  return {.due = due,
          .left = Packets(settings),
          .source = Be32(settings.source.Pick(random_)),
          .destination = Be32(settings.destination.Pick(random_)),
          .source_port = Be16(settings.source_port.Pick(random_)),
          .destination_port = Be16(settings.destination_port.Pick(random_))};
}

// The flows there are in the long run, somewhere in their lives.
void FlowGen::BeginMany(const Settings& settings) {
  for (auto n = static_cast<uint32_t>(settings.mean_flows); n > 0; --n) {
    Flow flow = NewFlow(settings, random_.Below(settings.interval + 1));
    flow.left = static_cast<uint32_t>(1 + random_.Below(flow.left));
    PutBack(flow);
  }
}

// At the cap a flow does not begin: neither memory nor the time of a round is unbounded.
void FlowGen::BeginDue(const Settings& settings, uint64_t now) {
  if (settings.version != version_) {
    version_ = settings.version;
    next_arrival_ = now;
  }
  for (uint32_t n = 0; n < kBatchSize && next_arrival_ <= now; ++n) {
    if (flows_.size() < flow_gen::kMaxFlows) PutBack(NewFlow(settings, next_arrival_));
    next_arrival_ = NotLongAgo(next_arrival_ + Gap(settings), now);
  }
}

uint32_t FlowGen::TakeDue(uint64_t now, Flow* due, uint32_t max) {
  uint32_t n = 0;
  for (; n < max && !flows_.empty() && flows_.front().due <= now; ++n) {
    due[n] = flows_.front();
    std::pop_heap(flows_.begin(), flows_.end(), DueLater());
    flows_.pop_back();
  }
  return n;
}

void FlowGen::PutBack(const Flow& flow) {
  flows_.push_back(flow);
  std::push_heap(flows_.begin(), flows_.end(), DueLater());
}

void FlowGen::Continue(const Settings& settings, Flow flow, uint64_t now) {
  if (--flow.left == 0) return;
  flow.sent += settings.payload + (flow.begun ? 0 : 1);
  flow.begun = true;
  flow.due = NotLongAgo(flow.due + settings.interval, now);
  PutBack(flow);
}

bool FlowGen::MakePackets(const Settings& settings, const Flow* due, uint32_t n, Batch& batch) {
  const auto length = static_cast<uint16_t>(settings.packet.size());
  if (!host().pool().Alloc(batch.begin(), n, length)) return false;
  batch.set_size(n);
  for (uint32_t i = 0; i < n; ++i) Fill(settings, due[i], *batch[i]);
  return true;
}

TaskResult FlowGen::RunTask(Context& context, Batch& batch, uint64_t) {
  // While the task moves to another worker, both may run it for a moment.
  const std::unique_lock running(running_, std::try_to_lock);
  if (!running) return {.blocked = true};
  if (start_ == 0) start_ = context.now();
  const uint64_t now = std::max(context.now(), start_) - start_;
  const Settings& settings = *settings_.Get();
  BeginDue(settings, now);
  Flow due[kBatchSize];
  const uint32_t n = TakeDue(now, due, burst_.load(std::memory_order_relaxed));
  const bool made = n > 0 && MakePackets(settings, due, n, batch);
  for (uint32_t i = 0; i < n; ++i) made ? Continue(settings, due[i], now) : PutBack(due[i]);
  num_flows_.store(flows_.size(), std::memory_order_relaxed);
  if (!made) return {.blocked = true};
  context.ledger().created.Add(n);
  context.Emit(0, batch);
  return {.packets = n, .bits = WireBits(n, uint64_t{n} * settings.packet.size())};
}

REGISTER_MODULE(FlowGen);

}  // namespace
}  // namespace bess
