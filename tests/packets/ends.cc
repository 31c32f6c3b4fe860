// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/ends.h"

#include "core/graph/fake_host_testing.h"

namespace bess::packet_tests {

void Collector::Process(Context& context, Batch& batch) {
  auto& packets = collected[context.igate()];
  for (const Packet* packet : batch) packets.push_back(PacketBytes(*packet));
  context.ledger().consumed.Add(batch.size());
  FreeBatch(batch);
}

REGISTER_MODULE(Injector);
REGISTER_MODULE(Collector);

}  // namespace bess::packet_tests
