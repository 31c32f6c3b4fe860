// SPDX-License-Identifier: Apache-2.0
//
// Resume hooks: code that runs on a control thread just before workers that were all stopped go
// on. A plugin may bring some; a client installs each at most once.
//
//   class Announce final : public ResumeHook {
//    public:
//     static constexpr ResumeHookInfo kInfo = {.name = "announce", .help = "..."};
//     absl::Status Init(const pb::AnnounceArg& arg);
//     void Run() override;
//   };
//   REGISTER_RESUME_HOOK(Announce);
#pragma once

#include <google/protobuf/any.pb.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/graph/registry.h"

namespace bess {

struct ResumeHookInfo {
  std::string_view name;
  std::string_view help;
  int priority = 0;  // lower runs first; then by name
};

struct ResumeHookClass;

class ResumeHook {
 public:
  virtual ~ResumeHook() = default;
  ResumeHook(const ResumeHook&) = delete;
  ResumeHook& operator=(const ResumeHook&) = delete;

  const ResumeHookClass& hclass() const { return *hclass_; }

  // No worker runs meanwhile. Thread: control, one at a time.
  virtual void Run() = 0;

 protected:
  ResumeHook() = default;

 private:
  friend struct ResumeHookClass;

  const ResumeHookClass* hclass_ = nullptr;
};

struct ResumeHookClass {
  std::shared_ptr<Library> library;           // nullptr: the daemon's own
  std::weak_ptr<const ResumeHookClass> self;  // set when it is registered
  ResumeHookInfo info;
  std::function<std::unique_ptr<ResumeHook>()> make;
  std::function<absl::Status(ResumeHook&, const google::protobuf::Any&)> init;

  absl::StatusOr<std::shared_ptr<ResumeHook>> Create(const google::protobuf::Any& argument) const;
};

using ResumeHookRegistry = ClassRegistry<ResumeHookClass>;
BESS_DECLARE_REGISTRY(ResumeHookClass);

namespace registry_internal {

template <typename T>
ResumeHookClass DescribeResumeHook() {
  using Argument = decltype(InitArgument(&T::Init));
  ResumeHookClass hclass{.info = T::kInfo};
  hclass.make = [] { return std::make_unique<T>(); };
  hclass.init = [](ResumeHook& hook, const google::protobuf::Any& any) {
    Argument argument;
    BESS_RETURN_IF_ERROR(UnpackArgument(any, T::kInfo.name, &argument));
    return static_cast<T&>(hook).Init(argument);
  };
  return hclass;
}

template <typename T>
struct ResumeHookRegistrar {
  ResumeHookRegistrar() { ResumeHookRegistry::Get().Add(DescribeResumeHook<T>()); }
};

}  // namespace registry_internal
}  // namespace bess

#define REGISTER_RESUME_HOOK(T) \
  static const ::bess::registry_internal::ResumeHookRegistrar<T> resume_hook_registrar_of_##T
