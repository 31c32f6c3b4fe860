// SPDX-License-Identifier: Apache-2.0
//
// Backpressure: what is nearly full brakes the tasks that feed it, which rest until it has room
// again: a module that holds packets, or the port that a module sends to. Who feeds it is the
// compiler's business (feeders.h); a worker asks the brakes of a task before it runs it.
#pragma once

#include <atomic>
#include <cstdint>

namespace bess {

// What is emptied by somebody who does not say so, such as another process.
class Gauge {
 public:
  virtual ~Gauge() = default;
  // How much there is now. Thread: workers.
  virtual uint64_t Read() = 0;
};

// Read by workers that seldom share anything else with the module, hence a cache line of its own.
class alignas(64) Brake {
 public:
  // Without a gauge somebody calls Emptied; with one, who finds the brake on has a look.
  explicit Brake(Gauge* gauge = nullptr) : gauge_(gauge) {}

  // Thread: any.
  bool on() const { return on_.load(std::memory_order_relaxed); }
  bool has_gauge() const { return gauge_ != nullptr; }

  // Whether the tasks that feed it have to rest. Thread: workers.
  bool Holds() {
    if (on() && gauge_ != nullptr) [[unlikely]]
      Emptied(gauge_->Read());
    return on();
  }

  // Brakes at 90 % of `size` and lets go at 15 %, as BESS does. Thread: control.
  void Arm(uint32_t size) {
    low_.store(size * uint64_t{15} / 100, std::memory_order_relaxed);
    high_.store(size * uint64_t{90} / 100, std::memory_order_relaxed);
  }
  // Never brakes any more.
  void Disarm() {
    high_.store(kNever, std::memory_order_relaxed);
    low_.store(kNever, std::memory_order_relaxed);
    on_.store(false, std::memory_order_relaxed);
  }

  // To be told each time something came in: how much there is now. Thread: workers.
  void Filled(uint64_t held) {
    if (held >= high_.load(std::memory_order_relaxed) && !on()) [[unlikely]]
      on_.store(true, std::memory_order_relaxed);
  }
  // And each time something may have left: a brake that was put on too late is let go here.
  void Emptied(uint64_t held) {
    if (on() && held <= low_.load(std::memory_order_relaxed)) [[unlikely]]
      on_.store(false, std::memory_order_relaxed);
  }

 private:
  static constexpr uint64_t kNever = UINT64_MAX;

  Gauge* const gauge_;
  std::atomic<bool> on_{false};
  std::atomic<uint64_t> high_{kNever};
  std::atomic<uint64_t> low_{kNever};
};

}  // namespace bess
