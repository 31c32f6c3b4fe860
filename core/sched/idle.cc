// SPDX-License-Identifier: Apache-2.0
#include "core/sched/idle.h"

#include <sys/prctl.h>

namespace bess {

void IdlePolicy::PrepareThread() {
  // The kernel rounds sleeps up by 50 us unless told otherwise.
  prctl(PR_SET_TIMERSLACK, 1000);
}

}  // namespace bess
