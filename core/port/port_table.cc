// SPDX-License-Identifier: Apache-2.0
#include "core/port/port_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/base/status.h"

namespace bess {
namespace {

absl::Status Limit(std::string_view what, uint64_t value, uint32_t bound) {
  if (value <= bound) return absl::OkStatus();
  return Error(EINVAL, "'", what, "' must be at most ", bound, ", not ", value);
}

absl::StatusOr<PortShape> ShapeOf(const PortRequest& request) {
  BESS_RETURN_IF_ERROR(Limit("num_inc_q", request.rx_queues, kMaxPortQueues));
  BESS_RETURN_IF_ERROR(Limit("num_out_q", request.tx_queues, kMaxPortQueues));
  BESS_RETURN_IF_ERROR(Limit("size_inc_q", request.rx_size, kMaxQueueSize));
  BESS_RETURN_IF_ERROR(Limit("size_out_q", request.tx_size, kMaxQueueSize));
  const auto either = [](uint64_t value, uint32_t otherwise) {
    return value == 0 ? otherwise : static_cast<uint32_t>(value);
  };
  return PortShape{.rx_queues = either(request.rx_queues, 1),
                   .tx_queues = either(request.tx_queues, 1),
                   .rx_size = either(request.rx_size, kDefaultQueueSize),
                   .tx_size = either(request.tx_size, kDefaultQueueSize)};
}

absl::StatusOr<std::shared_ptr<const DriverClass>> FindDriver(std::string_view name) {
  if (name.empty()) return Error(EINVAL, "'driver' is missing");
  const DriverRegistry& registry = DriverRegistry::Get();
  if (auto driver = registry.Find(name)) return driver;
  const auto key = [](std::string* out, const auto& entry) { out->append(entry.first); };
  return Error(ENOENT, "there is no port driver '", name,
               "'; there are: ", absl::StrJoin(registry.classes(), ", ", key));
}

absl::Status NoPort(std::string_view name) {
  if (name.empty()) return Error(EINVAL, "the port's name is missing");
  return Error(ENOENT, "there is no port '", name, "'");
}

}  // namespace

absl::StatusOr<PortShape> PortTable::Check(const PortRequest& request) {
  BESS_RETURN_IF_ERROR(FindDriver(request.driver).status());
  return ShapeOf(request);
}

absl::StatusOr<std::string> PortTable::ChooseName(const PortRequest& request,
                                                  const DriverClass& driver) {
  absl::ReaderMutexLock lock(&mutex_);
  if (!request.name.empty()) {
    if (!ports_.contains(request.name)) return request.name;
    return Error(EEXIST, "there is a port '", request.name, "' already");
  }
  for (uint32_t i = 0;; ++i) {
    std::string name = absl::StrCat(AbslView(driver.info.template_name), i);
    if (!ports_.contains(name)) return name;
  }
}

absl::StatusOr<std::string> PortTable::Create(const PortRequest& request) {
  BESS_ASSIGN_OR_RETURN(auto driver, FindDriver(request.driver));
  BESS_ASSIGN_OR_RETURN(const PortShape shape, ShapeOf(request));
  absl::MutexLock control(&control_);
  BESS_ASSIGN_OR_RETURN(const std::string name, ChooseName(request, *driver));
  BESS_ASSIGN_OR_RETURN(auto port, driver->Create(name, shape, pools_, request.argument));
  const PortSettings settings = port->settings();
  absl::MutexLock lock(&mutex_);
  ports_[name] = {.driver = std::move(driver),
                  .port = std::move(port),
                  .argument = request.argument,
                  .settings = settings};
  return name;
}

absl::Status PortTable::CheckIdle(std::string_view name, const Entry& entry) {
  return entry.users.empty() ? absl::OkStatus() : InUse(name, *entry.users.front());
}

absl::Status PortTable::InUse(std::string_view name, const User& user) {
  return Error(EBUSY, "module '", user.module,
               user.direction == Direction::kReceive ? "' receives from" : "' sends to", " port '",
               name, "'");
}

absl::Status PortTable::CheckFree(std::string_view name) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = ports_.find(name);
  if (it == ports_.end()) return NoPort(name);
  for (const auto& user : it->second.users) {
    if (!user->leaving) return InUse(name, *user);
  }
  return absl::OkStatus();
}

std::set<std::string> PortTable::Users(std::string_view name) const {
  absl::ReaderMutexLock lock(&mutex_);
  std::set<std::string> modules;
  const auto it = ports_.find(name);
  if (it == ports_.end()) return modules;
  for (const auto& user : it->second.users) {
    if (!user->leaving) modules.insert(user->module);
  }
  return modules;
}

void PortTable::SetLeaving(std::string_view module) {
  absl::MutexLock lock(&mutex_);
  for (auto& [name, entry] : ports_) {
    for (auto& user : entry.users) user->leaving |= user->module == module;
  }
}

void PortTable::NobodyLeaves() {
  absl::MutexLock lock(&mutex_);
  for (auto& [name, entry] : ports_) {
    for (auto& user : entry.users) user->leaving = false;
  }
}

absl::Status PortTable::Destroy(std::string_view name) {
  absl::MutexLock control(&control_);
  Entries::node_type taken;  // outlives the inner lock: a device may take its time to go
  {
    absl::MutexLock lock(&mutex_);
    const auto it = ports_.find(name);
    if (it == ports_.end()) return NoPort(name);
    BESS_RETURN_IF_ERROR(CheckIdle(name, it->second));
    taken = ports_.extract(it);
  }
  return absl::OkStatus();
}

absl::Status PortTable::Reset() {
  absl::MutexLock control(&control_);
  Entries taken;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [name, entry] : ports_) BESS_RETURN_IF_ERROR(CheckIdle(name, entry));
    taken.swap(ports_);
  }
  return absl::OkStatus();
}

absl::StatusOr<PortSettings> PortTable::SettingsWhenMade(std::string_view name) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = ports_.find(name);
  if (it == ports_.end()) return NoPort(name);
  return it->second.settings;
}

absl::Status PortTable::Configure(std::string_view name, const PortChange& change) {
  absl::MutexLock control(&control_);
  Port* port = nullptr;
  {
    absl::ReaderMutexLock lock(&mutex_);
    const auto it = ports_.find(name);
    if (it == ports_.end()) return NoPort(name);
    port = it->second.port.get();
  }
  return port->Configure(change);  // only holders of control_ destroy it
}

absl::Status PortTable::Visit(std::string_view name, const Read& read) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = ports_.find(name);
  if (it == ports_.end()) return NoPort(name);
  read(*it->second.port, it->second.argument);
  return absl::OkStatus();
}

void PortTable::VisitAll(const Read& read) const {
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, entry] : ports_) read(*entry.port, entry.argument);
}

// --- leases -------------------------------------------------------------------------------------

class PortTable::TableLease final : public PortLease {
 public:
  TableLease(PortTable& table, Port& port, const User* user)
      : table_(table), port_(port), user_(user) {}
  ~TableLease() override { table_.Return(port_.name(), user_); }
  PortQueues& port() const override { return port_; }

 private:
  PortTable& table_;
  Port& port_;
  const User* user_;
};

absl::StatusOr<std::unique_ptr<PortLease>> PortTable::Lease(std::string_view name,
                                                            Direction direction,
                                                            std::string_view module, uint64_t queue,
                                                            bool* takes_over) {
  absl::MutexLock lock(&mutex_);
  const auto it = ports_.find(name);
  if (it == ports_.end()) return NoPort(name);
  Entry& entry = it->second;
  BESS_RETURN_IF_ERROR(CheckLease(entry, direction, queue));
  if (takes_over != nullptr && direction == Direction::kReceive) {
    *takes_over = std::any_of(entry.users.begin(), entry.users.end(),
                              [&](const auto& user) { return user->Receives(queue); });
  }
  entry.users.push_back(std::make_unique<User>(User{std::string(module), direction, queue}));
  return std::make_unique<TableLease>(*this, *entry.port, entry.users.back().get());
}

absl::Status PortTable::CheckQueue(const PortQueues& port, Direction direction, uint64_t queue) {
  const bool receive = direction == Direction::kReceive;
  const uint32_t queues = receive ? port.rx_queues() : port.tx_queues();
  if (queue == kAllQueues || queue < queues) return absl::OkStatus();
  return Error(EINVAL, "port '", port.name(), "' has queues 0..", queues - 1, ", not ", queue);
}

absl::Status PortTable::CheckLease(const Entry& entry, Direction direction, uint64_t queue) {
  const Port& port = *entry.port;
  const bool receive = direction == Direction::kReceive;
  BESS_RETURN_IF_ERROR(CheckQueue(port, direction, queue));
  for (const auto& user : entry.users) {
    if (!receive || user->leaving || !user->Receives(queue)) continue;
    return Error(EBUSY, "module '", user->module, "' receives from port '", port.name(),
                 "' already");
  }
  return absl::OkStatus();
}

void PortTable::Return(const std::string& port, const User* user) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(ports_.find(port)->second.users,
                [user](const auto& candidate) { return candidate.get() == user; });
}

}  // namespace bess
