// SPDX-License-Identifier: Apache-2.0
//
// The C++ face of bessnf.h, header-only: an attachment that ends with its object, and bursts of
// packets that give back what was not sent.
//
//   auto nf = bessnf::NetworkFunction::Attach("/tmp/bess_nf_nf0");
//   while (nf && nf->Wait()) {
//     bessnf::Burst burst = nf->Receive();
//     for (bessnf::Packet& packet : burst) { ... }
//     nf->Send(std::move(burst));
//   }
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "nf/bessnf.h"

namespace bessnf {

using Packet = BessNfPacket;

// Up to 64 packets. Those still in it at its end are given back to the switch.
class Burst {
 public:
  static constexpr uint32_t kCapacity = 64;

  Burst(BessNf* nf, uint32_t queue) : nf_(nf), queue_(queue) {}
  ~Burst() { Drop(); }
  Burst(Burst&& other) noexcept
      : nf_(other.nf_),
        queue_(other.queue_),
        size_(std::exchange(other.size_, 0)),
        packets_(other.packets_) {}
  Burst& operator=(Burst&&) = delete;

  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Packet& operator[](uint32_t i) { return packets_[i]; }
  Packet* begin() { return packets_.data(); }
  Packet* end() { return packets_.data() + size_; }

  // There must be room.
  void Add(const Packet& packet) { packets_[size_++] = packet; }
  // Keeps the packets for which keep(packet) is true, in order, and gives the others back.
  template <typename Keep>
  void Filter(Keep keep) {
    Burst others(nf_, queue_);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < size_; ++i) {
      keep(packets_[i]) ? void(packets_[kept++] = packets_[i]) : others.Add(packets_[i]);
    }
    size_ = kept;
  }
  void Drop() {
    if (size_ > 0) bess_nf_free(nf_, queue_, packets_.data(), size_);
    size_ = 0;
  }

 private:
  friend class NetworkFunction;

  BessNf* nf_;
  uint32_t queue_;
  uint32_t size_ = 0;
  std::array<Packet, kCapacity> packets_;
};

class NetworkFunction {
 public:
  // Nothing when it cannot; Error() says why.
  static std::optional<NetworkFunction> Attach(const std::string& path,
                                               const BessNfOptions& options = {}) {
    BessNf* nf = bess_nf_attach(path.c_str(), &options);
    if (nf == nullptr) return std::nullopt;
    return NetworkFunction(nf);
  }
  static std::string Error() { return bess_nf_error(); }

  ~NetworkFunction() { bess_nf_detach(nf_); }
  NetworkFunction(NetworkFunction&& other) noexcept : nf_(std::exchange(other.nf_, nullptr)) {}
  NetworkFunction& operator=(NetworkFunction&& other) noexcept {
    std::swap(nf_, other.nf_);
    return *this;
  }

  // Whether the NF is attached and packets are there; false when the time, in milliseconds, is
  // over.
  bool Wait(uint32_t queue = 0, int timeout = -1) { return bess_nf_wait(nf_, queue, timeout) == 1; }
  bool Reattach(int timeout = -1) { return bess_nf_reattach(nf_, timeout) == 0; }

  Burst Receive(uint32_t queue = 0) {
    const uint32_t backwards = bess_nf_send_queues(nf_);  // none while it is not attached
    Burst burst(nf_, backwards > 0 ? queue % backwards : 0);
    const int n = bess_nf_receive(nf_, queue, burst.begin(), Burst::kCapacity);
    burst.size_ = n > 0 ? static_cast<uint32_t>(n) : 0;
    return burst;
  }
  // Up to `n` new packets of length 0.
  Burst Alloc(uint32_t n, uint32_t queue = 0) {
    Burst burst(nf_, queue);
    burst.size_ =
        bess_nf_alloc(nf_, queue, burst.begin(), n < Burst::kCapacity ? n : Burst::kCapacity);
    return burst;
  }
  // Returns how many bess_nf_send took; the others are given back. Without such a queue, all are.
  uint32_t Send(Burst burst, uint32_t queue = 0) {
    if (queue >= bess_nf_send_queues(nf_)) return 0;
    const uint32_t sent = bess_nf_send(nf_, queue, burst.begin(), burst.size());
    bess_nf_free(nf_, queue, burst.begin() + sent, burst.size() - sent);
    burst.size_ = 0;
    return sent;
  }

  uint8_t* Prepend(Packet& packet, uint32_t n) { return bess_nf_prepend(nf_, &packet, n); }
  uint8_t* Append(Packet& packet, uint32_t n) { return bess_nf_append(nf_, &packet, n); }
  BessNfStats Statistics() const {
    BessNfStats statistics;
    bess_nf_statistics(nf_, &statistics);
    return statistics;
  }
  // For all else that bessnf.h has.
  BessNf* get() { return nf_; }

 private:
  explicit NetworkFunction(BessNf* nf) : nf_(nf) {}

  BessNf* nf_;
};

}  // namespace bessnf
