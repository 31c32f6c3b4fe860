// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>
#include <iterator>

#include "bess/util.pb.h"
#include "core/base/word_vector.h"
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

// Copies whole blocks; what is too much of the last one lies behind the packet's end.
void CopyBlocks(const uint8_t* from, size_t size, uint8_t* to) {
  for (const uint8_t* const end = from + size; from != end; from += kBlock, to += kBlock) {
    WordVector block[kBlock / kVectorBytes];
    for (size_t i = 0; i < std::size(block); ++i) {
      block[i] = LoadUnaligned<WordVector>(from + i * kVectorBytes);
    }
    for (size_t i = 0; i < std::size(block); ++i) StoreUnaligned(to + i * kVectorBytes, block[i]);
  }
}

// Reads what the packet's header says before it writes bytes, which could be the header's for all
// that the compiler knows.
Verdict RewriteTo(const Template& from, Packet& packet) {
  if (!packet.linear()) [[unlikely]]
    FreeTail(packet);  // none of its bytes is to stay
  if (!packet.Resize(from.size)) [[unlikely]]
    return Verdict::Drop(DropReason::kNoRoom);
  packet.AdoptLayout(from.layout);
  if (packet.room() >= from.blocks_size) [[likely]] {
    CopyBlocks(from.bytes.data(), from.blocks_size, packet.data());
  } else {
    std::memcpy(packet.data(), from.bytes.data(), from.size);
  }
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
    // Not ForEach, which fetches the bytes of packets ahead: here nobody reads them.
    Verdict verdicts[kBatchSize];
    for (uint32_t i = 0; i < batch.size(); ++i) {
      if (next == end) next = templates.data();
      verdicts[i] = RewriteTo(*next++, *batch[i]);
    }
    turn = static_cast<size_t>(next - templates.data());
    context.Deliver(batch, verdicts);
  }

 private:
  Versioned<Templates> templates_;
  PerWorker<size_t> turns_;  // which template is next
};

REGISTER_MODULE(Rewrite);

}  // namespace
}  // namespace bess
