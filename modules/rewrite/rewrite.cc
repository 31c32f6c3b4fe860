// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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

// Makes packets copies of one template, which a loop over packets has in registers as far as it
// goes: its size and its first block.
class Copier {
 public:
  explicit Copier(const Template& from)
      : from_(from), blocks_size_(from.blocks_size), size_(from.size), layout_(from.layout) {
    Load(0, first_);
  }

  // False when there is no room. Reads what the packet's header says before it writes bytes, which
  // could be the header's for all that the compiler knows.
  bool CopyTo(Packet& packet) const {
    if (!packet.linear() || packet.room() < blocks_size_ || !packet.Resize(size_)) [[unlikely]]
      return CopyToOdd(packet);
    packet.AdoptLayout(layout_);
    uint8_t* to = packet.data();
    Store(first_, to);
    // What is too much of the last block lies behind the packet's end.
    for (size_t at = kBlock; at < blocks_size_; at += kBlock) {
      Block block;
      Load(at, block);
      Store(block, to + at);
    }
    return true;
  }

 private:
  using Block = WordVector[kBlock / kVectorBytes];

  void Load(size_t at, Block& block) const {
    for (size_t i = 0; i < std::size(block); ++i) {
      block[i] = LoadUnaligned<WordVector>(from_.bytes.data() + at + i * kVectorBytes);
    }
  }
  static void Store(const Block& block, uint8_t* to) {
    for (size_t i = 0; i < std::size(block); ++i) StoreUnaligned(to + i * kVectorBytes, block[i]);
  }

  // A packet of several segments, none of whose bytes is to stay, or one with little room.
  bool CopyToOdd(Packet& packet) const {
    if (!packet.linear()) FreeTail(packet);
    if (!packet.Resize(size_)) return false;
    packet.AdoptLayout(layout_);
    std::memcpy(packet.data(), from_.bytes.data(), size_);
    return true;
  }

  const Template& from_;
  const uint32_t blocks_size_;
  const uint16_t size_;
  const Layout layout_;
  Block first_;
};

// Replaces the content of packets by templates, in turn.
class Rewrite final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Rewrite",
      .help = "replaces the content of packets by templates, in turn",
  };
  static Commands<Rewrite> commands() {
    return {{"add", &Rewrite::Add}, {"clear", &Rewrite::Clear, CommandKind::kClears}};
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
    Verdict verdicts[kBatchSize];
    const size_t stride = templates.size(), size = batch.size();
    for (size_t first = 0; first < std::min(stride, size); ++first) {
      const Copier copier(templates[(turn + first) % stride]);
      for (size_t i = first; i < size; i += stride) {
        const bool done = copier.CopyTo(*batch[static_cast<uint32_t>(i)]);
        verdicts[i] = done ? Verdict::Gate(0) : Verdict::Drop(DropReason::kNoRoom);
      }
    }
    // After the last of them it is not 0: templates that are added come next.
    turn = (turn + size - 1) % stride + 1;
    context.Deliver(batch, verdicts);
  }

 private:
  Versioned<Templates> templates_;
  PerWorker<size_t> turns_;  // which template is next
};

REGISTER_MODULE(Rewrite);

}  // namespace
}  // namespace bess
