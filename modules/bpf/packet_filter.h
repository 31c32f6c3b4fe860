// SPDX-License-Identifier: Apache-2.0
//
// A filter in the notation of tcpdump, made ready to run on packets.
//
//   BESS_ASSIGN_OR_RETURN(auto filter, PacketFilter::Compile("udp port 53"));
//   if (filter->Matches(packet)) ...
//
// libpcap compiles it and libpcap's interpreter runs it, which checks every access against the
// packet's length. DPDK's BPF library would make machine code of it, but that of 22.11 is wrong:
// it encodes tests of small constants (`ether[0] & 1`) and some jumps to the end of the program
// such that the CPU goes on somewhere else.
#pragma once

#include <pcap/pcap.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/packet/packet.h"

namespace bess {

class PacketFilter {
 public:
  // An empty expression matches every packet. EINVAL with the compiler's words for a bad one.
  // Thread: control, one at a time, since libpcap's compiler has global state.
  static absl::StatusOr<std::unique_ptr<const PacketFilter>> Compile(const std::string& expression);

  ~PacketFilter() { pcap_freecode(&program_); }
  PacketFilter(const PacketFilter&) = delete;
  PacketFilter& operator=(const PacketFilter&) = delete;

  // Thread: any. A filter that asks for bytes which are not in the packet's first segment does not
  // match.
  bool Matches(const Packet& packet) const {
    const bpf_insn* program = program_.bf_insns;
    return bpf_filter(program, packet.data(), packet.total_length(), packet.length()) != 0;
  }

 private:
  PacketFilter() = default;

  bpf_program program_{};
};

}  // namespace bess
