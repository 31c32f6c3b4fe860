// SPDX-License-Identifier: Apache-2.0
//
// Helps the tests of this room: a batch with a context around it, and a host whose retired objects
// live until its readers have passed.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/fake_host_testing.h"
#include "core/match/key.h"

namespace bess {

// Packets of these bytes, and attributes that lie where `offsets` says.
class FakeBatch {
 public:
  FakeBatch(const std::vector<std::string>& packets, std::vector<int16_t> offsets)
      : offsets_(std::move(offsets)) {
    for (const std::string& bytes : packets) batch.Add(host_.pool().Make(bytes, 0));
    node_ = {.offsets = offsets_.data()};
    context_.Adopt(1, &arena_);
    context_.RunRoot(node_, [](Context&, Batch&) { return 0; });
  }
  ~FakeBatch() { FreeBatch(batch); }

  const Context& context() const { return context_; }

  Batch batch;

 private:
  FakeHost host_;
  std::vector<int16_t> offsets_;
  Node node_;
  BatchArena arena_{4};
  Context context_{0};
};

// The same numbers in every run.
class Random {
 public:
  uint64_t Word() { return engine_(); }
  // first..end-1
  template <typename T>
  T Between(T first, T end) {
    return static_cast<T>(first + static_cast<T>(Word() % static_cast<uint64_t>(end - first)));
  }
  bool Chance(double p) { return static_cast<double>(Word() >> 11) * 0x1p-53 < p; }

 private:
  std::mt19937_64 engine_;
};

// Fills in field data as clients do.
inline pb::FieldData Number(uint64_t number) {
  pb::FieldData data;
  data.set_value_int(number);
  return data;
}
inline pb::FieldData Raw(const std::string& bytes) {
  pb::FieldData data;
  data.set_value_bin(bytes);
  return data;
}
inline PbFieldData ListOf(const std::vector<pb::FieldData>& data) {
  return {data.begin(), data.end()};
}
inline pb::Field AtOffset(uint32_t offset, uint32_t bytes) {
  pb::Field field;
  field.set_offset(offset);
  field.set_num_bytes(bytes);
  return field;
}
inline pb::Field InAttribute(const std::string& name, uint32_t bytes) {
  pb::Field field;
  field.set_attr_name(name);
  field.set_num_bytes(bytes);
  return field;
}

// A batch of the same key, for tables and searches.
inline void FillKeys(const std::vector<Key>& keys, KeyBatch& batch) {
  batch.any_absent = false;
  for (uint64_t& absent : batch.absent) absent = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t w = 0; w < kMaxKeyWords; ++w) batch.words[w][i] = keys[i].words[w];
  }
}

// Frees what is retired once each reader has called Pass() twice since.
class ReaderHost final : public Host {
 public:
  explicit ReaderHost(size_t readers) : passes_(readers) {}
  // The readers have ended.
  ~ReaderHost() override {
    for (auto& [when, free] : retired_) free();
  }

  PacketPool& pool() override { return fake_.pool(); }
  absl::StatusOr<std::unique_ptr<PortLease>> LeasePort(std::string_view port, Direction direction,
                                                       std::string_view module,
                                                       uint64_t queue) override {
    return fake_.LeasePort(port, direction, module, queue);
  }

  // Thread: the reader.
  void Pass(size_t reader) { passes_[reader].fetch_add(1, std::memory_order_acq_rel); }

  void Retire(std::function<void()> free) override {
    retired_.emplace_back(Now(), std::move(free));
    while (Passed(retired_.front().first)) {
      retired_.front().second();
      retired_.pop_front();
      ++freed_;
      if (retired_.empty()) break;
    }
  }
  bool AllPassed() const { return Passed(std::vector<uint64_t>(passes_.size(), 0)); }
  // How many objects were freed while readers ran.
  size_t freed() const { return freed_; }

 private:
  std::vector<uint64_t> Now() const {
    std::vector<uint64_t> now;
    for (const auto& pass : passes_) now.push_back(pass.load(std::memory_order_acquire));
    return now;
  }
  bool Passed(const std::vector<uint64_t>& when) const {
    const std::vector<uint64_t> now = Now();
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i] < when[i] + 2) return false;
    }
    return true;
  }

  FakeHost fake_;
  std::vector<std::atomic<uint64_t>> passes_;
  std::deque<std::pair<std::vector<uint64_t>, std::function<void()>>> retired_;
  size_t freed_ = 0;
};

}  // namespace bess
