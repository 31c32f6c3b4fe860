// SPDX-License-Identifier: Apache-2.0
//
// PCAPPort: a network interface of the kernel, through libpcap. It copies, but asks for nothing
// that a packet capture does not ask for.
#include <pcap/pcap.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "core/base/status.h"
#include "core/packet/segments.h"
#include "core/port/message_sender.h"
#include "core/port/port.h"
#include "ports/pcap_port.pb.h"

namespace bess {
namespace {

// Bytes of the longest packet that is received whole: all there are, unless the kernel joins TCP
// segments to packets of 64 KB. An entry of the ring is as long, or as the interface's MTU wants.
constexpr int kLongest = 65535;
constexpr int kRingSize = 8 << 20;  // bytes

class PcapPort final : public Port {
 public:
  static constexpr DriverInfo kInfo = {.name = "PCAPPort",
                                       .help = "a network interface of the kernel, through libpcap",
                                       .template_name = "pcap_port"};

  // EINVAL for more than one queue, no interface or one that is not Ethernet; EPERM, or else
  // ENODEV, with libpcap's reason when it cannot open it.
  absl::Status Init(const pb::PCAPPortArg& arg);

 private:
  struct Close {
    void operator()(pcap_t* handle) const { pcap_close(handle); }
  };

  uint32_t DoReceive(uint32_t queue, Packet** packets, uint32_t max) override;
  uint32_t DoSend(uint32_t queue, Packet** packets, uint32_t n) override;
  bool SendsChains() const override { return true; }
  uint64_t LostByDevice() const override;
  int wake_fd(uint32_t) const override { return pcap_get_selectable_fd(handle_.get()); }

  absl::Status Activate(const std::string& device);
  Packet* MakePacket(const pcap_pkthdr& header, const uint8_t* bytes);

  std::unique_ptr<pcap_t, Close> handle_;
  MessageSender sender_;
  Counter unfit_;  // packets that were cut short, or found no buffer
  mutable absl::Mutex statistics_mutex_;
};

absl::Status PcapPort::Init(const pb::PCAPPortArg& arg) {
  if (rx_queues() != 1 || tx_queues() != 1) {
    return Error(EINVAL, "a PCAPPort has 1 queue each way, not ",
                 std::max(rx_queues(), tx_queues()));
  }
  if (arg.dev().empty()) return Error(EINVAL, "'dev' must name an interface");
  char reason[PCAP_ERRBUF_SIZE] = "";
  handle_.reset(pcap_create(arg.dev().c_str(), reason));
  if (handle_ == nullptr) return Error(ENODEV, "cannot open '", arg.dev(), "': ", reason);
  BESS_RETURN_IF_ERROR(Activate(arg.dev()));
  if (const int link = pcap_datalink(handle_.get()); link != DLT_EN10MB) {
    const char* name = pcap_datalink_val_to_description(link);
    return Error(EINVAL, "'dev' must be an Ethernet interface; '", arg.dev(), "' is ",
                 name == nullptr ? "another" : name);
  }
  return absl::OkStatus();
}

absl::Status PcapPort::Activate(const std::string& device) {
  pcap_t* handle = handle_.get();
  pcap_set_snaplen(handle, kLongest);
  pcap_set_buffer_size(handle, kRingSize);
  pcap_set_promisc(handle, 1);
  pcap_set_immediate_mode(handle, 1);
  char reason[PCAP_ERRBUF_SIZE] = "";
  const int result = pcap_activate(handle);
  if (result < 0) {
    const bool denied =
        result == PCAP_ERROR_PERM_DENIED || result == PCAP_ERROR_PROMISC_PERM_DENIED;
    const std::string details = pcap_geterr(handle);
    return Error(denied ? EPERM : ENODEV, "cannot open '", device,
                 "': ", details.empty() ? pcap_statustostr(result) : details);
  }
  // Without it the port would also receive what the kernel sends by the interface.
  if (pcap_setdirection(handle, PCAP_D_IN) != 0) {
    return Error(ENODEV, "cannot open '", device, "': ", pcap_geterr(handle));
  }
  if (pcap_setnonblock(handle, 1, reason) != 0) {
    return Error(ENODEV, "cannot open '", device, "': ", reason);
  }
  return absl::OkStatus();
}

uint32_t PcapPort::DoReceive(uint32_t /*queue*/, Packet** packets, uint32_t max) {
  uint32_t n = 0;
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  while (n < max && pcap_next_ex(handle_.get(), &header, &bytes) == 1) {
    packets[n] = MakePacket(*header, bytes);
    if (packets[n] == nullptr) {
      unfit_.Add(1);
    } else {
      ++n;
    }
  }
  return n;
}

Packet* PcapPort::MakePacket(const pcap_pkthdr& header, const uint8_t* bytes) {
  if (header.caplen != header.len) return nullptr;
  Packet* packet = pool().AllocLong(header.len);
  if (packet != nullptr) WriteBytes(*packet, 0, {bytes, header.len});
  return packet;
}

// libpcap's socket takes what pcap_inject does, and several at a time.
uint32_t PcapPort::DoSend(uint32_t /*queue*/, Packet** packets, uint32_t n) {
  const uint32_t sent = sender_.Send(pcap_fileno(handle_.get()), packets, n);
  FreePackets(packets, sent);
  return sent;
}

uint64_t PcapPort::LostByDevice() const {
  absl::MutexLock lock(&statistics_mutex_);  // libpcap adds them up in the handle
  pcap_stat statistics{};
  const bool known = pcap_stats(handle_.get(), &statistics) == 0;
  return unfit_.Get() + (known ? statistics.ps_drop : 0);
}

}  // namespace

REGISTER_DRIVER(PcapPort);

}  // namespace bess
