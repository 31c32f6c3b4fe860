// SPDX-License-Identifier: Apache-2.0
//
// A firewall in C++: `firewall SOCKET PORT...` drops IPv4 TCP and UDP packets to these ports, and
// what is too short to tell.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "nf/bessnf_cxx.h"

namespace {

class Firewall {
 public:
  explicit Firewall(std::set<uint16_t> closed) : closed_(std::move(closed)) {}

  bool Passes(const bessnf::Packet& packet) const {
    constexpr uint32_t kEthernet = 14;
    constexpr uint32_t kIpv4 = 20;
    if (packet.length < kEthernet) return false;
    if (Word(packet, 12) != 0x0800) return true;
    if (packet.length < kEthernet + kIpv4) return false;
    const uint8_t protocol = packet.data[kEthernet + 9];
    if (protocol != 6 && protocol != 17) return true;
    // Later fragments have no ports; without the first they are of no use to anybody.
    if ((Word(packet, kEthernet + 6) & 0x1fff) != 0) return true;
    const uint32_t ports = kEthernet + (packet.data[kEthernet] & 0xf) * 4;
    if (packet.length < ports + 4) return false;
    return !closed_.contains(Word(packet, ports + 2));
  }

 private:
  static uint16_t Word(const bessnf::Packet& packet, uint32_t at) {
    return static_cast<uint16_t>(packet.data[at] << 8 | packet.data[at + 1]);
  }

  const std::set<uint16_t> closed_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s SOCKET PORT...\n", argv[0]);
    return 2;
  }
  std::set<uint16_t> closed;
  for (int i = 2; i < argc; ++i) {
    closed.insert(static_cast<uint16_t>(std::strtoul(argv[i], nullptr, 10)));
  }
  const Firewall firewall(std::move(closed));
  auto nf = bessnf::NetworkFunction::Attach(argv[1], {.name = "firewall", .fresh = 0});
  while (nf && (nf->Wait() || nf->Reattach())) {
    bessnf::Burst burst = nf->Receive();
    burst.Filter([&](const bessnf::Packet& packet) { return firewall.Passes(packet); });
    nf->Send(std::move(burst));
  }
  std::fprintf(stderr, "%s\n", bessnf::NetworkFunction::Error().c_str());
  return 1;
}
