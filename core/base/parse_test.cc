// SPDX-License-Identifier: Apache-2.0
#include "core/base/parse.h"

#include <gmock/gmock.h>

#include "core/base/status.h"

namespace bess {
namespace {

using testing::HasSubstr;

template <typename T>
void ExpectInvalid(const absl::StatusOr<T>& result, const std::string& part) {
  ASSERT_FALSE(result.ok()) << part;
  EXPECT_EQ(StatusErrno(result.status()), EINVAL);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(part));
}

TEST(ParseTest, MacAddresses) {
  const std::array<uint8_t, 6> mac = {0x02, 0xab, 0xCD, 0x0f, 0xf0, 0xff};
  EXPECT_EQ(*ParseMac("02:ab:CD:0f:F0:ff"), mac);
  EXPECT_EQ(FormatMac(mac), "02:ab:cd:0f:f0:ff");
  for (const std::string bad :
       {"", "2:0:0:0:0:a", "02:00:00:00:00", "02:00:00:00:00:0g",
        "02:00:00:00:00:0a:", "02:00:00:00:00:0a0", "02-00-00-00-00-0a", "02:00:00:00:0 :0a",
        "02000000000a", " 2:00:00:00:00:0a", "+2:00:00:00:00:0a", "02:00:00:00:00-0a"}) {
    ExpectInvalid(ParseMac(bad), "'" + bad + "' is not a MAC address");
  }
}

TEST(ParseTest, Ipv4Addresses) {
  EXPECT_EQ(*ParseIpv4("10.1.2.3"), 0x0a010203u);
  EXPECT_EQ(*ParseIpv4("0.0.0.0"), 0u);
  EXPECT_EQ(*ParseIpv4("255.255.255.255"), 0xffffffffu);
  EXPECT_EQ(FormatIpv4(0x0a0102ff), "10.1.2.255");
  for (const std::string bad : {"", "10.1.2", "10.1.2.3.4", "10.1.2.256", "10.01.2.3", "0x0a.1.2.3",
                                "10.1.2.3 ", " 10.1.2.3", "10.1.2.-3", "::1", "10.1.2.3/32"}) {
    ExpectInvalid(ParseIpv4(bad), "'" + bad + "' is not an IPv4 address");
  }
  ExpectInvalid(ParseIpv4(std::string_view("10.1.2.3\0x", 10)), "is not an IPv4 address");
}

TEST(ParseTest, Ipv6Addresses) {
  std::array<uint8_t, 16> address = {0x20, 0x01, 0x0d, 0xb8};
  address[15] = 1;
  EXPECT_EQ(*ParseIpv6("2001:db8::1"), address);
  EXPECT_EQ(*ParseIpv6("2001:0DB8:0:0:0:0:0:1"), address);
  EXPECT_EQ(FormatIpv6(address), "2001:db8::1");
  EXPECT_EQ((*ParseIpv6("::ffff:10.0.0.1"))[12], 10);
  for (const std::string bad : {"", ":", "10.0.0.1", "2001:db8::1::", "2001:db8", "1::2::3",
                                "::12345", "fe80::1%eth0", "::1/128", "::g"}) {
    ExpectInvalid(ParseIpv6(bad), "'" + bad + "' is not an IPv6 address");
  }
  ExpectInvalid(ParseIpv6(std::string_view("::1\0", 4)), "is not an IPv6 address");
}

TEST(ParseTest, Ipv4Prefixes) {
  EXPECT_EQ(*ParseIpv4Prefix("10.0.0.0/8"), (Ipv4Prefix{0x0a000000, 8}));
  EXPECT_EQ(*ParseIpv4Prefix("0.0.0.0/0"), (Ipv4Prefix{0, 0}));
  EXPECT_EQ(*ParseIpv4Prefix("10.0.0.1/32"), (Ipv4Prefix{0x0a000001, 32}));
  EXPECT_EQ(*ParseIpv4Prefix("10.0.0.1"), (Ipv4Prefix{0x0a000001, 32})) << "one host, not all";
  ExpectInvalid(ParseIpv4Prefix("10.0.0.1/8"), "the prefix is '10.0.0.0/8'");
  ExpectInvalid(ParseIpv4Prefix("10.0.0.1/0"), "the prefix is '0.0.0.0/0'");
  for (const std::string bad : {"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                                "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/0000", "10.0.0.0/+8"}) {
    ExpectInvalid(ParseIpv4Prefix(bad), "'" + bad + "' must end in a prefix length, /0../32");
  }
  ExpectInvalid(ParseIpv4Prefix(""), "'' is not an IPv4 address");
  ExpectInvalid(ParseIpv4Prefix("2001:db8::/32"), "'2001:db8::' is not an IPv4 address");
}

TEST(ParseTest, Ipv6Prefixes) {
  EXPECT_EQ(*ParseIpv6Prefix("2001:db8::/32"), (Ipv6Prefix{*ParseIpv6("2001:db8::"), 32}));
  EXPECT_EQ(*ParseIpv6Prefix("::/0"), (Ipv6Prefix{}));
  EXPECT_EQ(*ParseIpv6Prefix("::1"), (Ipv6Prefix{*ParseIpv6("::1"), 128}));
  ExpectInvalid(ParseIpv6Prefix("2001:db8::1/32"), "the prefix is '2001:db8::/32'");
  ExpectInvalid(ParseIpv6Prefix("::/129"), "'::/129' must end in a prefix length, /0../128");
  ExpectInvalid(ParseIpv6Prefix("10.0.0.0/8"), "'10.0.0.0' is not an IPv6 address");
}

TEST(ParseTest, PrefixesContainTheirHosts) {
  const Ipv4Prefix four = *ParseIpv4Prefix("10.16.0.0/12");
  EXPECT_TRUE(four.Contains(0x0a1fffff));
  EXPECT_FALSE(four.Contains(0x0a200000));
  EXPECT_TRUE(Ipv4Prefix{}.Contains(0xffffffff));
  const Ipv6Prefix six = *ParseIpv6Prefix("2001:db8:8000::/33");
  EXPECT_TRUE(six.Contains(*ParseIpv6("2001:db8:ffff::1")));
  EXPECT_FALSE(six.Contains(*ParseIpv6("2001:db8:7fff::1")));
  EXPECT_TRUE(Ipv6Prefix{}.Contains(*ParseIpv6("ffff::")));
}

}  // namespace
}  // namespace bess
