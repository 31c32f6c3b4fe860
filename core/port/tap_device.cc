// SPDX-License-Identifier: Apache-2.0
#include "core/port/tap_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include "core/base/parse.h"
#include "core/base/status.h"
#include "core/packet/headers.h"

namespace bess {
namespace {

constexpr char kTun[] = "/dev/net/tun";
constexpr std::string_view kAnyName = "vport%d";  // the kernel puts a free number there

// Another queue of the device of this name, which is made if it is a pattern; `name` becomes what
// it is really called.
absl::StatusOr<FileDescriptor> OpenQueue(std::string* name) {
  FileDescriptor fd(open(kTun, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return Error(errno, "cannot open ", kTun, ": ", std::strerror(errno));
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
  std::copy_n(name->begin(), std::min<size_t>(name->size(), IFNAMSIZ - 1), request.ifr_name);
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    const int code = errno;
    return Error(code, "cannot make a TAP device: ", std::strerror(code),
                 code == EPERM ? "; it needs CAP_NET_ADMIN" : "");
  }
  *name = request.ifr_name;
  return fd;
}

// The core as the kernel writes sets of them: words of 32 bits, the highest first.
std::string CoreMask(uint32_t core) {
  constexpr uint32_t kWordBits = 32;
  std::string mask = absl::StrCat(absl::Hex(uint32_t{1} << (core % kWordBits)));
  for (uint32_t i = 0; i < core / kWordBits; ++i) mask += ",00000000";
  return mask;
}

}  // namespace

absl::StatusOr<TapDevice> TapDevice::Make(uint32_t queues) {
  TapDevice device;
  std::string name(kAnyName);
  for (uint32_t i = 0; i < queues; ++i) {
    BESS_ASSIGN_OR_RETURN(FileDescriptor queue, OpenQueue(&name));
    device.queues_.push_back(std::move(queue));
  }
  return device;
}

absl::StatusOr<std::string> TapDevice::Name() const {
  ifreq request{};
  if (ioctl(fd(0), TUNGETIFF, &request) == 0) return std::string(request.ifr_name);
  return Error(ENODEV, "the interface is gone: ", std::strerror(errno));
}

absl::StatusOr<NetworkNamespace> TapDevice::Namespace() const {
  FileDescriptor space(ioctl(fd(0), TUNGETDEVNETNS));
  if (space) return NetworkNamespace(std::move(space), "the interface's network namespace");
  return Error(ENODEV, "the interface's network namespace cannot be had: ", std::strerror(errno));
}

// Sysfs shows the namespace in which it was mounted, where another interface may have the name.
bool TapDevice::IsIn(const std::string& folder) const {
  ifreq request{};
  if (ioctl(fd(0), SIOCGIFHWADDR, &request) != 0) return false;
  MacAddress own;
  std::copy_n(request.ifr_hwaddr.sa_data, own.size(), own.begin());
  std::string shown;
  std::ifstream(folder + "/address") >> shown;
  return shown == FormatMac(own);
}

absl::Status TapDevice::SetCore(uint32_t queue, uint32_t core) const {
  BESS_ASSIGN_OR_RETURN(const std::string name, Name());
  const std::string folder = "/sys/class/net/" + name;
  if (!IsIn(folder)) {
    return Error(ENODEV, "cannot give queue ", queue, " core ", core, ": ", folder,
                 " is not this interface; /sys is of another network namespace");
  }
  const std::string path = absl::StrCat(folder, "/queues/rx-", queue, "/rps_cpus");
  const std::string mask = CoreMask(core);
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || write(file.get(), mask.data(), mask.size()) < 0) {
    return Error(errno, "cannot give queue ", queue, " core ", core, " in ", path, ": ",
                 std::strerror(errno));
  }
  return absl::OkStatus();
}

}  // namespace bess
