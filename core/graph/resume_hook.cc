// SPDX-License-Identifier: Apache-2.0
#include "core/graph/resume_hook.h"

namespace bess {

absl::StatusOr<std::shared_ptr<ResumeHook>> ResumeHookClass::Create(
    const google::protobuf::Any& any) const {
  std::shared_ptr<ResumeHook> hook = KeepClass(make(), self.lock());
  hook->hclass_ = this;
  BESS_RETURN_IF_ERROR(init(*hook, any));
  return hook;
}

BESS_DEFINE_REGISTRY(ResumeHookClass);

}  // namespace bess
