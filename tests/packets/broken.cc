// SPDX-License-Identifier: Apache-2.0
//
// A module that does wrong on request, to prove that the runner notices.
#include "bess/util.pb.h"
#include "core/graph/module.h"

namespace bess::packet_tests {
namespace {

// What it does is the packet's first byte:
//   F forgets the packet: it is freed, and in no book
//   L leaks it: it is in the books as consumed, and never freed
//   C crashes if the packet has less than three bytes
//   S forgets it if it has less than three bytes
//   M forgets it if it has more than one segment
// Any other packet passes.
class Broken final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestBroken", .help = "does wrong on request"};

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) {
    for (Packet* packet : batch) HandleOne(context, packet);
    batch.clear();
  }

 private:
  static void HandleOne(Context& context, Packet* packet) {
    const uint8_t* first = PacketView(*packet).Bytes(0, 1);
    const uint8_t fault = first == nullptr ? 0 : *first;
    const bool is_short = packet->length() < 3;
    if (fault == 'C' && is_short) __builtin_trap();
    if (fault == 'F' || (fault == 'S' && is_short) || (fault == 'M' && !packet->linear())) {
      FreePackets(&packet, 1);
    } else if (fault == 'L') {
      context.ledger().consumed.Add(1);
    } else {
      context.EmitOne(0, packet);
    }
  }
};

REGISTER_MODULE(Broken);

}  // namespace
}  // namespace bess::packet_tests
