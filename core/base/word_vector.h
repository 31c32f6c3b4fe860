// SPDX-License-Identifier: Apache-2.0
//
// As many words as the CPU that is compiled for handles at once. Wider types work too, but GCC puts
// them together in memory, which takes longer than a plain loop.
#pragma once

#include <cstdint>

namespace bess {

#ifdef __AVX2__
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif
typedef uint64_t WordVector __attribute__((vector_size(kVectorBytes)));
inline constexpr int kVectorWords = kVectorBytes / 8;

}  // namespace bess
