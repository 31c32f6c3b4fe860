// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/gate_list.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "core/match/field.h"
#include "modules/hash_lb.pb.h"
#include "modules/hash_lb/flow_hash.h"

namespace bess {
namespace {

constexpr size_t kMaxListedGates = 16384;
enum class Mode { kL2, kL3, kL4, kFields };

struct Policy {
  Mode mode = Mode::kL4;
  std::vector<FieldPlace> fields;
  std::vector<uint32_t> gates;
};

absl::StatusOr<Mode> ReadMode(const std::string& mode) {
  if (mode == "l2") return Mode::kL2;
  if (mode == "l3") return Mode::kL3;
  if (mode == "l4" || mode.empty()) return Mode::kL4;
  return Error(EINVAL, "'mode' must be 'l2', 'l3' or 'l4', not '", mode, "'");
}

class HashLB final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "HashLB",
      .help = "spreads flows over gates by a hash of header fields",
      .template_name = "hash_lb",
      .ogates = kMaxGates,
  };
  static Commands<HashLB> commands() {
    return {{"set_mode", &HashLB::SetMode, CommandKind::kSets},
            {"set_gates", &HashLB::SetGates, CommandKind::kSets}};
  }

  absl::Status Init(const pb::HashLBArg& arg) {
    // Two of them in a row must not agree, or the second would use only some of its gates.
    for (const char c : name()) seed_ = MixHash(seed_, static_cast<uint8_t>(c));
    for (const Attribute& a : AttributesOf(arg.fields())) {
      BESS_RETURN_IF_ERROR(AddAttribute(a.name, a.size, a.mode).status());
    }
    Policy policy;
    BESS_RETURN_IF_ERROR(ReadWhat(arg.mode(), arg.fields(), policy));
    BESS_ASSIGN_OR_RETURN(policy.gates, ReadGates("gates", arg.gates(), kMaxListedGates));
    return Use(std::move(policy));
  }

  absl::Status SetMode(const pb::HashLBCommandSetModeArg& arg) {
    Policy policy = *policy_.Get();
    BESS_RETURN_IF_ERROR(ReadWhat(arg.mode(), arg.fields(), policy));
    return Use(std::move(policy));
  }

  absl::Status SetGates(const pb::HashLBCommandSetGatesArg& arg) {
    Policy policy = *policy_.Get();
    BESS_ASSIGN_OR_RETURN(policy.gates, ReadGates("gates", arg.gates(), kMaxListedGates));
    return Use(std::move(policy));
  }

  void Process(Context& context, Batch& batch) {
    const Policy& policy = *policy_.Get();
    if (policy.gates.empty()) {
      context.Drop(batch, DropReason::kNoGate);
      return;
    }
    // Each lambda is a type of its own, which the compiler puts into its loop.
    switch (policy.mode) {
      case Mode::kL2:
        return Spread(context, batch, policy,
                      [](PacketView packet, uint64_t hash) { return HashMacs(packet, hash); });
      case Mode::kL3:
        return Spread(context, batch, policy,
                      [](PacketView packet, uint64_t hash) { return HashAddresses(packet, hash); });
      case Mode::kL4:
        return Spread(context, batch, policy,
                      [](PacketView packet, uint64_t hash) { return HashFlow(packet, hash); });
      case Mode::kFields:
        return Spread(context, batch, policy, [&](PacketView packet, uint64_t hash) {
          return HashFields(context, policy.fields, packet, hash);
        });
    }
  }

 private:
  absl::Status ReadWhat(const std::string& mode, const PbFields& fields, Policy& policy) const {
    BESS_ASSIGN_OR_RETURN(policy.mode, ReadMode(mode));
    policy.fields.clear();
    if (fields.empty()) return absl::OkStatus();
    BESS_RETURN_IF_ERROR(CheckFieldCount("fields", fields.size()));
    policy.mode = Mode::kFields;
    for (const pb::Field& field : fields) {
      const std::string what = FieldEntry("fields", policy.fields.size());
      BESS_ASSIGN_OR_RETURN(const FieldPlace place, ReadField(what, field, attributes()));
      policy.fields.push_back(place);
    }
    return absl::OkStatus();
  }

  absl::Status Use(Policy policy) {
    policy_.Swap(host(), std::make_unique<const Policy>(std::move(policy)));
    return absl::OkStatus();
  }

  template <typename Hash>
  void Spread(Context& context, Batch& batch, const Policy& policy, Hash hash) const {
    ForEach(context, batch, [&](PacketView packet) {
      return Verdict::Gate(policy.gates[PickByHash(hash(packet, seed_), policy.gates.size())]);
    });
  }

  // What is missing of a packet counts as zero.
  static uint64_t HashFields(Context& context, const std::vector<FieldPlace>& fields,
                             PacketView packet, uint64_t hash) {
    for (const FieldPlace& field : fields) {
      const uint8_t* bytes = field.Bytes(context, packet);
      uint64_t word = 0;
      if (bytes != nullptr) std::memcpy(&word, bytes, field.size);
      hash = MixHash(hash, word);
    }
    return hash;
  }

  uint64_t seed_ = 0;
  Versioned<Policy> policy_;
};

REGISTER_MODULE(HashLB);

}  // namespace
}  // namespace bess
