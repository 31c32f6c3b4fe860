// SPDX-License-Identifier: Apache-2.0
//
// The ports of the daemon, by name, and who uses them.
//
// Threads: all methods from any thread. Those that change things wait for each other and may take
// as long as a device does; the others never wait for a device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/port/port.h"

namespace bess {

// What a client asks for, unchecked. 0 stands for the default of a number, an empty name for a
// generated one.
struct PortRequest {
  std::string name;
  std::string driver;
  uint64_t rx_queues = 0;
  uint64_t tx_queues = 0;
  uint64_t rx_size = 0;
  uint64_t tx_size = 0;
  google::protobuf::Any argument;
};

class PortTable {
 public:
  // Both must outlive the table; so must `shareable` the packets received.
  explicit PortTable(PacketPool& shareable) : pools_(shareable) {}
  // All leases must be gone.
  ~PortTable() = default;
  PortTable(const PortTable&) = delete;
  PortTable& operator=(const PortTable&) = delete;

  // The shape that a request asks for. EINVAL: no driver, or a number out of range. ENOENT: no such
  // driver.
  static absl::StatusOr<PortShape> Check(const PortRequest& request);
  // EINVAL for a queue that the port does not have; kAllQueues is always there.
  static absl::Status CheckQueue(const PortQueues& port, Direction direction, uint64_t queue);

  // Returns the name of the new port. Errors as Check; EEXIST: the name is taken; besides, what the
  // driver says.
  absl::StatusOr<std::string> Create(const PortRequest& request);

  // Returns when the device is free again. EINVAL without a name, ENOENT, EBUSY naming a module
  // that uses the port.
  absl::Status Destroy(std::string_view name);

  // The modules that use the port and are not about to leave; none when there is no such port.
  std::set<std::string> Users(std::string_view name) const;

  // Destroys all ports, or none: EBUSY naming a port in use and its module.
  absl::Status Reset();

  // Whether a port could be destroyed once modules that are leaving have left: ENOENT, EBUSY.
  absl::Status CheckFree(std::string_view name) const;
  // A module that is leaving keeps its leases until it is gone, and hinders nobody.
  void SetLeaving(std::string_view module);
  void NobodyLeaves();

  // As Host::LeasePort. EBUSY naming the module when another receives from `queue` already;
  // kAllQueues clashes with every queue. EINVAL for a queue the port does not have. Sets
  // `takes_over`, if given, to whether a module that is leaving still receives there.
  absl::StatusOr<std::unique_ptr<PortLease>> Lease(std::string_view port, Direction direction,
                                                   std::string_view module,
                                                   uint64_t queue = kAllQueues,
                                                   bool* takes_over = nullptr);

  absl::StatusOr<PortSettings> SettingsWhenMade(std::string_view name) const;  // ENOENT
  // EINVAL without a name, ENOENT; else as Port::Configure.
  absl::Status Configure(std::string_view name, const PortChange& change);

  // Calls read(port, argument) for a port, or for all of them in order of their names. `read` must
  // not call the table. EINVAL without a name, ENOENT when there is no such port.
  using Read = std::function<void(const Port&, const google::protobuf::Any&)>;
  absl::Status Visit(std::string_view name, const Read& read) const;
  void VisitAll(const Read& read) const;
  // As PortPools::VisitAll.
  void VisitPools(const std::function<void(const PacketPool&)>& visit) const {
    pools_.VisitAll(visit);
  }

 private:
  struct User {
    std::string module;
    Direction direction;
    uint64_t queue;
    bool leaving = false;

    bool Receives(uint64_t from) const {
      if (direction != Direction::kReceive) return false;
      return queue == from || queue == kAllQueues || from == kAllQueues;
    }
  };
  struct Entry {
    std::shared_ptr<const DriverClass> driver;  // goes after the port
    std::unique_ptr<Port> port;
    google::protobuf::Any argument;
    PortSettings settings;  // when it was made
    std::vector<std::unique_ptr<User>> users;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  class TableLease;

  absl::StatusOr<std::string> ChooseName(const PortRequest& request, const DriverClass& driver);
  static absl::Status InUse(std::string_view name, const User& user);
  static absl::Status CheckIdle(std::string_view name, const Entry& entry);
  static absl::Status CheckLease(const Entry& entry, Direction direction, uint64_t queue);
  void Return(const std::string& port, const User* user);

  PortPools pools_;
  // Held while a device is made, changed or destroyed; always taken before `mutex_`.
  absl::Mutex control_;
  // Held only as long as it takes to look at or change the map.
  mutable absl::Mutex mutex_;
  Entries ports_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bess
