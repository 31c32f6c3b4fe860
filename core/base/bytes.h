// SPDX-License-Identifier: Apache-2.0
//
// Integers in network byte order, as they lie in a packet: no alignment, no accidental
// comparison with host integers.
//
//   header->total_length.value()        host order
//   header->total_length = uint16_t{40}
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace bess {

static_assert(std::endian::native == std::endian::little, "bessd runs on little-endian CPUs");

template <typename T>
constexpr T ByteSwap(T v) {
  static_assert(std::is_unsigned_v<T>);
  if constexpr (sizeof(T) == 1) return v;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(v);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(v);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(v);
}

// Reads or writes a host-order T at any address.
template <typename T>
T LoadUnaligned(const void* from) {
  T v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}

template <typename T>
void StoreUnaligned(void* to, T v) {
  std::memcpy(to, &v, sizeof(v));
}

template <typename T>
class BigEndian {
 public:
  BigEndian() = default;
  constexpr explicit BigEndian(T host) { *this = host; }

  BigEndian& operator=(T host) {
    StoreUnaligned(bytes_, ByteSwap(host));
    return *this;
  }

  T value() const { return ByteSwap(LoadUnaligned<T>(bytes_)); }
  // The bytes as they lie, for hashing and for comparing with another raw value.
  T raw() const { return LoadUnaligned<T>(bytes_); }

  static BigEndian FromRaw(T raw) {
    BigEndian b;
    StoreUnaligned(b.bytes_, raw);
    return b;
  }

  friend bool operator==(const BigEndian& a, const BigEndian& b) { return a.raw() == b.raw(); }

 private:
  uint8_t bytes_[sizeof(T)];
};

using Be16 = BigEndian<uint16_t>;
using Be32 = BigEndian<uint32_t>;
using Be64 = BigEndian<uint64_t>;

}  // namespace bess
