// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "bess/util.pb.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "modules/acl.pb.h"
#include "modules/acl/rule_set.h"

namespace bess {
namespace {

absl::StatusOr<AnyPrefix> ParsePrefix(const std::string& text) {
  if (text.empty()) return AnyPrefix();
  if (text.find(':') != std::string::npos) {
    BESS_ASSIGN_OR_RETURN(const Ipv6Prefix prefix, ParseIpv6Prefix(text));
    return prefix;
  }
  BESS_ASSIGN_OR_RETURN(const Ipv4Prefix prefix, ParseIpv4Prefix(text));
  return prefix;
}

absl::StatusOr<uint16_t> ParsePort(std::string_view field, uint32_t port) {
  if (port <= UINT16_MAX) return static_cast<uint16_t>(port);
  return Error(EINVAL, "'", field, "' must be 0..", UINT16_MAX, ", not ", port);
}

absl::Status CheckFamilies(const AclRule& rule, const pb::ACLArg::Rule& arg) {
  if (arg.src_ip().empty() || arg.dst_ip().empty()) return absl::OkStatus();
  if (rule.source.index() == rule.destination.index()) return absl::OkStatus();
  return Error(EINVAL, "'src_ip' ", arg.src_ip(), " and 'dst_ip' ", arg.dst_ip(),
               " must both be IPv4 or both be IPv6");
}

absl::StatusOr<AclRule> ParseRule(const pb::ACLArg::Rule& arg) {
  AclRule rule;
  BESS_ASSIGN_OR_RETURN(rule.source, ParsePrefix(arg.src_ip()));
  BESS_ASSIGN_OR_RETURN(rule.destination, ParsePrefix(arg.dst_ip()));
  BESS_RETURN_IF_ERROR(CheckFamilies(rule, arg));
  BESS_ASSIGN_OR_RETURN(rule.source_port, ParsePort("src_port", arg.src_port()));
  BESS_ASSIGN_OR_RETURN(rule.destination_port, ParsePort("dst_port", arg.dst_port()));
  rule.established = arg.established();
  rule.drop = arg.drop();
  return rule;
}

std::string FormatPrefix(const AnyPrefix& prefix) {
  if (const auto* ipv4 = std::get_if<Ipv4Prefix>(&prefix)) {
    return absl::StrCat(FormatIpv4(ipv4->address), "/", ipv4->length);
  }
  if (const auto* ipv6 = std::get_if<Ipv6Prefix>(&prefix)) {
    return absl::StrCat(FormatIpv6(ipv6->address), "/", ipv6->length);
  }
  return "";
}

void WriteRule(const AclRule& rule, pb::ACLArg::Rule* arg) {
  arg->set_src_ip(FormatPrefix(rule.source));
  arg->set_dst_ip(FormatPrefix(rule.destination));
  arg->set_src_port(rule.source_port);
  arg->set_dst_port(rule.destination_port);
  arg->set_established(rule.established);
  arg->set_drop(rule.drop);
}

// Drops or passes packets by the first rule that matches.
class ACL final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "ACL",
      .help = "drops or passes packets by the first rule that matches",
      .template_name = "acl",
  };
  static Commands<ACL> commands() {
    return {{"add", &ACL::Add},
            {"clear", &ACL::Clear},
            {"get_runtime_config", &ACL::GetRuntimeConfig},
            {"set_runtime_config", &ACL::SetRuntimeConfig}};
  }

  absl::Status Init(const pb::ACLArg& arg) { return Add(arg); }

  absl::Status Add(const pb::ACLArg& arg) { return AddTo(*rules_.Get(), arg); }

  absl::StatusOr<pb::ACLArg> GetRuntimeConfig(const pb::EmptyArg&) {
    const AclRuleSet& rules = *rules_.Get();
    pb::ACLArg config;
    for (size_t i = 0; i < rules.size(); ++i) WriteRule(rules.rule(i), config.add_rules());
    return config;
  }

  absl::Status SetRuntimeConfig(const pb::ACLArg& config) { return AddTo(AclRuleSet(), config); }

  absl::Status Clear(const pb::EmptyArg&) {
    rules_.Swap(host(), std::make_unique<const AclRuleSet>());
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    const AclRuleSet& rules = *rules_.Get();
    AclKey keys[kBatchSize];
    const uint32_t n = batch.size();
    PrefetchHeaders(batch);
    for (uint32_t i = 0; i < n; ++i) keys[i] = AclKey::Of(PacketView(*batch[i]));
    uint32_t matched[kBatchSize];
    rules.Match({keys, n}, matched);
    Verdict verdicts[kBatchSize];
    for (uint32_t i = 0; i < n; ++i) verdicts[i] = Judge(rules, matched[i]);
    context.Deliver(batch, verdicts);
  }

 private:
  // Puts `before` with these rules behind it in place of the present ones, or changes nothing.
  absl::Status AddTo(const AclRuleSet& before, const pb::ACLArg& arg) {
    auto rules = std::make_unique<AclRuleSet>(before);
    const size_t room = AclRuleSet::kMaxRules - rules->size();
    if (static_cast<size_t>(arg.rules_size()) > room) {
      return Error(ENOSPC, "there is room for ", AclRuleSet::kMaxRules, " rules, which is ", room,
                   " more, not ", arg.rules_size());
    }
    for (int i = 0; i < arg.rules_size(); ++i) {
      const absl::StatusOr<AclRule> rule = ParseRule(arg.rules(i));
      if (!rule.ok()) {
        return Error(StatusErrno(rule.status()), "rules[", i, "]: ", rule.status().message());
      }
      rules->Append(*rule);
    }
    BESS_RETURN_IF_ERROR(rules->Settle());
    rules_.Swap(host(), std::move(rules));
    return absl::OkStatus();
  }

  static Verdict Judge(const AclRuleSet& rules, uint32_t rule) {
    if (rule == AclRuleSet::kNoRule) return Verdict::Drop(DropReason::kNoMatch);
    return rules.rule(rule).drop ? Verdict::Drop(DropReason::kDenied) : Verdict::Gate(0);
  }

  Versioned<AclRuleSet> rules_;
};

REGISTER_MODULE(ACL);

}  // namespace
}  // namespace bess
