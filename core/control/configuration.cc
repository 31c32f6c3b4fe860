// SPDX-License-Identifier: Apache-2.0
#include "core/control/configuration.h"

#include <google/protobuf/util/message_differencer.h>

#include <memory>
#include <utility>

#include "absl/strings/str_replace.h"
#include "core/base/status.h"

namespace bess {
namespace {

// A name where a path has more than one: what separates these is spelled as in a URL.
std::string Escaped(const std::string& name) {
  return absl::StrReplaceAll(name, {{"%", "%25"}, {":", "%3A"}, {"/", "%2F"}});
}

std::string HookPath(const native::GateHook& hook) {
  const bool in = hook.gate_case() == native::GateHook::kIgate;
  return absl::StrCat("gate_hooks/", Escaped(hook.module()), in ? ":in" : ":out",
                      in ? hook.igate() : hook.ogate(), ":", Escaped(hook.name()));
}

// Whether it says what its path begins with. A hook without a name of its own is any.
bool HasName(const native::Entry& entry) {
  switch (entry.kind_case()) {
    case native::Entry::kWorker:
      return true;
    case native::Entry::kPort:
      return !entry.port().name().empty();
    case native::Entry::kModule:
      return !entry.module().name().empty();
    case native::Entry::kConnection:
      return !entry.connection().from().empty();
    case native::Entry::kClass:
      return !entry.class_().name().empty();
    case native::Entry::kGateHook:
      return !entry.gate_hook().module().empty();
    case native::Entry::kResumeHook:
      return !entry.resume_hook().name().empty();
    case native::Entry::KIND_NOT_SET:
      break;
  }
  return false;
}

void Put(native::Entry entry, Configuration* all, Problems* problems) {
  const std::string path = PathOf(entry);
  if (!HasName(entry)) {
    problems->push_back({path, Error(EINVAL, "an entry without a name: how is it called?")});
  } else if (!all->emplace(path, std::move(entry)).second) {
    problems->push_back({path, Error(EEXIST, "the entry comes twice")});
  }
}

// The message an Any holds; nullptr if its type is not known here or it cannot be read.
std::unique_ptr<google::protobuf::Message> Unpack(const google::protobuf::Any& any) {
  const std::string name = any.type_url().substr(any.type_url().rfind('/') + 1);
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) return nullptr;
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  std::unique_ptr<google::protobuf::Message> message(factory->GetPrototype(type)->New());
  return message->ParseFromString(any.value()) ? std::move(message) : nullptr;
}

}  // namespace

std::string ModulePath(const std::string& name) { return absl::StrCat("modules/", name); }

std::string PortPath(const std::string& name) { return absl::StrCat("ports/", name); }

std::string PathOf(const native::Entry& entry) {
  switch (entry.kind_case()) {
    case native::Entry::kWorker:
      return absl::StrCat("workers/", entry.worker().wid());
    case native::Entry::kPort:
      return PortPath(entry.port().name());
    case native::Entry::kModule:
      return ModulePath(entry.module().name());
    case native::Entry::kConnection:
      // What follows the last colon is a number, so the name may have colons.
      return absl::StrCat("connections/", entry.connection().from(), ":",
                          entry.connection().ogate());
    case native::Entry::kClass:
      return absl::StrCat("classes/", entry.class_().name());
    case native::Entry::kGateHook:
      return HookPath(entry.gate_hook());
    case native::Entry::kResumeHook:
      return absl::StrCat("resume_hooks/", entry.resume_hook().name());
    case native::Entry::KIND_NOT_SET:
      break;
  }
  return "/";
}

// Each repeated field of a State has the number of the same kind in an Entry.
Configuration FromState(const native::State& state, Problems* problems) {
  Configuration all;
  const auto& kinds = *native::State::descriptor();
  for (int k = 0; k < kinds.field_count(); ++k) {
    const auto* kind = native::Entry::descriptor()->FindFieldByNumber(kinds.field(k)->number());
    for (int i = 0; i < state.GetReflection()->FieldSize(state, kinds.field(k)); ++i) {
      native::Entry entry;
      entry.GetReflection()
          ->MutableMessage(&entry, kind)
          ->CopyFrom(state.GetReflection()->GetRepeatedMessage(state, kinds.field(k), i));
      Put(std::move(entry), &all, problems);
    }
  }
  return all;
}

native::State ToState(const Configuration& configuration) {
  native::State state;
  const auto* kind = native::Entry::descriptor()->oneof_decl(0);
  for (const auto& [path, entry] : configuration) {
    const auto& reflection = *entry.GetReflection();
    const auto* field = reflection.GetOneofFieldDescriptor(entry, kind);
    const auto* repeated = native::State::descriptor()->FindFieldByNumber(field->number());
    state.GetReflection()
        ->AddMessage(&state, repeated)
        ->CopyFrom(reflection.GetMessage(entry, field));
  }
  return state;
}

std::vector<native::Change> Difference(const Configuration& from, const Configuration& to) {
  std::vector<native::Change> changes;
  auto old = from.begin();
  auto wanted = to.begin();
  while (old != from.end() || wanted != to.end()) {
    const bool gone = wanted == to.end() || (old != from.end() && old->first < wanted->first);
    const bool added = old == from.end() || (wanted != to.end() && wanted->first < old->first);
    native::Change change;
    change.set_action(gone    ? native::Change::REMOVE
                      : added ? native::Change::ADD
                              : native::Change::UPDATE);
    change.set_path(gone ? old->first : wanted->first);
    if (!added) *change.mutable_before() = old->second;
    if (!gone) *change.mutable_after() = wanted->second;
    const bool same = !gone && !added &&
                      change.before().SerializeAsString() == change.after().SerializeAsString();
    if (!added) ++old;
    if (!gone) ++wanted;
    if (!same) changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<native::Change> Joined(const std::vector<native::Change>& first,
                                   std::vector<native::Change> second) {
  if (first.empty()) return second;
  std::map<std::string, native::Change> all;
  for (native::Change& change : second) all[change.path()] = std::move(change);
  for (const native::Change& earlier : first) {
    const auto [it, alone] = all.emplace(earlier.path(), earlier);
    native::Change& both = it->second;
    if (alone || !earlier.has_before()) continue;
    *both.mutable_before() = earlier.before();
    if (both.action() != native::Change::ADD) continue;
    both.set_action(native::Change::UPDATE);
    if (both.before().SerializeAsString() == both.after().SerializeAsString()) all.erase(it);
  }
  std::vector<native::Change> joined;
  for (auto& [path, change] : all) joined.push_back(std::move(change));
  return joined;
}

void ApplyChange(const native::Change& change, Configuration* configuration) {
  if (change.has_after()) {
    (*configuration)[change.path()] = change.after();
  } else if (change.commands_size() == 0) {
    configuration->erase(change.path());
  }
  if (change.commands_size() == 0) return;
  const auto changed = configuration->find(change.path());
  if (changed == configuration->end()) return;
  changed->second.mutable_module()->mutable_commands()->MergeFrom(change.commands());
}

bool SameArgument(const google::protobuf::Any& a, const google::protobuf::Any& b) {
  if (a.value() == b.value() &&
      (a.type_url() == b.type_url() || a.type_url().empty() || b.type_url().empty())) {
    return true;
  }
  const auto left = Unpack(a), right = Unpack(b);
  if (left == nullptr || right == nullptr) return false;
  return left->GetDescriptor() == right->GetDescriptor() &&
         google::protobuf::util::MessageDifferencer::Equals(*left, *right);
}

}  // namespace bess
