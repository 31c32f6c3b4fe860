// SPDX-License-Identifier: Apache-2.0
//
// Module classes for tests of what runs modules: a source, a pass-through, a sink and a box that
// holds packets. Include from one .cc of a test program.
#pragma once

#include <atomic>
#include <deque>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "bess/util.pb.h"
#include "core/graph/module.h"

namespace bess {

class TestSource final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestSource", .help = "makes packets", .igates = 0};

  absl::Status Init(const pb::EmptyArg&) { return AddTask(0); }
  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    if (quiet || !host().pool().Alloc(batch.begin(), kBurst, 60)) return {.blocked = true};
    batch.set_size(kBurst);
    context.ledger().created.Add(kBurst);
    context.Emit(0, batch);
    return {.packets = kBurst, .bits = kBurst * 60 * 8};
  }

  static constexpr uint32_t kBurst = 32;
  std::atomic<bool> quiet{false};
};

// Keeps a worker that comes by.
class Trap {
 public:
  void PassThrough() {
    while (stuck) caught_ = true;
  }
  // Keeps the worker that comes next, until `stuck` is false again. Returns when one has come; on a
  // busy machine that takes its time.
  void Catch() {
    caught_ = false;
    stuck = true;
    while (!caught_) absl::SleepFor(absl::Milliseconds(1));
  }

  std::atomic<bool> stuck{false};

 private:
  std::atomic<bool> caught_{false};
};

class TestPass final : public Module, public Trap {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "TestPass", .help = "passes packets on", .igates = 4, .ogates = 4};

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) {
    PassThrough();
    context.Emit(0, batch);
  }
};

class TestSingle final : public Module, public Trap {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "TestSingle", .help = "for one worker only", .max_workers = 1};

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) {
    PassThrough();
    context.Emit(0, batch);
  }
};

// Wants workers of NUMA node 3, which the machines of these tests do not have.
class TestFarAway final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestFarAway", .help = "is far away", .igates = 0};

  absl::Status Init(const pb::EmptyArg&) { return AddTask(0); }
  TaskResult RunTask(Context&, Batch&, uint64_t) { return {.blocked = true}; }
  uint64_t numa_nodes() const override { return uint64_t{1} << 3; }
};

class TestSink final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "TestSink", .help = "takes packets", .igates = kMaxGates, .ogates = 0};

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) {
    context.ledger().consumed.Add(batch.size());
    FreeBatch(batch);
  }
};

// Keeps what it gets, up to a limit, for good.
class TestBox final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "TestBox", .help = "holds packets", .ogates = 0, .holds_packets = true};
  static constexpr size_t kCapacity = 100;

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) {
    absl::MutexLock lock(&mutex_);
    for (Packet* packet : batch) {
      if (packets_.size() < kCapacity) {
        packets_.push_back(packet);
      } else {
        context.DropOne(packet, DropReason::kQueueFull);
      }
    }
    batch.clear();
  }
  uint64_t held() const override {
    absl::MutexLock lock(&mutex_);
    return packets_.size();
  }
  uint64_t Discard() override {
    absl::MutexLock lock(&mutex_);
    const uint64_t n = packets_.size();
    for (Packet* packet : packets_) FreePackets(&packet, 1);
    packets_.clear();
    return n;
  }

 private:
  mutable absl::Mutex mutex_;
  std::deque<Packet*> packets_;
};

}  // namespace bess
