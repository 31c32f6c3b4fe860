// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string>

#include "core/graph/module.h"
#include "modules/metadata_tester.pb.h"

namespace bess {
namespace {

using Sizes = google::protobuf::Map<std::string, int64_t>;

// Sends what comes in by a gate out by the gate of the same number. An attribute it says it writes
// it does write, with zeros: without that a reader would see what another packet left there.
class MetadataTest final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "MetadataTest",
      .help = "declares metadata attributes at will, to test their placement",
      .template_name = "mt_test",
      .igates = kMaxGates,
      .ogates = kMaxGates,
      .igates_alike = false,
  };

  absl::Status Init(const pb::MetadataTestArg& arg) {
    BESS_RETURN_IF_ERROR(Declare("write", arg.write(), AttributeMode::kWrite));
    written_ = static_cast<uint32_t>(attributes().size());
    BESS_RETURN_IF_ERROR(Declare("read", arg.read(), AttributeMode::kRead));
    return Declare("update", arg.update(), AttributeMode::kUpdate);
  }

  void Process(Context& context, Batch& batch) {
    for (uint32_t i = 0; i < written_; ++i) {
      const AttributeRef attribute = context.attribute(i);
      for (Packet* packet : batch) {
        if (uint8_t* bytes = attribute.Write(*packet)) std::fill_n(bytes, attributes()[i].size, 0);
      }
    }
    context.Emit(context.igate(), batch);
  }

 private:
  // In order of names, so that the same message always gives the same layout.
  absl::Status Declare(const char* field, const Sizes& sizes, AttributeMode mode) {
    for (const auto& [name, size] : std::map(sizes.begin(), sizes.end())) {
      if (size < 1 || size > static_cast<int64_t>(kMaxAttributeSize)) {
        return Error(EINVAL, "'", field, "': attribute '", name, "' must have 1..",
                     kMaxAttributeSize, " bytes, not ", size);
      }
      BESS_RETURN_IF_ERROR(AddAttribute(name, static_cast<uint64_t>(size), mode).status());
    }
    return absl::OkStatus();
  }

  uint32_t written_ = 0;  // the first so many attributes
};

REGISTER_MODULE(MetadataTest);

}  // namespace
}  // namespace bess
