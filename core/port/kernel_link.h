// SPDX-License-Identifier: Apache-2.0
//
// A network interface of the kernel, asked and changed through rtnetlink. Errors name the
// interface, the value, and the right that is missing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/packet/headers.h"
#include "core/port/network_namespace.h"

struct nl_sock;
struct rtnl_link;

namespace bess {

// OK for what the kernel takes for an interface's name; else EINVAL.
absl::Status CheckLinkName(std::string_view name);

// An address of an interface and the length of its network's prefix.
struct LinkAddress {
  std::string text;  // as it was given
  bool is_ipv6 = false;
  std::array<uint8_t, 16> bytes{};  // of IPv4 the first four
  int prefix = 0;
};
// "10.0.0.1/24" or "fd00::1/64"; without a length the network is this address alone. EINVAL for
// everything else.
absl::StatusOr<LinkAddress> ParseLinkAddress(std::string_view text);

// What an interface is at one moment.
struct LinkState {
  MacAddress mac{};
  uint32_t mtu = 0;
  bool admin_up = false;
  bool running = false;         // up, and with a carrier
  uint64_t kernel_dropped = 0;  // packets the kernel could not hand to the device
};

// What is to change; the rest stays as it is.
struct LinkChange {
  std::optional<MacAddress> mac;
  std::optional<uint32_t> mtu;
  std::optional<uint32_t> queue_length;  // packets that wait for the device
  std::optional<bool> up;
};

// Thread: control. Each object belongs to the thread that found it.
class KernelLink {
 public:
  // In the network namespace of the calling thread. ENODEV when there is none of this name.
  static absl::StatusOr<KernelLink> Find(const std::string& name);

  // When it was found.
  LinkState state() const;

  // Moves it to `space` and calls it `name` there. EEXIST when the name is taken there. It has to
  // be found again afterwards.
  absl::Status Move(const NetworkNamespace& space, const std::string& name);
  absl::Status Change(const LinkChange& change);
  absl::Status Add(const LinkAddress& address);

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
    void operator()(rtnl_link* link) const;
  };
  template <typename T>
  using Owned = std::unique_ptr<T, Free>;

  KernelLink(std::string name, Owned<nl_sock> socket)
      : name_(std::move(name)), socket_(std::move(socket)) {}

  std::string name_;
  Owned<nl_sock> socket_;
  Owned<rtnl_link> link_;
};

}  // namespace bess
