// SPDX-License-Identifier: Apache-2.0
//
// Asking for memory before it is read.
#pragma once

namespace bess {

// Any address will do, valid or not. The empty asm is there because GCC 12 takes a function that
// does nothing but __builtin_prefetch for one without effect, and where it does not put such a
// function in line it leaves the call out.
inline void Prefetch(const void* address) {
  __builtin_prefetch(address);
  asm("");
}

}  // namespace bess
