// SPDX-License-Identifier: Apache-2.0
#include "core/port/doorway.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

namespace bess {
namespace {

bool Membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }

bool RegisterMembarrier() {
  static const bool registered = Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  return registered;
}

}  // namespace

Doorway::Doorway(uint32_t lanes)
    : barrier_needed_(!RegisterMembarrier()),
      count_(lanes),
      lanes_(std::make_unique<Lane[]>(lanes)) {}

void Doorway::Close() {
  open_.store(false, std::memory_order_seq_cst);
  // From here on each worker either sees the doorway closed, or is seen inside.
  if (!barrier_needed_) Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  for (uint32_t i = 0; i < count_; ++i) {
    while (lanes_[i].inside.load(std::memory_order_seq_cst)) std::this_thread::yield();
  }
}

}  // namespace bess
