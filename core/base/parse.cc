// SPDX-License-Identifier: Apache-2.0
#include "core/base/parse.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/base/status.h"

namespace bess {
namespace {

int HexDigit(char c) {
  if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return -1;
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) ? c - '0'
                                                            : absl::ascii_tolower(c) - 'a' + 10;
}

// inet_pton reads a C string, so a text with a zero byte inside must not reach it.
bool FromText(int family, std::string_view text, void* address) {
  if (text.find('\0') != std::string_view::npos) return false;
  return inet_pton(family, std::string(text).c_str(), address) == 1;
}

// One to three decimal digits without a leading zero; -1 for anything else.
int ParseLength(std::string_view digits) {
  if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return -1;
  int length = 0;
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return -1;
    length = length * 10 + (c - '0');
  }
  return length;
}

// Splits "address/length" and checks the length; without a slash it is `bits`.
absl::StatusOr<std::pair<std::string_view, uint32_t>> SplitPrefix(std::string_view text, int bits) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::pair(text, static_cast<uint32_t>(bits));
  const int length = ParseLength(text.substr(slash + 1));
  if (length < 0 || length > bits) {
    return Error(EINVAL, "'", text, "' must end in a prefix length, /0../", bits);
  }
  return std::pair(text.substr(0, slash), static_cast<uint32_t>(length));
}

absl::Status HostBits(std::string_view address, std::string_view meant, uint32_t length) {
  return Error(EINVAL, "'", address, "/", length,
               "' has bits set behind its prefix length; the prefix is '", meant, "/", length, "'");
}

std::array<uint8_t, 16> And(std::array<uint8_t, 16> a, const std::array<uint8_t, 16>& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] &= b[i];
  return a;
}

}  // namespace

absl::StatusOr<std::array<uint8_t, 6>> ParseMac(std::string_view text) {
  std::array<uint8_t, 6> mac{};
  bool good = text.size() == 17;
  for (size_t i = 0; good && i < mac.size(); ++i) {
    const int high = HexDigit(text[3 * i]);
    const int low = HexDigit(text[3 * i + 1]);
    good = high >= 0 && low >= 0 && (i == 5 || text[3 * i + 2] == ':');
    mac[i] = static_cast<uint8_t>((high << 4) | low);
  }
  if (!good) {
    return Error(EINVAL, "'", text, "' is not a MAC address such as '02:00:00:00:00:0a'");
  }
  return mac;
}

std::string FormatMac(const std::array<uint8_t, 6>& mac) {
  const auto hex = [&](size_t i) { return absl::Hex(mac[i], absl::kZeroPad2); };
  return absl::StrCat(hex(0), ":", hex(1), ":", hex(2), ":", hex(3), ":",
                      absl::StrCat(hex(4), ":", hex(5)));
}

absl::StatusOr<uint32_t> ParseIpv4(std::string_view text) {
  Be32 address;
  if (!FromText(AF_INET, text, &address)) {
    return Error(EINVAL, "'", text, "' is not an IPv4 address such as '10.0.0.1'");
  }
  return address.value();
}

std::string FormatIpv4(uint32_t address) {
  return absl::StrCat(address >> 24, ".", (address >> 16) & 0xff, ".", (address >> 8) & 0xff, ".",
                      address & 0xff);
}

absl::StatusOr<std::array<uint8_t, 16>> ParseIpv6(std::string_view text) {
  std::array<uint8_t, 16> address;
  if (!FromText(AF_INET6, text, address.data())) {
    return Error(EINVAL, "'", text, "' is not an IPv6 address such as '2001:db8::1'");
  }
  return address;
}

std::string FormatIpv6(const std::array<uint8_t, 16>& address) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, address.data(), text, sizeof(text));
}

std::array<uint8_t, 16> Ipv6Prefix::mask() const {
  std::array<uint8_t, 16> bytes{};
  for (uint32_t i = 0; i < 16; ++i) {
    const uint32_t bits = std::min(8u, length - std::min(length, 8 * i));
    bytes[i] = static_cast<uint8_t>(0xff00u >> bits);
  }
  return bytes;
}

bool Ipv6Prefix::Contains(const std::array<uint8_t, 16>& host) const {
  return And(host, mask()) == address;
}

absl::StatusOr<Ipv4Prefix> MakePrefix(uint32_t address, uint32_t length) {
  const Ipv4Prefix prefix{address, length};
  if (prefix.Contains(address)) return prefix;
  return HostBits(FormatIpv4(address), FormatIpv4(address & prefix.mask()), length);
}

absl::StatusOr<Ipv6Prefix> MakePrefix(const std::array<uint8_t, 16>& address, uint32_t length) {
  const Ipv6Prefix prefix{address, length};
  if (prefix.Contains(address)) return prefix;
  return HostBits(FormatIpv6(address), FormatIpv6(And(address, prefix.mask())), length);
}

absl::StatusOr<Ipv4Prefix> ParseIpv4Prefix(std::string_view text) {
  BESS_ASSIGN_OR_RETURN(const auto parts, SplitPrefix(text, 32));
  BESS_ASSIGN_OR_RETURN(const uint32_t address, ParseIpv4(parts.first));
  return MakePrefix(address, parts.second);
}

absl::StatusOr<Ipv6Prefix> ParseIpv6Prefix(std::string_view text) {
  BESS_ASSIGN_OR_RETURN(const auto parts, SplitPrefix(text, 128));
  BESS_ASSIGN_OR_RETURN(const auto address, ParseIpv6(parts.first));
  return MakePrefix(address, parts.second);
}

}  // namespace bess
