// SPDX-License-Identifier: Apache-2.0
//
// One network function's attachment: the memory it shares with the switch, and the exchange of
// buffers through it. Made when it attaches and destroyed when it goes, with all memory that was
// made for it, so that a peer cannot reach its successor.
//
// Trusted, it works on the buffers of the domain that the port receives into. Isolated, it has a
// pool of its own, whose buffers never leave this session: packets are copied in and out.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/graph/port_queues.h"
#include "core/port/file_descriptor.h"
#include "core/port/nf_domain.h"
#include "core/port/nf_memory.h"
#include "core/port/nf_ring.h"

namespace bess {

// What a peer did that no honest one does.
enum class NfViolation : uint32_t { kNone, kIndex, kBuffer, kOwner, kBounds, kMessage };
inline constexpr size_t kNfViolations = static_cast<size_t>(NfViolation::kMessage) + 1;
const char* ViolationText(NfViolation violation);

// Packets that could not pass, or only by a copy, in all sessions of a port.
struct NfSessionCounters {
  std::atomic<uint64_t> copied{0};      // to the NF, from a pool that it does not share
  std::atomic<uint64_t> no_buffers{0};  // from the NF, dropped for want of a buffer to copy into
  std::atomic<uint64_t> unreceived{0};  // from the NF, still in its rings when the session ended
};

struct NfSessionOptions {
  uint32_t to_nf_queues = 1;  // 1..BESS_NF_MAX_QUEUES
  uint32_t from_nf_queues = 1;
  uint32_t to_nf_slots = 1024;  // up to BESS_NF_MAX_SLOTS, to be rounded up to powers of two
  uint32_t from_nf_slots = 1024;
  uint32_t fresh_slots = 0;  // empty buffers to keep ready in each queue
  bool isolated = true;
  int alarm = -1;  // an eventfd to write to when the peer breaks a rule
};

class NfSession {
 public:
  // `domain` is the one that packets are received into; both must outlive the session.
  static absl::StatusOr<std::unique_ptr<NfSession>> Make(NfDomain& domain,
                                                         NfSessionCounters& counters,
                                                         const NfSessionOptions& options);
  // Takes back every buffer. No worker may be in Send or Receive.
  ~NfSession();
  NfSession(const NfSession&) = delete;
  NfSession& operator=(const NfSession&) = delete;

  // As Port::Give and Take. Thread: one at a time for each queue and direction.
  Passed Send(uint32_t queue, Packet** packets, uint32_t n);
  Passed Receive(uint32_t queue, Packet** packets, uint32_t max);
  // As Port::Await, for the queue's bell. Thread: as Receive.
  bool Await(uint32_t queue);
  // Can be read when the NF rang for a queue; at first it rings for the first packet. The NF holds
  // it as well: an epoll that watches it does so even when the session is gone.
  int bell(uint32_t queue) const { return receive_lanes_[queue].bell.get(); }

  // Slots of the ring to the NF that are taken; of no use are those for which nothing may be lent
  // any more. Thread: as Send.
  uint32_t Waiting(uint32_t queue);

  // Set once, when the peer breaks a rule; from then on it gets nothing and nothing is taken.
  NfViolation violation() const { return violation_.load(std::memory_order_relaxed); }
  const BessNfGeometry& geometry() const { return geometry_; }
  // What the NF is to get, in the order of the protocol.
  std::vector<int> Descriptors() const;
  // Closes what is the NF's alone of its doorbells, once it has it.
  void ForgetPeerEnds();
  // Buffers that the NF has. Thread: any.
  uint32_t loans() const { return loans_.load(std::memory_order_relaxed); }
  // A number that changes whenever the NF takes packets. Thread: any.
  uint32_t Progress() const;
  // Whether the switch has taken all that the NF has put into its rings so far. Thread: any.
  bool Drained() const;
  // Counts the packets that are in the rings from the NF still, in the end. No worker may be in
  // Receive, then or later.
  void CountUnreceived();

 private:
  using ToNf = NfProducer<PeerMemory>;
  using FromNf = NfConsumer<PeerMemory>;
  // A burst's, the rest empty.
  using DescriptorBurst = std::array<BessNfDescriptor, kBatchSize>;

  // The far end of what wakes the NF is the NF's.
  struct Doorbell {
    FileDescriptor ours;
    FileDescriptor theirs;
  };
  struct alignas(64) SendLane {
    ToNf ring;
    Doorbell bell;
  };
  struct alignas(64) ReceiveLane {
    FromNf ring;
    ToNf fresh;
    FileDescriptor bell;
    std::atomic<uint32_t> taken{0};  // where we are in the ring, for other threads
  };

  NfSession(NfDomain& into, NfSessionCounters& counters, const NfSessionOptions& options)
      : into_(into), counters_(counters), alarm_(options.alarm), isolated_(options.isolated) {}
  absl::Status MakePrivateDomain();
  void SetGeometry(const NfSessionOptions& options);
  static absl::StatusOr<Doorbell> MakeDoorbell();
  static absl::StatusOr<FileDescriptor> MakeOwnDoorbell();
  absl::Status MakeLanes();

  uint32_t LoanRoom() const;
  Passed LendTo(ToNf& ring, Packet** packets, uint32_t n);
  uint32_t MakeOwn(Packet** packets, uint32_t n);
  Passed TakeBack(FromNf& ring, Packet** packets, uint32_t max);
  Passed PacketsOf(absl::Span<const BessNfDescriptor> descriptors, Packet** packets);
  bool AreSound(const DescriptorBurst& descriptors, uint32_t n) const;
  uint32_t SoundOnes(const DescriptorBurst& descriptors, uint32_t n) const;
  uint32_t Accept(const DescriptorBurst& descriptors, uint32_t n);
  NfViolation Judge(BessNfDescriptor descriptor) const;
  bool CopyOut(Packet** packets, uint32_t n);
  uint32_t FreshBatch() const;
  void FillFresh(ToNf& fresh);
  void Break(NfViolation violation);

  NfDomain& into_;
  NfSessionCounters& counters_;
  const int alarm_;
  const bool isolated_;
  const uint32_t owner_ = NfDomain::NewOwner();
  std::unique_ptr<PacketPool> private_pool_;
  std::unique_ptr<NfDomain> private_domain_;
  NfDomain* domain_ = nullptr;  // whose buffers the NF has: `into_` or the private one
  BessNfGeometry geometry_{};
  NfMemory switch_memory_;
  NfMemory nf_memory_;
  std::vector<SendLane> send_lanes_;
  std::vector<ReceiveLane> receive_lanes_;
  std::atomic<uint32_t> loans_{0};
  std::atomic<NfViolation> violation_{NfViolation::kNone};
};

}  // namespace bess
