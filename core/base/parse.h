// SPDX-License-Identifier: Apache-2.0
//
// Addresses as people write them. Strict: what is not exactly an address is EINVAL with the text
// and the form that would be right, never a default value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bess {

// "02:00:00:00:00:0a": six times two hexadecimal digits.
absl::StatusOr<std::array<uint8_t, 6>> ParseMac(std::string_view text);
std::string FormatMac(const std::array<uint8_t, 6>& mac);

// "10.0.0.1", in host order. No leading zeros, no short forms.
absl::StatusOr<uint32_t> ParseIpv4(std::string_view text);
std::string FormatIpv4(uint32_t address);

// The forms of RFC 4291, 2.2, without a zone.
absl::StatusOr<std::array<uint8_t, 16>> ParseIpv6(std::string_view text);
// The form of RFC 5952.
std::string FormatIpv6(const std::array<uint8_t, 16>& address);

// The address of a prefix has no bits set behind its length.
struct Ipv4Prefix {
  uint32_t address = 0;  // host order
  uint32_t length = 0;   // bits, 0..32

  uint32_t mask() const { return length == 0 ? 0 : ~uint32_t{0} << (32 - length); }
  bool Contains(uint32_t host) const { return (host & mask()) == address; }
  bool operator==(const Ipv4Prefix&) const = default;
};

struct Ipv6Prefix {
  std::array<uint8_t, 16> address{};
  uint32_t length = 0;  // bits, 0..128

  std::array<uint8_t, 16> mask() const;
  bool Contains(const std::array<uint8_t, 16>& host) const;
  bool operator==(const Ipv6Prefix&) const = default;
};

// The prefix of this length, at most 32 or 128, with this address; bits behind the length are
// EINVAL naming the prefix that was probably meant.
absl::StatusOr<Ipv4Prefix> MakePrefix(uint32_t address, uint32_t length);
absl::StatusOr<Ipv6Prefix> MakePrefix(const std::array<uint8_t, 16>& address, uint32_t length);

// "10.0.0.0/8"; without a slash, one host.
absl::StatusOr<Ipv4Prefix> ParseIpv4Prefix(std::string_view text);
absl::StatusOr<Ipv6Prefix> ParseIpv6Prefix(std::string_view text);

}  // namespace bess
