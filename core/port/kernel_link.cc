// SPDX-License-Identifier: Apache-2.0
#include "core/port/kernel_link.h"

#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "core/base/bytes.h"
#include "core/base/parse.h"
#include "core/base/status.h"

namespace bess {
namespace {

// The errno that libnl made a number of its own of.
int ErrnoOf(int error) {
  switch (-error) {
    case NLE_EXIST:
      return EEXIST;
    case NLE_PERM:
      return EPERM;
    case NLE_NOACCESS:
      return EACCES;
    case NLE_NODEV:
    case NLE_OBJ_NOTFOUND:
      return ENODEV;
    case NLE_INVAL:
    case NLE_RANGE:
      return EINVAL;
    case NLE_BUSY:
      return EBUSY;
    case NLE_NOMEM:
      return ENOMEM;
    default:
      return EIO;
  }
}

// "cannot <what>: <reason>".
template <typename... Parts>
absl::Status LinkError(int error, const Parts&... what) {
  const int code = ErrnoOf(error);
  return Error(code, "cannot ", what..., ": ", nl_geterror(error),
               code == EPERM ? "; it needs CAP_NET_ADMIN" : "");
}

template <auto kFree>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using NlAddress = std::unique_ptr<nl_addr, FreeBy<nl_addr_put>>;
using RtnlAddress = std::unique_ptr<rtnl_addr, FreeBy<rtnl_addr_put>>;

}  // namespace

absl::Status CheckLinkName(std::string_view name) {
  const bool long_or_short = name.empty() || name.size() >= IFNAMSIZ;
  const bool unfit = std::any_of(name.begin(), name.end(), [](char c) {
    return !absl::ascii_isgraph(static_cast<unsigned char>(c)) || c == '/' || c == ':' || c == '%';
  });
  if (!long_or_short && !unfit && name != "." && name != "..") return absl::OkStatus();
  return Error(EINVAL, "an interface's name has 1..", IFNAMSIZ - 1,
               " visible characters, none of '/', ':' and '%'; '", name, "' is none");
}

absl::StatusOr<LinkAddress> ParseLinkAddress(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  LinkAddress address{.text = std::string(text), .is_ipv6 = host.find(':') != host.npos};
  if (address.is_ipv6) {
    BESS_ASSIGN_OR_RETURN(address.bytes, ParseIpv6(host));
  } else {
    BESS_ASSIGN_OR_RETURN(const uint32_t number, ParseIpv4(host));
    StoreUnaligned(address.bytes.data(), Be32(number));
  }
  const int longest = address.is_ipv6 ? 128 : 32;
  address.prefix = longest;
  if (slash == text.npos) return address;
  const std::string length(text.substr(slash + 1));
  const bool digits =
      !length.empty() && std::all_of(length.begin(), length.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(length, &address.prefix) || address.prefix > longest) {
    return Error(EINVAL, "the prefix length of '", text, "' must be 0..", longest);
  }
  return address;
}

void KernelLink::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }
void KernelLink::Free::operator()(rtnl_link* link) const { rtnl_link_put(link); }

absl::StatusOr<KernelLink> KernelLink::Find(const std::string& name) {
  Owned<nl_sock> socket(nl_socket_alloc());
  if (socket == nullptr) return Error(ENOMEM, "no memory for a netlink socket");
  if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0) {
    return LinkError(error, "open a netlink socket");
  }
  KernelLink found(name, std::move(socket));
  rtnl_link* link = nullptr;
  if (const int error = rtnl_link_get_kernel(found.socket_.get(), 0, name.c_str(), &link);
      error < 0) {
    return LinkError(error, "find interface '", name, "'");
  }
  found.link_.reset(link);
  return found;
}

LinkState KernelLink::state() const {
  const unsigned flags = rtnl_link_get_flags(link_.get());
  LinkState state{.mtu = rtnl_link_get_mtu(link_.get()),
                  .admin_up = (flags & IFF_UP) != 0,
                  .running = (flags & IFF_UP) != 0 && (flags & IFF_RUNNING) != 0,
                  .kernel_dropped = rtnl_link_get_stat(link_.get(), RTNL_LINK_TX_DROPPED)};
  const nl_addr* mac = rtnl_link_get_addr(link_.get());
  if (mac != nullptr && nl_addr_get_len(mac) == state.mac.size()) {
    const auto* bytes = static_cast<const uint8_t*>(nl_addr_get_binary_addr(mac));
    std::copy_n(bytes, state.mac.size(), state.mac.begin());
  }
  return state;
}

absl::Status KernelLink::Move(const NetworkNamespace& space, const std::string& name) {
  const Owned<rtnl_link> wanted(rtnl_link_alloc());
  rtnl_link_set_name(wanted.get(), name.c_str());
  rtnl_link_set_ns_fd(wanted.get(), space.fd());
  const int error = rtnl_link_change(socket_.get(), link_.get(), wanted.get(), 0);
  if (error == -NLE_EXIST) {
    return Error(EEXIST, "there is an interface '", name, "' already in ", space.text());
  }
  if (error < 0) return LinkError(error, "put interface '", name, "' into ", space.text());
  return absl::OkStatus();
}

absl::Status KernelLink::Change(const LinkChange& change) {
  const Owned<rtnl_link> wanted(rtnl_link_alloc());
  std::string what;
  if (change.mac) {
    const NlAddress mac(nl_addr_build(AF_LLC, change.mac->data(), change.mac->size()));
    rtnl_link_set_addr(wanted.get(), mac.get());
    absl::StrAppend(&what, ", MAC address ", FormatMac(*change.mac));
  }
  if (change.mtu) {
    rtnl_link_set_mtu(wanted.get(), *change.mtu);
    absl::StrAppend(&what, ", MTU ", *change.mtu);
  }
  if (change.queue_length) {
    rtnl_link_set_txqlen(wanted.get(), *change.queue_length);
    absl::StrAppend(&what, ", queue length ", *change.queue_length);
  }
  if (change.up) {
    *change.up ? rtnl_link_set_flags(wanted.get(), IFF_UP)
               : rtnl_link_unset_flags(wanted.get(), IFF_UP);
    absl::StrAppend(&what, *change.up ? ", up" : ", down");
  }
  if (what.empty()) return absl::OkStatus();
  const int error = rtnl_link_change(socket_.get(), link_.get(), wanted.get(), 0);
  if (error < 0) return LinkError(error, "set interface '", name_, "' to", what.substr(1));
  return absl::OkStatus();
}

absl::Status KernelLink::Add(const LinkAddress& address) {
  const size_t length = address.is_ipv6 ? 16 : 4;
  const NlAddress host(
      nl_addr_build(address.is_ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), length));
  nl_addr_set_prefixlen(host.get(), address.prefix);
  const RtnlAddress added(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(added.get(), rtnl_link_get_ifindex(link_.get()));
  rtnl_addr_set_local(added.get(), host.get());
  const int error = rtnl_addr_add(socket_.get(), added.get(), 0);
  if (error < 0) {
    return LinkError(error, "give interface '", name_, "' the address ", address.text);
  }
  return absl::OkStatus();
}

}  // namespace bess
