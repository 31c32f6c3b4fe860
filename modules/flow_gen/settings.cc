// SPDX-License-Identifier: Apache-2.0
#include "modules/flow_gen/settings.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/status.h"
#include "core/packet/checksum.h"
#include "core/packet/packet_pool.h"

namespace bess::flow_gen {
namespace {

constexpr double kMinRate = 1e-6, kMaxRate = 1e9;  // a second
constexpr double kMaxDuration = 1e6;               // seconds
constexpr uint32_t kAllPorts = 65536;

// `value`, or `otherwise` when it is 0; NaN is refused like anything out of bounds.
absl::StatusOr<double> Positive(std::string_view name, double value, double otherwise,
                                double largest) {
  if (value == 0) return otherwise;
  if (value >= kMinRate && value <= largest) return value;
  return Error(EINVAL, "'", name, "' must be ", kMinRate, "..", largest, ", not ", value);
}

// Whether `text` is `other` instead of "uniform".
absl::StatusOr<bool> Choose(std::string_view name, const std::string& text,
                            std::string_view other) {
  if (text.empty() || text == "uniform") return false;
  if (text == other) return true;
  return Error(EINVAL, "'", name, "' must be \"uniform\" or \"", other, "\", not \"", text, "\"");
}

absl::Status SetRates(const pb::FlowGenArg& arg, Settings& settings) {
  BESS_ASSIGN_OR_RETURN(const double pps, Positive("pps", arg.pps(), 1000, kMaxRate));
  BESS_ASSIGN_OR_RETURN(const double rate, Positive("flow_rate", arg.flow_rate(), 10, kMaxRate));
  BESS_ASSIGN_OR_RETURN(const double life,
                        Positive("flow_duration", arg.flow_duration(), 10, kMaxDuration));
  if (pps < rate) {
    return Error(EINVAL, "'pps' must be at least 'flow_rate', a packet for each flow, not ", pps,
                 " for ", rate, " flows");
  }
  settings.mean_flows = rate * life;
  if (settings.mean_flows > kMaxMeanFlows) {
    return Error(EINVAL, "'flow_rate' times 'flow_duration' must be at most ", kMaxMeanFlows,
                 " flows at once, not ", settings.mean_flows);
  }
  BESS_ASSIGN_OR_RETURN(settings.exponential, Choose("arrival", arg.arrival(), "exponential"));
  BESS_ASSIGN_OR_RETURN(settings.pareto, Choose("duration", arg.duration(), "pareto"));
  settings.arrival = CyclesPerSecond() / rate;
  settings.packets = pps / rate;
  settings.interval = static_cast<uint64_t>(CyclesPerSecond() * settings.mean_flows / pps);
  return absl::OkStatus();
}

absl::Status ReadTemplate(const std::string& bytes, Settings& settings) {
  if (bytes.size() > kDefaultDataRoom) {
    return Error(EINVAL, "'template' must have at most ", kDefaultDataRoom, " bytes, not ",
                 bytes.size());
  }
  settings.packet.assign(bytes.begin(), bytes.end());
  settings.layout = ParseLayout(settings.packet.data(), bytes.size(), bytes.size());
  const L3 l3 = settings.layout.l3();
  const L4 l4 = settings.layout.l4();
  if ((l3 == L3::kIpv4 || l3 == L3::kIpv6) && !settings.layout.fragment &&
      (l4 == L4::kTcp || l4 == L4::kUdp)) {
    return absl::OkStatus();
  }
  return Error(EINVAL,
               "'template' must be an Ethernet frame with whole IP and TCP or UDP headers; ",
               "these ", bytes.size(), " bytes are not");
}

absl::StatusOr<Range<uint16_t>> Ports(std::string_view name, Be16 first, uint32_t count) {
  if (count > kAllPorts) {
    return Error(EINVAL, "'", name, "' must be 0..", kAllPorts, ", not ", count);
  }
  return Range<uint16_t>{first.value(), std::max(count, 1u)};
}

// The headers of a template that was read. Of the IP headers only one is there.
struct Headers {
  explicit Headers(Settings& settings)
      : ipv6(settings.layout.l3() == L3::kIpv6),
        ip_bytes(settings.packet.data() + settings.layout.l3_offset),
        l4_bytes(settings.packet.data() + settings.layout.l4_offset) {
    if (ipv6) {
      ip6 = LoadUnaligned<Ipv6Header>(ip_bytes);
    } else {
      ip = LoadUnaligned<Ipv4Header>(ip_bytes);
    }
    const uint32_t ip_length =
        ipv6 ? sizeof(ip6) + ip6.payload_length.value() : ip.total_length.value();
    l4_length = static_cast<uint32_t>(ip_bytes + ip_length - l4_bytes);
  }

  Be32 source() const { return ipv6 ? LastBytes(ip6.source) : ip.source; }
  Be32 destination() const { return ipv6 ? LastBytes(ip6.destination) : ip.destination; }
  ChecksumSum PseudoHeader(uint8_t protocol, uint32_t length) const {
    return ipv6 ? PseudoHeaderSum(ip6, protocol, length) : PseudoHeaderSum(ip, protocol, length);
  }

  static Be32 LastBytes(const Ipv6Address& address) { return LoadUnaligned<Be32>(&address[12]); }

  bool ipv6;
  uint8_t* ip_bytes;
  uint8_t* l4_bytes;
  Ipv4Header ip{};
  Ipv6Header ip6{};
  uint32_t l4_length;  // bytes, payload included
};

absl::Status SetRanges(const pb::FlowGenArg& arg, const Headers& headers, Settings& settings) {
  settings.source = {headers.source().value(), std::max(arg.ip_src_range(), 1u)};
  settings.destination = {headers.destination().value(), std::max(arg.ip_dst_range(), 1u)};
  // TCP and UDP headers both begin with the ports.
  const auto ports = LoadUnaligned<UdpHeader>(headers.l4_bytes);
  BESS_ASSIGN_OR_RETURN(settings.source_port,
                        Ports("port_src_range", ports.source_port, arg.port_src_range()));
  BESS_ASSIGN_OR_RETURN(settings.destination_port,
                        Ports("port_dst_range", ports.destination_port, arg.port_dst_range()));
  return absl::OkStatus();
}

// What belongs into `field`, which lies in `bytes` and is cleared.
Be16 Checksum(uint8_t* field, ChecksumSum pseudo_header, absl::Span<const uint8_t> bytes) {
  StoreUnaligned(field, Be16(0));
  return FinishChecksum(pseudo_header + SumBytes(bytes));
}

void SetIpChecksum(const Headers& headers) {
  if (headers.ipv6) return;
  uint8_t* field = headers.ip_bytes + offsetof(Ipv4Header, checksum);
  StoreUnaligned(field, Checksum(field, 0, {headers.ip_bytes, headers.ip.header_length()}));
}

void SetTcpChecksum(const Headers& headers) {
  uint8_t* field = headers.l4_bytes + offsetof(TcpHeader, checksum);
  StoreUnaligned(field, Checksum(field, headers.PseudoHeader(kProtoTcp, headers.l4_length),
                                 {headers.l4_bytes, headers.l4_length}));
}

// A datagram without a checksum stays so, except over IPv6, where it must have one.
absl::Status SetUdpChecksum(const Headers& headers) {
  const auto udp = LoadUnaligned<UdpHeader>(headers.l4_bytes);
  const uint16_t length = udp.length.value();
  if (length < sizeof(udp) || length > headers.l4_length) {
    return Error(EINVAL, "the UDP length in 'template' must be ", sizeof(udp), "..",
                 headers.l4_length, ", not ", length);
  }
  if (udp.checksum.raw() == 0 && !headers.ipv6) return absl::OkStatus();
  uint8_t* field = headers.l4_bytes + offsetof(UdpHeader, checksum);
  const ChecksumSum pseudo_header = headers.PseudoHeader(kProtoUdp, length);
  StoreUnaligned(field, UdpChecksum(Checksum(field, pseudo_header, {headers.l4_bytes, length})));
  return absl::OkStatus();
}

absl::Status SetPacket(const pb::FlowGenArg& arg, Settings& settings) {
  BESS_RETURN_IF_ERROR(ReadTemplate(arg.template_(), settings));
  const Headers headers(settings);
  BESS_RETURN_IF_ERROR(SetRanges(arg, headers, settings));
  SetIpChecksum(headers);
  if (settings.layout.l4() == L4::kUdp) return SetUdpChecksum(headers);
  const auto tcp = LoadUnaligned<TcpHeader>(headers.l4_bytes);
  settings.payload = headers.l4_length - tcp.header_length();
  SetTcpChecksum(headers);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Settings> MakeSettings(const pb::FlowGenArg& arg) {
  Settings settings;
  BESS_RETURN_IF_ERROR(SetRates(arg, settings));
  BESS_RETURN_IF_ERROR(SetPacket(arg, settings));
  return settings;
}

}  // namespace bess::flow_gen
