// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/prefetch.h"
#include "core/graph/module.h"
#include "core/match/arguments.h"
#include "core/match/key.h"
#include "core/match/live_rules.h"
#include "core/match/table.h"
#include "core/match/values.h"
#include "modules/exact_match.pb.h"

namespace bess {
namespace {

struct Action {
  uint32_t gate = kMaxGates;
  Values values{};
};

// The rules, and where packets go that none matches. What the table holds for a rule is its gate,
// or, when rules write values, a pointer to its action: most tables need no second cache line.
class Rules : public WithDefaultGate {
 public:
  Rules(Host& host, const Key& mask, uint32_t words, bool has_values)
      : host_(host), has_values_(has_values), table_(KeyTable::Create(host, mask, words)) {}
  ~Rules() {
    table_->ForEach([this](const Key&, KeyTable::Value value) { Free(value); });
  }
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  const KeyTable& table() const { return *table_; }
  uint32_t GateOf(KeyTable::Value value) const {
    return has_values_ ? ToAction(value)->gate : static_cast<uint32_t>((value >> 1) - 1);
  }
  static const Action* ToAction(KeyTable::Value value) {
    return std::bit_cast<const Action*>(value);
  }

  absl::Status Set(const Key& key, const Action& action, uint64_t entries) {
    if (table_->size() >= entries && table_->Get(key) == KeyTable::kNone) {
      return Error(ENOSPC, "the table is full: 'entries' is ", entries);
    }
    Retire(table_->Set(key, ToValue(action)));
    return absl::OkStatus();
  }
  absl::Status Remove(const Key& key) {
    const KeyTable::Value old = table_->Set(key, KeyTable::kNone);
    if (old == KeyTable::kNone) return Error(ENOENT, "there is no rule with these fields");
    Retire(old);
    return absl::OkStatus();
  }

 private:
  KeyTable::Value ToValue(const Action& action) const {
    if (!has_values_) return (KeyTable::Value{action.gate} + 1) << 1;
    return std::bit_cast<KeyTable::Value>(std::make_unique<Action>(action).release());
  }
  void Free(KeyTable::Value value) const {
    if (has_values_) std::unique_ptr<const Action>(ToAction(value)).reset();
  }
  void Retire(KeyTable::Value old) {
    if (!has_values_ || old == KeyTable::kNone) return;
    host_.Retire([old] { std::unique_ptr<const Action>(ToAction(old)).reset(); });
  }

  Host& host_;
  const bool has_values_;
  std::unique_ptr<KeyTable> table_;
};

class ExactMatch final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "ExactMatch",
      .help = "picks an output gate by looking up the values of some fields in a table",
      .template_name = "em",
      .ogates = kMaxGates,
  };
  static Commands<ExactMatch> commands() {
    return {{"get_initial_arg", &ExactMatch::GetInitialArg},
            {"get_runtime_config", &ExactMatch::GetRuntimeConfig},
            {"set_runtime_config", &ExactMatch::SetRuntimeConfig},
            {"add", &ExactMatch::Add},
            {"delete", &ExactMatch::Delete},
            {"clear", &ExactMatch::Clear},
            {"set_default_gate", &ExactMatch::SetDefaultGate}};
  }

  absl::Status Init(const pb::ExactMatchArg& arg) {
    for (const Attribute& a : AttributesOf(arg.fields(), arg.values(), !arg.masksv().empty())) {
      BESS_RETURN_IF_ERROR(AddAttribute(a.name, a.size, a.mode).status());
    }
    BESS_RETURN_IF_ERROR(fields_.Init("fields", arg.fields(), attributes()));
    BESS_RETURN_IF_ERROR(values_.Init(arg.values(), arg.masksv(), attributes()));
    BESS_ASSIGN_OR_RETURN(entries_, ReadEntries(arg.entries()));
    mask_ = fields_.bits();
    if (!arg.masks().empty()) BESS_RETURN_IF_ERROR(ReadMasks(arg.masks()));
    arg_ = arg;
    rules_.Swap(host(), MakeRules());
    return absl::OkStatus();
  }

  absl::StatusOr<pb::ExactMatchArg> GetInitialArg(const pb::EmptyArg&) { return arg_; }

  absl::StatusOr<pb::ExactMatchConfig> GetRuntimeConfig(const pb::EmptyArg&) {
    std::vector<std::pair<Key, KeyTable::Value>> sorted;
    rules_.Get().table().ForEach(
        [&](const Key& key, KeyTable::Value value) { sorted.emplace_back(key, value); });
    std::sort(sorted.begin(), sorted.end());
    pb::ExactMatchConfig config;
    config.set_default_gate(rules_.Get().Default());
    for (const auto& [key, value] : sorted) {
      pb::ExactMatchCommandAddArg& rule = *config.add_rules();
      rule.set_gate(rules_.Get().GateOf(value));
      fields_.Write(key, rule.mutable_fields());
      if (!values_.empty()) values_.Write(Rules::ToAction(value)->values, rule.mutable_values());
    }
    return config;
  }

  absl::Status SetRuntimeConfig(const pb::ExactMatchConfig& config) {
    auto made = MakeRules();
    BESS_RETURN_IF_ERROR(made->SetDefault("default_gate", config.default_gate()));
    for (int i = 0; i < config.rules_size(); ++i) {
      BESS_RETURN_IF_ERROR(AddTo(*made, absl::StrCat("rules[", i, "]."), config.rules(i)));
    }
    rules_.Swap(host(), std::move(made));
    return absl::OkStatus();
  }

  absl::Status Add(const pb::ExactMatchCommandAddArg& rule) {
    return AddTo(rules_.Get(), "", rule);
  }

  absl::Status Delete(const pb::ExactMatchCommandDeleteArg& arg) {
    BESS_ASSIGN_OR_RETURN(const Key key, fields_.Read("fields", arg.fields(), ByteOrder::kLittle));
    return rules_.Get().Remove(key);
  }

  absl::Status Clear(const pb::EmptyArg&) {
    rules_.Clear(host(), MakeRules());
    return absl::OkStatus();
  }

  absl::Status SetDefaultGate(const pb::ExactMatchCommandSetDefaultGateArg& arg) {
    return rules_.Get().SetDefault("gate", arg.gate());
  }

  void Process(Context& context, Batch& batch) {
    const Rules& current = rules_.Get();
    KeyBatch keys;
    fields_.Gather(context, batch, keys);
    KeyTable::Value found[kBatchSize];
    current.table().Find(keys, batch.size(), found);
    if (keys.any_absent) [[unlikely]]
      LoseShort(keys, found);
    Verdict verdicts[kBatchSize];
    values_.empty() ? Judge(current, batch, found, verdicts)
                    : JudgeAndWrite(context, current, batch, found, verdicts);
    context.Deliver(batch, verdicts);
  }

 private:
  std::unique_ptr<Rules> MakeRules() {
    return std::make_unique<Rules>(host(), mask_, fields_.words(), !values_.empty());
  }

  absl::Status ReadMasks(const PbFieldData& masks) {
    BESS_ASSIGN_OR_RETURN(mask_, fields_.Read("masks", masks, ByteOrder::kLittle));
    for (int i = 0; i < masks.size(); ++i) {
      if ((fields_.FieldsIn(mask_) >> i & 1) == 0) {
        return Error(EINVAL, "'masks[", i, "]' must have at least one bit set");
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddTo(Rules& to, const std::string& where,
                     const pb::ExactMatchCommandAddArg& rule) const {
    Action action;
    BESS_ASSIGN_OR_RETURN(action.gate, ReadGateOrDrop(where + "gate", rule.gate()));
    BESS_ASSIGN_OR_RETURN(const Key key,
                          fields_.Read(where + "fields", rule.fields(), ByteOrder::kLittle));
    BESS_ASSIGN_OR_RETURN(action.values, values_.Read(where + "values", rule.values()));
    return to.Set(key, action, entries_);
  }

  // What is not there equals nothing: packets that end before a field match no rule.
  void LoseShort(const KeyBatch& keys, KeyTable::Value* found) const {
    for (uint64_t lacking = Lacking(keys, fields_.FieldsIn(mask_)); lacking != 0;) {
      found[__builtin_ctzll(lacking)] = KeyTable::kNone;
      lacking &= lacking - 1;
    }
  }

  static void Judge(const Rules& current, const Batch& batch, const KeyTable::Value* found,
                    Verdict* verdicts) {
    const Verdict miss = current.Miss();
    for (uint32_t i = 0; i < batch.size(); ++i) {
      verdicts[i] = found[i] == KeyTable::kNone
                        ? miss
                        : GateOrDrop(current.GateOf(found[i]), DropReason::kDenied);
    }
  }

  void JudgeAndWrite(const Context& context, const Rules& current, const Batch& batch,
                     const KeyTable::Value* found, Verdict* verdicts) const {
    for (uint32_t i = 0; i < batch.size(); ++i) Prefetch(Rules::ToAction(found[i]));
    Judge(current, batch, found, verdicts);
    const Values* values[kBatchSize];
    for (uint32_t i = 0; i < batch.size(); ++i) {
      values[i] = found[i] == KeyTable::kNone ? nullptr : &Rules::ToAction(found[i])->values;
    }
    values_.Set(context, batch, values, verdicts);
  }

  pb::ExactMatchArg arg_;
  KeyFields fields_;
  ValueFields values_;
  Key mask_;
  uint64_t entries_ = 0;
  LiveRules<Rules> rules_;
};

REGISTER_MODULE(ExactMatch);

}  // namespace
}  // namespace bess
