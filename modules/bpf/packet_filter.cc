// SPDX-License-Identifier: Apache-2.0
#include "modules/bpf/packet_filter.h"

#include "core/base/status.h"

namespace bess {
namespace {

constexpr int kSnapshot = UINT16_MAX;  // what a filter returns that matches

struct PcapClose {
  void operator()(pcap_t* pcap) const { pcap_close(pcap); }
};

}  // namespace

absl::StatusOr<std::unique_ptr<const PacketFilter>> PacketFilter::Compile(
    const std::string& expression) {
  if (expression.find('\0') != std::string::npos) return Error(EINVAL, "has a zero byte");
  const std::unique_ptr<pcap_t, PcapClose> pcap(pcap_open_dead(DLT_EN10MB, kSnapshot));
  if (pcap == nullptr) return Error(ENOMEM, "no memory for the compiler");
  std::unique_ptr<PacketFilter> filter(new PacketFilter);
  if (pcap_compile(pcap.get(), &filter->program_, expression.c_str(), /*optimize=*/1,
                   PCAP_NETMASK_UNKNOWN) != 0) {
    return Error(EINVAL, pcap_geterr(pcap.get()));
  }
  return filter;
}

}  // namespace bess
