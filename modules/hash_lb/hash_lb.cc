// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/graph/gate_list.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "modules/hash_lb.pb.h"
#include "modules/hash_lb/flow_hash.h"

namespace bess {
namespace {

constexpr size_t kMaxListedGates = 16384;
constexpr int kMaxFields = 8;
constexpr uint32_t kMaxFieldSize = 8;
constexpr uint32_t kMaxFieldOffset = 1024;

enum class Mode { kL2, kL3, kL4, kFields };

struct HashField {
  bool is_attribute = false;
  uint32_t position = 0;  // index of the attribute, or offset in the packet
  uint32_t size = 0;      // bytes
};

struct Policy {
  Mode mode = Mode::kL4;
  std::vector<HashField> fields;
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
    return {{"set_mode", &HashLB::SetMode}, {"set_gates", &HashLB::SetGates}};
  }

  absl::Status Init(const pb::HashLBArg& arg) {
    // Two of them in a row must not agree, or the second would use only some of its gates.
    for (const char c : name()) seed_ = MixHash(seed_, static_cast<uint8_t>(c));
    for (const pb::Field& field : arg.fields()) BESS_RETURN_IF_ERROR(Declare(field));
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
  using Fields = google::protobuf::RepeatedPtrField<pb::Field>;

  // Attributes can be declared only while the module is made.
  absl::Status Declare(const pb::Field& field) {
    if (!field.has_attr_name() || FindAttribute(field) >= 0) return absl::OkStatus();
    return AddAttribute(field.attr_name(), field.num_bytes(), AttributeMode::kRead).status();
  }

  // -1 when there is no such attribute.
  int FindAttribute(const pb::Field& field) const {
    for (size_t i = 0; i < attributes().size(); ++i) {
      if (attributes()[i].name == field.attr_name()) return static_cast<int>(i);
    }
    return -1;
  }

  absl::Status ReadWhat(const std::string& mode, const Fields& fields, Policy& policy) const {
    BESS_ASSIGN_OR_RETURN(policy.mode, ReadMode(mode));
    policy.fields.clear();
    if (fields.empty()) return absl::OkStatus();
    if (fields.size() > kMaxFields) {
      return Error(EINVAL, "'fields' takes at most ", kMaxFields, " fields, not ", fields.size());
    }
    policy.mode = Mode::kFields;
    for (const pb::Field& field : fields) {
      const std::string what = absl::StrCat("fields[", policy.fields.size(), "]");
      BESS_ASSIGN_OR_RETURN(const HashField read, ReadField(what, field));
      policy.fields.push_back(read);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<HashField> ReadField(const std::string& what, const pb::Field& field) const {
    if (field.num_bytes() < 1 || field.num_bytes() > kMaxFieldSize) {
      return Error(EINVAL, "'", what, ".num_bytes' must be 1..", kMaxFieldSize, ", not ",
                   field.num_bytes());
    }
    if (field.has_attr_name()) return ReadAttribute(what, field);
    if (field.offset() > kMaxFieldOffset) {
      return Error(EINVAL, "'", what, ".offset' must be 0..", kMaxFieldOffset, ", not ",
                   field.offset());
    }
    return HashField{false, field.offset(), field.num_bytes()};
  }

  absl::StatusOr<HashField> ReadAttribute(const std::string& what, const pb::Field& field) const {
    const int index = FindAttribute(field);
    if (index < 0) {
      return Error(EINVAL, "'", what,
                   ".attr_name' must be an attribute this module was made with, ", "not '",
                   field.attr_name(), "'");
    }
    const uint32_t size = attributes()[static_cast<size_t>(index)].size;
    if (size != field.num_bytes()) {
      return Error(EINVAL, "'", what, ".num_bytes' must be ", size, ", the size of attribute '",
                   field.attr_name(), "', not ", field.num_bytes());
    }
    return HashField{true, static_cast<uint32_t>(index), size};
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
  static uint64_t HashFields(Context& context, const std::vector<HashField>& fields,
                             PacketView packet, uint64_t hash) {
    for (const HashField& field : fields) {
      const uint8_t* bytes = field.is_attribute
                                 ? context.attribute(field.position).Read(packet.packet())
                                 : packet.Bytes(field.position, field.size);
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
