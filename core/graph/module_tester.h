// SPDX-License-Identifier: Apache-2.0
//
// One module under test: no EAL, no threads, no daemon.
//
//   ModuleTester tester("UpdateTTL", pb::EmptyArg());
//   tester.Send(0, {bytes});
//   EXPECT_THAT(tester.Received(0), ElementsAre(expected));
//   EXPECT_EQ(tester.dropped(DropReason::kTtlExpired), 1);
//
// Packets live in heap blocks of exactly their size, so that ASan sees every overrun. The books
// are checked after each call and when the tester ends: created = consumed + dropped + held, and
// no packet left behind.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/graph/fake_host_testing.h"
#include "core/graph/module.h"

namespace bess {

class ModuleTester {
 public:
  static constexpr uint32_t kWorker = 0;

  // Creates a module of the class; ok() tells whether Init took the argument.
  ModuleTester(std::string_view mclass, const google::protobuf::Message& argument)
      : ModuleTester(mclass, argument, std::make_shared<FakeHost>()) {}
  ModuleTester(std::string_view mclass, const google::protobuf::Message& argument,
               std::shared_ptr<FakeHost> host)
      : host_(std::move(host)), context_(kWorker), arena_(4096) {
    const auto found = ModuleRegistry::Get().Find(mclass);
    if (found == nullptr) {
      status_ = Error(ENOENT, "no module class '", mclass, "'");
      return;
    }
    google::protobuf::Any any;
    any.PackFrom(argument);
    auto module = found->Create("test", *host_, any);
    status_ = module.status();
    if (module.ok()) Wire(*std::move(module));
  }
  ~ModuleTester() {
    if (module_ == nullptr) return;
    CheckBooks();
    const uint64_t held = module_->held();
    EXPECT_EQ(module_->Discard(), held);
    module_.reset();
    EXPECT_EQ(host_->pool().in_use(), 0u) << "packets were leaked";
  }

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }
  Module& module() { return *module_; }
  FakeHost& host() { return *host_; }

  // Gives the module packets by an input gate, 64 at a time, and collects what comes out.
  void Send(uint32_t igate, const std::vector<std::string>& packets, uint16_t tailroom = 0) {
    std::vector<Packet*> made;
    for (const std::string& bytes : packets) made.push_back(host_->pool().Make(bytes, tailroom));
    SendPackets(igate, made);
  }
  void SendPackets(uint32_t igate, const std::vector<Packet*>& packets) {
    nodes_[0].igate = igate;
    for (size_t at = 0; at < packets.size(); at += kBatchSize) {
      sent_ += std::min<size_t>(kBatchSize, packets.size() - at);
      context_.BeginRound(now_ != 0 ? now_ : Cycles());
      context_.RunRoot(nodes_[0], [&](Context& context, Batch& batch) {
        for (size_t i = at; i < packets.size() && !batch.full(); ++i) batch.Add(packets[i]);
        module_->mclass().process(module_.get(), context, batch);
        return 0;
      });
    }
    CheckBooks();
  }

  // Runs a task of the module once.
  TaskResult RunTask(size_t task = 0) {
    context_.BeginRound(now_ != 0 ? now_ : Cycles());
    const TaskResult result = context_.RunRoot(nodes_[0], [&](Context& context, Batch& batch) {
      return module_->mclass().run_task(*module_, context, batch,
                                        module_->tasks().at(task).argument);
    });
    CheckBooks();
    return result;
  }

  // Sends a command; its reply goes to `reply` if there is one.
  absl::Status Command(std::string_view name, const google::protobuf::Message& argument,
                       google::protobuf::Message* reply = nullptr) {
    google::protobuf::Any any, answer;
    any.PackFrom(argument);
    BESS_RETURN_IF_ERROR(module_->mclass().Run(*module_, name, any, &answer));
    if (reply != nullptr && !answer.UnpackTo(reply)) return Error(EINVAL, "no such reply");
    return absl::OkStatus();
  }

  // Makes attribute `index` lie at `offset` from now on; as many as declared lie 32 apart.
  void PlaceAttribute(uint32_t index, int16_t offset) { offsets_.at(index) = offset; }
  // Sets the context's clock, in cycles; 0 lets it follow the CPU's.
  void SetNow(uint64_t cycles) { now_ = cycles; }

  // Takes what came out by a gate since the last call.
  std::vector<std::string> Received(uint32_t gate) { return std::exchange(received_[gate], {}); }
  size_t count(uint32_t gate) const {
    const auto it = received_.find(gate);
    return it == received_.end() ? 0 : it->second.size();
  }
  // The metadata area of each packet that ever came out by a gate, in order.
  const std::vector<std::string>& metadata(uint32_t gate) { return metadata_[gate]; }

  uint64_t dropped(DropReason reason) const {
    return module_->totals().dropped[static_cast<size_t>(reason)];
  }
  uint64_t all_dropped() const { return module_->totals().all_dropped(); }

 private:
  struct Collector {
    ModuleTester* tester;
    uint32_t gate;
  };

  void Wire(std::shared_ptr<Module> module) {
    module_ = std::move(module);
    module_->Placed({&kWorker, 1});
    const uint32_t gates = std::min(module_->info().ogates, kMaxGates);
    collectors_.resize(gates);
    nodes_.resize(gates + 1);
    Ledger& ledger = module_->ledger(kWorker);
    for (uint32_t i = 0; i < gates; ++i) {
      collectors_[i] = {this, i};
      nodes_[i + 1] = {
          .process = &Collect, .self = &collectors_[i], .ledger = &unused_, .rank = i + 1};
      out_.push_back(&nodes_[i + 1]);
    }
    for (size_t i = 0; i < module_->attributes().size(); ++i) {
      offsets_.push_back(static_cast<int16_t>(i * kMaxAttributeSize % kMetadataSize));
    }
    nodes_[0] = {.self = module_.get(),
                 .ledger = &ledger,
                 .out = out_.data(),
                 .offsets = offsets_.data(),
                 .num_out = gates};
    context_.Adopt(nodes_.size(), &arena_);
  }

  static void Collect(void* self, Context&, Batch& batch) {
    auto* collector = static_cast<Collector*>(self);
    for (const Packet* packet : batch) {
      collector->tester->received_[collector->gate].push_back(PacketBytes(*packet));
      collector->tester->metadata_[collector->gate].emplace_back(
          reinterpret_cast<const char*>(packet->metadata()), kMetadataSize);
      ++collector->tester->collected_;
    }
    FreeBatch(batch);
  }

  void CheckBooks() {
    const LedgerTotals totals = module_->totals();
    EXPECT_EQ(sent_ + totals.created,
              collected_ + totals.consumed + totals.all_dropped() + module_->held())
        << "received + created = sent + consumed + dropped + held";
  }

  std::shared_ptr<FakeHost> host_;
  absl::Status status_;
  std::shared_ptr<Module> module_;
  Context context_;
  BatchArena arena_;
  Ledger unused_;
  std::vector<Collector> collectors_;
  std::vector<Node> nodes_;  // by rank, the module's first
  std::vector<Node*> out_;
  std::vector<int16_t> offsets_;
  std::map<uint32_t, std::vector<std::string>> received_;
  std::map<uint32_t, std::vector<std::string>> metadata_;
  uint64_t sent_ = 0;
  uint64_t collected_ = 0;
  uint64_t now_ = 0;
};

}  // namespace bess
