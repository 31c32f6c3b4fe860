// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>

#include "bess/util.pb.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "core/packet/segments.h"
#include "modules/rewrite.pb.h"

namespace bess {
namespace {

constexpr size_t kMaxTemplates = 64;
constexpr size_t kMaxTemplateSize = 1536;  // bytes
// Templates are copied in blocks of this size, each a few wide stores.
constexpr size_t kBlock = 64;
static_assert(kMaxTemplateSize % kBlock == 0);

struct alignas(kBlock) Template {
  std::array<uint8_t, kMaxTemplateSize> bytes{};
  uint16_t size = 0;
  uint16_t blocks_size = 0;  // `size`, rounded up to whole blocks
  Layout layout;             // every packet made from the template has it
};

using Templates = std::vector<Template>;

absl::StatusOr<Template> MakeTemplate(int index, const std::string& bytes) {
  if (bytes.empty() || bytes.size() > kMaxTemplateSize) {
    return Error(EINVAL, "templates[", index, "] must have 1..", kMaxTemplateSize, " bytes, not ",
                 bytes.size());
  }
  Template made;
  std::memcpy(made.bytes.data(), bytes.data(), bytes.size());
  made.size = static_cast<uint16_t>(bytes.size());
  made.blocks_size = static_cast<uint16_t>((bytes.size() + kBlock - 1) / kBlock * kBlock);
  made.layout = ParseLayout(made.bytes.data(), made.size, made.size);
  return made;
}

// Copies whole blocks; what is too much is cut off again.
bool CopyBlocks(Packet& packet, const Template& from) {
  if (!packet.Resize(from.blocks_size)) return false;
  uint8_t* to = packet.data();
  const uint32_t size = from.blocks_size;
  for (uint32_t at = 0; at < size; at += kBlock) {
    std::memcpy(to + at, &from.bytes[at], kBlock);
  }
  return packet.Resize(from.size);
}

// For buffers that end in the middle of the last block.
bool CopyExactly(Packet& packet, const Template& from) {
  if (!packet.Resize(from.size)) return false;
  std::memcpy(packet.data(), from.bytes.data(), from.size);
  return true;
}

Verdict RewriteTo(const Template& from, Packet& packet) {
  if (!packet.linear()) [[unlikely]]
    FreeTail(packet);  // none of its bytes is to stay
  if (!CopyBlocks(packet, from) && !CopyExactly(packet, from)) [[unlikely]] {
    return Verdict::Drop(DropReason::kNoRoom);
  }
  packet.AdoptLayout(from.layout);
  return Verdict::Gate(0);
}

// Replaces the content of packets by templates, in turn.
class Rewrite final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Rewrite",
      .help = "replaces the content of packets by templates, in turn",
  };
  static Commands<Rewrite> commands() {
    return {{"add", &Rewrite::Add}, {"clear", &Rewrite::Clear}};
  }

  absl::Status Init(const pb::RewriteArg& arg) { return Add(arg); }

  absl::Status Add(const pb::RewriteArg& arg) {
    const size_t sum = templates_.Get()->size() + static_cast<size_t>(arg.templates_size());
    if (sum > kMaxTemplates) {
      return Error(EINVAL, "'templates' would be ", sum, "; at most ", kMaxTemplates,
                   " are possible");
    }
    auto templates = std::make_unique<Templates>(*templates_.Get());
    for (int i = 0; i < arg.templates_size(); ++i) {
      BESS_ASSIGN_OR_RETURN(templates->emplace_back(), MakeTemplate(i, arg.templates(i)));
    }
    templates_.Swap(host(), std::move(templates));
    return absl::OkStatus();
  }

  absl::Status Clear(const pb::EmptyArg&) {
    templates_.Swap(host(), std::make_unique<const Templates>());
    return absl::OkStatus();
  }

  void Placed(absl::Span<const uint32_t> workers) override {
    for (const uint32_t worker : workers) turns_.At(worker);
  }

  void Process(Context& context, Batch& batch) {
    const Templates& templates = *templates_.Get();
    if (templates.empty()) return context.Emit(0, batch);
    size_t& turn = turns_.At(context.worker());
    const Template* const end = templates.data() + templates.size();
    const Template* next = turn < templates.size() ? &templates[turn] : end;
    ForEach(context, batch, [&](PacketView view) {
      if (next == end) next = templates.data();
      return RewriteTo(*next++, view.packet());
    });
    turn = static_cast<size_t>(next - templates.data());
  }

 private:
  Versioned<Templates> templates_;
  PerWorker<size_t> turns_;  // which template is next
};

REGISTER_MODULE(Rewrite);

}  // namespace
}  // namespace bess
