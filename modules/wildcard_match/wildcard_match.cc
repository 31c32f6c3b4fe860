// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/graph/module.h"
#include "core/match/arguments.h"
#include "core/match/key.h"
#include "core/match/live_rules.h"
#include "core/match/mask_search.h"
#include "core/match/values.h"
#include "modules/wildcard_match.pb.h"

namespace bess {
namespace {

struct Rules : WithDefaultGate {
  Rules(Host& host, const KeyFields& fields, uint64_t entries) : search(host, fields, entries) {}

  MaskSearch search;
};

class WildcardMatch final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "WildcardMatch",
      .help = "picks an output gate by the best of many rules with masks and priorities",
      .template_name = "wm",
      .ogates = kMaxGates,
  };
  static Commands<WildcardMatch> commands() {
    return {{"get_initial_arg", &WildcardMatch::GetInitialArg},
            {"get_runtime_config", &WildcardMatch::GetRuntimeConfig},
            {"set_runtime_config", &WildcardMatch::SetRuntimeConfig},
            {"add", &WildcardMatch::Add},
            {"delete", &WildcardMatch::Delete},
            {"clear", &WildcardMatch::Clear},
            {"set_default_gate", &WildcardMatch::SetDefaultGate}};
  }

  absl::Status Init(const pb::WildcardMatchArg& arg) {
    for (const Attribute& a : AttributesOf(arg.fields(), arg.values())) {
      BESS_RETURN_IF_ERROR(AddAttribute(a.name, a.size, a.mode).status());
    }
    BESS_RETURN_IF_ERROR(fields_.Init("fields", arg.fields(), attributes()));
    BESS_RETURN_IF_ERROR(values_.Init(arg.values(), {}, attributes()));
    BESS_ASSIGN_OR_RETURN(entries_, ReadEntries(arg.entries()));
    arg_ = arg;
    rules_.Swap(host(), MakeRules());
    return absl::OkStatus();
  }

  absl::StatusOr<pb::WildcardMatchArg> GetInitialArg(const pb::EmptyArg&) { return arg_; }

  // The best rules come first.
  absl::StatusOr<pb::WildcardMatchConfig> GetRuntimeConfig(const pb::EmptyArg&) {
    std::vector<std::tuple<int64_t, Key, Key, const MaskedRule*>> sorted;
    rules_.Get().search.ForEach([&](const Key& key, const Key& mask, const MaskedRule& rule) {
      sorted.emplace_back(~rule.priority, mask, key, &rule);
    });
    std::sort(sorted.begin(), sorted.end());
    pb::WildcardMatchConfig config;
    config.set_default_gate(rules_.Get().Default());
    for (const auto& [order, mask, key, rule] : sorted) {
      pb::WildcardMatchCommandAddArg& written = *config.add_rules();
      written.set_gate(rule->gate);
      written.set_priority(rule->priority);
      fields_.Write(key, written.mutable_values());
      fields_.Write(mask, written.mutable_masks());
      values_.Write(rule->values, written.mutable_valuesv());
    }
    return config;
  }

  absl::Status SetRuntimeConfig(const pb::WildcardMatchConfig& config) {
    auto made = MakeRules();
    BESS_RETURN_IF_ERROR(made->SetDefault("default_gate", config.default_gate()));
    for (int i = 0; i < config.rules_size(); ++i) {
      BESS_RETURN_IF_ERROR(AddTo(made->search, absl::StrCat("rules[", i, "]."), config.rules(i)));
    }
    rules_.Swap(host(), std::move(made));
    return absl::OkStatus();
  }

  absl::Status Add(const pb::WildcardMatchCommandAddArg& rule) {
    return AddTo(rules_.Get().search, "", rule);
  }

  absl::Status Delete(const pb::WildcardMatchCommandDeleteArg& arg) {
    Key key, mask;
    BESS_RETURN_IF_ERROR(ReadKey("", arg.values(), arg.masks(), key, mask));
    return rules_.Get().search.Remove(key, mask);
  }

  absl::Status Clear(const pb::EmptyArg&) {
    rules_.Clear(host(), MakeRules());
    return absl::OkStatus();
  }

  absl::Status SetDefaultGate(const pb::WildcardMatchCommandSetDefaultGateArg& arg) {
    return rules_.Get().SetDefault("gate", arg.gate());
  }

  void Process(Context& context, Batch& batch) {
    const Rules& current = rules_.Get();
    KeyBatch keys;
    fields_.Gather(context, batch, keys);
    const MaskedRule* best[kBatchSize];
    current.search.Find(keys, batch.size(), best);
    const Verdict miss = current.Miss();
    Verdict verdicts[kBatchSize];
    const Values* values[kBatchSize];
    for (uint32_t i = 0; i < batch.size(); ++i) {
      values[i] = best[i] != nullptr ? &best[i]->values : nullptr;
      verdicts[i] = best[i] != nullptr ? GateOrDrop(best[i]->gate, DropReason::kDenied) : miss;
    }
    values_.Set(context, batch, values, verdicts);
    context.Deliver(batch, verdicts);
  }

 private:
  std::unique_ptr<Rules> MakeRules() { return std::make_unique<Rules>(host(), fields_, entries_); }

  absl::Status ReadKey(const std::string& where, const PbFieldData& values,
                       const PbFieldData& masks, Key& key, Key& mask) const {
    BESS_ASSIGN_OR_RETURN(key, fields_.Read(where + "values", values, ByteOrder::kBig));
    BESS_ASSIGN_OR_RETURN(mask, fields_.Read(where + "masks", masks, ByteOrder::kBig));
    Key outside;
    for (size_t i = 0; i < kMaxKeyWords; ++i) outside.words[i] = key.words[i] & ~mask.words[i];
    const uint32_t wrong = fields_.FieldsIn(outside);
    if (wrong == 0) return absl::OkStatus();
    const int first = __builtin_ctz(wrong);
    return Error(EINVAL, "'", where, "values[", first, "]' has bits set that '", where, "masks[",
                 first, "]' leaves out");
  }

  absl::Status AddTo(MaskSearch& to, const std::string& where,
                     const pb::WildcardMatchCommandAddArg& arg) const {
    MaskedRule rule{.priority = arg.priority()};
    BESS_ASSIGN_OR_RETURN(rule.gate, ReadGateOrDrop(where + "gate", arg.gate()));
    Key key, mask;
    BESS_RETURN_IF_ERROR(ReadKey(where, arg.values(), arg.masks(), key, mask));
    BESS_ASSIGN_OR_RETURN(rule.values, values_.Read(where + "valuesv", arg.valuesv()));
    return to.Set(key, mask, rule);
  }

  pb::WildcardMatchArg arg_;
  KeyFields fields_;
  ValueFields values_;
  uint64_t entries_ = 0;
  LiveRules<Rules> rules_;
};

REGISTER_MODULE(WildcardMatch);

}  // namespace
}  // namespace bess
