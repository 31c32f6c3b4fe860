// SPDX-License-Identifier: Apache-2.0
#include "core/observe/capture.h"

#include <pthread.h>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/pipe.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

constexpr absl::Duration kIdle = absl::Milliseconds(1);
constexpr absl::Duration kReaderPause = absl::Milliseconds(50);
constexpr size_t kChunk = 64 << 10;  // bytes written at once

}  // namespace

Capture::~Capture() {
  stop_.Notify();
  if (thread_.joinable()) thread_.join();
}

absl::Status Capture::Start(const Options& options, std::unique_ptr<CaptureFormat> format) {
  format_ = std::move(format);
  reconnect_ = options.reconnect;
  BESS_RETURN_IF_ERROR(fifo_.Find(options.fifo));
  const absl::Status opened = fifo_.Open();
  if (!opened.ok() && !(options.defer && StatusErrno(opened) == ENXIO)) return opened;
  reading_ = opened.ok();
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Capture::Process(Context& context, Batch& batch) {
  Lane& lane = *static_cast<Lane*>(context.node().cell);
  lane.passed.Add(batch.size());
  if (reading_.load(std::memory_order_relaxed)) {
    const uint64_t now = WallNanoseconds();
    for (Packet* packet : batch) {
      PacketSnapshot* slot = lane.ring.Empty();
      if (slot == nullptr) break;
      slot->Take(*packet, now, format_->snap_length());
      lane.ring.PutFull();
      lane.copied.Add(1);
    }
  }
  context.Emit(0, batch);
}

absl::StatusOr<native::CaptureCounters> Capture::GetCounters() {
  native::CaptureCounters counters;
  counters.set_captured(captured_.Get());
  uint64_t not_captured = lost_.Get();
  uint64_t passed = 0;
  std::as_const(lanes_).ForEach([&](const Lane& lane) {
    const uint64_t copied = lane.copied.Get();
    const uint64_t all = lane.passed.Get();
    passed += all;
    not_captured += all - copied;
  });
  counters.set_not_captured(not_captured);
  counters.set_passed(passed);
  return counters;
}

// --- The hook's thread --------------------------------------------------------------------------

void Capture::Run() {
  pthread_setname_np(pthread_self(), "capture");
  BlockBrokenPipeSignal();
  do {
    if (AwaitReader()) WriteToReader();
  } while (reconnect_ && !stop_.HasBeenNotified());
  spdlog::info("capture '{}' ended: {} packets captured, {} more copied but not written", name(),
               captured_.Get(), lost_.Get());
  finished_.store(true, std::memory_order_release);
}

bool Capture::AwaitReader() {
  while (fifo_.fd() < 0 && !fifo_.Open().ok()) {
    if (stop_.WaitForNotificationWithTimeout(kReaderPause)) return false;
  }
  return true;
}

// Until the reader leaves, or the hook is taken away: then what waits is still written.
void Capture::WriteToReader() {
  bool there = Write(format_->Header());
  reading_.store(there, std::memory_order_relaxed);
  for (bool last = false; there && !last;) {
    last = stop_.WaitForNotificationWithTimeout(kIdle);
    there = WriteWhatWaits() && !HasNoReader(fifo_.fd());
  }
  reading_.store(false, std::memory_order_relaxed);
  fifo_.Close();
  WriteWhatWaits();
}

// False when nobody reads any more: what waited is counted as lost.
bool Capture::WriteWhatWaits() {
  bool there = fifo_.fd() >= 0;
  lanes_.ForEach([&](Lane& lane) {
    std::string chunk;
    uint64_t packets = 0;
    const auto flush = [&] {
      there = there && Write(chunk);
      (there ? captured_ : lost_).Add(packets);
      chunk.clear();
      packets = 0;
    };
    // No more than a ring holds, so that the other workers' turn comes.
    for (uint32_t i = 0; i < kSlots; ++i) {
      const PacketSnapshot* packet = lane.ring.Full();
      if (packet == nullptr) break;
      format_->Append(*packet, &chunk);
      lane.ring.PutEmpty();
      ++packets;
      if (chunk.size() >= kChunk) flush();
    }
    flush();
  });
  return there;
}

bool Capture::Write(std::string_view bytes) {
  const auto stopped = [this] { return stop_.HasBeenNotified(); };
  return WriteToPipe(fifo_.fd(), bytes, stopped) == Written::kAll;
}

// --- Classes ------------------------------------------------------------------------------------

absl::Status TcpDump::Init(const pb::TcpdumpArg& arg) {
  return Start({.fifo = arg.fifo(), .defer = arg.defer(), .reconnect = arg.reconnect()},
               std::make_unique<PcapFormat>());
}

absl::Status PcapNg::Init(const pb::PcapngArg& arg) {
  return Start({.fifo = arg.fifo(), .defer = arg.defer(), .reconnect = arg.reconnect()},
               std::make_unique<PcapngFormat>(name()));
}

REGISTER_GATE_HOOK(TcpDump);
REGISTER_GATE_HOOK(PcapNg);

}  // namespace bess
